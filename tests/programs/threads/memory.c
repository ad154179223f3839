/* Memory that one thread changes under the others. */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define THREADS 3u

/* ---- Rights taken away ---- */

static atomic_ulong *target;
static atomic_bool stop;
static atomic_uint faults, strangers;

/* Tries again until it is let. */
static void wait_for_right(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if ((uintptr_t)info->si_addr / PAGE != (uintptr_t)target / PAGE)
		strangers++;
	faults++;
	rest();
}

static void *write_on(void *context)
{
	while (!stop)
		target[1 + (size_t)context]++;
	return context;
}

static unsigned long written(void)
{
	unsigned long sum = 0;

	for (unsigned i = 0; i < THREADS; i++)
		sum += target[1 + i];
	return sum;
}

static void wait_for_writes(void)
{
	unsigned long before = written();

	UNTIL(written() > before);
}

static void wait_for_fault(void)
{
	unsigned before = faults;

	UNTIL(faults > before);
}

/* When mprotect has returned, no thread writes, wherever it runs. */
static void protected_under_writers(void)
{
	pthread_t threads[THREADS];

	target = private_memory(PAGE);
	handle(SIGSEGV, wait_for_right, SA_SIGINFO);
	begin_all(threads, THREADS, write_on);
	for (unsigned i = 0; i < 60; i++) {
		unsigned long before;

		wait_for_writes();
		CHECK(mprotect(target, PAGE, PROT_READ) == 0);
		before = written();
		wait_for_fault();
		CHECK(written() == before);
		CHECK(mprotect(target, PAGE, PROT_READ | PROT_WRITE) == 0);
	}
	stop = true;
	finish_all(threads, THREADS);
	CHECK(strangers == 0);
}

