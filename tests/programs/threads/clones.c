/* clone(2) by itself: what it refuses, and what each flag shares. The threads here use nothing of the libc's. */
#define _GNU_SOURCE
#include "futex.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK  (64ul << 10)
#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* A system call that sets no errno. */
static long call(long number, long a, long b, long c, long d)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = 0;
	register long r9 asm("r9") = 0;
	long result;

	asm volatile("syscall"
		     : "=a"(result)
		     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return result;
}

static atomic_uint parent_tid, child_tid, cleared, running, go;
static atomic_long result;

static int raw_clone(int (*body)(void *), void *context, int flags)
{
	char *stack = private_memory(STACK);

	return clone(body, stack + STACK, flags, context, &parent_tid, NULL, &child_tid);
}

/* ---- Refused ---- */

static void refuse(unsigned long flags, int error)
{
	long got = call(SYS_clone, (long)flags, 0, 0, 0);

	if (got == 0)
		_exit(1);
	CHECK(got == -error);
	if (got > 0)
		waitpid((pid_t)got, NULL, __WALL);
}

static void refused(void)
{
	refuse(CLONE_THREAD, EINVAL);
	refuse(CLONE_THREAD | CLONE_VM, EINVAL);
	refuse(CLONE_THREAD | CLONE_SIGHAND, EINVAL);
	refuse(CLONE_SIGHAND, EINVAL);
	refuse(CLONE_SIGHAND | CLONE_FS | CLONE_FILES, EINVAL);
	refuse(CLONE_FS | CLONE_NEWNS, EINVAL);
}

/* ---- Thread ids ---- */

static int tell_ids(void *context)
{
	(void)context;
	result = call(SYS_getpid, 0, 0, 0, 0);
	running = (unsigned)call(SYS_gettid, 0, 0, 0, 0);
	while (!go)
		call(SYS_sched_yield, 0, 0, 0, 0);
	return 0;
}

/* Waits as pthread_join does: the kernel clears the word and wakes who waits for it. */
static void wait_until_clear(atomic_uint *word)
{
	unsigned now;

	while ((now = *word) != 0)
		futex(word, FUTEX_WAIT, now, NULL, NULL, 0);
}

static void ids_in_memory(void)
{
	for (unsigned i = 0; i < 50; i++) {
		int tid;

		running = go = 0;
		child_tid = parent_tid = 1;
		tid = raw_clone(tell_ids, NULL,
				THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
					CLONE_CHILD_CLEARTID);
		CHECK(tid > 0 && parent_tid == (unsigned)tid);
		UNTIL(running);
		CHECK(running == (unsigned)tid && child_tid == (unsigned)tid && result == getpid());
		go = 1;
		wait_until_clear(&child_tid);
		CHECK(parent_tid == (unsigned)tid);
	}
}

static int change_address(void *context)
{
	(void)context;
	result = call(SYS_set_tid_address, (long)&cleared, 0, 0, 0);
	return 0;
}

static void other_address(void)
{
	int tid;

	CHECK(call(SYS_set_tid_address, 0, 0, 0, 0) == gettid());
	cleared = 77;
	tid = raw_clone(change_address, NULL, THREAD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID);
	CHECK(tid > 0);
	wait_until_clear(&cleared);
	CHECK(result == tid && child_tid == (unsigned)tid);
}

static int nothing(void *context)
{
	(void)context;
	return 0;
}

/* An address that cannot be written is nobody's fault. */
static void no_address(void)
{
	char *stack = private_memory(STACK);
	int tid = clone(nothing, stack + STACK, THREAD | CLONE_CHILD_CLEARTID, NULL, NULL, NULL,
			(void *)16);

	CHECK(tid > 0);
	UNTIL(threads_now() == 1);
}

/* ---- What processes share ---- */

static int change_things(void *context)
{
	(void)context;
	running = 9;
	result = call(SYS_open, (long)"/dev/null", O_RDONLY, 0, 0);
	call(SYS_chdir, (long)"/proc", 0, 0, 0);
	return 0;
}

static bool at(const char *path)
{
	char now[100] = "";

	return getcwd(now, sizeof(now)) && now[0] == path[0] && now[1] == path[1];
}

