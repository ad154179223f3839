/*
 * What /proc, pagemap and mincore say of the memory of one process, at each share level, after
 * forks, writes, unmaps and exits.
 *
 * Catches: a resident size counted per process, which is right until the first fork that shares a
 * table and off by a table with each one after it; a page counted as private below a shared table;
 * file pages counted as anonymous; files of /proc that disagree.
 */
#include "probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYS_READ = 0, SYS_PREAD64 = 17, SYS_MINCORE = 27 };
enum { PARENT = 1, CHILD };
#define PAGES 1300ul /* in four tables, around a boundary of 1 GB */
#define KB    (PAGE / 1024)

static char *area_at(unsigned slot)
{
	return (char *)slot_base(slot) + GIGABYTE - 400 * PAGE;
}

static char *area_make(unsigned slot)
{
	return map_at((uintptr_t)area_at(slot), PAGES * PAGE);
}

/* The resident pages of the region that holds p. */
static long resident(pid_t pid, const char *p)
{
	return smaps_number(pid, p, "Rss") / (long)KB;
}

/* ---- One process, and its children ---- */

static void check_figure(const char *area, const char *field, size_t pages)
{
	long kb = smaps_number(0, area, field);

	CHECK(kb == (long)(pages * KB), "%s: %ld kB, expected %zu pages", field, kb, pages);
}

static void touched_pages(void)
{
	char *area = area_make(1);

	CHECK_EQUAL(resident(0, area), 0, "Rss of an untouched region");
	read_pages(area, PAGES);
	CHECK_EQUAL(resident(0, area), 0, "Rss of zeroes that were read");
	stamp_all(area, PAGES / 2, 2 * PAGE, PARENT);
	check_figure(area, "Size", PAGES);
	check_figure(area, "Rss", PAGES / 2);
	check_figure(area, "Pss", PAGES / 2);
	check_figure(area, "Anonymous", PAGES / 2);
	check_figure(area, "Private_Dirty", PAGES / 2);
	check_figure(area, "Shared_Dirty", 0);
	CHECK_EQUAL(madvise(area, 100 * PAGE, MADV_DONTNEED), 0, "madvise");
	check_figure(area, "Rss", PAGES / 2 - 50);
	CHECK_EQUAL(munmap(area, 200 * PAGE), 0, "munmap");
	check_figure(area + 200 * PAGE, "Rss", PAGES / 2 - 100);
}

static void writing_child(struct peer *parent, void *context)
{
	char *area = context;

	check_figure(area, "Rss", PAGES);
	check_figure(area, "Shared_Dirty", PAGES);
	check_figure(area, "Pss", PAGES / 2);
	stamp_all(area, 30, PAGE, CHILD);
	check_figure(area, "Rss", PAGES);
	check_figure(area, "Private_Dirty", 30);
	check_figure(area, "Shared_Dirty", PAGES - 30);
	turn(parent);
	CHECK_EQUAL(madvise(area, 600 * PAGE, MADV_DONTNEED), 0, "madvise");
	check_figure(area, "Rss", PAGES - 600);
	turn(parent);
	CHECK_EQUAL(munmap(area, PAGES * PAGE), 0, "munmap");
}

static void shared_pages(void)
{
	char *area = area_make(1);

	stamp_all(area, PAGES, PAGE, PARENT);
	struct peer child = peer_start(writing_child, area);

	turn(&child);
	check_figure(area, "Rss", PAGES);
	check_figure(area, "Private_Dirty", 30);
	check_figure(area, "Shared_Dirty", PAGES - 30);
	turn(&child);
	check_figure(area, "Rss", PAGES);
	check_figure(area, "Private_Dirty", 600);
	peer_finish(&child);
	check_figure(area, "Private_Dirty", PAGES);
	check_figure(area, "Pss", PAGES);
}

