/*
 * A terabyte of address space with a page here and there, under forks in between: page tables come
 * and go with the pages, while the region stays.
 *
 * Catches: a table that is left empty when its last page goes, by MADV_DONTNEED, munmap or a move, in
 * part or whole, owned or shared; one freed too early or twice; work that grows with the address
 * space instead of with what is in it.
 */
#include "probe.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PARENT = 1, CHILD };
#define TERABYTE (1ul << 40)
#define AGES     5
#define AGE      200ul /* pages */

/* A page every so often. */
static const struct pattern {
	size_t stride, count;
} patterns[] = {
	{GIGABYTE, 1024},         /* over all of it: a table of each level for each page */
	{SPAN, 1100},             /* in three directories */
	{129 * SPAN, 1000},       /* over nearly all of it */
	{TOP_SPAN - 7 * PAGE, 2}, /* at the ends of 512 GB */
	{PAGE, 700},              /* dense */
	{513 * SPAN, AGES *AGE},  /* in parts: forks_in_between() */
};

static char *base(void)
{
	return (char *)slot_base(1);
}

static void touch(const struct pattern *pattern, unsigned writer)
{
	stamp_all(base(), pattern->count, pattern->stride, writer);
}

static void check_touched(const struct pattern *pattern, unsigned writer, const char *what)
{
	check_stamps(base(), pattern->count, pattern->stride, writer, what);
}

