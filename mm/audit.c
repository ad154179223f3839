/*
 * The audit: the law of mm/tree.h, recomputed. It walks from every root and every object, counts
 * each pointer that it sees into page->expected, and then compares every frame with what was
 * counted. It also checks
 *
 *  - used, present and swapped of each table, and the levels of its children;
 *  - refs of swap slots, and which pages they are tied to;
 *  - that locked memory lies in tables that its address space owns;
 *  - rule 6: W only where the child has refs 1, or the leaf is marked ENTRY_SHARED;
 *  - rule 7: the sharers of a table agree on the regions over its span, PROT_WRITE apart;
 *  - that nothing is mapped outside regions, and that what the AND of the W bits lets an address
 *    space write, its regions let it write too;
 *  - refs of region sets and objects, the order of regions, the totals of tables and pages;
 *  - what is promised (mm/commit.h): by each set, to each address space, in all.
 *
 * A table is visited once, by the first address space that leads to it; the regions of the others
 * are compared with that one's.
 */
#include "mm/commit.h"
#include "mm/object.h"
#include "mm/swap.h"
#include "mm/tree.h"

#define MOST_REPORTS 20

struct audit {
	u64 findings;
	struct mm *mm; /* whose tree is being walked */
	u64 tables, data_pages, promised, tied, waiting;
};

