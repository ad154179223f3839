/*
 * Memory and kernel objects exhausted: in faults, in fork at each level, in exec, in files, by
 * tables, descriptors, processes and regions. Somebody gets an error or is killed, nobody else is
 * harmed, and all comes back. Meant for a machine of 128 MB.
 *
 * Catches: a failed fork that leaves refs, tables or write protection behind; a fault that loops or
 * panics without memory; a killed process whose tables or shared objects stay; an error path that
 * forgets a file or a reservation.
 */
#include "lib.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SYS_OPEN = 2,
	SYS_CLOSE = 3,
	SYS_MMAP = 9,
	SYS_MPROTECT = 10,
	SYS_MUNMAP = 11,
	SYS_PIPE = 22,
	SYS_FORK = 57,
	SYS_EXECVE = 59
};
#define TERABYTES (100ul << 40)

/* ---- The greedy, who is killed ---- */

static char *keep; /* the parent's own */
#define KEEP_PAGES 2000

static void keep_make(void)
{
	keep = map_at(slot_base(0) + GIGABYTE - 1000 * PAGE, KEEP_PAGES * PAGE);
	stamp_all(keep, KEEP_PAGES, PAGE, 1);
}

static void keep_check(const char *when)
{
	check_stamps(keep, KEEP_PAGES, PAGE, 1, when);
	stamp_all(keep, KEEP_PAGES, PAGE, 2);
	check_stamps(keep, KEEP_PAGES, PAGE, 2, when);
	stamp_all(keep, KEEP_PAGES, PAGE, 1);
}

struct greed {
	const char *name;
	size_t bytes, stride;
	int flags;
	bool writes;
};

static void be_greedy(void *context)
{
	const struct greed *greed = context;
	char *area = mmap((void *)slot_base(10), greed->bytes, PROT_READ | PROT_WRITE,
			  greed->flags | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED)
		_exit(2);
	stamp_all(keep, KEEP_PAGES, PAGE, 3);
	for (size_t at = 0; at < greed->bytes; at += greed->stride) {
		if (greed->writes)
			area[at] = 1;
		else
			(void)*(volatile char *)(area + at);
	}
}

static void greedy(void)
{
	static const struct greed kinds[] = {
		{"pages", 1ul << 30, PAGE, MAP_PRIVATE, true},
		{"a page in each 2 MB", 512ul << 30, SPAN, MAP_PRIVATE, true},
		{"a page in each 1 GB", TERABYTES / 4, GIGABYTE, MAP_PRIVATE, true},
		{"tables over the zero page", 512ul << 30, SPAN, MAP_PRIVATE, false},
		{"shared pages", 1ul << 30, PAGE, MAP_SHARED, true},
	};
	struct vmstat before, after;

	keep_make();
	vmstat_read(&before);
	vmstat_read(&before);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		int status = status_of(be_greedy, (void *)&kinds[i]);

		CHECK((status & 0x7f) == SIGKILL, "%s: wait status 0x%x, expected SIGKILL",
		      kinds[i].name, status);
		vmstat_read(&after);
		CHECK(after.free_frames + 64 >= before.free_frames,
		      "%s: %lu free frames, %lu before", kinds[i].name,
		      (unsigned long)after.free_frames, (unsigned long)before.free_frames);
		keep_check(kinds[i].name);
		check_audit(kinds[i].name);
	}
}

/* ---- The hog, who takes nearly all and keeps it ---- */

/*
 * Takes all frames but *context, counts those that its own tables need, and waits. What it shares
 * with its parent it gives up first, so that the parent's writes need no copies.
 */
