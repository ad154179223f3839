/* Reading an address space without changing it: its sizes, and its tables one by one. */
#include "mm/edit.h"
#include "mm/errno.h"
#include "mm/object.h"
#include "mm/swap.h"

struct walk {
	bool (*visit)(void *context, const struct node_info *node);
	void *context;
};

static u32 count_shared_pages(struct page *table)
{
	u32 shared = 0;

	if (table->level > 1)
		return 0;
	node_for_each(table, entry)
		shared += entry_counts_present(*entry) && page_refs(entry_child(*entry)) > 1;
	return shared;
}

static bool walk_locked(struct page *table, vaddr_t base, bool owned_above,
			const struct walk *walk);

/* locked: table */
static bool walk_table(struct page *table, vaddr_t base, bool owned_above, const struct walk *walk)
{
	struct node_info info = {
		.start = base,
		.level = table->level,
		.refs = page_refs(table),
		.used = table->used,
		.present = table->present,
		.shared_pages = count_shared_pages(table),
		.owned = owned_above && page_refs(table) == 1,
		.at = page_paddr(table),
	};

	if (!walk->visit(walk->context, &info))
		return false;
	if (table->level == 1)
		return true;
	node_for_each(table, entry)
		if (!walk_locked(entry_child(*entry),
				 base + node_index(table, entry) * entry_span(table->level),
				 info.owned, walk))
			return false;
	return true;
}

static bool walk_locked(struct page *table, vaddr_t base, bool owned_above, const struct walk *walk)
{
	node_lock(table);

	bool whole = walk_table(table, base, owned_above, walk);

	node_unlock(table);
	return whole;
}

void mm_walk(struct mm *mm, bool (*visit)(void *context, const struct node_info *node),
	     void *context)
{
	struct walk walk = {visit, context};

	read_lock(&mm->lock);
	walk_locked(mm->root, 0, true, &walk);
	read_unlock(&mm->lock);
}

static void sum_tables(struct page *table, bool owned_above, struct mm_usage *usage)
{
	bool owned = owned_above && page_refs(table) == 1;

	usage->tables++;
	usage->tables_private += owned;
	usage->resident += table->present;
	usage->swapped += table->swapped;
	if (table->level == 1)
		return;
	node_lock(table);
	node_for_each(table, entry)
		sum_tables(entry_child(*entry), owned, usage);
	node_unlock(table);
}

/* ---- What nobody else holds ---- */

/* Whether a child goes with the one entry that names it: the slot cache lets go of a page whose slot nobody names. */
static bool goes_with_entry(const struct page *child)
{
	if (child->type == PAGE_DATA && child->swap && page_refs(child) == 2)
		return !swap_names(child->swap);
	return page_refs(child) == 1;
}

/* Pages of an owned table, and of what hangs below it and nothing else points at. */
static u64 count_exclusive(struct page *table)
{
	u64 pages = 1;

	node_lock(table);
	node_for_each(table, entry) {
		struct page *child = entry_is_swap(*entry) ? NULL : entry_child(*entry);

		if (child && goes_with_entry(child))
			pages += child->type == PAGE_TABLE ? count_exclusive(child) : 1;
	}
	node_unlock(table);
	return pages;
}

static struct spinlock seen_lock = SPINLOCK(RANK_LISTS); /* guards object->seen */

/*
 * Pages of objects that have no owner, and whose refs are all of this set: the objects end with it. They are counted in the
 * objects themselves, since this takes no memory.
 */
static u64 count_objects(const struct region_set *set)
{
	const struct region *end = set->at + set->count;
	u64 pages = 0;

	if (atomic_load(&set->refs) > 1)
		return 0;
	spin_lock(&seen_lock);
	for (const struct region *region = set->at; region < end; region++)
		if (region->object)
			region->object->seen = 0;
	for (const struct region *region = set->at; region < end; region++)
		if (region->object)
			region->object->seen++;
	for (const struct region *region = set->at; region < end; region++) {
		struct object *object = region->object;

		if (!object || object->owner || object->seen != atomic_load(&object->refs))
			continue;
		pages += object->pages;
		object->seen = 0; /* each once */
	}
	spin_unlock(&seen_lock);
	return pages;
}

u64 mm_exclusive_bytes(struct mm *mm)
{
	read_lock(&mm->lock);
	u64 pages = count_exclusive(mm->root) + count_objects(mm->regions);
	read_unlock(&mm->lock);
	return pages << PAGE_SHIFT;
}

/* ---- Pages ---- */

static u32 mappers_of(const struct page *page)
{
	return page_refs(page) - (page->object || page->swap ? 1 : 0);
}

/* share: what of the page is charged here if nobody else points at it. */
static void add_page(struct region_usage *usage, u64 entry, u64 share)
{
	const struct page *page = entry_child(entry);
	u32 mappers = mappers_of(page);
	bool shared = share < PSS_PAGE || mappers > 1, dirty = entry & ENTRY_D;
	u64 *kind = shared ? (dirty ? &usage->shared_dirty : &usage->shared_clean)
			   : (dirty ? &usage->private_dirty : &usage->private_clean);

	++*kind;
	usage->resident++;
	usage->cached += !!page->object;
	usage->referenced += !!(entry & ENTRY_A);
	usage->pss += share / mappers;
	usage->pss_dirty += dirty ? share / mappers : 0;
}