/* A child that does one of a few things to its memory, sometimes in a child of its own. */
static void short_life(void *context)
{
	unsigned kind = *(unsigned *)context;
	char *area = area_at(1);

	if (kind % 7 == 3) {
		unsigned next = kind / 7;

		reap(start(short_life, &next));
	}
	if (kind % 3 == 0)
		stamp_all(area, 20, 17 * PAGE, CHILD);
	if (kind % 4 == 1)
		CHECK_EQUAL(munmap(area + kind % 500 * PAGE, 300 * PAGE), 0, "munmap");
	if (kind % 5 == 2)
		madvise(area, PAGES * PAGE, MADV_DONTNEED); /* which says if there are holes */
	if (kind % 6 == 0)
		CHECK_EQUAL(resident(0, area + 1290 * PAGE),
			    kind % 5 == 2 ? 0 : resident(getppid(), area + 1290 * PAGE),
			    "Rss of a child");
}

#define FORKS 300

static void hundreds_of_forks(void)
{
	char *area = area_make(1);
	long half_way = 0;

	touch_program();
	stamp_all(area, PAGES, PAGE, PARENT);
	CHECK_EQUAL(resident(0, area), PAGES, "Rss");
	for (unsigned i = 1; i <= FORKS && check_failures() == 0; i++) {
		unsigned kind = i % 4 == 1 || i % 7 == 3 ? i : i * 3;

		pid_t pid = start(short_life, &kind);
		stamp_all(area + i * PAGE, 3, 101 * PAGE, PARENT);
		CHECK_EQUAL(resident(0, area), PAGES, "Rss while the child lives");
		reap(pid);
		CHECK_EQUAL(resident(0, area), PAGES, "Rss after its end");
		if (i == FORKS / 2) /* by then it has used all of its program that it will */
			half_way = proc_number(0, "smaps_rollup", "Rss");
	}
	CHECK_EQUAL(proc_number(0, "smaps_rollup", "Rss"), half_way, "Rss of all regions");
	check_figure(area, "Private_Dirty", PAGES);
	check_stamps(area, PAGES, PAGE, PARENT, "the parent's pages");
}

/* ---- Kinds of pages ---- */

struct status {
	long size, rss, anon, file, shmem, data;
};

/* Linux's counters may lag behind by a batch of pages for each CPU, and its children have no page of
 * the program's files before they use it. */
static bool is_near(long kb, size_t pages)
{
	long off = kb - (long)(pages * KB);

	return on_coppice ? off == 0 : labs(off) <= (long)(300 * KB);
}

/* Not counting what it takes to find out. */
static void status_read(struct status *status)
{
	touch_program();
	status->size = proc_number(0, "status", "VmSize");
	status->rss = proc_number(0, "status", "VmRSS");
	status->anon = proc_number(0, "status", "RssAnon");
	status->file = proc_number(0, "status", "RssFile");
	status->shmem = proc_number(0, "status", "RssShmem");
	status->data = proc_number(0, "status", "VmData");
	CHECK_EQUAL(status->rss, status->anon + status->file + status->shmem,
		    "VmRSS and its parts");
}

/* Checks by how many pages of each kind the process has grown since `before`. */
static void check_growth(const struct status *before, size_t anon, size_t file, size_t shmem,
			 const char *what)
{
	struct status now;

	status_read(&now);
	CHECK(is_near(now.anon - before->anon, anon) && is_near(now.file - before->file, file) &&
		      is_near(now.shmem - before->shmem, shmem),
	      "%s: grew by %ld kB anonymous, %ld file, %ld shared; expected pages: %zu %zu %zu",
	      what, now.anon - before->anon, now.file - before->file, now.shmem - before->shmem,
	      anon, file, shmem);
}

static void kinds_in_child(void *context)
{
	const struct status *before = context;

	read_pages(area_at(2), PAGES);
	read_pages(area_at(3), PAGES);
	read_pages(area_at(4), PAGES);
	check_growth(before, 2 * PAGES, PAGES, PAGES, "in a child");
	stamp_all(area_at(2), PAGES, PAGE, CHILD);
	check_growth(before, 3 * PAGES, 0, PAGES, "written in a child");
	munmap(area_at(3), PAGES * PAGE);
	check_growth(before, 3 * PAGES, 0, 0, "unmapped in a child");
}

