/* The other CPUs: starting them, and interrupting them. */
#pragma once

#include "mm/machine.h"
#include "mm/types.h"

#define TRAMPOLINE 0x8000ul /* page below 1 MB where a CPU begins (boot/trampoline.asm) */

/* A set of CPUs has bit n for CPU n. */
#define CPU_BIT(number) (1ul << (number))
_Static_assert(MAX_CPUS <= 64, "a set of CPUs is one word");

/* Boot, after multiboot_read(), before paging_init(): learns which CPUs there are. */
void smp_find_cpus(void);

/* Boot, between paging_init() and memory_hand_over(): the tables that the others begin with. */
void smp_prepare(void);

/* Boot, when all else is ready for threads: starts the others, which run the scheduler from then on. One that
 * does not come within ten seconds is told in the log and left out. */
void smp_start(void);

/* CPUs that run, this one among them. */
u64 cpus_running(void);

/*
 * Runs work(context) on this CPU while all others stand still: in a program, idle, or asleep, with no kernel
 * code half done. For the audit. May sleep; the caller holds no lock. work may not sleep.
 */
void smp_quietly(void (*work)(void *context), void *context);

/* Where a CPU stands still for smp_quietly(), if it is asked to: between two things. Interrupts off. */
extern _Atomic u64 cpus_to_stand_still;
void smp_stand_still_now(void);
static inline void smp_stand_still(void)
{
	if (atomic_load(&cpus_to_stand_still))
		smp_stand_still_now();
}
