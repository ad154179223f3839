/*
 * mremap(2): regions that grow, shrink and move, with their pages and whoever shares their tables; and
 * all that it refuses.
 *
 * Catches: pages that stay behind, arrive twice or in the wrong place; a table moved away under its
 * sharers; what was at the new place surviving; a failure that has moved half; a second mapping of
 * shared memory that is a copy.
 */
#include "probe.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SYS_MREMAP = 25 };
enum { PARENT = 1, CHILD };
enum { MAYMOVE = MREMAP_MAYMOVE, FIXED = MREMAP_MAYMOVE | MREMAP_FIXED };
enum { DONTUNMAP = MREMAP_MAYMOVE | MREMAP_DONTUNMAP };

static char *at(unsigned slot, size_t page)
{
	return (char *)slot_base(slot) + GIGABYTE - 400 * PAGE + page * PAGE;
}

static long remap(const char *from, size_t old, size_t new, int flags, const char *to)
{
	return CALL(SYS_MREMAP, from, old * PAGE, new *PAGE, flags, to);
}

static void check_remap(const char *from, size_t old, size_t new, int flags, const char *to,
			const char *want)
{
	CHECK_EQUAL(remap(from, old, new, flags, to), (long)want, "mremap");
}

/* Each page says in its first word which it is, wherever it is. */
static void number_pages(char *start, size_t pages, uint64_t writer)
{
	for (size_t i = 0; i < pages; i++)
		*(uint64_t *)(start + i * PAGE) = writer << 32 | i;
}

static void check_numbers(const char *start, size_t first, size_t pages, uint64_t writer)
{
	for (size_t i = 0; i < pages; i++) {
		uint64_t word = *(volatile const uint64_t *)(start + i * PAGE);

		if (!CHECK(word == (writer ? writer << 32 | (first + i) : 0),
			   "page %zu of %zu at %p: 0x%lx", i, pages, (void *)start,
			   (unsigned long)word))
			return;
	}
}

static char *area_make(unsigned slot, size_t pages)
{
	char *area = map_at((uintptr_t)at(slot, 0), pages * PAGE);

	number_pages(area, pages, PARENT);
	return area;
}

/* ---- In place ---- */

static void grows_in_place(void)
{
	char *area = area_make(1, 700);

	check_remap(area, 700, 1100, 0, NULL, area);
	CHECK_LAYOUT(area, 1101, NULL, "1100 rw-p, 1");
	check_numbers(area, 0, 700, PARENT);
	check_numbers(area + 700 * PAGE, 0, 400, 0);
	map_at((uintptr_t)area + 1110 * PAGE, PAGE);
	CHECK_EQUAL(remap(area, 1100, 1111, 0, NULL), -L_ENOMEM, "into a neighbour");
	check_remap(area, 1100, 1110, 0, NULL, area);
	CHECK_LAYOUT(area, 1112, NULL, "1111 rw-p, 1");
	check_remap(area, 20, 20, 0, NULL, area);
	check_numbers(area, 0, 700, PARENT);
	CHECK_EQUAL(remap(area, 20, 30, 0, NULL), -L_ENOMEM, "from the middle of a region");
}

static void shrinks(void)
{
	char *area = area_make(1, 1100);

	check_remap(area, 1100, 600, 0, NULL, area);
	CHECK_LAYOUT(area, 1100, NULL, "600 rw-p, 500");
	check_access(area + 600 * PAGE, SIGSEGV, "what was cut off");
	check_remap(area, 600, 900, 0, NULL, area);
	check_numbers(area, 0, 600, PARENT);
	check_numbers(area + 600 * PAGE, 0, 300, 0);
	check_remap(area + 100 * PAGE, 200, 50, 0, NULL, area + 100 * PAGE);
	CHECK_LAYOUT(area, 900, NULL, "150 rw-p, 150, 600 rw-p");
}

/* The tail that is cut off may be of several regions, and have holes. */
static void shrinks_over_several(void)
{
	char *area = area_make(1, 100);

	CHECK_EQUAL(mprotect(area + 20 * PAGE, 10 * PAGE, PROT_READ), 0, "mprotect");
	CHECK_EQUAL(munmap(area + 50 * PAGE, 10 * PAGE), 0, "munmap");
	CHECK_LAYOUT(area, 100, NULL, "20 rw-p, 10 r--p, 20 rw-p, 10, 40 rw-p");
	check_remap(area, 70, 5, 0, NULL, area);
	CHECK_LAYOUT(area, 100, NULL, "5 rw-p, 65, 30 rw-p");
	check_numbers(area, 0, 5, PARENT);
	check_numbers(area + 70 * PAGE, 70, 30, PARENT);
}

