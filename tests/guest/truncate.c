/*
 * Files that lose pages while a family of processes maps them: ftruncate, open with O_TRUNC,
 * fallocate's holes and MADV_REMOVE. What is beyond the end is SIGBUS for everybody, private copies
 * too; what is a hole reads as zeroes, but for private copies.
 *
 * Catches: a page that one of the sharers of a table keeps, or loses twice; a truncation that copies
 * tables, or leaves empty ones behind; a private copy that survives the end of its file, or dies with
 * a hole; a last page whose rest comes back when the file grows; stale translations.
 */
#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SYS_OPEN = 2, SYS_CLOSE = 3, SYS_FALLOCATE = 285 };
enum { KEEP_SIZE = 1, PUNCH_HOLE = 2 };
#define O_RDWR_TRUNC_OF_LINUX 01002
#define PAGES                 1300ul /* in four tables, around a boundary of 1 GB */
#define WORDS                 (PAGE / sizeof(uint64_t))

/* What the file holds, in memory that the family shares. */
static struct world {
	size_t size, lowest;                /* bytes; the lowest size since everybody looked */
	uint64_t first[PAGES], last[PAGES]; /* words of each page */
	bool done;
} * world;

/* What this process has of its own: copies in its private mapping, 0 = none. */
static uint64_t copies[PAGES];
static int file;

static uint64_t *page_at(unsigned slot, size_t page)
{
	return (uint64_t *)(slot_base(slot) + GIGABYTE - 400 * PAGE + page * PAGE);
}
#define SHARED  1
#define PRIVATE 2

static size_t pages_of(size_t bytes)
{
	return (bytes + PAGE - 1) / PAGE;
}

static void write_words(uint64_t *page, uint64_t value)
{
	page[0] = value;
	page[WORDS - 1] = value + 1;
}

static void file_write(size_t page, uint64_t value)
{
	write_words(page_at(SHARED, page), value);
	world->first[page] = value;
	world->last[page] = value + 1;
}

static void copy_write(size_t page, uint64_t value)
{
	write_words(page_at(PRIVATE, page), value);
	copies[page] = value;
}

static void world_make(void)
{
	file = file_make(PAGES, 0);
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	REQUIRE(world != MAP_FAILED, "mmap");
	world->size = world->lowest = PAGES * PAGE;
	map_over((char *)page_at(SHARED, 0), PAGES, MAP_SHARED, file);
	map_over((char *)page_at(PRIVATE, 0), PAGES, MAP_PRIVATE, file);
	for (size_t i = 0; i < PAGES; i++)
		file_write(i, i << 20 | 1);
	for (size_t i = 0; i < PAGES; i += 5)
		copy_write(i, i << 20 | 0xc0);
}

/* What the model is told of a change of the size. */
static void resized(size_t size)
{
	world->size = size;
	world->lowest = size < world->lowest ? size : world->lowest;
	for (size_t i = pages_of(size); i < PAGES; i++)
		world->first[i] = world->last[i] = 0;
	if (size % PAGE)
		world->last[size / PAGE] = 0;
}

static void resize(size_t size)
{
	CHECK_EQUAL(ftruncate(file, (off_t)size), 0, "ftruncate");
	resized(size);
}

/* ---- Looking ---- */

static void look_inside(unsigned slot, size_t page)
{
	const volatile uint64_t *at = page_at(slot, page);
	uint64_t copy = slot == PRIVATE ? copies[page] : 0;
	uint64_t first = copy ? copy : world->first[page];
	uint64_t last = copy ? copy + 1 : world->last[page];

	CHECK(at[0] == first && at[WORDS - 1] == last,
	      "page %zu of mapping %u: %lx %lx, expected %lx %lx", page, slot, (unsigned long)at[0],
	      (unsigned long)at[WORDS - 1], (unsigned long)first, (unsigned long)last);
}

/* Each access beyond the end costs a signal: so a few pages only. */
static void look_beyond(unsigned slot, size_t pages)
{
	const size_t some[] = {pages, pages + 1, pages + 511, 400, 912, PAGES - 1};

	for (size_t i = 0; i < COUNT(some); i++)
		if (some[i] >= pages && some[i] < PAGES)
			check_access(page_at(slot, some[i]), SIGBUS, "beyond the end");
}

