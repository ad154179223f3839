/*
 * The fork level's selection: prctl for a process, /proc/sys/vm/fork_level for the system, the COW
 * PTE patches' own prctl; inherited by fork, kept by exec, and wrong values refused.
 *
 * Catches: a level that is lost in fork or exec, that leaks from a child into its parent, or that
 * one of the three ways to set it forgets; a fork that does not use the level in force.
 */
#include "lib.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYS_PRCTL = 157, SET = 0x436f7001, GET = 0x436f7002, PTE_SHARE = 65 };
#define SYSTEM (-1) /* the value of SET that goes back to the system's level */
static const char *const file = "/proc/sys/vm/fork_level";

static int level_now(void)
{
	return (int)CALL(SYS_PRCTL, GET);
}

static long write_system(const char *text)
{
	int fd = open(file, O_WRONLY);
	long written = fd < 0 ? -1 : CALL(1, fd, text, strlen(text));

	REQUIRE(fd >= 0, "open %s", file);
	close(fd);
	return written;
}

static void check_system(const char *want)
{
	char text[32] = {0};
	int fd = open(file, O_RDONLY);
	ssize_t length = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[strcspn(text, "\n")] = 0;
	CHECK(length > 0 && strcmp(text, want) == 0, "%s: '%s', expected '%s'", file, text, want);
}

static void by_process(void)
{
	for (int level = 0; level <= LEVEL_AUTO; level++) {
		CHECK_EQUAL(CALL(SYS_PRCTL, SET, level), 0, "prctl set");
		CHECK_EQUAL(level_now(), level, "level");
	}
	CHECK_EQUAL(CALL(SYS_PRCTL, SET, 2), 0, "prctl set");
	CHECK_EQUAL(CALL(SYS_PRCTL, SET, 5), -L_EINVAL, "prctl set 5");
	CHECK_EQUAL(CALL(SYS_PRCTL, SET, -2), -L_EINVAL, "prctl set -2");
	CHECK_EQUAL(CALL(SYS_PRCTL, SET, 1ul << 32), -L_EINVAL, "prctl set 2^32");
	CHECK_EQUAL(level_now(), 2, "level after refusals");
}

static void child_sets(void *context)
{
	CHECK_EQUAL(level_now(), *(int *)context, "inherited level");
	set_fork_level(3);
	CHECK_EQUAL(level_now(), 3, "level");
}

static void inherited(void)
{
	for (int level = 0; level <= LEVEL_AUTO; level++) {
		set_fork_level(level);
		reap(start(child_sets, &level));
		CHECK_EQUAL(level_now(), level, "level after the child set its own");
	}
}

static void run_reporter(void *context)
{
	char want[8];
	char *args[] = {"level", "--report", want, NULL};
	char *environment[] = {NULL};

	set_fork_level(*(int *)context);
	snprintf(want, sizeof(want), "%d", *(int *)context);
	execve("/proc/self/exe", args, environment);
	check_(false, __FILE__, __LINE__, "execve came back");
}

static void kept_by_exec(void)
{
	for (int level = 0; level <= LEVEL_AUTO; level++)
		reap(start(run_reporter, &level));
}

static void check_here(void *context)
{
	CHECK_EQUAL(level_now(), *(int *)context, "level in force");
}

static void by_system(void)
{
	static const char *const texts[] = {"0", "1", "2", "3", "auto"};
	char old[32] = {0};
	int fd = open(file, O_RDONLY);

	REQUIRE(read(fd, old, sizeof(old) - 1) > 0, "read %s", file);
	close(fd);
	set_fork_level(SYSTEM);
	for (int level = 0; level <= LEVEL_AUTO; level++) {
		char line[8];

		snprintf(line, sizeof(line), "%s\n", texts[level]);
		CHECK_EQUAL(write_system(level & 1 ? line : texts[level]),
			    level & 1 ? strlen(line) : strlen(texts[level]), "write of a level");
		check_system(texts[level]);
		CHECK_EQUAL(level_now(), level, "level in force");
		reap(start(check_here, &level));
	}
	static const char *const wrong[] = {"4", "-1", "x", "00x", "autom", "1 2"};
	for (size_t i = 0; i < COUNT(wrong); i++)
		CHECK(write_system(wrong[i]) == -L_EINVAL, "'%s' was taken", wrong[i]);
	check_system("auto");
	write_system("1");
	set_fork_level(3);
	CHECK_EQUAL(level_now(), 3, "the process's own level goes first");
	set_fork_level(SYSTEM);
	CHECK_EQUAL(level_now(), 1, "back to the system's");
	write_system(old);
	check_system(strtok(old, "\n"));
}

static void pte_share(void)
{
	set_fork_level(3);
	CHECK_EQUAL(CALL(SYS_PRCTL, PTE_SHARE, 0, 0, 0, 0), 0, "prctl 65");
	CHECK_EQUAL(level_now(), 1, "level");
	CHECK_EQUAL(CALL(SYS_PRCTL, 0x436f70ff, 0), -L_EINVAL, "an unknown prctl");
}

static void hold(struct peer *parent, void *context)
{
	(void)context;
	turn(parent);
}

/* The level in force is the one that fork uses: the highest table that parent and child have in
 * common. */
static void used_by_fork(void)
{
	char *page = map_at(slot_base(0), PAGE);

	stamp(page, 1);
	for (int level = 0; level <= 3; level++) {
		set_fork_level(level);
		struct peer child = peer_start(hold, NULL);
		unsigned common = 0;

		for (unsigned l = 1; l <= 4; l++) {
			struct node mine = {0}, its = {0};

			node_find(0, (uintptr_t)page, l, &mine);
			node_find(child.pid, (uintptr_t)page, l, &its);
			if (mine.at == its.at)
				common = l;
		}
		CHECK_EQUAL(common, level, "highest common table");
		peer_finish(&child);
	}
}

static const struct test tests[] = {
	{.name = "set by the process", .run = by_process, .coppice_only = true, .once = true},
	{.name = "inherited by fork, and the child's own",
	 .run = inherited,
	 .coppice_only = true,
	 .once = true},
	{.name = "kept by exec", .run = kept_by_exec, .coppice_only = true, .once = true},
	{.name = "set for the system", .run = by_system, .coppice_only = true, .once = true},
	{.name = "prctl 65 of the COW PTE patches",
	 .run = pte_share,
	 .coppice_only = true,
	 .once = true},
	{.name = "used by fork", .run = used_by_fork, .coppice_only = true, .once = true},
};

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--report") == 0)
		return level_now() != atoi(argv[2]);
	return run_tests(tests, COUNT(tests), argc, argv);
}
