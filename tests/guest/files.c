/*
 * The RAM file system and /proc: create, truncate, append, sparse files, rename, unlink of an open
 * file, directories of 1,000 entries, symlinks; and /proc's numbers, which must follow what
 * happens.
 *
 * Catches: old bytes in a hole or past a truncation; a page of a file shared with memory that must
 * not be; an inode freed while open; a directory listing that repeats or skips while it is read in
 * pieces; counters that stand still.
 */
#include "lib.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RENAME = 82, MKDIR = 83, RMDIR = 84, LINK = 86, UNLINK = 87, SYMLINK = 88, READLINK = 89 };
enum { OPEN = 2, STAT = 4, GETCWD = 79, CHDIR = 80, ACCESS = 21, GETDENTS64 = 217, FTRUNCATE = 77 };
/* Linux's open(2) flags. */
enum { CREAT = 0100, EXCL = 0200, TRUNC = 01000, DIRECTORY = 0200000, NOFOLLOW = 0400000 };

#define DIR_NAME "/tmp/files.d"
static const char *const name = DIR_NAME "/file";
static char buffer[70000];

static void begin(void)
{
	CHECK_EQUAL(CALL(MKDIR, DIR_NAME, 0755), 0, "mkdir");
}

static void end(void)
{
	CHECK_EQUAL(CALL(RMDIR, DIR_NAME), 0, "rmdir");
}

static int make(const char *path, const char *contents)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

	REQUIRE(fd >= 0, "open %s", path);
	CHECK_EQUAL(write(fd, contents, strlen(contents)), strlen(contents), "write");
	return fd;
}

static void check_contents(int fd, const char *want, const char *what)
{
	ssize_t got = pread(fd, buffer, sizeof(buffer) - 1, 0);

	buffer[got > 0 ? got : 0] = 0;
	CHECK(got == (ssize_t)strlen(want) && strcmp(buffer, want) == 0, "%s: %ld bytes '%.40s'",
	      what, (long)got, buffer);
}

static long size_of(int fd)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 ? (long)stat.st_size : -1;
}

/* ---- Files ---- */

static void creating(void)
{
	struct stat stat;

	begin();
	CHECK_EQUAL(CALL(OPEN, name, 0), -L_ENOENT, "open before it is there");
	umask(027);
	int fd = open(name, O_RDWR | O_CREAT, 0666);
	CHECK(fd >= 0 && fstat(fd, &stat) == 0, "create");
	CHECK_EQUAL(stat.st_mode, 0100640, "mode under umask 027");
	CHECK_EQUAL(stat.st_nlink, 1, "links");
	CHECK_EQUAL(stat.st_size, 0, "size");
	CHECK_EQUAL(CALL(OPEN, name, CREAT | EXCL | 2, 0666), -L_EEXIST, "O_EXCL when it is there");
	CHECK_EQUAL(chmod(name, 0751), 0, "chmod");
	CHECK(fstat(fd, &stat) == 0 && stat.st_mode == 0100751, "mode 0%o after chmod",
	      (unsigned)stat.st_mode);
	close(fd);
	CHECK_EQUAL(CALL(OPEN, name, DIRECTORY), -L_ENOTDIR, "O_DIRECTORY of a file");
	CHECK_EQUAL(CALL(OPEN, DIR_NAME "/file/x", 0), -L_ENOTDIR, "a file as a directory");
	CHECK_EQUAL(CALL(OPEN, DIR_NAME "/none/x", CREAT, 0644), -L_ENOENT,
		    "a directory that is not there");
	CHECK_EQUAL(CALL(OPEN, DIR_NAME, 1), -L_EISDIR, "a directory to write");
	CHECK_EQUAL(CALL(ACCESS, name, 0), 0, "access");
	CHECK_EQUAL(CALL(UNLINK, name), 0, "unlink");
	CHECK_EQUAL(CALL(UNLINK, name), -L_ENOENT, "unlink again");
	CHECK_EQUAL(CALL(ACCESS, name, 0), -L_ENOENT, "access");
	end();
}