static void look(void)
{
	size_t pages = pages_of(world->size);

	for (size_t i = pages_of(world->lowest); i < PAGES; i++)
		copies[i] = 0;
	for (size_t i = 0; i < pages && check_failures() < 4; i++) {
		look_inside(SHARED, i);
		look_inside(PRIVATE, i);
	}
	look_beyond(SHARED, pages);
	look_beyond(PRIVATE, pages);
}

/* One of the family: looks at each turn, has its own child look, and writes something of its own
 * before it sleeps. */
static void relative(struct peer *parent, void *context)
{
	unsigned generation = *(unsigned *)context, next = generation + 1;
	struct peer child;

	if (generation < 3)
		child = peer_start(relative, &next);
	for (size_t i = generation; !world->done; i += 7) {
		look();
		if (generation < 3)
			turn(&child);
		for (size_t page = i % 50; page < pages_of(world->size); page += 50)
			copy_write(page, page << 20 | generation << 8);
		turn(parent);
	}
	if (generation < 3)
		peer_finish(&child);
}

#define CHILDREN 2
static struct peer family[CHILDREN];

static void family_make(void)
{
	static unsigned generations[CHILDREN] = {1, 3};

	for (size_t i = 0; i < CHILDREN; i++)
		family[i] = peer_start(relative, &generations[i]);
}

static void all_look(const char *when)
{
	unsigned failed = check_failures();

	look();
	for (size_t i = 0; i < CHILDREN; i++)
		CHECK(turn(&family[i]), "a child has ended");
	world->lowest = world->size;
	CHECK(check_failures() == failed, "^ %s", when);
	check_audit(when);
}

static void family_end(void)
{
	world->done = true;
	for (size_t i = 0; i < CHILDREN; i++)
		peer_finish(&family[i]);
	close(file);
}

/* ---- Sizes ---- */

static void shrinks(void)
{
	world_make();
	family_make();
	all_look("at first");
	resize(1200 * PAGE);
	all_look("a few pages less");
	resize(700 * PAGE + 100);
	all_look("within a page");
	resize(912 * PAGE);
	all_look("grown to the end of a table");
	resize(912 * PAGE - 1);
	all_look("a byte less");
	resize(3);
	all_look("three bytes left");
	resize(PAGES * PAGE);
	all_look("grown to all");
	for (size_t i = 0; i < PAGES; i += 3)
		file_write(i, i << 20 | 2);
	all_look("written again");
	resize(0);
	all_look("nothing left");
	family_end();
}

/* Gone and back before anybody looks: what was there must not come back. */
static void shrinks_and_grows(void)
{
	world_make();
	family_make();
	all_look("at first");
	resize(400 * PAGE + 8);
	resize(PAGES * PAGE);
	all_look("shrunk and grown");
	resize(0);
	resize(PAGES * PAGE);
	all_look("emptied and grown");
	family_end();
}

/* It has used what it takes away, so that it must not find it in its TLB. */
static void child_shrinks(void *context)
{
	look();
	resize(*(size_t *)context);
	look();
}

static void shrunk_by_children(void)
{
	static size_t sizes[] = {1000 * PAGE, 600 * PAGE - 50, PAGES * PAGE, 100 * PAGE};

	world_make();
	family_make();
	all_look("at first");
	for (size_t i = 0; i < COUNT(sizes); i++) {
		reap(start(child_shrinks, &sizes[i]));
		all_look("by a child that has ended");
	}
	family_end();
}

static void opened_to_truncate(void)
{
	char path[32];

	world_make();
	family_make();
	all_look("at first");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	long fd = CALL(SYS_OPEN, path, O_RDWR_TRUNC_OF_LINUX);
	CHECK(fd >= 0, "open: %ld", fd);
	CALL(SYS_CLOSE, fd);
	resized(0);
	all_look("opened with O_TRUNC");
	family_end();
}

