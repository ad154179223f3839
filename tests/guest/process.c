/*
 * Processes: exit and wait statuses, orphans and zombies, death by signals and by CPU exceptions,
 * pre-emption, the FPU and the flags kept per process, time.
 *
 * Catches: an exit status shifted or cut; a wait that reaps another's child or loses one; a
 * zombie's memory kept; an exception that kills the kernel in place of the program; FPU state or
 * the direction flag leaking across a switch, a fault or a system call; a clock that stands still
 * or goes back; a sleeper woken early or never; a parent that cannot be killed while it waits for
 * the child of a vfork.
 */
#include "lib.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SYS_KILL = 62, SYS_NANOSLEEP = 35, SYS_CLOCK_GETTIME = 228 };
enum { L_ESRCH = 3 };

/* ---- Exit and wait ---- */

static void exit_with(void *context)
{
	_exit(*(int *)context);
}

static void exit_statuses(void)
{
	static const int codes[] = {0, 1, 2, 77, 127, 128, 254, 255, 256, 257, -1};

	for (size_t i = 0; i < COUNT(codes); i++) {
		int status = status_of(exit_with, (void *)&codes[i]);

		CHECK(status == (codes[i] & 255) << 8, "exit(%d): wait status 0x%x", codes[i],
		      status);
	}
}

