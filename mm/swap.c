/*
 * Areas, slots and the slot cache: mm/swap.h has the rules.
 *
 * One lock guards which slots are taken and which pages are tied; refs are atomic, as those of pages are. A slot's refs
 * reach 0 under no lock, and the slot is free once swap_lock has been held after that.
 *
 * A page is tied and untied under the lock, but who drops a pointer does that without: so when refs were 2 the dropper
 * looks whether the page is tied, and asks swap_cache_forget(), which looks again under the lock. By then the frame may be
 * anybody's; that the slot points back at it tells.
 */
#include "mm/swap.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/tree.h"

#define CHUNK_SLOTS (PAGE_SIZE / sizeof(struct swap_slot))
_Static_assert(CHUNK_SLOTS == 256, "a slot is found by shifts");
#define READERS 16u

static struct area {
	const struct swap_store *store; /* NULL: no area */
	void *device;
	i32 priority;
	bool closed;
	u64 last;         /* slots 1 to last */
	u64 pages, taken; /* that are not bad; of them those in use */
	u64 next;         /* where the search for a free one begins, */
	u64 next_waiting; /* and that for one whose page waits */
	u64 *bits;        /* those that cannot be taken, a bit each */
	struct swap_slot **chunks;
} areas[SWAP_AREAS];
static struct spinlock swap_lock = SPINLOCK(RANK_SWAP); /* guards areas[], and what is tied */
static u64 tied, waiting; /* pages that have a slot; of them those that only the cache holds */

/* Held by who reads a slot, by the slot's number: so that others wait, and find the page. */
static struct rwlock reading[READERS] = {[0 ... READERS - 1] = RWLOCK(RANK_SWAP_READ)};

static u64 entry_of(const struct area *area, u64 slot)
{
	return ENTRY_SWAP | slot << 12 | (u64)(area - areas) << 44;
}

static struct swap_slot *slot_at(const struct area *area, u64 slot)
{
	return &area->chunks[slot / CHUNK_SLOTS][slot % CHUNK_SLOTS];
}

struct swap_slot *swap_slot(u64 entry)
{
	return slot_at(&areas[swap_area_of(entry)], swap_slot_of(entry));
}

/* ---- Areas ---- */

static void free_tables(struct area *area)
{
	for (u64 i = 0; area->chunks && i <= area->last / CHUNK_SLOTS; i++)
		if (area->chunks[i])
			frame_free(virt_page(area->chunks[i]), 0);
	kfree(area->chunks);
	kfree(area->bits);
}

static void take_bit(struct area *area, u64 slot)
{
	area->bits[slot / 64] |= 1ul << slot % 64;
}

static bool is_taken(const struct area *area, u64 slot)
{
	return area->bits[slot / 64] >> slot % 64 & 1;
}

/* Room for an area's slots, all free but for the header, the bad ones, and those beyond the end. */
static int make_tables(struct area *area, const u32 *bad, u32 bad_count)
{
	u64 words = area->last / 64 + 1, chunks = area->last / CHUNK_SLOTS + 1;

	area->bits = kmalloc(words * sizeof(u64));
	area->chunks = kmalloc(chunks * sizeof(void *));
	if (!area->bits || !area->chunks)
		return -ENOMEM;
	for (u64 i = 0; i < chunks; i++) {
		struct page *frame = frame_alloc_zeroed();

		if (!frame)
			return -ENOMEM;
		area->chunks[i] = page_virt(frame);
	}
	area->pages = area->last;
	take_bit(area, 0);
	for (u64 slot = area->last + 1; slot < words * 64; slot++)
		take_bit(area, slot);
	for (u32 i = 0; i < bad_count; i++) {
		if (bad[i] <= area->last && !is_taken(area, bad[i])) {
			take_bit(area, bad[i]);
			area->pages--;
		}
	}
	return area->pages ? 0 : -EINVAL;
}

int swap_area_add(const struct swap_store *store, void *device, u64 last, const u32 *bad,
		  u32 bad_count, i32 priority)
{
	struct area area = {.store = store,
			    .device = device,
			    .priority = priority,
			    .last = MIN(last, SWAP_MOST_LAST)};
	int number = make_tables(&area, bad, bad_count);

	if (!number) {
		spin_lock(&swap_lock);
		while ((u32)number < SWAP_AREAS && areas[number].store)
			number++;
		if (number < (int)SWAP_AREAS)
			areas[number] = area;
		else
			number = -EPERM;
		spin_unlock(&swap_lock);
	}
	if (number < 0)
		free_tables(&area);
	return number;
}

