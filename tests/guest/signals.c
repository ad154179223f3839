/*
 * Signals and timers, from the manual pages: what a signal tells (siginfo), queues of real-time signals, waiting for
 * signals and for children, handlers within handlers and on other stacks, calls that go on or end with EINTR, stops,
 * orphaned groups, timers.
 *
 * Catches: a siginfo lost, or of another signal; real-time signals merged, reordered or given more than once; a SIGCONT
 * that comes to nothing beside a stop; a wait that a signal ends or does not end against its SA_RESTART; a signal mask or
 * an alternate stack not put back; a timer that fires early, never, or for its fork's child.
 */
#include "lib.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SYS_CLONE = 56,
	SYS_GETPPID = 110,
	SYS_RT_SIGQUEUEINFO = 129,
	SYS_TGKILL = 234,
	SYS_RT_TGSIGQUEUEINFO = 297,
};

#define FIRST_RT 40 /* a libc may keep the first few for itself */
#define MS       1000000l

/* ---- What handlers leave ---- */

#define NOTES 64

static volatile siginfo_t notes[NOTES];
static volatile int noted;

static void note(int signal, siginfo_t *info, void *context)
{
	(void)context;
	CHECK_EQUAL(info->si_signo, signal, "si_signo");
	if (noted < NOTES)
		memcpy((void *)&notes[noted], info, sizeof(*info));
	noted++;
}

static void handle(int signal, int flags)
{
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};

	noted = 0;
	sigemptyset(&action.sa_mask);
	REQUIRE(sigaction(signal, &action, NULL) == 0, "sigaction of %d", signal);
}

static sigset_t set_of(int first, int second)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, first);
	if (second)
		sigaddset(&set, second);
	return set;
}

static void change_mask(int how, int first, int second)
{
	const sigset_t set = set_of(first, second);

	REQUIRE(sigprocmask(how, &set, NULL) == 0, "sigprocmask");
}

static long now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000 * MS + time.tv_nsec;
}

static void sleep_ms(long ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * MS};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static void check_note(int index, int signal, int code, long pid)
{
	CHECK(noted > index, "signal %d: %d signals came", signal, noted);
	CHECK_EQUAL(notes[index].si_signo, signal, "the signal");
	CHECK_EQUAL(notes[index].si_code, code, "si_code");
	if (pid)
		CHECK_EQUAL(notes[index].si_pid, pid, "si_pid");
}

/* ---- siginfo ---- */

static void send_all_ways(void *context)
{
	pid_t to = *(pid_t *)context;
	const union sigval value = {.sival_ptr = (void *)0x123456789abcul};

	CHECK_EQUAL(kill(to, SIGUSR1), 0, "kill");
	CHECK_EQUAL(CALL(SYS_TGKILL, to, to, SIGUSR2), 0, "tgkill");
	CHECK_EQUAL(sigqueue(to, FIRST_RT, value), 0, "sigqueue");
}

static void senders(void)
{
	pid_t me = getpid(), child;

	handle(SIGUSR1, 0);
	handle(SIGUSR2, 0);
	handle(FIRST_RT, 0);
	change_mask(SIG_BLOCK, SIGUSR1, SIGUSR2);
	change_mask(SIG_BLOCK, FIRST_RT, 0);
	child = start(send_all_ways, &me);
	reap(child);
	CHECK_EQUAL(noted, 0, "signals while they are blocked");
	change_mask(SIG_UNBLOCK, SIGUSR1, 0);
	check_note(0, SIGUSR1, SI_USER, child);
	change_mask(SIG_UNBLOCK, SIGUSR2, 0);
	check_note(1, SIGUSR2, SI_TKILL, child);
	change_mask(SIG_UNBLOCK, FIRST_RT, 0);
	check_note(2, FIRST_RT, SI_QUEUE, child);
	CHECK(notes[2].si_value.sival_ptr == (void *)0x123456789abcul, "si_value %p",
	      notes[2].si_value.sival_ptr);
	CHECK_EQUAL(notes[2].si_uid, getuid(), "si_uid");
}

/* The first of a standard signal is kept, later ones are not. */
static void standard_once(void)
{
	union sigval value = {.sival_int = 1};

	handle(SIGUSR1, 0);
	change_mask(SIG_BLOCK, SIGUSR1, 0);
	for (; value.sival_int <= 5; value.sival_int++)
		CHECK_EQUAL(sigqueue(getpid(), SIGUSR1, value), 0, "sigqueue");
	change_mask(SIG_UNBLOCK, SIGUSR1, 0);
	CHECK_EQUAL(noted, 1, "handlers run");
	CHECK_EQUAL(notes[0].si_value.sival_int, 1, "the value of the first");
}

static void write_null(void *context)
{
	*(volatile char *)context = 1;
}

