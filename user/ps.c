/* ps: a line for each process, from /proc/PID/{stat,status,cmdline}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/procfs.h"
#include "user/lib/program.h"

struct process_line {
	char state;
	long parent, group;
	unsigned long cpu_ticks;
};

/*
 * Reads /proc/PID/stat: "pid (name) state ppid pgrp ...", fields 14 and 15 the ticks of user and
 * system time. The name may hold blanks and brackets, so the fields are counted from its last
 * bracket.
 */
static bool parse_stat(const char *stat, struct process_line *line)
{
	const char *at = strrchr(stat, ')');

	if (!at || at[1] != ' ' || at[2] == '\0') {
		return false;
	}
	line->state = at[2];
	char *end;
	line->parent = strtol(at + 3, &end, 10);
	line->group = strtol(end, &end, 10);
	for (int field = 6; field < 14; field++) {
		strtol(end, &end, 10);
	}
	line->cpu_ticks = strtoul(end, &end, 10);
	line->cpu_ticks += strtoul(end, &end, 10);
	return true;
}

/* The command line with blanks for its NULs, or [name] for a process that has none. */
static void print_command(pid_t pid)
{
	struct text command = {0};

	if (proc_read(pid, "cmdline", &command) && command.length > 0) {
		for (size_t i = 0; i + 1 < command.length; i++) {
			putchar(command.data[i] ? command.data[i] : ' ');
		}
		putchar('\n');
	} else {
		char name[32];
		proc_name(pid, name, sizeof(name));
		printf("[%s]\n", name);
	}
	text_free(&command);
}

/* A value in kB of /proc/PID/status, or "-". */
static void print_kb(const char *status, const char *key)
{
	unsigned long kb;

	if (status && proc_value(status, key, &kb)) {
		printf(" %9lu", kb);
	} else {
		printf(" %9s", "-");
	}
}

static void print_process(pid_t pid)
{
	struct text stat = {0}, status = {0};
	struct process_line line;

	/* A process that ended since the list was read is no longer one. */
	if (proc_read(pid, "stat", &stat) && stat.data && parse_stat(stat.data, &line)) {
		proc_read(pid, "status", &status);
		unsigned long seconds = line.cpu_ticks / 100;
		printf("%6ld %6ld %6ld %c %3lu:%02lu.%02lu", (long)pid, line.parent, line.group,
		       line.state, seconds / 60, seconds % 60, line.cpu_ticks % 100);
		print_kb(status.data, "VmRSS");
		print_kb(status.data, "VmPTE");
		putchar(' ');
		print_command(pid);
	}
	text_free(&status);
	text_free(&stat);
}

int main(int argc, char **argv)
{
	pid_t *pids;

	program_init("ps", "ps   (all processes; VmRSS and page tables in kB)", argc, argv);
	/* The letters that people type out of habit ask for what is shown anyway. */
	for (int i = 1; i < argc; i++) {
		if (strspn(argv[i] + (argv[i][0] == '-'), "aefuxw") + (argv[i][0] == '-') !=
		    strlen(argv[i])) {
			usage_error("unknown option %s", argv[i]);
		}
	}
	int count = proc_list(&pids);
	if (count < 0) {
		complain_errno(proc_root);
		return program_end();
	}
	printf("%6s %6s %6s S %9s %9s %9s COMMAND\n", "PID", "PPID", "GROUP", "TIME", "RSS",
	       "TABLES");
	for (int i = 0; i < count; i++) {
		print_process(pids[i]);
	}
	free(pids);
	return program_end();
}
