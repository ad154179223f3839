/*
 * Bad pointers, lengths and numbers for every system call: EFAULT or Linux's other errno, no
 * descriptor left, no memory lost, the program alive.
 *
 * Catches: a call that reads or writes user memory without the checked copy; one that checks the
 * start of a structure but not its end; sums of address and length that wrap; a call that acts
 * before it finds the pointer bad; an unknown call that kills.
 */
#include "lib.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Bad addresses ---- */

enum direction {
	IN,
	OUT,
	PATH
}; /* the kernel reads, the kernel writes, the kernel reads a string */

static char *
	area; /* readable, 'x' in every byte, then a read-only page, a PROT_NONE page and nothing */
#define AREA_PAGES 2
#define READ_ONLY  (area + AREA_PAGES * PAGE)
#define NONE       (READ_ONLY + PAGE)
#define NOTHING    (NONE + PAGE)

static struct pointer {
	const char *name;
	uintptr_t at;
	bool out_only, in_too_short; /* bad only to write; bad only for more than one byte */
} pointers[] = {
	{.name = "NULL", .at = 0},
	{.name = "1", .at = 1},
	{.name = "page 0's end", .at = 0xfff},
	{.name = "below the lowest address", .at = 0xf000},
	{.name = "PROT_NONE"},
	{.name = "nothing there"},
	{.name = "read-only", .out_only = true},
	{.name = "a byte before PROT_NONE", .in_too_short = true},
	{.name = "the end of user space", .at = 0x7ffffffff000},
	{.name = "the last canonical byte", .at = 0x7fffffffffff},
	{.name = "not canonical", .at = 0x800000000000},
	{.name = "not canonical, high", .at = 0xffff7fffffffffff},
	{.name = "the kernel's direct map", .at = 0xffff800000000000},
	{.name = "the kernel", .at = 0xffffffff80000000},
	{.name = "-4096", .at = -4096ul},
	{.name = "-8", .at = -8ul},
	{.name = "-1", .at = -1ul},
};
#define BEFORE_NONE 7

static void pointers_make(void)
{
	area = map_at(slot_base(0), (AREA_PAGES + 2) * PAGE);
	memset(area, 'x', (AREA_PAGES + 2) * PAGE);
	REQUIRE(mprotect(READ_ONLY, PAGE, PROT_READ) == 0 && mprotect(NONE, PAGE, PROT_NONE) == 0,
		"mprotect");
	pointers[4].at = (uintptr_t)NONE;
	pointers[5].at = (uintptr_t)NOTHING;
	pointers[6].at = (uintptr_t)READ_ONLY;
	pointers[BEFORE_NONE].at = (uintptr_t)NONE - 1;
}

/* ---- The calls ---- */

#define BAD    0x0badl /* in args: the bad pointer goes here */
#define FD     0x0fd1l /* a file of two pages, read and write */
#define DIR    0x0fd2l /* the descriptor of a directory */
#define BUF    0x0fd3l /* good memory */
#define TMP    0x0fd4l /* the path "/tmp" */
#define LINK   0x0fd5l /* the path of a symlink */
#define NAME   0x0fd6l /* a path that is not there */
#define EXE    0x0fd7l /* the path of this program */
#define AT_CWD (-100l)

enum { NULL_OK = 1, OPTIONAL = 2, PARTIAL = 4, BYTE = 8 };

/* flags: NULL means something else; the call may be missing; what fits may be done; one byte is
 * enough. */