static volatile uintptr_t fault_at;
static volatile int fault_code;

static void note_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	fault_at = (uintptr_t)info->si_addr;
	fault_code = info->si_code;
	_exit(fault_at == 0x1230 && fault_code == 1 ? 7 : 8); /* SEGV_MAPERR */
}

/* A fault tells its address, though a SIGSEGV that kill sent is pending with less to tell. */
static void fault(void *context)
{
	struct sigaction action = {.sa_sigaction = note_fault, .sa_flags = SA_SIGINFO};

	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, NULL);
	write_null(context);
}

static void faults(void)
{
	int status = status_of(fault, (void *)0x1230);

	CHECK_EQUAL(status, 7 << 8, "the fault's address and code");
}

/* ---- Real-time signals ---- */

static void queue_order(void)
{
	static const int sent[] = {2, 0, 1, 0, 2, 1, 1, 0};
	int expected = 0;

	for (int i = 0; i < 3; i++) {
		handle(FIRST_RT + i, 0);
		change_mask(SIG_BLOCK, FIRST_RT + i, 0);
	}
	for (size_t i = 0; i < COUNT(sent); i++) {
		const union sigval value = {.sival_int = (int)i};

		CHECK_EQUAL(sigqueue(getpid(), FIRST_RT + sent[i], value), 0, "sigqueue");
	}
	for (int signal = FIRST_RT; signal < FIRST_RT + 3; signal++) {
		siginfo_t info;
		const sigset_t all = set_of(signal, 0);

		for (size_t i = 0; i < COUNT(sent); i++) {
			if (FIRST_RT + sent[i] != signal)
				continue;
			expected++;
			CHECK_EQUAL(sigwaitinfo(&all, &info), signal, "sigwaitinfo");
			CHECK_EQUAL(info.si_value.sival_int, i, "the value");
		}
		CHECK_EQUAL(sigtimedwait(&all, &info, &(struct timespec) {0}), -1, "one more");
		CHECK_EQUAL(errno, EAGAIN, "errno");
	}
	CHECK_EQUAL(expected, COUNT(sent), "signals taken");
	CHECK_EQUAL(noted, 0, "handlers run");
}

/* Handlers run in the order of sending, and for different signals the lowest number first. */
static void queue_to_handlers(void)
{
	sigset_t both = set_of(FIRST_RT, FIRST_RT + 1), before;

	handle(FIRST_RT, 0);
	handle(FIRST_RT + 1, 0);
	/* Each blocks the other, so that frames do not nest: the order of the notes is that of delivery. */
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO, .sa_mask = both};
	sigaction(FIRST_RT, &action, NULL);
	sigaction(FIRST_RT + 1, &action, NULL);
	sigprocmask(SIG_BLOCK, &both, &before);
	for (int i = 0; i < 20; i++)
		sigqueue(getpid(), FIRST_RT + 1 - i % 2, (union sigval) {.sival_int = i});
	sigprocmask(SIG_SETMASK, &before, NULL);
	CHECK_EQUAL(noted, 20, "handlers run");
	for (int i = 0; i < 20; i++) {
		CHECK_EQUAL(notes[i].si_signo, FIRST_RT + i / 10, "the signal");
		CHECK_EQUAL(notes[i].si_value.sival_int, i < 10 ? 2 * i + 1 : 2 * (i - 10),
			    "the value");
	}
}

static void queue_limit(void)
{
	const struct rlimit limit = {20, 20};
	int sent = 0;

	REQUIRE(setrlimit(RLIMIT_SIGPENDING, &limit) == 0, "setrlimit");
	change_mask(SIG_BLOCK, FIRST_RT, SIGUSR1);
	while (sent < 100 && sigqueue(getpid(), FIRST_RT, (union sigval) {.sival_int = sent}) == 0)
		sent++;
	CHECK_EQUAL(errno, EAGAIN, "errno of a full queue");
	CHECK(sent <= 20, "%d signals were queued", sent);
	CHECK_EQUAL(kill(getpid(), SIGUSR1), 0, "kill with a full queue");
	sigset_t pending;
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGUSR1) && sigismember(&pending, FIRST_RT), "both pending");
}

/* A million pairs would show a lost one; thousands across two processes show lost wake-ups. */
static void queue_across(void *context)
{
	pid_t to = *(pid_t *)context;

	for (int i = 0; i < 1000; i++)
		while (sigqueue(to, FIRST_RT, (union sigval) {.sival_int = i}) < 0)
			CALL(24); /* sched_yield */
}

