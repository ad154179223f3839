/* newlib's feature tests, and the POSIX options that libc/ adds to newlib. */
#ifndef _COPPICE_FEATURES_H
#define _COPPICE_FEATURES_H

#include_next <sys/features.h>

/* What read(2) and write(2) return; newlib's default is int. */
#define _READ_WRITE_RETURN_TYPE  _ssize_t
#define _READ_WRITE_BUFSIZE_TYPE __size_t

#define _POSIX_TIMERS              200809L
#define _POSIX_MONOTONIC_CLOCK     200809L
#define _POSIX_CLOCK_SELECTION     200809L
#define _POSIX_CPUTIME             200809L
#define _POSIX_THREAD_CPUTIME      200809L
#define _POSIX_PRIORITY_SCHEDULING 200809L
#define _POSIX_MAPPED_FILES        200809L
#define _POSIX_MEMORY_PROTECTION   200809L

#endif