static void reading_and_writing(void)
{
	begin();
	int fd = make(name, "hello world");
	check_contents(fd, "hello world", "written");
	CHECK_EQUAL(pwrite(fd, "W", 1, 6), 1, "pwrite");
	check_contents(fd, "hello World", "a byte over");
	CHECK_EQUAL(lseek(fd, -1, SEEK_END), 10, "lseek");
	CHECK_EQUAL(write(fd, "D!", 2), 2, "write across the end");
	check_contents(fd, "hello WorlD!", "longer");
	int again = open(name, O_WRONLY | O_APPEND);
	CHECK_EQUAL(write(again, "1", 1) + write(fd, "2", 1) + write(again, "3", 1), 3,
		    "writes by two");
	check_contents(fd, "hello WorlD!23", "O_APPEND writes at the end as it is then");
	CHECK_EQUAL(CALL(0, again, buffer, 1), -L_EBADF, "read of a file to write");
	close(again);
	again = open(name, O_RDONLY | O_TRUNC);
	CHECK_EQUAL(size_of(fd), 0, "size after O_TRUNC");
	CHECK_EQUAL(CALL(1, again, buffer, 1), -L_EBADF, "write to a file to read");
	CHECK_EQUAL(read(again, buffer, 1), 0, "read at the end");
	CHECK_EQUAL(lseek(again, 100, SEEK_SET), 100, "lseek past the end");
	CHECK_EQUAL(read(again, buffer, 1), 0, "read past the end");
	close(again);
	close(fd);
	unlink(name);
	end();
}

/* Every length and offset around page borders, against a plain array. */
static void against_an_array(void)
{
	static char model[40000], chunk[9000], got[40000];
	uint64_t seed = 3;
	size_t size = 0;

	begin();
	int fd = make(name, "");
	for (int step = 0; step < 300; step++) {
		size_t at = random_next(&seed) % 30000, length = random_next(&seed) % sizeof(chunk);

		if (step % 7 == 3) {
			CHECK_EQUAL(CALL(FTRUNCATE, fd, at), 0, "ftruncate");
			if (at < size)
				memset(model + at, 0, size - at);
			size = at;
		} else {
			memset(chunk, step + 1, length);
			CHECK_EQUAL(pwrite(fd, chunk, length, (off_t)at), length, "pwrite");
			memcpy(model + at, chunk, length);
			size = length > 0 && at + length > size ? at + length : size;
		}
		CHECK_EQUAL(size_of(fd), size, "size");
		CHECK(pread(fd, got, sizeof(got), 0) == (ssize_t)size &&
			      memcmp(got, model, size) == 0,
		      "step %d: contents differ", step);
	}
	close(fd);
	unlink(name);
	end();
}

static void sparse(void)
{
	begin();
	int fd = make(name, "start");
	uint64_t data_before = 0;
	struct vmstat stat;

	if (on_coppice) {
		vmstat_read(&stat);
		data_before = stat.data_pages;
	}
	CHECK_EQUAL(pwrite(fd, "end", 3, 1l << 30), 3, "pwrite at 1 GB");
	CHECK_EQUAL(size_of(fd), (1l << 30) + 3, "size");
	memset(buffer, 1, 5000);
	CHECK_EQUAL(pread(fd, buffer, 5000, 1l << 29), 5000, "read of the hole");
	for (int i = 0; i < 5000; i++)
		REQUIRE(buffer[i] == 0, "byte %d of the hole is %d", i, buffer[i]);
	if (on_coppice) {
		vmstat_read(&stat);
		CHECK(stat.data_pages <= data_before + 8, "%lu pages for a hole",
		      (unsigned long)(stat.data_pages - data_before));
	}
	CHECK_EQUAL(CALL(FTRUNCATE, fd, 3), 0, "ftruncate");
	CHECK_EQUAL(CALL(FTRUNCATE, fd, 5), 0, "ftruncate");
	CHECK(pread(fd, buffer, 10, 0) == 5 && memcmp(buffer, "sta\0\0", 5) == 0,
	      "shrunk and grown");
	close(fd);
	unlink(name);
	end();
}