/*
 * Runs change_things() with these flags to its end. False: the kernel refuses to make processes that share this, as
 * Coppice does with all but memory; what it must not do is to make them and not share it.
 */
static bool change_with(int flags)
{
	int pid;

	running = 0;
	CHECK(chdir("/") == 0);
	pid = raw_clone(change_things, NULL, flags | SIGCHLD);
	if (pid < 0 && errno == EINVAL && flags != CLONE_VM)
		return false;
	return CHECK(pid > 0 && passed(pid) && result >= 0);
}

static void shared_by_flags(void)
{
	change_with(CLONE_VM);
	CHECK(running == 9 && at("/") && fcntl((int)result, F_GETFD) == -1);
	if (change_with(CLONE_VM | CLONE_FILES))
		CHECK(running == 9 && at("/") && close((int)result) == 0);
	if (change_with(CLONE_VM | CLONE_FS))
		CHECK(running == 9 && at("/p") && fcntl((int)result, F_GETFD) == -1);
	if (change_with(CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND | CLONE_VFORK))
		CHECK(running == 9 && at("/p") && close((int)result) == 0);
}

struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

static int ignore_signal(void *context)
{
	struct kernel_sigaction action = {.handler = SIG_IGN};

	(void)context;
	result = call(SYS_rt_sigaction, SIGUSR1, (long)&action, 0, sizeof(action.mask));
	return 0;
}

static void shared_handlers(void)
{
	struct sigaction now;
	int pid;

	pid = raw_clone(ignore_signal, NULL, CLONE_VM | SIGCHLD);
	CHECK(pid > 0 && passed(pid) && result == 0);
	CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
	pid = raw_clone(ignore_signal, NULL, CLONE_VM | CLONE_SIGHAND | SIGCHLD);
	if (pid < 0 && errno == EINVAL) /* see change_with() */
		return;
	CHECK(pid > 0 && passed(pid) && result == 0);
	CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_IGN);
}

static int write_and_exit(void *context)
{
	for (unsigned i = 0; i < 1000; i++)
		running++;
	call(SYS_exit, (long)context, 0, 0, 0);
	return 0;
}

/* The parent goes on when the child is done with its memory. */
static void vfork_waits(void)
{
	for (unsigned i = 1; i < 100; i++) {
		int pid;

		running = 0;
		pid = raw_clone(write_and_exit, (void *)(size_t)i,
				CLONE_VM | CLONE_VFORK | SIGCHLD);
		CHECK(running == 1000 && status_of(pid) == (int)i << 8);
	}
}

static void *vfork_in_thread(void *context)
{
	vfork_waits();
	return context;
}

static atomic_bool stop;

static void *count_on(void *context)
{
	while (!stop)
		result++;
	return context;
}

/* Only the thread that calls waits. */
static void vfork_by_thread(void)
{
	pthread_t counter = begin(count_on, NULL);

	finish(begin(vfork_in_thread, NULL));
	stop = true;
	finish(counter);
}

static int end_silently(void *context)
{
	(void)context;
	return 3;
}

/* A child without a signal for its end is waited for with __WCLONE or __WALL only. */
static void without_signal(void)
{
	int pid = raw_clone(end_silently, NULL, CLONE_VM), status = 0;

	CHECK(waitpid(pid, &status, 0) == -1 && errno == ECHILD);
	CHECK(waitpid(pid, &status, __WCLONE) == pid && status == 3 << 8);
	pid = raw_clone(end_silently, NULL, CLONE_VM);
	CHECK(waitpid(pid, &status, __WALL) == pid && status == 3 << 8);
}

const struct part clone_parts[] = {
	{"clone: flags that do not go together", refused},
	{"clone: ids in memory", ids_in_memory},
	{"clone: set_tid_address", other_address},
	{"clone: no address to clear", no_address},
	{"clone: what processes share", shared_by_flags},
	{"clone: signal handlers", shared_handlers},
	{"clone: vfork waits", vfork_waits},
	{"clone: vfork by a thread", vfork_by_thread},
	{"clone: children without a signal", without_signal},
	{0},
};
