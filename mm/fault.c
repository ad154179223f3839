/*
 * Page faults: giving a program the page that its access needs.
 *
 * The region says whether the access is allowed at all. Then what happens depends on the access and
 * on the entry:
 *
 *      access    entry           region            what is done
 *      ------    -------------   ---------------   ---------------------------------------------
 *      read or   empty           anonymous         FILL   the zero page, read-only
 *      exec      empty           object            FILL   the object's page, read-only
 *                used            any               nothing: somebody has filled it since
 *
 *      write     empty           anonymous         FILL   a fresh cleared page, W
 *                empty           object, private   FILL   a fresh copy of the object's page, W
 *                empty or used   object, shared    SHARE  the object's page itself, W
 *                used, refs 1    private           REUSE  it is exclusive: W
 *                used, refs > 1  private           COPY   a fresh copy, W; the old page loses a ref
 *
 *      any       swap            private           SWAP   the page that has what the slot has; then a write goes
 *                                                         on as above
 *
 * A read fills in place whatever table it finds, shared or not (rule 4 of mm/tree.h); tables that
 * are missing on the way are made in place too. A write first makes the whole path its own (rule 3):
 *
 *      [root] --W--> [PDPT]1 -----> [PD]2 --W--> [PT]1 --W--> page 1
 *
 *      The PD has refs 2: it is copied, and its PTs have refs 2 then; so this PT is copied, and its
 *      pages have refs 2 then: COPY.
 *
 * SWAP reads the slot if no page is tied to it (mm/swap.h), with no table locked, and walks again. It fills in place like
 * any read, for all sharers. A page that nobody else points at is REUSEd by a write, and loses its slot.
 *
 * Locks: mm->lock for reading, so that regions stay and nobody forks; node locks hand over hand from
 * the root. That is enough: an owned table can be changed only under this mm->lock, a shared one
 * only be filled, under its lock.
 */
#include "mm/errno.h"
#include "mm/map.h"
#include "mm/object.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/tree.h"

/* Apart, so that a fault that does not need it saves no registers for it. */
#define RARE __attribute__((noinline))

struct fault {
	struct mm *mm;
	const struct region *region;
	vaddr_t addr; /* page aligned */
	bool write;
	bool in_shared;      /* the walk passed a table that others share */
	bool looked;         /* whether the page is in swap, before any table is copied */
	u32 need;            /* frames that the walk found missing from the reserve */
	struct page *cached; /* the object's page for addr, one ref held, if the entry was empty */
	u64 wanted;          /* the swap entry whose slot is to be read, one ref held; 0: none */
	struct page *read;   /* what was read, one ref held until its entry has been seen again */
	struct reserve reserve;
	struct gather gather;
};

static void count(_Atomic u64 *event)
{
	atomic_fetch_add_explicit(event, 1, memory_order_relaxed);
}

static bool is_private(const struct fault *f)
{
	return !(f->region->flags & MAP_SHARED);
}

static bool has_frames(struct fault *f, u32 tables)
{
	f->need = tables + (f->write && is_private(f));
	return f->reserve.count >= f->need;
}

/*
 * The child table on the way to addr, made or copied as the access wants; NULL when the reserve
 * cannot bear it, and then nothing has changed: below the first table that is missing or shared all
 * others are too, so the reserve is checked for all of them at once. locked: table
 */
static struct page *child_towards(struct fault *f, struct page *table)
{
	u64 *entry = node_at(table, entry_index(f->addr, table->level));
	u32 tables_below = table->level - 1;

	if (!*entry) {
		if (!has_frames(f, tables_below))
			return NULL;

		struct page *made = reserve_take(&f->reserve);

		table_init(made, tables_below);
		entry_set(table, entry, page_paddr(made) | ENTRY_P | ENTRY_U | ENTRY_A);
	}

	struct page *child = entry_child(*entry);
	bool shared = page_refs(child) > 1;

	if (!f->write) {
		f->in_shared |= shared;
		return child;
	}
	if (!shared && (*entry & ENTRY_W)) /* as nearly always */
		return child;
	if (shared && (!has_frames(f, tables_below) || !f->looked))
		return NULL;
	return node_own_child(entry, f->addr, &f->reserve, &f->gather);
}

/* Walks to the PTE table of addr and returns it locked; NULL when the reserve is too small. */
static struct page *walk_to_leaf_table(struct fault *f)
{
	struct page *table = f->mm->root;

