/*
 * mm/ against a model: random operations on a few address spaces, what each read must see known
 * from plain arrays.
 *
 * The space is cut into slots: windows of single pages around the boundaries of tables at every
 * level, and the wide gaps between the windows. An operation works on a run of slots, so it covers
 * tables in part and whole. After each step the audit runs; now and then everything is read back;
 * in failing runs an allocation inside an operation is refused, and then neither meaning nor memory
 * may have changed.
 *
 * usage: random_test [FIRST_SEED [SEEDS [STEPS]]]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "mm/tree.h"
#include "tests/host/machine.h"

#define FRAMES     2048
#define WINDOW     6u /* pages on each side of a boundary */
#define MOST_MMS   6u
#define FILE_PAGES 24u

static const vaddr_t boundaries[] = {
	0x400000,     /* between two PTE tables */
	0x40000000,   /* between two page directories */
	0x40200000,   /* between two PTE tables of the second */
	0x8000000000, /* between two PDPTs */
};
#define WINDOWS ARRAY_SIZE(boundaries)
#define SLOTS   (WINDOWS * (2 * WINDOW + 1) - 1)

enum kind { UNMAPPED, ANONYMOUS, FILE_PRIVATE, FILE_SHARED };

/* What the model knows of one slot in one address space. */
struct slot {
	enum kind kind;
	u32 prot;
	u64 index;           /* of the page in the file */
	bool dontfork, wipe; /* as madvise marked it */
	bool own;            /* has contents of its own: value; else what the file holds, or 0 */
	u64 value;
};

struct space {
	struct mm *mm;
	struct slot slots[SLOTS];
};

static struct {
	vaddr_t start, end;
} places[SLOTS];

static struct space spaces[MOST_MMS];
static u32 live;
static struct object *file;
static u64 file_values[FILE_PAGES];
static u64 rng_state, seed, step;
static bool failing;

static u32 rng(u32 below)
{
	rng_state = rng_state * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(rng_state >> 33) % below;
}