static void queue_from_child(void)
{
	pid_t me = getpid(), child;
	const sigset_t set = set_of(FIRST_RT, 0);
	const struct timespec long_time = {.tv_sec = 20};
	siginfo_t info;

	change_mask(SIG_BLOCK, FIRST_RT, 0);
	child = start(queue_across, &me);
	for (int i = 0; i < 1000; i++) {
		REQUIRE(sigtimedwait(&set, &info, &long_time) == FIRST_RT, "signal %d: errno %d", i,
			errno);
		CHECK_EQUAL(info.si_value.sival_int, i, "the value");
		CHECK_EQUAL(info.si_pid, child, "si_pid");
	}
	reap(child);
}

static void pretenders(void)
{
	int info[32] = {0};
	pid_t parent = (pid_t)CALL(SYS_GETPPID), me = getpid();

	info[2] = SI_USER;
	CHECK_EQUAL(CALL(SYS_RT_SIGQUEUEINFO, parent, 0, info), -L_EPERM, "SI_USER to another");
	info[2] = SI_TKILL;
	CHECK_EQUAL(CALL(SYS_RT_SIGQUEUEINFO, parent, 0, info), -L_EPERM, "SI_TKILL to another");
	info[2] = SI_QUEUE;
	CHECK_EQUAL(CALL(SYS_RT_SIGQUEUEINFO, parent, 0, info), 0, "SI_QUEUE to another");
	CHECK_EQUAL(CALL(SYS_RT_SIGQUEUEINFO, me, 65, info), -L_EINVAL, "signal 65");
	CHECK_EQUAL(CALL(SYS_RT_SIGQUEUEINFO, me, 0, 8), -L_EFAULT, "a bad pointer");
	CHECK_EQUAL(CALL(SYS_RT_TGSIGQUEUEINFO, -1, me, 0, info), -L_EINVAL, "tgid -1");
	handle(FIRST_RT, 0);
	info[2] = -99;
	info[4] = 4711;
	CHECK_EQUAL(CALL(SYS_RT_TGSIGQUEUEINFO, me, me, FIRST_RT, info), 0, "to itself");
	check_note(0, FIRST_RT, -99, 4711);
}

/* ---- sigtimedwait ---- */

static void send_later(void *context)
{
	const int *arguments = context;

	sleep_ms(30);
	kill((pid_t)CALL(SYS_GETPPID), arguments[0]);
}

static void timed_waits(void)
{
	int usr1 = SIGUSR1, usr2 = SIGUSR2;
	const sigset_t set = set_of(SIGUSR1, 0);
	const struct timespec bad = {.tv_nsec = 1000000000}, short_time = {.tv_nsec = 20 * MS};
	siginfo_t info;
	pid_t child;
	long begin = now_ns(CLOCK_MONOTONIC);

	change_mask(SIG_BLOCK, SIGUSR1, 0);
	CHECK_EQUAL(sigtimedwait(&set, &info, &bad), -1, "a bad time");
	CHECK_EQUAL(errno, EINVAL, "errno");
	CHECK_EQUAL(sigtimedwait(&set, &info, &short_time), -1, "nothing comes");
	CHECK_EQUAL(errno, EAGAIN, "errno");
	CHECK(now_ns(CLOCK_MONOTONIC) - begin >= 20 * MS, "waited too short");
	child = start(send_later, &usr1);
	CHECK_EQUAL(sigwaitinfo(&set, &info), SIGUSR1, "sigwaitinfo");
	CHECK(info.si_pid == child && info.si_code == SI_USER, "pid %d, code %d", (int)info.si_pid,
	      info.si_code);
	reap(child);
	handle(SIGUSR2, SA_RESTART);
	child = start(send_later, &usr2);
	CHECK_EQUAL(sigwaitinfo(&set, &info), -1, "another signal comes");
	CHECK_EQUAL(errno, EINTR, "errno");
	CHECK_EQUAL(noted, 1, "handlers run");
	reap(child);
}

/* ---- Calls that a signal interrupts ---- */

struct interrupted {
	int ends[2];
	pid_t child;
};

/* Sends SIGUSR1, and gives the pipe a byte a while later. */
static void interrupt_and_feed(void *context)
{
	const int *ends = context;

	sleep_ms(30);
	kill((pid_t)CALL(SYS_GETPPID), SIGUSR1);
	sleep_ms(30);
	if (write(ends[1], "x", 1) != 1)
		_exit(1);
}

static long read_interrupted(int flags)
{
	int ends[2];
	char byte = 0;

	REQUIRE(pipe(ends) == 0, "pipe");
	handle(SIGUSR1, flags);
	pid_t child = start(interrupt_and_feed, ends);
	long got = read(ends[0], &byte, 1);
	int error = errno;
	CHECK_EQUAL(noted, 1, "handlers run");
	reap(child);
	close(ends[0]);
	close(ends[1]);
	return got < 0 ? -error : got;
}

static void wait_long(void *context)
{
	(void)context;
	sleep_ms(150);
}

