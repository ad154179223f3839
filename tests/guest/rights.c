/*
 * Rights: who may read, write and run a page when sharers of its table differ, when pages come in
 * later, from a file or from a shared object, and when it is the kernel that writes.
 *
 * Catches: a page filled into a table whose sharers disagree on it; NX or W lost or won through a
 * shared entry; a MAP_SHARED page copied, or a private one not; the page cache written through a
 * private mapping; a system call that writes to a shared page without copying it.
 */
#include "lib.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARENT = 1, CHILD, OTHER };
#define RW (PROT_READ | PROT_WRITE)

static void protect(char *p, size_t bytes, int prot)
{
	CHECK_EQUAL(mprotect(p, bytes, prot), 0, "mprotect");
}

/* ---- Running ---- */

static void running_child(struct peer *parent, void *context)
{
	char *code = context;

	check_use(code, USE_RUN, false, "a page without the right to run, in the child");
	turn(parent);
	check_use(code, USE_RUN, false, "a page that only the parent may run");
	protect(code, PAGE, PROT_READ | PROT_EXEC);
	check_use(code, USE_RUN, true, "a page that both may run");
	check_use(code, USE_WRITE, false, "a page that both may run");
	turn(parent);
	check_use(code, USE_RUN, true, "a page that only the child may run");
	protect(code, PAGE, RW);
	check_use(code, USE_RUN, false, "a page that may no longer run");
}

static void no_execute(void)
{
	char *code = map_at(slot_base(0), 3 * PAGE);
	char on_stack[16];

	memset(code, 0xc3, 3 * PAGE); /* ret */
	memset(on_stack, 0xc3, sizeof(on_stack));
	check_use(on_stack, USE_RUN, false, "the stack");
	struct peer child = peer_start(running_child, code);

	protect(code, PAGE, PROT_READ | PROT_EXEC);
	check_use(code, USE_RUN, true, "code");
	check_use(code + PAGE, USE_RUN, false, "the page after the code");
	turn(&child);
	turn(&child);
	protect(code, PAGE, RW);
	check_use(code, USE_RUN, false, "code no longer");
	peer_finish(&child);
	check_use(code, USE_RUN, false, "code no longer");
}

/* ---- Pages that come in while the sharers disagree ---- */

#define AREA        64
#define APART       20 /* pages whose regions differ */
#define APART_PAGES 10

static char *area_make(unsigned slot)
{
	char *area = map_at(slot_base(slot), AREA * PAGE);

	stamp(area, PARENT);
	stamp(area + (AREA - 1) * PAGE, PARENT);
	return area;
}

static void none_child(struct peer *parent, void *context)
{
	char *apart = (char *)context + APART * PAGE;

	protect(apart, APART_PAGES * PAGE, PROT_NONE);
	turn(parent);
	check_use(apart, USE_READ, false, "PROT_NONE, filled by the parent");
	check_use(apart + PAGE, USE_READ, false, "PROT_NONE, written by the parent");
	CHECK(!kernel_reads(apart), "the kernel reads a PROT_NONE page");
	protect(apart, APART_PAGES * PAGE, PROT_READ);
	check_stamps(apart, APART_PAGES, PAGE, 0, "PROT_NONE no longer");
	check_use(apart + PAGE, USE_WRITE, false, "read-only");
}

static void filled_by_other(void)
{
	for (int reads_first = 0; reads_first < 2; reads_first++) {
		char *area = area_make(1);
		char *apart = area + APART * PAGE;

		if (reads_first)
			check_stamps(apart, APART_PAGES, PAGE, 0, "untouched");
		struct peer child = peer_start(none_child, area);

		turn(&child);
		check_stamps(apart, 1, PAGE, 0, "untouched by the child");
		stamp_all(apart + PAGE, APART_PAGES - 1, PAGE, OTHER);
		check_audit("filled by the parent");
		peer_finish(&child);
		check_stamps(apart + PAGE, APART_PAGES - 1, PAGE, OTHER, "the parent's");
		CHECK_EQUAL(munmap(area, AREA * PAGE), 0, "munmap");
	}
}

