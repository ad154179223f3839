/*
 * Walking a path, component by component.
 *
 * A walk stops before the last component, so that the caller decides what that one means: a name to
 * be looked up, made or removed. Everything before it is resolved: '.', '..', mounts and symlinks.
 */
#pragma once

#include "kernel/fs/vfs.h"

#define MAX_SYMLINKS 40 /* that one walk follows, as on Linux */

enum last_kind {
	LAST_NAME,
	LAST_DOT,
	LAST_DOTDOT,
	LAST_ROOT, /* the path is all slashes */
};

struct walk {
	struct inode *at;        /* directory that holds the last component, one ref */
	enum last_kind kind;     /* what the last component is */
	char name[NAME_MAX + 1]; /* and its text */
	bool slash;              /* slashes follow it: it has to be a directory */
	/* private to path.c: */
	const char *rest; /* of the path, from the next component on */
	char *expanded;   /* buffer that rest points into once a symlink was followed */
	u32 symlinks;     /* followed so far */
};

/*
 * Walks path (kept by the caller until walk_end) up to its last component. base: where a relative
 * path begins, NULL = the working directory of the current process. On an error (-ENOENT, -ENOTDIR,
 * -ELOOP, -ENAMETOOLONG, -ENOMEM) there is nothing to end. May sleep.
 */
int walk_start(struct walk *walk, struct inode *base, const char *path);

/* The inode that the last component names, a symlink not followed, with one ref. -ENOENT, -ENOTDIR.
 */
int walk_last(struct walk *walk, struct inode **found);

/*
 * The last component is the symlink `link`: walks on up to the last component of what it points at.
 * Returns 1 with *found set, one ref, when the link leads to an inode at once (procfs). On an error
 * the walk must still be ended.
 */
int walk_follow(struct walk *walk, struct inode *link, struct inode **found);

void walk_end(struct walk *walk);

/* path_lookup() (kernel/fs/vfs.h) from base, as in walk_start(). */
int path_lookup_from(struct inode *base, const char *path, bool follow, struct inode **found);

/* open(2) from base, as in walk_start(). mode has the umask already applied. */
int file_open_from(struct inode *base, const char *path, u32 flags, u32 mode, struct file **file);

/* -ETXTBSY when a process executes inode, so that it may not be opened for writing or truncated;
 * else 0. */
int inode_deny_busy_text(struct inode *inode);

/*
 * A walk whose last component is to become a new name: -EEXIST for '.', '..' and '/', or when the
 * name is there already; -ENOENT when slashes follow it and it is not to be a directory.
 */
int walk_to_new(struct walk *walk, struct inode *base, const char *path, bool directory);
