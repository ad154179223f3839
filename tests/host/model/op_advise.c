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

static bool is_allowed(const struct slot *slot, u32 advice)
{
	if (advice == MADV_WIPEONFORK)
		return slot->kind < FILE_PRIVATE;
	if (advice == MADV_FREE)
		return slot->kind < FILE_PRIVATE && !slot->locked;
	return advice != MADV_DONTNEED || !slot->locked;
}

/* The first slot that the advice is not for: it goes as far as that. */
static u32 advised_end(const struct operation *op)
{
	u32 i = op->first;

	while (i <= op->last && is_allowed(&space_of(op)->slots[i], op->advice))
		i++;
	return i;
}

static i64 advise_expect(const struct operation *op)
{
	if (advised_end(op) <= op->last)
		return -EINVAL;
	return all_mapped(space_of(op), op->first, op->last) ? 0 : -ENOMEM;
}

static i64 advise_call(const struct operation *op)
{
	int error = mm_advise(space_of(op)->mm, place_of(op->first)->start,
			      bytes_of(op->first, op->last), op->advice);

	return error == -EAGAIN && frames_refused() ? -ENOMEM : error;
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
	u32 end = advised_end(op);

	(void)result;
	for (u32 i = op->first; i < end; i++)
		if (space_of(op)->slots[i].kind != UNMAPPED)
			advise_slot(&space_of(op)->slots[i], op->advice);
}

const struct action action_advise = {
	"advise", advise_choose, advise_expect, advise_call, advise_apply, NULL,
};