static const char *const name = "/tmp/rights.file";

/* A file of this many pages, the n-th full of the letter n. */
static int file_make(size_t pages)
{
	char page[PAGE];
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	REQUIRE(fd >= 0, "open %s", name);
	for (size_t i = 0; i < pages; i++) {
		memset(page, 'A' + (int)i, PAGE);
		REQUIRE(write(fd, page, PAGE) == (ssize_t)PAGE, "write");
	}
	return fd;
}

static char *map_file(uintptr_t at, size_t pages, int prot, int flags, int fd)
{
	char *got = mmap((void *)at, pages * PAGE, prot, flags | MAP_FIXED, fd, 0);

	REQUIRE(got == (char *)at, "mmap of a file gave %p", (void *)got);
	return got;
}

static void check_letters(const char *page, size_t pages, const char *what)
{
	for (size_t i = 0; i < pages; i++)
		CHECK(page[i * PAGE] == 'A' + (char)i && page[(i + 1) * PAGE - 1] == 'A' + (char)i,
		      "%s: page %zu holds '%c'", what, i, page[i * PAGE]);
}

struct file_scene {
	char *apart;
	int fd;
};

static void file_child(struct peer *parent, void *context)
{
	const struct file_scene *scene = context;

	map_file((uintptr_t)scene->apart, APART_PAGES, RW, MAP_PRIVATE, scene->fd);
	check_letters(scene->apart, APART_PAGES / 2, "the child's file");
	turn(parent);
	check_letters(scene->apart, APART_PAGES, "the child's file");
	stamp(scene->apart, CHILD);
	turn(parent);
	check_stamps(scene->apart, 1, PAGE, CHILD, "the child's own page");
}

/* One has a file where the other has zeroes, in what was one table. */
static void file_beside_zeroes(void)
{
	char *area = area_make(2);
	struct file_scene scene = {area + APART * PAGE, file_make(APART_PAGES)};
	struct peer child = peer_start(file_child, &scene);

	turn(&child);
	check_stamps(scene.apart, APART_PAGES, PAGE, 0, "the parent's zeroes");
	turn(&child);
	check_stamps(scene.apart, APART_PAGES, PAGE, 0, "the parent's zeroes");
	check_audit("a file in one, zeroes in the other");
	peer_finish(&child);
	close(scene.fd);
	unlink(name);
}

/* ---- Files, privately ---- */

static void writing_child(struct peer *parent, void *context)
{
	char *map = context;

	stamp(map, CHILD);
	turn(parent);
	check_stamps(map, 1, PAGE, CHILD, "the child's page");
	CHECK_EQUAL(map[PAGE], 'B', "the child's next page");
}

static void private_file(void)
{
	int fd = file_make(8);
	char *map = map_file(slot_base(3), 8, RW, MAP_PRIVATE, fd);
	char letter = 0;

	check_letters(map, 4, "before fork");
	struct peer child = peer_start(writing_child, map);

	turn(&child);
	check_letters(map, 8, "after the child's write");
	stamp(map + 2 * PAGE, PARENT);
	CHECK(pread(fd, &letter, 1, 0) == 1 && letter == 'A', "the file: '%c'", letter);
	CHECK(pread(fd, &letter, 1, 2 * PAGE) == 1 && letter == 'C', "the file: '%c'", letter);
	check_audit("private pages of a file");
	peer_finish(&child);
	/* A page that nobody has written still shows what is written to the file. */
	CHECK(pwrite(fd, "x", 1, 7 * PAGE) == 1, "pwrite");
	CHECK_EQUAL(map[7 * PAGE], 'x', "a page not yet private");
	CHECK(pwrite(fd, "x", 1, 2 * PAGE) == 1, "pwrite");
	check_stamps(map + 2 * PAGE, 1, PAGE, PARENT, "a private page");
	close(fd);
	unlink(name);
	CHECK_EQUAL(map[PAGE], 'B', "a page of an unlinked file");
}

