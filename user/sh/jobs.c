/*
 * Jobs: user/sh/jobs.h. All jobs with processes are in one list, so that whichever child a
 * waitpid() returns can be noted where it belongs.
 */
#include "user/sh/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "user/lib/program.h"
#include "user/lib/signals.h"
#include "user/sh/shell.h"

enum process_state { PROCESS_RUNNING, PROCESS_STOPPED, PROCESS_ENDED };

struct process {
	pid_t pid;
	int wait_status; /* of waitpid(), once it has ended */
	enum process_state state;
};

struct job {
	struct job *next; /* with a smaller number */
	int number;
	pid_t group; /* 0: that of the shell */
	bool background;
	char *text;
	struct process *processes;
	size_t count;
};

static struct job *jobs;
static struct termios shell_modes; /* of the terminal, to be set after a program died in its own */
static pid_t shell_group;

volatile sig_atomic_t interrupt_seen;

static const int terminal_signals[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};

#define TERMINAL_SIGNALS (sizeof(terminal_signals) / sizeof(terminal_signals[0]))

static void note_interrupt(int signal)
{
	(void)signal;
	interrupt_seen = 1;
}

static void set_signal(int signal, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	sigemptyset(&action.sa_mask);
	sigaction(signal, &action, NULL);
}

/* ^C ends a read() of the shell with EINTR; all else from the terminal is for its jobs. */
bool jobs_take_terminal(void)
{
	set_signal(SIGINT, note_interrupt);
	for (size_t i = 1; i < TERMINAL_SIGNALS; i++) {
		set_signal(terminal_signals[i], SIG_IGN);
	}
	setpgid(0, 0); /* fails for a session leader, which has its own group already */
	shell_group = getpgrp();
	tcgetattr(STDIN_FILENO, &shell_modes);
	return tcsetpgrp(STDIN_FILENO, shell_group) == 0;
}

void reset_signals(void)
{
	for (size_t i = 0; i < TERMINAL_SIGNALS; i++) {
		set_signal(terminal_signals[i], SIG_DFL);
	}
}

struct job *job_new(const char *text, bool background)
{
	struct job *job = allocate(1, sizeof(*job));

	*job = (struct job) {.background = background, .next = jobs};
	job->number = jobs ? jobs->number + 1 : 1;
	job->text = strcpy(allocate(strlen(text) + 1, 1), text);
	jobs = job;
	return job;
}

static void job_free(struct job *job)
{
	struct job **place = &jobs;

	while (*place != job) {
		place = &(*place)->next;
	}
	*place = job->next;
	free(job->processes);
	free(job->text);
	free(job);
}

/* Without job control, ^C must not end what runs in the background, nor may that eat the shell's
 * input. */
static void detach_child(void)
{
	int null = open("/dev/null", O_RDONLY);

	set_signal(SIGINT, SIG_IGN);
	set_signal(SIGQUIT, SIG_IGN);
	if (null > STDIN_FILENO) {
		dup2(null, STDIN_FILENO);
		close(null);
	}
}

static void start_child(const struct job *job)
{
	bool background = job->background;

	if (shell.job_control) {
		pid_t group = job->group ? job->group : getpid();
		setpgid(0, group);
		if (!background) {
			tcsetpgrp(STDIN_FILENO, group);
		}
	}
	if (shell.interactive) {
		reset_signals();
	}
	if (!shell.job_control && background) {
		detach_child();
	}
	shell.interactive = shell.job_control = false;
	while (jobs) {
		job_free(jobs);
	}
}

/* Both sides set the group: whichever comes first, it is set before either relies on it. */
pid_t job_fork(struct job *job)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		start_child(job);
	}
	if (pid <= 0) {
		return pid;
	}
	if (shell.job_control) {
		job->group = job->group ? job->group : pid;
		setpgid(pid, job->group);
	}
	job->processes = reallocate(job->processes, job->count + 1, sizeof(*job->processes));
	job->processes[job->count++] = (struct process) {.pid = pid};
	return pid;
}

static bool job_has(const struct job *job, enum process_state state)
{
	for (size_t i = 0; i < job->count; i++) {
		if (job->processes[i].state == state) {
			return true;
		}
	}
	return false;
}

static bool job_ended(const struct job *job)
{
	return !job_has(job, PROCESS_RUNNING) && !job_has(job, PROCESS_STOPPED);
}

static struct process *find_process(pid_t pid)
{
	for (struct job *job = jobs; job; job = job->next) {
		for (size_t i = 0; i < job->count; i++) {
			if (job->processes[i].pid == pid &&
			    job->processes[i].state != PROCESS_ENDED) {
				return &job->processes[i];
			}
		}
	}
	return NULL;
}

/* Waits for any child and notes what it did. False: there was none, or a signal came first (errno
 * EINTR). */
static bool note_child(int flags)
{
	int wait_status;
	pid_t pid = waitpid(-1, &wait_status, flags | WUNTRACED);

	if (pid <= 0) {
		return false;
	}
	struct process *process = find_process(pid);
	if (process) {
		process->state = WIFSTOPPED(wait_status) ? PROCESS_STOPPED : PROCESS_ENDED;
		process->wait_status = wait_status;
	}
	return true;
}

static int exit_status(int wait_status)
{
	return WIFEXITED(wait_status)    ? WEXITSTATUS(wait_status)
	       : WIFSTOPPED(wait_status) ? STATUS_SIGNAL + WSTOPSIG(wait_status)
					 : STATUS_SIGNAL + WTERMSIG(wait_status);
}

