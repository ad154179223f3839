/* What the files of /proc/PID say about a process, but for its memory (proc_maps.c), in the formats
 * of Linux. */
#include "kernel/fs/files.h"
#include "kernel/fs/proc.h"
#include "kernel/fs/tty.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define NS_PER_TICK 10000000u /* USER_HZ is 100 */

static const char *state_word(char state)
{
	switch (state) {
	case 'Z':
		return "zombie";
	case 'T':
		return "stopped";
	case 'S':
		return "sleeping";
	case 'D':
		return "disk sleep";
	default:
		return "running";
	}
}

static u32 parent_pid(const struct process *process)
{
	bool interrupts = process_table_lock();
	const struct process *parent = process->parent;
	u32 pid = parent && parent != process ? parent->pid
					      : 0; /* the first process is its own parent */

	process_table_unlock(interrupts);
	return pid;
}

static u32 descriptors(struct process *process)
{
	struct files *files = process_files(process);
	u32 capacity = files ? files_capacity(files) : 0;

	if (files)
		files_put(files);
	return capacity;
}

static u64 signals(const struct process *process, bool ignored)
{
	u64 mask = 0;

	for (u32 i = 0; i < SIGNALS; i++) {
		u64 handler = process->actions[i].handler;

		if (ignored ? handler == SIG_IGN : handler > SIG_IGN)
			mask |= 1ul << i;
	}
	return mask;
}

static void show_ids(struct text *text, struct process *process, u32 tid,
		     const struct process_look *look)
{
	text_print(text, "Name:\t%s\nUmask:\t%c%c%c%c\nState:\t%c (%s)\n", look->name, '0',
		   '0' + (process->umask >> 6 & 7), '0' + (process->umask >> 3 & 7),
		   '0' + (process->umask & 7), look->state, state_word(look->state));
	text_print(text, "Tgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n", process->pid,
		   tid ? tid : process->pid, parent_pid(process));
	text_print(text, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t%u\nGroups:\t0 \n",
		   descriptors(process));
}

static void show_kb(struct text *text, const char *name, u64 pages)
{
	text_print(text, "%s:\t%8lu kB\n", name, pages * 4);
}

static void show_memory(struct text *text, struct process *process)
{
	struct mm *mm = process_mm(process);
	struct mm_usage usage;
	u64 file, shared;

	if (!mm)
		return;
	mm_usage(mm, &usage);
	proc_count_object_pages(mm, &file, &shared);
	show_kb(text, "VmSize", usage.mapped);
	show_kb(text, "VmLck", usage.locked);
	show_kb(text, "VmRSS", usage.resident);
	show_kb(text, "RssAnon", usage.resident - MIN(usage.resident, file + shared));
	show_kb(text, "RssFile", file);
	show_kb(text, "RssShmem", shared);
	show_kb(text, "VmData", usage.data);
	show_kb(text, "VmStk", usage.stack);
	show_kb(text, "VmExe", usage.text);
	show_kb(text, "VmLib", 0);
	show_kb(text, "VmPTE", usage.tables);
	show_kb(text, "VmSwap", usage.swapped);
	mm_put(mm);
}

static void show_status(struct text *text, struct process *process, u32 tid)
{
	struct process_look look;

	if (!process_look(process, tid, &look))
		return;
	show_ids(text, process, tid, &look);
	show_memory(text, process);
	text_print(text, "Threads:\t%u\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n",
		   look.threads, look.pending, process->pending.set, look.blocked);
	text_print(text, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", signals(process, true),
		   signals(process, false));
}

static void print_numbers(struct text *text, const u64 *numbers, u32 count)
{
	for (u32 i = 0; i < count; i++)
		text_print(text, " %lu", numbers[i]);
}

