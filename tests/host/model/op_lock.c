/* mlock and munlock. */
#include "mm/errno.h"
#include "tests/host/model/operation.h"

static bool lock_choose(struct operation *op)
{
	static const u32 flags[] = {0, MAP_LOCKED, MAP_LOCKED | REGION_ONFAULT};

	op->first = (u8)choose(setting.slots);
	op->last = (u8)(op->first + run_of_pages(op->first, 1 + choose(6)) - 1);
	op->flags = flags[choose(3)];
	return is_page(op->first);
}

/* The first slot that is not mapped, or the one after the last. */
static u32 mapped_end(const struct operation *op)
{
	u32 i = op->first;

	while (i <= op->last && space_of(op)->slots[i].kind != UNMAPPED)
		i++;
	return i;
}

static enum access access_of(const struct slot *slot)
{
	return is_promise(slot->kind, slot->prot) ? ACCESS_WRITE : ACCESS_READ;
}

static i64 lock_expect(const struct operation *op)
{
	if (mapped_end(op) <= op->last)
		return -ENOMEM;
	for (u32 i = op->first; op->flags == MAP_LOCKED && i <= op->last; i++) {
		const struct slot *slot = &space_of(op)->slots[i];

		if (expected_error(slot, access_of(slot)))
			return -EAGAIN; /* as lock_call() tells it, apart from a refusal */
	}
	return 0;
}

static i64 lock_call(const struct operation *op)
{
	int error = mm_lock(space_of(op)->mm, place_of(op->first)->start,
			    bytes_of(op->first, op->last), op->flags);

	if (error == -EAGAIN)
		return -ENOMEM;
	return error == -ENOMEM && mapped_end(op) > op->last && !frames_refused() ? -EAGAIN : error;
}

static void mark_slots(const struct operation *op)
{
	u32 end = mapped_end(op);

	for (u32 i = op->first; i < end; i++)
		space_of(op)->slots[i].locked = op->flags;
}

static void lock_apply(const struct operation *op, i64 result)
{
	mark_slots(op);
	for (u32 i = op->first; op->flags == MAP_LOCKED && result != -ENOMEM && i <= op->last;
	     i++) {
		struct slot *slot = &space_of(op)->slots[i];

		if (expected_error(slot, access_of(slot)))
			return;
		populate_apply(space_of(op), i, i, access_of(slot));
	}
}

/* The marks are set before the pages are made. */
static bool lock_partly_done(const struct operation *op)
{
	struct space *space = space_of(op);
	struct region region = {0};
	bool marked = mm_region_at(space->mm, place_of(op->first)->start, &region) &&
		      (region.flags & (MAP_LOCKED | REGION_ONFAULT)) == op->flags;

	if (region.object)
		object_put(region.object);
	if (!marked)
		return false;
	mark_slots(op);
	for (u32 i = op->first; i <= op->last; i++)
		sync_contents(space, i, &space->slots[i]);
	return true;
}

const struct action action_lock = {
	"mlock", lock_choose, lock_expect, lock_call, lock_apply, lock_partly_done,
};
