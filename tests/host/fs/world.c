/* The world of world.h. */
#include "kernel/cpu/machine.h"
#include "kernel/cpu/stack.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/checked/faults.h"
#include "kernel/cmdline.h"
#include "kernel/dev/console.h"
#include "kernel/fs/files.h"
#include "kernel/fs/vfs.h"
#include "kernel/oom.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "tests/host/fs/world.h"
#include "tests/host/machine.h"

#define PROCESSES 64

struct cpu cpus[MAX_CPUS];
u32 cpus_online = 1;
struct thread *running_thread;
struct waitqueue poll_queue;
enum share_level fork_level_default = SHARE_AUTO;
u64 boot_epoch = 1700000000;
void (*world_sleeps)(void);

static struct process *processes[PROCESSES];
static u64 signals, allocations, fail_in;
static char console[4096];
static size_t console_used;

/* ---- Processes ---- */

static struct process *add_process(void)
{
	struct process *process = calloc(1, sizeof(*process));

	struct thread *thread = calloc(1, sizeof(*thread));

	thread->process = process;
	thread->state = THREAD_RUNNING;
	list_init(&process->threads);
	list_push_back(&process->threads, &thread->sibling);
	lock_set_rank(&process->files_lock, RANK_FILE_TABLE);
	process->refs = process->thread_count = 1;
	process->limits[RLIMIT_NOFILE] = (struct rlimit) {FILES_MAX, FILES_MAX};
	process->pid = 1;
	while (processes[process->pid])
		process->pid++;
	processes[process->pid] = process;
	return process;
}

static struct thread *thread_of(const struct process *process)
{
	return list_first(&process->threads, struct thread, sibling);
}

struct process *world_fork(void)
{
	struct process *parent = current_process(), *child = add_process();

	child->parent = parent;
	child->pgid = parent->pgid;
	child->sid = parent->sid;
	child->umask = parent->umask;
	memcpy(child->name, parent->name, sizeof(child->name));
	files_get(child->files = parent->files);
	inode_get(child->cwd = parent->cwd);
	return child;
}

void world_run(struct process *process)
{
	running_thread = thread_of(process);
}

void world_exit(struct process *process)
{
	if (process->refs != 1)
		panic("process %u has refs %u when it is waited for", process->pid, process->refs);
	processes[process->pid] = NULL;
	files_put(process->files);
	inode_put(process->cwd);
	free(thread_of(process));
	free(process);
}

void world_start(void)
{
	struct process *process;

	machine_start(8192);
	fs_init();
	process = add_process();
	process->pgid = process->sid = process->pid;
	process->parent = process;
	process->umask = 022;
	snprintf(process->name, sizeof(process->name), "first");
	process->files = files_create();
	world_run(process);
	if (path_lookup("/", true, &process->cwd))
		panic("there is no /");
}

void process_each(bool (*visit)(void *context, struct process *process), void *context)
{
	for (u32 pid = 1; pid < PROCESSES; pid++)
		if (processes[pid] && !visit(context, processes[pid]))
			return;
}

struct process *process_find(u32 pid)
{
	struct process *process = pid < PROCESSES ? processes[pid] : NULL;

	if (process)
		process->refs++;
	return process;
}

void process_put(struct process *process)
{
	process->refs--;
}

struct mm *process_mm(struct process *process)
{
	if (process->mm)
		mm_get(process->mm);
	return process->mm;
}

bool process_table_lock(void)
{
	return false;
}

void process_table_unlock(bool interrupts)
{
	(void)interrupts;
}

struct files *process_files(struct process *process)
{
	if (process->files)
		files_get(process->files);
	return process->files;
}

struct files *process_swap_files(struct files *files)
{
	struct files *old = current_process()->files;

	current_process()->files = files;
	return old;
}

struct inode *process_inode(struct inode *const *place)
{
	if (*place)
		inode_get(*place);
	return *place;
}

struct inode *process_swap_inode(struct inode **place, struct inode *inode)
{
	struct inode *old = *place;

	*place = inode;
	return old;
}

