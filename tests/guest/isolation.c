/*
 * Isolation: what one process writes after fork, no other process sees, whoever writes first,
 * whoever ends first, and wherever in the tree the pages lie. Every page carries a value that names
 * its writer.
 *
 * Catches: W left set in a shared table or page; a table or page copied without bumping its
 * children's refs, or with an entry missed at either end; a missing TLB flush after fork or copy; a
 * page freed while a sharer still maps it; a boundary of a 2 MB, 1 GB or 512 GB span handled as if
 * it lay within one table.
 */
#include "lib.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Pages at start, start + stride, …: one region when the stride is small, else a region for each
 * page. */
struct layout {
	const char *name;
	unsigned slot;
	size_t offset; /* of the first page in the slot */
	size_t pages, stride;
};

static const struct layout layouts[] = {
	{"one page", 0, 37 * PAGE, 1, PAGE},
	{"a whole 2 MB span", 1, 5 * SPAN, 512, PAGE},
	{"across 2 MB", 2, 3 * SPAN - 20 * PAGE, 40, PAGE},
	{"across 1 GB", 3, GIGABYTE - 600 * PAGE, 1200, PAGE},
	{"across 512 GB", 4, TOP_SPAN - 600 * PAGE, 1200, PAGE},
	{"every third page of 12 MB", 6, 0, 1024, 3 * PAGE},
	{"first and last entries of tables", 7, SPAN - PAGE, 64, SPAN + PAGE},
	{"a page per 1 GB", 8, 17 * SPAN, 40, GIGABYTE + PAGE},
	{"a page per 512 GB", 20, 3 * PAGE, 20, TOP_SPAN + SPAN},
	{"24 MB", 50, 77 * SPAN, 6144, PAGE},
};

enum { PARENT = 1, CHILD, GRANDCHILD, OTHER };

static char *pages_of(const struct layout *layout)
{
	return (char *)slot_base(layout->slot) + layout->offset;
}

static void put(const struct layout *layout, unsigned writer)
{
	stamp_all(pages_of(layout), layout->pages, layout->stride, writer);
}

static void expect(const struct layout *layout, unsigned writer)
{
	check_stamps(pages_of(layout), layout->pages, layout->stride, writer, layout->name);
}

static void map(const struct layout *layout)
{
	if (layout->stride <= 16 * PAGE) {
		map_at((uintptr_t)pages_of(layout), layout->pages * layout->stride);
		return;
	}
	for (size_t i = 0; i < layout->pages; i++)
		map_at((uintptr_t)pages_of(layout) + i * layout->stride, PAGE);
}

static void unmap(const struct layout *layout)
{
	if (layout->stride <= 16 * PAGE) {
		CHECK_EQUAL(munmap(pages_of(layout), layout->pages * layout->stride), 0, "munmap");
		return;
	}
	for (size_t i = 0; i < layout->pages; i++)
		CHECK_EQUAL(munmap(pages_of(layout) + i * layout->stride, PAGE), 0,
			    "munmap of a page");
}

static void each_layout(void (*scene)(const struct layout *layout))
{
	for (size_t i = 0; i < COUNT(layouts) && check_failures() == 0; i++) {
		map(&layouts[i]);
		put(&layouts[i], PARENT);
		scene(&layouts[i]);
		unmap(&layouts[i]);
	}
}

static void expect_turns_expect(struct peer *parent, void *context)
{
	expect(context, PARENT);
	turn(parent);
	expect(context, PARENT);
}

static void parent_writes_scene(const struct layout *layout)
{
	struct peer child = peer_start(expect_turns_expect, (void *)layout);

	put(layout, OTHER);
	expect(layout, OTHER);
	turn(&child);
	put(layout, PARENT);
	put(layout, OTHER);
	peer_finish(&child);
	expect(layout, OTHER);
}

static void parent_writes(void)
{
	each_layout(parent_writes_scene);
}

static void write_and_expect(struct peer *parent, void *context)
{
	put(context, CHILD);
	turn(parent);
	expect(context, CHILD);
}

static void child_writes_scene(const struct layout *layout)
{
	struct peer child = peer_start(write_and_expect, (void *)layout);

	turn(&child);
	expect(layout, PARENT);
	check_audit(layout->name);
	peer_finish(&child);
	expect(layout, PARENT);
	put(layout, OTHER);
	expect(layout, OTHER);
}

