/*
 * Growth after fork: the heap by brk, the stack by touch, and new regions beside those whose tables
 * are shared. What one process gains or gives up, the others neither gain nor lose.
 *
 * Catches: a break or a stack end kept in something shared; a new region's pages put into a table
 * that others share; old contents in memory got anew; a region array edited while shared; a stack
 * without a lower limit.
 */
#include "lib.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYS_READ = 0, SYS_WRITE = 1, SYS_BRK = 12 };
enum { PARENT = 1, CHILD, OTHER };

/* ---- The heap ---- */

#define HEAP_PAGES 800 /* more than one table maps */

static char *heap; /* page aligned, above all that malloc has */

static char *set_break(char *end)
{
	return (char *)CALL(SYS_BRK, end);
}

static void heap_make(void)
{
	uintptr_t now = (uintptr_t)set_break(NULL);

	heap = (char *)((now + 2 * PAGE - 1) & ~(PAGE - 1));
	REQUIRE(set_break(heap + HEAP_PAGES * PAGE) == heap + HEAP_PAGES * PAGE, "brk");
	stamp_all(heap, HEAP_PAGES, PAGE, PARENT);
}

static void grow(unsigned writer)
{
	char *end = set_break(NULL);

	CHECK(set_break(end + HEAP_PAGES * PAGE) == end + HEAP_PAGES * PAGE, "brk: grow");
	check_stamps(end, HEAP_PAGES / 2, 2 * PAGE, 0, "new heap");
	stamp_all(end, HEAP_PAGES, PAGE, writer);
	check_use(end + HEAP_PAGES * PAGE, USE_READ, false, "beyond the new break");
}

static void growing_child(struct peer *parent, void *context)
{
	(void)context;
	grow(CHILD);
	turn(parent);
	check_stamps(heap + HEAP_PAGES * PAGE, HEAP_PAGES, PAGE, CHILD, "the child's new heap");
	check_stamps(heap, HEAP_PAGES, PAGE, PARENT, "the child's old heap");
}

static void heap_grows(void)
{
	heap_make();
	char *end = set_break(NULL);
	struct peer child = peer_start(growing_child, NULL);

	turn(&child);
	CHECK(set_break(NULL) == end, "the break moved");
	check_use(end, USE_READ, false, "beyond the break after the child grew");
	check_use(end, USE_WRITE, false, "beyond the break after the child grew");
	check_audit("the child has grown");
	grow(OTHER);
	peer_finish(&child);
	check_stamps(end, HEAP_PAGES, PAGE, OTHER, "the parent's new heap");
	check_stamps(heap, HEAP_PAGES, PAGE, PARENT, "the parent's old heap");
}

#define KEPT 300

static void shrink_and_grow(void)
{
	CHECK(set_break(heap + KEPT * PAGE) == heap + KEPT * PAGE, "brk: shrink");
	check_use(heap + KEPT * PAGE, USE_READ, false, "beyond the break");
	check_use(heap + KEPT * PAGE - 1, USE_WRITE, true, "below the break");
	CHECK(set_break(heap + HEAP_PAGES * PAGE) == heap + HEAP_PAGES * PAGE, "brk: grow again");
	check_stamps(heap, KEPT, PAGE, PARENT, "heap kept");
	check_stamps(heap + KEPT * PAGE, HEAP_PAGES - KEPT, PAGE, 0, "heap got anew");
}

static void shrinking_child(struct peer *parent, void *context)
{
	(void)context;
	shrink_and_grow();
	turn(parent);
	stamp_all(heap, HEAP_PAGES, PAGE, CHILD);
	turn(parent);
	check_stamps(heap, HEAP_PAGES, PAGE, CHILD, "the child's heap");
}

static void heap_shrinks(void)
{
	heap_make();
	struct peer child = peer_start(shrinking_child, NULL);

	turn(&child);
	check_stamps(heap, HEAP_PAGES, PAGE, PARENT, "heap after the child shrank its own");
	turn(&child);
	check_stamps(heap, HEAP_PAGES, PAGE, PARENT, "heap after the child wrote its own");
	shrink_and_grow();
	peer_finish(&child);
}

static void parent_shrinks(void)
{
	heap_make();
	struct peer child = peer_start(shrinking_child, NULL);

	CHECK(set_break(heap) == heap, "brk: shrink");
	check_use(heap, USE_READ, false, "the heap given up");
	turn(&child);
	turn(&child);
	check_use(heap, USE_READ, false, "the heap given up, which the child still has");
	peer_finish(&child);
}

/* The break is a byte, its effect a page. */
static void heap_bytes(void)
{
	heap_make();
	char *end = heap + HEAP_PAGES * PAGE;

	CHECK(set_break(end + 1) == end + 1, "brk: one byte more");
	check_use(end + PAGE - 1, USE_WRITE, true, "the last page");
	check_use(end + PAGE, USE_WRITE, false, "the page after it");
	*end = 5;
	CHECK(set_break(end + 100) == end + 100 && *end == 5, "brk: within the page");
	CHECK(set_break(end) == end, "brk: back");
	check_use(end, USE_READ, false, "beyond the break");
	CHECK(set_break((char *)0x1000) == end, "brk: below the heap moved it");
	CHECK(set_break((char *)(1ul << 47)) == end, "brk: past user space moved it");
	CHECK(set_break((char *)-1ul) == end, "brk: -1 moved it");
}