static void kinds_of_pages(void)
{
	struct status before;
	int fd = file_make(PAGES, 'f');

	status_read(&before);
	stamp_all(area_make(1), PAGES, PAGE, PARENT);
	check_growth(&before, PAGES, 0, 0, "private memory");
	read_pages(map_over(area_at(2), PAGES, MAP_PRIVATE, fd), PAGES);
	check_growth(&before, PAGES, PAGES, 0, "a file, read");
	stamp_all(map_over(area_at(3), PAGES, MAP_SHARED | MAP_ANONYMOUS, -1), PAGES, PAGE, PARENT);
	check_growth(&before, PAGES, PAGES, PAGES, "shared memory");
	stamp_all(map_over(area_at(4), PAGES, MAP_PRIVATE, fd), PAGES, PAGE, PARENT);
	check_growth(&before, 2 * PAGES, PAGES, PAGES, "a file, written privately");
	for (int i = 0; i < 3; i++)
		reap(start(kinds_in_child, &before));
	check_growth(&before, 2 * PAGES, PAGES, PAGES, "after the children");
	CHECK_EQUAL(munmap(area_at(4), PAGES * PAGE) + munmap(area_at(2), PAGES * PAGE), 0,
		    "munmap");
	check_growth(&before, PAGES, 0, PAGES, "the file unmapped");
	close(fd);
}

/* A memfd is shared memory with a name, not a file of a disk. */
static void memfd_pages(void)
{
	struct status before;
	int fd = (int)CALL(319, "pages", 0);

	REQUIRE(fd >= 0 && ftruncate(fd, PAGES * PAGE) == 0, "memfd_create");
	status_read(&before);
	stamp_all(map_over(area_at(2), PAGES, MAP_SHARED, fd), PAGES, PAGE, PARENT);
	check_growth(&before, 0, 0, PAGES, "memfd");
	close(fd);
	check_growth(&before, 0, 0, PAGES, "memfd, closed");
}

/* ---- Sums within a process ---- */

static long sum_of_smaps(const char *field)
{
	size_t length = strlen(field);
	struct lines lines;
	char line[200];
	long sum = 0;

	REQUIRE(lines_open(&lines, 0, "smaps"), "smaps");
	while (lines_next(&lines, line, sizeof(line)))
		if (strncmp(line, field, length) == 0 && line[length] == ':')
			sum += strtol(line + length + 1, NULL, 10);
	lines_close(&lines);
	return sum;
}

static void read_statm(unsigned long fields[7])
{
	char line[128];
	struct lines lines;

	REQUIRE(lines_open(&lines, 0, "statm") && lines_next(&lines, line, sizeof(line)), "statm");
	lines_close(&lines);
	CHECK_EQUAL(sscanf(line, "%lu %lu %lu %lu %lu %lu %lu", &fields[0], &fields[1], &fields[2],
			   &fields[3], &fields[4], &fields[5], &fields[6]),
		    7, "fields of statm");
}

static void check_files_agree(void *context)
{
	static const char *const fields[] = {"Rss",           "Shared_Clean",  "Shared_Dirty",
					     "Private_Clean", "Private_Dirty", "Anonymous"};
	unsigned long statm[7];
	struct status status;

	(void)context;
	touch_program();
	for (size_t i = 0; i < COUNT(fields); i++)
		CHECK_EQUAL(proc_number(0, "smaps_rollup", fields[i]), sum_of_smaps(fields[i]),
			    fields[i]);
	status_read(&status);
	long rss = sum_of_smaps("Rss");
	read_statm(statm);
	CHECK_EQUAL(statm[0] * KB, status.size, "size in statm");
	CHECK(is_near(status.rss, statm[1]), "resident in statm: %lu, VmRSS %ld kB", statm[1],
	      status.rss);
	CHECK(is_near(status.file + status.shmem, statm[2]), "shared in statm: %lu", statm[2]);
	CHECK(is_near(rss, statm[1]), "resident in statm: %lu, Rss %ld kB", statm[1], rss);
}

