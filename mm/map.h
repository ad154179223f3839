/* Changing regions, for the other files of mm/. */
#pragma once

#include "mm/mm.h"

#define STACK_LIMIT (8ul << 20)       /* bytes the initial stack may grow to (RLIMIT_STACK) */
#define STACK_GUARD (256 * PAGE_SIZE) /* kept free below a stack (Linux's stack_guard_gap) */

/*
 * Mappings without a place of their own go below this: one root entry (512 GB) below the stack.
 * Both sides of a fork write their stacks at once; so the path to the stack has tables of one
 * entry, cheap to copy, however much is mapped.
 */
#define MMAP_TOP 0x00007f8000000000ul

struct span;

/* Where a mapping of length bytes goes: at addr with MAP_FIXED, else there if it is free, else the highest gap.
 * 0 and the place in *span, -EINVAL, -EPERM, -ENOMEM, -EEXIST. locked: mm->lock, writer. */
int choose_place(struct mm *mm, vaddr_t addr, u64 length, u32 flags, struct span *span);

/* Unmaps span; -ENOMEM: nothing has changed. locked: mm->lock, writer. */
int unmap_locked(struct mm *mm, const struct span *span);

/* Makes span what region says, but for its place, and takes a ref of its object; what was there is unmapped.
 * -ENOMEM: nothing has changed. locked: mm->lock, writer. */
int map_locked(struct mm *mm, const struct span *span, struct region region);

/*
 * Extends the stack above addr down to it. False when there is none, or it may not grow so far, or
 * memory is out; true also when somebody else has done it meanwhile. locked: mm->lock, writer.
 */
bool stack_grow(struct mm *mm, vaddr_t addr);
