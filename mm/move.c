/*
 * mremap(2). A region that grows or shrinks in place is munmap or mmap of its tail; one that moves takes
 * its pages along:
 *
 *      old    [ PT: a b . c ]                       [ PT: . . . . ]     emptied, and freed
 *                               each used leaf
 *      new    (no table)        ------------->      [ PT ][ PT: a b . c ]
 *
 * A pointer moves, so no page's refs change. Tables cannot move: the distance need not be a multiple of what they span,
 * and sharers of a table agree on its place. So all tables of the old range are owned first, and those of the
 * new range that are missing are made; what this takes is counted exactly beforehand (rule 9).
 */
#include "mm/commit.h"
#include "mm/edit.h"
#include "mm/errno.h"
#include "mm/map.h"
#include "mm/object.h"
#include "mm/reclaim.h"

/* Counts the tables that leaves moved by distance will want, in the order of addresses. */
struct count {
	struct mm *mm;
	i64 distance;
	vaddr_t last[ROOT_LEVEL]; /* start of the last table counted, by level; odd: none yet */
	u32 missing;
	bool any; /* a page was there, maybe in swap, the zero page apart */
};

static bool has_table(struct mm *mm, vaddr_t addr, u32 level)
{
	struct page *table = mm->root;

	while (table->level > level) {
		u64 entry = *node_at(table, entry_index(addr, table->level));

		if (!entry)
			return false;
		table = entry_child(entry);
	}
	return true;
}

static void count_leaf(struct count *count, vaddr_t to)
{
	for (u32 level = 1; level < ROOT_LEVEL; level++) {
		vaddr_t start = ROUND_DOWN(to, entry_span(level + 1));

		if (count->last[level] == start)
			return; /* and so were those above */
		count->last[level] = start;
		count->missing += !has_table(count->mm, to, level);
	}
}

static void count_leaves(struct count *count, struct page *table, vaddr_t base,
			 const struct span *span)
{
	vaddr_t low;

	for_each_in_span(table, base, span, entry, low) {
		if (table->level > 1) {
			count_leaves(count, entry_child(*entry), low, span);
		} else {
			count_leaf(count, low + (u64)count->distance);
			count->any |= entry_counts_present(*entry) || entry_is_swap(*entry);
		}
	}
}

/* The PTE table of addr in an owned path, its missing tables made from the reserve. */
static struct page *make_leaf_table(struct mm *mm, vaddr_t addr, struct edit *edit)
{
	struct page *table = mm->root;

	while (table->level > 1) {
		u64 *entry = node_at(table, entry_index(addr, table->level));

		if (!*entry) {
			struct page *made = reserve_take(&edit->reserve);

			table_init(made, table->level - 1u);
			entry_set(table, entry, page_paddr(made) | ENTRY_P | ENTRY_U | ENTRY_A);
		}
		table = node_own_child(entry, addr, &edit->reserve, &edit->gather);
	}
	return table;
}

/* Moves the leaves in span by distance. All tables of span are owned, and the path to its new place. */
static void move_leaves(struct mm *mm, struct page *table, vaddr_t base, const struct span *span,
			i64 distance, struct edit *edit)
{
	vaddr_t low;

	for_each_in_span(table, base, span, entry, low) {
		if (table->level > 1) {
			move_leaves(mm, entry_child(*entry), low, span, distance, edit);
			continue;
		}

		vaddr_t to = low + (u64)distance;
		struct page *target = make_leaf_table(mm, to, edit);

		entry_set(target, node_at(target, entry_index(to, 1)), entry_take(table, entry));
	}
}

/* What mremap was asked for, and what it found. */
struct remap {
	struct span old, new; /* old may be empty: a second mapping of what is mapped there */
	u64 length;           /* wanted */
	u32 flags;
	struct region region; /* the piece of the old one at old.start */
};

static bool stays_in_place(const struct remap *remap)
{
	return !(remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP));
}

/* Lets go of the tables of the old place, which are empty now, and of its region unless it stays. */
static void leave_old_place(struct mm *mm, const struct remap *remap, struct edit *edit)
{
	vaddr_t start = remap->old.start, end = remap->old.end;

	edit_zap(edit, mm, &remap->old);
	if (remap->flags & MREMAP_DONTUNMAP)
		regions_set_flags(mm->regions, start, end, MAP_LOCKED | REGION_ONFAULT, 0);
	else
		regions_cut(mm->regions, start, end);
}