static void files_agree(void)
{
	struct status before, after;
	int fd = file_make(PAGES, 'f');

	status_read(&before);
	stamp_all(area_make(1), PAGES, PAGE, PARENT);
	read_pages(map_over(area_at(2), PAGES, MAP_SHARED, fd), PAGES);
	stamp_all(map_over(area_at(3), PAGES, MAP_SHARED | MAP_ANONYMOUS, -1), PAGES, PAGE, PARENT);
	status_read(&after);
	CHECK_EQUAL(after.size - before.size, 3 * PAGES * KB, "VmSize");
	CHECK_EQUAL(after.data - before.data, PAGES * KB, "VmData");
	check_files_agree(NULL);
	reap(start(check_files_agree, NULL));
	check_files_agree(NULL);
	close(fd);
}

/* ---- pagemap ---- */

#define PFN_MASK  ((1ul << 55) - 1)
#define ALL_FLAGS (PAGEMAP_EXCLUSIVE | PAGEMAP_FILE | PAGEMAP_PRESENT)

static void check_pagemap(const char *p, uint64_t want, const char *what)
{
	uint64_t flags = pagemap_entry(0, p) & ALL_FLAGS;

	CHECK(flags == want, "%s: pagemap flags 0x%lx, expected 0x%lx", what, (unsigned long)flags,
	      (unsigned long)want);
}

static void pagemap_child(struct peer *parent, void *context)
{
	char *area = context;

	check_pagemap(area, PAGEMAP_PRESENT, "shared with the parent");
	CHECK_EQUAL(pagemap_entry(0, area) & PFN_MASK, pagemap_entry(getppid(), area) & PFN_MASK,
		    "the frame of a shared page");
	stamp(area, CHILD);
	check_pagemap(area, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE, "written by the child");
	uint64_t frame = pagemap_entry(0, area) & PFN_MASK;
	CHECK(frame == 0 || frame != (pagemap_entry(getppid(), area) & PFN_MASK),
	      "the frame of a copied page");
	turn(parent);
}

static void pagemap_bits(void)
{
	char *area = area_make(1);
	int fd = file_make(4, 'f');

	check_pagemap(area, 0, "untouched");
	read_pages(area, 1);
	check_pagemap(area, PAGEMAP_PRESENT, "read");
	stamp_all(area, 2, PAGE, PARENT);
	check_pagemap(area, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE, "written");
	struct peer child = peer_start(pagemap_child, area);
	turn(&child);
	check_pagemap(area, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE, "written by the child since");
	check_pagemap(area + PAGE, PAGEMAP_PRESENT, "shared with the child");
	peer_finish(&child);
	check_pagemap(area + PAGE, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE, "after the child");
	map_over(area, 4, MAP_PRIVATE, fd);
	read_pages(area, 4);
	check_pagemap(area, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | PAGEMAP_FILE, "a file's");
	stamp(area, PARENT);
	check_pagemap(area, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE, "a private copy");
	map_over(area, 4, MAP_SHARED | MAP_ANONYMOUS, -1);
	stamp(area, PARENT);
	check_pagemap(area, PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE | PAGEMAP_FILE, "shared memory");
	munmap(area, PAGES * PAGE);
	check_pagemap(area, 0, "unmapped");
	close(fd);
}

static void pagemap_reads(void)
{
	uint64_t entries[8] = {0}, at = slot_base(1) / PAGE * 8;
	char *area = map_at(slot_base(1), 8 * PAGE);
	int fd = open("/proc/self/pagemap", O_RDONLY);

	stamp_all(area, 4, 2 * PAGE, PARENT);
	CHECK_EQUAL(CALL(SYS_PREAD64, fd, entries, sizeof(entries), at), sizeof(entries), "pread");
	for (size_t i = 0; i < COUNT(entries); i++)
		CHECK_EQUAL(entries[i] >> 63, i % 2 == 0, "the present bit");
	CHECK_EQUAL(CALL(SYS_PREAD64, fd, entries, 8, at + 1), -L_EINVAL, "an offset between");
	CHECK_EQUAL(CALL(SYS_PREAD64, fd, entries, 8, at + 4), -L_EINVAL, "an offset between");
	CHECK_EQUAL(CALL(SYS_PREAD64, fd, entries, 12, at), -L_EINVAL, "a length between");
	CHECK_EQUAL(CALL(SYS_PREAD64, fd, entries, 0, at), 0, "a length of 0");
	CHECK_EQUAL(CALL(SYS_PREAD64, fd, 16, 8, at), -L_EFAULT, "a bad buffer");
	CHECK_EQUAL(CALL(SYS_PREAD64, fd, entries, 8, 1ul << 60), 0, "beyond all addresses");
	close(fd);
}

