/*
 * Fork of fork, 1,000 deep in sequence: each child forks the next and waits for it, writes a page
 * of its own and checks those of all its ancestors.
 *
 * Catches: refs that overflow or drift over many generations; a table or page lost when the chain
 * unwinds; kernel stacks or pids that are not given back; a fork whose cost grows with its depth.
 */
#include "lib.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEEP 1000

static char *pages; /* the n-th is written by generation n; one more after them by everyone */

static void generation(void *context)
{
	unsigned me = *(unsigned *)context;
	unsigned next = me + 1;

	stamp(pages + me * PAGE, me);
	stamp(pages + (DEEP + 1) * PAGE, me);
	if (me < DEEP)
		reap(start(generation, &next));
	else
		check_audit("at the bottom");
	for (unsigned i = 1; i <= me; i += me < 32 ? 1 : 61)
		CHECK(stamped(pages + i * PAGE, i), "generation %u: page of generation %u is wrong",
		      me, i);
	for (unsigned i = me + 1; i <= DEEP; i += 97)
		CHECK(stamped(pages + i * PAGE, 0), "generation %u: sees the page of generation %u",
		      me, i);
	CHECK(stamped(pages + (DEEP + 1) * PAGE, me), "generation %u: its page was overwritten",
	      me);
}

static void fork_of_fork(void)
{
	unsigned first = 1;

	pages = map_at(slot_base(0) + GIGABYTE - 500 * PAGE, (DEEP + 2) * PAGE);
	stamp(pages, 999);
	generation(&first);
	CHECK(stamped(pages, 999), "the first page is wrong");
}

/* One after the other, not nested: nothing may add up. */
static void touch(void *context)
{
	stamp(context, 2);
}

static void one_after_another(void)
{
	char *page = map_at(slot_base(1), PAGE);

	stamp(page, 1);
	for (int i = 0; i < 1000; i++)
		reap(start(touch, page));
	check_stamps(page, 1, PAGE, 1, "the parent's page");
}

/* A chain whose every process ends before its child: each survivor is alone with what it shares
 * with nobody left. */
#define CHAIN 200
static int verdict[2];

static void chain_link(unsigned me)
{
	while (me < CHAIN) {
		pid_t pid = fork();

		if (pid != 0)
			_exit(pid < 0);
		me++;
		stamp(pages + me * PAGE, me);
	}
	bool fine = true;
	for (unsigned i = 1; i <= CHAIN; i++)
		fine = fine && stamped(pages + i * PAGE, i);
	if (write(verdict[1], fine ? "y" : "n", 1) != 1)
		_exit(2);
}

static void start_chain(void *context)
{
	(void)context;
	stamp(pages + PAGE, 1);
	chain_link(1);
}

static void parents_end_first(void)
{
	char result = 0;

	pages = map_at(slot_base(2), (CHAIN + 1) * PAGE);
	REQUIRE(pipe(verdict) == 0, "pipe");
	reap(start(start_chain, NULL));
	CHECK(read(verdict[0], &result, 1) == 1 && result == 'y', "the last one's verdict: '%c'",
	      result);
}

static const struct test tests[] = {
	{.name = "fork of fork, 1,000 deep", .run = fork_of_fork},
	{.name = "1,000 children one after another", .run = one_after_another},
	{.name = "a chain of 200 whose parents end first", .run = parents_end_first},
};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
