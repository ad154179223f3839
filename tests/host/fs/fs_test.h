/* What the tests of kernel/fs/ share: checks that print values, and short forms of the calls. */
#pragma once

#include "kernel/fs/user_path.h"
#include "tests/host/fs/world.h"

void check(bool good, const char *file, int line, const char *what, i64 got, i64 want);

#define EQUAL(expression, want)                                                     \
	do {                                                                        \
		i64 got_ = (expression), want_ = (want);                            \
		check(got_ == want_, __FILE__, __LINE__, #expression, got_, want_); \
	} while (0)
#define TRUE(expression) check((expression), __FILE__, __LINE__, #expression, 0, 1)

/* True when the texts are equal; else prints them. */
bool same(const char *a, const char *b);

/* What stat(2) writes, as far as it is looked at. */
struct stat_start {
	u64 dev, ino, nlink;
	u32 mode, uid, gid, unused;
	u64 rdev;
	i64 size, block_size, blocks;
	i64 rest[9];
};

struct dirent_start {
	u64 ino;
	i64 next;
	u16 bytes;
	u8 type;
	char name[];
};

struct poll_entry {
	i32 fd;
	i16 events, revents;
};

/* lstat(2), which has to succeed. */
struct stat_start stat_of(const char *path);

int open_(const char *path, u32 flags);

/* Makes a file that holds text. */
void make(const char *path, const char *text);

/* A file's or a link's text, in a buffer that the next call uses again. */
const char *contents(const char *path);
const char *link_text(const char *path);

/* All names of an open directory, each followed by a space, read size bytes at a time. */
const char *names(int fd, size_t size);

/* Makes a pipe: its ends are reader and writer. */
void open_pipe(int flags);
extern int reader, writer;

void test_paths(void);
void test_symlinks(void);
void test_open(void);
void test_read_write(void);
void test_sparse(void);
void test_vectors(void);
void test_links(void);
void test_rename(void);
void test_directories(void);
void test_pipes(void);
void test_full_pipes(void);
void test_poll(void);
void test_descriptors(void);
void test_proc(void);
void test_proc_fds(void);
void test_devices(void);
void test_block(void);
void test_terminal(void);
void test_job_control(void);
void test_attributes(void);
void test_sendfile(void);
void test_cpio(void);
void test_bad_cpio(void);
void test_no_memory(void);
