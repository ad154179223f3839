/* Fork at every level, and exit. */
#include "mm/errno.h"
#include "mm/swap.h"
#include "mm/tree.h"
#include "tests/host/model/operation.h"

static struct mm *child; /* of the latest fork */

static bool fork_choose(struct operation *op)
{
	op->value = choose(SHARE_PDPTS + 1);
	return world.live < setting.spaces;
}

static i64 fork_expect(const struct operation *op)
{
	(void)op;
	return 0;
}

static i64 fork_call(const struct operation *op)
{
	return mm_fork(space_of(op)->mm, (enum share_level)op->value, &child);
}

static struct page *table_at(struct mm *mm, vaddr_t addr, u32 level)
{
	struct page *table = mm->root;

	while (table && table->level > level) {
		u64 entry = *node_at(table, entry_index(addr, table->level));

		table = entry ? entry_child(entry) : NULL;
	}
	return table;
}

/* Right after a fork, the tables in common are those at the share level and below. */
static void check_sharing(const struct space *space, u64 share)
{
	for (u32 i = 0; i < setting.slots; i++) {
		if (space->slots[i].dontfork || space->slots[i].wipe)
			return; /* what the child goes without, it owned first */
		if (space->slots[i].locked)
			share = SHARE_PAGES;
	}
	for (u32 i = 0; i < setting.slots; i++) {
		for (u32 level = 1; level <= ROOT_LEVEL; level++) {
			struct page *table = table_at(space->mm, place_of(i)->start, level);

			CHECK(!table || (table == table_at(child, place_of(i)->start, level)) ==
						(level <= share),
			      "slot %u, level %u, share level %lu", i, level, share);
		}
	}
}

static void fork_apply(const struct operation *op, i64 result)
{
	struct space *copy = &world.spaces[world.live++];

	(void)result;
	check_sharing(space_of(op), op->value);
	*copy = *space_of(op);
	copy->mm = child;
	for (u32 i = 0; i < setting.slots; i++) {
		copy->slots[i].locked = 0;
		if (copy->slots[i].wipe)
			forget_contents(&copy->slots[i]);
		if (copy->slots[i].dontfork)
			forget_slots(copy, i, i);
	}
	check_space(copy);
}

const struct action action_fork = {
	"fork", fork_choose, fork_expect, fork_call, fork_apply, NULL,
};

/* value: it is reaped first, as when memory is out. */
static bool exit_choose(struct operation *op)
{
	op->value = setting.plain ? 0 : choose(2);
	return world.live > 1;
}

static u64 nodes(void)
{
	return mm_stat.tables + mm_stat.data_pages;
}

/* What was freed against what was promised. Beside it may go pages in the slot cache whose slots were named here last. */
static void check_freed(u64 freed, u64 exclusive, bool others_may_go)
{
	CHECK(freed == exclusive || (others_may_go && freed > exclusive),
	      "%lu freed, %lu were exclusive", freed, exclusive);
}

static bool slots_keep_pages(void)
{
	struct swap_totals swap;

	swap_totals(&swap);
	return swap.waiting || swap.used;
}

/* The end frees what was exclusive, exactly; reaped, all of it but the root, at once. */
static i64 exit_call(const struct operation *op)
{
	struct mm *mm = space_of(op)->mm;
	u64 before = nodes(), exclusive = mm_exclusive_bytes(mm) >> PAGE_SHIFT;
	bool swap = slots_keep_pages();

	if (op->value) {
		mm_reap(mm);
		check_freed(before - nodes(), exclusive - 1, swap);
		CHECK(mm_exclusive_bytes(mm) == PAGE_SIZE, "%lu", mm_exclusive_bytes(mm));
		CHECK(mm_fault(mm, place_of(0)->start, ACCESS_READ) == -ENOMEM, "it lives");
		CHECK(mm_audit() == 0 && machine_tlb_holds(), "after it was reaped");
	}
	machine_forget(mm);
	mm_put(mm);
	check_freed(before - nodes(), exclusive, swap);
	return 0;
}

static void exit_apply(const struct operation *op, i64 result)
{
	(void)result;
	*space_of(op) = world.spaces[--world.live];
}

const struct action action_exit = {
	"exit", exit_choose, fork_expect, exit_call, exit_apply, NULL,
};
