/*
 * What a test can find out about memory: the signal that an access ends in, and what /proc, mincore
 * and pagemap say of it. A pid of 0 means the caller.
 */
#pragma once

#include "lib.h"

/* To be called once, first in main(): keeps Linux from huge pages, which would count for more than
 * was touched. */
void probe_init(void);

/* The signal that this use of the byte at p ends in, or 0. A write puts back what was there. */
int signal_of(const volatile void *p, enum use use);

/* Checks that reads and writes of the byte at p, by the program and by the kernel for it, end in
 * this signal and in EFAULT, or, with 0, succeed. */
void check_access(volatile void *p, int signal, const char *what);

/* ---- Memory ---- */

/* Maps something to read and write in place of what is at `at`; ends the process when it cannot. */
char *map_over(char *at, size_t pages, int flags, int fd);
/* Reads a byte of each page. */
void read_pages(const char *start, size_t pages);
/* Makes what the program has of text, data and, for the next few calls, stack resident: ahead of a
 * comparison of sizes. */
void touch_program(void);
/* An open file of so many pages, all in memory, each full of the byte `fill`; it has no name. */
int file_make(size_t pages, char fill);

/* ---- Text files, line by line ---- */

struct lines {
	long fd;
	size_t at, length;
	char buffer[1024];
};
#define NO_PROCESS (-1)
/* Opens /proc/PID/NAME, or /proc/NAME with NO_PROCESS; false when there is no such file. */
bool lines_open(struct lines *lines, pid_t pid, const char *name);
/* The next line without its newline; what does not fit is left out. False at the end. */
bool lines_next(struct lines *lines, char *line, size_t size);
void lines_close(struct lines *lines);

/* The number after "FIELD:" in /proc/PID/NAME or /proc/NAME; -1 when there is none. */
long proc_number(pid_t pid, const char *name, const char *field);

/* ---- Regions ---- */

struct region {
	uintptr_t start, end;
	char rights[5]; /* such as "rw-p" */
	uint64_t offset;
	char name[80]; /* "" when it has none */
};
/* The line of maps that holds address; false when there is none. */
bool region_find(pid_t pid, const void *address, struct region *region);
unsigned regions_count(void);

/* A figure of the region that holds address in smaps, or -1; whether it has these two letters in
 * its VmFlags. */
long smaps_number(pid_t pid, const void *address, const char *field);
bool smaps_flag(pid_t pid, const void *address, const char *letters);

/*
 * Checks which regions there are in the pages from start on. `want` has a word for each, with its
 * length in pages and its rights, and those of `letters` that it has in VmFlags; a hole is a length
 * alone: "3 rw-p, 1 r--p lo, 2, 1 rw-p". Letters may be NULL.
 */
#define CHECK_LAYOUT(start, pages, letters, want) \
	check_layout(start, pages, letters, want, __FILE__, __LINE__)
void check_layout(const void *start, size_t pages, const char *letters, const char *want,
		  const char *file, int line);

/* ---- Pages ---- */

#define PAGEMAP_EXCLUSIVE (1ul << 56)
#define PAGEMAP_FILE      (1ul << 61)
#define PAGEMAP_PRESENT   (1ul << 63)
uint64_t pagemap_entry(pid_t pid, const void *address);

/* How many of these pages mincore(2) says are there; -1 when it fails. */
long pages_in_core(const void *start, size_t pages);