bool process_look(const struct process *process, u32 tid, struct process_look *look)
{
	*look = (struct process_look) {.state = 'R', .threads = 1};
	memcpy(look->name, process->name, sizeof(look->name));
	return !tid || tid == process->pid;
}

u32 process_next_tid(const struct process *process, u32 after)
{
	return after < process->pid ? process->pid : 0;
}

bool stack_pool_drain(void)
{
	return false;
}

struct tlb_stat tlb_stat;

void tlb_poll(void)
{
}

void signal_send(struct process *process, int signal)
{
	(void)process;
	signals |= SIGNAL_BIT(signal);
}

int signal_send_group(u32 pgid, int signal)
{
	(void)pgid;
	signals |= SIGNAL_BIT(signal);
	return 0;
}

u64 world_signals(void)
{
	u64 sent = signals;

	signals = 0;
	return sent;
}

u64 clock_ns(void)
{
	static u64 now;

	return now += 1000;
}

u32 sched_runnable(void)
{
	return 1;
}

struct cpu_time process_cpu_time(const struct process *process)
{
	return process->cpu;
}

void wait_join(struct waitqueue *queue, struct waiter *waiter)
{
	(void)queue;
	*waiter = (struct waiter) {0};
}

void wait_leave(struct waiter *waiter)
{
	(void)waiter;
}

int wait_sleep(struct waiter *waiter, bool interruptible, u64 deadline)
{
	(void)waiter;
	if (world_sleeps) {
		world_sleeps();
		return 0;
	}
	ASSERT(interruptible, "would sleep for ever, deadline %lu", deadline);
	return deadline ? -EAGAIN : -EINTR;
}

void wake_all(struct waitqueue *queue)
{
	(void)queue;
}

/* ---- Memory ---- */

void *kmalloc(size_t size)
{
	if (fail_in && --fail_in == 0)
		return NULL;
	if (size == 0 || size > 4u << 20)
		return NULL;
	allocations++;
	return calloc(1, size);
}

void kfree(void *at)
{
	allocations -= at != NULL;
	free(at);
}

u64 heap_bytes(void)
{
	return allocations;
}

u64 world_allocations(void)
{
	return allocations;
}

void world_fail(u64 nth)
{
	fail_in = nth;
}

int(copy_from_user)(void *to, uptr from, size_t bytes)
{
	return host_copy(to, from, bytes, false);
}

int(copy_to_user)(uptr to, const void *from, size_t bytes)
{
	return host_copy((void *)from, to, bytes, true);
}

int(clear_user)(uptr to, size_t bytes)
{
	void *zeroes = calloc(1, bytes + 1);
	int error = host_copy(zeroes, to, bytes, true);

	free(zeroes);
	return error;
}

i64(copy_string_from_user)(char *to, uptr from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (copy_from_user(to + i, from + i, 1))
			return -EFAULT;
		if (!to[i])
			return (i64)i;
	}
	return -ENAMETOOLONG;
}

/* ---- Console and log ---- */

void console_resume_input(void)
{
}

void give_way(void)
{
}

int make_fault(const char *text)
{
	(void)text;
	return -EINVAL;
}

i64 signal_mask_for_wait(u64 set, u64 size)
{
	(void)set;
	(void)size;
	return 0;
}

bool signal_pending(void)
{
	return false;
}

void console_write(const char *text, size_t bytes)
{
	bytes = MIN(bytes, sizeof(console) - 1 - console_used);
	memcpy(console + console_used, text, bytes);
	console_used += bytes;
	console[console_used] = '\0';
}

const char *world_console(void)
{
	static char copied[sizeof(console)];

	memcpy(copied, console, sizeof(console));
	console_used = 0;
	console[0] = '\0';
	return copied;
}

void world_type(const char *keys)
{
	for (; *keys; keys++)
		console_input(*keys);
}

void log_write(const char *text, size_t bytes)
{
	printf("# log: %.*s", (int)bytes, text);
}

const char *cmdline_word(const char *key)
{
	(void)key;
	return NULL;
}

const char *cmdline_text(void)
{
	return "fork=auto";
}

struct oom_policy oom_policy;

u64 oom_score(struct process *process)
{
	(void)process;
	return 666;
}
