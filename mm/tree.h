/*
 * The tree of page tables, and the law it keeps.
 *
 * Levels: 4 = root (PML4), 3 = PDPT, 2 = PD, 1 = PTE table, 0 = page. An entry in a table of level
 * L points at a child of level L - 1. Tables and pages are nodes alike; fork makes trees share them
 * at any level, and a write copies the path from the first shared node down:
 *
 *       parent     child                        parent     child
 *          |         |                             |         |
 *        [ A ]     [ A']      the child          [ A ]     [ A']
 *            \     /          writes below          |         |
 *             [ B ]2          C                    [ B ]1    [ B']1
 *             /   \           -------->            |   \   /   |
 *         [ C ]1  [ D ]1                         [ C ]1 [ D ]2 [ C']1
 *
 * The figure behind a node is its refs. B was copied, so both its children got one pointer more;
 * then C was copied for the child, and is the parent's alone again. D is shared in B's place.
 *
 * THE LAW
 *
 *  1. Counting. refs(node) = entries that point at it, in any table, plus the kernel's own holders:
 *     an address space's hold on its root, an object's on a page that it caches, the kernel's on
 *     the zero page. Pointers are counted, never processes. A swap slot is a child of level 0 like a
 *     page (mm/swap.h).
 *  2. Ownership. An address space owns a node when every node on the path from its root down to and
 *     including it has refs 1.
 *  3. Edits. Only an owned node may change what an address space means. To edit, walk down from the
 *     root: a child with refs 1 is kept; a child with refs > 1 is copied (node_copy: its children
 *     get one ref more each), the entry pointed at the copy, and one ref of the original dropped.
 *     There is no other copy-on-write.
 *  4. Fills. What every sharer would do alike may be done in place in a shared table, under its
 *     lock: filling an empty entry for a read, so that one fault serves all sharers; taking out the
 *     pages that a file has lost (mm/truncate.c); swapping a page out, and in for a read; clearing
 *     accessed bits.
 *  5. Taking away is safe. Clearing W in a shared table changes no meaning, since a fault gives it
 *     back to whoever may write. Giving needs ownership.
 *  6. Writable means exclusive. An entry has W = 1 only if its child has refs 1. The one exception
 *     is a leaf marked ENTRY_SHARED, which maps a page of a MAP_SHARED region. The processor ANDs W
 *     down the walk (Intel SDM vol. 3, 4.6), so what the hardware lets a program write is exclusive
 *     all the way.
 *  7. Same span, same regions. All sharers of a table agree on the regions over its span: where
 *     they are, what they map, and whether it may be read and executed. They may differ in
 *     PROT_WRITE, which no shared table grants, and in the marks of madvise. Whoever changes regions
 *     first owns the tables that the change covers in part, and drops those that it covers whole
 *     (mm/map.c).
 *     What is locked (MAP_LOCKED) lies in tables that its address space owns, or somebody's reclaim
 *     would take its pages: so fork shares no tables with who has locked memory.
 *  8. Figures live in the node: used, present and swapped are those of the table itself, whoever
 *     shares it.
 *  9. An edit that may need memory takes it first (struct reserve): on failure nothing has changed.
 *
 * mm_audit() recomputes it all (mm/audit.c).
 */
#pragma once

#include "mm/frame.h"
#include "mm/mm.h"

/* Entry bits (Intel SDM vol. 3, table 4-15 to 4-20); 9 to 11 are ignored by the hardware. */
#define ENTRY_P      (1ul << 0)
#define ENTRY_W      (1ul << 1)
#define ENTRY_U      (1ul << 2)
#define ENTRY_A      (1ul << 5)
#define ENTRY_D      (1ul << 6)
#define ENTRY_SHARED (1ul << 9)  /* leaf of a MAP_SHARED region: rule 6 does not bind it */
#define ENTRY_NONE   (1ul << 10) /* leaf under PROT_NONE: holds its page with P = 0 */
/*
 * Leaf that names a swap slot instead of a page, with P = 0. Bits 12 to 43 are the slot, 44 to 48 its area (mm/swap.h).
 * ENTRY_NONE and ENTRY_NX are what the leaf will have when its page is back.
 */
