/* Truncation and holes of the file, under all who map it. */
#include "mm/errno.h"
#include "tests/host/model/operation.h"

/* The page of the file that plain operations map at this slot. */
static u64 first_page_of(u32 slot)
{
	return (place_of(slot)->start - place_of(0)->start) >> PAGE_SHIFT;
}

/* The file ends with page op->value from now on. */
static bool truncate_choose(struct operation *op)
{
	if (setting.plain) { /* whole again, or without what the second PTE table maps */
		op->value = choose(2) ? setting.file_pages : first_page_of(2);
		return true;
	}
	op->value = choose(3) ? setting.file_pages : choose((u32)setting.file_pages + 1);
	return true;
}

static i64 object_expect(const struct operation *op)
{
	(void)op;
	return 0;
}

static i64 truncate_call(const struct operation *op)
{
	write_lock(&world.file->mappers);
	object_truncate(world.file, op->value * PAGE_SIZE);
	write_unlock(&world.file->mappers);
	return 0;
}

/* Takes the pages [from, to) from all slots that map them; private copies only if copies_too. */
static void lose_pages(u64 from, u64 to, bool copies_too)
{
	for (u64 i = from; i < MIN(to, MOST_FILE_PAGES); i++)
		world.file_values[i] = 0;
	for (u32 i = 0; i < world.live * setting.slots; i++) {
		struct slot *slot = &world.spaces[i / setting.slots].slots[i % setting.slots];

		if (slot->kind < FILE_PRIVATE || slot->index < from || slot->index >= to)
			continue;
		if (copies_too || !slot->own)
			forget_contents(slot);
	}
}

static void truncate_apply(const struct operation *op, i64 result)
{
	(void)result;
	lose_pages(op->value, ~0ul, true);
	world.file_pages = op->value;
}

const struct action action_truncate = {
	"truncate", truncate_choose, object_expect, truncate_call, truncate_apply, NULL,
};

/* Pages op->value and room - 1 more become a hole; plain: those that plain operations map at a run of slots. */
static bool punch_choose(struct operation *op)
{
	if (setting.plain) {
		choose_slots(op);
		op->value = first_page_of(op->first);
		op->room = (u16)(bytes_of(op->first, op->last) >> PAGE_SHIFT);
		return true;
	}
	op->value = choose((u32)setting.file_pages);
	op->room = (u16)(1 + choose(8));
	return true;
}

static i64 punch_call(const struct operation *op)
{
	write_lock(&world.file->mappers);
	object_punch(world.file, op->value * PAGE_SIZE, op->room * PAGE_SIZE);
	write_unlock(&world.file->mappers);
	return 0;
}

static void punch_apply(const struct operation *op, i64 result)
{
	(void)result;
	lose_pages(op->value, op->value + op->room, false);
}

const struct action action_punch = {
	"punch", punch_choose, object_expect, punch_call, punch_apply, NULL,
};
