/* What each thread has of its own: thread-local storage, keys, errno, a stack, a name; and what happens once for all. */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 16u

static pthread_barrier_t meeting;

static __thread int zeroed[100];
static __thread int set = 77;
static __thread struct {
	char bytes[64];
} aligned __attribute__((aligned(64)));

static void *use_locals(void *context)
{
	int me = (int)(size_t)context;

	CHECK(set == 77 && (uintptr_t)&aligned % 64 == 0);
	for (unsigned i = 0; i < 100; i++)
		CHECK(zeroed[i] == 0);
	pthread_barrier_wait(&meeting);
	set = me;
	zeroed[me] = me;
	memset(&aligned, me, sizeof(aligned));
	pthread_barrier_wait(&meeting);
	CHECK(set == me && zeroed[me] == me && aligned.bytes[63] == me);
	CHECK(zeroed[(me + 1) % THREADS] == 0);
	return context;
}

static void thread_local_storage(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&meeting, NULL, THREADS);
	for (unsigned round = 0; round < 10; round++) {
		begin_all(threads, THREADS, use_locals);
		finish_all(threads, THREADS);
	}
	CHECK(set == 77 && zeroed[1] == 0);
}

static void *fail(void *context)
{
	bool bad = (size_t)context % 2;

	for (unsigned i = 0; i < 1000; i++) {
		if (bad)
			CHECK(close(-1) == -1 && errno == EBADF);
		else
			CHECK(chdir("/no/such/place") == -1 && errno == ENOENT);
	}
	return context;
}

static void errno_of_each(void)
{
	pthread_t threads[4];

	errno = 0;
	begin_all(threads, COUNT(threads), fail);
	CHECK(errno == 0);
	finish_all(threads, COUNT(threads));
}

static pthread_key_t keys[8];
static atomic_uint destroyed;

static void destroy(void *value)
{
	destroyed += (unsigned)(size_t)value;
}

static void *use_keys(void *context)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		CHECK(pthread_getspecific(keys[i]) == NULL &&
		      pthread_setspecific(keys[i], (void *)(i + 1)) == 0);
	pthread_barrier_wait(&meeting);
	for (size_t i = 0; i < COUNT(keys); i++)
		CHECK(pthread_getspecific(keys[i]) == (void *)(i + 1));
	return context;
}

static void keys_and_destructors(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&meeting, NULL, THREADS);
	for (size_t i = 0; i < COUNT(keys); i++)
		CHECK(pthread_key_create(&keys[i], destroy) == 0);
	begin_all(threads, THREADS, use_keys);
	finish_all(threads, THREADS);
	CHECK(destroyed == THREADS * COUNT(keys) * (COUNT(keys) + 1) / 2);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int initialised;

static void initialise(void)
{
	usleep(2000);
	initialised++;
}

static void *ask_once(void *context)
{
	pthread_barrier_wait(&meeting);
	CHECK(pthread_once(&once, initialise) == 0 && initialised == 1);
	return context;
}

static void happens_once(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&meeting, NULL, THREADS);
	begin_all(threads, THREADS, ask_once);
	finish_all(threads, THREADS);
}

/* ---- Stacks ---- */

static void *use_stack(void *context)
{
	size_t bytes = (size_t)context;
	volatile char room[bytes];

	for (size_t i = 0; i < bytes; i += PAGE)
		room[i] = (char)(i / PAGE);
	for (size_t i = 0; i < bytes; i += PAGE)
		CHECK(room[i] == (char)(i / PAGE));
	return context;
}

static void stack_sizes(void)
{
	static const size_t sizes[] = {64 << 10, 1 << 20, 8 << 20, 64 << 20};
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		size_t used = sizes[i] - (32 << 10), got = 0;

		CHECK(pthread_attr_setstacksize(&attributes, sizes[i]) == 0);
		CHECK(pthread_attr_getstacksize(&attributes, &got) == 0 && got == sizes[i]);
		CHECK(pthread_create(&thread, &attributes, use_stack, (void *)used) == 0);
		CHECK(finish(thread) == (void *)used);
	}
	CHECK(pthread_attr_setstacksize(&attributes, 0) == EINVAL);
	pthread_attr_destroy(&attributes);
}

static void *address_of_frame(void *context)
{
	(void)context;
	return __builtin_frame_address(0);
}

#define GIVEN (256ul << 10)

static void given_stacks(void)
{
	char *stacks = private_memory(8 * GIVEN), *at;
	pthread_attr_t attributes;
	pthread_t threads[8];

	pthread_attr_init(&attributes);
	for (size_t i = 0; i < 8; i++) {
		CHECK(pthread_attr_setstack(&attributes, stacks + i * GIVEN, GIVEN) == 0);
		CHECK(pthread_create(&threads[i], &attributes, address_of_frame, NULL) == 0);
	}
	for (size_t i = 0; i < 8; i++) {
		at = finish(threads[i]);
		CHECK(at >= stacks + i * GIVEN && at < stacks + (i + 1) * GIVEN);
	}
	pthread_attr_destroy(&attributes);
}

/* A frame at a time, so that the guard page is met. */
static void *overflow(void *context)
{
	volatile char frame[512];

	frame[0] = (char)(size_t)context;
	if (context)
		overflow((char *)context - 1);
	return (void *)(size_t)frame[0];
}

static void overflow_in_thread(void)
{
	finish(begin(overflow, (void *)(1ul << 30)));
}

static void guard_pages(void)
{
	int status = status_of(child(overflow_in_thread));

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* ---- Names ---- */

static void *be_named(void *context)
{
	char mine[16] = "thread-X", got[17] = "";

	mine[7] = (char)('a' + (size_t)context);
	CHECK(prctl(PR_SET_NAME, mine) == 0);
	pthread_barrier_wait(&meeting);
	CHECK(prctl(PR_GET_NAME, got) == 0 && strcmp(got, mine) == 0);
	return context;
}

static void names(void)
{
	pthread_t threads[THREADS];
	char got[17] = "";

	CHECK(prctl(PR_SET_NAME, "first") == 0);
	pthread_barrier_init(&meeting, NULL, THREADS);
	begin_all(threads, THREADS, be_named);
	finish_all(threads, THREADS);
	CHECK(prctl(PR_GET_NAME, got) == 0 && strcmp(got, "first") == 0);
}

const struct part local_parts[] = {
	{"thread-local storage", thread_local_storage},
	{"errno is each thread's own", errno_of_each},
	{"keys and their destructors", keys_and_destructors},
	{"pthread_once", happens_once},
	{"stacks of 64 kB to 64 MB", stack_sizes},
	{"stacks that the program gives", given_stacks},
	{"the guard of a stack", guard_pages},
	{"the names of threads", names},
	{0},
};
