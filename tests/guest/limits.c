/*
 * Limits: of the address space, of data, of the stack, of descriptors (setrlimit(2)), and of the
 * number of regions (/proc/sys/vm/max_map_count). At a limit a call fails and changes nothing; a page
 * below it, all works.
 *
 * Catches: a call that makes memory and asks no limit, or the wrong one; a limit that is off by a
 * page, or takes for new what replaces something; one that is lost in fork or exec, or that reaches
 * back into the parent; a split at the limit that has done half its work.
 */
#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SYS_CLOSE = 3,
	SYS_MMAP = 9,
	SYS_MPROTECT = 10,
	SYS_MUNMAP = 11,
	SYS_BRK = 12,
	SYS_PIPE = 22,
	SYS_MREMAP = 25,
	SYS_MADVISE = 28,
	SYS_DUP = 32,
	SYS_DUP2 = 33,
	SYS_EXECVE = 59,
	SYS_FCNTL = 72,
	SYS_GETRLIMIT = 97,
	SYS_MLOCK = 149,
	SYS_SETRLIMIT = 160,
	SYS_PRLIMIT64 = 302
};
enum { L_ESRCH = 3, L_F_DUPFD = 0 };
enum { READ_WRITE = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };
#define SPARE 100ul /* pages below a limit */

static char *base(void)
{
	return (char *)slot_base(1);
}

static long map_pages(char *at, size_t pages, int prot, int flags)
{
	return CALL(SYS_MMAP, at, pages * PAGE, prot, flags | MAP_FIXED, -1, 0);
}

static void set_limit(int resource, rlim_t bytes)
{
	struct rlimit limit = {bytes, RLIM_INFINITY};

	REQUIRE(CALL(SYS_SETRLIMIT, resource, &limit) == 0, "setrlimit");
}

static char *heap_end(void)
{
	return (char *)CALL(SYS_BRK, 0);
}

static void check_heap(size_t pages, bool allowed)
{
	char *end = heap_end(), *want = end + pages * PAGE;

	CHECK((char *)CALL(SYS_BRK, want) == (allowed ? want : end), "brk of %zu pages", pages);
	CALL(SYS_BRK, end);
}

/* ---- The address space ---- */

/* Leaves room for SPARE pages more; each case asks afresh, since a program's size changes. */
static void limit_space(size_t odd_bytes)
{
	CALL(SYS_BRK, ((uintptr_t)heap_end() + PAGE - 1) & ~(PAGE - 1));
	long kb = proc_number(0, "status", "VmSize");
	set_limit(RLIMIT_AS, (rlim_t)kb * 1024 + SPARE * PAGE + odd_bytes);
}

static void space_by_mmap(void)
{
	limit_space(PAGE - 1);
	CHECK_EQUAL(map_pages(base(), SPARE + 1, READ_WRITE, ANONYMOUS), -L_ENOMEM, "too much");
	CHECK_EQUAL(map_pages(base(), SPARE + 1, PROT_NONE, ANONYMOUS), -L_ENOMEM, "PROT_NONE");
	CHECK_EQUAL(map_pages(base(), SPARE + 1, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS), -L_ENOMEM,
		    "shared");
	CHECK_EQUAL(map_pages(base(), SPARE, READ_WRITE, ANONYMOUS), (long)base(), "just enough");
	CHECK_EQUAL(map_pages(base() + SPARE * PAGE, 1, READ_WRITE, ANONYMOUS), -L_ENOMEM,
		    "a page more");
	CHECK_EQUAL(map_pages(base(), SPARE, PROT_READ, ANONYMOUS), (long)base(), "in its place");
	CHECK_EQUAL(map_pages(base() + PAGE, SPARE, PROT_READ, ANONYMOUS), -L_ENOMEM,
		    "partly in its place");
	check_access(base() + SPARE * PAGE, SIGSEGV, "what was refused");
	CHECK_EQUAL(munmap(base(), 10 * PAGE), 0, "munmap");
	CHECK_EQUAL(map_pages(base() + GIGABYTE, 11, READ_WRITE, ANONYMOUS), -L_ENOMEM, "too much");
	CHECK_EQUAL(map_pages(base(), 10, READ_WRITE, ANONYMOUS), (long)base(), "again enough");
}

