/* Sleeping until a condition holds. */
#pragma once

#include "mm/machine.h"
#include "mm/types.h"

struct thread;

/* A sleeper, on the stack of the thread that sleeps; in its queue from wait_join() to wait_leave(). */
struct waiter {
	struct waiter *next, **link; /* link: what points at it; NULL: it is in no queue */
	struct thread *thread;
	_Atomic bool woken; /* since the latest wait_prepare() */
};

struct waitqueue {
	struct waiter *first; /* guarded by the scheduler's lock */
};

/*
 * Sleeps until condition is true. The sleeper is in the queue before it looks, and wake_all() of the queue
 * after a look makes it look again: so whoever makes the condition true and then calls wake_all() is
 * never missed, on any CPU. The condition may take spinlocks; the caller holds none.
 */
#define wait_until(queue, condition) ((void)wait_for(queue, condition, false, 0))

/* The same, but a signal that is not blocked ends the wait: 0 or -EINTR. */
#define wait_until_or_signal(queue, condition) wait_for(queue, condition, true, 0)

/* The same, ended also at the clock time deadline (clock_ns(), 0 = never): -EAGAIN. */
#define wait_until_or_signal_before(queue, condition, deadline) \
	wait_for(queue, condition, true, deadline)

#define wait_for(queue, condition, interruptible, deadline)                                   \
	({                                                                                    \
		int wait_result_ = 0;                                                         \
		might_sleep();                                                                \
		if (!(condition)) {                                                           \
			struct waiter waiter_;                                                \
			wait_join(queue, &waiter_);                                           \
			while (wait_prepare(&waiter_), !(condition) && !wait_result_)         \
				wait_result_ = wait_sleep(&waiter_, interruptible, deadline); \
			wait_leave(&waiter_);                                                 \
		}                                                                             \
		wait_result_;                                                                 \
	})

/* For the current thread. queue may be NULL: then only a signal or the deadline ends the sleep. */
void wait_join(struct waitqueue *queue, struct waiter *waiter);
void wait_leave(struct waiter *waiter);

/* What is looked at from here on decides: an earlier wake-up does not count. */
static inline void wait_prepare(struct waiter *waiter)
{
	atomic_exchange(&waiter->woken, false); /* a barrier: the look comes after it */
}

/* One sleep, unless there was a wake-up since wait_prepare(): until one (0), a signal if interruptible
 * (-EINTR), or the deadline (-EAGAIN). */
int wait_sleep(struct waiter *waiter, bool interruptible, u64 deadline);

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