/* Read-only, filled with zero or file pages, then writable: the write must not reach what is
 * shared. */
static void later_writable(void)
{
	int fd = file_make(4);
	char *map = map_file(slot_base(4), 4, PROT_READ, MAP_PRIVATE, fd);
	char *zeroes = map_at(slot_base(4) + 8 * PAGE, 4 * PAGE);
	char letter = 0;

	check_letters(map, 4, "read-only");
	check_stamps(zeroes, 4, PAGE, 0, "zeroes");
	struct peer child = peer_start(writing_child, map);

	check_use(map, USE_WRITE, false, "read-only");
	protect(map, 4 * PAGE, RW);
	stamp_all(map, 4, PAGE, OTHER);
	protect(zeroes, 4 * PAGE, PROT_READ);
	check_use(zeroes, USE_WRITE, false, "zeroes, read-only");
	protect(zeroes, 4 * PAGE, RW);
	stamp(zeroes, OTHER);
	check_stamps(zeroes + PAGE, 3, PAGE, 0, "the other zeroes");
	CHECK(pread(fd, &letter, 1, 0) == 1 && letter == 'A', "the file: '%c'", letter);
	peer_dies(&child, SIGSEGV);
	check_stamps(map, 4, PAGE, OTHER, "the parent's");
	close(fd);
	unlink(name);
}

/* ---- MAP_SHARED between private neighbours ---- */

#define THIRD 16ul

