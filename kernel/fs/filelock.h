/*
 * Advisory locks on files: those of fcntl(2) on ranges of bytes, and those of flock(2) on whole files.
 * The two kinds do not see each other.
 */
#pragma once

#include "mm/types.h"

struct inode;

#define F_RDLCK 0 /* fcntl(2) */
#define F_WRLCK 1
#define F_UNLCK 2

#define LOCK_END 0x7fffffffffffffffull /* the last byte that a file can have */

struct file_lock {
	struct file_lock *next; /* in its inode's list; guarded by filelock.c */
	const void *owner;      /* a process; or an open file, for flock and F_OFD_SETLK */
	u32 pid;                /* of the process that is the owner; 0: it is an open file */
	bool whole;             /* flock's kind */
	i16 type;               /* F_ constant */
	u64 first, last;        /* bytes */
};

/*
 * Gives the owner what `wanted` says, in place of what it has of these bytes; F_UNLCK takes that away.
 * wait: until nobody else's lock is in the way. -EAGAIN (!wait), -EINTR, -EDEADLK (processes would wait in
 * a circle), -ENOLCK (memory is out, nothing has changed). The caller has a ref of inode.
 */
int file_lock(struct inode *inode, const struct file_lock *wanted, bool wait);

/* Puts into *lock some lock of another owner that would be in its way; type F_UNLCK if there is none. */
void file_lock_query(struct inode *inode, struct file_lock *lock);

/* Whether there are any at all: a cheap question. */
bool file_locks_in_use(void);

/* Takes away all that owner has locked of inode. Before the owner goes, and for a process whenever it
 * closes a descriptor of the file. */
void file_unlock_all(struct inode *inode, const void *owner);