bool swap_area_info(u32 number, struct swap_area_info *info)
{
	const struct area *area = &areas[number % SWAP_AREAS];

	spin_lock(&swap_lock);
	bool found = number < SWAP_AREAS && area->store;

	if (found)
		*info = (struct swap_area_info) {area->pages, area->taken, area->priority,
						 area->device};
	spin_unlock(&swap_lock);
	return found;
}

void swap_totals(struct swap_totals *totals)
{
	*totals = (struct swap_totals) {0};
	spin_lock(&swap_lock);
	for (u32 i = 0; i < SWAP_AREAS; i++) {
		totals->pages += areas[i].pages;
		totals->used += areas[i].taken;
	}
	totals->cached = tied;
	totals->waiting = waiting;
	spin_unlock(&swap_lock);
}

bool swap_area_close(u32 number)
{
	struct area *area = &areas[number % SWAP_AREAS];

	spin_lock(&swap_lock);
	bool closes = number < SWAP_AREAS && area->store && !area->closed;

	if (closes)
		area->closed = true;
	spin_unlock(&swap_lock);
	return closes;
}

void swap_area_open(u32 number)
{
	spin_lock(&swap_lock);
	areas[number].closed = false;
	spin_unlock(&swap_lock);
}

/* ---- Slots ---- */

/* The area that the next slot is taken of: NULL when all are full. locked: swap_lock */
static struct area *best_area(void)
{
	struct area *best = NULL;

	for (struct area *area = areas; area < areas + SWAP_AREAS; area++)
		if (area->store && !area->closed && area->taken < area->pages &&
		    (!best || area->priority > best->priority))
			best = area;
	return best;
}

/* From the one taken last on, so that what is swapped out together lies together. locked: swap_lock */
static u64 find_free(const struct area *area)
{
	u64 words = area->last / 64 + 1, word = area->next / 64;
	u64 free = ~area->bits[word] & ~0ul << area->next % 64;

	for (u64 tries = 0; !free; tries++) {
		ASSERT(tries <= words, "taken %lu of %lu", area->taken, area->pages);
		word = (word + 1) % words;
		free = ~area->bits[word];
	}
	return word * 64 + (u64)__builtin_ctzl(free);
}

/* A slot with one ref. locked: swap_lock */
static u64 take_slot(struct area *area)
{
	u64 slot = find_free(area);

	take_bit(area, slot);
	area->taken++;
	area->next = slot < area->last ? slot + 1 : 0;
	slot_at(area, slot)->refs = 1;
	slot_at(area, slot)->written = false;
	return slot;
}

void swap_get(u64 entry)
{
	atomic_fetch_add_explicit(&swap_slot(entry)->refs, 1, memory_order_relaxed);
}

/* Whether the slot's page waits: it is changed. locked: swap_lock */
static void set_waiting(struct swap_slot *slot, bool waits)
{
	waiting += (u64)waits - slot->waiting;
	slot->waiting = waits;
}

/* locked: swap_lock */
static void put_locked(u64 entry)
{
	struct area *area = &areas[swap_area_of(entry)];
	u64 slot = swap_slot_of(entry);
	u32 refs = atomic_fetch_sub_explicit(&swap_slot(entry)->refs, 1, memory_order_acq_rel);

	ASSERT(refs > 0, "slot %lx: refs %u", entry, refs);
	if (refs > 1)
		return;
	area->bits[slot / 64] &= ~(1ul << slot % 64);
	area->taken--;
}

/* locked: swap_lock */
static void tie(u64 entry, struct page *page)
{
	swap_slot(entry)->cached = (u32)page_pfn(page) + 1;
	page->swap = entry;
	page_get(page);
	tied++;
}

/* The caller drops the cache's ref of the page. locked: swap_lock */
static void untie(struct page *page)
{
	u64 entry = page->swap;

	set_waiting(swap_slot(entry), false);
	swap_slot(entry)->cached = 0;
	page->swap = 0;
	tied--;
	put_locked(entry);
}

