/* Mutexes of each type, and what they say when they are used wrongly. */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4u
#define ROUNDS  20000ul

static pthread_mutex_t mutex;
static unsigned long plain; /* guarded by mutex */

static void make(pthread_mutex_t *made, int type, int robust, int shared)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	CHECK(pthread_mutexattr_settype(&attributes, type) == 0);
	CHECK(pthread_mutexattr_setrobust(&attributes, robust) == 0);
	CHECK(pthread_mutexattr_setpshared(&attributes, shared) == 0);
	CHECK(pthread_mutex_init(made, &attributes) == 0);
	pthread_mutexattr_destroy(&attributes);
}

static void *increment(void *context)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK(pthread_mutex_lock(&mutex) == 0);
		plain++;
		CHECK(pthread_mutex_unlock(&mutex) == 0);
	}
	return context;
}

static void exclude(void)
{
	pthread_t threads[THREADS];

	plain = 0;
	begin_all(threads, THREADS, increment);
	finish_all(threads, THREADS);
	CHECK(plain == THREADS * ROUNDS);
}

/* ---- From another thread ---- */

static void *try_lock(void *context)
{
	int error = pthread_mutex_trylock(&mutex);

	(void)context;
	if (error == 0)
		pthread_mutex_unlock(&mutex);
	return (void *)(size_t)error;
}

static void *unlock(void *context)
{
	(void)context;
	return (void *)(size_t)pthread_mutex_unlock(&mutex);
}

static void *lock_until(void *context)
{
	struct timespec past = from_now(CLOCK_REALTIME, -1000), soon = from_now(CLOCK_REALTIME, 20);

	(void)context;
	CHECK(pthread_mutex_timedlock(&mutex, &past) == ETIMEDOUT);
	CHECK(pthread_mutex_timedlock(&mutex, &soon) == ETIMEDOUT &&
	      is_over(CLOCK_REALTIME, &soon));
	return NULL;
}

static long in_another(void *(*body)(void *))
{
	return (long)finish(begin(body, NULL));
}

static void normal(void)
{
	make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
	exclude();
	CHECK(pthread_mutex_lock(&mutex) == 0);
	CHECK(pthread_mutex_trylock(&mutex) == EBUSY && in_another(try_lock) == EBUSY);
	CHECK(in_another(lock_until) == 0);
	CHECK(pthread_mutex_unlock(&mutex) == 0 && in_another(try_lock) == 0);
}

static void recursive(void)
{
	make(&mutex, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
	exclude();
	for (unsigned i = 0; i < 3; i++)
		CHECK(pthread_mutex_lock(&mutex) == 0);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(in_another(try_lock) == EBUSY && in_another(unlock) == EPERM);
		CHECK(pthread_mutex_unlock(&mutex) == 0);
	}
	CHECK(in_another(try_lock) == 0 && pthread_mutex_unlock(&mutex) == EPERM);
}

static void checking(void)
{
	make(&mutex, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
	exclude();
	CHECK(pthread_mutex_unlock(&mutex) == EPERM);
	CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_lock(&mutex) == EDEADLK);
	CHECK(in_another(unlock) == EPERM);
	CHECK(pthread_mutex_unlock(&mutex) == 0);
}

/* ---- Robust mutexes ---- */

static void *lock_and_die(void *context)
{
	CHECK(pthread_mutex_lock(&mutex) == 0);
	return context;
}

static void robust(void)
{
	make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE);
	exclude();
	for (unsigned i = 0; i < 100; i++) {
		in_another(lock_and_die);
		CHECK(pthread_mutex_lock(&mutex) == EOWNERDEAD);
		CHECK(in_another(try_lock) == EBUSY);
		CHECK(pthread_mutex_consistent(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
		CHECK(in_another(try_lock) == 0);
	}
	in_another(lock_and_die);
	CHECK(pthread_mutex_lock(&mutex) == EOWNERDEAD && pthread_mutex_unlock(&mutex) == 0);
	CHECK(pthread_mutex_lock(&mutex) == ENOTRECOVERABLE &&
	      in_another(try_lock) == ENOTRECOVERABLE);
}

static atomic_uint locked;

static void *hold_for_a_while(void *context)
{
	CHECK(pthread_mutex_lock(&mutex) == 0);
	locked = 1;
	usleep(5000);
	return context;
}

static void *take_over(void *context)
{
	int error = pthread_mutex_lock(&mutex);

	CHECK(error == 0 || error == EOWNERDEAD);
	if (error == EOWNERDEAD) {
		locked += 100;
		CHECK(pthread_mutex_consistent(&mutex) == 0);
	}
	locked++;
	CHECK(pthread_mutex_unlock(&mutex) == 0);
	return context;
}

/* The owner dies while others wait: one of them hears of it, and all get the mutex. */
static void robust_with_waiters(void)
{
	pthread_t owner, waiters[5];

	make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE);
	for (unsigned i = 0; i < 20; i++) {
		locked = 0;
		owner = begin(hold_for_a_while, NULL);
		UNTIL(locked == 1);
		begin_all(waiters, COUNT(waiters), take_over);
		finish(owner);
		finish_all(waiters, COUNT(waiters));
		CHECK(locked == 1 + 100 + COUNT(waiters));
	}
}

struct both {
	pthread_mutex_t mutex;
	atomic_uint held;
	unsigned long plain; /* guarded by mutex */
};

static struct both *both;

static void hold_for_good(void)
{
	CHECK(pthread_mutex_lock(&both->mutex) == 0);
	both->held = 1;
	pause();
}

/* The owner is another process, which is killed. */
static void robust_between_processes(void)
{
	both = shared_memory(sizeof(*both));
	make(&both->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_SHARED);
	for (unsigned i = 0; i < 20; i++) {
		pid_t pid = child(hold_for_good);

		UNTIL(both->held);
		CHECK(pthread_mutex_trylock(&both->mutex) == EBUSY);
		CHECK(kill(pid, SIGKILL) == 0);
		CHECK(pthread_mutex_lock(&both->mutex) == EOWNERDEAD);
		CHECK(pthread_mutex_consistent(&both->mutex) == 0);
		both->held = 0;
		CHECK(pthread_mutex_unlock(&both->mutex) == 0);
		CHECK(status_of(pid) == SIGKILL);
	}
}

static void increment_both(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK(pthread_mutex_lock(&both->mutex) == 0);
		both->plain++;
		CHECK(pthread_mutex_unlock(&both->mutex) == 0);
	}
}

static void between_processes(void)
{
	pid_t pids[3];

	both = shared_memory(sizeof(*both));
	make(&both->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_SHARED);
	for (size_t i = 0; i < COUNT(pids); i++)
		pids[i] = child(increment_both);
	for (size_t i = 0; i < COUNT(pids); i++)
		CHECK(passed(pids[i]));
	CHECK(both->plain == COUNT(pids) * ROUNDS);
}

const struct part mutex_parts[] = {
	{"mutexes", normal},
	{"recursive mutexes", recursive},
	{"mutexes that check", checking},
	{"robust mutexes", robust},
	{"robust mutexes that others wait for", robust_with_waiters},
	{"mutexes between processes", between_processes},
	{"robust mutexes of killed processes", robust_between_processes},
	{0},
};
