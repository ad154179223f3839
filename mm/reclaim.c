/*
 * The clock. Its hand goes over the PTE tables of all address spaces, the oldest first, each table once in a turn however
 * many share it: a table remembers the turn that saw it last. A page whose accessed bit is set loses the bit and stays;
 * one that is found without it is swapped out.
 *
 * Swapping out takes two looks at a table, with the writing between them, since that may sleep:
 *
 *      first look              no lock held             second look
 *      page W, no slot         page is written          swap entry, if it was not
 *        tied to a slot,         to its slot            used meanwhile
 *        loses W
 *      [page]----->page        [page]----->page         [swap]----->slot
 *                   | 3                     | 3                       | 2, 1 when the page is freed
 *                  slot                    slot
 *
 * (refs of the page: its entry, the slot cache, and the reclaimer while it writes). Both looks end with a flush of all CPUs
 * before the table is let go: after the first nobody can write the page, and so it is written whole; after the second
 * nobody can read it, and so it is freed. A page with a written slot needs the second look alone. Who writes to the
 * page between the two gets a copy.
 *
 * While a table is looked at, mm->lock is held for reading, and nobody can let go of the table, since who leaves a table
 * that is shared copies it first, under its lock.
 */
#include "mm/reclaim.h"
#include "mm/edit.h"
#include "mm/swap.h"
#include "mm/tree.h"

#define BATCH      32u
#define MOST_TRIES 16u

/* Turns without a page found until used pages go too, and until it is given up. */
#define IDLE_TURNS_FORCE 2u
#define IDLE_TURNS_MOST  4u

static struct rwlock reclaim_lock = RWLOCK(RANK_RECLAIM);
/* guarded by reclaim_lock: the next thing that the clock looks at */
static struct {
	u64 serial; /* of the address space */
	vaddr_t at;
	u8 turn; /* 1 to 255; no table is new with it */
} hand = {.turn = 1};

struct pageout {
	struct mm *mm;
	enum reclaimer who;
	bool forced; /* used pages go too */
	bool flush;
	struct victim {
		struct page *page;
		u64 index;
	} victims[BATCH]; /* tied in the first look: a ref of each is held */
	u32 victim_count;
	struct page *dropped[3 * BATCH]; /* each to lose a ref after the flush */
	u32 dropped_count;
	u64 freed;
};

static void count(_Atomic u64 *event, u64 times)
{
	atomic_fetch_add_explicit(event, times, memory_order_relaxed);
}

/* A page of anonymous memory, or a private copy of a file's. */
static bool is_candidate(u64 entry)
{
	const struct page *page = entry_child(entry);

	return !(entry & (ENTRY_SWAP | ENTRY_SHARED)) && page != zero_page && !page->object;
}

static bool is_locked(struct mm *mm, vaddr_t addr)
{
	const struct region *region = regions_at(mm->regions, addr);

	return !region || (region->flags & MAP_LOCKED);
}

/* The entry names the slot instead. locked: table */
static void replace(struct pageout *out, struct page *table, u64 *entry, u64 swap)
{
	u64 old = *entry;

	swap_get(swap);
	entry_set(table, entry, swap | (old & (ENTRY_NX | ENTRY_NONE)));
	out->dropped[out->dropped_count++] = entry_child(old);
	out->flush = true;
}

/* Ties the page to a slot, to be written. False: there is none. locked: table */
static bool choose_victim(struct pageout *out, struct page *table, u64 *entry)
{
	struct page *page = entry_child(*entry);

	page_get(page);
	if (!swap_cache_add(page)) {
		page_put(page);
		return false;
	}
	__atomic_fetch_and(entry, ~ENTRY_W, __ATOMIC_RELAXED);
	out->victims[out->victim_count++] = (struct victim) {page, node_index(table, entry)};
	out->flush = true;
	return true;
}

/* locked: table */
static void look_at(struct pageout *out, struct page *table, u64 *entry, vaddr_t addr)
{
	const struct page *page = entry_child(*entry);

	if (!is_candidate(*entry))
		return;
	count(&mm_stat.scanned[out->who], 1);
	if ((*entry & ENTRY_A) && !out->forced) {
		__atomic_fetch_and(entry, ~ENTRY_A, __ATOMIC_RELAXED);
		return;
	}
	if (is_locked(out->mm, addr))
		return;

	u64 swap = page->swap ? swap_cache_entry(page) : 0;

	if (swap)
		replace(out, table, entry, swap);
	else if (!page->swap)
		choose_victim(out, table, entry);
}