static void renaming(void)
{
	begin();
	int fd = make(name, "one");
	int other = make(DIR_NAME "/other", "two");

	CHECK_EQUAL(CALL(RENAME, name, DIR_NAME "/new"), 0, "rename");
	CHECK_EQUAL(CALL(ACCESS, name, 0), -L_ENOENT, "the old name");
	check_contents(fd, "one", "the open file");
	CHECK_EQUAL(CALL(RENAME, DIR_NAME "/new", DIR_NAME "/other"), 0, "rename over another");
	check_contents(other, "two", "the replaced file, still open");
	int again = open(DIR_NAME "/other", O_RDONLY);
	check_contents(again, "one", "under the name");
	CHECK_EQUAL(CALL(RENAME, name, DIR_NAME "/x"), -L_ENOENT, "rename of nothing");
	CHECK_EQUAL(CALL(MKDIR, DIR_NAME "/sub", 0755), 0, "mkdir");
	CHECK_EQUAL(CALL(RENAME, DIR_NAME "/other", DIR_NAME "/sub"), -L_EISDIR,
		    "a file over a directory");
	CHECK_EQUAL(CALL(RENAME, DIR_NAME "/sub", DIR_NAME "/other"), -L_ENOTDIR,
		    "a directory over a file");
	CHECK_EQUAL(CALL(RENAME, DIR_NAME "/sub", DIR_NAME "/sub/x"), -L_EINVAL,
		    "a directory into itself");
	CHECK_EQUAL(CALL(RENAME, DIR_NAME "/other", DIR_NAME "/sub/other"), 0, "into a directory");
	CHECK_EQUAL(CALL(RMDIR, DIR_NAME "/sub"), -L_ENOTEMPTY, "rmdir of a full directory");
	CHECK_EQUAL(CALL(UNLINK, DIR_NAME "/sub/other"), 0, "unlink");
	CHECK_EQUAL(CALL(RMDIR, DIR_NAME "/sub"), 0, "rmdir");
	close(fd);
	close(other);
	close(again);
	end();
}

/* An unlinked file lives until the last descriptor and mapping are gone; the harness counts its
 * pages. */
static void unlink_open(void)
{
	begin();
	int fd = make(name, "still here");
	char *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	REQUIRE(map != MAP_FAILED, "mmap");
	CHECK_EQUAL(CALL(UNLINK, name), 0, "unlink");
	CHECK_EQUAL(CALL(UNLINK, DIR_NAME), -L_EISDIR, "unlink of a directory");
	check_contents(fd, "still here", "the open file");
	CHECK_EQUAL(pwrite(fd, "S", 1, 0), 1, "pwrite");
	int other = make(name, "another");
	check_contents(fd, "Still here", "the open file beside a new one");
	close(fd);
	CHECK(memcmp(map, "Still here", 10) == 0, "the mapping");
	close(other);
	unlink(name);
	end();
}

/* ---- Directories and links ---- */

struct entry {
	uint64_t ino, next;
	uint16_t length;
	uint8_t type;
	char name[];
} __attribute__((packed));

#define ENTRIES 1000

/* Lists the directory in pieces of size bytes; counts the names file0 to file999, '.' and '..'. */
static unsigned list(size_t size, unsigned char *seen)
{
	unsigned count = 0;
	long got, fd = CALL(OPEN, DIR_NAME, DIRECTORY);

	memset(seen, 0, ENTRIES + 2);
	while ((got = CALL(GETDENTS64, fd, buffer, size)) > 0) {
		for (long at = 0; at < got; count++) {
			struct entry *entry = (struct entry *)(buffer + at);
			unsigned number = (unsigned)atoi(entry->name + 4);

			REQUIRE(entry->length >= 24 && at + entry->length <= got,
				"entry of %u bytes", entry->length);
			if (entry->name[0] == '.')
				seen[ENTRIES + strlen(entry->name) - 1]++;
			else if (number < ENTRIES)
				seen[number]++;
			CHECK_EQUAL(entry->type, entry->name[0] == '.' ? 4 : 8, "type");
			at += entry->length;
		}
	}
	CHECK_EQUAL(got, 0, "getdents64 at the end");
	close((int)fd);
	return count;
}

