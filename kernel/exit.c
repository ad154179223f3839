/*
 * Exit and wait.
 *
 * A thread that ends while others go on only leaves. The last one gives back the process's memory and files; what is
 * left, the zombie, is its pid, status and place in the family, until its parent has waited for it. Its children are
 * process 1's from then on.
 */
#include "kernel/cpu/machine.h"
#include "kernel/fs/files.h"
#include "kernel/fs/tty.h"
#include "kernel/fs/vfs.h"
#include "kernel/futex.h"
#include "kernel/lock.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/sigqueue.h"
#include "mm/errno.h"

/* ---- Exit ---- */

static void release_memory(struct process *process)
{
	struct mm *mm = process->mm;

	atomic_fetch_add(&mm_stat.endings, 1); /* while nobody has it, and it is not free yet */
	process_set_mm(process, NULL);
	mm_put(mm);
	atomic_fetch_sub(&mm_stat.endings, 1);
	process_end_vfork(process);
}

static void release_all(struct process *process)
{
	release_memory(process);
	files_exit();
	inode_put(process_swap_inode(&process->cwd, NULL));
	inode_put(process_swap_inode(&process->exe, NULL));
	timers_delete();
	if (process->sid == process->pid)
		tty_release_session(process->sid);
}

/* Sends SIGHUP and SIGCONT to a process group whose stopped members nobody could continue any more. locked: process table */
static void hang_up(u32 pgid)
{
	static const int signals[] = {SIGHUP, SIGCONT};

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++) {
		struct siginfo info = siginfo_of_kernel(signals[i]);

		signal_send_group_locked(pgid, &info);
	}
}

/*
 * A process loses its parent, or its group loses the process (the exiting one, then): if that was what kept the group from
 * being orphaned, and members are stopped, they are told. locked: process table
 */
static void orphan_group(const struct process *member, const struct process *parent,
			 const struct process *exiting)
{
	u32 pgid = member->pgid;

	if (parent->pgid != pgid && parent->sid == member->sid &&
	    process_group_orphaned(pgid, exiting) && process_group_stopped(pgid))
		hang_up(pgid);
}

/* locked: process table */
static void give_children_to_init(struct process *process)
{
	while (!list_empty(&process->children)) {
		struct process *child = list_first(&process->children, struct process, sibling);

		child->parent = init_process;
		child->exit_signal = SIGCHLD;
		list_remove(&child->sibling);
		list_push_back(&init_process->children, &child->sibling);
		orphan_group(child, process, NULL);
	}
}

/* Whether a child that ends is waited for by nobody, by the parent's own wish. */
static bool ignores_end_of(const struct process *child, const struct process *parent)
{
	const struct sigaction *action = &parent->actions[SIGCHLD - 1];

	return child->exit_signal == SIGCHLD &&
	       (action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT));
}

/* The end of a process as waitid(2) tells it. */
static int cause_of(int exit_status)
{
	return exit_status & 0x7f ? CLD_KILLED : CLD_EXITED;
}

static int value_of(int exit_status)
{
	return exit_status & 0x7f ? exit_status & 0x7f : exit_status >> 8;
}

/* Makes the current process a zombie, or forgets it: then true. locked: process table */
static bool become_zombie(struct process *process)
{
	struct process *parent = process->parent;
	bool forgotten = ignores_end_of(process, parent);
	int status = process->exit_status;

	process->exited = true;
	sigqueue_forget(&process->pending, ~0ul);
	if (process->real_timer.expires)
		timer_set(&process->real_timer, 0, 0);
	give_children_to_init(process);
	orphan_group(process, parent, process);
	if (forgotten)
		process_leave_table(process);
	signal_parent(process, process->exit_signal, cause_of(status), value_of(status));
	if (parent != init_process)
		wake_all(&init_process->child_changed);
	wake_pollers(); /* of its pidfds */
	return forgotten;
}

/* The current thread is no longer one of its process's. locked: process table */
static void leave_process(struct thread *thread)
{
	struct process *process = thread->process;

	signal_parked(process, thread);
	cpu_time_add(&process->cpu, thread_cpu_time(thread));
	sigqueue_forget(&thread->pending, ~0ul);
	thread_leave(thread);
	wake_all(&process->threads_left);
}

/* Leaves the process to its other threads; false when there are none. */
static bool leave_to_others(struct thread *thread, int status)
{
	struct process *process = thread->process;
	bool interrupts = process_table_lock(), others = process->thread_count > 1;

	if (thread->tid == process->pid && !process->ending)
		process->exit_status = status;
	if (others) {
		signal_leave_to_others(process);
		leave_process(thread);
	}
	process_table_unlock(others ? false : interrupts);
	return others;
}

