/*
 * The random operations of tests/host/random_test.c as system calls, made by processes that fork
 * from one another at every share level and run as the scheduler likes. Each has a model of its own
 * memory in plain arrays (slots.h), which forks with it, and compares after every operation; who may
 * not touch a page must get the signal, code and address that say so, and its system calls EFAULT.
 *
 * Catches what the host test cannot see: a TLB entry that outlives its right, kernel accesses that
 * go another way than the program's, a table that another process changes meanwhile; and with it
 * what the host test catches, on a real page walker.
 *
 * usage: random [SEED [STEPS [PART_OF_NAME]]]. A process alone does the same each time; several do
 * so under --icount.
 */
#include "slots.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_MOST 20u
#define SCRATCH  slot_base(40) /* far from all slots */
#define BOARD    slot_base(60)

struct mode {
	unsigned processes;
	bool any_level; /* of fork; else the one under test */
};

static const struct mode *mode;
static unsigned children;
static long steps_wanted = 100000;
static int file, alive[2];

/* ---- Regions ---- */

static int random_prot(void)
{
	static const int prots[] = {
		PROT_READ | PROT_WRITE,
		PROT_READ | PROT_WRITE,
		PROT_READ,
		PROT_NONE,
		PROT_READ | PROT_EXEC,
		PROT_READ | PROT_WRITE | PROT_EXEC,
	};

	return prots[rng(COUNT(prots))];
}

/* Before a call that populates: what the pages of the file hold at least. */
static void note_floors(unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		if (!slots[i].own)
			note_floor(&slots[i], slots[i].words);
}

/* The access was made to each page, up to the first that does not allow it: its outcome. */
static struct outcome populated(unsigned first, unsigned last, enum access access)
{
	for (unsigned i = first; i <= last; i++) {
		struct outcome outcome = expected(&slots[i], access);
		uint32_t floor[WRITERS];

		if (outcome.signal)
			return outcome;
		memcpy(floor, slots[i].words, sizeof(floor));
		if (access == WRITE && slots[i].kind == FILE_PRIVATE && !slots[i].own)
			own_copy(i, 0, floor);
	}
	return (struct outcome) {0, 0};
}

static struct slot random_mapping(uint64_t pages)
{
	struct slot slot = {.kind = ANONYMOUS + rng(4), .prot = random_prot()};

	if (slot.kind == OBJECT_SHARED) {
		slot.object = board->objects++;
		if (slot.object < OBJECTS)
			board->pages[slot.object] = pages;
		else
			slot = (struct slot) {.kind = ANONYMOUS, .prot = slot.prot};
	} else if (slot.kind != ANONYMOUS) {
		slot.index = rng(FILE_PAGES);
	}
	return slot;
}

static long map(unsigned first, unsigned last, const struct slot *slot, int flags)
{
	bool of_file = slot->kind == FILE_PRIVATE || slot->kind == FILE_SHARED;

	flags |= (is_shared(slot) ? MAP_SHARED : MAP_PRIVATE) | (of_file ? 0 : MAP_ANONYMOUS) |
		 MAP_NORESERVE;
	return CALL(SYS_mmap, places[first].start, bytes_of(first, last), slot->prot, flags,
		    of_file ? file : -1, of_file ? slot->index * PAGE : 0);
}

static void do_map(unsigned first, unsigned last)
{
	struct slot slot = random_mapping(bytes_of(first, last) / PAGE);
	bool in_place_only = rng(4) == 0;
	bool populate = rng(4) == 0 && first + run_of_pages(first, RUN_MOST) > last;
	int flags = in_place_only ? MAP_FIXED_NOREPLACE : MAP_FIXED;
	bool refused = in_place_only && any_mapped(first, last);

	for (unsigned i = first; i <= last && !refused; i++) {
		slots[i] = slot;
		slots[i].index += (places[i].start - places[first].start) / PAGE;
	}
	note_floors(first, last);

	long got = map(first, last, &slot, flags | (populate ? MAP_POPULATE : 0));

	AGREE(got == (refused ? -L_EEXIST : (long)places[first].start), "mmap: 0x%lx", got);
	if (populate && !refused)
		populated(first, last, slot.prot & PROT_WRITE ? WRITE : READ);
}

static void do_unmap(unsigned first, unsigned last)
{
	long error = CALL(SYS_munmap, places[first].start, bytes_of(first, last));

	AGREE(error == 0, "munmap: %ld", error);
	forget(first, last);
}

