/* newlib's limits, with Linux's where they differ. */
#ifndef _COPPICE_SYSLIMITS_H
#define _COPPICE_SYSLIMITS_H

#include_next <sys/syslimits.h>

#undef ARG_MAX
#undef CHILD_MAX
#undef OPEN_MAX
#undef PATH_MAX
#undef PIPE_BUF

#define ARG_MAX   131072
#define CHILD_MAX 32768
#define OPEN_MAX  1024
#define PATH_MAX  4096
#define PIPE_BUF  4096

#endif
