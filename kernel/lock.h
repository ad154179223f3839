/*
 * Spinlocks that interrupt handlers take too. Whoever takes one has interrupts off until it is let go:
 * a handler on the same CPU would wait for it for ever. They have the ranks below RANK_INTERRUPT
 * (mm/lock.h).
 */
#pragma once

#include "kernel/cpu/cpu.h"
#include "mm/machine.h"

/* Turns interrupts off and takes the lock. Returns whether they were on, for spin_unlock_irqrestore(). */
#define spin_lock_irqsave(lock)                    \
	({                                         \
		bool irqs_on_ = interrupts_save(); \
		spin_lock(lock);                   \
		irqs_on_;                          \
	})

/* Lets the lock go, and turns interrupts on again if irqs says that they were. */
#define spin_unlock_irqrestore(lock, irqs) \
	do {                               \
		spin_unlock(lock);         \
		interrupts_restore(irqs);  \
	} while (0)

/* Threads that wait for a rwlock now, and so have done a part of what they are at. */
u32 rwlock_waiters(void);

/* Where a handler of interrupts begins and ends, for the checks of mm/lock_order.h. Interrupts off. */
#ifdef CHECKED
void irq_enter(void);
void irq_exit(void);
#else
static inline void irq_enter(void)
{
}

static inline void irq_exit(void)
{
}
#endif
