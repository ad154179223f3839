/* Commands that the shell does itself: user/sh/builtins.h. */
#include "user/sh/builtins.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/program.h"
#include "user/sh/jobs.h"
#include "user/sh/shell.h"
#include "user/sh/variables.h"

#define STATUS_USAGE 2

/* A whole number from 0 to max; -1 after a complaint. */
static long parse_number(const char *name, const char *text, int base, long max)
{
	char *end;

	errno = 0;
	long number = strtol(text, &end, base);
	if (end == text || *end != '\0' || errno != 0 || number < 0 || number > max) {
		shell_complain("%s: '%s' is not a number that fits here", name, text);
		return -1;
	}
	return number;
}

static int do_true(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static int do_false(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 1;
}

/* Where cd goes: its operand, $HOME without one, $OLDPWD for "-". NULL after a complaint. */
static const char *cd_target(char **argv)
{
	const char *name = !argv[1] ? "HOME" : strcmp(argv[1], "-") == 0 ? "OLDPWD" : NULL;

	if (!name) {
		return argv[1];
	}
	const char *target = variable_get(name);
	if (!target) {
		shell_complain("cd: %s is not set", name);
	}
	return target;
}

static int do_cd(int argc, char **argv)
{
	char before[PATH_MAX], after[PATH_MAX];
	const char *target = cd_target(argv);

	if (!target) {
		return 1;
	}
	bool known = getcwd(before, sizeof(before)) != NULL;
	if (chdir(target) != 0) {
		shell_complain("cd: %s: %s", target, strerror(errno));
		return 1;
	}
	if (known) {
		variable_set("OLDPWD", before);
	}
	if (getcwd(after, sizeof(after))) {
		variable_set("PWD", after);
		if (argc > 1 && strcmp(argv[1], "-") == 0) {
			puts(after);
		}
	}
	return 0;
}

static int do_pwd(int argc, char **argv)
{
	char path[PATH_MAX];

	(void)argc;
	(void)argv;
	if (!getcwd(path, sizeof(path))) {
		shell_complain("pwd: %s", strerror(errno));
		return 1;
	}
	puts(path);
	return 0;
}

static int do_exit(int argc, char **argv)
{
	long status = argc > 1 ? parse_number("exit", argv[1], 10, INT_MAX) : shell.status;

	shell_exit(status < 0 ? STATUS_USAGE : (int)(status & 0xff));
}

static int do_exec(int argc, char **argv)
{
	if (argc == 1) {
		return 0;
	}
	fflush(stdout);
	if (shell.interactive) {
		reset_signals();
	}
	exec_program(argv + 1);
}

/* NAME or NAME=VALUE; false after a complaint. */
static bool export_one(char *text)
{
	size_t length = strcspn(text, "=");
	char *value = text[length] ? text + length + 1 : NULL;

	if (!is_name(text, length)) {
		shell_complain("export: '%s' is not a name", text);
		return false;
	}
	text[length] = '\0';
	if (value) {
		variable_set(text, value);
	}
	variable_export(text);
	return true;
}

static int do_export(int argc, char **argv)
{
	bool done = true;

	if (argc == 1) {
		variables_print(true);
	}
	for (int i = 1; i < argc; i++) {
		done &= export_one(argv[i]);
	}
	return done ? 0 : 1;
}

static int do_unset(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		variable_unset(argv[i]);
	}
	return 0;
}

/* The parameters that the shell was started with are argv's; those that were set are copies, owned
 * here. */
static void replace_parameters(char **from, int count)
{
	static char **owned;
	static int owned_count;
	char **list = allocate((size_t)count + 1, sizeof(*list));

	for (int i = 0; i < count; i++) {
		list[i] = strcpy(allocate(strlen(from[i]) + 1, 1), from[i]);
	}
	list[count] = NULL;
	for (int i = 0; i < owned_count; i++) {
		free(owned[i]);
	}
	free(owned);
	owned = shell.parameters = list;
	owned_count = shell.parameter_count = count;
}

/* -ex or +ex; false after a complaint. */
static bool set_flags(const char *word)
{
	bool on = *word == '-';

	for (const char *letter = word + 1; *letter; letter++) {
		if (*letter == 'e') {
			shell.exit_on_error = on;
		} else if (*letter == 'x') {
			shell.trace = on;
		} else {
			shell_complain("set: unknown option %c%c", *word, *letter);
			return false;
		}
	}
	return true;
}

static int do_set(int argc, char **argv)
{
	int i = 1;

	if (argc == 1) {
		variables_print(false);
		return 0;
	}
	for (; i < argc && (*argv[i] == '-' || *argv[i] == '+') && argv[i][1]; i++) {
		if (strcmp(argv[i], "--") == 0) {
			replace_parameters(argv + i + 1, argc - i - 1);
			return 0;
		}
		if (!set_flags(argv[i])) {
			return STATUS_USAGE;
		}
	}
	if (i < argc) {
		replace_parameters(argv + i, argc - i);
	}
	return 0;
}

