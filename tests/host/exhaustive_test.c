/*
 * mm/ against its model: every sequence of operations up to a depth, on a space small enough for that. Three spaces of
 * four slots in two PTE tables; anonymous memory, a private and a shared file; forks at every level
 * (plain_menu in tests/host/model/operation.c).
 *
 * Breadth first over distinct states (tests/host/model/form.h): one that was reached before is not gone on from. A
 * state is made again by replaying its operations. Depth 0 is the states along two sequences, from a space with nothing
 * mapped to two with all four pages written, and to one with a page of a private file written. Before each operation the
 * TLBs hold all that they may hold; after it come the audit, the comparison, and a read of every page of every space.
 *
 * usage: exhaustive_test [DEPTH [BOUNDARY]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/host/model/form.h"
#include "tests/host/model/operation.h"

#define FRAMES         128
#define MOST_OPS       512u
#define MOST_DEPTH     32u
#define FIRST_CAPACITY (1u << 16)

struct state {
	u32 parent; /* index of the state that op was run in; the first state is its own parent */
	u16 op;     /* index in ops[live spaces of parent] */
	u16 live;   /* spaces */
};

static struct operation ops[MOST_SPACES + 1][MOST_OPS]; /* by the number of live spaces */
static u32 op_count[MOST_SPACES + 1];

static struct state *states;
static u32 state_count, state_capacity;

static u64 *forms; /* those seen, an open hash table; 0 is free */
static u64 form_capacity;

static u64 transitions;
static const struct operation *path[MOST_DEPTH]; /* the operations that made the world what it is */
static u32 path_length;

/* ---- Enumeration: choices as the digits of a number that counts up ---- */

static u32 digits[16], bounds[16], digit_count, digit_at;

u32 choose(u32 below)
{
	if (digit_at == digit_count) {
		digits[digit_count] = 0;
		bounds[digit_count++] = below;
	}
	return digits[digit_at++];
}

static bool next_choices(void)
{
	while (digit_count && digits[digit_count - 1] + 1 == bounds[digit_count - 1])
		digit_count--;
	digit_at = 0;
	return digit_count && ++digits[digit_count - 1];
}

/* Lists all operations that may be drawn now. */
static void enumerate(u32 live)
{
	world.live = live;
	digit_count = digit_at = 0;
	do {
		CHECK(op_count[live] < MOST_OPS, "%u operations", op_count[live]);
		op_count[live] += operation_choose(&ops[live][op_count[live]]);
	} while (next_choices());
	world.live = 0;
}

/* ---- States ---- */

void print_replay(void)
{
	printf("# after these operations, from a space with nothing mapped:\n");
	for (u32 i = 0; i < path_length; i++)
		operation_print(path[i]);
}

static void *grow(void *array, u64 count, u64 size)
{
	void *grown = realloc(array, count * size);

	CHECK(grown, "no memory for %lu states", count);
	return grown;
}

/* Adds a form; false when it was there. */
static bool add_form(u64 form)
{
	u64 at = form & (form_capacity - 1);

	while (forms[at] && forms[at] != form)
		at = (at + 1) & (form_capacity - 1);
	if (forms[at] == form)
		return false;
	forms[at] = form;
	return true;
}

/* Twice the room, for states and forms. */
static void make_room(void)
{
	u64 *old = forms, old_capacity = form_capacity;

	state_capacity = state_capacity ? 2 * state_capacity : FIRST_CAPACITY;
	states = grow(states, state_capacity, sizeof(*states));
	form_capacity = 2ul * state_capacity;
	forms = calloc(form_capacity, sizeof(*forms));
	CHECK(forms, "no memory for %lu forms", form_capacity);
	for (u64 i = 0; i < old_capacity; i++)
		if (old[i])
			add_form(old[i]);
	free(old);
}

/* The world as it is now, reached from `parent` by op; kept if it is new. */
static void add_state(u32 parent, u32 op)
{
	if (state_count == state_capacity)
		make_room();
	if (!add_form(world_form() | 1))
		return;
	states[state_count++] = (struct state) {parent, (u16)op, (u16)world.live};
}

static void replay(u32 state)
{
	u32 chain[MOST_DEPTH];

	path_length = 0;
	for (; state; state = states[state].parent)
		chain[path_length++] = state;
	for (u32 i = 0; i < path_length; i++) {
		const struct state *at = &states[chain[path_length - 1 - i]];

		path[i] = &ops[states[at->parent].live][at->op];
		operation_run(path[i], (struct refusal) {0});
	}
}

static void fill_tlbs(void)
{
	for (u32 s = 0; s < world.live; s++)
		for (u32 i = 0; i < setting.slots; i++)
			machine_fill_tlb(world.spaces[s].mm, place_of(i)->start);
}

/* Runs an operation in a state, and all checks. */
static void step(u32 state, u32 op)
{
	world_start();
	replay(state);
	path[path_length++] = &ops[states[state].live][op];
	fill_tlbs();
	operation_run(path[path_length - 1], (struct refusal) {0});
	check_machine();
	for (u32 s = 0; s < world.live; s++)
		check_space(&world.spaces[s]);
	add_state(state, op);
	read_all();
	world_end();
	transitions++;
}

/* The operation of one space that does this to the slots first to last, with memory of this kind if it is a mapping. */
static u32 find_op(const struct action *action, u32 first, u32 last, enum kind kind)
{
	for (u32 i = 0; i < op_count[1]; i++)
		if (ops[1][i].action == action && ops[1][i].first == first &&
		    ops[1][i].last == last && ops[1][i].kind == kind)
			return i;
	CHECK(false, "%s of slots %u to %u is not on the menu", action->name, first, last);
}

/* The states of depth 0. */
static void add_first_states(void)
{
	u32 last = setting.slots - 1;

	world_start();
	add_state(0, 0);
	world_end();
	step(0, find_op(&action_map, 0, last, FILE_PRIVATE));
	step(state_count - 1, find_op(&action_write, 0, 0, UNMAPPED));
	step(0, find_op(&action_map, 0, last, ANONYMOUS));
	for (u32 i = 0; i <= last; i++)
		step(state_count - 1, find_op(&action_write, i, i, UNMAPPED));
	step(state_count - 1, find_op(&action_fork, 0, 0, UNMAPPED));
}

static void explore(u32 depth)
{
	u32 first = 0, last;

	add_first_states();
	for (u32 at = 1; at <= depth; at++, first = last) {
		last = state_count;
		transitions = 0;
		for (u32 state = first; state < last; state++)
			for (u32 op = 0; op < op_count[states[state].live]; op++)
				step(state, op);
		printf("# depth %u: %lu transitions from %u states lead to %u new ones\n", at,
		       transitions, last - first, state_count - last);
	}
}

int main(int argc, char **argv)
{
	u32 depth = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 3;
	vaddr_t boundary = argc > 2 ? strtoul(argv[2], NULL, 0) : 0x400000;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..1\n");
	machine_start(FRAMES);
	machine_on_death(print_replay);
	set_tiny(boundary);
	for (u32 live = 1; live <= setting.spaces; live++)
		enumerate(live);
	explore(depth);
	printf("ok 1 - every sequence of up to %u operations agrees with the model: %u states\n",
	       depth, state_count);
	free(states);
	free(forms);
	return 0;
}
