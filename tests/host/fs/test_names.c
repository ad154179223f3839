/* Paths, symlinks, opening, links, renaming, listing. */
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

void test_paths(void)
{
	char longer[PATH_MAX + 10];

	EQUAL(sys_mkdir(U("/d"), 0777), 0);
	EQUAL(sys_mkdir(U("/d"), 0777), -EEXIST);
	EQUAL(sys_mkdir(U("/d/e/"), 0777), 0);
	EQUAL(sys_mkdir(U("/x/y"), 0777), -ENOENT);
	EQUAL(sys_mkdir(U("/"), 0777), -EEXIST);
	EQUAL(sys_mkdir(U("/d/.."), 0777), -EEXIST);
	EQUAL(sys_mkdir(U(""), 0777), -ENOENT);
	EQUAL(sys_mkdir(BAD, 0777), -EFAULT);
	TRUE((stat_of("/d").mode & 0777) == 0755);
	make("/d/f", "text");
	EQUAL(sys_mkdir(U("/d/f/g"), 0777), -ENOTDIR);
	EQUAL(open_("/d/f/", O_RDONLY), -ENOTDIR);
	EQUAL(open_("/d/f/.", O_RDONLY), -ENOTDIR);
	TRUE(same(contents("/d/e/../f"), "text"));
	TRUE(same(contents("//d//.//e///..//f"), "text"));
	TRUE(same(contents("/../../d/f"), "text"));
	EQUAL(sys_chdir(U("/d/e")), 0);
	TRUE(same(contents("../f"), "text"));
	EQUAL(sys_chdir(U("../f")), -ENOTDIR);
	EQUAL(sys_getcwd(U(longer), 4), -ERANGE);
	EQUAL(sys_getcwd(U(longer), 5), 5);
	TRUE(same(longer, "/d/e"));
	EQUAL(sys_rmdir(U("/d/e")), 0);
	EQUAL(sys_getcwd(U(longer), 100), -ENOENT);
	EQUAL(open_("new", O_CREAT | O_RDWR), -ENOENT);
	EQUAL(sys_chdir(U("..")), 0);
	EQUAL(sys_getcwd(U(longer), 100), 3);
	EQUAL(sys_chdir(U("/")), 0);
	memset(longer, 'a', sizeof(longer));
	longer[256] = '\0';
	EQUAL(open_(longer, O_CREAT), -ENAMETOOLONG);
	longer[255] = '\0';
	EQUAL(open_(longer, O_RDONLY), -ENOENT);
	longer[255] = 'a';
	longer[sizeof(longer) - 1] = '\0';
	EQUAL(open_(longer, O_RDONLY), -ENAMETOOLONG);
	for (u32 i = 0; i + 1 < PATH_MAX; i += 2)
		memcpy(longer + i, "./", 2);
	longer[PATH_MAX - 1] = '\0';
	EQUAL(sys_access(U(longer), 0), 0);
	EQUAL(sys_unlink(U("/d/f")), 0);
	EQUAL(sys_rmdir(U("/d")), 0);
}

