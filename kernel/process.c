/*
 * The process table, and fork. Exit and wait are in kernel/exit.c.
 *
 * A process is in the table from its fork until its parent has waited for it. When it exits it
 * gives back its memory, files and thread at once; what is left, the zombie, is its pid, status and
 * place in the family. Children of a process that ends are process 1's from then on.
 *
 * table_lock guards the family links, pids, groups and statuses. It is taken with interrupts off,
 * since the terminal sends signals from its interrupt handler.
 */
#include "kernel/process.h"
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/machine.h"
#include "kernel/cmdline.h"
#include "kernel/exec.h"
#include "kernel/fs/files.h"
#include "kernel/fs/tty.h"
#include "kernel/fs/vfs.h"
#include "kernel/lock.h"
#include "kernel/sched.h"
#include "kernel/sigqueue.h"
#include "kernel/trap.h"
#include "kernel/usercopy.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define PID_BUCKETS   1024u
#define PROCESSES_MAX 32000u
#define STACK_LIMIT   (8ul << 20) /* bytes, Linux's soft RLIMIT_STACK of the first process */

static struct spinlock table_lock = SPINLOCK(RANK_PROCESSES);
/* guarded by table_lock: */
static struct list processes = {&processes, &processes}; /* by pid, but for a wrap-around */
static struct list buckets[PID_BUCKETS];
static u32 process_count;
static u32 last_pid;
struct process *init_process;

enum share_level fork_level_default = SHARE_AUTO;

static struct list *bucket_of(u32 pid)
{
	struct list *bucket = &buckets[pid % PID_BUCKETS];

	if (!bucket->next)
		list_init(bucket);
	return bucket;
}

bool process_table_lock(void)
{
	return spin_lock_irqsave(&table_lock);
}

void process_table_unlock(bool interrupts)
{
	spin_unlock_irqrestore(&table_lock, interrupts);
}

/* locked: table_lock */
static struct process *find(u32 pid)
{
	struct list *bucket = bucket_of(pid);
	struct process *process;

	list_for_each(process, bucket, by_pid) {
		if (process->pid == pid)
			return process;
	}
	return NULL;
}

struct process *process_find(u32 pid)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	struct process *process = find(pid);

	if (process)
		atomic_fetch_add(&process->refs, 1);
	spin_unlock_irqrestore(&table_lock, interrupts);
	return process;
}

void process_put(struct process *process)
{
	if (atomic_fetch_sub(&process->refs, 1) == 1)
		kfree(process);
}

struct mm *process_mm(struct process *process)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	struct mm *mm = process->mm;

	if (mm)
		mm_get(mm);
	spin_unlock_irqrestore(&table_lock, interrupts);
	return mm;
}

void process_set_mm(struct process *process, struct mm *mm)
{
	bool interrupts = spin_lock_irqsave(&table_lock);

	process->mm = mm;
	spin_unlock_irqrestore(&table_lock, interrupts);
}

struct files *process_files(struct process *process)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	struct files *files = process->files;

	if (files)
		files_get(files);
	spin_unlock_irqrestore(&table_lock, interrupts);
	return files;
}

struct files *process_swap_files(struct files *files)
{
	struct process *process = current_process();
	struct files *old = process->files;
	bool interrupts = spin_lock_irqsave(&table_lock);

	process->files = files;
	spin_unlock_irqrestore(&table_lock, interrupts);
	return old;
}

struct inode *process_inode(struct inode *const *place)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	struct inode *inode = *place;

	if (inode)
		inode_get(inode);
	spin_unlock_irqrestore(&table_lock, interrupts);
	return inode;
}

struct inode *process_swap_inode(struct inode **place, struct inode *inode)
{
	struct inode *old = *place;
	bool interrupts = spin_lock_irqsave(&table_lock);

	*place = inode;
	spin_unlock_irqrestore(&table_lock, interrupts);
	return old;
}

/* locked: table_lock */
static char state_of(const struct process *process)
{
	if (process->exited || !process->thread)
		return 'Z';
	if (process->stop_signal)
		return 'T';
	if (process->thread->state != THREAD_SLEEPING)
		return 'R';
	return process->thread->interruptible ? 'S' : 'D';
}

