/*
 * 2,000 children at once of a 256 MB parent: all alive, each then writes a page of its own and one
 * that all write, and checks both. Needs 2 GB: at level 0 the tables of the children alone take
 * half of that.
 *
 * Catches: refs narrower than the number of sharers; memory per child that the level should have
 * spared; a process table, pid or pipe that does not hold 2,000; a table freed while one of many
 * still uses it.
 */
#include "lib.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 2000
#define PAGES    (256ul << 20 >> 12)
#define EVERY    (PAGES / CHILDREN)       /* a child's own page: every 32nd */
#define COMMON   ((PAGES / 2 + 7) * PAGE) /* where all write */

static char *pages;
static int started[2], go[2];

static void child_body(void *context)
{
	unsigned me = *(unsigned *)context;
	char *own = pages + me * EVERY * PAGE;
	char byte;

	if (write(started[1], "", 1) != 1 || read(go[0], &byte, 1) != 1)
		_exit(3);
	CHECK(stamped(own, 1) && stamped(own + PAGE, 1), "child %u: a page is not the parent's",
	      me);
	stamp(own, 2 + me);
	stamp(pages + COMMON, 2 + me);
	CHECK(stamped(own, 2 + me) && stamped(own + PAGE, 1), "child %u: its page", me);
	CHECK(stamped(pages + COMMON, 2 + me), "child %u: the page that all write", me);
	if (me > 0)
		CHECK(stamped(own - EVERY * PAGE, 1), "child %u: its elder brother's page", me);
}

static void read_bytes(int fd, unsigned bytes)
{
	char buffer[256];

	while (bytes > 0) {
		ssize_t got = read(fd, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer));

		REQUIRE(got > 0, "read: %zd", got);
		bytes -= (unsigned)got;
	}
}

static void note_memory(const char *when)
{
	struct vmstat stat;

	if (!on_coppice)
		return;
	vmstat_read(&stat);
	ktap_note("%s: %lu kB of tables, %lu kB of data, %lu kB free", when,
		  (unsigned long)stat.page_tables * 4, (unsigned long)stat.data_pages * 4,
		  (unsigned long)stat.free_frames * 4);
}

static void all_at_once(void)
{
	REQUIRE(pipe(started) == 0 && pipe(go) == 0, "pipe");
	pages = map_at(slot_base(0), PAGES * PAGE);
	stamp_all(pages, PAGES, PAGE, 1);
	note_memory("before");
	for (unsigned i = 0; i < CHILDREN; i++)
		start(child_body, &i);
	read_bytes(started[0], CHILDREN);
	note_memory("all alive");
	check_audit("2,000 children");
	for (unsigned i = 0; i < CHILDREN; i++)
		REQUIRE(write(go[1], "", 1) == 1, "write");
	for (unsigned i = 0; i < CHILDREN; i++) {
		int status = -1;

		CHECK(waitpid(-1, &status, 0) > 0, "waitpid");
		CHECK(status == 0, "wait status 0x%x", status);
	}
	CHECK(waitpid(-1, NULL, 0) == -1, "one child too many");
	check_stamps(pages, PAGES, PAGE, 1, "the parent's pages");
}

static const struct test tests[] = {
	{.name = "2,000 children of 256 MB at once", .run = all_at_once}};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
