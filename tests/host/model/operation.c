/* Operations in general: drawing one, running it, refusing it memory. */
#include "tests/host/model/operation.h"

#include <stdio.h>

#include "mm/errno.h"
#include "mm/heap.h"

const struct menu_entry full_menu[] = {
	{&action_map, 10},       {&action_unmap, 6},    {&action_protect, 10},
	{&action_brk, 3},        {&action_read, 22},    {&action_write, 28},
	{&action_exec, 4},       {&action_populate, 3}, {&action_move, 5},
	{&action_round_trip, 3}, {&action_resize, 4},   {&action_advise, 7},
	{&action_resident, 2},   {&action_fork, 8},     {&action_exit, 5},
	{&action_truncate, 2},   {&action_punch, 2},    {&action_lock, 3},
	{&action_page_out, 8},   {&action_reclaim, 4},  {&action_broken_read, 4},
	{&action_swapoff, 2},
};
const u32 full_menu_entries = ARRAY_SIZE(full_menu);

const struct menu_entry plain_menu[] = {
	{&action_map, 1},   {&action_unmap, 1},    {&action_protect, 1}, {&action_read, 1},
	{&action_write, 1}, {&action_advise, 1},   {&action_move, 1},    {&action_fork, 1},
	{&action_exit, 1},  {&action_truncate, 1}, {&action_punch, 1},   {&action_page_out, 1},
};
const u32 plain_menu_entries = ARRAY_SIZE(plain_menu);

static bool refused;

bool was_refused(void)
{
	return refused;
}

void stop_refusing(void)
{
	refused |= frames_refused() > 0;
	frames_fail_nth(0);
}

static const struct action *choose_action(void)
{
	u32 sum = 0, i = 0;

	for (u32 at = 0; at < setting.menu_entries; at++)
		sum += setting.menu[at].weight;
	for (u32 drawn = choose(sum); drawn >= setting.menu[i].weight; i++)
		drawn -= setting.menu[i].weight;
	return setting.menu[i].action;
}

bool operation_choose(struct operation *op)
{
	*op = (struct operation) {.space = (u8)choose(world.live)};
	op->action = choose_action();
	return op->action->choose(op);
}

void choose_slots(struct operation *op)
{
	op->first = (u8)choose(setting.slots);
	op->last = (u8)(op->first + choose(MIN(setting.slots - op->first, 20u)));
}

bool choose_data(struct operation *op)
{
	op->first = op->last = (u8)choose(setting.slots);
	return place_of(op->first)->data;
}

u32 choose_prot(void)
{
	static const u32 prots[] = {
		PROT_READ | PROT_WRITE,
		PROT_READ,
		PROT_NONE,
		PROT_READ | PROT_WRITE,
		PROT_READ | PROT_EXEC,
		PROT_READ | PROT_WRITE | PROT_EXEC,
	};

	return prots[choose(setting.plain ? 3 : ARRAY_SIZE(prots))];
}

vaddr_t highest_gap(const struct space *space, u64 length)
{
	vaddr_t top = MMAP_TOP;

	/* Slots of one region have one floor, that of the first of them: the others' are above it. */

	for (u32 i = setting.slots; i-- > 0;) {
		const struct place *place = place_of(i);

		if (place->start >= MMAP_TOP || space->slots[i].kind == UNMAPPED)
			continue;
		if (place->end < top && top - place->end >= length)
			return top - length;
		top = floor_of(space, i);
	}
	return top - USER_START >= length ? top - length : 0;
}

bool operation_run(const struct operation *op, struct refusal refusal)
{
	i64 expected = op->action->expect(op);
	u64 frames = refusal.nth ? memory_in_use() : 0, heap = heap_bytes();

	refused = false;
	if (refusal.all)
		frames_fail_from(refusal.nth);
	else
		frames_fail_nth(refusal.nth);

	i64 result = op->action->call(op);

	stop_refusing();
	if (refused && result == -ENOMEM && expected != -ENOMEM) {
		bool part = op->action->partly_done && op->action->partly_done(op);

		CHECK(part || (memory_in_use() == frames && heap_bytes() == heap),
		      "%lu frames and %lu bytes, were %lu and %lu", memory_in_use(), heap_bytes(),
		      frames, heap);
		return true;
	}
	CHECK(result == expected, "%ld (%lx), expected %ld (%lx)", result, result, expected,
	      expected);
	op->action->apply(op, result);
	return false;
}

void operation_run_refused(const struct operation *op)
{
	struct refusal refusal = {1, choose(2)};

	if (op->action->expect(op) == -ENOMEM) /* a refusal would look the same */
		refusal.nth = 0;
	while (operation_run(op, refusal)) {
		check_machine();
		check_space(space_of(op));
		if (choose(16) == 0)
			read_all();
		refusal.nth++;
		CHECK(refusal.nth < 1000, "it never goes through");
	}
}

void operation_print(const struct operation *op)
{
	static const char *const kinds[] = {"", "anonymous", "private file", "shared file"};

	if (!op->action)
		return;
	printf("# space %d: %-10s slots %d-%d %lx-%lx", op->space, op->action->name, op->first,
	       op->last, place_of(op->first)->start, place_of(op->last)->end);
	if (op->kind)
		printf(", %s", kinds[op->kind]);
	if (op->room)
		printf(", to slot %d, %d of them", op->to, op->room);
	printf(", prot %u, flags %x, advice %u, value %lx\n", op->prot, op->flags, op->advice,
	       op->value);
}
