/*
 * Physical page frames: one struct page per frame, a buddy allocator above them, and a small stack
 * of single frames per CPU in front of it.
 */
#pragma once

#include "mm/list.h"
#include "mm/machine.h"
#include "mm/types.h"

enum page_type {
	PAGE_RESERVED, /* not RAM, or RAM that is never handed out */
	PAGE_FREE,     /* in the buddy system */
	PAGE_STACKED,  /* free too, on a CPU's stack */
	PAGE_KERNEL,   /* the kernel's own: stacks, buffers, tables of pointers */
	PAGE_SLAB,     /* the kernel's own: chunks of one size class (mm/heap.c) */
	PAGE_TABLE,    /* a node of the tree: level 1 to 4 */
	PAGE_DATA,     /* a node of level 0: contents of some address space or object */
};

struct object;

#define FIGURE_BITS 10 /* a table has 512 entries */

struct page {
	_Atomic u32 refs; /* tables and data: pointers to it (the law, mm/tree.h) */
	u32 expected;     /* the audit's own count of refs, meaningless outside it */
	u8 type;          /* enum page_type */
	union {
		u8 order; /* of a free or kernel block, in its first page */
		u8 turn;  /* of a table: the turn of the clock that saw it last (mm/reclaim.c) */
	};
	u8 level;        /* of a table; of a slab: its size class */
	_Atomic u8 lock; /* of a table, for its entries: node_lock() */
	union {
		struct {
			u32 used
			    : FIGURE_BITS; /* of a table: entries that are not empty; of level 1: */
			u32 present : FIGURE_BITS; /* those that name a page but the zero page, */
			u32 swapped : FIGURE_BITS; /* those that name a swap slot */
		};
		u32 figures; /* all three in a word, in this order from the lowest bit on */
		struct {
			u16 chunks;     /* of a slab: chunks handed out, */
			u16 free_chunk; /* and the offset of the first that is not */
		};
	};
	union {
		struct list link; /* while free, reserved for an operation, or about to be freed; of
				     a slab */
		struct {
			struct object *object; /* of data: the object that caches it, or NULL */
			u64 swap; /* of data: names the slot that holds the same, or 0 (mm/swap.h) */
		};
		struct {
			u64 groups;         /* bit g: some entry of the eight from 8g on is used */
			struct mm *visitor; /* in an audit: the first mm it was reached from */
		} table;
	};
};
_Static_assert(offsetof(struct page, link.prev) == offsetof(struct page, table.visitor),
	       "a dead table is linked without losing its groups");
_Static_assert(sizeof(struct page) == 32, "struct page is 32 bytes: 0.8 % of memory");

#define MAX_ORDER 10 /* largest block: 2^10 frames, 4 MB */

extern struct page *frames; /* frames[pfn], for pfn < frames_count */
extern pfn_t frames_count;

static inline pfn_t page_pfn(const struct page *page)
{
	return (pfn_t)(page - frames);
}

static inline paddr_t page_paddr(const struct page *page)
{
	return page_pfn(page) << PAGE_SHIFT;
}

static inline void *page_virt(const struct page *page)
{
	return phys_to_virt(page_paddr(page));
}

static inline struct page *paddr_page(paddr_t at)
{
	return &frames[at >> PAGE_SHIFT];
}

static inline struct page *virt_page(const void *at)
{
	return paddr_page(virt_to_phys(at));
}

/*
 * Boot: array has room for count struct pages, all of them PAGE_RESERVED afterwards. Called once,
 * before any other function here.
 */
void frames_init(struct page *array, pfn_t count);

/* Hands the frames [first, first + count) to the allocator: at boot, or when boot-time data is done
 * with. */
void frames_add(pfn_t first, pfn_t count);

/*
 * Takes 2^order frames in one aligned block, of type PAGE_KERNEL and unspecified contents; NULL
 * when there is none. Does not sleep. The caller owns the block and gives it back with
 * frame_free(), same order.
 */
struct page *frame_alloc(u32 order);
void frame_free(struct page *page, u32 order);

/*
 * frame_alloc(0) for the contents of files, which nobody's death gives back: leaves the last frames
 * alone, 0.4 % of memory and 1 MB at most, so that files can still be removed when they have taken all
 * they could.
 */
struct page *frame_alloc_sparing(void);

/* Allocations that found no frame, those refused for torture apart. */
extern _Atomic u64 frames_exhausted;

/* Whether fewer than `mark` frames were left when a CPU last took some for its stack, since frames_watch() was called. 0
 * = nobody wants to know. */
void frames_watch(u64 mark);
extern _Atomic bool frames_low;

/* frame_alloc(0), cleared. */
struct page *frame_alloc_zeroed(void);

/* Frames that could be handed out now, and frames the allocator was ever given. */
u64 frames_free(void);
u64 frames_total(void);

/*
 * Torture: the nth allocation from now (1 = the next) is refused, once; or it and all after it, as when
 * memory is out. 0 turns it off. Chunks of the heap are allocations too.
 */
void frames_fail_nth(u64 nth);
void frames_fail_from(u64 nth);
/* How many were refused since either was called. */
u64 frames_refused(void);
/* For allocators on top of this one: counts an allocation, and says whether it is to be refused. */
bool frames_refuse(void);