/* ---- Moves ---- */

static void grows_by_moving(void)
{
	char *area = area_make(1, 700);

	map_at((uintptr_t)at(1, 700), PAGE);
	CHECK_EQUAL(remap(area, 700, 1400, 0, NULL), -L_ENOMEM, "without MREMAP_MAYMOVE");
	check_numbers(area, 0, 700, PARENT);
	char *moved = (char *)remap(area, 700, 1400, MAYMOVE, NULL);
	REQUIRE((long)moved > 0 && moved != area, "mremap: %p", (void *)moved);
	check_numbers(moved, 0, 700, PARENT);
	check_numbers(moved + 700 * PAGE, 0, 700, 0);
	CHECK_LAYOUT(area, 701, NULL, "700, 1 rw-p");
	check_access(area, SIGSEGV, "the old place");
	number_pages(moved, 1400, CHILD);
	check_numbers(moved, 0, 1400, CHILD);
}

/* Distances that keep the place in a table, and that do not. */
static void moves(void)
{
	static const size_t distances[] = {
		1, 7, 512, 513, 512ul * 512, 512ul * 512 + 3, 512ul * 512 * 512, 77ul * 512 + 200};
	char *area = area_make(1, 1000), *to = area;

	for (size_t i = 0; i < COUNT(distances) && check_failures() == 0; i++) {
		char *way = at(4, i * 5); /* since places that are near each other overlap */

		check_remap(to, 1000, 1000, FIXED, way, way);
		check_numbers(way, 0, 1000, PARENT);
		CHECK_LAYOUT(to, 1000, NULL, "1000");
		to = area + distances[i] * PAGE;
		check_remap(way, 1000, 1000, FIXED, to, to);
		check_numbers(to, 0, 1000, PARENT);
		CHECK_LAYOUT(way, 1000, NULL, "1000");
		CHECK_EQUAL(smaps_number(0, to, "Rss"), 4000, "Rss");
	}
	check_audit("after moves");
}

static void moves_over_something(void)
{
	char *area = area_make(1, 600), *there = area_make(2, 1000);

	check_remap(area + 100 * PAGE, 300, 400, FIXED, there + 50 * PAGE, there + 50 * PAGE);
	CHECK_LAYOUT(area, 600, NULL, "100 rw-p, 300, 200 rw-p");
	check_numbers(there, 0, 50, PARENT);
	check_numbers(there + 50 * PAGE, 100, 300, PARENT);
	check_numbers(there + 350 * PAGE, 0, 100, 0);
	check_numbers(there + 450 * PAGE, 450, 550, PARENT);
	check_remap(there, 20, 10, FIXED, area + 5 * PAGE, area + 5 * PAGE);
	check_numbers(area + 5 * PAGE, 0, 10, PARENT);
	check_numbers(area + 15 * PAGE, 15, 85, PARENT);
	check_access(there, SIGSEGV, "what was moved");
	check_access(there + 15 * PAGE, SIGSEGV, "what was cut off");
}

static void keeps_rights_and_offsets(void)
{
	int fd = file_make(20, 0);
	char *file = map_over(at(1, 0), 20, MAP_SHARED, fd), *there = at(2, 0);
	struct region region;

	number_pages(file, 20, PARENT);
	CHECK_EQUAL(mprotect(file, 20 * PAGE, PROT_READ), 0, "mprotect");
	check_remap(file + 5 * PAGE, 10, 15, FIXED, there, there);
	CHECK_LAYOUT(file, 20, NULL, "5 r--s, 10, 5 r--s");
	CHECK_LAYOUT(there, 16, NULL, "15 r--s, 1");
	check_numbers(there, 5, 15, PARENT);
	CHECK(region_find(0, there, &region) && region.offset == 5 * PAGE, "its offset");
	CHECK_EQUAL(signal_of(there, USE_WRITE), SIGSEGV, "a write");
	check_remap(there, 15, 30, MAYMOVE, NULL, there);
	check_access(there + 29 * PAGE, SIGBUS, "beyond the end of the file");
	close(fd);
}

/* ---- MREMAP_DONTUNMAP ---- */

