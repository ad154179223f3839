/* Nodes of the tree: what keeps rules 1, 3, 6 and 9 of the law (mm/tree.h). */
#include "mm/tree.h"
#include "mm/errno.h"
#include "mm/swap.h"

struct page *zero_page;
struct mm_stat mm_stat;

#define ALWAYS_INLINE inline __attribute__((always_inline))

#define GROUP 8u /* entries that one bit of table.groups stands for */
_Static_assert(ENTRIES / GROUP == 64, "one word has a bit for each group");
#define GROUP_BYTES (GROUP * sizeof(u64))

/* A table is a page: the address of an entry tells its place there. */
static u32 group_of(const u64 *entry)
{
	return (u32)(((u64)entry & PAGE_MASK) / GROUP_BYTES);
}

u64 *entry_skip_empty(const struct page *table, u64 *at, u64 *end)
{
	u64 *group_end = (u64 *)ROUND_UP((u64)at, GROUP_BYTES);

	for (; at < group_end; at++)
		if (*at)
			return MIN(at, end);
	if (at >= end)
		return end;

	u64 groups = table->table.groups >> group_of(at);

	if (!groups)
		return end;
	at += (u64)GROUP * (u64)__builtin_ctzl(groups);
	while (at < end && !*at)
		at++;
	return at;
}

void node_lock_wait(struct page *table)
{
	while (atomic_exchange_explicit(&table->lock, 1, memory_order_acquire))
		__builtin_ia32_pause();
}

struct page *leaf_table_lock(struct page *root, vaddr_t addr, bool *owned)
{
	struct page *table = root;
	bool shared = false;

	node_lock(table);
	while (table && table->level > 1) {
		u64 entry = *node_at(table, entry_index(addr, table->level));
		struct page *child = entry ? entry_child(entry) : NULL;

		if (child) {
			shared |= page_refs(child) > 1;
			node_lock(child);
		}
		node_unlock(table);
		table = child;
	}
	if (owned)
		*owned = !shared;
	return table;
}

static bool group_is_empty(const u64 *e)
{
	return !(e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]);
}

/* What a leaf adds to its table's figures. */
static ALWAYS_INLINE u32 figures_of(u64 leaf)
{
	if (!leaf)
		return 0;
	if (entry_is_swap(leaf))
		return 1u | 1u << 2 * FIGURE_BITS;
	return entry_child(leaf) == zero_page ? 1u : 1u | 1u << FIGURE_BITS;
}

/* Keeps the figures true when an entry that was `old` has become `value`. */
static ALWAYS_INLINE void account(struct page *table, u64 *entry, u64 old, u64 value)
{
	u64 bit = 1ul << group_of(entry);

	if (table->level == 1)
		table->figures += figures_of(value) - figures_of(old);
	else
		table->figures += (u32) !!value - (u32) !!old;
	if (value)
		table->table.groups |= bit;
	else if (group_is_empty((u64 *)ROUND_DOWN((u64)entry, GROUP_BYTES)))
		table->table.groups &= ~bit;
}

void entry_set(struct page *table, u64 *entry, u64 value)
{
	u64 old = *entry;

	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
	account(table, entry, old, value);
}

u64 entry_take(struct page *table, u64 *entry)
{
	u64 old = __atomic_exchange_n(entry, 0, __ATOMIC_ACQ_REL);

	account(table, entry, old, 0);
	return old;
}

int reserve_fill(struct reserve *reserve, u32 count)
{
	u32 before = reserve->count;

	while (reserve->count < count) {
		struct page *frame = frame_alloc(0);

		if (!frame) {
			while (reserve->count > before)
				frame_free(reserve_take(reserve), 0);
			return -ENOMEM;
		}
		frame->link.next = (struct list *)reserve->first;
		reserve->first = frame;
		reserve->count++;
	}
	return 0;
}

struct page *reserve_take(struct reserve *reserve)
{
	struct page *frame = reserve->first;

	ASSERT(reserve->count > 0, "reserve of %u", reserve->count);
	reserve->first = (struct page *)frame->link.next;
	reserve->count--;
	return frame;
}

void reserve_release(struct reserve *reserve)
{
	while (reserve->count)
		frame_free(reserve_take(reserve), 0);
}

void page_free(struct page *page)
{
	atomic_fetch_sub_explicit(page->type == PAGE_TABLE ? &mm_stat.tables : &mm_stat.data_pages,
				  1, memory_order_relaxed);
	frame_free(page, 0);
}

/* Drops a ref that no CPU can go on using. A page whose last pointer is the slot cache's goes too. */
static ALWAYS_INLINE void drop_now(struct page *page, struct gather *gather)
{
	u32 refs = atomic_fetch_sub_explicit(&page->refs, 1, memory_order_acq_rel);

	if (refs == 2 && page->type == PAGE_DATA && page->swap && swap_cache_forget(page))
		refs = 1;
	if (refs > 1)
		return;
	ASSERT(refs == 1, "frame %lx, type %u, level %u, refs %u", page_pfn(page), page->type,
	       page->level, refs);
	page->link.prev = (struct list *)gather->dead;
	gather->dead = page;
}

