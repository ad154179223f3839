/*
 * mm/ against its model, with operations that libFuzzer makes up: the bytes of an input are what choose() answers, and
 * inputs that reach something new are kept and changed. `make fuzz` runs it.
 *
 * usage: build/fuzz/fuzz FILE      runs one input again
 */
#include <stdio.h>

#include "tests/host/model/operation.h"

#define FRAMES 1024

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *bytes, size_t count);

static const u8 *input;
static size_t left;
static u64 step;
static struct operation op;

/* As many bytes as `below` needs; an input that is at its end gives zeroes. */
u32 choose(u32 below)
{
	u32 value = 0;

	for (u32 range = 1; range < below && left; range <<= 8, left--)
		value = value << 8 | *input++;
	return value % below;
}

void print_replay(void)
{
	operation_print(&op);
	printf("# step %lu; replay with: build/fuzz/fuzz FILE, the file that is named below\n",
	       step);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	machine_start(FRAMES);
	machine_on_death(print_replay);
	set_windows();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t count)
{
	input = bytes;
	left = count;
	world_start();

	bool refusing = choose(2);

	for (step = 0; left; step++) {
		if (!operation_choose(&op))
			continue;
		if (refusing)
			operation_run_refused(&op);
		else
			operation_run(&op, (struct refusal) {0});
		check_machine();
		if (op.space < world.live)
			check_space(space_of(&op));
	}
	read_all();
	world_end(); /* the machine is as it was before */
	return 0;
}
