/* newlib's unistd.h, and what Linux declares beside it. */
#ifndef _COPPICE_UNISTD_H
#define _COPPICE_UNISTD_H

#include_next <unistd.h>

__BEGIN_DECLS
/* Any system call: its result, or -1 with errno set. Numbers: <sys/syscall.h>. */
long syscall(long, ...);
pid_t gettid(void);
int brk(void *);
__END_DECLS

#endif
