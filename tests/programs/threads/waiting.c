/* Condition variables, barriers, locks for readers and writers, semaphores. */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <semaphore.h>
#include <unistd.h>

#define THREADS 4u
#define ITEMS   10000u
#define ROOM    5u

/* ---- Condition variables ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static unsigned queue[ROOM], length; /* guarded by mutex */
static atomic_ulong produced, consumed;

static void *produce(void *context)
{
	for (unsigned i = 1; i <= ITEMS; i++) {
		pthread_mutex_lock(&mutex);
		while (length == ROOM)
			CHECK(pthread_cond_wait(&not_full, &mutex) == 0);
		queue[length++] = i;
		produced += i;
		pthread_mutex_unlock(&mutex);
		pthread_cond_signal(&not_empty);
	}
	return context;
}

static void *consume(void *context)
{
	for (unsigned i = 1; i <= ITEMS; i++) {
		pthread_mutex_lock(&mutex);
		while (length == 0)
			CHECK(pthread_cond_wait(&not_empty, &mutex) == 0);
		consumed += queue[--length];
		pthread_mutex_unlock(&mutex);
		pthread_cond_signal(&not_full);
	}
	return context;
}

static void producers_and_consumers(void)
{
	pthread_t producers[THREADS], consumers[THREADS];

	begin_all(consumers, THREADS, consume);
	begin_all(producers, THREADS, produce);
	finish_all(producers, THREADS);
	finish_all(consumers, THREADS);
	CHECK(length == 0 && produced == consumed);
	CHECK(consumed == THREADS * (ITEMS * (ITEMS + 1ul) / 2));
}

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned generation, waiting; /* guarded by mutex */

static void *follow(void *context)
{
	pthread_mutex_lock(&mutex);
	for (unsigned seen = 0; seen < 100; seen = generation) {
		waiting++;
		while (generation == seen)
			CHECK(pthread_cond_wait(&changed, &mutex) == 0);
	}
	pthread_mutex_unlock(&mutex);
	return context;
}

/* Each broadcast reaches all that wait. */
static void broadcasts(void)
{
	pthread_t threads[8];

	begin_all(threads, COUNT(threads), follow);
	for (unsigned i = 0; i < 100; i++) {
		pthread_mutex_lock(&mutex);
		while (waiting < COUNT(threads)) {
			pthread_mutex_unlock(&mutex);
			sched_yield();
			pthread_mutex_lock(&mutex);
		}
		waiting = 0;
		generation++;
		CHECK(pthread_cond_broadcast(&changed) == 0);
		pthread_mutex_unlock(&mutex);
	}
	finish_all(threads, COUNT(threads));
}

/* Nobody signals: only the end of the time does. */
static void time_out(pthread_cond_t *condition, clockid_t clock, long milliseconds)
{
	struct timespec end = from_now(clock, milliseconds);
	int error;

	pthread_mutex_lock(&mutex);
	do
		error = pthread_cond_timedwait(condition, &mutex, &end);
	while (error == 0);
	CHECK(error == ETIMEDOUT && is_over(clock, &end));
	CHECK(pthread_mutex_trylock(&mutex) == EBUSY);
	pthread_mutex_unlock(&mutex);
}

static void timeouts(void)
{
	pthread_condattr_t attributes;
	pthread_cond_t monotonic;

	pthread_condattr_init(&attributes);
	CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&monotonic, &attributes) == 0);
	for (long milliseconds = -1000; milliseconds < 40; milliseconds += 1010) {
		time_out(&changed, CLOCK_REALTIME, milliseconds);
		time_out(&monotonic, CLOCK_MONOTONIC, milliseconds);
	}
	pthread_cond_destroy(&monotonic);
}

static bool flag; /* guarded by mutex */

static void *raise_flag(void *context)
{
	pthread_mutex_lock(&mutex);
	flag = true;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
	return context;
}

/* A time that does not end. */
static void signalled_in_time(void)
{
	struct timespec end = from_now(CLOCK_REALTIME, 1000000);

	for (unsigned i = 0; i < 500; i++) {
		pthread_t thread;

		pthread_mutex_lock(&mutex);
		flag = false;
		thread = begin(raise_flag, NULL);
		while (!flag)
			CHECK(pthread_cond_timedwait(&changed, &mutex, &end) == 0);
		pthread_mutex_unlock(&mutex);
		finish(thread);
	}
}

/* ---- Barriers ---- */

static pthread_barrier_t barrier;
static atomic_uint serials, arrivals;