#define ENTRY_SWAP   (1ul << 11)
#define ENTRY_NX     (1ul << 63)
#define ENTRY_PADDR  0x000ffffffffff000ul

#define ROOT_LEVEL   4
#define ENTRIES      512u
#define USER_ENTRIES 256u /* of a root; the others map the kernel and are not part of the tree */

/* Bytes that one entry of a table of this level maps. */
static inline u64 entry_span(u32 level)
{
	return 1ul << (PAGE_SHIFT + 9 * (level - 1));
}

static inline u32 entry_index(vaddr_t addr, u32 level)
{
	return addr >> (PAGE_SHIFT + 9 * (level - 1)) & (ENTRIES - 1);
}

static inline u32 node_entries(const struct page *table)
{
	return table->level == ROOT_LEVEL ? USER_ENTRIES : ENTRIES;
}

static inline u64 *node_at(const struct page *table, u32 index)
{
	return (u64 *)page_virt(table) + index;
}

static inline bool entry_is_swap(u64 entry)
{
	return entry & ENTRY_SWAP;
}

/* The child that a used entry points at, which is no slot. */
static inline struct page *entry_child(u64 entry)
{
	return paddr_page(entry & ENTRY_PADDR);
}

/* The leaf that stands for the swap entry when `page` has what its slot has. */
u64 swap_leaf(u64 entry, const struct page *page);

/* The page that all reads of untouched anonymous memory see. */
extern struct page *zero_page;

static inline bool entry_counts_present(u64 entry)
{
	return entry && !entry_is_swap(entry) && entry_child(entry) != zero_page;
}

/* The first used entry of the table in [at, end), or end; the long way, over empty ones. */
u64 *entry_skip_empty(const struct page *table, u64 *at, u64 *end);

static inline u64 *entry_next_used(const struct page *table, u64 *at, u64 *end)
{
	return at < end && *at ? at : entry_skip_empty(table, at, end);
}

/* for each used entry of a table: u64 *entry */
#define node_for_each(table, entry)                                               \
	for (u64 *entry = node_at(table, 0), *end_ = entry + node_entries(table); \
	     (entry = entry_next_used(table, entry, end_)) < end_; entry++)

static inline u32 node_index(const struct page *table, const u64 *entry)
{
	return (u32)(entry - node_at(table, 0));
}

/*
 * A node's lock guards its entries, used, present and swapped. Order: from the root down. Spins; may
 * not sleep while held.
 */
void node_lock_wait(struct page *table);

static inline void node_lock(struct page *table)
{
	if (atomic_exchange_explicit(&table->lock, 1, memory_order_acquire))
		node_lock_wait(table);
}

static inline void node_unlock(struct page *table)
{
	atomic_store_explicit(&table->lock, 0, memory_order_release);
}

/*
 * The table of level 1 that maps addr, locked, or NULL. owned, if not NULL: whether no node down to it
 * is shared. Hand over hand, so a sharer's changes do not matter. locked: mm->lock, reader
 */
struct page *leaf_table_lock(struct page *root, vaddr_t addr, bool *owned);
#ifdef CHECKED /* mm/lock_order.h */
static inline void node_lock_checked(struct page *table, const struct lock_place *place)
{
	order_take_spinlock(table, LOCK_ORDER(RANK_TABLE, ROOT_LEVEL - table->level), place);
	node_lock(table);
}

static inline void node_unlock_checked(struct page *table, const struct lock_place *place)
{
	order_leave(held_spinlocks(), table, place);
	node_unlock(table);
}

#define node_lock(table)   node_lock_checked(table, LOCK_PLACE(#table))
#define node_unlock(table) node_unlock_checked(table, LOCK_PLACE(#table))
#endif

/* Replaces an entry and keeps used, present, swapped and groups true; refs are the caller's affair. locked:
 * the table. */
void entry_set(struct page *table, u64 *entry, u64 value);