	f->in_shared = false;
	node_lock(table);
	while (table->level > 1) {
		struct page *child = child_towards(f, table);

		if (child)
			node_lock(child);
		node_unlock(table);
		if (!child)
			return NULL;
		table = child;
	}
	return table;
}

static bool leaf_is_empty(struct mm *mm, vaddr_t addr)
{
	struct page *table = leaf_table_lock(mm->root, addr, NULL);
	bool empty = !table || !*node_at(table, entry_index(addr, 1));

	if (table)
		node_unlock(table);
	return empty;
}

static u64 leaf_bits(const struct fault *f)
{
	return ENTRY_P | ENTRY_U | ENTRY_A | (f->region->prot & PROT_EXEC ? 0 : ENTRY_NX) |
	       (is_private(f) ? 0 : ENTRY_SHARED);
}

static void set_leaf(struct fault *f, struct page *table, u64 *entry, struct page *page)
{
	u64 write = f->write ? ENTRY_W | ENTRY_D : 0;

	entry_set(table, entry, page_paddr(page) | leaf_bits(f) | write);
}

/* Points entry at a fresh page with the contents of `from`. The reserve holds a frame for it. */
static void set_leaf_to_copy(struct fault *f, struct page *table, u64 *entry, struct page *from)
{
	struct page *fresh = reserve_take(&f->reserve);

	data_init(fresh);
	if (from == zero_page)
		clear_page(page_virt(fresh));
	else
		copy_page(page_virt(fresh), page_virt(from));
	set_leaf(f, table, entry, fresh);
}

/* FILL, or SHARE of an empty entry. False: the reserve is too small. */
static bool fill(struct fault *f, struct page *table, u64 *entry)
{
	struct page *from = f->cached ? f->cached : zero_page;

	if (f->write && is_private(f)) {
		if (!has_frames(f, 0))
			return false;
		set_leaf_to_copy(f, table, entry, from);
	} else {
		page_get(from);
		set_leaf(f, table, entry, from);
	}
	count(f->cached ? &mm_stat.file_fills : &mm_stat.zero_fills);
	if (f->in_shared)
		count(&mm_stat.shared_fills);
	return true;
}

/* Whether the entry's is the only pointer to the page, or is now that the page lost its slot. */
static bool is_last_pointer(struct page *page)
{
	return page_refs(page) == 1 || (page->swap && swap_cache_take(page));
}

/* A write to a used entry: SHARE, REUSE or COPY. False: the reserve is too small. */
static bool write_used(struct fault *f, struct page *table, u64 *entry)
{
	struct page *page = entry_child(*entry);

	if (!is_private(f) || is_last_pointer(page)) {
		__atomic_fetch_or(entry, ENTRY_W | ENTRY_D | ENTRY_A, __ATOMIC_RELAXED);
		count(&mm_stat.reuses);
		return true;
	}
	if (!has_frames(f, 0))
		return false;
	set_leaf_to_copy(f, table, entry, page);
	gather_flush(&f->gather, f->addr, f->addr + PAGE_SIZE);
	page_drop(page, &f->gather);
	count(&mm_stat.page_copies);
	return true;
}

/* What can fail comes before tables are copied (rule 9): so a slot that the leaf names is read first. */
static void look_at_leaf(struct fault *f)
{
	struct page *table = leaf_table_lock(f->mm->root, f->addr, NULL);
	u64 entry = table ? *node_at(table, entry_index(f->addr, 1)) : 0;

	if (entry_is_swap(entry))
		swap_get(f->wanted = entry);
	if (table)
		node_unlock(table);
	f->looked = true;
}

static void put_read(struct fault *f)
{
	if (f->read)
		page_put(f->read);
	f->read = NULL;
}

/* SWAP. False: the slot is to be read first. */
static RARE bool swap_in(struct fault *f, struct page *table, u64 *entry)
{
	u64 old = *entry;
	struct page *page = swap_cache_find(old);

	if (!page) {
		swap_get(f->wanted = old);
		return false;
	}
	entry_set(table, entry, swap_leaf(old, page));
	swap_put(old);
	put_read(f);
	swap_cache_spare(page, 0);
	return true;
}

static bool resolve_leaf(struct fault *f, struct page *table)
{
	u64 *entry = node_at(table, entry_index(f->addr, 1));

	if (!*entry)
		return fill(f, table, entry);
	if (entry_is_swap(*entry) && !swap_in(f, table, entry))
		return false;
	return f->write ? write_used(f, table, entry) : true;
}

