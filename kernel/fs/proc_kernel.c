/* What the files of /proc/sys/kernel say: as uname(2). */
#include "kernel/fs/proc.h"
#include "kernel/process.h"
#include "kernel/version.h"

static void show_hostname(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, HOST_NAME "\n");
}

static void show_osrelease(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, SYSTEM_RELEASE "\n");
}

static void show_ostype(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, SYSTEM_NAME "\n");
}

static void show_version(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, SYSTEM_VERSION "\n");
}

static void show_pid_max(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, "%u\n", PID_MAX);
}

#define FILE_MODE (S_IFREG | 0444)

const struct proc_entry proc_kernel_entries[] = {
	{.name = "hostname", .mode = FILE_MODE, .show = show_hostname},
	{.name = "osrelease", .mode = FILE_MODE, .show = show_osrelease},
	{.name = "ostype", .mode = FILE_MODE, .show = show_ostype},
	{.name = "pid_max", .mode = FILE_MODE, .show = show_pid_max},
	{.name = "version", .mode = FILE_MODE, .show = show_version},
	{0},
};