/* What they write goes neither to the page that was there, nor to another that gets its frame. */
static void unmapped_under_writers(void)
{
	pthread_t threads[THREADS];

	/* Between two others: its place is too small for what is mapped while it is free. */
	target = (atomic_ulong *)((char *)private_memory(3 * PAGE) + PAGE);
	handle(SIGSEGV, wait_for_right, SA_SIGINFO);
	begin_all(threads, THREADS, write_on);
	for (unsigned i = 0; i < 60; i++) {
		char *fresh;

		wait_for_writes();
		CHECK(munmap(target, PAGE) == 0);
		fresh = private_memory(16 * PAGE);
		for (unsigned page = 0; page < 16; page++)
			fresh[page * PAGE] = 1;
		wait_for_fault();
		for (unsigned long at = 0; at < 16 * PAGE; at++)
			if (fresh[at] != (at % PAGE == 0))
				CHECK(!"a page of ours was written");
		CHECK(munmap(fresh, 16 * PAGE) == 0);
		CHECK(mmap(target, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == target);
	}
	stop = true;
	finish_all(threads, THREADS);
	CHECK(strangers == 0);
}

/* A page moves with all that was written to it. */
static void moved_under_writers(void)
{
	char *places = private_memory(3 * PAGE), *home = places, *away = places + 2 * PAGE;
	pthread_t threads[THREADS];

	target = (atomic_ulong *)home;
	handle(SIGSEGV, wait_for_right, SA_SIGINFO);
	begin_all(threads, THREADS, write_on);
	for (unsigned i = 0; i < 60; i++) {
		wait_for_writes();
		CHECK(mremap(home, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, away) == away);
		((atomic_ulong *)away)[0]++;
		wait_for_fault();
		CHECK(mremap(away, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, home) == home);
	}
	stop = true;
	finish_all(threads, THREADS);
	CHECK(target[0] == 60 && strangers == 0);
}

/* ---- All map and unmap ---- */

static void *map_often(void *context)
{
	size_t me = (size_t)context;

	for (size_t i = 0; i < 100; i++) {
		size_t pages = 1 + (i * 7 + me) % 40;
		unsigned long *at = private_memory(pages * PAGE);

		for (size_t page = 0; page < pages; page++) {
			CHECK(at[page * PAGE / sizeof(*at)] == 0);
			at[page * PAGE / sizeof(*at)] = me + i;
		}
		CHECK(mprotect(at, PAGE, PROT_READ) == 0);
		for (size_t page = 0; page < pages; page++)
			CHECK(at[page * PAGE / sizeof(*at)] == me + i);
		CHECK(madvise(at, pages * PAGE, MADV_DONTNEED) == 0 && at[0] == 0);
		CHECK(munmap(at, pages * PAGE) == 0);
	}
	return context;
}

static void all_map(void)
{
	pthread_t threads[THREADS + 1];

	begin_all(threads, COUNT(threads), map_often);
	finish_all(threads, COUNT(threads));
}

static void *allocate_often(void *context)
{
	unsigned char *blocks[50] = {NULL}, me = (unsigned char)(size_t)context;
	size_t sizes[50] = {0}, state = me + 1u;

	for (unsigned i = 0; i < 5000; i++) {
		size_t n = (state = state * 6364136223846793005u + 1442695040888963407u) >> 33;
		size_t slot = n % 50;

		if (blocks[slot])
			CHECK(blocks[slot][0] == me && blocks[slot][sizes[slot] - 1] == me);
		free(blocks[slot]);
		sizes[slot] = 1 + n / 50 % (n % 16 ? 2000 : 200000);
		blocks[slot] = malloc(sizes[slot]);
		REQUIRE(blocks[slot]);
		memset(blocks[slot], me, sizes[slot]);
	}
	for (unsigned i = 0; i < 50; i++)
		free(blocks[i]);
	return context;
}

static void all_allocate(void)
{
	pthread_t threads[THREADS + 1];

	begin_all(threads, COUNT(threads), allocate_often);
	finish_all(threads, COUNT(threads));
}

/* ---- The same page for the first time ---- */

#define FRESH 64u

static pthread_barrier_t meeting;
static atomic_uint *fresh;

static void *touch_together(void *context)
{
	for (unsigned page = 0; page < FRESH; page++) {
		pthread_barrier_wait(&meeting);
		fresh[page * PAGE / sizeof(*fresh)]++;
	}
	return context;
}

/* All fault at once; they get one page. */
static void touched_at_once(void)
{
	pthread_t threads[THREADS + 1];

	pthread_barrier_init(&meeting, NULL, COUNT(threads));
	for (unsigned round = 0; round < 5; round++) {
		fresh = private_memory(FRESH * PAGE);
		begin_all(threads, COUNT(threads), touch_together);
		finish_all(threads, COUNT(threads));
		for (unsigned page = 0; page < FRESH; page++)
			CHECK(fresh[page * PAGE / sizeof(*fresh)] == COUNT(threads));
		CHECK(munmap(fresh, FRESH * PAGE) == 0);
	}
}

/* ---- Buffers of system calls ---- */

static char *buffer;

static void *unmap_buffer(void *context)
{
	while (!stop) {
		CHECK(mmap(buffer, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == buffer);
		CHECK(munmap(buffer, PAGE) == 0);
	}
	return context;
}

/* The kernel meets a page that is there or not: the call succeeds, or says EFAULT. */
static void unmapped_under_the_kernel(void)
{
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	pthread_t thread;

	buffer = private_memory(3 * PAGE);
	buffer += PAGE;
	thread = begin(unmap_buffer, NULL);
	for (unsigned i = 0; i < 3000; i++) {
		ssize_t got = read(zero, buffer, PAGE);

		CHECK(got == (ssize_t)PAGE || (got >= 0 && got < (ssize_t)PAGE) ||
		      (got == -1 && errno == EFAULT));
		got = write(null, buffer, PAGE);
		CHECK(got == (ssize_t)PAGE || (got == -1 && errno == EFAULT));
	}
	stop = true;
	finish(thread);
}

const struct part memory_parts[] = {
	{"a page protected under its writers", protected_under_writers},
	{"a page unmapped under its writers", unmapped_under_writers},
	{"a page moved under its writers", moved_under_writers},
	{"all map and unmap", all_map},
	{"all allocate", all_allocate},
	{"pages touched by all at once", touched_at_once},
	{"a buffer unmapped under the kernel", unmapped_under_the_kernel},
	{0},
};
