/*
 * Region sets: sorted by start, disjoint, none empty; two neighbours that could be one are one.
 *
 * The array has room at both ends, and an insertion moves the shorter side: mappings are made from
 * the top down, so most of them go in near the front.
 */
#include "mm/region.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/machine.h"
#include "mm/object.h"

#define FIRST_CAPACITY 16u

u32 max_regions = MAX_REGIONS_DEFAULT;

/* An empty set whose first regions would be `count`, in the middle of its room. */
static struct region_set *set_alloc(u32 capacity, u32 count)
{
	struct region_set *set =
		kmalloc(sizeof(struct region_set) + capacity * sizeof(struct region));

	if (set) {
		set->refs = 1;
		set->capacity = capacity;
		set->at = set->space + (capacity - count) / 2;
		set->searched = MMAP_TOP;
	}
	return set;
}

struct region_set *regions_create(void)
{
	return set_alloc(FIRST_CAPACITY, 0);
}

void regions_get(struct region_set *set)
{
	atomic_fetch_add(&set->refs, 1);
}

static void object_get_any(struct object *object)
{
	if (object)
		object_get(object);
}

static void object_put_any(struct object *object)
{
	if (object)
		object_put(object);
}

void regions_put(struct region_set *set)
{
	if (atomic_fetch_sub(&set->refs, 1) > 1)
		return;
	for (u32 i = 0; i < set->count; i++)
		object_put_any(set->at[i].object);
	kfree(set);
}

