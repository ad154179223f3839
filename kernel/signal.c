/*
 * Signals: sending, and handling before the return to user mode.
 *
 * A pending signal is a bit; signals below 32 that are sent twice before they are handled are
 * handled once, as in POSIX. Sending is under the process table's lock; pending is changed with atomic
 * operations, since the process itself takes from it without; all else belongs to the process itself.
 */
#include "kernel/signal.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/sigframe.h"

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

static void set_pending(struct process *process, u64 bits)
{
	__atomic_fetch_or(&process->pending, bits, __ATOMIC_SEQ_CST);
}

static void clear_pending(struct process *process, u64 bits)
{
	__atomic_fetch_and(&process->pending, ~bits, __ATOMIC_SEQ_CST);
}

/* locked: process table */
static void go_on(struct process *process)
{
	clear_pending(process, STOPS);
	if (process->stop_signal) {
		process->stop_signal = 0;
		process->continued_untold = true;
		wake_all(&process->continued);
		wake_all(&process->parent->child_changed);
	}
}

/* Process 1 gets only what it asks for: the default action of nothing may end it. */
static bool protects_init(const struct process *process, int signal)
{
	return process->pid == 1 && process->actions[signal - 1].handler == SIG_DFL;
}

void signal_send(struct process *process, int signal)
{
	bool interrupts = process_table_lock();

	signal_send_locked(process, signal);
	process_table_unlock(interrupts);
}

void signal_send_locked(struct process *process, int signal)
{
	if (process->exited || protects_init(process, signal))
		return;
	if (signal == SIGCONT || signal == SIGKILL)
		go_on(process);
	if (STOPS & SIGNAL_BIT(signal))
		clear_pending(process, SIGNAL_BIT(SIGCONT));
	if (ignores(process, signal) && !(process->blocked & SIGNAL_BIT(signal)))
		return;
	set_pending(process, SIGNAL_BIT(signal));
	if (!(process->blocked & SIGNAL_BIT(signal)) && process->thread)
		sched_interrupt(process->thread);
}

bool signal_pending(void)
{
	struct process *process = current_process();

	return process && (process->pending & ~process->blocked);
}

void signal_force(int signal, int code, u64 addr)
{
	struct process *process = current_process();
	struct sigaction *action = &process->actions[signal - 1];

	if (action->handler == SIG_IGN || (process->blocked & SIGNAL_BIT(signal)))
		action->handler = SIG_DFL;
	process->blocked &= ~SIGNAL_BIT(signal);
	process->forced = signal;
	process->fault_code = code;
	process->fault_addr = addr;
	set_pending(process, SIGNAL_BIT(signal));
}

static void stop(struct process *process, int signal)
{
	bool interrupts = process_table_lock();

	process->stop_told = false;
	process->continued_untold = false;
	process->stop_signal = signal;
	if (!(process->parent->actions[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		signal_send_locked(process->parent, SIGCHLD);
	wake_all(&process->parent->child_changed);
	process_table_unlock(interrupts);
	wait_until(&process->continued, !process->stop_signal);
}

static void default_action(struct process *process, int signal)
{
	if (IGNORED_BY_DEFAULT & SIGNAL_BIT(signal))
		return;
	if (STOPS & SIGNAL_BIT(signal))
		stop(process, signal);
	else
		process_exit(signal);
}

static void handle(struct process *process, struct trapframe *frame, int signal)
{
	struct sigaction *action = &process->actions[signal - 1];
	struct sigaction taken = *action;

	clear_pending(process, SIGNAL_BIT(signal));
	if (taken.handler == SIG_IGN)
		return;
	if (taken.handler == SIG_DFL) {
		default_action(process, signal);
		return;
	}
	if (taken.flags & SA_RESETHAND)
		action->handler = SIG_DFL;
	if (sigframe_push(frame, &taken, signal)) {
		action->handler = SIG_DFL;
		process_exit(SIGSEGV);
	}
	process->blocked |= taken.mask | (taken.flags & SA_NODEFER ? 0 : SIGNAL_BIT(signal));
	process->blocked &= ~NEVER_BLOCKED;
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
	u64 ready;

	while (process && (ready = process->pending & ~process->blocked)) {
		int signal = signal_next(ready);
		bool stops = (STOPS & SIGNAL_BIT(signal)) &&
			     process->actions[signal - 1].handler == SIG_DFL;

		if (!ignores(process, signal) && !stops)
			return true;
		clear_pending(process, SIGNAL_BIT(signal));
		if (stops)
			stop(process, signal);
	}
	return false;
}

void signal_forget_ignored(struct process *process, int signal)
{
	if (ignores(process, signal))
		clear_pending(process, SIGNAL_BIT(signal));
}

void signal_deliver(struct trapframe *frame)
{
	struct process *process = current_process();
	u64 ready;

	while ((ready = process->pending & ~process->blocked)) {
		handle(process, frame, signal_next(ready));
	}
	if (process->saved_blocked_set) { /* rt_sigsuspend whose signal had no handler */
		process->saved_blocked_set = false;
		process->blocked = process->saved_blocked;
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