static int fetch_cached(struct fault *f)
{
	const struct region *region = f->region;

	if (!region->object || !leaf_is_empty(f->mm, f->addr))
		return 0;
	return object_page(region->object, (region->offset + f->addr - region->start) >> PAGE_SHIFT,
			   &f->cached);
}

/* Reads the slot that was wanted; its entry may have changed when it is seen again. */
static int read_wanted(struct fault *f)
{
	bool major = false;
	int error;

	put_read(f);
	error = swap_read(f->wanted, &f->read, &major);
	swap_put(f->wanted);
	f->wanted = 0;
	if (major && !error) {
		count(&mm_stat.major_faults);
		machine_count_major();
		swap_read_ahead(f->mm, f->region, f->addr);
	}
	return error;
}

/* Fills the reserve, and has memory reclaimed in time: this is where most of it goes. */
static int take_frames(struct fault *f, u32 count)
{
	if (frames_low)
		machine_reclaim();
	return reserve_fill(&f->reserve, count);
}

/* Gets what the walk found missing. */
static RARE int get_missing(struct fault *f)
{
	int error = 0;

	if (!f->wanted && !f->looked)
		look_at_leaf(f);
	if (f->wanted)
		error = read_wanted(f);
	return error ? error : take_frames(f, f->need);
}

static int resolve(struct fault *f)
{
	int error = fetch_cached(f);

	if (f->write) /* nearly every write wants a frame: this saves a second walk, and may fail */
		take_frames(f, 1);
	while (!error) {
		struct page *table = walk_to_leaf_table(f);

		if (table) {
			bool done = resolve_leaf(f, table);

			node_unlock(table);
			if (done)
				break;
		}
		error = get_missing(f);
	}
	put_read(f);
	gather_end(&f->gather);
	reserve_release(&f->reserve);
	if (f->cached)
		page_put(f->cached);
	return error;
}

static bool allowed(const struct region *region, enum access access)
{
	switch (access) {
	case ACCESS_WRITE:
		return region->prot & PROT_WRITE;
	case ACCESS_EXEC:
		return region->prot & PROT_EXEC;
	default:
		return region->prot != PROT_NONE;
	}
}

/* locked: mm->lock, reader */
static int fault_locked(struct mm *mm, vaddr_t addr, enum access access)
{
	const struct region *region = regions_at(mm->regions, addr);

	if (mm->doomed)
		return -ENOMEM;
	if (!region)
		return -EFAULT;
	if (!allowed(region, access))
		return -EACCES;

	struct page *later[ROOT_LEVEL]; /* a fault copies a page and the tables above it */
	struct fault f = {
		.mm = mm,
		.region = region,
		.addr = ROUND_DOWN(addr, PAGE_SIZE),
		.write = access == ACCESS_WRITE,
		.gather = gather_begin(mm, later, ARRAY_SIZE(later)),
	};

	int error = resolve(&f);

	if (!error)
		count(&mm_stat.faults);
	return error;
}

static int fault_once(struct mm *mm, vaddr_t addr, enum access access)
{
	read_lock(&mm->lock);
	int error = fault_locked(mm, addr, access);
	read_unlock(&mm->lock);
	return error;
}

/* A fault that has ended in an error: again, for as long as reclaim finds memory for it, or the stack grows to it. */
static RARE int fault_again(struct mm *mm, vaddr_t addr, enum access access, int error,
			    u64 exhausted, bool stack)
{
	struct retry retry = {.exhausted = exhausted};

	while ((error == -ENOMEM && retry_after_reclaim(&retry)) ||
	       (error == -EFAULT && stack && stack_grow(mm, addr)))
		error = fault_once(mm, addr, access);
	return error;
}

static inline int fault(struct mm *mm, vaddr_t addr, enum access access, bool stack)
{
	u64 exhausted = frames_exhausted;
	int error = fault_once(mm, addr, access);

	if (error)
		error = fault_again(mm, addr, access, error, exhausted, stack);
	return error;
}

int mm_fault_in(struct mm *mm, vaddr_t addr, enum access access)
{
	return fault(mm, addr, access, false);
}

int mm_fault(struct mm *mm, vaddr_t addr, enum access access)
{
	return fault(mm, addr, access, true);
}