#define FINDING(audit, format, ...)                                   \
	do {                                                          \
		if (++(audit)->findings <= MOST_REPORTS)              \
			printk("audit: " format "\n", ##__VA_ARGS__); \
	} while (0)

/* What rule 7 asks: the same pages, and the same of them to be read and executed. What may be written
 * or executed may be read, as the processor has it. */
static bool same_for_sharers(const struct region *a, const struct region *b)
{
	return a->start == b->start && a->end == b->end && a->object == b->object &&
	       a->offset == b->offset && ((a->flags ^ b->flags) & MAP_SHARED) == 0 &&
	       (a->prot & PROT_EXEC) == (b->prot & PROT_EXEC) && !a->prot == !b->prot;
}

/* The next piece of a set in [*at, end), clipped, with regions joined that differ in PROT_WRITE
 * alone. */
static bool next_piece(const struct region_set *set, vaddr_t *at, vaddr_t end, struct region *piece)
{
	u32 i = regions_find(set, *at);

	if (*at >= end || i == set->count || set->at[i].start >= end)
		return false;
	*piece = set->at[i];
	if (piece->start < *at) {
		piece->offset += *at - piece->start;
		piece->start = *at;
	}
	while (++i < set->count && set->at[i].start == piece->end) {
		struct region rest = *piece;

		rest.start = set->at[i].start;
		rest.end = set->at[i].end;
		rest.offset += piece->end - piece->start;
		if (!same_for_sharers(&rest, &set->at[i]))
			break;
		piece->end = rest.end;
	}
	piece->end = MIN(piece->end, end);
	*at = piece->end;
	return true;
}

static bool regions_agree(const struct mm *a, const struct mm *b, vaddr_t start, vaddr_t end)
{
	vaddr_t at_a = start, at_b = start;
	struct region in_a, in_b;
	bool more_a, more_b;

	if (a->regions == b->regions)
		return true;
	do {
		more_a = next_piece(a->regions, &at_a, end, &in_a);
		more_b = next_piece(b->regions, &at_b, end, &in_b);
		if (more_a != more_b || (more_a && !same_for_sharers(&in_a, &in_b)))
			return false;
	} while (more_a);
	return true;
}

static void check_swap_entry(struct audit *audit, u64 entry, vaddr_t addr)
{
	struct swap_slot *slot = swap_slot(entry);

	if ((entry & (ENTRY_P | ENTRY_W)) || !slot->refs || !slot->written)
		FINDING(audit, "swap entry %lx at %lx: refs %u, written %d", entry, addr,
			slot->refs, slot->written);
	slot->expected++;
}

static void check_entry(struct audit *audit, const struct page *table, u64 entry, vaddr_t addr)
{
	const struct page *child = entry_child(entry);
	bool is_table = table->level > 1;

	if (!is_table && !regions_overlap(audit->mm->regions, addr, addr + PAGE_SIZE))
		FINDING(audit, "entry %lx at %lx is outside all regions", entry, addr);
	if (!is_table && entry_is_swap(entry)) {
		check_swap_entry(audit, entry, addr);
		return;
	}

	u32 refs = page_refs(child);

	if (child->type != (is_table ? PAGE_TABLE : PAGE_DATA) ||
	    (is_table && child->level != table->level - 1))
		FINDING(audit, "entry %lx at %lx, level %u: child has type %u, level %u", entry,
			addr, table->level, child->type, child->level);
	if ((entry & ENTRY_W) && refs != 1 && (is_table || !(entry & ENTRY_SHARED)))
		FINDING(audit, "entry %lx at %lx, level %u: W, but its child has refs %u", entry,
			addr, table->level, refs);
}

static void visit(struct audit *audit, struct page *node, vaddr_t base);

static void visit_children(struct audit *audit, struct page *table, vaddr_t base)
{
	u32 used = 0, present = 0, swapped = 0;

	node_for_each(table, entry) {
		vaddr_t addr = base + node_index(table, entry) * entry_span(table->level);

		used++;
		present += table->level == 1 && entry_counts_present(*entry);
		swapped += table->level == 1 && entry_is_swap(*entry);
		check_entry(audit, table, *entry, addr);
		if (!entry_is_swap(*entry))
			visit(audit, entry_child(*entry), addr);
	}
	if (used != table->used || present != table->present || swapped != table->swapped)
		FINDING(audit,
			"table at %lx, level %u: used %u, counted %u; present %u, counted %u; "
			"swapped %u, counted %u",
			base, table->level, table->used, used, table->present, present,
			table->swapped, swapped);
	if (!used && table->level != ROOT_LEVEL)
		FINDING(audit, "table at %lx, level %u, is empty", base, table->level);
}

static bool has_locked(const struct mm *mm, vaddr_t start, vaddr_t end)
{
	regions_for_each(mm->regions, region, start, end)
		if (region->flags & MAP_LOCKED)
			return true;
	return false;
}

static void visit(struct audit *audit, struct page *node, vaddr_t base)
{
	node->expected++;
	if (node->type != PAGE_TABLE)
		return;

	u64 size = entry_span(node->level) * node_entries(node);

	if (page_refs(node) > 1 && has_locked(audit->mm, base, base + size))
		FINDING(audit, "the table at %lx, level %u, has locked memory and refs %u", base,
			node->level, page_refs(node));
	if (node->expected == 1) {
		node->table.visitor = audit->mm;
		visit_children(audit, node, base);
		return;
	}
	if (!regions_agree(audit->mm, node->table.visitor, base, base + size))
		FINDING(audit, "sharers of the table at %lx, level %u, disagree on regions", base,
			node->level);
}

/* What the hardware lets this address space write, its regions must allow too. Follows W = 1 alone.
 */
static void check_writable(struct audit *audit, struct page *table, vaddr_t base)
{
	node_for_each(table, entry) {
		vaddr_t addr = base + node_index(table, entry) * entry_span(table->level);

		if ((*entry & (ENTRY_W | ENTRY_P)) != (ENTRY_W | ENTRY_P))
			continue;
		if (table->level > 1) {
			check_writable(audit, entry_child(*entry), addr);
			continue;
		}

		const struct region_set *set = audit->mm->regions;
		u32 at = regions_find(set, addr);

		if (at == set->count || !(set->at[at].prot & PROT_WRITE))
			FINDING(audit, "%lx is writable, its region is not", addr);
	}
}

static void check_regions(struct audit *audit, const struct region_set *set)
{
	u64 promised = 0;

	for (u32 i = 0; i < set->count; i++) {
		const struct region *region = &set->at[i];

		promised += region_promised(region);
		if (region->start >= region->end || region->end > USER_END ||
		    (i > 0 && region[-1].end > region->start))
			FINDING(audit, "region %u, %lx to %lx, is out of order", i, region->start,
				region->end);
		if (region->object)
			region->object->expected++;
	}
	if (promised != set->promised)
		FINDING(audit, "region set of %u regions: promised %lu, counted %lu", set->count,
			set->promised, promised);
}

static void clear_set(void *context, struct mm *mm)
{
	(void)context;
	mm->regions->expected = 0;
}

static void clear_object(void *context, struct object *object)
{
	(void)context;
	object->expected = object->owner ? 1 : 0;
}

static void audit_mm(void *context, struct mm *mm)
{
	struct audit *audit = context;

	audit->mm = mm;
	visit(audit, mm->root, 0);
	check_writable(audit, mm->root, 0);
	if (mm->regions->expected++ == 0)
		check_regions(audit, mm->regions);
	if (mm->promised != mm->regions->promised)
		FINDING(audit, "address space: promised %lu, its regions %lu", mm->promised,
			mm->regions->promised);
	audit->promised += mm->promised;
}

static void compare_set(void *context, struct mm *mm)
{
	if (mm->regions->refs != mm->regions->expected)
		FINDING((struct audit *)context, "region set of %u regions: refs %u, counted %u",
			mm->regions->count, mm->regions->refs, mm->regions->expected);
}

static void count_cached(void *context, struct page *page)
{
	(void)context;
	page->expected++;
}

static void audit_object(void *context, struct object *object)
{
	((struct audit *)context)->promised += object->promised;
	object_each_page(object, count_cached, NULL);
}

static void compare_object(void *context, struct object *object)
{
	if (object->refs != object->expected)
		FINDING((struct audit *)context, "object of %lu bytes: refs %u, counted %u",
			object->size, object->refs, object->expected);
}

static void clear_slot(void *context, u64 entry, struct swap_slot *slot)
{
	(void)context;
	(void)entry;
	slot->expected = 0;
}

/* A page and its slot hold each other. */
static void audit_tie(void *context, u64 entry, struct swap_slot *slot)
{
	struct audit *audit = context;

	if (!slot->cached)
		return;
	slot->expected++;
	audit->waiting += slot->waiting;
	if (slot->waiting != (page_refs(&frames[slot->cached - 1]) == 1))
		FINDING(audit, "slot %lx: its page waits %d, and has refs %u", entry, slot->waiting,
			page_refs(&frames[slot->cached - 1]));
	frames[slot->cached - 1].expected++;
	if (frames[slot->cached - 1].swap != entry)
		FINDING(audit, "slot %lx is tied to frame %x, which names %lx", entry,
			slot->cached - 1, frames[slot->cached - 1].swap);
}

static void compare_slot(void *context, u64 entry, struct swap_slot *slot)
{
	if (slot->refs != slot->expected)
		FINDING((struct audit *)context, "slot %lx: refs %u, counted %u", entry, slot->refs,
			slot->expected);
}

static void compare_frame(struct audit *audit, struct page *page)
{
	bool node = page->type == PAGE_TABLE || page->type == PAGE_DATA;

	audit->tables += page->type == PAGE_TABLE;
	audit->data_pages += page->type == PAGE_DATA;
	audit->tied += page->type == PAGE_DATA && page->swap;
	if (node ? page_refs(page) != page->expected : page->expected)
		FINDING(audit, "frame %lx, type %u, level %u: refs %u, counted %u", page_pfn(page),
			page->type, page->level, page_refs(page), page->expected);
}

static void compare_totals(struct audit *audit)
{
	struct swap_totals swap;

	swap_totals(&swap);
	if (audit->tied != swap.cached || audit->waiting != swap.waiting)
		FINDING(audit, "pages with a slot %lu, counted %lu; waiting %lu, counted %lu",
			swap.cached, audit->tied, swap.waiting, audit->waiting);
	if (audit->tables != mm_stat.tables || audit->data_pages != mm_stat.data_pages)
		FINDING(audit, "tables %lu, counted %lu; data pages %lu, counted %lu",
			mm_stat.tables, audit->tables, mm_stat.data_pages, audit->data_pages);
	if (audit->promised != commit_total())
		FINDING(audit, "promised %lu, counted %lu", commit_total(), audit->promised);
}

u64 mm_audit(void)
{
	struct audit audit = {0};

	for (pfn_t pfn = 0; pfn < frames_count; pfn++)
		frames[pfn].expected = 0;
	mm_each(clear_set, NULL);
	object_each(clear_object, NULL);

	swap_each(clear_slot, NULL);
	zero_page->expected = 1;
	mm_each(audit_mm, &audit);
	object_each(audit_object, &audit);
	swap_each(audit_tie, &audit);

	mm_each(compare_set, &audit);
	object_each(compare_object, &audit);
	swap_each(compare_slot, &audit);
	for (pfn_t pfn = 0; pfn < frames_count; pfn++)
		compare_frame(&audit, &frames[pfn]);
	compare_totals(&audit);
	if (audit.findings > MOST_REPORTS)
		printk("audit: %lu findings in all\n", audit.findings);
	return audit.findings;
}
