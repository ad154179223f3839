/* newlib's sched.h, and the CPUs a process may run on. */
#ifndef _COPPICE_SCHED_H
#define _COPPICE_SCHED_H

#include_next <sched.h>

#define CPU_SETSIZE 1024

typedef struct {
	unsigned long __bits[CPU_SETSIZE / 64];
} cpu_set_t;

#define CPU_ZERO(set)     (*(set) = (cpu_set_t) {0})
#define CPU_SET(n, set)   ((set)->__bits[(n) / 64] |= 1ul << (n) % 64)
#define CPU_CLR(n, set)   ((set)->__bits[(n) / 64] &= ~(1ul << (n) % 64))
#define CPU_ISSET(n, set) ((set)->__bits[(n) / 64] >> (n) % 64 & 1)

__BEGIN_DECLS
int sched_getaffinity(pid_t, size_t, cpu_set_t *);
int sched_setaffinity(pid_t, size_t, const cpu_set_t *);
__END_DECLS

#endif
