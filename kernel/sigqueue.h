/* The signals that a process or a thread has yet to take, with what is told of each. */
#pragma once

#include "kernel/signal.h"

struct process;

/* Entries for all processes together, which RLIMIT_SIGPENDING cannot exceed. */
#define SIGQUEUE_MAX 2048u

void sigqueue_init(struct sigpending *pending);

/* All of these: under the process table's lock. */

/*
 * Makes a signal pending. Of a standard signal that is pending already nothing is kept, as in POSIX; each real-time
 * signal is kept. -EAGAIN: a real-time signal that the limit forbids; a standard one, and one of kill(2), then becomes
 * pending without its siginfo. process: whose, or whose thread's, `pending` is.
 */
int sigqueue_add(struct sigpending *pending, const struct process *process,
		 const struct siginfo *info);

/* Takes the oldest of a pending signal, which stays pending while there are more. */
void sigqueue_take(struct sigpending *pending, int signal, struct siginfo *info);

/* The pending entry of a timer's last expiry, or NULL. */
struct siginfo *sigqueue_of_timer(struct sigpending *pending, int timer);

/* Forgets all of a set of pending signals. */
void sigqueue_forget(struct sigpending *pending, u64 set);
