/*
 * mlock(2) and its kin: pages that are there at once, marks on regions, and what a fork's child does
 * not have of it.
 *
 * Catches: a lock that leaves pages for later, or a private page shared with a relative; a mark that
 * covers too much or too little, or keeps regions apart when it is gone; a child that inherits it;
 * MCL_FUTURE forgotten by one of the calls that make memory.
 */
#include "probe.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	SYS_BRK = 12,
	SYS_MSYNC = 26,
	SYS_MADVISE = 28,
	SYS_MLOCK = 149,
	SYS_MUNLOCK = 150,
	SYS_MLOCKALL = 151,
	SYS_MUNLOCKALL = 152,
	SYS_MLOCK2 = 325
};
enum { ONFAULT = 1 };
enum { DONTNEED_LOCKED = 24, COLD = 20, PAGEOUT = 21 };
enum { PARENT = 1, CHILD };
#define L_EBUSY 16
#define PAGES   1100ul /* in three tables and more */
#define KB      (PAGE / 1024)

static char *area_at(unsigned slot)
{
	return (char *)slot_base(slot) + GIGABYTE - 400 * PAGE;
}

static char *area_make(void)
{
	return map_at((uintptr_t)area_at(1), PAGES * PAGE);
}

static void check_locked_kb(size_t pages, const char *what)
{
	CHECK_EQUAL(proc_number(0, "status", "VmLck"), pages * KB, what);
}

/* ---- Pages ---- */

static void pages_at_once(void)
{
	char *area = area_make();

	CHECK_EQUAL(CALL(SYS_MLOCK, area + 10 * PAGE, 900 * PAGE), 0, "mlock");
	CHECK_EQUAL(pages_in_core(area + 10 * PAGE, 900), 900, "pages locked");
	CHECK_EQUAL(pages_in_core(area, PAGES), 900, "pages in all");
	for (size_t i = 10; i < 910; i++)
		CHECK(pagemap_entry(0, area + i * PAGE) & PAGEMAP_EXCLUSIVE, "page %zu", i);
	check_stamps(area, PAGES, PAGE, 0, "zeroes");
	CHECK_EQUAL(smaps_number(0, area + 10 * PAGE, "Rss"), 900 * KB, "Rss");
	CHECK_EQUAL(smaps_number(0, area + 10 * PAGE, "Locked"), 900 * KB, "Locked in smaps");
	check_locked_kb(900, "VmLck");
	CHECK_EQUAL(CALL(SYS_MUNLOCK, area, PAGES * PAGE), 0, "munlock");
	check_locked_kb(0, "VmLck after munlock");
	CHECK_EQUAL(pages_in_core(area + 10 * PAGE, 900), 900, "pages after munlock");
}

/* What a lock must do to pages that others have too: they become this process's own at once. */
static void locking_child(struct peer *parent, void *context)
{
	char *area = context;

	CHECK_EQUAL(CALL(SYS_MLOCK, area, 700 * PAGE), 0, "mlock");
	for (size_t i = 0; i < 700; i += 7)
		CHECK(pagemap_entry(0, area + i * PAGE) & PAGEMAP_EXCLUSIVE, "page %zu", i);
	check_stamps(area, PAGES, PAGE, PARENT, "in the child");
	turn(parent);
	stamp_all(area, PAGES, PAGE, CHILD);
	turn(parent);
}

static void shared_with_a_child(void)
{
	char *area = area_make();

	stamp_all(area, PAGES, PAGE, PARENT);
	struct peer child = peer_start(locking_child, area);
	turn(&child);
	CHECK(pagemap_entry(0, area) & PAGEMAP_EXCLUSIVE, "a page that the child has copied");
	CHECK_EQUAL(CALL(SYS_MLOCK, area + 500 * PAGE, 500 * PAGE), 0, "mlock");
	for (size_t i = 500; i < 1000; i += 7)
		CHECK(pagemap_entry(0, area + i * PAGE) & PAGEMAP_EXCLUSIVE, "page %zu", i);
	turn(&child);
	check_stamps(area, PAGES, PAGE, PARENT, "in the parent");
	peer_finish(&child);
}

