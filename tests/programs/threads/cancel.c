/* pthread_cancel, where it takes effect, and the handlers that clean up. */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

static char order[16]; /* the handlers, as they ran */
static atomic_bool ready;

static void note(void *context)
{
	strcat(order, context);
}

static void *wait_in_read(void *context)
{
	const int *ends = context;
	char byte;

	pthread_cleanup_push(note, "a");
	pthread_cleanup_push(note, "b");
	pthread_cleanup_push(note, "c");
	pthread_cleanup_pop(1);
	ready = true;
	(void)!read(ends[0], &byte, 1);
	CHECK(!"a read that was cancelled returned");
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *sleep_long(void *context)
{
	ready = true;
	sleep(1000);
	return context;
}

static void *wait_for_semaphore(void *context)
{
	ready = true;
	sem_wait(context);
	return context;
}

/* Whether it is caught before the call that waits, or in it, is chance. */
static void cancel_when_ready(void *(*body)(void *), void *context)
{
	ready = false;
	pthread_t thread = begin(body, context);

	UNTIL(ready);
	CHECK(pthread_cancel(thread) == 0);
	CHECK(finish(thread) == PTHREAD_CANCELED);
}

static void in_calls_that_wait(void)
{
	sem_t semaphore;
	int ends[2];

	CHECK(pipe(ends) == 0 && sem_init(&semaphore, 0, 0) == 0);
	for (unsigned i = 0; i < 30; i++) {
		order[0] = 0;
		cancel_when_ready(wait_in_read, ends);
		CHECK(strcmp(order, "cba") == 0);
		cancel_when_ready(sleep_long, NULL);
		cancel_when_ready(wait_for_semaphore, &semaphore);
	}
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void unlock(void *context)
{
	CHECK(pthread_mutex_trylock(context) == EBUSY);
	CHECK(pthread_mutex_unlock(context) == 0);
}

static void *wait_for_condition(void *context)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	ready = true;
	for (;;)
		pthread_cond_wait(&condition, &mutex);
	pthread_cleanup_pop(0);
	return context;
}

/* The handler runs with the mutex locked again. */
static void in_condition_variables(void)
{
	for (unsigned i = 0; i < 50; i++) {
		cancel_when_ready(wait_for_condition, NULL);
		CHECK(pthread_mutex_trylock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
	}
}

static atomic_bool cancelled;

static void *refuse(void *context)
{
	int was;

	CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &was) == 0 &&
	      was == PTHREAD_CANCEL_ENABLE);
	ready = true;
	UNTIL(cancelled)
	usleep(100);
	pthread_testcancel();
	strcat(order, "still here");
	CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &was) == 0 &&
	      was == PTHREAD_CANCEL_DISABLE);
	pthread_testcancel();
	return context;
}

static void refused_for_a_while(void)
{
	pthread_t thread = begin(refuse, NULL);

	UNTIL(ready);
	CHECK(pthread_cancel(thread) == 0);
	cancelled = true;
	CHECK(finish(thread) == PTHREAD_CANCELED && strcmp(order, "still here") == 0);
}

static void *spin(void *context)
{
	CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
	ready = true;
	for (;;)
		atomic_signal_fence(memory_order_seq_cst);
	return context;
}

static void at_any_point(void)
{
	for (unsigned i = 0; i < 30; i++)
		cancel_when_ready(spin, NULL);
}

static void *leave_within(void *context)
{
	pthread_cleanup_push(note, "x");
	pthread_cleanup_push(note, "y");
	pthread_exit(context);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void handlers_at_exit(void)
{
	CHECK(finish(begin(leave_within, order)) == order && strcmp(order, "yx") == 0);
}

const struct part cancel_parts[] = {
	{"cancelled in calls that wait", in_calls_that_wait},
	{"cancelled in condition variables", in_condition_variables},
	{"cancelled when it lets itself be", refused_for_a_while},
	{"cancelled at any point", at_any_point},
	{"cleanup handlers at pthread_exit", handlers_at_exit},
	{0},
};