static int do_shift(int argc, char **argv)
{
	long count = argc > 1 ? parse_number("shift", argv[1], 10, INT_MAX) : 1;

	if (count < 0 || count > shell.parameter_count) {
		return 1;
	}
	replace_parameters(shell.parameters + count, shell.parameter_count - (int)count);
	return 0;
}

static int do_umask(int argc, char **argv)
{
	if (argc > 1) {
		long mask = parse_number("umask", argv[1], 8, 0777);
		if (mask < 0) {
			return 1;
		}
		umask((mode_t)mask);
		return 0;
	}
	mode_t mask = umask(0);
	umask(mask);
	printf("%04o\n", (unsigned)mask);
	return 0;
}

/* The file's commands in this shell. */
static int do_source(int argc, char **argv)
{
	if (argc < 2) {
		shell_complain(".: no file given");
		return STATUS_USAGE;
	}
	int fd = open_script(argv[1]);
	if (fd < 0) {
		shell_complain("%s: %s", argv[1], strerror(errno));
		return 1;
	}
	shell.status = 0;
	return run_fd(fd, argv[1]);
}

static int do_wait(int argc, char **argv)
{
	int status = argc > 1 ? 0 : jobs_wait(NULL);

	for (int i = 1; i < argc; i++) {
		struct job *job = job_find(argv[i]);
		if (job) {
			status = jobs_wait(job);
		} else {
			shell_complain("wait: %s: no such job", argv[i]);
			status = STATUS_NOT_FOUND;
		}
	}
	return status;
}

static int do_jobs(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	jobs_print();
	return 0;
}

/* fg and bg: a stopped job goes on. */
static int do_continue(int argc, char **argv)
{
	struct job *job = job_find(argc > 1 ? argv[1] : NULL);

	if (!shell.job_control || !job) {
		shell_complain("%s: %s", argv[0], job ? "no job control here" : "no such job");
		return 1;
	}
	return job_continue(job, strcmp(argv[0], "fg") == 0);
}

static int do_help(int argc, char **argv);

struct builtin {
	const char *name;
	builtin_function *run;
	const char *help;
};

static const struct builtin builtins[] = {
	{".", do_source, ". FILE            run the commands of FILE in this shell"},
	{":", do_true, ":                 nothing"},
	{"bg", do_continue, "bg [JOB]          let a stopped job go on in the background"},
	{"cd", do_cd, "cd [DIRECTORY]    change directory (-: the one before)"},
	{"exec", do_exec, "exec [PROGRAM...] become PROGRAM, or keep redirections"},
	{"exit", do_exit, "exit [STATUS]     end the shell"},
	{"export", do_export, "export [NAME[=VALUE]]...   hand variables to programs"},
	{"false", do_false, "false             fail"},
	{"fg", do_continue, "fg [JOB]          bring a job to the foreground"},
	{"help", do_help, "help              this list"},
	{"jobs", do_jobs, "jobs              list jobs in the background"},
	{"pwd", do_pwd, "pwd               print the directory"},
	{"set", do_set, "set [-ex] [--] [ARG]...    stop at errors, trace; set $1, $2, ..."},
	{"shift", do_shift, "shift [N]         drop the first parameters"},
	{"source", do_source, "source FILE       as '.'"},
	{"true", do_true, "true              succeed"},
	{"umask", do_umask, "umask [MODE]      permissions that new files do not get"},
	{"unset", do_unset, "unset NAME...     forget variables"},
	{"wait", do_wait, "wait [PID|%JOB]... wait for jobs in the background"},
};

#define BUILTINS (sizeof(builtins) / sizeof(builtins[0]))

static int do_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("commands   a | b   a && b   a || b   a ; b   a &   ! a   ( a )\n"
	     "files      <in >out >>out 2>&1 2>err <>both n<&m n>&-   * ? [a-z]\n"
	     "words      $VAR ${VAR} $? $$ $! $0 $1 $# $* \"$@\"   'as is' \"with $VAR\" \\c   # "
	     "comment\n"
	     "builtin:");
	for (size_t i = 0; i < BUILTINS; i++) {
		printf("  %s\n", builtins[i].help);
	}
	puts("Loops, conditions, functions and $(command) are in busybox sh.");
	return 0;
}

builtin_function *builtin_find(const char *name)
{
	for (size_t i = 0; i < BUILTINS; i++) {
		if (strcmp(builtins[i].name, name) == 0) {
			return builtins[i].run;
		}
	}
	return NULL;
}