static void add_slot(struct region_usage *usage, u64 entry, u64 share)
{
	usage->swapped++;
	usage->swap_pss += share / swap_names(entry);
}

static void add_span(struct page *table, vaddr_t base, const struct span *span, u64 share,
		     struct region_usage *usage)
{
	vaddr_t low;

	node_lock(table);
	for_each_in_span(table, base, span, entry, low) {
		if (table->level > 1)
			add_span(entry_child(*entry), low, span,
				 share / page_refs(entry_child(*entry)), usage);
		else if (entry_is_swap(*entry))
			add_slot(usage, *entry, share);
		else if (entry_counts_present(*entry))
			add_page(usage, *entry, share);
	}
	node_unlock(table);
}

bool mm_region_usage(struct mm *mm, vaddr_t addr, struct region *region, struct region_usage *usage)
{
	*usage = (struct region_usage) {0};
	if (!mm_region_at(mm, addr, region))
		return false;

	struct span span = {region->start, region->end};

	read_lock(&mm->lock);
	add_span(mm->root, 0, &span, PSS_PAGE, usage);
	read_unlock(&mm->lock);
	return true;
}

static void look_at_slot(u64 entry, bool owned, struct page_info *info)
{
	info->swapped = true;
	info->in_memory = swap_slot(entry)->cached;
	info->slot = swap_slot_of(entry);
	info->area = swap_area_of(entry);
	info->exclusive = owned && swap_names(entry) == 1;
}

static void look_at_page(const struct page *page, bool owned, struct page_info *info)
{
	info->present = info->in_memory = true;
	info->pfn = page_pfn(page);
	info->cached = page != zero_page && page->object;
	info->exclusive = page != zero_page && owned && mappers_of(page) == 1;
}

void mm_page_info(struct mm *mm, vaddr_t addr, struct page_info *info)
{
	struct page *table;
	bool owned;
	u64 entry = 0;

	*info = (struct page_info) {0};
	read_lock(&mm->lock);
	table = leaf_table_lock(mm->root, addr, &owned);
	if (table)
		entry = *node_at(table, entry_index(addr, 1));
	if (entry_is_swap(entry))
		look_at_slot(entry, owned, info);
	else if (entry)
		look_at_page(entry_child(entry), owned, info);
	if (table)
		node_unlock(table);
	read_unlock(&mm->lock);
}

/* Whether the object that region maps has the page for addr. */
static bool is_cached(const struct region *region, vaddr_t addr)
{
	struct page *page = NULL;

	if (region->object)
		page = object_peek(region->object,
				   (region->offset + addr - region->start) >> PAGE_SHIFT);
	if (page)
		page_put(page);
	return page;
}

int mm_resident(struct mm *mm, vaddr_t addr)
{
	struct page_info info;
	struct region region;

	if (!mm_region_at(mm, addr, &region))
		return -ENOMEM;
	mm_page_info(mm, addr, &info);

	int result = region.start > addr ? -ENOMEM : info.in_memory || is_cached(&region, addr);

	if (region.object)
		object_put(region.object);
	return result;
}

/* Copies part of one page, if it is there; returns its entry. */
static u64 peek_page(struct mm *mm, vaddr_t addr, void *to, size_t bytes)
{
	struct page *table;
	u64 entry;

	read_lock(&mm->lock);
	table = leaf_table_lock(mm->root, addr, NULL);
	entry = table ? *node_at(table, entry_index(addr, 1)) : 0;
	if (entry && !entry_is_swap(entry))
		memcpy(to, (char *)page_virt(entry_child(entry)) + (addr & PAGE_MASK), bytes);
	if (table)
		node_unlock(table);
	read_unlock(&mm->lock);
	return entry;
}

size_t mm_peek(struct mm *mm, vaddr_t from, void *to, size_t bytes)
{
	size_t done = 0;

	while (done < bytes && from + done < USER_END) {
		vaddr_t at = from + done;
		size_t part = MIN(bytes - done, PAGE_SIZE - (at & PAGE_MASK));
		u64 entry = peek_page(mm, at, (char *)to + done, part);

		if (!entry || (entry_is_swap(entry) && mm_fault_in(mm, at, ACCESS_READ)))
			break;
		if (!entry_is_swap(entry))
			done += part;
	}
	return done;
}

/* ---- Sizes ---- */

static void sum_regions(const struct mm *mm, struct mm_usage *usage)
{
	for (u32 i = 0; i < mm->regions->count; i++) {
		const struct region *region = &mm->regions->at[i];
		u64 pages = (region->end - region->start) >> PAGE_SHIFT;

		usage->mapped += pages;
		usage->locked += region->flags & MAP_LOCKED ? pages : 0;
		if (region->flags & MAP_GROWSDOWN)
			usage->stack += pages;
		else if (region->prot & PROT_EXEC)
			usage->text += pages;
		else if ((region->prot & PROT_WRITE) && (region->flags & MAP_PRIVATE))
			usage->data += pages;
	}
}

void mm_usage(struct mm *mm, struct mm_usage *usage)
{
	*usage = (struct mm_usage) {0};
	read_lock(&mm->lock);
	sum_tables(mm->root, true, usage);
	sum_regions(mm, usage);
	read_unlock(&mm->lock);
}