static void sleep_ms(long ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

static void hold(struct peer *parent, void *context)
{
	turn(parent);
	_exit(*(int *)context);
}

static void waiting(void)
{
	int three = 3, four = 4, status = 0x5555;
	struct peer first = peer_start(hold, &three), second = peer_start(hold, &four);

	turn(&first);
	turn(&second);
	CHECK_EQUAL(waitpid(-1, &status, WNOHANG), 0, "waitpid WNOHANG while all run");
	CHECK_EQUAL(status, 0x5555, "status untouched");
	turn(&second);
	CHECK_EQUAL(waitpid(-1, &status, 0), second.pid, "waitpid of any");
	CHECK_EQUAL(status, 4 << 8, "status of the second");
	CHECK_EQUAL(waitpid(first.pid, &status, WNOHANG), 0, "waitpid WNOHANG of the first");
	turn(&first);
	CHECK_EQUAL(waitpid(first.pid, &status, 0), first.pid, "waitpid of the first");
	CHECK_EQUAL(status, 3 << 8, "status of the first");
	CHECK_EQUAL(waitpid(-1, &status, 0), -1, "waitpid without children");
	CHECK_EQUAL(errno, ECHILD, "errno");
}

static void not_mine(void *context)
{
	CHECK_EQUAL(waitpid(*(pid_t *)context, NULL, 0), -1, "waitpid of a sibling");
	CHECK_EQUAL(waitpid(getppid(), NULL, 0), -1, "waitpid of the parent");
	CHECK_EQUAL(waitpid(getpid(), NULL, 0), -1, "waitpid of itself");
}

static void nothing(void *context)
{
	(void)context;
}

/* A zombie keeps its pid until it is reaped, and another's child is nobody else's to reap. */
static void zombies(void)
{
	pid_t pid = start(nothing, NULL);

	sleep_ms(20);
	CHECK_EQUAL(CALL(SYS_KILL, pid, 0), 0, "kill 0 of a zombie");
	CHECK_EQUAL(CALL(SYS_KILL, pid, SIGKILL), 0, "kill of a zombie");
	reap(start(not_mine, &pid));
	reap(pid);
	CHECK_EQUAL(CALL(SYS_KILL, pid, 0), -L_ESRCH, "kill of nobody");
	for (int i = 0; i < 300; i++)
		start(nothing, NULL);
	check_audit("zombies");
}

static int report[2];

static void orphan(void *context)
{
	pid_t parent = *(pid_t *)context, adopted;

	while ((adopted = getppid()) == parent)
		sleep_ms(1);
	if (write(report[1], &adopted, sizeof(adopted)) != sizeof(adopted))
		_exit(1);
}

static pid_t grandchild;

static void leave_orphan(void *context)
{
	pid_t me = getpid();

	(void)context;
	grandchild = start(orphan, &me);
	if (write(report[1], &grandchild, sizeof(grandchild)) != sizeof(grandchild))
		_exit(1);
}

/* Adopted by init, which also reaps it: its pid goes. */
static void orphans(void)
{
	pid_t pid = 0, adopted = 0;

	REQUIRE(pipe(report) == 0, "pipe");
	reap(start(leave_orphan, NULL));
	CHECK(read(report[0], &pid, sizeof(pid)) == sizeof(pid), "read");
	CHECK(read(report[0], &adopted, sizeof(adopted)) == sizeof(adopted), "read");
	if (on_coppice)
		CHECK_EQUAL(adopted, 1, "the orphan's parent");
	for (int i = 0; i < 200 && CALL(SYS_KILL, pid, 0) == 0; i++)
		sleep_ms(10);
	CHECK_EQUAL(CALL(SYS_KILL, pid, 0), -L_ESRCH, "kill of the orphan when it has ended");
}

#define ALIVE 300

static void pids(void)
{
	static struct peer peers[ALIVE];
	int zero = 0;

	for (int i = 0; i < ALIVE; i++) {
		peers[i] = peer_start(hold, &zero);
		for (int j = 0; j < i; j++)
			CHECK(peers[j].pid != peers[i].pid, "pid %d given twice",
			      (int)peers[i].pid);
	}
	for (int i = 0; i < ALIVE; i++)
		turn(&peers[i]);
	for (int i = 0; i < ALIVE; i++)
		peer_finish(&peers[i]);
}

/* ---- Signals ---- */

static void kill_self(void *context)
{
	CALL(SYS_KILL, getpid(), *(int *)context);
	_exit(33);
}

static void sleep_for_ever(void *context)
{
	(void)context;
	for (;;)
		sleep_ms(1000000);
}

static void spin_for_ever(void *context)
{
	(void)context;
	for (volatile int i = 0;; i++)
		;
}

/* By number: a libc may give the names other ones. */
static void default_actions(void)
{
	static const int deadly[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
				     13, 14, 15, 16, 24, 25, 26, 27, 31, 34, 64};
	static const int ignored[] = {17, 18, 23, 28};

	for (size_t i = 0; i < COUNT(deadly); i++) {
		int status = status_of(kill_self, (void *)&deadly[i]);

		CHECK((status & 0x7f) == deadly[i] && status >> 8 == 0,
		      "signal %d: wait status 0x%x", deadly[i], status);
	}
	for (size_t i = 0; i < COUNT(ignored); i++) {
		int status = status_of(kill_self, (void *)&ignored[i]);

		CHECK(status == 33 << 8, "signal %d: wait status 0x%x", ignored[i], status);
	}
}

static void check_killed(pid_t pid, int signal, const char *what)
{
	int status = -1;

	CHECK_EQUAL(waitpid(pid, &status, 0), pid, "waitpid");
	CHECK((status & 0x7f) == signal, "%s: wait status 0x%x", what, status);
}

static void kill_others(void)
{
	pid_t sleeper = start(sleep_for_ever, NULL), spinner = start(spin_for_ever, NULL);

	sleep_ms(20);
	CHECK_EQUAL(waitpid(-1, NULL, WNOHANG), 0, "waitpid while both live");
	CHECK_EQUAL(CALL(SYS_KILL, sleeper, 15), 0, "kill of a sleeper");
	check_killed(sleeper, 15, "a sleeper");
	CHECK_EQUAL(CALL(SYS_KILL, spinner, 9), 0, "kill of a spinner");
	check_killed(spinner, 9, "a spinner");
	pid_t group = start(sleep_for_ever, NULL), member = start(sleep_for_ever, NULL);
	CHECK_EQUAL(setpgid(group, group), 0, "setpgid of the first");
	CHECK_EQUAL(setpgid(member, group), 0, "setpgid of the second");
	CHECK_EQUAL(CALL(SYS_KILL, -group, 15), 0, "kill of a group");
	check_killed(group, 15, "first of the group");
	check_killed(member, 15, "second of the group");
	CHECK_EQUAL(CALL(SYS_KILL, -group, 15), -L_ESRCH, "kill of an empty group");
}

/* ---- CPU exceptions ---- */

#define FAULT(name, code)                                                     \
	static void name(void *context)                                       \
	{                                                                     \
		(void)context;                                                \
		asm volatile(code : : : "rax", "rcx", "rdx", "memory", "cc"); \
		_exit(33);                                                    \
	}

FAULT(divide_by_zero, "xor %%edx, %%edx\n\txor %%ecx, %%ecx\n\tmov $1, %%eax\n\tdiv %%ecx")
FAULT(divide_overflow, "mov $-1, %%edx\n\tmov $2, %%ecx\n\tdiv %%ecx")
FAULT(undefined, "ud2")
FAULT(breakpoint, "int3")
FAULT(single_step, "pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop")
FAULT(read_null, "mov 0, %%eax")
FAULT(write_kernel, "mov $0xffffffff80100000, %%rax\n\tmov %%eax, (%%rax)")
FAULT(read_direct_map, "mov $0xffff800000001000, %%rax\n\tmov (%%rax), %%eax")
FAULT(not_canonical, "mov $0x800000000000, %%rax\n\tmov (%%rax), %%eax")
FAULT(jump_not_canonical, "mov $0x800000000000, %%rax\n\tjmp *%%rax")
FAULT(jump_to_kernel, "mov $0xffffffff80100000, %%rax\n\tjmp *%%rax")
FAULT(jump_to_null, "xor %%eax, %%eax\n\tjmp *%%rax")
FAULT(halt, "hlt")
FAULT(disable_interrupts, "cli")
FAULT(port, "mov $0xf4, %%edx\n\toutb %%al, %%dx")
FAULT(write_cr3, "mov %%rax, %%cr3")
FAULT(read_msr, "mov $0xc0000080, %%ecx\n\trdmsr")
FAULT(software_interrupt, "int $0x99")
FAULT(page_fault_by_hand, "int $14")
FAULT(bad_segment, "mov $0x1230, %%eax\n\tmov %%eax, %%ds")
FAULT(x87_exception, "fninit\n\tpushq $0x33b\n\tfldcw (%%rsp)\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait")

static void exceptions(void)
{
	static const struct {
		const char *name;
		void (*run)(void *context);
		int signal;
	} faults[] = {
		{"division by zero", divide_by_zero, 8},
		{"division overflow", divide_overflow, 8},
		{"ud2", undefined, 4},
		{"int3", breakpoint, 5},
		{"single step", single_step, 5},
		{"read of address 0", read_null, 11},
		{"write to the kernel", write_kernel, 11},
		{"read of the direct map", read_direct_map, 11},
		{"read, not canonical", not_canonical, 11},
		{"jump, not canonical", jump_not_canonical, 11},
		{"jump into the kernel", jump_to_kernel, 11},
		{"jump to 0", jump_to_null, 11},
		{"hlt", halt, 11},
		{"cli", disable_interrupts, 11},
		{"out", port, 11},
		{"mov to cr3", write_cr3, 11},
		{"rdmsr", read_msr, 11},
		{"int 0x99", software_interrupt, 11},
		{"int 14", page_fault_by_hand, 11},
		{"a bad segment", bad_segment, 11},
		{"x87 division by zero", x87_exception, 8},
	};

	for (size_t i = 0; i < COUNT(faults); i++) {
		int status = status_of(faults[i].run, NULL);

		CHECK((status & 0x7f) == faults[i].signal && status >> 8 == 0,
		      "%s: wait status 0x%x, expected 0x%x", faults[i].name, status,
		      faults[i].signal);
	}
}

/* ---- What the CPU keeps for a process ---- */

/* Sets xmm0 to xmm15 from seed, spins for a while, and reads them back. */
static bool xmm_kept(uint64_t seed, unsigned long spins)
{
	uint64_t in[32] __attribute__((aligned(16))), out[32] __attribute__((aligned(16)));

	for (int i = 0; i < 32; i++)
		in[i] = random_next(&seed);
	asm volatile(
		"movaps (%1), %%xmm0\n\tmovaps 16(%1), %%xmm1\n\tmovaps 32(%1), %%xmm2\n\t"
		"movaps 48(%1), %%xmm3\n\tmovaps 64(%1), %%xmm4\n\tmovaps 80(%1), %%xmm5\n\t"
		"movaps 96(%1), %%xmm6\n\tmovaps 112(%1), %%xmm7\n\tmovaps 128(%1), %%xmm8\n\t"
		"movaps 144(%1), %%xmm9\n\tmovaps 160(%1), %%xmm10\n\tmovaps 176(%1), %%xmm11\n\t"
		"movaps 192(%1), %%xmm12\n\tmovaps 208(%1), %%xmm13\n\tmovaps 224(%1), %%xmm14\n\t"
		"movaps 240(%1), %%xmm15\n"
		"1:\tdec %0\n\tjnz 1b\n\t"
		"mov $39, %%eax\n\tsyscall\n\t"
		"movaps %%xmm0, (%2)\n\tmovaps %%xmm1, 16(%2)\n\tmovaps %%xmm2, 32(%2)\n\t"
		"movaps %%xmm3, 48(%2)\n\tmovaps %%xmm4, 64(%2)\n\tmovaps %%xmm5, 80(%2)\n\t"
		"movaps %%xmm6, 96(%2)\n\tmovaps %%xmm7, 112(%2)\n\tmovaps %%xmm8, 128(%2)\n\t"
		"movaps %%xmm9, 144(%2)\n\tmovaps %%xmm10, 160(%2)\n\tmovaps %%xmm11, 176(%2)\n\t"
		"movaps %%xmm12, 192(%2)\n\tmovaps %%xmm13, 208(%2)\n\tmovaps %%xmm14, 224(%2)\n\t"
		"movaps %%xmm15, 240(%2)"
		: "+r"(spins)
		: "r"(in), "r"(out)
		: "rax", "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
		  "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
		  "xmm14", "xmm15");
	return memcmp(in, out, sizeof(in)) == 0;
}

struct control {
	uint32_t mxcsr;
	uint16_t x87;
};

static struct control control_get(void)
{
	struct control control;

	asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(control.mxcsr), "=m"(control.x87));
	return control;
}