void test_symlinks(void)
{
	char name[16], target[16];

	EQUAL(sys_mkdir(U("/s"), 0777), 0);
	make("/s/file", "hello");
	EQUAL(sys_symlink(U("file"), U("/s/link")), 0);
	EQUAL(sys_symlink(U("file"), U("/s/link")), -EEXIST);
	EQUAL(sys_symlink(U(""), U("/s/empty")), -ENOENT);
	EQUAL(sys_symlink(U("x"), U("/s/new/")), -ENOENT);
	EQUAL(sys_symlink(U("/s"), U("/s/dir")), 0);
	EQUAL(sys_symlink(U("nowhere"), U("/s/dangling")), 0);
	TRUE(same(link_text("/s/link"), "file"));
	EQUAL(sys_readlink(U("/s/link"), U(name), 2), 2);
	EQUAL(sys_readlink(U("/s/link"), U(name), 0), -EINVAL);
	EQUAL(sys_readlink(U("/s/file"), U(name), 4), -EINVAL);
	EQUAL(sys_readlink(U("/s/link"), BAD, 4), -EFAULT);
	EQUAL(sys_readlink(U(""), U(name), 4), -ENOENT);
	TRUE(same(contents("/s/dir/dir/link"), "hello"));
	EQUAL(open_("/s/link/", O_RDONLY), -ENOTDIR);
	EQUAL(open_("/s/link", O_RDONLY | O_NOFOLLOW), -ELOOP);
	EQUAL(open_("/s/dangling", O_RDONLY), -ENOENT);
	EQUAL(open_("/s/dangling", O_RDONLY | O_CREAT | O_EXCL), -EEXIST);
	EQUAL(sys_mkdir(U("/s/dangling"), 0777), -EEXIST);
	make("/s/dangling", "made");
	TRUE(same(contents("/s/nowhere"), "made"));
	TRUE((stat_of("/s/dir/").mode & S_IFMT) == S_IFDIR);
	TRUE((stat_of("/s/dir").mode & S_IFMT) == S_IFLNK);
	EQUAL(stat_of("/s/dir").size, 2);
	EQUAL(sys_symlink(U("loop"), U("/s/loop")), 0);
	EQUAL(open_("/s/loop", O_RDONLY), -ELOOP);
	EQUAL(open_("/s/loop/x", O_RDONLY), -ELOOP);
	EQUAL(open_("/s/loop", O_CREAT | O_RDWR), -ELOOP);
	for (int i = 0; i < 41; i++) { /* chain of 41 links; 40 may be followed */
		snprintf(name, sizeof(name), "/s/c%d", i);
		snprintf(target, sizeof(target), i ? "c%d" : "file", i - 1);
		EQUAL(sys_symlink(U(target), U(name)), 0);
	}
	TRUE(same(contents("/s/c39"), "hello"));
	EQUAL(open_("/s/c40", O_RDONLY), -ELOOP);
	EQUAL(sys_symlink(U("/"), U("/s/root")), 0);
	TRUE(same(contents("/s/root/s/root/s/file"), "hello"));
	EQUAL(sys_access(U("/s/root"), 0), 0);
	EQUAL(sys_rmdir(U("/s/root/")), -ENOTDIR);
}

void test_open(void)
{
	struct stat_start stat;
	int fd, dir;

	EQUAL(sys_mkdir(U("/o"), 0777), 0);
	make("/o/f", "0123456789");
	EQUAL(open_("/o/f", O_CREAT | O_EXCL | O_RDWR), -EEXIST);
	EQUAL(open_("/o", O_WRONLY), -EISDIR);
	EQUAL(open_("/o", O_RDONLY | O_TRUNC), -EISDIR);
	EQUAL(open_("/o", O_CREAT), -EISDIR);
	EQUAL(open_("/o/", O_CREAT | O_RDWR), -EISDIR);
	EQUAL(open_("/o/new/", O_CREAT | O_RDWR), -EISDIR);
	EQUAL(open_("/o/f", O_DIRECTORY), -ENOTDIR);
	EQUAL(open_("/o/g", O_RDWR), -ENOENT);
	EQUAL(open_("/proc/new", O_CREAT | O_RDWR), -EACCES);
	fd = open_("/o/f", O_RDONLY);
	EQUAL(sys_write(fd, U("x"), 1), -EBADF);
	EQUAL(sys_ftruncate(fd, 1), -EINVAL);
	EQUAL(sys_close(fd), 0);
	EQUAL(sys_close(fd), -EBADF);
	EQUAL(sys_read(fd, U(&fd), 1), -EBADF);
	EQUAL(sys_read(-1, U(&fd), 1), -EBADF);
	fd = open_("/o/f", O_WRONLY);
	EQUAL(sys_read(fd, U(&dir), 1), -EBADF);
	EQUAL(sys_close(fd), 0);
	dir = open_("/o", O_RDONLY | O_DIRECTORY);
	EQUAL(sys_read(dir, U(&fd), 1), -EISDIR);
	EQUAL(sys_write(dir, U(&fd), 1), -EBADF);
	fd = (int)sys_openat(dir, U("f"), O_RDWR | O_CLOEXEC, 0);
	EQUAL(sys_fcntl(fd, 1, 0), 1);
	EQUAL(sys_fcntl(fd, 3, 0), 0100002);
	EQUAL(sys_openat(fd, U("f"), O_RDONLY, 0), -ENOTDIR);
	EQUAL(sys_openat(77, U("f"), O_RDONLY, 0), -EBADF);
	EQUAL(sys_openat(77, U("/o/nothing"), O_RDONLY, 0), -ENOENT);
	EQUAL(sys_fchdir(fd), -ENOTDIR);
	EQUAL(sys_close(fd), 0);
	fd = open_("/o/f", O_PATH);
	EQUAL(sys_read(fd, U(&dir), 1), -EBADF);
	EQUAL(sys_ioctl(fd, 0x5401, 0), -EBADF);
	EQUAL(sys_newfstatat(fd, U(""), U(&stat), AT_EMPTY_PATH), 0);
	EQUAL(sys_close(fd), 0);
	EQUAL(sys_close(dir), 0);
	EQUAL(open_("/dev/tty9", O_RDONLY), -ENOENT);
	EQUAL(open_("/o/f", O_TMPFILE), -EOPNOTSUPP);
}