static void many_entries(void)
{
	static unsigned char seen[ENTRIES + 2];
	static const size_t sizes[] = {64, 1000, 32768};
	char path[64];

	begin();
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(path, sizeof(path), DIR_NAME "/file%d", i);
		close(open(path, O_WRONLY | O_CREAT, 0644));
	}
	for (size_t i = 0; i < COUNT(sizes); i++) {
		CHECK_EQUAL(list(sizes[i], seen), ENTRIES + 2, "entries");
		for (int j = 0; j < ENTRIES + 2; j++)
			CHECK(seen[j] == 1, "entry %d seen %d times", j, seen[j]);
	}
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(path, sizeof(path), DIR_NAME "/file%d", (i * 7) % ENTRIES);
		CHECK_EQUAL(CALL(UNLINK, path), 0, "unlink");
	}
	CHECK_EQUAL(list(1000, seen), 2, "entries of an empty directory");
	end();
}

static void paths(void)
{
	static char deep[4200];
	char directory[256];

	begin();
	close(make(name, "x"));
	CHECK_EQUAL(CALL(MKDIR, DIR_NAME, 0755), -L_EEXIST, "mkdir again");
	CHECK_EQUAL(CALL(MKDIR, DIR_NAME "/a", 0755), 0, "mkdir");
	CHECK_EQUAL(CALL(CHDIR, DIR_NAME "/a"), 0, "chdir");
	CHECK_EQUAL(CALL(GETCWD, directory, sizeof(directory)), sizeof(DIR_NAME "/a"), "getcwd");
	CHECK(strcmp(directory, DIR_NAME "/a") == 0, "getcwd: '%s'", directory);
	CHECK_EQUAL(CALL(ACCESS, "../file", 0), 0, "..");
	CHECK_EQUAL(CALL(ACCESS, ".././../files.d//file", 0), 0, "a crooked path");
	CHECK_EQUAL(CALL(ACCESS, "../../../../../../..", 0), 0, "above the root");
	CHECK_EQUAL(CALL(ACCESS, "../file/", 0), -L_ENOTDIR, "a file with a slash");
	CHECK_EQUAL(CALL(ACCESS, "../a/", 0), 0, "a directory with a slash");
	CHECK_EQUAL(CALL(CHDIR, "../file"), -L_ENOTDIR, "chdir to a file");
	CHECK_EQUAL(CALL(ACCESS, "", 0), -L_ENOENT, "an empty path");
	memset(deep, 'a', 256);
	CHECK_EQUAL(CALL(OPEN, deep, CREAT, 0644), -L_ENAMETOOLONG, "a name of 256 bytes");
	deep[255] = 0;
	long fd = CALL(OPEN, deep, CREAT, 0644);
	CHECK(fd >= 0, "a name of 255 bytes: %ld", fd);
	close((int)fd);
	CHECK_EQUAL(CALL(UNLINK, deep), 0, "unlink");
	memset(deep, '/', 4199);
	CHECK_EQUAL(CALL(ACCESS, deep, 0), -L_ENAMETOOLONG, "a path of 4199 bytes");
	CHECK_EQUAL(CALL(CHDIR, "/"), 0, "chdir");
	CHECK_EQUAL(CALL(RMDIR, name), -L_ENOTDIR, "rmdir of a file");
	CHECK_EQUAL(CALL(RMDIR, DIR_NAME "/a"), 0, "rmdir");
	unlink(name);
	end();
}