/* The last thread ends its process. */
static void end_process(struct thread *thread)
{
	struct process *process = thread->process;
	bool forgotten;

	if (process == init_process)
		panic("init has ended, status 0x%x", process->exit_status);
	process->dying = true;
	release_all(process);
	interrupts_off(); /* and they stay off: this thread will not be back */
	process_table_lock();
	leave_process(thread);
	forgotten = become_zombie(process);
	process_table_unlock(false);
	if (forgotten)
		process_put(process);
}

_Noreturn void thread_exit(int status)
{
	struct thread *thread = current();

	must_hold_none();
	futex_thread_exit(thread);
	context_load_mm(thread->mm = NULL);
	if (!leave_to_others(thread, status))
		end_process(thread);
	sched_exit();
}

/* Whether the current thread is the one that says what becomes of the process. locked: process table */
static bool ends_first(const struct process *process)
{
	return !process->ending && (!process->executing || process->executing == current());
}

_Noreturn void process_exit(int status)
{
	struct process *process = current_process();
	bool interrupts = process_table_lock();

	if (ends_first(process)) {
		process->ending = process->dying = true;
		process->exit_status = status;
		signal_end_others(process);
	}
	process_table_unlock(interrupts);
	thread_exit(status);
}

int process_become_single(void)
{
	struct thread *thread = current();
	struct process *process = thread->process;
	bool interrupts = process_table_lock(), first = ends_first(process);

	if (first) {
		process->executing = thread;
		signal_end_others(process);
	}
	process_table_unlock(interrupts);
	if (!first)
		return -EINTR;
	wait_until(&process->threads_left, process->thread_count == 1);
	interrupts = process_table_lock();
	process->executing = NULL;
	thread_take_pid(thread);
	process_table_unlock(interrupts);
	return 0;
}

/* ---- Wait ---- */

/* locked: process table */
static bool is_of_other_thread(const struct process *child)
{
	return child->forked_by != current()->tid &&
	       thread_find(current_process(), child->forked_by);
}

/* locked: process table */
static bool is_meant(const struct process *child, i64 pid, u32 options)
{
	if (!(options & WAIT_ALL) && (child->exit_signal != SIGCHLD) != !!(options & WAIT_CLONE))
		return false;
	if ((options & WAIT_OWN_THREAD) && is_of_other_thread(child))
		return false;
	if (pid > 0)
		return child->pid == pid;
	return pid == -1 || child->pgid == (pid == 0 ? current_process()->pgid : (u32)-pid);
}

/* Takes an exited child out of the table, but for WAIT_NOWAIT. locked: process table */
static void reap(struct process *child, u32 options, struct wait_news *news)
{
	news->code = cause_of(child->exit_status);
	news->status = value_of(child->exit_status);
	news->cpu = child->cpu;
	cpu_time_add(&news->cpu, child->child_cpu);
	if (options & WAIT_NOWAIT)
		return;
	cpu_time_add(&child->parent->child_cpu, news->cpu);
	process_leave_table(child);
}

/* Whether a child that lives has something to tell that options ask for. locked: process table */
static bool has_news(struct process *child, u32 options, struct wait_news *news)
{
	bool keep = options & WAIT_NOWAIT;

	if ((options & WAIT_STOPPED) && child->stop_signal && !child->to_park &&
	    !child->stop_told) {
		child->stop_told = !keep;
		news->code = CLD_STOPPED;
		news->status = child->stop_signal;
		return true;
	}
	if ((options & WAIT_CONTINUED) && child->continued_untold) {
		child->continued_untold = keep;
		news->code = CLD_CONTINUED;
		news->status = SIGCONT;
		return true;
	}
	return false;
}

/* The first child with news, or NULL, with *result -ECHILD if there is none that could have any. locked: process table */
static struct process *find_news(i64 pid, u32 options, struct wait_news *news, i64 *result)
{
	struct process *child;

	*result = -ECHILD;
	list_for_each(child, &current_process()->children, sibling) {
		if (!is_meant(child, pid, options) || (child->exited && !(options & WAIT_EXITED)))
			continue;
		*result = 0;
		if (child->exited)
			reap(child, options, news);
		if (child->exited || has_news(child, options, news))
			return child;
	}
	return NULL;
}

/* One look at the children: a pid, 0 when there are some but none has news, -ECHILD. */
static i64 look_for_news(i64 pid, u32 options, struct wait_news *news)
{
	bool interrupts = process_table_lock();
	i64 result;
	struct process *child = find_news(pid, options, news, &result);
	bool reaped = child && child->exited && !(options & WAIT_NOWAIT);

	if (child)
		result = news->pid = child->pid;
	process_table_unlock(interrupts);
	if (reaped) /* not under the lock, which interrupt handlers take: the heap's is outside it */
		process_put(child);
	return result;
}

i64 process_wait(i64 pid, u32 options, struct wait_news *news)
{
	i64 result = 0;
	int error = wait_until_or_signal(&current_process()->child_changed,
					 (result = look_for_news(pid, options, news)) ||
						 (options & WAIT_NOHANG));

	return result ? result : error;
}
