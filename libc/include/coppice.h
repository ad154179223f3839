/* What Coppice has beyond Linux: the audit, and a process's fork level. */
#ifndef _COPPICE_H
#define _COPPICE_H

#include <sys/cdefs.h>

#define SYS_audit 1000

/* prctl(PR_SET_FORK_LEVEL, level): 0..3, FORK_LEVEL_AUTO, or -1 = the system's again. */
#define PR_SET_FORK_LEVEL 0x436f7001
/* prctl(PR_GET_FORK_LEVEL): the level in force for this process. */
#define PR_GET_FORK_LEVEL 0x436f7002
/* prctl(PR_SHARE_TABLES, 0, 0, 0, 0): level 1, as the COW PTE patches for Linux spell it. */
#define PR_SHARE_TABLES   65

#define FORK_LEVEL_AUTO 4

__BEGIN_DECLS
/* Recomputes every count in the kernel and compares: the number of differences, 0 = clean. */
long audit(void);
__END_DECLS

#endif
