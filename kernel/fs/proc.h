/*
 * /proc, between its parts: the tree of entries (procfs.c) and what the entries say (proc_system.c,
 * proc_block.c, proc_kernel.c, proc_process.c, proc_maps.c). /sys (sysfs.c) is a second tree of the same kind.
 *
 * The functions that make text have a ref of the process they are given, which may exit meanwhile.
 * What it has goes then: so they take refs of that too (process_mm(), process_files(),
 * process_inode()), and ask of its threads by process_look().
 */
#pragma once

#include "kernel/fs/text.h"
#include "kernel/fs/vfs.h"
#include "mm/mm.h"

struct process;

/* What a name in /proc is; one of show, show_thread, read, follow and children is set. */
struct proc_entry {
	const char *name;
	u32 mode;
	/* A file that is no text: reads at offset, as inode_ops.read does. */
	i64 (*read)(struct process *process, struct io *to, u64 offset);
	/* A file's text, or a symlink's; process is NULL outside of /proc/PID. */
	void (*show)(struct text *text, struct process *process);
	/* The same of one thread, in /proc/PID/task/TID; in /proc/PID, with tid 0, of all of them together. */
	void (*show_thread)(struct text *text, struct process *process, u32 tid);
	/* Write: takes the text, NUL-terminated; 0 or an error. NULL: cannot be written (EACCES on
	 * opening). */
	int (*store)(const char *text, struct process *process);
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
extern const struct proc_entry proc_thread_entry;      /* every /proc/PID/task/TID */

extern const struct proc_entry proc_kernel_entries[]; /* of /proc/sys/kernel */
extern const struct proc_entry proc_dev_entries[];    /* of /proc/sys/dev */
extern const struct proc_entry proc_root;
extern const struct filesystem sysfs;
extern const struct proc_entry sysfs_root;

/* The root of a tree of entries, a file system of its own; NULL when memory is out. */
struct inode *procfs_create(const struct proc_entry *root, const struct filesystem *fs);

/* The number that text is, perhaps with a sign before it and a newline behind; -EINVAL for others, and beyond the bounds. */
int proc_number(const char *text, i64 least, i64 most, i64 *number);

/* Of /proc/sys/vm, what there is to say of memory that runs out: proc_oom.c. */
#define PROC_TUNABLE(name)                                                 \
	void proc_show_##name(struct text *text, struct process *process); \
	int proc_store_##name(const char *text, struct process *process)
PROC_TUNABLE(oom_kill_allocating_task);
PROC_TUNABLE(overcommit_kbytes);
PROC_TUNABLE(overcommit_memory);
PROC_TUNABLE(overcommit_ratio);
PROC_TUNABLE(panic_on_oom);
PROC_TUNABLE(oom_score_adj); /* of /proc/PID */
void proc_show_oom_score(struct text *text, struct process *process);

void proc_show_mounts(struct text *text, struct process *process);
void proc_show_maps(struct text *text, struct process *process);
void proc_show_memtree(struct text *text, struct process *process);
void proc_show_smaps(struct text *text, struct process *process);
void proc_show_smaps_rollup(struct text *text, struct process *process);
i64 proc_read_pagemap(struct process *process, struct io *to, u64 offset);

/* The open file of a descriptor of any process, with a ref, or NULL. */
struct file *proc_peek_fd(struct process *process, int fd);

/* One line of maps; path has PATH_MAX bytes of room. */
void proc_show_region(struct text *text, struct mm *mm, const struct region *region, char *path);

/* Whether an object counts as shared memory, as Linux does its tmpfs: it is no file, or one without a place among names
 * (memfd_create), or below /dev (/dev/shm). */
bool proc_is_shared_memory(struct object *object);

/* Resident pages that belong to files, and to shared memory. */
void proc_count_object_pages(struct mm *mm, u64 *file, u64 *shared);
