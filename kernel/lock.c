/*
 * Locks (mm/lock.h). A spinlock's holder neither sleeps nor takes the same lock again: the first
 * is checked through this_cpu()->spinlocks, the second here. A rwlock's guard is held for a few
 * instructions only, and goes unchecked.
 */
#include "kernel/cpu/machine.h"
#include "kernel/lock.h"
#include "kernel/process.h"

static bool try_spin(struct spinlock *lock)
{
	return !atomic_exchange_explicit(&lock->held, 1, memory_order_acquire);
}

/* Apart, so that who finds the lock free saves no registers. */
static __attribute__((noinline)) void spin(struct spinlock *lock)
{
	do {
		ASSERT(lock->holder != this_cpu()->number, "CPU %u takes a lock it holds",
		       lock->holder);
		tlb_poll(); /* interrupts may be off, and the holder wait for this CPU's flush */
		__builtin_ia32_pause();
	} while (!try_spin(lock));
}

void(spin_lock)(struct spinlock *lock)
{
	struct cpu *cpu = this_cpu();

	if (!try_spin(lock))
		spin(lock);
	lock->holder = cpu->number;
	cpu->spinlocks++;
}

void(spin_unlock)(struct spinlock *lock)
{
	struct cpu *cpu = this_cpu();

	ASSERT(lock->held && lock->holder == cpu->number, "held %u, by CPU %u", lock->held,
	       lock->holder);
	lock->holder = MAX_CPUS;
	cpu->spinlocks--;
	atomic_store_explicit(&lock->held, 0, memory_order_release);
}

static bool try_read(struct rwlock *lock)
{
	bool taken;

	(spin_lock)(&lock->guard);
	taken = lock->readers >= 0;
	if (taken)
		lock->readers++;
	(spin_unlock)(&lock->guard);
	return taken;
}

static bool try_write(struct rwlock *lock)
{
	bool taken;

	(spin_lock)(&lock->guard);
	taken = lock->readers == 0;
	if (taken)
		lock->readers = -1;
	(spin_unlock)(&lock->guard);
	return taken;
}

static struct waitqueue *queue_of(struct rwlock *lock)
{
	return container_of(&lock->waiters, struct waitqueue, first);
}

/* Threads that wait for a rwlock: each is in the midst of something. */
static _Atomic u32 waiting;

u32 rwlock_waiters(void)
{
	return atomic_load(&waiting);
}

void(read_lock)(struct rwlock *lock)
{
	if (try_read(lock))
		return;
	atomic_fetch_add(&waiting, 1);
	wait_until(queue_of(lock), try_read(lock));
	atomic_fetch_sub(&waiting, 1);
}

void(write_lock)(struct rwlock *lock)
{
	if (try_write(lock))
		return;
	atomic_fetch_add(&waiting, 1);
	wait_until(queue_of(lock), try_write(lock));
	atomic_fetch_sub(&waiting, 1);
}

/* Leaves with the given number of readers; whoever waits looks again once there are none. */
static void leave(struct rwlock *lock, i32 readers)
{
	lock->readers = readers;
	(spin_unlock)(&lock->guard);
	if (!readers && lock->waiters)
		wake_all(queue_of(lock));
}

void(read_unlock)(struct rwlock *lock)
{
	(spin_lock)(&lock->guard);
	ASSERT(lock->readers > 0, "readers %d", lock->readers);
	leave(lock, lock->readers - 1);
}

void(write_unlock)(struct rwlock *lock)
{
	(spin_lock)(&lock->guard);
	ASSERT(lock->readers == -1, "readers %d", lock->readers);
	leave(lock, 0);
}

#ifdef CHECKED

struct held_locks *held_spinlocks(void)
{
	struct cpu *cpu = this_cpu();

	return &cpu->spinlocks_held[cpu->in_interrupt];
}

struct held_locks *held_rwlocks(void)
{
	static struct held_locks boot; /* before there are threads */
	struct thread *thread = current();

	return thread ? &thread->rwlocks : &boot;
}

bool interrupts_possible(void)
{
	bool on = interrupts_save();

	interrupts_restore(on);
	return on;
}

void irq_enter(void)
{
	struct cpu *cpu = this_cpu();

	cpu->in_interrupt = true;
	order_take_spinlock(cpu, LOCK_ORDER(RANK_INTERRUPT, 0), LOCK_PLACE("interrupts"));
}

void irq_exit(void)
{
	struct cpu *cpu = this_cpu();

	order_leave(held_spinlocks(), cpu, LOCK_PLACE("interrupts"));
	ASSERT(!held_spinlocks()->count, "%u locks held", held_spinlocks()->count);
	cpu->in_interrupt = false;
}

#endif
