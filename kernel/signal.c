/*
 * Signals: sending, and handling before the return to user mode.
 *
 * Sending and taking are under the process table's lock, so that a stop and the SIGCONT that ends it have an order on
 * any CPU. What is blocked belongs to the process itself: it changes that and then looks at what is pending, a sender
 * adds to what is pending and then looks at what is blocked, each with a barrier between. kernel/sigqueue.c
 */
#include "kernel/signal.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/sigframe.h"
#include "kernel/sigqueue.h"
#include "kernel/timer.h"
#include "mm/errno.h"

#define OF_FAULTS                                                                              \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | \
	 SIGNAL_BIT(SIGFPE))
#define STOPS \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define IGNORED_BY_DEFAULT \
	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))

static bool ignores(const struct process *process, int signal)
{
	u64 handler = process->actions[signal - 1].handler;

	return handler == SIG_IGN ||
	       (handler == SIG_DFL && (IGNORED_BY_DEFAULT & SIGNAL_BIT(signal)));
}

u64 signals_not_fatal(const struct process *process)
{
	u64 bits = process->blocked | STOPS | IGNORED_BY_DEFAULT;

	for (int signal = 1; signal <= SIGNALS; signal++)
		if (process->actions[signal - 1].handler != SIG_DFL)
			bits |= SIGNAL_BIT(signal);
	return bits;
}

struct siginfo siginfo_of_sender(int signal, int code)
{
	return (struct siginfo) {.signal = signal, .code = code, .pid = current_process()->pid};
}

struct siginfo siginfo_of_kernel(int signal)
{
	return (struct siginfo) {.signal = signal, .code = SI_KERNEL};
}

/* Whether a signal that comes now is ignored: one that is blocked may have a handler when it is not any more. */
static bool drops(const struct process *process, int signal)
{
	return ignores(process, signal) && !(process->blocked & SIGNAL_BIT(signal));
}

/* Makes a signal pending that the process does not ignore, and has it look. locked: process table */
static int post(struct process *process, const struct siginfo *info)
{
	u64 bit = SIGNAL_BIT(info->signal);
	int error;

	if (drops(process, info->signal))
		return 0;
	error = sigqueue_add(process, info);
	if (!error && (bit & (~process->blocked | process->awaited)) && process->thread)
		sched_interrupt(process->thread);
	return error;
}

/* Sends a parent the signal of a child. locked: process table */
static void post_news(struct process *parent, const struct process *child, int signal, int code,
		      int status)
{
	const u64 ns_per_tick = 10000000;
	struct cpu_time cpu = process_cpu_time(child);
	const struct siginfo info = {
		.signal = signal,
		.code = code,
		.pid = child->pid,
		.status = status,
		.user_ticks = (cpu.total_ns - cpu.system_ns) / ns_per_tick,
		.system_ticks = cpu.system_ns / ns_per_tick,
	};

	post(parent, &info);
}

void signal_parent(struct process *process, int signal, int code, int status)
{
	struct process *parent = process->parent;
	bool wanted = signal && !parent->exited &&
		      !(signal == SIGCHLD && parent->actions[SIGCHLD - 1].handler == SIG_IGN);

	if (wanted && !drops(parent, signal))
		post_news(parent, process, signal, code, status);
	wake_all(&parent->child_changed);
}

/* locked: process table */
static void tell_of_stop(struct process *process, int code, int status)
{
	bool silent = process->parent->actions[SIGCHLD - 1].flags & SA_NOCLDSTOP;

	signal_parent(process, silent ? 0 : SIGCHLD, code, status);
}

/* SIGCONT and SIGKILL end a stop, even if they are blocked or ignored. locked: process table */
static void go_on(struct process *process, int signal)
{
	sigqueue_forget(process, STOPS);
	if (!process->stop_signal)
		return;
	process->stop_signal = 0;
	wake_all(&process->continued);
	if (signal == SIGCONT) {
		process->continued_untold = true;
		tell_of_stop(process, CLD_CONTINUED, SIGCONT);
	}
}