struct cpu_time process_cpu_time(const struct process *process)
{
	return process->thread ? thread_cpu_time(process->thread) : process->cpu;
}

void process_look(const struct process *process, struct process_look *look)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	const struct thread *thread = process->thread;

	*look = (struct process_look) {
		.state = state_of(process),
		.cpu = process_cpu_time(process),
		.rip = thread && thread->frame ? thread->frame->rip : 0,
		.rsp = thread && thread->frame ? thread->frame->rsp : 0,
	};
	spin_unlock_irqrestore(&table_lock, interrupts);
}

void process_apply_limits(struct process *process)
{
	struct mm *mm = process_mm(process);

	if (!mm)
		return;
	mm_set_limits(mm, &(struct mm_limits) {
				  .address_space = process->limits[RLIMIT_AS].soft,
				  .data = process->limits[RLIMIT_DATA].soft,
				  .stack = process->limits[RLIMIT_STACK].soft,
			  });
	mm_put(mm);
}

void process_each(bool (*visit)(void *context, struct process *process), void *context)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	struct process *process;

	list_for_each(process, &processes, all) {
		if (!visit(context, process))
			break;
	}
	spin_unlock_irqrestore(&table_lock, interrupts);
}

bool process_group_exists(u32 pgid, u32 sid)
{
	bool interrupts = spin_lock_irqsave(&table_lock), found = false;
	struct process *process;

	list_for_each(process, &processes, all) {
		found = found || (process->pgid == pgid && (!sid || process->sid == sid));
	}
	spin_unlock_irqrestore(&table_lock, interrupts);
	return found;
}

enum share_level process_fork_level(const struct process *process)
{
	return process->fork_level_set ? process->fork_level : fork_level_default;
}

/* locked: table_lock */
static u32 unused_pid(void)
{
	do {
		last_pid = last_pid >= PID_MAX ? 2 : last_pid + 1;
	} while (find(last_pid));
	return last_pid;
}

/* Gives the process a pid and puts it into the table; false when that is full. */
static bool enter_table(struct process *process)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	bool fits = process_count < PROCESSES_MAX;

	if (fits) {
		process_count++;
		process->pid = unused_pid();
		list_push_back(&processes, &process->all);
		list_push_back(bucket_of(process->pid), &process->by_pid);
		if (process->parent)
			list_push_back(&process->parent->children, &process->sibling);
	}
	spin_unlock_irqrestore(&table_lock, interrupts);
	return fits;
}

void process_leave_table(struct process *process)
{
	process_count--;
	list_remove(&process->all);
	list_remove(&process->by_pid);
	list_remove(&process->sibling);
}

static struct process *process_create(void)
{
	struct process *process = kmalloc(sizeof(*process));

	if (process) {
		list_init(&process->children);
		list_init(&process->sibling);
		list_init(&process->queue);
		process->started_ns = clock_ns();
		process->refs = 1;
	}
	return process;
}

/* ---- Fork ---- */

/* Where a child begins: on its own stack, with its parent's registers. */
static void child_start(void)
{
	struct thread *thread = current();

	sched_arrive();
	if (thread->child_tid) {
		interrupts_on();
		copy_to_user(thread->child_tid, &thread->tid, sizeof(thread->tid));
		thread->child_tid = 0;
		interrupts_off();
	}
	trap_exit_to_user(thread->frame);
	trap_return(thread->frame);
}

static void inherit(struct process *child, const struct process *parent)
{
	memcpy(child->name, parent->name, sizeof(child->name));
	child->umask = parent->umask;
	child->fork_level = parent->fork_level;
	child->fork_level_set = parent->fork_level_set;
	child->pgid = parent->pgid;
	child->sid = parent->sid;
	memcpy(child->limits, parent->limits, sizeof(child->limits));
	child->blocked = parent->blocked;
	child->alt_stack = parent->alt_stack;
	memcpy(child->actions, parent->actions, sizeof(child->actions));
}

