/*
 * Pipes, poll and descriptors: blocking, end of file, SIGPIPE, big transfers; poll's bits and
 * time-outs; descriptor tables, which fork shares until one side changes its own, and open files,
 * whose position stays shared.
 *
 * Catches: a wake-up lost between test and sleep; an end counted per process in place of per open
 * file; bytes lost or doubled where the ring wraps; small writes torn apart; a close in the child
 * that closes for the parent.
 */
#include "lib.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	READ = 0,
	WRITE = 1,
	CLOSE = 3,
	POLL = 7,
	LSEEK = 8,
	DUP = 32,
	DUP2 = 33,
	FCNTL = 72,
	PIPE2 = 293
};
enum { L_O_NONBLOCK = 04000, L_EPIPE = 32, L_F_GETFL = 3, L_F_SETFL = 4, L_F_DUPFD = 0 };
enum { L_POLLIN = 1, L_POLLOUT = 4, L_POLLERR = 8, L_POLLHUP = 16, L_POLLNVAL = 32 };
#define CAPACITY 65536

static int ends[2];

static void pipe_make(void)
{
	REQUIRE(pipe(ends) == 0, "pipe");
}

static void sleep_ms(long ms)
{
	const struct timespec time = {.tv_sec = 0, .tv_nsec = ms * 1000000};

	nanosleep(&time, NULL);
}

/* ---- Reading and writing ---- */

static void write_late(void *context)
{
	(void)context;
	sleep_ms(30);
	CHECK_EQUAL(write(ends[1], "late", 4), 4, "write");
}

static void blocking(void)
{
	char got[16];

	pipe_make();
	pid_t pid = start(write_late, NULL);
	CHECK_EQUAL(read(ends[0], got, sizeof(got)), 4, "a read that waits");
	CHECK(memcmp(got, "late", 4) == 0, "what was read");
	reap(pid);
	/* The child's end is gone, ours is not: still no end of file. */
	pid = start(write_late, NULL);
	close(ends[1]);
	CHECK_EQUAL(read(ends[0], got, sizeof(got)), 4, "a read while the child can write");
	CHECK_EQUAL(read(ends[0], got, sizeof(got)), 0, "a read when nobody can write");
	CHECK_EQUAL(read(ends[0], got, sizeof(got)), 0, "another one");
	reap(pid);
}

static void write_without_reader(void *context)
{
	bool ignore = *(bool *)context;
	struct {
		long handler, flags, restorer, mask;
	} action = {.handler = 1};

	if (ignore)
		CHECK_EQUAL(CALL(13, 13, &action, 0, 8), 0, "SIGPIPE ignored");
	close(ends[0]);
	CHECK_EQUAL(CALL(WRITE, ends[1], "x", 1), -L_EPIPE, "write without a reader");
}

static void broken(void)
{
	bool ignore = true;

	pipe_make();
	close(ends[0]);
	reap(start(write_without_reader, &ignore));
	ignore = false;
	int status = status_of(write_without_reader, &ignore);
	CHECK((status & 0x7f) == 13, "wait status 0x%x, expected SIGPIPE", status);
}

static void fill_and_break(void *context)
{
	static char full[2 * CAPACITY];

	(void)context;
	close(ends[0]);
	CALL(WRITE, ends[1], full, sizeof(full));
}

/* A writer that waits for room is woken when the last reader goes. */
static void broken_while_waiting(void)
{
	int status = -1;

	pipe_make();
	pid_t pid = start(fill_and_break, NULL);
	sleep_ms(20);
	CHECK_EQUAL(waitpid(pid, &status, WNOHANG), 0, "the writer waits");
	close(ends[0]);
	CHECK_EQUAL(waitpid(pid, &status, 0), pid, "waitpid");
	CHECK((status & 0x7f) == 13, "wait status 0x%x, expected SIGPIPE", status);
}

#define TRANSFER (3 * 1024 * 1024 + 777)
static char block[100000];

static unsigned char byte_at(size_t offset)
{
	return (unsigned char)(offset * 7 + (offset >> 9));
}

static void send_all(void *context)
{
	uint64_t seed = 5;

	(void)context;
	close(ends[0]);
	for (size_t done = 0; done < TRANSFER;) {
		size_t size = 1 + random_next(&seed) % (sizeof(block) - 1);

		if (size > TRANSFER - done)
			size = TRANSFER - done;
		for (size_t i = 0; i < size; i++)
			block[i] = (char)byte_at(done + i);
		REQUIRE(write(ends[1], block, size) == (ssize_t)size, "write of %zu bytes", size);
		done += size;
	}
}