/* Two windows on the file at offsets of their own, one of them beyond the end. */
static void windows(void)
{
	int fd = file_make(100, 'w');
	char *low = (char *)page_at(5, 0), *high = (char *)page_at(6, 0);

	REQUIRE(mmap(low, 20 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		     50 * PAGE) == low,
		"mmap");
	REQUIRE(mmap(high, 20 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
		     90 * PAGE) == high,
		"mmap");
	memset(low, 'l', 20 * PAGE);
	memset(high, 'h', 10 * PAGE);
	check_access(high + 10 * PAGE, SIGBUS, "beyond the end from the start");
	CHECK_EQUAL(ftruncate(fd, 60 * PAGE), 0, "ftruncate");
	check_access(low + 9 * PAGE, 0, "the last page");
	check_access(low + 10 * PAGE, SIGBUS, "beyond the end");
	check_access(high, SIGBUS, "far beyond the end");
	CHECK_EQUAL(ftruncate(fd, 110 * PAGE), 0, "ftruncate");
	CHECK(low[9 * PAGE] == 'l' && low[10 * PAGE] == 0 && high[0] == 0 && high[19 * PAGE] == 0,
	      "after growth: %d %d %d %d", low[9 * PAGE], low[10 * PAGE], high[0], high[19 * PAGE]);
	close(fd);
}

/* ---- Tables ---- */

static bool has_table(pid_t pid, unsigned slot, size_t page, unsigned level)
{
	struct node node;

	return node_find(pid, (uintptr_t)page_at(slot, page), level, &node);
}

static void check_tables(pid_t pid)
{
	for (unsigned slot = SHARED; slot <= PRIVATE; slot++) {
		CHECK(has_table(pid, slot, 10, 1), "%d: the table below the end", (int)pid);
		CHECK(!has_table(pid, slot, 450, 1), "%d: an empty table", (int)pid);
		CHECK(!has_table(pid, slot, 450, 2), "%d: an empty directory", (int)pid);
		CHECK(!has_table(pid, slot, 1000, 1), "%d: an empty table", (int)pid);
	}
}

static void sleeper(struct peer *parent, void *context)
{
	(void)context;
	turn(parent);
}

static void empty_tables(void)
{
	struct vmstat before, after;
	struct peer children[2];

	file = file_make(PAGES, 'f');
	map_over((char *)page_at(SHARED, 0), PAGES, MAP_SHARED, file);
	map_over((char *)page_at(PRIVATE, 0), PAGES, MAP_PRIVATE, file);
	vmstat_read(&before);
	stamp_all((char *)page_at(SHARED, 0), PAGES, PAGE, 1);
	stamp_all((char *)page_at(PRIVATE, 0), PAGES / 2, 2 * PAGE, 1);
	for (size_t i = 0; i < COUNT(children); i++) {
		children[i] = peer_start(sleeper, NULL);
		turn(&children[i]);
	}
	uint64_t copied = (vmstat_read(&after), after.pgtable_copy);
	CHECK_EQUAL(ftruncate(file, 100 * PAGE), 0, "ftruncate");
	vmstat_read(&after);
	CHECK_EQUAL(after.pgtable_copy, copied, "tables copied by a truncation");
	check_tables(0);
	for (size_t i = 0; i < COUNT(children); i++)
		check_tables(children[i].pid);
	CHECK_EQUAL(ftruncate(file, 0), 0, "ftruncate");
	for (unsigned level = 1; level <= 3; level++)
		CHECK(!has_table(children[0].pid, SHARED, 0, level), "a table of level %u", level);
	for (size_t i = 0; i < COUNT(children); i++)
		peer_finish(&children[i]);
	vmstat_read(&after);
	CHECK_EQUAL(after.page_tables, before.page_tables, "tables when all is truncated");
	close(file);
}

/* ---- Holes ---- */

static void hole(size_t from, size_t to)
{
	size_t first = pages_of(from), last = to / PAGE;

	for (size_t i = first; i < last; i++)
		world->first[i] = world->last[i] = 0;
	if (from % PAGE && from / PAGE < last)
		world->last[from / PAGE] = 0;
	if (to % PAGE && last >= first)
		world->first[last] = 0;
}

static void punch(size_t from, size_t bytes)
{
	CHECK_EQUAL(CALL(SYS_FALLOCATE, file, KEEP_SIZE | PUNCH_HOLE, from, bytes), 0, "fallocate");
	hole(from, from + bytes);
}

static void punched(void)
{
	world_make();
	family_make();
	all_look("at first");
	punch(3 * PAGE, PAGE);
	all_look("a page");
	punch(20 * PAGE + 100, 50);
	all_look("within a page");
	punch(30 * PAGE + 100, 2 * PAGE);
	all_look("with ends within pages");
	punch(300 * PAGE, 700 * PAGE);
	all_look("whole tables");
	for (size_t i = 250; i < 600; i++)
		file_write(i, i << 20 | 3);
	all_look("filled again");
	punch(0, PAGES * PAGE);
	all_look("all of it");
	resize(2 * PAGE);
	all_look("and truncated");
	family_end();
}

