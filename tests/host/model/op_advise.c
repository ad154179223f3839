/* madvise, but for populating. */
#include "mm/errno.h"
#include "tests/host/model/operation.h"

static bool advise_choose(struct operation *op)
{
	static const u32 advices[] = {
		MADV_DONTNEED, MADV_DONTNEED, MADV_DONTNEED,   MADV_FREE,
		MADV_DONTFORK, MADV_DOFORK,   MADV_WIPEONFORK, MADV_KEEPONFORK,
	};

	choose_slots(op);
	op->advice = advices[choose(setting.plain ? 1 : ARRAY_SIZE(advices))];
	return true;
}

static bool any_of_a_file(const struct space *space, u32 first, u32 last)
{
	for (u32 i = first; i <= last; i++)
		if (space->slots[i].kind >= FILE_PRIVATE)
			return true;
	return false;
}

static i64 advise_expect(const struct operation *op)
{
	bool for_anonymous = op->advice == MADV_WIPEONFORK || op->advice == MADV_FREE;

	if (for_anonymous && any_of_a_file(space_of(op), op->first, op->last))
		return -EINVAL;
	return all_mapped(space_of(op), op->first, op->last) ? 0 : -ENOMEM;
}

static i64 advise_call(const struct operation *op)
{
	return mm_advise(space_of(op)->mm, place_of(op->first)->start,
			 bytes_of(op->first, op->last), op->advice);
}

static void advise_slot(struct slot *slot, u32 advice)
{
	switch (advice) {
	case MADV_DONTFORK:
		slot->dontfork = true;
		break;
	case MADV_DOFORK:
		slot->dontfork = false;
		break;
	case MADV_WIPEONFORK:
		slot->wipe = true;
		break;
	case MADV_KEEPONFORK:
		slot->wipe = false;
		break;
	default:
		forget_contents(slot);
	}
}

/* A hole in the range is told, and what is around it is done. */
static void advise_apply(const struct operation *op, i64 result)
{
	for (u32 i = op->first; result != -EINVAL && i <= op->last; i++)
		if (space_of(op)->slots[i].kind != UNMAPPED)
			advise_slot(&space_of(op)->slots[i], op->advice);
}

const struct action action_advise = {
	"advise", advise_choose, advise_expect, advise_call, advise_apply, NULL,
};
