/*
 * Where mmap(2) puts what it maps, and regions that grow down: hints, MAP_FIXED_NOREPLACE, the guard
 * gap of a stack, PROT_GROWSDOWN; MAP_POPULATE, MAP_SHARED_VALIDATE and /dev/zero.
 *
 * Catches: something replaced that was not to be; a hint ignored where there is room; a stack that
 * grows up to its neighbour; memory put where a stack is to grow.
 */
#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SYS_MMAP = 9, SYS_MPROTECT = 10 };
enum { READ_WRITE = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };
enum { SHARED_VALIDATE = 3, NOREPLACE = 0x100000, SYNC = 0x80000 };
enum { PARENT = 1, CHILD };
#define GAP 256ul /* pages that a stack keeps from what is below it */

static char *base(void)
{
	return (char *)slot_base(1);
}

static long map(char *at, size_t pages, int prot, int flags, int fd)
{
	return CALL(SYS_MMAP, at, pages * PAGE, prot, flags, fd, 0);
}

/* ---- Places ---- */

static void not_replaced(void)
{
	char *at = map_at((uintptr_t)base() + 10 * PAGE, 10 * PAGE);
	const int flags = ANONYMOUS | NOREPLACE;

	stamp_all(at, 10, PAGE, PARENT);
	CHECK_EQUAL(map(at, 10, READ_WRITE, flags, -1), -L_EEXIST, "the same place");
	CHECK_EQUAL(map(at - PAGE, 2, READ_WRITE, flags, -1), -L_EEXIST, "its start");
	CHECK_EQUAL(map(at + 9 * PAGE, 5, READ_WRITE, flags, -1), -L_EEXIST, "its end");
	CHECK_EQUAL(map(at + 5 * PAGE, 1, READ_WRITE, flags, -1), -L_EEXIST, "its middle");
	CHECK_EQUAL(map(at - 5 * PAGE, 30, READ_WRITE, flags, -1), -L_EEXIST, "around it");
	CHECK_EQUAL(map(at + PAGE / 2, 1, READ_WRITE, flags, -1), -L_EINVAL, "between pages");
	CHECK_LAYOUT(base(), 30, NULL, "10, 10 rw-p, 10");
	CHECK_EQUAL(map(at - 5 * PAGE, 5, READ_WRITE, flags, -1), (long)at - 5l * (long)PAGE,
		    "below");
	CHECK_EQUAL(map(at + 10 * PAGE, 5, READ_WRITE, flags, -1), (long)at + 10l * (long)PAGE,
		    "above");
	check_stamps(at, 10, PAGE, PARENT, "contents");
}

static void hints(void)
{
	char *at = map_at((uintptr_t)base(), 10 * PAGE), *free = base() + 20 * PAGE;

	CHECK_EQUAL(map(free, 5, READ_WRITE, ANONYMOUS, -1), (long)free, "a free place");
	CHECK_EQUAL(munmap(free, 5 * PAGE), 0, "munmap");
	CHECK_EQUAL(map(free + 100, 5, READ_WRITE, ANONYMOUS, -1), (long)free,
		    "a hint within a page");
	long other = map(at + 5 * PAGE, 5, READ_WRITE, ANONYMOUS, -1);
	CHECK(other > 0 && (other < (long)at || other >= (long)at + 10l * (long)PAGE),
	      "a hint that is taken: %lx", (unsigned long)other);
	other = map(at - 5 * PAGE, 6, READ_WRITE, ANONYMOUS, -1);
	CHECK(other > 0 && other != (long)at - 5l * (long)PAGE, "a hint without room: %lx",
	      (unsigned long)other);
	other = map((char *)(1ul << 47), 1, READ_WRITE, ANONYMOUS, -1);
	CHECK(other > 0 && (unsigned long)other < 1ul << 47, "a hint past user space: %lx",
	      (unsigned long)other);
	CHECK_LAYOUT(at, 10, NULL, "10 rw-p");
}