static void interrupt_parent(void *context)
{
	(void)context;
	sleep_ms(30);
	kill((pid_t)CALL(SYS_GETPPID), SIGUSR1);
}

static long wait_interrupted(int flags)
{
	pid_t slow = start(wait_long, NULL), child;

	handle(SIGUSR1, flags);
	child = start(interrupt_parent, NULL);
	long got = waitpid(slow, NULL, 0) == slow ? 0 : -errno;
	CHECK_EQUAL(noted, 1, "handlers run");
	if (got)
		reap(slow);
	reap(child);
	return got;
}

static void restarts(void)
{
	CHECK_EQUAL(read_interrupted(SA_RESTART), 1, "read with SA_RESTART");
	CHECK_EQUAL(read_interrupted(0), -EINTR, "read without");
	CHECK_EQUAL(wait_interrupted(SA_RESTART), 0, "waitpid with SA_RESTART");
	CHECK_EQUAL(wait_interrupted(0), -EINTR, "waitpid without");
}

/* nanosleep, poll and pause end whatever the handler's flags are. */
static void never_restarted(void)
{
	struct timespec wanted = {.tv_sec = 10}, left = {0};
	sigset_t none;

	handle(SIGUSR1, SA_RESTART);
	pid_t child = start(interrupt_parent, NULL);
	CHECK_EQUAL(nanosleep(&wanted, &left), -1, "nanosleep");
	CHECK_EQUAL(errno, EINTR, "errno");
	CHECK(left.tv_sec == 9 || (left.tv_sec == 10 && left.tv_nsec == 0), "%ld s left",
	      (long)left.tv_sec);
	reap(child);
	child = start(interrupt_parent, NULL);
	CHECK_EQUAL(CALL(7, NULL, 0, 10000), -L_EINTR, "poll");
	reap(child);
	change_mask(SIG_BLOCK, SIGUSR1, 0);
	child = start(interrupt_parent, NULL);
	sigemptyset(&none);
	CHECK_EQUAL(sigsuspend(&none), -1, "sigsuspend");
	CHECK_EQUAL(errno, EINTR, "errno");
	CHECK_EQUAL(noted, 3, "handlers run");
	reap(child);
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1), "sigsuspend does not put back the mask");
}

static void stop_and_continue(void *context)
{
	pid_t parent = (pid_t)CALL(SYS_GETPPID);

	(void)context;
	for (int i = 0; i < 3; i++) {
		sleep_ms(15);
		kill(parent, SIGSTOP);
		sleep_ms(15);
		kill(parent, SIGCONT);
	}
	sleep_ms(15);
	kill(parent, SIGUSR1);
}

/* Stops, and what is ignored, do not end a wait; a handler does. */
static void sleep_through_stops(void *context)
{
	struct timespec wanted = {.tv_sec = 20}, left = {0};
	pid_t child = start(stop_and_continue, context);

	handle(SIGUSR1, 0);
	CHECK_EQUAL(nanosleep(&wanted, &left), -1, "nanosleep");
	CHECK_EQUAL(noted, 1, "handlers run");
	CHECK(left.tv_sec >= 18, "%ld s left", (long)left.tv_sec);
	reap(child);
}

static void stops_in_waits(void)
{
	reap(start(sleep_through_stops, NULL));
}

/* ---- Handlers ---- */

static volatile int depth, deepest, raised;

static void nest(int signal)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (depth < 5 && raised++ < 10)
		raise(signal);
	depth--;
}

static void install(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&action.sa_mask);
	REQUIRE(sigaction(signal, &action, NULL) == 0, "sigaction");
}

static void nested(void)
{
	install(SIGUSR1, nest, SA_NODEFER);
	raise(SIGUSR1);
	CHECK_EQUAL(deepest, 5, "deepest with SA_NODEFER");
	deepest = raised = 0;
	install(SIGUSR2, nest, 0);
	raise(SIGUSR2);
	CHECK_EQUAL(deepest, 1, "deepest without");
	CHECK_EQUAL(raised, 11, "one after the other");
	struct sigaction now;
	install(SIGUSR1, nest, SA_RESETHAND | SA_NODEFER);
	depth = 4;
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL, "SA_RESETHAND leaves the handler");
}

#define STACK 65536

static char stacks[2][STACK] __attribute__((aligned(16)));
static volatile uintptr_t handler_sp;
static stack_t inside;

static void on_stack(int signal)
{
	char here;
	stack_t other = {.ss_sp = stacks[1], .ss_size = STACK};

	handler_sp = (uintptr_t)&here;
	sigaltstack(NULL, &inside);
	CHECK_EQUAL(sigaltstack(&other, NULL), signal == SIGUSR1 ? -1 : 0, "a change inside");
}

static bool is_on(const char *stack)
{
	return handler_sp - (uintptr_t)stack < STACK;
}

