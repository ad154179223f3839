/*
 * The process table: processes by pid, threads by tid, of one space of numbers. Fork is in kernel/fork.c, exit and wait
 * are in kernel/exit.c.
 *
 * A process is in the table from its fork until its parent has waited for it; a thread is one of its process from its
 * clone until it ends. The first one has the pid as its tid, and is found by it.
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

#define PID_BUCKETS 1024u
#define TASKS_MAX   32000u /* processes, and threads beside their first ones */

static struct spinlock table_lock = SPINLOCK(RANK_PROCESSES);
/* guarded by table_lock: */
static struct list processes = {&processes, &processes}; /* by pid, but for a wrap-around */
static struct list buckets[PID_BUCKETS];
static struct list tids[PID_BUCKETS]; /* threads whose tid is not their process's pid */
static u32 task_count;
static u32 last_pid;
struct process *init_process;

static struct list *bucket_of(struct list *table, u32 pid)
{
	struct list *bucket = &table[pid % PID_BUCKETS];

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
	struct list *bucket = bucket_of(buckets, pid);
	struct process *process;

	list_for_each(process, bucket, by_pid) {
		if (process->pid == pid)
			return process;
	}
	return NULL;
}

/* A thread whose tid is not a pid. locked: table_lock */
static struct thread *find_tid(u32 tid)
{
	struct list *bucket = bucket_of(tids, tid);
	struct thread *thread;

	list_for_each(thread, bucket, by_tid) {
		if (thread->tid == tid)
			return thread;
	}
	return NULL;
}

/* locked: table_lock */
static struct thread *first_thread(const struct process *process)
{
	return list_empty(&process->threads)
		       ? NULL
		       : list_first(&process->threads, struct thread, sibling);
}

struct thread *thread_find(const struct process *process, u32 tid)
{
	const struct process *named = find(tid);
	struct thread *thread = named ? first_thread(named) : find_tid(tid);

	if (!thread || thread->tid != tid || (process && thread->process != process))
		return NULL;
	return thread;
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

void process_get(struct process *process)
{
	atomic_fetch_add(&process->refs, 1);
}

void process_put(struct process *process)
{
	if (atomic_fetch_sub(&process->refs, 1) == 1)
		kfree(process);
}

struct process *process_find_by_tid(u32 tid)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	struct thread *thread = thread_find(NULL, tid);
	struct process *process = thread ? thread->process : find(tid);

	if (process)
		atomic_fetch_add(&process->refs, 1);
	spin_unlock_irqrestore(&table_lock, interrupts);
	return process;
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
	bool interrupts = spin_lock_irqsave(&table_lock);
	struct files *old = process->files;

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
	bool interrupts = spin_lock_irqsave(&table_lock);
	struct inode *old = *place;

	*place = inode;
	spin_unlock_irqrestore(&table_lock, interrupts);
	return old;
}

/* Of a process all of whose threads it is; thread: one that it has, NULL: none any more. locked: table_lock */
static char state_of(const struct process *process, const struct thread *thread)
{
	if (!thread)
		return 'Z';
	if (process->stop_signal && !process->to_park)
		return 'T';
	if (thread->state != THREAD_SLEEPING)
		return 'R';
	return thread->interruptible ? 'S' : 'D';
}

struct cpu_time process_cpu_time(const struct process *process)
{
	struct cpu_time sum = process->cpu;
	const struct thread *thread;

	list_for_each(thread, &process->threads, sibling) {
		cpu_time_add(&sum, thread_cpu_time(thread));
	}
	return sum;
}

bool process_look(const struct process *process, u32 tid, struct process_look *look)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	const struct thread *thread = tid ? thread_find(process, tid) : first_thread(process);
	const struct trapframe *frame = thread ? thread->frame : NULL;

	*look = (struct process_look) {
		.state = state_of(process, thread),
		.threads = process->thread_count,
		.cpu = tid && thread ? thread_cpu_time(thread) : process_cpu_time(process),
		.rip = frame ? frame->rip : 0,
		.rsp = frame ? frame->rsp : 0,
		.pending = thread ? thread->pending.set : 0,
		.blocked = thread ? thread->blocked : 0,
	};
	memcpy(look->name, tid && thread ? thread->name : process->name, PROCESS_NAME);
	spin_unlock_irqrestore(&table_lock, interrupts);
	return thread || !tid || tid == process->pid;
}

