/* The measurements: user/forkbench/measure.h. */
#include "user/forkbench/measure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/forkbench/kernel.h"
#include "user/lib/program.h"

#define PAGE       4096ul
#define SPAN       (2ul << 20)  /* what one PTE table maps */
#define SLACK      (32ul << 20) /* for the kernel, this program and its children's stacks */
#define STACK_USED 8192

/* Shared with the children: what they measured. */
struct report {
	unsigned long ns; /* NOT_MEASURED before */
};

struct memory {
	char *start; /* at the start of a span, in which nothing else is mapped */
	unsigned long bytes;
	char *mapping;
	unsigned long mapping_bytes;
};

static struct report *report;
static struct memory memory;
static unsigned rounds;
static unsigned long mark; /* what the parent wrote last into every page */

/* The few globals that a child of any program writes. */
static volatile unsigned long globals[16];

static int ready[2], release[2]; /* pipes: child to parent, parent to child */

void measure_init(unsigned rounds_wanted)
{
	rounds = rounds_wanted;
	report = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED || pipe(ready) != 0 || pipe(release) != 0) {
		die(1, "cannot prepare: %s", strerror(errno));
	}
	report->ns = NOT_MEASURED;
	/* so that the first measurement finds the buffers and the code of these as warm as the last
	 */
	kernel_table_kb(0);
	kernel_free_bytes();
	kernel_clock();
}

/* Tables of two processes at worst, 8 bytes for each page, with the levels above them. */
unsigned long memory_needed(unsigned long size, bool child_writes)
{
	return (child_writes ? 2 * size : size) + size / 200 + SLACK;
}

static volatile unsigned long *page_word(unsigned long offset)
{
	return (volatile unsigned long *)(memory.start + offset);
}

static void write_all(unsigned long value)
{
	for (unsigned long offset = 0; offset < memory.bytes; offset += PAGE) {
		*page_word(offset) = value;
	}
}

static unsigned long read_all(void)
{
	unsigned long sum = 0;

	for (unsigned long offset = 0; offset < memory.bytes; offset += PAGE) {
		sum += *page_word(offset);
	}
	return sum;
}

bool memory_map(unsigned long size)
{
	unsigned long bytes = ((size + SPAN - 1) & ~(SPAN - 1)) + SPAN;
	char *mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mapping == MAP_FAILED) {
		return false;
	}
#ifdef MADV_NOHUGEPAGE
	/* Linux would use pages of 2 MB; this is about pages of 4 kB. Where there are none, it
	 * fails: so be it. */
	madvise(mapping, bytes, MADV_NOHUGEPAGE);
#endif
	unsigned long misaligned = (unsigned long)mapping & (SPAN - 1);
	memory = (struct memory) {.start = mapping + (misaligned ? SPAN - misaligned : 0),
				  .bytes = size,
				  .mapping = mapping,
				  .mapping_bytes = bytes};
	write_all(++mark);
	return true;
}

void memory_unmap(void)
{
	munmap(memory.mapping, memory.mapping_bytes);
	memory = (struct memory) {0};
}

static int compare_numbers(const void *a, const void *b)
{
	unsigned long left = *(const unsigned long *)a, right = *(const unsigned long *)b;

	return (left > right) - (left < right);
}

unsigned long median(unsigned long *numbers, unsigned count)
{
	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	return numbers[count / 2];
}

static void await(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) != pid || status != 0) {
		die(1, "a child ended with wait status 0x%x", (unsigned)status);
	}
}

/* A write by a child must not reach the parent, whatever it cost. */
static void check_parent(void)
{
	if (*page_word(memory.bytes / 2 & ~(PAGE - 1)) != mark) {
		die(1, "the parent sees what its child wrote");
	}
}

/* One round in which the child measures: work runs in it, and its nanoseconds are returned. */
static unsigned long measure_in_child(void (*work)(void))
{
	write_all(++mark);
	pid_t pid = fork();
	if (pid == 0) {
		/* The stack, the clock's code and the clock's result are the child's own from here
		 * on. */
		kernel_clock();
		work();
		_exit(0);
	}
	if (pid < 0) {
		die(1, "fork: %s", strerror(errno));
	}
	await(pid);
	check_parent();
	return report->ns;
}

static void work_first_read(void)
{
	const volatile unsigned long *word = page_word(memory.bytes / 2 & ~(PAGE - 1));
	unsigned long start = kernel_clock();
	unsigned long read = *word;
	unsigned long stop = kernel_clock();

	report->ns = stop - start;
	if (read != mark) {
		_exit(1);
	}
}

static void work_first_write(void)
{
	volatile unsigned long *word = page_word(memory.bytes / 2 & ~(PAGE - 1));
	unsigned long start = kernel_clock();
	*word = 0;
	unsigned long stop = kernel_clock();

	report->ns = stop - start;
}

