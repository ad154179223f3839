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
#include "mm/edit.h"
#include "mm/errno.h"
#include "mm/map.h"
#include "mm/object.h"

/* Counts the tables that leaves moved by distance will want, in the order of addresses. */
struct count {
	struct mm *mm;
	i64 distance;
	vaddr_t last[ROOT_LEVEL]; /* start of the last table counted, by level; odd: none yet */
	u32 missing;
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
		if (table->level > 1)
			count_leaves(count, entry_child(*entry), low, span);
		else
			count_leaf(count, low + (u64)count->distance);
	}
}

static u32 missing_tables(struct mm *mm, const struct span *span, i64 distance)
{
	struct count count = {.mm = mm, .distance = distance, .last = {1, 1, 1, 1}};

	count_leaves(&count, mm->root, 0, span);
	return count.missing;
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

		entry_set(target, node_at(target, entry_index(to, 1)), *entry);
		entry_set(table, entry, 0);
	}
}

/* What mremap was asked for, and what it found. */
struct remap {
	struct span old, new;
	u32 flags;
	struct region region; /* the piece of the old one at old.start */
};

/* Lets go of the tables of the old place, which are empty now, and of its region unless it stays. */
static void leave_old_place(struct mm *mm, const struct remap *remap, struct edit *edit)
{
	edit_zap(edit, mm, &remap->old);
	if (!(remap->flags & MREMAP_DONTUNMAP))
		regions_cut(mm->regions, remap->old.start, remap->old.end);
}

/* Moves the region to new, which is free, and as long or longer. locked: mm->lock, writer */
static i64 move(struct mm *mm, const struct remap *remap)
{
	i64 distance = (i64)(remap->new.start - remap->old.start);
	struct region region = remap->region;
	struct edit edit;
	u32 frames_needed;
	int error;

	frames_needed = edit_need(mm, &remap->new, PARTLY_COVERED) +
			missing_tables(mm, &remap->old, distance);
	error = edit_begin(&edit, mm, &remap->old, ALL_TABLES, frames_needed,
			   regions_splits(mm->regions, remap->old.start, remap->old.end) + 1);
	if (error)
		return error;
	edit_own(&edit, mm, &remap->new, PARTLY_COVERED);
	move_leaves(mm, mm->root, 0, &remap->old, distance, &edit);

	region.start = remap->new.start;
	region.end = remap->new.end;
	if (region.object)
		object_get(region.object);
	leave_old_place(mm, remap, &edit);
	regions_insert(mm->regions, region);
	edit_end(&edit);
	return (i64)remap->new.start;
}

/* Adds the tail [old.end, new end) to the region, if it is free. locked: mm->lock, writer */
static bool grow_in_place(struct mm *mm, const struct remap *remap, u64 length)
{
	struct region tail = remap->region;
	struct span span = {remap->old.end, remap->old.start + length};

	if (remap->region.end != remap->old.end || span.end > USER_END ||
	    regions_overlap(mm->regions, span.start, span.end))
		return false;
	tail.offset += tail.object ? remap->old.end - remap->old.start : 0;
	return map_locked(mm, &span, tail) == 0;
}

/* The region at old.start, from there on; -EFAULT when there is none that holds all of old. */
static int find_region(struct mm *mm, struct remap *remap)
{
	u32 i = regions_find(mm->regions, remap->old.start);

	if (i == mm->regions->count || mm->regions->at[i].start > remap->old.start ||
	    mm->regions->at[i].end < remap->old.end)
		return -EFAULT;
	remap->region = mm->regions->at[i];
	if (remap->region.object)
		remap->region.offset += remap->old.start - remap->region.start;
	remap->region.start = remap->old.start;
	return 0;
}

/* Unmaps the tail of old beyond length, which may lie in other regions than its start. locked: mm->lock, writer */
static int shrink(struct mm *mm, struct remap *remap, u64 length)
{
	struct span tail = {remap->old.start + length, remap->old.end};

	if (!regions_overlap(mm->regions, remap->old.start, remap->old.start + PAGE_SIZE))
		return -EFAULT;
	if (tail.start >= tail.end)
		return 0;
	remap->old.end = tail.start;
	return unmap_locked(mm, &tail);
}

/* Shrinks, grows, moves. locked: mm->lock, writer */
static i64 remap_locked(struct mm *mm, struct remap *remap, u64 length, vaddr_t new_addr)
{
	u32 place = remap->flags & MREMAP_FIXED ? MAP_FIXED : 0;
	bool stays = !(remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP));
	bool grows = length > remap->old.end - remap->old.start;
	int error = shrink(mm, remap, length);

	if (!error && stays && !grows)
		return (i64)remap->old.start;
	if (!error)
		error = find_region(mm, remap);
	if (error)
		return error;
	if (stays && grow_in_place(mm, remap, length))
		return (i64)remap->old.start;
	if (!(remap->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	error = choose_place(mm, place ? new_addr : 0, length, place, &remap->new);
	if (!error)
		error = unmap_locked(mm, &remap->new);
	return error ? error : move(mm, remap);
}

static bool arguments_good(const struct remap *remap, u64 old_length, u64 length, vaddr_t new_addr)
{
	u32 flags = remap->flags;

	if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) ||
	    ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE)) ||
	    ((flags & MREMAP_DONTUNMAP) && old_length != length))
		return false;
	if (!(flags & MREMAP_FIXED))
		return true;
	return !(new_addr & PAGE_MASK) && length <= USER_END && new_addr <= USER_END - length &&
	       (new_addr + length <= remap->old.start || remap->old.end <= new_addr);
}

i64 mm_remap(struct mm *mm, vaddr_t addr, u64 old_length, u64 new_length, u32 flags,
	     vaddr_t new_addr)
{
	struct remap remap = {.flags = flags};

	if (new_length == 0 || new_length > USER_END || old_length == 0 ||
	    !span_init(&remap.old, addr, old_length))
		return -EINVAL;
	new_length = ROUND_UP(new_length, PAGE_SIZE);
	old_length = remap.old.end - remap.old.start;
	if (!arguments_good(&remap, old_length, new_length, new_addr))
		return -EINVAL;
	write_lock(&mm->lock);
	i64 result = remap_locked(mm, &remap, new_length, new_addr);
	write_unlock(&mm->lock);
	return result;
}