static void space_by_others(void)
{
	map_at((uintptr_t)base(), 10 * PAGE);
	limit_space(0);
	check_heap(SPARE, true);
	check_heap(SPARE + 1, false);
	CHECK_EQUAL(CALL(SYS_MREMAP, base(), 10 * PAGE, (11 + SPARE) * PAGE, MREMAP_MAYMOVE),
		    -L_ENOMEM, "mremap, too much");
	CHECK_EQUAL(CALL(SYS_MREMAP, base(), 10 * PAGE, (10 + SPARE) * PAGE, 0), (long)base(),
		    "mremap, just enough");
	check_heap(1, false);
	CHECK_EQUAL(
		CALL(SYS_MREMAP, base(), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0),
		-L_ENOMEM, "MREMAP_DONTUNMAP");
	long moved = CALL(SYS_MREMAP, base(), 10 * PAGE, 10 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			  base() + GIGABYTE);
	CHECK_EQUAL(moved, (long)base() + (long)GIGABYTE, "a move needs no more");
}

/* ---- Stacks ---- */

static uintptr_t stack_end(void)
{
	struct region region = {0};

	REQUIRE(region_find(0, &region, &region), "the stack");
	return region.end;
}

static int touch_stack(size_t below)
{
	return signal_of((char *)stack_end() - below, USE_WRITE);
}

static void stack_within_space(void *context)
{
	(void)context;
	struct region region = {0};

	limit_space(0);
	region_find(0, &region, &region);
	size_t size = region.end - region.start;
	CHECK_EQUAL(touch_stack(size + (SPARE + 1) * PAGE), SIGSEGV, "beyond RLIMIT_AS");
	CHECK_EQUAL(touch_stack(size + SPARE * PAGE), 0, "just within RLIMIT_AS");
}

static void space_by_stack(void)
{
	reap(start(stack_within_space, NULL));
	CHECK_EQUAL(touch_stack(4ul << 20), 0, "the parent's stack");
}

#define MEGABYTE (1ul << 20)

static void stack_limited(void *context)
{
	(void)context;
	set_limit(RLIMIT_STACK, MEGABYTE + PAGE);
	CHECK_EQUAL(touch_stack(MEGABYTE + 2 * PAGE), SIGSEGV, "a page beyond the limit");
	CHECK(!kernel_writes((char *)stack_end() - MEGABYTE - 2 * PAGE), "by the kernel");
	CHECK_EQUAL(touch_stack(MEGABYTE / 2), 0, "half of it");
	CHECK_EQUAL(touch_stack(MEGABYTE + PAGE), 0, "at the limit");
	CHECK_EQUAL(touch_stack(MEGABYTE + PAGE + 1), SIGSEGV, "a byte beyond");
	set_limit(RLIMIT_STACK, 2 * MEGABYTE);
	CHECK_EQUAL(touch_stack(2 * MEGABYTE), 0, "after the limit was raised");
	set_limit(RLIMIT_STACK, MEGABYTE / 4);
	CHECK_EQUAL(touch_stack(2 * MEGABYTE), 0, "what there is stays");
	CHECK_EQUAL(touch_stack(2 * MEGABYTE + 1), SIGSEGV, "but does not grow");
}

__attribute__((noinline)) static unsigned recurse(unsigned depth)
{
	volatile char frame[PAGE];

	frame[depth % PAGE] = 1;
	return depth ? recurse(depth - 1) + (unsigned char)frame[depth % PAGE] : 0;
}

static void recurse_by(void *context)
{
	recurse(*(unsigned *)context);
}

static void stack_of_child(void)
{
	unsigned fits = 300, many = 700;
	struct rlimit limit;

	reap(start(stack_limited, NULL));
	CHECK_EQUAL(CALL(SYS_GETRLIMIT, RLIMIT_STACK, &limit), 0, "getrlimit");
	CHECK(limit.rlim_cur >= 8 * MEGABYTE, "the parent's limit: %lu",
	      (unsigned long)limit.rlim_cur);
	set_limit(RLIMIT_STACK, 2 * MEGABYTE);
	CHECK_EQUAL(status_of(recurse_by, &fits), 0, "recursion that fits");
	CHECK_EQUAL(status_of(recurse_by, &many), SIGSEGV, "recursion that does not");
	set_limit(RLIMIT_STACK, 4 * MEGABYTE);
	CHECK_EQUAL(status_of(recurse_by, &many), 0, "the same with a higher limit");
}