static void removed(void)
{
	world_make();
	family_make();
	all_look("at first");
	CHECK_EQUAL(madvise(page_at(SHARED, 350), 600 * PAGE, MADV_REMOVE), 0, "madvise");
	hole(350 * PAGE, 950 * PAGE);
	all_look("removed");
	CHECK_EQUAL(madvise(page_at(PRIVATE, 350), 20 * PAGE, MADV_REMOVE), -1, "of a private one");
	all_look("refused");
	family_end();
}

/* A private copy that is given up shows the hole that it hid. */
static void copy_over_hole(void)
{
	char *at = (char *)page_at(5, 0);
	int fd = file_make(4, 'f');

	map_over(at, 4, MAP_PRIVATE, fd);
	memset(at, 'p', 2 * PAGE);
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, KEEP_SIZE | PUNCH_HOLE, 0, 4 * PAGE), 0, "fallocate");
	CHECK(at[0] == 'p' && at[PAGE] == 'p' && at[2 * PAGE] == 0, "%d %d %d", at[0], at[PAGE],
	      at[2 * PAGE]);
	CHECK_EQUAL(madvise(at, PAGE, MADV_DONTNEED), 0, "madvise");
	CHECK(at[0] == 0 && at[PAGE] == 'p', "after MADV_DONTNEED: %d %d", at[0], at[PAGE]);
	close(fd);
}

static off_t size_of(int fd)
{
	return lseek(fd, 0, SEEK_END);
}

static void allocated(void)
{
	char *at = (char *)page_at(5, 0);
	int fd = file_make(2, 'f');

	map_over(at, 8, MAP_SHARED, fd);
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, KEEP_SIZE, 0, 8 * PAGE), 0, "with KEEP_SIZE");
	CHECK_EQUAL(size_of(fd), 2 * PAGE, "size");
	check_access(at + 2 * PAGE, SIGBUS, "allocated beyond the end");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, 0, PAGE, 4 * PAGE + 1), 0, "mode 0");
	CHECK_EQUAL(size_of(fd), 5 * PAGE + 1, "size");
	CHECK(at[0] == 'f' && at[2 * PAGE - 1] == 'f' && at[2 * PAGE] == 0 && at[5 * PAGE] == 0,
	      "contents");
	check_access(at + 5 * PAGE, 0, "the last page");
	check_access(at + 6 * PAGE, SIGBUS, "beyond the end");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, 0, 0, PAGE), 0, "mode 0, within the file");
	CHECK_EQUAL(size_of(fd), 5 * PAGE + 1, "size");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, KEEP_SIZE | PUNCH_HOLE, 100 * PAGE, PAGE), 0,
		    "a hole beyond the end");
	CHECK_EQUAL(size_of(fd), 5 * PAGE + 1, "size");
	close(fd);
}

/* ---- Errors ---- */

static void fallocate_errors(void)
{
	char path[32];
	int fd = file_make(2, 'f'), ends[2], null = open("/dev/null", O_RDWR);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	long reader = CALL(SYS_OPEN, path, 0), root = CALL(SYS_OPEN, "/", 0);
	REQUIRE(pipe(ends) == 0 && reader >= 0 && root >= 0 && null >= 0, "files");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, 999, 0, 0, PAGE), -L_EBADF, "no descriptor");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, reader, 0, 0, PAGE), -L_EBADF, "read only");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, root, 0, 0, PAGE), -L_EBADF, "a directory");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, ends[1], 0, 0, PAGE), -L_ESPIPE, "a pipe");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, null, 0, 0, PAGE), -L_ENODEV, "a device");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, 0, -1, PAGE), -L_EINVAL, "offset -1");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, 0, 0, 0), -L_EINVAL, "length 0");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, 0, 0, -PAGE), -L_EINVAL, "a negative length");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, 0, INT64_MAX - 5, PAGE), -L_EFBIG, "past all sizes");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, PUNCH_HOLE, 0, PAGE), -L_EOPNOTSUPP,
		    "a hole without KEEP_SIZE");
	CHECK_EQUAL(CALL(SYS_FALLOCATE, fd, 0x4000, 0, PAGE), -L_EOPNOTSUPP, "an unknown mode");
	CHECK_EQUAL(size_of(fd), 2 * PAGE, "size after the errors");
	CALL(SYS_CLOSE, reader);
	CALL(SYS_CLOSE, root);
}

