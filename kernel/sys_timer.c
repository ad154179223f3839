/*
 * System calls on timers: alarm, setitimer, and timer_create and its kin.
 *
 * A timer that expires again while its signal is still pending sends none, but counts: siginfo's overrun, which
 * timer_getoverrun(2) tells once the signal has been taken.
 */
#include "kernel/process.h"
#include "kernel/sigqueue.h"
#include "kernel/syscalls.h"
#include "kernel/timer.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define NS_PER_SECOND 1000000000ul
#define NS_PER_US     1000ul
#define TIMERS_MAX    256 /* of one process */
#define TIMER_ABSTIME 1

/* ---- alarm and setitimer ---- */

enum { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

struct timer_value {
	u64 left, interval; /* ns; left 0: the timer is not set */
};

static void fire_alarm(struct timer *timer, u64 missed)
{
	struct siginfo info = siginfo_of_kernel(SIGALRM);

	(void)missed;
	signal_send_locked(container_of(timer, struct process, real_timer), &info);
}

/* What a timer is set to; one that is about to expire has a nanosecond left. locked: process table */
static struct timer_value value_of(const struct timer *timer)
{
	u64 now = clock_ns();

	if (!timer->expires)
		return (struct timer_value) {0, timer->interval};
	return (struct timer_value) {timer->expires > now ? timer->expires - now : 1,
				     timer->interval};
}

/* Sets the current process's real timer, and returns what it was set to; NULL: leaves it. */
static struct timer_value exchange_real_timer(const struct timer_value *value)
{
	struct timer *timer = &current_process()->real_timer;
	bool interrupts = process_table_lock();
	struct timer_value old = value_of(timer);

	if (value) {
		timer->fire = fire_alarm;
		timer_set(timer, value->left ? clock_ns() + value->left : 0, value->interval);
	}
	process_table_unlock(interrupts);
	return old;
}

i64 sys_alarm(u32 seconds)
{
	const struct timer_value value = {seconds * NS_PER_SECOND, 0};
	u64 left = exchange_real_timer(&value).left, rounded = left + NS_PER_SECOND / 2;

	/* To the nearest second, but what is still to come is not 0. */
	return left ? (i64)MAX(rounded / NS_PER_SECOND, 1ul) : 0;
}

static int get_timeval(const i64 parts[2], u64 *ns)
{
	if (parts[0] < 0 || parts[1] < 0 || parts[1] >= 1000000)
		return -EINVAL;
	*ns = MIN((u64)parts[0], TIME_LONGEST) * NS_PER_SECOND + (u64)parts[1] * NS_PER_US;
	return 0;
}

/* A struct itimerval: the interval comes first. */
static int get_itimerval(uptr from, struct timer_value *value)
{
	i64 parts[4];
	int error = copy_from_user(parts, from, sizeof(parts));

	if (!error)
		error = get_timeval(parts, &value->interval);
	return error ? error : get_timeval(parts + 2, &value->left);
}

static int put_itimerval(uptr to, const struct timer_value *value)
{
	u64 left = value->left + NS_PER_US - 1; /* never 0 while it is set */
	u64 parts[4] = {value->interval / NS_PER_SECOND,
			value->interval % NS_PER_SECOND / NS_PER_US, left / NS_PER_SECOND,
			left % NS_PER_SECOND / NS_PER_US};

	return copy_to_user(to, parts, sizeof(parts));
}

i64 sys_getitimer(int which, uptr to)
{
	struct timer_value old;

	if (which != ITIMER_REAL)
		return -EINVAL;
	old = exchange_real_timer(NULL);
	return put_itimerval(to, &old);
}

i64 sys_setitimer(int which, uptr from, uptr to)
{
	struct timer_value value = {0, 0}, old;
	int error = from ? get_itimerval(from, &value) : 0;

	if (error)
		return error;
	if (which != ITIMER_REAL)
		return -EINVAL;
	old = exchange_real_timer(&value);
	return to ? put_itimerval(to, &old) : 0;
}

/* ---- timer_create ---- */

enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_BOOTTIME = 7 };
enum { SIGEV_SIGNAL = 0, SIGEV_NONE = 1, SIGEV_THREAD_ID = 4 };

