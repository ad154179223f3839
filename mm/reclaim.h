/*
 * Reclaim: taking frames back from programs by swapping pages out. docs/swap.md says why it is done this way.
 *
 * Nobody reclaims with a lock of mm/'s held. An operation that fails for want of memory has changed nothing (rule 9 of
 * mm/tree.h): so it lets go of its locks, reclaims, and is tried again, by WITH_RECLAIM().
 */
#pragma once

#include "mm/errno.h"
#include "mm/mm.h"

struct span;

/*
 * Frees frames, at least so many if there are as many that can go; returns how many. 0: nothing can. Pages of files and
 * of shared memory, and locked ones, are left alone. May sleep. locked: reclaim; mm->lock, reader, of one at a time.
 */
u64 mm_reclaim(u64 frames, enum reclaimer who);

/* Below the low mark programs should not find memory long; up to the high one the reclaiming thread works. In frames. */
u64 reclaim_low_mark(void);
u64 reclaim_high_mark(void);

/*
 * Swaps out the pages of span, used lately or not, as far as swap has room: in place, for all who share the tables. A page
 * that another table names too stays in memory until it is taken out there. locked: as for mm_reclaim()
 */
void page_out_span(struct mm *mm, const struct span *span);

/* Makes the pages of span the next to be reclaimed. locked: mm->lock, reader */
void make_cold(struct mm *mm, const struct span *span);

/* Moves *addr to the first address from there on that a PTE table maps; false when there is none. locked: mm->lock,
 * reader */
bool mm_next_leaf(struct mm *mm, vaddr_t *addr);

/* ---- Direct reclaim ---- */

struct retry {
	u64 exhausted; /* frames_exhausted before the operation */
	u32 tries;
};

/* Whether memory was really out, and reclaim has found some. */
bool retry_after_reclaim(struct retry *retry);

/* The result of the call, which is made again after -ENOMEM, or -EAGAIN, while that helps. */
#define WITH_RECLAIM(call)                                             \
	({                                                             \
		struct retry retry_ = {.exhausted = frames_exhausted}; \
		typeof(call) result_;                                  \
		do                                                     \
			result_ = (call);                              \
		while ((result_ == -ENOMEM || result_ == -EAGAIN) &&   \
		       retry_after_reclaim(&retry_));                  \
		result_;                                               \
	})
