/*
 * Processes with several threads that get into each other's way on purpose, on musl: forks while other threads write,
 * map, unmap, protect and move pages of the same spans; sharers whose threads break one table together; the exit of
 * the last sharer against the faults of the other's threads; exec and kills at every point of all that.
 *
 * Catches: a child that sees what was written after its fork, or not all that was before; a thread that writes through
 * a translation that was taken away; a table freed under another thread's walk; what a killed process with threads
 * leaves behind. Every thread owns words that only it writes, and knows what they must hold. The harness runs the audit
 * and compares tables and frames after each case.
 *
 * threadstorm [part of a case's name [level]]; STORM_ROUNDS, STORM_SEED and STORM_THREADS in the environment make it
 * last and differ.
 */
#include "../guest/lib.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_THREADS 16u

static unsigned rounds = 12, threads = 4;
static uint64_t seed = 1;
static const char *program;

/* ---- Threads ---- */

static pthread_t begin(void *(*body)(void *), size_t me)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, body, (void *)me);

	REQUIRE(error == 0, "pthread_create: %d", error);
	return thread;
}

static void begin_all(pthread_t *all, void *(*body)(void *))
{
	for (size_t i = 0; i < threads; i++)
		all[i] = begin(body, i);
}

static void join_all(const pthread_t *all)
{
	for (size_t i = 0; i < threads; i++)
		pthread_join(all[i], NULL);
}

/* A state of its own for each thread and round: a case is the same whatever ran before it. */
static uint64_t random_state(size_t round, size_t me)
{
	uint64_t state = seed + round * 1000003 + me * 7919 + 1;

	random_next(&state);
	return state;
}

static void spin(uint64_t count)
{
	while (count--)
		atomic_signal_fence(memory_order_seq_cst);
}

/* A barrier of threads of several processes, in memory that all share: they spin, so that they go on in one moment. */
struct barrier {
	atomic_uint arrived, round;
};

static struct barrier *barrier;

static void make_barrier(void)
{
	barrier = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(barrier != MAP_FAILED, "mmap");
}

static void meet(unsigned count)
{
	unsigned round = barrier->round;

	if (++barrier->arrived == count) {
		barrier->arrived = 0;
		barrier->round++;
		return;
	}
	for (unsigned spins = 1; barrier->round == round; spins++)
		if (spins % 256 == 0)
			sched_yield();
}

/* ---- Numbered pages: what a child must see ---- */

#define SPANS  3u
#define KEPT   48u /* pages with words, spread over the spans */
#define STRIDE (SPANS * SPAN / KEPT)
#define SLOTS  16u             /* pages after each of them that one thread maps and unmaps */
#define AWAY   (STRIDE - PAGE) /* from a kept page to where it is moved */

static char *spans;
static atomic_bool stop;

static char *kept(unsigned long page)
{
	return spans + page * STRIDE;
}

/* Thread `me` writes number n to its word of page n % KEPT, one number after the other. */
static volatile uint64_t *word_in(char *page, size_t me)
{
	return (volatile uint64_t *)page + me;
}

/* The page is at home, or where move_and_protect() has put it when the process was forked. */
static char *find_kept(unsigned page)
{
	unsigned char there;

	return mincore(kept(page), PAGE, &there) == 0 ? kept(page) : kept(page) + AWAY;
}

/* A write to a page that is protected or away: again, until it is back. */
static void try_again(int signal)
{
	(void)signal;
	sched_yield();
}

static void *write_numbers(void *context)
{
	size_t me = (size_t)context;

	for (uint64_t n = 1; !stop; n++) {
		volatile uint64_t *word = word_in(kept(n % KEPT), me);
		uint64_t before = n > KEPT ? n - KEPT : 0;

		CHECK(*word == before, "writer %zu: page %lu holds %lu, not %lu", me,
		      (long)(n % KEPT), (long)*word, (long)before);
		*word = n;
	}
	return NULL;
}

/* Protects single pages or moves them away, and undoes it: a thread has every threads-th page. */
static void *move_and_protect(void *context)
{
	uint64_t state = random_state(0, 100 + (size_t)context);

	while (!stop) {
		unsigned long page =
			random_next(&state) % (KEPT / threads) * threads + (size_t)context;
		char *home = kept(page), *away = home + AWAY;

		if (random_next(&state) % 2) {
			CHECK_EQUAL(mprotect(home, PAGE, PROT_READ), 0, "mprotect to read");
			spin(random_next(&state) % 500);
			CHECK_EQUAL(mprotect(home, PAGE, PROT_READ | PROT_WRITE), 0,
				    "mprotect to write");
		} else {
			CHECK(mremap(home, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, away) == away,
			      "mremap");
			spin(random_next(&state) % 500);
			CHECK(mremap(away, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, home) == home,
			      "mremap back");
		}
		sched_yield();
	}
	return NULL;
}