static void transfer(void)
{
	uint64_t seed = 6;
	size_t done = 0, wrong = 0;
	ssize_t got;

	pipe_make();
	pid_t pid = start(send_all, NULL);
	close(ends[1]);
	while ((got = read(ends[0], block, 1 + random_next(&seed) % (sizeof(block) - 1))) > 0) {
		for (ssize_t i = 0; i < got; i++)
			wrong += (unsigned char)block[i] != byte_at(done + (size_t)i);
		done += (size_t)got;
	}
	CHECK_EQUAL(got, 0, "read at the end");
	CHECK_EQUAL(done, TRANSFER, "bytes");
	CHECK_EQUAL(wrong, 0, "wrong bytes");
	reap(pid);
}

#define RECORD  4096 /* PIPE_BUF: what goes in one piece */
#define RECORDS 60

static void send_records(void *context)
{
	char record[RECORD];

	memset(record, *(char *)context, sizeof(record));
	for (int i = 0; i < RECORDS; i++)
		CHECK_EQUAL(write(ends[1], record, RECORD - (i & 1)), RECORD - (i & 1), "write");
}

/* Four writers: each record arrives whole, in any order. */
static void records_whole(void)
{
	static char all[4 * RECORDS * RECORD];
	char names[] = "abcd";
	pid_t writers[4];
	size_t length = 0, runs = 0, counts[4] = {0};
	ssize_t got;

	pipe_make();
	for (int i = 0; i < 4; i++)
		writers[i] = start(send_records, &names[i]);
	close(ends[1]);
	while ((got = read(ends[0], all + length, 3000)) > 0)
		length += (size_t)got;
	for (size_t i = 0; i < length; i++) {
		runs += i == 0 || all[i] != all[i - 1];
		counts[(all[i] - 'a') & 3]++;
	}
	for (int i = 0; i < 4; i++) {
		CHECK_EQUAL(counts[i], RECORDS * RECORD - RECORDS / 2, "bytes of a writer");
		reap(writers[i]);
	}
	/* A torn record would make a run shorter than a record. */
	for (size_t i = 1, run = 1; i < length; i++, run++) {
		if (all[i] == all[i - 1])
			continue;
		CHECK(run >= RECORD - 1, "a run of %zu bytes before offset %zu", run, i);
		run = 0;
	}
	CHECK(runs >= 4, "%zu runs", runs);
}

static void not_blocking(void)
{
	long total = 0, got;

	REQUIRE(CALL(PIPE2, ends, L_O_NONBLOCK) == 0, "pipe2");
	CHECK_EQUAL(CALL(READ, ends[0], block, 10), -L_EAGAIN, "read of an empty pipe");
	while ((got = CALL(WRITE, ends[1], block, 1000)) > 0)
		total += got;
	CHECK_EQUAL(got, -L_EAGAIN, "write to a full pipe");
	CHECK(total > CAPACITY - RECORD && total <= CAPACITY, "%ld bytes in the pipe", total);
	CHECK_EQUAL(CALL(FCNTL, ends[0], L_F_GETFL) & L_O_NONBLOCK, L_O_NONBLOCK, "F_GETFL");
	while ((got = CALL(READ, ends[0], block, 999)) > 0)
		total -= got;
	CHECK_EQUAL(got, -L_EAGAIN, "read of the pipe when it is empty again");
	CHECK_EQUAL(total, 0, "bytes left");
	CHECK_EQUAL(CALL(FCNTL, ends[0], L_F_SETFL, 0), 0, "F_SETFL");
	CHECK_EQUAL(CALL(FCNTL, ends[0], L_F_GETFL) & L_O_NONBLOCK, 0, "F_GETFL");
	CHECK_EQUAL(CALL(READ, ends[1], block, 1), -L_EBADF, "read from the end to write");
	CHECK_EQUAL(CALL(WRITE, ends[0], block, 1), -L_EBADF, "write to the end to read");
	CHECK_EQUAL(CALL(LSEEK, ends[0], 0, 1), -29 /* ESPIPE */, "lseek");
}

/* ---- poll ---- */

struct poll_entry {
	int fd;
	short events, revents;
};

static long poll_one(int fd, int events, int timeout, short *revents)
{
	struct poll_entry entry = {fd, (short)events, 0x5555};
	long result = CALL(POLL, &entry, 1, timeout);

	*revents = entry.revents;
	return result;
}

