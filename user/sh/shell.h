/* The state of the shell, and how a command line runs. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "user/sh/arena.h"
#include "user/sh/syntax.h"

#define STATUS_CANNOT_RUN 126
#define STATUS_NOT_FOUND  127
#define STATUS_SIGNAL     128 /* plus the signal */

struct shell {
	int status;        /* $? */
	pid_t pid;         /* $$: also in subshells that of the shell itself */
	pid_t background;  /* $!: the last process started with '&', 0 before the first */
	const char *name;  /* $0 */
	char **parameters; /* $1, $2, ...: parameters[0 .. parameter_count - 1] */
	int parameter_count;
	bool interactive;   /* prompts, reports jobs, goes on after errors */
	bool job_control;   /* gives each pipeline a process group and lends it the terminal */
	bool exit_on_error; /* set -e */
	bool trace;         /* set -x */
	bool interrupted;   /* ^C ended a pipeline: what is left of the command line is not run */
	const char *source; /* name of the file that commands are read from */
	unsigned line;      /* in source; 0: a person types them */
};

extern struct shell shell;

/* Set by ^C while the shell itself has the terminal. */
extern volatile sig_atomic_t interrupt_seen;

/* Prints "SOURCE: line N: text" ("sh: text" for a person at a terminal) to stderr. */
void shell_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs a tree, sets and returns shell.status. A tree may be run again. run.c */
int run_node(const struct node *node);

/* Runs commands from a descriptor, which is closed at the end, or from a text. Returns the last
 * status. input.c */
int run_fd(int fd, const char *name);
int run_text(const char *text, const char *name);

/* Opens a script: -1 and errno. The descriptor is closed by exec and out of the way of
 * redirections. input.c */
int open_script(const char *path);

/* Becomes the program argv[0], looked up in PATH; a file that is no program is run as a script.
 * exec.c */
_Noreturn void exec_program(char **argv);

/* Flushes and ends this process; for the shell itself and for its children alike. */
_Noreturn void shell_exit(int status);