/* ---- The stack ---- */

#define FRAME (3 * PAGE)

/* Recurses in large frames, each with its own mark, and checks all on the way back. */
__attribute__((noinline)) static bool deep(unsigned frames, unsigned writer)
{
	volatile unsigned marks[FRAME / sizeof(unsigned)];
	const size_t last = COUNT(marks) - 1;

	marks[0] = writer + frames;
	marks[last / 2] = writer ^ frames;
	marks[last] = frames;
	if (frames > 1 && !deep(frames - 1, writer))
		return false;
	return marks[0] == writer + frames && marks[last / 2] == (writer ^ frames) &&
	       marks[last] == frames;
}

static void deep_child(struct peer *parent, void *context)
{
	(void)context;
	CHECK(deep(200, CHILD << 16), "the child's stack");
	turn(parent);
	CHECK(deep(300, OTHER << 16), "the child's deeper stack");
}

static void stack_grows(void)
{
	CHECK(deep(10, PARENT << 16), "stack");
	struct peer child = peer_start(deep_child, NULL);

	turn(&child);
	CHECK(deep(250, PARENT << 16), "the parent's stack");
	peer_finish(&child);
	CHECK(deep(250, OTHER << 16), "the parent's stack");
	check_audit("stacks have grown");
}

static void recurse_for_ever(void *context)
{
	(void)context;
	deep(1u << 20, 1);
}

static char *stack_pointer(void)
{
	char *at;

	asm volatile("mov %%rsp, %0" : "=r"(at));
	return at;
}

static void far_below(void *context)
{
	volatile char *p = stack_pointer() - *(long *)context;

	*p = 1;
}

static void stack_limit(void)
{
	static const long far[] = {16l << 20, 1l << 30, 1l << 40};

	int status = status_of(recurse_for_ever, NULL);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	      "endless recursion: wait status 0x%x", status);
	for (size_t i = 0; i < COUNT(far); i++) {
		status = status_of(far_below, (void *)&far[i]);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
		      "%ld below the stack: wait status 0x%x", far[i], status);
	}
	CHECK(deep(300, PARENT << 16), "the parent's stack");
}

/* The kernel, too, grows the stack when a system call is the first to write there. */
static void kernel_grows_stack(void)
{
	int ends[2];
	char *below = stack_pointer() - 200 * PAGE;

	REQUIRE(pipe(ends) == 0, "pipe");
	CHECK_EQUAL(CALL(SYS_WRITE, ends[1], "grown", 5), 5, "write");
	CHECK_EQUAL(CALL(SYS_READ, ends[0], below, 5), 5, "read into the stack");
	CHECK(memcmp(below, "grown", 5) == 0, "what was read");
}

/* ---- New regions beside shared tables ---- */

/* Distances from a touched page: in its table, its directory, its PDPT, and in a slot of its own.
 */
static const uintptr_t distances[] = {PAGE,     20 * PAGE,    SPAN,    100 * SPAN,
				      GIGABYTE, 5 * GIGABYTE, TOP_SPAN};
#define NEW_PAGES 3

struct beside {
	char *old, *new;
	bool writes;
};

static void use_new(const struct beside *beside, unsigned writer)
{
	map_at((uintptr_t)beside->new, NEW_PAGES * PAGE);
	check_stamps(beside->new, NEW_PAGES, PAGE, 0, "a new region");
	if (beside->writes)
		stamp_all(beside->new, NEW_PAGES, PAGE, writer);
}

static void mapping_child(struct peer *parent, void *context)
{
	const struct beside *beside = context;

	use_new(beside, CHILD);
	turn(parent);
	check_stamps(beside->new, NEW_PAGES, PAGE, beside->writes ? CHILD : 0,
		     "the child's new region");
	check_stamps(beside->old, 1, PAGE, PARENT, "the child's old page");
}

static void watching_child(struct peer *parent, void *context)
{
	const struct beside *beside = context;

	check_use(beside->new, USE_READ, false, "the parent's new region, in the child");
	check_use(beside->new, USE_WRITE, false, "the parent's new region, in the child");
	CHECK(!kernel_reads(beside->new + PAGE), "the kernel reads it for the child");
	use_new(beside, CHILD);
	turn(parent);
	check_stamps(beside->new, NEW_PAGES, PAGE, beside->writes ? CHILD : 0, "the child's own");
}

static void child_maps(const struct beside *beside)
{
	struct peer child = peer_start(mapping_child, (void *)beside);

	turn(&child);
	check_use(beside->new, USE_READ, false, "the child's new region, in the parent");
	check_use(beside->new, USE_WRITE, false, "the child's new region, in the parent");
	CHECK(!kernel_reads(beside->new + PAGE), "the kernel reads it for the parent");
	use_new(beside, OTHER);
	peer_finish(&child);
	check_stamps(beside->new, NEW_PAGES, PAGE, beside->writes ? OTHER : 0, "the parent's own");
	check_stamps(beside->old, 1, PAGE, PARENT, "the parent's old page");
}

