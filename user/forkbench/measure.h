/*
 * The measurements. Each is the median of some rounds; each round forks once, from a parent that
 * has just written every page of its memory, so that no round finds what the one before left
 * behind. Nothing but what is measured happens between the two readings of the clock: no stdio, no
 * allocation, no first touch of a page of ours.
 */
#pragma once

#include <stdbool.h>

enum measure {
	MEASURE_FORK,          /* call to return in the parent */
	MEASURE_FIRST_READ,    /* by the child, of a page in the middle, its first access there */
	MEASURE_FIRST_WRITE,   /* by the child, to a page in the middle, its first access there */
	MEASURE_EXIT_WAIT,     /* return of fork to return of wait, of a child that exits at once */
	MEASURE_WRITE_ALL,     /* per page: the child writes a word of every page */
	MEASURE_READ_ALL,      /* per page: the child reads a word of every page */
	MEASURE_TABLES_BEFORE, /* kB of page tables before the fork */
	MEASURE_TABLES_AFTER,  /* and with a child that has written its stack and a few globals */
	MEASURES,
};

#define NOT_MEASURED (~0ul)

/* The memory of one size at one level. */
struct row {
	unsigned long size; /* bytes */
	int level;
	unsigned long value[MEASURES]; /* ns, ns per page, or kB; NOT_MEASURED */
};

/* Maps what the measurements need beside the memory; once, first. rounds: odd, at most MAX_ROUNDS.
 */
#define MAX_ROUNDS 99
void measure_init(unsigned rounds);

/* Bytes of free memory needed to measure size bytes, without or with a child that writes all of
 * them. */
unsigned long memory_needed(unsigned long size, bool child_writes);

/* Maps size bytes and writes every page; false and errno if that cannot be. */
bool memory_map(unsigned long size);
void memory_unmap(void);

/* Fills row->value for the memory mapped, at row->level. writes: also the child that writes all. */
void measure_row(struct row *row, bool writes);

/* fork, exit and wait of this process at its smallest: before any memory_map(). */
unsigned long measure_tiny_cycle(int level);

/* One fork of a child that exits at once: call to return in the parent. */
unsigned long measure_fork(void);

/* Sorts count numbers, which is odd, and returns the one in the middle. */
unsigned long median(unsigned long *numbers, unsigned count);

/* What two readings of the clock cost that follow one another. */
unsigned long measure_clock(void);
