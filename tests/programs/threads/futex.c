/* futex(2) by itself, within a process. */
#define _GNU_SOURCE
#include "futex.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WAITERS 6u

long futex(atomic_uint *word, int operation, unsigned value, const void *timeout_or_count,
	   atomic_uint *other, unsigned value3)
{
	long result = syscall(SYS_futex, word, operation, value, timeout_or_count, other, value3);

	return result < 0 ? -errno : result;
}

static void requeue_until(atomic_uint *from, atomic_uint *to, unsigned count, int operation)
{
	unsigned moved = 0;

	for (;;) {
		long more = futex(from, operation, 0, COUNT_OF(INT_MAX), to, *from);

		CHECK(more >= 0);
		moved += (unsigned)more;
		if (moved >= count)
			break;
		rest();
	}
	CHECK(moved == count);
}

void gather(atomic_uint *from, atomic_uint *to, unsigned count)
{
	requeue_until(from, to, count, FUTEX_CMP_REQUEUE);
}

void gather_private(atomic_uint *from, atomic_uint *to, unsigned count)
{
	requeue_until(from, to, count, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE);
}

static atomic_uint first, second, third, woken;

static void *wait_first(void *context)
{
	CHECK(futex(&first, FUTEX_WAIT, 0, NULL, NULL, 0) == 0);
	woken++;
	return context;
}

/* The counts that each call gives are exact. */
static void wake_and_requeue(void)
{
	pthread_t threads[WAITERS];

	CHECK(WAKE(&first, INT_MAX) == 0);
	begin_all(threads, WAITERS, wait_first);
	gather(&first, &second, WAITERS);
	CHECK(WAKE(&first, INT_MAX) == 0 && woken == 0);
	CHECK(futex(&second, FUTEX_CMP_REQUEUE, 1, COUNT_OF(2), &third, 1) == -EAGAIN);
	CHECK(futex(&second, FUTEX_CMP_REQUEUE, 1, COUNT_OF(2), &third, 0) == 3);
	UNTIL(woken == 1);
	CHECK(WAKE(&third, INT_MAX) == 2);
	CHECK(futex(&second, FUTEX_REQUEUE, 1, COUNT_OF(1), &third, 0) == 2);
	CHECK(WAKE(&second, INT_MAX) == 1 && WAKE(&third, 1) == 1);
	CHECK(WAKE(&second, INT_MAX) == 0 && WAKE(&third, INT_MAX) == 0);
	finish_all(threads, WAITERS);
	CHECK(woken == WAITERS);
}

static void *wait_with_bit(void *context)
{
	unsigned bit = 1u << (size_t)context;

	CHECK(futex(&first, FUTEX_WAIT_BITSET, 0, NULL, NULL, bit) == 0);
	woken |= bit;
	return context;
}

static long wake_bits(atomic_uint *word, unsigned bits)
{
	return futex(word, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, bits);
}

static void bitsets(void)
{
	pthread_t threads[WAITERS];

	begin_all(threads, WAITERS, wait_with_bit);
	gather(&first, &second, WAITERS);
	CHECK(wake_bits(&second, 1u << WAITERS) == 0);
	CHECK(wake_bits(&second, 0x12) == 2);
	UNTIL(woken == 0x12);
	CHECK(wake_bits(&second, 0x13) == 1);
	CHECK(futex(&second, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0x0c) == 1);
	CHECK(wake_bits(&second, FUTEX_MATCH_ANY) == 2);
	finish_all(threads, WAITERS);
	CHECK(woken == 0x3f);
}

static void wrong_values(void)
{
	first = 5;
	CHECK(futex(&first, FUTEX_WAIT, 4, NULL, NULL, 0) == -EAGAIN);
	CHECK(futex(&first, FUTEX_WAIT | FUTEX_PRIVATE, 4, NULL, NULL, 0) == -EAGAIN);
	CHECK(futex(&first, FUTEX_WAIT_BITSET, 4, NULL, NULL, 1) == -EAGAIN);
}

static void timeouts(void)
{
	const struct timespec some = {.tv_nsec = 20000000}, none = {0};
	struct timespec end = from_now(CLOCK_MONOTONIC, 20);

	CHECK(futex(&first, FUTEX_WAIT, 0, &some, NULL, 0) == -ETIMEDOUT);
	CHECK(is_over(CLOCK_MONOTONIC, &end));
	CHECK(futex(&first, FUTEX_WAIT | FUTEX_PRIVATE, 0, &none, NULL, 0) == -ETIMEDOUT);
	end = from_now(CLOCK_MONOTONIC, 20);
	CHECK(futex(&first, FUTEX_WAIT_BITSET, 0, &end, NULL, 1) == -ETIMEDOUT);
	CHECK(is_over(CLOCK_MONOTONIC, &end));
	end = from_now(CLOCK_REALTIME, 20);
	CHECK(futex(&first, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &end, NULL, 1) ==
	      -ETIMEDOUT);
	CHECK(is_over(CLOCK_REALTIME, &end));
	end = from_now(CLOCK_MONOTONIC, -1);
	CHECK(futex(&first, FUTEX_WAIT_BITSET, 0, &end, NULL, 1) == -ETIMEDOUT);
}

