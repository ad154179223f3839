/* Reading /proc: user/lib/procfs.h. A process may end at any moment: whoever reads one must bear
 * that it is gone. */
#include "user/lib/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/program.h"

const char *proc_root = "/proc";

static int compare_pids(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

int proc_list(pid_t **pids)
{
	DIR *directory = opendir(proc_root);
	const struct dirent *entry;
	size_t count = 0, capacity = 64;

	if (!directory) {
		return -1;
	}
	pid_t *list = allocate(capacity, sizeof(*list));
	while ((entry = readdir(directory)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0])) {
			continue;
		}
		if (count == capacity) {
			capacity *= 2;
			list = reallocate(list, capacity, sizeof(*list));
		}
		list[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	closedir(directory);
	qsort(list, count, sizeof(*list), compare_pids);
	*pids = list;
	return (int)count;
}

bool proc_read(pid_t pid, const char *name, struct text *text)
{
	struct text path = {0};
	char number[24] = "";

	if (pid != 0) {
		snprintf(number, sizeof(number), "/%ld", (long)pid);
	}
	text_add(&path, proc_root, strlen(proc_root));
	text_add(&path, number, strlen(number));
	text_add_char(&path, '/');
	text_add(&path, name, strlen(name));
	bool done = text_read_file(text, path.data);
	int error = errno;
	text_free(&path);
	errno = error;
	return done;
}

bool proc_value(const char *text, const char *key, unsigned long *value)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) != 0) {
			continue;
		}
		const char *at = line + length;
		at += *at == ':';
		at += strspn(at, " \t");
		if (at > line + length && isdigit((unsigned char)*at)) {
			*value = strtoul(at, NULL, 10);
			return true;
		}
	}
	return false;
}

void proc_name(pid_t pid, char *name, size_t size)
{
	struct text status = {0};

	snprintf(name, size, "?");
	if (proc_read(pid, "status", &status) && status.data &&
	    strncmp(status.data, "Name:", 5) == 0) {
		const char *from = status.data + 5 + strspn(status.data + 5, " \t");
		size_t length = strcspn(from, "\n");
		snprintf(name, size, "%.*s", (int)length, from);
	}
	text_free(&status);
}
