/* The RAM file system: directories, regular files, symlinks and device nodes that live in memory
 * alone. */
#pragma once

#include "kernel/fs/vfs.h"

/* The root directory of a new, empty RAM file system, its own parent; NULL when memory is out. */
struct inode *ramfs_create(const struct filesystem *fs);

/* inode_ops.create of its directories. */
int ramfs_make(struct inode *dir, const char *name, u32 mode, u32 rdev, struct inode **made);

/* A regular file without a name in any directory, one ref: its path reads as `shown`. NULL when memory
 * is out. */
struct inode *ramfs_make_nameless(const struct filesystem *fs, u32 mode, const char *shown);

/* The operations of a device node, by its mode and numbers (kernel/fs/dev.c). Unknown numbers: opening
 * gives ENXIO. */
const struct inode_ops *device_ops(u32 mode, u32 rdev);

/* A node of the RAM file system; embeds the inode, which comes first. Private to ramfs.c and
 * ramfile.c. */
struct ramfs_node {
	struct inode inode;
	union {
		struct directory *directory; /* guarded by names_lock */
		struct rwlock contents;      /* regular file: held by who writes or resizes */
		char *target;                /* symlink: its text, owned, never changed */
	};
};

static inline struct ramfs_node *ramfs_node(struct inode *inode)
{
	return container_of(inode, struct ramfs_node, inode);
}

/* Regular files. kernel/fs/ramfile.c */
extern const struct inode_ops ramfile_ops;
