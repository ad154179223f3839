/*
 * mm/ against its model: random operations on a few address spaces (tests/host/model/). After each the audit
 * runs, and the space is compared with the model; now and then everything is read.
 *
 * In the second half each operation is tried with its first allocation refused, its second, and so on until it
 * goes through; a refused operation must have changed neither meaning nor memory.
 *
 * usage: random_test [FIRST_SEED [SEEDS [STEPS]]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/host/model/operation.h"

#define FRAMES 2048

static u64 rng_state, seed, step, steps;
static bool refusing;
static struct operation op;

u32 choose(u32 below)
{
	rng_state = rng_state * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(rng_state >> 33) % below;
}

void print_replay(void)
{
	operation_print(&op);
	printf("# step %lu%s; replay with: random_test %lu 1 %lu\n", step,
	       refusing ? ", allocations refused" : "", seed, steps);
}

static void random_step(void)
{
	if (!operation_choose(&op))
		return;
	if (refusing)
		operation_run_refused(&op);
	else
		operation_run(&op, (struct refusal) {0});
	check_machine();
	if (op.space < world.live)
		check_space(space_of(&op));
}

static void run(void)
{
	rng_state = seed;
	world_start();
	for (step = 0; step < steps; step++) {
		random_step();
		if (step % 64 == 63)
			read_all();
	}
	read_all();
	world_end();
	check_machine();
}

static u64 argument(int argc, char **argv, int i, u64 otherwise)
{
	return argc > i ? strtoul(argv[i], NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	u64 first = argument(argc, argv, 1, 1), seeds = argument(argc, argv, 2, 100);

	steps = argument(argc, argv, 3, 500);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..2\n");
	machine_start(FRAMES);
	machine_on_death(print_replay);
	set_windows();
	for (int pass = 0; pass < 2; pass++) {
		refusing = pass;
		for (seed = first; seed < first + seeds; seed++)
			run();
		printf("ok %d - %lu random operations%s agree with the model\n", pass + 1,
		       seeds * steps, refusing ? ", each allocation refused in turn," : "");
	}
	return 0;
}
