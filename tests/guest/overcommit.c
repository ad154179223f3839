/*
 * What processes may promise themselves: /proc/sys/vm/overcommit_memory 0, 1 and 2, overcommit_ratio, overcommit_kbytes, and what
 * meminfo says of them. Everything here holds on Linux too, for root, on a machine where nobody else maps
 * memory meanwhile: what it changes it sets back.
 *
 * Catches: a kind of region, or a way to get one, that is not counted, or counted twice; a count that a history of
 * forks, splits and ends leaves wrong; a limit that does not bind; a refusal that has changed something.
 */
#include "lib.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEGABYTE   (1ul << 20)
#define VM         "/proc/sys/vm/"
#define RW         (PROT_READ | PROT_WRITE)
#define ANONYMOUS  (MAP_PRIVATE | MAP_ANONYMOUS)
#define ROOM_MB    64ul /* what mode 2 leaves, in most cases */
#define NOISE_KB   600l /* others may come and go by this much */
#define REMAP_MOVE 1

enum { SYS_MMAP = 9, SYS_MPROTECT = 10, SYS_BRK = 12, SYS_MREMAP = 25, SYS_FORK = 57 };

/* ---- /proc ---- */

static long put(const char *name, long number)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), VM "%s", name);
	snprintf(text, sizeof(text), "%ld\n", number);
	int fd = open(path, O_WRONLY);
	REQUIRE(fd >= 0, "open %s", path);
	long result = CALL(1, fd, text, strlen(text));
	close(fd);
	return result;
}

static long get(const char *name)
{
	char path[64], text[32] = "";

	snprintf(path, sizeof(path), VM "%s", name);
	int fd = open(path, O_RDONLY);
	REQUIRE(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0, "read %s", path);
	close(fd);
	return strtol(text, NULL, 10);
}

/* A line of meminfo, in kB. */
static long meminfo(const char *name)
{
	static char text[8192];
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t got = read(fd, text, sizeof(text) - 1);

	close(fd);
	REQUIRE(got > 0, "read: %zd", got);
	text[got] = '\0';
	const char *line = strstr(text, name);
	REQUIRE(line, "no %s", name);
	return strtol(strchr(line, ':') + 1, NULL, 10);
}

static long committed(void)
{
	return meminfo("Committed_AS");
}

/* Every process promises as much as this one's first forks do: the count is near `before` + megabytes. */
static void check_committed(long before, long megabytes, const char *what)
{
	long more = committed() - before - megabytes * 1024;

	CHECK(more > -NOISE_KB && more < NOISE_KB, "%s: %ld kB from what is expected", what, more);
}

static struct {
	long mode, ratio, kbytes;
} found;

static void remember(void)
{
	found.mode = get("overcommit_memory");
	found.ratio = get("overcommit_ratio");
	found.kbytes = get("overcommit_kbytes");
}

static void set_back(void)
{
	put("overcommit_memory", found.mode);
	put(found.kbytes ? "overcommit_kbytes" : "overcommit_ratio",
	    found.kbytes ? found.kbytes : found.ratio);
}

/* Mode 2, with so much left. */
static void leave_room(unsigned long megabytes)
{
	long swap = meminfo("SwapTotal");

	put("overcommit_memory", 1);
	CHECK(put("overcommit_kbytes", committed() + (long)megabytes * 1024 - swap) > 0, "kbytes");
	CHECK(put("overcommit_memory", 2) > 0, "mode 2");
}

static long map(unsigned slot, unsigned long megabytes, int prot, int flags)
{
	return CALL(SYS_MMAP, slot_base(slot), megabytes * MEGABYTE, prot, flags | MAP_FIXED, -1,
		    0);
}

/* ---- Cases: each in a process of its own, after which the policy is set back ---- */

