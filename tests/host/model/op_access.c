/* Accesses by a program, stacks that they make grow, populating, and what is there. */
#include "mm/errno.h"
#include "mm/swap.h"
#include "mm/tree.h"
#include "tests/host/model/operation.h"

/* Where the region of slot i ends. */
static vaddr_t region_end(const struct space *space, u32 i)
{
	u32 last = i;

	while (last + 1 < setting.slots && in_one_region(space, i, last + 1))
		last++;
	return place_of(last)->end;
}

/* Whether a stack may reach down to slot i, with the slot before `below` the next one that is mapped. */
static bool keeps_gap(const struct space *space, u32 i, u32 below)
{
	const struct slot *slot = &space->slots[below - 1];

	return slot->prot == PROT_NONE || slot->grows ||
	       place_of(below - 1)->end + STACK_GUARD <= place_of(i)->start;
}

/* The first slot of the stack that an access of slot i would make grow, or setting.slots. */
static u32 stack_above(const struct space *space, u32 i)
{
	u32 above = i, below = i;

	while (above < setting.slots && space->slots[above].kind == UNMAPPED)
		above++;
	if (above == i || above == setting.slots || !space->slots[above].grows ||
	    region_end(space, above) - place_of(i)->start > STACK_LIMIT)
		return setting.slots;
	while (below > 0 && space->slots[below - 1].kind == UNMAPPED)
		below--;
	return below == 0 || keeps_gap(space, i, below) ? above : setting.slots;
}

/* Makes the stack at slot `stack` reach down to slot i. */
static void grow_stack(struct space *space, u32 i, u32 stack)
{
	struct slot fresh = space->slots[stack];

	forget_contents(&fresh);
	for (; i < stack; i++) {
		space->slots[i] = fresh;
		space->slots[i].index -=
			(place_of(stack)->start - place_of(i)->start) >> PAGE_SHIFT;
	}
}

static bool read_choose(struct operation *op)
{
	op->access = ACCESS_READ;
	return choose_data(op);
}

static bool write_choose(struct operation *op)
{
	op->access = ACCESS_WRITE;
	return choose_data(op);
}

static bool exec_choose(struct operation *op)
{
	op->access = ACCESS_EXEC;
	return choose_data(op);
}

static i64 access_expect(const struct operation *op)
{
	const struct space *space = space_of(op);
	u32 stack = stack_above(space, op->first);
	struct slot slot = space->slots[stack < setting.slots ? stack : op->first];

	if (stack < setting.slots)
		forget_contents(&slot);
	return expected_error(&slot, op->access);
}

static i64 access_call(const struct operation *op)
{
	char *at = NULL;
	int error = machine_access(space_of(op)->mm, place_of(op->first)->start, op->access, &at);

	/* A stack that may not grow for want of memory is as if it were not there. */
	return error == -EFAULT && frames_refused() ? -ENOMEM : error;
}

static void access_apply(const struct operation *op, i64 result)
{
	struct space *space = space_of(op);
	struct slot *slot = &space->slots[op->first];
	u32 stack = stack_above(space, op->first);
	char *at = NULL;

	if (stack < setting.slots)
		grow_stack(space, op->first, stack);
	if (result)
		return;
	CHECK(machine_translate(space->mm, place_of(op->first)->start, op->access, &at) == 0,
	      "slot %u", op->first);

	u64 *first = (u64 *)at, *last = (u64 *)(at + PAGE_SIZE) - 1;

	CHECK(*first == expected_value(slot) && *last == expected_value(slot),
	      "slot %u: reads %lu and %lu, expected %lu", op->first, *first, *last,
	      expected_value(slot));
	slot->present |= slot->kind >= FILE_PRIVATE;
	if (op->access != ACCESS_WRITE)
		return;
	*first = *last = ++world.written;
	if (slot->kind == FILE_SHARED) {
		world.file_values[slot->index] = world.written;
	} else {
		slot->own = true;
		slot->value = world.written;
	}
}

/* The stack may have grown before memory ran out. */
static bool access_partly_done(const struct operation *op)
{
	struct space *space = space_of(op);
	u32 stack = stack_above(space, op->first);

	if (stack == setting.slots || mm_resident(space->mm, place_of(op->first)->start) < 0)
		return false;
	grow_stack(space, op->first, stack);
	return true;
}

