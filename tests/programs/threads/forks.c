/* fork in a process with several threads. */
#define _GNU_SOURCE
#include "threads.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 3u

static atomic_bool stop;

static void *spin(void *context)
{
	while (!stop)
		;
	return context;
}

static __thread int local;
static pthread_t forker;

static void *nothing(void *context)
{
	return context;
}

static void look_around(void)
{
	pthread_t threads[THREADS];

	CHECK(gettid() == getpid() && threads_now() == 1);
	CHECK(pthread_equal(pthread_self(), forker) && local == 5);
	begin_all(threads, THREADS, nothing);
	finish_all(threads, THREADS);
	UNTIL(threads_now() == 1);
}

static void *fork_once(void *context)
{
	local = 5;
	forker = pthread_self();
	CHECK(passed(child(look_around)));
	return context;
}

/* The child has one thread, the caller's copy, which can begin others. */
static void one_thread_in_child(void)
{
	pthread_t threads[THREADS];

	begin_all(threads, THREADS, spin);
	for (unsigned i = 0; i < 20; i++)
		finish(begin(fork_once, NULL));
	stop = true;
	finish_all(threads, THREADS);
}

static void leave_by_pthread_exit(void)
{
	pthread_exit(NULL);
}

static void *fork_and_leave(void *context)
{
	CHECK(status_of(child(leave_by_pthread_exit)) == 0);
	return context;
}

static void last_thread_of_child(void)
{
	finish(begin(fork_and_leave, NULL));
}

/* ---- pthread_atfork ---- */

static char order[8];

#define HANDLER(letter)                            \
	static void handler_##letter(void)         \
	{                                          \
		order[strlen(order)] = #letter[0]; \
	}
HANDLER(a)
HANDLER(b)
HANDLER(p)
HANDLER(q)
HANDLER(x)
HANDLER(y)

static void in_child(void)
{
	CHECK(strcmp(order, "baxy") == 0);
}

static void *fork_with_handlers(void *context)
{
	CHECK(passed(child(in_child)));
	CHECK(strcmp(order, "bapq") == 0);
	return context;
}

static void handlers_of_fork(void)
{
	CHECK(pthread_atfork(handler_a, handler_p, handler_x) == 0);
	CHECK(pthread_atfork(handler_b, handler_q, handler_y) == 0);
	finish(begin(fork_with_handlers, NULL));
}

/* ---- Others work meanwhile ---- */

static void *allocate(void *context)
{
	size_t size = 1;

	while (!stop) {
		char *block;

		size = (size * 7 + 13) % 300000;
		block = malloc(size + 1);
		REQUIRE(block != NULL);
		memset(block, 'a' + (int)(size_t)context, size + 1);
		CHECK(block[size / 2] == 'a' + (int)(size_t)context);
		free(block);
	}
	return context;
}

/* The locks of malloc are free in the child, whoever held them. */
static void allocate_in_child(void)
{
	for (size_t size = 1; size < 300000; size = size * 3 + 1) {
		char *block = malloc(size);

		REQUIRE(block != NULL);
		memset(block, 1, size);
		free(block);
	}
}

static void while_others_allocate(void)
{
	pthread_t threads[THREADS];

	begin_all(threads, THREADS, allocate);
	for (unsigned i = 0; i < 100; i++)
		CHECK(passed(child(allocate_in_child)));
	stop = true;
	finish_all(threads, THREADS);
}

#define PAGES 40u

static volatile unsigned long *pages;

/* Number i, in order, to page i % PAGES; each thread has a word of its own there. */
static volatile unsigned long *word(size_t thread, unsigned long i)
{
	return &pages[i % PAGES * (PAGE / sizeof(long)) + thread];
}

static void *write_numbers(void *context)
{
	for (unsigned long i = 1; !stop; i++)
		*word((size_t)context, i) = i;
	return context;
}

/* The child sees what each thread wrote up to some moment, and nothing later. */
static void check_snapshot(void)
{
	for (size_t thread = 0; thread < THREADS; thread++) {
		unsigned long latest = 0;

		for (unsigned i = 0; i < PAGES; i++)
			if (*word(thread, i) > latest)
				latest = *word(thread, i);
		for (unsigned long i = latest; i > 0 && i + PAGES > latest; i--)
			CHECK(*word(thread, i) == i);
	}
}

static void write_over(void)
{
	check_snapshot();
	for (unsigned i = 0; i < PAGES; i++)
		*word(THREADS, i) = (unsigned)getpid();
	check_snapshot();
	for (unsigned i = 0; i < PAGES; i++)
		CHECK(*word(THREADS, i) == (unsigned)getpid());
}

static void while_others_write(void)
{
	pthread_t threads[THREADS];

	pages = private_memory(PAGES * PAGE);
	begin_all(threads, THREADS, write_numbers);
	for (unsigned i = 0; i < 200; i++)
		CHECK(passed(child(write_over)));
	stop = true;
	finish_all(threads, THREADS);
	for (unsigned i = 0; i < PAGES; i++)
		CHECK(*word(THREADS, i) == 0);
}

static void *fork_often(void *context)
{
	for (unsigned i = 0; i < 50; i++)
		CHECK(passed(child(write_over)));
	return context;
}

static void several_fork(void)
{
	pthread_t writers[THREADS], forkers[THREADS];

	pages = private_memory(PAGES * PAGE);
	begin_all(writers, THREADS, write_numbers);
	begin_all(forkers, THREADS, fork_often);
	finish_all(forkers, THREADS);
	stop = true;
	finish_all(writers, THREADS);
}

const struct part fork_parts[] = {
	{"fork copies the thread that calls", one_thread_in_child},
	{"pthread_exit in the child of a thread", last_thread_of_child},
	{"pthread_atfork", handlers_of_fork},
	{"fork while others allocate", while_others_allocate},
	{"fork while others write", while_others_write},
	{"fork by several while others write", several_fork},
	{0},
};