static void alternate_stacks(void)
{
	stack_t stack = {.ss_sp = stacks[0], .ss_size = STACK}, now;

	CHECK_EQUAL(sigaltstack(&stack, NULL), 0, "sigaltstack");
	install(SIGUSR1, on_stack, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(is_on(stacks[0]), "the handler ran at %p", (void *)handler_sp);
	CHECK_EQUAL(inside.ss_flags, SS_ONSTACK, "ss_flags inside");
	sigaltstack(NULL, &now);
	CHECK(now.ss_sp == stacks[0] && now.ss_flags == 0, "the stack afterwards: %p, flags 0x%x",
	      now.ss_sp, (unsigned)now.ss_flags);
	/* Without SA_ONSTACK the handler may change the stack; its return puts back the old one. */
	install(SIGUSR2, on_stack, 0);
	raise(SIGUSR2);
	CHECK(!is_on(stacks[0]) && !is_on(stacks[1]), "the handler ran at %p", (void *)handler_sp);
	sigaltstack(NULL, &now);
	CHECK(now.ss_sp == stacks[0], "sigreturn left the stack at %p", now.ss_sp);
	stack.ss_size = 100;
	CHECK_EQUAL(sigaltstack(&stack, NULL), -1, "a small stack");
	CHECK_EQUAL(errno, ENOMEM, "errno");
}

/* ---- Children ---- */

static void exit_5(void *context)
{
	(void)context;
	_exit(5);
}

static void pause_for_ever(void *context)
{
	(void)context;
	for (;;)
		pause();
}

static void check_news(pid_t pid, int options, int code, int status)
{
	siginfo_t info = {0};

	CHECK_EQUAL(waitid(P_PID, (id_t)pid, &info, options), 0, "waitid");
	CHECK_EQUAL(info.si_pid, pid, "si_pid");
	CHECK_EQUAL(info.si_signo, SIGCHLD, "si_signo");
	CHECK_EQUAL(info.si_code, code, "si_code");
	CHECK_EQUAL(info.si_status, status, "si_status");
}

static void waitids(void)
{
	siginfo_t info = {.si_signo = 77};
	pid_t pid = start(exit_5, NULL);

	check_news(pid, WEXITED | WNOWAIT, CLD_EXITED, 5);
	check_news(pid, WEXITED, CLD_EXITED, 5);
	CHECK_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED), -1, "of nobody");
	CHECK_EQUAL(errno, ECHILD, "errno");
	pid = start(pause_for_ever, NULL);
	CHECK_EQUAL(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), 0, "of nothing new");
	CHECK(info.si_pid == 0 && info.si_signo == 0, "pid %d, signal %d", (int)info.si_pid,
	      info.si_signo);
	kill(pid, SIGSTOP);
	check_news(pid, WSTOPPED | WNOWAIT, CLD_STOPPED, SIGSTOP);
	check_news(pid, WSTOPPED, CLD_STOPPED, SIGSTOP);
	kill(pid, SIGCONT);
	check_news(pid, WCONTINUED, CLD_CONTINUED, SIGCONT);
	setpgid(pid, pid);
	CHECK_EQUAL(waitid(P_PGID, (id_t)pid, &info, WEXITED | WNOHANG), 0, "of a group");
	kill(pid, SIGTERM);
	check_news(pid, WEXITED, CLD_KILLED, SIGTERM);
	CHECK_EQUAL(waitid(P_ALL, 0, &info, WNOHANG), -1, "without a kind");
	CHECK_EQUAL(errno, EINVAL, "errno");
	CHECK_EQUAL(waitid((idtype_t)9, 0, &info, WEXITED), -1, "of a bad type");
	CHECK_EQUAL(errno, EINVAL, "errno");
}

static void await_notes(int wanted)
{
	for (int tries = 0; tries < 500 && noted < wanted; tries++)
		sleep_ms(2);
	CHECK_EQUAL(noted, wanted, "signals that came");
}

static void child_signals(void)
{
	handle(SIGCHLD, SA_RESTART);
	pid_t pid = start(pause_for_ever, NULL);
	kill(pid, SIGSTOP);
	await_notes(1);
	check_note(0, SIGCHLD, CLD_STOPPED, pid);
	CHECK_EQUAL(notes[0].si_status, SIGSTOP, "si_status");
	kill(pid, SIGCONT);
	await_notes(2);
	check_note(1, SIGCHLD, CLD_CONTINUED, pid);
	kill(pid, SIGKILL);
	await_notes(3);
	check_note(2, SIGCHLD, CLD_KILLED, pid);
	CHECK_EQUAL(notes[2].si_status, SIGKILL, "si_status");
	CHECK_EQUAL(waitpid(pid, NULL, 0), pid, "waitpid");
	handle(SIGCHLD, SA_RESTART | SA_NOCLDSTOP);
	pid = start(pause_for_ever, NULL);
	kill(pid, SIGSTOP);
	CHECK_EQUAL(waitpid(pid, NULL, WUNTRACED), pid, "waitpid of a stop");
	kill(pid, SIGCONT);
	CHECK_EQUAL(waitpid(pid, NULL, WCONTINUED), pid, "waitpid of a continuation");
	CHECK_EQUAL(noted, 0, "signals with SA_NOCLDSTOP");
	kill(pid, SIGKILL);
	await_notes(1);
	CHECK_EQUAL(waitpid(pid, NULL, 0), pid, "waitpid");
}