static void read_only_pages(void)
{
	char *area = area_make();
	int fd = file_make(8, 'f');

	CHECK_EQUAL(mprotect(area, PAGES * PAGE, PROT_READ), 0, "mprotect");
	CHECK_EQUAL(CALL(SYS_MLOCK, area, 20 * PAGE), 0, "mlock");
	CHECK_EQUAL(pages_in_core(area, 30), 20, "read-only pages");
	map_over(area, 8, MAP_SHARED | MAP_ANONYMOUS, -1);
	CHECK_EQUAL(CALL(SYS_MLOCK, area, 4 * PAGE), 0, "mlock");
	CHECK_EQUAL(pages_in_core(area, 8), 4, "shared pages");
	map_over(area, 8, MAP_PRIVATE, fd);
	CHECK_EQUAL(CALL(SYS_MLOCK, area, 4 * PAGE), 0, "mlock");
	CHECK_EQUAL(smaps_number(0, area, "Anonymous"), 4 * KB, "private copies of a file's");
	CHECK(area[0] == 'f' && area[8 * PAGE - 1] == 'f', "contents");
	close(fd);
}

static void on_fault(void)
{
	char *area = area_make();

	stamp_all(area + 5 * PAGE, 3, PAGE, PARENT);
	CHECK_EQUAL(CALL(SYS_MLOCK2, area, 20 * PAGE, ONFAULT), 0, "mlock2");
	CHECK_EQUAL(pages_in_core(area, 20), 3, "pages");
	CHECK_LAYOUT(area, 25, "lo lf", "20 rw-p lo lf, 5 rw-p");
	check_locked_kb(20, "VmLck");
	stamp(area, PARENT);
	CHECK_EQUAL(pages_in_core(area, 20), 4, "pages");
	CHECK_EQUAL(CALL(SYS_MLOCK2, area, 10 * PAGE, 0), 0, "mlock2");
	CHECK_EQUAL(pages_in_core(area, 20), 10, "pages");
	CHECK_LAYOUT(area, 25, "lo lf", "10 rw-p lo, 10 rw-p lo lf, 5 rw-p");
	CHECK_EQUAL(CALL(SYS_MLOCK2, area, PAGE, 2), -L_EINVAL, "unknown flags");
}

/* ---- Regions ---- */

static void marks_of_regions(void)
{
	char *area = map_at(slot_base(1), 20 * PAGE);

	CHECK_EQUAL(CALL(SYS_MLOCK, area + 5 * PAGE + 100, 2 * PAGE), 0, "mlock");
	CHECK_LAYOUT(area, 20, "lo", "5 rw-p, 3 rw-p lo, 12 rw-p");
	CHECK_EQUAL(CALL(SYS_MLOCK, area + 9 * PAGE - 1, 1), 0, "mlock of a byte");
	CHECK_LAYOUT(area, 20, "lo", "5 rw-p, 4 rw-p lo, 11 rw-p");
	CHECK_EQUAL(CALL(SYS_MUNLOCK, area + 6 * PAGE + 5, PAGE - 5), 0, "munlock");
	CHECK_LAYOUT(area, 20, "lo", "5 rw-p, 1 rw-p lo, 1 rw-p, 2 rw-p lo, 11 rw-p");
	check_locked_kb(3, "VmLck");
	CHECK_EQUAL(munmap(area + 7 * PAGE, PAGE), 0, "munmap");
	check_locked_kb(2, "VmLck after munmap");
	CHECK_LAYOUT(area, 20, "lo", "5 rw-p, 1 rw-p lo, 1 rw-p, 1, 1 rw-p lo, 11 rw-p");
	CHECK_EQUAL(CALL(SYS_MUNLOCK, area, 7 * PAGE), 0, "munlock");
	CHECK_LAYOUT(area, 20, "lo", "7 rw-p, 1, 1 rw-p lo, 11 rw-p");
	CHECK_EQUAL(CALL(SYS_MLOCK, area, 0), 0, "a length of 0");
	CHECK_EQUAL(CALL(SYS_MUNLOCK, area, 0), 0, "a length of 0");
	map_at(slot_base(1), 20 * PAGE);
	check_locked_kb(0, "VmLck after mmap over");
}