static void control_set(struct control control)
{
	asm volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(control.mxcsr), "m"(control.x87));
}

static void fpu_user(void *context)
{
	unsigned me = *(unsigned *)context;
	const struct control mine = {0x1f80 | me << 13, (uint16_t)(0x037f | me << 10)};
	long double kept = me + 0.25L, got;
	const double begin = (double)me;

	control_set(mine);
	asm volatile("fldt %0" : : "m"(kept));
	for (int i = 0; i < 6; i++)
		CHECK(xmm_kept(me * 1000 + (unsigned)i + 1, 15000000),
		      "process %u: an SSE register changed", me);
	asm volatile("fstpt %0" : "=m"(got));
	struct control now = control_get();
	control_set((struct control) {0x1f80, 0x037f});
	CHECK(got == kept && begin == (double)me, "process %u: x87's stack changed", me);
	CHECK(now.mxcsr >> 6 == mine.mxcsr >> 6 && now.x87 == mine.x87,
	      "process %u: control words 0x%x and 0x%x, expected 0x%x and 0x%x", me, now.mxcsr,
	      now.x87, mine.mxcsr, mine.x87);
}

static void fpu(void)
{
	pid_t children[3];

	for (unsigned i = 0; i < COUNT(children); i++)
		children[i] = start(fpu_user, &i);
	for (unsigned i = 0; i < COUNT(children); i++)
		reap(children[i]);
}