/* ---- mincore ---- */

static void touching_child(void *context)
{
	stamp_all(context, 5, PAGE, CHILD);
}

static void in_core(void)
{
	char *area = area_make(1);
	int fd = file_make(8, 'f');

	CHECK_EQUAL(pages_in_core(area, 20), 0, "untouched");
	read_pages(area, 3);
	CHECK_EQUAL(pages_in_core(area, 20), 3, "read");
	stamp_all(area, 5, PAGE, PARENT);
	CHECK_EQUAL(pages_in_core(area, 20), 5, "written");
	reap(start(touching_child, area + 10 * PAGE));
	CHECK_EQUAL(pages_in_core(area, 20), 5, "written by a child");
	map_over(area, 20, MAP_SHARED | MAP_ANONYMOUS, -1);
	CHECK_EQUAL(pages_in_core(area, 20), 0, "shared, untouched");
	reap(start(touching_child, area));
	CHECK_EQUAL(pages_in_core(area, 20), 5, "shared, touched by a child");
	map_over(area, 8, MAP_SHARED, fd);
	CHECK_EQUAL(pages_in_core(area, 8), 8, "a file in memory");
	map_over(area, 8, MAP_PRIVATE, fd);
	CHECK_EQUAL(pages_in_core(area, 8), 8, "a file in memory, private");
	close(fd);
}

static void in_core_errors(void)
{
	static unsigned char there[8];
	char *area = map_at(slot_base(1), 8 * PAGE);

	stamp(area + PAGE, PARENT);
	munmap(area + 4 * PAGE, PAGE);
	CHECK_EQUAL(CALL(SYS_MINCORE, area, 4 * PAGE - 5, there), 0,
		    "a length that is no multiple");
	CHECK(!(there[0] & 1) && (there[1] & 1) && !(there[3] & 1), "%u %u %u", there[0], there[1],
	      there[3]);
	CHECK_EQUAL(CALL(SYS_MINCORE, area + 1, PAGE, there), -L_EINVAL, "no multiple of a page");
	CHECK_EQUAL(CALL(SYS_MINCORE, area, 5 * PAGE, there), -L_ENOMEM, "a hole at the end");
	CHECK_EQUAL(CALL(SYS_MINCORE, area + 4 * PAGE, PAGE, there), -L_ENOMEM, "a hole");
	CHECK_EQUAL(CALL(SYS_MINCORE, area, -PAGE, there), -L_ENOMEM, "past all addresses");
	CHECK_EQUAL(CALL(SYS_MINCORE, area, PAGE, 16), -L_EFAULT, "a bad vector");
	CHECK_EQUAL(CALL(SYS_MINCORE, area, 0, there), 0, "no length");
}

static const struct test tests[] = {
	{.name = "Rss is what was touched", .run = touched_pages},
	{.name = "Rss and what is private, with a child", .run = shared_pages},
	{.name = "Rss after hundreds of forks", .run = hundreds_of_forks},
	{.name = "anonymous, file and shared pages", .run = kinds_of_pages},
	{.name = "pages of a memfd", .run = memfd_pages},
	{.name = "smaps, smaps_rollup, status and statm agree", .run = files_agree},
	{.name = "pagemap: bits", .run = pagemap_bits},
	{.name = "pagemap: offsets and lengths", .run = pagemap_reads},
	{.name = "mincore: which pages", .run = in_core},
	{.name = "mincore: errors", .run = in_core_errors},
};

int main(int argc, char **argv)
{
	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
