/* Fork, clone, and the first process. */
#include "kernel/cmdline.h"
#include "kernel/cpu/fpu.h"
#include "kernel/exec.h"
#include "kernel/fs/files.h"
#include "kernel/fs/vfs.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/sigqueue.h"
#include "kernel/trap.h"
#include "kernel/usercopy.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define STACK_LIMIT (8ul << 20) /* bytes, Linux's soft RLIMIT_STACK of the first process */

enum share_level fork_level_default = SHARE_AUTO;

/* ---- Fork ---- */

/* Where a child begins: on its own stack, with its parent's registers. */
static void child_start(void)
{
	struct thread *thread = current();

	sched_arrive();
	if (thread->set_tid) {
		interrupts_on();
		copy_to_user(thread->set_tid, &thread->tid, sizeof(thread->tid));
		interrupts_off();
	}
	trap_exit_to_user(thread->frame);
	trap_return(thread->frame);
}

static void inherit(struct process *child, const struct process *parent)
{
	memcpy(child->name, current()->name, sizeof(child->name));
	child->umask = parent->umask;
	child->fork_level = parent->fork_level;
	child->fork_level_set = parent->fork_level_set;
	child->oom_score_adj = parent->oom_score_adj;
	child->pgid = parent->pgid;
	child->sid = parent->sid;
	memcpy(child->limits, parent->limits, sizeof(child->limits));
	memcpy(child->actions, parent->actions, sizeof(child->actions));
}

/* A thread of process that goes on where the current one is, with 0 as the result of the call; NULL: no memory. */
static struct thread *copy_thread(struct process *process, const struct fork_options *options)
{
	struct thread *from = current();
	struct thread *thread = thread_create(process, child_start);

	if (!thread)
		return NULL;
	fpu_save(from->fpu);
	memcpy(thread->fpu, from->fpu, fpu_size);
	*thread->frame = *from->frame;
	thread->frame->rax = 0;
	if (options->stack)
		thread->frame->rsp = options->stack;
	thread->fs_base = options->fs_base;
	thread->set_tid = options->set_tid;
	thread->clear_tid = options->clear_tid;
	thread->blocked = from->blocked;
	memcpy(thread->name, from->name, sizeof(thread->name));
	return thread;
}

static void inherit_files(struct process *child, struct process *parent)
{
	child->files = files_share(parent);
	child->cwd = process_inode(&parent->cwd);
	child->exe = process_inode(&parent->exe);
}

/* Undoes a fork that failed: the parent still holds all that the child shares, so nothing sleeps
 * here. */
static void discard(struct process *child, struct thread *thread)
{
	if (thread)
		thread_destroy(thread);
	if (child->mm)
		mm_put(child->mm);
	files_put(child->files);
	inode_put(child->cwd);
	inode_put(child->exe);
	kfree(child);
}

static int inherit_memory(struct process *child, struct process *parent, bool share)
{
	if (!share)
		return mm_fork(parent->mm, process_fork_level(parent), &child->mm);
	mm_get(child->mm = parent->mm);
	return 0;
}

/* The child and the thread that waits for it need each other no more. locked: process table */
static void part(struct process *child)
{
	child->vfork_parent->vfork_child = NULL;
	wake_all(&child->vfork_parent->vfork_done);
	child->vfork_parent = NULL;
}

void process_end_vfork(struct process *process)
{
	bool interrupts = process_table_lock();

	if (process->vfork_parent)
		part(process);
	process_table_unlock(interrupts);
}

/* Until the child has executed or is gone. A signal that ends the process ends the wait too; others
 * find the process when it goes on. */
static void wait_for_vfork(struct thread *parent)
{
	u64 blocked = parent->blocked;
	bool interrupts;

	signal_set_blocked(signals_not_fatal());
	wait_until_or_signal(&parent->vfork_done, !parent->vfork_child);
	signal_set_blocked(blocked);
	interrupts = process_table_lock();
	if (parent->vfork_child)
		part(parent->vfork_child);
	process_table_unlock(interrupts);
}

/* As on Linux, a bad address is not told. */
static void tell_tid(u64 to, u32 tid)
{
	if (to)
		copy_to_user(to, &tid, sizeof(tid));
}

