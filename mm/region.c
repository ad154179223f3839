/*
 * Region sets: sorted by start, disjoint, none empty; two neighbours that could be one are one.
 */
#include "mm/region.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/machine.h"
#include "mm/object.h"

#define FIRST_CAPACITY 16u

static struct region_set *set_alloc(u32 capacity)
{
	struct region_set *set =
		kmalloc(sizeof(struct region_set) + capacity * sizeof(struct region));

	if (set) {
		set->refs = 1;
		set->capacity = capacity;
	}
	return set;
}

struct region_set *regions_create(void)
{
	return set_alloc(FIRST_CAPACITY);
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

bool regions_cover(const struct region_set *set, vaddr_t start, vaddr_t end)
{
	for (u32 i = regions_find(set, start); start < end; i++) {
		if (i == set->count || set->at[i].start > start)
			return false;
		start = set->at[i].end;
	}
	return true;
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

	if (more && wanted > MAX_REGIONS)
		return -ENOMEM;
	if (atomic_load(&old->refs) == 1 && wanted <= old->capacity)
		return 0;

	u32 capacity = MAX(FIRST_CAPACITY, wanted > old->capacity ? 2 * wanted : old->capacity);
	struct region_set *copy = set_alloc(MIN(capacity, MAX_REGIONS));

	if (!copy)
		return -ENOMEM;
	copy->count = old->count;
	memcpy(copy->at, old->at, old->count * sizeof(struct region));
	for (u32 i = 0; i < copy->count; i++)
		object_get_any(copy->at[i].object);
	regions_put(old);
	*set = copy;
	return 0;
}

static void make_gap(struct region_set *set, u32 index)
{
	ASSERT(set->count < set->capacity, "count %u, capacity %u", set->count, set->capacity);
	memmove(&set->at[index + 1], &set->at[index], (set->count - index) * sizeof(struct region));
	set->count++;
}

static void close_gap(struct region_set *set, u32 index, u32 width)
{
	memmove(&set->at[index], &set->at[index + width],
		(set->count - index - width) * sizeof(struct region));
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
	set->at[i].end = addr;
	set->at[i + 1].start = addr;
	if (set->at[i].object) {
		object_get(set->at[i].object);
		set->at[i + 1].offset += addr - set->at[i].start;
	}
	return i + 1;
}

static bool mergeable(const struct region *a, const struct region *b)
{
	return a->end == b->start && a->prot == b->prot && a->flags == b->flags &&
	       a->object == b->object &&
	       (!a->object || a->offset + (a->end - a->start) == b->offset);
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

	for (u32 i = first; i < last; i++)
		object_put_any(set->at[i].object);
	close_gap(set, first, last - first);
}

void regions_insert(struct region_set *set, struct region region)
{
	u32 i = regions_find(set, region.start);

	make_gap(set, i);
	set->at[i] = region;
	merge_around(set, i, i + 1);
}

void regions_protect(struct region_set *set, vaddr_t start, vaddr_t end, u32 prot)
{
	u32 first = split_at(set, start);
	u32 last = split_at(set, end);

	for (u32 i = first; i < last; i++)
		set->at[i].prot = prot;
	merge_around(set, first, last);
}

void regions_set_flags(struct region_set *set, vaddr_t start, vaddr_t end, u32 take, u32 add)
{
	u32 first = split_at(set, start);
	u32 last = split_at(set, end);

	for (u32 i = first; i < last; i++)
		set->at[i].flags = (set->at[i].flags & ~take) | add;
	merge_around(set, first, last);
}