enum { SYS_MADVISE = 28 };

static void remove_errors(void)
{
	char *at = (char *)page_at(5, 0);
	int fd = file_make(4, 'f');
	char path[32];

	map_at((uintptr_t)at, 4 * PAGE);
	CHECK_EQUAL(CALL(SYS_MADVISE, at, PAGE, MADV_REMOVE), -L_EINVAL, "anonymous memory");
	map_over(at, 4, MAP_PRIVATE, fd);
	CHECK_EQUAL(CALL(SYS_MADVISE, at, PAGE, MADV_REMOVE), -L_EACCES, "a private mapping");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	long reader = CALL(SYS_OPEN, path, 0);
	CHECK(mmap(at, 4 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, (int)reader, 0) == at, "mmap");
	CHECK_EQUAL(CALL(SYS_MADVISE, at, PAGE, MADV_REMOVE), -L_EACCES, "a read-only mapping");
	CHECK(at[0] == 'f' && at[4 * PAGE - 1] == 'f', "contents");
	map_over(at, 4, MAP_SHARED | MAP_ANONYMOUS, -1);
	memset(at, 's', 4 * PAGE);
	CHECK_EQUAL(CALL(SYS_MADVISE, at + PAGE, PAGE, MADV_REMOVE), 0, "shared memory");
	CHECK(at[0] == 's' && at[PAGE] == 0 && at[2 * PAGE] == 's', "shared memory");
	close(fd);
}

static void remove_over_gap(void)
{
	char *at = (char *)page_at(5, 0);
	int fd = file_make(4, 'f');

	map_over(at, 4, MAP_SHARED, fd);
	munmap(at + 2 * PAGE, PAGE);
	CHECK_EQUAL(CALL(SYS_MADVISE, at, 4 * PAGE, MADV_REMOVE), -L_ENOMEM, "with a gap");
	CHECK(at[0] == 0 && at[3 * PAGE] == 0, "on both sides of the gap: %d %d", at[0],
	      at[3 * PAGE]);
	close(fd);
}

static void truncate_errors(void)
{
	int fd = file_make(1, 'f'), ends[2];
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	long reader = CALL(SYS_OPEN, path, 0);
	REQUIRE(pipe(ends) == 0, "pipe");
	CHECK_EQUAL(CALL(77, fd, -1), -L_EINVAL, "a negative size");
	CHECK_EQUAL(CALL(77, reader, 0), -L_EINVAL, "read only");
	CHECK_EQUAL(CALL(77, ends[1], 0), -L_EINVAL, "a pipe");
	CHECK_EQUAL(CALL(77, 999, 0), -L_EBADF, "no descriptor");
	CHECK_EQUAL(CALL(76, path, -1), -L_EINVAL, "truncate to a negative size");
	CHECK_EQUAL(CALL(76, "/nowhere/at/all", 0), -L_ENOENT, "truncate of nothing");
	CHECK_EQUAL(CALL(76, "/", 0), -L_EISDIR, "truncate of a directory");
	CHECK_EQUAL(CALL(76, path, 5), 0, "truncate");
	CHECK_EQUAL(size_of(fd), 5, "size");
	CALL(SYS_CLOSE, reader);
	close(fd);
}

static const struct test tests[] = {
	{.name = "ftruncate under a family", .run = shrinks},
	{.name = "ftruncate and back", .run = shrinks_and_grows},
	{.name = "ftruncate by children", .run = shrunk_by_children},
	{.name = "open with O_TRUNC", .run = opened_to_truncate},
	{.name = "windows on a file", .run = windows},
	{.name = "empty tables", .run = empty_tables, .coppice_only = true},
	{.name = "holes under a family", .run = punched},
	{.name = "MADV_REMOVE under a family", .run = removed},
	{.name = "private copies over a hole", .run = copy_over_hole},
	{.name = "fallocate: sizes", .run = allocated},
	{.name = "fallocate: errors", .run = fallocate_errors, .once = true},
	{.name = "MADV_REMOVE: errors", .run = remove_errors},
	{.name = "ftruncate: errors", .run = truncate_errors, .once = true},
	{.name = "MADV_REMOVE over a gap", .run = remove_over_gap},
};

int main(int argc, char **argv)
{
	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