static void parent_maps(const struct beside *beside)
{
	struct peer child = peer_start(watching_child, (void *)beside);

	use_new(beside, OTHER);
	turn(&child);
	check_audit("both have a new region");
	check_stamps(beside->new, NEW_PAGES, PAGE, beside->writes ? OTHER : 0,
		     "the parent's new region");
	peer_finish(&child);
	check_stamps(beside->old, 1, PAGE, PARENT, "the old page");
}

static void new_regions(void)
{
	void (*const scenes[])(const struct beside *) = {child_maps, parent_maps};

	for (size_t i = 0; i < 4 * COUNT(distances) && check_failures() == 0; i++) {
		struct beside beside = {.old = (char *)slot_base(2), .writes = (i & 1) != 0};

		beside.new = beside.old + distances[i / 4];
		map_at((uintptr_t)beside.old, PAGE);
		stamp(beside.old, PARENT);
		scenes[i / 2 % 2](&beside);
		CHECK(check_failures() == 0, "^ at a distance of 0x%lx",
		      (unsigned long)distances[i / 4]);
		CHECK_EQUAL(munmap(beside.old, PAGE), 0, "munmap");
		CHECK_EQUAL(munmap(beside.new, NEW_PAGES * PAGE), 0, "munmap");
	}
}

/* Where the kernel chooses the place, both may be given the same, and yet not the same memory. */
static void placing_child(struct peer *parent, void *context)
{
	char *got =
		mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)context;
	CHECK(got != MAP_FAILED, "mmap");
	check_stamps(got, 8, PAGE, 0, "the child's new region");
	stamp_all(got, 8, PAGE, CHILD);
	turn(parent);
	check_stamps(got, 8, PAGE, CHILD, "the child's new region");
}

static void chosen_places(void)
{
	char *places[5];

	for (size_t i = 0; i < COUNT(places); i++) {
		struct peer child = peer_start(placing_child, NULL);

		turn(&child);
		places[i] = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		REQUIRE(places[i] != MAP_FAILED, "mmap");
		check_stamps(places[i], 8, PAGE, 0, "the parent's new region");
		stamp_all(places[i], 8, PAGE, 10 + (unsigned)i);
		peer_finish(&child);
	}
	for (size_t i = 0; i < COUNT(places); i++)
		check_stamps(places[i], 8, PAGE, 10 + (unsigned)i, "one of the parent's regions");
}

/* Many small regions: the array grows and splits in the child, while the parent's keeps its length.
 */
#define MANY 1500

static unsigned count_regions(void)
{
	static char text[4096];
	unsigned lines = 0;
	long length, fd = CALL(2, "/proc/self/maps", 0);

	while ((length = CALL(SYS_READ, fd, text, sizeof(text))) > 0)
		for (long i = 0; i < length; i++)
			lines += text[i] == '\n';
	close((int)fd);
	return lines;
}

static void splitting_child(struct peer *parent, void *context)
{
	char *area = context;

	for (size_t i = 1; i < MANY; i += 2)
		CHECK_EQUAL(mprotect(area + i * PAGE, PAGE, PROT_READ), 0, "mprotect");
	CHECK(count_regions() >= MANY, "%u regions, expected at least %d", count_regions(), MANY);
	turn(parent);
	check_stamps(area, MANY, PAGE, PARENT, "in the child");
	check_use(area + PAGE, USE_WRITE, false, "a read-only page");
	CHECK_EQUAL(munmap(area, MANY * PAGE), 0, "munmap");
}

static void many_regions(void)
{
	char *area = map_at(slot_base(3), MANY * PAGE);

	stamp_all(area, MANY, PAGE, PARENT);
	unsigned regions = count_regions();
	struct peer child = peer_start(splitting_child, area);

	turn(&child);
	CHECK_EQUAL(count_regions(), regions, "the parent's regions");
	check_audit("the child has many regions");
	stamp_all(area, MANY, PAGE, OTHER);
	peer_finish(&child);
	check_stamps(area, MANY, PAGE, OTHER, "in the parent");
	CHECK_EQUAL(count_regions(), regions, "the parent's regions");
}

static const struct test tests[] = {
	{.name = "brk: the heap grows", .run = heap_grows},
	{.name = "brk: the child's heap shrinks", .run = heap_shrinks},
	{.name = "brk: the parent's heap shrinks", .run = parent_shrinks},
	{.name = "brk: bytes and limits", .run = heap_bytes},
	{.name = "stacks grow", .run = stack_grows},
	{.name = "stacks have a limit", .run = stack_limit},
	{.name = "a system call grows the stack", .run = kernel_grows_stack},
	{.name = "new regions beside shared tables", .run = new_regions},
	{.name = "new regions where the kernel likes", .run = chosen_places},
	{.name = "many regions", .run = many_regions},
};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