static void check_poll(int fd, int events, int want, const char *what)
{
	short revents;
	long result = poll_one(fd, events, 0, &revents);

	CHECK(result == (want != 0) && revents == want,
	      "%s: poll gives %ld with 0x%x, expected 0x%x", what, result, revents, want);
}

static void poll_bits(void)
{
	const int both = L_POLLIN | L_POLLOUT;

	pipe_make();
	check_poll(ends[0], both, 0, "an empty pipe");
	check_poll(ends[1], both, L_POLLOUT, "its other end");
	CHECK_EQUAL(write(ends[1], "ab", 2), 2, "write");
	check_poll(ends[0], both, L_POLLIN, "bytes to read");
	check_poll(ends[0], both, L_POLLIN, "still: poll takes nothing");
	check_poll(ends[0], 0, 0, "when nothing is asked");
	close(ends[1]);
	check_poll(ends[0], both, L_POLLIN | L_POLLHUP, "bytes, and no writer");
	CHECK_EQUAL(read(ends[0], block, 2), 2, "read");
	check_poll(ends[0], both, L_POLLHUP, "no writer");
	check_poll(ends[0], 0, L_POLLHUP, "no writer, when nothing is asked");
	check_poll(999, both, L_POLLNVAL, "no descriptor");
	check_poll(-1, both, 0, "a negative descriptor");
	pipe_make();
	close(ends[0]);
	check_poll(ends[1], both, L_POLLOUT | L_POLLERR, "no reader");
	REQUIRE(CALL(PIPE2, ends, L_O_NONBLOCK) == 0, "pipe2");
	while (CALL(WRITE, ends[1], block, 4096) > 0)
		;
	check_poll(ends[1], both, 0, "a full pipe");
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void poll_waits(void)
{
	struct poll_entry entries[3];
	int others[2];
	short revents;

	REQUIRE(pipe(others) == 0, "pipe");
	pipe_make();
	int64_t begin = now_ms();
	CHECK_EQUAL(poll_one(ends[0], L_POLLIN, 40, &revents), 0, "poll until the time is out");
	CHECK(now_ms() - begin >= 39, "poll waited %ld ms", (long)(now_ms() - begin));
	CHECK_EQUAL(CALL(POLL, 0, 0, 15), 0, "poll of nothing");
	pid_t pid = start(write_late, NULL);
	entries[0] = (struct poll_entry) {others[0], L_POLLIN, -1};
	entries[1] = (struct poll_entry) {-5, L_POLLIN, -1};
	entries[2] = (struct poll_entry) {ends[0], L_POLLIN, -1};
	CHECK_EQUAL(CALL(POLL, entries, 3, -1), 1, "poll until a byte comes");
	CHECK(entries[0].revents == 0 && entries[1].revents == 0 && entries[2].revents == L_POLLIN,
	      "bits 0x%x, 0x%x, 0x%x", entries[0].revents, entries[1].revents, entries[2].revents);
	reap(pid);
	CHECK_EQUAL(read(ends[0], block, 10), 4, "read");
	pid = start(write_late, NULL);
	close(ends[1]);
	CHECK_EQUAL(poll_one(ends[0], 0, 5000, &revents), 1, "poll until the writer is gone");
	CHECK_EQUAL(revents, L_POLLHUP, "bits");
	reap(pid);
}

static void wait_for_byte(void *context)
{
	short revents;

	(void)context;
	CHECK_EQUAL(poll_one(ends[0], L_POLLIN, 10000, &revents), 1, "poll");
	CHECK_EQUAL(revents, L_POLLIN, "bits");
}

/* One byte that nobody reads wakes all who wait for it. */
static void poll_crowd(void)
{
	pid_t crowd[104];

	pipe_make();
	for (size_t i = 0; i < COUNT(crowd); i++)
		crowd[i] = start(wait_for_byte, NULL);
	sleep_ms(30);
	CHECK_EQUAL(write(ends[1], "x", 1), 1, "write");
	for (size_t i = 0; i < COUNT(crowd); i++)
		reap(crowd[i]);
}

/* ---- Descriptors ---- */

static const char *const name = "/tmp/pipes.file";

static int file_make(void)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	REQUIRE(fd >= 0 && write(fd, "0123456789", 10) == 10 && lseek(fd, 0, SEEK_SET) == 0, "%s",
		name);
	return fd;
}

