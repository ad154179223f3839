/*
 * Swap: more data than memory, through forks at each level; a swapped-out parent that a hundred children read; what
 * madvise(2) takes out at once, in tables that others share too; and what /proc tells of it. Meant for a machine of 128 MB
 * with 64 MB of swap.
 *
 * Catches: a page that comes back stale, or as somebody else's; a write that is lost on the way out; a slot that is read
 * once for each sharer, or is never freed; MADV_PAGEOUT that is a hint; figures that sharing makes wrong.
 */
#include "probe.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SYS_POLL = 7,
	SYS_MADVISE = 28,
	SYS_GETRUSAGE = 98,
	SYS_MLOCK = 149,
	SYS_PIDFD_OPEN = 434,
	SYS_PROCESS_MADVISE = 440
};
enum { COLD = 20, PAGEOUT = 21, WILLNEED = 3, DONTNEED = 4 };
enum { PARENT = 1, CHILD };
#define PAGEMAP_SWAP (1ul << 62)
#define L_ESRCH      3
#define KB           (PAGE / 1024)
#define LARGE        18000ul /* pages: more than half of all memory */
#define SMALL        1500ul  /* in three tables and more */
#define CHILDREN     100u

static long vmstat(const char *name)
{
	struct lines lines;
	char line[80];
	long value = -1;
	size_t length = strlen(name);

	REQUIRE(lines_open(&lines, NO_PROCESS, "vmstat"), "no vmstat");
	while (lines_next(&lines, line, sizeof(line)))
		if (strncmp(line, name, length) == 0 && line[length] == ' ')
			sscanf(line + length, "%ld", &value);
	lines_close(&lines);
	return value;
}

static char *small_area(void)
{
	char *area = map_at(slot_base(1) + SPAN - 100 * PAGE, SMALL * PAGE);

	stamp_all(area, SMALL, PAGE, PARENT);
	return area;
}

static size_t swapped(pid_t pid, const char *area, size_t pages)
{
	size_t count = 0;

	for (size_t i = 0; i < pages; i++)
		count += !!(pagemap_entry(pid, area + i * PAGE) & PAGEMAP_SWAP);
	return count;
}

static void page_out(char *area, size_t pages)
{
	CHECK_EQUAL(CALL(SYS_MADVISE, area, pages * PAGE, PAGEOUT), 0, "MADV_PAGEOUT");
}

/* ---- More than memory ---- */

struct part {
	char *area;
	unsigned number;
};

/* A child: all is as the parent left it, while it writes an eighth of its own. */
static void read_and_write(void *context)
{
	const struct part *part = context;
	size_t first = part->number * (LARGE / 8);

	check_stamps(part->area, LARGE, PAGE, PARENT, "before");
	stamp_all(part->area + first * PAGE, LARGE / 8, PAGE, CHILD + part->number);
	check_stamps(part->area, first, PAGE, PARENT, "below");
	check_stamps(part->area + first * PAGE, LARGE / 8, PAGE, CHILD + part->number, "its own");
	check_stamps(part->area + (first + LARGE / 8) * PAGE, LARGE - first - LARGE / 8, PAGE,
		     PARENT, "above");
}

static void more_than_memory(void)
{
	char *area = map_at(slot_base(2) + SPAN / 2, LARGE * PAGE);
	struct part parts[2] = {{area, 1}, {area, 6}};
	pid_t children[2];

	stamp_all(area, LARGE, PAGE, PARENT);
	for (int i = 0; i < 2; i++)
		children[i] = start(read_and_write, &parts[i]);
	for (int i = 0; i < 2; i++)
		reap(children[i]);
	check_stamps(area, LARGE, PAGE, PARENT, "the parent's");
	stamp_all(area, LARGE, PAGE, CHILD);
	check_stamps(area, LARGE, PAGE, CHILD, "written again");
	CHECK(vmstat("pswpout") > 0, "nothing was swapped out");
}

/* ---- Readers of what is swapped out ---- */

static void read_all(void *context)
{
	check_stamps(context, SMALL, PAGE, PARENT, "a child's");
}

static void hundred_readers(void)
{
	char *area = small_area();
	pid_t children[CHILDREN];

	page_out(area, SMALL);
	CHECK_EQUAL(swapped(0, area, SMALL), SMALL, "pages swapped out");

	long before = vmstat("pswpin");

	for (unsigned i = 0; i < CHILDREN; i++)
		children[i] = start(read_all, area);
	for (unsigned i = 0; i < CHILDREN; i++)
		reap(children[i]);
	check_stamps(area, SMALL, PAGE, PARENT, "the parent's");
	CHECK_EQUAL(vmstat("pswpin") - before, SMALL, "pages read for all of them");
}

