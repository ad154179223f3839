/*
 * What the guest tests share: cases run at each fork level, checks that print values, processes
 * that take turns, pages that name their writer, and the kernel's own counters.
 *
 * A case runs in a process of its own, forked from the harness at the level under test. So it may
 * die, leak or exit; the harness then finds every table and page of it returned, and the audit
 * clean. On Linux, where there are no levels and no counters, each case runs once and the rest is
 * left out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ktap.h"

#define PAGE       4096ul
#define SPAN       (2ul << 20) /* what one PTE table maps */
#define GIGABYTE   (1ul << 30) /* what one page directory maps */
#define TOP_SPAN   (1ul << 39) /* what one PDPT maps */
#define LEVEL_AUTO 4

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Linux's errno values, as system calls return them; a libc may number its own in another way. */
enum {
	L_EPERM = 1,
	L_ENOENT = 2,
	L_EINTR = 4,
	L_E2BIG = 7,
	L_ENOEXEC = 8,
	L_EBADF = 9,
	L_ECHILD = 10,
	L_EAGAIN = 11,
	L_ENOMEM = 12,
	L_EACCES = 13,
	L_EFAULT = 14,
	L_EEXIST = 17,
	L_ENODEV = 19,
	L_ENOTDIR = 20,
	L_EISDIR = 21,
	L_EINVAL = 22,
	L_ENFILE = 23,
	L_EMFILE = 24,
	L_EFBIG = 27,
	L_ENOSPC = 28,
	L_ESPIPE = 29,
	L_ENAMETOOLONG = 36,
	L_ENOSYS = 38,
	L_ENOTEMPTY = 39,
	L_ELOOP = 40,
	L_EOPNOTSUPP = 95,
};

/* A system call by number, past the libc: its result or -errno. Missing arguments are 0. */
long system_call(long number, long a, long b, long c, long d, long e, long f);
#define CALL(...)                       CALL_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(n, a, b, c, d, e, f, ...) CALL__(n, a, b, c, d, e, f)
#define CALL__(n, a, b, c, d, e, f) \
	system_call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* ---- Cases ---- */

struct test {
	const char *name;
	void (*run)(void);
	const void *context; /* test_context while it runs */
	bool coppice_only;   /* skipped on Linux */
	bool once;           /* does not depend on the fork level: only run at the first */
	bool uneven;         /* ends with other frames in use, as its comment explains */
};

/* Runs the cases at each level, and returns the exit status. Arguments: [part of a case's name
 * [level]]. */
int run_tests(const struct test *tests, size_t count, int argc, char **argv);

extern bool on_coppice;
extern const void *test_context;
extern int fork_level; /* under test: 0 to 3, LEVEL_AUTO, or -1 on Linux */

/*
 * Checks: false and a diagnostic with file, line and the text when cond does not hold. The case
 * then fails, or the child process that found it, whose parent must look at its status. Most uses
 * need not stop the case.
 */
bool check_(bool ok, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
#define CHECK(cond, ...) check_((cond), __FILE__, __LINE__, __VA_ARGS__)
bool check_equal_(long got, long want, const char *file, int line, const char *what);
#define CHECK_EQUAL(got, want, what) \
	check_equal_((long)(got), (long)(want), __FILE__, __LINE__, what)

/* The failed checks of this process so far. */
unsigned check_failures(void);

/* A check without which nothing after it makes sense: ends the process as failed. */
#define REQUIRE(cond, ...)                     \
	do {                                   \
		if (!CHECK(cond, __VA_ARGS__)) \
			end_process();         \
	} while (0)

/* Ends a process of the test: status 1 when a check failed in it, else 0. */
_Noreturn void end_process(void);

/* ---- Processes ---- */

/* Runs body(context) in a child that then ends with end_process(); returns its pid. */
pid_t start(void (*body)(void *context), void *context);
/* Waits for the child and checks that it ended with status 0. */
void reap(pid_t pid);
/* The wait status of a child that runs body. */
int status_of(void (*body)(void *context), void *context);

/* Checks in a child of its own that a program that reads, writes or runs the byte at p dies of
 * SIGSEGV, or does not. */
enum use { USE_READ, USE_WRITE, USE_RUN };
void check_use(const volatile void *p, enum use use, bool allowed, const char *what);
/* The same, asked of the kernel's own accesses to user memory: true when it can read or write the
 * byte at p. A write puts back what was there. */
bool kernel_reads(const volatile void *p);
bool kernel_writes(volatile void *p);

/* Two processes that take turns: one of them runs, the other waits, and each step is ordered by a
 * pipe. */
struct peer {
	pid_t pid;
	int in, out;
	int kept; /* the parent's copy of the child's end */
};
/* Forks a process that runs body(parent, context) at the first turn it gets, and then ends. */
struct peer peer_start(void (*body)(struct peer *parent, void *context), void *context);
/* In either: lets the other run until it calls this too; false when it has ended. */
bool turn(struct peer *other);
/* In the parent: lets the child run to its end and reaps it. */
void peer_finish(struct peer *child);
/* Like peer_finish for a child that is to die of this signal. */
void peer_dies(struct peer *child, int signal);

/* ---- Memory ---- */

/* Anonymous private memory at exactly this place, read and write; ends the process when there is
 * none. */
char *map_at(uintptr_t at, size_t bytes);
/* A place for a case's regions: 512 GB aligned, so that no table of level 3 or below is shared with
 * anything else of the program; slot 0 to 99. */
uintptr_t slot_base(unsigned slot);

/* Marks a page as written by writer (not 0): in its first, middle and last word, with its own
 * address. */
void stamp(void *page, unsigned writer);
/* True when the page is as stamp() left it; with writer 0, when it is all zeroes. */
bool stamped(const void *page, unsigned writer);
/* Stamps and checks pages at start, start + stride, …; check_stamps names the first wrong page. */
void stamp_all(char *start, size_t pages, size_t stride, unsigned writer);
bool check_stamps(const char *start, size_t pages, size_t stride, unsigned writer,
		  const char *what);

/* ---- The kernel's view ---- */

struct vmstat {
	uint64_t pgfault, pgfill_zero, pgfill_file, pgfill_shared, pgtable_copy, page_copy,
		page_reuse;
	uint64_t forks, page_tables, data_pages, free_frames, total_frames, heap_bytes;
};
/* Reads /proc/vmstat, without a fault of its own when it has run before. */
void vmstat_read(struct vmstat *stat);

/* One line of /proc/PID/memtree. */
struct node {
	unsigned level;
	uint64_t start;
	unsigned refs, used, present, shared;
	bool owned;
	uint64_t at;
};
/* The table of this level that maps address in process pid (0 = the caller); false when there is
 * none. */
bool node_find(pid_t pid, uintptr_t address, unsigned level, struct node *node);

/* System call 1000: 0 = every count in the kernel is right. */
long audit(void);
void check_audit(const char *when);

/* Sets this process's fork level and that of its later children. */
void set_fork_level(int level);

/* Random numbers from a seed (xorshift64*): the same on every machine. */
uint64_t random_next(uint64_t *state);
