/* Signals for one thread: its mask, its handlers' stack, its faults. */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 6u

static atomic_uint ready, handled;
static atomic_bool stop;
static pid_t tids[THREADS];
static _Thread_local volatile sig_atomic_t mine;
static _Thread_local siginfo_t last;

static void count(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	last = *info;
	mine++;
	handled++;
}

static void *count_mine(void *context)
{
	tids[(size_t)context] = gettid();
	ready++;
	UNTIL(stop);
	CHECK(mine == (int)(size_t)context);
	CHECK(mine == 0 ||
	      (last.si_code == SI_TKILL && last.si_pid == getpid() && last.si_signo == SIGUSR1));
	return context;
}

/* The thread that is meant runs the handler: number i gets i signals. */
static void to_one_thread(void)
{
	pthread_t threads[THREADS];
	unsigned sent = 0;

	handle(SIGUSR1, count, SA_SIGINFO);
	begin_all(threads, THREADS, count_mine);
	UNTIL(ready == THREADS);
	for (size_t i = 0; i < THREADS; i++) {
		for (size_t n = 0; n < i; n++) {
			int error = n % 2 ? pthread_kill(threads[i], SIGUSR1)
					  : (int)syscall(SYS_tgkill, getpid(), tids[i], SIGUSR1);

			CHECK(error == 0);
			sent++;
			UNTIL(handled == sent);
		}
		CHECK(pthread_kill(threads[i], 0) == 0);
	}
	stop = true;
	finish_all(threads, THREADS);
	CHECK(mine == 0);
}

static void *raise_here(void *context)
{
	for (unsigned i = 0; i < 100; i++)
		CHECK(raise(SIGUSR1) == 0);
	CHECK(mine == 100);
	return context;
}

static void raised(void)
{
	pthread_t threads[THREADS];

	handle(SIGUSR1, count, SA_SIGINFO);
	begin_all(threads, THREADS, raise_here);
	finish_all(threads, THREADS);
	CHECK(handled == 100 * THREADS);
}

static bool blocks(int signal)
{
	sigset_t now;

	CHECK(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
	return sigismember(&now, signal);
}

static void change_mask(int how, int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	CHECK(pthread_sigmask(how, &set, NULL) == 0);
}

static pthread_barrier_t meeting;

static void *mask_own(void *context)
{
	int signal = SIGRTMIN + 1 + (int)(size_t)context;
	sigset_t pending;

	CHECK(blocks(SIGUSR2)); /* as its creator did */
	change_mask(SIG_BLOCK, signal);
	pthread_barrier_wait(&meeting);
	CHECK(blocks(signal) && !blocks(signal + 1));
	CHECK(pthread_kill(pthread_self(), signal) == 0 && mine == 0);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, signal) &&
	      !sigismember(&pending, signal - 1));
	change_mask(SIG_UNBLOCK, signal);
	CHECK(mine == 1);
	return context;
}

static void masks(void)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		handle(SIGRTMIN + 1 + (int)i, count, SA_SIGINFO);
	pthread_barrier_init(&meeting, NULL, THREADS);
	change_mask(SIG_BLOCK, SIGUSR2);
	begin_all(threads, THREADS, mask_own);
	finish_all(threads, THREADS);
	CHECK(blocks(SIGUSR2) && !blocks(SIGRTMIN + 1));
}

/* ---- Calls that wait ---- */

static int ends[2];

static void *read_interrupted(void *context)
{
	char byte;

	CHECK(read(ends[0], &byte, 1) == -1 && errno == EINTR);
	stop = true;
	return context;
}

static void *read_restarted(void *context)
{
	char byte = 0;

	CHECK(read(ends[0], &byte, 1) == 1 && byte == 'r');
	return context;
}

static void interrupted_calls(void)
{
	pthread_t thread;

	CHECK(pipe(ends) == 0);
	handle(SIGUSR1, count, SA_SIGINFO);
	thread = begin(read_interrupted, NULL);
	UNTIL(stop)
	pthread_kill(thread, SIGUSR1);
	finish(thread);
	handled = 0;
	handle(SIGUSR1, count, SA_SIGINFO | SA_RESTART);
	thread = begin(read_restarted, NULL);
	for (unsigned i = 1; i <= 20; i++) {
		CHECK(pthread_kill(thread, SIGUSR1) == 0);
		UNTIL(handled >= i);
	}
	CHECK(write(ends[1], "r", 1) == 1);
	finish(thread);
}