u32 process_next_tid(const struct process *process, u32 after)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	const struct thread *thread;
	u32 next = process->pid > after ? process->pid : 0;

	list_for_each(thread, &process->threads, sibling) {
		if (thread->tid > after && (!next || thread->tid < next))
			next = thread->tid;
	}
	spin_unlock_irqrestore(&table_lock, interrupts);
	return next;
}

void process_limit_mm(const struct process *process, struct mm *mm)
{
	mm_set_limits(mm, &(struct mm_limits) {
				  .address_space = process->limits[RLIMIT_AS].soft,
				  .data = process->limits[RLIMIT_DATA].soft,
				  .stack = process->limits[RLIMIT_STACK].soft,
			  });
}

void process_apply_limits(struct process *process)
{
	struct mm *mm = process_mm(process);

	if (!mm)
		return;
	process_limit_mm(process, mm);
	mm_put(mm);
}

void thread_set_name(const char name[PROCESS_NAME])
{
	struct thread *thread = current();
	bool interrupts = spin_lock_irqsave(&table_lock);

	memcpy(thread->name, name, PROCESS_NAME);
	if (thread->tid == thread->process->pid)
		memcpy(thread->process->name, name, PROCESS_NAME);
	spin_unlock_irqrestore(&table_lock, interrupts);
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
	} while (find(last_pid) || find_tid(last_pid));
	return last_pid;
}

/* locked: table_lock */
static void join_process(struct thread *thread, struct process *process)
{
	list_push_back(&process->threads, &thread->sibling);
	process->thread_count++;
}

bool process_enter(struct process *process, struct thread *thread)
{
	bool interrupts = spin_lock_irqsave(&table_lock);
	bool fits = task_count < TASKS_MAX;

	if (fits) {
		task_count++;
		process->pid = unused_pid();
		list_push_back(&processes, &process->all);
		list_push_back(bucket_of(buckets, process->pid), &process->by_pid);
		thread->tid = process->pid;
		join_process(thread, process);
		if (process->parent)
			list_push_back(&process->parent->children, &process->sibling);
	}
	spin_unlock_irqrestore(&table_lock, interrupts);
	return fits;
}

void process_leave_table(struct process *process)
{
	task_count--;
	list_remove(&process->all);
	list_remove(&process->by_pid);
	list_remove(&process->sibling);
}

bool thread_enter(struct thread *thread)
{
	struct process *process = thread->process;
	bool interrupts = spin_lock_irqsave(&table_lock);
	bool fits = task_count < TASKS_MAX && !process->ending && !process->executing;

	if (fits) {
		task_count++;
		thread->tid = unused_pid();
		list_push_back(bucket_of(tids, thread->tid), &thread->by_tid);
		thread->parked = false;
		if (process->stop_signal)
			process->to_park++;
		join_process(thread, process);
	}
	spin_unlock_irqrestore(&table_lock, interrupts);
	return fits;
}

void thread_leave(struct thread *thread)
{
	struct process *process = thread->process;

	task_count -= thread->tid != process->pid;
	list_remove(&thread->by_tid);
	list_remove(&thread->sibling);
	process->thread_count--;
	thread->process = NULL;
}

void thread_take_pid(struct thread *thread)
{
	task_count -= thread->tid != thread->process->pid;
	list_remove(&thread->by_tid);
	thread->tid = thread->process->pid;
}

struct process *process_create(void)
{
	struct process *process = kmalloc(sizeof(*process));

	if (process) {
		list_init(&process->children);
		list_init(&process->sibling);
		list_init(&process->threads);
		sigqueue_init(&process->pending);
		lock_set_rank(&process->files_lock, RANK_FILE_TABLE);
		process->started_ns = clock_ns();
		process->refs = 1;
	}
	return process;
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
