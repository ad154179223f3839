/* Reading, writing, pipes, poll, select, sendfile. */
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

void test_read_write(void)
{
	char text[32] = {0}, *end = user_edge();
	int fd;

	EQUAL(sys_mkdir(U("/rw"), 0777), 0);
	fd = open_("/rw/f", O_CREAT | O_RDWR);
	EQUAL(sys_write(fd, U("hello world"), 11), 11);
	EQUAL(sys_lseek(fd, 0, 1), 11);
	EQUAL(sys_lseek(fd, -12, 1), -EINVAL);
	EQUAL(sys_lseek(fd, -5, 2), 6);
	EQUAL(sys_lseek(fd, 0, 9), -EINVAL);
	EQUAL(sys_read(fd, U(text), 32), 5);
	TRUE(same(text, "world"));
	EQUAL(sys_read(fd, U(text), 32), 0);
	EQUAL(sys_pread64(fd, U(text), 5, 0), 5);
	TRUE(same(text, "hello"));
	EQUAL(sys_pread64(fd, U(text), 5, -1), -EINVAL);
	EQUAL(sys_pwrite64(fd, U("J"), 1, 0), 1);
	EQUAL(sys_lseek(fd, 0, 1), 11);
	EQUAL(sys_read(fd, BAD, 0), 0);
	EQUAL(sys_lseek(fd, 0, 0), 0);
	EQUAL(sys_read(fd, BAD, 5), -EFAULT);
	EQUAL(sys_read(fd, ~0ul - 2, 5), -EFAULT);
	EQUAL(sys_read(fd, U(text), ~0ul), -EFAULT);
	EQUAL(sys_read(fd, U(end - 3), 10), 3);
	TRUE(memcmp(end - 3, "Jel", 3) == 0);
	EQUAL(sys_lseek(fd, 0, 1), 3);
	EQUAL(sys_write(fd, BAD, 5), -EFAULT);
	EQUAL(stat_of("/rw/f").size, 11);
	EQUAL(sys_pwrite64(fd, BAD, 5, 100000), -EFAULT);
	EQUAL(stat_of("/rw/f").size, 11);
	memcpy(end - 2, "OK", 2);
	EQUAL(sys_pwrite64(fd, U(end - 2), 8, 10), 2);
	EQUAL(stat_of("/rw/f").size, 12);
	TRUE(same(contents("/rw/f"), "Jello worlOK"));
	EQUAL(sys_pwrite64(fd, U("x"), 1, 0x7fffffffffffffff), -EFBIG);
	EQUAL(sys_lseek(fd, 0x7fffffffffffffff, 1), -EOVERFLOW);
	EQUAL(sys_close(fd), 0);
	EQUAL(sys_truncate(U("/rw/f"), 3), 0);
	EQUAL(sys_truncate(U("/rw/f"), 6), 0);
	TRUE(memcmp(contents("/rw/f"), "Jel\0\0\0", 7) == 0);
	EQUAL(sys_truncate(U("/rw"), 6), -EISDIR);
	EQUAL(sys_truncate(U("/rw/f"), -6), -EINVAL);
	fd = open_("/rw/f", O_WRONLY | O_APPEND);
	EQUAL(sys_write(fd, U("AB"), 2), 2);
	EQUAL(sys_lseek(fd, 0, 1), 8);
	EQUAL(sys_lseek(fd, 0, 0), 0);
	EQUAL(sys_write(fd, U("C"), 1), 1);
	EQUAL(sys_lseek(fd, 0, 1), 9);
	EQUAL(stat_of("/rw/f").size, 9);
	EQUAL(sys_close(fd), 0);
}

void test_sparse(void)
{
	u64 frames = frames_free();
	char page[4096];
	int fd;

	EQUAL(sys_mkdir(U("/sp"), 0777), 0);
	fd = open_("/sp/f", O_CREAT | O_RDWR);
	EQUAL(sys_pwrite64(fd, U("end"), 3, 1l << 40), 3);
	EQUAL(stat_of("/sp/f").size, (1l << 40) + 3);
	EQUAL(stat_of("/sp/f").blocks, 8);
	memset(page, 1, sizeof(page));
	EQUAL(sys_pread64(fd, U(page), 4096, 1l << 30), 4096);
	TRUE(page[0] == 0 && page[4095] == 0);
	EQUAL(stat_of("/sp/f").blocks, 8);
	EQUAL(sys_pread64(fd, U(page), 4096, (1l << 40) - 1), 4);
	TRUE(memcmp(page, "\0end", 4) == 0);
	EQUAL(sys_lseek(fd, 5, 3), 5);
	EQUAL(sys_lseek(fd, 5, 4), (1l << 40) + 3);
	EQUAL(sys_lseek(fd, 1l << 41, 3), -ENXIO);
	EQUAL(sys_ftruncate(fd, 0), 0);
	EQUAL(sys_unlink(U("/sp/f")), 0);
	EQUAL(sys_write(fd, U("x"), 1), 1);
	EQUAL(sys_close(fd), 0);
	EQUAL(frames_free(), (i64)frames);
}