static void what_counts(void)
{
	long before = committed();
	char *at = (char *)slot_base(0);

	map(0, 10, RW, ANONYMOUS);
	check_committed(before, 10, "private");
	map(1, 10, PROT_READ, ANONYMOUS);
	check_committed(before, 10, "read-only");
	map(2, 10, RW, ANONYMOUS | MAP_NORESERVE);
	check_committed(before, 10, "MAP_NORESERVE");
	map(3, 10, RW, MAP_SHARED | MAP_ANONYMOUS);
	check_committed(before, 20, "shared");
	CALL(SYS_MPROTECT, slot_base(1), 4 * MEGABYTE, RW);
	check_committed(before, 24, "mprotect");
	CALL(SYS_MPROTECT, slot_base(1), 4 * MEGABYTE, PROT_READ);
	check_committed(before, 24, "mprotect back");
	munmap(at + 3 * MEGABYTE, 2 * MEGABYTE);
	check_committed(before, 22, "munmap");
	munmap((void *)slot_base(3), 9 * MEGABYTE);
	check_committed(before, 22, "a part of shared memory");
	munmap((void *)slot_base(3), 10 * MEGABYTE);
	check_committed(before, 12, "all of shared memory");
	CALL(SYS_MREMAP, at + 5 * MEGABYTE, 5 * MEGABYTE, 9 * MEGABYTE, REMAP_MOVE, 0);
	check_committed(before, 16, "mremap");
	stamp(at, 1);
	madvise(at, PAGE, MADV_DONTNEED);
	check_committed(before, 16, "madvise");
}

static void be_counted(struct peer *parent, void *context)
{
	(void)context;
	munmap((void *)slot_base(0), 6 * MEGABYTE);
	turn(parent);
}

static void forks_count(void)
{
	map(0, 40, RW, ANONYMOUS);
	long before = committed();
	struct peer child = peer_start(be_counted, NULL);

	check_committed(before, 40, "fork");
	turn(&child);
	check_committed(before, 34, "a child's munmap");
	peer_finish(&child);
	check_committed(before, 0, "a child's exit");
}

static void by_guess(void)
{
	unsigned long all = (unsigned long)(meminfo("MemTotal") + meminfo("SwapTotal")) / 1024 + 1;

	CHECK(put("overcommit_memory", 0) > 0, "mode 0");
	CHECK_EQUAL(map(0, all, RW, ANONYMOUS), -L_ENOMEM, "more than there is");
	CHECK_EQUAL(map(0, all, RW, MAP_SHARED | MAP_ANONYMOUS), -L_ENOMEM, "the same, shared");
	CHECK_EQUAL(map(0, all, RW, ANONYMOUS | MAP_NORESERVE), slot_base(0), "MAP_NORESERVE");
	CHECK_EQUAL(map(1, all, PROT_READ, ANONYMOUS), slot_base(1), "read-only");
	CHECK_EQUAL(CALL(SYS_MPROTECT, slot_base(1), all * MEGABYTE, RW), -L_ENOMEM, "mprotect");
	for (unsigned slot = 2; slot < 6; slot++)
		CHECK_EQUAL(map(slot, all / 2, RW, ANONYMOUS), slot_base(slot), "half, again");
	CHECK(put("overcommit_memory", 1) > 0, "mode 1");
	CHECK_EQUAL(map(0, 4 * all, RW, ANONYMOUS), slot_base(0), "mode 1");
}

static void never_more(void)
{
	long before;

	map(4, 2 * ROOM_MB, PROT_READ, ANONYMOUS);
	leave_room(ROOM_MB);
	before = committed();
	CHECK_EQUAL(map(0, ROOM_MB + 8, RW, ANONYMOUS), -L_ENOMEM, "mmap");
	CHECK_EQUAL(map(0, ROOM_MB + 8, RW, ANONYMOUS | MAP_NORESERVE), -L_ENOMEM, "NORESERVE");
	CHECK_EQUAL(map(0, ROOM_MB + 8, RW, MAP_SHARED | MAP_ANONYMOUS), -L_ENOMEM, "shared");
	CHECK_EQUAL(CALL(SYS_MPROTECT, slot_base(4), (ROOM_MB + 8) * MEGABYTE, RW), -L_ENOMEM,
		    "mprotect");
	long brk = CALL(SYS_BRK, 0);
	CHECK_EQUAL(CALL(SYS_BRK, brk + (long)((ROOM_MB + 8) * MEGABYTE)), brk, "brk");
	check_committed(before, 0, "what was refused");
	CHECK_EQUAL(map(0, ROOM_MB - 16, RW, ANONYMOUS), slot_base(0), "mmap of less");
	CHECK_EQUAL(CALL(SYS_MREMAP, slot_base(0), (ROOM_MB - 16) * MEGABYTE,
			 (ROOM_MB + 8) * MEGABYTE, REMAP_MOVE, 0),
		    -L_ENOMEM, "mremap");
	CHECK_EQUAL(map(1, 24, RW, ANONYMOUS), -L_ENOMEM, "mmap of the rest and more");
	CHECK_EQUAL(CALL(SYS_FORK), -L_ENOMEM, "fork");
	check_committed(before, ROOM_MB - 16, "what was refused");
	munmap((void *)slot_base(0), ROOM_MB * MEGABYTE);
	CHECK_EQUAL(CALL(SYS_MPROTECT, slot_base(4), (ROOM_MB - 16) * MEGABYTE, RW), 0,
		    "mprotect of less");
}

