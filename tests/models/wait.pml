/*
 * Sleeping until a condition holds, and being woken by another CPU.
 *
 * Mirrors wait_until_or_signal() of kernel/wait.h; wait_prepare(), wait_sleep(), wake_all(), sched_interrupt() of
 * kernel/sched.c. Where `guarded`, also read_lock(), write_lock(), wake_waiters() of kernel/lock.c: the condition
 * is changed and looked at by locked operations, for which a spinlock around it stands here, and who changed it first
 * looks at the queue without the scheduler's lock.
 *
 * Bounds: two threads wait for one condition in one queue; a third makes it true and wakes the queue, at any time
 * or only after the one that gets a signal has ended; a fourth sends one of the two a signal, or none. Each has a
 * CPU of its own.
 *
 * x86's store buffers are there: a CPU's stores reach memory later, in their order; a locked operation, so the
 * taking of a spinlock, waits until all have. No CPU reads here what its own buffer still holds.
 *
 * Asserted: nobody sleeps for ever (spin finds a process that cannot go on); nobody is left in the queue.
 *
 * Left out: the run queue; deadlines, which end a sleep as a signal does; that the scheduler's lock is held until
 * the sleeper's registers are saved.
 */
#define WAKER     2
#define SENDER    3
#define SCHED     0       /* memory: the scheduler's lock ... */
#define GUARD     1       /* ... that of the condition ... */
#define CONDITION 2
#define QUEUED(w) (3 + w) /* the waiter is in the queue */
#define WOKEN(w)  (5 + w)
#define SIGNAL(w) (7 + w) /* one is pending */

bool memory[9];
bool sleeping[2];         /* guarded by the scheduler's lock, which keeps it in order */
bool guarded;
byte target;               /* of the signal; 2: there is none */
bool ended[2];
byte finished;
chan buffer[4] = [4] of { byte, bool };

inline store(cpu, where, value) { buffer[cpu]!where, value }
inline barrier(cpu) { empty(buffer[cpu]) }
inline spin_lock(cpu, lock) { atomic { empty(buffer[cpu]) && !memory[lock] -> memory[lock] = true } }
inline spin_unlock(cpu, lock) { store(cpu, lock, false) }

proctype store_buffer(byte cpu)
{
	byte where;
	bool value;

end:	do
	:: atomic { buffer[cpu]?where, value -> memory[where] = value }
	od
}

inline set_queued(w, value)
{
	spin_lock(w, SCHED);
	store(w, QUEUED(w), value);
	spin_unlock(w, SCHED)
}

inline look(w)
{
	if
	:: guarded -> spin_lock(w, GUARD); holds = memory[CONDITION]; spin_unlock(w, GUARD)
	:: else -> holds = memory[CONDITION]
	fi
}

proctype waits(byte w)
{
	bool holds;

#ifndef BUG_LOOKED_BEFORE_JOINED
	set_queued(w, true);
#endif
	do
	:: store(w, WOKEN(w), false); /* wait_prepare() */
#ifndef BUG_NO_BARRIER
		barrier(w);
#endif
		look(w);
		if :: holds -> break :: else fi;
#ifdef BUG_LOOKED_BEFORE_JOINED
		set_queued(w, true);
#endif
		spin_lock(w, SCHED); /* wait_sleep() */
		if
#ifndef BUG_WOKEN_NOT_LOOKED_AT
		:: memory[WOKEN(w)] -> spin_unlock(w, SCHED)
#endif
#ifndef BUG_SIGNAL_NOT_LOOKED_AT
		:: memory[SIGNAL(w)] -> spin_unlock(w, SCHED)
#endif
		:: else -> sleeping[w] = true; spin_unlock(w, SCHED); !sleeping[w]
		fi;
		if :: memory[SIGNAL(w)] -> break :: else fi
	od;
	set_queued(w, false);
	ended[w] = true;
	finished++
}

/* Makes a sleeper ready. */
inline make_ready(w)
{
	if :: sleeping[w] -> sleeping[w] = false :: else fi
}

inline wake(w)
{
	if :: memory[QUEUED(w)] -> store(WAKER, WOKEN(w), true); make_ready(w) :: else fi
}

inline wake_all()
{
	spin_lock(WAKER, SCHED);
	wake(0);
	wake(1);
	spin_unlock(WAKER, SCHED)
}

proctype wakes()
{
	if
	:: true
	:: target < 2 -> ended[target] /* that one is not woken but by the signal */
	fi;
#ifdef BUG_WOKEN_BEFORE_CHANGED
	wake_all();
#endif
	if
	:: guarded ->
		spin_lock(WAKER, GUARD);
		store(WAKER, CONDITION, true);
		spin_unlock(WAKER, GUARD)
	:: else -> store(WAKER, CONDITION, true)
	fi;
#ifndef BUG_WOKEN_BEFORE_CHANGED
	if
#ifndef BUG_QUEUE_PEEKED_UNGUARDED
	:: !guarded -> wake_all()
	:: guarded && (memory[QUEUED(0)] || memory[QUEUED(1)]) -> wake_all()
#else
	:: memory[QUEUED(0)] || memory[QUEUED(1)] -> wake_all()
#endif
	:: else
	fi;
#endif
	finished++
}

proctype sends()
{
	if
	:: target < 2 ->
		store(SENDER, SIGNAL(target), true);
		spin_lock(SENDER, SCHED); /* sched_interrupt() */
		make_ready(target);
		spin_unlock(SENDER, SCHED)
	:: else
	fi;
	finished++
}

init
{
	byte cpu;

	atomic {
		select(guarded : 0 .. 1);
		select(target : 0 .. 2);
		run waits(0); run waits(1); run wakes(); run sends();
		for (cpu : 0 .. 3) {
			run store_buffer(cpu)
		}
	}
	finished == 4;
	empty(buffer[0]) && empty(buffer[1]);
	assert(!memory[QUEUED(0)] && !memory[QUEUED(1)])
}
