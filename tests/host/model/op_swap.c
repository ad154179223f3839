/*
 * Swapping out, in, and off, which change no meaning: the model stays as it is, and every check after an operation, every
 * read, and the audit must find it so. Devices fail too.
 */
#include "mm/errno.h"
#include "mm/reclaim.h"
#include "mm/tree.h"
#include "tests/host/model/operation.h"
#include "tests/host/store.h"

static void nothing_to_apply(const struct operation *op, i64 result)
{
	(void)op;
	(void)result;
}

static i64 expect_nothing(const struct operation *op)
{
	(void)op;
	return 0;
}

static bool page_out_choose(struct operation *op)
{
	static const u32 advices[] = {MADV_PAGEOUT, MADV_PAGEOUT, MADV_COLD, MADV_WILLNEED};

	if (setting.plain)
		return choose_data(op);
	choose_slots(op);
	op->advice = advices[choose(ARRAY_SIZE(advices))];
	op->value = choose(4) ? 0 : 1 + choose(4); /* the write that fails */
	return true;
}

static i64 page_out_expect(const struct operation *op)
{
	for (u32 i = op->first; op->advice != MADV_WILLNEED && i <= op->last; i++)
		if (space_of(op)->slots[i].locked)
			return -EINVAL;
	return all_mapped(space_of(op), op->first, op->last) ? 0 : -ENOMEM;
}

static i64 page_out_call(const struct operation *op)
{
	store.fail_write = op->value;

	i64 result =
		mm_advise(space_of(op)->mm, place_of(op->first)->start,
			  bytes_of(op->first, op->last), setting.plain ? MADV_PAGEOUT : op->advice);

	store.fail_write = 0;
	return result;
}

const struct action action_page_out = {
	"page out", page_out_choose, page_out_expect, page_out_call, nothing_to_apply, NULL,
};

static bool reclaim_choose(struct operation *op)
{
	op->value = 1 + choose(12);
	op->last = (u8)choose(8);
	return true;
}

static i64 reclaim_call(const struct operation *op)
{
	store.fail_write = op->last == 1;
	mm_reclaim(op->value, RECLAIM_THREAD);
	store.fail_write = 0;
	return 0;
}

const struct action action_reclaim = {
	"reclaim", reclaim_choose, expect_nothing, reclaim_call, nothing_to_apply, NULL,
};

static bool broken_choose(struct operation *op)
{
	op->access = choose(2) ? ACCESS_WRITE : ACCESS_READ;
	return choose_data(op) &&
	       entry_is_swap(leaf_at(space_of(op)->mm, place_of(op->first)->start));
}

/* An access that cannot read its slot fails, whoever makes it, until it can. */
static i64 broken_call(const struct operation *op)
{
	vaddr_t addr = place_of(op->first)->start;
	u64 failed = store.failed;
	char *at;

	store.fail_read = 1;

	int error = mm_fault_in(space_of(op)->mm, addr, op->access);

	store.fail_read = 0;
	CHECK((error == -EIO) == (store.failed > failed), "slot %u: %d", op->first, error);
	if (error == -EIO)
		CHECK(machine_translate(space_of(op)->mm, addr, ACCESS_READ, &at) == -1, "slot %u",
		      op->first);
	return 0;
}

const struct action action_broken_read = {
	"fail to read", broken_choose, expect_nothing, broken_call, nothing_to_apply, NULL,
};

static bool swapoff_choose(struct operation *op)
{
	op->value = choose(4) == 0; /* a read fails */
	return true;
}

static i64 swapoff_call(const struct operation *op)
{
	u64 failed = store.failed;
	int error;

	store.fail_read = op->value;
	error = swap_area_remove((u32)world.area);
	store.fail_read = 0;
	if (error == -EIO && store.failed > failed)
		error = swap_area_remove((u32)world.area);
	return error;
}

/* And on again. */
static void swapoff_apply(const struct operation *op, i64 result)
{
	struct swap_totals totals;

	(void)op;
	(void)result;
	swap_totals(&totals);
	CHECK(totals.pages == 0 && totals.used == 0 && totals.cached == 0, "%lu, %lu, %lu",
	      totals.pages, totals.used, totals.cached);
	world.area = store_add(&store, setting.swap_slots, 0);
	CHECK(world.area >= 0, "%d", world.area);
}

/* What was brought back before memory was out stays, and its slots are true. */
static bool swapoff_partly_done(const struct operation *op)
{
	(void)op;
	return true;
}

const struct action action_swapoff = {
	"swapoff", swapoff_choose, expect_nothing, swapoff_call, swapoff_apply, swapoff_partly_done,
};
