/* Futexes between processes: shared memory has them in common, private memory not, whatever frames lie below. */
#define _GNU_SOURCE
#include "futex.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_uint *word, *other;

static void wait_as_child(void)
{
	CHECK(futex(word, FUTEX_WAIT, 0, NULL, NULL, 0) == 0);
}

static void in_shared_memory(void)
{
	pid_t pids[4];

	word = shared_memory(2 * PAGE);
	other = word + PAGE / sizeof(*word);
	for (size_t i = 0; i < COUNT(pids); i++)
		pids[i] = child(wait_as_child);
	gather(word, other, COUNT(pids));
	CHECK(futex(other, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0) == 0);
	CHECK(WAKE(other, 1) == 1 && WAKE(other, INT_MAX) == COUNT(pids) - 1);
	for (size_t i = 0; i < COUNT(pids); i++)
		CHECK(passed(pids[i]));
}

static int file;

static void wait_elsewhere(void)
{
	char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	CHECK(at != MAP_FAILED && (void *)at != (void *)word);
	word = (atomic_uint *)(at + PAGE);
	wait_as_child();
}

/* The same word of a file, at another address, of another mapping. */
static void in_files(void)
{
	pid_t pid;

	file = memfd_create("futex", 0);
	CHECK(file >= 0 && ftruncate(file, 3 * PAGE) == 0);
	word = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, PAGE);
	REQUIRE(word != MAP_FAILED);
	other = word + PAGE / sizeof(*word);
	pid = child(wait_elsewhere);
	gather(word, other, 1);
	CHECK(WAKE(word, INT_MAX) == 0 && WAKE(other, INT_MAX) == 1);
	CHECK(passed(pid));
}

static int ends[2];

static void tell_and_wait(void)
{
	CHECK(write(ends[1], "", 1) == 1);
	wait_as_child();
}

/* Neither a copy of the page nor one that is still shared after fork has the parent's waiters. */
static void in_private_memory(void)
{
	char byte;
	pid_t pid;

	CHECK(pipe(ends) == 0);
	word = private_memory(PAGE);
	for (unsigned i = 0; i < 5; i++) {
		if (i % 2)
			*word = 0;
		pid = child(tell_and_wait);
		CHECK(read(ends[0], &byte, 1) == 1);
		usleep(10000);
		CHECK(WAKE(word, INT_MAX) == 0);
		CHECK(futex(word, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0) == 0);
		CHECK(kill(pid, SIGKILL) == 0 && status_of(pid) == SIGKILL);
	}
}

static int private;

static void *wait_here(void *context)
{
	CHECK(futex(other, FUTEX_WAIT | private, 0, NULL, NULL, 0) == 0);
	return context;
}

static void end_at_once(void)
{
	CHECK(WAKE(word, INT_MAX) == 0);
	*word = 2;
	CHECK(WAKE(word, INT_MAX) == 0);
}

/* Whoever waited before the fork is woken after it, on whichever page the word is then. */
static void waiting_over_fork(void)
{
	sigset_t set;

	/* A SIGCHLD that comes while the forking thread blocks it would make the waiter begin
	 * again, at the word that it first waited on. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	for (unsigned i = 0; i < 20; i++) {
		pthread_t thread;
		pid_t pid;

		word = private_memory(2 * PAGE);
		other = word + PAGE / sizeof(*word);
		private = i % 2 ? FUTEX_PRIVATE : 0;
		thread = begin(wait_here, NULL);
		(private ? gather_private : gather)(other, word, 1);
		pid = child(end_at_once);
		if (i % 4 < 2)
			*word = 1; /* a copy for the parent */
		CHECK(passed(pid));
		*word = 1;
		CHECK(futex(word, FUTEX_WAKE | private, INT_MAX, NULL, NULL, 0) == 1);
		finish(thread);
	}
}

/* A word that a child of a child waits on while its parent is gone. */
static void end_after_fork(void)
{
	child(tell_and_wait);
}

static void from_grandchild(void)
{
	char byte;

	CHECK(pipe(ends) == 0);
	word = shared_memory(PAGE);
	CHECK(passed(child(end_after_fork)));
	CHECK(read(ends[0], &byte, 1) == 1);
	UNTIL(WAKE(word, INT_MAX) == 1);
}

static void wait_to_be_killed(void)
{
	wait_as_child();
}

/* One that is killed as it waits is no waiter any more. */
static void killed_waiters(void)
{
	word = shared_memory(2 * PAGE);
	other = word + PAGE / sizeof(*word);
	for (unsigned i = 0; i < 20; i++) {
		pid_t pid = child(wait_to_be_killed);

		gather(word, other, 1);
		CHECK(kill(pid, SIGKILL) == 0 && status_of(pid) == SIGKILL);
		CHECK(WAKE(other, INT_MAX) == 0);
	}
}

const struct part shared_futex_parts[] = {
	{"futex: shared memory of processes", in_shared_memory},
	{"futex: one file at two addresses", in_files},
	{"futex: private memory after fork", in_private_memory},
	{"futex: waiting over a fork", waiting_over_fork},
	{"futex: a grandchild", from_grandchild},
	{"futex: waiters killed", killed_waiters},
	{0},
};
