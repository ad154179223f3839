/* What happens at a time: timers that any CPU's clock interrupt fires. */
#pragma once

#include "mm/list.h"
#include "mm/types.h"

struct process;
struct siginfo;

struct timer {
	struct list link;
	u64 expires;  /* clock time (clock_ns()); 0 = not set, and then it is in no list */
	u64 interval; /* after which it expires again; 0 = once */
	/* Called in an interrupt handler, under the process table's lock. missed: expiries since that had no call. */
	void (*fire)(struct timer *timer, u64 missed);
};

/* When the first timer must be looked at; ~0 = never. For the scheduler, which arms the hardware. */
extern u64 timers_due;

/* Sets a timer, anew if it was; expires 0: it never fires from here on. locked: process table */
void timer_set(struct timer *timer, u64 expires, u64 interval);

/* The clock's interrupt, at or after timers_due: fires those that have expired. */
void timers_expire(u64 now);

/* timer_create(2): a signal of a timer of the process has been taken. locked: process table */
void timer_signal_taken(struct process *process, const struct siginfo *info);

/* exec and exit of the current process: its timers of timer_create(2) are gone. */
void timers_delete(void);
