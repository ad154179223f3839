/* System calls that tell and set the attributes of inodes. Everyone is the superuser: permissions
 * are kept and shown, but only the execute bits ever refuse anything. */
#include "kernel/fs/files.h"
#include "kernel/fs/sys_file.h"
#include "kernel/fs/user_path.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/object.h"

#define KEEP_ID 0xffffffffu /* chown(2): -1 */

#define UTIME_NOW     0x3fffffff
#define UTIME_OMIT    0x3ffffffe
#define NS_PER_SECOND 1000000000

#define X_OK       1
#define AT_EACCESS 0x200

struct linux_stat {
	u64 dev, ino, nlink;
	u32 mode, uid, gid, unused0;
	u64 rdev;
	i64 size, block_size, blocks; /* blocks of 512 bytes */
	struct inode_time atime, mtime, ctime;
	i64 unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "Linux's struct stat, x86-64");
_Static_assert(offsetof(struct linux_stat, size) == 48, "Linux's struct stat, x86-64");
_Static_assert(offsetof(struct linux_stat, atime) == 72, "Linux's struct stat, x86-64");

#define STATX_BASIC_STATS 0x7ffu
#define STATX_RESERVED    0x80000000u
#define AT_STATX_SYNC     0x6000 /* a field of two bits, of which not both may be set */

struct statx_time {
	i64 seconds;
	u32 ns, unused;
};

struct linux_statx {
	u32 mask, block_size;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode, unused0;
	u64 ino, size, blocks, attributes_mask;
	struct statx_time atime, birth_time, ctime, mtime;
	u32 rdev_major, rdev_minor, dev_major, dev_minor;
	u64 unused[14];
};
_Static_assert(sizeof(struct linux_statx) == 256, "Linux's struct statx");
_Static_assert(offsetof(struct linux_statx, rdev_major) == 128, "Linux's struct statx");