static struct count count_move(struct mm *mm, const struct remap *remap)
{
	struct count count = {.mm = mm,
			      .distance = (i64)(remap->new.start - remap->old.start),
			      .last = {1, 1, 1, 1}};

	count_leaves(&count, mm->root, 0, &remap->old);
	return count;
}

/*
 * The memory for a move, and ownership of all that it changes. Others may have filled tables that were shared until
 * then, so it is counted again what is missing. -ENOMEM: as for edit_begin().
 */
static int begin_move(struct edit *edit, struct mm *mm, const struct remap *remap,
		      struct count *count)
{
	u32 frames = edit_need(mm, &remap->new, PARTLY_COVERED) + count_move(mm, remap).missing;
	int error = edit_begin(edit, mm, &remap->old, ALL_TABLES, frames,
			       regions_splits(mm->regions, remap->old.start, remap->old.end) + 1);

	if (error)
		return error;
	error = edit_own(edit, mm, &remap->new, PARTLY_COVERED);
	if (!error) {
		*count = count_move(mm, remap);
		error = reserve_fill(&edit->reserve, count->missing);
	}
	if (error)
		edit_end(edit);
	return error;
}

/* Bytes that a move maps beside what it takes along: all of the new place, when the old region stays. */
static u64 growth_of(const struct remap *remap)
{
	u64 old = remap->old.end - remap->old.start;

	return remap->flags & MREMAP_DONTUNMAP ? remap->length : remap->length - old;
}

/* Moves the region to new, which is free, and as long or longer. locked: mm->lock, writer */
static i64 move(struct mm *mm, const struct remap *remap)
{
	struct region region = remap->region;
	u64 promise = region.flags & REGION_ACCOUNT ? growth_of(remap) >> PAGE_SHIFT : 0;
	struct count count;
	struct edit edit;
	int error = commit_charge(mm, promise, 0);

	if (!error)
		error = begin_move(&edit, mm, remap, &count);
	if (error)
		return error;
	move_leaves(mm, mm->root, 0, &remap->old, count.distance, &edit);

	region.start = remap->new.start;
	region.end = remap->new.end;
	if (region.object)
		object_get(region.object);
	else if (!count.any)
		region.offset = region.start;
	leave_old_place(mm, remap, &edit);
	regions_insert(mm->regions, region);
	edit_end(&edit);
	return (i64)remap->new.start;
}

/* Adds the tail [old.end, old.start + length) to the region, if it is free. locked: mm->lock, writer */
static bool grow_in_place(struct mm *mm, const struct remap *remap)
{
	struct region tail = remap->region;
	struct span span = {remap->old.end, remap->old.start + remap->length};

	if (remap->region.end != remap->old.end || span.end > USER_END ||
	    !place_is_free(mm->regions, &span))
		return false;
	tail.offset += remap->old.end - remap->old.start;
	return map_locked(mm, &span, tail) == 0;
}

/* Notes the region at old.start, from there on. -EFAULT: it does not hold all of old; -EINVAL: it
 * cannot be mapped twice. */
static int find_region(struct mm *mm, struct remap *remap)
{
	const struct region *region = regions_at(mm->regions, remap->old.start);

	if (!region || region->end < remap->old.end)
		return -EFAULT;
	if (remap->old.start == remap->old.end && !(region->flags & MAP_SHARED))
		return -EINVAL;
	remap->region = *region;
	remap->region.offset += remap->old.start - region->start;
	remap->region.start = remap->old.start;
	return 0;
}

/* The limits, for what the region grows by, or for all of it when the old one stays. */
static int check_growth(struct mm *mm, const struct remap *remap)
{
	u64 more = growth_of(remap);
	/* Where nothing is mapped: only the length counts. */
	struct span beyond = {USER_END, USER_END + more};

	return more ? check_limits(mm, &beyond, &remap->region) : 0;
}

/* Whether a second mapping would take the place of the first, which it is to be like. */
static bool replaces_itself(const struct remap *remap, vaddr_t new_addr)
{
	return remap->old.start == remap->old.end && !stays_in_place(remap) &&
	       new_addr <= remap->old.start && remap->old.start < new_addr + remap->length;
}

