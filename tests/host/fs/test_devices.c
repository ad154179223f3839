/* Devices, and the terminal above all. */
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

void test_devices(void)
{
	char buffer[16];
	int fd = open_("/dev/null", O_RDWR);

	EQUAL(sys_read(fd, U(buffer), 8), 0);
	EQUAL(sys_write(fd, BAD, 8), 8);
	EQUAL(sys_lseek(fd, 5, 0), 5);
	EQUAL(sys_ioctl(fd, 0x5401, U(buffer)), -ENOTTY);
	EQUAL(sys_ftruncate(fd, 0), -EINVAL);
	EQUAL(sys_close(fd), 0);
	fd = open_("/dev/zero", O_RDWR);
	memset(buffer, 1, sizeof(buffer));
	EQUAL(sys_read(fd, U(buffer), 16), 16);
	TRUE(buffer[0] == 0 && buffer[15] == 0);
	EQUAL(sys_read(fd, BAD, 8), -EFAULT);
	EQUAL(sys_close(fd), 0);
	fd = open_("/dev/full", O_RDWR);
	EQUAL(sys_write(fd, U("x"), 1), -ENOSPC);
	EQUAL(sys_close(fd), 0);
	fd = open_("/dev/urandom", O_RDONLY);
	EQUAL(sys_read(fd, U(buffer), 16), 16);
	TRUE(memcmp(buffer, "\0\0\0\0\0\0\0\0", 8) != 0);
	EQUAL(sys_close(fd), 0);
	fd = open_("/dev/kmsg", O_WRONLY);
	EQUAL(sys_write(fd, U("<6>a line\n"), 10), 10);
	EQUAL(sys_close(fd), 0);
	EQUAL((i64)stat_of("/dev/null").rdev, 0x103);
}

struct termios_ {
	u32 iflag, oflag, cflag, lflag;
	u8 line, cc[19];
};

static const char *line_of(int fd, size_t bytes)
{
	static char buffer[64];
	i64 got = sys_read(fd, U(buffer), bytes);

	if (got < 0)
		snprintf(buffer, sizeof(buffer), "error %ld", -got);
	else
		buffer[got] = '\0';
	return buffer;
}

void test_terminal(void)
{
	struct termios_ settings, raw;
	u16 size[4];
	int fd = open_("/dev/console", O_RDWR), number, tty;

	world_console();
	world_type("echo hi\r");
	TRUE(same(world_console(), "echo hi\r\n"));
	TRUE(same(line_of(fd, 64), "echo hi\n"));
	world_type("abx\177c\b\bdef ghi\027j\r");
	TRUE(same(line_of(fd, 64), "adef j\n"));
	world_console();
	world_type("gone\025\001\177x\n");
	TRUE(same(world_console(), "gone\b \b\b \b\b \b\b \b^A\b \b\b \bx\r\n"));
	TRUE(same(line_of(fd, 1), "x") && same(line_of(fd, 10), "\n"));
	world_type("one\ntwo\n");
	TRUE(same(line_of(fd, 64), "one\n") && same(line_of(fd, 64), "two\n"));
	world_type("ab\004");
	TRUE(same(line_of(fd, 2), "ab"));
	TRUE(same(line_of(fd, 64), "error 4"));
	world_type("\004");
	TRUE(same(line_of(fd, 64), ""));
	world_type("x\n");
	EQUAL(sys_read(fd, BAD, 5), -EFAULT);
	TRUE(same(line_of(fd, 64), "x\n"));
	world_signals();
	world_type("lost\003");
	EQUAL((i64)world_signals(), SIGNAL_BIT(SIGINT));
	world_type("\034\032");
	EQUAL((i64)world_signals(), SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGTSTP));
	TRUE(same(line_of(fd, 64), "error 4"));
	EQUAL(sys_ioctl(fd, 0x5401, U(&settings)), 0);
	EQUAL(sys_ioctl(fd, 0x5401, BAD), -EFAULT);
	raw = settings;
	raw.lflag = 0;
	raw.oflag = 0;
	world_type("par");
	EQUAL(sys_ioctl(fd, 0x5402, U(&raw)), 0);
	TRUE(same(line_of(fd, 64), "par"));
	world_console();
	world_type("\003x\r");
	TRUE(same(line_of(fd, 64), "\003x\n") && same(world_console(), ""));
	EQUAL(sys_write(fd, U("a\nb"), 3), 3);
	TRUE(same(world_console(), "a\nb"));
	raw.cc[6] = 0;
	EQUAL(sys_ioctl(fd, 0x5403, U(&raw)), 0);
	TRUE(same(line_of(fd, 64), ""));
	raw.cc[5] = 1;
	EQUAL(sys_ioctl(fd, 0x5403, U(&raw)), 0);
	TRUE(same(line_of(fd, 64), ""));
	world_type("dropped");
	EQUAL(sys_ioctl(fd, 0x541b, U(&number)), 0);
	EQUAL(number, 7);
	EQUAL(sys_ioctl(fd, 0x5404, U(&settings)), 0);
	EQUAL(sys_ioctl(fd, 0x541b, U(&number)), 0);
	EQUAL(number, 0);
	EQUAL(sys_write(fd, U("a\nb"), 3), 3);
	TRUE(same(world_console(), "a\r\nb"));
	EQUAL(sys_ioctl(fd, 0x5413, U(size)), 0);
	TRUE(size[0] == 25 && size[1] == 80);
	EQUAL(sys_lseek(fd, 0, 0), -ESPIPE);
	tty = open_("/dev/tty", O_RDWR); /* the session's leader has opened the console */
	TRUE(tty >= 0);
	EQUAL(sys_close(tty), 0);
	for (int i = 0; i < 5000; i++) /* more than there is room for */
		world_type("z");
	world_type("\n");
	world_console();
	for (number = 0; number < 4096;)
		number += (int)strlen(line_of(fd, 63));
	EQUAL(number, 4096);
	EQUAL(sys_close(fd), 0);
}

