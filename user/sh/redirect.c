/* Redirections: user/sh/redirect.h. Copies of what was there before live at descriptors from
 * FIRST_PRIVATE_FD on. */
#include "user/sh/redirect.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/sh/expand.h"
#include "user/sh/shell.h"

#define FIRST_PRIVATE_FD 10

struct saved_descriptor {
	struct saved_descriptor *earlier;
	int fd;
	int copy; /* -1: it was closed */
};

static const int open_flags[] = {
	[REDIRECT_READ] = O_RDONLY,
	[REDIRECT_WRITE] = O_WRONLY | O_CREAT | O_TRUNC,
	[REDIRECT_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
	[REDIRECT_READ_WRITE] = O_RDWR | O_CREAT,
};

static void save_descriptor(struct arena *arena, int fd, struct saved_descriptor **saved)
{
	struct saved_descriptor *entry = arena_alloc(arena, sizeof(*entry));

	entry->fd = fd;
	entry->copy = fcntl(fd, F_DUPFD, FIRST_PRIVATE_FD);
	if (entry->copy >= 0) {
		fcntl(entry->copy, F_SETFD, FD_CLOEXEC);
	}
	entry->earlier = *saved;
	*saved = entry;
}

/* Makes fd a copy of from, which is closed when it was only opened for that. */
static bool put_at(int from, int fd, bool close_from)
{
	if (from == fd) {
		return true;
	}
	bool done = dup2(from, fd) >= 0;
	if (!done) {
		shell_complain("%d: %s", fd, strerror(errno));
	}
	if (close_from) {
		close(from);
	}
	return done;
}

static bool duplicate(int fd, const char *target)
{
	if (strcmp(target, "-") == 0) {
		close(fd);
		return true;
	}
	char *end;
	long from = strtol(target, &end, 10);
	if (!isdigit((unsigned char)*target) || *end != '\0') {
		shell_complain("'%s' is not a descriptor", target);
		return false;
	}
	if (fcntl((int)from, F_GETFD) < 0) {
		shell_complain("%s: %s", target, strerror(errno));
		return false;
	}
	return put_at((int)from, fd, false);
}

static bool redirect_one(struct arena *arena, const struct redirect *redirect)
{
	const char *target = expand_word(arena, redirect->target);

	if (!target) {
		return false;
	}
	if (redirect->kind == REDIRECT_DUPLICATE) {
		return duplicate(redirect->fd, target);
	}
	int fd = open(target, open_flags[redirect->kind], 0666);
	if (fd < 0) {
		shell_complain("%s: %s", target, strerror(errno));
		return false;
	}
	return put_at(fd, redirect->fd, true);
}

bool redirect(struct arena *arena, const struct redirect *redirects,
	      struct saved_descriptor **saved)
{
	for (; redirects; redirects = redirects->next) {
		if (saved) {
			save_descriptor(arena, redirects->fd, saved);
		}
		if (!redirect_one(arena, redirects)) {
			return false;
		}
	}
	return true;
}

void redirect_undo(struct saved_descriptor *saved)
{
	for (; saved; saved = saved->earlier) {
		if (saved->copy >= 0) {
			dup2(saved->copy, saved->fd);
			close(saved->copy);
		} else {
			close(saved->fd);
		}
	}
}