static void *pass_barriers(void *context)
{
	for (unsigned round = 1; round <= 500; round++) {
		int result;

		arrivals++;
		result = pthread_barrier_wait(&barrier);
		CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
		CHECK(arrivals >= 8 * round);
		serials += result == PTHREAD_BARRIER_SERIAL_THREAD;
		pthread_barrier_wait(&barrier);
		CHECK(arrivals <= 8 * (round + 1) && serials >= round);
	}
	return context;
}

static void barriers(void)
{
	pthread_t threads[8];

	CHECK(pthread_barrier_init(&barrier, NULL, 8) == 0);
	begin_all(threads, COUNT(threads), pass_barriers);
	finish_all(threads, COUNT(threads));
	CHECK(serials == 500 && arrivals == 8 * 500);
	CHECK(pthread_barrier_destroy(&barrier) == 0);
}

/* ---- Readers and writers ---- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile unsigned long left, right; /* the same, whenever rwlock is held by readers */

static void *read_both(void *context)
{
	for (unsigned i = 0; i < 5000; i++) {
		CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
		CHECK(left == right);
		CHECK(pthread_rwlock_unlock(&rwlock) == 0);
	}
	return context;
}

static void *write_both(void *context)
{
	for (unsigned i = 0; i < 5000; i++) {
		CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
		left++;
		right++;
		CHECK(pthread_rwlock_unlock(&rwlock) == 0);
	}
	return context;
}

static void *read_together(void *context)
{
	CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
	pthread_barrier_wait(&barrier); /* passes when all have the lock at once */
	CHECK(pthread_rwlock_trywrlock(&rwlock) == EBUSY);
	pthread_barrier_wait(&barrier);
	CHECK(pthread_rwlock_unlock(&rwlock) == 0);
	return context;
}

static void *try_both(void *context)
{
	struct timespec past = from_now(CLOCK_REALTIME, -1000);

	CHECK(pthread_rwlock_tryrdlock(&rwlock) == EBUSY &&
	      pthread_rwlock_trywrlock(&rwlock) == EBUSY);
	CHECK(pthread_rwlock_timedrdlock(&rwlock, &past) == ETIMEDOUT);
	CHECK(pthread_rwlock_timedwrlock(&rwlock, &past) == ETIMEDOUT);
	return context;
}

static void readers_and_writers(void)
{
	pthread_t readers[THREADS], writers[2];

	begin_all(readers, THREADS, read_both);
	begin_all(writers, COUNT(writers), write_both);
	finish_all(readers, THREADS);
	finish_all(writers, COUNT(writers));
	CHECK(left == 5000 * COUNT(writers) && left == right);
	CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
	begin_all(readers, THREADS, read_together);
	finish_all(readers, THREADS);
	CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
	CHECK(finish(begin(try_both, NULL)) == NULL);
	CHECK(pthread_rwlock_unlock(&rwlock) == 0);
}

/* ---- Semaphores ---- */

static sem_t *ping, *pong;

static void *answer(void *context)
{
	for (unsigned i = 0; i < 2000; i++)
		CHECK(sem_wait(ping) == 0 && sem_post(pong) == 0);
	return context;
}

static void answer_in_child(void)
{
	answer(NULL);
}

static void ask(void)
{
	for (unsigned i = 0; i < 2000; i++)
		CHECK(sem_post(ping) == 0 && sem_wait(pong) == 0);
}

static void semaphores(void)
{
	struct timespec soon = from_now(CLOCK_REALTIME, 20);
	pthread_t thread;
	pid_t pid;
	int value;

	ping = shared_memory(2 * sizeof(*ping));
	pong = ping + 1;
	CHECK(sem_init(ping, 1, 0) == 0 && sem_init(pong, 1, 0) == 0);
	thread = begin(answer, NULL);
	ask();
	finish(thread);
	pid = child(answer_in_child);
	ask();
	CHECK(passed(pid));
	CHECK(sem_trywait(ping) == -1 && errno == EAGAIN);
	CHECK(sem_timedwait(ping, &soon) == -1 && errno == ETIMEDOUT &&
	      is_over(CLOCK_REALTIME, &soon));
	for (unsigned i = 0; i < 5; i++)
		CHECK(sem_post(ping) == 0);
	CHECK(sem_getvalue(ping, &value) == 0 && value == 5);
}

const struct part waiting_parts[] = {
	{"producers and consumers", producers_and_consumers},
	{"broadcasts", broadcasts},
	{"condition variables with timeouts", timeouts},
	{"condition variables signalled in time", signalled_in_time},
	{"barriers", barriers},
	{"readers and writers", readers_and_writers},
	{"semaphores of threads and of processes", semaphores},
	{0},
};
