/* Where a page fault inside boot/usercopy.asm goes on when it cannot be resolved. */
#include "kernel/usercopy.h"

extern const u8 usercopy_start[], usercopy_end[], usercopy_failed[];

u64 usercopy_fixup(u64 rip)
{
	bool inside = rip >= (u64)usercopy_start && rip < (u64)usercopy_end;

	return inside ? (u64)usercopy_failed : 0;
}