/* Process 1 gets only what it asks for: the default action of nothing may end it. */
static bool protects_init(const struct process *process, int signal)
{
	return process->pid == 1 && process->actions[signal - 1].handler == SIG_DFL;
}

int signal_send_info(struct process *process, const struct siginfo *info)
{
	bool interrupts = process_table_lock();
	int error = signal_send_locked(process, info);

	process_table_unlock(interrupts);
	return error;
}

void signal_send(struct process *process, int signal)
{
	struct siginfo info = siginfo_of_sender(signal, SI_USER);

	signal_send_info(process, &info);
}

int signal_send_group(u32 pgid, int signal)
{
	struct siginfo info = siginfo_of_kernel(signal);

	return signal_send_group_info(pgid, &info);
}

int signal_send_locked(struct process *process, const struct siginfo *info)
{
	int signal = info->signal;

	if (process->exited || protects_init(process, signal))
		return 0;
	if (signal == SIGCONT || signal == SIGKILL)
		go_on(process, signal);
	if (STOPS & SIGNAL_BIT(signal))
		sigqueue_forget(process, SIGNAL_BIT(SIGCONT));
	return post(process, info);
}

void signal_set_blocked(struct process *process, u64 set)
{
	__atomic_store_n(&process->blocked, set & ~NEVER_BLOCKED, __ATOMIC_SEQ_CST);
}

bool signal_pending(void)
{
	struct process *process = current_process();

	return process && (process->pending & (~process->blocked | process->awaited));
}

void signal_force(int signal, int code, u64 addr)
{
	struct process *process = current_process();
	struct sigaction *action = &process->actions[signal - 1];
	const struct siginfo info = {.signal = signal, .code = code, .addr = addr};
	bool interrupts = process_table_lock();

	if (action->handler == SIG_IGN || (process->blocked & SIGNAL_BIT(signal)))
		action->handler = SIG_DFL;
	signal_set_blocked(process, process->blocked & ~SIGNAL_BIT(signal));
	process->forced = signal;
	process->fault_code = code;
	process->fault_addr = addr;
	sigqueue_add(process, &info);
	process_table_unlock(interrupts);
}

/* Takes a pending signal. A fault's place is told even where the queue was full, or the same had been sent before.
 * locked: process table */
static void take(struct process *process, int signal, struct siginfo *info)
{
	sigqueue_take(process, signal, info);
	if (info->code == SI_TIMER)
		timer_signal_taken(process, info);
	if (process->forced == signal) {
		process->forced = 0;
		*info = (struct siginfo) {
			.signal = signal,
			.code = process->fault_code,
			.addr = process->fault_addr,
		};
	}
}

static bool stops(const struct process *process, int signal)
{
	return (STOPS & SIGNAL_BIT(signal)) && process->actions[signal - 1].handler == SIG_DFL;
}

/*
 * Stops the current process, unless it is to die, or nobody could continue it: the terminal's stops do nothing to an
 * orphaned process group. Whether it is stopped: the caller then waits. locked: process table
 */
static bool begin_stop(struct process *process, int signal)
{
	if ((process->pending & SIGNAL_BIT(SIGKILL)) ||
	    (signal != SIGSTOP && process_group_orphaned(process->pgid, NULL)))
		return false;
	process->stop_told = false;
	process->continued_untold = false;
	process->stop_signal = signal;
	tell_of_stop(process, CLD_STOPPED, signal);
	return true;
}

/* Takes the next signal of the set that is not blocked, and serves it if it is a stop: its number, or 0. May sleep. */
static int take_next(struct process *process, u64 set, struct siginfo *info)
{
	bool interrupts = process_table_lock(), stopped = false;
	u64 ready = process->pending & ~process->blocked & set;
	int signal = ready ? signal_next(ready) : 0;

	if (signal)
		take(process, signal, info);
	if (signal && stops(process, signal)) {
		stopped = begin_stop(process, signal);
		signal = 0;
	}
	process_table_unlock(interrupts);
	if (stopped)
		wait_until(&process->continued, !process->stop_signal);
	return signal;
}