static void symlinks(void)
{
	struct stat stat;

	begin();
	close(make(name, "target"));
	CHECK_EQUAL(CALL(SYMLINK, "file", DIR_NAME "/link"), 0, "symlink");
	CHECK_EQUAL(CALL(SYMLINK, "file", DIR_NAME "/link"), -L_EEXIST, "symlink again");
	int fd = open(DIR_NAME "/link", O_RDONLY);
	check_contents(fd, "target", "through the link");
	close(fd);
	CHECK_EQUAL(CALL(READLINK, DIR_NAME "/link", buffer, 100), 4, "readlink");
	CHECK_EQUAL(CALL(READLINK, DIR_NAME "/link", buffer, 2), 2, "readlink into two bytes");
	CHECK_EQUAL(CALL(READLINK, name, buffer, 100), -L_EINVAL, "readlink of a file");
	CHECK(lstat(DIR_NAME "/link", &stat) == 0 && (stat.st_mode & 0170000) == 0120000,
	      "lstat: mode 0%o", (unsigned)stat.st_mode);
	CHECK_EQUAL(stat.st_size, 4, "a link's size");
	CHECK_EQUAL(CALL(OPEN, DIR_NAME "/link", NOFOLLOW), -L_ELOOP, "O_NOFOLLOW");
	CHECK_EQUAL(CALL(SYMLINK, "../files.d", DIR_NAME "/round"), 0, "symlink to a directory");
	CHECK_EQUAL(CALL(ACCESS, DIR_NAME "/round/round/round/link", 0), 0, "through many links");
	CHECK_EQUAL(CALL(SYMLINK, "loop", DIR_NAME "/loop"), 0, "symlink to itself");
	CHECK_EQUAL(CALL(OPEN, DIR_NAME "/loop", 0), -L_ELOOP, "a loop");
	CHECK_EQUAL(CALL(SYMLINK, "/nowhere", DIR_NAME "/dangling"), 0, "symlink to nothing");
	CHECK_EQUAL(CALL(OPEN, DIR_NAME "/dangling", 0), -L_ENOENT, "to nothing");
	CHECK_EQUAL(CALL(UNLINK, DIR_NAME "/round"), 0, "unlink of a link to a directory");
	CHECK_EQUAL(CALL(UNLINK, DIR_NAME "/link"), 0, "unlink of a link");
	CHECK_EQUAL(CALL(UNLINK, DIR_NAME "/loop"), 0, "unlink of a loop");
	CHECK_EQUAL(CALL(UNLINK, DIR_NAME "/dangling"), 0, "unlink of a dangling link");
	CHECK_EQUAL(CALL(ACCESS, name, 0), 0, "the file is still there");
	unlink(name);
	end();
}

static void devices(void)
{
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);

	CHECK(null >= 0 && zero >= 0, "open");
	memset(buffer, 1, 100);
	CHECK_EQUAL(read(null, buffer, 100), 0, "read of /dev/null");
	CHECK_EQUAL(write(null, buffer, 100), 100, "write to /dev/null");
	CHECK_EQUAL(read(zero, buffer, 100), 100, "read of /dev/zero");
	CHECK_EQUAL(buffer[0] + buffer[99], 0, "bytes of /dev/zero");
	CHECK_EQUAL(CALL(OPEN, "/dev/none", 0), -L_ENOENT, "a device that is not there");
	close(null);
	close(zero);
}

/* ---- /proc ---- */

static const char *proc_text(const char *path)
{
	size_t length = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY);

	REQUIRE(fd >= 0, "open %s", path);
	while ((got = read(fd, buffer + length, sizeof(buffer) - 1 - length)) > 0)
		length += (size_t)got;
	CHECK(length > 0, "%s is empty", path);
	close(fd);
	buffer[length] = 0;
	return buffer;
}

