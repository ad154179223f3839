/*
 * System calls on descriptors: opening, closing, duplicating, pipes, fcntl(2).
 *
 * A call that fails leaves no descriptor behind: what is made first is taken back.
 */
#include "kernel/fs/files.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/sys_file.h"
#include "kernel/fs/user_path.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/fs/ramfs.h"
#include "mm/errno.h"

#define F_DUPFD         0
#define F_GETFD         1
#define F_SETFD         2
#define F_GETFL         3
#define F_SETFL         4
#define F_GETLK         5 /* then F_SETLK, F_SETLKW */
#define F_OFD_GETLK     36
#define F_SETPIPE_SZ    1031
#define F_GETPIPE_SZ    1032
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC      1

#define O_LARGEFILE 0100000u /* F_GETFL shows it on a 64-bit kernel, whoever asked for it */
#define SETTABLE    (O_APPEND | O_NONBLOCK)

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

i64 sys_openat(int dirfd, uptr text, int flags, u32 mode)
{
	struct user_path path;
	struct file *file;
	i64 result = user_path(&path, dirfd, text);

	if (result)
		return result;
	mode = mode & 07777 & ~current_process()->umask;
	result = file_open_from(path.base, path.text, (u32)flags, mode, &file);
	user_path_end(&path);
	if (result)
		return result;
	result = files_install(file, 0, flags & (int)O_CLOEXEC);
	if (result < 0)
		file_put(file);
	return result;
}

i64 sys_open(uptr path, int flags, u32 mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

i64 sys_creat(uptr path, u32 mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

#define MEMFD_SHOWN    "/memfd:%s (deleted)"
#define MEMFD_NAME_MAX 249 /* bytes (memfd_create(2)) */
#define MFD_CLOEXEC    1u

/* An open file that has no name, and the descriptor for it. */
static i64 install_nameless(const char *shown, bool close_on_exec)
{
	struct inode *inode = ramfs_make_nameless(fs_root->fs, 0777, shown);
	struct file *file;
	i64 result;

	if (!inode)
		return -ENOMEM;
	result = file_create(inode, O_RDWR, &file);
	inode_put(inode);
	if (result)
		return result;
	result = files_install(file, 0, close_on_exec);
	if (result < 0)
		file_put(file);
	return result;
}

i64 sys_memfd_create(uptr name, u32 flags)
{
	char given[MEMFD_NAME_MAX + 1], shown[sizeof(MEMFD_SHOWN) + MEMFD_NAME_MAX];
	i64 length;

	if (flags & ~MFD_CLOEXEC)
		return -EINVAL;
	length = copy_string_from_user(given, name, sizeof(given));
	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : length;
	snprintf(shown, sizeof(shown), MEMFD_SHOWN, given);
	return install_nameless(shown, flags & MFD_CLOEXEC);
}

i64 sys_close(int fd)
{
	return files_remove(fd);
}

i64 sys_close_range(u32 first, u32 last, u32 flags)
{
	if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
		return -EINVAL;
	for (;;) {
		int fd = first < FILES_MAX ? files_next_own((int)first) : -1;
		int error;

		if (fd < 0 || (u32)fd > last)
			return 0;
		error = flags & CLOSE_RANGE_CLOEXEC ? files_set_close_on_exec(fd, true)
						    : files_remove(fd);
		if (error && error != -EBADF) /* another thread was faster */
			return error;
		first = (u32)fd + 1;
	}
}

static i64 duplicate(int fd, int from, bool close_on_exec)
{
	struct file *file = files_lookup_any(fd);
	i64 result;

	if (!file)
		return -EBADF;
	result = files_install(file, from, close_on_exec);
	if (result < 0)
		file_put(file);
	return result;
}

static i64 duplicate_to(int fd, int to, bool close_on_exec)
{
	struct file *file = files_lookup_any(fd);
	i64 result;

	if (!file)
		return -EBADF;
	result = files_replace(file, to, close_on_exec);
	if (result < 0)
		file_put(file);
	return result;
}

i64 sys_dup(int fd)
{
	return duplicate(fd, 0, false);
}

i64 sys_dup2(int fd, int to)
{
	if (fd == to)
		return files_get_close_on_exec(fd) < 0 ? -EBADF : fd;
	return duplicate_to(fd, to, false);
}

i64 sys_dup3(int fd, int to, int flags)
{
	if (((u32)flags & ~O_CLOEXEC) || fd == to)
		return -EINVAL;
	return duplicate_to(fd, to, flags);
}

/* Installs both ends, or neither. Takes their refs if it does. */
static i64 install_ends(struct file *ends[2], int fds[2], bool close_on_exec)
{
	fds[0] = files_install(ends[0], 0, close_on_exec);
	if (fds[0] < 0) {
		file_put(ends[0]);
		file_put(ends[1]);
		return fds[0];
	}
	fds[1] = files_install(ends[1], 0, close_on_exec);
	if (fds[1] < 0) {
		files_remove(fds[0]);
		file_put(ends[1]);
		return fds[1];
	}
	return 0;
}

i64 sys_pipe2(uptr to, int flags)
{
	struct file *ends[2];
	int fds[2];
	i64 error;

	if ((u32)flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	error = pipe_create((u32)flags & O_NONBLOCK, ends);
	if (!error)
		error = install_ends(ends, fds, flags & (int)O_CLOEXEC);
	if (error)
		return error;
	error = copy_to_user(to, fds, sizeof(fds));
	if (error) {
		files_remove(fds[1]);
		files_remove(fds[0]);
	}
	return error;
}

i64 sys_pipe(uptr to)
{
	return sys_pipe2(to, 0);
}

static i64 pipe_size(const struct file *file)
{
	return is_pipe(file->inode) ? (i64)PIPE_BYTES : -EBADF;
}

/* Every pipe has the one size: asking for less gives more, as allowed; more is over the limit. */
static i64 set_pipe_size(const struct file *file, u64 bytes)
{
	if (!is_pipe(file->inode))
		return -EBADF;
	return bytes > PIPE_BYTES ? -EPERM : (i64)PIPE_BYTES;
}

static i64 file_fcntl(struct file *file, u32 command, u64 argument)
{
	if (command == F_GETFL)
		return file->flags |
		       ((file->flags & O_PATH) || is_pipe(file->inode) ? 0 : O_LARGEFILE);
	if (file->flags & O_PATH)
		return -EBADF;
	switch (command) {
	case F_SETFL:
		file->flags = (file->flags & ~SETTABLE) | (argument & SETTABLE);
		return 0;
	case F_GETPIPE_SZ:
		return pipe_size(file);
	case F_SETPIPE_SZ:
		return set_pipe_size(file, argument);
	case F_GETLK ... F_GETLK + LOCK_WAIT:
		return lock_records(file, command - F_GETLK, false, argument);
	case F_OFD_GETLK ... F_OFD_GETLK + LOCK_WAIT:
		return lock_records(file, command - F_OFD_GETLK, true, argument);
	default:
		return -EINVAL;
	}
}

i64 sys_fcntl(int fd, u32 command, u64 argument)
{
	struct file *file = files_lookup_any(fd);
	i64 result;

	if (!file)
		return -EBADF;
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (argument >= files_limit())
			result = -EINVAL;
		else
			result = duplicate(fd, (int)argument, command == F_DUPFD_CLOEXEC);
		break;
	case F_GETFD:
		result = files_get_close_on_exec(fd);
		break;
	case F_SETFD:
		result = files_set_close_on_exec(fd, argument & FD_CLOEXEC);
		break;
	default:
		result = file_fcntl(file, command, argument);
	}
	file_put(file);
	return result;
}