struct sigevent { /* Linux's struct sigevent */
	u64 value;
	i32 signal, notify, tid, rest[11];
};
_Static_assert(sizeof(struct sigevent) == 64, "timer_create(2)");

struct posix_timer {
	struct posix_timer *
		next; /* of the same process; guarded by the process table's lock, as is the rest */
	struct process *process;
	struct timer timer;
	i32 id;
	i32 clock;
	i32 signal;  /* 0 = SIGEV_NONE */
	u32 tid;     /* SIGEV_THREAD_ID: whom the signal is for; 0 = any thread */
	i32 overrun; /* of the last signal taken */
	u64 value;
};

static void fire_posix(struct timer *timer, u64 missed)
{
	struct posix_timer *posix = container_of(timer, struct posix_timer, timer);
	struct thread *thread = posix->tid ? thread_find(posix->process, posix->tid) : NULL;
	struct siginfo *pending =
		sigqueue_of_timer(thread ? &thread->pending : &posix->process->pending, posix->id);
	struct siginfo info = {
		.signal = posix->signal,
		.code = SI_TIMER,
		.timer = posix->id,
		.overrun = (i32)MIN(missed, (u64)INT32_MAX),
		.value = posix->value,
	};

	if (pending)
		pending->overrun = (i32)MIN(pending->overrun + missed + 1, (u64)INT32_MAX);
	else if (posix->signal && thread)
		signal_send_thread(thread, &info);
	else if (posix->signal && !posix->tid)
		signal_send_locked(posix->process, &info);
}

/* locked: process table */
static struct posix_timer *find_timer(const struct process *process, i32 id)
{
	struct posix_timer *posix = process->timers;

	while (posix && posix->id != id)
		posix = posix->next;
	return posix;
}

void timer_signal_taken(struct process *process, const struct siginfo *info)
{
	struct posix_timer *posix = find_timer(process, info->timer);

	if (posix)
		posix->overrun = info->overrun;
}

static bool is_own_thread(u32 tid)
{
	bool interrupts = process_table_lock(), found = thread_find(current_process(), tid);

	process_table_unlock(interrupts);
	return found;
}

static int get_event(uptr from, struct sigevent *event)
{
	*event = (struct sigevent) {.signal = SIGALRM, .notify = SIGEV_SIGNAL};
	if (from && copy_from_user(event, from, sizeof(*event)))
		return -EFAULT;
	if (event->notify == SIGEV_NONE) {
		event->signal = 0;
		return 0;
	}
	if (event->notify == SIGEV_SIGNAL)
		event->tid = 0;
	else if (event->notify != SIGEV_THREAD_ID || !is_own_thread((u32)event->tid))
		return -EINVAL;
	return event->signal >= 1 && event->signal <= SIGNALS ? 0 : -EINVAL;
}

static bool has_timers(i32 clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;
}

/* Gives the timer the lowest number that is free. locked: process table */
static int enter(struct process *process, struct posix_timer *posix)
{
	while (find_timer(process, posix->id))
		posix->id++;
	if (posix->id >= TIMERS_MAX)
		return -EAGAIN;
	posix->next = process->timers;
	process->timers = posix;
	return 0;
}

/* Takes out a timer, which the caller frees; NULL: there is none. */
static struct posix_timer *take_out(struct process *process, i32 id)
{
	bool interrupts = process_table_lock();
	struct posix_timer **place = &process->timers, *posix;

	while (*place && (*place)->id != id)
		place = &(*place)->next;
	posix = *place;
	if (posix) {
		*place = posix->next;
		timer_set(&posix->timer, 0, 0);
	}
	process_table_unlock(interrupts);
	return posix;
}

