/* A device for swap, in memory, that fails when told to. */
#pragma once

#include "mm/swap.h"

#define STORE_PAGES 64u

struct store {
	u64 reads, writes;         /* that went well */
	u64 fail_read, fail_write; /* how many more go well before one fails, plus 1; 0: all do */
	u64 failed;
	void (*during_write)(void),
		(*during_read)(void); /* what others do meanwhile, once; or NULL */
	u64 pages[STORE_PAGES][PAGE_SIZE / sizeof(u64)];
};

extern const struct swap_store store_calls;
extern struct store store; /* where a test needs one device */

/* Adds an area of `slots` slots on it. */
int store_add(struct store *on, u64 slots, i32 priority);