/* What comes before the first hole is changed, though the answer is ENOMEM. */
static void do_protect(unsigned first, unsigned last)
{
	bool mapped = all_mapped(first, last);
	int prot = random_prot();
	long error = CALL(SYS_mprotect, places[first].start, bytes_of(first, last), prot);

	AGREE(error == (mapped ? 0 : -L_ENOMEM), "mprotect: %ld", error);
	for (unsigned i = first; i <= last && slots[i].kind != UNMAPPED; i++)
		slots[i].prot = prot;
}

/* The first slot in a region of another kind than private anonymous; last + 1 when there is none. */
static unsigned first_other(unsigned first, unsigned last)
{
	unsigned i = first;

	while (i <= last && slots[i].kind <= ANONYMOUS)
		i++;
	return i;
}

static void apply_advice(struct slot *slot, int advice)
{
	if (slot->kind == UNMAPPED)
		return;
	if (advice == MADV_DONTNEED)
		slot->own = slot->freed = false;
	else if (advice == MADV_FREE)
		slot->freed = slot->own;
	else if (advice == MADV_DONTFORK || advice == MADV_DOFORK)
		slot->dontfork = advice == MADV_DONTFORK;
	else
		slot->wipe = advice == MADV_WIPEONFORK;
}

/* Advice for private anonymous memory alone is done before the first other region. */
static void do_advise(unsigned first, unsigned last)
{
	static const int advices[] = {MADV_DONTNEED,   MADV_DONTNEED,  MADV_FREE,
				      MADV_DONTFORK,   MADV_DOFORK,    MADV_DOFORK,
				      MADV_WIPEONFORK, MADV_KEEPONFORK};
	int advice = advices[rng(COUNT(advices))];
	bool choosy = advice == MADV_FREE || advice == MADV_WIPEONFORK;
	unsigned end = choosy ? first_other(first, last) : last + 1;
	long want = end <= last ? -L_EINVAL : all_mapped(first, last) ? 0 : -L_ENOMEM;
	long error = CALL(SYS_madvise, places[first].start, bytes_of(first, last), advice);

	AGREE(error == want, "madvise %d: %ld, expected %ld", advice, error, want);
	for (unsigned i = first; i < end; i++)
		apply_advice(&slots[i], advice);
}

static void do_populate(unsigned first, unsigned wanted)
{
	unsigned count = run_of_pages(first, wanted);
	enum access access = rng(2) ? READ : WRITE;

	if (!count)
		return;
	note_floors(first, first + count - 1);

	long error = CALL(SYS_madvise, places[first].start, count * PAGE,
			  access == READ ? MADV_POPULATE_READ : MADV_POPULATE_WRITE);
	struct outcome outcome = populated(first, first + count - 1, access);
	long want = outcome.signal == 0           ? 0
		    : outcome.signal == SIGBUS    ? -L_EFAULT
		    : outcome.code == SEGV_MAPERR ? -L_ENOMEM
						  : -L_EINVAL;

	AGREE(error == want, "madvise to populate: %ld, expected %ld", error, want);
}

/* ---- mremap ---- */

/* Room slots from `to` on become the count ones from `from` on, the last one continued. */
static void move_slots(unsigned from, unsigned count, unsigned to, unsigned room)
{
	struct slot moved[SLOTS] = {0};

	for (unsigned i = 0; i < room; i++) {
		unsigned beyond = i >= count ? i - count + 1 : 0;

		moved[i] = slots[from + i - beyond];
		moved[i].index += beyond;
		if (beyond)
			moved[i].own = moved[i].freed = false;
	}
	memcpy(&slots[to], moved, room * sizeof(moved[0]));
}

/*
 * Whether EFAULT may be an answer though the model knows one region: anonymous memory that was moved
 * does not join its neighbours, and Linux splits more. What was done in part is forgotten then.
 */
static bool may_be_several(unsigned first, unsigned count)
{
	return !on_coppice || (slots[first].kind == ANONYMOUS && count > 1);
}

static void start_anew(unsigned first, unsigned count)
{
	CALL(SYS_munmap, places[first].start, bytes_of(first, first + count - 1));
	forget(first, first + count - 1);
}

static void moved_away(unsigned from, unsigned count, bool stays)
{
	for (unsigned i = from; i < from + count && stays; i++)
		slots[i].own = slots[i].freed = false;
	if (!stays)
		forget(from, from + count - 1);
}

