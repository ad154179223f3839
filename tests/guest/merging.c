/*
 * Regions that are split and become one again, as /proc/self/maps and smaps show it; calls that fail
 * in the midst of a range; and where mmap(2) puts what it maps.
 *
 * Catches: a split that outlives its reason, since every call then has more to do; regions merged
 * that differ in something; a failure that has done more than Linux would, or less; a stack without
 * its guard gap.
 */
#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SYS_MMAP = 9, SYS_MPROTECT = 10, SYS_BRK = 12, SYS_MADVISE = 28 };
enum { READ_WRITE = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };
enum { DONTDUMP = 16, DODUMP = 17 };
enum { PARENT = 1 };

static char *base(void)
{
	return (char *)slot_base(1);
}

static long map(char *at, size_t pages, int prot, int flags, int fd, size_t page)
{
	return CALL(SYS_MMAP, at, pages * PAGE, prot, flags, fd, page * PAGE);
}

/* Maps at this very place. */
static void put(char *at, size_t pages, int prot, int flags, int fd, size_t page)
{
	CHECK_EQUAL(map(at, pages, prot, flags | MAP_FIXED, fd, page), (long)at, "mmap");
}

static long protect(char *at, size_t pages, int prot)
{
	return CALL(SYS_MPROTECT, at, pages * PAGE, prot);
}

static long advise(char *at, size_t pages, int advice)
{
	return CALL(SYS_MADVISE, at, pages * PAGE, advice);
}

/* ---- Merging ---- */

