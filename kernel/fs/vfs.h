/*
 * Files: inodes (what a name leads to), open files (a position in one), and the operations each
 * kind provides. There is one tree of names: the RAM file system at /, with /proc, /sys and /dev mounted
 * on directories of it.
 */
#pragma once

#include "kernel/usercopy.h"
#include "mm/list.h"
#include "mm/machine.h"
#include "mm/types.h"

/* Linux's file modes (stat(2)), open flags (open(2)) and poll bits (poll(2)). */
#define S_IFMT  0170000u
#define S_IFREG 0100000u
#define S_IFBLK 0060000u
#define S_IFDIR 0040000u
#define S_IFLNK 0120000u
#define S_IFCHR 0020000u
#define S_IFIFO 0010000u

static inline bool is_dir(u32 mode)
{
	return (mode & S_IFMT) == S_IFDIR;
}

static inline bool is_regular(u32 mode)
{
	return (mode & S_IFMT) == S_IFREG;
}

static inline bool is_block_device(u32 mode)
{
	return (mode & S_IFMT) == S_IFBLK;
}

static inline bool is_fifo(u32 mode)
{
	return (mode & S_IFMT) == S_IFIFO;
}

static inline bool is_symlink(u32 mode)
{
	return (mode & S_IFMT) == S_IFLNK;
}

#define O_ACCMODE   3u
#define O_RDONLY    0u
#define O_WRONLY    1u
#define O_RDWR      2u
#define O_CREAT     0100u
#define O_EXCL      0200u
#define O_NOCTTY    0400u
#define O_TRUNC     01000u
#define O_APPEND    02000u
#define O_NONBLOCK  04000u
#define O_DIRECTORY 0200000u
#define O_NOFOLLOW  0400000u
#define O_CLOEXEC   02000000u
#define O_PATH      010000000u
#define O_TMPFILE   020000000u

#define FALLOC_KEEP_SIZE  1u /* fallocate(2) */
#define FALLOC_PUNCH_HOLE 2u

#define POLLIN   1
#define POLLOUT  4
#define POLLERR  8
#define POLLHUP  16
#define POLLNVAL 32

#define PATH_MAX 4096
#define NAME_MAX 255

struct inode;
struct file;
struct io;
struct object;
struct file_lock;

#define TMPFS_MAGIC 0x01021994u

/* One of the file systems; each inode belongs to one. */
struct filesystem {
	const char *name;  /* its type, as /proc/mounts tells it */
	const char *place; /* where it is mounted */
	u32 magic;         /* statfs(2) */
	u32 dev;           /* device number that stat(2) gives */
};

/* One entry, as readdir hands it out: return false when there is no room for it. */
typedef bool (*dirent_fn)(void *context, const char *name, size_t length, u64 ino, u32 mode,
			  u64 next);

/*
 * What a kind of inode can do; NULL = it cannot (the errno is given below). Names are
 * NUL-terminated, without '/'. Functions that return an inode return it with one ref that the
 * caller owns. All may sleep.
 */
struct inode_ops {
	int (*lookup)(struct inode *dir, const char *name, struct inode **found); /* ENOTDIR */
	/* A regular file, a directory, a named pipe or a device node, by mode; rdev: its numbers. EACCES */
	int (*create)(struct inode *dir, const char *name, u32 mode, u32 rdev, struct inode **made);
	int (*symlink)(struct inode *dir, const char *name, const char *target); /* EACCES */
	int (*link)(struct inode *dir, const char *name, struct inode *target);  /* EACCES */
	int (*unlink)(struct inode *dir, const char *name,
		      bool want_dir); /* EACCES; rmdir: want_dir */
	int (*rename)(struct inode *dir, const char *name, struct inode *to,
		      const char *as);                               /* EACCES */
	i64 (*readlink)(struct inode *inode, char *to, size_t size); /* EINVAL */
	int (*follow)(struct inode *link,
		      struct inode **to); /* leads there at once; NULL: by readlink's text */
	int (*readdir)(struct inode *dir, u64 from, dirent_fn emit, void *context); /* ENOTDIR */
	int (*open)(struct inode *inode, struct file *file); /* nothing to do */
	void (*release)(struct file *file); /* the last ref of an open file is gone */
	/* Move up to to->left bytes (kernel/fs/io.h) and return how many; what is not moved is not
	 * consumed. */
	i64 (*read)(struct file *file, struct io *to, u64 offset);    /* EINVAL */
	i64 (*write)(struct file *file, struct io *from, u64 offset); /* EINVAL */
	i64 (*ioctl)(struct file *file, u64 request, u64 argument);   /* ENOTTY */
	int (*poll)(struct file *file); /* POLL bits that hold now; NULL: always POLLIN | POLLOUT */
	int (*truncate)(struct inode *inode, u64 size); /* EINVAL */
	/* Of what has offsets, an end, and no object: its bytes, beyond which lseek does not go. NULL: 0 */
	u64 (*size)(const struct file *file);
	int (*sync)(struct file *file); /* fsync(2); NULL: nothing to do */
	/* fallocate(2), arguments checked. EOPNOTSUPP */
	int (*allocate)(struct inode *inode, u32 mode, u64 offset, u64 length);
	void (*destroy)(
		struct inode *inode); /* the last ref is gone: free what private and object hold */
	bool stream;                  /* there are no offsets: lseek and pread give ESPIPE */
};

