/* Changing regions, for the other files of mm/. */
#pragma once

#include "mm/mm.h"

struct span;

/* Where a mapping of length bytes goes: at addr with MAP_FIXED, else there if it is free, else the highest gap.
 * 0 and the place in *span, -EINVAL, -EPERM, -ENOMEM, -EEXIST. locked: mm->lock, writer. */
int choose_place(struct mm *mm, vaddr_t addr, u64 length, u32 flags, struct span *span);

/* Unmaps span; -ENOMEM: nothing has changed. locked: mm->lock, writer. */
int unmap_locked(struct mm *mm, const struct span *span);

/* Whether nothing is mapped in span, nor kept free for a stack above it. */
bool place_is_free(const struct region_set *set, const struct span *span);

/* -ENOMEM when a limit forbids that span becomes part of region. locked: mm->lock, reader. */
int check_limits(const struct mm *mm, const struct span *span, const struct region *region);

/* Makes span what region says, but for its place, and takes a ref of its object; what was there is unmapped.
 * -ENOMEM: nothing has changed. locked: mm->lock, writer. */
int map_locked(struct mm *mm, const struct span *span, struct region region);

/*
 * Extends the stack above addr down to it. False when there is none, or it may not grow so far, or
 * memory is out; true also when somebody else has done it meanwhile. locked: mm->lock, writer.
 */
bool stack_grow(struct mm *mm, vaddr_t addr);

/* After a fault that had to read the page at addr from swap: reads pages that will be wanted next. locked: mm->lock,
 * reader, and no table */
void swap_read_ahead(struct mm *mm, const struct region *region, vaddr_t addr);

/* Brings back what of span is in swap, as far as it may be read and memory is not low. locked: mm->lock, reader */
void swap_in_span(struct mm *mm, const struct span *span);

/* Takes flags from the regions in span and gives others, which fork and reclaim ask for: no table is
 * touched, but that with MAP_LOCKED they are owned (rule 7 of mm/tree.h). -ENOMEM: nothing has changed. locked: mm->lock, writer. */
int mark_locked(struct mm *mm, const struct span *span, u32 take, u32 add);
