/*
 * sh: a small shell. Pipelines, redirections, && || ; & ( ), variables, quotes, file name patterns,
 * scripts, jobs. From the text to its end: input.c reads lines, lexer.c and parser.c make a tree,
 * run.c runs it, expand.c turns its words into arguments, jobs.c starts and awaits processes,
 * exec.c becomes programs.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/lib/program.h"
#include "user/sh/jobs.h"
#include "user/sh/shell.h"
#include "user/sh/variables.h"

struct shell shell = {.name = "sh", .source = "sh"};

void shell_complain(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fprintf(stderr, "%s: ", shell.source);
	if (shell.line > 0) {
		fprintf(stderr, "line %u: ", shell.line);
	}
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void shell_exit(int status)
{
	fflush(stdout);
	_exit(status);
}

static void set_parameters(char **argv)
{
	shell.parameters = argv;
	while (shell.parameters[shell.parameter_count]) {
		shell.parameter_count++;
	}
}

/* sh -c TEXT [NAME [ARG]...] */
static int run_command_text(char **operands)
{
	if (!operands[0]) {
		usage_error("-c needs a text");
	}
	if (operands[1]) {
		shell.name = operands[1];
		set_parameters(operands + 2);
	}
	return run_text(operands[0], "sh");
}

/* sh FILE [ARG]... */
static int run_file(char **operands)
{
	int fd = open_script(operands[0]);

	if (fd < 0) {
		complain_errno(operands[0]);
		return STATUS_NOT_FOUND;
	}
	shell.name = operands[0];
	set_parameters(operands + 1);
	return run_fd(fd, operands[0]);
}

static int run_standard_input(bool interactive)
{
	shell.interactive = interactive || isatty(STDIN_FILENO);
	if (shell.interactive) {
		shell.job_control = jobs_take_terminal();
	}
	return run_fd(STDIN_FILENO, "sh");
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};
	bool text = false, interactive = false;
	int letter;

	program_init("sh",
		     "sh [-ex] [FILE [ARG]...]\n"
		     "       sh [-ex] -c TEXT [NAME [ARG]...]\n"
		     "       (type 'help' in it for what it knows)",
		     argc, argv);
	while ((letter = option_next(&options, "ciex")) != 0) {
		text |= letter == 'c';
		interactive |= letter == 'i';
		shell.exit_on_error |= letter == 'e';
		shell.trace |= letter == 'x';
	}
	shell.pid = getpid();
	variables_init();
	char **operands = argv + options.index;
	if (text) {
		shell_exit(run_command_text(operands));
	}
	shell_exit(operands[0] ? run_file(operands) : run_standard_input(interactive));
}
