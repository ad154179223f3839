/* Promised memory: see mm/commit.h. */
#include "mm/commit.h"
#include "mm/errno.h"
#include "mm/frame.h"
#include "mm/mm.h"
#include "mm/swap.h"

#define RATIO_DEFAULT 50u /* Linux's */

struct commit_policy commit_policy = {.mode = OVERCOMMIT_GUESS, .ratio = RATIO_DEFAULT};

static _Atomic u64 promised; /* pages: to all address spaces and objects */

static u64 swap_pages(void)
{
	struct swap_totals swap;

	swap_totals(&swap);
	return swap.pages;
}

u64 commit_memory(void)
{
	return frames_total() + swap_pages();
}

u64 commit_limit(void)
{
	u64 of_memory = commit_policy.kbytes ? commit_policy.kbytes >> (PAGE_SHIFT - 10)
					     : frames_total() * commit_policy.ratio / 100;

	return of_memory + swap_pages();
}

u64 commit_total(void)
{
	return atomic_load(&promised);
}

/* after: all promises, this one among them. */
static bool allowed(u64 request, u64 after)
{
	switch (commit_policy.mode) {
	case OVERCOMMIT_GUESS:
		return request <= frames_total() || request <= commit_memory();
	case OVERCOMMIT_NEVER:
		return after <= commit_limit();
	default:
		return true;
	}
}

int commit_take(u64 request, u64 released)
{
	u64 more = request > released ? request - released : 0, now = atomic_load(&promised);

	if (!request)
		return 0;
	do {
		if (!allowed(request, now + request - released))
			return -ENOMEM;
	} while (!atomic_compare_exchange_weak(&promised, &now, now + more));
	return 0;
}

void commit_give(u64 pages)
{
	atomic_fetch_sub(&promised, pages);
}

int commit_charge(struct mm *mm, u64 request, u64 released)
{
	int error = commit_take(request, released);

	if (!error && request > released)
		mm->promised += request - released;
	return error;
}

void commit_settle(struct mm *mm)
{
	if (mm->promised == mm->regions->promised)
		return;
	atomic_fetch_add(&promised, mm->regions->promised - mm->promised);
	mm->promised = mm->regions->promised;
}

/* The policy looks at one region at a time: only where a single one could be too large does that matter. */
int commit_fork(struct mm *child, const struct region_set *set)
{
	int error = 0;

	if (!set->fork_marked && set->promised <= commit_memory())
		return commit_charge(child, set->promised, 0);
	for (u32 i = 0; i < set->count && !error; i++)
		if (!(set->at[i].flags & REGION_DONTFORK))
			error = commit_charge(child, region_promised(&set->at[i]), 0);
	return error;
}
