/*
 * madvise(2): letting go of pages but not of the region, marks, and filling ahead.
 *
 * MADV_DONTNEED changes what this address space means (its pages read as zeroes, or as the file again),
 * not what its regions are. So it is munmap without the regions: tables covered in part are owned,
 * those covered whole let go of; sharers keep theirs.
 *
 * Linux goes from region to region and stops at the first that does not allow the advice. Here the
 * range is cut off at that place first, and what is left is done at once or not at all (rule 9 of
 * mm/tree.h). Holes are passed over, and told by -ENOMEM at the end.
 */
#include "mm/edit.h"
#include "mm/errno.h"
#include "mm/map.h"
#include "mm/object.h"
#include "mm/reclaim.h"

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

int mark_locked(struct mm *mm, const struct span *span, u32 take, u32 add)
{
	struct edit edit;
	u32 splits = regions_splits(mm->regions, span->start, span->end);
	int error;

	if (splits && mm->regions->count + splits > max_regions)
		return -ENOMEM;
	error = edit_begin(&edit, mm, span, add & MAP_LOCKED ? ALL_TABLES : NO_TABLES, 0, splits);
	if (error)
		return error;
	regions_set_flags(mm->regions, span->start, span->end, take, add);
	edit_end(&edit);
	return 0;
}

/* What an advice does to the regions' flags. */
static const struct mark {
	u32 advice, take, add;
} marks[] = {
	{MADV_NORMAL, REGION_RANDOM | REGION_SEQUENTIAL, 0},
	{MADV_RANDOM, REGION_SEQUENTIAL, REGION_RANDOM},
	{MADV_SEQUENTIAL, REGION_RANDOM, REGION_SEQUENTIAL},
	{MADV_DONTFORK, 0, REGION_DONTFORK},
	{MADV_DOFORK, REGION_DONTFORK, 0},
	{MADV_DONTDUMP, 0, REGION_DONTDUMP},
	{MADV_DODUMP, REGION_DONTDUMP, 0},
	{MADV_WIPEONFORK, 0, REGION_WIPEONFORK},
	{MADV_KEEPONFORK, REGION_WIPEONFORK, 0},
};

static const struct mark *find_mark(u32 advice)
{
	for (u32 i = 0; i < ARRAY_SIZE(marks); i++)
		if (marks[i].advice == advice)
			return &marks[i];
	return NULL;
}

/* 0, or why the region does not allow the advice. */
static int check_region(const struct region *region, u32 advice)
{
	switch (advice) {
	case MADV_WIPEONFORK:
		return is_private_anonymous(region) ? 0 : -EINVAL;
	case MADV_FREE:
		if (!is_private_anonymous(region))
			return -EINVAL;
		/* fall through */
	case MADV_DONTNEED:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return region->flags & MAP_LOCKED ? -EINVAL : 0;
	default:
		return 0;
	}
}

/* Cuts span off at the first region that does not allow the advice, and says why. */
static int clip(const struct region_set *set, struct span *span, u32 advice)
{
	regions_for_each(set, region, span->start, span->end) {
		int error = check_region(region, advice);

		if (error) {
			span->end = MAX(region->start, span->start);
			return error;
		}
	}
	return 0;
}

/* locked: mm->lock, writer */
static int perform(struct mm *mm, const struct span *span, u32 advice)
{
	const struct mark *mark = find_mark(advice);

	if (mark)
		return mark_locked(mm, span, mark->take, mark->add);
	switch (advice) {
	case MADV_FREE: /* the pages may be freed at any time: now is one */
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
		return discard(mm, span);
	default:
		return 0; /* a hint that may be ignored */
	}
}

/* locked: mm->lock, writer */
static int advise_locked(struct mm *mm, struct span *span, u32 advice)
{
	bool hole = !regions_cover(mm->regions, span->start, span->end);
	int refused = clip(mm->regions, span, advice);
	int error = span->start < span->end ? perform(mm, span, advice) : 0;

	if (error) /* a kernel resource, as madvise(2) puts it */
		return error == -ENOMEM && find_mark(advice) ? -EAGAIN : error;
	return refused ? refused : hole ? -ENOMEM : 0;
}