/* Moves a run of pages over another, as it is, longer or shorter; or its pages alone. */
static void do_move(unsigned from, unsigned to)
{
	unsigned count = run_of_pages(from, 1 + rng(6)), room = run_of_pages(to, 1 + rng(8));
	unsigned kept = count < room ? count : room;
	bool one = kept && one_region(from, from + kept - 1);
	bool stays = count == room && rng(3) == 0;

	if (!kept || (from < to + room && to < from + count) || (!one && !on_coppice))
		return;

	long got = CALL(SYS_mremap, places[from].start, count * PAGE, room * PAGE,
			MREMAP_MAYMOVE | MREMAP_FIXED | (stays ? MREMAP_DONTUNMAP : 0),
			places[to].start);

	if (one && got == -L_EFAULT && may_be_several(from, kept)) {
		start_anew(from, count);
		start_anew(to, room);
		return;
	}
	AGREE(got == (one ? (long)places[to].start : -L_EFAULT),
	      "mremap of %u slots %u to %u: 0x%lx", count, from, to, got);
	if (kept < count && slots[from].kind != UNMAPPED)
		forget(from + kept, from + count - 1);
	if (!one)
		return;
	move_slots(from, kept, to, room);
	moved_away(from, kept, stays);
}

/* Makes a run of pages longer where it is. */
static void do_grow(unsigned from, unsigned count, unsigned room)
{
	bool one = one_region(from, from + count - 1);
	long want = !one                                        ? -L_EFAULT
		    : any_mapped(from + count, from + room - 1) ? -L_ENOMEM
								: (long)places[from].start;
	long got = CALL(SYS_mremap, places[from].start, count * PAGE, room * PAGE, 0);

	if (one && got == -L_EFAULT && may_be_several(from, count))
		return;
	AGREE(got == want, "mremap of %u slots at %u to %u: 0x%lx, expected 0x%lx", count, from,
	      room, got, want);
	if (got > 0)
		move_slots(from, count, from, room);
}

/* Or shorter, however many regions it is. */
static void do_shrink(unsigned from, unsigned count, unsigned room)
{
	long got = CALL(SYS_mremap, places[from].start, count * PAGE, room * PAGE, 0);
	bool mapped = slots[from].kind != UNMAPPED;

	AGREE(got == (mapped ? (long)places[from].start : -L_EFAULT),
	      "mremap of %u slots at %u to %u: 0x%lx", count, from, room, got);
	if (mapped && room < count)
		forget(from + room, from + count - 1);
}

static void do_resize(unsigned from)
{
	unsigned count = run_of_pages(from, 1 + rng(6)), room = run_of_pages(from, 1 + rng(8));

	if (count && room > count)
		do_grow(from, count, room);
	else if (count)
		do_shrink(from, count, room);
}

/* Moves a run of slots, whole tables among them, to a place of its own and back again. */
static void do_round_trip(unsigned first, unsigned last)
{
	const int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	uintptr_t start = places[first].start;
	uint64_t length = bytes_of(first, last);
	bool one = one_region(first, last);

	if (!one && !on_coppice)
		return;

	long got = CALL(SYS_mremap, start, length, length, flags, SCRATCH);

	if (one && got == -L_EFAULT && may_be_several(first, last - first + 1))
		return;
	AGREE(got == (one ? (long)SCRATCH : -L_EFAULT), "mremap of slots %u to %u: 0x%lx", first,
	      last, got);
	if (one)
		got = CALL(SYS_mremap, SCRATCH, length, length, flags, start);
	AGREE(!one || got == (long)start, "mremap back: 0x%lx", got);
}

/* ---- Processes ---- */

static bool claim_writer(unsigned *writer)
{
	for (*writer = 0; *writer < mode->processes; ++*writer)
		if (!__atomic_exchange_n(&board->taken[*writer], true, __ATOMIC_SEQ_CST))
			return true;
	return false;
}

static void become_child(unsigned writer, uint64_t state)
{
	self = writer;
	rng_start(state);
	children = 0;
	open_pipe();
	for (unsigned i = 0; i < SLOTS; i++) {
		if (slots[i].wipe)
			slots[i].own = slots[i].freed = false;
		if (slots[i].dontfork)
			slots[i] = (struct slot) {0};
	}
}

static void do_fork(void)
{
	uint64_t state = rng_fork();
	unsigned writer;

	if (!claim_writer(&writer))
		return;
	if (on_coppice)
		set_fork_level(mode->any_level ? (int)rng(LEVEL_AUTO + 1) : fork_level);

	pid_t pid = fork();

	AGREE(pid >= 0, "fork: %d", (int)pid);
	if (pid == 0) {
		become_child(writer, state);
	} else {
		board->live++;
		children++;
	}
}

