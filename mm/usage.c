/* Reading an address space without changing it: its sizes, and its tables one by one. */
#include "mm/errno.h"
#include "mm/tree.h"

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

static bool walk_tables(struct page *table, vaddr_t base, bool owned_above, const struct walk *walk)
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
		if (!walk_tables(entry_child(*entry),
				 base + node_index(table, entry) * entry_span(table->level),
				 info.owned, walk))
			return false;
	return true;
}

void mm_walk(struct mm *mm, bool (*visit)(void *context, const struct node_info *node),
	     void *context)
{
	struct walk walk = {visit, context};

	read_lock(&mm->lock);
	walk_tables(mm->root, 0, true, &walk);
	read_unlock(&mm->lock);
}

static void sum_tables(struct page *table, bool owned_above, struct mm_usage *usage)
{
	bool owned = owned_above && page_refs(table) == 1;

	usage->tables++;
	usage->tables_private += owned;
	usage->resident += table->present;
	if (table->level == 1)
		return;
	node_for_each(table, entry)
		sum_tables(entry_child(*entry), owned, usage);
}

int mm_resident(struct mm *mm, vaddr_t addr)
{
	struct page *table = mm->root;
	int result = -ENOMEM;
	u64 entry;

	read_lock(&mm->lock);
	if (regions_overlap(mm->regions, addr, addr + 1)) {
		while ((entry = *node_at(table, entry_index(addr, table->level))) &&
		       table->level > 1)
			table = entry_child(entry);
		result = entry_counts_present(entry);
	}
	read_unlock(&mm->lock);
	return result;
}

static void sum_regions(const struct mm *mm, struct mm_usage *usage)
{
	for (u32 i = 0; i < mm->regions->count; i++) {
		const struct region *region = &mm->regions->at[i];
		u64 pages = (region->end - region->start) >> PAGE_SHIFT;

		usage->mapped += pages;
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
