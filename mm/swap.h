/*
 * Swap: areas on devices, their slots, and the pages that hold what a slot holds.
 *
 * A slot is a child of the tree like a page (the law, mm/tree.h): an entry of a PTE table may name one, and refs(slot)
 * counts the entries that do, plus the slot cache's hold. The slot cache ties a page and a slot that hold the same:
 *
 *      PT          PT'                 refs(page) = entries + 1, the slot cache's
 *      [ page ]    [ swap ]            refs(slot) = swap entries + 1, the slot cache's
 *         |           |
 *       page <-----> slot              who faults on the swap entry gets this page
 *
 *  1. A page with a slot is never writable: its refs are 2 or more (rule 6 of the law). So once written its slot is
 *     true for as long as the two are tied, and the page can be dropped at any moment without a second write.
 *  2. An entry names a slot only after the slot was written: no swap entry ever leads to data that is not there. A
 *     write that fails therefore changes nothing but the slot, which is bad from then on.
 *  3. Who writes to a page unties it first: an entry that is its last one takes it over (swap_cache_take()), whatever
 *     others name the slot; with more entries it is copied like any shared page.
 *  4. A page that only the cache holds waits there for the others that name its slot, and is the first to be reclaimed.
 *     When nobody names the slot any more, or memory is low, it is let go of at once, by who dropped the last pointer.
 */
#pragma once

#include "mm/types.h"

struct page;

/* ---- For the block layer ---- */

/* How an area's device is read and written, a page at a time, kernel memory: 0 or -EIO. May sleep. */
struct swap_store {
	int (*read)(void *device, u64 page, void *to);
	int (*write)(void *device, u64 page, const void *from);
};

#define SWAP_AREAS     32u
#define SWAP_MOST_LAST ((1ul << 25) - 1) /* 128 GB: what one allocation has bits for */

/*
 * Adds an area of the pages 1 to last (page 0 is its header), without those in bad[]; of areas with room the one of
 * the highest priority is used. Returns its number, -ENOMEM, -EPERM when there are SWAP_AREAS, or -EINVAL when no
 * page is left. An area beyond SWAP_MOST_LAST is used up to there.
 */
int swap_area_add(const struct swap_store *store, void *device, u64 last, const u32 *bad,
		  u32 bad_count, i32 priority);

/*
 * Brings every page of the area back to memory and ends it. -ENOMEM, -EIO (a page cannot be read) or -EINTR
 * (machine_interrupted()): the area is in use as before. -EINVAL: there is no such area, or somebody is at it already.
 * May sleep; the caller holds no lock of mm/'s.
 */
int swap_area_remove(u32 area);

struct swap_area_info {
	u64 pages, used; /* slots that can be used, and those of them that are */
	i32 priority;
	void *device;
};

/* False when there is no area of this number. */
bool swap_area_info(u32 area, struct swap_area_info *info);

/* Slots of all areas, those of them in use; pages of memory that have a slot, and those that only the cache holds. */
struct swap_totals {
	u64 pages, used, cached, waiting;
};
void swap_totals(struct swap_totals *totals);

/* ---- For mm/: slots. An `entry` is a swap entry (mm/tree.h): its rights do not matter here. ---- */

static inline u64 swap_slot_of(u64 entry)
{
	return entry >> 12 & 0xffffffff;
}

static inline u32 swap_area_of(u64 entry)
{
	return entry >> 44 & (SWAP_AREAS - 1);
}

/* A pointer more to a slot that has one; a pointer less, and the last one frees the slot. Lockless or under any
 * table's lock. */
void swap_get(u64 entry);
void swap_put(u64 entry);

/* Swap entries that name the slot, holds of the kernel's among them. */
u32 swap_names(u64 entry);

/* ---- The slot cache ---- */

/*
 * Ties a page of data to a free slot: the page gets the cache's ref. Returns a swap entry without rights, or 0 when
 * all areas are full. The caller has a ref of its own, which it keeps until it has called swap_written(). locked: a
 * table that points at the page, so that nobody else does the same
 */
u64 swap_cache_add(struct page *page);

/* Writes what swap_cache_add() tied, and says how that went: a page whose write failed is untied. May sleep. */
bool swap_write(struct page *page);

/* The page that holds what the slot does, with a ref more, the caller's; or NULL. */
struct page *swap_cache_find(u64 entry);

/*
 * swap_cache_find(), with the page read into a fresh frame where there is none, and then *read set: 0, -ENOMEM or -EIO.
 * However many ask, it is read once. The caller holds a ref of the slot. May sleep: no spinlock is held.
 */
int swap_read(u64 entry, struct page **page, bool *read);

/* Unties a page whose only pointer is the caller's, beside the cache's: then it is exclusive. False: others point at
 * it, or it is still being written. */
bool swap_cache_take(struct page *page);

/* Unties a page that has just been mapped, if slots are scarce, more than half of the area's in use, and this one is of no
 * use to anybody else. refs: the caller's own, beside the entry's. */
void swap_cache_spare(struct page *page, u32 refs);

/* The swap entry, without rights, that may stand for a pointer to this page: its slot was written and its area is to
 * stay. Else 0. */
u64 swap_cache_entry(const struct page *page);

/* For who has just made refs 1, and has no pointer left: lets go of the page if the last pointer is the cache's, and it is
 * not to wait there. True: its refs are 0 now, the caller frees it. */
bool swap_cache_forget(struct page *page);

/* For the reclaimer's own ref: frees a page that nobody but it and the cache points at. False: the ref is still there. */
bool swap_cache_evict(struct page *page);

/* Frees pages that wait in the cache, at most so many; returns how many. */
u64 swap_cache_shrink(u64 frames);

/* ---- For swap_area_remove(), mm/swapoff.c ---- */

/* From here on no slot is taken, and no page dropped in favour of one. False: no such area, or it is closed. */
bool swap_area_close(u32 area);
void swap_area_open(u32 area);

/* Unties all pages of a closed area. True: it has no slots in use, and is gone. */
bool swap_area_finish(u32 area);

/* ---- For the audit, with the machine quiet ---- */

struct swap_slot {
	_Atomic u32 refs; /* 0: free, or bad */
	u32 expected;     /* the audit's own count */
	u32 cached;       /* number of the frame that it is tied to, plus 1; 0: none */
	bool written;     /* an entry may name it */
	bool waiting;     /* only the cache holds the page */
};

/* Every slot that is in use, of every area. */
void swap_each(void (*visit)(void *context, u64 entry, struct swap_slot *slot), void *context);
struct swap_slot *swap_slot(u64 entry);