/* ---- MADV_PAGEOUT ---- */

static void taken_out(struct peer *parent, void *context)
{
	char *area = context;

	CHECK_EQUAL(swapped(0, area, SMALL), fork_level ? SMALL : 0, "pages of the child in swap");
	check_stamps(area, SMALL, PAGE, PARENT, "read by the child");
	turn(parent);
	stamp_all(area, SMALL, PAGE, CHILD);
	page_out(area, SMALL);
	turn(parent);
	check_stamps(area, SMALL, PAGE, CHILD, "the child's own");
}

/* In tables that both share it is gone for both at once, and comes back for both at once. */
static void out_for_sharers(void)
{
	char *area = small_area();
	struct peer child = peer_start(taken_out, area);

	page_out(area, SMALL);
	CHECK_EQUAL(swapped(0, area, SMALL), SMALL, "pages in swap");
	CHECK_EQUAL(pages_in_core(area, SMALL), fork_level ? 0 : SMALL, "pages in core");
	turn(&child);
	CHECK_EQUAL(swapped(0, area, SMALL), fork_level ? 0 : SMALL,
		    "pages in swap after the child has read");
	turn(&child);
	check_stamps(area, SMALL, PAGE, PARENT, "read by the parent");
	peer_finish(&child);
	check_stamps(area, SMALL, PAGE, PARENT, "read again");
}

static void again_and_again(void)
{
	char *area = small_area();
	long out;

	for (unsigned round = 1; round < 5; round++) {
		page_out(area, SMALL);
		CHECK_EQUAL(swapped(0, area, SMALL), SMALL, "pages in swap");
		check_stamps(area, SMALL, PAGE, round, "read");
		stamp_all(area, SMALL, PAGE, round + 1);
	}
	page_out(area, SMALL);
	check_stamps(area, SMALL, PAGE, 5, "read");
	out = vmstat("pswpout");
	page_out(area, SMALL);
	CHECK_EQUAL(vmstat("pswpout") - out, 0, "clean pages written again");
}

static void what_may_not_go(void)
{
	char *area = small_area();
	char *shared = map_over((char *)slot_base(3), 10, MAP_SHARED | MAP_ANONYMOUS, -1);

	CHECK_EQUAL(CALL(SYS_MLOCK, area + 10 * PAGE, 20 * PAGE), 0, "mlock");
	CHECK_EQUAL(CALL(SYS_MADVISE, area, 40 * PAGE, PAGEOUT), -L_EINVAL, "locked in the midst");
	CHECK_EQUAL(swapped(0, area, 40), 10, "pages below what is locked");
	stamp_all(shared, 10, PAGE, PARENT);
	page_out(shared, 10);
	CHECK_EQUAL(pages_in_core(shared, 10), 10, "shared pages");
	CHECK_EQUAL(CALL(SYS_MADVISE, area + 1, PAGE, PAGEOUT), -L_EINVAL, "not aligned");
	CHECK_EQUAL(CALL(SYS_MADVISE, slot_base(4), PAGE, PAGEOUT), -L_ENOMEM, "not mapped");
	CHECK_EQUAL(CALL(SYS_MADVISE, area, SMALL * PAGE, COLD), -L_EINVAL, "COLD");
	check_stamps(area, SMALL, PAGE, PARENT, "all");
}

/* ---- Other processes ---- */

static void be_advised(struct peer *parent, void *context)
{
	stamp_all(context, SMALL, PAGE, CHILD);
	turn(parent);
	check_stamps(context, SMALL, PAGE, CHILD, "the child's");
}

static void check_ended(int pidfd, short events)
{
	struct pollfd poll = {.fd = pidfd, .events = POLLIN};

	CHECK_EQUAL(CALL(SYS_POLL, &poll, 1, events ? 5000 : 0), events != 0, "poll");
	CHECK_EQUAL(poll.revents, events, "events of the pidfd");
}

