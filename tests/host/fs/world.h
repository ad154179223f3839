/*
 * The rest of the kernel as kernel/fs/ sees it, played by a plain program: processes that are only
 * records, a heap that ASan watches, user memory that is the program's own.
 */
#pragma once

#include "kernel/process.h"
#include "kernel/fs/sys_file.h"
#include "mm/errno.h"

/* A pointer as a program would give it. */
#define U(pointer) ((uptr)(pointer))

/* No program can access it. */
#define BAD ((uptr)0x10)

/* Starts the world: memory, file systems, and process 1, which runs. */
void world_start(void);

/* A process that is a copy of the current one, as fork makes it; it does not run yet. */
struct process *world_fork(void);
/* The process that runs from now on. */
void world_run(struct process *process);
/* Ends a process; the current one must be another. */
void world_exit(struct process *process);

/* Called when the kernel would sleep; it may change what is waited for. NULL: a sleep ends with a
 * signal (-EINTR). */
extern void (*world_sleeps)(void);

/* The signals sent so far, as a set; and forgets them. */
u64 world_signals(void);

/* Refuses the nth allocation of the heap from now on; 0 = none. */
void world_fail(u64 nth);

/* Allocations in use. */
u64 world_allocations(void);

/* What was written to the console since the last call. */
const char *world_console(void);

/* Keys typed. */
void world_type(const char *keys);

/* User memory is our own, but the host's kernel says what of it can be accessed. 0 or -EFAULT.
 * host.c */
int host_copy(void *kernel, uptr user, size_t bytes, bool to_user);

/* The end of a page of user memory behind which nothing can be accessed. */
char *user_edge(void);

/* Standard output leads nowhere meanwhile. */
void host_quiet(bool quiet);
