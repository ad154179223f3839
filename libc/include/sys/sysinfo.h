/* sysinfo(2) */
#ifndef _SYS_SYSINFO_H
#define _SYS_SYSINFO_H

#include <sys/cdefs.h>

struct sysinfo {
	long uptime;
	unsigned long loads[3];
	unsigned long totalram;
	unsigned long freeram;
	unsigned long sharedram;
	unsigned long bufferram;
	unsigned long totalswap;
	unsigned long freeswap;
	unsigned short procs;
	unsigned short __pad;
	unsigned long totalhigh;
	unsigned long freehigh;
	unsigned int mem_unit;
};
_Static_assert(sizeof(struct sysinfo) == 112, "Linux's struct sysinfo");

__BEGIN_DECLS
int sysinfo(struct sysinfo *);
__END_DECLS

#endif