struct linux_statfs {
	i64 type, block_size;
	u64 blocks, free, available, files, files_free;
	i32 id[2];
	i64 name_max, fragment_size, flags, unused[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "Linux's struct statfs, x86-64");

static i64 put_stat(const struct inode *inode, uptr to)
{
	const struct object *object = inode->object;
	struct linux_stat stat = {
		.dev = inode->fs->dev,
		.ino = inode->ino,
		.nlink = inode->links,
		.mode = inode->mode,
		.uid = inode->uid,
		.gid = inode->gid,
		.rdev = inode->rdev,
		.size = (i64)(object ? object->size : inode->size),
		.block_size = PAGE_SIZE,
		.blocks = object ? (i64)(object->pages * PAGE_SIZE / 512) : 0,
		.atime = inode->accessed,
		.mtime = inode->modified,
		.ctime = inode->changed,
	};

	return copy_to_user(to, &stat, sizeof(stat));
}

i64 sys_newfstatat(int dirfd, uptr path, uptr to, int flags)
{
	struct inode *inode;
	i64 result;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	result = user_lookup(dirfd, path, flags, &inode);
	if (result)
		return result;
	result = put_stat(inode, to);
	inode_put(inode);
	return result;
}

i64 sys_stat(uptr path, uptr to)
{
	return sys_newfstatat(AT_FDCWD, path, to, 0);
}

i64 sys_lstat(uptr path, uptr to)
{
	return sys_newfstatat(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}

/* The inode behind a descriptor, with a ref. any: also one opened with O_PATH. */
static int inode_of(int fd, bool any, struct inode **inode)
{
	struct file *file = any ? files_lookup_any(fd) : files_lookup(fd);

	if (!file)
		return -EBADF;
	*inode = file->inode;
	inode_get(*inode);
	file_put(file);
	return 0;
}

i64 sys_fstat(int fd, uptr to)
{
	struct inode *inode;
	i64 result = inode_of(fd, true, &inode);

	if (result)
		return result;
	result = put_stat(inode, to);
	inode_put(inode);
	return result;
}

static struct statx_time extended_time(struct inode_time time)
{
	return (struct statx_time) {time.seconds, (u32)time.ns, 0};
}

/* Everything is given, asked for or not. The time of birth is not kept. */
static i64 put_statx(const struct inode *inode, uptr to)
{
	const struct object *object = inode->object;
	struct linux_statx statx = {
		.mask = STATX_BASIC_STATS,
		.block_size = PAGE_SIZE,
		.nlink = inode->links,
		.uid = inode->uid,
		.gid = inode->gid,
		.mode = (u16)inode->mode,
		.ino = inode->ino,
		.size = object ? object->size : inode->size,
		.blocks = object ? object->pages * PAGE_SIZE / 512 : 0,
		.atime = extended_time(inode->accessed),
		.mtime = extended_time(inode->modified),
		.ctime = extended_time(inode->changed),
		.rdev_major = inode->rdev >> 8,
		.rdev_minor = inode->rdev & 0xff,
		.dev_minor = inode->fs->dev,
	};

	return copy_to_user(to, &statx, sizeof(statx));
}

i64 sys_statx(int dirfd, uptr path, int flags, u32 mask, uptr to)
{
	struct inode *inode;
	i64 result;

	if ((mask & STATX_RESERVED) || (flags & AT_STATX_SYNC) == AT_STATX_SYNC)
		return -EINVAL;
	flags &= ~AT_STATX_SYNC; /* there is nothing to bring up to date */
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	result = user_lookup(dirfd, path, flags, &inode);
	if (result)
		return result;
	result = put_statx(inode, to);
	inode_put(inode);
	return result;
}

static i64 put_statfs(const struct inode *inode, uptr to)
{
	struct linux_statfs statfs = {
		.type = inode->fs->magic,
		.block_size = PAGE_SIZE,
		.name_max = NAME_MAX,
		.fragment_size = PAGE_SIZE,
		.id = {(i32)inode->fs->dev, 0},
	};

	if (inode->fs->magic == TMPFS_MAGIC) {
		statfs.blocks = frames_total();
		statfs.free = statfs.available = frames_free();
	}
	return copy_to_user(to, &statfs, sizeof(statfs));
}

i64 sys_statfs(uptr path, uptr to)
{
	struct inode *inode;
	i64 result = user_lookup(AT_FDCWD, path, 0, &inode);

	if (result)
		return result;
	result = put_statfs(inode, to);
	inode_put(inode);
	return result;
}

i64 sys_fstatfs(int fd, uptr to)
{
	struct inode *inode;
	i64 result = inode_of(fd, true, &inode);

	if (result)
		return result;
	result = put_statfs(inode, to);
	inode_put(inode);
	return result;
}

i64 sys_faccessat2(int dirfd, uptr path, int mode, int flags)
{
	struct inode *inode;
	i64 result;

	if ((mode & ~7) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	result = user_lookup(dirfd, path, flags & ~AT_EACCESS, &inode);
	if (result)
		return result;
	if ((mode & X_OK) && !is_dir(inode->mode) && !(inode->mode & 0111))
		result = -EACCES;
	inode_put(inode);
	return result;
}

i64 sys_faccessat(int dirfd, uptr path, int mode)
{
	return sys_faccessat2(dirfd, path, mode, 0);
}

i64 sys_access(uptr path, int mode)
{
	return sys_faccessat(AT_FDCWD, path, mode);
}

static i64 read_link(struct inode *inode, uptr to, size_t bytes)
{
	char *text = kmalloc(PATH_MAX);
	i64 result;

	if (!text)
		return -ENOMEM;
	result = inode->ops->readlink(inode, text, MIN(bytes, PATH_MAX));
	if (result > 0 && copy_to_user(to, text, (size_t)result))
		result = -EFAULT;
	kfree(text);
	return result;
}

i64 sys_readlinkat(int dirfd, uptr path, uptr to, int bytes)
{
	struct inode *inode;
	i64 result;

	if (bytes <= 0)
		return -EINVAL;
	result = user_lookup(dirfd, path,
			     AT_SYMLINK_NOFOLLOW | (dirfd == AT_FDCWD ? 0 : AT_EMPTY_PATH), &inode);
	if (result)
		return result;
	result = inode->ops->readlink ? read_link(inode, to, (size_t)bytes) : -EINVAL;
	inode_put(inode);
	return result;
}

i64 sys_readlink(uptr path, uptr to, int bytes)
{
	return sys_readlinkat(AT_FDCWD, path, to, bytes);
}

/* Takes the inode's ref. */
static i64 set_mode(struct inode *inode, u32 mode)
{
	inode->mode = (inode->mode & S_IFMT) | (mode & 07777);
	inode_changed(inode);
	inode_put(inode);
	return 0;
}

i64 sys_fchmodat(int dirfd, uptr path, u32 mode)
{
	struct inode *inode;
	i64 error = user_lookup(dirfd, path, 0, &inode);

	return error ? error : set_mode(inode, mode);
}

i64 sys_chmod(uptr path, u32 mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

i64 sys_fchmod(int fd, u32 mode)
{
	struct inode *inode;
	i64 error = inode_of(fd, false, &inode);

	return error ? error : set_mode(inode, mode);
}

/* Takes the inode's ref. */
static i64 set_owner(struct inode *inode, u32 uid, u32 gid)
{
	if (uid != KEEP_ID)
		inode->uid = uid;
	if (gid != KEEP_ID)
		inode->gid = gid;
	inode_changed(inode);
	inode_put(inode);
	return 0;
}

i64 sys_fchownat(int dirfd, uptr path, u32 uid, u32 gid, int flags)
{
	struct inode *inode;
	i64 error;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	error = user_lookup(dirfd, path, flags, &inode);
	return error ? error : set_owner(inode, uid, gid);
}

i64 sys_chown(uptr path, u32 uid, u32 gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

i64 sys_lchown(uptr path, u32 uid, u32 gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

i64 sys_fchown(int fd, u32 uid, u32 gid)
{
	struct inode *inode;
	i64 error = inode_of(fd, false, &inode);

	return error ? error : set_owner(inode, uid, gid);
}

static bool valid_time(const struct inode_time *time)
{
	return time->ns == UTIME_NOW || time->ns == UTIME_OMIT ||
	       (time->ns >= 0 && time->ns < NS_PER_SECOND);
}

static void set_time(struct inode_time *time, const struct inode_time *to,
		     const struct inode_time *now)
{
	if (to->ns == UTIME_NOW)
		*time = *now;
	else if (to->ns != UTIME_OMIT)
		*time = *to;
}

static void set_times(struct inode *inode, const struct inode_time times[2])
{
	struct inode_time now = fs_now();

	set_time(&inode->accessed, &times[0], &now);
	set_time(&inode->modified, &times[1], &now);
	if (times[0].ns != UTIME_OMIT || times[1].ns != UTIME_OMIT)
		inode->changed = now;
}

i64 sys_utimensat(int dirfd, uptr path, uptr from, int flags)
{
	struct inode_time times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
	struct inode *inode;
	i64 error;

	if (from && copy_from_user(times, from, sizeof(times)))
		return -EFAULT;
	if (!valid_time(&times[0]) || !valid_time(&times[1]))
		return -EINVAL;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (path || dirfd == AT_FDCWD)
		error = user_lookup(dirfd, path, flags, &inode);
	else
		error = inode_of(dirfd, false, &inode);
	if (error)
		return error;
	set_times(inode, times);
	inode_put(inode);
	return 0;
}

i64 sys_umask(u32 mask)
{
	struct process *process = current_process();
	u32 old = process->umask;

	process->umask = mask & 0777;
	return old;
}