static void other_process(void)
{
	char *area = map_at(slot_base(1) + SPAN - 100 * PAGE, SMALL * PAGE);
	struct peer child = peer_start(be_advised, area);
	struct iovec parts[2] = {{area, 300 * PAGE}, {area + 400 * PAGE, 200 * PAGE}};

	turn(&child);
	int pidfd = (int)CALL(SYS_PIDFD_OPEN, child.pid, 0);
	REQUIRE(pidfd >= 0, "pidfd_open: %d", pidfd);
	CHECK_EQUAL(CALL(SYS_PROCESS_MADVISE, pidfd, parts, 2, PAGEOUT, 0), 500 * PAGE, "bytes");
	CHECK_EQUAL(swapped(child.pid, area, SMALL), 500, "pages of the child in swap");
	CHECK_EQUAL(swapped(child.pid, area + 300 * PAGE, 100), 0, "pages between");
	CHECK_EQUAL(swapped(0, area, SMALL), 0, "the parent's own");
	CHECK_EQUAL(CALL(SYS_PROCESS_MADVISE, pidfd, parts, 1, WILLNEED, 0), 300 * PAGE, "bytes");
	CHECK_EQUAL(swapped(child.pid, area, 300), 0, "pages brought back");
	CHECK_EQUAL(CALL(SYS_PROCESS_MADVISE, pidfd, parts, 2, DONTNEED, 0), -L_EINVAL, "DONTNEED");
	CHECK_EQUAL(CALL(SYS_PROCESS_MADVISE, pidfd, parts, 2, COLD, 1), -L_EINVAL, "flags");
	CHECK_EQUAL(CALL(SYS_PROCESS_MADVISE, 0, parts, 2, COLD, 0), -L_EBADF, "no pidfd");
	CHECK_EQUAL(CALL(SYS_PIDFD_OPEN, child.pid, 1), -L_EINVAL, "flags of pidfd_open");
	CHECK_EQUAL(CALL(SYS_PIDFD_OPEN, 0, 0), -L_EINVAL, "pid 0");
	CHECK_EQUAL(CALL(SYS_PIDFD_OPEN, 4000000, 0), -L_ESRCH, "no process");
	parts[1].iov_base = (char *)slot_base(4);
	CHECK_EQUAL(CALL(SYS_PROCESS_MADVISE, pidfd, parts, 2, COLD, 0), 300 * PAGE,
		    "as far as it is mapped");
	check_ended(pidfd, 0);
	peer_finish(&child);
	check_ended(pidfd, POLLIN);
	CHECK_EQUAL(CALL(SYS_PROCESS_MADVISE, pidfd, parts, 1, COLD, 0), -L_ESRCH, "after its end");
}

/* ---- What is told ---- */

static void check_pss(struct peer *parent, void *context)
{
	char *area = context;

	area[0] = CHILD;
	turn(parent);
}

static void figures(void)
{
	char *area = small_area();
	struct rusage before, after;
	long total = proc_number(NO_PROCESS, "meminfo", "SwapTotal");
	long free = proc_number(NO_PROCESS, "meminfo", "SwapFree");
	struct peer child;

	CHECK(total > 0 && free <= total, "SwapTotal %ld, SwapFree %ld", total, free);
	page_out(area, 1000);
	CHECK_EQUAL(proc_number(0, "status", "VmSwap"), 1000 * KB, "VmSwap");
	CHECK_EQUAL(smaps_number(0, area, "Swap"), 1000 * KB, "Swap");
	CHECK_EQUAL(smaps_number(0, area, "SwapPss"), 1000 * KB, "SwapPss");
	CHECK_EQUAL(smaps_number(0, area, "Rss"), 500 * KB, "Rss");
	CHECK(free - proc_number(NO_PROCESS, "meminfo", "SwapFree") >= 1000 * (long)KB, "SwapFree");
	child = peer_start(check_pss, area);
	turn(&child);
	CHECK_EQUAL(smaps_number(0, area, "SwapPss") + smaps_number(child.pid, area, "SwapPss"),
		    1000 * KB,
		    "SwapPss of both"); /* the slot of the first page is the parent's alone */
	peer_finish(&child);
	CHECK_EQUAL(CALL(SYS_GETRUSAGE, 0, &before), 0, "getrusage");
	read_pages(area, 1000);
	CHECK_EQUAL(CALL(SYS_GETRUSAGE, 0, &after), 0, "getrusage");
	CHECK(((long *)&after)[9] > ((long *)&before)[9], "no major faults");
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{.name = "more than memory",
		 .run = more_than_memory,
		 .coppice_only = true,
		 .uneven = true},
		{.name = "a hundred readers", .run = hundred_readers, .coppice_only = true},
		{.name = "out for all sharers at once",
		 .run = out_for_sharers,
		 .coppice_only = true},
		{.name = "again and again", .run = again_and_again, .coppice_only = true},
		{.name = "what may not go", .run = what_may_not_go, .coppice_only = true},
		{.name = "another process", .run = other_process, .coppice_only = true},
		{.name = "figures", .run = figures, .coppice_only = true},
	};

	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
