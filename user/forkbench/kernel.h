/* What forkbench asks of the kernel under it: Coppice with its share levels, or Linux with one way
 * to fork. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum {
	LEVEL_AUTO = 4,
	LEVEL_LINUX = 5, /* the only one there */
	LEVELS,
};

/* "0" to "3", "auto", "linux". */
const char *level_name(int level);

/* The level with this name, or -1. */
int level_parse(const char *name);

/* True on a kernel that has share levels; to be asked first. */
bool kernel_has_levels(void);

/* Sets the level of this process's forks. */
void kernel_set_level(int level);

/* Gives this process's forks the system's level again. */
void kernel_reset_level(void);

/*
 * Page tables in kB: of the whole system on Coppice; on Linux, which counts only per process, of
 * this process and of child (0: none). Uses no memory of its own and no stdio.
 */
unsigned long kernel_table_kb(pid_t child);

/* Bytes of memory that a program may still use. */
unsigned long kernel_free_bytes(void);

/* Nanoseconds since some moment; under QEMU's -icount shift=0 one per guest instruction. */
unsigned long kernel_clock(void);
