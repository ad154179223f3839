/* Signals for the process: which thread takes them, what ends, stops and continues all. */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4u

static atomic_uint ready, handled;
static atomic_int taker;
static atomic_bool stop;

static sigset_t only(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	return set;
}

static void change_mask(int how, int signal)
{
	sigset_t set = only(signal);

	CHECK(pthread_sigmask(how, &set, NULL) == 0);
}

static void take(int signal)
{
	(void)signal;
	taker = gettid();
	handled++;
}

static void *wait_unblocked(void *context)
{
	change_mask(SIG_UNBLOCK, SIGUSR1);
	taker = -gettid();
	UNTIL(stop);
	return context;
}

/* Of all threads only one does not block it. */
static void to_who_does_not_block(void)
{
	handle(SIGUSR1, take, 0);
	change_mask(SIG_BLOCK, SIGUSR1);
	for (unsigned i = 1; i <= 50; i++) {
		pthread_t thread;
		pid_t tid;

		stop = false;
		taker = 0;
		thread = begin(wait_unblocked, NULL);
		UNTIL(taker < 0);
		tid = -taker;
		CHECK(kill(getpid(), SIGUSR1) == 0);
		UNTIL(handled == i);
		CHECK(taker == tid);
		stop = true;
		finish(thread);
	}
}

static void *look_at_pending(void *context)
{
	sigset_t pending;

	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1);
	CHECK(sigismember(&pending, SIGUSR2) == 0);
	return context;
}

/* Pending for the process it shows in each thread, pending for a thread only there. */
static void pending_for_all(void)
{
	handle(SIGUSR1, take, 0);
	change_mask(SIG_BLOCK, SIGUSR1);
	change_mask(SIG_BLOCK, SIGUSR2);
	CHECK(kill(getpid(), SIGUSR1) == 0 && raise(SIGUSR2) == 0);
	finish(begin(look_at_pending, NULL));
	CHECK(handled == 0);
	stop = true;
	finish(begin(wait_unblocked, NULL));
	CHECK(handled == 1 && taker < 0);
}

/* ---- sigwait ---- */

#define QUEUED 200

static atomic_ulong sum;
static atomic_int got;

static void *wait_for_queued(void *context)
{
	sigset_t set = only(SIGRTMIN + 1);
	siginfo_t info;

	for (;;) {
		int signal;

		/* EINTR: woken for one that another has taken. */
		while ((signal = sigwaitinfo(&set, &info)) == -1 && errno == EINTR)
			;
		CHECK(signal == SIGRTMIN + 1 && info.si_code == SI_QUEUE);
		if (info.si_value.sival_int == 0)
			return context;
		sum += (unsigned)info.si_value.sival_int;
		got++;
	}
}

/* Each queued signal goes to one of those that wait. */
static void waited_for_by_many(void)
{
	pthread_t threads[THREADS];
	union sigval value = {0};

	change_mask(SIG_BLOCK, SIGRTMIN + 1);
	begin_all(threads, THREADS, wait_for_queued);
	for (value.sival_int = 1; value.sival_int <= QUEUED; value.sival_int++)
		CHECK(sigqueue(getpid(), SIGRTMIN + 1, value) == 0);
	UNTIL(got == QUEUED);
	CHECK(sum == QUEUED * (QUEUED + 1) / 2);
	value.sival_int = 0;
	for (unsigned i = 0; i < THREADS; i++)
		CHECK(sigqueue(getpid(), SIGRTMIN + 1, value) == 0);
	finish_all(threads, THREADS);
}

static void *wait_for_alarm(void *context)
{
	sigset_t set = only(SIGALRM);
	int signal = 0;

	CHECK(sigwait(&set, &signal) == 0 && signal == SIGALRM);
	return context;
}

static void *wait_in_vain(void *context)
{
	const struct timespec little = {.tv_nsec = 10000000};
	sigset_t set = only(SIGUSR2);

	CHECK(sigtimedwait(&set, NULL, &little) == -1 && errno == EAGAIN);
	return context;
}

static void waited_for_by_one(void)
{
	pthread_t thread;

	change_mask(SIG_BLOCK, SIGALRM);
	change_mask(SIG_BLOCK, SIGUSR2);
	thread = begin(wait_for_alarm, NULL);
	ualarm(1000, 0);
	finish(thread);
	/* One for another thread is none of ours. */
	CHECK(raise(SIGUSR2) == 0);
	finish(begin(wait_in_vain, NULL));
}

static void *suspend(void *context)
{
	sigset_t none;

	sigemptyset(&none);
	ready++;
	CHECK(sigsuspend(&none) == -1 && errno == EINTR);
	return context;
}

static void suspended(void)
{
	pthread_t threads[THREADS];

	handle(SIGUSR1, take, 0);
	change_mask(SIG_BLOCK, SIGUSR1);
	begin_all(threads, THREADS, suspend);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_kill(threads[i], SIGUSR1) == 0);
	finish_all(threads, THREADS);
	CHECK(handled == THREADS);
}

/* ---- What concerns all threads ---- */

static atomic_ulong *counters; /* shared with the child */

static void *count_on(void *context)
{
	for (;;)
		counters[(size_t)context]++;
	return context;
}

static void *wait_for_good(void *context)
{
	pause();
	return context;
}

static volatile int *const volatile nowhere;

static void *die(void *context)
{
	UNTIL(counters[0] > 0 && counters[1] > 0 && counters[2] > 0);
	if (!context)
		*nowhere = 1;
	raise((int)(size_t)context);
	return context;
}