static void child_writes(void)
{
	each_layout(child_writes_scene);
}

static void both_write_scene(const struct layout *layout)
{
	struct peer child = peer_start(write_and_expect, (void *)layout);

	put(layout, OTHER);
	turn(&child);
	expect(layout, OTHER);
	peer_finish(&child);
	expect(layout, OTHER);
}

static void both_write(void)
{
	each_layout(both_write_scene);
}

/* Page by page in turns: parent and child break the same shared tables at the same time, from both
 * ends. */
static void alternating_child(struct peer *parent, void *context)
{
	const struct layout *layout = context;
	size_t step = layout->pages / 16 + 1;

	for (size_t i = 0; i < layout->pages; i += step) {
		for (size_t j = i; j < i + step && j < layout->pages; j++)
			stamp(pages_of(layout) + (layout->pages - 1 - j) * layout->stride, CHILD);
		turn(parent);
	}
	expect(layout, CHILD);
}

static void alternate_scene(const struct layout *layout)
{
	struct peer child = peer_start(alternating_child, (void *)layout);
	size_t step = layout->pages / 16 + 1;

	for (size_t i = 0; i < layout->pages; i += step) {
		for (size_t j = i; j < i + step && j < layout->pages; j++)
			stamp(pages_of(layout) + j * layout->stride, OTHER);
		turn(&child);
	}
	expect(layout, OTHER);
	peer_finish(&child);
	expect(layout, OTHER);
}

static void alternate(void)
{
	each_layout(alternate_scene);
}

/* The child writes between forking the grandchild and looking again, and the grandchild writes
 * last. */
static void grandchild_body(struct peer *parent, void *context)
{
	expect(context, CHILD);
	put(context, GRANDCHILD);
	turn(parent);
	expect(context, GRANDCHILD);
}

static void middle_body(struct peer *parent, void *context)
{
	put(context, CHILD);
	struct peer grandchild = peer_start(grandchild_body, context);

	turn(&grandchild);
	expect(context, CHILD);
	turn(parent);
	put(context, OTHER);
	peer_finish(&grandchild);
	expect(context, OTHER);
}

static void grandchildren_scene(const struct layout *layout)
{
	struct peer child = peer_start(middle_body, (void *)layout);

	turn(&child);
	expect(layout, PARENT);
	check_audit(layout->name);
	peer_finish(&child);
	expect(layout, PARENT);
}

static void grandchildren(void)
{
	each_layout(grandchildren_scene);
}

struct sibling {
	const struct layout *layout;
	unsigned writer;
};

static void sibling_body(struct peer *parent, void *context)
{
	const struct sibling *me = context;

	expect(me->layout, PARENT);
	put(me->layout, me->writer);
	turn(parent);
	expect(me->layout, me->writer);
}

#define SIBLINGS 3

/* Siblings write in one order and end in another; the orders go through all permutations of three.
 */
static void siblings_in_order(const struct layout *layout, const int *writing, const int *ending)
{
	struct sibling context[SIBLINGS];
	struct peer sibling[SIBLINGS];

	for (int i = 0; i < SIBLINGS; i++) {
		context[i] = (struct sibling) {layout, 10 + (unsigned)i};
		sibling[i] = peer_start(sibling_body, &context[i]);
	}
	for (int i = 0; i < SIBLINGS; i++)
		turn(&sibling[writing[i]]);
	expect(layout, PARENT);
	for (int i = 0; i < SIBLINGS; i++) {
		peer_finish(&sibling[ending[i]]);
		expect(layout, PARENT);
	}
}

