/*
 * Regions changed after fork, in part and whole, by the parent and by the child: whoever did not
 * change sees nothing of it, neither in its data nor in where it faults; and whoever did sees all
 * of it.
 *
 * Catches: a boundary table that is shared, yet edited by munmap, mprotect or mmap; a table wholly
 * covered that is edited in place of dropped; W given back by mprotect on a shared page or through
 * a shared table; a page filled into a shared table over which the sharers' regions differ; stale
 * pages or translations in a hole mapped anew.
 */
#include "lib.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARENT = 1, ACTOR, OTHER };

/*
 * The area: 6 MB around a boundary, half a span, a span, the boundary, a span, half a span. Every
 * page is written by the parent before fork, except each eighth, which nobody has touched yet.
 */
#define PAGES      1536
#define HALF       256
#define SPAN_PAGES 512
static const struct {
	const char *name;
	uintptr_t offset;
} boundaries[] = {{"2 MB", 4 * SPAN}, {"1 GB", GIGABYTE}, {"512 GB", TOP_SPAN}};

/* What a process expects of each page: who wrote it (0: zeroes, FILE_PAGE: the file), and what it
 * may do there. */
#define FILE_PAGE 0xffu
struct view {
	char *base;
	struct {
		unsigned char writer, prot;
	} page[PAGES];
};

static bool untouched(size_t page)
{
	return page % 8 == 5;
}

static unsigned char file_byte(size_t page)
{
	return (unsigned char)(page % 251 + 1);
}

static bool holds(const struct view *view, size_t page)
{
	const char *at = view->base + page * PAGE;

	if (view->page[page].writer == FILE_PAGE)
		return at[0] == (char)file_byte(page) && at[PAGE - 1] == (char)file_byte(page);
	return stamped(at, view->page[page].writer);
}

static void check_page(const struct view *view, size_t page, const char *who)
{
	unsigned prot = view->page[page].prot;
	char *at = view->base + page * PAGE;

	if (prot & PROT_READ)
		CHECK(holds(view, page), "%s: page %zu is not what writer %u left", who, page,
		      view->page[page].writer);
	else
		CHECK(!kernel_reads(at), "%s: page %zu can be read", who, page);
	if (!(prot & PROT_WRITE) && page % 16 < 2)
		CHECK(!kernel_writes(at), "%s: page %zu can be written", who, page);
}

/* Where rights change from one page to the next, a program's own accesses are tried as well, at its
 * life's risk. */
static void check_edge(const struct view *view, size_t page, const char *who)
{
	unsigned prot = view->page[page].prot;
	char *at = view->base + page * PAGE;

	check_use(at, USE_READ, (prot & PROT_READ) != 0, who);
	check_use(at, USE_WRITE, (prot & PROT_WRITE) != 0, who);
}

#define MOST_EDGES 6 /* in one view: each takes four processes */

static void check_view(const struct view *view, const char *who)
{
	unsigned failed = check_failures(), edges = 0;

	for (size_t i = 0; i < PAGES && check_failures() < failed + 4; i++) {
		check_page(view, i, who);
		if (i > 0 && view->page[i].prot != view->page[i - 1].prot && edges++ < MOST_EDGES) {
			check_edge(view, i - 1, who);
			check_edge(view, i, who);
		}
	}
}

/* Writes wherever it may, from the last page to the first. */
static void write_view(struct view *view, unsigned writer)
{
	for (size_t i = PAGES; i-- > 0;) {
		if (!(view->page[i].prot & PROT_WRITE))
			continue;
		stamp(view->base + i * PAGE, writer);
		view->page[i].writer = (unsigned char)writer;
	}
}

static void set_view(struct view *view, size_t first, size_t pages, int writer, unsigned prot)
{
	for (size_t i = first; i < first + pages; i++) {
		if (writer >= 0)
			view->page[i].writer = (unsigned char)writer;
		view->page[i].prot = (unsigned char)prot;
	}
}

static void area_make(struct view *view, uintptr_t boundary)
{
	memset(view, 0, sizeof(*view));
	view->base = map_at(boundary - PAGES / 2 * PAGE, PAGES * PAGE);
	for (size_t i = 0; i < PAGES; i++) {
		view->page[i].prot = PROT_READ | PROT_WRITE;
		if (untouched(i))
			continue;
		stamp(view->base + i * PAGE, PARENT);
		view->page[i].writer = PARENT;
	}
}

/* ---- The changes ---- */

#define ANYWHERE_PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
static const char *const file_name = "/tmp/regions.file";

