/* Descriptor tables and the attributes of inodes. */
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

void test_descriptors(void)
{
	struct process *parent = current_process(), *child;
	struct files *shared;
	char byte;
	int fd, other;

	make("/fdfile", "ab");
	fd = open_("/fdfile", O_RDWR);
	EQUAL(fd, 0);
	EQUAL(sys_dup(fd), 1);
	EQUAL(sys_dup2(fd, 1023), 1023);
	EQUAL(sys_dup2(fd, 1024), -EBADF);
	EQUAL(sys_dup2(fd, -1), -EBADF);
	EQUAL(sys_dup2(9, 9), -EBADF);
	EQUAL(sys_dup2(fd, fd), fd);
	EQUAL(sys_dup3(fd, fd, 0), -EINVAL);
	EQUAL(sys_dup3(fd, 5, O_CLOEXEC), 5);
	EQUAL(sys_fcntl(5, 1, 0), 1);
	EQUAL(sys_fcntl(fd, 0, 1024), -EINVAL);
	EQUAL(sys_fcntl(fd, 0, 1000), 1000);
	EQUAL(sys_fcntl(fd, 1030, 5), 6);
	EQUAL(sys_fcntl(fd, 77, 5), -EINVAL);
	EQUAL(sys_read(1023, U(&byte), 1), 1);
	EQUAL(sys_read(fd, U(&byte), 1), 1);
	TRUE(byte == 'b');
	shared = parent->files;
	child = world_fork();
	TRUE(child->files == shared && files_audit() == 0);
	EQUAL(sys_close(5), 0); /* the parent gets a table of its own */
	TRUE(parent->files != shared && child->files == shared && files_audit() == 0);
	world_run(child);
	EQUAL(sys_fcntl(5, 1, 0), 1);
	EQUAL(files_prepare_exec(), 0);
	files_close_on_exec();
	TRUE(child->files == shared && sys_fcntl(5, 1, 0) == -EBADF);
	other = (int)sys_dup(0);
	EQUAL(other, 2);
	world_run(parent);
	EQUAL(sys_fcntl(other, 1, 0), -EBADF);
	world_exit(child);
	TRUE(files_audit() == 0);
	while ((other = (int)sys_dup(0)) >= 0)
		EQUAL(other < 1024, 1);
	EQUAL(other, -EMFILE);
	EQUAL(sys_pipe2(U(&fd), 0), -EMFILE);
	EQUAL(sys_close_range(0, ~0u, 0), 0);
	EQUAL(files_next(parent->files, 0), -1);
	TRUE(files_audit() == 0);
}

void test_attributes(void)
{
	struct {
		i64 seconds, nanoseconds;
	} times[2] = {{1, 0}, {1234567, 0}};
	struct stat_start stat;
	i64 statfs[15];
	int fd;

	make("/attr", "x");
	EQUAL(sys_access(U("/attr"), 1), -EACCES);
	EQUAL(sys_chmod(U("/attr"), 04711), 0);
	EQUAL(stat_of("/attr").mode, S_IFREG | 04711);
	EQUAL(sys_access(U("/attr"), 7), 0);
	EQUAL(sys_access(U("/attr"), 8), -EINVAL);
	EQUAL(sys_chown(U("/attr"), 5, ~0u), 0);
	EQUAL(stat_of("/attr").uid, 5);
	EQUAL(stat_of("/attr").gid, 0);
	EQUAL(sys_utimensat(AT_FDCWD, U("/attr"), U(times), 0), 0);
	EQUAL(stat_of("/attr").rest[2], 1234567);
	times[1].nanoseconds = -1;
	EQUAL(sys_utimensat(AT_FDCWD, U("/attr"), U(times), 0), -EINVAL);
	fd = open_("/attr", O_RDONLY);
	EQUAL(sys_utimensat(fd, 0, 0, 0), 0);
	EQUAL(sys_fchmod(fd, 0600), 0);
	EQUAL(sys_fstat(fd, U(&stat)), 0);
	EQUAL(stat.mode, S_IFREG | 0600);
	EQUAL(sys_fstat(fd, BAD), -EFAULT);
	EQUAL(sys_fstatfs(fd, U(statfs)), 0);
	EQUAL(statfs[0], TMPFS_MAGIC);
	EQUAL(sys_statfs(U("/proc"), U(statfs)), 0);
	EQUAL(statfs[0], 0x9fa0);
	EQUAL(sys_fsync(fd), 0);
	EQUAL(sys_close(fd), 0);
	EQUAL(sys_umask(0777), 022);
	make("/attr2", "");
	EQUAL(stat_of("/attr2").mode, S_IFREG);
	EQUAL(sys_umask(022), 0777);
}