static const struct call {
	const char *name;
	long number;
	enum direction direction;
	long args[6];
	int flags;
} calls[] = {
	{"read", 0, OUT, {FD, BAD, 100}, PARTIAL},
	{"write", 1, IN, {FD, BAD, 100}, PARTIAL},
	{"open", 2, PATH, {BAD, 0}, 0},
	{"open to create", 2, PATH, {BAD, 0101, 0600}, 0},
	{"stat path", 4, PATH, {BAD, BUF}, 0},
	{"stat", 4, OUT, {TMP, BAD}, 0},
	{"fstat", 5, OUT, {FD, BAD}, 0},
	{"lstat path", 6, PATH, {BAD, BUF}, 0},
	{"lstat", 6, OUT, {TMP, BAD}, 0},
	{"poll", 7, IN, {BAD, 1, 0}, 0},
	{"rt_sigaction new", 13, IN, {10, BAD, 0, 8}, NULL_OK},
	{"rt_sigaction old", 13, OUT, {10, 0, BAD, 8}, NULL_OK},
	{"rt_sigprocmask new", 14, IN, {0, BAD, 0, 8}, NULL_OK},
	{"rt_sigprocmask old", 14, OUT, {0, 0, BAD, 8}, NULL_OK},
	{"pread64", 17, OUT, {FD, BAD, 100, 0}, PARTIAL},
	{"pwrite64", 18, IN, {FD, BAD, 100, 0}, PARTIAL},
	{"readv", 19, IN, {FD, BAD, 1}, 0},
	{"writev", 20, IN, {FD, BAD, 1}, 0},
	{"access", 21, PATH, {BAD, 0}, 0},
	{"pipe", 22, OUT, {BAD}, 0},
	{"nanosleep", 35, IN, {BAD, 0}, 0},
	{"execve path", 59, PATH, {BAD, 0, 0}, 0},
	{"execve argv", 59, IN, {EXE, BAD, 0}, NULL_OK},
	{"execve envp", 59, IN, {EXE, 0, BAD}, NULL_OK},
	{"uname", 63, OUT, {BAD}, 0},
	{"truncate", 76, PATH, {BAD, 0}, 0},
	{"getcwd", 79, OUT, {BAD, 100}, 0},
	{"chdir", 80, PATH, {BAD}, 0},
	{"rename from", 82, PATH, {BAD, NAME}, 0},
	{"rename to", 82, PATH, {LINK, BAD}, 0},
	{"mkdir", 83, PATH, {BAD, 0700}, 0},
	{"rmdir", 84, PATH, {BAD}, 0},
	{"creat", 85, PATH, {BAD, 0600}, 0},
	{"link from", 86, PATH, {BAD, NAME}, OPTIONAL},
	{"link to", 86, PATH, {LINK, BAD}, OPTIONAL},
	{"unlink", 87, PATH, {BAD}, 0},
	{"symlink to", 88, PATH, {BAD, NAME}, 0},
	{"symlink", 88, PATH, {NAME, BAD}, 0},
	{"readlink path", 89, PATH, {BAD, BUF, 100}, 0},
	{"readlink", 89, OUT, {LINK, BAD, 100}, 0},
	{"chmod", 90, PATH, {BAD, 0700}, 0},
	{"chown", 92, PATH, {BAD, 0, 0}, OPTIONAL},
	{"gettimeofday", 96, OUT, {BAD, 0}, NULL_OK},
	{"getrlimit", 97, OUT, {7, BAD}, OPTIONAL},
	{"getrusage", 98, OUT, {0, BAD}, OPTIONAL},
	{"sysinfo", 99, OUT, {BAD}, OPTIONAL},
	{"times", 100, OUT, {BAD}, NULL_OK | OPTIONAL},
	{"rt_sigpending", 127, OUT, {BAD, 8}, OPTIONAL},
	{"rt_sigsuspend", 130, IN, {BAD, 8}, OPTIONAL},
	{"statfs path", 137, PATH, {BAD, BUF}, OPTIONAL},
	{"statfs", 137, OUT, {TMP, BAD}, OPTIONAL},
	{"prctl: set name", 157, IN, {15, BAD}, OPTIONAL | PARTIAL},
	{"prctl: get name", 157, OUT, {16, BAD}, OPTIONAL},
	{"arch_prctl: get FS", 158, OUT, {0x1003, BAD}, 0},
	{"time", 201, OUT, {BAD}, NULL_OK},
	{"sched_getaffinity", 204, OUT, {0, 128, BAD}, OPTIONAL},
	{"getdents64", 217, OUT, {DIR, BAD, 1000}, 0},
	{"clock_gettime", 228, OUT, {1, BAD}, 0},
	{"clock_getres", 229, OUT, {1, BAD}, NULL_OK | OPTIONAL},
	{"clock_nanosleep", 230, IN, {1, 0, BAD, 0}, 0},
	{"openat", 257, PATH, {AT_CWD, BAD, 0}, 0},
	{"mkdirat", 258, PATH, {AT_CWD, BAD, 0700}, OPTIONAL},
	{"newfstatat path", 262, PATH, {AT_CWD, BAD, BUF, 0}, 0},
	{"newfstatat", 262, OUT, {AT_CWD, TMP, BAD, 0}, 0},
	{"unlinkat", 263, PATH, {AT_CWD, BAD, 0}, 0},
	{"readlinkat", 267, OUT, {AT_CWD, LINK, BAD, 100}, OPTIONAL},
	{"faccessat", 269, PATH, {AT_CWD, BAD, 0}, OPTIONAL},
	{"pipe2", 293, OUT, {BAD, 0}, 0},
	{"prlimit64 new", 302, IN, {0, 7, BAD, 0}, NULL_OK},
	{"prlimit64 old", 302, OUT, {0, 7, 0, BAD}, NULL_OK},
	{"getrandom", 318, OUT, {BAD, 64, 0}, PARTIAL},
};