static void stays_private(void)
{
	char *area = area_make(1, 800), *there = at(2, 3);

	check_remap(area, 800, 800, FIXED | MREMAP_DONTUNMAP, there, there);
	CHECK_LAYOUT(area, 801, NULL, "800 rw-p, 1");
	CHECK_EQUAL(smaps_number(0, area, "Rss"), 0, "Rss of the old place");
	check_numbers(there, 0, 800, PARENT);
	check_numbers(area, 0, 800, 0);
	number_pages(area, 800, CHILD);
	check_numbers(there, 0, 800, PARENT);
	char *other = (char *)remap(area + 5 * PAGE, 10, 10, DONTUNMAP, NULL);
	REQUIRE((long)other > 0, "mremap: %ld", (long)other);
	check_numbers(other, 5, 10, CHILD);
	check_numbers(area + 5 * PAGE, 0, 10, 0);
	check_numbers(area + 15 * PAGE, 15, 785, CHILD);
}

static void stays_shared(void)
{
	int fd = file_make(20, 0);
	char *area = map_over(at(1, 0), 20, MAP_SHARED | MAP_ANONYMOUS, -1), *there = at(2, 3);

	number_pages(area, 20, PARENT);
	check_remap(area, 20, 20, FIXED | MREMAP_DONTUNMAP, there, there);
	check_numbers(there, 0, 20, PARENT);
	check_numbers(area, 0, 20, PARENT);
	number_pages(there, 20, CHILD);
	check_numbers(area, 0, 20, CHILD);
	map_over(area, 20, MAP_SHARED, fd);
	number_pages(area, 20, PARENT);
	check_remap(area, 20, 20, FIXED | MREMAP_DONTUNMAP, there, there);
	check_numbers(area, 0, 20, PARENT);
	check_numbers(there, 0, 20, PARENT);
	close(fd);
}

/* Private pages of a file: what was written moves, the file is seen in both places. */
static void stays_private_file(void)
{
	int fd = file_make(4, 'f');
	char *area = map_over(at(1, 0), 4, MAP_PRIVATE, fd), *there = at(2, 3);

	area[0] = 'p';
	check_remap(area, 4, 4, FIXED | MREMAP_DONTUNMAP, there, there);
	CHECK(there[0] == 'p' && there[PAGE] == 'f', "moved: %d %d", there[0], there[PAGE]);
	CHECK(area[0] == 'f' && area[PAGE] == 'f', "left: %d %d", area[0], area[PAGE]);
	close(fd);
}

/* ---- A second mapping ---- */

static void doubles(void)
{
	int fd = file_make(20, 0);
	char *area = map_over(at(1, 0), 20, MAP_SHARED | MAP_ANONYMOUS, -1), *there = at(2, 3);

	number_pages(area, 20, PARENT);
	CHECK_EQUAL(remap(area + 5 * PAGE, 0, 10, FIXED, there), (long)there, "mremap");
	CHECK_LAYOUT(area, 20, NULL, "20 rw-s");
	CHECK_LAYOUT(there, 11, NULL, "10 rw-s, 1");
	check_numbers(there, 5, 10, PARENT);
	number_pages(there, 10, CHILD);
	check_numbers(area + 5 * PAGE, 0, 10, CHILD);
	map_over(area, 20, MAP_SHARED, fd);
	number_pages(area, 20, PARENT);
	char *other = (char *)remap(area, 0, 20, MAYMOVE, NULL);
	REQUIRE((long)other > 0 && other != area, "mremap: %ld", (long)other);
	check_numbers(other, 0, 20, PARENT);
	CHECK_EQUAL(munmap(area, 20 * PAGE), 0, "munmap");
	check_numbers(other, 0, 20, PARENT);
	map_at((uintptr_t)area, PAGE);
	CHECK_EQUAL(remap(area, 0, 1, MAYMOVE, NULL), -L_EINVAL, "of private memory");
	CHECK_EQUAL(remap(at(5, 0), 0, 1, MAYMOVE, NULL), -L_EFAULT, "of nothing");
	/* EINVAL, the manual says; some Linuxes say ENOMEM. */
	CHECK(remap(other, 0, 1, 0, NULL) < 0, "without MREMAP_MAYMOVE");
	close(fd);
}

/* ---- Errors ---- */

