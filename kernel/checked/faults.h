/* Faults to prove the checks with: each is a mistake that a checked kernel must stop at. */
#pragma once

#ifdef CHECKED

/* Makes the mistake whose name text begins with (kernel/checked/faults.c) and so panics; -EINVAL: there
 * is none. Interrupts on, no lock held that ranks below a file's position. */
int make_fault(const char *text);

#else

#include "mm/errno.h"

static inline int make_fault(const char *text)
{
	(void)text;
	return -EINVAL;
}

#endif