static void fpu_over_fork(void)
{
	const struct control mine = {0x1f80 | 2 << 13, 0x037f | 1 << 10};
	register double value asm("xmm7") = 1234.5;

	control_set(mine);
	asm volatile("" : "+x"(value));
	long pid = CALL(57);
	double after = value;
	struct control now = control_get();
	control_set((struct control) {0x1f80, 0x037f});
	CHECK(after == 1234.5, "xmm7 changed over fork");
	CHECK(now.mxcsr >> 6 == mine.mxcsr >> 6 && now.x87 == mine.x87,
	      "control words changed over fork");
	if (pid == 0)
		end_process();
	reap((pid_t)pid);
}

/* The kernel fills, copies and reads pages with string moves: forwards, whatever the program's
 * direction flag is. */
static void direction_flag(void)
{
	static char source[PAGE] __attribute__((aligned(4096)));
	char *pages = map_at(slot_base(0), 4 * PAGE);
	int ends[2];
	long got;

	memset(source, 's', PAGE);
	stamp(pages, 1);
	stamp(pages + 2 * PAGE, 1);
	asm volatile("std\n\tmovb $0, (%0)\n\tcld" : : "r"(pages + PAGE + 100) : "memory");
	check_stamps(pages + PAGE, 1, PAGE, 0, "filled with the flag set");
	check_stamps(pages, 2, 2 * PAGE, 1, "its neighbours");
	pid_t pid = start(sleep_for_ever, NULL);
	asm volatile("std\n\tmovb $7, (%0)\n\tcld" : : "r"(pages + 2 * PAGE + 100) : "memory");
	check_stamps(pages + 2 * PAGE, 1, PAGE, 1, "copied with the flag set");
	REQUIRE(pipe(ends) == 0, "pipe");
	CHECK_EQUAL(write(ends[1], source, 1000), 1000, "write");
	asm volatile("std\n\tsyscall\n\tcld"
		     : "=a"(got)
		     : "a"(0), "D"(ends[0]), "S"(pages + 3 * PAGE), "d"(1000)
		     : "rcx", "r11", "memory");
	CHECK_EQUAL(got, 1000, "read with the flag set");
	CHECK(memcmp(pages + 3 * PAGE, source, 1000) == 0, "what was read with the flag set");
	kill(pid, 9);
	check_killed(pid, 9, "the child");
}

