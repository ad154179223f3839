/* What the kernel asks of address translation beyond mm/machine.h. */
#pragma once

#include "mm/types.h"

struct mm;

/* Does what another CPU has asked this one to forget, if it has. For who waits with interrupts off, and for the handler
 * of VECTOR_FLUSH. Interrupts off or on. */
void tlb_poll(void);

/* Event counts since boot, for /proc/vmstat. */
struct tlb_stat {
	_Atomic u64 remote;          /* flushes that other CPUs were asked for */
	_Atomic u64 remote_received; /* requests that CPUs have served */
	_Atomic u64 local_all, local_ranges;
};
extern struct tlb_stat tlb_stat;

/*
 * Makes mm the address space of this CPU, or with NULL the kernel's own, which has no user half.
 * Does nothing when it is so already. Before an mm is destroyed, every CPU must have left it.
 */
void context_load_mm(struct mm *mm);

/* Forgets the translations of kernel addresses [start, end), on every CPU. */
void tlb_flush_kernel(vaddr_t start, vaddr_t end);
