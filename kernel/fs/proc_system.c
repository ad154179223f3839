/* What the files directly below /proc say, in the formats of Linux (proc(5)). */
#include "kernel/block/swap.h"
#include "kernel/checked/faults.h"
#include "kernel/cmdline.h"
#include "kernel/cpu/machine.h"
#include "kernel/fs/proc.h"
#include "kernel/cpu/stack.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/version.h"
#include "mm/commit.h"
#include "mm/errno.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "mm/swap.h"

#define NS_PER_TICK   10000000u /* USER_HZ is 100 */
#define NS_PER_SECOND 1000000000u

/* Frames that are free, with those that are kept for stacks to come. */
static u64 count_free(void)
{
	stack_pool_drain();
	return frames_free();
}

struct object_pages {
	u64 cached, shared, mapped; /* all; those of no file; those that some table points at */
};

static void add_pages(struct object *object, struct object_pages *sum)
{
	sum->cached += object->pages;
	sum->shared += proc_is_shared_memory(object) ? object->pages : 0;
	sum->mapped += object_mapped(object);
}

static void show_meminfo(struct text *text, struct process *process)
{
	u64 total = frames_total() * 4, free = count_free() * 4;
	struct object_pages objects = {0};
	struct swap_totals swap;

	(void)process;
	swap_totals(&swap);
	for (struct object *object = object_next(NULL); object; object = object_next(object))
		add_pages(object, &objects);
	text_print(text, "MemTotal:       %8lu kB\n", total);
	text_print(text, "MemFree:        %8lu kB\n", free);
	text_print(text, "MemAvailable:   %8lu kB\n", free);
	text_print(text, "Buffers:        %8u kB\n", 0);
	text_print(text, "Cached:         %8lu kB\n", objects.cached * 4);
	text_print(text, "SwapCached:     %8lu kB\n", swap.cached * 4);
	text_print(text, "SwapTotal:      %8lu kB\n", swap.pages * 4);
	text_print(text, "SwapFree:       %8lu kB\n", (swap.pages - swap.used) * 4);
	/* What is no object's, not the zero page, and does not wait in the slot cache is in some table. */
	text_print(text, "AnonPages:      %8lu kB\n",
		   (mm_stat.data_pages - objects.cached - 1 - swap.waiting) * 4);
	text_print(text, "Mapped:         %8lu kB\n", objects.mapped * 4);
	text_print(text, "Shmem:          %8lu kB\n", objects.shared * 4);
	text_print(text, "Slab:           %8lu kB\n", heap_bytes() / 1024);
	text_print(text, "PageTables:     %8lu kB\n", mm_stat.tables * 4);
	text_print(text, "CommitLimit:    %8lu kB\n", commit_limit() * 4);
	text_print(text, "Committed_AS:   %8lu kB\n", commit_total() * 4);
}

static void show_vmstat(struct text *text, struct process *process)
{
	const _Atomic u64 *scanned = mm_stat.scanned, *stolen = mm_stat.stolen;
	const struct {
		const char *name;
		u64 value;
	} lines[] = {
		{"pgfault", mm_stat.faults},
		{"pgfill_zero", mm_stat.zero_fills},
		{"pgfill_file", mm_stat.file_fills},
		{"pgfill_shared", mm_stat.shared_fills},
		{"pgtable_copy", mm_stat.table_copies},
		{"page_copy", mm_stat.page_copies},
		{"page_reuse", mm_stat.reuses},
		{"pgmajfault", mm_stat.major_faults},
		{"pswpin", mm_stat.swap_ins},
		{"pswpout", mm_stat.swap_outs},
		{"pgscan", scanned[RECLAIM_THREAD] + scanned[RECLAIM_DIRECT]},
		{"pgscan_kswapd", scanned[RECLAIM_THREAD]},
		{"pgscan_direct", scanned[RECLAIM_DIRECT]},
		{"pgsteal", stolen[RECLAIM_THREAD] + stolen[RECLAIM_DIRECT]},
		{"pgsteal_kswapd", stolen[RECLAIM_THREAD]},
		{"pgsteal_direct", stolen[RECLAIM_DIRECT]},
		{"forks", mm_stat.forks},
		{"nr_page_tables", mm_stat.tables},
		{"nr_data_pages", mm_stat.data_pages},
		{"nr_free_frames", count_free()},
		{"nr_total_frames", frames_total()},
		{"heap_bytes", heap_bytes()},
		{"nr_tlb_remote_flush", tlb_stat.remote},
		{"nr_tlb_remote_flush_received", tlb_stat.remote_received},
		{"nr_tlb_local_flush_all", tlb_stat.local_all},
		{"nr_tlb_local_flush_one", tlb_stat.local_ranges},
	};

	(void)process;
	for (u32 i = 0; i < ARRAY_SIZE(lines); i++)
		text_print(text, "%s %lu\n", lines[i].name, lines[i].value);
}