static char *thirds_make(unsigned slot)
{
	char *base = map_at(slot_base(slot), 3 * THIRD * PAGE);

	map_file((uintptr_t)base + THIRD * PAGE, THIRD, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	stamp_all(base, 3 * THIRD / 2, 2 * PAGE, PARENT);
	return base;
}

static void expect_thirds(char *base, unsigned private, unsigned shared, const char *what)
{
	check_stamps(base, THIRD / 2, 2 * PAGE, private, what);
	check_stamps(base + THIRD * PAGE, THIRD / 2, 2 * PAGE, shared, what);
	check_stamps(base + 2 * THIRD * PAGE, THIRD / 2, 2 * PAGE, private, what);
}

static void write_thirds(char *base, unsigned writer)
{
	stamp_all(base, 3 * THIRD / 2, 2 * PAGE, writer);
}

static void sharing_grandchild(struct peer *parent, void *context)
{
	char *base = context;

	expect_thirds(base, CHILD, CHILD, "grandchild");
	stamp(base + (THIRD + 1) * PAGE, OTHER); /* a page that nobody has touched */
	write_thirds(base, OTHER);
	turn(parent);
	expect_thirds(base, OTHER, PARENT, "grandchild at last");
}

static void sharing_child(struct peer *parent, void *context)
{
	char *base = context;

	expect_thirds(base, PARENT, PARENT, "child");
	write_thirds(base, CHILD);
	struct peer grandchild = peer_start(sharing_grandchild, base);

	turn(&grandchild);
	expect_thirds(base, CHILD, OTHER, "child after the grandchild's write");
	check_stamps(base + (THIRD + 1) * PAGE, 1, PAGE, OTHER, "a page new in the grandchild");
	turn(parent);
	expect_thirds(base, CHILD, PARENT, "child after the parent's write");
	peer_finish(&grandchild);
}

static void shared_and_private(void)
{
	char *base = thirds_make(5);
	struct peer child = peer_start(sharing_child, base);

	turn(&child);
	expect_thirds(base, PARENT, OTHER, "parent");
	check_stamps(base + (THIRD + 1) * PAGE, 1, PAGE, OTHER, "a page new in the grandchild");
	check_audit("three generations share");
	stamp_all(base + THIRD * PAGE, THIRD / 2, 2 * PAGE, PARENT);
	peer_finish(&child);
	expect_thirds(base, PARENT, PARENT, "parent at last");
}

static void leaving_child(struct peer *parent, void *context)
{
	char *shared = (char *)context + THIRD * PAGE;

	protect(shared, 4 * PAGE, PROT_READ);
	check_use(shared, USE_WRITE, false, "the child's shared page, read-only");
	CHECK_EQUAL(munmap(shared + 4 * PAGE, 4 * PAGE), 0, "munmap");
	turn(parent);
	check_stamps(shared, 1, PAGE, OTHER, "a page read-only here, written by the parent");
	check_use(shared + 4 * PAGE, USE_READ, false, "a page unmapped here");
	protect(shared, 4 * PAGE, RW);
	stamp(shared, CHILD);
	turn(parent);
	check_stamps(shared + 2 * PAGE, 1, PAGE, OTHER, "the parent has unmapped it");
}

/* Read-only or gone in one, and still there in the other. */
static void shared_rights(void)
{
	char *base = thirds_make(6);
	char *shared = base + THIRD * PAGE;
	struct peer child = peer_start(leaving_child, base);

	turn(&child);
	stamp_all(shared, THIRD, PAGE, OTHER);
	turn(&child);
	check_stamps(shared, 1, PAGE, CHILD, "the child's write");
	check_stamps(shared + PAGE, THIRD - 1, PAGE, OTHER, "the parent's writes");
	CHECK_EQUAL(munmap(shared, THIRD * PAGE), 0, "munmap");
	check_audit("the parent has left the shared region");
	peer_finish(&child);
	check_use(shared, USE_READ, false, "unmapped");
}

/* ---- The kernel writes ---- */

static void reading_child(struct peer *parent, void *context)
{
	char *into = (char *)context + PAGE / 2;
	int fd = open(name, O_RDONLY);

	CHECK_EQUAL(read(fd, into, 6 * PAGE), 6 * PAGE, "read");
	CHECK(into[0] == 'A' && into[6 * PAGE - 1] == 'F', "what was read");
	turn(parent);
	CHECK(into[0] == 'A' && into[6 * PAGE - 1] == 'F', "what was read, later");
	close(fd);
}

/* read(2) into pages that are shared, untouched, and at either end partly covered. */
static void kernel_copies(void)
{
	int fd = file_make(8);
	char *base = map_at(slot_base(7) + GIGABYTE - 4 * PAGE, 8 * PAGE);

	stamp_all(base, 3, PAGE, PARENT);
	stamp_all(base + 5 * PAGE, 3, PAGE, PARENT);
	struct peer child = peer_start(reading_child, base);

	turn(&child);
	check_stamps(base, 3, PAGE, PARENT, "the parent's pages");
	check_stamps(base + 3 * PAGE, 2, PAGE, 0, "the parent's zeroes");
	check_stamps(base + 5 * PAGE, 3, PAGE, PARENT, "the parent's pages");
	check_audit("a system call wrote to shared pages");
	stamp_all(base, 8, PAGE, OTHER);
	peer_finish(&child);
	/* A read-only page refuses the kernel as well. */
	protect(base + 4 * PAGE, PAGE, PROT_READ);
	CHECK_EQUAL(lseek(fd, 0, SEEK_SET), 0, "lseek");
	CHECK_EQUAL(CALL(0, fd, base + 4 * PAGE, 100), -L_EFAULT, "read into a read-only page");
	check_stamps(base, 8, PAGE, OTHER, "after the refusal");
	close(fd);
	unlink(name);
}

static const struct test tests[] = {
	{.name = "NX", .run = no_execute},
	{.name = "filled by one, PROT_NONE in the other", .run = filled_by_other},
	{.name = "a file in one, zeroes in the other", .run = file_beside_zeroes},
	{.name = "a private file mapping", .run = private_file},
	{.name = "read-only, later writable", .run = later_writable},
	{.name = "MAP_SHARED between private neighbours", .run = shared_and_private},
	{.name = "MAP_SHARED, read-only or gone in one", .run = shared_rights},
	{.name = "system calls write to shared pages", .run = kernel_copies},
};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