static void errors(void)
{
	char *at = base();
	int fd = file_make(1, 'f');

	CHECK_EQUAL(map(at, 0, READ_WRITE, ANONYMOUS, -1), -L_EINVAL, "a length of 0");
	CHECK_EQUAL(map(at, 1, READ_WRITE, MAP_ANONYMOUS, -1), -L_EINVAL, "neither type");
	CHECK_EQUAL(map(at + 1, 1, READ_WRITE, ANONYMOUS | MAP_FIXED, -1), -L_EINVAL,
		    "MAP_FIXED between pages");
	CHECK_EQUAL(map((char *)(1ul << 47), 1, READ_WRITE, ANONYMOUS | MAP_FIXED, -1), -L_ENOMEM,
		    "MAP_FIXED past user space");
	CHECK_EQUAL(CALL(SYS_MMAP, at, -PAGE, READ_WRITE, ANONYMOUS, -1, 0), -L_ENOMEM, "too long");
	CHECK_EQUAL(map(at, 1, READ_WRITE, MAP_PRIVATE, 999), -L_EBADF, "no descriptor");
	CHECK_EQUAL(CALL(SYS_MMAP, at, PAGE, PROT_READ, MAP_PRIVATE, fd, 1), -L_EINVAL,
		    "an offset between pages");
	CHECK_EQUAL(map(at, 1, READ_WRITE, SHARED_VALIDATE | MAP_ANONYMOUS, -1), -L_EINVAL,
		    "MAP_SHARED_VALIDATE of no file");
	CHECK_EQUAL(map(at, 1, READ_WRITE, SHARED_VALIDATE | SYNC, fd), -L_EOPNOTSUPP,
		    "MAP_SYNC of memory");
	CHECK_EQUAL(map(at, 1, READ_WRITE, SHARED_VALIDATE | (1 << 24), fd), -L_EOPNOTSUPP,
		    "an unknown flag");
	CHECK_EQUAL(map(at, 1, READ_WRITE, SHARED_VALIDATE | MAP_FIXED, fd), (long)at,
		    "MAP_SHARED_VALIDATE");
	CHECK_LAYOUT(at, 2, NULL, "1 rw-s, 1");
	CHECK_EQUAL(map(at, 1, READ_WRITE, MAP_SHARED | MAP_FIXED | (1 << 24), fd), (long)at,
		    "an unknown flag with MAP_SHARED");
	close(fd);
}

static void populated(void)
{
	const int flags = MAP_FIXED | MAP_POPULATE;
	int fd = file_make(8, 'f');
	char *at = base();

	CHECK_EQUAL(map(at, 600, READ_WRITE, ANONYMOUS | flags, -1), (long)at, "mmap");
	CHECK_EQUAL(smaps_number(0, at, "Rss"), 2400, "private memory");
	CHECK_EQUAL(map(at, 600, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS | flags, -1), (long)at,
		    "mmap");
	CHECK_EQUAL(smaps_number(0, at, "Rss"), 2400, "shared memory");
	CHECK_EQUAL(map(at, 8, READ_WRITE, MAP_PRIVATE | flags, fd), (long)at, "mmap");
	CHECK_EQUAL(smaps_number(0, at, "Anonymous"), 32, "private copies of a file");
	CHECK_EQUAL(map(at, 16, PROT_READ, MAP_SHARED | flags, fd), (long)at,
		    "beyond the end of a file");
	CHECK_EQUAL(smaps_number(0, at, "Rss"), 32, "a file");
	CHECK_EQUAL(map(at, 8, PROT_NONE, ANONYMOUS | flags, -1), (long)at, "PROT_NONE");
	CHECK_EQUAL(smaps_number(0, at, "Rss"), 0, "PROT_NONE");
	close(fd);
}

/* ---- Regions that grow down ---- */

/* The top page of a region that may grow down. */
static char *grower_make(char *at)
{
	CHECK_EQUAL(map(at, 1, READ_WRITE, ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1), (long)at,
		    "MAP_GROWSDOWN");
	CHECK(smaps_flag(0, at, "gd"), "gd in VmFlags");
	return at;
}

static int touch(char *at)
{
	return signal_of(at, USE_WRITE);
}

static void grows_down(void)
{
	char *at = grower_make(base() + 5000 * PAGE);

	CHECK_EQUAL(touch(at - PAGE), 0, "a page below");
	CHECK_EQUAL(touch(at - 600 * PAGE), 0, "far below");
	CHECK_LAYOUT(at - 600 * PAGE, 602, "gd", "601 rw-p gd, 1");
	CHECK(kernel_writes(at - 700 * PAGE), "by the kernel");
	CHECK_LAYOUT(at - 700 * PAGE, 702, "gd", "701 rw-p gd, 1");
	CHECK_EQUAL(touch(at + PAGE), SIGSEGV, "above");
}

