/*
 * Files that have no name, or no longer: memfd_create(2), and what is deleted while it is mapped; what
 * /proc/self/maps calls them. And msync(2).
 *
 * Catches: a name that goes with the descriptor, or is another file's; a memory file that is lost
 * with its descriptor while it is mapped, or stays without either; two of one name being one.
 */
#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SYS_OPEN = 2,
	SYS_CLOSE = 3,
	SYS_MSYNC = 26,
	SYS_FCNTL = 72,
	SYS_READLINK = 89,
	SYS_MEMFD_CREATE = 319
};
enum { CLOEXEC = 1, L_F_GETFD = 1, L_F_GETFL = 3, O_RDWR_OF_LINUX = 2, LONGEST = 249 };
enum { PARENT = 1, CHILD };

static char *base(void)
{
	return (char *)slot_base(1);
}

static int memfd(const char *name, unsigned flags)
{
	long fd = CALL(SYS_MEMFD_CREATE, name, flags);

	REQUIRE(fd >= 0, "memfd_create: %ld", fd);
	return (int)fd;
}

/* One of so many pages, mapped at `at`. */
static int memfd_mapped(const char *name, char *at, size_t pages)
{
	int fd = memfd(name, 0);

	REQUIRE(ftruncate(fd, (off_t)(pages * PAGE)) == 0, "ftruncate");
	map_over(at, pages, MAP_SHARED, fd);
	return fd;
}

/* ---- Names ---- */

static void check_name(const char *at, const char *want)
{
	struct region region = {0};

	CHECK(region_find(0, at, &region) && strcmp(region.name, want) == 0,
	      "the name is '%s', expected '%s'", region.name, want);
}

static void check_names(void *context)
{
	(void)context;
	check_name(base(), "/memfd:some (deleted)");
	check_name(base() + 10 * PAGE, "/memfd: (deleted)");
	check_name(base() + 20 * PAGE, "/memfd:with space (deleted)");
}

static void memfd_names(void)
{
	char path[32], link[64] = {0};
	int fd = memfd_mapped("some", base(), 2);
	int empty = memfd_mapped("", base() + 10 * PAGE, 2);
	int space = memfd_mapped("with space", base() + 20 * PAGE, 2);

	check_names(NULL);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(CALL(SYS_READLINK, path, link, sizeof(link) - 1) > 0 &&
		      strcmp(link, "/memfd:some (deleted)") == 0,
	      "the link in /proc/self/fd: '%s'", link);
	close(fd);
	close(empty);
	close(space);
	check_names(NULL);
	reap(start(check_names, NULL));
	CHECK_EQUAL(munmap(base() + PAGE, PAGE), 0, "munmap");
	check_names(NULL);
	char *moved = mremap(base(), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base() + GIGABYTE);
	check_name(moved, "/memfd:some (deleted)");
}

static const char first_name[] = "/tmp/memfd.first", second_name[] = "/tmp/memfd.second";

static int named_file(const char *name, char fill)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	REQUIRE(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0, "%s", name);
	REQUIRE(write(fd, &fill, 1) == 1, "%s", name);
	return fd;
}

static void check_deleted(void *context)
{
	check_name(base(), context);
	CHECK(base()[0] == 'a', "contents: %d", base()[0]);
}

static void deleted_names(void)
{
	static char deleted[] = "/tmp/memfd.second (deleted)";
	int fd = named_file(first_name, 'a');

	map_over(base(), 2, MAP_SHARED, fd);
	check_name(base(), first_name);
	CHECK_EQUAL(rename(first_name, second_name), 0, "rename");
	check_name(base(), second_name);
	close(fd);
	check_name(base(), second_name);
	CHECK_EQUAL(unlink(second_name), 0, "unlink");
	check_deleted(deleted);
	reap(start(check_deleted, deleted));
	fd = named_file(second_name, 'b');
	map_over(base() + 2 * PAGE, 2, MAP_PRIVATE, fd);
	check_deleted(deleted);
	check_name(base() + 2 * PAGE, second_name);
	CHECK_LAYOUT(base(), 4, NULL, "2 rw-s, 2 rw-p");
	CHECK_EQUAL(unlink(second_name), 0, "unlink");
	check_name(base() + 2 * PAGE, deleted);
	close(fd);
	check_name(base() + 2 * PAGE, deleted);
	CHECK_EQUAL(munmap(base(), 2 * PAGE), 0, "munmap");
	check_name(base() + 2 * PAGE, deleted);
}