static int job_status(const struct job *job)
{
	return job->count > 0 ? exit_status(job->processes[job->count - 1].wait_status) : 1;
}

/* The signal that a process of job died of; 0 when none did, or only of a pipe whose reader left
 * early. */
static int death_signal(const struct job *job)
{
	int signal = 0;

	for (size_t i = 0; i < job->count; i++) {
		int wait_status = job->processes[i].wait_status;
		bool died = job->processes[i].state == PROCESS_ENDED && WIFSIGNALED(wait_status);
		if (died && WTERMSIG(wait_status) != SIGPIPE) {
			signal = WTERMSIG(wait_status);
		}
	}
	return signal;
}

static void print_job(const struct job *job, FILE *to)
{
	int signal = death_signal(job), status = job_status(job);

	fprintf(to, "[%d] ", job->number);
	if (job_has(job, PROCESS_STOPPED)) {
		fprintf(to, "Stopped");
	} else if (!job_ended(job)) {
		fprintf(to, "Running");
	} else if (signal != 0) {
		fprintf(to, "%s", signal_words(signal));
	} else if (status != 0) {
		fprintf(to, "Status %d", status);
	} else {
		fprintf(to, "Done");
	}
	fprintf(to, "\t%s\n", job->text);
}

/* Gives the terminal back to the shell, in its own modes if the job had no chance to restore them.
 */
static void reclaim_terminal(const struct job *job)
{
	if (!shell.job_control) {
		return;
	}
	tcsetpgrp(STDIN_FILENO, shell_group);
	if (!job_ended(job) || death_signal(job) != 0) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &shell_modes);
	} else {
		tcgetattr(STDIN_FILENO, &shell_modes);
	}
}

static void report_foreground(struct job *job)
{
	int signal = death_signal(job);

	if (!job_ended(job)) {
		job->background = true;
		fputc('\n', stderr);
		print_job(job, stderr);
	} else if (signal == SIGINT && shell.interactive) {
		shell.interrupted = true;
		fputc('\n', stderr);
	} else if (signal != 0 && signal != SIGINT) {
		fprintf(stderr, "%s\n", signal_words(signal));
	}
}

int job_wait(struct job *job)
{
	while (job_has(job, PROCESS_RUNNING)) {
		if (!note_child(0) && errno == ECHILD) {
			break;
		}
	}
	reclaim_terminal(job);
	report_foreground(job);
	int status = job_status(job);
	if (!job_has(job, PROCESS_STOPPED)) {
		job_free(job);
	}
	return status;
}

void job_leave(struct job *job)
{
	if (job->count == 0) {
		job_free(job);
		return;
	}
	shell.background = job->processes[job->count - 1].pid;
	if (shell.interactive) {
		fprintf(stderr, "[%d] %ld\n", job->number, (long)shell.background);
	}
}

/* Scripts keep ended jobs for `wait`; at a terminal they are reported once. */
void jobs_reap(void)
{
	while (note_child(WNOHANG)) {
		/* all that there are */
	}
	for (struct job *job = jobs, *next; shell.interactive && job; job = next) {
		next = job->next;
		if (job_ended(job)) {
			print_job(job, stderr);
			job_free(job);
		}
	}
}

void jobs_print(void)
{
	while (note_child(WNOHANG)) {
		/* all that there are */
	}
	for (struct job *job = jobs, *next; job; job = next) {
		next = job->next;
		print_job(job, stdout);
		if (job_ended(job)) {
			job_free(job);
		}
	}
}

struct job *job_find(const char *text)
{
	if (!text) {
		return jobs;
	}
	long number = strtol(text + (*text == '%'), NULL, 10);
	for (struct job *job = jobs; job; job = job->next) {
		for (size_t i = 0; *text != '%' && i < job->count; i++) {
			if (job->processes[i].pid == number) {
				return job;
			}
		}
		if (*text == '%' && job->number == number) {
			return job;
		}
	}
	return NULL;
}

int job_continue(struct job *job, bool foreground)
{
	job->background = !foreground;
	for (size_t i = 0; i < job->count; i++) {
		if (job->processes[i].state == PROCESS_STOPPED) {
			job->processes[i].state = PROCESS_RUNNING;
		}
	}
	if (foreground) {
		fprintf(stderr, "%s\n", job->text);
		tcsetpgrp(STDIN_FILENO, job->group);
	}
	kill(-job->group, SIGCONT);
	return foreground ? job_wait(job) : 0;
}

/* Waits for one job; false when ^C came first or it stopped. */
static bool wait_quietly(const struct job *job)
{
	interrupt_seen = 0;
	while (job_has(job, PROCESS_RUNNING)) {
		if (!note_child(0) && (errno == ECHILD || interrupt_seen)) {
			return errno == ECHILD;
		}
	}
	return job_ended(job);
}

int jobs_wait(struct job *one)
{
	int status = 0;

	for (struct job *job = one ? one : jobs, *next; job; job = one ? NULL : next) {
		next = job->next;
		if (wait_quietly(job)) {
			status = one ? job_status(job) : 0;
			job_free(job);
		} else if (interrupt_seen) {
			fputc('\n', stderr);
			shell.interrupted = true;
			return STATUS_SIGNAL + SIGINT;
		}
	}
	return status;
}
