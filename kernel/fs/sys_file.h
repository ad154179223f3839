/*
 * The system calls on files, as kernel/syscall.c dispatches them: arguments as the program gave
 * them, results and errno as in Linux's manual, section 2. All may sleep.
 */
#pragma once

#include "kernel/usercopy.h"
#include "mm/types.h"

struct file;

/* kernel/sys_file.c: bytes in and out of open files */
i64 sys_read(int fd, uptr to, size_t bytes);
i64 sys_write(int fd, uptr from, size_t bytes);
i64 sys_readv(int fd, uptr segments, u64 count);
i64 sys_writev(int fd, uptr segments, u64 count);
i64 sys_pread64(int fd, uptr to, size_t bytes, i64 offset);
i64 sys_pwrite64(int fd, uptr from, size_t bytes, i64 offset);
i64 sys_preadv(int fd, uptr segments, u64 count, i64 offset);
i64 sys_pwritev(int fd, uptr segments, u64 count, i64 offset);
i64 sys_sendfile(int out, int in, uptr offset, size_t bytes);
i64 sys_lseek(int fd, i64 offset, int whence);
i64 sys_truncate(uptr path, i64 size);
i64 sys_ftruncate(int fd, i64 size);
i64 sys_fallocate(int fd, u32 mode, i64 offset, i64 length);
i64 sys_fsync(int fd); /* and fdatasync */
i64 sys_sync(void);
i64 sys_ioctl(int fd, u64 request, u64 argument);

/* kernel/sys_fd.c: descriptors */
i64 sys_open(uptr path, int flags, u32 mode);
i64 sys_openat(int dirfd, uptr path, int flags, u32 mode);
i64 sys_creat(uptr path, u32 mode);
i64 sys_close(int fd);
i64 sys_close_range(u32 first, u32 last, u32 flags);
i64 sys_dup(int fd);
i64 sys_dup2(int fd, int to);
i64 sys_dup3(int fd, int to, int flags);
i64 sys_memfd_create(uptr name, u32 flags);
i64 sys_pipe(uptr fds);
i64 sys_pipe2(uptr fds, int flags);
i64 sys_fcntl(int fd, u32 command, u64 argument);

/* kernel/sys_lock.c: advisory locks */
i64 sys_flock(int fd, int operation);
/* What fcntl(2) does to locks on ranges, described at `at`. by_file: the open file owns them (F_OFD_SETLK),
 * and not the process. */
enum lock_command { LOCK_QUERY, LOCK_TRY, LOCK_WAIT };
i64 lock_records(struct file *file, enum lock_command command, bool by_file, uptr at);

/* kernel/sys_path.c: names */
i64 sys_mkdir(uptr path, u32 mode);
i64 sys_mkdirat(int dirfd, uptr path, u32 mode);
i64 sys_mknod(uptr path, u32 mode, u32 dev);
i64 sys_mknodat(int dirfd, uptr path, u32 mode, u32 dev);
i64 sys_rmdir(uptr path);
i64 sys_unlink(uptr path);
i64 sys_unlinkat(int dirfd, uptr path, int flags);
i64 sys_rename(uptr from, uptr to);
i64 sys_renameat(int from_dirfd, uptr from, int to_dirfd, uptr to);
i64 sys_renameat2(int from_dirfd, uptr from, int to_dirfd, uptr to, u32 flags);
i64 sys_link(uptr from, uptr to);
i64 sys_linkat(int from_dirfd, uptr from, int to_dirfd, uptr to, int flags);
i64 sys_symlink(uptr target, uptr path);
i64 sys_symlinkat(uptr target, int dirfd, uptr path);

/* kernel/sys_dir.c: directories */
i64 sys_getdents64(int fd, uptr to, u32 bytes);
i64 sys_getcwd(uptr to, size_t bytes);
i64 sys_chdir(uptr path);
i64 sys_fchdir(int fd);

/* kernel/sys_stat.c: what inodes say, and their attributes */
i64 sys_stat(uptr path, uptr to);
i64 sys_lstat(uptr path, uptr to);
i64 sys_fstat(int fd, uptr to);
i64 sys_newfstatat(int dirfd, uptr path, uptr to, int flags);
i64 sys_statx(int dirfd, uptr path, int flags, u32 mask, uptr to);
i64 sys_statfs(uptr path, uptr to);
i64 sys_fstatfs(int fd, uptr to);
i64 sys_access(uptr path, int mode);
i64 sys_faccessat(int dirfd, uptr path, int mode);
i64 sys_faccessat2(int dirfd, uptr path, int mode, int flags);
i64 sys_readlink(uptr path, uptr to, int bytes);
i64 sys_readlinkat(int dirfd, uptr path, uptr to, int bytes);
i64 sys_chmod(uptr path, u32 mode);
i64 sys_fchmod(int fd, u32 mode);
i64 sys_fchmodat(int dirfd, uptr path, u32 mode);
i64 sys_chown(uptr path, u32 uid, u32 gid);
i64 sys_lchown(uptr path, u32 uid, u32 gid);
i64 sys_fchown(int fd, u32 uid, u32 gid);
i64 sys_fchownat(int dirfd, uptr path, u32 uid, u32 gid, int flags);
i64 sys_utimensat(int dirfd, uptr path, uptr times, int flags);
i64 sys_umask(u32 mask);

/* kernel/sys_poll.c: waiting for files */
i64 sys_poll(uptr fds, u64 count, int timeout);
i64 sys_ppoll(uptr fds, u64 count, uptr timeout, uptr mask, u64 size);
i64 sys_select(int count, uptr in, uptr out, uptr except, uptr timeout);
i64 sys_pselect6(int count, uptr in, uptr out, uptr except, uptr timeout, uptr mask);
