/* A path as a system call gets it: a descriptor to start from, and a string in user memory. */
#pragma once

#include "kernel/fs/path.h"
#include "kernel/usercopy.h"

#define AT_FDCWD            (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_REMOVEDIR        0x200
#define AT_SYMLINK_FOLLOW   0x400
#define AT_NO_AUTOMOUNT     0x800
#define AT_EMPTY_PATH       0x1000

struct user_path {
	char *text;
	struct inode *base; /* one ref; NULL = the working directory */
};

/* -EFAULT, -ENAMETOOLONG, -ENOMEM, -EBADF (a relative path, and dirfd is not open): nothing to end.
 * Else the caller calls user_path_end(). An empty path is allowed here; a walk refuses it. */
int user_path(struct user_path *path, int dirfd, uptr text);
void user_path_end(struct user_path *path);

/* Looks the path up. flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH (an empty path is dirfd itself, of
 * any kind). */
int user_lookup(int dirfd, uptr text, int flags, struct inode **found);
