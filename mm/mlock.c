/*
 * mlock(2) and its kin. A lock is a mark of the region (MAP_LOCKED), not of pages: it says that what is
 * mapped there is made at once and is not taken away. The marks are of one address space alone: a
 * fork's child starts without them (mm/fork.c). Reclaim swaps out of whatever table it finds by way of whoever uses
 * it, so tables over locked memory are owned, from the lock on.
 */
#include "mm/edit.h"
#include "mm/errno.h"
#include "mm/map.h"
#include "mm/reclaim.h"

#define LOCK_MARKS (MAP_LOCKED | REGION_ONFAULT)

/* As far as the range is mapped; -ENOMEM when that is not all of it. locked: mm->lock, writer */
static int lock_span(struct mm *mm, struct span *span, u32 flags)
{
	vaddr_t hole = regions_first_hole(mm->regions, span->start);
	bool cut = hole < span->end;
	int error = 0;

	if (cut)
		span->end = hole;
	if (span->start < span->end)
		error = mark_locked(mm, span, LOCK_MARKS, flags);
	return error ? error : cut ? -ENOMEM : 0;
}

static int try_lock(struct mm *mm, struct span *span, u32 flags)
{
	write_lock(&mm->lock);
	int error = lock_span(mm, span, flags);
	write_unlock(&mm->lock);
	return error;
}

int mm_lock(struct mm *mm, vaddr_t addr, u64 length, u32 flags)
{
	u64 whole = ROUND_UP(length + (addr & PAGE_MASK), PAGE_SIZE);
	vaddr_t start = ROUND_DOWN(addr, PAGE_SIZE);
	struct span span = {start, start + whole};
	int error;

	if (start + whole < start)
		return -EINVAL;
	if (!whole)
		return 0;
	error = WITH_RECLAIM(try_lock(mm, &span, flags));
	if (error || !(flags & MAP_LOCKED))
		return error;
	error = mm_populate(mm, span.start, span.end);
	return error == -ENOMEM ? -EAGAIN : error ? -ENOMEM : 0;
}

static int try_lock_all(struct mm *mm, bool now, u32 flags, u32 future)
{
	struct span all = {0, USER_END};
	int error = 0;

	write_lock(&mm->lock);
	if (now)
		error = mark_locked(mm, &all, LOCK_MARKS, flags);
	if (!error)
		mm->lock_future = future;
	write_unlock(&mm->lock);
	return error;
}

int mm_lock_all(struct mm *mm, bool now, u32 flags, u32 future)
{
	int error = WITH_RECLAIM(try_lock_all(mm, now, flags, future));

	if (!error && now && flags)
		mm_populate(mm, 0, USER_END); /* as far as memory reaches */
	return error;
}
