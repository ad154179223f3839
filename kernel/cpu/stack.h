/* Kernel stacks: 16 KB each in the vmap area, with an unmapped guard page below. */
#pragma once

#include "kernel/cpu/paging.h"
#include "mm/types.h"

#define STACK_SIZE  (4 * PAGE_SIZE)
#define STACKS_MAX  65536ul
#define STACKS_BASE VMAP_BASE
#define STACKS_END  (STACKS_BASE + STACKS_MAX * 2 * STACK_SIZE) /* half of it is guard */

/* A stack's lowest address; its top is that + STACK_SIZE. NULL when memory or room is out. Does not
 * sleep. */
void *stack_alloc(void);

/* Takes it back. No CPU may be running on it. Does not sleep. */
void stack_free(void *stack);

/* Frees the stacks that are kept mapped; whether there were any. Does not sleep. */
bool stack_pool_drain(void);

/* Whether an address lies in a guard page, so that a fault there is a stack overflow. */
bool stack_guards(vaddr_t at);
