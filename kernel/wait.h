/* Sleeping until a condition holds. */
#pragma once

#include "mm/machine.h"
#include "mm/types.h"

struct thread;

/* A sleeper on the stack of the thread that sleeps. */
struct waiter {
	struct waiter *next;
	struct thread *thread;
};

struct waitqueue {
	struct waiter *first; /* guarded by the scheduler's lock */
};

/*
 * Sleeps until condition is true. The condition is evaluated with interrupts off, again after each
 * wake_all() of the queue, so a wake-up between test and sleep is not lost. The caller holds no
 * spinlock.
 */
#define wait_until(queue, condition)                 \
	({                                           \
		bool wait_irqs_;                     \
		might_sleep();                       \
		wait_irqs_ = interrupts_save();      \
		while (!(condition))                 \
			wait_sleep(queue, false, 0); \
		interrupts_restore(wait_irqs_);      \
	})

/* The same, but a signal that is not blocked ends the wait: 0 or -EINTR. */
#define wait_until_or_signal(queue, condition) wait_until_or_signal_before(queue, condition, 0)

/* The same, ended also at the clock time deadline (clock_ns(), 0 = never): -EAGAIN. */
#define wait_until_or_signal_before(queue, condition, deadline)           \
	({                                                                \
		bool wait_irqs_;                                          \
		int wait_result_ = 0;                                     \
		might_sleep();                                            \
		wait_irqs_ = interrupts_save();                           \
		while (!(condition) && !wait_result_)                     \
			wait_result_ = wait_sleep(queue, true, deadline); \
		interrupts_restore(wait_irqs_);                           \
		wait_result_;                                             \
	})

/* One sleep: until a wake-up (0), a signal if interruptible (-EINTR), or the deadline (-EAGAIN).
 * Interrupts off. queue may be NULL: then only a signal or the deadline ends it. */
int wait_sleep(struct waitqueue *queue, bool interruptible, u64 deadline);

/*
 * Lets others run when the current thread's slice is over. The kernel is not preempted: a system call
 * that may take long calls this now and then. The caller holds no lock that others may want.
 */
void give_way(void);

/* Wakes every sleeper of the queue; callable from interrupt handlers. */
void wake_all(struct waitqueue *queue);

/*
 * poll(2) and friends wait for any of several queues: they sleep on this one, which wake_all() of
 * any queue that files use must wake too, by calling wake_pollers() beside it.
 */
extern struct waitqueue poll_queue;
static inline void wake_pollers(void)
{
	wake_all(&poll_queue);
}