static int deadly;

static void die_among_others(void)
{
	pthread_t threads[3];

	begin_all(threads, COUNT(threads), count_on);
	begin(wait_for_good, NULL);
	finish(begin(die, (void *)(size_t)deadly));
}

/* A thread that dies of a signal takes the process with it. */
static void deadly_signals(void)
{
	static const int signals[] = {0, SIGABRT, SIGTERM, SIGKILL, SIGUSR1};

	counters = shared_memory(PAGE);
	for (size_t i = 0; i < COUNT(signals); i++) {
		deadly = signals[i];
		for (unsigned j = 0; j < 3; j++)
			counters[j] = 0;
		CHECK((status_of(child(die_among_others)) & 0x7f) == (deadly ? deadly : SIGSEGV));
	}
}

static void count_in_threads(void)
{
	pthread_t threads[2];

	begin_all(threads, COUNT(threads), count_on);
	count_on((void *)2);
}

static bool all_count(void)
{
	unsigned long before[3];

	for (unsigned i = 0; i < 3; i++)
		before[i] = counters[i];
	for (unsigned i = 0; i < 3; i++)
		UNTIL(counters[i] > before[i]);
	return true;
}

static void none_counts(void)
{
	unsigned long before[3];

	for (unsigned i = 0; i < 3; i++)
		before[i] = counters[i];
	usleep(20000);
	for (unsigned i = 0; i < 3; i++)
		CHECK(counters[i] == before[i]);
}

/* A process is stopped when all its threads are, and goes on with all. */
static void stop_and_continue(void)
{
	int status = 0;
	pid_t pid;

	counters = shared_memory(PAGE);
	pid = child(count_in_threads);
	for (unsigned i = 0; i < 10; i++) {
		CHECK(all_count());
		CHECK(kill(pid, SIGSTOP) == 0);
		CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
		CHECK(WSTOPSIG(status) == SIGSTOP);
		none_counts();
		CHECK(kill(pid, SIGCONT) == 0);
		CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	}
	CHECK(all_count());
	CHECK(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(kill(pid, SIGKILL) == 0 && status_of(pid) == SIGKILL);
}

static void *stop_all(void *context)
{
	CHECK(all_count() && raise(SIGTSTP) == 0);
	_exit((int)(size_t)context);
}

static void stop_self(void)
{
	pthread_t threads[2];

	begin_all(threads, COUNT(threads), count_on);
	begin(stop_all, (void *)11);
	count_on((void *)2);
}

/* The signal is for one thread, the stop for all. */
static void stopped_by_thread(void)
{
	int status = 0;
	pid_t pid;

	counters = shared_memory(PAGE);
	pid = child(stop_self);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) &&
	      WSTOPSIG(status) == SIGTSTP);
	none_counts();
	CHECK(kill(pid, SIGCONT) == 0 && status_of(pid) == 11 << 8);
}

/* ---- Errors ---- */

static void *tell_tid(void *context)
{
	*(pid_t *)context = gettid();
	return NULL;
}

static long tgkill_(pid_t tgid, pid_t tid, int signal)
{
	return syscall(SYS_tgkill, tgid, tid, signal) == 0 ? 0 : errno;
}

static void tgkill_errors(void)
{
	pid_t gone = 0, other = child((void (*)(void))pause);

	finish(begin(tell_tid, &gone));
	UNTIL(threads_now() == 1);
	CHECK(tgkill_(getpid(), gone, 0) == ESRCH && tgkill_(getpid(), gone, SIGUSR1) == ESRCH);
	CHECK(tgkill_(getpid(), other, 0) == ESRCH && tgkill_(other, other, 0) == 0);
	CHECK(tgkill_(other, getpid(), 0) == ESRCH);
	CHECK(tgkill_(0, getpid(), 0) == EINVAL && tgkill_(getpid(), 0, 0) == EINVAL);
	CHECK(tgkill_(-1, getpid(), 0) == EINVAL && tgkill_(getpid(), -1, 0) == EINVAL);
	CHECK(tgkill_(getpid(), gettid(), 65) == EINVAL &&
	      tgkill_(getpid(), gettid(), -1) == EINVAL);
	CHECK(syscall(SYS_tkill, gettid(), 0) == 0);
	CHECK(syscall(SYS_tkill, gone, 0) == -1 && errno == ESRCH);
	CHECK(syscall(SYS_tkill, 0, 0) == -1 && errno == EINVAL);
	CHECK(kill(other, SIGKILL) == 0 && status_of(other) == SIGKILL);
}

static void *ask_to_be_killed(void *context)
{
	/* kill() takes the id of any thread for its process. */
	CHECK(kill(gettid(), SIGUSR1) == 0);
	UNTIL(handled == 1);
	return context;
}

static void kill_by_tid(void)
{
	handle(SIGUSR1, take, 0);
	finish(begin(ask_to_be_killed, NULL));
}

const struct part group_signal_parts[] = {
	{"signals for the process, which others block", to_who_does_not_block},
	{"signals pending for the process", pending_for_all},
	{"queued signals waited for by many", waited_for_by_many},
	{"signals waited for by one", waited_for_by_one},
	{"sigsuspend in threads", suspended},
	{"deadly signals", deadly_signals},
	{"stopped and continued", stop_and_continue},
	{"stopped by one of its threads", stopped_by_thread},
	{"errors of tgkill and tkill", tgkill_errors},
	{"kill() with the id of a thread", kill_by_tid},
	{0},
};
