/*
 * Changing the regions of an address space: mmap, munmap, mprotect, brk, stack growth. This is
 * where rule 7 of mm/tree.h is kept: all sharers of a table agree on the regions over its span, but
 * for PROT_WRITE.
 *
 * Every change of [start, end) treats the tables in three ways:
 *
 *            start                                        end
 *              |============ the change ===================|
 *      [  PT   :  ] [     PT     ] [     PT     ] [  PT    :    ]
 *        in part         whole          whole        in part
 *        own it          drop the pointer            own it
 *
 * A table that is covered in part is made this address space's own before the regions change, so
 * that its sharers keep theirs. One that is covered whole is simply let go of (munmap, MAP_FIXED),
 * in O(1) however much hangs below. mprotect keeps the pages: when it changes who may read or
 * execute, it owns every table in the range; when it takes PROT_WRITE alone, it clears W in place
 * (rule 5); when it gives PROT_WRITE, it leaves that to the next fault.
 *
 * Each operation takes all memory that it may need first (rule 9), changes after.
 */
#include "mm/map.h"
#include "mm/edit.h"
#include "mm/errno.h"
#include "mm/object.h"
#include "mm/tree.h"

/* Unmaps span: tree and regions. edit_begin() has made room for splits. */
static void unmap_span(struct mm *mm, const struct span *span, struct edit *edit)
{
	edit_zap(edit, mm, span);
	regions_cut(mm->regions, span->start, span->end);
}

int unmap_locked(struct mm *mm, const struct span *span)
{
	struct edit edit;
	int error;

	if (!regions_overlap(mm->regions, span->start, span->end))
		return 0;
	error = edit_begin(&edit, mm, span, PARTLY_COVERED, 0,
			   regions_splits(mm->regions, span->start, span->end));
	if (error)
		return error;
	unmap_span(mm, span, &edit);
	edit_end(&edit);
	return 0;
}

int mm_unmap(struct mm *mm, vaddr_t addr, u64 length)
{
	struct span span;

	if (!span_init(&span, addr, length))
		return -EINVAL;
	write_lock(&mm->lock);
	int error = unmap_locked(mm, &span);
	write_unlock(&mm->lock);
	return error;
}

/* The highest place for length bytes below MMAP_TOP; 0 when there is none. */
static vaddr_t find_gap(const struct region_set *set, u64 length)
{
	vaddr_t top = MMAP_TOP;

	for (u32 i = set->count; i > 0; i--) {
		const struct region *region = &set->at[i - 1];

		if (region->start >= top)
			continue;
		if (region->end < top && top - region->end >= length)
			return top - length;
		top = region->start;
	}
	return top >= length && top - length >= USER_START ? top - length : 0;
}

/* Where a mapping goes: 0 or an error, the place in *span. locked: mm->lock, writer. */
int choose_place(struct mm *mm, vaddr_t addr, u64 length, u32 flags, struct span *span)
{
	bool fits = span_init(span, addr, length) && addr >= USER_START;

	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (!fits)
			return addr & PAGE_MASK ? -EINVAL : addr < USER_START ? -EPERM : -ENOMEM;
		if ((flags & MAP_FIXED_NOREPLACE) &&
		    regions_overlap(mm->regions, span->start, span->end))
			return -EEXIST;
		return 0;
	}
	if (fits && !regions_overlap(mm->regions, span->start, span->end))
		return 0;
	addr = find_gap(mm->regions, length);
	*span = (struct span) {addr, addr + length};
	return addr ? 0 : -ENOMEM;
}

/* locked: mm->lock, writer */
int map_locked(struct mm *mm, const struct span *span, struct region region)
{
	struct edit edit;
	int error = edit_begin(&edit, mm, span, PARTLY_COVERED, 0,
			       regions_splits(mm->regions, span->start, span->end) + 1);

	if (error)
		return error;
	unmap_span(mm, span, &edit);
	region.start = span->start;
	region.end = span->end;
	if (region.object)
		object_get(region.object);
	regions_insert(mm->regions, region);
	edit_end(&edit);
	return 0;
}

