/*
 * /proc, between its parts: the tree of entries (procfs.c) and what the entries say (proc_system.c,
 * proc_process.c, proc_maps.c).
 *
 * The functions that make text run to their end without sleeping, so the process they are given,
 * and its mm, stay: on one CPU an mm's lock is never contended, as no one sleeps while holding it.
 * More CPUs will need a ref of the mm.
 */
#pragma once

#include "kernel/fs/text.h"
#include "kernel/fs/vfs.h"
#include "mm/mm.h"

struct process;

/* What a name in /proc is; one of show, link, follow and children is set. */
struct proc_entry {
	const char *name;
	u32 mode;
	/* A file's text, or a symlink's; process is NULL outside of /proc/PID. */
	void (*show)(struct text *text, struct process *process);
	/* Write: takes the text, NUL-terminated; 0 or an error. NULL: cannot be written (EACCES on
	 * opening). */
	int (*store)(const char *text);
	/* A symlink that leads to an inode: *to gets one ref. -ENOENT. fd: for /proc/PID/fd/N. */
	int (*follow)(struct process *process, int fd, struct inode **to);
	/* A directory: entries until one without a name, and the inode number of the first. */
	const struct proc_entry *children;
	u32 first_ino;
};

extern const struct filesystem procfs;

extern const struct proc_entry proc_system_entries[];  /* of /proc itself */
extern const struct proc_entry proc_process_entries[]; /* of /proc/PID */
extern const struct proc_entry proc_fd_entry;          /* every /proc/PID/fd/N */

/* The root of /proc; NULL when memory is out. */
struct inode *procfs_create(void);

void proc_show_mounts(struct text *text, struct process *process);
void proc_show_maps(struct text *text, struct process *process);
void proc_show_memtree(struct text *text, struct process *process);

/* Copies bytes at `from` of any address space, as far as pages are there; returns how many. */
size_t proc_read_memory(struct mm *mm, u64 from, void *to, size_t bytes);
/* Resident pages that belong to files, and to MAP_SHARED memory. */
void proc_count_object_pages(struct mm *mm, u64 *file, u64 *shared);
