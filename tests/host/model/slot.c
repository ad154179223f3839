/* Slots: what the model knows of a run of pages, and what must follow from it. */
#include "mm/commit.h"
#include "mm/errno.h"
#include "mm/tree.h"
#include "tests/host/store.h"
#include "tests/host/model/model.h"

bool slots_at(vaddr_t start, u64 length, u32 *first, u32 *last)
{
	*first = *last = setting.slots;
	for (u32 i = 0; i < setting.slots; i++) {
		if (place_of(i)->start == start)
			*first = i;
		if (place_of(i)->end == start + length)
			*last = i;
	}
	return *first < setting.slots && *last < setting.slots;
}

u32 run_of_pages(u32 first, u32 most)
{
	u32 n = 0;

	while (n < most && first + n < setting.slots && is_page(first + n))
		n++;
	return n;
}

bool all_mapped(const struct space *space, u32 first, u32 last)
{
	for (u32 i = first; i <= last; i++)
		if (space->slots[i].kind == UNMAPPED)
			return false;
	return true;
}

bool any_mapped(const struct space *space, u32 first, u32 last)
{
	for (u32 i = first; i <= last; i++)
		if (space->slots[i].kind != UNMAPPED)
			return true;
	return false;
}

vaddr_t floor_of(const struct space *space, u32 i)
{
	return place_of(i)->start - (space->slots[i].grows ? STACK_GUARD : 0);
}

bool is_place(const struct space *space, vaddr_t start, vaddr_t end)
{
	for (u32 i = 0; i < setting.slots; i++)
		if (space->slots[i].kind != UNMAPPED && place_of(i)->end > start)
			return floor_of(space, i) >= end;
	return true;
}

bool is_free(const struct space *space, vaddr_t start, vaddr_t end)
{
	for (u32 i = 0; i < setting.slots; i++)
		if (place_of(i)->start < end && place_of(i)->end > start &&
		    space->slots[i].kind != UNMAPPED)
			return false;
	return true;
}

/* Whether slot i and the one after it lie in one region: mm/ merges all that it can. */
static bool joined(const struct space *space, u32 i)
{
	const struct slot *a = &space->slots[i], *b = a + 1;

	return a->kind != UNMAPPED && a->kind == b->kind && a->prot == b->prot &&
	       a->grows == b->grows && a->denies_write == b->denies_write &&
	       a->dontfork == b->dontfork && a->wipe == b->wipe && a->promised == b->promised &&
	       a->locked == b->locked && a->index + pages_of(i) == b->index;
}

bool in_one_region(const struct space *space, u32 first, u32 last)
{
	for (u32 i = first; i < last; i++)
		if (!joined(space, i))
			return false;
	return space->slots[first].kind != UNMAPPED;
}

void forget_slots(struct space *space, u32 first, u32 last)
{
	for (u32 i = first; i <= last; i++)
		space->slots[i] = (struct slot) {0};
}

void place_anew(struct slot *slots, u32 count, vaddr_t start)
{
	u64 distance = (start >> PAGE_SHIFT) - slots[0].index;

	for (u32 i = 0; i < count; i++)
		if (slots[i].kind != ANONYMOUS || slots[i].own)
			return;
	for (u32 i = 0; i < count; i++)
		slots[i].index += distance;
}

bool is_promise(enum kind kind, u32 prot)
{
	return kind != FILE_SHARED && (prot & PROT_WRITE);
}

void forget_contents(struct slot *slot)
{
	slot->own = slot->present = false;
	slot->value = 0;
}

void own_contents(struct slot *slot)
{
	slot->value = expected_value(slot);
	slot->own = true;
}

u64 expected_value(const struct slot *slot)
{
	if (slot->own)
		return slot->value;
	return slot->kind >= FILE_PRIVATE && slot->index < MOST_FILE_PAGES
		       ? world.file_values[slot->index]
		       : 0;
}

int expected_error(const struct slot *slot, enum access access)
{
	if (slot->kind == UNMAPPED)
		return -EFAULT;
	if (slot->prot == PROT_NONE || (access == ACCESS_WRITE && !(slot->prot & PROT_WRITE)) ||
	    (access == ACCESS_EXEC && !(slot->prot & PROT_EXEC)))
		return -EACCES;
	if (slot->kind >= FILE_PRIVATE && !slot->own && slot->index >= world.file_pages)
		return -ENXIO;
	return 0;
}

u64 leaf_at(struct mm *mm, vaddr_t addr)
{
	struct page *table = mm->root;
	u64 entry;

	while ((entry = *node_at(table, entry_index(addr, table->level))) && table->level > 1)
		table = entry_child(entry);
	return entry;
}

/* Whether a leaf holds a page that is neither the file's nor the zero page. */
static bool is_own(u64 leaf)
{
	return leaf && (entry_is_swap(leaf) ||
			(entry_child(leaf) != zero_page && !entry_child(leaf)->object));
}

