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
#include "mm/commit.h"
#include "mm/edit.h"
#include "mm/errno.h"
#include "mm/object.h"
#include "mm/reclaim.h"
#include "mm/tree.h"

/* Unmaps span: tree and regions. edit_begin() has made room for splits. */
static void unmap_span(struct mm *mm, const struct span *span, struct edit *edit)
{
	edit_zap(edit, mm, span);
	regions_cut(mm->regions, span->start, span->end);
}

/* Whether unmapping span leaves one region more than there may be: it lies within one. */
static bool one_too_many(const struct mm *mm, const struct span *span)
{
	const struct region *region = regions_at(mm->regions, span->start);

	return region && region->start < span->start && span->end < region->end &&
	       mm->regions->count >= max_regions;
}

int unmap_locked(struct mm *mm, const struct span *span)
{
	struct edit edit;
	int error;

	if (!regions_overlap(mm->regions, span->start, span->end))
		return 0;
	if (one_too_many(mm, span))
		return -ENOMEM;
	error = edit_begin(&edit, mm, span, PARTLY_COVERED, 0,
			   regions_splits(mm->regions, span->start, span->end));
	if (error)
		return error;
	unmap_span(mm, span, &edit);
	edit_end(&edit);
	return 0;
}

static int try_unmap(struct mm *mm, vaddr_t addr, u64 length)
{
	struct span span;

	if (!span_init(&span, addr, length))
		return -EINVAL;
	write_lock(&mm->lock);
	int error = unmap_locked(mm, &span);
	write_unlock(&mm->lock);
	return error;
}

int mm_unmap(struct mm *mm, vaddr_t addr, u64 length)
{
	return WITH_RECLAIM(try_unmap(mm, addr, length));
}

bool place_is_free(const struct region_set *set, const struct span *span)
{
	u32 i = regions_find(set, span->start);

	return i == set->count || span->end <= region_floor(&set->at[i]);
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
	if (fits && place_is_free(mm->regions, span))
		return 0;
	addr = regions_find_gap(mm->regions, length);
	*span = (struct span) {addr, addr + length};
	return addr ? 0 : -ENOMEM;
}

static bool exceeds(const struct mm *mm, const struct span *span, u64 limit, bool data_only)
{
	if (limit == MM_UNLIMITED)
		return false;

	u64 replaced = regions_bytes(mm->regions, span->start, span->end, data_only);
	u64 after = regions_bytes(mm->regions, 0, USER_END, data_only) - replaced + span->end -
		    span->start;

	return after > ROUND_DOWN(limit, PAGE_SIZE);
}

int check_limits(const struct mm *mm, const struct span *span, const struct region *region)
{
	return exceeds(mm, span, mm->limits.address_space, false) ||
			       (region_is_data(region) && exceeds(mm, span, mm->limits.data, true))
		       ? -ENOMEM
		       : 0;
}

/* locked: mm->lock, writer */
int map_locked(struct mm *mm, const struct span *span, struct region region)
{
	struct edit edit;
	int error = check_limits(mm, span, &region);

	if (mm->regions->count > max_regions || one_too_many(mm, span))
		error = -ENOMEM;
	region.start = span->start;
	region.end = span->end;
	if (!error)
		error = commit_charge(mm, region_promised(&region),
				      regions_promised(mm->regions, span->start, span->end));
	if (!error)
		error = edit_begin(&edit, mm, span, PARTLY_COVERED, 0,
				   regions_splits(mm->regions, span->start, span->end) + 1);
	if (error)
		return error;
	unmap_span(mm, span, &edit);
	if (region.object)
		object_get(region.object);
	regions_insert(mm->regions, region);
	edit_end(&edit);
	return 0;
}

#define MAP_BITS_KEPT \
	(MAP_SHARED | MAP_PRIVATE | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_LOCKED | MAP_NORESERVE)

/* locked: mm->lock, writer */
static int map_at(struct mm *mm, vaddr_t addr, u64 length, u32 flags, struct region *region,
		  struct span *span)
{
	int error = choose_place(mm, addr, length, flags, span);

	if (error)
		return error;
	if (!region->object)
		region->offset = span->start;
	region->flags =
		(flags & MAP_BITS_KEPT) | region_account(region->prot, flags) | mm->lock_future;
	return map_locked(mm, span, *region);
}

static i64 try_map(struct mm *mm, vaddr_t addr, u64 length, u32 prot, u32 flags,
		   struct object *object, u64 offset)
{
	struct region region = {.object = object, .offset = offset, .prot = prot};
	struct span span;

	if (length == 0 || (offset & PAGE_MASK))
		return -EINVAL;
	if (length > USER_END)
		return -ENOMEM;
	length = ROUND_UP(length, PAGE_SIZE);
	if (commit_policy.mode == OVERCOMMIT_NEVER)
		flags &= ~MAP_NORESERVE;
	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		addr = ROUND_DOWN(addr, PAGE_SIZE);