/* The number after a line's name, such as "VmRSS:"; -1 when there is no such line. */
static long proc_value(const char *path, const char *line)
{
	const char *text = proc_text(path), *at = text;

	while (at && strncmp(at, line, strlen(line)) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	CHECK(at, "%s has no line '%s'", path, line);
	return at ? strtol(at + strlen(line), NULL, 10) : -1;
}

static void proc_self(void)
{
	char path[64], link[64] = "";

	CHECK_EQUAL(proc_value("/proc/self/status", "Pid:"), getpid(), "Pid");
	CHECK_EQUAL(proc_value("/proc/self/status", "PPid:"), getppid(), "PPid");
	CHECK_EQUAL(strtol(proc_text("/proc/self/stat"), NULL, 10), getpid(), "pid in stat");
	CHECK(strstr(buffer, "(files) R ") != NULL, "stat: '%.40s'", buffer);
	CHECK(strstr(proc_text("/proc/self/status"), "Name:\tfiles\n") != NULL, "status: '%.40s'",
	      buffer);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)getpid());
	CHECK_EQUAL(proc_value(path, "Pid:"), getpid(), "Pid by number");
	CHECK(strstr(proc_text("/proc/self/cmdline"), "files") != NULL, "cmdline: '%.40s'", buffer);
	CHECK(readlink("/proc/self/exe", link, sizeof(link) - 1) > 0 && strstr(link, "/files"),
	      "exe: '%s'", link);
	CHECK_EQUAL(CALL(OPEN, "/proc/99999999/status", 0), -L_ENOENT, "no such process");
}

#define TOUCHED 100l

static void proc_sizes(void)
{
	/* Twice: the program's own pages that this needs come first. */
	proc_value("/proc/self/status", "VmRSS:");
	stamp_all(map_at(slot_base(0), PAGE), 1, PAGE, 1);
	CHECK_EQUAL(munmap((void *)slot_base(0), PAGE), 0, "munmap");
	long rss = proc_value("/proc/self/status", "VmRSS:"),
	     size = proc_value("/proc/self/status", "VmSize:");
	char *pages = map_at(slot_base(0), 10 * TOUCHED * PAGE);
	CHECK_EQUAL(proc_value("/proc/self/status", "VmSize:") - size, 10 * TOUCHED * 4,
		    "VmSize of a mapping in kB");
	stamp_all(pages, TOUCHED, PAGE, 1);
	long grown = proc_value("/proc/self/status", "VmRSS:") - rss;
	/* Linux keeps counts per task and brings them together late. */
	CHECK(on_coppice ? grown == TOUCHED * 4 : grown >= TOUCHED * 2,
	      "VmRSS of 100 pages: %ld kB", grown);
	CHECK_EQUAL(munmap(pages, 10 * TOUCHED * PAGE), 0, "munmap");
	grown = proc_value("/proc/self/status", "VmRSS:") - rss;
	CHECK(on_coppice ? grown == 0 : grown < TOUCHED * 2, "VmRSS when they are gone: %ld kB",
	      grown);
	CHECK_EQUAL(proc_value("/proc/self/status", "VmSize:"), size, "VmSize when it is gone");
}

static void hold(struct peer *parent, void *context)
{
	(void)context;
	turn(parent);
}

/* A child's figures are the parent's: sharing hides nothing. */
static void proc_shared(void)
{
	char *pages = map_at(slot_base(0), TOUCHED * PAGE), path[40];

	stamp_all(pages, TOUCHED, PAGE, 1);
	struct peer child = peer_start(hold, NULL);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)child.pid);
	turn(&child);
	long mine = proc_value("/proc/self/status", "VmRSS:"), its = proc_value(path, "VmRSS:");
	if (on_coppice)
		CHECK_EQUAL(its, mine, "VmRSS of the child in kB");
	CHECK_EQUAL(proc_value(path, "VmSize:"), proc_value("/proc/self/status", "VmSize:"),
		    "VmSize of the child");
	CHECK_EQUAL(proc_value(path, "PPid:"), getpid(), "PPid of the child");
	peer_finish(&child);
	CHECK_EQUAL(CALL(OPEN, path, 0), -L_ENOENT, "status of a child that is gone");
}

static void proc_memory(void)
{
	long total = proc_value("/proc/meminfo", "MemTotal:"),
	     free_before = proc_value("/proc/meminfo", "MemFree:");
	const size_t pages = 2000;
	char *area = map_at(slot_base(0), pages * PAGE);

	CHECK(total > 50000 && free_before > 10000 && free_before < total,
	      "MemTotal %ld kB, MemFree %ld kB", total, free_before);
	stamp_all(area, pages, PAGE, 1);
	long used = free_before - proc_value("/proc/meminfo", "MemFree:");
	if (on_coppice)
		CHECK(used >= 8000 && used < 8200, "MemFree fell by %ld kB for 8000", used);
	CHECK(proc_value("/proc/meminfo", "MemAvailable:") > 0, "MemAvailable");
	CHECK(proc_value("/proc/meminfo", "PageTables:") > 0, "PageTables");
	CHECK_EQUAL(proc_value("/proc/meminfo", "MemTotal:"), total, "MemTotal");
}

