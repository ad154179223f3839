/*
 * Sharing: after fork the tables are shared as the level says, they are copied on write, only on
 * write, and only as far as needed, and one read fault serves all sharers. Exact counts, from
 * /proc/vmstat and /proc/PID/memtree.
 *
 * Catches: a fork that copies what it should share, or the other way round; a write that copies a
 * table or page with refs 1; a table left shared after its last sharer is gone; a read that copies;
 * a fill made again by each sharer; refs counted per process in place of per pointer.
 */
#include "lib.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Level L copies the tables above L at fork and shares the one at L, with all below it. */
static bool exact(void)
{
	return fork_level != LEVEL_AUTO;
}

static int most(int levels)
{
	return fork_level < levels ? fork_level : levels;
}

/* auto may choose any level: then only the largest number that any level gives is a bound. */
#define CHECK_COUNT(got, want, what)                                                               \
	do {                                                                                       \
		if (exact())                                                                       \
			CHECK_EQUAL(got, want, what);                                              \
		else                                                                               \
			CHECK((long)(got) <= (long)(want), what ": %ld, at most %ld", (long)(got), \
			      (long)(want));                                                       \
	} while (0)

/* ---- Measuring: what one access costs ---- */

static char scratch[PAGE] __attribute__((aligned(4096)));
static struct vmstat before, after;

static void read_byte(volatile char *p)
{
	(void)*p;
}

static void write_byte(volatile char *p)
{
	*p = 77;
}

/*
 * The counters' changes over op(p), in *change. All that measuring itself touches is touched
 * before: its text, its stack, the counters' text and the scratch page, which after fork are
 * private again only once they are written.
 */
static void measure(void (*op)(volatile char *p), char *p, struct vmstat *change)
{
	for (int i = 0; i < 3; i++) {
		vmstat_read(&before);
		op(scratch);
		vmstat_read(&after);
	}
	*scratch = 1;
	*change = before;
	vmstat_read(&before);
	op(p);
	vmstat_read(&after);
	*change = (struct vmstat) {
		.pgfault = after.pgfault - before.pgfault,
		.pgfill_zero = after.pgfill_zero - before.pgfill_zero,
		.pgfill_file = after.pgfill_file - before.pgfill_file,
		.pgfill_shared = after.pgfill_shared - before.pgfill_shared,
		.pgtable_copy = after.pgtable_copy - before.pgtable_copy,
		.page_copy = after.page_copy - before.page_copy,
		.page_reuse = after.page_reuse - before.page_reuse,
	};
}

/* A write that is to copy this many tables and, if copies, the page; else it keeps the page. */
static void check_write(char *p, int tables, bool copies, const char *what)
{
	struct vmstat change;
	unsigned failed = check_failures();

	measure(write_byte, p, &change);
	CHECK_EQUAL(change.pgfault, 1, "faults of a write");
	CHECK_COUNT(change.pgtable_copy, tables, "tables copied");
	CHECK_EQUAL(change.page_copy, copies, "pages copied");
	CHECK_EQUAL(change.page_reuse, !copies, "pages kept");
	CHECK_EQUAL(change.pgfill_zero + change.pgfill_file + change.pgfill_shared, 0,
		    "pages filled");
	CHECK(check_failures() == failed, "^ %s", what);
}

static void check_no_fault(void (*op)(volatile char *p), char *p, const char *what)
{
	struct vmstat change;

	measure(op, p, &change);
	CHECK(change.pgfault == 0 && change.pgtable_copy == 0 && change.page_copy == 0,
	      "%s: %lu faults, %lu tables copied, %lu pages copied; expected none", what,
	      (unsigned long)change.pgfault, (unsigned long)change.pgtable_copy,
	      (unsigned long)change.page_copy);
}

/*
 * The pages that these cases use, in a slot of their own: two page directories, two PTE tables in
 * the first.
 *
 *     PDPT --+-- PD0 --+-- PT0: first, second
 *            |         +-- PT1: other_pt
 *            +-- PD1 ---- PT2: other_pd
 */
struct places {
	char *first, *second, *other_pt, *other_pd;
};

static struct places places_make(unsigned slot)
{
	char *base = map_at(slot_base(slot), 8 * SPAN);
	char *far = map_at(slot_base(slot) + GIGABYTE, SPAN);
	struct places places = {base, base + 9 * PAGE, base + 3 * SPAN, far};

	stamp(places.first, 1);
	stamp(places.second, 1);
	stamp(places.other_pt, 1);
	stamp(places.other_pd, 1);
	return places;
}

/* ---- Which tables are shared ---- */