/* ---- Data ---- */

static void limit_data(void)
{
	CALL(SYS_BRK, ((uintptr_t)heap_end() + PAGE - 1) & ~(PAGE - 1));
	long kb = proc_number(0, "status", "VmData");
	set_limit(RLIMIT_DATA, (rlim_t)kb * 1024 + SPARE * PAGE);
}

static void data(void)
{
	char *other = base() + GIGABYTE;

	limit_data();
	CHECK_EQUAL(map_pages(base(), SPARE + 1, READ_WRITE, ANONYMOUS), -L_ENOMEM, "too much");
	CHECK_EQUAL(map_pages(other, SPARE + 1, PROT_READ, ANONYMOUS), (long)other, "read only");
	CHECK_EQUAL(map_pages(base(), SPARE + 1, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS),
		    (long)base(), "shared");
	check_heap(SPARE + 1, false);
	check_heap(SPARE, true);
	CHECK_EQUAL(CALL(SYS_MPROTECT, other, (SPARE + 1) * PAGE, READ_WRITE), -L_ENOMEM,
		    "mprotect, too much");
	CHECK_LAYOUT(other, SPARE + 1, NULL, "101 r--p");
	CHECK_EQUAL(CALL(SYS_MPROTECT, other, SPARE * PAGE, READ_WRITE), 0, "mprotect, enough");
	check_heap(1, false);
	CHECK_EQUAL(CALL(SYS_MREMAP, other, SPARE * PAGE, (SPARE + 1) * PAGE, MREMAP_MAYMOVE),
		    -L_ENOMEM, "mremap");
	CHECK_EQUAL(CALL(SYS_MPROTECT, other, PAGE, PROT_READ), 0, "mprotect");
	CHECK_EQUAL(map_pages(base(), 1, READ_WRITE, ANONYMOUS), (long)base(), "a page again");
	CHECK_EQUAL(touch_stack(MEGABYTE), 0, "the stack is no data");
}

/* ---- Descriptors ---- */

static void descriptors(void)
{
	struct rlimit limit;
	int ends[2], high;

	CHECK_EQUAL(CALL(SYS_GETRLIMIT, RLIMIT_NOFILE, &limit), 0, "getrlimit");
	high = (int)CALL(SYS_FCNTL, 0, L_F_DUPFD, 60);
	CHECK(high >= 60, "F_DUPFD: %d", high);
	limit.rlim_cur = 20;
	CHECK_EQUAL(CALL(SYS_SETRLIMIT, RLIMIT_NOFILE, &limit), 0, "setrlimit");
	long last = 0, fd;
	while ((fd = CALL(SYS_DUP, 1)) >= 0)
		last = fd;
	CHECK_EQUAL(fd, -L_EMFILE, "dup at the limit");
	CHECK_EQUAL(last, 19, "the last descriptor");
	CHECK_EQUAL(CALL(2, "/proc/self/maps", 0), -L_EMFILE, "open");
	CHECK_EQUAL(CALL(SYS_PIPE, ends), -L_EMFILE, "pipe");
	CHECK_EQUAL(CALL(SYS_DUP2, 1, 20), -L_EBADF, "dup2 to the limit");
	CHECK_EQUAL(CALL(SYS_DUP2, 1, 19), 19, "dup2 below it");
	CHECK_EQUAL(CALL(SYS_FCNTL, 1, L_F_DUPFD, 20), -L_EINVAL, "F_DUPFD from the limit on");
	CHECK_EQUAL(CALL(SYS_FCNTL, 1, L_F_DUPFD, 5), -L_EMFILE, "F_DUPFD from below it");
	CHECK_EQUAL(CALL(SYS_FCNTL, high, 1), 0, "a descriptor above the limit");
	CHECK_EQUAL(CALL(SYS_CLOSE, 19), 0, "close");
	CHECK_EQUAL(CALL(SYS_PIPE, ends), -L_EMFILE, "pipe with one descriptor left");
	CHECK_EQUAL(CALL(SYS_DUP, 1), 19, "dup, which pipe has left its descriptor");
}

/* ---- The calls ---- */