void test_links(void)
{
	struct stat_start stat;
	char path[64];
	int fd;

	EQUAL(sys_mkdir(U("/l"), 0777), 0);
	make("/l/a", "one");
	EQUAL(sys_link(U("/l/a"), U("/l/b")), 0);
	EQUAL(sys_link(U("/l/a"), U("/l/b")), -EEXIST);
	EQUAL(sys_link(U("/l"), U("/m")), -EPERM);
	EQUAL(sys_link(U("/l/a"), U("/dev/a")), -EXDEV);
	EQUAL(sys_link(U("/l/a"), U("/l/new/")), -ENOENT);
	EQUAL(sys_link(U("/l/x"), U("/l/new")), -ENOENT);
	EQUAL((i64)stat_of("/l/a").nlink, 2);
	EQUAL((i64)stat_of("/l").nlink, 2);
	fd = open_("/l/a", O_RDWR);
	EQUAL(sys_unlink(U("/l/a")), 0);
	TRUE(same(contents("/l/b"), "one"));
	EQUAL(sys_unlink(U("/l/b")), 0);
	EQUAL(sys_unlink(U("/l/b")), -ENOENT);
	EQUAL(sys_fstat(fd, U(&stat)), 0);
	EQUAL((i64)stat.nlink, 0);
	EQUAL(sys_write(fd, U("two"), 3), 3);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	TRUE(same(link_text(path), "/l/a (deleted)"));
	TRUE(same(contents(path), "two"));
	EQUAL(sys_linkat(AT_FDCWD, U(path), AT_FDCWD, U("/l/c"), AT_SYMLINK_FOLLOW), -ENOENT);
	EQUAL(sys_close(fd), 0);
	EQUAL(sys_unlink(U("/l")), -EISDIR);
	EQUAL(sys_mkdir(U("/l/d"), 0777), 0);
	EQUAL((i64)stat_of("/l").nlink, 3);
	EQUAL(sys_rmdir(U("/l")), -ENOTEMPTY);
	EQUAL(sys_rmdir(U("/l/d/.")), -EINVAL);
	EQUAL(sys_rmdir(U("/l/d/..")), -ENOTEMPTY);
	EQUAL(sys_rmdir(U("/")), -EBUSY);
	EQUAL(sys_rmdir(U("/proc")), -EBUSY);
	EQUAL(sys_unlink(U("/l/d/.")), -EISDIR);
	EQUAL(sys_unlink(U("/l/d/")), -EISDIR);
	make("/l/f", "");
	EQUAL(sys_rmdir(U("/l/f")), -ENOTDIR);
	EQUAL(sys_unlink(U("/l/f/")), -ENOTDIR);
	EQUAL(sys_unlinkat(AT_FDCWD, U("/l/d"), AT_REMOVEDIR), 0);
	EQUAL(sys_unlinkat(AT_FDCWD, U("/l/f"), 1), -EINVAL);
	EQUAL(sys_unlink(U("/l/f")), 0);
	EQUAL(sys_rmdir(U("/l")), 0);
}