static void hold(struct peer *parent, void *context)
{
	(void)context;
	turn(parent);
}

static struct node find(pid_t pid, char *at, unsigned level)
{
	struct node node = {0};

	CHECK(node_find(pid, (uintptr_t)at, level, &node),
	      "process %d has no table of level %u for %p", (int)pid, level, (void *)at);
	return node;
}

/* The tables that map p, in this process and in child: shared from the fork level down, with so
 * many pointers. */
static void check_tables(char *p, pid_t child, unsigned sharers)
{
	for (int level = 4; level >= 1; level--) {
		struct node mine = find(0, p, (unsigned)level);
		struct node its = find(child, p, (unsigned)level);
		bool shared = level <= fork_level;

		CHECK(mine.at != its.at || (mine.refs == its.refs && mine.present == its.present),
		      "level %d: one table, told in two ways", level);
		if (!exact())
			continue;
		CHECK((mine.at == its.at) == shared, "level %d: tables 0x%lx and 0x%lx", level,
		      (unsigned long)mine.at, (unsigned long)its.at);
		CHECK_EQUAL(mine.refs, level == fork_level ? sharers : 1,
			    "refs of the parent's table");
		CHECK_EQUAL(its.refs, level == fork_level ? sharers : 1,
			    "refs of the child's table");
		CHECK_EQUAL(mine.owned, !shared, "parent owns it");
		CHECK_EQUAL(its.owned, !shared, "child owns it");
	}
}

static void tables_shared(void)
{
	struct places at = places_make(0);
	struct peer child[3];

	for (unsigned i = 0; i < COUNT(child); i++) {
		child[i] = peer_start(hold, NULL);
		check_tables(at.first, child[i].pid, i + 2);
		check_tables(at.other_pd, child[0].pid, i + 2);
	}
	struct node table = find(0, at.first, 1);
	CHECK_EQUAL(table.present, 2, "pages present");
	CHECK_EQUAL(table.used, 2, "entries used");
	if (exact())
		CHECK_EQUAL(table.shared, fork_level == 0 ? 2 : 0,
			    "pages with more than one pointer");
	check_audit("three children");
	for (unsigned i = 0; i < COUNT(child); i++)
		peer_finish(&child[i]);
	for (unsigned level = 1; level <= 4; level++) {
		table = find(0, at.first, level);
		CHECK_EQUAL(table.refs, 1, "refs when all children are gone");
		CHECK(table.owned, "level %u is not owned when all children are gone", level);
	}
}

static void fork_and_hold(struct peer *parent, void *context)
{
	struct peer grandchild = peer_start(hold, NULL);

	check_tables(context, grandchild.pid, 3);
	turn(parent);
	peer_finish(&grandchild);
	turn(parent);
}

/* A grandchild points at the same table: three pointers; two when it is gone. */
static void three_generations(void)
{
	struct places at = places_make(1);
	struct peer child = peer_start(fork_and_hold, at.first);

	turn(&child);
	check_tables(at.first, child.pid, 3);
	turn(&child);
	check_tables(at.first, child.pid, 2);
	peer_finish(&child);
}

/* ---- Who copies what ---- */

static void child_of_copies(struct peer *parent, void *context)
{
	struct places at = *(struct places *)context;

	check_no_fault(read_byte, at.first, "read of a shared page");
	/* The path: PDPT, PD and PT as far as they are shared, and the page. */
	check_write(at.first, most(3), true, "first write");
	check_no_fault(write_byte, at.first, "second write");
	check_write(at.second, 0, true, "write in the same table");
	check_write(at.other_pt, most(1), true, "write in the same directory");
	check_write(at.other_pd, most(2), true, "write in the next directory");
	turn(parent);
	check_no_fault(write_byte, at.other_pd, "write after the parent's");
}

/* What the child has copied has no other pointer left, so the parent keeps it. */
static void copied_on_write(void)
{
	struct places at = places_make(2);
	struct peer child = peer_start(child_of_copies, &at);

	turn(&child);
	check_no_fault(read_byte, at.first, "parent's read");
	check_write(at.first, 0, false, "parent's write");
	check_no_fault(write_byte, at.first, "parent's second write");
	check_write(at.other_pt, 0, false, "parent's write in the next table");
	check_audit("both wrote");
	peer_finish(&child);
}

static void child_keeps(struct peer *parent, void *context)
{
	struct places at = *(struct places *)context;

	turn(parent);
	check_write(at.first, 0, false, "child's write after the parent's");
	/* Its page still has the parent's pointer: the parent's copy of the table points at it too.
	 */
	check_write(at.second, 0, true, "child's write in the same table");
}