/* ---- Files of memory ---- */

static void create_errors(void)
{
	char name[LONGEST + 2];

	memset(name, 'n', sizeof(name));
	name[LONGEST + 1] = 0;
	CHECK_EQUAL(CALL(SYS_MEMFD_CREATE, name, 0), -L_EINVAL, "a name of 250 bytes");
	name[LONGEST] = 0;
	close(memfd(name, 0));
	CHECK_EQUAL(CALL(SYS_MEMFD_CREATE, "x", 0x8000), -L_EINVAL, "an unknown flag");
	CHECK_EQUAL(CALL(SYS_MEMFD_CREATE, 16, 0), -L_EFAULT, "a bad pointer");
	int open_fd = memfd("x", 0), closing = memfd("x", CLOEXEC);
	CHECK_EQUAL(CALL(SYS_FCNTL, open_fd, L_F_GETFD), 0, "F_GETFD");
	CHECK_EQUAL(CALL(SYS_FCNTL, closing, L_F_GETFD), 1, "F_GETFD with MFD_CLOEXEC");
	CHECK_EQUAL(CALL(SYS_FCNTL, open_fd, L_F_GETFL) & 3, O_RDWR_OF_LINUX, "F_GETFL");
	close(open_fd);
	close(closing);
}

static void memfd_is_file(void)
{
	int fd = memfd("file", 0);
	struct stat stat;
	char byte;

	CHECK_EQUAL(fstat(fd, &stat), 0, "fstat");
	CHECK(S_ISREG(stat.st_mode) && stat.st_size == 0 && stat.st_nlink == 0,
	      "mode %o, size %ld, links %ld", (unsigned)stat.st_mode, (long)stat.st_size,
	      (long)stat.st_nlink);
	map_over(base(), 2, MAP_SHARED, fd);
	check_access(base(), SIGBUS, "an empty file");
	CHECK_EQUAL(write(fd, "abc", 3), 3, "write");
	CHECK(strcmp(base(), "abc") == 0, "'%s'", base());
	base()[PAGE - 1] = 'z';
	CHECK_EQUAL(lseek(fd, 1, SEEK_SET), 1, "lseek");
	CHECK(read(fd, &byte, 1) == 1 && byte == 'b', "read: %d", byte);
	CHECK_EQUAL(lseek(fd, 0, SEEK_END), 3, "the size");
	check_access(base() + PAGE, SIGBUS, "the page beyond");
	CHECK_EQUAL(ftruncate(fd, 2 * PAGE), 0, "ftruncate");
	check_access(base() + PAGE, 0, "the page when the file has grown");
	close(fd);
}

static void writing_child(struct peer *parent, void *context)
{
	int fd = *(int *)context;

	CHECK_EQUAL(write(fd, "child", 5), 5, "write");
	turn(parent);
	CHECK(strcmp(base() + PAGE, "parent") == 0, "'%s'", base() + PAGE);
	CHECK_EQUAL(ftruncate(fd, PAGE), 0, "ftruncate");
	close(fd);
}

static void shared_with_child(void)
{
	int fd = memfd_mapped("shared", base(), 2),
	    other = memfd_mapped("shared", base() + GIGABYTE, 2);
	struct peer child = peer_start(writing_child, &fd);

	turn(&child);
	CHECK(strcmp(base(), "child") == 0, "'%s'", base());
	CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 5, "the offset, which is shared");
	check_stamps(base() + GIGABYTE, 2, PAGE, 0, "another of the same name");
	strcpy(base() + PAGE, "parent");
	close(fd);
	peer_finish(&child);
	check_access(base() + PAGE, SIGBUS, "what the child has cut off");
	CHECK(strcmp(base(), "child") == 0, "'%s'", base());
	close(other);
}

