/* What the kernel asks of address translation beyond mm/machine.h. */
#pragma once

#include "mm/types.h"

struct mm;

/*
 * Makes mm the address space of this CPU, or with NULL the kernel's own, which has no user half.
 * Does nothing when it is so already. Before an mm is destroyed, every CPU must have left it.
 * Interrupts off or no preemption.
 */
void context_load_mm(struct mm *mm);

/* Forgets the translations of kernel addresses [start, end), on every CPU. */
void tlb_flush_kernel(vaddr_t start, vaddr_t end);