static void parent_copies_first(void)
{
	struct places at = places_make(3);
	struct peer child = peer_start(child_keeps, &at);

	turn(&child);
	check_write(at.first, most(3), true, "parent's first write");
	peer_finish(&child);
}

static void write_first(struct peer *parent, void *context)
{
	struct places at = *(struct places *)context;

	turn(parent);
	check_write(at.first, most(3), true, "a sharer's write");
	turn(parent);
}

/* Of n sharers, n - 1 copy the whole path, and the last one copies nothing. */
static void last_sharer_keeps(void)
{
	struct places at = places_make(4);
	struct peer child[3];

	for (unsigned i = 0; i < COUNT(child); i++) {
		child[i] = peer_start(write_first, &at);
		turn(&child[i]);
	}
	for (unsigned i = 0; i < COUNT(child); i++)
		turn(&child[i]);
	check_write(at.first, 0, false, "the last sharer's write");
	for (unsigned i = 0; i < COUNT(child); i++)
		peer_finish(&child[i]);
}

/* A child that ends without a write leaves the parent as if there had been no fork. */
static void untouched_child(void)
{
	struct places at = places_make(5);
	struct peer child = peer_start(hold, NULL);

	peer_finish(&child);
	check_no_fault(read_byte, at.first, "read");
	check_write(at.first, 0, false, "write");
	if (fork_level >= 1 && exact())
		check_no_fault(write_byte, at.second,
			       "write in the same table, whose pages were never shared");
	else if (exact())
		check_write(at.second, 0, false, "write of a page that was shared");
}

/* ---- One fill for all ---- */

#define READERS 5

struct fill {
	char *warm, *page;
};

/* One read to warm up, one that is measured. */
static void reader(struct peer *parent, void *context)
{
	struct fill fill = *(struct fill *)context;

	read_byte(fill.warm);
	turn(parent);
	read_byte(fill.page);
	turn(parent);
}

/* shared_from: the level from which the table that gets the new entry is shared. */
static void count_fills(struct fill fill, int shared_from, struct vmstat *change)
{
	struct peer child[READERS];
	struct vmstat start, end;

	for (int i = 0; i < READERS; i++) {
		child[i] = peer_start(reader, &fill);
		turn(&child[i]);
	}
	vmstat_read(&start);
	vmstat_read(&end);
	vmstat_read(&start);
	for (int i = 0; i < READERS; i++)
		turn(&child[i]);
	vmstat_read(&end);
	change->pgfault = end.pgfault - start.pgfault;
	change->pgfill_zero = end.pgfill_zero - start.pgfill_zero;
	change->pgfill_file = end.pgfill_file - start.pgfill_file;
	change->pgfill_shared = end.pgfill_shared - start.pgfill_shared;
	change->pgtable_copy = end.pgtable_copy - start.pgtable_copy;
	if (exact() && fork_level >= shared_from)
		check_no_fault(read_byte, fill.page, "the parent's read after the children's");
	check_audit("a page filled in a shared table");
	for (int i = 0; i < READERS; i++)
		peer_finish(&child[i]);
}

static void check_fills(const struct vmstat *change, uint64_t fills, int shared_from)
{
	bool shared = fork_level >= shared_from;

	CHECK_COUNT(fills, shared ? 1 : READERS, "pages filled");
	CHECK_COUNT(change->pgfill_shared, shared, "pages filled in a shared table");
	CHECK_COUNT(change->pgfault, shared ? 1 : READERS, "faults");
	CHECK_EQUAL(change->pgtable_copy, 0, "tables copied by reads");
}

static void fill_anonymous(void)
{
	struct vmstat change;
	char *base = map_at(slot_base(6), SPAN);

	stamp(base, 1);
	count_fills((struct fill) {base, base + 100 * PAGE}, 1, &change);
	check_fills(&change, change.pgfill_zero, 1);
	CHECK_EQUAL(change.pgfill_file, 0, "file pages filled");
	check_stamps(base + 100 * PAGE, 1, PAGE, 0, "the filled page");
}

/* The PTE table is not there either: it goes into a directory, which levels 2 and 3 share. */
static void fill_table(void)
{
	struct vmstat change;
	char *base = map_at(slot_base(7), 4 * SPAN);

	stamp(base, 1);
	count_fills((struct fill) {base, base + 2 * SPAN}, 2, &change);
	check_fills(&change, change.pgfill_zero, 2);
	check_stamps(base + 2 * SPAN, 1, PAGE, 0, "the filled page");
}