	if (object)
		read_lock(&object->mappers);
	write_lock(&mm->lock);
	int error = map_at(mm, addr, length, flags, &region, &span);
	write_unlock(&mm->lock);
	if (object)
		read_unlock(&object->mappers);
	if (error)
		return error;
	if ((flags & MAP_POPULATE) || region_is_locked(&region))
		mm_populate(mm, span.start, span.end); /* as far as memory reaches */
	return (i64)span.start;
}

i64 mm_map(struct mm *mm, vaddr_t addr, u64 length, u32 prot, u32 flags, struct object *object,
	   u64 offset)
{
	return WITH_RECLAIM(try_map(mm, addr, length, prot, flags, object, offset));
}

static u64 with_rights(u64 leaf, u32 prot)
{
	u64 rights = prot == PROT_NONE ? ENTRY_NONE : entry_is_swap(leaf) ? 0 : ENTRY_P;

	rights |= prot & PROT_EXEC ? 0 : ENTRY_NX;
	if (prot & PROT_WRITE)
		rights |= leaf & ENTRY_W;
	return (leaf & ~(ENTRY_NONE | ENTRY_P | ENTRY_NX | ENTRY_W)) | rights;
}

/* Sets the rights of the leaves in span to prot, but never gives W: that needs ownership and is
 * left to faults. A processor may set accessed and dirty bits at any moment: none is lost. */