static void check_gap(int prot, const char *what)
{
	char *below = base(), *at = grower_make(base() + 1000 * PAGE);

	CHECK_EQUAL(map(below, 1, prot, ANONYMOUS | MAP_FIXED, -1), (long)below, "mmap");
	size_t lowest = prot == PROT_NONE ? 1 : GAP + 1;
	CHECK_EQUAL(touch(below + lowest * PAGE), 0, what);
	CHECK_EQUAL(touch(below + (lowest - 1) * PAGE), SIGSEGV, what);
	CHECK_EQUAL(touch(below + lowest * PAGE - 1), SIGSEGV, what);
	CHECK_EQUAL(touch(at), 0, what);
	munmap(below, 2000 * PAGE);
}

static void guard_gap(void)
{
	check_gap(READ_WRITE, "a neighbour");
	check_gap(PROT_READ, "a neighbour to be read");
	check_gap(PROT_NONE, "a neighbour that is a guard itself");
}

/* Beside another that grows down there is no gap between the two. */
static void stacks_meet(void)
{
	char *low = grower_make(base()), *at = grower_make(base() + 600 * PAGE);

	CHECK_EQUAL(touch(low + 100 * PAGE), 0, "near another that grows down");
	CHECK_EQUAL(touch(low + PAGE), 0, "up to it");
	if (on_coppice) /* where neighbours that could be one are one at once */
		CHECK_LAYOUT(low, 601, NULL, "601 rw-p");
	else
		CHECK_LAYOUT(low, 601, NULL, "1 rw-p, 600 rw-p");
	CHECK_EQUAL(touch(at), 0, "the first");
}

/* What is put somewhere by the kernel leaves the gap free; what is put there by force does not. */
static void placed_near_stacks(void)
{
	char *at = grower_make(base() + 1000 * PAGE);
	long other = map(at - 100 * PAGE, 10, READ_WRITE, ANONYMOUS, -1);

	CHECK(other != (long)at - 100l * (long)PAGE, "a hint within the gap");
	other = map(at - (GAP + 10) * PAGE, 10, READ_WRITE, ANONYMOUS, -1);
	CHECK_EQUAL(other, (long)at - (long)((GAP + 10) * PAGE), "a hint just below the gap");
	CHECK_EQUAL(touch(at - PAGE), SIGSEGV, "no room to grow");
	CHECK_EQUAL(map(at - 5 * PAGE, 1, READ_WRITE, ANONYMOUS | MAP_FIXED, -1),
		    (long)at - 5l * (long)PAGE, "MAP_FIXED within the gap");
	CHECK_EQUAL(touch(at - PAGE), SIGSEGV, "no room to grow");
	CHECK_EQUAL(munmap(at - 300 * PAGE, 299 * PAGE), 0, "munmap");
	CHECK_EQUAL(touch(at - PAGE), 0, "room to grow again");
}

static uintptr_t stack_bottom(void)
{
	struct region region = {0};

	REQUIRE(region_find(0, &region, &region), "the stack");
	return region.start;
}

static void below_the_stack(void)
{
	char *at = (char *)stack_bottom() - 300 * PAGE;

	CHECK_EQUAL(map(at, 10, READ_WRITE, ANONYMOUS | MAP_FIXED, -1), (long)at, "mmap");
	CHECK_EQUAL(touch(at + (9 + GAP) * PAGE), SIGSEGV, "within the gap");
	CHECK_EQUAL(touch(at + (10 + GAP) * PAGE), 0, "just above it");
	CHECK_EQUAL(touch(at + (9 + GAP) * PAGE), SIGSEGV, "and no further");
	CHECK(!kernel_writes(at + (9 + GAP) * PAGE), "by the kernel");
	CHECK_EQUAL(munmap(at, 10 * PAGE), 0, "munmap");
	CHECK_EQUAL(touch(at), 0, "with nothing in the way");
}

static void growing_child(struct peer *parent, void *context)
{
	char *at = context;

	CHECK_EQUAL(touch(at - 300 * PAGE), 0, "in the child");
	stamp_all(at - 300 * PAGE, 300, PAGE, CHILD);
	turn(parent);
	check_stamps(at - 300 * PAGE, 300, PAGE, CHILD, "in the child");
	CHECK_LAYOUT(at - 500 * PAGE, 501, NULL, "200, 301 rw-p");
}