static void no_zombies(void)
{
	handle(SIGCHLD, SA_RESTART | SA_NOCLDWAIT);
	start(exit_5, NULL);
	CHECK_EQUAL(waitpid(-1, NULL, 0), -1, "waitpid with SA_NOCLDWAIT");
	CHECK_EQUAL(errno, ECHILD, "errno");
	CHECK_EQUAL(noted, 1, "SIGCHLD all the same");
}

#define WAIT_CLONE 0x80000000u

static void clone_signal(void)
{
	int status = 0;

	handle(SIGUSR1, SA_RESTART);
	handle(SIGCHLD, SA_RESTART);
	long pid = CALL(SYS_CLONE, SIGUSR1, 0, 0, 0, 0);
	if (pid == 0)
		_exit(9);
	await_notes(1);
	check_note(0, SIGUSR1, CLD_EXITED, pid);
	CHECK_EQUAL(CALL(61, pid, &status, 0, 0), -L_ECHILD, "wait4");
	CHECK_EQUAL(CALL(61, pid, &status, WAIT_CLONE, 0), pid, "wait4 with __WCLONE");
	CHECK_EQUAL(status, 9 << 8, "its status");
	CHECK_EQUAL(noted, 1, "signals that came");
}

/* ---- Process groups ---- */

static int report[2];

static void report_signal(int signal)
{
	static int reported;
	char byte = (char)signal;

	if (write(report[1], &byte, 1) != 1)
		_exit(1);
	if (++reported == 2)
		_exit(0);
}

static void stopped_member(void *context)
{
	(void)context;
	install(SIGHUP, report_signal, 0);
	install(SIGCONT, report_signal, 0);
	raise(SIGSTOP);
	for (;;)
		pause();
}

static void leave_stopped_job(void *context)
{
	int status;
	pid_t job = start(stopped_member, context);

	setpgid(job, job);
	CHECK_EQUAL(waitpid(job, &status, WUNTRACED), job, "waitpid of the stop");
	CHECK(WIFSTOPPED(status), "wait status 0x%x", status);
}

/* A stopped job whose shell ends gets SIGHUP and SIGCONT; here both are handled. */
static void orphaned_job(void)
{
	char got[2] = {0, 0};

	REQUIRE(pipe(report) == 0, "pipe");
	reap(start(leave_stopped_job, NULL));
	CHECK_EQUAL(read(report[0], &got[0], 1), 1, "read");
	CHECK_EQUAL(read(report[0], &got[1], 1), 1, "read");
	CHECK(got[0] + got[1] == SIGHUP + SIGCONT, "signals %d and %d", got[0], got[1]);
}

static void stop_self(void *context)
{
	(void)context;
	setsid();
	raise(SIGTSTP);
	raise(SIGTTIN);
	_exit(6);
}

static void orphans_do_not_stop(void)
{
	int status = 0;
	pid_t pid = start(stop_self, NULL);

	CHECK_EQUAL(waitpid(pid, &status, WUNTRACED), pid, "waitpid");
	CHECK_EQUAL(status, 6 << 8, "the status of one in an orphaned group");
}

static void spin(void *context)
{
	volatile unsigned long *count = context;

	for (;;)
		++*count;
}

/* A stop and its end sent one after the other, from another CPU maybe, leave the process running. */
static void stop_storm(void)
{
	volatile unsigned long *count =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = start(spin, (void *)count);

	for (int round = 0; round < 300; round++) {
		kill(pid, SIGSTOP);
		if (round % 3 == 0)
			CALL(24); /* sched_yield */
		kill(pid, SIGCONT);
	}
	unsigned long before = *count;
	for (int tries = 0; tries < 1000 && *count == before; tries++)
		sleep_ms(2);
	CHECK(*count != before, "the process stands still");
	kill(pid, SIGSTOP);
	CHECK_EQUAL(waitpid(pid, NULL, WUNTRACED), pid, "waitpid of the stop");
	kill(pid, SIGKILL);
	int status = 0;
	CHECK_EQUAL(waitpid(pid, &status, 0), pid, "waitpid of the end");
	CHECK_EQUAL(status, SIGKILL, "its status");
}