/* The second look: the victims that were written and not used go. locked: table; or it is NULL, there is none any more */
static void replace_victims(struct pageout *out, struct page *table)
{
	for (u32 i = 0; i < out->victim_count; i++) {
		struct page *page = out->victims[i].page;
		u64 *entry = table ? node_at(table, (u32)out->victims[i].index) : NULL;
		u64 swap = swap_cache_entry(page);

		if (entry && swap && *entry && is_candidate(*entry) &&
		    entry_child(*entry) == page && (out->forced || !(*entry & ENTRY_A)))
			replace(out, table, entry, swap);
		out->dropped[out->dropped_count++] = page;
	}
	out->victim_count = 0;
}

/* The first look, from *at to end or until a batch is full. locked: table */
static void choose_victims(struct pageout *out, struct page *table, vaddr_t *at, vaddr_t end)
{
	vaddr_t base = ROUND_DOWN(*at, entry_span(2));
	const struct span span = {*at, end};
	vaddr_t low;

	for_each_in_span(table, base, &span, entry, low) {
		if (out->victim_count == BATCH || out->dropped_count == ARRAY_SIZE(out->dropped)) {
			*at = low;
			return;
		}
		look_at(out, table, entry, low);
	}
	*at = end;
}

static void settle(struct pageout *out)
{
	while (out->dropped_count) {
		struct page *page = out->dropped[--out->dropped_count];

		out->freed += swap_cache_evict(page) || page_put(page);
	}
	for (u32 i = 0; i < out->victim_count; i++)
		swap_write(out->victims[i].page);
}

/* Swaps out what may go of [at, end), which one PTE table maps. locked: mm->lock, reader */
static void page_out_leaf(struct pageout *out, vaddr_t at, vaddr_t end)
{
	vaddr_t start = at;

	do {
		struct page *table = leaf_table_lock(out->mm->root, start, NULL);

		replace_victims(out, table);
		if (table && at < end)
			choose_victims(out, table, &at, end);
		else
			at = end;
		if (out->flush)
			tlb_flush_everyone();
		out->flush = false;
		if (table)
			node_unlock(table);
		settle(out);
	} while (at < end || out->victim_count);
}

/* The first address in a table from addr on that is mapped, by a used entry; the table's end when there is none. */
static vaddr_t next_used(const struct page *table, vaddr_t addr)
{
	u64 span = entry_span(table->level);
	u32 index = entry_index(addr, table->level), count = node_entries(table);
	const u64 *found = entry_next_used(table, node_at(table, index), node_at(table, count));
	u32 next = node_index(table, found);

	return next == index ? addr : ROUND_DOWN(addr, span) + (next - index) * span;
}

/* Whether the hand is at the start of a table that it has seen in this turn; if not, it has now. */
static bool seen_in_turn(struct page *table, vaddr_t addr, u8 turn)
{
	if (!turn || addr & (entry_span(table->level + 1u) - 1))
		return false;
	if (table->turn == turn)
		return true;
	table->turn = turn;
	return false;
}

/* One step down from *addr: false when *addr was moved on instead, over what is empty or was seen. locked: *table, which
 * becomes the child, or NULL at the end of the root. */
static bool step_down(struct page **table, vaddr_t *addr, u8 turn)
{
	struct page *from = *table, *child;
	vaddr_t end = ROUND_DOWN(*addr, entry_span(from->level + 1u)) +
		      entry_span(from->level) * node_entries(from);

	*addr = next_used(from, *addr);
	if (*addr >= end) {
		node_unlock(from);
		*table = NULL;
		return false;
	}
	child = entry_child(*node_at(from, entry_index(*addr, from->level)));
	node_lock(child);
	node_unlock(from);
	*table = child;
	if (!seen_in_turn(child, *addr, turn))
		return true;
	*addr += entry_span(child->level + 1u);
	node_unlock(child);
	*table = NULL;
	return false;
}

/*
 * Moves *addr to the first address from there on that a PTE table maps, one not seen in this turn (0: seen or not); false
 * when there is none. locked: mm->lock, reader
 */
static bool find_leaf(struct mm *mm, vaddr_t *addr, u8 turn)
{
	while (*addr < USER_END) {
		struct page *table = mm->root;

		node_lock(table);
		while (table && table->level > 1)
			step_down(&table, addr, turn);
		if (table) {
			node_unlock(table);
			return true;
		}
	}
	return false;
}

