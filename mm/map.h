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

/*
 * Extends the stack above addr down to it. False when there is none, or it may not grow so far, or
 * memory is out; true also when somebody else has done it meanwhile. locked: mm->lock, writer.
 */
bool stack_grow(struct mm *mm, vaddr_t addr);
