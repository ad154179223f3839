/*
 * What single operations cost besides fork: each is made many times between two readings of the
 * clock, less what the loop and the clock cost, and the median of some such rounds counts.
 */
#pragma once

enum path {
	PATH_SYSTEM_CALL,  /* one that does next to nothing */
	PATH_PIPE,         /* a byte to another process and one back, through two pipes */
	PATH_EXEC,         /* fork, exec of a small static program, its exit, wait */
	PATH_FORK_REGIONS, /* fork, call to return in the parent, with MANY_REGIONS regions */
	PATH_FIRST_WRITE,  /* to anonymous memory, per page */
	PATH_FIRST_READ,   /* of anonymous memory, per page */
	PATH_UNMAP,        /* munmap, per page that was written */
	PATH_PAGE_OUT,     /* MADV_PAGEOUT, per page that was written */
	PATH_SWAP_IN,      /* a read of what was swapped out, per page, in order */
	PATHS,
};

#define MANY_REGIONS 4000u

const char *path_name(enum path path);

/* What PATH_EXEC's program is started with, for main() to return at once. */
#define EXEC_OPTION "--exit"

/* One path, in ns, at the system's share level; NOT_MEASURED where there is no swap. rounds: odd. */
unsigned long measure_path(enum path path, unsigned rounds);