static void map_locked(void)
{
	char *area = (char *)slot_base(1);
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_LOCKED;

	CHECK(mmap(area, 600 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) == area, "mmap");
	CHECK_EQUAL(pages_in_core(area, 600), 600, "pages");
	CHECK_LAYOUT(area, 601, "lo", "600 rw-p lo, 1");
	check_locked_kb(600, "VmLck");
	CHECK(mmap(area, 10 * PAGE, PROT_NONE, flags, -1, 0) == area, "mmap of PROT_NONE");
	CHECK_LAYOUT(area, 600, "lo", "10 ---p lo, 590 rw-p lo");
	CHECK_EQUAL(munmap(area, 600 * PAGE), 0, "munmap");
	check_locked_kb(0, "VmLck");
}

static void moved(void)
{
	char *area = map_at(slot_base(1), 10 * PAGE), *there = (char *)slot_base(2);

	CHECK_EQUAL(CALL(SYS_MLOCK, area, 10 * PAGE), 0, "mlock");
	CHECK(mremap(area, 10 * PAGE, 14 * PAGE, 0) == area, "mremap");
	CHECK_EQUAL(pages_in_core(area, 14), 14, "pages of a locked region that grew");
	CHECK_LAYOUT(area, 14, "lo", "14 rw-p lo");
	CHECK(mremap(area, 14 * PAGE, 600 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, there) == there,
	      "mremap");
	CHECK_EQUAL(pages_in_core(there, 600), 600, "pages of one that moved and grew");
	check_locked_kb(600, "VmLck");
	CHECK(mremap(there, 600 * PAGE, 5 * PAGE, 0) == there, "mremap");
	check_locked_kb(5, "VmLck of one that shrank");
	CHECK(mremap(there, 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		     area) == area,
	      "mremap");
	CHECK_LAYOUT(area, 5, "lo", "5 rw-p lo");
	CHECK_LAYOUT(there, 5, "lo", "5 rw-p");
}

/* ---- Fork ---- */