/* To another place: new_addr with MREMAP_FIXED, else a hint. locked: mm->lock, writer */
static i64 relocate(struct mm *mm, struct remap *remap, vaddr_t new_addr)
{
	u32 place = remap->flags & MREMAP_FIXED ? MAP_FIXED : 0;
	int error = 0;

	if (!(remap->flags & MREMAP_MAYMOVE) || mm->regions->count + 3 >= max_regions)
		return -ENOMEM;
	error = choose_place(mm, stays_in_place(remap) ? 0 : new_addr, remap->length, place,
			     &remap->new);
	if (!error)
		error = unmap_locked(mm, &remap->new);
	if (error)
		return error;
	if (remap->old.start < remap->old.end)
		return move(mm, remap);
	error = map_locked(mm, &remap->new, remap->region);
	return error ? error : (i64)remap->new.start;
}

/* Cuts off what of the old range is longer than wanted. locked: mm->lock, writer */
static int cut_tail(struct mm *mm, struct remap *remap)
{
	struct span tail = {remap->old.start + remap->length, remap->old.end};
	int error;

	if (tail.start >= tail.end)
		return 0;
	if (tail.end > USER_END)
		return -EINVAL;
	error = unmap_locked(mm, &tail);
	if (!error)
		remap->old.end = tail.start;
	return error;
}

/* Whether new_addr, the place or a hint, is one, and apart from the old place. */
static bool place_good(const struct remap *remap, vaddr_t new_addr)
{
	if (stays_in_place(remap))
		return true;
	if ((new_addr & PAGE_MASK) || remap->length > USER_END ||
	    new_addr > USER_END - remap->length)
		return false;
	return new_addr + remap->length <= remap->old.start || remap->old.end <= new_addr;
}

/* locked: mm->lock, writer */
static i64 remap_locked(struct mm *mm, struct remap *remap, vaddr_t new_addr)
{
	bool shrinks = remap->old.end - remap->old.start >= remap->length;
	int error;

	if (!regions_at(mm->regions, remap->old.start))
		return -EFAULT;
	if (!place_good(remap, new_addr))
		return -EINVAL;
	if (remap->length > USER_END)
		return -ENOMEM;
	error = cut_tail(mm, remap);
	if (error)
		return error;
	if (stays_in_place(remap) && shrinks)
		return (i64)remap->old.start;
	error = replaces_itself(remap, new_addr) ? -EFAULT : find_region(mm, remap);
	if (!error)
		error = check_growth(mm, remap);
	if (error)
		return error;
	if (stays_in_place(remap) && grow_in_place(mm, remap))
		return (i64)remap->old.start;
	return relocate(mm, remap, new_addr);
}

static bool flags_good(u32 flags, u64 old_length, u64 length)
{
	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return false;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return false;
	return !(flags & MREMAP_DONTUNMAP) || old_length == length;
}

/* Each try begins with what was asked for, and finds done what an earlier one has unmapped. */
static i64 try_remap(struct mm *mm, struct remap *remap, vaddr_t new_addr)
{
	struct remap asked = *remap;

	write_lock(&mm->lock);
	i64 result = remap_locked(mm, remap, new_addr);
	write_unlock(&mm->lock);
	if (result == -ENOMEM)
		*remap = asked;
	return result;
}

i64 mm_remap(struct mm *mm, vaddr_t addr, u64 old_length, u64 new_length, u32 flags,
	     vaddr_t new_addr)
{
	struct remap remap = {.flags = flags, .length = ROUND_UP(new_length, PAGE_SIZE)};

	if ((addr & PAGE_MASK) || !remap.length || !flags_good(flags, old_length, new_length))
		return -EINVAL;
	old_length = ROUND_UP(old_length, PAGE_SIZE);
	if (addr >= USER_END || old_length > ~0ul - addr)
		return -EFAULT;
	remap.old = (struct span) {addr, addr + old_length};

	i64 result = WITH_RECLAIM(try_remap(mm, &remap, new_addr));

	if (result >= 0 && old_length < remap.length && region_is_locked(&remap.region))
		mm_populate(mm, (vaddr_t)result + old_length, (vaddr_t)result + remap.length);
	return result;
}
