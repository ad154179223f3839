/*
 * kernel/fs/ and the file system calls as a plain program: what each call gives, errno values above
 * all, and that nothing leaks, also when allocations are refused. Linux's kernel gives the same
 * results.
 */
#include <stdio.h>
#include <string.h>

#include "tests/host/fs/fs_test.h"

int reader, writer;

static u32 failures;

void check(bool good, const char *file, int line, const char *what, i64 got, i64 want)
{
	if (good)
		return;
	printf("# %s:%d: %s: %ld, not %ld\n", file, line, what, got, want);
	failures++;
}

bool same(const char *a, const char *b)
{
	if (strcmp(a, b) != 0)
		printf("# \"%s\" is not \"%s\"\n", a, b);
	return strcmp(a, b) == 0;
}

struct stat_start stat_of(const char *path)
{
	struct stat_start stat = {0};

	EQUAL(sys_lstat(U(path), U(&stat)), 0);
	return stat;
}

int open_(const char *path, u32 flags)
{
	return (int)sys_open(U(path), (int)flags, 0666);
}

void make(const char *path, const char *text)
{
	int fd = open_(path, O_CREAT | O_WRONLY | O_TRUNC);

	EQUAL(sys_write(fd, U(text), strlen(text)), (i64)strlen(text));
	EQUAL(sys_close(fd), 0);
}

const char *contents(const char *path)
{
	static char buffer[65536];
	int fd = open_(path, O_RDONLY);
	i64 used = 0, got;

	if (fd < 0)
		return "(cannot open)";
	while ((got = sys_read(fd, U(buffer + used), sizeof(buffer) - 1 - (size_t)used)) > 0)
		used += got;
	buffer[used] = '\0';
	EQUAL(sys_close(fd), 0);
	return buffer;
}

const char *link_text(const char *path)
{
	static char buffer[PATH_MAX];
	i64 length = sys_readlink(U(path), U(buffer), sizeof(buffer) - 1);

	buffer[MAX(length, 0)] = '\0';
	return buffer;
}

const char *names(int fd, size_t size)
{
	static char all[65536];
	_Alignas(8) char buffer[4096];
	i64 got;

	all[0] = '\0';
	while ((got = sys_getdents64(fd, U(buffer), (u32)size)) > 0) {
		for (i64 at = 0; at < got;) {
			struct dirent_start *entry = (void *)(buffer + at);

			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", entry->name);
			at += entry->bytes;
		}
	}
	EQUAL(got, 0);
	return all;
}

void open_pipe(int flags)
{
	int fds[2];

	EQUAL(sys_pipe2(U(fds), flags), 0);
	reader = fds[0];
	writer = fds[1];
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{"paths", test_paths},
	{"symlinks", test_symlinks},
	{"open", test_open},
	{"read and write", test_read_write},
	{"sparse files", test_sparse},
	{"readv and writev", test_vectors},
	{"link and unlink", test_links},
	{"rename", test_rename},
	{"directories", test_directories},
	{"pipes", test_pipes},
	{"full pipes", test_full_pipes},
	{"poll and select", test_poll},
	{"sendfile", test_sendfile},
	{"descriptor tables", test_descriptors},
	{"attributes", test_attributes},
	{"proc", test_proc},
	{"proc, descriptors", test_proc_fds},
	{"devices", test_devices},
	{"block devices", test_block},
	{"terminal", test_terminal},
	{"job control", test_job_control},
	{"cpio archives", test_cpio},
	{"damaged cpio archives", test_bad_cpio},
	{"allocations refused", test_no_memory},
};

int main(void)
{
	u32 failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%zu\n", ARRAY_SIZE(tests));
	world_start();
	for (u32 i = 0; i < ARRAY_SIZE(tests); i++) {
		u32 before = failures;

		tests[i].run();
		printf("%sok %u - %s\n", failures > before ? "not " : "", i + 1, tests[i].name);
		failed += failures > before;
	}
	return failed != 0;
}