static void invalid(void)
{
	char *area = area_make(1, 20), *there = area_make(2, 20);
	const char *end = (char *)(1ul << 47);

	CHECK_EQUAL(CALL(SYS_MREMAP, area + 1, PAGE, 2 * PAGE, MAYMOVE), -L_EINVAL,
		    "an address between pages");
	CHECK_EQUAL(remap(area, 1, 1, 8, NULL), -L_EINVAL, "an unknown flag");
	CHECK_EQUAL(remap(area, 1, 0, 0, NULL), -L_EINVAL, "new_size 0");
	CHECK_EQUAL(CALL(SYS_MREMAP, area, PAGE, PAGE, FIXED, there + 1), -L_EINVAL,
		    "a new address between pages");
	CHECK_EQUAL(remap(area, 2, 2, FIXED, end), -L_EINVAL, "a new address past user space");
	CHECK_EQUAL(remap(area, 2, 2, FIXED, end - PAGE), -L_EINVAL, "a new end past it");
	CHECK_EQUAL(remap(area, 20, 20, FIXED, area + PAGE), -L_EINVAL, "overlap from below");
	CHECK_EQUAL(remap(area + PAGE, 19, 19, FIXED, area), -L_EINVAL, "overlap from above");
	CHECK_EQUAL(remap(area, 20, 20, FIXED, area), -L_EINVAL, "the same place");
	CHECK_EQUAL(remap(area, 1, 20, FIXED, area - 19 * PAGE), -L_EINVAL,
		    "overlap of what is to grow");
	CHECK_EQUAL(remap(area, 1, 1, MREMAP_FIXED, there), -L_EINVAL, "FIXED alone");
	CHECK_EQUAL(remap(area, 1, 1, MREMAP_DONTUNMAP, NULL), -L_EINVAL, "DONTUNMAP alone");
	CHECK_EQUAL(remap(area, 1, 2, DONTUNMAP, NULL), -L_EINVAL, "DONTUNMAP that grows");
	CHECK_EQUAL(remap(area, 2, 1, DONTUNMAP, NULL), -L_EINVAL, "DONTUNMAP that shrinks");
	CHECK_EQUAL(remap(area, 0, 1, MAYMOVE, NULL), -L_EINVAL, "old_size 0 of private memory");
	CHECK_EQUAL(CALL(SYS_MREMAP, area, PAGE, -PAGE, FIXED, there), -L_EINVAL,
		    "new_size too long");
	check_numbers(area, 0, 20, PARENT);
	check_numbers(there, 0, 20, PARENT);
	CHECK_LAYOUT(area, 20, NULL, "20 rw-p");
}

static void faults(void)
{
	char *area = area_make(1, 20);

	CHECK_EQUAL(munmap(area + 10 * PAGE, PAGE), 0, "munmap");
	CHECK_EQUAL(mprotect(area + 5 * PAGE, PAGE, PROT_READ), 0, "mprotect");
	CHECK_EQUAL(remap(area + 10 * PAGE, 1, 2, MAYMOVE, NULL), -L_EFAULT, "a hole");
	CHECK_EQUAL(remap(area + 8 * PAGE, 4, 6, MAYMOVE, NULL), -L_EFAULT, "over a hole");
	CHECK_EQUAL(remap(area, 8, 10, MAYMOVE, NULL), -L_EFAULT, "over several regions");
	CHECK_EQUAL(remap(area + 15 * PAGE, 10, 20, MAYMOVE, NULL), -L_EFAULT, "past its end");
	CHECK_EQUAL(remap(area + 10 * PAGE, 1, 1, 0, NULL), -L_EFAULT, "a hole, nothing to do");
	CHECK_EQUAL(remap(area + 4 * PAGE, 2, 3, FIXED, at(2, 0)), -L_EFAULT, "to a place");
	check_numbers(area, 0, 10, PARENT);
	check_numbers(area + 11 * PAGE, 11, 9, PARENT);
	CHECK_EQUAL(remap(area + 11 * PAGE, 9, 127ul << 28, MAYMOVE, NULL), -L_ENOMEM, "127 TB");
	check_numbers(area + 11 * PAGE, 11, 9, PARENT);
}

/* ---- Whoever shares the tables ---- */

static void staying_relative(struct peer *parent, void *context)
{
	(void)context;
	check_numbers(at(1, 0), 0, 1200, PARENT);
	turn(parent);
	check_numbers(at(1, 0), 0, 1200, PARENT);
	CHECK_LAYOUT(at(1, 0), 1200, NULL, "1200 rw-p");
	number_pages(at(1, 0), 1200, CHILD);
	turn(parent);
	check_remap(at(1, 0), 1200, 1200, FIXED, at(3, 100), at(3, 100));
	check_numbers(at(3, 100), 0, 1200, CHILD);
	turn(parent);
	check_numbers(at(3, 100), 0, 1200, CHILD);
}

