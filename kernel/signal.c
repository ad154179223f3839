/*
 * Signals: sending, and handling before the return to user mode.
 *
 * A signal is sent to a process, any thread of which may take it, or to one thread. Sending and taking are under the
 * process table's lock, so that a stop and the SIGCONT that ends it have an order on any CPU. What is blocked belongs to
 * the thread itself: it changes that and then looks at what is pending, a sender adds to what is pending and then looks
 * at what is blocked, each with a barrier between. kernel/sigqueue.c
 *
 * SIGKILL stays pending once it is: whoever looks dies of it. So the threads of a process that ends are each sent it.
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

u64 signals_not_fatal(void)
{
	const struct process *process = current_process();
	u64 bits = current()->blocked | STOPS | IGNORED_BY_DEFAULT;

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

/* Of these, what thread may take: was sent to it, or to its process. */
static u64 pending_of(const struct thread *thread, u64 set)
{
	return (thread->pending.set | thread->process->pending.set) & set;
}

/* Has the thread look, if it takes one of the set. locked: process table */
static bool notify(struct thread *thread, u64 set)
{
	if (!(set & (~thread->blocked | thread->awaited)))
		return false;
	sched_interrupt(thread);
	return true;
}

/* Has a thread of the process look that takes one of the set; all of them for SIGKILL. locked: process table */
static void notify_any(struct process *process, u64 set)
{
	struct thread *thread;

	list_for_each(thread, &process->threads, sibling) {
		if (notify(thread, set) && !(set & SIGNAL_BIT(SIGKILL)))
			return;
	}
}

/* Whether a signal that comes now is ignored: one that is blocked may have a handler when it is not any more. thread: whom
 * it is for; NULL: any of the process. */
static bool drops(const struct process *process, const struct thread *thread, int signal)
{
	if (!thread && !list_empty(&process->threads))
		thread = list_first(&process->threads, struct thread, sibling);
	return ignores(process, signal) && !(thread && (thread->blocked & SIGNAL_BIT(signal)));
}

/* Makes a signal pending for the thread, or for the process (NULL), unless it is ignored, and has who takes it look.
 * locked: process table */
static int post(struct process *process, struct thread *thread, const struct siginfo *info)
{
	u64 bit = SIGNAL_BIT(info->signal);
	int error;

	if (drops(process, thread, info->signal))
		return 0;
	error = sigqueue_add(thread ? &thread->pending : &process->pending, process, info);
	if (!error && thread)
		notify(thread, bit);
	else if (!error)
		notify_any(process, bit);
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

	post(parent, NULL, &info);
}

void signal_parent(struct process *process, int signal, int code, int status)
{
	struct process *parent = process->parent;
	bool wanted = signal && !parent->exited &&
		      !(signal == SIGCHLD && parent->actions[SIGCHLD - 1].handler == SIG_IGN);

	if (wanted && !drops(parent, NULL, signal))
		post_news(parent, process, signal, code, status);
	wake_all(&parent->child_changed);
}

/* locked: process table */
static void tell_of_stop(struct process *process, int code, int status)
{
	bool silent = process->parent->actions[SIGCHLD - 1].flags & SA_NOCLDSTOP;

	signal_parent(process, silent ? 0 : SIGCHLD, code, status);
}

/* Forgets pending signals of a set, whomever of the process they are for. locked: process table */
static void forget(struct process *process, u64 set)
{
	struct thread *thread;

	sigqueue_forget(&process->pending, set);
	list_for_each(thread, &process->threads, sibling)
		sigqueue_forget(&thread->pending, set);
}

/* The threads that stand still go on. locked: process table */
static void end_stop(struct process *process)
{
	process->stop_signal = 0;
	wake_all(&process->continued);
}

/* SIGCONT and SIGKILL end a stop, even if they are blocked or ignored. A stop that was not complete is not told of.
 * locked: process table */
