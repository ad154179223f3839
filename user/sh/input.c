/*
 * Reading and running commands, line by line: a line that is not complete (an open quote, a
 * trailing '|') is kept and parsed again together with the next one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/lib/text.h"
#include "user/sh/jobs.h"
#include "user/sh/shell.h"
#include "user/sh/variables.h"

#define FIRST_PRIVATE_FD 10
#define BUFFER_SIZE      1024

struct input {
	const char *text; /* what is left of it; NULL: read from fd */
	int fd;
	bool terminal;
	/* Standard input that is no terminal: what is read beyond a command would be missing for
	 * the programs it starts, so one byte is read at a time. */
	bool shared;
	char buffer[BUFFER_SIZE];
	size_t start, end; /* of what is left in buffer */
};

enum line_result { LINE_READ, LINE_END, LINE_INTERRUPTED };

static void prompt(bool more)
{
	const char *text = variable_get(more ? "PS2" : "PS1");
	char directory[512];

	if (text) {
		fputs(text, stderr);
	} else if (more) {
		fputs("> ", stderr);
	} else {
		fprintf(stderr, "%s # ", getcwd(directory, sizeof(directory)) ? directory : "?");
	}
}

/* Fills the buffer again; LINE_END at the end or when reading fails. */
static enum line_result fill(struct input *input)
{
	for (;;) {
		ssize_t got = read(input->fd, input->buffer, input->shared ? 1 : BUFFER_SIZE);
		if (got < 0 && errno == EINTR) {
			if (interrupt_seen && input->terminal) {
				return LINE_INTERRUPTED;
			}
			continue;
		}
		if (got < 0) {
			shell_complain("cannot read commands: %s", strerror(errno));
		}
		input->start = 0;
		input->end = got > 0 ? (size_t)got : 0;
		return got > 0 ? LINE_READ : LINE_END;
	}
}

static enum line_result read_fd_line(struct input *input, struct text *line)
{
	size_t before = line->length;

	for (;;) {
		if (input->start == input->end) {
			enum line_result result = fill(input);
			if (result != LINE_READ) {
				bool some = result == LINE_END && line->length > before;
				return some ? LINE_READ : result;
			}
		}
		const char *from = input->buffer + input->start;
		size_t length = input->end - input->start;
		const char *newline = memchr(from, '\n', length);
		length = newline ? (size_t)(newline - from) + 1 : length;
		text_add(line, from, length);
		input->start += length;
		if (newline) {
			return LINE_READ;
		}
	}
}

static enum line_result read_text_line(struct input *input, struct text *line)
{
	size_t length = strcspn(input->text, "\n");

	if (*input->text == '\0') {
		return LINE_END;
	}
	text_add(line, input->text, length);
	text_add_char(line, '\n');
	input->text += length + (input->text[length] == '\n');
	return LINE_READ;
}

/* Appends the next line, with its newline, to *line. */
static enum line_result read_line(struct input *input, struct text *line)
{
	if (input->text) {
		return read_text_line(input, line);
	}
	if (input->terminal) {
		jobs_reap();
		prompt(line->length > 0);
		interrupt_seen = 0;
	}
	return read_fd_line(input, line);
}

/* Runs the lines if they are complete; false when they need another one. */
static bool run_lines(const struct text *lines)
{
	struct arena arena = {0};
	struct node *tree = NULL;
	const char *error = NULL;
	enum parse_status parsed = parse(&arena, lines->data, &tree, &error);

	shell.interrupted = false;
	if (parsed == PARSE_WRONG) {
		shell_complain("syntax error: %s", error);
		shell.status = 2;
	} else if (memchr(lines->data, '\0', lines->length)) {
		shell_complain("syntax error: a zero byte in the text");
		shell.status = 2;
		parsed = PARSE_WRONG;
	} else if (parsed == PARSE_DONE && tree) {
		run_node(tree);
	}
	arena_free(&arena);
	if (parsed == PARSE_WRONG && !shell.interactive) {
		shell_exit(shell.status);
	}
	return parsed != PARSE_INCOMPLETE;
}

static void handle_end(const struct input *input, const struct text *lines)
{
	if (lines->length > 0) {
		shell_complain("syntax error: the text ends in the middle of a command");
		shell.status = 2;
	} else if (input->terminal) {
		fputc('\n', stderr);
	}
}

static void run_input(struct input *input)
{
	struct text lines = {0};

	for (;;) {
		enum line_result result = read_line(input, &lines);
		if (result == LINE_INTERRUPTED) {
			fputc('\n', stderr);
			shell.status = STATUS_SIGNAL + SIGINT;
			text_clear(&lines);
			continue;
		}
		if (result == LINE_END) {
			break;
		}
		shell.line += !input->terminal;
		if (run_lines(&lines)) {
			text_clear(&lines);
		}
	}
	handle_end(input, &lines);
	text_free(&lines);
}

/* Runs input under the name source, for messages; afterwards these are again about what was read
 * before. */
static int run_named(struct input *input, const char *source)
{
	const char *outer_source = shell.source;
	unsigned outer_line = shell.line;

	shell.source = source;
	shell.line = 0;
	run_input(input);
	shell.source = outer_source;
	shell.line = outer_line;
	return shell.status;
}

int run_fd(int fd, const char *name)
{
	struct input input = {.fd = fd, .terminal = fd == STDIN_FILENO && shell.interactive};

	input.shared = fd == STDIN_FILENO && !input.terminal;
	int status = run_named(&input, name);
	if (fd != STDIN_FILENO) {
		close(fd);
	}
	return status;
}

int run_text(const char *text, const char *name)
{
	struct input input = {.text = text, .fd = -1};

	return run_named(&input, name);
}

int open_script(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		return -1;
	}
	int high = fcntl(fd, F_DUPFD, FIRST_PRIVATE_FD);
	int error = errno;
	close(fd);
	if (high >= 0) {
		fcntl(high, F_SETFD, FD_CLOEXEC);
	}
	errno = error;
	return high;
}
