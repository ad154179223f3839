/* Descriptors and names of files. Structures and flags are Linux's own (libc/include), so each is
 * one call. */

#include "libc/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* newlib's rename() calls this name. */
int _rename(const char *from, const char *to);

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list list;
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
	}
	return (int)CALL(SYS_open, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list list;
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
	}
	return (int)CALL(SYS_openat, directory, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int close(int fd)
{
	return (int)CALL(SYS_close, fd);
}

ssize_t read(int fd, void *to, size_t bytes)
{
	return CALL(SYS_read, fd, to, bytes);
}

ssize_t write(int fd, const void *from, size_t bytes)
{
	return CALL(SYS_write, fd, from, bytes);
}

ssize_t pread(int fd, void *to, size_t bytes, off_t offset)
{
	return CALL(SYS_pread64, fd, to, bytes, offset);
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t offset)
{
	return CALL(SYS_pwrite64, fd, from, bytes, offset);
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
	return CALL(SYS_readv, fd, parts, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	return CALL(SYS_writev, fd, parts, count);
}

ssize_t vmsplice(int fd, const struct iovec *parts, size_t count, unsigned flags)
{
	return CALL(SYS_vmsplice, fd, parts, count, flags);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t bytes)
{
	return CALL(SYS_sendfile, to, from, offset, bytes);
}

off_t lseek(int fd, off_t offset, int whence)
{
	return CALL(SYS_lseek, fd, offset, whence);
}

int fsync(int fd)
{
	return (int)CALL(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return (int)CALL(SYS_fdatasync, fd);
}

void sync(void)
{
	RAW(SYS_sync);
}

int ftruncate(int fd, off_t length)
{
	return (int)CALL(SYS_ftruncate, fd, length);
}

int truncate(const char *path, off_t length)
{
	return (int)CALL(SYS_truncate, path, length);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	return (int)CALL(SYS_fallocate, fd, mode, offset, length);
}

int dup(int fd)
{
	return (int)CALL(SYS_dup, fd);
}

int dup2(int fd, int to)
{
	return (int)CALL(SYS_dup2, fd, to);
}

int dup3(int fd, int to, int flags)
{
	return (int)CALL(SYS_dup3, fd, to, flags);
}

int pipe(int ends[2])
{
	return (int)CALL(SYS_pipe, ends);
}

int pipe2(int ends[2], int flags)
{
	return (int)CALL(SYS_pipe2, ends, flags);
}

int fcntl(int fd, int command, ...)
{
	va_list list;

	va_start(list, command);
	long argument = va_arg(list, long);
	va_end(list);
	return (int)CALL(SYS_fcntl, fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;

	va_start(list, request);
	long argument = va_arg(list, long);
	va_end(list);
	return (int)CALL(SYS_ioctl, fd, request, argument);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	return (int)CALL(SYS_poll, fds, count, timeout_ms);
}

int select(int limit, fd_set *readable, fd_set *writable, fd_set *exceptional,
	   struct timeval *timeout)
{
	return (int)CALL(SYS_select, limit, readable, writable, exceptional, timeout);
}

int stat(const char *restrict path, struct stat *restrict status)
{
	return (int)CALL(SYS_stat, path, status);
}

int lstat(const char *restrict path, struct stat *restrict status)
{
	return (int)CALL(SYS_lstat, path, status);
}

int fstat(int fd, struct stat *status)
{
	return (int)CALL(SYS_fstat, fd, status);
}

int fstatat(int directory, const char *restrict path, struct stat *restrict status, int flags)
{
	return (int)CALL(SYS_newfstatat, directory, path, status, flags);
}

int access(const char *path, int mode)
{
	return (int)CALL(SYS_access, path, mode);
}

int chmod(const char *path, mode_t mode)
{
	return (int)CALL(SYS_chmod, path, mode);
}

int fchmod(int fd, mode_t mode)
{
	return (int)CALL(SYS_fchmod, fd, mode);
}

int chown(const char *path, uid_t owner, gid_t group)
{
	return (int)CALL(SYS_chown, path, owner, group);
}

mode_t umask(mode_t mask)
{
	return (mode_t)CALL(SYS_umask, mask);
}

int mkdir(const char *path, mode_t mode)
{
	return (int)CALL(SYS_mkdir, path, mode);
}

int mknod(const char *path, mode_t mode, dev_t device)
{
	return (int)CALL(SYS_mknod, path, mode, device);
}

int rmdir(const char *path)
{
	return (int)CALL(SYS_rmdir, path);
}

int unlink(const char *path)
{
	return (int)CALL(SYS_unlink, path);
}

int unlinkat(int directory, const char *path, int flags)
{
	return (int)CALL(SYS_unlinkat, directory, path, flags);
}

int link(const char *target, const char *path)
{
	return (int)CALL(SYS_link, target, path);
}

int symlink(const char *target, const char *path)
{
	return (int)CALL(SYS_symlink, target, path);
}

ssize_t readlink(const char *restrict path, char *restrict to, size_t size)
{
	return CALL(SYS_readlink, path, to, size);
}

int _rename(const char *from, const char *to)
{
	return (int)CALL(SYS_rename, from, to);
}

int chdir(const char *path)
{
	return (int)CALL(SYS_chdir, path);
}

int fchdir(int fd)
{
	return (int)CALL(SYS_fchdir, fd);
}

char *getcwd(char *to, size_t size)
{
	if (to && size == 0) {
		errno = EINVAL;
		return NULL;
	}
	/* Without a place to put it, the caller gets one from malloc(), as in glibc. */
	char *path = to ? to : malloc(PATH_MAX);
	if (!path)
		return NULL;
	if (CALL(SYS_getcwd, path, to ? size : PATH_MAX) < 0) {
		if (!to)
			free(path);
		return NULL;
	}
	return path;
}
