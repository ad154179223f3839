/* /sys: how many CPUs there are, where C libraries look for it. A tree like that of /proc. */
#include "kernel/cpu/cpu.h"
#include "kernel/fs/proc.h"

const struct filesystem sysfs = {"sysfs", "/sys", 0x62656572, 6};

/* CPUs are counted once, at boot: what is there is possible, and online. */
static void show_cpus(struct text *text, struct process *process)
{
	(void)process;
	if (cpus_online == 1)
		text_print(text, "0\n");
	else
		text_print(text, "0-%u\n", cpus_online - 1);
}

#define FILE_MODE      (S_IFREG | 0444)
#define DIRECTORY_MODE (S_IFDIR | 0555)

static const struct proc_entry cpu_entries[] = {
	{.name = "online", .mode = FILE_MODE, .show = show_cpus},
	{.name = "possible", .mode = FILE_MODE, .show = show_cpus},
	{.name = "present", .mode = FILE_MODE, .show = show_cpus},
	{0},
};

static const struct proc_entry system_entries[] = {
	{.name = "cpu", .mode = DIRECTORY_MODE, .children = cpu_entries, .first_ino = 401},
	{0},
};

static const struct proc_entry devices_entries[] = {
	{.name = "system", .mode = DIRECTORY_MODE, .children = system_entries, .first_ino = 301},
	{0},
};

static const struct proc_entry sys_entries[] = {
	{.name = "devices", .mode = DIRECTORY_MODE, .children = devices_entries, .first_ino = 201},
	{0},
};

const struct proc_entry sysfs_root = {
	.mode = DIRECTORY_MODE, .children = sys_entries, .first_ino = 101};