void test_rename(void)
{
	EQUAL(sys_mkdir(U("/r"), 0777), 0);
	EQUAL(sys_mkdir(U("/r/d"), 0777), 0);
	EQUAL(sys_mkdir(U("/r/e"), 0777), 0);
	make("/r/f", "f");
	make("/r/d/g", "g");
	EQUAL(sys_rename(U("/r/x"), U("/r/y")), -ENOENT);
	EQUAL(sys_rename(U("/r/f"), U("/r/x/y")), -ENOENT);
	EQUAL(sys_rename(U("/r/f"), U("/r/d")), -EISDIR);
	EQUAL(sys_rename(U("/r/d"), U("/r/f")), -ENOTDIR);
	EQUAL(sys_rename(U("/r/e"), U("/r/d")), -ENOTEMPTY);
	EQUAL(sys_rename(U("/r/d"), U("/r/d/h")), -EINVAL);
	EQUAL(sys_rename(U("/r/d"), U("/r/d")), 0);
	EQUAL(sys_rename(U("/r/d/g"), U("/r/d")), -ENOTEMPTY);
	EQUAL(sys_rename(U("/r/d/g"), U("/r")), -ENOTEMPTY);
	EQUAL(sys_rename(U("/r/."), U("/r/z")), -EBUSY);
	EQUAL(sys_rename(U("/r/f"), U("/dev/f")), -EXDEV);
	EQUAL(sys_rename(U("/r/f/"), U("/r/z")), -ENOTDIR);
	EQUAL(sys_rename(U("/r/f"), U("/r/z/")), -ENOTDIR);
	EQUAL(sys_rename(U("/r"), U("/proc")), -EBUSY);
	EQUAL(sys_rename(U("/r/f"), U("/r/d/g")), 0);
	TRUE(same(contents("/r/d/g"), "f"));
	EQUAL(sys_access(U("/r/f"), 0), -ENOENT);
	EQUAL(sys_rename(U("/r/d"), U("/r/e")), 0);
	TRUE(same(contents("/r/e/g"), "f"));
	EQUAL((i64)stat_of("/r").nlink, 3);
	EQUAL(sys_chdir(U("/r/e")), 0);
	EQUAL(sys_rename(U("/r/e"), U("/moved/")), 0);
	TRUE(same(contents("../moved/g"), "f"));
	TRUE(same(link_text("/proc/self/cwd"), "/moved"));
	EQUAL((i64)stat_of("/r").nlink, 2);
	EQUAL(sys_chdir(U("/")), 0);
	make("/r/n", "n");
	EQUAL(sys_renameat2(AT_FDCWD, U("/r/n"), AT_FDCWD, U("/moved/g"), 1), -EEXIST);
	EQUAL(sys_link(U("/r/n"), U("/r/m")), 0);
	EQUAL(sys_rename(U("/r/n"), U("/r/m")), 0); /* two names of one file: nothing happens */
	EQUAL((i64)stat_of("/r/n").nlink, 2);
}

void test_directories(void)
{
	_Alignas(8) char buffer[64];
	char name[32];
	int fd;

	EQUAL(sys_mkdir(U("/g"), 0777), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "/g/%d", i);
		make(name, "");
	}
	for (int i = 5; i < 1000; i++) {
		snprintf(name, sizeof(name), "/g/%d", i);
		EQUAL(sys_unlink(U(name)), 0);
	}
	fd = open_("/g", O_RDONLY);
	EQUAL(sys_getdents64(fd, U(buffer), 20), -EINVAL);
	EQUAL(sys_getdents64(fd, BAD, 1000), -EFAULT);
	TRUE(same(names(fd, 4096), ". .. 0 1 2 3 4 "));
	EQUAL(sys_lseek(fd, 0, 0), 0);
	TRUE(same(names(fd, 24), ". .. 0 1 2 3 4 "));
	EQUAL(sys_lseek(fd, 0, 0), 0);
	EQUAL(sys_getdents64(fd, U(buffer), 64), 48);
	EQUAL(sys_getdents64(fd, U(buffer), 24), 24);
	EQUAL(sys_unlink(U("/g/0")), 0);
	EQUAL(sys_unlink(U("/g/1")), 0);
	make("/g/new", "");
	TRUE(same(names(fd, 64), "2 3 4 new "));
	for (int i = 2; i < 5; i++) {
		snprintf(name, sizeof(name), "/g/%d", i);
		EQUAL(sys_unlink(U(name)), 0);
	}
	EQUAL(sys_unlink(U("/g/new")), 0);
	EQUAL(sys_rmdir(U("/g")), 0);
	EQUAL(sys_getdents64(fd, U(buffer), 64), -ENOENT);
	EQUAL(sys_close(fd), 0);
	fd = open_("/dev/null", O_RDONLY);
	EQUAL(sys_getdents64(fd, U(buffer), 64), -ENOTDIR);
	EQUAL(sys_close(fd), 0);
}