void test_vectors(void)
{
	char a[4] = {0}, b[8] = {0};
	struct iovec out[] = {{U("abc"), 3}, {BAD, 0}, {U("defgh"), 5}};
	struct iovec in[] = {{U(a), 3}, {U(b), 8}};
	struct iovec bad[] = {{U("12"), 2}, {BAD, 5}};
	struct iovec negative[] = {{U("12"), 2}, {U("12"), 1ul << 63}};
	int fd;

	EQUAL(sys_mkdir(U("/v"), 0777), 0);
	fd = open_("/v/f", O_CREAT | O_RDWR);
	EQUAL(sys_writev(fd, U(out), 3), 8);
	EQUAL(sys_lseek(fd, 0, 0), 0);
	EQUAL(sys_readv(fd, U(in), 2), 8);
	TRUE(same(a, "abc") && same(b, "defgh"));
	EQUAL(sys_writev(fd, U(bad), 2), 2);
	EQUAL(sys_writev(fd, U(bad + 1), 1), -EFAULT);
	EQUAL(sys_writev(fd, U(negative), 2), -EINVAL);
	EQUAL(sys_writev(fd, U(out), 1025), -EINVAL);
	EQUAL(sys_writev(fd, BAD, 1), -EFAULT);
	EQUAL(sys_writev(fd, U(out), 0), 0);
	EQUAL(sys_preadv(fd, U(in), 2, 1), 9);
	TRUE(same(a, "bcd") && same(b, "efgh12"));
	EQUAL(sys_close(fd), 0);
	EQUAL(sys_readv(fd, U(in), 2), -EBADF);
}

static i64 woken;

static void write_one(void)
{
	woken = sys_write(writer, U("!"), 1);
}

static void drain(void)
{
	static char buffer[8192];

	woken = sys_read(reader, U(buffer), sizeof(buffer));
	TRUE(woken > 0);
}

static void close_writer(void)
{
	EQUAL(sys_close(writer), 0);
}

void test_pipes(void)
{
	u64 frames = frames_free();
	char buffer[64] = {0};
	char *end = user_edge();

	EQUAL(sys_pipe2(BAD, 0), -EFAULT);
	EQUAL(sys_pipe2(U(buffer), 1), -EINVAL);
	EQUAL(files_next(current_process()->files, 0), -1);
	open_pipe(0);
	EQUAL(sys_write(reader, U("x"), 1), -EBADF);
	EQUAL(sys_read(writer, U(buffer), 1), -EBADF);
	EQUAL(sys_lseek(reader, 0, 0), -ESPIPE);
	EQUAL(sys_pread64(reader, U(buffer), 1, 0), -ESPIPE);
	EQUAL(sys_fcntl(reader, 1032, 0), 65536);
	EQUAL(sys_read(reader, U(buffer), 0), 0);
	EQUAL(sys_read(reader, U(buffer), 1), -EINTR);
	EQUAL(sys_write(writer, U("hello"), 5), 5);
	EQUAL(sys_read(reader, BAD, 5), -EFAULT);
	EQUAL(sys_read(reader, U(end - 2), 5), 2);
	EQUAL(sys_write(writer, BAD, 5), -EFAULT);
	EQUAL(sys_read(reader, U(buffer), 64), 3);
	TRUE(same(buffer, "llo"));
	world_sleeps = write_one;
	EQUAL(sys_read(reader, U(buffer), 64), 1);
	TRUE(buffer[0] == '!' && woken == 1);
	world_sleeps = close_writer;
	EQUAL(sys_read(reader, U(buffer), 64), 0);
	world_sleeps = NULL;
	EQUAL(sys_close(reader), 0);
	open_pipe(0);
	EQUAL(sys_close(reader), 0);
	world_signals();
	EQUAL(sys_write(writer, U("x"), 0), 0);
	EQUAL((i64)world_signals(), 0);
	EQUAL(sys_write(writer, U("x"), 1), -EPIPE);
	EQUAL((i64)world_signals(), SIGNAL_BIT(SIGPIPE));
	EQUAL(sys_close(writer), 0);
	EQUAL(frames_free(), (i64)frames);
}