static void neighbours(void)
{
	char *at = base();

	put(at + 5 * PAGE, 5, READ_WRITE, ANONYMOUS, -1, 0);
	put(at + 10 * PAGE, 5, READ_WRITE, ANONYMOUS, -1, 0);
	CHECK_LAYOUT(at, 20, NULL, "5, 10 rw-p, 5");
	put(at, 5, READ_WRITE, ANONYMOUS, -1, 0);
	CHECK_LAYOUT(at, 20, NULL, "15 rw-p, 5");
	put(at + 20 * PAGE, 5, READ_WRITE, ANONYMOUS, -1, 0);
	put(at + 15 * PAGE, 5, READ_WRITE, ANONYMOUS, -1, 0);
	CHECK_LAYOUT(at, 25, NULL, "25 rw-p");
	put(at + 10 * PAGE, 3, PROT_READ, ANONYMOUS, -1, 0);
	CHECK_LAYOUT(at, 25, NULL, "10 rw-p, 3 r--p, 12 rw-p");
	put(at + 10 * PAGE, 3, READ_WRITE, ANONYMOUS, -1, 0);
	CHECK_LAYOUT(at, 25, NULL, "25 rw-p");
	put(at + 10 * PAGE, 3, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	put(at + 13 * PAGE, 3, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_LAYOUT(at, 25, NULL, "10 rw-p, 3 rw-s, 3 rw-s, 9 rw-p");
}

static void protected(void)
{
	char *at = map_at((uintptr_t)base(), 20 * PAGE);

	stamp_all(at, 20, PAGE, PARENT);
	CHECK_EQUAL(protect(at + 5 * PAGE, 5, PROT_READ), 0, "mprotect");
	CHECK_LAYOUT(at, 20, NULL, "5 rw-p, 5 r--p, 10 rw-p");
	CHECK_EQUAL(protect(at + 10 * PAGE, 2, PROT_READ), 0, "mprotect");
	CHECK_LAYOUT(at, 20, NULL, "5 rw-p, 7 r--p, 8 rw-p");
	CHECK_EQUAL(protect(at + 7 * PAGE, 2, PROT_NONE), 0, "mprotect");
	CHECK_LAYOUT(at, 20, NULL, "5 rw-p, 2 r--p, 2 ---p, 3 r--p, 8 rw-p");
	CHECK_EQUAL(protect(at + 3 * PAGE, 12, PROT_READ | PROT_EXEC), 0, "mprotect");
	CHECK_LAYOUT(at, 20, NULL, "3 rw-p, 12 r-xp, 5 rw-p");
	CHECK_EQUAL(protect(at, 20, READ_WRITE), 0, "mprotect");
	CHECK_LAYOUT(at, 20, NULL, "20 rw-p");
	check_stamps(at, 20, PAGE, PARENT, "contents");
}

/* An advice, the one that takes it back, and the letters of what it marks. */
static const struct mark {
	const char *name, *letters, *split;
	int give, take;
} marks[] = {
	{"DONTFORK", "dc", "5 rw-p, 5 rw-p dc, 10 rw-p", MADV_DONTFORK, MADV_DOFORK},
	{"WIPEONFORK", "wf", "5 rw-p, 5 rw-p wf, 10 rw-p", MADV_WIPEONFORK, MADV_KEEPONFORK},
	{"DONTDUMP", "dd", "5 rw-p, 5 rw-p dd, 10 rw-p", DONTDUMP, DODUMP},
	{"SEQUENTIAL", "sr", "5 rw-p, 5 rw-p sr, 10 rw-p", MADV_SEQUENTIAL, MADV_NORMAL},
	{"RANDOM", "rr", "5 rw-p, 5 rw-p rr, 10 rw-p", MADV_RANDOM, MADV_NORMAL},
};

static void marked(void)
{
	for (size_t i = 0; i < COUNT(marks); i++) {
		const struct mark *mark = &marks[i];
		char *at = map_at((uintptr_t)base(), 20 * PAGE);

		CHECK_EQUAL(advise(at + 5 * PAGE, 5, mark->give), 0, mark->name);
		CHECK_LAYOUT(at, 20, mark->letters, mark->split);
		CHECK_EQUAL(advise(at + 3 * PAGE, 10, mark->take), 0, mark->name);
		CHECK_LAYOUT(at, 20, mark->letters, "20 rw-p");
		CHECK_EQUAL(advise(at, 20, mark->give), 0, mark->name);
		CHECK_EQUAL(advise(at + 5 * PAGE, 5, mark->take), 0, mark->name);
		CHECK_EQUAL(advise(at + 5 * PAGE, 5, mark->give), 0, mark->name);
		CHECK_EQUAL(advise(at, 20, mark->take), 0, mark->name);
		CHECK_LAYOUT(at, 20, NULL, "20 rw-p");
		munmap(at, 20 * PAGE);
	}
}

static void marks_differ(void)
{
	char *at = map_at((uintptr_t)base(), 20 * PAGE);

	CHECK_EQUAL(advise(at, 5, MADV_DONTFORK), 0, "DONTFORK");
	CHECK_EQUAL(advise(at + 5 * PAGE, 5, DONTDUMP), 0, "DONTDUMP");
	CHECK_EQUAL(advise(at + 4 * PAGE, 2, MADV_RANDOM), 0, "RANDOM");
	CHECK_LAYOUT(at, 20, "dc dd rr",
		     "4 rw-p dc, 1 rw-p dc rr, 1 rw-p dd rr, 4 rw-p dd, 10 rw-p");
	CHECK_EQUAL(advise(at, 20, MADV_SEQUENTIAL), 0, "SEQUENTIAL");
	CHECK_LAYOUT(at, 20, "dc dd rr sr", "5 rw-p dc sr, 5 rw-p dd sr, 10 rw-p sr");
	CHECK_EQUAL(advise(at, 20, MADV_NORMAL), 0, "NORMAL");
	CHECK_EQUAL(advise(at, 20, MADV_DOFORK), 0, "DOFORK");
	CHECK_EQUAL(advise(at, 20, DODUMP), 0, "DODUMP");
	CHECK_LAYOUT(at, 20, "dc dd rr sr", "20 rw-p");
}

static void no_reserve(void)
{
	char *at = base();

	put(at, 5, READ_WRITE, ANONYMOUS | MAP_NORESERVE, -1, 0);
	put(at + 5 * PAGE, 5, READ_WRITE, ANONYMOUS | MAP_NORESERVE, -1, 0);
	put(at + 10 * PAGE, 5, READ_WRITE, ANONYMOUS, -1, 0);
	CHECK_LAYOUT(at, 20, "nr ac", "10 rw-p nr, 5 rw-p ac, 5");
	put(at + 15 * PAGE, 5, PROT_READ, ANONYMOUS, -1, 0);
	CHECK_LAYOUT(at, 20, "nr ac", "10 rw-p nr, 5 rw-p ac, 5 r--p");
	CHECK_EQUAL(protect(at + 15 * PAGE, 5, READ_WRITE), 0, "mprotect");
	CHECK_LAYOUT(at, 20, "nr ac", "10 rw-p nr, 10 rw-p ac");
}

/* Memory that has been written, and is read-only now, differs from such that never was to be. */
static void once_writable(void)
{
	char *at = base();

	put(at, 5, READ_WRITE, ANONYMOUS, -1, 0);
	stamp(at, PARENT);
	CHECK_EQUAL(protect(at, 5, PROT_READ), 0, "mprotect");
	put(at + 5 * PAGE, 5, PROT_READ, ANONYMOUS, -1, 0);
	CHECK_LAYOUT(at, 10, "ac", "5 r--p ac, 5 r--p");
}

static void files(void)
{
	int fd = file_make(20, 'f'), other = file_make(20, 'o');
	char *at = base();
	struct region region;

	put(at, 5, PROT_READ, MAP_PRIVATE, fd, 0);
	put(at + 5 * PAGE, 5, PROT_READ, MAP_PRIVATE, fd, 5);
	CHECK_LAYOUT(at, 20, NULL, "10 r--p, 10");
	put(at + 10 * PAGE, 5, PROT_READ, MAP_PRIVATE, fd, 11);
	CHECK_LAYOUT(at, 20, NULL, "10 r--p, 5 r--p, 5");
	put(at + 15 * PAGE, 4, PROT_READ, MAP_PRIVATE, other, 16);
	CHECK_LAYOUT(at, 20, NULL, "10 r--p, 5 r--p, 4 r--p, 1");
	put(at + 10 * PAGE, 5, PROT_READ, MAP_PRIVATE, fd, 10);
	put(at + 15 * PAGE, 5, PROT_READ, MAP_SHARED, fd, 15);
	CHECK_LAYOUT(at, 20, NULL, "15 r--p, 5 r--s");
	CHECK(region_find(0, at + 12 * PAGE, &region) && region.offset == 0, "offset");
	CHECK_EQUAL(munmap(at + 3 * PAGE, PAGE), 0, "munmap");
	CHECK(region_find(0, at + 12 * PAGE, &region) && region.offset == 4 * PAGE, "offset");
	CHECK(at[4 * PAGE] == 'f' && at[19 * PAGE] == 'f', "contents");
	put(at + 3 * PAGE, 1, PROT_READ, MAP_PRIVATE, fd, 3);
	CHECK_LAYOUT(at, 20, NULL, "15 r--p, 5 r--s");
	close(fd);
	close(other);
}

static void heap(void)
{
	uintptr_t now = (uintptr_t)CALL(SYS_BRK, 0);
	char *at = (char *)((now + PAGE - 1) & ~(PAGE - 1));

	CALL(SYS_BRK, at + 10 * PAGE);
	CALL(SYS_BRK, at + 20 * PAGE);
	CHECK_LAYOUT(at, 21, NULL, "20 rw-p, 1");
	CHECK_EQUAL(protect(at + 5 * PAGE, 5, PROT_READ), 0, "mprotect");
	CHECK_LAYOUT(at, 21, NULL, "5 rw-p, 5 r--p, 10 rw-p, 1");
	CALL(SYS_BRK, at + 7 * PAGE);
	CHECK_LAYOUT(at, 21, NULL, "5 rw-p, 2 r--p, 14");
	CALL(SYS_BRK, at + 20 * PAGE);
	CHECK_LAYOUT(at, 21, NULL, "5 rw-p, 2 r--p, 13 rw-p, 1");
	CHECK_EQUAL(protect(at, 20, READ_WRITE), 0, "mprotect");
	CHECK_LAYOUT(at, 21, NULL, "20 rw-p, 1");
	put(at + 21 * PAGE, 1, READ_WRITE, ANONYMOUS, -1, 0);
	CHECK_EQUAL(CALL(SYS_BRK, at + 25 * PAGE), (long)at + 20l * (long)PAGE, "into a neighbour");
	CHECK_EQUAL(munmap(at + 21 * PAGE, PAGE), 0, "munmap");
	CHECK_EQUAL(CALL(SYS_BRK, at), (long)at, "brk");
}

/* ---- Partial failures ---- */

static void protect_over_holes(void)
{
	char *at = map_at((uintptr_t)base(), 20 * PAGE);
	int fd = file_make(5, 'f');

	munmap(at + 10 * PAGE, PAGE);
	CHECK_EQUAL(protect(at + 5 * PAGE, 10, PROT_READ), -L_ENOMEM, "over a hole");
	CHECK_LAYOUT(at, 20, NULL, "5 rw-p, 5 r--p, 1, 9 rw-p");
	CHECK_EQUAL(protect(at + 10 * PAGE, 5, PROT_READ), -L_ENOMEM, "from a hole on");
	CHECK_LAYOUT(at, 20, NULL, "5 rw-p, 5 r--p, 1, 9 rw-p");
	put(at + 5 * PAGE, 5, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK_EQUAL(protect(at + 3 * PAGE, 6, READ_WRITE), 0, "a private file");
	CHECK_LAYOUT(at, 11, NULL, "5 rw-p, 4 rw-p, 1 r--p, 1");
	CHECK_EQUAL(protect(at, 20, PROT_READ | 0x40), -L_EINVAL, "unknown rights");
	CHECK_EQUAL(CALL(SYS_MPROTECT, at + 1, PAGE, PROT_READ), -L_EINVAL, "between pages");
	CHECK_EQUAL(CALL(SYS_MPROTECT, at, -PAGE, PROT_READ), -L_ENOMEM, "past all addresses");
	CHECK_EQUAL(protect(at + 10 * PAGE, 0, PROT_READ), 0, "nothing of a hole");
	close(fd);
}

/* A mapping of a file that is open for reading only may not become writable. */
static void protect_refused(void)
{
	char *at = map_at((uintptr_t)base(), 20 * PAGE), path[32];
	int fd = file_make(5, 'f');

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int reader = open(path, O_RDONLY);
	CHECK_EQUAL(map(at, 5, READ_WRITE, MAP_SHARED | MAP_FIXED, reader, 0), -L_EACCES, "mmap");
	put(at + 5 * PAGE, 5, PROT_READ, MAP_SHARED, reader, 0);
	CHECK_EQUAL(protect(at, 20, PROT_READ | PROT_EXEC), 0, "mprotect");
	CHECK_EQUAL(protect(at, 20, READ_WRITE), -L_EACCES, "of what is below, and it");
	CHECK_LAYOUT(at, 20, NULL, "5 rw-p, 5 r-xs, 10 r-xp");
	CHECK_EQUAL(protect(at + 5 * PAGE, 5, READ_WRITE), -L_EACCES, "of it");
	put(at + 5 * PAGE, 5, READ_WRITE, MAP_PRIVATE, reader, 0);
	at[5 * PAGE] = 'p';
	close(reader);
	close(fd);
}

static void advise_over_holes(void)
{
	char *at = map_at((uintptr_t)base(), 20 * PAGE);

	stamp_all(at, 20, PAGE, PARENT);
	munmap(at + 5 * PAGE, PAGE);
	munmap(at + 10 * PAGE, 2 * PAGE);
	CHECK_EQUAL(advise(at + 3 * PAGE, 12, MADV_DONTNEED), -L_ENOMEM, "DONTNEED");
	check_stamps(at, 3, PAGE, PARENT, "below");
	check_stamps(at + 3 * PAGE, 2, PAGE, 0, "before the first hole");
	check_stamps(at + 6 * PAGE, 4, PAGE, 0, "between the holes");
	check_stamps(at + 12 * PAGE, 3, PAGE, 0, "after the last hole");
	check_stamps(at + 15 * PAGE, 5, PAGE, PARENT, "above");
	CHECK_EQUAL(advise(at + 3 * PAGE, 12, MADV_DONTFORK), -L_ENOMEM, "DONTFORK");
	CHECK_LAYOUT(at, 20, "dc", "3 rw-p, 2 rw-p dc, 1, 4 rw-p dc, 2, 3 rw-p dc, 5 rw-p");
	CHECK_EQUAL(advise(at + 5 * PAGE, 1, MADV_DONTNEED), -L_ENOMEM, "a hole alone");
	CHECK_EQUAL(advise(at, 0, MADV_DONTNEED), 0, "a length of 0");
	CHECK_EQUAL(advise(at, 1, 77), -L_EINVAL, "an unknown advice");
	CHECK_EQUAL(CALL(SYS_MADVISE, at + 1, PAGE, MADV_DONTNEED), -L_EINVAL, "between pages");
	CHECK_EQUAL(CALL(SYS_MADVISE, at, -1, MADV_DONTNEED), -L_EINVAL, "past all addresses");
	CHECK_EQUAL(advise(NULL, 0, MADV_WIPEONFORK), 0, "nothing, of an advice that is known");
}

static void advise_stopped(void)
{
	char *at = map_at((uintptr_t)base(), 20 * PAGE);
	int fd = file_make(5, 'f');

	stamp_all(at, 20, PAGE, PARENT);
	put(at + 10 * PAGE, 5, READ_WRITE, MAP_PRIVATE, fd, 0);
	CHECK_EQUAL(advise(at + 5 * PAGE, 12, MADV_WIPEONFORK), -L_EINVAL, "up to a file");
	CHECK_LAYOUT(at, 20, "wf", "5 rw-p, 5 rw-p wf, 5 rw-p, 5 rw-p");
	CHECK_EQUAL(advise(at + 10 * PAGE, 5, MADV_WIPEONFORK), -L_EINVAL, "of a file");
	put(at + 10 * PAGE, 5, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_EQUAL(advise(at + 10 * PAGE, 5, MADV_WIPEONFORK), -L_EINVAL, "of shared memory");
	CHECK_EQUAL(advise(at + 10 * PAGE, 5, MADV_FREE), -L_EINVAL, "FREE of shared memory");
	stamp_all(at + 10 * PAGE, 10, PAGE, PARENT);
	CHECK_EQUAL(advise(at + 8 * PAGE, 10, MADV_FREE), -L_EINVAL, "FREE up to shared memory");
	check_stamps(at + 10 * PAGE, 10, PAGE, PARENT, "from the shared memory on");
	munmap(at + 7 * PAGE, PAGE);
	CHECK_EQUAL(advise(at, 20, MADV_WIPEONFORK), -L_EINVAL, "a hole, then shared memory");
	CHECK_LAYOUT(at, 20, "wf", "7 rw-p wf, 1, 2 rw-p wf, 5 rw-s, 5 rw-p");
	close(fd);
}

static const struct test tests[] = {
	{.name = "neighbours", .run = neighbours},
	{.name = "mprotect and back", .run = protected},
	{.name = "marks and back", .run = marked},
	{.name = "marks that differ", .run = marks_differ},
	{.name = "MAP_NORESERVE", .run = no_reserve},
	{.name = "memory that was writable", .run = once_writable},
	{.name = "files", .run = files},
	{.name = "the heap", .run = heap},
	{.name = "mprotect over holes", .run = protect_over_holes},
	{.name = "mprotect refused", .run = protect_refused},
	{.name = "madvise over holes", .run = advise_over_holes},
	{.name = "madvise refused in the midst", .run = advise_stopped},
};

int main(int argc, char **argv)
{
	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
