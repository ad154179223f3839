/*
 * Several CPUs flush at once, some with interrupts off: who spins for a lock answers the requests of others
 * meanwhile.
 *
 * Mirrors tlb_flush_range() and the handler of its interrupt in kernel/cpu/machine.c; spin_lock() of kernel/lock.c.
 *
 * Bounds: three CPUs, of which 0 and 1 run the address space. Each does one thing, with interrupts on or off: it
 * flushes the address space, holding another spinlock or not; or it holds that spinlock for a while. Then it runs
 * on with interrupts on.
 *
 * Asserted: when a flush returns, each CPU of the address space has forgotten what was to be flushed; nobody waits
 * for ever (spin finds a process that cannot go on).
 *
 * Left out: the mask, and cpu->mm, which do not change here (free.pml). Store buffers change nothing: a request is
 * written before the pending bits and read after them, x86 keeps stores in order and loads in order, and the rest
 * is locked.
 */
#define CPUS     3
#define BIT(cpu) (1 << (cpu))
#define ON_MM    (BIT(0) | BIT(1)) /* the CPUs that run the address space that is flushed */

bool flush_lock, other_lock;
byte request;         /* whose range it is: request {mm, range} */
byte pending;         /* the CPUs that have not answered */
byte stale[CPUS];     /* for each CPU's range: who may remember a part of it */
byte finished;

/* In the handler, or polled. The pending bit was seen. */
inline answer_request()
{
	range = request;
#ifdef BUG_POLLED_WITH_INTERRUPTS_ON
	if
	:: interrupts && (pending & BIT(cpu)) -> /* the handler, in the midst of it */
		stale[request] = stale[request] & ~BIT(cpu);
		pending = pending & ~BIT(cpu)
	:: true
	fi;
#endif
#ifdef BUG_ANSWERED_BEFORE_FLUSH
	pending = pending & ~BIT(cpu);
#endif
	stale[range] = stale[range] & ~BIT(cpu);
#ifndef BUG_ANSWERED_BEFORE_FLUSH
	pending = pending & ~BIT(cpu)
#endif
}

inline spin_lock(lock)
{
	do
	:: atomic { !lock -> lock = true; break }
#ifdef BUG_NOT_POLLED
	:: interrupts && (pending & BIT(cpu)) -> answer_request()
#else
	:: pending & BIT(cpu) -> answer_request()
#endif
	od
}

inline flush()
{
	stale[cpu] = ON_MM; /* the entries have been changed */
#ifndef BUG_NO_FLUSH_LOCK
	spin_lock(flush_lock);
#endif
	request = cpu;
	stale[cpu] = stale[cpu] & ~BIT(cpu);
	pending = ON_MM & ~BIT(cpu);
	pending == 0;
	assert(stale[cpu] == 0);
	flush_lock = false
}

proctype kernel(byte cpu)
{
	bool interrupts;
	byte range;

	select(interrupts : 0 .. 1);
	if
	:: flush()
	:: spin_lock(other_lock); other_lock = false
	:: spin_lock(other_lock); flush(); other_lock = false
	fi;
	interrupts = true;
	finished++;
end:	do
	:: pending & BIT(cpu) -> answer_request()
	od
}

init
{
	atomic { run kernel(0); run kernel(1); run kernel(2) }
	finished == CPUS
}