static void enter_handler(struct process *process, struct trapframe *frame,
			  const struct siginfo *info)
{
	int signal = info->signal;
	struct sigaction *action = &process->actions[signal - 1];
	struct sigaction taken = *action;

	if (taken.flags & SA_RESETHAND)
		action->handler = SIG_DFL;
	if (sigframe_push(frame, &taken, info)) {
		action->handler = SIG_DFL;
		process_exit(SIGSEGV);
	}
	signal_set_blocked(process, process->blocked | taken.mask |
					    (taken.flags & SA_NODEFER ? 0 : SIGNAL_BIT(signal)));
}

static void handle_next(struct process *process, struct trapframe *frame)
{
	struct siginfo info;
	int signal = take_next(process, ~0ul, &info);
	u64 handler = signal ? process->actions[signal - 1].handler : SIG_IGN;

	if (handler > SIG_IGN)
		enter_handler(process, frame, &info);
	else if (handler == SIG_DFL && !(IGNORED_BY_DEFAULT & SIGNAL_BIT(signal)))
		process_exit(signal);
}

/* SIGKILL, then faults of the program's own, so that their frames show the faulting place; then by number. */
int signal_next(u64 ready)
{
	u64 first = ready & SIGNAL_BIT(SIGKILL) ? SIGNAL_BIT(SIGKILL) : ready & OF_FAULTS;

	return __builtin_ctzl(first ? first : ready) + 1;
}

bool signal_ends_wait(void)
{
	struct process *process = current_process();
	struct siginfo info;
	u64 ready;

	while (process && (ready = process->pending & ~process->blocked)) {
		int signal = signal_next(ready);

		if (!ignores(process, signal) && !stops(process, signal))
			return true;
		take_next(process, SIGNAL_BIT(signal), &info);
	}
	return false;
}

static int take_of(struct process *process, u64 set, struct siginfo *info)
{
	bool interrupts = process_table_lock();
	u64 ready = process->pending & set;
	int signal = ready ? signal_next(ready) : 0;

	if (signal)
		take(process, signal, info);
	process_table_unlock(interrupts);
	return signal;
}

i64 signal_wait(u64 set, u64 deadline, struct siginfo *info)
{
	struct process *process = current_process();
	int signal = 0, error;

	set &= ~NEVER_BLOCKED;
	__atomic_store_n(&process->awaited, set, __ATOMIC_SEQ_CST);
	error = wait_until_or_signal_before(NULL, (signal = take_of(process, set, info)), deadline);
	process->awaited = 0;
	return signal ? signal : error;
}

void signal_forget_ignored(struct process *process, int signal)
{
	if (ignores(process, signal))
		sigqueue_forget(process, SIGNAL_BIT(signal));
}

bool signal_restarts_call(void)
{
	struct process *process = current_process();
	u64 ready = process->pending & ~process->blocked;

	while (ready) {
		int signal = signal_next(ready);
		const struct sigaction *action = &process->actions[signal - 1];

		if (action->handler > SIG_IGN)
			return action->flags & SA_RESTART;
		ready &= ~SIGNAL_BIT(signal);
	}
	return true;
}

void signal_deliver(struct trapframe *frame)
{
	struct process *process = current_process();

	while (process->pending & ~process->blocked)
		handle_next(process, frame);
	if (process->saved_blocked_set) { /* rt_sigsuspend whose signal had no handler */
		process->saved_blocked_set = false;
		signal_set_blocked(process, process->saved_blocked);
	}
}

void signal_reset_handlers(struct process *process)
{
	for (u32 i = 0; i < SIGNALS; i++) {
		u64 handler = process->actions[i].handler;

		process->actions[i] = (struct sigaction) {
			.handler = handler == SIG_IGN ? SIG_IGN : SIG_DFL,
		};
	}
	process->alt_stack = (struct sigstack) {.flags = SS_DISABLE};
}