/* Maps, fills, discards and unmaps pages between those that are kept: they are new, as left, or gone. */
static void *map_between(void *context)
{
	size_t me = (size_t)context;
	uint64_t state = random_state(0, 200 + me);

	while (!stop) {
		unsigned long page = random_next(&state) % (KEPT / threads) * threads + me;
		size_t count = 1 + random_next(&state) % SLOTS;
		char *at = map_at((uintptr_t)kept(page) + PAGE, count * PAGE);

		for (size_t i = 0; i < count; i++)
			CHECK(stamped(at + i * PAGE, 0), "a new page of thread %zu", me);
		stamp_all(at, count, PAGE, (unsigned)me + 1);
		CHECK_EQUAL(mprotect(at, PAGE, PROT_READ), 0, "mprotect");
		check_stamps(at, count, PAGE, (unsigned)me + 1, "what a thread mapped");
		if (random_next(&state) % 2) {
			CHECK_EQUAL(madvise(at, count * PAGE, MADV_DONTNEED), 0, "madvise");
			CHECK(stamped(at, 0), "a discarded page of thread %zu", me);
		}
		CHECK_EQUAL(munmap(at, count * PAGE), 0, "munmap");
	}
	return NULL;
}

/* All that each thread had written up to some moment, and nothing later. */
static void check_snapshot(char *const *pages)
{
	for (size_t me = 0; me < threads; me++) {
		uint64_t latest = 0;

		for (unsigned i = 0; i < KEPT; i++)
			if (*word_in(pages[i], me) > latest)
				latest = *word_in(pages[i], me);
		for (uint64_t n = latest; n > 0 && n + KEPT > latest; n--)
			CHECK(*word_in(pages[n % KEPT], me) == n,
			      "thread %zu: %lu is there, %lu not: %lu", me, (long)latest, (long)n,
			      (long)*word_in(pages[n % KEPT], me));
	}
}

#define CHILDS_WORD MOST_THREADS

static void write_in_child(char *const *pages, uint64_t value)
{
	for (unsigned i = 0; i < KEPT; i++)
		*word_in(pages[i], CHILDS_WORD) = value;
	check_snapshot(pages);
	for (unsigned i = 0; i < KEPT; i++)
		CHECK(*word_in(pages[i], CHILDS_WORD) == value, "page %u of process %lu", i,
		      (long)value);
}

static void grandchild(void *context)
{
	write_in_child(context, (uint64_t)getpid());
}

static void check_child(void *context)
{
	char *pages[KEPT];
	pid_t pid = -1;

	for (unsigned i = 0; i < KEPT; i++) {
		pages[i] = find_kept(i);
		CHECK(mprotect(pages[i], PAGE, PROT_READ | PROT_WRITE) == 0, "page %u", i);
	}
	check_snapshot(pages);
	if (*(size_t *)context % 4 == 0)
		pid = start(grandchild, pages);
	write_in_child(pages, (uint64_t)getpid());
	if (pid > 0)
		reap(pid);
}

static void *fork_often(void *context)
{
	for (size_t i = 0; i < rounds; i++) {
		pid_t pid = start(check_child, &i);

		reap(pid);
	}
	return context;
}

static void *nothing(void *context)
{
	return context;
}

static void *begin_often(void *context)
{
	(void)context;
	while (!stop)
		pthread_join(begin(nothing, 0), NULL);
	return NULL;
}

static void handle_faults(void)
{
	struct sigaction action = {.sa_handler = try_again};

	CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0, "sigaction");
}

static void make_spans(void)
{
	spans = (char *)slot_base(6);
	for (unsigned i = 0; i < KEPT; i++)
		map_at((uintptr_t)kept(i), PAGE);
	handle_faults();
}