static void check_unlocked(void *context)
{
	char *area = context;

	check_locked_kb(0, "VmLck of a child");
	CHECK(!smaps_flag(0, area, "lo"), "the child's region is locked");
	CHECK_EQUAL(smaps_number(0, area, "Rss"), 20 * KB, "the child's Rss");
	CHECK_EQUAL(CALL(SYS_MADVISE, area, PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED in a child");
	char *other =
		mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQUAL(pages_in_core(other, 8), 0, "a child has MCL_FUTURE");
}

static void not_inherited(void)
{
	char *area = map_at(slot_base(1), 20 * PAGE);

	CHECK_EQUAL(CALL(SYS_MLOCKALL, MCL_FUTURE), 0, "mlockall");
	CHECK_EQUAL(CALL(SYS_MLOCK, area, 20 * PAGE), 0, "mlock");
	stamp_all(area, 20, PAGE, PARENT);
	reap(start(check_unlocked, area));
	check_locked_kb(20, "the parent's VmLck");
	check_stamps(area, 20, PAGE, PARENT, "in the parent");
	CHECK(smaps_flag(0, area, "lo"), "the parent's region is not locked");
}

/* ---- What locked pages refuse ---- */

static void refusals(void)
{
	char *area = map_at(slot_base(1), 10 * PAGE);

	stamp_all(area, 10, PAGE, PARENT);
	CHECK_EQUAL(CALL(SYS_MLOCK, area + 4 * PAGE, 2 * PAGE), 0, "mlock");
	CHECK_EQUAL(CALL(SYS_MADVISE, area + 4 * PAGE, PAGE, MADV_DONTNEED), -L_EINVAL, "DONTNEED");
	CHECK_EQUAL(CALL(SYS_MADVISE, area + 4 * PAGE, PAGE, MADV_FREE), -L_EINVAL, "FREE");
	CHECK_EQUAL(CALL(SYS_MADVISE, area + 4 * PAGE, PAGE, COLD), -L_EINVAL, "COLD");
	CHECK_EQUAL(CALL(SYS_MADVISE, area + 4 * PAGE, PAGE, PAGEOUT), -L_EINVAL, "PAGEOUT");
	check_stamps(area, 10, PAGE, PARENT, "after refusals");
	CHECK_EQUAL(CALL(SYS_MADVISE, area, 10 * PAGE, MADV_DONTNEED), -L_EINVAL, "DONTNEED");
	check_stamps(area, 4, PAGE, 0, "what is below the locked pages");
	check_stamps(area + 4 * PAGE, 6, PAGE, PARENT, "the locked pages and what is above");
	CHECK_EQUAL(CALL(SYS_MADVISE, area, 10 * PAGE, DONTNEED_LOCKED), 0, "DONTNEED_LOCKED");
	check_stamps(area, 10, PAGE, 0, "after DONTNEED_LOCKED");
	CHECK_EQUAL(CALL(SYS_MSYNC, area, 4 * PAGE, MS_SYNC | MS_INVALIDATE), 0, "msync");
	CHECK_EQUAL(CALL(SYS_MSYNC, area, 5 * PAGE, MS_SYNC | MS_INVALIDATE), -L_EBUSY,
		    "msync of locked pages");
	CHECK_EQUAL(CALL(SYS_MSYNC, area, 5 * PAGE, MS_SYNC), 0, "msync");
	map_over(area, 4, MAP_SHARED | MAP_ANONYMOUS, -1);
	CHECK_EQUAL(CALL(SYS_MLOCK, area, 2 * PAGE), 0, "mlock");
	CHECK_EQUAL(CALL(SYS_MADVISE, area, PAGE, MADV_REMOVE), -L_EINVAL, "REMOVE");
}

static void holes_and_errors(void)
{
	char *area = map_at(slot_base(1), 20 * PAGE);
	int fd = file_make(2, 'f');

	munmap(area + 5 * PAGE, PAGE);
	CHECK_EQUAL(CALL(SYS_MLOCK, area + 2 * PAGE, 8 * PAGE), -L_ENOMEM, "over a hole");
	CHECK_LAYOUT(area, 12, "lo", "2 rw-p, 3 rw-p lo, 1, 6 rw-p");
	CHECK_EQUAL(CALL(SYS_MUNLOCK, area, 8 * PAGE), -L_ENOMEM, "munlock over a hole");
	CHECK_LAYOUT(area, 12, "lo", "5 rw-p, 1, 6 rw-p");
	CHECK_EQUAL(CALL(SYS_MLOCK, area + 5 * PAGE, 2 * PAGE), -L_ENOMEM, "from a hole on");
	CHECK_LAYOUT(area, 12, "lo", "5 rw-p, 1, 6 rw-p");
	CHECK_EQUAL(mprotect(area + 10 * PAGE, 2 * PAGE, PROT_NONE), 0, "mprotect");
	CHECK_EQUAL(CALL(SYS_MLOCK, area + 8 * PAGE, 6 * PAGE), -L_ENOMEM, "with PROT_NONE");
	CHECK_EQUAL(pages_in_core(area + 8 * PAGE, 2), 2, "the pages below");
	CHECK_LAYOUT(area + 6 * PAGE, 14, "lo", "2 rw-p, 2 rw-p lo, 2 ---p lo, 2 rw-p lo, 6 rw-p");
	CHECK_EQUAL(CALL(SYS_MLOCK, area, -PAGE), -L_EINVAL, "a length past all addresses");
	CHECK_EQUAL(CALL(SYS_MUNLOCK, area, -PAGE), -L_EINVAL, "a length past all addresses");
	CHECK_EQUAL(CALL(SYS_MLOCK, 0, PAGE), -L_ENOMEM, "nothing there");
	map_over(area, 4, MAP_SHARED, fd);
	CHECK_EQUAL(CALL(SYS_MLOCK, area, 4 * PAGE), -L_ENOMEM, "beyond the end of a file");
	close(fd);
}

/* ---- All ---- */

static char *heap_grow(size_t pages)
{
	uintptr_t end = ((uintptr_t)CALL(SYS_BRK, 0) + PAGE - 1) & ~(PAGE - 1);

	REQUIRE((uintptr_t)CALL(SYS_BRK, end + pages * PAGE) == end + pages * PAGE, "brk");
	return (char *)end;
}

static char *new_memory(size_t pages, int prot)
{
	char *got = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(got != MAP_FAILED, "mmap");
	return got;
}

static void current_and_future(void)
{
	char *area = area_make();

	CHECK_EQUAL(CALL(SYS_MLOCKALL, MCL_CURRENT), 0, "mlockall");
	CHECK_EQUAL(pages_in_core(area, PAGES), PAGES, "pages there were");
	CHECK(smaps_flag(0, area, "lo") && smaps_flag(0, &area, "lo"), "not locked");
	char *later = new_memory(8, PROT_READ | PROT_WRITE);
	CHECK_EQUAL(pages_in_core(later, 8), 0, "pages to come, with MCL_CURRENT");
	CHECK_EQUAL(CALL(SYS_MUNLOCKALL), 0, "munlockall");
	check_locked_kb(0, "VmLck after munlockall");

	CHECK_EQUAL(CALL(SYS_MLOCKALL, MCL_FUTURE), 0, "mlockall");
	check_locked_kb(0, "VmLck with MCL_FUTURE");
	char *none = new_memory(600, PROT_NONE), *some = new_memory(600, PROT_READ | PROT_WRITE);
	CHECK_EQUAL(pages_in_core(some, 600), 600, "mmap");
	CHECK_EQUAL(pages_in_core(none, 600), 0, "mmap of PROT_NONE");
	CHECK(smaps_flag(0, some, "lo") && smaps_flag(0, none, "lo"), "new regions not locked");
	CHECK_EQUAL(pages_in_core(heap_grow(20), 20), 20, "brk");
	char *grown = mremap(some, 600 * PAGE, 700 * PAGE, MREMAP_MAYMOVE);
	CHECK_EQUAL(pages_in_core(grown, 700), 700, "mremap");
	CHECK_EQUAL(CALL(SYS_MUNLOCKALL), 0, "munlockall");
	CHECK_EQUAL(pages_in_core(new_memory(8, PROT_READ | PROT_WRITE), 8), 0, "munlockall");
	check_locked_kb(0, "VmLck after munlockall");
}

static void future_on_fault(void)
{
	CHECK_EQUAL(CALL(SYS_MLOCKALL, MCL_CURRENT | MCL_ONFAULT), 0, "mlockall");
	CHECK_EQUAL(CALL(SYS_MLOCKALL, MCL_FUTURE | MCL_ONFAULT), 0, "mlockall");
	char *some = new_memory(8, PROT_READ | PROT_WRITE);
	CHECK_EQUAL(pages_in_core(some, 8), 0, "mmap");
	CHECK(smaps_flag(0, some, "lo"), "not locked");
	CHECK_EQUAL(pages_in_core(heap_grow(20), 20), 0, "brk");
	stamp(some, PARENT);
	CHECK_EQUAL(CALL(SYS_MADVISE, some, PAGE, MADV_DONTNEED), -L_EINVAL, "DONTNEED");
	CHECK_EQUAL(CALL(SYS_MLOCKALL, MCL_CURRENT), 0, "mlockall");
	CHECK_EQUAL(pages_in_core(some, 8), 8, "MCL_CURRENT");
	CHECK_EQUAL(pages_in_core(new_memory(8, PROT_READ | PROT_WRITE), 8), 0,
		    "MCL_CURRENT ends MCL_FUTURE");
	CHECK_EQUAL(CALL(SYS_MLOCKALL, 0), -L_EINVAL, "no flags");
	CHECK_EQUAL(CALL(SYS_MLOCKALL, MCL_ONFAULT), -L_EINVAL, "MCL_ONFAULT alone");
	CHECK_EQUAL(CALL(SYS_MLOCKALL, 8), -L_EINVAL, "unknown flags");
}

static const struct test tests[] = {
	{.name = "pages are there at once", .run = pages_at_once},
	{.name = "pages shared with a child", .run = shared_with_a_child},
	{.name = "pages that are not to be written", .run = read_only_pages},
	{.name = "MLOCK_ONFAULT", .run = on_fault},
	{.name = "marks of regions", .run = marks_of_regions},
	{.name = "MAP_LOCKED", .run = map_locked},
	{.name = "mremap", .run = moved},
	{.name = "not inherited", .run = not_inherited},
	{.name = "what locked pages refuse", .run = refusals},
	{.name = "holes and errors", .run = holes_and_errors},
	{.name = "mlockall: current and future", .run = current_and_future},
	{.name = "mlockall: on fault, errors", .run = future_on_fault},
};

int main(int argc, char **argv)
{
	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