void test_full_pipes(void)
{
	static char big[70000], back[70000];
	u64 frames = frames_free();

	for (u32 i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 256);
	open_pipe(O_NONBLOCK);
	EQUAL(sys_read(reader, U(back), 1), -EAGAIN);
	EQUAL(sys_write(writer, U(big), 70000), 65536);
	EQUAL(sys_write(writer, U(big), 1), -EAGAIN);
	EQUAL(sys_read(reader, U(back), 100), 100);
	EQUAL(sys_write(writer, U(big), 101), -EAGAIN);     /* not in one piece */
	EQUAL(sys_write(writer, U(big + 65536), 100), 100); /* the first page holds both ends now */
	EQUAL(sys_read(reader, U(back + 100), 4000), 4000);
	EQUAL(sys_read(reader, U(back + 4100), 70000), 61536);
	TRUE(memcmp(big, back, 65636) == 0);
	EQUAL(frames_free(), (i64)frames);
	for (u32 round = 0, at = 0; round < 3000; round++) { /* all ways to go round the ring */
		u32 bytes = round * 37 % 5000 + 1;

		EQUAL(sys_write(writer, U(big), bytes), bytes);
		at = bytes / 3;
		EQUAL(sys_read(reader, U(back), at), at);
		EQUAL(sys_read(reader, U(back + at), 70000), bytes - at);
		TRUE(memcmp(big, back, bytes) == 0);
	}
	EQUAL(sys_fcntl(reader, 4, 0), 0);
	EQUAL(sys_fcntl(writer, 4, 0), 0);
	world_sleeps = drain; /* a blocking writer gets all of it through */
	EQUAL(sys_write(writer, U(big), 70000), 70000);
	world_sleeps = NULL;
	EQUAL(sys_close(writer), 0);
	EQUAL(sys_close(reader), 0);
	EQUAL(frames_free(), (i64)frames);
}

void test_poll(void)
{
	struct poll_entry fds[3];
	u64 in[16] = {0}, out[16] = {0}, time[2] = {0, 0};

	open_pipe(0);
	fds[0] = (struct poll_entry) {reader, POLLIN, -1};
	fds[1] = (struct poll_entry) {writer, POLLOUT, -1};
	fds[2] = (struct poll_entry) {-1, POLLIN, -1};
	EQUAL(sys_poll(U(fds), 3, 0), 1);
	TRUE(fds[0].revents == 0 && fds[1].revents == POLLOUT && fds[2].revents == 0);
	EQUAL(sys_poll(U(fds), 1, 10), 0);
	EQUAL(sys_poll(U(fds), 1, -1), -EINTR);
	EQUAL(sys_poll(0, 0, 1), 0);
	EQUAL(sys_poll(BAD, 1, 0), -EFAULT);
	EQUAL(sys_poll(U(fds), 5000, 0), -EINVAL);
	world_sleeps = write_one;
	EQUAL(sys_poll(U(fds), 1, -1), 1);
	world_sleeps = NULL;
	EQUAL(fds[0].revents, POLLIN);
	EQUAL(sys_poll(U(fds), 1, -1), 1);
	in[0] = 1ul << reader;
	out[0] = 1ul << writer;
	EQUAL(sys_select(writer + 1, U(in), U(out), 0, U(time)), 2);
	TRUE(in[0] == 1ul << reader && out[0] == 1ul << writer);
	EQUAL(sys_close(writer), 0);
	EQUAL(sys_poll(U(fds), 2, 0), 2);
	TRUE(fds[0].revents == (POLLIN | POLLHUP) && fds[1].revents == POLLNVAL);
	EQUAL(sys_select(writer + 1, U(in), U(out), 0, U(time)), -EBADF);
	EQUAL(sys_close(reader), 0);
	open_pipe(0);
	fds[1] = (struct poll_entry) {writer, POLLOUT, 0};
	EQUAL(sys_close(reader), 0);
	EQUAL(sys_poll(U(fds + 1), 1, 0), 1);
	EQUAL(fds[1].revents, POLLOUT | POLLERR);
	EQUAL(sys_close(writer), 0);
}

void test_sendfile(void)
{
	static char text[50000];
	i64 offset = 10;
	int in, out;

	memset(text, 'q', sizeof(text) - 1);
	make("/send", text);
	in = open_("/send", O_RDONLY);
	out = open_("/sent", O_CREAT | O_RDWR);
	EQUAL(sys_sendfile(out, in, 0, 100000), 49999);
	EQUAL(sys_lseek(in, 0, 1), 49999);
	TRUE(strcmp(contents("/sent"), text) == 0);
	EQUAL(sys_sendfile(out, in, U(&offset), 5), 5);
	EQUAL(offset, 15);
	EQUAL(sys_sendfile(out, in, BAD, 5), -EFAULT);
	EQUAL(sys_sendfile(in, out, 0, 5), -EBADF);
	open_pipe(O_NONBLOCK);
	EQUAL(sys_lseek(in, 0, 0), 0);
	EQUAL(sys_sendfile(writer, in, 0, 60000), 49999);
	EQUAL(sys_sendfile(writer, reader, 0, 1), -EINVAL);
	EQUAL(sys_close_range(0, 1000, 0), 0);
}
