/* Stands before the kernel's header of this name when kernel/fs/ is built as a plain program: the same calls, without
 * GS and without privileged instructions. */
#pragma once

#include "mm/machine.h"
#include "mm/types.h"

struct thread;

struct cpu {
	u32 number;
	u32 apic_id;
};

extern struct cpu cpus[MAX_CPUS];
extern u32 cpus_online;
extern struct thread *running_thread;

static inline struct thread *current(void)
{
	return running_thread;
}

static inline bool interrupts_save(void)
{
	return true;
}

static inline void interrupts_restore(bool on)
{
	(void)on;
}

static inline u64 rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}

static inline void cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
	asm volatile("cpuid"
		     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
		     : "a"(leaf), "c"(subleaf));
}
