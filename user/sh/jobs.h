/*
 * Jobs: a pipeline each, in a process group of its own when the shell controls jobs. The terminal
 * belongs to the job in the foreground, or else to the shell, so that ^C reaches the one and not
 * the other.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct job;

/* The shell is interactive: takes the terminal and sets the signals that come from it. False: no
 * job control. */
bool jobs_take_terminal(void);

/* A job without processes; text is copied. */
struct job *job_new(const char *text, bool background);

/*
 * fork(2) of a process of job. In the child, 0: it has its process group, the signals of a program
 * and no jobs. In the parent its pid, or -1 and errno.
 */
pid_t job_fork(struct job *job);

/*
 * Waits until job has ended or stopped, gives the terminal back to the shell and says what happened
 * if it was out of the ordinary. Returns the exit status of its last process. The job is freed
 * unless it only stopped.
 */
int job_wait(struct job *job);

/* Lets job run beside the shell, and sets $!. A job without processes is freed. */
void job_leave(struct job *job);

/* Notes what has ended, and says so to a person; before each prompt. */
void jobs_reap(void);

/* Lists the jobs in the background. */
void jobs_print(void);

/* By "%2" or by process id; NULL text: the newest. NULL when there is none. */
struct job *job_find(const char *text);

/* Lets a stopped job go on, in the foreground (waiting for it: its status) or in the background
 * (0). */
int job_continue(struct job *job, bool foreground);

/* Waits for one job, or with NULL for all in the background. 128 + SIGINT when ^C ended the
 * waiting. */
int jobs_wait(struct job *job);

/* In a child, or before exec: signals as a program expects them. */
void reset_signals(void);