void test_job_control(void)
{
	struct process *first = current_process(), *child = world_fork();
	int fd = open_("/dev/console", O_RDWR), group;

	EQUAL(sys_ioctl(fd, 0x540f, U(&group)), 0);
	EQUAL(group, 1);
	world_exit(child);
	child = world_fork();
	child->pgid = child->pid;
	group = (int)child->pid;
	EQUAL(sys_ioctl(fd, 0x5410, U(&group)), 0);
	world_signals();
	EQUAL(sys_read(fd, U(&group), 1),
	      -EIO); /* the first process has nobody who could continue it */
	world_run(child);
	EQUAL(sys_read(fd, U(&group), 1), -EINTR);
	EQUAL((i64)world_signals(), 0);
	world_run(first);
	group = 1;
	EQUAL(sys_ioctl(fd, 0x5410, U(&group)), -EIO); /* nor may it take the terminal back, */
	current()->blocked = SIGNAL_BIT(SIGTTOU);
	EQUAL(sys_ioctl(fd, 0x5410, U(&group)), 0); /* unless it blocks the signal, as shells do */
	current()->blocked = 0;
	world_run(child);
	EQUAL(sys_read(fd, U(&group), 1), -EINTR);
	EQUAL((i64)world_signals(), SIGNAL_BIT(SIGTTIN));
	group = 55;
	EQUAL(sys_ioctl(fd, 0x5410, U(&group)), -EINTR);
	EQUAL((i64)world_signals(), SIGNAL_BIT(SIGTTOU));
	current()->blocked = SIGNAL_BIT(SIGTTOU);
	EQUAL(sys_ioctl(fd, 0x5410, U(&group)), -ESRCH);
	child->sid = child->pid;
	EQUAL(sys_ioctl(fd, 0x540f, U(&group)), -ENOTTY);
	EQUAL(open_("/dev/tty", O_RDWR), -ENXIO);
	EQUAL(sys_ioctl(fd, 0x540e, 0), -EPERM);
	EQUAL(sys_ioctl(fd, 0x540e, 1), 0);
	EQUAL(sys_ioctl(fd, 0x540f, U(&group)), 0);
	EQUAL(group, (i64)child->pid);
	EQUAL(sys_ioctl(fd, 0x5422, 0), 0);
	world_run(first);
	world_exit(child);
	EQUAL(sys_close(fd), 0);
}