static void settle(struct gather *gather)
{
	if (gather->start < gather->end)
		tlb_flush_range(gather->mm, gather->start, gather->end);
	while (gather->later_count)
		drop_now(gather->later[--gather->later_count], gather);
}

/* The only pointer to a page is this address space's: nobody can take it over. */
void page_drop(struct page *page, struct gather *gather)
{
	if (!gather->mm || page_refs(page) == 1) {
		drop_now(page, gather);
		return;
	}
	if (gather->later_count == gather->later_room)
		settle(gather);
	gather->later[gather->later_count++] = page;
}

u64 swap_leaf(u64 entry, const struct page *page)
{
	u64 present = entry & ENTRY_NONE ? 0 : ENTRY_P | ENTRY_A;

	return page_paddr(page) | ENTRY_U | present | (entry & (ENTRY_NX | ENTRY_NONE));
}

void entry_drop(u64 entry, struct gather *gather)
{
	if (entry_is_swap(entry))
		swap_put(entry);
	else
		page_drop(entry_child(entry), gather);
}

void gather_switch(struct gather *gather, struct mm *mm)
{
	settle(gather);
	gather->mm = mm;
	gather->start = ~0ul;
	gather->end = 0;
}

/* Of a dead table, which no CPU can walk any more. */
static void drop_children(struct page *table, struct gather *gather)
{
	node_for_each(table, entry) {
		if (entry_is_swap(*entry))
			swap_put(*entry);
		else
			drop_now(entry_child(*entry), gather);
	}
}

static void free_dead(struct gather *gather)
{
	while (gather->dead) {
		struct page *page = gather->dead;

		gather->dead = (struct page *)page->link.prev;
		if (page->type == PAGE_TABLE)
			drop_children(page, gather);
		page_free(page);
	}
}

void gather_finish(struct gather *gather)
{
	settle(gather);
	free_dead(gather);
}

bool page_put(struct page *page)
{
	struct gather gather = gather_begin(NULL, NULL, 0);

	drop_now(page, &gather);

	bool last = gather.dead;

	gather_end(&gather);
	return last;
}

/* Makes a frame a table whose entries are whatever the frame held. */
static void table_init_uncleared(struct page *frame, u32 level)
{
	frame->type = PAGE_TABLE;
	frame->level = (u8)level;
	frame->lock = 0;
	frame->figures = 0;
	frame->table.groups = 0;
	frame->table.visitor = NULL;
	frame->refs = 1;
	atomic_fetch_add_explicit(&mm_stat.tables, 1, memory_order_relaxed);
}

void table_init(struct page *frame, u32 level)
{
	table_init_uncleared(frame, level);
	memset(node_at(frame, 0), 0, node_entries(frame) * sizeof(u64));
}

void data_init(struct page *frame)
{
	frame->type = PAGE_DATA;
	frame->object = NULL;
	frame->swap = 0;
	frame->refs = 1;
	atomic_fetch_add_explicit(&mm_stat.data_pages, 1, memory_order_relaxed);
}

/* The loop of node_copy(), which runs up to 512 times in every copy: so what it need not ask for each entry is asked
 * before. */
static ALWAYS_INLINE void copy_entries(struct page *to, struct page *from, bool may_be_swap)
{
	struct page *const pages = frames;
	i64 distance = (char *)node_at(to, 0) - (char *)node_at(from, 0);

	node_for_each(from, entry) {
		u64 value = *entry;

		if ((value & (ENTRY_W | ENTRY_SHARED)) == ENTRY_W) {
			__atomic_fetch_and(entry, ~ENTRY_W, __ATOMIC_RELAXED);
			value &= ~ENTRY_W;
		}
		if (may_be_swap && entry_is_swap(value))
			swap_get(value);
		else
			page_get(&pages[(value & ENTRY_PADDR) >> PAGE_SHIFT]);
		*(u64 *)((char *)entry + distance) = value;
	}
}

void node_copy(struct page *to, struct page *from)
{
	node_lock(from);
	if (from->swapped)
		copy_entries(to, from, true);
	else
		copy_entries(to, from, false);
	to->figures = from->figures;
	to->table.groups = from->table.groups;
	node_unlock(from);
}

struct page *node_own_child(u64 *entry, vaddr_t addr, struct reserve *reserve,
			    struct gather *gather)
{
	struct page *child = entry_child(*entry);

	if (page_refs(child) > 1) {
		struct page *copy = reserve_take(reserve);

		if (child->used ==
		    ENTRIES) /* and stays so while it is shared: the copy fills every entry */
			table_init_uncleared(copy, child->level);
		else
			table_init(copy, child->level);
		node_copy(copy, child);
		*entry = page_paddr(copy) | ENTRY_P | ENTRY_U | ENTRY_A;
		gather_flush(gather, addr, addr + PAGE_SIZE);
		page_drop(child, gather);
		atomic_fetch_add_explicit(&mm_stat.table_copies, 1, memory_order_relaxed);
		child = copy;
	}
	if (!(*entry & ENTRY_W))
		__atomic_fetch_or(entry, ENTRY_W, __ATOMIC_RELAXED);
	return child;
}