/* Several fork, while others do all the rest to the same tables. */
static void forks_against_all(void)
{
	pthread_t writers[MOST_THREADS], movers[MOST_THREADS], mappers[MOST_THREADS], forkers[2],
		beginner;

	make_spans();
	begin_all(writers, write_numbers);
	begin_all(movers, move_and_protect);
	begin_all(mappers, map_between);
	beginner = begin(begin_often, 0);
	for (size_t i = 0; i < COUNT(forkers); i++)
		forkers[i] = begin(fork_often, i);
	for (size_t i = 0; i < COUNT(forkers); i++)
		pthread_join(forkers[i], NULL);
	stop = true;
	join_all(writers);
	join_all(movers);
	join_all(mappers);
	pthread_join(beginner, NULL);
	for (unsigned i = 0; i < KEPT; i++)
		CHECK(*word_in(kept(i), CHILDS_WORD) == 0, "page %u: a child's word", i);
}

/* ---- Sharers that break a table ---- */

#define SHARERS 3u
#define PAGES   64u

static char *arena;
static unsigned round_now;

static void make_arena(void)
{
	arena = map_at(slot_base(7), PAGES * PAGE);
	stamp_all(arena, PAGES, PAGE, 1);
}

/* One page that all threads of all sharers write, each a word; and one of each thread's own. */
static void *break_body(void *context)
{
	size_t me = (size_t)context, own = (round_now + 1 + me) % PAGES;
	volatile uint64_t *word = word_in(arena + round_now % PAGES * PAGE, 8 + me);
	uint64_t value = (uint64_t)getpid() * 100 + me;

	meet(SHARERS * threads);
	*word = value;
	stamp(arena + own * PAGE, 10 + (unsigned)me);
	CHECK(*word == value, "thread %zu: its word", me);
	CHECK(stamped(arena + own * PAGE, 10 + (unsigned)me), "thread %zu: its page", me);
	CHECK(stamped(arena + (round_now + 40) % PAGES * PAGE, 1),
	      "thread %zu: a page that nobody writes", me);
	return NULL;
}

static void break_in_threads(void *context)
{
	pthread_t all[MOST_THREADS];

	(void)context;
	begin_all(all, break_body);
	join_all(all);
	for (size_t me = 0; me < threads; me++)
		CHECK(*word_in(arena + round_now % PAGES * PAGE, 8 + me) ==
			      (uint64_t)getpid() * 100 + me,
		      "the word of thread %zu", me);
}

static void break_together(void)
{
	pid_t pids[SHARERS];

	make_arena();
	make_barrier();
	for (round_now = 0; round_now < 2 * rounds; round_now++) {
		for (unsigned i = 1; i < SHARERS; i++)
			pids[i] = start(break_in_threads, NULL);
		break_in_threads(NULL);
		for (unsigned i = 1; i < SHARERS; i++)
			reap(pids[i]);
		stamp_all(arena, PAGES, PAGE, 1);
	}
}

/* ---- The last sharer leaves ---- */

static void *leave(void *context)
{
	uint64_t state = random_state(round_now, (size_t)context);

	while (!stop)
		sched_yield();
	spin(random_next(&state) % 300);
	_exit(0);
}

/* The child's exit begins in one of its threads, while others of them are about to do the same. */
static void leave_in_threads(void *context)
{
	(void)context;
	for (size_t i = 0; i < 2; i++)
		begin(leave, i);
	meet(1 + threads);
	stop = true;
	leave((void *)2);
}

static void *fault_body(void *context)
{
	size_t me = (size_t)context;
	char *page = arena + (round_now + me) % PAGES * PAGE;
	uint64_t state = random_state(round_now, 50 + me);

	meet(1 + threads);
	spin(random_next(&state) % 2000);
	stamp(page, 2 + (unsigned)me);
	CHECK(stamped(page, 2 + (unsigned)me), "round %u: thread %zu", round_now, me);
	return NULL;
}

static void exit_against_faults(void)
{
	pthread_t all[MOST_THREADS];

	make_arena();
	make_barrier();
	for (round_now = 0; round_now < 8 * rounds; round_now++) {
		pid_t pid = start(leave_in_threads, NULL);

		begin_all(all, fault_body);
		join_all(all);
		reap(pid);
		stamp_all(arena, PAGES, PAGE, 1);
	}
}

/* ---- exec and kill ---- */

