/*
 * Descriptor tables. A table is a value: fork shares it (one more ref), the first change under refs
 * > 1 copies it, and each entry holds one ref of its open file. The law of mm/tree.h, for files.
 */
#pragma once

#include "mm/types.h"

struct file;
struct inode;
struct process;

#define FILES_MAX 1024 /* descriptors a process may have: the most that RLIMIT_NOFILE allows */

struct files;

/* A new empty table with one ref; NULL when memory is out. */
struct files *files_create(void);
void files_get(struct files *files);
/* Fork: the table of the current process, with one more ref for its child. May sleep. */
struct files *files_share(struct process *process);
/* Drops a ref; the last one closes all that is open. May sleep. */
void files_put(struct files *files);

/* The open file behind fd in the current process, with one more ref for the caller; NULL = EBADF.
 */
struct file *files_lookup(int fd);

/* The same for descriptors opened with O_PATH too, which name a place but cannot be read, written
 * or asked. */
struct file *files_lookup_any(int fd);

/* Descriptors that the current process may have: RLIMIT_NOFILE, FILES_MAX at most. */
u32 files_limit(void);

/* Puts file, whose ref it takes, at the lowest free descriptor >= from: the descriptor, -EMFILE or
 * -ENOMEM (the ref is then still the caller's). */
int files_install(struct file *file, int from, bool close_on_exec);

/* Puts file, whose ref it takes, at descriptor fd and closes what was there: fd, -EBADF or -ENOMEM
 * (the ref is then still the caller's). */
int files_replace(struct file *file, int fd, bool close_on_exec);

/* Closes fd: 0, -EBADF, or -ENOMEM when the table is shared and cannot be copied. */
int files_remove(int fd);

/* fd's close-on-exec mark, or -EBADF; and sets it: 0, -EBADF or -ENOMEM. */
int files_get_close_on_exec(int fd);
int files_set_close_on_exec(int fd, bool close_on_exec);

/* For a table of any process: the open file at fd with one more ref, or NULL; the first descriptor
 * in use >= from, or -1; the descriptors there is room for now. The caller has a ref of the table,
 * or does not sleep in between. */
struct file *files_peek(struct files *files, int fd);
int files_next(struct files *files, int from);
/* files_next() of the current process. May sleep. */
int files_next_own(int from);
u32 files_capacity(struct files *files);

/*
 * exec, of a process with one thread by the second: the first makes the current process's table its own if something in it is marked
 * close-on-exec (0 or -ENOMEM); the second closes that, and cannot fail after the first. The second
 * may sleep.
 */
int files_prepare_exec(void);
void files_close_on_exec(void);

/* The current process ends: its table goes, and its locks on files. May sleep. */
void files_exit(void);

/* For the audit: counts the refs of all tables from the processes and compares; returns the
 * differences. */
u64 files_audit(void);