static void parent_moves(void)
{
	area_make(1, 1200);
	struct peer child = peer_start(staying_relative, NULL);
	turn(&child);
	check_remap(at(1, 100), 900, 900, FIXED, at(2, 33), at(2, 33));
	check_audit("the parent has moved a part");
	check_numbers(at(2, 33), 100, 900, PARENT);
	turn(&child);
	check_numbers(at(1, 0), 0, 100, PARENT);
	check_numbers(at(2, 33), 100, 900, PARENT);
	check_numbers(at(1, 1000), 1000, 200, PARENT);
	turn(&child);
	check_audit("the child has moved all");
	number_pages(at(2, 33), 900, PARENT);
	check_numbers(at(2, 33), 0, 900, PARENT);
	peer_finish(&child);
}

static void moving_child(struct peer *parent, void *context)
{
	(void)context;
	check_remap(at(1, 0), 1200, 1500, FIXED, at(2, 1), at(2, 1));
	check_numbers(at(2, 1), 0, 1200, PARENT);
	turn(parent);
	number_pages(at(2, 1), 1500, CHILD);
	check_remap(at(2, 1), 1500, 20, FIXED, at(1, 0), at(1, 0));
	check_numbers(at(1, 0), 0, 20, CHILD);
	turn(parent);
	check_remap(at(1, 0), 20, 20, FIXED | MREMAP_DONTUNMAP, at(3, 0), at(3, 0));
	check_numbers(at(3, 0), 0, 20, CHILD);
	check_numbers(at(1, 0), 0, 20, 0);
}

static void child_moves(void)
{
	struct peer children[3];

	area_make(1, 1200);
	for (size_t i = 0; i < COUNT(children); i++) {
		children[i] = peer_start(moving_child, NULL);
		turn(&children[i]);
	}
	check_numbers(at(1, 0), 0, 1200, PARENT);
	CHECK_LAYOUT(at(1, 0), 1200, NULL, "1200 rw-p");
	check_access(at(2, 1), SIGSEGV, "the child's new place");
	for (size_t i = 0; i < COUNT(children); i++)
		turn(&children[i]);
	check_numbers(at(1, 0), 0, 1200, PARENT);
	check_remap(at(1, 0), 1200, 1200, FIXED | MREMAP_DONTUNMAP, at(2, 511), at(2, 511));
	for (size_t i = 0; i < COUNT(children); i++)
		peer_finish(&children[i]);
	check_numbers(at(2, 511), 0, 1200, PARENT);
	check_numbers(at(1, 0), 0, 1200, 0);
}

/* ---- Neighbours ---- */

/* Regions become one when their pages' old places fit too: what has moved does not, unless back. */
static void merges(void)
{
	char *area = area_make(1, 30);
	char *empty = map_at((uintptr_t)at(2, 0), 10 * PAGE);

	check_remap(area + 10 * PAGE, 10, 10, FIXED, at(3, 0), at(3, 0));
	CHECK_LAYOUT(area, 30, NULL, "10 rw-p, 10, 10 rw-p");
	check_remap(at(3, 0), 10, 10, FIXED, area + 10 * PAGE, area + 10 * PAGE);
	CHECK_LAYOUT(area, 30, NULL, "30 rw-p");
	check_remap(area + 20 * PAGE, 10, 10, FIXED, at(2, 10), at(2, 10));
	CHECK_LAYOUT(empty, 20, NULL, "10 rw-p, 10 rw-p");
	check_remap(empty, 10, 10, FIXED, area + 20 * PAGE, area + 20 * PAGE);
	CHECK_LAYOUT(area, 30, NULL, "30 rw-p");
	check_numbers(area, 0, 20, PARENT);
	check_numbers(at(2, 10), 20, 10, PARENT);
}

static const struct test tests[] = {
	{.name = "grows in place", .run = grows_in_place},
	{.name = "shrinks", .run = shrinks},
	{.name = "shrinks over several regions", .run = shrinks_over_several},
	{.name = "grows by moving", .run = grows_by_moving},
	{.name = "moves near and far", .run = moves},
	{.name = "moves over something", .run = moves_over_something},
	{.name = "keeps rights and offsets", .run = keeps_rights_and_offsets},
	{.name = "MREMAP_DONTUNMAP of private memory", .run = stays_private},
	{.name = "MREMAP_DONTUNMAP of shared memory and files", .run = stays_shared},
	{.name = "MREMAP_DONTUNMAP of a private file", .run = stays_private_file},
	{.name = "a second mapping", .run = doubles},
	{.name = "EINVAL", .run = invalid},
	{.name = "EFAULT and ENOMEM", .run = faults},
	{.name = "the parent moves", .run = parent_moves},
	{.name = "children move", .run = child_moves},
	{.name = "neighbours", .run = merges},
};

int main(int argc, char **argv)
{
	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