/* ---- Stacks of handlers ---- */

static _Thread_local char *stack_start;
#define STACK (64ul << 10)

static void on_own_stack(int signal)
{
	char local;
	stack_t now;

	(void)signal;
	CHECK(&local >= stack_start && &local < stack_start + STACK);
	CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_ONSTACK);
	mine++;
}

static void *use_alternate(void *context)
{
	stack_t none;

	CHECK(sigaltstack(NULL, &none) == 0 &&
	      none.ss_flags == SS_DISABLE); /* it is not inherited */
	stack_start = private_memory(STACK);
	CHECK(sigaltstack(&(stack_t) {.ss_sp = stack_start, .ss_size = STACK}, NULL) == 0);
	for (int i = 1; i <= 200; i++)
		CHECK(raise(SIGUSR1) == 0 && mine == i);
	return context;
}

static void alternate_stacks(void)
{
	pthread_t threads[THREADS];

	handle(SIGUSR1, on_own_stack, SA_ONSTACK);
	stack_start = private_memory(STACK);
	CHECK(sigaltstack(&(stack_t) {.ss_sp = stack_start, .ss_size = STACK}, NULL) == 0);
	begin_all(threads, THREADS, use_alternate);
	finish_all(threads, THREADS);
	CHECK(raise(SIGUSR1) == 0 && mine == 1);
}

/* ---- Faults ---- */

static _Thread_local char *expected;
static _Thread_local sigjmp_buf back;

static void mend(int signal, siginfo_t *info, void *context)
{
	(void)context;
	CHECK(signal == SIGSEGV && info->si_code == SEGV_ACCERR && info->si_addr == expected);
	mine++;
	CHECK(mprotect((void *)((uintptr_t)info->si_addr & -PAGE), PAGE, PROT_READ | PROT_WRITE) ==
	      0);
}

/* Each thread mends its own faults, in memory side by side with that of the others. */
static void *fault_often(void *context)
{
	static char *pages;
	size_t me = (size_t)context;

	if (me == 0)
		pages = private_memory(64 * PAGE * THREADS);
	pthread_barrier_wait(&meeting);
	for (size_t i = 0; i < 256; i++) {
		char *page = pages + (i % 64 * THREADS + me) * PAGE;

		CHECK(mprotect(page, PAGE, i % 2 ? PROT_READ : PROT_NONE) == 0);
		expected = page + 100 + me;
		*(volatile char *)expected = (char)me;
		CHECK(*(volatile char *)expected == (char)me);
	}
	CHECK(mine == 256);
	return context;
}

static void faults_of_each(void)
{
	pthread_t threads[THREADS];

	handle(SIGSEGV, mend, SA_SIGINFO);
	pthread_barrier_init(&meeting, NULL, THREADS);
	begin_all(threads, THREADS, fault_often);
	finish_all(threads, THREADS);
}

static void jump(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	CHECK(info->si_addr == expected && info->si_code == SEGV_MAPERR);
	siglongjmp(back, 1);
}

static void *jump_often(void *context)
{
	volatile int jumps = 0;

	expected = (char *)0x1000 + (size_t)context;
	while (jumps < 300)
		if (sigsetjmp(back, 1) == 0)
			*(volatile char *)expected = 1;
		else
			jumps++;
	return context;
}

static void jumps_out_of_faults(void)
{
	pthread_t threads[THREADS];

	handle(SIGSEGV, jump, SA_SIGINFO);
	begin_all(threads, THREADS, jump_often);
	finish_all(threads, THREADS);
}

const struct part signal_parts[] = {
	{"signals for one thread", to_one_thread},
	{"signals raised", raised},
	{"a mask for each thread", masks},
	{"calls of a thread interrupted or restarted", interrupted_calls},
	{"an alternate stack for each thread", alternate_stacks},
	{"faults of several threads, mended", faults_of_each},
	{"faults of several threads, jumped out of", jumps_out_of_faults},
	{0},
};