/* Where the range has holes the advice is followed as often as it is tried, which does no harm. */
static int try_advise(struct mm *mm, struct span span, u32 advice)
{
	write_lock(&mm->lock);
	int error = advise_locked(mm, &span, advice);
	write_unlock(&mm->lock);
	return error;
}

/* MADV_COLD, MADV_PAGEOUT and MADV_WILLNEED, which change no meaning: the tables are not owned. */
static int move_pages(struct mm *mm, struct span *span, u32 advice)
{
	read_lock(&mm->lock);
	bool hole = !regions_cover(mm->regions, span->start, span->end);
	int refused = clip(mm->regions, span, advice);
	read_unlock(&mm->lock);

	if (advice == MADV_PAGEOUT)
		page_out_span(mm, span);
	else if (advice == MADV_COLD)
		make_cold(mm, span);
	else
		swap_in_span(mm, span);
	return refused ? refused : hole ? -ENOMEM : 0;
}

static bool is_known(u32 advice)
{
	switch (advice) {
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
	case MADV_DONTNEED_LOCKED:
		return true;
	default:
		return find_mark(advice);
	}
}

/* Makes every page of span present, as an access would. */
static int fault_in(struct mm *mm, const struct span *span, enum access access)
{
	int error = 0;

	for (vaddr_t at = span->start; at < span->end && !error; at += PAGE_SIZE)
		error = mm_fault_in(mm, at, access);
	return error;
}

static int populate_as_advised(struct mm *mm, const struct span *span, enum access access)
{
	switch (fault_in(mm, span, access)) {
	case 0:
		return 0;
	case -EACCES:
		return -EINVAL;
	case -ENXIO:
		return -EFAULT;
	default:
		return -ENOMEM;
	}
}

int mm_populate(struct mm *mm, vaddr_t start, vaddr_t end)
{
	struct region region;
	int error = 0;

	while (start < end && !error && mm_region_at(mm, start, &region)) {
		struct span span = {MIN(MAX(start, region.start), end), MIN(end, region.end)};
		bool write = (region.prot & PROT_WRITE) && (region.flags & MAP_PRIVATE);

		if (!(region.flags & REGION_ONFAULT))
			error = fault_in(mm, &span, write ? ACCESS_WRITE : ACCESS_READ);
		if (region.object)
			object_put(region.object);
		start = region.end;
	}
	return error;
}

/* Makes [start, end) of a region a hole of its object. */
static int remove_from(const struct region *region, vaddr_t start, vaddr_t end)
{
	if (!region->object || (region->flags & MAP_LOCKED))
		return -EINVAL;
	if (!(region->flags & MAP_SHARED) || !(region->prot & PROT_WRITE))
		return -EACCES;
	write_lock(&region->object->mappers);
	object_punch(region->object, region->offset + start - region->start, end - start);
	write_unlock(&region->object->mappers);
	return 0;
}

/* MADV_REMOVE: the range becomes holes of the objects that are mapped there, for everyone. */
static int remove_pages(struct mm *mm, const struct span *span)
{
	vaddr_t at = span->start;
	struct region region;
	bool hole = false;
	int error = 0;

	while (at < span->end && !error && mm_region_at(mm, at, &region)) {
		vaddr_t start = MAX(at, region.start), end = MIN(region.end, span->end);

		hole |= start > at;
		if (start < end)
			error = remove_from(&region, start, end);
		if (region.object)
			object_put(region.object);
		at = region.end;
	}
	return error ? error : hole || at < span->end ? -ENOMEM : 0;
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
		return populate_as_advised(
			mm, &span, advice == MADV_POPULATE_WRITE ? ACCESS_WRITE : ACCESS_READ);
	if (advice == MADV_REMOVE)
		return remove_pages(mm, &span);

	if (advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED)
		return move_pages(mm, &span, advice);
	return WITH_RECLAIM(try_advise(mm, span, advice));
}