/* Empties an entry, with an exchange, so that no accessed or dirty bit is lost that a processor sets meanwhile;
 * returns what it was. locked: the table. */
u64 entry_take(struct page *table, u64 *entry);

/* ---- Memory taken ahead of an edit (rule 9) ---- */

struct reserve {
	struct page *first; /* linked through link.next */
	u32 count;
};

#define RESERVE_EMPTY   \
	{               \
		NULL, 0 \
	}

/* Takes frames until there are count; -ENOMEM leaves what was there before. */
int reserve_fill(struct reserve *reserve, u32 count);
struct page *reserve_take(struct reserve *reserve);
/* Gives back what an edit did not need. */
void reserve_release(struct reserve *reserve);

/* ---- Pages that lost a pointer, while CPUs may still remember it ---- */

/*
 * A CPU may use a translation until it is flushed, whatever the table says by then. So nobody may take over
 * what it leads to before that: a node's ref is dropped after the flush, or another sharer, who then sees refs 1,
 * would write it under the eyes of this address space's other threads; and what has no pointer any more is freed
 * after it, with its children's refs. What others point at waits in `later`, which, when it is full, is settled by a
 * flush in between.
 */
struct gather {
	struct mm *mm;      /* NULL: no CPU can hold a translation of what is dropped */
	vaddr_t start, end; /* to flush; start >= end: nothing */
	struct page *dead; /* with refs 0, linked through link.prev: a table still has its groups */
	struct page **later; /* to lose one ref each, after the flush */
	u32 later_count, later_room;
};

static inline struct gather gather_begin(struct mm *mm, struct page **later, u32 room)
{
	return (struct gather) {.mm = mm, .start = ~0ul, .later = later, .later_room = room};
}

/* Adds [start, end) to what is flushed: before the first pointer there is dropped. */
static inline void gather_flush(struct gather *gather, vaddr_t start, vaddr_t end)
{
	gather->start = MIN(gather->start, start);
	gather->end = MAX(gather->end, end);
}

/* Settles what was gathered for the gather's mm, and goes on with another one. What is dead waits. */
void gather_switch(struct gather *gather, struct mm *mm);

/* Flushes, then drops and frees what was gathered. Most faults gather nothing. */
void gather_finish(struct gather *gather);
static inline void gather_end(struct gather *gather)
{
	if (gather->start < gather->end || gather->later_count || gather->dead)
		gather_finish(gather);
}

/* ---- Nodes ---- */

/* A pointer more; a pointer less, once gather_end() or a full gather has flushed. */
static inline void page_get(struct page *page)
{
	atomic_fetch_add_explicit(&page->refs, 1, memory_order_relaxed);
}
void page_drop(struct page *page, struct gather *gather);

/* page_drop() of what a used entry names, which may be a slot: no CPU can hold a translation of that. */
void entry_drop(u64 entry, struct gather *gather);

/* page_drop() for a pointer that no CPU can hold a translation of: a caller's own ref, an object's. Returns whether it
 * was the last one. */
bool page_put(struct page *page);

static inline u32 page_refs(const struct page *page)
{
	return atomic_load_explicit(&page->refs, memory_order_acquire);
}

/* Makes a frame an empty table of this level with one ref, the caller's. */
void table_init(struct page *frame, u32 level);

/* Frees a table or a page with refs 0. */
void page_free(struct page *page);

/* Makes a frame a page of data with one ref, the caller's; its contents are the caller's affair. */
void data_init(struct page *frame);

/*
 * Makes `to`, a fresh table of from's level, point at all that `from` points at: every child gets
 * one more ref, and both sides lose W (rule 6). This is fork of one table, and copy-on-write of one.
 * Locks from.
 */
void node_copy(struct page *to, struct page *from);

/*
 * Law 3 for one entry of an owned, locked table: makes the child table that it points at owned too,
 * and sets W. A shared one is copied into a frame of the reserve, which must hold one, and addr's
 * translation is gathered for a flush. Returns the child.
 */
struct page *node_own_child(u64 *entry, vaddr_t addr, struct reserve *reserve,
			    struct gather *gather);
