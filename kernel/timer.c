/*
 * All timers that are set are in one list, the soonest first, guarded by the process table's lock: what they do is to
 * send signals. Each CPU's clock is armed for the first of them, by whoever sets it and at each switch, so it does not
 * matter which CPU fires it, or whether that which set it has gone idle.
 */
#include "kernel/timer.h"
#include "kernel/process.h"
#include "kernel/sched.h"

/* After timers have been fired, others wait this long: a period of nanoseconds must not leave time for nothing else. */
#define SHORTEST_PERIOD 50000u

u64 timers_due = ~0ul;
static struct list timers = {&timers, &timers};

static void insert(struct timer *timer)
{
	struct list *place = &timers;
	struct timer *other;

	list_for_each(other, &timers, link) {
		if (other->expires > timer->expires) {
			place = &other->link;
			break;
		}
	}
	list_push_back(place, &timer->link);
}

static u64 first_expiry(void)
{
	return list_empty(&timers) ? ~0ul : list_first(&timers, struct timer, link)->expires;
}

static void set_due(u64 when)
{
	__atomic_store_n(&timers_due, when, __ATOMIC_RELAXED);
}

void timer_set(struct timer *timer, u64 expires, u64 interval)
{
	if (timer->expires)
		list_remove(&timer->link);
	timer->expires = expires;
	timer->interval = interval;
	if (expires)
		insert(timer);
	set_due(first_expiry());
	if (expires && timers_due == expires)
		sched_rearm();
}

static void expire(struct timer *timer, u64 now)
{
	u64 missed = 0;

	list_remove(&timer->link);
	if (timer->interval) {
		missed = (now - timer->expires) / timer->interval;
		timer->expires += (missed + 1) * timer->interval;
		insert(timer);
	} else {
		timer->expires = 0;
	}
	timer->fire(timer, missed);
}

void timers_expire(u64 now)
{
	bool interrupts = process_table_lock();

	while (first_expiry() <= now)
		expire(list_first(&timers, struct timer, link), now);
	set_due(MAX(first_expiry(), now + SHORTEST_PERIOD));
	process_table_unlock(interrupts);
}