/* Frees the page that waits in the cache, if it still does. locked: swap_lock */
static bool free_waiting(struct swap_slot *slot)
{
	struct page *page = &frames[slot->cached - 1];

	if (!slot->waiting || page_refs(page) > 1)
		return false;
	untie(page);
	atomic_store_explicit(&page->refs, 0, memory_order_relaxed);
	page_free(page);
	return true;
}

void swap_put(u64 entry)
{
	spin_lock(&swap_lock);
	put_locked(entry);
	if (swap_slot(entry)->refs == 1)
		free_waiting(swap_slot(entry));
	spin_unlock(&swap_lock);
}

u32 swap_names(u64 entry)
{
	const struct swap_slot *slot = swap_slot(entry);

	spin_lock(&swap_lock);
	u32 names = slot->refs - (slot->cached ? 1 : 0);
	spin_unlock(&swap_lock);
	return names;
}

/* ---- The slot cache ---- */

u64 swap_cache_add(struct page *page)
{
	u64 entry = 0;

	spin_lock(&swap_lock);
	struct area *area = best_area();

	if (area) {
		entry = entry_of(area, take_slot(area));
		tie(entry, page);
	}
	spin_unlock(&swap_lock);
	return entry;
}

/* Takes a slot that could not be written out of use. locked: swap_lock */
static void give_up(struct page *page)
{
	u64 entry = page->swap;

	untie(page);
	take_bit(&areas[swap_area_of(entry)], swap_slot_of(entry));
	areas[swap_area_of(entry)].pages--;
	atomic_fetch_sub(&page->refs, 1); /* the caller has one */
}

bool swap_write(struct page *page)
{
	const struct area *area = &areas[swap_area_of(page->swap)];
	bool written =
		area->store->write(area->device, swap_slot_of(page->swap), page_virt(page)) == 0;

	spin_lock(&swap_lock);
	swap_slot(page->swap)->written = true;
	if (!written)
		give_up(page);
	spin_unlock(&swap_lock);
	if (written)
		atomic_fetch_add_explicit(&mm_stat.swap_outs, 1, memory_order_relaxed);
	return written;
}

struct page *swap_cache_find(u64 entry)
{
	struct page *page = NULL;

	spin_lock(&swap_lock);
	struct swap_slot *slot = swap_slot(entry);

	if (slot->cached) {
		page = &frames[slot->cached - 1];
		page_get(page);
		set_waiting(slot, false);
	}
	spin_unlock(&swap_lock);
	return page;
}

/* Reads the slot into a fresh page, and ties the two. locked: reading */
static int read_fresh(u64 entry, struct page **page)
{
	const struct area *area = &areas[swap_area_of(entry)];
	struct page *frame = frame_alloc(0);

	if (!frame)
		return -ENOMEM;
	if (area->store->read(area->device, swap_slot_of(entry), page_virt(frame))) {
		frame_free(frame, 0);
		return -EIO;
	}
	data_init(frame);
	spin_lock(&swap_lock);
	atomic_fetch_add(&swap_slot(entry)->refs, 1);
	tie(entry & (ENTRY_PADDR | ENTRY_SWAP), frame);
	spin_unlock(&swap_lock);
	atomic_fetch_add_explicit(&mm_stat.swap_ins, 1, memory_order_relaxed);
	*page = frame;
	return 0;
}

int swap_read(u64 entry, struct page **page, bool *read)
{
	struct rwlock *lock = &reading[swap_slot_of(entry) % READERS];
	int error = 0;

	write_lock(lock);
	*page = swap_cache_find(entry);
	if (!*page) {
		error = read_fresh(entry, page);
		*read = true;
	}
	write_unlock(lock);
	return error;
}

bool swap_cache_take(struct page *page)
{
	spin_lock(&swap_lock);
	bool takes = page->swap && page_refs(page) == 2 && swap_slot(page->swap)->written;

	if (takes) {
		untie(page);
		atomic_store_explicit(&page->refs, 1, memory_order_release);
	}
	spin_unlock(&swap_lock);
	return takes;
}

void swap_cache_spare(struct page *page, u32 refs)
{
	spin_lock(&swap_lock);
	u64 entry = page->swap;
	const struct area *area = &areas[swap_area_of(entry)];

	if (entry && area->taken > area->pages / 2 && page_refs(page) == 2 + refs &&
	    swap_slot(entry)->refs == 1 && swap_slot(entry)->written) {
		untie(page);
		atomic_fetch_sub_explicit(&page->refs, 1, memory_order_release);
	}
	spin_unlock(&swap_lock);
}

