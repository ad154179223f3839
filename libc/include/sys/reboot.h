/* reboot(2): Linux's commands. */
#ifndef _SYS_REBOOT_H
#define _SYS_REBOOT_H

#include <sys/cdefs.h>

#define RB_AUTOBOOT    0x01234567
#define RB_HALT_SYSTEM 0xcdef0123u
#define RB_POWER_OFF   0x4321fedc

__BEGIN_DECLS
int reboot(int);
__END_DECLS

#endif