struct totals {
	struct cpu_time busy; /* of all processes, and of those that were waited for */
	u32 processes, last_pid;
};

static bool add_process(void *context, struct process *process)
{
	struct totals *totals = context;

	struct cpu_time own = process_cpu_time(process);

	totals->busy.total_ns += own.total_ns + process->child_cpu.total_ns;
	totals->busy.system_ns += own.system_ns + process->child_cpu.system_ns;
	totals->processes++;
	totals->last_pid = MAX(totals->last_pid, process->pid);
	return true;
}

static struct totals totals_now(u64 *idle_ns)
{
	struct totals totals = {0};
	u64 all = clock_ns() * cpus_online;

	process_each(add_process, &totals);
	*idle_ns = all > totals.busy.total_ns ? all - totals.busy.total_ns : 0;
	return totals;
}

static void show_uptime(struct text *text, struct process *process)
{
	u64 idle, now = clock_ns();

	(void)process;
	totals_now(&idle);
	text_print(text, "%lu.%02lu %lu.%02lu\n", now / NS_PER_SECOND,
		   now % NS_PER_SECOND / NS_PER_TICK, idle / NS_PER_SECOND,
		   idle % NS_PER_SECOND / NS_PER_TICK);
}

/* There are no averages: all three figures are the threads that could run at this moment. */
static void show_loadavg(struct text *text, struct process *process)
{
	u64 idle;
	struct totals totals = totals_now(&idle);
	u32 running = sched_runnable();

	(void)process;
	text_print(text, "%u.00 %u.00 %u.00 %u/%u %u\n", running, running, running, running,
		   totals.processes, totals.last_pid);
}

/* Time is not told apart by CPU: it counts as shared evenly. */
static void show_stat(struct text *text, struct process *process)
{
	u64 idle;
	struct totals totals = totals_now(&idle);
	u64 user = (totals.busy.total_ns - totals.busy.system_ns) / NS_PER_TICK;
	u64 system = totals.busy.system_ns / NS_PER_TICK;

	(void)process;
	text_print(text, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\n", user, system, idle / NS_PER_TICK);
	for (u32 cpu = 0; cpu < cpus_online; cpu++)
		text_print(text, "cpu%u %lu 0 %lu %lu 0 0 0 0 0 0\n", cpu, user / cpus_online,
			   system / cpus_online, idle / NS_PER_TICK / cpus_online);
	text_print(text, "btime %lu\nprocesses %lu\nprocs_running %u\nprocs_blocked 0\n",
		   boot_epoch, mm_stat.forks + 1, sched_runnable());
}

static void show_version(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, "Coppice version " COPPICE_VERSION " (gcc " __VERSION__ ")\n");
}

static void show_cmdline(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, "%s\n", cmdline_text());
}

static void show_filesystems(struct text *text, struct process *process)
{
	(void)process;
	text_print(text,
		   "nodev\ttmpfs\nnodev\tdevtmpfs\nnodev\tproc\nnodev\tsysfs\nnodev\tpipefs\n");
}

/* CPUID, Intel SDM vol. 2: leaf 0 the vendor, 1 the signature, 0x80000002 to 4 the name. */
static void cpu_name(char name[49])
{
	u32 words[12] = {0};
	u32 highest[4];

	cpuid(0x80000000, 0, highest);
	for (u64 i = 0; i < 3 && highest[0] >= 0x80000004; i++)
		cpuid((u32)(0x80000002 + i), 0, &words[i * 4]);
	memcpy(name, words, sizeof(words));
	name[48] = '\0';
}

static void cpu_vendor(char vendor[13])
{
	u32 leaf[4];

	cpuid(0, 0, leaf);
	memcpy(vendor, &leaf[1], 4);
	memcpy(vendor + 4, &leaf[3], 4);
	memcpy(vendor + 8, &leaf[2], 4);
	vendor[12] = '\0';
}

static void show_cpuinfo(struct text *text, struct process *process)
{
	char name[49], vendor[13];
	u32 leaf[4], family, model;

	(void)process;
	cpu_name(name);
	cpu_vendor(vendor);
	cpuid(1, 0, leaf);
	family = leaf[0] >> 8 & 0xf;
	model = leaf[0] >> 4 & 0xf;
	if (family == 6 || family == 15)
		model |= leaf[0] >> 12 & 0xf0;
	if (family == 15)
		family += leaf[0] >> 20 & 0xff;
	for (u32 i = 0; i < cpus_online; i++)
		text_print(text,
			   "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n"
			   "model name\t: %s\nstepping\t: %u\napicid\t\t: %u\n\n",
			   i, vendor, family, model, name, leaf[0] & 0xf, cpus[i].apic_id);
}

