/*
 * Sums over all processes, at each share level: proportional sizes, page tables, and the machine's
 * own figures.
 *
 * Catches: a page that is divided by the number of pointers at it alone, or of processes alone, when
 * tables above it are shared too; proportional sizes that do not add up to the memory in use; page
 * tables that are counted twice or not at all.
 */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* ---- Proportional size ---- */

static void idle_child(struct peer *parent, void *context)
{
	turn(parent);
	(void)context;
}

static void check_share(const char *area, size_t processes, size_t pages)
{
	long kb = smaps_number(0, area, "Pss"), want = (long)(pages * KB / processes);

	CHECK(kb == want || kb == want - 1, "Pss with %zu processes: %ld kB, expected %ld",
	      processes, kb, want);
}

static void grandchild_shares(struct peer *parent, void *context)
{
	char *area = context;

	check_share(area, 8, PAGES);
	turn(parent);
	struct peer child = peer_start(idle_child, NULL);

	turn(&child);
	check_share(area, 9, PAGES);
	peer_finish(&child);
}

static void equal_shares(void)
{
	char *area = area_make(1);
	struct peer children[7];

	stamp_all(area, PAGES, PAGE, PARENT);
	for (size_t i = 0; i < COUNT(children); i++) {
		check_share(area, i + 1, PAGES);
		children[i] = peer_start(i == 6 ? grandchild_shares : idle_child, area);
	}
	for (size_t i = COUNT(children); i-- > 0;) {
		turn(&children[i]);
		check_share(area, i + 2, PAGES);
		peer_finish(&children[i]);
	}
	check_share(area, 1, PAGES);
}

/* ---- Sums over all processes ---- */

#define MOST_TABLES 40000
static uint64_t tables[MOST_TABLES];
static size_t table_count;

static void add_tables(pid_t pid)
{
	struct lines lines;
	char line[128];

	if (!lines_open(&lines, pid, "memtree"))
		return;
	while (lines_next(&lines, line, sizeof(line)) && table_count < MOST_TABLES)
		tables[table_count++] = strtoull(strrchr(line, ' '), NULL, 16);
	lines_close(&lines);
}