static char *at_page(const struct view *view, size_t page)
{
	return view->base + page * PAGE;
}

static void unmap(struct view *view, size_t first, size_t pages)
{
	CHECK_EQUAL(munmap(at_page(view, first), pages * PAGE), 0, "munmap");
	set_view(view, first, pages, 0, PROT_NONE);
}

static void protect(struct view *view, size_t first, size_t pages, int prot)
{
	CHECK_EQUAL(mprotect(at_page(view, first), pages * PAGE, prot), 0, "mprotect");
	set_view(view, first, pages, -1, (unsigned)prot);
}

static void map_over(struct view *view, size_t first, size_t pages, int prot, int flags, int fd)
{
	void *got = mmap(at_page(view, first), pages * PAGE, prot, flags | MAP_FIXED, fd,
			 fd < 0 ? 0 : (off_t)(first * PAGE));

	CHECK(got == at_page(view, first), "mmap gave %p", got);
	set_view(view, first, pages, fd < 0 ? 0 : (int)FILE_PAGE, (unsigned)prot);
}

static void unmap_all(struct view *view)
{
	unmap(view, 0, PAGES);
}

static void unmap_a_page(struct view *view)
{
	unmap(view, HALF + 100, 1);
}

static void unmap_in_table(struct view *view)
{
	unmap(view, HALF + 7, 90);
	unmap(view, 900, 30);
}

/* Ends in the middle of two tables, with whole ones between. */
static void unmap_across(struct view *view)
{
	unmap(view, 100, 1300);
}

static void unmap_whole_table(struct view *view)
{
	unmap(view, HALF, SPAN_PAGES);
}

static void unmap_both_ends(struct view *view)
{
	unmap(view, 0, HALF + 3);
	unmap(view, PAGES - HALF - 3, HALF + 3);
}

static void read_only(struct view *view)
{
	protect(view, 0, PAGES, PROT_READ);
}

static void read_only_part(struct view *view)
{
	protect(view, 200, 700, PROT_READ);
}

/* There and back: the right to write is the region's again, and yet no shared page may become
 * writable. */
static void read_only_and_back(struct view *view)
{
	protect(view, 200, 1000, PROT_READ);
	protect(view, 200, 1000, PROT_READ | PROT_WRITE);
}

static void none_part(struct view *view)
{
	protect(view, 300, 3, PROT_NONE);
	protect(view, 600, 600, PROT_NONE);
}

static void none_and_back(struct view *view)
{
	protect(view, 300, 1000, PROT_NONE);
	protect(view, 300, 1000, PROT_READ);
	protect(view, 310, 900, PROT_READ | PROT_WRITE);
}

static void map_zeroes_over(struct view *view)
{
	map_over(view, 111, 40, PROT_READ | PROT_WRITE, ANYWHERE_PRIVATE, -1);
	map_over(view, 700, 600, PROT_READ | PROT_WRITE, ANYWHERE_PRIVATE, -1);
}

static void map_read_only_over(struct view *view)
{
	map_over(view, 700, 200, PROT_READ, ANYWHERE_PRIVATE, -1);
}

static void map_none_over(struct view *view)
{
	map_over(view, 250, 600, PROT_NONE, ANYWHERE_PRIVATE, -1);
}