/* A stack cannot answer ENOMEM. */
static void grow_stack(void *context)
{
	char *top = (char *)slot_base(6) + 64 * MEGABYTE;

	(void)context;
	REQUIRE(mmap(top - PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0) ==
			top - PAGE,
		"mmap");
	leave_room(3);
	*(volatile char *)(top - MEGABYTE) = 1;
	*(volatile char *)(top - 7 * MEGABYTE) = 1;
}

static void stacks(void)
{
	CHECK_EQUAL(status_of(grow_stack, NULL) & 0x7f, SIGSEGV, "a stack beyond the limit");
}

static void limits(void)
{
	long total = meminfo("MemTotal"), swap = meminfo("SwapTotal");

	CHECK(put("overcommit_ratio", 40) > 0, "ratio");
	CHECK_EQUAL(get("overcommit_kbytes"), 0, "kbytes after ratio");
	long limit = meminfo("CommitLimit") - swap;
	CHECK(limit > total * 4 / 10 - 8 && limit <= total * 4 / 10, "%ld of %ld kB", limit, total);
	CHECK(put("overcommit_kbytes", 80000) > 0, "kbytes");
	CHECK_EQUAL(get("overcommit_ratio"), 0, "ratio after kbytes");
	CHECK_EQUAL(meminfo("CommitLimit"), 80000 + swap, "CommitLimit");
	CHECK_EQUAL(put("overcommit_memory", 3), -L_EINVAL, "mode 3");
	CHECK_EQUAL(put("overcommit_memory", -1), -L_EINVAL, "mode -1");
}

static void nothing(void *context)
{
	(void)context;
}

/* Many changes, of several processes: the kernel's own audit tells whether the count is right. */
static void wander(void *context)
{
	uint64_t state = *(uint64_t *)context;

	for (int i = 0; i < 300; i++) {
		char *at = (char *)slot_base(7) + random_next(&state) % 32 * MEGABYTE;
		size_t bytes = (1 + random_next(&state) % 8) * MEGABYTE / 2;

		switch (random_next(&state) % 5) {
		case 0:
			munmap(at, bytes);
			break;
		case 1:
			mprotect(at, bytes, PROT_READ);
			break;
		case 2:
			mprotect(at, bytes, RW);
			break;
		case 3:
			if (i % 16 == 0)
				reap(start(nothing, NULL));
			break;
		default:
			CALL(SYS_MMAP, at, bytes, random_next(&state) % 2 ? RW : PROT_READ,
			     ANONYMOUS | MAP_FIXED, -1, 0);
		}
	}
}

static void any_history(void)
{
	long before = committed();

	leave_room(100);
	for (uint64_t seed = 1; seed <= 4; seed++)
		start(wander, &seed);
	while (wait(NULL) > 0)
		;
	check_audit("many changes");
	check_committed(before, 0, "after many changes");
}

static void (*inner)(void);

static void call_inner(void *context)
{
	(void)context;
	inner();
}

/* However it ends, the policy is as it was. */
static void keep_policy(void)
{
	inner = *(void (*const *)(void))test_context;
	remember();
	int status = status_of(call_inner, NULL);
	set_back();
	CHECK_EQUAL(status, 0, "wait status");
}

#define CASE(function)           \
	(void (*const[1])(void)) \
	{                        \
		function         \
	}
static const struct test tests[] = {
	{.name = "what counts", .run = keep_policy, .context = CASE(what_counts)},
	{.name = "fork", .run = keep_policy, .context = CASE(forks_count)},
	{.name = "modes 0 and 1", .run = keep_policy, .context = CASE(by_guess), .once = true},
	{.name = "mode 2", .run = keep_policy, .context = CASE(never_more)},
	{.name = "mode 2, stacks", .run = keep_policy, .context = CASE(stacks)},
	{.name = "limits", .run = keep_policy, .context = CASE(limits), .once = true},
	{.name = "any history", .run = keep_policy, .context = CASE(any_history)},
};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