static void hog_body(struct peer *parent, void *context)
{
	char *area = mmap((void *)slot_base(12), 256ul << 20, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
	uint64_t leave = *(uint64_t *)context, margin = 200;
	struct vmstat stat;

	munmap((void *)slot_base(0), 2 * GIGABYTE);
	munmap((void *)slot_base(20), 95 * TOP_SPAN);

	for (vmstat_read(&stat); stat.free_frames > leave + margin; vmstat_read(&stat))
		for (uint64_t n = (stat.free_frames - leave - margin + 1) / 2; n > 0;
		     n--, area += PAGE)
			stamp(area, 5);
	/* Reading the counters would need memory from here on. */
	for (uint64_t n = stat.free_frames - leave; n > 0; n--, area += PAGE) {
		n -= ((uintptr_t)area & (SPAN - 1)) == 0 && n > 1; /* its table */
		stamp(area, 5);
	}
	turn(parent);
}

/* Where its own last steps need a frame too many it is killed itself: then the next one leaves one more. */
static struct peer hog_start(uint64_t leave)
{
	for (int tries = 0; tries < 5; tries++, leave++) {
		struct peer hog = peer_start(hog_body, &leave);

		if (turn(&hog))
			return hog;
		peer_dies(&hog, SIGKILL);
	}
	REQUIRE(false, "the hog has died five times");
	return (struct peer) {0};
}

static bool is_alive(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

/* ---- fork ---- */

/* Pages so far apart that fork at this level copies a table for each; and what to leave free, less
 * than that. */
static const struct sparse {
	size_t pages, stride;
	uint64_t leave;
} sparse[] = {
	{4000, SPAN, 2000}, {3000, GIGABYTE, 1500}, {90, TOP_SPAN, 40},
	{100, SPAN, 3},     {100, SPAN, 3},
};

static char *sparse_make(const struct sparse *layout)
{
	char *base = (char *)slot_base(20);

	for (size_t i = 0; i < layout->pages; i++)
		stamp(map_at((uintptr_t)base + i * layout->stride, PAGE), 1);
	return base;
}

static void nothing(void *context)
{
	(void)context;
}

static void check_sparse(void *context)
{
	const struct sparse *layout = context;

	check_stamps((char *)slot_base(20), layout->pages, layout->stride, 1,
		     "sparse pages in a child");
}

static void fork_fails(void)
{
	const struct sparse *layout = &sparse[fork_level];
	char *base = sparse_make(layout);

	reap(start(nothing, NULL));
	struct peer hog = hog_start(layout->leave);
	for (int i = 0; i < 3; i++) {
		long pid = CALL(SYS_FORK);

		if (pid == 0)
			_exit(0);
		CHECK_EQUAL(pid, -L_ENOMEM, "fork without memory");
		if (pid > 0)
			waitpid((pid_t)pid, NULL, 0);
	}
	check_stamps(base, layout->pages, layout->stride, 1, "sparse pages after a failed fork");
	stamp_all(base, layout->pages, layout->stride, 2);
	check_stamps(base, layout->pages, layout->stride, 2,
		     "sparse pages written after a failed fork");
	check_audit("fork without memory");
	stamp_all(base, layout->pages, layout->stride, 1);
	CHECK(is_alive(hog.pid), "the hog was killed for a fork");
	peer_finish(&hog);
	reap(start(check_sparse, (void *)layout));
}

/* ---- Somebody must die, or be refused ---- */

/* True when it was the hog; then it is reaped. */
static bool hog_ends(struct peer *hog)
{
	int status = -1;

	turn(hog);
	CHECK_EQUAL(waitpid(hog->pid, &status, 0), hog->pid, "waitpid of the hog");
	close(hog->in);
	close(hog->out);
	close(hog->kept);
	CHECK(status == 0 || (status & 0x7f) == SIGKILL, "hog: wait status 0x%x", status);
	return status != 0;
}

static void write_all(struct peer *parent, void *context)
{
	(void)context;
	turn(parent);
	stamp_all(keep, KEEP_PAGES, PAGE, 3);
	check_stamps(keep, KEEP_PAGES, PAGE, 3, "the child's pages");
}

static void copies_fail(void)
{
	uint64_t leave = 300;
	int status = -1;

	keep_make();
	struct peer child = peer_start(write_all, NULL);
	turn(&child);
	struct peer hog = hog_start(leave);
	turn(&child);
	CHECK_EQUAL(waitpid(child.pid, &status, 0), child.pid, "waitpid");
	bool hog_died = hog_ends(&hog);
	ktap_note("the %s was killed", hog_died ? "hog" : "child");
	CHECK(status == 0 || (status & 0x7f) == SIGKILL, "child: wait status 0x%x", status);
	CHECK(hog_died != (status != 0), "hog %s, child's wait status 0x%x",
	      hog_died ? "killed" : "alive", status);
	keep_check("the parent's pages");
}

/* A write that needs three tables and a page, or a copy of each that fork shares. */
static void write_far(struct peer *parent, void *context)
{
	(void)context;
	turn(parent);
	stamp(keep, 3);
	stamp((char *)slot_base(1), 3);
}

/* With 1 to 6 frames left: what was taken for a write that cannot be completed goes back. */
static void few_frames(void)
{
	keep_make();
	map_at(slot_base(1), PAGE);
	for (uint64_t leave = 1; leave <= 6; leave++) {
		struct peer child = peer_start(write_far, NULL);
		int status = -1;

		turn(&child);
		struct peer hog = hog_start(leave);
		turn(&child);
		CHECK_EQUAL(waitpid(child.pid, &status, 0), child.pid, "waitpid");
		CHECK(status == 0 || (status & 0x7f) == SIGKILL, "child: wait status 0x%x", status);
		hog_ends(&hog);
		check_audit("few frames");
	}
	keep_check("the parent's pages");
}

/*
 * munmap, mprotect and mmap in part of what is shared, each of which may need to copy the tables at its ends: done
 * whole, or refused and nothing changed. What was done is looked at when there is memory again.
 */
#define EDIT_FIRST 900
#define EDIT_PAGES 700 /* across a boundary of 1 GB */

static void edit(struct peer *parent, void *context)
{
	char *from = keep + EDIT_FIRST * PAGE;
	const size_t bytes = EDIT_PAGES * PAGE;
	int kind = *(int *)context;
	long result;

	turn(parent);
	if (kind == 0)
		result = CALL(SYS_MUNMAP, from, bytes);
	else if (kind == 1)
		result = CALL(SYS_MPROTECT, from, bytes, PROT_NONE);
	else
		result = CALL(SYS_MMAP, from, bytes, PROT_NONE, 0x32, -1, 0);
	turn(parent);
	CHECK(result == 0 || result == -L_ENOMEM || result == (long)from, "edit %d: %ld", kind,
	      result);
	check_stamps(keep, EDIT_FIRST, PAGE, 1, "before the part");
	check_stamps(from + bytes, KEEP_PAGES - EDIT_FIRST - EDIT_PAGES, PAGE, 1, "after the part");
	if (result == -L_ENOMEM)
		check_stamps(from, EDIT_PAGES, PAGE, 1, "a part whose edit was refused");
	for (size_t i = 0; i < EDIT_PAGES && result != -L_ENOMEM; i += 11)
		CHECK(!kernel_reads(from + i * PAGE), "edit %d: page %zu can be read", kind, i);
}

static void edits_fail(void)
{
	keep_make();
	for (int kind = 0; kind < 3; kind++) {
		for (uint64_t leave = 1; leave <= 7; leave += 2) {
			struct peer child = peer_start(edit, &kind);
			int status = -1;

			turn(&child);
			struct peer hog = hog_start(leave);
			turn(&child);
			hog_ends(&hog);
			check_audit("an edit without memory");
			turn(&child);
			CHECK_EQUAL(waitpid(child.pid, &status, 0), child.pid, "waitpid");
			CHECK(status == 0 || (status & 0x7f) == SIGKILL, "child: wait status 0x%x",
			      status);
		}
	}
	keep_check("the parent's pages");
}

static void exec_something(struct peer *parent, void *context)
{
	char *argv[] = {"oom", "--exit", NULL};
	char *environment[] = {NULL};

	(void)context;
	turn(parent);
	long error = CALL(SYS_EXECVE, "/proc/self/exe", argv, environment);
	_exit(error == -L_ENOMEM ? 44 : 45);
}

static void exec_fails(void)
{
	uint64_t leave = 5;
	int status = -1;

	keep_make();
	struct peer child = peer_start(exec_something, NULL);
	turn(&child);
	struct peer hog = hog_start(leave);
	turn(&child);
	CHECK_EQUAL(waitpid(child.pid, &status, 0), child.pid, "waitpid");
	bool hog_died = hog_ends(&hog);
	ktap_note("hog %s, child's wait status 0x%x", hog_died ? "killed" : "alive", status);
	CHECK(status == 43 << 8 || status == 44 << 8 || (status & 0x7f) == SIGKILL,
	      "child: wait status 0x%x", status);
	keep_check("the parent's pages");
}

/* close(2) gives up a descriptor even when the table that holds it is shared and there is no memory
 * to copy it. */
static void close_something(struct peer *parent, void *context)
{
	int fd = *(int *)context;

	turn(parent);
	CHECK_EQUAL(CALL(SYS_CLOSE, fd), 0, "close without memory");
	CHECK_EQUAL(CALL(SYS_CLOSE, fd), -L_EBADF, "close of what is closed");
}

static void close_works(void)
{
	uint64_t leave = 2;
	int status = -1, fd = dup2(0, 250); /* a table of some size */

	keep_make();
	struct peer child = peer_start(close_something, &fd);
	turn(&child);
	struct peer hog = hog_start(leave);
	turn(&child);
	CHECK_EQUAL(waitpid(child.pid, &status, 0), child.pid, "waitpid");
	hog_ends(&hog);
	CHECK(status == 0 || (status & 0x7f) == SIGKILL, "child: wait status 0x%x", status);
	close(fd);
}

/* ---- Kernel objects ---- */

#define MOST_CHILDREN 6000
static int gate[2];

/* Forks until it is refused or killed, in a process group of its own. */
static void fork_many(void *context)
{
	char byte;
	long pid = 0;

	(void)context;
	setpgid(0, 0);
	for (int count = 0; count < MOST_CHILDREN; count++) {
		pid = CALL(SYS_FORK);
		if (pid == 0)
			_exit(read(gate[0], &byte, 1) == 1 ? 0 : 1);
		if (pid < 0)
			break;
	}
	CHECK(pid > 0 || pid == -L_ENOMEM || pid == -L_EAGAIN, "fork: %ld", pid);
}

static void processes(void)
{
	uint64_t leave = 8000;
	struct vmstat stat;
	int status = -1;

	REQUIRE(pipe(gate) == 0, "pipe");
	keep_make();
	struct peer hog = hog_start(leave);
	vmstat_read(&stat);
	uint64_t forks = stat.forks;
	pid_t pid = start(fork_many, NULL);
	CHECK_EQUAL(waitpid(pid, &status, 0), pid, "waitpid");
	CHECK(status == 0 || (status & 0x7f) == SIGKILL, "the forker: wait status 0x%x", status);
	kill(-pid, SIGKILL);
	hog_ends(&hog);
	vmstat_read(&stat);
	ktap_note("%lu children, then the forker %s", (unsigned long)(stat.forks - forks),
		  status ? "was killed" : "was refused");
	CHECK(stat.forks - forks >= 200, "%lu children", (unsigned long)(stat.forks - forks));
	keep_check("the parent's pages");
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void descriptors(void)
{
	int ends[2] = {-7, -7}, first = lowest_free(), last = first - 1;
	long fd;

	while ((fd = CALL(SYS_OPEN, "/dev/null", 0)) >= 0)
		last = (int)fd;
	CHECK_EQUAL(fd, -L_EMFILE, "open without a descriptor");
	CHECK(last >= 255, "the last descriptor was %d", last);
	CHECK_EQUAL(CALL(SYS_PIPE, ends), -L_EMFILE, "pipe without a descriptor");
	close(last);
	CHECK_EQUAL(CALL(SYS_PIPE, ends), -L_EMFILE, "pipe with one descriptor");
	CHECK(ends[0] == -7 && ends[1] == -7, "a refused pipe gave %d and %d", ends[0], ends[1]);
	CHECK_EQUAL(lowest_free(), last, "the one that is free");
	reap(start(nothing, NULL));
	for (int i = first; i < last; i++)
		close(i);
	CHECK_EQUAL(lowest_free(), first, "the lowest free descriptor");
	/* Full pipes hold 64 KB each. */
	static char block[65536];
	while (CALL(SYS_PIPE, ends) == 0)
		CHECK_EQUAL(write(ends[1], block, sizeof(block)), sizeof(block), "write to a pipe");
	check_audit("many full pipes");
}

static void regions(void)
{
	const uintptr_t base = slot_base(30);
	long result = 0, count = 0;

	for (; count < 80000; count++) {
		result = CALL(SYS_MMAP, base + (uintptr_t)count * 2 * PAGE, PAGE, 3, 0x32, -1, 0);
		if (result < 0)
			break;
	}
	CHECK_EQUAL(result, -L_ENOMEM, "mmap of too many regions");
	CHECK(count > 1000 && count <= 65536, "%ld regions", count);
	*(volatile char *)(base + (uintptr_t)(count - 1) * 2 * PAGE) = 1;
	reap(start(nothing, NULL));
	CHECK_EQUAL(munmap((void *)base, (size_t)count * 2 * PAGE), 0, "munmap of all");
	map_at(base, PAGE);
}

static const char *const name = "/tmp/oom.file";

static void fill_file(void *context)
{
	static char block[1 << 18];
	int fd = *(int *)context;
	long written = 0, got;

	memset(block, 'f', sizeof(block));
	while ((got = CALL(1, fd, block, sizeof(block))) > 0)
		written += got;
	CHECK(got == -L_ENOSPC || got == -L_ENOMEM, "write: %ld", got);
	CHECK_EQUAL(lseek(fd, 0, SEEK_END), written, "size of the file");
	CHECK(pread(fd, block, 1, written - 1) == 1 && block[0] == 'f', "the last byte");
}

/* Killing a process frees none of a file: all depends on unlink. */
static void file_pages(void)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct vmstat before, after;

	REQUIRE(fd >= 0, "open %s", name);
	keep_make();
	vmstat_read(&before);
	vmstat_read(&before);
	int status = status_of(fill_file, &fd);
	close(fd);
	CHECK_EQUAL(unlink(name), 0, "unlink");
	ktap_note("the writer %s", status ? "was killed" : "was refused");
	CHECK(status == 0 || (status & 0x7f) == SIGKILL, "the writer: wait status 0x%x", status);
	vmstat_read(&after);
	CHECK(after.free_frames + 64 >= before.free_frames, "%lu free frames, %lu before",
	      (unsigned long)after.free_frames, (unsigned long)before.free_frames);
	keep_check("the parent's pages");
}

static const struct test tests[] = {
	{.name = "the greedy are killed", .run = greedy, .coppice_only = true},
	{.name = "fork fails", .run = fork_fails, .coppice_only = true},
	{.name = "copies on write fail", .run = copies_fail, .coppice_only = true},
	{.name = "few frames left", .run = few_frames, .coppice_only = true},
	{.name = "edits of shared regions fail", .run = edits_fail, .coppice_only = true},
	{.name = "exec fails", .run = exec_fails, .coppice_only = true},
	{.name = "close works", .run = close_works, .coppice_only = true},
	{.name = "too many processes", .run = processes, .coppice_only = true},
	{.name = "too many descriptors", .run = descriptors},
	{.name = "too many regions", .run = regions},
	{.name = "a file too large", .run = file_pages, .coppice_only = true, .once = true},
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--exit") == 0)
		return 43;
	return run_tests(tests, COUNT(tests), argc, argv);
}