static void set_rights(struct page *table, vaddr_t base, const struct span *span, u32 prot)
{
	vaddr_t low;

	node_lock(table);
	for_each_in_span(table, base, span, entry, low) {
		if (table->level > 1) {
			set_rights(entry_child(*entry), low, span, prot);
			continue;
		}

		u64 old = *entry;

		while (!__atomic_compare_exchange_n(entry, &old, with_rights(old, prot), true,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			;
	}
	node_unlock(table);
}

/* Whether reading or executing is allowed otherwise than before, somewhere in span: then sharers
 * would disagree. */
static bool changes_reading(const struct region_set *set, const struct span *span, u32 prot)
{
	regions_for_each(set, region, span->start, span->end)
		if ((region->prot == PROT_NONE) != (prot == PROT_NONE) ||
		    ((region->prot ^ prot) & PROT_EXEC))
			return true;
	return false;
}

/* Whether prot makes data of more memory than RLIMIT_DATA allows. */
static bool too_much_data(const struct mm *mm, const struct span *span, u32 prot)
{
	u64 more = 0;

	if (!(prot & PROT_WRITE) || mm->limits.data == MM_UNLIMITED)
		return false;
	regions_for_each(mm->regions, region, span->start, span->end)
		if (!(region->flags & (MAP_SHARED | MAP_GROWSDOWN)) && !(region->prot & PROT_WRITE))
			more += MIN(region->end, span->end) - MAX(region->start, span->start);
	return more && regions_bytes(mm->regions, 0, USER_END, true) + more >
			       ROUND_DOWN(mm->limits.data, PAGE_SIZE);
}

/* Promises the memory that becomes writable for the first time. locked: mm->lock, writer */
static int promise_written(struct mm *mm, const struct span *span, u32 prot)
{
	int error = 0;

	regions_for_each(mm->regions, region, span->start, span->end) {
		u64 bytes = MIN(region->end, span->end) - MAX(region->start, span->start);

		if (!error && region_account(prot, region->flags) & ~region->flags)
			error = commit_charge(mm, bytes >> PAGE_SHIFT, 0);
	}
	if (error)
		commit_settle(mm);
	return error;
}

/* locked: mm->lock, writer; all of span is mapped and may be given prot */
static int protect_span(struct mm *mm, const struct span *span, u32 prot)
{
	struct edit edit;
	u32 splits = regions_splits(mm->regions, span->start, span->end);

	if (too_much_data(mm, span, prot) || (splits && mm->regions->count + splits > max_regions))
		return -ENOMEM;

	bool reading = changes_reading(mm->regions, span, prot);
	int error = promise_written(mm, span, prot);

	if (!error)
		error = edit_begin(&edit, mm, span, reading ? ALL_TABLES : NO_TABLES, 0, splits);
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

/* Cuts span off at the first place that prot may not be given to, and says why it may not. */
static int clip_protect(const struct region_set *set, struct span *span, u32 prot)
{
	vaddr_t hole = regions_first_hole(set, span->start);
	int error = 0;

	if (hole < span->end) {
		span->end = hole;
		error = -ENOMEM;
	}
	regions_for_each(set, region, span->start, span->end) {
		if ((prot & PROT_WRITE) && (region->flags & MAP_DENYWRITE)) {
			span->end = MAX(region->start, span->start);
			return -EACCES;
		}
	}
	return error;
}

/* locked: mm->lock, writer */
static int protect_locked(struct mm *mm, struct span *span, u32 prot)
{
	if (prot & PROT_GROWSDOWN) {
		const struct region *stack = regions_at(mm->regions, span->start);

		if (!stack)
			return -ENOMEM;
		if (!(stack->flags & MAP_GROWSDOWN))
			return -EINVAL;
		span->start = stack->start;
		prot &= ~PROT_GROWSDOWN;
	}

	int error = clip_protect(mm->regions, span, prot);
	int failed = span->start < span->end ? protect_span(mm, span, prot) : 0;

	return failed ? failed : error;
}

static int try_protect(struct mm *mm, vaddr_t addr, u64 length, u32 prot)
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

int mm_protect(struct mm *mm, vaddr_t addr, u64 length, u32 prot)
{
	return WITH_RECLAIM(try_protect(mm, addr, length, prot));
}

/* Adds anonymous memory at span, which is free; the tables that it reaches into are owned first. */
static int brk_grow(struct mm *mm, const struct span *span)
{
	struct region heap = {.offset = span->start,
			      .prot = PROT_READ | PROT_WRITE,
			      .flags = MAP_PRIVATE | REGION_ACCOUNT | mm->lock_future};

	if (span->end > MMAP_TOP ||
	    regions_overlap(mm->regions, span->start, span->end + PAGE_SIZE))
		return -ENOMEM;
	return map_locked(mm, span, heap);
}

/* locked: mm->lock, writer */
static int brk_locked(struct mm *mm, vaddr_t brk)
{
	vaddr_t now = ROUND_UP(mm->brk, PAGE_SIZE), wanted = ROUND_UP(brk, PAGE_SIZE);
	int error = 0;

	if (brk < mm->brk_start || brk > USER_END)
		return -EINVAL;
	if (wanted > now)
		error = brk_grow(mm, &(struct span) {now, wanted});
	else if (wanted < now)
		error = unmap_locked(mm, &(struct span) {wanted, now});
	if (!error)
		mm->brk = brk;
	return error;
}

/* Tells where the end was in *before, where it is then in *brk. */
static int try_brk(struct mm *mm, vaddr_t *before, vaddr_t *brk)
{
	write_lock(&mm->lock);
	*before = mm->brk;
	int error = brk_locked(mm, *brk);

	if (error != -ENOMEM)
		*brk = mm->brk;
	write_unlock(&mm->lock);
	return error;
}

vaddr_t mm_brk(struct mm *mm, vaddr_t brk)
{
	vaddr_t before = 0;

	if (WITH_RECLAIM(try_brk(mm, &before, &brk)))
		return before;
	if (brk > before && mm->lock_future == MAP_LOCKED)
		mm_populate(mm, ROUND_DOWN(before, PAGE_SIZE), ROUND_UP(brk, PAGE_SIZE));
	return brk;
}

/*
 * Whether the region above addr is a stack that may grow down to it: within its limit, and with a
 * guard gap to what lies below, unless that is not accessible and so a guard itself.
 */
static bool may_grow(const struct mm *mm, u32 i, vaddr_t addr)
{
	const struct region *stack = &mm->regions->at[i];

	if (!(stack->flags & MAP_GROWSDOWN) || stack->end - addr > mm->limits.stack ||
	    addr < USER_START || check_limits(mm, &(struct span) {addr, stack->start}, stack))
		return false;
	if (i == 0 || stack[-1].prot == PROT_NONE || (stack[-1].flags & MAP_GROWSDOWN))
		return true;
	return stack[-1].end + STACK_GUARD <= addr;
}

/* Extends region i, which is a stack that may grow so, down to addr. locked: mm->lock, writer */
static int extend_stack(struct mm *mm, u32 i, vaddr_t addr)
{
	struct region growth = mm->regions->at[i];
	struct span span = {addr, growth.start};
	struct edit edit;

	growth.end = growth.start;
	growth.start = addr;

	int error = commit_charge(mm, region_promised(&growth), 0);

	if (!error)
		error = edit_begin(&edit, mm, &span, PARTLY_COVERED, 0, 0);
	if (error)
		return error;
	regions_extend_down(mm->regions, i, addr);
	edit_end(&edit);
	return 0;
}

/* locked: mm->lock, writer */
static int grow_locked(struct mm *mm, vaddr_t addr)
{
	u32 i = regions_find(mm->regions, addr);

	if (i < mm->regions->count && mm->regions->at[i].start <= addr)
		return 0;
	return i < mm->regions->count && may_grow(mm, i, addr) ? extend_stack(mm, i, addr)
							       : -EFAULT;
}

static int try_grow(struct mm *mm, vaddr_t addr)
{
	write_lock(&mm->lock);
	int error = grow_locked(mm, addr);
	write_unlock(&mm->lock);
	return error;
}

bool stack_grow(struct mm *mm, vaddr_t addr)
{
	return WITH_RECLAIM(try_grow(mm, ROUND_DOWN(addr, PAGE_SIZE))) == 0;
}