/* ---- Timers ---- */

static void alarms(void)
{
	handle(SIGALRM, 0);
	CHECK_EQUAL(alarm(100), 0, "alarm");
	CHECK_EQUAL(alarm(1), 100, "the seconds left");
	long begin = now_ns(CLOCK_MONOTONIC);
	pause();
	long took = now_ns(CLOCK_MONOTONIC) - begin;
	CHECK_EQUAL(noted, 1, "signals");
	check_note(0, SIGALRM, SI_KERNEL, 0);
	CHECK(took > 990 * MS && took < 5000 * MS, "it came after %ld ms", took / MS);
	CHECK_EQUAL(alarm(0), 0, "nothing is left");
}

static void interval_timers(void)
{
	struct itimerval value = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 10000}, old;
	long begin = now_ns(CLOCK_MONOTONIC);

	handle(SIGALRM, SA_RESTART);
	CHECK_EQUAL(setitimer(ITIMER_REAL, &value, NULL), 0, "setitimer");
	CHECK_EQUAL(getitimer(ITIMER_REAL, &old), 0, "getitimer");
	CHECK(old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 20000, "%ld us left",
	      (long)old.it_value.tv_usec);
	CHECK_EQUAL(old.it_interval.tv_usec, 10000, "the interval");
	while (noted < 5)
		pause();
	CHECK(now_ns(CLOCK_MONOTONIC) - begin >= 60 * MS, "five came after %ld ms",
	      (now_ns(CLOCK_MONOTONIC) - begin) / MS);
	pid_t pid = start(wait_long, NULL); /* timers are not inherited: it would die of nothing */
	CHECK_EQUAL(setitimer(ITIMER_REAL, &(struct itimerval) {0}, &old), 0, "setitimer of 0");
	CHECK_EQUAL(old.it_interval.tv_usec, 10000, "the interval");
	int so_far = noted;
	sleep_ms(40);
	CHECK_EQUAL(noted, so_far, "signals of a timer that is not set");
	reap(pid);
	value.it_value.tv_usec = 1000000;
	CHECK_EQUAL(setitimer(ITIMER_REAL, &value, NULL), -1, "a second of microseconds");
	CHECK_EQUAL(errno, EINVAL, "errno");
	CHECK_EQUAL(setitimer((typeof(ITIMER_REAL))77, &(struct itimerval) {0}, NULL), -1,
		    "a bad timer");
}

/* A program that only computes is interrupted, and one that is busy in the kernel. */
static void alarm_in_loops(void)
{
	struct itimerval value = {.it_value.tv_usec = 20000};
	volatile unsigned long count = 0;

	handle(SIGALRM, SA_RESTART);
	setitimer(ITIMER_REAL, &value, NULL);
	while (!noted)
		count++;
	setitimer(ITIMER_REAL, &value, NULL);
	while (noted < 2)
		getppid();
	CHECK_EQUAL(noted, 2, "signals");
}

static void posix_timers(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = FIRST_RT};
	struct itimerspec value = {.it_value.tv_nsec = 10 * MS, .it_interval.tv_nsec = 5 * MS}, now;
	const sigset_t set = set_of(FIRST_RT, 0);
	const struct timespec long_time = {.tv_sec = 10};
	siginfo_t info;
	timer_t timer;

	event.sigev_value.sival_int = 4711;
	change_mask(SIG_BLOCK, FIRST_RT, 0);
	REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
	CHECK_EQUAL(timer_settime(timer, 0, &value, NULL), 0, "timer_settime");
	CHECK_EQUAL(timer_gettime(timer, &now), 0, "timer_gettime");
	CHECK(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 10 * MS, "%ld ns left",
	      now.it_value.tv_nsec);
	sleep_ms(60);
	CHECK_EQUAL(sigtimedwait(&set, &info, &long_time), FIRST_RT, "the signal");
	CHECK(info.si_code == SI_TIMER && info.si_value.sival_int == 4711, "code %d, value %d",
	      info.si_code, info.si_value.sival_int);
	CHECK(timer_getoverrun(timer) >= 5, "overrun %d", timer_getoverrun(timer));
	value.it_interval.tv_nsec = 0;
	CHECK_EQUAL(timer_settime(timer, 0, &value, NULL), 0, "timer_settime");
	while (sigtimedwait(&set, &info, &(struct timespec) {0}) > 0)
		;
	CHECK_EQUAL(sigtimedwait(&set, &info, &long_time), FIRST_RT, "the signal, once");
	CHECK_EQUAL(timer_getoverrun(timer), 0, "overrun");
	CHECK_EQUAL(timer_delete(timer), 0, "timer_delete");
	CHECK_EQUAL(timer_delete(timer), -1, "once more");
	CHECK_EQUAL(errno, EINVAL, "errno");
}