static void siblings(void)
{
	static const int orders[][SIBLINGS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const size_t small[] = {0, 1, 2, 6};

	for (size_t l = 0; l < COUNT(small) && check_failures() == 0; l++) {
		const struct layout *layout = &layouts[small[l]];

		map(layout);
		put(layout, PARENT);
		for (size_t i = 0; i < COUNT(orders); i++)
			siblings_in_order(layout, orders[i], orders[(i * 5 + l) % COUNT(orders)]);
	}
}

/* The parent ends first: the orphan keeps what it shared with it, and says so through a pipe. */
static int verdict[2];
static pid_t orphan_maker;

static void orphan_body(void *context)
{
	const struct layout *layout = context;

	while (getppid() == orphan_maker)
		usleep(1000);
	expect(layout, CHILD);
	put(layout, GRANDCHILD);
	expect(layout, GRANDCHILD);
	char result = check_failures() == 0 ? 'y' : 'n';
	if (write(verdict[1], &result, 1) != 1)
		_exit(2);
}

static void leave_an_orphan(void *context)
{
	put(context, CHILD);
	orphan_maker = getpid();
	start(orphan_body, context);
}

static void orphan_scene(const struct layout *layout)
{
	char result = 0;

	reap(start(leave_an_orphan, (void *)layout));
	expect(layout, PARENT);
	CHECK(read(verdict[0], &result, 1) == 1 && result == 'y', "the orphan's verdict: '%c'",
	      result);
	expect(layout, PARENT);
}

static void exit_order(void)
{
	REQUIRE(pipe(verdict) == 0, "pipe");
	each_layout(orphan_scene);
}

/* Memory as every program has it: data, bss, heap and stack. */
#define OWN_PAGES 40
static char in_data[OWN_PAGES * PAGE] __attribute__((aligned(4096))) = {1};
static char in_bss[OWN_PAGES * PAGE] __attribute__((aligned(4096)));

static void own_memory(void)
{
	char on_stack[OWN_PAGES * PAGE + PAGE];
	char *heap = malloc(OWN_PAGES * PAGE + PAGE);
	char *places[] = {in_data, in_bss, (char *)(((uintptr_t)heap | (PAGE - 1)) + 1),
			  (char *)(((uintptr_t)on_stack | (PAGE - 1)) + 1)};

	REQUIRE(heap, "malloc");
	for (size_t i = 0; i < COUNT(places); i++)
		stamp_all(places[i], OWN_PAGES, PAGE, PARENT);
	for (int round = 0; round < 2; round++) {
		pid_t pid = fork();

		unsigned me = pid == 0 ? CHILD : OTHER;
		for (size_t i = 0; i < COUNT(places); i++) {
			check_stamps(places[i], OWN_PAGES, PAGE, round ? OTHER : PARENT, "before");
			stamp_all(places[i], OWN_PAGES, PAGE, me);
		}
		for (size_t i = 0; i < COUNT(places); i++)
			check_stamps(places[i], OWN_PAGES, PAGE, me, "after");
		if (pid == 0)
			end_process();
		reap(pid);
	}
	free(heap);
}

/* Untouched pages read as zeroes in all, also after one of them has written there. */
static void reader_of_zeroes(struct peer *parent, void *context)
{
	check_stamps(context, 64, 16 * PAGE, 0, "zeroes");
	turn(parent);
	check_stamps(context, 64, 16 * PAGE, 0, "zeroes again");
	stamp_all(context, 64, 16 * PAGE, CHILD);
	turn(parent);
	check_stamps(context, 64, 16 * PAGE, CHILD, "child's");
}

static void untouched(void)
{
	for (int tables_there = 0; tables_there < 2; tables_there++) {
		char *start = map_at(slot_base(70) + SPAN, 2 * SPAN);

		if (tables_there)
			stamp_all(start + PAGE, 2, SPAN, PARENT);
		struct peer first = peer_start(reader_of_zeroes, start);
		struct peer second = peer_start(reader_of_zeroes, start);

		turn(&first);
		stamp_all(start, 32, 16 * PAGE, PARENT);
		turn(&second);
		turn(&first);
		check_stamps(start, 32, 16 * PAGE, PARENT, "parent's");
		check_stamps(start + 512 * PAGE, 32, 16 * PAGE, 0, "parent's zeroes");
		turn(&second);
		check_audit("two children wrote");
		peer_finish(&second);
		peer_finish(&first);
		check_stamps(start, 32, 16 * PAGE, PARENT, "parent's at last");
		CHECK_EQUAL(munmap(start, 2 * SPAN), 0, "munmap");
	}
}

static const struct test tests[] = {
	{.name = "parent writes", .run = parent_writes},
	{.name = "child writes", .run = child_writes},
	{.name = "both write", .run = both_write},
	{.name = "they write in turns", .run = alternate},
	{.name = "grandchildren", .run = grandchildren},
	{.name = "siblings in every order", .run = siblings},
	{.name = "parent exits first", .run = exit_order},
	{.name = "data, bss, heap and stack", .run = own_memory},
	{.name = "untouched pages stay zero", .run = untouched},
};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
