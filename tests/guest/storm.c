/*
 * Processes on several CPUs that get into each other's way on purpose: sharers that break one table at the same
 * moment, an exit against the other sharer's fault, storms of forks, files that shrink under writers, and kills at
 * every point of fork and exec.
 *
 * Catches: a table or page that two take over at once; a translation used after its frame went to somebody else;
 * a ref lost or counted twice when both drop at once; a killed fork or exec that leaves something behind. The
 * harness runs the audit and compares tables and frames after each case.
 *
 * storm [part of a case's name [level]]; STORM_ROUNDS and STORM_SEED in the environment make it last and differ.
 */
#include "probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHARERS 6u
#define PAGES   64u

static unsigned rounds = 24;
static uint64_t seed = 1;

/* ---- A barrier of spinning processes, in memory that all share ---- */

struct barrier {
	unsigned arrived, round;
};

static struct barrier *barrier_make(void)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(at != MAP_FAILED, "mmap");
	return at;
}

/* Lets all go on together; they spin, so that they do it in the same moment. */
static void meet(struct barrier *barrier, unsigned count)
{
	unsigned round = __atomic_load_n(&barrier->round, __ATOMIC_SEQ_CST);

	if (__atomic_add_fetch(&barrier->arrived, 1, __ATOMIC_SEQ_CST) == count) {
		barrier->arrived = 0;
		__atomic_store_n(&barrier->round, round + 1, __ATOMIC_SEQ_CST);
		return;
	}
	for (unsigned spins = 0; __atomic_load_n(&barrier->round, __ATOMIC_SEQ_CST) == round;
	     spins++)
		if (spins % 256 == 255)
			CALL(24); /* sched_yield: there may be fewer CPUs than processes */
}

/* ---- Cases ---- */

static struct barrier *barrier;
static char *pages;
static unsigned round_now;

static char *arena(void)
{
	char *at = map_at(slot_base(3), PAGES * PAGE);

	stamp_all(at, PAGES, PAGE, 1);
	return at;
}

static void break_body(void *context)
{
	unsigned me = *(unsigned *)context, page = round_now % PAGES;
	char *same = pages + page * PAGE, *own = pages + (page + 1 + me) % PAGES * PAGE;

	meet(barrier, SHARERS);
	stamp(same, 10 + me);
	CHECK(stamped(same, 10 + me), "sharer %u: the page that all write", me);
	stamp(own, 20 + me);
	CHECK(stamped(own, 20 + me), "sharer %u: its own page", me);
	CHECK(stamped(pages + (page + 20) % PAGES * PAGE, 1), "sharer %u: a page of all", me);
}

/* One writes too, the parent: so the last to find refs 1 may be anybody. */
static void break_together(void)
{
	pid_t pids[SHARERS];
	unsigned names[SHARERS];

	pages = arena();
	barrier = barrier_make();
	for (round_now = 0; round_now < rounds; round_now++) {
		for (unsigned i = 1; i < SHARERS; i++) {
			names[i] = i;
			pids[i] = start(break_body, &names[i]);
		}
		names[0] = 0;
		break_body(&names[0]);
		for (unsigned i = 1; i < SHARERS; i++)
			reap(pids[i]);
		stamp_all(pages, PAGES, PAGE, 1);
	}
}

static void exit_body(void *context)
{
	(void)context;
	meet(barrier, 2);
	_exit(0);
}

/* The one's exit drops what the other's fault is about to copy or to keep. */
static void exit_against_fault(void)
{
	pages = arena();
	barrier = barrier_make();
	for (unsigned i = 0; i < 4 * rounds; i++) {
		char *page = pages + i % PAGES * PAGE;
		pid_t pid = start(exit_body, NULL);

		meet(barrier, 2);
		for (unsigned spin = 0; spin < i % 50 * 20; spin++)
			asm volatile("");
		stamp(page, 2 + i);
		CHECK(stamped(page, 2 + i), "round %u", i);
		reap(pid);
		stamp(page, 1);
	}
}

static void two_leave_body(void *context)
{
	unsigned me = *(unsigned *)context;

	meet(barrier, 2);
	if (me)
		CHECK(munmap(pages, PAGES / 2 * PAGE) == 0, "munmap");
	else
		stamp(pages + PAGES / 4 * PAGE, 9);
}

/* Both drop their pointers at one table at once, and then nobody has it any more. */
static void leave_together(void)
{
	unsigned names[2] = {0, 1};

	pages = arena();
	barrier = barrier_make();
	for (unsigned i = 0; i < 2 * rounds; i++) {
		pid_t first = start(two_leave_body, &names[0]);
		pid_t second = start(two_leave_body, &names[1]);

		reap(first);
		reap(second);
		CHECK(stamped(pages + PAGES / 4 * PAGE, 1), "round %u: the parent's page", i);
	}
}

#define UNTOUCHED (SPAN / PAGE - PAGES) /* pages of the same table that nobody has read */

static void fill_body(void *context)
{
	unsigned me = *(unsigned *)context;

	meet(barrier, SHARERS);
	if (me % 2) {
		stamp(pages + me * PAGE, 30 + me);
		CHECK(stamped(pages + me * PAGE, 30 + me), "writer %u", me);
	}
	for (unsigned i = me; i < UNTOUCHED; i += SHARERS)
		CHECK(stamped(pages + (PAGES + i) * PAGE, 0), "sharer %u: page %u", me, i);
}