static int compare_tables(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static size_t distinct_tables(void)
{
	size_t distinct = 0;

	qsort(tables, table_count, sizeof(tables[0]), compare_tables);
	for (size_t i = 0; i < table_count; i++)
		distinct += i == 0 || tables[i] != tables[i - 1];
	return distinct;
}

#define NANO 1000000000ul

/* The proportional size of a process in parts of 10^-9 bytes; 0 when there is no such process. */
static uint64_t pss_of(pid_t pid)
{
	struct lines lines;
	char line[128];
	uint64_t pss = 0;

	if (!lines_open(&lines, pid, "smaps_rollup"))
		return 0;
	while (lines_next(&lines, line, sizeof(line)))
		if (strncmp(line, "Pss_Bytes:", 10) == 0) {
			pss = strtoull(line + 10, NULL, 10) * NANO;
			pss += strtoull(strchr(line, '.') + 1, NULL, 10);
		}
	lines_close(&lines);
	return pss;
}

static pid_t last_pid(void)
{
	struct lines lines;
	char line[128];

	REQUIRE(lines_open(&lines, NO_PROCESS, "loadavg") && lines_next(&lines, line, sizeof(line)),
		"loadavg");
	lines_close(&lines);
	return (pid_t)strtol(strrchr(line, ' '), NULL, 10);
}

struct sums {
	uint64_t pss, used;
	size_t tables, distinct;
};

static void sums_take(struct sums *sums)
{
	pid_t last = last_pid();

	sums->pss = 0;
	table_count = 0;
	for (pid_t pid = 1; pid <= last; pid++) {
		sums->pss += pss_of(pid);
		add_tables(pid);
	}
	sums->used = (uint64_t)(proc_number(NO_PROCESS, "meminfo", "AnonPages") +
				proc_number(NO_PROCESS, "meminfo", "Mapped")) *
		     1024;
	sums->tables = (size_t)proc_number(NO_PROCESS, "meminfo", "PageTables") / KB;
	sums->distinct = distinct_tables();
}

/* Taken twice: whoever takes them writes memory of his own, and so copies some that is shared. */
static void check_sums(const char *when)
{
	struct sums sums;

	sums_take(&sums);
	sums_take(&sums);
	uint64_t pss = (sums.pss + NANO / 2) / NANO;
	CHECK(pss == sums.used, "%s: proportional sizes of %lu bytes, %lu in use", when,
	      (unsigned long)pss, (unsigned long)sums.used);
	CHECK_EQUAL(sums.tables, sums.distinct, when);
}

/* Processes that wait, so that nothing changes while the sums are taken. */
#define GENERATIONS 3
static int hold[2], settled[GENERATIONS + 1][2]; /* by depth */
static bool mixed_levels;
static uint64_t history;

static uint64_t choose(uint64_t below)
{
	return random_next(&history) % below;
}

static void change_random(char *area)
{
	size_t first = choose(PAGES), pages = 1 + choose(choose(2) ? 8 : PAGES - first);
	char *at = area + first * PAGE;

	pages = pages < PAGES - first ? pages : PAGES - first;
	switch (choose(8)) {
	case 0:
		madvise(at, pages * PAGE, MADV_DONTNEED);
		break;
	case 1:
		munmap(at, pages * PAGE);
		break;
	case 2:
		map_over(at, pages, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		break;
	case 3:
		mprotect(at, pages * PAGE, PROT_READ);
		break;
	case 4:
		mprotect(at, pages * PAGE, PROT_READ | PROT_WRITE);
		break;
	default:
		for (size_t i = 0; i < pages && i < 40; i++)
			(void)(choose(3) ? kernel_writes(at + i * PAGE)
					 : kernel_reads(at + i * PAGE));
	}
}

static void live(unsigned depth);

/* A child, that stays until the end of the history or not. */
static void live_as_child(unsigned depth, bool stays)
{
	char byte;

	if (depth == 1)
		close(hold[1]); /* which only the historian keeps */
	history ^= (uint64_t)getpid() << 20;
	live(depth);
	(void)!write(settled[depth][1], "", 1);
	(void)!(stays && read(hold[0], &byte, 1));
	while (wait(NULL) > 0)
		;
	end_process();
}

static void live(unsigned depth)
{
	char byte;
	for (unsigned i = 0; i < 12; i++)
		change_random(area_at(1 + (unsigned)choose(4)));
	if (mixed_levels)
		set_fork_level((int)choose(LEVEL_AUTO + 1));
	for (uint64_t children = choose(4); depth < GENERATIONS && children > 0; children--) {
		bool stays = choose(3) > 0;
		pid_t pid = fork();

		REQUIRE(pid >= 0, "fork");
		if (pid == 0)
			live_as_child(depth + 1, stays);
		(void)!read(settled[depth + 1][0], &byte, 1);
		change_random(area_at(1 + (unsigned)choose(4)));
	}
}

static void historian(struct peer *parent, void *context)
{
	int fd = file_make(PAGES, 'f');

	history = *(uint64_t *)context;
	REQUIRE(pipe(hold) == 0, "pipe");
	for (unsigned i = 1; i <= GENERATIONS; i++)
		REQUIRE(pipe(settled[i]) == 0, "pipe");
	stamp_all(area_make(1), PAGES, PAGE, PARENT);
	stamp_all(map_over(area_at(2), PAGES, MAP_SHARED | MAP_ANONYMOUS, -1), PAGES, PAGE, PARENT);
	map_over(area_at(3), PAGES, MAP_PRIVATE, fd);
	map_over(area_at(4), PAGES, MAP_SHARED, fd);
	live(0);
	turn(parent);
	close(hold[1]);
	while (wait(NULL) > 0)
		;
}

static void sum_up(bool mixed)
{
	mixed_levels = mixed;
	memset(tables, 1, sizeof(tables));
	check_sums("before");
	for (uint64_t seed = 1; seed <= 8 && check_failures() == 0; seed++) {
		uint64_t start_at = seed * 7919 + (uint64_t)fork_level;
		struct peer child = peer_start(historian, &start_at);

		turn(&child);
		check_sums("in the midst of a history");
		peer_finish(&child);
		check_sums("after a history");
	}
}

static void sums(void)
{
	sum_up(false);
}

static void sums_mixed(void)
{
	sum_up(true);
}

/* ---- The machine's figures ---- */

static long anon_pages(void)
{
	return proc_number(NO_PROCESS, "meminfo", "AnonPages") / (long)KB;
}

static void written_in_part(struct peer *parent, void *context)
{
	long before = anon_pages();

	turn(parent);
	stamp_all(context, 100, PAGE, CHILD);
	CHECK_EQUAL(anon_pages() - before, 100, "AnonPages for what a child wrote");
	turn(parent);
}

static void machine_figures(void)
{
	char *area = area_make(1);
	long before = anon_pages(), mapped = proc_number(NO_PROCESS, "meminfo", "Mapped");

	before = anon_pages();
	stamp_all(area, PAGES, PAGE, PARENT);
	CHECK_EQUAL(anon_pages() - before, PAGES, "AnonPages");
	struct peer child = peer_start(written_in_part, area);
	turn(&child);
	turn(&child);
	long with_child = anon_pages();
	peer_finish(&child);
	CHECK(with_child - anon_pages() >= 100, "AnonPages of the child: %ld",
	      with_child - anon_pages());
	stamp_all(map_over(area, PAGES, MAP_SHARED | MAP_ANONYMOUS, -1), PAGES, PAGE, PARENT);
	CHECK_EQUAL(proc_number(NO_PROCESS, "meminfo", "Mapped") - mapped, PAGES * KB, "Mapped");
	CHECK_EQUAL(anon_pages() - before, 0, "AnonPages when all is shared");
}

static const struct test tests[] = {
	{.name = "Pss: equal shares", .run = equal_shares},
	{.name = "Pss and page tables add up", .run = sums, .coppice_only = true},
	{.name = "Pss and page tables add up at mixed levels",
	 .run = sums_mixed,
	 .coppice_only = true,
	 .once = true},
	{.name = "meminfo", .run = machine_figures, .coppice_only = true},
};

int main(int argc, char **argv)
{
	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
