/*
 * A million random system calls (calls.h) by several processes. A supervisor starts those anew that
 * end or die, interrupts and then kills those that wait for something that will not come, ends what
 * they have started, and runs the audit meanwhile and at the end.
 *
 * Catches: a system call that panics, hangs or corrupts the kernel when an argument is one that
 * nobody thought of; that goes on with memory or a descriptor that is gone; that loses a count or a
 * page when it fails half-way.
 *
 * usage: sysfuzz [SEED [CALLS [PART_OF_NAME [LEVEL]]]], or sysfuzz SEED worker NUMBER FIRST COUNT:
 * these calls alone.
 */
#include "calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS     8u
#define LIFE        3000 /* calls of a process, then a fresh one goes on */
#define POLL_NS     4000000
#define INTERRUPT   2 /* polls without a call, and then a signal */
#define KILL        12
#define AUDIT_EVERY 4000 /* calls */
#define SWEEP_EVERY 64   /* polls */
#define TCGETS      0x5401
#define TCSETS      0x5402
#define TIOCGPGRP   0x540f
#define TIOCSPGRP   0x5410

static uint64_t seed = 1;
static long calls_wanted = 200000; /* at each of five levels */
static const char directory[] = CALLS_DIRECTORY;

/* The number of each worker's next call, far below what calls are made on. */
static volatile long *next_call;

static struct worker {
	pid_t pid;
	long last;    /* the last poll's next_call */
	long started; /* the first call of this process */
	unsigned polls;
} workers[WORKERS];

static long calls_each(void)
{
	return calls_wanted / WORKERS;
}

/* ---- Workers ---- */

static void call_from(unsigned number, long first, long count)
{
	int left = -1; /* in a child that a call has made: its own calls to make */

	for (long i = first; i < first + count && left != 0; i++) {
		if (left < 0)
			next_call[number] = i + 1;

		int more = call_random(seed, number, i);

		left = more >= 0 ? more : left > 0 ? left - 1 : left;
	}
	_exit(0);
}

static void start_worker(unsigned number)
{
	struct worker *worker = &workers[number];
	pid_t supervisor = getpid();
	long first = next_call[number], count = calls_each() - first;

	mkdir(directory, 0777);
	worker->started = worker->last = first;
	worker->polls = 0;
	worker->pid = fork();
	REQUIRE(worker->pid >= 0, "fork: %d", (int)worker->pid);
	if (worker->pid > 0)
		return;
	signal(SIGTTOU, SIG_DFL);
	if (chdir(directory) < 0)
		_exit(2);
	calls_start(supervisor + 1);
	call_from(number, first, count < LIFE ? count : LIFE);
}

/* ---- Ending them ---- */

static bool is_worker(pid_t pid)
{
	for (unsigned i = 0; i < WORKERS; i++)
		if (workers[i].pid == pid)
			return true;
	return false;
}

/* Kills all that is younger than this process but the workers; pids only grow here. How many there
 * were. */
static unsigned kill_strays(void)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	unsigned found = 0;

	REQUIRE(processes, "opendir /proc");
	while ((entry = readdir(processes))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > getpid() && !is_worker(pid)) {
			kill(pid, SIGKILL);
			found++;
		}
	}
	closedir(processes);
	return found;
}

static unsigned workers_alive(void)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		alive += workers[i].pid > 0;
	return alive;
}

static void reap_workers(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (unsigned i = 0; i < WORKERS; i++)
			if (workers[i].pid == pid)
				workers[i].pid = 0;
}

static void kill_all(void)
{
	const struct timespec moment = {.tv_nsec = POLL_NS};
	unsigned left = 1;

	for (int tries = 0; left && tries < 1000; tries++) {
		for (unsigned i = 0; i < WORKERS; i++)
			if (workers[i].pid > 0)
				kill(workers[i].pid, SIGKILL);
		nanosleep(&moment, NULL);
		reap_workers();
		left = kill_strays() + workers_alive();
	}
	CHECK(left == 0, "%u processes do not end when killed", left);
}

/* The name of something in the current directory; false when it is empty. */
static bool any_name(char *name, size_t size)
{
	DIR *here = opendir(".");
	struct dirent *entry;
	bool found = false;

	REQUIRE(here, "opendir");
	while (!found && (entry = readdir(here))) {
		snprintf(name, size, "%s", entry->d_name);
		found = strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
	}
	closedir(here);
	return found;
}

/* As deep as the workers made it. */
static void empty_directory(void)
{
	char name[256];

	while (any_name(name, sizeof(name))) {
		if (unlink(name) == 0)
			continue;
		REQUIRE(chdir(name) == 0, "chdir %s", name);
		empty_directory();
		REQUIRE(chdir("..") == 0 && rmdir(name) == 0, "rmdir %s", name);
	}
}