const struct action action_read = {
	"read", read_choose, access_expect, access_call, access_apply, access_partly_done,
};
const struct action action_write = {
	"write", write_choose, access_expect, access_call, access_apply, access_partly_done,
};
const struct action action_exec = {
	"execute", exec_choose, access_expect, access_call, access_apply, access_partly_done,
};

void read_all(void)
{
	struct operation op = {.action = &action_read, .access = ACCESS_READ};

	for (op.space = 0; op.space < world.live; op.space++)
		for (u32 i = 0; i < setting.slots; i++) {
			op.first = op.last = (u8)i;
			if (place_of(i)->data && world.spaces[op.space].slots[i].kind != UNMAPPED)
				operation_run(&op, (struct refusal) {0});
		}
}

i64 populate_expect(const struct space *space, u32 first, u32 last, enum access access)
{
	for (u32 i = first; i <= last; i++) {
		int error = expected_error(&space->slots[i], access);

		if (error)
			return error == -EACCES ? -EINVAL : error == -ENXIO ? -EFAULT : -ENOMEM;
	}
	return 0;
}

void populate_apply(struct space *space, u32 first, u32 last, enum access access)
{
	for (u32 i = first; i <= last && !expected_error(&space->slots[i], access); i++) {
		struct slot *slot = &space->slots[i];

		slot->present |= slot->kind >= FILE_PRIVATE;
		if (access == ACCESS_WRITE && slot->kind != FILE_SHARED && !slot->own)
			own_contents(slot);
	}
}

/* Reaches as far as memory does. */
void populate_quietly(struct space *space, u32 first, u32 last)
{
	bool write = is_promise(space->slots[first].kind, space->slots[first].prot);

	for (u32 i = first; was_refused() && i <= last; i++)
		sync_contents(space, i, &space->slots[i]);
	if (!was_refused())
		populate_apply(space, first, last, write ? ACCESS_WRITE : ACCESS_READ);
}

static bool populate_choose(struct operation *op)
{
	op->first = (u8)choose(setting.slots);
	op->last = (u8)(op->first + run_of_pages(op->first, 1 + choose(6)) - 1);
	op->advice = choose(2) ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
	op->access = op->advice == MADV_POPULATE_WRITE ? ACCESS_WRITE : ACCESS_READ;
	return is_page(op->first);
}

static i64 populate_op_expect(const struct operation *op)
{
	return populate_expect(space_of(op), op->first, op->last, op->access);
}

static i64 advise_call(const struct operation *op)
{
	return mm_advise(space_of(op)->mm, place_of(op->first)->start,
			 bytes_of(op->first, op->last), op->advice);
}

static void populate_op_apply(const struct operation *op, i64 result)
{
	(void)result;
	populate_apply(space_of(op), op->first, op->last, op->access);
}

/* The pages before the one that there was no memory for stay. */
static bool populate_partly_done(const struct operation *op)
{
	struct space *space = space_of(op);

	for (u32 i = op->first; i <= op->last; i++)
		sync_contents(space, i, &space->slots[i]);
	return op->first < op->last;
}

const struct action action_populate = {
	"populate",  populate_choose,   populate_op_expect,
	advise_call, populate_op_apply, populate_partly_done,
};

static bool is_in_file(u64 index)
{
	struct page *page = object_peek(world.file, index);

	if (page)
		page_put(page);
	return page;
}

static i64 resident_expect(const struct operation *op)
{
	const struct slot *slot = &space_of(op)->slots[op->first];

	if (slot->kind == UNMAPPED)
		return -ENOMEM;

	u64 leaf = leaf_at(space_of(op)->mm, place_of(op->first)->start);

	return (entry_is_swap(leaf) ? swap_slot(leaf)->cached != 0 : leaf != 0) ||
	       (slot->kind >= FILE_PRIVATE && is_in_file(slot->index));
}

static i64 resident_call(const struct operation *op)
{
	return mm_resident(space_of(op)->mm, place_of(op->first)->start);
}

static void resident_apply(const struct operation *op, i64 result)
{
	(void)op;
	(void)result;
}

const struct action action_resident = {
	"mincore", read_choose, resident_expect, resident_call, resident_apply, NULL,
};
