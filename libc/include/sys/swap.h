/* swapon(2) and swapoff(2): Linux's flags. */
#ifndef _SYS_SWAP_H
#define _SYS_SWAP_H

#include <sys/cdefs.h>

#define SWAP_FLAG_PREFER     0x8000 /* the priority is in these bits: */
#define SWAP_FLAG_PRIO_MASK  0x7fff
#define SWAP_FLAG_PRIO_SHIFT 0
#define SWAP_FLAG_DISCARD    0x10000

__BEGIN_DECLS
int swapon(const char *, int);
int swapoff(const char *);
__END_DECLS

#endif