static void errors(void)
{
	struct rlimit limit = {5, 4}, old;
	const struct rlimit wide = {1ul << 40, 1ul << 40};

	CHECK_EQUAL(CALL(SYS_SETRLIMIT, RLIMIT_AS, &limit), -L_EINVAL, "soft above hard");
	CHECK_EQUAL(CALL(SYS_SETRLIMIT, 16, &wide), -L_EINVAL, "no such resource");
	CHECK_EQUAL(CALL(SYS_GETRLIMIT, 16, &old), -L_EINVAL, "no such resource");
	CHECK_EQUAL(CALL(SYS_GETRLIMIT, -1, &old), -L_EINVAL, "no such resource");
	CHECK_EQUAL(CALL(SYS_PRLIMIT64, 0, 16, 0, &old), -L_EINVAL, "no such resource");
	CHECK_EQUAL(CALL(SYS_SETRLIMIT, RLIMIT_AS, 16), -L_EFAULT, "setrlimit from nowhere");
	CHECK_EQUAL(CALL(SYS_GETRLIMIT, RLIMIT_AS, 16), -L_EFAULT, "getrlimit to nowhere");
	CHECK_EQUAL(CALL(SYS_PRLIMIT64, 0, RLIMIT_AS, 16, 0), -L_EFAULT, "prlimit from nowhere");
	CHECK_EQUAL(CALL(SYS_PRLIMIT64, 0, RLIMIT_AS, 0, 16), -L_EFAULT, "prlimit to nowhere");
	CHECK_EQUAL(CALL(SYS_PRLIMIT64, 0x3ffffff, RLIMIT_AS, 0, &old), -L_ESRCH, "no process");
	CHECK_EQUAL(CALL(SYS_SETRLIMIT, RLIMIT_NOFILE, &wide), -L_EPERM, "too many descriptors");
	CHECK_EQUAL(CALL(SYS_PRLIMIT64, 0, RLIMIT_AS, 0, 0), 0, "prlimit of nothing");
	CHECK_EQUAL(CALL(SYS_PRLIMIT64, 0, RLIMIT_AS, &wide, &old), 0, "prlimit");
	CHECK(old.rlim_cur == RLIM_INFINITY, "the old limit: %lx", (unsigned long)old.rlim_cur);
	CHECK_EQUAL(CALL(SYS_GETRLIMIT, RLIMIT_AS, &old), 0, "getrlimit");
	CHECK(old.rlim_cur == 1ul << 40 && old.rlim_max == 1ul << 40, "the new limit: %lx %lx",
	      (unsigned long)old.rlim_cur, (unsigned long)old.rlim_max);
	for (int resource = 0; resource < 16; resource++) {
		CHECK_EQUAL(CALL(SYS_GETRLIMIT, resource, &old), 0, "getrlimit");
		CHECK_EQUAL(CALL(SYS_SETRLIMIT, resource, &old), 0, "setrlimit of the same");
	}
}

static const int inherited[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_NOFILE};

/* In a process or program that should have them: 4 GB and so many more, or descriptors. */
static void check_inherited(void *context)
{
	struct rlimit limit;

	(void)context;
	for (size_t i = 0; i < COUNT(inherited); i++) {
		rlim_t want = inherited[i] == RLIMIT_NOFILE ? 30 : (4ul << 30) + i;

		CHECK_EQUAL(CALL(SYS_GETRLIMIT, inherited[i], &limit), 0, "getrlimit");
		CHECK(limit.rlim_cur == want, "limit %d: %lx, expected %lx", inherited[i],
		      (unsigned long)limit.rlim_cur, (unsigned long)want);
	}
}

static void run_report(void *context)
{
	char *args[] = {"limits", "--report", NULL}, *environment[] = {NULL};

	check_inherited(context);
	CALL(SYS_EXECVE, "/proc/self/exe", args, environment);
	CHECK(false, "execve came back");
}

static void set_in_child(struct peer *parent, void *context)
{
	(void)context;
	turn(parent);
	set_limit(RLIMIT_DATA, GIGABYTE);
	check_heap(10, true);
	turn(parent);
	CHECK_EQUAL(map_pages(base(), SPARE, READ_WRITE, ANONYMOUS), -L_ENOMEM,
		    "a limit that the parent has set");
}

