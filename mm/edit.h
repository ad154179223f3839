/*
 * The frame of every change that an address space makes to what it means: memory first, then
 * ownership, then the change, then the flush. For the files of mm/ that change regions and tables.
 */
#pragma once

#include "mm/tree.h"

/* Pages [start, end). */
struct span {
	vaddr_t start, end;
};

/* length bytes from addr, rounded up to pages; false when that is no range of user pages. */
bool span_init(struct span *span, vaddr_t addr, u64 length);

#define EDIT_LATER 64u

struct edit {
	struct reserve reserve;
	struct gather gather;
	struct page *later[EDIT_LATER];
};

/* Which tables an edit owns: those that its span covers in part (rule 7), or all it touches. */
enum which { NO_TABLES, PARTLY_COVERED, ALL_TABLES };

/* The frames that edit_begin() would want for this span now: while tables are shared, others may fill more below
 * them. locked: mm->lock, writer */
u32 edit_need(struct mm *mm, const struct span *span, enum which which);

/*
 * Takes the memory for a change of span and `more_frames` beside it, room for more_regions, then
 * owns the tables (NO_TABLES: none). -ENOMEM: memory reads as before, and there is no edit to end; no
 * table was copied unless others have filled some meanwhile.
 * locked: mm->lock, writer, until edit_end()
 */
int edit_begin(struct edit *edit, struct mm *mm, const struct span *span, enum which which,
	       u32 more_frames, u32 more_regions);

/* Owns the tables of a further span. -ENOMEM, if edit_need() was not among more_frames or has grown since: the edit
 * goes on. */
int edit_own(struct edit *edit, struct mm *mm, const struct span *span, enum which which);

/*
 * Lets go of all that span covers, and gathers it for the flush. The tables that it covers in part
 * are owned by now, and freed when they end up empty.
 */
void edit_zap(struct edit *edit, struct mm *mm, const struct span *span);

/*
 * Takes the pages of span away from mm and from all who share its tables, in place: what all sharers
 * of a table do alike (rule 4 of mm/tree.h). only: just the pages of this object; NULL: all. Tables
 * left empty are freed, once each of their sharers has been here. locked: mm->lock, writer, of every
 * address space that maps span's pages; the gather's mm is this one.
 */
void zap_in_place(struct mm *mm, const struct span *span, const struct object *only,
		  struct gather *gather);

/* Flushes, frees what was let go of, gives back what was not needed, and what was promised for nothing. */
void edit_end(struct edit *edit);

static inline u32 span_first(const struct page *table, vaddr_t base, const struct span *span)
{
	return span->start <= base ? 0 : entry_index(span->start, table->level);
}

static inline u32 span_end(const struct page *table, vaddr_t base, const struct span *span)
{
	u64 table_span = entry_span(table->level) * node_entries(table);

	return span->end >= base + table_span ? node_entries(table)
					      : entry_index(span->end - 1, table->level) + 1;
}

/* The used entries of a table based at base that reach into span: *entry, and low, the first
 * address it maps. */
#define for_each_in_span(table, base, span, entry, low)                                    \
	for (u64 *entry = node_at(table, span_first(table, base, span)),                   \
		 *end_ = node_at(table, span_end(table, base, span));                      \
	     (entry = entry_next_used(table, entry, end_)) < end_ &&                       \
	     (low = (base) + node_index(table, entry) * entry_span((table)->level), true); \
	     entry++)