static void fill_file(void)
{
	static char page[PAGE];
	const char *name = "/tmp/sharing.file";
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct vmstat change;

	REQUIRE(fd >= 0, "open %s", name);
	for (int i = 0; i < 16; i++) {
		memset(page, 'a' + i, PAGE);
		REQUIRE(write(fd, page, PAGE) == (ssize_t)PAGE, "write");
	}
	char *base = mmap((void *)slot_base(8), 16 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_FIXED, fd, 0);
	REQUIRE(base == (char *)slot_base(8), "mmap of a file gave %p", (void *)base);
	CHECK_EQUAL(*(volatile char *)base, 'a', "first byte");
	count_fills((struct fill) {base, base + 5 * PAGE}, 1, &change);
	check_fills(&change, change.pgfill_file, 1);
	CHECK_EQUAL(change.pgfill_zero, 0, "zero pages filled");
	CHECK_EQUAL(base[5 * PAGE], 'f', "the filled page's first byte");
	close(fd);
	unlink(name);
}

/* ---- What a child costs, and memtree itself ---- */

static long tables_now(void)
{
	vmstat_read(&after);
	return (long)after.page_tables;
}

static void run_a_little(struct peer *parent, void *context)
{
	char on_stack[3 * PAGE];

	memset(on_stack, 1, sizeof(on_stack));
	scratch[0] = on_stack[PAGE];
	*(int *)context = 7;
	tables_now();
	turn(parent);
}

/* A child of 1 GB with 512 PTE tables that writes its stack and a few globals: the 64 and
 * 40 kB. */
static void tables_per_child(void)
{
	static const long limits[] = {600, 16, 10, 10};
	static int a_global;
	char *base = map_at(slot_base(9), GIGABYTE);

	stamp_all(base, 512, SPAN, 1);
	long tables = tables_now();
	struct peer child = peer_start(run_a_little, &a_global);
	turn(&child);
	long added = tables_now() - tables;
	ktap_note("tables for the child: %ld", added);
	if (exact())
		CHECK(added <= limits[fork_level], "%ld tables, at most %ld", added,
		      limits[fork_level]);
	if (fork_level == 0)
		CHECK(added >= 512, "%ld tables: level 0 copies all", added);
	peer_finish(&child);
	CHECK_EQUAL(tables_now(), tables, "tables when it is gone");
}

/* exec leaves the shared tables behind: the program runs on, and the parent owns its own again. */
static void run_and_hold(struct peer *parent, void *context)
{
	char in[16], out[16];
	char *args[] = {"sharing", "--hold", in, out, NULL};
	char *environment[] = {NULL};

	(void)context;
	snprintf(in, sizeof(in), "%d", parent->in);
	snprintf(out, sizeof(out), "%d", parent->out);
	execve("/proc/self/exe", args, environment);
	check_(false, __FILE__, __LINE__, "execve came back");
}

static int hold_main(char **argv)
{
	struct peer parent = {.in = atoi(argv[2]), .out = atoi(argv[3])};

	return !turn(&parent);
}

static void exec_lets_go(void)
{
	struct places at = places_make(10);
	struct peer child = peer_start(run_and_hold, NULL);
	struct node node;

	CHECK(turn(&child), "the program does not answer");
	for (unsigned level = 1; level <= 4; level++) {
		node = find(0, at.first, level);
		CHECK_EQUAL(node.refs, 1, "refs while the child runs another program");
	}
	CHECK(!node_find(child.pid, (uintptr_t)at.first, 1, &node),
	      "the program has the old tables");
	check_audit("a child runs another program");
	peer_finish(&child);
}

static const struct test tests[] = {
	{.name = "tables are shared from the level down",
	 .run = tables_shared,
	 .coppice_only = true},
	{.name = "three generations, three pointers",
	 .run = three_generations,
	 .coppice_only = true},
	{.name = "copied on write and only then", .run = copied_on_write, .coppice_only = true},
	{.name = "parent copies, child keeps", .run = parent_copies_first, .coppice_only = true},
	{.name = "the last sharer keeps", .run = last_sharer_keeps, .coppice_only = true},
	{.name = "an untouched child leaves no trace",
	 .run = untouched_child,
	 .coppice_only = true},
	{.name = "one fill for all: anonymous", .run = fill_anonymous, .coppice_only = true},
	{.name = "one fill for all: with its table", .run = fill_table, .coppice_only = true},
	{.name = "one fill for all: file", .run = fill_file, .coppice_only = true},
	{.name = "tables per child", .run = tables_per_child, .coppice_only = true},
	{.name = "exec lets go of shared tables", .run = exec_lets_go, .coppice_only = true},
};

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--hold") == 0)
		return hold_main(argv);
	return run_tests(tests, COUNT(tests), argc, argv);
}