bool mm_next_leaf(struct mm *mm, vaddr_t *addr)
{
	read_lock(&mm->lock);
	bool found = find_leaf(mm, addr, 0);
	read_unlock(&mm->lock);
	return found;
}

/* One PTE table, from the hand on. False: the address space has no further. */
static bool sweep_leaf(struct pageout *out)
{
	read_lock(&out->mm->lock);
	bool found = find_leaf(out->mm, &hand.at, hand.turn);

	if (found) {
		vaddr_t end = ROUND_DOWN(hand.at, entry_span(2)) + entry_span(2);

		page_out_leaf(out, hand.at, end);
		hand.at = end;
	}
	read_unlock(&out->mm->lock);
	return found;
}

/* The rest of the address space at the hand, until `frames` are free. False: the turn is over. */
static bool sweep_mm(struct pageout *out, u64 frames)
{
	bool more = true;

	out->mm = mm_from(hand.serial);
	if (!out->mm)
		return false;
	if (out->mm->serial != hand.serial)
		hand.at = 0;
	hand.serial = out->mm->serial;
	while (more && out->freed < frames)
		more = sweep_leaf(out);
	if (!more) {
		hand.serial++;
		hand.at = 0;
	}
	mm_put(out->mm);
	return true;
}

/* locked: reclaim_lock */
static u64 reclaim(u64 frames, enum reclaimer who)
{
	struct pageout out = {.who = who, .freed = swap_cache_shrink(frames)};
	u32 idle_turns = 0;
	u64 before = out.freed;

	while (out.freed < frames && idle_turns < IDLE_TURNS_MOST) {
		if (sweep_mm(&out, frames))
			continue;
		idle_turns = out.freed > before ? 0 : idle_turns + 1;
		before = out.freed;
		out.forced = idle_turns >= IDLE_TURNS_FORCE;
		hand.serial = 0;
		hand.at = 0;
		hand.turn = (u8)(hand.turn % 255 + 1);
	}
	count(&mm_stat.stolen[who], out.freed);
	return out.freed;
}

u64 mm_reclaim(u64 frames, enum reclaimer who)
{
	struct swap_totals swap;
	u64 freed;

	swap_totals(&swap);
	if (!swap.pages)
		return 0;
	write_lock(&reclaim_lock);
	/* Whoever had the lock until now may have found enough for both. */
	freed = who == RECLAIM_DIRECT && frames_free() >= 2 * frames ? frames
								     : reclaim(frames, who);
	write_unlock(&reclaim_lock);
	return freed;
}

u64 reclaim_low_mark(void)
{
	return frames_total() / 128;
}

u64 reclaim_high_mark(void)
{
	return frames_total() / 64;
}

bool retry_after_reclaim(struct retry *retry)
{
	u64 exhausted = frames_exhausted;

	if (exhausted == retry->exhausted || retry->tries == MOST_TRIES)
		return false;
	retry->exhausted = exhausted;
	return mm_reclaim((u64)BATCH << retry->tries++, RECLAIM_DIRECT) > 0;
}

/* ---- What madvise(2) asks for ---- */

void page_out_span(struct mm *mm, const struct span *span)
{
	struct pageout out = {.mm = mm, .who = RECLAIM_ADVICE, .forced = true};
	vaddr_t at = span->start;

	write_lock(&reclaim_lock);
	read_lock(&mm->lock);
	while (find_leaf(mm, &at, 0) && at < span->end) {
		vaddr_t end = ROUND_DOWN(at, entry_span(2)) + entry_span(2);

		page_out_leaf(&out, at, MIN(end, span->end));
		at = end;
	}
	read_unlock(&mm->lock);
	write_unlock(&reclaim_lock);
	count(&mm_stat.stolen[RECLAIM_ADVICE], out.freed);
}

/* No flush: a page that is used all the time will be found used by the clock's next look but one. */
void make_cold(struct mm *mm, const struct span *span)
{
	vaddr_t at = span->start;

	read_lock(&mm->lock);
	while (find_leaf(mm, &at, 0) && at < span->end) {
		vaddr_t base = ROUND_DOWN(at, entry_span(2));
		struct page *table = leaf_table_lock(mm->root, at, NULL);
		const struct span part = {at, MIN(base + entry_span(2), span->end)};

		if (table) {
			for (u32 i = span_first(table, base, &part);
			     i < span_end(table, base, &part); i++)
				__atomic_fetch_and(node_at(table, i), ~ENTRY_A, __ATOMIC_RELAXED);
			node_unlock(table);
		}
		at = base + entry_span(2);
	}
	read_unlock(&mm->lock);
}