/* The children that have ended, or all of them when it waits. */
static void reap_children(int options)
{
	int status;

	while (children && waitpid(-1, &status, options) > 0) {
		AGREE(status == 0, "a child ended with wait status 0x%x", status);
		children--;
	}
}

/* Its children are left to init. */
static _Noreturn void leave(void)
{
	read_all();
	board->live--;
	board->taken[self] = false;
	end_process();
}

static void random_step(void)
{
	unsigned first = rng(SLOTS), left = SLOTS - first;
	unsigned last = first + rng(left < RUN_MOST ? left : RUN_MOST);
	unsigned what = rng(1000);

	if (what < 90)
		do_map(first, last);
	else if (what < 140)
		do_unmap(first, last);
	else if (what < 240)
		do_protect(first, last);
	else if (what < 300)
		do_advise(first, last);
	else if (what < 330)
		do_populate(first, 1 + rng(8));
	else if (what < 370)
		do_move(first, rng(SLOTS));
	else if (what < 400)
		do_resize(first);
	else if (what < 420)
		do_round_trip(first, last);
	else if (what < 970 && pages_of(first) == 1)
		use_slot(first, what < 670 ? WRITE : what < 920 ? READ : RUN);
	else if (what >= 970 && what < 990)
		do_fork();
	else if (what >= 990 && self != 0 && rng(2))
		leave();
}

/* One process's part, until all steps are done. */
static void work(void)
{
	for (step = 0; board->steps-- > 0 && !board->failed; step++) {
		random_step();
		if (step % 64 == 63)
			read_all();
		if (rng(8) == 0)
			CALL(SYS_sched_yield);
		reap_children(WNOHANG);
		if (on_coppice && rng(1000) == 0)
			AGREE(audit() == 0, "the audit found differences");
	}
}

static void make_file(void)
{
	static const char name[] = "/tmp/random.file";
	const char code = (char)RET;

	file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	REQUIRE(file >= 0 && unlink(name) == 0, "%s", name);
	REQUIRE(ftruncate(file, FILE_PAGES * PAGE) == 0, "ftruncate");
	for (unsigned i = 0; i < FILE_PAGES; i++)
		REQUIRE(pwrite(file, &code, 1, (off_t)(i * PAGE + CODE)) == 1, "pwrite");
}

static void make_board(void)
{
	board = mmap((void *)BOARD, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	REQUIRE(board == (void *)BOARD, "mmap of the board");
	board->steps = steps_wanted;
	board->live = 1;
	board->objects = THE_FILE + 1;
	board->taken[0] = true;
	board->pages[THE_FILE] = FILE_PAGES;
}

/* Until each process has ended, whoever's child it is: then nobody has the pipe open for writing. */
static void wait_for_all(void)
{
	char byte;

	close(alive[1]);
	reap_children(0);
	CHECK(read(alive[0], &byte, 1) == 0, "read of the pipe that nobody writes to");
	CHECK_EQUAL(board->live, 1, "processes that did not end in order, and the first");
	CHECK(!board->failed, "a process has failed");
}

static void random_operations(void)
{
	mode = test_context;
	rng_start(seed * 0x9e3779b97f4a7c15ul);
	ktap_note("%ld steps, replay with: random %lu %ld", steps_wanted, (unsigned long)seed,
		  steps_wanted);
	slots_init();
	make_file();
	make_board();
	REQUIRE(pipe(alive) == 0, "pipe");
	open_pipe();
	work();
	if (self != 0)
		leave();
	read_all();
	wait_for_all();
}

static const struct mode alone = {1, false}, several = {WRITERS, false}, mixed = {WRITERS, true};

static const struct test tests[] = {
	{.name = "one process", .run = random_operations, .context = &alone, .once = true},
	{.name = "eight processes", .run = random_operations, .context = &several},
	{.name = "eight processes, forked at mixed levels",
	 .run = random_operations,
	 .context = &mixed,
	 .coppice_only = true,
	 .once = true},
};

int main(int argc, char **argv)
{
	seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	steps_wanted = argc > 2 ? strtol(argv[2], NULL, 0) : steps_wanted;
	argc = argc > 2 ? argc - 2 : 1;
	argv[argc > 1 ? 2 : 0] = argv[0];
	return run_tests(tests, COUNT(tests), argc, argc > 1 ? argv + 2 : argv);
}
