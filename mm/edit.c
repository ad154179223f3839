/* Edits: see mm/edit.h, and rules 3, 7 and 9 of the law in mm/tree.h. */
#include "mm/edit.h"
#include "mm/commit.h"
#include "mm/errno.h"

bool span_init(struct span *span, vaddr_t addr, u64 length)
{
	if ((addr & PAGE_MASK) || length == 0 || addr > USER_END || length > USER_END - addr)
		return false;
	*span = (struct span) {addr, addr + ROUND_UP(length, PAGE_SIZE)};
	return true;
}

static bool covers(const struct span *span, vaddr_t low, u64 size)
{
	return span->start <= low && low + size <= span->end;
}

/*
 * Makes tables below `table` owned too: those that span covers in part, or all that it touches, as far
 * as the reserve goes. Without an edit it owns none. shared_above: it is not owned itself, since an edit
 * would have to make it so first. Returns the frames that the rest would take.
 */
static u32 own_tables(struct page *table, vaddr_t base, const struct span *span, enum which which,
		      bool shared_above, struct edit *edit)
{
	u32 need = 0;
	vaddr_t low;

	if (table->level == 1)
		return 0;
	for_each_in_span(table, base, span, entry, low) {
		if (which == PARTLY_COVERED && covers(span, low, entry_span(table->level)))
			continue;

		struct page *child = entry_child(*entry);
		bool shared = shared_above || page_refs(child) > 1;
		struct edit *can = shared && edit && !edit->reserve.count ? NULL : edit;

		if (can)
			child = node_own_child(entry, low, &edit->reserve, &edit->gather);
		else
			need += shared;
		need += own_tables(child, low, span, which, shared && !can, can);
	}
	return need;
}

u32 edit_need(struct mm *mm, const struct span *span, enum which which)
{
	return own_tables(mm->root, 0, span, which, false, NULL);
}

int edit_own(struct edit *edit, struct mm *mm, const struct span *span, enum which which)
{
	int error = 0;
	u32 need;

	while (!error && (need = own_tables(mm->root, 0, span, which, false, edit)))
		error = reserve_fill(&edit->reserve, need);
	return error;
}

int edit_begin(struct edit *edit, struct mm *mm, const struct span *span, enum which which,
	       u32 more_frames, u32 more_regions)
{
	edit->reserve = (struct reserve)RESERVE_EMPTY;
	edit->gather = gather_begin(mm, edit->later, EDIT_LATER);

	u32 need = which == NO_TABLES ? 0 : edit_need(mm, span, which);
	int error = reserve_fill(&edit->reserve, need + more_frames);

	if (!error)
		error = regions_own(&mm->regions, more_regions);
	if (!error && need)
		error = edit_own(edit, mm, span, which);
	if (error)
		edit_end(edit);
	return error;
}

void edit_end(struct edit *edit)
{
	gather_end(&edit->gather);
	reserve_release(&edit->reserve);
	commit_settle(edit->gather.mm);
}

struct zap {
	const struct span *span;
	struct gather *gather;
	bool in_place;
	const struct object *only;
};

static void zap(struct page *table, vaddr_t base, const struct zap *how);

/* Whether the child at [low, low + size) goes: a page that is meant, or a slot, which is no object's; a table that is
 * covered whole, or empty after what it has in the span is gone. */
static bool goes(u64 entry, vaddr_t low, u64 size, const struct zap *how)
{
	if (entry_is_swap(entry))
		return !how->only;

	struct page *child = entry_child(entry);

	if (child->type != PAGE_TABLE)
		return !how->only || child->object == how->only;
	if (!how->in_place && covers(how->span, low, size))
		return true;
	ASSERT(how->in_place || page_refs(child) == 1, "refs %u of a table covered in part",
	       page_refs(child));
	zap(child, low, how);
	return !child->used;
}

static void zap(struct page *table, vaddr_t base, const struct zap *how)
{
	vaddr_t low;

	node_lock(table);
	for_each_in_span(table, base, how->span, entry, low) {
		u64 value = *entry;

		if (!goes(value, low, entry_span(table->level), how))
			continue;
		entry_set(table, entry, 0);
		entry_drop(value, how->gather);
	}
	node_unlock(table);
}

void edit_zap(struct edit *edit, struct mm *mm, const struct span *span)
{
	gather_flush(&edit->gather, span->start, span->end);
	zap(mm->root, 0, &(struct zap) {.span = span, .gather = &edit->gather});
}

void zap_in_place(struct mm *mm, const struct span *span, const struct object *only,
		  struct gather *gather)
{
	gather_flush(gather, span->start, span->end);
	zap(mm->root, 0,
	    &(struct zap) {.span = span, .gather = gather, .in_place = true, .only = only});
}