/* All general registers survive a system call, but for the three that it is known to change. */
static void general_registers(void)
{
	uint64_t wrong;

	asm volatile(
		"mov $39, %%eax\n\tmov $0x11, %%ebx\n\tmov $0x22, %%edx\n\tmov $0x33, %%esi\n\t"
		"mov $0x44, %%edi\n\tmov $0x55, %%r8d\n\tmov $0x66, %%r9d\n\tmov $0x77, %%r10d\n\t"
		"mov $0x88, %%r12d\n\tmov $0x99, %%r13d\n\tmov $0xaa, %%r14d\n\tmov $0xbb, "
		"%%r15d\n\t"
		"syscall\n\t"
		"xor $0x11, %%rbx\n\txor $0x22, %%rdx\n\txor $0x33, %%rsi\n\txor $0x44, %%rdi\n\t"
		"xor $0x55, %%r8\n\txor $0x66, %%r9\n\txor $0x77, %%r10\n\txor $0x88, %%r12\n\t"
		"xor $0x99, %%r13\n\txor $0xaa, %%r14\n\txor $0xbb, %%r15\n\t"
		"or %%rbx, %%rdx\n\tor %%rsi, %%rdx\n\tor %%rdi, %%rdx\n\tor %%r8, %%rdx\n\t"
		"or %%r9, %%rdx\n\tor %%r10, %%rdx\n\tor %%r12, %%rdx\n\tor %%r13, %%rdx\n\t"
		"or %%r14, %%rdx\n\tor %%r15, %%rdx"
		: "=d"(wrong)
		:
		: "rax", "rbx", "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		  "r15", "memory", "cc");
	CHECK(wrong == 0, "registers differ by 0x%lx", (unsigned long)wrong);
}

/* ---- Pre-emption and time ---- */

struct counters {
	volatile uint64_t count[3];
	volatile int stop;
};

static struct counters *counters;

static void count_up(void *context)
{
	volatile uint64_t *mine = &counters->count[*(int *)context];

	while (!counters->stop)
		++*mine;
}

static void preemption(void)
{
	pid_t children[3];

	counters = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(counters != MAP_FAILED, "mmap");
	for (int i = 0; i < 3; i++)
		children[i] = start(count_up, &i);
	sleep_ms(250);
	uint64_t count[3];
	for (int i = 0; i < 3; i++)
		count[i] = counters->count[i];
	sleep_ms(250);
	for (int i = 0; i < 3; i++)
		CHECK(counters->count[i] > count[i] && count[i] > 0,
		      "process %d stands still at %lu", i, (unsigned long)count[i]);
	counters->stop = 1;
	for (int i = 0; i < 3; i++)
		reap(children[i]);
}

static int64_t now_ns(int clock)
{
	long time[2] = {0, -1};

	CHECK_EQUAL(CALL(SYS_CLOCK_GETTIME, clock, time), 0, "clock_gettime");
	CHECK(time[1] >= 0 && time[1] < 1000000000, "%ld ns", time[1]);
	return (int64_t)time[0] * 1000000000 + time[1];
}

static void clocks(void)
{
	int64_t last = now_ns(1), advanced = 0, smallest = 1000000000;

	for (int i = 0; i < 5000; i++) {
		int64_t now = now_ns(1);

		CHECK(now >= last, "the clock went back from %ld to %ld ns", (long)last, (long)now);
		advanced += now > last;
		if (now > last && now - last < smallest)
			smallest = now - last;
		last = now;
	}
	CHECK(advanced > 4000, "the clock advanced in %ld of 5000 readings", (long)advanced);
	CHECK(smallest < 100000, "smallest step %ld ns", (long)smallest);
	CHECK(now_ns(0) / 1000000000 > 1500000000, "the wall clock says %ld s",
	      (long)(now_ns(0) / 1000000000));
	int64_t wall = now_ns(0), monotonic = now_ns(1);
	sleep_ms(50);
	wall = now_ns(0) - wall;
	monotonic = now_ns(1) - monotonic;
	CHECK(wall - monotonic < 20000000 && monotonic - wall < 20000000,
	      "two clocks: %ld and %ld ns", (long)wall, (long)monotonic);
}

static void sleeping(void)
{
	static const long lengths[] = {0, 1, 5, 30, 100};

	for (size_t i = 0; i < COUNT(lengths); i++) {
		int64_t begin = now_ns(1);

		sleep_ms(lengths[i]);
		int64_t took = now_ns(1) - begin;
		CHECK(took >= lengths[i] * 1000000, "slept %ld ns, not %ld ms", (long)took,
		      lengths[i]);
		CHECK(took < lengths[i] * 1000000 + 500000000, "slept %ld ns, not %ld ms",
		      (long)took, lengths[i]);
	}
}

static void sleep_and_tell(void *context)
{
	char name = *(char *)context;

	sleep_ms((name - 'a') * 60l);
	if (write(report[1], &name, 1) != 1)
		_exit(1);
}

static void sleepers_in_order(void)
{
	char order[] = "ecadb", woken[6] = "";

	REQUIRE(pipe(report) == 0, "pipe");
	for (int i = 0; i < 5; i++)
		start(sleep_and_tell, &order[i]);
	for (int i = 0; i < 5; i++)
		CHECK(read(report[0], &woken[i], 1) == 1, "read");
	CHECK(strcmp(woken, "abcde") == 0, "woken in the order '%s'", woken);
	for (int i = 0; i < 5; i++)
		CHECK(waitpid(-1, NULL, 0) > 0, "waitpid");
}

/* The child borrows this process's memory, and stack, and so sleeps without a return from here. */
static void vfork_for_ever(void *context)
{
	long result;

	if (write(report[1], context, 1) != 1)
		_exit(1);
	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 2f\n"
		     "1: mov $34, %%eax\n\t" /* pause */
		     "syscall\n\t"
		     "jmp 1b\n"
		     "2:"
		     : "=a"(result)
		     : "a"(58l)
		     : "rcx", "r11", "memory");
}

