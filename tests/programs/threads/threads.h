/*
 * What the tests of threads share. Each part runs in a process of its own, forked from one that has a single thread, and
 * passes when that process ends with status 0. Nothing here measures time: what has to happen is waited for, and a part
 * that waits too long is killed.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE         4096ul

struct part {
	const char *name;
	void (*run)(void);
};

/* Each ends with a part without a name. */
extern const struct part lifetime_parts[], local_parts[], mutex_parts[], waiting_parts[],
	cancel_parts[], signal_parts[], group_signal_parts[], process_parts[], fork_parts[],
	futex_parts[], shared_futex_parts[], robust_parts[], clone_parts[], memory_parts[],
	sharing_parts[], sorting_parts[];

/* Any thread may check. When the condition does not hold: a diagnostic line, false, and the process is a failed one. */
bool check_(bool ok, const char *file, int line, const char *what);
#define CHECK(condition) check_(condition, __FILE__, __LINE__, #condition)

/* What nothing after it makes sense without. */
#define REQUIRE(condition)                \
	do {                              \
		if (!CHECK(condition))    \
			end_as_checked(); \
	} while (0)

/* Ends the process: status 1 when a check failed in it, else 0. */
_Noreturn void end_as_checked(void);

/* Gives the CPU away; for loops that wait for another thread. */
void rest(void);
#define UNTIL(condition) for (; !(condition); rest())

/* ---- Threads ---- */

/* Starts a thread, or ends the process. */
pthread_t begin(void *(*body)(void *), void *context);
/* Joins it: what it returned. */
void *finish(pthread_t thread);
/* The same for many, whose contexts are 0, 1, 2, …; finish_all() checks that each returns its context. */
void begin_all(pthread_t *threads, size_t count, void *(*body)(void *));
void finish_all(const pthread_t *threads, size_t count);
/* "Threads:" of /proc/self/status. */
long threads_now(void);

/* ---- Processes ---- */

/* Runs body in a child, which then ends as its checks were; its pid. */
pid_t child(void (*body)(void));
/* Waits for this child: its wait status. */
int status_of(pid_t pid);
/* True when it ended with status 0. */
bool passed(pid_t pid);
/* Replaces this program by itself, with one of these tasks; returns as execve(2) does. */
void execute_self(const char *task);
#define EXECUTE \
	"--executed" /* ends with status EXECUTED when it has one thread and the caller's pid */
#define LEAVE_READERS "--leave-readers" /* becomes leave_readers() of lifetime.c */
#define EXECUTED      42
void leave_readers(void);

/* ---- Memory and time ---- */

/* So many bytes of zeroes, shared with the children or not; ends the process when there are none. */
void *shared_memory(size_t bytes);
void *private_memory(size_t bytes);

/* The clock's time this many milliseconds from now; a negative number is the past. */
struct timespec from_now(clockid_t clock, long milliseconds);
bool is_over(clockid_t clock, const struct timespec *time);

/* Handles the signal with this handler, and these flags of sigaction(2). */
void handle(int signal, void *handler, int flags);