static void inheritance(void)
{
	struct rlimit limit, zero = {0, RLIM_INFINITY};

	for (size_t i = 0; i < COUNT(inherited); i++)
		if (inherited[i] != RLIMIT_NOFILE)
			set_limit(inherited[i], (4ul << 30) + i);
	CALL(SYS_GETRLIMIT, RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 30;
	CHECK_EQUAL(CALL(SYS_SETRLIMIT, RLIMIT_NOFILE, &limit), 0, "setrlimit");
	reap(start(run_report, NULL));
	struct peer child = peer_start(set_in_child, NULL);
	turn(&child);
	turn(&child);
	check_inherited(NULL);
	CHECK_EQUAL(CALL(SYS_PRLIMIT64, child.pid, RLIMIT_AS, &zero, &limit), 0, "prlimit");
	CHECK(limit.rlim_cur == 4ul << 30, "the child's limit: %lx", (unsigned long)limit.rlim_cur);
	peer_finish(&child);
	check_inherited(NULL);
}

/* ---- The number of regions ---- */

static const char *const max_map_count = "/proc/sys/vm/max_map_count";

static unsigned max_regions(void)
{
	char text[16] = {0};
	unsigned value = 0;
	int fd = open(max_map_count, O_RDONLY);

	REQUIRE(read(fd, text, sizeof(text) - 1) > 0 && sscanf(text, "%u", &value) == 1, "%s",
		max_map_count);
	close(fd);
	return value;
}

static void set_max_regions(unsigned value)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u\n", value);
	int fd = open(max_map_count, O_WRONLY);

	REQUIRE(write(fd, text, (size_t)length) == length, "write %s", max_map_count);
	close(fd);
}

/* Regions that count: Linux's maps has a line for one that is the kernel's. */
static unsigned regions_now(void)
{
	return regions_count() - !on_coppice;
}

#define AREA_PAGES 9
#define AREA       "9 rw-p"

/* Makes regions of a page, none beside another, until there are `count`. */
static void fill_up(unsigned count)
{
	char *filler = (char *)slot_base(3);

	for (unsigned i = regions_now(); i < count; i++)
		CHECK_EQUAL(map_pages(filler + 2ul * i * PAGE, 1, PROT_READ, ANONYMOUS),
			    (long)filler + 2l * i * (long)PAGE, "mmap");
	CHECK_EQUAL(regions_now(), count, "regions");
}

static void check_refused(long result, const char *what)
{
	CHECK_EQUAL(result, -L_ENOMEM, what);
	CHECK_LAYOUT(base(), AREA_PAGES, NULL, AREA);
}

/* With as many regions as there may be: no more splits, and no moves. */
static void splits_refused(unsigned limit)
{
	char *at = base() + 3 * PAGE;

	check_refused(CALL(SYS_MUNMAP, at, PAGE), "munmap in the middle");
	check_refused(CALL(SYS_MPROTECT, at, PAGE, PROT_READ), "mprotect in the middle");
	check_refused(CALL(SYS_MPROTECT, base(), PAGE, PROT_READ), "mprotect at the start");
	check_refused(CALL(SYS_MPROTECT, at, 6 * PAGE, PROT_READ), "mprotect at the end");
	check_refused(CALL(SYS_MLOCK, at, PAGE), "mlock in the middle");
	check_refused(
		CALL(SYS_MREMAP, at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base() + GIGABYTE),
		"mremap of the middle");
	check_refused(CALL(SYS_MREMAP, base(), AREA_PAGES * PAGE, AREA_PAGES * PAGE,
			   MREMAP_MAYMOVE | MREMAP_FIXED, base() + GIGABYTE),
		      "mremap of all");
	check_refused(CALL(SYS_MREMAP, at, PAGE, 0x100 * PAGE, MREMAP_MAYMOVE),
		      "mremap of the middle, growing");
	CHECK_EQUAL(CALL(SYS_MADVISE, at, PAGE, MADV_DONTFORK), -L_EAGAIN, "madvise");
	CHECK_LAYOUT(base(), AREA_PAGES, NULL, AREA);
	check_stamps(base(), AREA_PAGES, PAGE, 1, "contents");
	CHECK_EQUAL(regions_now(), limit, "regions");
}