static void work_write_all(void)
{
	unsigned long start = kernel_clock();
	write_all(0);
	unsigned long stop = kernel_clock();

	report->ns = (stop - start) / (memory.bytes / PAGE);
}

static void work_read_all(void)
{
	unsigned long start = kernel_clock();
	unsigned long sum = read_all();
	unsigned long stop = kernel_clock();

	report->ns = (stop - start) / (memory.bytes / PAGE);
	if (sum != mark * (memory.bytes / PAGE)) {
		_exit(1);
	}
}

static unsigned long median_in_child(void (*work)(void))
{
	unsigned long numbers[MAX_ROUNDS] = {0};

	for (unsigned i = 0; i < rounds; i++) {
		numbers[i] = measure_in_child(work);
	}
	return median(numbers, rounds);
}

/* Forks a child that exits at once: when fork began, when it returned, when wait returned. */
static void cycle(unsigned long *before, unsigned long *between, unsigned long *after)
{
	*before = kernel_clock();
	pid_t pid = fork();
	if (pid == 0) {
		_exit(0);
	}
	*between = kernel_clock();
	int status = 0;
	pid_t ended = waitpid(pid, &status, 0);
	*after = kernel_clock();
	if (pid < 0 || ended != pid || status != 0) {
		die(1, "fork or wait failed: %s", strerror(errno));
	}
}

static void measure_cycle(struct row *row)
{
	unsigned long forks[MAX_ROUNDS] = {0}, exits[MAX_ROUNDS] = {0};
	unsigned long before, between, after;

	for (unsigned i = 0; i < rounds; i++) {
		write_all(++mark);
		cycle(&before, &between, &after);
		forks[i] = between - before;
		exits[i] = after - between;
	}
	row->value[MEASURE_FORK] = median(forks, rounds);
	row->value[MEASURE_EXIT_WAIT] = median(exits, rounds);
}

/* A child that runs, writing its stack and a few globals, says so and stays until it is released.
 */
_Noreturn static void run_lightly(void)
{
	volatile char stack[STACK_USED];
	char byte = 0;

	for (size_t i = 0; i < sizeof(stack); i += 64) {
		stack[i] = 1;
	}
	for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++) {
		globals[i] = i + (unsigned long)stack[0];
	}
	bool done = write(ready[1], &byte, 1) == 1 && read(release[0], &byte, 1) == 1;
	_exit(done ? 0 : 1);
}

static void measure_tables_once(unsigned long *before, unsigned long *after)
{
	char byte = 0;

	write_all(++mark);
	*before = kernel_table_kb(0);
	pid_t pid = fork();
	if (pid == 0) {
		run_lightly();
	}
	if (pid < 0 || read(ready[0], &byte, 1) != 1) {
		die(1, "fork or its child failed: %s", strerror(errno));
	}
	*after = kernel_table_kb(pid);
	if (write(release[1], &byte, 1) != 1) {
		die(1, "cannot release the child: %s", strerror(errno));
	}
	await(pid);
}

static void measure_tables(struct row *row)
{
	unsigned long before[MAX_ROUNDS] = {0}, after[MAX_ROUNDS] = {0};

	for (unsigned i = 0; i < rounds; i++) {
		measure_tables_once(&before[i], &after[i]);
	}
	row->value[MEASURE_TABLES_BEFORE] = median(before, rounds);
	row->value[MEASURE_TABLES_AFTER] = median(after, rounds);
}

void measure_row(struct row *row, bool writes)
{
	kernel_set_level(row->level);
	measure_cycle(row);
	row->value[MEASURE_FIRST_READ] = median_in_child(work_first_read);
	row->value[MEASURE_FIRST_WRITE] = median_in_child(work_first_write);
	row->value[MEASURE_READ_ALL] = median_in_child(work_read_all);
	measure_tables(row);
	row->value[MEASURE_WRITE_ALL] = writes ? median_in_child(work_write_all) : NOT_MEASURED;
}

unsigned long measure_tiny_cycle(int level)
{
	unsigned long numbers[MAX_ROUNDS] = {0};
	unsigned long before, between, after;

	kernel_set_level(level);
	cycle(&before, &between, &after); /* the first one fills the kernel's caches */
	for (unsigned i = 0; i < rounds; i++) {
		cycle(&before, &between, &after);
		numbers[i] = after - before;
	}
	return median(numbers, rounds);
}

unsigned long measure_fork(void)
{
	unsigned long before, between, after;

	cycle(&before, &between, &after);
	return between - before;
}

unsigned long measure_clock(void)
{
	unsigned long numbers[MAX_ROUNDS] = {0};

	for (unsigned i = 0; i < rounds; i++) {
		unsigned long start = kernel_clock();
		numbers[i] = kernel_clock() - start;
	}
	return median(numbers, rounds);
}