const u64 *contents_of(u64 leaf)
{
	struct page *page = entry_is_swap(leaf) ? swap_cache_find(leaf) : entry_child(leaf);

	if (page && entry_is_swap(leaf))
		page_put(page);
	return page ? page_virt(page) : store.pages[swap_slot_of(leaf)];
}

void sync_contents(const struct space *space, u32 slot, struct slot *known)
{
	u64 leaf = leaf_at(space->mm, place_of(slot)->start);

	if (is_own(leaf) && !known->own)
		own_contents(known);
	known->present |= entry_counts_present(leaf);
}

static u32 expected_flags(const struct slot *slot)
{
	return (slot->kind == FILE_SHARED ? MAP_SHARED : MAP_PRIVATE) |
	       (slot->grows ? MAP_GROWSDOWN : 0) | (slot->denies_write ? MAP_DENYWRITE : 0) |
	       (slot->promised ? REGION_ACCOUNT : 0) | slot->locked |
	       (slot->dontfork ? REGION_DONTFORK : 0) | (slot->wipe ? REGION_WIPEONFORK : 0);
}

static void check_region(const struct space *space, u32 i)
{
	const struct slot *slot = &space->slots[i];
	const struct place *place = place_of(i);
	struct region region = {0};
	bool found = mm_region_at(space->mm, place->start, &region) && region.start < place->end;
	bool of_file = slot->kind >= FILE_PRIVATE;

	if (region.object)
		object_put(region.object);
	CHECK(found == (slot->kind != UNMAPPED), "slot %u", i);
	if (!found)
		return;
	CHECK(region.prot == slot->prot && region.flags == expected_flags(slot),
	      "slot %u: prot %x, flags %x, expected %x and %x", i, region.prot, region.flags,
	      slot->prot, expected_flags(slot));
	CHECK(region.object == (of_file ? world.file : NULL), "slot %u", i);
	CHECK(region.offset + place->start - region.start == slot->index * PAGE_SIZE,
	      "slot %u: offset %lx of the region at %lx", i, region.offset, region.start);
	CHECK((region.start < place->start) == (i > 0 && joined(space, i - 1)), "slot %u: from %lx",
	      i, region.start);
	CHECK((region.end > place->end) == (i + 1 < setting.slots && joined(space, i)),
	      "slot %u: to %lx", i, region.end);
}

/* What a leaf holds, whether or not an access would get there. */
static void check_leaf(const struct space *space, u32 i)
{
	const struct slot *slot = &space->slots[i];
	u64 leaf = leaf_at(space->mm, place_of(i)->start);

	CHECK(is_own(leaf) == slot->own, "slot %u: leaf %lx", i, leaf);
	if (!leaf)
		return;

	u64 seen = *contents_of(leaf);

	CHECK(seen == expected_value(slot), "slot %u: holds %lu, expected %lu", i, seen,
	      expected_value(slot));
}

static void check_usage(const struct space *space)
{
	struct mm_usage usage, expected = {0};

	mm_usage(space->mm, &usage);
	for (u32 i = 0; i < setting.slots; i++) {
		const struct slot *slot = &space->slots[i];
		u64 pages = slot->kind == UNMAPPED ? 0 : pages_of(i);

		expected.mapped += pages;
		expected.locked += slot->locked ? pages : 0;
		expected.resident += slot->own || slot->present;
		if (slot->grows)
			expected.stack += pages;
		else if (slot->prot & PROT_EXEC)
			expected.text += pages;
		else if ((slot->prot & PROT_WRITE) && slot->kind != FILE_SHARED)
			expected.data += pages;
	}
	CHECK(usage.mapped == expected.mapped && usage.stack == expected.stack &&
		      usage.text == expected.text && usage.data == expected.data &&
		      usage.locked == expected.locked,
	      "mapped %lu, stack %lu, text %lu, data %lu, locked %lu", usage.mapped, usage.stack,
	      usage.text, usage.data, usage.locked);
	CHECK(usage.resident + usage.swapped >= expected.resident, "%lu and %lu, known of %lu",
	      usage.resident, usage.swapped, expected.resident);
}

void check_space(const struct space *space)
{
	for (u32 i = 0; i < setting.slots; i++) {
		check_region(space, i);
		if (place_of(i)->data)
			check_leaf(space, i);
	}
	check_usage(space);
}

/* What all spaces were promised is the sum of their slots. */
static void check_promises(void)
{
	u64 promised = 0;

	for (u32 s = 0; s < world.live; s++)
		for (u32 i = 0; i < setting.slots; i++)
			promised += world.spaces[s].slots[i].promised ? pages_of(i) : 0;
	CHECK(commit_total() == promised, "%lu promised, expected %lu", commit_total(), promised);
}

void check_machine(void)
{
	CHECK(mm_audit() == 0, "the audit found faults");
	CHECK(machine_tlb_holds(), "a TLB remembers more than the tables say");
	check_promises();
}