/* What needs no further region still works. */
static void others_allowed(unsigned limit)
{
	CHECK_EQUAL(CALL(SYS_MPROTECT, base(), AREA_PAGES * PAGE, PROT_READ), 0, "mprotect of all");
	CHECK_EQUAL(CALL(SYS_MPROTECT, base(), AREA_PAGES * PAGE, READ_WRITE), 0, "and back");
	CHECK_EQUAL(CALL(SYS_MUNMAP, base() + 8 * PAGE, PAGE), 0, "munmap at the end");
	CHECK_EQUAL(CALL(SYS_MUNMAP, base(), PAGE), 0, "munmap at the start");
	CHECK_LAYOUT(base(), AREA_PAGES, NULL, "1, 7 rw-p, 1");
	CHECK_EQUAL(CALL(SYS_MREMAP, base() + PAGE, 7 * PAGE, 8 * PAGE, 0),
		    (long)base() + (long)PAGE, "mremap in place");
	CHECK_EQUAL(map_pages(base(), 1, READ_WRITE, ANONYMOUS), (long)base(), "mmap that merges");
	CHECK_LAYOUT(base(), AREA_PAGES, NULL, AREA);
	CHECK_EQUAL(map_pages(base() + 20 * PAGE, 1, READ_WRITE, ANONYMOUS),
		    (long)base() + 20l * (long)PAGE, "one more by mmap, as on Linux");
	CHECK_EQUAL(regions_now(), limit + 1, "regions");
	CHECK_EQUAL(map_pages(base() + 22 * PAGE, 1, READ_WRITE, ANONYMOUS), -L_ENOMEM, "mmap");
	CHECK_EQUAL(map_pages(base() + 9 * PAGE, 1, READ_WRITE, ANONYMOUS), -L_ENOMEM,
		    "mmap that would merge");
	check_heap(10, false);
	CHECK_EQUAL(CALL(SYS_MUNMAP, base() + 20 * PAGE, PAGE), 0, "munmap of one");
	CHECK_EQUAL(CALL(SYS_MUNMAP, slot_base(3), 2 * PAGE * (limit + 1ul)), 0, "munmap of many");
	CHECK_EQUAL(CALL(SYS_MUNMAP, base() + 3 * PAGE, PAGE), 0, "munmap in the middle, at last");
}

static void at_most(void *context)
{
	unsigned limit = *(unsigned *)context;

	map_at((uintptr_t)base(), AREA_PAGES * PAGE);
	stamp_all(base(), AREA_PAGES, PAGE, 1);
	fill_up(limit);
	splits_refused(limit);
	others_allowed(limit);
}

/* The limit is everybody's, so it is put back whatever becomes of the child. */
static void few_regions(void)
{
	unsigned before = max_regions(), limit = 60;

	set_max_regions(limit);
	CHECK_EQUAL(max_regions(), limit, max_map_count);
	pid_t pid = start(at_most, &limit);
	reap(pid);
	set_max_regions(before);
}

static void many_regions(void)
{
	unsigned limit = max_regions();

	CHECK(limit >= 65530, "%s: %u", max_map_count, limit);
	if (limit < 200000)
		at_most(&limit);
}

/* All of smaps is more than ten megabytes of text here. */
static void smaps_of_many(void)
{
	map_at((uintptr_t)base(), AREA_PAGES * PAGE);
	stamp_all(base(), AREA_PAGES, PAGE, 1);
	fill_up(20000);
	CHECK_EQUAL(smaps_number(0, base(), "Rss"), AREA_PAGES * PAGE / 1024, "Rss");
	CHECK_EQUAL(smaps_number(0, (char *)slot_base(3) + 19999 * 2ul * PAGE, "Size"), PAGE / 1024,
		    "Size");
}

static const struct test tests[] = {
	{.name = "RLIMIT_AS: mmap", .run = space_by_mmap},
	{.name = "RLIMIT_AS: brk and mremap", .run = space_by_others},
	{.name = "RLIMIT_AS: the stack", .run = space_by_stack},
	{.name = "RLIMIT_STACK", .run = stack_of_child},
	{.name = "RLIMIT_DATA", .run = data},
	{.name = "RLIMIT_NOFILE", .run = descriptors, .once = true},
	{.name = "errors", .run = errors, .once = true},
	{.name = "inheritance", .run = inheritance},
	{.name = "max_map_count of 60", .run = few_regions, .coppice_only = true},
	{.name = "max_map_count as it is", .run = many_regions, .once = true},
	{.name = "smaps of 20000 regions", .run = smaps_of_many, .once = true},
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--report") == 0) {
		check_inherited(NULL);
		end_process();
	}
	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