static char *space_make(void)
{
	void *got = mmap(base(), TERABYTE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	REQUIRE(got == base(), "mmap of a terabyte gave %p", got);
	return got;
}

/* ---- Counting ---- */

static uint64_t tables_before;

static uint64_t tables_now(void)
{
	struct vmstat stat = {0};

	if (on_coppice)
		vmstat_read(&stat);
	return stat.page_tables;
}

static void check_empty(const char *when)
{
	struct node node;

	CHECK_EQUAL(tables_now(), tables_before, when);
	CHECK_EQUAL(smaps_number(0, base(), "Rss"), 0, when);
	if (on_coppice)
		for (unsigned level = 1; level <= 3; level++)
			CHECK(!node_find(0, (uintptr_t)base(), level, &node), "%s: level %u", when,
			      level);
}

static void check_region(const char *when)
{
	CHECK_EQUAL(smaps_number(0, base(), "Size"), (long)(TERABYTE / 1024), when);
}

static void begin(void)
{
	space_make();
	tables_before = tables_now();
}

/* ---- Ways to let go of it all, while the region stays ---- */

static void in_one(void)
{
	CHECK_EQUAL(madvise(base(), TERABYTE, MADV_DONTNEED), 0, "madvise");
}

static void in_pieces(void)
{
	const size_t piece = 37 * GIGABYTE + 123 * PAGE;

	for (size_t at = 0; at < TERABYTE; at += piece)
		CHECK_EQUAL(madvise(base() + at, piece < TERABYTE - at ? piece : TERABYTE - at,
				    MADV_DONTNEED),
			    0, "madvise");
}

/* Every other piece first, from both ends. */
static void interleaved(void)
{
	const size_t piece = 8 * GIGABYTE, pieces = TERABYTE / piece;

	for (size_t i = 0; i < pieces; i += 2)
		CHECK_EQUAL(madvise(base() + i * piece, piece, MADV_DONTNEED), 0, "madvise");
	for (size_t i = pieces - 1; i < pieces; i -= 2)
		CHECK_EQUAL(madvise(base() + i * piece, piece, MADV_DONTNEED), 0, "madvise");
}

/* Page by page, where the pages are. */
static void page_by_page(void)
{
	for (size_t i = 0; i < COUNT(patterns); i++)
		for (size_t page = 0; page < patterns[i].count; page++)
			CHECK_EQUAL(
				madvise(base() + page * patterns[i].stride, PAGE, MADV_DONTNEED), 0,
				"madvise");
}

static void unmapped(void)
{
	CHECK_EQUAL(munmap(base(), TERABYTE), 0, "munmap");
	space_make();
}

static void unmapped_in_pieces(void)
{
	const size_t piece = 64 * GIGABYTE;

	for (size_t at = 0; at < TERABYTE; at += 2 * piece)
		CHECK_EQUAL(munmap(base() + at, piece), 0, "munmap");
	for (size_t at = piece; at < TERABYTE; at += 2 * piece)
		CHECK_EQUAL(munmap(base() + at, piece), 0, "munmap");
	space_make();
}

static void mapped_over(void)
{
	space_make();
}

static void moved_away(void)
{
	char *other = (char *)slot_base(10);

	CHECK(mremap(base(), TERABYTE, TERABYTE, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other,
	      "mremap");
	CHECK_EQUAL(munmap(other, TERABYTE), 0, "munmap");
	space_make();
}

static const struct way {
	const char *name;
	void (*go)(void);
} ways[] = {
	{"MADV_DONTNEED", in_one},
	{"MADV_DONTNEED in pieces", in_pieces},
	{"MADV_DONTNEED, interleaved", interleaved},
	{"MADV_DONTNEED page by page", page_by_page},
	{"munmap", unmapped},
	{"munmap in pieces", unmapped_in_pieces},
	{"mmap over", mapped_over},
	{"mremap and munmap", moved_away},
};

/* ---- Scenes ---- */

static const struct way *way;

static void alone(void)
{
	way = test_context;
	begin();
	for (size_t i = 0; i < COUNT(patterns) && check_failures() == 0; i++) {
		touch(&patterns[i], PARENT);
		check_touched(&patterns[i], PARENT, "before");
		way->go();
		check_empty(way->name);
		check_touched(&patterns[i], 0, "after");
		in_one();
	}
	check_empty("zeroes that were read");
	check_region("the region");
}

/* The child lets go of it, then lives on while the parent uses and lets go of its own. */
static void going_child(struct peer *parent, void *context)
{
	const struct pattern *pattern = context;

	check_touched(pattern, PARENT, "in the child");
	way->go();
	CHECK_EQUAL(smaps_number(0, base(), "Rss"), 0, "the child's Rss");
	check_touched(pattern, 0, "in the child, after");
	way->go();
	turn(parent);
	touch(pattern, CHILD);
	check_touched(pattern, CHILD, "in the child, written");
	way->go();
	turn(parent);
}

static void in_child_then_parent(void)
{
	way = test_context;
	begin();
	for (size_t i = 0; i < COUNT(patterns) && check_failures() == 0; i++) {
		touch(&patterns[i], PARENT);
		struct peer child = peer_start(going_child, (void *)&patterns[i]);
		turn(&child);
		check_touched(&patterns[i], PARENT, "in the parent");
		check_audit("the child has let go");
		turn(&child);
		check_touched(&patterns[i], PARENT, "in the parent, the child has written");
		way->go();
		CHECK_EQUAL(smaps_number(0, base(), "Rss"), 0, "the parent's Rss");
		peer_finish(&child);
		check_empty(way->name);
	}
	check_region("the region");
}

/* The parent lets go first; what it had is the child's then, who ends with it in hand. */
static void keeping_child(struct peer *parent, void *context)
{
	const struct pattern *pattern = context;

	check_touched(pattern, PARENT, "in the child, when the parent has let go");
	turn(parent);
	check_touched(pattern, PARENT, "in the child, when the parent has written");
	stamp_all(base(), pattern->count / 2, 2 * pattern->stride, CHILD);
}

static void in_parent_then_child(void)
{
	way = test_context;
	begin();
	for (size_t i = 0; i < COUNT(patterns) && check_failures() == 0; i++) {
		touch(&patterns[i], PARENT);
		struct peer child = peer_start(keeping_child, (void *)&patterns[i]);
		way->go();
		CHECK_EQUAL(smaps_number(0, base(), "Rss"), 0, "the parent's Rss");
		check_touched(&patterns[i], 0, "in the parent");
		touch(&patterns[i], CHILD);
		turn(&child);
		way->go();
		peer_finish(&child);
		check_empty(way->name);
	}
}

static void sleeper(struct peer *parent, void *context)
{
	(void)context;
	turn(parent);
	way->go();
	CHECK_EQUAL(smaps_number(0, base(), "Rss"), 0, "a child's Rss");
	turn(parent);
}

/* A fork after each part that is touched, so that there are tables of all ages; then all let go. */
static void forks_in_between(void)
{
	const struct pattern *pattern = &patterns[5];
	struct peer children[AGES];

	way = test_context;
	begin();
	for (size_t i = 0; i < AGES; i++) {
		stamp_all(base() + i * AGE * pattern->stride, AGE, pattern->stride, PARENT);
		children[i] = peer_start(sleeper, NULL);
		turn(&children[i]);
	}
	for (size_t i = 0; i < AGES; i += 2)
		turn(&children[i]);
	check_audit("every other child has let go");
	check_touched(pattern, PARENT, "in the parent");
	way->go();
	for (size_t i = 0; i < AGES; i++)
		peer_finish(&children[i]);
	check_empty(way->name);
	check_region("the region");
}

/* What is left empty by one who shares it must go for the others too, or stay until they let go. */
static void marks_for_fork(void)
{
	begin();
	way = &ways[0];
	touch(&patterns[0], PARENT);
	CHECK_EQUAL(madvise(base(), TERABYTE / 2, MADV_WIPEONFORK), 0, "madvise");
	CHECK_EQUAL(madvise(base() + TERABYTE / 2, TERABYTE / 4, MADV_DONTFORK), 0, "madvise");
	struct peer child = peer_start(sleeper, NULL);
	check_touched(&patterns[0], PARENT, "in the parent");
	in_one();
	CHECK_EQUAL(smaps_number(0, base(), "Rss"), 0, "Rss");
	CHECK_EQUAL(kill(child.pid, SIGKILL), 0, "kill");
	peer_dies(&child, SIGKILL);
	check_empty("after marks");
}

/* ---- Shared memory ---- */

static void shared_space(void)
{
	void *got = mmap(base(), TERABYTE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	REQUIRE(got == base(), "mmap of a terabyte gave %p", got);
	tables_before = tables_now();
	touch(&patterns[0], PARENT);
	in_one();
	check_empty("shared memory let go of");
	check_touched(&patterns[0], PARENT, "shared memory");
	CHECK_EQUAL(madvise(base(), TERABYTE, MADV_REMOVE), 0, "MADV_REMOVE");
	check_empty("shared memory removed");
	check_touched(&patterns[0], 0, "removed");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenes[] = {{"alone", alone},
		      {"the child first", in_child_then_parent},
		      {"the parent first", in_parent_then_child},
		      {"forks in between", forks_in_between}};
	static struct test tests[COUNT(scenes) * COUNT(ways) + 2];
	static char names[COUNT(tests)][80];
	size_t count = 0;

	for (size_t i = 0; i < COUNT(scenes); i++)
		for (size_t j = 0; j < COUNT(ways); j++, count++) {
			snprintf(names[count], sizeof(names[0]), "%s: %s", scenes[i].name,
				 ways[j].name);
			tests[count] = (struct test) {
				.name = names[count], .run = scenes[i].run, .context = &ways[j]};
		}
	tests[count++] = (struct test) {.name = "marks for fork", .run = marks_for_fork};
	tests[count++] = (struct test) {.name = "shared memory", .run = shared_space};
	probe_init();
	return run_tests(tests, count, argc, argv);
}
