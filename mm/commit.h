/*
 * Promised memory: what processes may yet write, whether or not there is a page for it.
 *
 * A region with REGION_ACCOUNT is promised to each address space that has it, anonymous shared memory once to
 * its object. The regions are the truth: region_set.promised is their sum, mm->promised is what was asked
 * for and granted, and at the end of each change both are the same (commit_settle()). The audit recomputes
 * them all. docs/oom.md says which of it is Linux's.
 */
#pragma once

#include "mm/types.h"

struct mm;
struct region_set;

enum overcommit {
	OVERCOMMIT_GUESS = 0,  /* what no machine like this could ever hold is refused */
	OVERCOMMIT_ALWAYS = 1, /* nothing is */
	OVERCOMMIT_NEVER = 2,  /* what would take the sum of all promises beyond commit_limit() */
};

/* /proc/sys/vm/overcommit_memory, _ratio and _kbytes: a limit in kB, or if that is 0 in percent of memory. */
struct commit_policy {
	u32 mode; /* enum overcommit */
	u32 ratio;
	u64 kbytes;
};
extern struct commit_policy commit_policy;

/* Pages: of memory and swap; what OVERCOMMIT_NEVER allows; what is promised now. */
u64 commit_memory(void);
u64 commit_limit(void);
u64 commit_total(void);

/* Promises `request` pages, in place of `released` that the caller is about to let go of; -ENOMEM, by the
 * policy. Without an address space: until commit_give(). */
int commit_take(u64 request, u64 released);
void commit_give(u64 pages);

/* commit_take() for a change of regions, which ends in commit_settle(), done or not. locked: mm->lock, writer */
int commit_charge(struct mm *mm, u64 request, u64 released);

/* Makes what mm was promised that what its regions say. locked: mm->lock, writer */
void commit_settle(struct mm *mm);

/* Promises a fork's child, which nobody else knows yet, what the regions of its parent are: without those that it is not
 * to have. -ENOMEM: it may have a part, which its end gives back. locked: the parent's mm->lock */
int commit_fork(struct mm *child, const struct region_set *set);