i64 mm_map(struct mm *mm, vaddr_t addr, u64 length, u32 prot, u32 flags, struct object *object,
	   u64 offset)
{
	struct region region = {.object = object, .offset = offset, .prot = prot};
	struct span span;

	region.flags = flags & (MAP_SHARED | MAP_PRIVATE | MAP_GROWSDOWN | MAP_DENYWRITE);
	if (length == 0 || (offset & PAGE_MASK))
		return -EINVAL;
	if (length > USER_END)
		return -ENOMEM;
	length = ROUND_UP(length, PAGE_SIZE);
	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		addr = ROUND_DOWN(addr, PAGE_SIZE);

	write_lock(&mm->lock);
	int error = choose_place(mm, addr, length, flags, &span);

	if (!error)
		error = map_locked(mm, &span, region);
	write_unlock(&mm->lock);
	if (error)
		return error;
	if (flags & MAP_POPULATE) /* as far as memory reaches: the mapping stands in any case */
		mm_advise(mm, span.start, length,
			  prot & PROT_WRITE ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
	return (i64)span.start;
}

/* Sets the rights of the leaves in span to prot, but never gives W: that needs ownership and is
 * left to faults. */
static void set_rights(struct page *table, vaddr_t base, const struct span *span, u32 prot)
{
	vaddr_t low;

	node_lock(table);
	for_each_in_span(table, base, span, entry, low) {
		if (table->level > 1) {
			set_rights(entry_child(*entry), low, span, prot);
			continue;
		}

		u64 rights = prot == PROT_NONE ? ENTRY_NONE : ENTRY_P;

		rights |= prot & PROT_EXEC ? 0 : ENTRY_NX;
		if (prot & PROT_WRITE)
			rights |= *entry & ENTRY_W;
		*entry = (*entry & ~(ENTRY_NONE | ENTRY_P | ENTRY_NX | ENTRY_W)) | rights;
	}
	node_unlock(table);
}

static bool denies_write(const struct region_set *set, const struct span *span)
{
	for (u32 i = regions_find(set, span->start); i < set->count && set->at[i].start < span->end;
	     i++)
		if (set->at[i].flags & MAP_DENYWRITE)
			return true;
	return false;
}

/* Whether reading or executing is allowed otherwise than before, somewhere in span: then sharers
 * would disagree. */
static bool changes_reading(const struct region_set *set, const struct span *span, u32 prot)
{
	for (u32 i = regions_find(set, span->start); i < set->count && set->at[i].start < span->end;
	     i++) {
		u32 before = set->at[i].prot;

		if ((before == PROT_NONE) != (prot == PROT_NONE) || ((before ^ prot) & PROT_EXEC))
			return true;
	}
	return false;
}

/* locked: mm->lock, writer */
static int protect_locked(struct mm *mm, const struct span *span, u32 prot)
{
	struct edit edit;

	if (!regions_cover(mm->regions, span->start, span->end))
		return -ENOMEM;
	if ((prot & PROT_WRITE) && denies_write(mm->regions, span))
		return -EACCES;

	bool reading = changes_reading(mm->regions, span, prot);
	int error = edit_begin(&edit, mm, span, reading ? ALL_TABLES : NO_TABLES, 0,
			       regions_splits(mm->regions, span->start, span->end));

	if (error)
		return error;
	if (reading || !(prot & PROT_WRITE)) {
		set_rights(mm->root, 0, span, prot);
		gather_flush(&edit.gather, span->start, span->end);
	}
	regions_protect(mm->regions, span->start, span->end, prot);
	edit_end(&edit);
	return 0;
}

int mm_protect(struct mm *mm, vaddr_t addr, u64 length, u32 prot)
{
	struct span span;

	if (addr & PAGE_MASK)
		return -EINVAL;
	if (length == 0)
		return 0;
	if (!span_init(&span, addr, length))
		return -ENOMEM;
	write_lock(&mm->lock);
	int error = protect_locked(mm, &span, prot);
	write_unlock(&mm->lock);
	return error;
}

/* Adds anonymous memory at span, which is free; the tables that it reaches into are owned first. */
static int brk_grow(struct mm *mm, const struct span *span)
{
	struct region heap = {.prot = PROT_READ | PROT_WRITE, .flags = MAP_PRIVATE};

	if (span->end > MMAP_TOP ||
	    regions_overlap(mm->regions, span->start, span->end + PAGE_SIZE))
		return -ENOMEM;
	return map_locked(mm, span, heap);
}

vaddr_t mm_brk(struct mm *mm, vaddr_t brk)
{
	write_lock(&mm->lock);

	vaddr_t now = ROUND_UP(mm->brk, PAGE_SIZE);
	int error = 0;

	if (brk < mm->brk_start || brk > USER_END)
		error = -EINVAL;
	else if (ROUND_UP(brk, PAGE_SIZE) > now)
		error = brk_grow(mm, &(struct span) {now, ROUND_UP(brk, PAGE_SIZE)});
	else if (ROUND_UP(brk, PAGE_SIZE) < now)
		error = unmap_locked(mm, &(struct span) {ROUND_UP(brk, PAGE_SIZE), now});
	if (!error)
		mm->brk = brk;
	brk = mm->brk;
	write_unlock(&mm->lock);
	return brk;
}

static bool may_grow(const struct mm *mm, u32 i, vaddr_t addr)
{
	const struct region *stack = &mm->regions->at[i];

	return (stack->flags & MAP_GROWSDOWN) && mm->stack_top - addr <= STACK_LIMIT &&
	       (i == 0 || stack[-1].end + STACK_GUARD <= addr);
}

bool stack_grow(struct mm *mm, vaddr_t addr)
{
	struct edit edit;
	bool grown = false;

	addr = ROUND_DOWN(addr, PAGE_SIZE);
	write_lock(&mm->lock);
	u32 i = regions_find(mm->regions, addr);

	if (i < mm->regions->count && mm->regions->at[i].start <= addr) {
		grown = true;
	} else if (i < mm->regions->count && may_grow(mm, i, addr)) {
		struct span span = {addr, mm->regions->at[i].start};

		if (!edit_begin(&edit, mm, &span, PARTLY_COVERED, 0, 0)) {
			mm->regions->at[i].start = addr;
			edit_end(&edit);
			grown = true;
		}
	}
	write_unlock(&mm->lock);
	return grown;
}