static int add_timer(struct process *process, struct posix_timer *posix, bool own_value)
{
	bool interrupts = process_table_lock();
	int error = enter(process, posix);

	if (!error && !own_value)
		posix->value = (u64)posix->id;
	process_table_unlock(interrupts);
	return error;
}

i64 sys_timer_create(i32 clock, uptr from, uptr to)
{
	struct process *process = current_process();
	struct posix_timer *posix;
	struct sigevent event;
	int error = get_event(from, &event);

	if (error)
		return error;
	if (!has_timers(clock))
		return -EINVAL;
	posix = kmalloc(sizeof(*posix));
	if (!posix)
		return -EAGAIN;
	*posix = (struct posix_timer) {
		.process = process,
		.timer = {.fire = fire_posix},
		.clock = clock,
		.signal = event.signal,
		.tid = (u32)event.tid,
		.value = event.value,
	};
	error = add_timer(process, posix, from);
	if (error)
		kfree(posix);
	else if (copy_to_user(to, &posix->id, sizeof(posix->id))) {
		kfree(take_out(process, posix->id));
		error = -EFAULT;
	}
	return error;
}

static int put_itimerspec(uptr to, const struct timer_value *value)
{
	u64 parts[4] = {value->interval / NS_PER_SECOND, value->interval % NS_PER_SECOND,
			value->left / NS_PER_SECOND, value->left % NS_PER_SECOND};

	return copy_to_user(to, parts, sizeof(parts));
}

/* Of a struct itimerspec: the interval comes first. */
static i64 get_itimerspec(uptr from, struct timer_value *value)
{
	i64 error = get_span(from, &value->interval);

	return error ? error : get_span(from + 16, &value->left);
}

/* The clock_ns() at which a timer expires; 0 = never. */
static u64 expiry(const struct posix_timer *posix, int flags, u64 time)
{
	u64 epoch = posix->clock == CLOCK_REALTIME ? boot_epoch * NS_PER_SECOND : 0;

	if (!time)
		return 0;
	if (!(flags & TIMER_ABSTIME))
		return clock_ns() + time;
	return time > epoch ? time - epoch : 1;
}

i64 sys_timer_settime(i32 id, int flags, uptr from, uptr to)
{
	struct timer_value value, old = {0, 0};
	struct posix_timer *posix;
	i64 error = from ? get_itimerspec(from, &value) : -EINVAL;
	bool interrupts;

	if (error)
		return error;
	interrupts = process_table_lock();
	posix = find_timer(current_process(), id);
	if (posix) {
		old = value_of(&posix->timer);
		timer_set(&posix->timer, expiry(posix, flags, value.left),
			  value.left ? value.interval : 0);
	}
	process_table_unlock(interrupts);
	if (!posix)
		return -EINVAL;
	return to ? put_itimerspec(to, &old) : 0;
}

i64 sys_timer_gettime(i32 id, uptr to)
{
	bool interrupts = process_table_lock();
	struct posix_timer *posix = find_timer(current_process(), id);
	struct timer_value value = posix ? value_of(&posix->timer) : (struct timer_value) {0, 0};

	process_table_unlock(interrupts);
	return posix ? put_itimerspec(to, &value) : -EINVAL;
}

i64 sys_timer_getoverrun(i32 id)
{
	bool interrupts = process_table_lock();
	struct posix_timer *posix = find_timer(current_process(), id);
	i64 result = posix ? posix->overrun : -EINVAL;

	process_table_unlock(interrupts);
	return result;
}

i64 sys_timer_delete(i32 id)
{
	struct posix_timer *posix = take_out(current_process(), id);

	kfree(posix);
	return posix ? 0 : -EINVAL;
}

void timers_delete(void)
{
	struct process *process = current_process();

	while (process->timers)
		kfree(take_out(process, process->timers->id));
}
