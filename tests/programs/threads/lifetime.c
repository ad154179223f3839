/* Threads that begin and end: by themselves, before others, after the first of them, and with the process. */
#define _GNU_SOURCE
#include "threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 200u
#define LONG 5000u

static pthread_barrier_t meeting;
static pid_t tids[MANY];

static int ascending(const void *a, const void *b)
{
	return *(const pid_t *)a < *(const pid_t *)b ? -1 : *(const pid_t *)a > *(const pid_t *)b;
}

static void *meet_twice(void *context)
{
	tids[(size_t)context] = gettid();
	pthread_barrier_wait(&meeting);
	pthread_barrier_wait(&meeting);
	return context;
}

static void many_at_once(void)
{
	pthread_t threads[MANY];

	CHECK(gettid() == getpid());
	pthread_barrier_init(&meeting, NULL, MANY + 1);
	begin_all(threads, MANY, meet_twice);
	pthread_barrier_wait(&meeting);
	CHECK(threads_now() == MANY + 1);
	qsort(tids, MANY, sizeof(pid_t), ascending);
	for (size_t i = 0; i < MANY; i++)
		CHECK(tids[i] != getpid() && (i == 0 || tids[i] != tids[i - 1]));
	pthread_barrier_wait(&meeting);
	finish_all(threads, MANY);
	UNTIL(threads_now() == 1);
}

static atomic_uint seen;

static void *see(void *context)
{
	seen++;
	return (char *)context + 1;
}

static void many_in_sequence(void)
{
	for (size_t i = 0; i < LONG; i++)
		CHECK(finish(begin(see, (void *)i)) == (void *)(i + 1));
	CHECK(seen == LONG);
}

/* A thread begins the next, and is joined by it. */
static void *chain(void *context)
{
	size_t left = (size_t)context;

	if (left)
		CHECK(finish(begin(chain, (void *)(left - 1))) == (void *)(left - 1));
	seen++;
	return context;
}

static void chained(void)
{
	CHECK(finish(begin(chain, (void *)50)) == (void *)50);
	CHECK(seen == 51);
}

static void *detach_self(void *context)
{
	if ((size_t)context % 2)
		CHECK(pthread_detach(pthread_self()) == 0);
	seen++;
	return NULL;
}

static void detached(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	for (size_t i = 0; i < MANY; i++) {
		pthread_attr_setdetachstate(&attributes, i % 2 ? PTHREAD_CREATE_JOINABLE
							       : PTHREAD_CREATE_DETACHED);
		CHECK(pthread_create(&thread, &attributes, detach_self, (void *)i) == 0);
	}
	pthread_attr_destroy(&attributes);
	UNTIL(seen == MANY && threads_now() == 1);
}

static atomic_bool stop;

static void *count_on(void *context)
{
	while (!stop)
		seen++;
	return context;
}

static void exit_beside_others(void)
{
	pthread_t workers[3];

	begin_all(workers, COUNT(workers), count_on);
	for (unsigned i = 0; i < 100; i++) {
		unsigned before = seen;

		CHECK(finish(begin(chain, NULL)) == NULL);
		UNTIL(seen > before + 1);
	}
	stop = true;
	finish_all(workers, COUNT(workers));
}

/* ---- The end of the process ---- */

static int to_child[2];

/* 'Z' for one that has ended, but is kept because others of its process have not; '?' when there is no such thread. */
static char state_of(pid_t tid)
{
	char path[60], text[200] = "", *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	file = fopen(path, "r");
	if (!file)
		return '?';
	end = fgets(text, sizeof(text), file) ? strrchr(text, ')') : NULL;
	fclose(file);
	return (char)(end && end[1] ? end[2] : '?');
}

static void *outlive(void *context)
{
	char byte;

	(void)context;
	UNTIL(state_of(getpid()) == 'Z');
	CHECK(gettid() != getpid());
	CHECK(read(to_child[0], &byte, 1) == 1);
	exit(byte);
}

static void main_ends(void)
{
	begin(outlive, NULL);
	pthread_exit(NULL);
}

/* The process lives on after its first thread, and ends with its last. */
static void first_ends_first(void)
{
	int status = -1;
	pid_t pid;

	CHECK(pipe(to_child) == 0);
	pid = child(main_ends);
	usleep(20000);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(write(to_child[1], "\7", 1) == 1);
	CHECK(status_of(pid) == 7 << 8);
}

static void *read_byte(void *context)
{
	char byte;

	CHECK(read(STDIN_FILENO, &byte, 1) == 1);
	return context;
}

void leave_readers(void)
{
	for (unsigned i = 0; i < 3; i++)
		begin(read_byte, NULL);
	pthread_exit(NULL);
}

static void become_readers(void)
{
	CHECK(dup2(to_child[0], STDIN_FILENO) == STDIN_FILENO);
	execute_self(LEAVE_READERS);
}

/* The last thread to end gives the status 0, whichever it is. (In a forked child musl 1.2.3 hangs
 * when the first thread ends before others that end: nobody gives its list of threads free.) */
static void last_ends_process(void)
{
	int status = -1;
	pid_t pid;

	CHECK(pipe(to_child) == 0);
	pid = child(become_readers);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(waitpid(pid, &status, WNOHANG) == 0);
		CHECK(write(to_child[1], "", 1) == 1);
	}
	CHECK(status_of(pid) == 0);
}

static int from_exit[2];

static void at_exit(void)
{
	CHECK(write(from_exit[1], "x", 1) == 1);
}

static void *leave(void *context)
{
	exit((int)(size_t)context);
}

static void thread_exits(void)
{
	pthread_t workers[3];

	CHECK(atexit(at_exit) == 0);
	begin_all(workers, COUNT(workers), count_on);
	finish(begin(leave, (void *)9));
}

static void exit_by_thread(void)
{
	char byte = 0;

	CHECK(pipe(from_exit) == 0);
	for (unsigned i = 0; i < 20; i++) {
		CHECK(status_of(child(thread_exits)) == 9 << 8);
		CHECK(read(from_exit[0], &byte, 1) == 1 && byte == 'x');
	}
}

static pthread_barrier_t together;

static void *leave_together(void *context)
{
	pthread_barrier_wait(&together);
	_exit((int)(size_t)context + 1);
}

static void all_exit(void)
{
	pthread_t threads[7];

	pthread_barrier_init(&together, NULL, COUNT(threads) + 1);
	begin_all(threads, COUNT(threads), leave_together);
	leave_together((void *)COUNT(threads));
}

/* All threads end the process in the same moment: it has the status of one of them. */
static void exit_by_all(void)
{
	for (unsigned i = 0; i < 50; i++) {
		int status = status_of(child(all_exit));

		CHECK(WIFEXITED(status) && WEXITSTATUS(status) >= 1 && WEXITSTATUS(status) <= 8);
	}
}

const struct part lifetime_parts[] = {
	{"200 threads at once", many_at_once},
	{"5,000 threads in sequence", many_in_sequence},
	{"each thread joined by the next", chained},
	{"detached threads", detached},
	{"threads that end while others run", exit_beside_others},
	{"the first thread ends first", first_ends_first},
	{"the last thread ends the process", last_ends_process},
	{"exit() from another thread", exit_by_thread},
	{"_exit() from all threads at once", exit_by_all},
	{0},
};