/* The child, in the table but not started; its thread in *thread. NULL: *error. */
static struct process *make_child(const struct fork_options *options, struct thread **thread,
				  int *error)
{
	struct process *parent = current_process(), *child = process_create();

	*error = -ENOMEM;
	if (!child)
		return NULL;
	inherit(child, parent);
	inherit_files(child, parent);
	*thread = copy_thread(child, options);
	if (*thread) {
		(*thread)->alt_stack = current()->alt_stack;
		*error = inherit_memory(child, parent, options->share_memory);
	}
	child->parent = parent;
	child->forked_by = current()->tid;
	child->exit_signal = options->exit_signal;
	if (!*error) {
		(*thread)->mm = child->mm;
		*error = process_enter(child, *thread) ? 0 : -EAGAIN;
	}
	if (!*error)
		return child;
	discard(child, *thread);
	return NULL;
}

i64 process_fork(const struct fork_options *options)
{
	struct thread *thread, *parent = current();
	int error;
	struct process *child = make_child(options, &thread, &error);
	u32 pid;

	if (!child)
		return error;
	pid = child->pid;
	tell_tid(options->parent_tid, pid);
	if (options->parent_waits) {
		child->vfork_parent = parent;
		parent->vfork_child = child;
	}
	sched_start(thread);
	sched_renew_slice();       /* a fork of gigabytes takes most of a slice */
	if (options->parent_waits) /* the child may be gone after this */
		wait_for_vfork(parent);
	return pid;
}

i64 thread_clone(const struct fork_options *options)
{
	struct process *process = current_process();
	struct thread *thread = copy_thread(process, options);
	u32 tid;

	if (!thread)
		return -ENOMEM;
	thread->alt_stack.flags = SS_DISABLE;
	thread->mm = process->mm;
	if (!thread_enter(thread)) {
		thread_destroy(thread);
		return -EAGAIN;
	}
	tid = thread->tid;
	tell_tid(options->parent_tid, tid);
	sched_start(thread);
	return tid;
}

/* ---- The first process ---- */

static void init_start(void)
{
	static const char *const environment[] = {"PATH=/bin", "HOME=/", "TERM=vt100", NULL};
	const char *path = cmdline_word("init");
	const char *arguments[] = {path && *path ? path : "/init", NULL};

	sched_arrive();
	interrupts_on();
	int error = exec_kernel(arguments[0], arguments, environment);

	if (error)
		panic("cannot execute %s: error %d", arguments[0], -error);
	interrupts_off();
	trap_return(current()->frame);
}

static void read_fork_word(void)
{
	const char *word = cmdline_word("fork");

	if (!word)
		return;
	if (word[0] >= '0' && word[0] <= '3' && !word[1])
		fork_level_default = (enum share_level)(word[0] - '0');
	else if (strcmp(word, "auto") == 0)
		fork_level_default = SHARE_AUTO;
	else
		printk("fork=%s is none of 0, 1, 2, 3 and auto; auto is used\n", word);
}

static void init_limits(struct rlimit *limits)
{
	for (u32 i = 0; i < RLIMITS; i++)
		limits[i] = (struct rlimit) {RLIM_INFINITY, RLIM_INFINITY};
	limits[RLIMIT_STACK].soft = STACK_LIMIT;
	limits[RLIMIT_NOFILE] = (struct rlimit) {FILES_MAX, FILES_MAX};
	limits[RLIMIT_SIGPENDING] = (struct rlimit) {SIGQUEUE_MAX, SIGQUEUE_MAX};
}

void process_start_init(void)
{
	struct process *process = process_create();
	struct thread *thread;

	if (!process)
		panic("no memory for init");
	read_fork_word();
	process->umask = 022;
	init_limits(process->limits);
	process->mm = mm_create();
	process->files = files_create();
	thread = thread_create(process, init_start);
	if (!process->mm || !process->files || !thread || path_lookup("/", true, &process->cwd) ||
	    !process_enter(process, thread))
		panic("no memory for init");
	thread->mm = process->mm;
	process->pgid = process->sid = process->pid;
	process->parent = init_process = process;
	sched_start(thread);
}