/* Opened by its descriptor's name: the same file, with an offset of its own. */
static void opened_again(void)
{
	int fd = memfd_mapped("again", base(), 1);
	char path[32];

	CHECK_EQUAL(write(fd, "12345", 5), 5, "write");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int again = open(path, O_RDWR);
	CHECK(again >= 0, "open %s", path);
	CHECK_EQUAL(lseek(again, 0, SEEK_CUR), 0, "the offset of the other");
	CHECK_EQUAL(write(again, "x", 1), 1, "write");
	close(fd);
	CHECK(strcmp(base(), "x2345") == 0, "'%s'", base());
	close(again);
}

/* ---- msync ---- */

static void synced(void)
{
	int fd = file_make(4, 'f');
	char *at = map_over(base(), 4, MAP_SHARED, fd), byte;

	at[0] = 's';
	CHECK_EQUAL(CALL(SYS_MSYNC, at, 4 * PAGE, MS_SYNC), 0, "MS_SYNC");
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, &byte, 1) == 1 && byte == 's', "read: %d",
	      byte);
	CHECK_EQUAL(CALL(SYS_MSYNC, at, 4 * PAGE, MS_ASYNC), 0, "MS_ASYNC");
	CHECK_EQUAL(CALL(SYS_MSYNC, at, 4 * PAGE, MS_SYNC | MS_INVALIDATE), 0, "MS_INVALIDATE");
	CHECK_EQUAL(CALL(SYS_MSYNC, at, 4 * PAGE, 0), 0, "no flags");
	CHECK_EQUAL(CALL(SYS_MSYNC, at, 0, MS_SYNC), 0, "no length");
	CHECK_EQUAL(CALL(SYS_MSYNC, at, 4 * PAGE - 5, MS_SYNC), 0, "a length between pages");
	CHECK_EQUAL(CALL(SYS_MSYNC, at + 1, PAGE, MS_SYNC), -L_EINVAL, "an address between pages");
	CHECK_EQUAL(CALL(SYS_MSYNC, at, PAGE, MS_SYNC | MS_ASYNC), -L_EINVAL, "both");
	CHECK_EQUAL(CALL(SYS_MSYNC, at, PAGE, 8), -L_EINVAL, "an unknown flag");
	CHECK_EQUAL(CALL(SYS_MSYNC, at, -PAGE, MS_SYNC), -L_ENOMEM, "past all addresses");
	CHECK_EQUAL(munmap(at + PAGE, PAGE), 0, "munmap");
	CHECK_EQUAL(CALL(SYS_MSYNC, at, 4 * PAGE, MS_SYNC), -L_ENOMEM, "over a hole");
	CHECK_EQUAL(CALL(SYS_MSYNC, at, 2 * PAGE, MS_ASYNC), -L_ENOMEM, "into a hole");
	CHECK_EQUAL(CALL(SYS_MSYNC, at + PAGE, PAGE, MS_SYNC), -L_ENOMEM, "of a hole");
	map_at((uintptr_t)at + PAGE, PAGE);
	CHECK_EQUAL(CALL(SYS_MSYNC, at, 4 * PAGE, MS_SYNC), 0, "with private memory");
	close(fd);
}

static const struct test tests[] = {
	{.name = "names of memory files", .run = memfd_names},
	{.name = "names of deleted files", .run = deleted_names},
	{.name = "memfd_create: flags and errors", .run = create_errors, .once = true},
	{.name = "a memory file is a file", .run = memfd_is_file},
	{.name = "a memory file and a child", .run = shared_with_child},
	{.name = "a memory file opened again", .run = opened_again},
	{.name = "msync", .run = synced},
};

int main(int argc, char **argv)
{
	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
