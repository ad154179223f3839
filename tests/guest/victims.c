/*
 * Who dies when memory is out: the process whose death frees most, oom_score_adj counted in, and nobody else. Meant for a
 * machine of 128 MB, on any number of CPUs.
 *
 * Catches: a choice by what is resident, or by who asks; a second victim while the first, or anybody, is dying anyway; a sharer
 * of memory that outlives it; init or who asked to be spared among the dead; memory of the dead that is not free at
 * once or stays; an asker who loses its access, or is not asked again.
 */
#include "lib.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEGABYTE (1ul << 20)
#define ALL      (512 * MEGABYTE) /* more than there is */

enum { SYS_EXECVE = 59 };

/* ---- /proc ---- */

/* Bytes written to the file, or -errno. */
static long put(const char *path, const char *text)
{
	long fd = CALL(2, path, O_WRONLY), result;

	if (fd < 0)
		return fd;
	result = CALL(1, fd, text, strlen(text));
	CALL(3, fd);
	return result;
}

static long get_number(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);
	ssize_t got = read(fd, text, sizeof(text) - 1);

	CHECK(got > 0, "read %s: %zd", path, got);
	close(fd);
	return strtol(text, NULL, 10);
}

static long put_number(const char *path, long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld\n", number);
	return put(path, text);
}

#define OWN_ADJ "/proc/self/oom_score_adj"

static void set_adj(long adj)
{
	long result = put_number(OWN_ADJ, adj);

	REQUIRE(result > 0, "oom_score_adj %ld: %ld", adj, result);
}

/* ---- Taking memory ---- */

static char *room(unsigned slot)
{
	char *area = mmap((void *)slot_base(slot), ALL, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);

	REQUIRE(area != MAP_FAILED, "mmap");
	return area;
}

/* A process that holds so much, alone, until it is told to end. */
struct holder {
	size_t megabytes;
	long adj;
};

static void hold(struct peer *parent, void *context)
{
	const struct holder *holder = context;
	size_t pages = holder->megabytes * MEGABYTE / PAGE;
	char *area = room(1);

	set_adj(holder->adj);
	stamp_all(area, pages, PAGE, 7);
	turn(parent);
	check_stamps(area, pages, PAGE, 7, "what was held");
}

static struct peer hold_start(size_t megabytes, long adj)
{
	struct holder holder = {megabytes, adj};
	struct peer peer = peer_start(hold, &holder);

	REQUIRE(turn(&peer), "a holder of %zu MB has ended", megabytes);
	return peer;
}

/* Writes page after page until a child has died: its pid, with its wait status in *status. Each write must have happened. */
static pid_t eat_until_death(char *area, int *status)
{
	pid_t dead = 0;
	size_t at = 0;

	for (; !dead && at < ALL; at += PAGE) {
		stamp(area + at, 3);
		dead = waitpid(-1, status, WNOHANG);
	}
	check_stamps(area, at / PAGE, PAGE, 3, "what was eaten");
	return dead;
}