static void check_killed_in_vfork(int signal)
{
	char byte = 'v';
	int status = 0;

	REQUIRE(pipe(report) == 0, "pipe");
	pid_t pid = start(vfork_for_ever, &byte);
	CHECK(read(report[0], &byte, 1) == 1, "read");
	sleep_ms(20);
	CHECK_EQUAL(kill(pid, SIGWINCH), 0, "kill");
	sleep_ms(20);
	CHECK_EQUAL(waitpid(pid, &status, WNOHANG), 0,
		    "waitpid: an ignored signal does not end the wait");
	CHECK_EQUAL(kill(pid, signal), 0, "kill");
	for (int tries = 0; tries < 100 && waitpid(pid, &status, WNOHANG) == 0; tries++)
		sleep_ms(10);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signal, "wait status 0x%x", status);
}

static void killed_in_vfork(void)
{
	check_killed_in_vfork(SIGTERM);
	check_killed_in_vfork(SIGKILL);
}

static const struct test tests[] = {
	{.name = "exit statuses", .run = exit_statuses},
	{.name = "wait", .run = waiting},
	{.name = "zombies", .run = zombies},
	{.name = "orphans", .run = orphans},
	{.name = "pids of 300 at once", .run = pids},
	{.name = "signals' default actions", .run = default_actions, .once = true},
	{.name = "kill", .run = kill_others},
	{.name = "killed while its vfork waits", .run = killed_in_vfork},
	{.name = "CPU exceptions", .run = exceptions},
	{.name = "FPU state is each process's own", .run = fpu, .once = true},
	{.name = "FPU state over fork", .run = fpu_over_fork},
	{.name = "the direction flag", .run = direction_flag},
	{.name = "general registers", .run = general_registers, .once = true},
	{.name = "pre-emption", .run = preemption, .once = true},
	{.name = "clocks", .run = clocks, .once = true},
	{.name = "sleep", .run = sleeping, .once = true},
	{.name = "sleepers in order", .run = sleepers_in_order, .once = true},
};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