/* Fields 4 to 22: who it is and what time it has used. */
static void show_stat_times(struct text *text, const struct process *process,
			    const struct process_look *look)
{
	struct cpu_time own = look->cpu;
	bool on_tty = tty_session() && tty_session() == process->sid;
	struct cpu_time child = process->child_cpu;

	text_print(text, " %u %u %u %u %d", parent_pid(process), process->pgid, process->sid,
		   on_tty ? 5 << 8 | 1 : 0, on_tty ? (int)tty_foreground() : -1);
	/* flags, minflt, cminflt, majflt, cmajflt; utime, stime, cutime, cstime */
	text_print(text, " 0 %lu %lu %lu %lu %lu %lu %lu %lu", own.minor_faults, child.minor_faults,
		   own.major_faults, child.major_faults,
		   (own.total_ns - own.system_ns) / NS_PER_TICK, own.system_ns / NS_PER_TICK,
		   (child.total_ns - child.system_ns) / NS_PER_TICK, child.system_ns / NS_PER_TICK);
	/* priority, nice, num_threads, itrealvalue, starttime */
	text_print(text, " 20 0 %u 0 %lu", look->threads, process->started_ns / NS_PER_TICK);
}

/* Fields 23 to 52: its memory, signals and the rest. */
static void show_stat_memory(struct text *text, struct process *process,
			     const struct process_look *look)
{
	struct mm_usage usage = {0};
	struct mm *mm = process_mm(process);

	if (mm)
		mm_usage(mm, &usage);

	const u64 memory[] = {
		usage.mapped * PAGE_SIZE,
		usage.resident,
		~0ul, /* rsslim */
		0,    /* startcode */
		0,    /* endcode */
		mm ? mm->stack_top : 0,
		mm ? look->rsp : 0,
		mm ? look->rip : 0,
		look->pending | process->pending.set,
		look->blocked,
		signals(process, true),
		signals(process, false),
		0, /* wchan */
		0, /* nswap */
		0, /* cnswap */
		(u64)process->exit_signal,
		0, /* processor */
		0, /* rt_priority */
		0, /* policy */
		0, /* delayacct_blkio_ticks */
		0, /* guest_time */
		0, /* cguest_time */
		0, /* start_data */
		0, /* end_data */
		mm ? mm->brk_start : 0,
		mm ? mm->args_start : 0,
		mm ? mm->args_end : 0,
		mm ? mm->environ_start : 0,
		mm ? mm->environ_end : 0,
		(u64)process->exit_status,
	};
	_Static_assert(ARRAY_SIZE(memory) == 30, "fields 23 to 52 of proc(5)");

	print_numbers(text, memory, ARRAY_SIZE(memory));
	if (mm)
		mm_put(mm);
}

static void show_stat(struct text *text, struct process *process, u32 tid)
{
	struct process_look look;

	if (!process_look(process, tid, &look))
		return;
	text_print(text, "%u (%s) %c", tid ? tid : process->pid, look.name, look.state);
	show_stat_times(text, process, &look);
	show_stat_memory(text, process, &look);
	text_print(text, "\n");
}

static void show_statm(struct text *text, struct process *process)
{
	struct mm_usage usage = {0};
	struct mm *mm = process_mm(process);
	u64 file = 0, shared = 0;

	if (mm) {
		mm_usage(mm, &usage);
		proc_count_object_pages(mm, &file, &shared);
		mm_put(mm);
	}
	text_print(text, "%lu %lu %lu %lu 0 %lu 0\n", usage.mapped, usage.resident, file + shared,
		   usage.text, usage.data + usage.stack);
}

static void show_comm(struct text *text, struct process *process, u32 tid)
{
	struct process_look look;

	if (process_look(process, tid, &look))
		text_print(text, "%s\n", look.name);
}

/* Strings as the program has them in its memory, each ended by a NUL. */
static void show_strings(struct text *text, struct mm *mm, u64 start, u64 end)
{
	char part[256];
	size_t got = 1;

	for (u64 at = start; at < end && got; at += got) {
		got = mm_peek(mm, at, part, MIN(sizeof(part), end - at));
		text_append(text, part, got);
	}
}

static void show_cmdline(struct text *text, struct process *process)
{
	struct mm *mm = process_mm(process);

	if (!mm)
		return;
	show_strings(text, mm, mm->args_start, mm->args_end);
	mm_put(mm);
}