u64 swap_cache_entry(const struct page *page)
{
	u64 entry;

	spin_lock(&swap_lock);
	entry = page->swap;
	if (entry && (!swap_slot(entry)->written || areas[swap_area_of(entry)].closed))
		entry = 0;
	spin_unlock(&swap_lock);
	return entry;
}

/* Whether the frame is a page of data that is tied to a slot. locked: swap_lock */
static bool is_tied(const struct page *page)
{
	u64 entry = page->swap;
	const struct area *area = &areas[swap_area_of(entry)];

	return page->type == PAGE_DATA && (entry & ENTRY_SWAP) && area->store &&
	       swap_slot_of(entry) <= area->last && swap_slot(entry)->cached == page_pfn(page) + 1;
}

bool swap_cache_forget(struct page *page)
{
	spin_lock(&swap_lock);
	bool last = is_tied(page) && page_refs(page) == 1;

	if (last && swap_slot(page->swap)->refs > 1 && !frames_low &&
	    !areas[swap_area_of(page->swap)].closed) {
		set_waiting(swap_slot(page->swap), true);
		last = false;
	}
	if (last) {
		untie(page);
		atomic_store_explicit(&page->refs, 0, memory_order_relaxed);
	}
	spin_unlock(&swap_lock);
	return last;
}

bool swap_cache_evict(struct page *page)
{
	spin_lock(&swap_lock);
	bool last = page->swap && swap_slot(page->swap)->written && page_refs(page) == 2;

	if (last) {
		untie(page);
		atomic_store_explicit(&page->refs, 0, memory_order_relaxed);
		page_free(page);
	}
	spin_unlock(&swap_lock);
	return last;
}

/* Those of one chunk of slots. */
static u64 shrink_chunk(struct area *area)
{
	u64 freed = 0;

	spin_lock(&swap_lock);
	for (u64 i = 0; area->store && waiting && i < CHUNK_SLOTS; i++) {
		struct swap_slot *slot = slot_at(area, area->next_waiting);

		if (slot->waiting)
			freed += free_waiting(slot);
		area->next_waiting = area->next_waiting < area->last ? area->next_waiting + 1 : 0;
	}
	spin_unlock(&swap_lock);
	return freed;
}

u64 swap_cache_shrink(u64 frames)
{
	u64 freed = 0;

	for (struct area *area = areas; area < areas + SWAP_AREAS; area++)
		for (u64 i = 0; waiting && freed < frames && i <= area->last / CHUNK_SLOTS; i++)
			freed += shrink_chunk(area);
	return freed;
}

/* ---- The end of an area ---- */

/* A page that is tied to one of the slots [*slot, last], untied but with the cache's ref, the caller's now; NULL at the
 * end. */
static struct page *untie_next(struct area *area, u64 *slot)
{
	struct page *page = NULL;

	spin_lock(&swap_lock);
	for (; !page && *slot <= area->last; ++*slot) {
		u32 cached = is_taken(area, *slot) ? slot_at(area, *slot)->cached : 0;

		if (cached && slot_at(area, *slot)->written) {
			page = &frames[cached - 1];
			untie(page);
		}
	}
	spin_unlock(&swap_lock);
	return page;
}

bool swap_area_finish(u32 number)
{
	struct area *area = &areas[number], ended = *area;
	struct page *page;
	u64 slot = 1;

	while ((page = untie_next(area, &slot)))
		page_put(page);
	spin_lock(&swap_lock);
	bool done = area->taken == 0;

	if (done)
		*area = (struct area) {0};
	spin_unlock(&swap_lock);
	if (done)
		free_tables(&ended);
	return done;
}

void swap_each(void (*visit)(void *context, u64 entry, struct swap_slot *slot), void *context)
{
	for (struct area *area = areas; area < areas + SWAP_AREAS; area++)
		for (u64 slot = 1; area->store && slot <= area->last; slot++)
			if (is_taken(area, slot) && slot_at(area, slot)->refs)
				visit(context, entry_of(area, slot), slot_at(area, slot));
}