static void map_file_over(struct view *view)
{
	int fd = open(file_name, O_RDONLY);

	CHECK(fd >= 0, "open %s", file_name);
	map_over(view, 240, 20, PROT_READ, MAP_PRIVATE, fd);
	map_over(view, 760, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	close(fd);
}

/* A hole mapped anew reads as zeroes, not as what was there. */
static void unmap_and_map(struct view *view)
{
	unmap(view, 128, 1200);
	map_over(view, 128, 600, PROT_READ | PROT_WRITE, ANYWHERE_PRIVATE, -1);
	map_over(view, 1000, 1, PROT_READ, ANYWHERE_PRIVATE, -1);
}

static void checkerboard(struct view *view)
{
	for (size_t i = 0; i < PAGES; i += 96) {
		protect(view, i, 16, PROT_READ);
		unmap(view, i + 24, 8);
		protect(view, i + 48, 8, PROT_NONE);
		map_over(view, i + 72, 8, PROT_READ | PROT_WRITE, ANYWHERE_PRIVATE, -1);
	}
}

struct change {
	const char *name;
	void (*make)(struct view *view);
};

/* ---- The scene: one of two processes changes its regions ---- */

struct scene {
	struct view view;
	const struct change *change;
};

/* view is large, and its writing would be lost in a forked child: each process has its own by fork.
 */
static struct scene scene;

static void change_and_check(void)
{
	scene.change->make(&scene.view);
	check_view(&scene.view, "who changed");
}

static void acting_child(struct peer *parent, void *context)
{
	(void)context;
	change_and_check();
	turn(parent);
	check_view(&scene.view, "who changed, later");
	write_view(&scene.view, ACTOR);
	turn(parent);
	check_view(&scene.view, "who changed, at last");
}

static void watching_child(struct peer *parent, void *context)
{
	(void)context;
	check_view(&scene.view, "who did not change");
	write_view(&scene.view, OTHER);
	turn(parent);
	check_view(&scene.view, "who did not change, at last");
}

static void child_changes(void)
{
	struct peer child = peer_start(acting_child, NULL);

	turn(&child);
	check_view(&scene.view, "who did not change");
	check_audit(scene.change->name);
	write_view(&scene.view, OTHER);
	turn(&child);
	check_view(&scene.view, "who did not change, later");
	peer_finish(&child);
	check_view(&scene.view, "who did not change, at last");
}

static void parent_changes(void)
{
	struct peer child = peer_start(watching_child, NULL);

	change_and_check();
	turn(&child);
	check_view(&scene.view, "who changed, later");
	check_audit(scene.change->name);
	write_view(&scene.view, ACTOR);
	peer_finish(&child);
	check_view(&scene.view, "who changed, at last");
}

/* Both of two siblings change, in the same way, while the parent keeps all: three views of one
 * tree. */
static void siblings_change(void)
{
	struct peer first = peer_start(acting_child, NULL);
	struct peer second = peer_start(acting_child, NULL);

	turn(&first);
	turn(&second);
	check_view(&scene.view, "the parent");
	turn(&second);
	turn(&first);
	peer_finish(&first);
	check_view(&scene.view, "the parent, later");
	peer_finish(&second);
	check_view(&scene.view, "the parent, at last");
}

static void write_file(void)
{
	char page[PAGE];
	int fd = open(file_name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	REQUIRE(fd >= 0, "open %s", file_name);
	for (size_t i = 0; i < 1024; i++) {
		memset(page, file_byte(i), PAGE);
		REQUIRE(write(fd, page, PAGE) == (ssize_t)PAGE, "write %s", file_name);
	}
	close(fd);
}

static void run_change(const struct change *change)
{
	static void (*const who[])(void) = {child_changes, parent_changes, siblings_change};

	for (size_t i = 0; i < COUNT(boundaries) * COUNT(who) && check_failures() == 0; i++) {
		size_t place = i % COUNT(boundaries);

		/* Siblings add little elsewhere, and cost as much as the other two. */
		if (i / COUNT(boundaries) == 2 && place != 1)
			continue;
		scene.change = change;
		area_make(&scene.view, slot_base(1) + boundaries[place].offset);
		who[i / COUNT(boundaries)]();
		CHECK(check_failures() == 0, "^ at a boundary of %s", boundaries[place].name);
		CHECK_EQUAL(munmap(scene.view.base, PAGES * PAGE), 0, "munmap at last");
	}
}

static void case_of(void)
{
	run_change(test_context);
}

static void case_of_file(void)
{
	write_file();
	run_change(test_context);
	unlink(file_name);
}

static const struct change changes[] = {
	{"munmap of all", unmap_all},
	{"munmap of a page", unmap_a_page},
	{"munmap within tables", unmap_in_table},
	{"munmap across tables", unmap_across},
	{"munmap of a whole table", unmap_whole_table},
	{"munmap at both ends", unmap_both_ends},
	{"read-only", read_only},
	{"read-only in part", read_only_part},
	{"read-only and back", read_only_and_back},
	{"PROT_NONE in part", none_part},
	{"PROT_NONE and back", none_and_back},
	{"mmap of zeroes over", map_zeroes_over},
	{"mmap of read-only zeroes over", map_read_only_over},
	{"mmap of PROT_NONE over", map_none_over},
	{"mmap of a file over", map_file_over},
	{"munmap and mmap anew", unmap_and_map},
	{"all of these in a checkerboard", checkerboard},
};

int main(int argc, char **argv)
{
	static struct test tests[COUNT(changes)];

	for (size_t i = 0; i < COUNT(changes); i++) {
		bool file = changes[i].make == map_file_over;

		tests[i] = (struct test) {.name = changes[i].name,
					  .run = file ? case_of_file : case_of,
					  .context = &changes[i]};
	}
	return run_tests(tests, COUNT(tests), argc, argv);
}