static bool is_alive(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

/* ---- Cases ---- */

static void eat_all(void *context)
{
	char *area = room(*(unsigned *)context);

	for (size_t at = 0; at < ALL; at += PAGE)
		area[at] = 1;
}

/* What twenty processes share is more than the hog ever gets; it is the hog that dies. */
#define SHARERS      20
#define SHARED_PAGES (64 * MEGABYTE / PAGE)

static char *shared;

static void share(struct peer *parent, void *context)
{
	(void)context;
	stamp(shared, 5); /* a path of its own */
	turn(parent);
	check_stamps(shared + PAGE, SHARED_PAGES - 1, PAGE, 1, "what is shared");
}

static void hog_among_sharers(void)
{
	struct peer sharers[SHARERS];
	unsigned slot = 4;

	shared = room(2);
	stamp_all(shared, SHARED_PAGES, PAGE, 1);
	for (int i = 0; i < SHARERS; i++) {
		sharers[i] = peer_start(share, NULL);
		turn(&sharers[i]);
	}
	for (int round = 0; round < 3; round++) {
		int status = status_of(eat_all, &slot);

		CHECK((status & 0x7f) == SIGKILL, "the hog: wait status 0x%x", status);
	}
	for (int i = 0; i < SHARERS; i++) {
		CHECK(is_alive(sharers[i].pid), "sharer %d is dead", i);
		peer_finish(&sharers[i]);
	}
	check_stamps(shared, SHARED_PAGES, PAGE, 1, "what was shared");
}

/* The larger one first; then what the other has, until nobody but the asker is left, who cannot die. */
static void most_first(void)
{
	struct peer small = hold_start(15, 0), large = hold_start(30, 0);
	int status = 0;

	set_adj(-1000);
	char *area = room(3);

	CHECK_EQUAL(eat_until_death(area, &status), large.pid, "the first to die");
	CHECK_EQUAL(status & 0x7f, SIGKILL, "its signal");
	CHECK(is_alive(small.pid), "the smaller one is dead too");
	munmap(area, ALL);
	peer_finish(&small);
}

/* Half of memory more is more than 30 MB; half of it less is less than nothing. */
static void adj_steers(void)
{
	struct peer small = hold_start(10, 500), large = hold_start(30, 0);
	struct peer spared = hold_start(35, -1000), lucky = hold_start(12, -500);
	int status;

	set_adj(-1000);
	char *area = room(3);

	CHECK_EQUAL(eat_until_death(area, &status), small.pid, "the first to die");
	CHECK_EQUAL(eat_until_death(area, &status), large.pid, "the second to die");
	CHECK(is_alive(spared.pid) && is_alive(lucky.pid), "others are dead too");
	munmap(area, ALL);
	peer_finish(&spared);
	peer_finish(&lucky);
}

static void adj_file(void)
{
	static const char *const wrong[] = {"1001", "-1001", "",
					    "x",    "5 5",   "99999999999999999999"};
	static const char *const right[] = {"1000\n", "-1000", " 7 ", "+3", "0\n"};
	char *argv[] = {"victims", "--adj-is-42", NULL}, *environment[] = {NULL};

	CHECK_EQUAL(get_number(OWN_ADJ), 0, "at first");
	for (size_t i = 0; i < COUNT(wrong); i++)
		CHECK_EQUAL(put(OWN_ADJ, wrong[i]), -L_EINVAL, wrong[i]);
	CHECK_EQUAL(get_number(OWN_ADJ), 0, "after what is refused");
	for (size_t i = 0; i < COUNT(right); i++) {
		CHECK_EQUAL(put(OWN_ADJ, right[i]), strlen(right[i]), right[i]);
		CHECK_EQUAL(get_number(OWN_ADJ), strtol(right[i], NULL, 10), right[i]);
	}
	put(OWN_ADJ, "42");
	pid_t pid = fork();
	if (pid == 0) {
		CALL(SYS_EXECVE, "/proc/self/exe", argv, environment);
		_exit(1);
	}
	int status;
	CHECK_EQUAL(waitpid(pid, &status, 0), pid, "waitpid");
	CHECK_EQUAL(status, 42 << 8, "what fork and exec keep");
}

static void score_file(void)
{
	long before = get_number("/proc/self/oom_score");
	char *area = room(3);

	CHECK(before >= 660 && before <= 680, "score %ld of a small process", before);
	stamp_all(area, 40 * MEGABYTE / PAGE, PAGE, 1);
	long after = get_number("/proc/self/oom_score");
	CHECK(after - before > 180 && after - before < 260, "score %ld, %ld before", after, before);
	set_adj(-1000);
	CHECK_EQUAL(get_number("/proc/self/oom_score"), 0, "score of who cannot die");
	CHECK_EQUAL(get_number("/proc/1/oom_score"), 0, "score of init");
}

/* Who is dying already is enough, however long it does not run. */
static void dying_already(void)
{
	struct peer victim = hold_start(40, 0), bystander = hold_start(45, 0);
	char *area = room(3);
	struct vmstat stat;

	set_adj(-1000);
	vmstat_read(&stat);
	vmstat_read(&stat);
	for (size_t n = stat.free_frames; n > 100; n--, area += PAGE)
		stamp(area, 3);
	kill(victim.pid, SIGKILL);
	for (size_t n = 0; n < 20 * MEGABYTE / PAGE; n++, area += PAGE)
		stamp(area, 3);
	peer_dies(&victim, SIGKILL);
	CHECK(is_alive(bystander.pid), "another one was killed");
	munmap((void *)slot_base(3), ALL);
	peer_finish(&bystander);
}

/* A child of vfork lives in its parent's memory, and on its stack, and so sleeps without a return from here. */
static void hold_with_vfork(struct peer *parent, void *context)
{
	char *area = room(1);
	long result;

	(void)context;
	stamp_all(area, 40 * MEGABYTE / PAGE, PAGE, 7);
	turn(parent);
	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 2f\n"
		     "1: mov $34, %%eax\n\t" /* pause */
		     "syscall\n\t"
		     "jmp 1b\n"
		     "2:"
		     : "=a"(result)
		     : "a"(58l)
		     : "rcx", "r11", "memory");
}