static int inherit_thread(struct process *child, u64 stack, u64 fs_base)
{
	struct thread *from = current();
	struct thread *thread = thread_create(child, child_start);

	if (!thread)
		return -ENOMEM;
	fpu_save(from->fpu);
	memcpy(thread->fpu, from->fpu, fpu_size);
	*thread->frame = *from->frame;
	thread->frame->rax = 0;
	if (stack)
		thread->frame->rsp = stack;
	thread->fs_base = fs_base;
	thread->child_tid = from->child_tid;
	child->thread = thread;
	return 0;
}

static void inherit_files(struct process *child, const struct process *parent)
{
	files_get(child->files = parent->files);
	inode_get(child->cwd = parent->cwd);
	if (parent->exe)
		inode_get(child->exe = parent->exe);
}

/* Undoes a fork that failed: the parent still holds all that the child shares, so nothing sleeps
 * here. */
static void discard(struct process *child)
{
	if (child->thread)
		thread_destroy(child->thread);
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

void process_end_vfork(struct process *process)
{
	bool interrupts = spin_lock_irqsave(&table_lock);

	if (process->vforked) {
		process->vforked = false;
		process->parent->in_vfork = false;
		wake_all(&process->parent->vfork_done);
	}
	spin_unlock_irqrestore(&table_lock, interrupts);
}

/* Until the child has executed or is gone. A signal that ends the process ends the wait too; others
 * find the process when it goes on. */
static void wait_for_vfork(struct process *parent)
{
	u64 blocked = parent->blocked;

	signal_set_blocked(parent, signals_not_fatal(parent));
	wait_until_or_signal(&parent->vfork_done, !parent->in_vfork);
	signal_set_blocked(parent, blocked);
}

i64 process_fork(const struct fork_options *options)
{
	struct process *parent = current_process();
	struct process *child = process_create();
	u32 pid;

	if (!child)
		return -ENOMEM;
	inherit(child, parent);
	inherit_files(child, parent);

	int error = inherit_thread(child, options->stack, options->fs_base);

	if (!error)
		error = inherit_memory(child, parent, options->share_memory);
	child->parent = parent;
	child->exit_signal = options->exit_signal;
	if (!error && !enter_table(child))
		error = -EAGAIN;
	if (error) {
		discard(child);
		return error;
	}
	pid = child->thread->tid = child->pid;
	child->vforked = parent->in_vfork = options->parent_waits;
	sched_start(child->thread);
	sched_renew_slice();       /* a fork of gigabytes takes most of a slice */
	if (options->parent_waits) /* the child may be gone after this */
		wait_for_vfork(parent);
	return pid;
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

	if (!process)
		panic("no memory for init");
	read_fork_word();
	process->umask = 022;
	init_limits(process->limits);
	process->mm = mm_create();
	process->files = files_create();
	if (!process->mm || !process->files || path_lookup("/", true, &process->cwd) ||
	    !enter_table(process))
		panic("no memory for init");
	process->pgid = process->sid = process->pid;
	process->parent = init_process = process;
	process->thread = thread_create(process, init_start);
	if (!process->thread)
		panic("no memory for init");
	sched_start(process->thread);
}

/* ---- Process groups ---- */

int signal_send_group_locked(u32 pgid, const struct siginfo *info)
{
	struct process *process;
	int result = -ESRCH;

	list_for_each(process, &processes, all) {
		if (process->pgid != pgid)
			continue;
		signal_send_locked(process, info);
		result = 0;
	}
	return result;
}

int signal_send_group_info(u32 pgid, const struct siginfo *info)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	int result = signal_send_group_locked(pgid, info);

	spin_unlock_irqrestore(&table_lock, interrupts);
	return result;
}

bool process_group_stopped(u32 pgid)
{
	struct process *process;

	list_for_each(process, &processes, all) {
		if (process->pgid == pgid && process->stop_signal)
			return true;
	}
	return false;
}

bool process_group_orphaned(u32 pgid, const struct process *except)
{
	struct process *process;

	list_for_each(process, &processes, all) {
		const struct process *parent = process->parent;

		if (process->pgid == pgid && process != except && !process->exited &&
		    parent != init_process && parent->pgid != pgid && parent->sid == process->sid)
			return false;
	}
	return true;
}