static void grows_after_fork(void)
{
	char *at = grower_make(base() + 5000 * PAGE);

	stamp(at, PARENT);
	struct peer child = peer_start(growing_child, at);
	turn(&child);
	CHECK_LAYOUT(at - 500 * PAGE, 501, NULL, "500, 1 rw-p");
	CHECK_EQUAL(touch(at - 500 * PAGE), 0, "in the parent");
	check_stamps(at - 500 * PAGE, 500, PAGE, 0, "in the parent");
	stamp_all(at - 500 * PAGE, 500, PAGE, PARENT);
	peer_finish(&child);
	check_stamps(at - 500 * PAGE, 500, PAGE, PARENT, "in the parent");
}

static void protects_down(void)
{
	char *at = grower_make(base() + 5000 * PAGE);
	const int down = PROT_READ | PROT_GROWSDOWN;

	CHECK_EQUAL(touch(at - 9 * PAGE), 0, "a page below");
	CHECK_EQUAL(CALL(SYS_MPROTECT, at - 4 * PAGE, PAGE, down), 0, "mprotect");
	CHECK_LAYOUT(at - 10 * PAGE, 12, NULL, "1, 6 r--p, 4 rw-p, 1");
	CHECK_EQUAL(CALL(SYS_MPROTECT, at, PAGE, down), 0, "of the last page");
	CHECK_LAYOUT(at - 10 * PAGE, 12, NULL, "1, 10 r--p, 1");
	map_at((uintptr_t)base(), 2 * PAGE);
	CHECK_EQUAL(CALL(SYS_MPROTECT, base(), PAGE, down), -L_EINVAL, "of what does not grow");
	CHECK_EQUAL(CALL(SYS_MPROTECT, base() + 100 * PAGE, PAGE, down), -L_ENOMEM, "of nothing");
	CHECK_LAYOUT(base(), 2, NULL, "2 rw-p");
}

/* ---- /dev/zero ---- */

static void writing_child(void *context)
{
	stamp_all(context, 4, PAGE, CHILD);
}

static void zeroes(void)
{
	int fd = open("/dev/zero", O_RDWR);
	char *shared = base(), *private = base() + GIGABYTE;

	REQUIRE(fd >= 0, "/dev/zero");
	map_over(shared, 8, MAP_SHARED, fd);
	map_over(private, 8, MAP_PRIVATE, fd);
	close(fd);
	check_stamps(shared, 8, PAGE, 0, "shared");
	check_stamps(private, 8, PAGE, 0, "private");
	reap(start(writing_child, shared));
	reap(start(writing_child, private));
	check_stamps(shared, 4, PAGE, CHILD, "shared, written by a child");
	check_stamps(private, 8, PAGE, 0, "private, written by a child");
	stamp_all(private, 8, PAGE, PARENT);
	check_stamps(private, 8, PAGE, PARENT, "private");
	CHECK_EQUAL(smaps_number(0, private, "Anonymous"), 32, "private pages");
	CHECK_EQUAL(smaps_number(0, shared, "Anonymous"), 0, "shared pages");
}

/* Two mappings of it are two memories. */
static void zeroes_apart(void)
{
	int fd = open("/dev/zero", O_RDWR);
	char *one = map_over(base(), 2, MAP_SHARED, fd);
	char *other = map_over(base() + 2 * PAGE, 2, MAP_SHARED, fd);
	struct region region;

	stamp_all(one, 2, PAGE, PARENT);
	check_stamps(other, 2, PAGE, 0, "the other");
	CHECK(region_find(0, other, &region) && region.start == (uintptr_t)other &&
		      strcmp(region.rights, "rw-s") == 0,
	      "the other's region");
	close(fd);
}

static const struct test tests[] = {
	{.name = "MAP_FIXED_NOREPLACE", .run = not_replaced},
	{.name = "hints", .run = hints},
	{.name = "errors", .run = errors},
	{.name = "MAP_POPULATE", .run = populated},
	{.name = "MAP_GROWSDOWN", .run = grows_down},
	{.name = "the guard gap", .run = guard_gap},
	{.name = "two that grow down", .run = stacks_meet},
	{.name = "places near what grows down", .run = placed_near_stacks},
	{.name = "below the stack", .run = below_the_stack},
	{.name = "growth after fork", .run = grows_after_fork},
	{.name = "PROT_GROWSDOWN", .run = protects_down},
	{.name = "/dev/zero", .run = zeroes},
	{.name = "/dev/zero twice", .run = zeroes_apart},
};

int main(int argc, char **argv)
{
	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