static void *wait_in_time(void *context)
{
	const struct timespec long_time = {.tv_sec = 1000};

	CHECK(futex(&first, FUTEX_WAIT, 0, &long_time, NULL, 0) == 0);
	return context;
}

/* Whoever has timed out waits no more, and whoever is woken has not timed out. */
static void woken_in_time(void)
{
	const struct timespec none = {.tv_nsec = 1000};

	for (unsigned i = 0; i < 100; i++) {
		pthread_t thread = begin(wait_in_time, NULL);

		gather(&first, &second, 1);
		CHECK(futex(&second, FUTEX_WAIT, 0, &none, NULL, 0) == -ETIMEDOUT);
		CHECK(WAKE(&second, INT_MAX) == 1);
		finish(thread);
	}
}

static void errors(void)
{
	char *page = private_memory(PAGE);
	atomic_uint *gone = (atomic_uint *)page, *odd = (atomic_uint *)((char *)&first + 1);
	const struct timespec bad = {.tv_nsec = 1000000000}, negative = {.tv_sec = -1};

	CHECK(munmap(page, PAGE) == 0);
	CHECK(futex(gone, FUTEX_WAIT, 0, NULL, NULL, 0) == -EFAULT);
	CHECK(futex(gone, FUTEX_WAIT | FUTEX_PRIVATE, 0, NULL, NULL, 0) == -EFAULT);
	CHECK(futex(gone, FUTEX_WAKE, 1, NULL, NULL, 0) == -EFAULT);
	CHECK(futex((atomic_uint *)0xffff800000000000, FUTEX_WAIT | FUTEX_PRIVATE, 0, NULL, NULL,
		    0) == -EFAULT);
	CHECK(futex(&first, FUTEX_WAIT, 0, gone, NULL, 0) == -EFAULT);
	CHECK(futex(odd, FUTEX_WAIT, 0, NULL, NULL, 0) == -EINVAL);
	CHECK(futex(odd, FUTEX_WAKE, 1, NULL, NULL, 0) == -EINVAL);
	CHECK(futex(&first, FUTEX_REQUEUE, 1, COUNT_OF(1), odd, 0) == -EINVAL);
	CHECK(futex(&first, FUTEX_WAIT, 0, &bad, NULL, 0) == -EINVAL);
	CHECK(futex(&first, FUTEX_WAIT, 0, &negative, NULL, 0) == -EINVAL);
	CHECK(futex(&first, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0) == -EINVAL);
	CHECK(futex(&first, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0) == -EINVAL);
	CHECK(futex(&first, FUTEX_CMP_REQUEUE, 1, COUNT_OF(-1), &second, 0) == -EINVAL);
	CHECK(futex(&first, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0) == -ENOSYS);
	CHECK(futex(&first, 100, 0, NULL, NULL, 0) == -ENOSYS);
}

/* ---- Signals ---- */

static atomic_uint handled;
static atomic_bool ended;

static void count(int signal)
{
	(void)signal;
	handled++;
}

static void *wait_interrupted(void *context)
{
	const struct timespec long_time = {.tv_sec = 1000};

	CHECK(futex(&first, FUTEX_WAIT, 0, context ? &long_time : NULL, NULL, 0) == -EINTR);
	ended = true;
	return context;
}

static void interrupt(int flags, void *timed)
{
	pthread_t thread;

	ended = false;
	handle(SIGUSR1, count, flags);
	thread = begin(wait_interrupted, timed);
	UNTIL(ended)
	pthread_kill(thread, SIGUSR1);
	finish(thread);
	CHECK(WAKE(&first, INT_MAX) == 0);
}

/* SA_RESTART: only without a timeout does it wait on. */
static void interrupted(void)
{
	pthread_t thread;

	interrupt(0, NULL);
	interrupt(0, (void *)1);
	interrupt(SA_RESTART, (void *)1);
	handle(SIGUSR1, count, SA_RESTART);
	thread = begin(wait_first, NULL);
	for (unsigned i = 1; i <= 50; i++) {
		handled = 0;
		CHECK(pthread_kill(thread, SIGUSR1) == 0);
		UNTIL(handled);
		CHECK(woken == 0);
	}
	UNTIL(WAKE(&first, INT_MAX) == 1);
	finish(thread);
}

/* ---- No wake is lost ---- */

#define TURNS 20000u

static void *take_turns(void *context)
{
	unsigned mine = (unsigned)(size_t)context;

	for (unsigned i = mine; i < TURNS; i += 2) {
		unsigned now;

		while ((now = first) != i)
			futex(&first, FUTEX_WAIT | FUTEX_PRIVATE, now, NULL, NULL, 0);
		first = i + 1;
		futex(&first, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0);
	}
	return context;
}

static void turns(void)
{
	pthread_t threads[2];

	begin_all(threads, COUNT(threads), take_turns);
	finish_all(threads, COUNT(threads));
	CHECK(first == TURNS);
}

const struct part futex_parts[] = {
	{"futex: wake and requeue", wake_and_requeue},
	{"futex: bitsets", bitsets},
	{"futex: wrong values", wrong_values},
	{"futex: timeouts", timeouts},
	{"futex: woken in time", woken_in_time},
	{"futex: errors", errors},
	{"futex: interrupted", interrupted},
	{"futex: no wake is lost", turns},
	{0},
};