/* Since 1970, as in timespec. */
struct inode_time {
	i64 seconds, ns;
};

struct inode {
	_Atomic u32 refs;
	u32 mode; /* S_IF bits and permissions */
	u64 ino;
	u32 links;
	u32 uid, gid;
	u32 rdev; /* device numbers: major << 8 | minor */
	struct inode_time accessed, modified,
		changed; /* read or listed; its bytes or entries; anything of it */
	u64 size;        /* of a symlink: its text's bytes; of a regular file see object */
	const struct inode_ops *ops;
	const struct filesystem *fs;
	struct object *object; /* contents of a regular file, which mmap and exec map; else NULL */
	struct file_lock *locks; /* advisory ones (kernel/fs/filelock.c) */
	struct inode *mounted;   /* root of the file system mounted here, or NULL */
	void *private;
	/* guarded by names_lock: */
	struct inode
		*parent; /* of a directory: the one above, the root its own; others: where it was
			  * made, a hint; one ref, but for the root's of itself; NULL for a pipe */
	char *name;      /* in parent, for /proc/PID/maps and getcwd; owned; NULL for the root */
	bool unlinked;   /* (parent, name) does not lead here any more */
};

struct file {
	_Atomic u32 refs; /* descriptor tables' entries that point at it, and system calls that use
			     it */
	u32 expected;     /* the audit's own count of refs */
	u32 flags;        /* O_ flags it was opened with, less the creation flags */
	struct rwlock
		position;    /* of a file with offsets: held by a call that uses and moves offset */
	u64 offset;          /* guarded by position */
	struct inode *inode; /* one ref */
	void *private;
};

/*
 * Guards the tree of names: every inode's parent, name and unlinked, and the entries of RAM
 * directories. Its holders neither touch user memory nor sleep otherwise, so they hold it briefly.
 */
extern struct rwlock names_lock;

/*
 * A new inode with one ref, no parent and the next inode number, at the start of a structure of
 * bytes (at least sizeof(struct inode)), the rest cleared; NULL when memory is out.
 */
struct inode *inode_create(size_t bytes, u32 mode, const struct inode_ops *ops,
			   const struct filesystem *fs);
/* Gives inode a place among the names: takes a ref of parent and copies name. -ENOMEM. locked:
 * names_lock, or the inode is not known to anybody else. */
int inode_set_place(struct inode *inode, struct inode *parent, const char *name);
/* Of an inode that has no place, such as a pipe's: what its path reads as. locked: it is not known to
 * anybody else. -ENOMEM */
int inode_set_name(struct inode *inode, const char *name);
void inode_get(struct inode *inode);
/* Drops a ref; the last one frees the inode, and perhaps a chain of directories that only it kept.
 */
void inode_put(struct inode *inode);
void file_get(struct file *file);
void file_put(struct file *file);

/* The inode whose contents object holds, with one more ref; NULL: anonymous memory, or a file
 * deleted meanwhile, of which object->label tells. */
struct inode *object_inode(struct object *object);

/* What /proc/PID/maps says of a file that is gone but for its mappings. */
struct object_label {
	u64 ino;
	u32 dev;
	bool placed; /* it had a place among names */
	char path[];
};

/* An open file on inode (takes a ref of its own), its open operation called. */
int file_create(struct inode *inode, u32 flags, struct file **file);

static inline bool file_readable(const struct file *file)
{
	u32 access = file->flags & O_ACCMODE;

	return !(file->flags & O_PATH) && (access == O_RDONLY || access == O_RDWR);
}

static inline bool file_writable(const struct file *file)
{
	u32 access = file->flags & O_ACCMODE;

	return !(file->flags & O_PATH) && (access == O_WRONLY || access == O_RDWR);
}

/* Resolves a path for the current process. follow: also a symlink in the last place. -ENOENT,
 * -ENOTDIR, -ELOOP, … */
int path_lookup(const char *path, bool follow, struct inode **found);

/* Writes inode's absolute path to to[size], " (deleted)" appended as Linux does; returns its
 * length, or 0 (and an empty string) when it does not fit. */
size_t inode_path(struct inode *inode, char *to, size_t size);

/* The directory / of all processes. */
extern struct inode *fs_root;

struct inode_time fs_now(void);

/* Put down that this happened to it now: its bytes or entries changed; only what else is told of it did; it was
 * read, which is put down once after each change and once a day (relatime, mount(8)). */
void inode_modified(struct inode *inode);
void inode_changed(struct inode *inode);
void inode_accessed(struct inode *inode);

/* Boot, after the heap and the clock: makes the RAM file system and mounts /proc, /sys and /dev in it.
 * Needs no process. */
void fs_init(void);

/* Unpacks a cpio archive (newc) at fs_root: 0, or -EINVAL or -ENOMEM with a message in the log;
 * what was unpacked before stays. */
int cpio_unpack(const void *archive, size_t bytes);
