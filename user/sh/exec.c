/* Becoming a program: user/sh/shell.h. Programs are looked up in PATH; a text that is no program
 * runs as a script. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/text.h"
#include "user/sh/shell.h"
#include "user/sh/variables.h"

#define DEFAULT_PATH "/bin"
#define HEAD_SIZE    256

_Noreturn static void cannot_run(const char *path, const char *why)
{
	shell_complain("%s: %s", path, why);
	shell_exit(STATUS_CANNOT_RUN);
}

/* Runs the file with this shell, as the child that it is already. */
_Noreturn static void run_as_script(const char *path, char **argv)
{
	int fd = open_script(path), count = 0;

	if (fd < 0) {
		cannot_run(path, strerror(errno));
	}
	while (argv[count + 1]) {
		count++;
	}
	shell.name = path;
	shell.parameters = argv + 1;
	shell.parameter_count = count;
	shell_exit(run_fd(fd, path));
}

/* "#!PROGRAM ARG" in head, which is changed: PROGRAM, and ARG or NULL. NULL when the file has no
 * such line. */
static char *interpreter(char *head, char **argument)
{
	if (strncmp(head, "#!", 2) != 0) {
		return NULL;
	}
	head[strcspn(head, "\n")] = '\0';
	char *program = head + 2 + strspn(head + 2, " \t");
	char *end = program + strcspn(program, " \t");
	*argument = end + strspn(end, " \t");
	*end = '\0';
	if (**argument == '\0' || *argument == end) {
		*argument = NULL;
	}
	return *program ? program : NULL;
}

/* Runs PROGRAM [ARG] path argv[1] ... */
_Noreturn static void run_interpreter(struct arena *arena, char *program, char *argument,
				      char *path, char **argv)
{
	int count = 0, filled = 0;

	while (argv[count]) {
		count++;
	}
	char **all = arena_alloc(arena, ((size_t)count + 3) * sizeof(*all));
	all[filled++] = program;
	if (argument) {
		all[filled++] = argument;
	}
	all[filled++] = path;
	for (int i = 1; i < count; i++) {
		all[filled++] = argv[i];
	}
	execve(program, all, variables_environment(arena));
	cannot_run(program, strerror(errno));
}

/* The first bytes of a file and a NUL to head[HEAD_SIZE]; how many they are. */
static size_t read_head(const char *path, char *head)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		return 0;
	}
	ssize_t length = read(fd, head, HEAD_SIZE - 1);
	close(fd);
	head[length > 0 ? length : 0] = '\0';
	return length > 0 ? (size_t)length : 0;
}

/* The kernel does not know the format of the file. An empty one is a script that does nothing. */
_Noreturn static void run_other_file(struct arena *arena, char *path, char **argv)
{
	char head[HEAD_SIZE] = "", *argument = NULL;
	size_t length = read_head(path, head);

	if (memchr(head, '\0', length)) {
		cannot_run(path, "not a program that this machine can run");
	}
	char *program = interpreter(head, &argument);
	const char *slash = program ? strrchr(program, '/') : NULL;
	if (!program || strcmp(slash ? slash + 1 : program, "sh") == 0) {
		run_as_script(path, argv);
	}
	run_interpreter(arena, program, argument, path, argv);
}

/* Tries one file; returns only if it could not be run, with errno. */
static void try_file(struct arena *arena, char *path, char **argv)
{
	struct stat stat_buffer;

	execve(path, argv, variables_environment(arena));
	if (errno == ENOEXEC) {
		run_other_file(arena, path, argv);
	}
	int error = errno;
	if (error == EACCES && stat(path, &stat_buffer) == 0 && S_ISDIR(stat_buffer.st_mode)) {
		error = EISDIR;
	}
	errno = error;
}

static bool is_missing(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

/* Looks for the program in each directory of PATH. A file that cannot be run does not end the
 * search. */
_Noreturn static void search_path(struct arena *arena, char **argv)
{
	const char *path = variable_get("PATH");
	int error = ENOENT;

	for (path = path ? path : DEFAULT_PATH;; path++) {
		size_t length = strcspn(path, ":"), size = length + strlen(argv[0]) + 3;
		char *file = arena_alloc(arena, size);
		snprintf(file, size, "%.*s/%s", length > 0 ? (int)length : 1,
			 length > 0 ? path : ".", argv[0]);
		try_file(arena, file, argv);
		if (!is_missing(errno) && errno != EISDIR) {
			error = errno;
		}
		path += length;
		if (*path == '\0') {
			break;
		}
	}
	if (!is_missing(error)) {
		cannot_run(argv[0], strerror(error));
	}
	shell_complain("%s: command not found", argv[0]);
	shell_exit(STATUS_NOT_FOUND);
}

void exec_program(char **argv)
{
	struct arena arena = {0};

	if (!strchr(argv[0], '/')) {
		search_path(&arena, argv);
	}
	try_file(&arena, argv[0], argv);
	shell_complain("%s: %s", argv[0], strerror(errno));
	shell_exit(is_missing(errno) ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN);
}