static void remove_files(void)
{
	if (chdir(directory) < 0)
		return;
	empty_directory();
	CHECK(chdir("/") == 0 && rmdir(directory) == 0, "rmdir %s", directory);
}

/* ---- The supervisor ---- */

static long calls_done(void)
{
	long sum = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		sum += next_call[i];
	return sum;
}

static void tell_positions(void)
{
	for (unsigned i = 0; i < WORKERS; i++)
		ktap_note("calls: sysfuzz %lu worker %u %ld %ld", (unsigned long)seed, i,
			  workers[i].started, next_call[i] - workers[i].started);
}

/* A worker that has made no call for a while waits for something: wakes it, or ends it. */
static void poll_worker(unsigned number)
{
	struct worker *worker = &workers[number];

	if (worker->pid == 0) {
		if (next_call[number] < calls_each())
			start_worker(number);
		return;
	}
	worker->polls = next_call[number] == worker->last ? worker->polls + 1 : 0;
	worker->last = next_call[number];
	if (worker->polls == INTERRUPT)
		kill(worker->pid, SIGUSR1);
	if (worker->polls >= KILL)
		kill(worker->pid, SIGKILL);
}

static bool memory_is_low(void)
{
	struct vmstat stat;

	if (!on_coppice)
		return false;
	vmstat_read(&stat);
	return stat.free_frames < stat.total_frames / 2;
}

static bool all_done(void)
{
	return !workers_alive() && calls_done() >= calls_each() * (long)WORKERS;
}

static void check_system(long *audited)
{
	if (memory_is_low()) {
		kill_all();
		remove_files();
	}
	if (calls_done() < *audited + AUDIT_EVERY)
		return;
	*audited = calls_done();
	if (!CHECK(audit() == 0, "the audit found differences before call %ld", *audited))
		tell_positions();
}

static void supervise(void)
{
	const struct timespec moment = {.tv_nsec = POLL_NS};
	long audited = 0;

	for (unsigned polls = 1; !all_done() && !check_failures(); polls++) {
		for (unsigned i = 0; i < WORKERS; i++)
			poll_worker(i);
		nanosleep(&moment, NULL);
		reap_workers();
		check_system(&audited);
		if (polls % SWEEP_EVERY == 0)
			kill_strays();
	}
}

static void map_counters(void)
{
	next_call = mmap((void *)slot_base(90), PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	REQUIRE(next_call == (void *)slot_base(90), "mmap");
}

/* The terminal's settings and foreground group, which the workers may change; as may be, they take the terminal from this
 * session. */
struct terminal {
	char settings[64];
	int group;
	bool has_group;
};

static struct terminal terminal_now(void)
{
	struct terminal terminal;
	int console = open("/dev/console", O_RDWR | O_NOCTTY);

	REQUIRE(CALL(SYS_ioctl, console, TCGETS, terminal.settings) == 0, "TCGETS");
	terminal.has_group = CALL(SYS_ioctl, console, TIOCGPGRP, &terminal.group) == 0;
	close(console);
	return terminal;
}

static void terminal_restore(struct terminal *terminal)
{
	int console = open("/dev/console", O_RDWR | O_NOCTTY);

	if (terminal->has_group)
		CALL(SYS_ioctl, console, TIOCSPGRP, &terminal->group);
	CHECK(CALL(SYS_ioctl, console, TCSETS, terminal->settings) == 0, "TCSETS");
	close(console);
}

static void random_calls(void)
{
	struct terminal terminal = terminal_now();

	ktap_note("%ld calls, again with: sysfuzz %lu %ld", calls_wanted, (unsigned long)seed,
		  calls_wanted);
	seed += (uint64_t)fork_level;
	map_counters();
	signal(SIGTTOU, SIG_IGN); /* this process is in the terminal's background */
	supervise();
	kill_all();
	remove_files();
	terminal_restore(&terminal);
}

/* The calls of one process, without a supervisor. */
static int one_worker(char **argv)
{
	map_counters();
	mkdir(directory, 0777);
	if (chdir(directory) < 0)
		return 2;
	calls_start(getpid() + 1);
	call_from((unsigned)atoi(argv[0]), atol(argv[1]), atol(argv[2]));
	return 0;
}

static const struct test tests[] = {
	{.name = "random system calls", .run = random_calls, .coppice_only = true},
};

int main(int argc, char **argv)
{
	seed = argc > 1 ? strtoul(argv[1], NULL, 0) : seed;
	if (argc > 5 && strcmp(argv[2], "worker") == 0)
		return one_worker(argv + 3);
	calls_wanted = argc > 2 ? strtol(argv[2], NULL, 0) : calls_wanted;
	return run_tests(tests, COUNT(tests), argc > 2 ? argc - 2 : 1, argv + 2);
}
