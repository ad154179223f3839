/*
 * madvise(2): letting go of pages but not of the region, marks for fork, and filling ahead.
 *
 * MADV_DONTNEED changes what this address space means (its pages read as zeroes, or as the file again),
 * not what its regions are. So it is munmap without the regions: tables covered in part are owned,
 * those covered whole let go of; sharers keep theirs.
 */
#include "mm/edit.h"
#include "mm/errno.h"
#include "mm/mm.h"

static bool is_private_anonymous(const struct region *region)
{
	return !region->object && (region->flags & MAP_PRIVATE);
}

static int discard(struct mm *mm, const struct span *span)
{
	struct edit edit;
	int error = edit_begin(&edit, mm, span, PARTLY_COVERED, 0, 0);

	if (error)
		return error;
	edit_zap(&edit, mm, span);
	edit_end(&edit);
	return 0;
}

/* MADV_FREE and MADV_WIPEONFORK are for private anonymous memory alone. */
static bool all_private_anonymous(const struct region_set *set, const struct span *span)
{
	for (u32 i = regions_find(set, span->start); i < set->count && set->at[i].start < span->end;
	     i++)
		if (!is_private_anonymous(&set->at[i]))
			return false;
	return true;
}

/* Sets flags of the regions in span. What they are for is asked by fork alone: no table is touched. */
static int mark(struct mm *mm, const struct span *span, u32 take, u32 add)
{
	struct edit edit;
	int error = edit_begin(&edit, mm, span, NO_TABLES, 0,
			       regions_splits(mm->regions, span->start, span->end));

	if (error)
		return error;
	regions_set_flags(mm->regions, span->start, span->end, take, add);
	edit_end(&edit);
	return 0;
}

/* locked: mm->lock, writer */
static int advise_locked(struct mm *mm, const struct span *span, u32 advice)
{
	switch (advice) {
	case MADV_FREE: /* the pages may be freed at any time: now is one */
		if (!all_private_anonymous(mm->regions, span))
			return -EINVAL;
		return discard(mm, span);
	case MADV_DONTNEED:
		return discard(mm, span);
	case MADV_DONTFORK:
		return mark(mm, span, 0, REGION_DONTFORK);
	case MADV_DOFORK:
		return mark(mm, span, REGION_DONTFORK, 0);
	case MADV_WIPEONFORK:
		if (!all_private_anonymous(mm->regions, span))
			return -EINVAL;
		return mark(mm, span, 0, REGION_WIPEONFORK);
	case MADV_KEEPONFORK:
		return mark(mm, span, REGION_WIPEONFORK, 0);
	default:
		return 0; /* a hint that may be ignored */
	}
}

static bool is_known(u32 advice)
{
	return advice <= MADV_DONTNEED ||
	       (advice >= MADV_FREE && advice <= MADV_DOFORK && advice != 9) ||
	       (advice >= MADV_DONTDUMP && advice <= MADV_POPULATE_WRITE);
}

/* Makes every page of span present, as an access would; but a stack does not grow into a hole. */
static int populate(struct mm *mm, const struct span *span, enum access access)
{
	for (vaddr_t at = span->start; at < span->end; at += PAGE_SIZE) {
		int error = mm_fault_in(mm, at, access);

		if (error)
			return error == -EACCES ? -EINVAL : error == -ENXIO ? -EFAULT : -ENOMEM;
	}
	return 0;
}

int mm_advise(struct mm *mm, vaddr_t addr, u64 length, u32 advice)
{
	struct span span;

	if ((addr & PAGE_MASK) || !is_known(advice))
		return -EINVAL;
	if (length == 0)
		return 0;
	if (!span_init(&span, addr, length))
		return length > USER_END ? -EINVAL : -ENOMEM;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return populate(mm, &span,
				advice == MADV_POPULATE_WRITE ? ACCESS_WRITE : ACCESS_READ);

	write_lock(&mm->lock);
	int error = advise_locked(mm, &span, advice);

	if (!error && !regions_cover(mm->regions, span.start, span.end))
		error = -ENOMEM;
	write_unlock(&mm->lock);
	return error;
}
