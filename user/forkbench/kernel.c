/* The kernel under forkbench: user/forkbench/kernel.h. */
#include "user/forkbench/kernel.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<coppice.h>)
#include <coppice.h>
#else
#define PR_SET_FORK_LEVEL 0x436f7001
#endif

#include "user/lib/procfs.h"
#include "user/lib/program.h"

static const char *const names[LEVELS] = {"0", "1", "2", "3", "auto", "linux"};

static bool has_levels;

const char *level_name(int level)
{
	return names[level];
}

int level_parse(const char *name)
{
	for (int level = 0; level < LEVELS; level++) {
		if (strcmp(names[level], name) == 0) {
			return level;
		}
	}
	return -1;
}

bool kernel_has_levels(void)
{
	has_levels = prctl(PR_SET_FORK_LEVEL, -1, 0, 0, 0) == 0;
	return has_levels;
}

void kernel_set_level(int level)
{
	if (has_levels && prctl(PR_SET_FORK_LEVEL, level, 0, 0, 0) != 0) {
		die(1, "cannot set share level %s", names[level]);
	}
}

void kernel_reset_level(void)
{
	if (has_levels) {
		prctl(PR_SET_FORK_LEVEL, -1, 0, 0, 0);
	}
}

/* The start of a file of /proc in a buffer used again. */
static const char *read_proc(const char *path)
{
	static char buffer[8192];
	size_t filled = 0;
	int fd = open(path, O_RDONLY);

	while (fd >= 0 && filled < sizeof(buffer) - 1) {
		ssize_t got = read(fd, buffer + filled, sizeof(buffer) - 1 - filled);
		if (got <= 0) {
			break;
		}
		filled += (size_t)got;
	}
	if (fd >= 0) {
		close(fd);
	}
	buffer[filled] = '\0';
	return buffer;
}

unsigned long kernel_table_kb(pid_t child)
{
	unsigned long own = 0, childs = 0;

	if (has_levels) {
		if (!proc_value(read_proc("/proc/vmstat"), "nr_page_tables", &own)) {
			die(1, "/proc/vmstat has no line nr_page_tables");
		}
		return own * 4;
	}
	proc_value(read_proc("/proc/self/status"), "VmPTE", &own);
	if (child != 0) {
		char path[40];
		snprintf(path, sizeof(path), "/proc/%ld/status", (long)child);
		proc_value(read_proc(path), "VmPTE", &childs);
	}
	return own + childs;
}

unsigned long kernel_free_bytes(void)
{
	const char *meminfo = read_proc("/proc/meminfo");
	unsigned long kb = 0;

	if (!proc_value(meminfo, "MemAvailable", &kb) && !proc_value(meminfo, "MemFree", &kb)) {
		die(1, "/proc/meminfo does not say how much memory is free");
	}
	return kb * 1024;
}

unsigned long kernel_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long)now.tv_sec * 1000000000ul + (unsigned long)now.tv_nsec;
}
