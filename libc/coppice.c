/* Coppice's own system calls (libc/include/coppice.h). */

#include "libc/syscall.h"

#include <coppice.h>

long audit(void)
{
	return CALL(SYS_audit);
}
