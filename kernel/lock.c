/*
 * Locks (mm/lock.h). A spinlock's holder neither sleeps nor takes the same lock again: the first
 * is checked through this_cpu()->spinlocks, the second here.
 */
#include "kernel/cpu/machine.h"
#include "kernel/lock.h"
#include "kernel/process.h"
#include "kernel/watchdog.h"

static bool try_spin(struct spinlock *lock)
{
	return !atomic_exchange_explicit(&lock->held, 1, memory_order_acquire);
}

/* Interrupts may be off, and the holder wait for this CPU's flush, or be stuck. */
static void look_around(void)
{
	bool interrupts = interrupts_save();

	tlb_poll();
	watchdog_look(clock_ns());
	interrupts_restore(interrupts);
}

/* Apart, so that who finds the lock free saves no registers. */
static __attribute__((noinline)) void spin(struct spinlock *lock)
{
	do {
		ASSERT(lock->holder != this_cpu()->number, "CPU %u takes a lock it holds",
		       lock->holder);
		look_around();
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
	i32 readers = atomic_load_explicit(&lock->readers, memory_order_relaxed);

	while (readers >= 0)
		if (atomic_compare_exchange_weak(&lock->readers, &readers, readers + 1))
			return true;
	return false;
}

static bool try_write(struct rwlock *lock)
{
	i32 none = 0;

	return atomic_compare_exchange_strong(&lock->readers, &none, -1);
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

/*
 * The lock is free: whoever waits looks again. Letting it go was a locked operation, so a waiter that is not seen
 * here yet joins the queue, then looks, and finds it free.
 */
static void wake_waiters(struct rwlock *lock)
{
	if (lock->waiters)
		wake_all(queue_of(lock));
}

void(read_unlock)(struct rwlock *lock)
{
	i32 readers = atomic_fetch_sub(&lock->readers, 1);

	ASSERT(readers > 0, "readers %d", readers);
	if (readers == 1)
		wake_waiters(lock);
}

void(write_unlock)(struct rwlock *lock)
{
	i32 readers = atomic_exchange(&lock->readers, 0);

	ASSERT(readers == -1, "readers %d", readers);
	wake_waiters(lock);
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