/* The line of /proc/self/maps that holds address, in buffer; "" when there is none. */
static const char *maps_line(const void *address)
{
	for (char *line = (char *)proc_text("/proc/self/maps"), *next; *line; line = next) {
		unsigned long from, to;

		next = strchr(line, '\n');
		REQUIRE(next && sscanf(line, "%lx-%lx", &from, &to) == 2, "maps: '%.60s'", line);
		*next++ = 0;
		if ((uintptr_t)address >= from && (uintptr_t)address < to)
			return line;
	}
	return "";
}

static void check_maps(const void *address, const char *want)
{
	const char *line = maps_line(address);

	CHECK(strstr(line, want) != NULL, "maps has '%s' for %p, expected '%s'", line, address,
	      want);
}

static void proc_maps(void)
{
	char *pages = map_at(slot_base(0), 8 * PAGE);
	char local;

	check_maps(pages, "80000000000-80000008000 rw-p 00000000 00:00 0");
	CHECK_EQUAL(mprotect(pages + 2 * PAGE, 2 * PAGE, PROT_READ), 0, "mprotect");
	CHECK_EQUAL(munmap(pages + 6 * PAGE, PAGE), 0, "munmap");
	check_maps(pages, "80000000000-80000002000 rw-p");
	check_maps(pages + 2 * PAGE, "80000002000-80000004000 r--p");
	check_maps(pages + 4 * PAGE, "80000004000-80000006000 rw-p");
	CHECK(maps_line(pages + 6 * PAGE)[0] == 0, "the hole is in maps");
	check_maps(pages + 7 * PAGE, "80000007000-80000008000 rw-p");
	/* Neighbours that become alike become one. */
	CHECK_EQUAL(mprotect(pages + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE), 0, "mprotect");
	check_maps(pages + 3 * PAGE, "80000000000-80000006000 rw-p");
	map_at((uintptr_t)pages + 6 * PAGE, PAGE);
	check_maps(pages, "80000000000-80000008000 rw-p");
	begin();
	int fd = make(name, "mapped");
	char *map = mmap((void *)(slot_base(1)), 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd,
			 PAGE);
	check_maps(map, "88000000000-88000002000 r--p 00001000");
	check_maps(map, name);
	void *shared = mmap((void *)(slot_base(2)), PAGE, PROT_NONE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	check_maps(shared, "90000000000-90000001000 ---s");
	check_maps(&local, "[stack]");
	check_maps((void *)proc_maps, "r-xp");
	close(fd);
	unlink(name);
	end();
}

static const struct test tests[] = {
	{.name = "create", .run = creating, .once = true},
	{.name = "read and write", .run = reading_and_writing, .once = true},
	{.name = "against an array", .run = against_an_array, .once = true},
	{.name = "sparse", .run = sparse, .once = true},
	{.name = "rename", .run = renaming, .once = true},
	{.name = "unlink of an open file", .run = unlink_open},
	{.name = "1,000 entries", .run = many_entries, .once = true},
	{.name = "paths", .run = paths, .once = true},
	{.name = "symlinks", .run = symlinks, .once = true},
	{.name = "devices", .run = devices, .once = true},
	{.name = "/proc/self", .run = proc_self},
	{.name = "VmSize and VmRSS", .run = proc_sizes},
	{.name = "VmSize and VmRSS of a child", .run = proc_shared},
	{.name = "/proc/meminfo", .run = proc_memory},
	{.name = "/proc/self/maps", .run = proc_maps},
};

int main(int argc, char **argv)
{
	return run_tests(tests, COUNT(tests), argc, argv);
}
