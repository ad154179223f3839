/* Running a tree: user/sh/shell.h. Lists and conditions here, pipelines as jobs, single commands in
 * the shell or not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/sh/builtins.h"
#include "user/sh/expand.h"
#include "user/sh/jobs.h"
#include "user/sh/redirect.h"
#include "user/sh/shell.h"
#include "user/sh/variables.h"

static void trace_command(char **argv)
{
	fputc('+', stderr);
	for (; *argv; argv++) {
		fprintf(stderr, " %s", *argv);
	}
	fputc('\n', stderr);
}

/* Sets the variables of "NAME=word ..."; false after a bad substitution. */
static bool assign(struct arena *arena, const struct word *assignments, bool exported)
{
	for (; assignments; assignments = assignments->next) {
		size_t length = strcspn(assignments->text, "=");
		const char *name = arena_copy(arena, assignments->text, length);
		const char *value = expand_word(arena, assignments->text + length + 1);
		if (!value) {
			return false;
		}
		variable_set(name, value);
		if (exported) {
			variable_export(name);
		}
	}
	return true;
}

/* A builtin command, or no command at all, only assignments and redirections: in the shell itself.
 */
static int run_here(struct arena *arena, const struct node *node, int argc, char **argv)
{
	struct saved_descriptor *saved = NULL;
	/* exec without a program keeps its redirections: that is its purpose. */
	bool keep = argc == 1 && strcmp(argv[0], "exec") == 0;
	int status = 1;

	if (redirect(arena, node->redirects, keep ? NULL : &saved) &&
	    assign(arena, node->assignments, false)) {
		status = argc > 0 ? builtin_find(argv[0])(argc, argv) : 0;
		fflush(stdout);
	}
	redirect_undo(saved);
	return status;
}

/* In a child: becomes the program. */
_Noreturn static void run_program(struct arena *arena, const struct node *node, char **argv)
{
	if (!redirect(arena, node->redirects, NULL) || !assign(arena, node->assignments, true)) {
		shell_exit(1);
	}
	exec_program(argv);
}

/* In a child: one command of a pipeline. */
_Noreturn static void run_stage(const struct node *node)
{
	struct arena arena = {0};
	int argc;

	if (node->kind == NODE_SUBSHELL) {
		shell_exit(redirect(&arena, node->redirects, NULL) ? run_node(node->left) : 1);
	}
	char **argv = expand_words(&arena, node->words, &argc);
	if (!argv) {
		shell_exit(1);
	}
	if (shell.trace) {
		trace_command(argv);
	}
	if (argc == 0 || builtin_find(argv[0])) {
		shell_exit(run_here(&arena, node, argc, argv));
	}
	run_program(&arena, node, argv);
}

static void move_descriptor(int from, int to)
{
	if (from >= 0 && from != to) {
		dup2(from, to);
		close(from);
	}
}

/*
 * Starts the commands of a pipeline, each reading what the one before writes. False when not all
 * could be started; those before it then run and find that nobody reads.
 */
static bool start_pipeline(struct job *job, const struct node *stage)
{
	int input = -1;

	for (; stage; stage = stage->next) {
		int ends[2] = {-1, -1};
		pid_t pid = stage->next && pipe(ends) != 0 ? -1 : job_fork(job);
		if (pid == 0) {
			if (ends[0] >= 0) {
				close(ends[0]);
			}
			move_descriptor(input, STDIN_FILENO);
			move_descriptor(ends[1], STDOUT_FILENO);
			run_stage(stage);
		}
		int error = errno;
		if (input >= 0) {
			close(input);
		}
		if (ends[1] >= 0) {
			close(ends[1]);
		}
		input = ends[0];
		if (pid < 0) {
			shell_complain("cannot start '%s': %s", stage->text, strerror(error));
			break;
		}
	}
	if (input >= 0) {
		close(input);
	}
	return stage == NULL;
}

static int run_job(const struct node *pipeline)
{
	struct job *job = job_new(pipeline->text, false);
	bool started = start_pipeline(job, pipeline->left);
	int status = job_wait(job);

	return started ? status : 1;
}

/* A single program in the foreground: its words were expanded already, to see that it is no
 * builtin. */
static int run_program_job(struct arena *arena, const struct node *node, char **argv)
{
	struct job *job = job_new(node->text, false);
	pid_t pid = job_fork(job);

	if (pid == 0) {
		run_program(arena, node, argv);
	}
	if (pid < 0) {
		shell_complain("cannot start '%s': %s", node->text, strerror(errno));
	}
	return job_wait(job);
}

static int run_simple(const struct node *node)
{
	struct arena arena = {0};
	int argc, status = 1;
	char **argv = expand_words(&arena, node->words, &argc);

	if (argv && shell.trace && argc > 0) {
		trace_command(argv);
	}
	if (argv && (argc == 0 || builtin_find(argv[0]))) {
		status = run_here(&arena, node, argc, argv);
	} else if (argv) {
		status = run_program_job(&arena, node, argv);
	}
	arena_free(&arena);
	return status;
}

static int run_pipeline(const struct node *node)
{
	bool simple = !node->left->next && node->left->kind == NODE_SIMPLE;
	int status = simple ? run_simple(node->left) : run_job(node);

	return node->negated ? status == 0 : status;
}

/* "a && b &" runs in a subshell; a pipeline's own processes are the job. */
static int run_in_background(const struct node *node)
{
	struct job *job = job_new(node->text, true);
	bool started = true;

	if (node->kind == NODE_PIPELINE && !node->negated) {
		started = start_pipeline(job, node->left);
	} else {
		pid_t pid = job_fork(job);
		if (pid == 0) {
			shell_exit(run_node(node));
		}
		started = pid > 0;
		if (!started) {
			shell_complain("cannot start '%s': %s", node->text, strerror(errno));
		}
	}
	job_leave(job);
	return started ? 0 : 1;
}

/* A failure inside a condition or under '!' is an answer, not an error: set -e lets it pass. */
static void run_list(const struct node *item)
{
	for (; item && !shell.interrupted; item = item->next) {
		if (item->background) {
			shell.status = run_in_background(item);
			continue;
		}
		run_node(item);
		bool decisive = item->kind == NODE_PIPELINE && !item->negated;
		if (shell.exit_on_error && shell.status != 0 && decisive) {
			shell_exit(shell.status);
		}
	}
}

int run_node(const struct node *node)
{
	switch (node->kind) {
	case NODE_LIST:
		run_list(node->left);
		break;
	case NODE_AND:
	case NODE_OR:
		run_node(node->left);
		if ((shell.status == 0) == (node->kind == NODE_AND) && !shell.interrupted) {
			run_node(node->right);
		}
		break;
	case NODE_PIPELINE:
		shell.status = run_pipeline(node);
		break;
	case NODE_SIMPLE:
	case NODE_SUBSHELL:
		/* only inside pipelines */
		break;
	}
	return shell.status;
}
