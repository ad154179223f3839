/*
 * Fork: a second address space that means the same as the first.
 *
 * With share level s, tables above level s are copied and what hangs off the last copied ones is
 * shared:
 *
 *      level 3          level 2          level 1          level 0
 *      R     R'         R     R'         R     R'         R     R'
 *       \   /           |     |          |     |          |     |
 *       PDPT          PDPT   PDPT      PDPT   PDPT      PDPT   PDPT
 *        |               \   /           |     |          |     |
 *        PD               PD            PD     PD         PD    PD
 *        |                |               \   /           |     |
 *        PT               PT               PT             PT    PT
 *        |                |                |               \   /
 *       page             page             page             page
 *
 * One function does all four: node_copy() at level s + 1 shares, the recursion above it copies.
 * Nothing below a shared node is touched, so the cost is that of the tables copied.
 */
#include "mm/commit.h"
#include "mm/errno.h"
#include "mm/object.h"
#include "mm/reclaim.h"
#include "mm/tree.h"

/* What SHARE_AUTO stands for; docs/fork.md gives the measurements. */
#define AUTO_LEVEL SHARE_PDPTS

/* What madvise and mlock asked of a fork: the child goes without a region, or has it empty, and has
 * no locks. */
static int heed_marks(struct mm *child)
{
	int error = mm_lock_all(child, true, 0, 0);
	struct region region;
	vaddr_t at = 0;

	while (!error && mm_region_at(child, at, &region)) {
		u64 length = region.end - region.start;

		if (region.flags & REGION_DONTFORK)
			error = mm_unmap(child, region.start, length);
		else if (region.flags & REGION_WIPEONFORK)
			error = mm_advise(child, region.start, length, MADV_DONTNEED);
		if (region.object)
			object_put(region.object);
		at = region.end;
	}
	return error;
}

/*
 * Fills `to`, a fresh table of from's level. -ENOMEM leaves `to` with a part of the children: a
 * valid tree. locked: mm->lock of from's address space, writer. So nobody takes an entry out of
 * `from`, even while it is shared.
 */
static int clone(struct page *to, struct page *from, enum share_level level)
{
	int error = 0;

	if (from->level <= level + 1) {
		node_copy(to, from);
		return 0;
	}
	node_for_each(from, entry) {
		struct page *table = frame_alloc(0);

		if (!table)
			return -ENOMEM;
		table_init(table, from->level - 1);
		entry_set(to, node_at(to, node_index(from, entry)),
			  page_paddr(table) | ENTRY_P | ENTRY_W | ENTRY_U | ENTRY_A);
		error = clone(table, entry_child(*entry), level);
		if (error)
			break;
	}
	return error;
}

/* Locked memory lies in tables that are owned (mm/mlock.c). */
static bool has_locked(const struct region_set *set)
{
	for (u32 i = 0; set->fork_marked && i < set->count; i++)
		if (set->at[i].flags & MAP_LOCKED)
			return true;
	return false;
}

static int try_fork(struct mm *parent, enum share_level level, struct mm **child)
{
	struct mm *mm = mm_create();

	if (!mm)
		return -ENOMEM;
	if (level == SHARE_AUTO)
		level = AUTO_LEVEL;

	write_lock(&parent->lock);
	if (has_locked(parent->regions))
		level = SHARE_PAGES;

	int error = parent->doomed ? -ENOMEM : commit_fork(mm, parent->regions);

	if (!error)
		error = clone(mm->root, parent->root, level);

	/* The parent lost W in the tables that were shared or copied: no CPU may go on with what it
	 * remembers. */
	tlb_flush_all(parent);
	if (!error) {
		regions_put(mm->regions);
		regions_get(mm->regions = parent->regions);
		mm->brk_start = parent->brk_start;
		mm->brk = parent->brk;
		mm->stack_top = parent->stack_top;
		mm->args_start = parent->args_start;
		mm->args_end = parent->args_end;
		mm->environ_start = parent->environ_start;
		mm->environ_end = parent->environ_end;
		mm->limits = parent->limits;
	}
	write_unlock(&parent->lock);
	if (!error && mm->regions->fork_marked)
		error = heed_marks(mm);
	if (error) {
		mm_put(mm);
		return error;
	}
	atomic_fetch_add_explicit(&mm_stat.forks, 1, memory_order_relaxed);
	*child = mm;
	return 0;
}

int mm_fork(struct mm *parent, enum share_level level, struct mm **child)
{
	return WITH_RECLAIM(try_fork(parent, level, child));
}