static int file, directory;
static char buffer[8192];
static const char *const link_name = "/tmp/badptr.link";
static const char *const file_name = "/tmp/badptr.file";
static const char *const no_name = "/tmp/badptr.none";

static long argument(long arg, uintptr_t bad)
{
	switch (arg) {
	case BAD:
		return (long)bad;
	case FD:
		return file;
	case DIR:
		return directory;
	case BUF:
		return (long)buffer;
	case TMP:
		return (long)"/tmp";
	case EXE:
		return (long)"/proc/self/exe";
	case LINK:
		return (long)link_name;
	case NAME:
		return (long)no_name;
	default:
		return arg;
	}
}

static void files_make(void)
{
	memset(buffer, 'y', sizeof(buffer));
	file = open(file_name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	REQUIRE(file >= 0 && write(file, buffer, sizeof(buffer)) == sizeof(buffer), "%s",
		file_name);
	directory = open("/", O_RDONLY);
	REQUIRE(directory >= 0, "open /");
	CALL(87, link_name);
	REQUIRE(CALL(88, file_name, link_name) == 0, "symlink");
}

static void files_remove(void)
{
	CALL(87, link_name);
	CALL(87, file_name);
	CHECK(CALL(87, no_name) == -L_ENOENT, "a refused call has made %s", no_name);
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static bool is_bad_for(const struct pointer *pointer, const struct call *call)
{
	if (pointer->at == 0 && call->flags & NULL_OK)
		return false;
	return !pointer->out_only || call->direction == OUT;
}

static void check_call(const struct call *call, const struct pointer *pointer)
{
	long a[6];

	for (int i = 0; i < 6; i++)
		a[i] = argument(call->args[i], pointer->at);
	CALL(8, file, 0, 0);
	CALL(8, directory, 0, 0);
	long result = CALL(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	bool partial = call->flags & PARTIAL && pointer->in_too_short && result >= 0;
	bool missing = call->flags & OPTIONAL && result == -L_ENOSYS;
	CHECK(result == -L_EFAULT || partial || missing, "%s: %s: %ld, expected EFAULT", call->name,
	      pointer->name, result);
}

static void every_call(void)
{
	pointers_make();
	files_make();
	int fd = lowest_free();
	for (size_t i = 0; i < COUNT(calls); i++) {
		for (size_t j = 0; j < COUNT(pointers); j++)
			if (is_bad_for(&pointers[j], &calls[i]))
				check_call(&calls[i], &pointers[j]);
		CHECK_EQUAL(lowest_free(), fd, "lowest free descriptor");
	}
	for (size_t i = 0; i < AREA_PAGES * PAGE - 64; i++)
		REQUIRE(area[i] == 'x', "byte %zu of the area was written", i);
	files_remove();
}

/* Pointers inside structures, and lists of pointers. */
static void inner_pointers(void)
{
	pointers_make();
	files_make();
	for (size_t i = 1; i < COUNT(pointers); i++) {
		uintptr_t bad = pointers[i].at;
		uintptr_t vector[] = {(uintptr_t)buffer, 0, bad, 64};
		uintptr_t list[] = {(uintptr_t) "x", bad, 0};

		if (pointers[i].out_only)
			continue;
		CHECK_EQUAL(CALL(8, file, 0, 0), 0, "lseek");
		if (!pointers[i].in_too_short) {
			CHECK_EQUAL(CALL(19, file, vector, 2), -L_EFAULT, "readv: a bad buffer");
			CHECK_EQUAL(CALL(20, file, vector, 2), -L_EFAULT, "writev: a bad buffer");
		}
		CHECK_EQUAL(CALL(59, "/proc/self/exe", list, 0), -L_EFAULT,
			    "execve: a bad argument");
		CHECK_EQUAL(CALL(59, "/proc/self/exe", 0, list), -L_EFAULT,
			    "execve: a bad variable");
	}
	files_remove();
}

/* A child is there to be waited for, and still is after a refused wait4. */
static void exit_at_once(void *context)
{
	(void)context;
}

static void waiting(void)
{
	pointers_make();
	for (size_t i = 1; i < COUNT(pointers); i++) {
		pid_t pid = start(exit_at_once, NULL);
		long result = CALL(61, pid, pointers[i].at, 0, 0);

		CHECK(result == -L_EFAULT, "wait4: %s: %ld", pointers[i].name, result);
		/* Linux reaps first and then fails to tell. */
		CHECK_EQUAL(CALL(61, pid, 0, 0, 0), -L_ECHILD, "wait4 again");
	}
}

/* ---- Lengths and other numbers ---- */

static void lengths(void)
{
	static const long big[] = {-1, -4096, INT64_MIN, INT64_MAX, 0x7fffffffffff, 1l << 48};

	pointers_make();
	files_make();
	int fd = lowest_free();
	for (size_t i = 0; i < COUNT(big); i++) {
		CHECK_EQUAL(CALL(0, file, area, big[i]), -L_EFAULT, "read: a big length");
		CHECK_EQUAL(CALL(1, file, area, big[i]), -L_EFAULT, "write: a big length");
		CHECK_EQUAL(CALL(11, area, big[i]), -L_EINVAL, "munmap: a big length");
		CHECK_EQUAL(CALL(9, 0, big[i], 3, 0x22, -1, 0), -L_ENOMEM, "mmap: a big length");
		const long vector[] = {(long)area, big[i]};
		long result = CALL(20, file, vector, 1);
		/* Linux cuts the length to 2 GB and writes what there is, or refuses, by its
		 * version. */
		CHECK(big[i] < 0 ? result == -L_EINVAL
				 : result == -L_EFAULT || result == 3 * (long)PAGE,
		      "writev: length 0x%lx: %ld", big[i], result);
	}
	CHECK(CALL(8, file, 0, 0) == 0, "lseek");
	CHECK_EQUAL(CALL(0, file, area, 4 * PAGE), 2 * PAGE, "read: as far as the memory goes");
	CHECK_EQUAL(CALL(20, file, buffer, -1), -L_EINVAL, "writev: -1 vectors");
	CHECK_EQUAL(CALL(20, file, buffer, 1025), -L_EINVAL, "writev: 1025 vectors");
	CHECK_EQUAL(CALL(20, file, NULL, 0), 0, "writev: no vectors");
	CHECK_EQUAL(CALL(0, file, NULL, 0), 0, "read: nothing to nowhere");
	CHECK_EQUAL(CALL(7, buffer, -1, 0), -L_EINVAL, "poll: -1 descriptors");
	CHECK_EQUAL(CALL(7, NULL, 0, 0), 0, "poll: no descriptors");
	CHECK_EQUAL(CALL(89, link_name, buffer, 0), -L_EINVAL, "readlink: no room");
	CHECK_EQUAL(CALL(89, link_name, buffer, -1), -L_EINVAL, "readlink: -1 bytes");
	CHECK_EQUAL(CALL(79, buffer, 0), -34 /* ERANGE */, "getcwd: no room");
	CHECK_EQUAL(CALL(79, buffer, 1), -34, "getcwd: one byte");
	CHECK_EQUAL(CALL(217, directory, buffer, 0), -L_EINVAL, "getdents64: no room");
	CHECK_EQUAL(CALL(217, directory, buffer, 10), -L_EINVAL, "getdents64: 10 bytes");
	CHECK_EQUAL(CALL(76, file_name, -1), -L_EINVAL, "truncate: -1");
	CHECK_EQUAL(CALL(77, file, -1), -L_EINVAL, "ftruncate: -1");
	CHECK_EQUAL(CALL(17, file, area, 1, -1), -L_EINVAL, "pread64: offset -1");
	CHECK_EQUAL(CALL(8, file, -1, 0), -L_EINVAL, "lseek: before the start");
	CHECK_EQUAL(CALL(8, file, 0, 99), -L_EINVAL, "lseek: from nowhere");
	CHECK_EQUAL(lowest_free(), fd, "lowest free descriptor");
	files_remove();
}

static void map_numbers(void)
{
	const long private = 0x22, fixed = 0x32;

	pointers_make();
	files_make();
	CHECK_EQUAL(CALL(9, 0, 0, 3, private, -1, 0), -L_EINVAL, "mmap: no length");
	CHECK_EQUAL(CALL(9, area + 1, PAGE, 3, fixed, -1, 0), -L_EINVAL, "mmap: not aligned");
	CHECK_EQUAL(CALL(9, 0, PAGE, 3, 0x20, -1, 0), -L_EINVAL,
		    "mmap: neither private nor shared");
	CHECK_EQUAL(CALL(9, 0, PAGE, 3, 2, -1, 0), -L_EBADF, "mmap: no file");
	CHECK_EQUAL(CALL(9, 0, PAGE, 3, 2, 999, 0), -L_EBADF, "mmap: no such file");
	CHECK_EQUAL(CALL(9, 0, PAGE, 1, 2, file, 1), -L_EINVAL, "mmap: offset not aligned");
	CHECK_EQUAL(CALL(9, 0x7ffffffff000, PAGE, 3, fixed, -1, 0), -L_ENOMEM,
		    "mmap: at the end of user space");
	CHECK_EQUAL(CALL(9, 0xffff800000000000, PAGE, 3, fixed, -1, 0), -L_ENOMEM,
		    "mmap: over the kernel");
	CHECK_EQUAL(CALL(9, -PAGE, PAGE, 3, fixed, -1, 0), -L_ENOMEM, "mmap: at -4096");
	CHECK_EQUAL(CALL(9, 0x7fffffffe000, 4 * PAGE, 3, fixed, -1, 0), -L_ENOMEM,
		    "mmap: across the end");
	CHECK_EQUAL(CALL(11, area + 1, PAGE), -L_EINVAL, "munmap: not aligned");
	CHECK_EQUAL(CALL(11, area, 0), -L_EINVAL, "munmap: no length");
	CHECK_EQUAL(CALL(11, 0xffff800000000000, PAGE), -L_EINVAL, "munmap: the kernel");
	CHECK_EQUAL(CALL(11, slot_base(90), 9 * PAGE), 0, "munmap: nothing there");
	CHECK_EQUAL(CALL(10, area + 1, PAGE, 1), -L_EINVAL, "mprotect: not aligned");
	CHECK_EQUAL(CALL(10, area, 0, 1), 0, "mprotect: no length");
	CHECK_EQUAL(CALL(10, area, PAGE, 0x40), -L_EINVAL, "mprotect: no such right");
	CHECK_EQUAL(CALL(10, NOTHING, PAGE, 1), -L_ENOMEM, "mprotect: nothing there");
	CHECK_EQUAL(CALL(10, NONE, 2 * PAGE, 0), -L_ENOMEM, "mprotect: part not there");
	CHECK_EQUAL(CALL(10, 0xffff800000000000, PAGE, 7), -L_ENOMEM, "mprotect: the kernel");
	CHECK_EQUAL(CALL(10, area, -PAGE, 1), -L_ENOMEM, "mprotect: wraps");
	for (size_t i = 0; i < AREA_PAGES * PAGE; i++)
		REQUIRE(area[i] == 'x', "byte %zu of the area was written", i);
	area[0] = 'x';
	files_remove();
}

static void other_numbers(void)
{
	const long bad_time[] = {0, 1000000000}, negative_time[] = {-1, 0};

	CHECK_EQUAL(CALL(3, -1), -L_EBADF, "close -1");
	CHECK_EQUAL(CALL(3, 1000), -L_EBADF, "close 1000");
	CHECK_EQUAL(CALL(3, 0x7fffffff), -L_EBADF, "close 2^31 - 1");
	CHECK_EQUAL(CALL(33, 1000, 3), -L_EBADF, "dup2 of 1000");
	CHECK_EQUAL(CALL(33, 0, -1), -L_EBADF, "dup2 to -1");
	CHECK_EQUAL(CALL(33, 0, 0x7fffffff), -L_EBADF, "dup2 to 2^31 - 1");
	CHECK_EQUAL(CALL(33, 0, 0), 0, "dup2 to itself");
	CHECK_EQUAL(CALL(33, 777, 777), -L_EBADF, "dup2 of nothing to itself");
	CHECK_EQUAL(CALL(72, 0, 9999, 0), -L_EINVAL, "fcntl: no such command");
	CHECK_EQUAL(CALL(0, 999, area, 1), -L_EBADF, "read: no such descriptor");
	CHECK_EQUAL(CALL(217, 999, area, 1), -L_EBADF, "getdents64: no such descriptor");
	CHECK_EQUAL(CALL(228, 999, buffer), -L_EINVAL, "clock_gettime: no such clock");
	CHECK_EQUAL(CALL(35, bad_time, 0), -L_EINVAL, "nanosleep: 10^9 ns");
	CHECK_EQUAL(CALL(35, negative_time, 0), -L_EINVAL, "nanosleep: -1 s");
	CHECK_EQUAL(CALL(62, getpid(), 65), -L_EINVAL, "kill: signal 65");
	CHECK_EQUAL(CALL(62, getpid(), -1), -L_EINVAL, "kill: signal -1");
	CHECK_EQUAL(CALL(62, 0x3fffffff, 0), -3 /* ESRCH */, "kill: no such process");
	CHECK_EQUAL(CALL(61, -1, 0, 0, 0), -L_ECHILD, "wait4: no child");
	CHECK_EQUAL(CALL(61, 0x3fffffff, 0, 0, 0), -L_ECHILD, "wait4: no such child");
	CHECK_EQUAL(CALL(61, -1, 0, 0x00800000, 0), -L_EINVAL, "wait4: no such option");
	CHECK_EQUAL(CALL(13, 9, buffer, 0, 8), -L_EINVAL, "rt_sigaction: of SIGKILL");
	CHECK_EQUAL(CALL(13, 65, 0, buffer, 8), -L_EINVAL, "rt_sigaction: signal 65");
	CHECK_EQUAL(CALL(13, 10, 0, buffer, 4), -L_EINVAL, "rt_sigaction: size 4");
	CHECK_EQUAL(CALL(14, 9, buffer, 0, 8), -L_EINVAL, "rt_sigprocmask: no such way");
	CHECK_EQUAL(CALL(158, 0x1002, 0x800000000000), -L_EPERM, "arch_prctl: FS not canonical");
	CHECK_EQUAL(CALL(158, 0x1002, 0xffff800000000000), -L_EPERM,
		    "arch_prctl: FS in the kernel");
	CHECK_EQUAL(CALL(293, buffer, 1), -L_EINVAL, "pipe2: no such flag");
}

static void unknown_calls(void)
{
	static const long numbers[] = {380,   423,        600, 999,   1001,    4096,
				       65535, 0x7fffffff, -1,  -4096, 1l << 31};

	for (size_t i = 0; i < COUNT(numbers); i++) {
		long result = CALL(numbers[i], -1, -1, -1, -1, -1, -1);

		CHECK(result == -L_ENOSYS, "call %ld: %ld, expected ENOSYS", numbers[i], result);
	}
	CHECK(getpid() > 0, "getpid");
}

/* A return address just past user space must not make SYSRET fault in the kernel (CVE-2012-0217).
 */
static void last_instruction(void *context)
{
	char *page = (char *)0x7fffffffe000;

	(void)context;
	if (CALL(9, page, PAGE, 7, 0x32, -1, 0) != (long)page)
		_exit(1);
	page[PAGE - 2] = 0x0f;
	page[PAGE - 1] = 0x05;
	asm volatile("jmp *%0" : : "r"(page + PAGE - 2), "a"(39l) : "memory");
}

static void stack_in_kernel(void *context)
{
	asm volatile("mov %0, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\tpush %%rax"
		     :
		     : "r"(*(long *)context)
		     : "memory");
}

static void registers(void)
{
	static const unsigned long stacks[] = {0, 0x800000000000, 0xffff800000001000,
					       0xffffffff80100000, -8};
	int status = status_of(last_instruction, NULL);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	      "syscall in the last two bytes: status 0x%x", status);
	for (size_t i = 0; i < COUNT(stacks); i++) {
		status = status_of(stack_in_kernel, (void *)&stacks[i]);
		CHECK(WIFSIGNALED(status) &&
			      (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS),
		      "stack pointer 0x%lx: status 0x%x", stacks[i], status);
	}
}

static const struct test tests[] = {
	{.name = "bad pointers to every call", .run = every_call},
	{.name = "bad pointers inside structures", .run = inner_pointers},
	{.name = "bad pointers to wait4", .run = waiting},
	{.name = "lengths", .run = lengths},
	{.name = "numbers of mmap, munmap and mprotect", .run = map_numbers},
	{.name = "other numbers", .run = other_numbers, .once = true},
	{.name = "unknown calls", .run = unknown_calls, .once = true},
	{.name = "return address and stack pointer", .run = registers},
};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