static void show_environ(struct text *text, struct process *process)
{
	struct mm *mm = process_mm(process);

	if (!mm)
		return;
	show_strings(text, mm, mm->environ_start, mm->environ_end);
	mm_put(mm);
}

static int follow_exe(struct process *process, int fd, struct inode **to)
{
	(void)fd;
	*to = process_inode(&process->exe);
	return *to ? 0 : -ENOENT;
}

static int follow_cwd(struct process *process, int fd, struct inode **to)
{
	(void)fd;
	*to = process_inode(&process->cwd);
	return *to ? 0 : -ENOENT;
}

static int follow_root(struct process *process, int fd, struct inode **to)
{
	(void)process;
	(void)fd;
	inode_get(*to = fs_root);
	return 0;
}

static int follow_fd(struct process *process, int fd, struct inode **to)
{
	struct file *file = proc_peek_fd(process, fd);

	if (!file)
		return -ENOENT;
	inode_get(*to = file->inode);
	file_put(file);
	return 0;
}

const struct proc_entry proc_fd_entry = {.mode = S_IFLNK, .follow = follow_fd};

#define FILE_MODE (S_IFREG | 0444)
#define LINK_MODE (S_IFLNK | 0777)

const struct proc_entry proc_process_entries[] = {
	{.name = "cmdline", .mode = FILE_MODE, .show = show_cmdline},
	{.name = "comm", .mode = FILE_MODE, .show_thread = show_comm},
	{.name = "cwd", .mode = LINK_MODE, .follow = follow_cwd},
	{.name = "environ", .mode = S_IFREG | 0400, .show = show_environ},
	{.name = "exe", .mode = LINK_MODE, .follow = follow_exe},
	{.name = "fd", .mode = S_IFDIR | 0500, .children = &proc_fd_entry},
	{.name = "maps", .mode = FILE_MODE, .show = proc_show_maps},
	{.name = "memtree", .mode = FILE_MODE, .show = proc_show_memtree},
	{.name = "mounts", .mode = FILE_MODE, .show = proc_show_mounts},
	{.name = "oom_score", .mode = FILE_MODE, .show = proc_show_oom_score},
	{.name = "oom_score_adj",
	 .mode = S_IFREG | 0644,
	 .show = proc_show_oom_score_adj,
	 .store = proc_store_oom_score_adj},
	{.name = "pagemap", .mode = S_IFREG | 0400, .read = proc_read_pagemap},
	{.name = "root", .mode = LINK_MODE, .follow = follow_root},
	{.name = "smaps", .mode = FILE_MODE, .show = proc_show_smaps},
	{.name = "smaps_rollup", .mode = FILE_MODE, .show = proc_show_smaps_rollup},
	{.name = "stat", .mode = FILE_MODE, .show_thread = show_stat},
	{.name = "statm", .mode = FILE_MODE, .show = show_statm},
	{.name = "status", .mode = FILE_MODE, .show_thread = show_status},
	{.name = "task", .mode = S_IFDIR | 0555, .children = &proc_thread_entry},
	{0},
};

/* Of one thread; what it has in common with its process is there too, as on Linux. */
static const struct proc_entry thread_entries[] = {
	{.name = "cmdline", .mode = FILE_MODE, .show = show_cmdline},
	{.name = "comm", .mode = FILE_MODE, .show_thread = show_comm},
	{.name = "cwd", .mode = LINK_MODE, .follow = follow_cwd},
	{.name = "exe", .mode = LINK_MODE, .follow = follow_exe},
	{.name = "fd", .mode = S_IFDIR | 0500, .children = &proc_fd_entry},
	{.name = "maps", .mode = FILE_MODE, .show = proc_show_maps},
	{.name = "stat", .mode = FILE_MODE, .show_thread = show_stat},
	{.name = "statm", .mode = FILE_MODE, .show = show_statm},
	{.name = "status", .mode = FILE_MODE, .show_thread = show_status},
	{0},
};

const struct proc_entry proc_thread_entry = {
	.mode = S_IFDIR | 0555, .children = thread_entries, .first_ino = 64};