static void go_on(struct process *process, int signal)
{
	forget(process, STOPS);
	if (!process->stop_signal)
		return;
	end_stop(process);
	if (signal == SIGCONT && !process->to_park) {
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

/* To the thread, or to the process (NULL). locked: process table */
static int send(struct process *process, struct thread *thread, const struct siginfo *info)
{
	int signal = info->signal;

	if (process->exited || protects_init(process, signal))
		return 0;
	if (signal == SIGCONT || signal == SIGKILL)
		go_on(process, signal);
	process->dying |= signal == SIGKILL;
	if (STOPS & SIGNAL_BIT(signal))
		forget(process, SIGNAL_BIT(SIGCONT));
	return post(process, signal == SIGKILL ? NULL : thread, info);
}

int signal_send_locked(struct process *process, const struct siginfo *info)
{
	return send(process, NULL, info);
}

int signal_send_thread(struct thread *thread, const struct siginfo *info)
{
	return send(thread->process, thread, info);
}

void signal_leave_to_others(struct process *process)
{
	struct thread *thread;
	u64 set = process->pending.set;

	list_for_each(thread, &process->threads, sibling) {
		if (set && thread != current())
			notify(thread, set);
	}
}

void signal_end_others(struct process *process)
{
	const struct siginfo info = siginfo_of_kernel(SIGKILL);
	struct thread *thread;

	end_stop(process);
	list_for_each(thread, &process->threads, sibling) {
		if (thread == current())
			continue;
		sigqueue_add(&thread->pending, process, &info);
		sched_interrupt(thread);
	}
}

void signal_set_blocked(u64 set)
{
	struct thread *thread = current();
	struct process *process = thread->process;
	u64 more = set & ~thread->blocked;
	bool interrupts;

	__atomic_store_n(&thread->blocked, set & ~NEVER_BLOCKED, __ATOMIC_SEQ_CST);
	if (!(process->pending.set & more) || process->thread_count == 1)
		return;
	interrupts = process_table_lock();
	signal_leave_to_others(process);
	process_table_unlock(interrupts);
}

/* Whether the current thread has anything to look at. */
static bool is_called(const struct thread *thread, u64 set)
{
	return pending_of(thread, set) || thread->process->stop_signal;
}

bool signal_pending(void)
{
	const struct thread *thread = current();

	return thread->process && is_called(thread, ~thread->blocked | thread->awaited);
}

void signal_force(int signal, int code, u64 addr)
{
	struct thread *thread = current();
	struct sigaction *action = &thread->process->actions[signal - 1];
	const struct siginfo info = {.signal = signal, .code = code, .addr = addr};
	bool interrupts = process_table_lock();

	if (action->handler == SIG_IGN || (thread->blocked & SIGNAL_BIT(signal)))
		action->handler = SIG_DFL;
	thread->process->dying |= signal == SIGKILL;
	thread->blocked &= ~SIGNAL_BIT(signal);
	thread->forced = signal;
	thread->fault_code = code;
	thread->fault_addr = addr;
	sigqueue_add(&thread->pending, thread->process, &info);
	process_table_unlock(interrupts);
}

/* What is told of a signal just taken. A fault's place is told even where the queue was full, or the same had been sent
 * before. locked: process table */
static void tell_taken(struct thread *thread, struct siginfo *info)
{
	if (info->code == SI_TIMER)
		timer_signal_taken(thread->process, info);
	if (thread->forced == info->signal) {
		thread->forced = 0;
		*info = (struct siginfo) {
			.signal = info->signal,
			.code = thread->fault_code,
			.addr = thread->fault_addr,
		};
	}
}

/* Takes a pending signal of the set for the current thread, its own ones first: its number, or 0. SIGKILL comes before
 * all others, and stays. locked: process table */
static int take(struct thread *thread, u64 set, struct siginfo *info)
{
	struct sigpending *from =
		thread->pending.set & set ? &thread->pending : &thread->process->pending;
	int signal;

	if (pending_of(thread, set & SIGNAL_BIT(SIGKILL)))
		return SIGKILL;
	if (!(from->set & set))
		return 0;
	signal = signal_next(from->set & set);
	sigqueue_take(from, signal, info);
	tell_taken(thread, info);
	return signal;
}

static bool stops(const struct process *process, int signal)
{
	return (STOPS & SIGNAL_BIT(signal)) && process->actions[signal - 1].handler == SIG_DFL;
}

/*
 * Begins a stop of the current process, unless it is to die, or nobody could continue it: the terminal's stops do nothing
 * to an orphaned process group. All its threads park, and the parent is told when the last one has.
 * locked: process table
 */
static void begin_stop(struct process *process, int signal)
{
	struct thread *thread;

	if (pending_of(current(), SIGNAL_BIT(SIGKILL)) || process->ending || process->executing ||
	    process->stop_signal ||
	    (signal != SIGSTOP && process_group_orphaned(process->pgid, NULL)))
		return;
	process->stop_told = false;
	process->continued_untold = false;
	process->stop_signal = signal;
	process->stops++;
	process->to_park = process->thread_count;
	list_for_each(thread, &process->threads, sibling) {
		thread->parked = false;
		sched_interrupt(thread);
	}
}

/* One thread fewer has yet to park. locked: process table */
void signal_parked(struct process *process, struct thread *thread)
{
	if (!process->stop_signal || thread->parked)
		return;
	thread->parked = true;
	if (--process->to_park == 0)
		tell_of_stop(process, CLD_STOPPED, process->stop_signal);
}

/* The current thread stands still while its process is stopped. Sleeps. */
static void park(struct thread *thread)
{
	struct process *process = thread->process;
	bool interrupts = process_table_lock();
	u32 stops = process->stops;

	signal_parked(process, thread);
	process_table_unlock(interrupts);
	wait_until(&process->continued, !process->stop_signal || process->stops != stops);
}

/* Takes the next signal of the set that is not blocked, and serves it if it is a stop: its number, or 0. May sleep. */
static int take_next(struct thread *thread, u64 set, struct siginfo *info)
{
	bool interrupts = process_table_lock();
	int signal = take(thread, ~thread->blocked & set, info);

	if (signal && stops(thread->process, signal)) {
		begin_stop(thread->process, signal);
		signal = 0;
	}
	process_table_unlock(interrupts);
	if (thread->process->stop_signal)
		park(thread);
	return signal;
}

static void enter_handler(struct thread *thread, struct trapframe *frame,
			  const struct siginfo *info)
{
	int signal = info->signal;
	struct sigaction *action = &thread->process->actions[signal - 1];
	struct sigaction taken = *action;

	if (taken.flags & SA_RESETHAND)
		action->handler = SIG_DFL;
	if (sigframe_push(frame, &taken, info)) {
		action->handler = SIG_DFL;
		process_exit(SIGSEGV);
	}
	signal_set_blocked(thread->blocked | taken.mask |
			   (taken.flags & SA_NODEFER ? 0 : SIGNAL_BIT(signal)));
}

static void handle_next(struct thread *thread, struct trapframe *frame)
{
	struct siginfo info;
	int signal = take_next(thread, ~0ul, &info);
	u64 handler = signal ? thread->process->actions[signal - 1].handler : SIG_IGN;

	if (handler > SIG_IGN)
		enter_handler(thread, frame, &info);
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
	struct thread *thread = current();
	struct siginfo info;

	while (thread->process && is_called(thread, ~thread->blocked)) {
		u64 ready = pending_of(thread, ~thread->blocked);
		int signal = ready ? signal_next(ready) : 0;

		if (signal && !ignores(thread->process, signal) && !stops(thread->process, signal))
			return true;
		take_next(thread, signal ? SIGNAL_BIT(signal) : 0, &info);
	}
	return false;
}

static int take_of(struct thread *thread, u64 set, struct siginfo *info)
{
	bool interrupts = process_table_lock();
	int signal = take(thread, set, info);

	process_table_unlock(interrupts);
	return signal;
}

i64 signal_wait(u64 set, u64 deadline, struct siginfo *info)
{
	struct thread *thread = current();
	int signal = 0, error;

	set &= ~NEVER_BLOCKED;
	__atomic_store_n(&thread->awaited, set, __ATOMIC_SEQ_CST);
	error = wait_until_or_signal_before(NULL, (signal = take_of(thread, set, info)), deadline);
	thread->awaited = 0;
	return signal ? signal : error;
}

void signal_forget_ignored(struct process *process, int signal)
{
	if (ignores(process, signal))
		forget(process, SIGNAL_BIT(signal));
}

bool signal_restarts_call(void)
{
	const struct thread *thread = current();
	u64 ready = pending_of(thread, ~thread->blocked);

	while (ready) {
		int signal = signal_next(ready);
		const struct sigaction *action = &thread->process->actions[signal - 1];

		if (action->handler > SIG_IGN)
			return action->flags & SA_RESTART;
		ready &= ~SIGNAL_BIT(signal);
	}
	return true;
}

void signal_deliver(struct trapframe *frame)
{
	struct thread *thread = current();

	while (is_called(thread, ~thread->blocked))
		handle_next(thread, frame);
	if (thread->saved_blocked_set) { /* rt_sigsuspend whose signal had no handler */
		thread->saved_blocked_set = false;
		signal_set_blocked(thread->saved_blocked);
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
	current()->alt_stack = (struct sigstack) {.flags = SS_DISABLE};
}
