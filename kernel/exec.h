/* execve(2). */
#pragma once

#include "kernel/usercopy.h"

/*
 * Replaces the current process's program. path, argv and envp are a program's pointers. On success
 * its frame describes the new program's start; on failure (ENOEXEC, ENOENT, EACCES, E2BIG, ENOMEM,
 * EFAULT, ...) nothing has changed. May sleep.
 */
int exec_user(uptr path, uptr argv, uptr envp);

/* The same with the kernel's own strings; argv and envp end with NULL. */
int exec_kernel(const char *path, const char *const argv[], const char *const envp[]);
