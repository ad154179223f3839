/*
 * A fork under the eyes of memtree: the trees of a parent and its child after each step that
 * changes them. The pictures of docs/fork.md are what it prints.
 *
 * Both processes do nothing but what a step says, so that the tables it shows are those of the
 * step: the child waits in read(2) on a pipe whose buffer lies in the stack page that it has
 * written already.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/program.h"

#define SET_FORK_LEVEL 0x436f7001
#define PAGE           4096ul
#define TABLE_SPAN     (512 * PAGE)
#define ARENA          ((char *)0x10000000000) /* 1 TB: a PDPT of its own */
#define ARENA_BYTES    (2 * TABLE_SPAN)
#define TOUCHED        8 /* pages written before the fork, at the start of each PTE table */

static int orders[2], reports[2];

static void show(const char *title, pid_t child)
{
	printf("\n== %s\n", title);
	fflush(stdout);

	pid_t pid = fork();

	if (pid == 0) {
		char self[16], other[16];

		snprintf(self, sizeof(self), "%ld", (long)getppid());
		snprintf(other, sizeof(other), "%ld", (long)child);
		execl("/bin/memtree", "memtree", "-a", self, other, NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void child_main(void)
{
	volatile char *arena = ARENA;
	char order;

	close(orders[1]); /* so that the parent's end is the last, and its close the end of file */
	while (read(orders[0], &order, 1) == 1) {
		if (order == 'r')
			(void)arena[TOUCHED * PAGE];
		if (order == 'w')
			arena[0] = 'w';
		if (order == 'u')
			munmap(ARENA + TABLE_SPAN, TABLE_SPAN);
		write(reports[1], &order, 1);
	}
	_exit(0);
}

static void step(char order, const char *title, pid_t child)
{
	char report;

	write(orders[1], &order, 1);
	if (read(reports[0], &report, 1) != 1)
		die(EXIT_FAILURE, "the child is gone");
	show(title, child);
}

static void make_arena(void)
{
	if (mmap(ARENA, ARENA_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ||
	    pipe(orders) || pipe(reports))
		die(EXIT_FAILURE, "no memory");
	for (unsigned i = 0; i < TOUCHED; i++)
		ARENA[i * PAGE] = ARENA[TABLE_SPAN + i * PAGE] = 'p';
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};

	program_init("forkdemo",
		     "forkdemo [LEVEL]   LEVEL 0 to 3: how deep fork shares (default 1)", argc,
		     argv);
	option_next(&options, "");
	unsigned long level = options.index < argc ? number_operand(argv[options.index], 3) : 1;

	if (prctl(SET_FORK_LEVEL, level, 0, 0, 0))
		die(EXIT_FAILURE, "this kernel has no fork levels");
	make_arena();

	pid_t child = fork();

	if (child < 0)
		die(EXIT_FAILURE, "fork failed");
	if (child == 0)
		child_main();
	step(' ', "after fork", child);
	step('r', "the child read a page that nobody had touched", child);
	step('w', "the child wrote a page that both had", child);
	step('u', "the child unmapped the second half", child);
	close(orders[1]);
	waitpid(child, NULL, 0);
	return program_end();
}
