/* Single operations: user/forkbench/paths.h. */
#include "user/forkbench/paths.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/forkbench/kernel.h"
#include "user/forkbench/measure.h"
#include "user/lib/program.h"

#define PAGE       4096ul
#define MANY_CALLS 1000u
#define FEW_CALLS  10u
#define MANY_PAGES 2048ul

static const char *const names[PATHS] = {
	[PATH_SYSTEM_CALL] = "null system call",
	[PATH_PIPE] = "pipe round trip between two processes",
	[PATH_EXEC] = "fork, exec, exit and wait",
	[PATH_FORK_REGIONS] = "fork with 4000 regions",
	[PATH_FIRST_WRITE] = "first write to anonymous memory, per page",
	[PATH_FIRST_READ] = "first read of anonymous memory, per page",
	[PATH_UNMAP] = "munmap, per page written",
	[PATH_PAGE_OUT] = "MADV_PAGEOUT, per page written",
	[PATH_SWAP_IN] = "first read of what is in swap, per page",
};

const char *path_name(enum path path)
{
	return names[path];
}

static void check(bool good, const char *what)
{
	if (!good) {
		die(1, "%s: %s", what, strerror(errno));
	}
}

static void nothing(void)
{
}

static unsigned long time_calls(void (*work)(void), unsigned count)
{
	unsigned long start = kernel_clock();

	for (unsigned i = 0; i < count; i++) {
		work();
	}
	return kernel_clock() - start;
}

/* The first call is not counted: it finds the code and the kernel's caches cold. */
static unsigned long time_call(void (*work)(void), unsigned count)
{
	work();
	return (time_calls(work, count) - time_calls(nothing, count)) / count;
}

static void call_system(void)
{
	getppid();
}

static unsigned long measure_system_call(void)
{
	return time_call(call_system, MANY_CALLS);
}

/* ---- Pipes ---- */

static int there[2], back[2];

static void round_trip(void)
{
	char byte = 0;

	check(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "pipe");
}

_Noreturn static void echo(void)
{
	char byte;

	close(there[1]);
	while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1) {
	}
	_exit(0);
}

static unsigned long measure_pipe(void)
{
	check(pipe(there) == 0 && pipe(back) == 0, "pipe");
	pid_t child = fork();
	check(child >= 0, "fork");
	if (child == 0) {
		echo();
	}
	unsigned long ns = time_call(round_trip, MANY_CALLS);
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
	check(waitpid(child, NULL, 0) == child, "wait");
	return ns;
}

/* ---- Processes ---- */

static char self[256];

static void run_program(void)
{
	static char name[] = "forkbench", option[] = EXEC_OPTION;
	char *const arguments[] = {name, option, NULL};
	char *const environment[] = {NULL};
	int status = 0;

	pid_t child = fork();
	if (child == 0) {
		execve(self, arguments, environment);
		_exit(1);
	}
	check(child > 0 && waitpid(child, &status, 0) == child && status == 0, self);
}

static unsigned long measure_exec(void)
{
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	check(length > 0, "/proc/self/exe");
	self[length] = '\0';
	return time_call(run_program, FEW_CALLS);
}

static char *map(unsigned long bytes)
{
	char *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(memory != MAP_FAILED, "mmap");
#ifdef MADV_NOHUGEPAGE
	madvise(memory, bytes, MADV_NOHUGEPAGE); /* see memory_map() */
#endif
	return memory;
}

static void write_pages(volatile char *memory, unsigned long bytes)
{
	for (unsigned long offset = 0; offset < bytes; offset += PAGE) {
		memory[offset] = 1;
	}
}

static void read_pages(volatile char *memory, unsigned long bytes)
{
	for (unsigned long offset = 0; offset < bytes; offset += PAGE) {
		(void)memory[offset];
	}
}

/* Every other page read-only: no two neighbours can be one region. */
static unsigned long measure_fork_regions(void)
{
	unsigned long bytes = MANY_REGIONS * PAGE;
	char *memory = map(bytes);

	write_pages(memory, bytes);
	for (unsigned long offset = 0; offset < bytes; offset += 2 * PAGE) {
		check(mprotect(memory + offset, PAGE, PROT_READ) == 0, "mprotect");
	}
	unsigned long ns = measure_fork() - measure_clock();
	munmap(memory, bytes);
	return ns;
}

/* ---- Memory ---- */

static unsigned long measure_touch(void (*touch)(volatile char *, unsigned long))
{
	unsigned long bytes = MANY_PAGES * PAGE;
	char *memory = map(bytes);
	unsigned long start = kernel_clock();

	touch(memory, bytes);
	unsigned long ns = kernel_clock() - start - measure_clock();
	munmap(memory, bytes);
	return ns / MANY_PAGES;
}

static unsigned long measure_unmap(void)
{
	unsigned long bytes = MANY_PAGES * PAGE;
	char *memory = map(bytes);

	write_pages(memory, bytes);
	unsigned long start = kernel_clock();
	munmap(memory, bytes);
	return (kernel_clock() - start - measure_clock()) / MANY_PAGES;
}

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static bool is_in_core(char *page)
{
	unsigned char in_core = 0;

	check(mincore(page, PAGE, &in_core) == 0, "mincore");
	return in_core & 1;
}

/* Out, and with `in` back. */
static unsigned long measure_swap(bool in)
{
	unsigned long bytes = MANY_PAGES * PAGE;
	char *memory = map(bytes);

	write_pages(memory, bytes);
	unsigned long start = kernel_clock();
	check(madvise(memory, bytes, MADV_PAGEOUT) == 0, "madvise");
	unsigned long ns = kernel_clock() - start;
	bool swapped = !is_in_core(memory) && !is_in_core(memory + bytes - PAGE);
	if (in) {
		start = kernel_clock();
		read_pages(memory, bytes);
		ns = kernel_clock() - start;
	}
	munmap(memory, bytes);
	return swapped ? (ns - measure_clock()) / MANY_PAGES : NOT_MEASURED;
}

static unsigned long measure_once(enum path path)
{
	switch (path) {
	case PATH_SYSTEM_CALL:
		return measure_system_call();
	case PATH_PIPE:
		return measure_pipe();
	case PATH_EXEC:
		return measure_exec();
	case PATH_FORK_REGIONS:
		return measure_fork_regions();
	case PATH_FIRST_WRITE:
		return measure_touch(write_pages);
	case PATH_FIRST_READ:
		return measure_touch(read_pages);
	case PATH_PAGE_OUT:
		return measure_swap(false);
	case PATH_SWAP_IN:
		return measure_swap(true);
	default:
		return measure_unmap();
	}
}

unsigned long measure_path(enum path path, unsigned rounds)
{
	unsigned long numbers[MAX_ROUNDS] = {0};

	for (unsigned i = 0; i < rounds; i++) {
		numbers[i] = measure_once(path);
	}
	return median(numbers, rounds);
}