static void show_self(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, "%u", current_process()->pid);
}

static void show_fork_level(struct text *text, struct process *process)
{
	(void)process;
	if (fork_level_default == SHARE_AUTO)
		text_print(text, "auto\n");
	else
		text_print(text, "%u\n", (u32)fork_level_default);
}

static void show_max_map_count(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, "%u\n", max_regions);
}

static int store_max_map_count(const char *text, struct process *process)
{
	i64 value;
	int error = proc_number(text, 0, MAX_REGIONS_MOST, &value);

	(void)process;
	if (!error)
		max_regions = (u32)value;
	return error;
}

static int store_fork_level(const char *text, struct process *process)
{
	size_t length = strlen(text);

	(void)process;
	if (length && text[length - 1] == '\n')
		length--;
	if (length == 4 && memcmp(text, "auto", 4) == 0)
		fork_level_default = SHARE_AUTO;
	else if (length == 1 && *text >= '0' && *text <= '3')
		fork_level_default = (enum share_level)(*text - '0');
	else
		return -EINVAL;
	return 0;
}

static void show_nothing(struct text *text, struct process *process)
{
	(void)text;
	(void)process;
}

/* A write to address 0, to see what follows. */
static void crash(void)
{
	volatile u8 *nowhere = (volatile u8 *)0;

	asm volatile("" : "+r"(nowhere)); /* the compiler would make it a trap of its own */
	*nowhere = 0;
}

/* This CPU takes no interrupt any more, to see the watchdog bite. */
static void hang(void)
{
	interrupts_save();
	for (;;)
		__builtin_ia32_pause();
}

/* 'c' crashes the kernel, as on Linux (Documentation/admin-guide/sysrq.rst), 'h' hangs a CPU. In the checked kernel,
 * names of faults too. */
static int store_sysrq(const char *text, struct process *process)
{
	(void)process;
	if (*text == 'c')
		crash();
	else if (*text == 'h' && text[1] == '\n')
		hang();
	else
		return make_fault(text);
	return 0;
}

#define TUNABLE(name_)                                                             \
	{                                                                          \
		.name = #name_, .mode = S_IFREG | 0644, .show = proc_show_##name_, \
		.store = proc_store_##name_                                        \
	}

static const struct proc_entry vm_entries[] = {
	{.name = "fork_level",
	 .mode = S_IFREG | 0644,
	 .show = show_fork_level,
	 .store = store_fork_level},
	{.name = "max_map_count",
	 .mode = S_IFREG | 0644,
	 .show = show_max_map_count,
	 .store = store_max_map_count},
	TUNABLE(oom_kill_allocating_task),
	TUNABLE(overcommit_kbytes),
	TUNABLE(overcommit_memory),
	TUNABLE(overcommit_ratio),
	TUNABLE(panic_on_oom),
	{0},
};

static const struct proc_entry sys_entries[] = {
	{.name = "dev", .mode = S_IFDIR | 0555, .children = proc_dev_entries, .first_ino = 401},
	{.name = "kernel",
	 .mode = S_IFDIR | 0555,
	 .children = proc_kernel_entries,
	 .first_ino = 301},
	{.name = "vm", .mode = S_IFDIR | 0555, .children = vm_entries, .first_ino = 201},
	{0},
};

#define FILE_MODE (S_IFREG | 0444)

const struct proc_entry proc_system_entries[] = {
	{.name = "self", .mode = S_IFLNK | 0777, .show = show_self},
	{.name = "sys", .mode = S_IFDIR | 0555, .children = sys_entries, .first_ino = 101},
	{.name = "cmdline", .mode = FILE_MODE, .show = show_cmdline},
	{.name = "cpuinfo", .mode = FILE_MODE, .show = show_cpuinfo},
	{.name = "filesystems", .mode = FILE_MODE, .show = show_filesystems},
	{.name = "loadavg", .mode = FILE_MODE, .show = show_loadavg},
	{.name = "meminfo", .mode = FILE_MODE, .show = show_meminfo},
	{.name = "mounts", .mode = FILE_MODE, .show = proc_show_mounts},
	{.name = "stat", .mode = FILE_MODE, .show = show_stat},
	{.name = "swaps", .mode = FILE_MODE, .show = swap_show},
	{.name = "sysrq-trigger",
	 .mode = S_IFREG | 0200,
	 .show = show_nothing,
	 .store = store_sysrq},
	{.name = "uptime", .mode = FILE_MODE, .show = show_uptime},
	{.name = "version", .mode = FILE_MODE, .show = show_version},
	{.name = "vmstat", .mode = FILE_MODE, .show = show_vmstat},
	{0},
};
