/*
 * The form is a walk that gives names in the order of discovery: to nodes, region sets and values. The spaces have no
 * order of their own, so it is taken in all their orders, and the smallest hash stands for them all.
 */
#include "tests/host/model/form.h"

#include "mm/tree.h"
#include "tests/host/store.h"

#define MOST_FRAMES 4096u
#define MOST_VALUES 64u

struct form {
	u64 hash;
	u32 nodes, sets, values;
	const struct region_set *set[MOST_SPACES];
	u64 value[MOST_VALUES];
};

/* The name of each frame; it counts only if it was given in this walk. */
static struct {
	u32 walk, name;
} names[MOST_FRAMES], slot_names[STORE_PAGES];
static u32 walk;

static void put(struct form *form, u64 word)
{
	form->hash = (form->hash ^ word) * 0x9e3779b97f4a7c15ul;
	form->hash ^= form->hash >> 29;
}

static void put_value(struct form *form, u64 value)
{
	u32 name = 0;

	if (value) {
		form->value[form->values] = value;
		while (form->value[name] != value)
			name++;
		form->values += name == form->values;
		CHECK(form->values < MOST_VALUES, "%u values", form->values);
		name++;
	}
	put(form, name);
}

/* Puts the node's name; true when it is new, and its contents are to follow. */
static bool put_name(struct form *form, const struct page *node)
{
	pfn_t pfn = page_pfn(node);
	bool is_new = names[pfn].walk != walk;

	if (is_new) {
		names[pfn].walk = walk;
		names[pfn].name = ++form->nodes;
	}
	put(form, names[pfn].name);
	return is_new;
}

static void put_slot(struct form *form, u64 entry);

static void put_page(struct form *form, const struct page *page)
{
	if (page == zero_page) {
		put(form, 0);
	} else if (put_name(form, page)) {
		put(form, page_refs(page));
		put(form, page->object != NULL);
		put_value(form, *(u64 *)page_virt(page));
		if (page->swap)
			put_slot(form, page->swap);
	}
}

/* A slot of swap, and the page that it is tied to. */
static void put_slot(struct form *form, u64 entry)
{
	const struct swap_slot *slot = swap_slot(entry);
	u64 number = swap_slot_of(entry);
	bool is_new = slot_names[number].walk != walk;

	if (is_new) {
		slot_names[number].walk = walk;
		slot_names[number].name = ++form->nodes;
	}
	put(form, slot_names[number].name);
	if (!is_new)
		return;
	put(form, (u64)slot->refs << 32 | slot->written << 1 | (slot->cached != 0));
	put_value(form, store.pages[number][0]);
	if (slot->cached)
		put_page(form, &frames[slot->cached - 1]);
}

static void put_table(struct form *form, const struct page *table)
{
	if (!put_name(form, table))
		return;
	put(form, (u64)page_refs(table) << 32 | (u32)table->used << 20 | table->present << 10 |
			  table->swapped);
	node_for_each(table, entry) {
		put(form, (*entry & ~ENTRY_PADDR) | (u64)node_index(table, entry) << PAGE_SHIFT);
		if (table->level > 1)
			put_table(form, entry_child(*entry));
		else if (entry_is_swap(*entry))
			put_slot(form, *entry);
		else
			put_page(form, entry_child(*entry));
	}
}

static void put_regions(struct form *form, const struct region_set *set)
{
	u32 name = 0;

	form->set[form->sets] = set;
	while (form->set[name] != set)
		name++;
	put(form, name);
	if (name < form->sets)
		return;
	form->sets++;
	put(form, (u64)set->refs << 32 | set->count);
	for (const struct region *region = set->at; region < set->at + set->count; region++) {
		put(form, region->start);
		put(form, region->end);
		put(form, region->offset << 1 | (region->object != NULL));
		put(form, (u64)region->prot << 32 | region->flags);
	}
}

static void put_slots(struct form *form, const struct space *space)
{
	for (u32 i = 0; i < setting.slots; i++) {
		const struct slot *slot = &space->slots[i];

		put(form, slot->kind | slot->prot << 4 | (u32)slot->own << 8 | slot->index << 16);
		put_value(form, expected_value(slot));
	}
}

/* The pages of the file that plain operations map: at a slot of its first mapping lies the same one always. */
static void put_file(struct form *form)
{
	put(form, world.file_pages);
	for (u32 i = 0; i < setting.slots; i++) {
		u64 index = (place_of(i)->start - place_of(0)->start) >> PAGE_SHIFT;
		struct page *page = object_peek(world.file, index);

		if (!page)
			continue;
		page_put(page);
		put(form, index);
		put_page(form, page);
		put_value(form, world.file_values[index]);
	}
}

/* The form with the spaces in this order. */
static u64 form_in_order(const u32 *order)
{
	struct form form = {0};

	walk++;
	for (u32 i = 0; i < world.live; i++) {
		const struct space *space = &world.spaces[order[i]];

		put_table(&form, space->mm->root);
		put_regions(&form, space->mm->regions);
		put_slots(&form, space);
	}
	put_file(&form);
	return form.hash;
}

/* The smallest form over all orders of the spaces from `fixed` on. */
static u64 smallest_form(u32 *order, u32 fixed)
{
	u64 smallest = ~0ul;

	if (fixed >= world.live)
		return form_in_order(order);
	for (u32 i = fixed; i < world.live; i++) {
		u32 chosen = order[i];

		order[i] = order[fixed];
		order[fixed] = chosen;
		smallest = MIN(smallest, smallest_form(order, fixed + 1));
		order[fixed] = order[i];
		order[i] = chosen;
	}
	return smallest;
}

u64 world_form(void)
{
	u32 order[MOST_SPACES];

	CHECK(frames_count <= MOST_FRAMES, "%lu frames", frames_count);
	for (u32 i = 0; i < world.live; i++)
		order[i] = i;
	return smallest_form(order, 0);
}