/* Both die. */
static void users_of_one_memory(void)
{
	struct peer both = peer_start(hold_with_vfork, NULL);
	struct peer bystander = hold_start(20, 0);
	int status;
	char byte;

	set_adj(-1000);
	REQUIRE(turn(&both), "it has ended");
	REQUIRE(write(both.out, "", 1) == 1, "write"); /* on into vfork */
	char *area = room(3);
	CHECK_EQUAL(eat_until_death(area, &status), both.pid, "the first to die");
	close(both.kept);
	close(both.out);
	CHECK_EQUAL(read(both.in, &byte, 1), 0, "a pipe that the child would hold");
	close(both.in);
	CHECK(is_alive(bystander.pid), "another one was killed");
	munmap(area, ALL);
	peer_finish(&bystander);
}

/* The kernel's own accesses ask too, and go on when there is memory again. */
static void kernel_asks(void)
{
	struct peer victim = hold_start(60, 0);
	char *area = room(3);
	int fd = open("/dev/zero", O_RDONLY), status;
	pid_t dead = 0;

	set_adj(-1000);
	for (size_t at = 0; !dead && at < ALL; at += 64 * PAGE) {
		CHECK_EQUAL(CALL(0, fd, area + at, 64 * PAGE), 64 * PAGE, "read");
		dead = waitpid(-1, &status, WNOHANG);
	}
	CHECK_EQUAL(dead, victim.pid, "who died");
	close(fd);
}

#define KILL_ASKER "/proc/sys/vm/oom_kill_allocating_task"

static void asker_dies(void)
{
	struct peer large = hold_start(80, 0);
	unsigned slot = 4;

	CHECK_EQUAL(put(KILL_ASKER, "1\n"), 2, "write");
	int status = status_of(eat_all, &slot);
	CHECK_EQUAL(put(KILL_ASKER, "0\n"), 2, "write");
	CHECK_EQUAL(status & 0x7f, SIGKILL, "the asker's signal");
	CHECK(is_alive(large.pid), "the one that holds most is dead");
	peer_finish(&large);
}

/* ---- A fork bomb ---- */

static void sleep_ms(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* Each process forks as fast as it can, and writes to pages of its own, so that some hundreds fill the memory; when it is refused it lets the others run before it tries again: the
 * supervisor, too, has to wait for its turn. */
static void explode(void)
{
	char *area = room(5);

	for (;;) {
		stamp_all(area, 80, PAGE, 1);
		if (fork() < 0)
			sleep_ms(50);
	}
}

static void fork_bomb(void)
{
	struct vmstat before, after;

	set_adj(-1000);
	vmstat_read(&before);
	pid_t bomb = fork();
	if (bomb == 0) {
		set_adj(0);
		setpgid(0, 0);
		explode();
	}
	sleep_ms(1000);
	int tries = 0; /* until then, nothing that needs memory: the kernel would refuse it */
	while (kill(-bomb, SIGKILL) == 0 && tries++ < 1000) {
		waitpid(bomb, NULL, WNOHANG);
		sleep_ms(10);
	}
	CHECK(tries < 1000, "the bomb goes on");
	vmstat_read(&after);
	ktap_note("%lu forks", (unsigned long)(after.forks - before.forks));
	CHECK(after.forks - before.forks > 100, "%lu forks",
	      (unsigned long)(after.forks - before.forks));
	CHECK(kill(1, 0) == 0, "init is gone");
	check_audit("a fork bomb");
}

/* Whoever runs now. */
static void spare_all(void)
{
	char path[64];

	for (int pid = 1; pid < 100; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
		put_number(path, -1000);
	}
}

static const struct test tests[] = {
	{.name = "a hog among sharers", .run = hog_among_sharers, .coppice_only = true},
	{.name = "who holds most", .run = most_first, .coppice_only = true},
	{.name = "oom_score_adj steers", .run = adj_steers, .coppice_only = true, .once = true},
	{.name = "oom_score_adj", .run = adj_file, .coppice_only = true, .once = true},
	{.name = "oom_score", .run = score_file, .coppice_only = true, .once = true},
	{.name = "who is dying already", .run = dying_already, .coppice_only = true},
	{.name = "all who run in one memory", .run = users_of_one_memory, .coppice_only = true},
	{.name = "the kernel's own accesses", .run = kernel_asks, .coppice_only = true},
	{.name = "oom_kill_allocating_task", .run = asker_dies, .coppice_only = true, .once = true},
	{.name = "a fork bomb", .run = fork_bomb, .coppice_only = true},
};

int main(int argc, char **argv)
{
	unsigned slot = 4;

	if (argc == 2 && strcmp(argv[1], "--adj-is-42") == 0)
		return get_number(OWN_ADJ) == 42 ? 42 : 1;
	bool spare = argc == 2 && strcmp(argv[1], "--spare-all") == 0;
	if (spare)
		spare_all();
	if (spare || (argc == 2 && strcmp(argv[1], "--eat-all") == 0)) {
		eat_all(&slot);
		return 1;
	}
	return run_tests(tests, COUNT(tests), argc, argv);
}