static void child_reads(void *context)
{
	char got[4];
	int fd = *(int *)context;

	CHECK(read(fd, got, 3) == 3 && memcmp(got, "012", 3) == 0, "the child's read");
	CHECK_EQUAL(lseek(fd, 2, SEEK_CUR), 5, "the child's lseek");
}

static void shared_position(void)
{
	int fd = file_make(), twin = dup(fd), apart = open(name, O_RDONLY);
	char got[4];

	reap(start(child_reads, &fd));
	CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 5, "position after the child's");
	CHECK_EQUAL(lseek(twin, 0, SEEK_CUR), 5, "position of the duplicate");
	CHECK_EQUAL(lseek(apart, 0, SEEK_CUR), 0, "position of another open file");
	CHECK(read(twin, got, 2) == 2 && got[0] == '5' && got[1] == '6', "read of the duplicate");
	CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 7, "position after the duplicate's");
	close(fd);
	CHECK(read(twin, got, 1) == 1 && got[0] == '7', "read when the first is closed");
	close(twin);
	close(apart);
	unlink(name);
}

static void check_closed(int fd, const char *what)
{
	CHECK(CALL(FCNTL, fd, 1) == -L_EBADF, "%s: descriptor %d is open", what, fd);
}

static void check_open(int fd, const char *what)
{
	CHECK(CALL(FCNTL, fd, 1) >= 0, "%s: descriptor %d is closed", what, fd);
}

static void changing_child(struct peer *parent, void *context)
{
	int fd = *(int *)context;

	CHECK_EQUAL(close(fd), 0, "close");
	CHECK_EQUAL(CALL(DUP2, parent->in, 100), 100, "dup2");
	turn(parent);
	check_closed(fd, "the child closed it");
	check_closed(101, "only the parent opened it");
	check_open(100, "the child opened it");
	check_open(fd + 1, "only the parent closed it");
}

static void tables_apart(void)
{
	int fd = file_make(), next = dup(fd);

	REQUIRE(next == fd + 1, "dup gave %d after %d", next, fd);
	struct peer child = peer_start(changing_child, &fd);
	turn(&child);
	check_open(fd, "only the child closed it");
	check_closed(100, "only the child opened it");
	CHECK_EQUAL(close(next), 0, "close");
	CHECK_EQUAL(CALL(DUP2, fd, 101), 101, "dup2");
	peer_finish(&child);
	check_open(101, "the parent opened it");
	check_open(fd, "the child closed it and has ended");
	CHECK_EQUAL(read(fd, block, 10), 10, "read");
	close(fd);
	close(101);
	unlink(name);
}

static void numbers(void)
{
	int fd = file_make();

	CHECK_EQUAL(CALL(DUP, fd), fd + 1, "dup: the lowest free");
	CHECK_EQUAL(CALL(FCNTL, fd, L_F_DUPFD, 50), 50, "F_DUPFD: the lowest from 50");
	CHECK_EQUAL(CALL(FCNTL, fd, L_F_DUPFD, 50), 51, "F_DUPFD again");
	close(fd);
	CHECK_EQUAL(CALL(DUP, 50), fd, "dup: the lowest free again");
	CHECK_EQUAL(CALL(DUP2, 50, 51), 51, "dup2 over an open one");
	CHECK_EQUAL(CALL(READ, 51, block, 10), 10, "read");
	CHECK_EQUAL(CALL(CLOSE, 51), 0, "close");
	CHECK_EQUAL(CALL(CLOSE, 51), -L_EBADF, "close again");
	for (int i = fd; i <= 50; i++)
		close(i);
	unlink(name);
}

static const struct test tests[] = {
	{.name = "a read waits; end of file", .run = blocking},
	{.name = "SIGPIPE and EPIPE", .run = broken},
	{.name = "SIGPIPE for a writer that waits", .run = broken_while_waiting},
	{.name = "3 MB in odd pieces", .run = transfer},
	{.name = "records arrive whole", .run = records_whole},
	{.name = "O_NONBLOCK", .run = not_blocking, .once = true},
	{.name = "poll's bits", .run = poll_bits, .once = true},
	{.name = "poll waits", .run = poll_waits, .once = true},
	{.name = "poll by 104 at once", .run = poll_crowd},
	{.name = "a shared position", .run = shared_position},
	{.name = "descriptor tables part when one changes", .run = tables_apart},
	{.name = "descriptor numbers", .run = numbers, .once = true},
};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