u32 regions_find(const struct region_set *set, vaddr_t addr)
{
	u32 low = 0, high = set->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (set->at[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool regions_overlap(const struct region_set *set, vaddr_t start, vaddr_t end)
{
	u32 i = regions_find(set, start);

	return i < set->count && set->at[i].start < end;
}

vaddr_t regions_first_hole(const struct region_set *set, vaddr_t start)
{
	for (u32 i = regions_find(set, start); i < set->count && set->at[i].start <= start; i++)
		start = set->at[i].end;
	return start;
}

bool regions_cover(const struct region_set *set, vaddr_t start, vaddr_t end)
{
	return regions_first_hole(set, start) >= end;
}

static bool holds(const struct region_set *set, u32 index, vaddr_t addr)
{
	return index < set->count && set->at[index].start <= addr && addr < set->at[index].end;
}

struct region *regions_at(struct region_set *set, vaddr_t addr)
{
	u32 i = atomic_load_explicit(&set->latest, memory_order_relaxed);

	if (holds(set, i, addr))
		return &set->at[i];
	i = regions_find(set, addr);
	if (!holds(set, i, addr))
		return NULL;
	atomic_store_explicit(&set->latest, i, memory_order_relaxed);
	return &set->at[i];
}

bool region_is_data(const struct region *region)
{
	return (region->prot & PROT_WRITE) && !(region->flags & (MAP_SHARED | MAP_GROWSDOWN));
}

u64 regions_bytes(const struct region_set *set, vaddr_t start, vaddr_t end, bool data_only)
{
	u64 bytes = 0;

	regions_for_each(set, region, start, end)
		if (!data_only || region_is_data(region))
			bytes += MIN(region->end, end) - MAX(region->start, start);
	return bytes;
}

u64 regions_promised(const struct region_set *set, vaddr_t start, vaddr_t end)
{
	u64 bytes = 0;

	regions_for_each(set, region, start, end)
		if (region->flags & REGION_ACCOUNT)
			bytes += MIN(region->end, end) - MAX(region->start, start);
	return bytes >> PAGE_SHIFT;
}

vaddr_t region_floor(const struct region *region)
{
	u64 guard = region->flags & MAP_GROWSDOWN ? STACK_GUARD : 0;

	return region->start > guard ? region->start - guard : 0;
}

/*
 * Searches from the top, or from where an earlier search left off if it found nothing so long above.
 * What it learns it keeps with a set that is the caller's own; a cut makes gaps, and forgets it.
 */
vaddr_t regions_find_gap(struct region_set *set, u64 length)
{
	bool known = length > set->widest && set->searched < MMAP_TOP;
	vaddr_t top = known ? set->searched : MMAP_TOP;
	u64 widest = known ? set->widest : 0;
	u32 i = regions_find(set, top - 1); /* the regions from here on are above, */

	i += i < set->count && set->at[i].start < top; /* but for one that holds the top */
	for (; i > 0; i--) {
		const struct region *region = &set->at[i - 1];

		if (region->end < top) {
			if (top - region->end >= length)
				break;
			widest = MAX(widest, top - region->end);
		}
		top = region_floor(region);
	}
	if (top < length || top - length < USER_START)
		return 0;
	if (atomic_load(&set->refs) == 1) {
		set->searched = top;
		set->widest = widest;
	}
	return top - length;
}

static u32 splits_at(const struct region_set *set, vaddr_t addr)
{
	u32 i = regions_find(set, addr);

	return i < set->count && set->at[i].start < addr;
}

u32 regions_splits(const struct region_set *set, vaddr_t start, vaddr_t end)
{
	return splits_at(set, start) + splits_at(set, end);
}

int regions_own(struct region_set **set, u32 more)
{
	struct region_set *old = *set;
	u32 wanted = old->count + more;

	if (atomic_load(&old->refs) == 1 && wanted <= old->capacity)
		return 0;

	u32 capacity = MAX(FIRST_CAPACITY, wanted > old->capacity ? 2 * wanted : old->capacity);
	struct region_set *copy = set_alloc(MIN(capacity, MAX_REGIONS_MOST), old->count);

	if (!copy || wanted > copy->capacity) {
		kfree(copy);
		return -ENOMEM;
	}
	copy->count = old->count;
	copy->fork_marked = old->fork_marked;
	copy->promised = old->promised;
	copy->searched = old->searched;
	copy->widest = old->widest;
	memcpy(copy->at, old->at, old->count * sizeof(struct region));
	for (u32 i = 0; i < copy->count; i++)
		object_get_any(copy->at[i].object);
	regions_put(old);
	*set = copy;
	return 0;
}

/* Moves all regions to the middle of their room. */
static void recentre(struct region_set *set)
{
	struct region *to = set->space + (set->capacity - set->count) / 2;

	memmove(to, set->at, set->count * sizeof(struct region));
	set->at = to;
}

/* When the shorter side has no room, all move once, and then there is room on both for as many again: so that
 * however many go in on one side, each moves few. */
static void make_gap(struct region_set *set, u32 index)
{
	bool nearer_start = index < set->count / 2;
	u32 room = set->capacity - set->count;

	ASSERT(room > 0, "count %u, capacity %u", set->count, set->capacity);
	if (room > 1 && set->at == (nearer_start ? set->space : set->space + room))
		recentre(set);
	if (nearer_start ? set->at > set->space : set->at == set->space + room) {
		set->at--;
		memmove(set->at, set->at + 1, index * sizeof(struct region));
	} else {
		memmove(&set->at[index + 1], &set->at[index],
			(set->count - index) * sizeof(struct region));
	}
	set->count++;
}

static void close_gap(struct region_set *set, u32 index, u32 width)
{
	u32 behind = set->count - index - width;

	if (index < behind) {
		memmove(set->at + width, set->at, index * sizeof(struct region));
		set->at += width;
	} else {
		memmove(&set->at[index], &set->at[index + width], behind * sizeof(struct region));
	}
	set->count -= width;
}

/* Makes addr a boundary between regions; returns the index of the first region that starts at or
 * above it. */
static u32 split_at(struct region_set *set, vaddr_t addr)
{
	u32 i = regions_find(set, addr);

	if (i == set->count || set->at[i].start >= addr)
		return i;
	make_gap(set, i);
	set->at[i] = set->at[i + 1];
	set->at[i].end = addr;
	set->at[i + 1].start = addr;
	set->at[i + 1].offset += addr - set->at[i].start;
	object_get_any(set->at[i].object);
	return i + 1;
}

static bool mergeable(const struct region *a, const struct region *b)
{
	return a->end == b->start && a->prot == b->prot && a->flags == b->flags &&
	       a->object == b->object && a->offset + (a->end - a->start) == b->offset;
}

/* Merges the neighbours among the regions first - 1 to last. */
static void merge_around(struct region_set *set, u32 first, u32 last)
{
	for (u32 i = MIN(last, set->count - 1); set->count && i > 0 && i + 1 > first; i--) {
		if (!mergeable(&set->at[i - 1], &set->at[i]))
			continue;
		set->at[i - 1].end = set->at[i].end;
		object_put_any(set->at[i].object);
		close_gap(set, i, 1);
	}
}

void regions_cut(struct region_set *set, vaddr_t start, vaddr_t end)
{
	u32 first = split_at(set, start);
	u32 last = split_at(set, end);

	for (u32 i = first; i < last; i++) {
		set->promised -= region_promised(&set->at[i]);
		object_put_any(set->at[i].object);
	}
	close_gap(set, first, last - first);
	set->searched = MMAP_TOP;
}

void regions_insert(struct region_set *set, struct region region)
{
	u32 i = regions_find(set, region.start);

	make_gap(set, i);
	set->at[i] = region;
	set->fork_marked |= !!(region.flags & REGION_FORK_MARKS);
	set->promised += region_promised(&region);
	if (region.end > set->searched) /* it may stand in what was kept free for a stack */
		set->searched = MMAP_TOP;
	merge_around(set, i, i + 1);
}

void regions_extend_down(struct region_set *set, u32 index, vaddr_t start)
{
	struct region *region = &set->at[index];

	set->promised -= region_promised(region);
	region->offset -= region->start - start;
	region->start = start;
	set->promised += region_promised(region);
	merge_around(set, index, index);
}

void regions_protect(struct region_set *set, vaddr_t start, vaddr_t end, u32 prot)
{
	u32 first = split_at(set, start);
	u32 last = split_at(set, end);

	for (u32 i = first; i < last; i++) {
		set->promised -= region_promised(&set->at[i]);
		set->at[i].prot = prot;
		set->at[i].flags |= region_account(prot, set->at[i].flags);
		set->promised += region_promised(&set->at[i]);
	}
	merge_around(set, first, last);
}

void regions_set_flags(struct region_set *set, vaddr_t start, vaddr_t end, u32 take, u32 add)
{
	u32 first = split_at(set, start);
	u32 last = split_at(set, end);

	for (u32 i = first; i < last; i++)
		set->at[i].flags = (set->at[i].flags & ~take) | add;
	set->fork_marked |= !!(add & REGION_FORK_MARKS);
	merge_around(set, first, last);
}
