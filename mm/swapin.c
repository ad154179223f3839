/*
 * Reading ahead in swap: who faults on one page after the other gets those that follow too, in place, for all who share
 * the table (rule 4 of mm/tree.h). Twice as many each time, up to a batch, while the faults are where they were expected;
 * none when they are not. They come without the accessed bit, so that those that were not wanted go first.
 */
#include "mm/edit.h"
#include "mm/map.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/tree.h"

#define MOST_AHEAD 16u /* with the page that was asked for */

struct ahead {
	vaddr_t addr;
	u32 count;
	u64 entries[MOST_AHEAD]; /* a ref of each is held */
	struct page *pages[MOST_AHEAD];
};

/* How many pages to have from addr on, itself among them. */
static u32 window(struct mm *mm, const struct region *region, vaddr_t addr)
{
	u32 pages = addr == mm->swap_expected ? MIN(2 * mm->swap_window, MOST_AHEAD) : 1;

	if (region->flags & REGION_SEQUENTIAL)
		pages = MOST_AHEAD;
	if ((region->flags & REGION_RANDOM) || frames_low)
		pages = 1;
	mm->swap_window = pages;
	mm->swap_expected = addr + pages * PAGE_SIZE;
	return pages;
}

/* The swap entries that follow that of addr, up to so many pages, or the first page that is not in swap. */
static void collect(struct ahead *ahead, struct mm *mm, vaddr_t addr, u32 pages)
{
	struct page *table = leaf_table_lock(mm->root, addr, NULL);
	u32 index = entry_index(addr, 1);

	for (u32 i = 1; table && i < pages && index + i < ENTRIES; i++) {
		u64 entry = *node_at(table, index + i);

		if (!entry_is_swap(entry))
			break;
		swap_get(ahead->entries[ahead->count++] = entry);
	}
	if (table)
		node_unlock(table);
}

/* Those that cannot be read now are left for when they are wanted. */
static void read_collected(struct ahead *ahead)
{
	bool good = true, read;

	for (u32 i = 0; i < ahead->count; i++) {
		ahead->pages[i] = NULL;
		good = good && !swap_read(ahead->entries[i], &ahead->pages[i], &read);
	}
}

static void fill(struct ahead *ahead, struct mm *mm, vaddr_t addr)
{
	struct page *table = leaf_table_lock(mm->root, addr, NULL);
	u32 index = entry_index(addr, 1) + 1;

	for (u32 i = 0; table && i < ahead->count && ahead->pages[i]; i++) {
		u64 *entry = node_at(table, index + i), old = *entry;

		if (!entry_is_swap(old) || (old ^ ahead->entries[i]) & ENTRY_PADDR)
			continue;
		page_get(ahead->pages[i]);
		entry_set(table, entry, swap_leaf(old, ahead->pages[i]) & ~ENTRY_A);
		swap_put(old);
	}
	if (table)
		node_unlock(table);
}

/* The first address from *at on, of those that one PTE table maps, whose leaf names a slot. locked: mm->lock, reader */
static bool find_swapped(struct mm *mm, vaddr_t *at)
{
	struct page *table = leaf_table_lock(mm->root, *at, NULL);
	u32 i = entry_index(*at, 1);

	while (table && i < ENTRIES && !entry_is_swap(*node_at(table, i)))
		i++;
	if (table)
		node_unlock(table);
	*at = ROUND_DOWN(*at, entry_span(2)) + i * PAGE_SIZE;
	return table && i < ENTRIES;
}

void swap_in_span(struct mm *mm, const struct span *span)
{
	vaddr_t at = span->start;

	while (!frames_low && mm_next_leaf(mm, &at) && at < span->end) {
		read_lock(&mm->lock);
		bool found = find_swapped(mm, &at);
		read_unlock(&mm->lock);
		if (found && at < span->end) {
			mm_fault_in(mm, at, ACCESS_READ);
			at += PAGE_SIZE;
		}
	}
}

void swap_read_ahead(struct mm *mm, const struct region *region, vaddr_t addr)
{
	struct ahead ahead;
	u32 pages = window(mm, region, addr);

	ahead.count = 0;
	if (pages > 1)
		collect(&ahead, mm, addr, pages);
	if (!ahead.count)
		return;
	read_collected(&ahead);
	fill(&ahead, mm, addr);
	for (u32 i = 0; i < ahead.count; i++) {
		swap_put(ahead.entries[i]);
		if (!ahead.pages[i])
			continue;
		swap_cache_spare(ahead.pages[i], 1);
		page_put(ahead.pages[i]);
	}
}