#define CHECK(cond, format, ...)                                                       \
	do {                                                                           \
		if (!(cond)) {                                                         \
			printf("# seed %lu%s, step %lu: %s: " format "\n", seed,       \
			       failing ? " failing" : "", step, #cond, ##__VA_ARGS__); \
			printf("Bail out! replay with: random_test %lu 1\n", seed);    \
			exit(1);                                                       \
		}                                                                      \
	} while (0)

static void places_init(void)
{
	u32 n = 0;

	for (u32 w = 0; w < WINDOWS; w++) {
		vaddr_t first = boundaries[w] - WINDOW * PAGE_SIZE;

		if (w > 0) {
			places[n].start = places[n - 1].end;
			places[n++].end = first;
		}
		for (u32 i = 0; i < 2 * WINDOW; i++, n++) {
			places[n].start = first + i * PAGE_SIZE;
			places[n].end = places[n].start + PAGE_SIZE;
		}
	}
	CHECK(n == SLOTS, "%u", n);
}

static bool is_page(u32 slot)
{
	return places[slot].end - places[slot].start == PAGE_SIZE;
}

/* What a read of the slot must see. */
static u64 expected_value(const struct slot *slot)
{
	if (slot->own)
		return slot->value;
	return slot->kind >= FILE_PRIVATE ? file_values[slot->index] : 0;
}

static int expected_error(const struct slot *slot, enum access access)
{
	if (slot->kind == UNMAPPED)
		return -EFAULT;
	if (slot->prot == PROT_NONE || (access == ACCESS_WRITE && !(slot->prot & PROT_WRITE)) ||
	    (access == ACCESS_EXEC && !(slot->prot & PROT_EXEC)))
		return -EACCES;
	if (slot->kind >= FILE_PRIVATE && !slot->own && slot->index >= FILE_PAGES)
		return -ENXIO;
	return 0;
}

/* Memory of the kernel's own, in a number that an operation without effect leaves as it was. */
static u64 memory_in_use(void)
{
	return frames_total() - frames_free();
}

static void do_access(struct space *space, u32 i, enum access access)
{
	struct slot *slot = &space->slots[i];
	char *at = NULL;
	u64 before = memory_in_use();
	int error = machine_access(space->mm, places[i].start, access, &at);

	if (failing && error == -ENOMEM) {
		CHECK(memory_in_use() == before, "%lu, was %lu", memory_in_use(), before);
		return;
	}
	CHECK(error == expected_error(slot, access), "slot %u: error %d, expected %d", i, error,
	      expected_error(slot, access));
	if (error)
		return;

	u64 *first = (u64 *)at, *last = (u64 *)(at + PAGE_SIZE) - 1;

	CHECK(*first == expected_value(slot) && *last == expected_value(slot),
	      "slot %u of space %ld: reads %lu and %lu, expected %lu", i, (long)(space - spaces),
	      *first, *last, expected_value(slot));
	if (access != ACCESS_WRITE)
		return;
	*first = *last = step + 1;
	if (slot->kind == FILE_SHARED) {
		file_values[slot->index] = step + 1;
	} else {
		slot->own = true;
		slot->value = step + 1;
	}
}

static void forget_slots(struct space *space, u32 first, u32 last)
{
	for (u32 i = first; i <= last; i++)
		space->slots[i] = (struct slot) {0};
}

/* 0, or true when the operation failed for want of memory, as it may in failing runs, and changed
 * nothing. */
static bool refused(i64 result, u64 memory_before)
{
	if (!failing || result != -ENOMEM)
		return false;
	CHECK(memory_in_use() == memory_before, "%lu, was %lu", memory_in_use(), memory_before);
	return true;
}

static u32 random_prot(void)
{
	static const u32 prots[] = {
		PROT_READ | PROT_WRITE,
		PROT_READ | PROT_WRITE,
		PROT_READ,
		PROT_NONE,
		PROT_READ | PROT_EXEC,
		PROT_READ | PROT_WRITE | PROT_EXEC,
	};

	return prots[rng(ARRAY_SIZE(prots))];
}

static void do_map(struct space *space, u32 first, u32 last)
{
	enum kind kind = ANONYMOUS + rng(3);
	u32 prot = random_prot(), from = rng(FILE_PAGES);
	u32 flags = (kind == FILE_SHARED ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED;
	vaddr_t start = places[first].start;
	u64 before = memory_in_use();
	i64 result =
		mm_map(space->mm, start, places[last].end - start, prot, flags,
		       kind == ANONYMOUS ? NULL : file, kind == ANONYMOUS ? 0 : from * PAGE_SIZE);

	if (refused(result, before))
		return;
	CHECK(result == (i64)start, "%ld", result);
	for (u32 i = first; i <= last; i++)
		space->slots[i] = (struct slot) {
			.kind = kind,
			.prot = prot,
			.index = from + ((places[i].start - start) >> PAGE_SHIFT),
		};
}

static void do_unmap(struct space *space, u32 first, u32 last)
{
	u64 before = memory_in_use();
	int error =
		mm_unmap(space->mm, places[first].start, places[last].end - places[first].start);

	if (refused(error, before))
		return;
	CHECK(error == 0, "%d", error);
	forget_slots(space, first, last);
}

static void do_protect(struct space *space, u32 first, u32 last)
{
	u32 prot = random_prot();
	u64 before = memory_in_use();
	bool mapped = true;

	for (u32 i = first; i <= last; i++)
		mapped = mapped && space->slots[i].kind != UNMAPPED;

	int error = mm_protect(space->mm, places[first].start,
			       places[last].end - places[first].start, prot);

	if (mapped && refused(error, before))
		return;
	CHECK(error == (mapped ? 0 : -ENOMEM), "%d", error);
	for (u32 i = first; mapped && i <= last; i++)
		space->slots[i].prot = prot;
}

/* Whether two neighbouring slots lie in one region. */
static bool in_one_region(const struct slot *a, const struct slot *b, u32 pages)
{
	return a->kind == b->kind && a->kind != UNMAPPED && a->prot == b->prot &&
	       a->dontfork == b->dontfork && a->wipe == b->wipe &&
	       (a->kind == ANONYMOUS || a->index + pages == b->index);
}

/* Whether all of the slots are mapped. If not, -ENOMEM says so, and no allocation may be refused. */
static bool all_mapped(const struct space *space, u32 first, u32 last)
{
	bool mapped = true;

	for (u32 i = first; i <= last; i++)
		mapped = mapped && space->slots[i].kind != UNMAPPED;
	if (!mapped)
		frames_fail_nth(0);
	return mapped;
}

static void do_discard(struct space *space, u32 first, u32 last)
{
	bool mapped = all_mapped(space, first, last);
	u64 before = memory_in_use();
	int error = mm_advise(space->mm, places[first].start,
			      places[last].end - places[first].start, MADV_DONTNEED);

	if (mapped && refused(error, before))
		return;
	CHECK(error == (mapped ? 0 : -ENOMEM), "%d", error);
	for (u32 i = first; i <= last; i++)
		space->slots[i].own = false;
}

static bool any_of_a_file(const struct space *space, u32 first, u32 last)
{
	for (u32 i = first; i <= last; i++)
		if (space->slots[i].kind >= FILE_PRIVATE)
			return true;
	return false;
}

static void do_mark(struct space *space, u32 first, u32 last)
{
	static const u32 advices[] = {MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK, MADV_KEEPONFORK};
	u32 advice = advices[rng(4)];
	bool mapped = all_mapped(space, first, last);
	bool invalid = advice == MADV_WIPEONFORK && any_of_a_file(space, first, last);
	u64 before = memory_in_use();
	int error = mm_advise(space->mm, places[first].start,
			      places[last].end - places[first].start, advice);

	if (mapped && !invalid && refused(error, before))
		return;
	CHECK(error == (invalid ? -EINVAL : mapped ? 0 : -ENOMEM), "%d", error);
	for (u32 i = first; !invalid && i <= last; i++) {
		struct slot *slot = &space->slots[i];

		if (slot->kind == UNMAPPED)
			continue;
		slot->dontfork =
			advice == MADV_DONTFORK || (slot->dontfork && advice != MADV_DOFORK);
		slot->wipe = advice == MADV_WIPEONFORK || (slot->wipe && advice != MADV_KEEPONFORK);
	}
}

/* A run of pages in the window of slot first: its length, at most most. */
static u32 run_of_pages(u32 first, u32 most)
{
	u32 n = 0;

	while (n < most && first + n < SLOTS && is_page(first + n))
		n++;
	return n;
}

/* Moves a run of pages to another place that is free, sometimes growing. */
static void do_move(struct space *space, u32 from, u32 to)
{
	u32 wanted = 1 + rng(6), count = run_of_pages(from, wanted),
	    room = run_of_pages(to, count + rng(3));
	struct slot moved[16];
	bool one = count > 0 && space->slots[from].kind != UNMAPPED;

	if (!count || room < count || (from < to + room && to < from + count))
		return;
	for (u32 i = 1; i < count; i++)
		one = one && in_one_region(&space->slots[from + i - 1], &space->slots[from + i], 1);
	if (one) { /* so that a refusal changes nothing */
		frames_fail_nth(0);
		mm_unmap(space->mm, places[to].start, room * PAGE_SIZE);
		forget_slots(space, to, to + room - 1);
		frames_fail_nth(failing ? 1 + rng(8) : 0);
	}

	u64 before = memory_in_use();
	i64 result = mm_remap(space->mm, places[from].start, count * PAGE_SIZE, room * PAGE_SIZE,
			      MREMAP_MAYMOVE | MREMAP_FIXED, places[to].start);

	if (one && refused(result, before))
		return;
	CHECK(result == (one ? (i64)places[to].start : -EFAULT), "%ld", result);
	if (!one)
		return;
	for (u32 i = 0; i < room; i++) {
		u32 beyond = i >= count ? i - count + 1 : 0;

		moved[i] = space->slots[from + i - beyond];
		moved[i].own = moved[i].own && !beyond;
		moved[i].index += beyond;
	}
	forget_slots(space, from, from + count - 1);
	memcpy(&space->slots[to], moved, room * sizeof(moved[0]));
}

#define SCRATCH 0x10000000000ul /* far from all slots */

/* Moves a run of slots, whole tables among them, to a place of its own and back again. */
static void do_round_trip(struct space *space, u32 first, u32 last)
{
	u64 length = places[last].end - places[first].start, before = memory_in_use();
	bool one = space->slots[first].kind != UNMAPPED;
	u32 flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	for (u32 i = first; i < last; i++)
		one = one && in_one_region(&space->slots[i], &space->slots[i + 1],
					   (u32)((places[i].end - places[i].start) >> PAGE_SHIFT));

	i64 result = mm_remap(space->mm, places[first].start, length, length, flags, SCRATCH);

	if (one && refused(result, before))
		return;
	CHECK(result == (one ? (i64)SCRATCH : -EFAULT), "%ld", result);
	frames_fail_nth(0);
	if (one)
		result = mm_remap(space->mm, SCRATCH, length, length, flags, places[first].start);
	CHECK(!one || result == (i64)places[first].start, "%ld", result);
}

static struct page *table_at(struct mm *mm, vaddr_t addr, u32 level)
{
	struct page *table = mm->root;

	while (table && table->level > level) {
		u64 entry = *node_at(table, entry_index(addr, table->level));

		table = entry ? entry_child(entry) : NULL;
	}
	return table;
}

/* Right after a fork, the tables in common are those at the share level and below. */
static void check_sharing(const struct space *space, struct mm *child, u32 share)
{
	struct mm *parent = space->mm;

	for (u32 i = 0; i < SLOTS; i++)
		if (space->slots[i].dontfork || space->slots[i].wipe)
			return; /* what the child goes without, it owned first */
	for (u32 i = 0; i < SLOTS; i++) {
		for (u32 level = 1; level <= ROOT_LEVEL; level++) {
			struct page *table = table_at(parent, places[i].start, level);

			CHECK(!table || (table == table_at(child, places[i].start, level)) ==
						(level <= share),
			      "slot %u, level %u, share level %u", i, level, share);
		}
	}
}

static void do_fork(struct space *space)
{
	u64 before = memory_in_use();
	u32 level = rng(4);
	struct mm *child;
	int error = mm_fork(space->mm, level, &child);

	if (refused(error, before))
		return;
	CHECK(error == 0, "%d", error);
	check_sharing(space, child, level);
	spaces[live] = *space;
	spaces[live].mm = child;
	for (u32 i = 0; i < SLOTS; i++) {
		struct slot *slot = &spaces[live].slots[i];

		slot->own = slot->own && !slot->wipe;
		if (slot->dontfork)
			*slot = (struct slot) {0};
	}
	live++;
}

static void do_exit(u32 which)
{
	machine_forget(spaces[which].mm);
	mm_destroy(spaces[which].mm);
	spaces[which] = spaces[--live];
}

static void random_step(void)
{
	struct space *space = &spaces[rng(live)];
	u32 first = rng(SLOTS), last = first + rng(MIN(SLOTS - first, 20u));
	u32 what = rng(100);

	if (failing && rng(2))
		frames_fail_nth(1 + rng(6));
	if (what < 10)
		do_map(space, first, last);
	else if (what < 17)
		do_unmap(space, first, last);
	else if (what < 27)
		do_protect(space, first, last);
	else if (what < 30)
		do_discard(space, first, last);
	else if (what < 33)
		do_mark(space, first, last);
	else if (what < 37)
		do_move(space, first, rng(SLOTS));
	else if (what < 40)
		do_round_trip(space, first, last);
	else if (what < 87 && is_page(first))
		do_access(space, first,
			  what < 57   ? ACCESS_WRITE
			  : what < 82 ? ACCESS_READ
				      : ACCESS_EXEC);
	else if (what >= 87 && what < 95 && live < MOST_MMS)
		do_fork(space);
	else if (what >= 95 && live > 1)
		do_exit((u32)(space - spaces));
	frames_fail_nth(0);
}

static void read_all(void)
{
	for (u32 s = 0; s < live; s++)
		for (u32 i = 0; i < SLOTS; i++)
			if (is_page(i))
				do_access(&spaces[s], i, ACCESS_READ);
}

static void object_populate(void)
{
	for (u64 i = 0; i < FILE_PAGES; i++) {
		u64 zero = 0;

		CHECK(object_write(file, i * PAGE_SIZE, &zero, sizeof(zero)) == sizeof(zero),
		      "page %lu", i);
	}
}

static void run(u64 steps)
{
	rng_state = seed;
	live = 1;
	memset(spaces, 0, sizeof(spaces));
	memset(file_values, 0, sizeof(file_values));

	u64 frames_before = frames_free(), heap_before = heap_bytes();

	file = object_create(FILE_PAGES * PAGE_SIZE, &file);
	spaces[0].mm = mm_create();
	CHECK(file && spaces[0].mm, "no memory");
	if (failing) /* a page that a refused fault leaves in the object's cache is no leak, but
			blurs the count */
		object_populate();
	for (step = 0; step < steps; step++) {
		random_step();
		CHECK(mm_audit() == 0, "the audit found faults");
		if (step % 64 == 63)
			read_all();
	}
	read_all();
	while (live)
		do_exit(live - 1);
	object_put(file);
	CHECK(mm_audit() == 0, "the audit found faults");
	CHECK(frames_free() == frames_before, "%lu, was %lu", frames_free(), frames_before);
	CHECK(heap_bytes() == heap_before, "%lu, was %lu", heap_bytes(), heap_before);
}

static u64 argument(int argc, char **argv, int i, u64 otherwise)
{
	return argc > i ? strtoul(argv[i], NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	u64 first = argument(argc, argv, 1, 1), seeds = argument(argc, argv, 2, 100);
	u64 steps = argument(argc, argv, 3, 500);

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..2\n");
	machine_start(FRAMES);
	places_init();
	for (int pass = 0; pass < 2; pass++) {
		failing = pass;
		for (seed = first; seed < first + seeds; seed++)
			run(steps);
		printf("ok %d - %lu random operations%s agree with the model\n", pass + 1,
		       seeds * steps, failing ? ", with allocations refused," : "");
	}
	return 0;
}