/* One thing at random that a kill may interrupt. */
static void disturb(uint64_t *state, size_t me)
{
	char *mine = arena + PAGES * PAGE * (2 + me);
	pid_t pid;

	switch (random_next(state) % 6) {
	case 0:
		pid = fork();
		stamp(arena + random_next(state) % PAGES * PAGE, 3);
		if (pid == 0 && random_next(state) % 2)
			execl(program, program, "nothing", NULL);
		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		break;
	case 1:
		pthread_join(begin(nothing, 0), NULL);
		break;
	case 2:
		mprotect(arena + random_next(state) % PAGES * PAGE, PAGE, PROT_READ);
		break;
	case 3:
		mprotect(arena, PAGES * PAGE, PROT_READ | PROT_WRITE);
		break;
	default:
		stamp_all(map_at((uintptr_t)mine, PAGES * PAGE), 8, PAGE, 4);
		munmap(mine + PAGE, (PAGES / 2) * PAGE);
	}
}

static void *disturb_for_ever(void *context)
{
	uint64_t state = random_state((size_t)getpid(), (size_t)context);

	while (!stop)
		disturb(&state, (size_t)context);
	return NULL;
}

/* Now and then it executes itself, and goes on as what main() makes of it. */
static void busy_body(void *context)
{
	uint64_t state = random_state((size_t)getpid(), 99);
	pthread_t all[MOST_THREADS];

	(void)context;
	handle_faults();
	begin_all(all, disturb_for_ever);
	for (;;) {
		for (unsigned i = random_next(&state) % 20; i > 0; i--)
			disturb(&state, threads);
		execl(program, program, "busy", NULL);
	}
}

/* From a moment that differs each time, so that it is hit at every point of what it does. */
static void kill_anywhere(void)
{
	uint64_t state = random_state(0, 0);

	make_arena();
	for (unsigned i = 0; i < 6 * rounds; i++) {
		pid_t pid = start(busy_body, NULL);
		int status = 0;

		spin(random_next(&state) % (i % 4 ? 1000000 : 20000));
		CHECK_EQUAL(kill(pid, SIGKILL), 0, "kill");
		CHECK_EQUAL(waitpid(pid, &status, 0), pid, "waitpid");
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %x",
		      (unsigned)status);
	}
	check_stamps(arena, PAGES, PAGE, 1, "the parent's pages after the kills");
}

static void *execute(void *context)
{
	uint64_t state = random_state(round_now, (size_t)context);

	spin(random_next(&state) % 3000);
	execl(program, program, "nothing", NULL);
	CHECK(false, "exec returned");
	return NULL;
}

static void *stamp_for_ever(void *context)
{
	for (unsigned long i = 0; !stop; i++)
		stamp(arena + i % PAGES * PAGE, 5 + (unsigned)(size_t)context);
	return NULL;
}

/* Two threads execute at once, while others break tables that the parent shares. */
static void execute_among_others(void *context)
{
	pthread_t all[MOST_THREADS];

	(void)context;
	begin_all(all, stamp_for_ever);
	begin(execute, 0);
	execute((void *)1);
}

static void exec_against_faults(void)
{
	make_arena();
	for (round_now = 0; round_now < 4 * rounds; round_now++) {
		pid_t pid = start(execute_among_others, NULL);

		stamp(arena + round_now % PAGES * PAGE, 2);
		CHECK(stamped(arena + round_now % PAGES * PAGE, 2), "round %u", round_now);
		reap(pid);
		stamp_all(arena, PAGES, PAGE, 1);
	}
}

static const struct test tests[] = {
	{.name = "forks against all that threads do", .run = forks_against_all},
	{.name = "threads of sharers break a table together", .run = break_together},
	{.name = "the last sharer's exit against faults of threads", .run = exit_against_faults},
	{.name = "exec against faults of threads", .run = exec_against_faults},
	{.name = "threads killed anywhere", .run = kill_anywhere},
};

static uint64_t setting(const char *name, uint64_t usual)
{
	const char *word = getenv(name);

	return word ? strtoull(word, NULL, 0) : usual;
}

int main(int argc, char **argv)
{
	program = argv[0];
	rounds = (unsigned)setting("STORM_ROUNDS", rounds);
	threads = (unsigned)setting("STORM_THREADS", threads);
	seed = setting("STORM_SEED", seed);
	REQUIRE(threads >= 1 && threads <= MOST_THREADS, "STORM_THREADS: 1 to %u", MOST_THREADS);
	if (argc > 1 && strcmp(argv[1], "nothing") == 0)
		return 0;
	if (argc > 1 && strcmp(argv[1], "busy") == 0) {
		make_arena();
		busy_body(NULL);
	}
	ktap_note("seed %lu, %u rounds, %u threads", (unsigned long)seed, rounds, threads);
	return run_tests(tests, COUNT(tests), argc, argv);
}
