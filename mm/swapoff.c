/*
 * The end of an area of swap. Each page is read, once however many entries name its slot, and put in place of them in every
 * table of every address space, in place (rule 4 of mm/tree.h). Since a slot stays true while its page is tied to it, an
 * end that fails half-way has changed nothing that anybody sees.
 *
 * An entry can slip by, by a move to where has been looked already; then another round follows.
 */
#include "mm/edit.h"
#include "mm/errno.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/tree.h"

#define BATCH 16u

struct swapoff {
	u32 area;
	u32 count;
	u64 entries[BATCH]; /* a ref of each is held */
	struct page *pages[BATCH];
};

/* Entries of the area in a table, as many as a batch takes. locked: table */
static void collect(struct swapoff *off, struct page *table)
{
	off->count = 0;
	if (!table->swapped)
		return;
	node_for_each(table, entry) {
		if (!entry_is_swap(*entry) || swap_area_of(*entry) != off->area)
			continue;
		if (off->count == BATCH)
			return;
		swap_get(off->entries[off->count++] = *entry);
	}
}

/* Puts the page in place of the entries that name its slot. locked: table */
static void bring_back(struct page *table, u64 swap, struct page *page)
{
	node_for_each(table, entry) {
		u64 old = *entry;

		if (!entry_is_swap(old) || (old ^ swap) & ENTRY_PADDR)
			continue;
		page_get(page);
		entry_set(table, entry, swap_leaf(old, page));
		swap_put(old);
	}
}

/* Reads what was collected, with reclaim into other areas if need be. */
static int read_batch(struct swapoff *off)
{
	int error = 0;
	bool read;

	for (u32 i = 0; i < off->count; i++) {
		off->pages[i] = NULL;
		if (!error)
			error = WITH_RECLAIM(swap_read(off->entries[i], &off->pages[i], &read));
	}
	return error;
}

static void release_batch(struct swapoff *off)
{
	for (u32 i = 0; i < off->count; i++) {
		if (off->pages[i])
			page_put(off->pages[i]);
		swap_put(off->entries[i]);
	}
}

/* The PTE table at addr: one batch of it. Returns how many entries were found, or an error. */
static int empty_leaf(struct swapoff *off, struct mm *mm, vaddr_t addr)
{
	struct page *table;
	int error;

	read_lock(&mm->lock);
	table = leaf_table_lock(mm->root, addr, NULL);
	off->count = 0;
	if (table) {
		collect(off, table);
		node_unlock(table);
	}
	read_unlock(&mm->lock);
	error = read_batch(off);
	read_lock(&mm->lock);
	table = error ? NULL : leaf_table_lock(mm->root, addr, NULL);
	if (table) {
		for (u32 i = 0; i < off->count; i++)
			bring_back(table, off->entries[i], off->pages[i]);
		node_unlock(table);
	}
	read_unlock(&mm->lock);
	release_batch(off);
	return error ? error : (int)off->count;
}

static int empty_mm(struct swapoff *off, struct mm *mm)
{
	vaddr_t at = 0;
	int result = 0;

	while (result >= 0 && mm_next_leaf(mm, &at)) {
		while ((result = empty_leaf(off, mm, at)) > 0)
			if (machine_interrupted())
				return -EINTR;
		at = ROUND_DOWN(at, entry_span(2)) + entry_span(2);
	}
	return MIN(result, 0);
}

static int empty_all(struct swapoff *off)
{
	struct mm *mm = mm_next(NULL), *next;
	int error = 0;

	for (; mm; mm = next) {
		if (!error)
			error = empty_mm(off, mm);
		next = error ? NULL : mm_next(mm);
		mm_put(mm);
	}
	return error;
}

int swap_area_remove(u32 area)
{
	struct swapoff off = {.area = area};
	int error = 0;

	if (!swap_area_close(area))
		return -EINVAL;
	do {
		error = machine_interrupted() ? -EINTR : empty_all(&off);
		if (error)
			swap_area_open(area);
	} while (!error && !swap_area_finish(area));
	return error;
}