static void absolute_timer(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	struct itimerspec value = {0}, now;
	timer_t quiet, loud;
	long begin = now_ns(CLOCK_REALTIME), wanted = begin + 30 * MS;

	value.it_value.tv_sec = wanted / (1000 * MS);
	value.it_value.tv_nsec = wanted % (1000 * MS);
	handle(SIGALRM, 0);
	REQUIRE(timer_create(CLOCK_REALTIME, NULL, &loud) == 0, "timer_create");
	REQUIRE(timer_create(CLOCK_REALTIME, &event, &quiet) == 0, "timer_create");
	CHECK_EQUAL(timer_settime(quiet, TIMER_ABSTIME, &value, NULL), 0, "timer_settime");
	CHECK_EQUAL(timer_settime(loud, TIMER_ABSTIME, &value, NULL), 0, "timer_settime");
	sleep_ms(60);
	check_note(0, SIGALRM, SI_TIMER, 0);
	CHECK_EQUAL(noted, 1, "signals");
	CHECK_EQUAL(timer_gettime(quiet, &now), 0, "timer_gettime");
	CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0, "time is left");
	CHECK_EQUAL(timer_create(77, NULL, &loud), -1, "a bad clock");
}

/* ---- CPU time ---- */

static void cpu_times(void)
{
	struct rusage usage;
	long begin = now_ns(CLOCK_PROCESS_CPUTIME_ID), used;

	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - begin < 200 * MS)
		for (volatile int i = 0; i < 1000; i++)
			;
	used = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) >= used, "the thread's clock");
	getrusage(RUSAGE_SELF, &usage);
	long user = usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec;
	long system = usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec;
	CHECK(user + system + 20000 >= used / 1000 && user > 50000, "%ld us and %ld us", user,
	      system);
	sleep_ms(100);
	CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - used < 50 * MS, "time passes in sleep");
	struct tms ticks;
	times(&ticks);
	CHECK(ticks.tms_utime + ticks.tms_stime >= 18, "%ld ticks",
	      (long)(ticks.tms_utime + ticks.tms_stime));
}

/* A program that makes the kernel work has system time. */
static void system_time(void)
{
	struct rusage usage;
	long begin = now_ns(CLOCK_PROCESS_CPUTIME_ID);

	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - begin < 400 * MS) {
		char *pages = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		REQUIRE(pages != MAP_FAILED, "mmap");
		munmap(pages, 8 << 20);
	}
	getrusage(RUSAGE_SELF, &usage);
	CHECK(usage.ru_stime.tv_sec || usage.ru_stime.tv_usec > 100000, "%ld us of system time",
	      (long)usage.ru_stime.tv_usec);
}

static const struct test tests[] = {
	{.name = "what senders tell", .run = senders},
	{.name = "a standard signal is kept once", .run = standard_once, .once = true},
	{.name = "a fault's siginfo", .run = faults, .once = true},
	{.name = "real-time signals in order", .run = queue_order, .once = true},
	{.name = "real-time signals to handlers", .run = queue_to_handlers, .once = true},
	{.name = "a full queue", .run = queue_limit, .once = true},
	{.name = "a thousand from a child", .run = queue_from_child, .once = true},
	{.name = "rt_sigqueueinfo", .run = pretenders, .once = true},
	{.name = "sigtimedwait", .run = timed_waits, .once = true},
	{.name = "calls that go on, or not", .run = restarts, .once = true},
	{.name = "calls that never go on", .run = never_restarted, .once = true},
	{.name = "stops inside a wait", .run = stops_in_waits, .once = true},
	{.name = "handlers in handlers", .run = nested, .once = true},
	{.name = "alternate stacks", .run = alternate_stacks},
	{.name = "waitid", .run = waitids, .once = true},
	{.name = "SIGCHLD", .run = child_signals, .once = true},
	{.name = "SA_NOCLDWAIT", .run = no_zombies, .once = true},
	{.name = "another exit signal", .run = clone_signal, .once = true},
	{.name = "an orphaned job", .run = orphaned_job, .once = true},
	{.name = "orphans do not stop", .run = orphans_do_not_stop, .once = true},
	{.name = "stop and continue at once", .run = stop_storm, .once = true},
	{.name = "alarm", .run = alarms, .once = true},
	{.name = "setitimer", .run = interval_timers, .once = true},
	{.name = "alarm in a loop", .run = alarm_in_loops, .once = true},
	{.name = "timer_create", .run = posix_timers, .once = true},
	{.name = "timers at a time", .run = absolute_timer, .once = true},
	{.name = "CPU time", .run = cpu_times, .once = true},
	{.name = "system time", .run = system_time, .once = true},
};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
