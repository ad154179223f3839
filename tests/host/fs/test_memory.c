/* Unpacking archives, good and bad; and everything with allocations refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/fs/files.h"
#include "kernel/fs/io.h"
#include "kernel/fs/user_path.h"
#include "mm/frame.h"
#include "mm/object.h"
#include "mm/tree.h"
#include "tests/host/fs/fs_test.h"

/* ---- cpio ---- */

struct archive {
	char at[8192];
	size_t bytes;
};

static void add(struct archive *archive, const char *name, u32 mode, u32 ino, u32 links,
		const char *data)
{
	size_t length = strlen(data);

	archive->bytes += (size_t)sprintf(
		archive->at + archive->bytes,
		"070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", ino, mode, 0, 0,
		links, 1000, (u32)length, 0, 0, 0, 0, (u32)strlen(name) + 1, 0);
	archive->bytes += (size_t)sprintf(archive->at + archive->bytes, "%s", name) + 1;
	while (archive->bytes % 4)
		archive->at[archive->bytes++] = '\0';
	memcpy(archive->at + archive->bytes, data, length);
	archive->bytes += length;
	while (archive->bytes % 4)
		archive->at[archive->bytes++] = '\0';
}

static struct archive make_archive(void)
{
	struct archive archive = {{0}, 0};

	add(&archive, ".", S_IFDIR | 0755, 1, 2, "");
	add(&archive, "./cp/a/deep/file", S_IFREG | 0751, 2, 1, "some text");
	add(&archive, "/cp/link", S_IFLNK | 0777, 3, 1, "a/deep/file");
	add(&archive, "cp/one", S_IFREG | 0644, 4, 2, "");
	add(&archive, "cp/two", S_IFREG | 0644, 4, 2, "linked");
	add(&archive, "cp/a", S_IFDIR | 0700, 5, 2, "");
	add(&archive, "TRAILER!!!", 0, 0, 1, "");
	return archive;
}

/* An archive in memory of exactly its size, so that ASan sees any byte read beyond. */
static int unpack(const struct archive *archive, size_t bytes)
{
	void *exact = malloc(bytes ? bytes : 1);
	int error;

	memcpy(exact, archive->at, bytes);
	error = cpio_unpack(exact, bytes);
	free(exact);
	return error;
}

void test_cpio(void)
{
	struct archive archive = make_archive();
	size_t first = archive.bytes;

	EQUAL(unpack(&archive, archive.bytes), 0);
	TRUE(same(contents("/cp/link"), "some text"));
	EQUAL(stat_of("/cp/a/deep/file").mode, S_IFREG | 0751);
	EQUAL(stat_of("/cp/a").mode, S_IFDIR | 0700);
	EQUAL(stat_of("/cp/a/deep").mode, S_IFDIR | 0755);
	TRUE(same(contents("/cp/one"), "linked"));
	EQUAL((i64)stat_of("/cp/one").nlink, 2);
	EQUAL(stat_of("/cp/one").rest[2], 1000);
	memset(archive.at + archive.bytes, 0,
	       500); /* a second one behind it, with padding between */
	archive.bytes += 500;
	add(&archive, "cp/link", S_IFREG | 0600, 9, 1, "now a file");
	add(&archive, "cp/a", S_IFREG | 0600, 9, 1, "a directory is in the way");
	add(&archive, "TRAILER!!!", 0, 0, 1, "");
	EQUAL(unpack(&archive, archive.bytes), 0);
	TRUE(same(contents("/cp/link"), "now a file"));
	TRUE(same(contents("/cp/a/deep/file"), "some text"));
	TRUE(unpack(&archive, first - 200) == -EINVAL);
	EQUAL(unpack(&archive, 0), 0);
}

void test_bad_cpio(void)
{
	struct archive good = make_archive(), bad;

	srand(1);
	host_quiet(true); /* there are thousands of messages */
	for (size_t bytes = 0; bytes < good.bytes; bytes++)
		unpack(&good, bytes);
	for (int i = 0; i < 20000; i++) {
		bad = good;
		for (int n = rand() % 4; n >= 0; n--)
			bad.at[(size_t)rand() % bad.bytes] =
				(char)(rand() % 3 ? "0f/.8"[rand() % 5] : rand());
		unpack(&bad, bad.bytes);
	}
	host_quiet(false);
}

/* Everything once, so that refused allocations hit it all. */
static void everything(void)
{
	struct poll_entry pollfd = {0, POLLIN, 0};
	struct archive archive = make_archive();
	char buffer[256];
	int fd, fds[2];

	sys_mkdir(U("/all"), 0777);
	sys_symlink(U("/all"), U("/all/link"));
	fd = open_("/all/link/file", O_CREAT | O_RDWR);
	sys_write(fd, U("abc"), 3);
	sys_dup2(fd, 40);
	sys_link(U("/all/file"), U("/all/other"));
	sys_rename(U("/all/file"), U("/all/link/other2"));
	sys_rename(U("/all/other"), U("/all/other2"));
	sys_mkdir(U("/all/d"), 0777);
	sys_rename(U("/all/d"), U("/all/e"));
	contents("/proc/self/status");
	link_text("/proc/self/fd/0");
	sys_getdents64(open_("/all", O_RDONLY), U(buffer), sizeof(buffer));
	if (!sys_pipe2(U(fds), O_NONBLOCK)) {
		sys_write(fds[1], U("x"), 1);
		sys_read(fds[0], U(buffer), 1);
	}
	sys_poll(U(&pollfd), 1, 0);
	sys_getcwd(U(buffer), sizeof(buffer));
	unpack(&archive, archive.bytes);
}

static void remove_tree(const char *path)
{
	_Alignas(8) char buffer[4096];
	char name[512];
	int fd = open_(path, O_RDONLY | O_DIRECTORY);
	i64 got;

	while (fd >= 0 && (got = sys_getdents64(fd, U(buffer), sizeof(buffer))) > 0) {
		for (i64 at = 0; at < got;) {
			struct dirent_start *entry = (void *)(buffer + at);

			at += entry->bytes;
			if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
				continue;
			snprintf(name, sizeof(name), "%.200s/%.255s", path, entry->name);
			if (entry->type == S_IFDIR >> 12)
				remove_tree(name);
			else
				EQUAL(sys_unlink(U(name)), 0);
		}
	}
	if (fd >= 0)
		EQUAL(sys_close(fd), 0);
	sys_rmdir(U(path));
}

/* All of it in a process of its own, with the nth allocation refused: of the heap's, or of frames.
 */
static void without_memory(u64 nth, bool of_frames)
{
	struct process *parent = current_process(), *child = world_fork();

	world_run(child);
	if (of_frames)
		frames_fail_nth(nth);
	else
		world_fail(nth);
	everything();
	frames_fail_nth(0);
	world_fail(0);
	world_run(parent);
	world_exit(child);
	remove_tree("/all");
	remove_tree("/cp");
}

void test_no_memory(void)
{
	u64 allocations, frames;

	remove_tree("/cp");
	allocations = world_allocations();
	frames = frames_free();
	host_quiet(true);
	for (u64 nth = 1; nth < 400; nth++) {
		without_memory(nth, false);
		without_memory(nth % 20, true);
		EQUAL((i64)world_allocations(), (i64)allocations);
		EQUAL((i64)frames_free(), (i64)frames);
		EQUAL((i64)files_audit(), 0);
	}
	host_quiet(false);
}