/* Some read, and fill the table that they share; others write, and copy it meanwhile. */
static void fill_against_break(void)
{
	unsigned names[SHARERS];
	pid_t pids[SHARERS];

	barrier = barrier_make();
	for (unsigned round = 0; round < rounds; round++) {
		pages = map_at(slot_base(5), SPAN);
		stamp_all(pages, PAGES, PAGE, 1);
		for (unsigned i = 0; i < SHARERS; i++) {
			names[i] = i;
			pids[i] = start(fill_body, &names[i]);
		}
		for (unsigned i = 0; i < SHARERS; i++)
			reap(pids[i]);
		if (round % 8 == 7)
			check_audit("after fills against a break");
		CHECK_EQUAL(munmap(pages, SPAN), 0, "munmap");
	}
}

static void tree_body(void *context)
{
	unsigned depth = *(unsigned *)context, less = depth - 1, mine = (unsigned)getpid();
	pid_t children[3];

	if (depth)
		for (unsigned i = 0; i < 3; i++)
			children[i] = start(tree_body, &less);
	for (unsigned i = 0; i < PAGES; i += 7)
		stamp(pages + i * PAGE, mine);
	for (unsigned i = 0; i < PAGES; i += 7)
		CHECK(stamped(pages + i * PAGE, mine), "page %u of process %u", i, mine);
	CHECK(stamped(pages + PAGE, 1), "a page that nobody writes");
	for (unsigned i = 0; depth && i < 3; i++)
		reap(children[i]);
}

/* 120 processes at once, each a sharer of all above it. */
static void fork_storm(void)
{
	unsigned depth = 4;

	pages = arena();
	for (unsigned i = 0; i < rounds / 20 + 1; i++)
		reap(start(tree_body, &depth));
}

#define FILE_PAGES 16u

static void writer_body(void *context)
{
	volatile char *at = context;

	for (unsigned i = 0; i < 100 * rounds; i++) {
		int signal = signal_of(at + i % FILE_PAGES * PAGE, USE_WRITE);

		CHECK(signal == 0 || signal == SIGBUS, "signal %d", signal);
	}
}

/* What a write finds of a file that shrinks and grows is the page or SIGBUS, never something else. */
static void shrink_under_writers(void)
{
	int fd = file_make(FILE_PAGES, 'x');
	char *at = map_over((char *)slot_base(4), FILE_PAGES, MAP_SHARED, fd);
	pid_t writers[3];

	for (unsigned i = 0; i < 3; i++)
		writers[i] = start(writer_body, at);
	for (unsigned i = 0; i < 10 * rounds; i++) {
		CHECK_EQUAL(ftruncate(fd, (off_t)(i % 2 ? FILE_PAGES * PAGE : i % 5 * PAGE)), 0,
			    "ftruncate");
	}
	for (unsigned i = 0; i < 3; i++)
		reap(writers[i]);
	CHECK_EQUAL(close(fd), 0, "close");
}

/* Forks, writes and executes without end. */
static void busy_body(void *context)
{
	static char *const arguments[] = {"/tests/storm", "nothing", NULL};

	(void)context;
	for (unsigned i = 0;; i++) {
		pid_t pid = fork();

		stamp(pages + i % PAGES * PAGE, 3);
		if (pid == 0 && i % 2)
			execv(arguments[0], arguments);
		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

/* From a little later each time, so that it is hit at every point of what it does. */
static void kill_anywhere(void)
{
	pages = arena();
	for (unsigned i = 0; i < 5 * rounds; i++) {
		pid_t pid = start(busy_body, NULL);
		uint64_t spins = random_next(&seed) % 60000;
		int status = 0;

		while (spins--)
			asm volatile("");
		CHECK_EQUAL(kill(pid, SIGKILL), 0, "kill");
		CHECK_EQUAL(waitpid(pid, &status, 0), pid, "waitpid");
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %x", status);
	}
	CHECK(check_stamps(pages, PAGES, PAGE, 1, "after the kills"), "the parent's pages");
	usleep(20000); /* what the killed had started ends by itself, init's children now */
}

static const struct test tests[] = {
	{.name = "sharers break a table together", .run = break_together},
	{.name = "an exit against a fault", .run = exit_against_fault},
	{.name = "two leave a table together", .run = leave_together},
	{.name = "fills against a break", .run = fill_against_break},
	{.name = "a storm of forks", .run = fork_storm},
	{.name = "a file that shrinks under writers", .run = shrink_under_writers},
	{.name = "killed anywhere", .run = kill_anywhere},
};

int main(int argc, char **argv)
{
	const char *word = getenv("STORM_ROUNDS");

	if (argc > 1 && strcmp(argv[1], "nothing") == 0)
		return 0;
	if (word)
		rounds = (unsigned)strtoul(word, NULL, 0);
	word = getenv("STORM_SEED");
	if (word)
		seed = strtoul(word, NULL, 0) | 1;
	return run_tests(tests, COUNT(tests), argc, argv);
}
