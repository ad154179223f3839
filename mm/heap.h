/* The kernel's heap: power-of-two and three-quarter size classes in slabs of one frame, larger
 * sizes in whole frames. */
#pragma once

#include "mm/types.h"

/*
 * Returns size bytes, cleared, aligned to 16 (to the size, for a power of two up to a page), or
 * NULL when memory is out. size is 1 byte to 4 MB; more returns NULL. Does not sleep. kfree() takes
 * it back; kfree(NULL) does nothing.
 */
void *kmalloc(size_t size);
void kfree(void *at);

/* Bytes handed out and not given back, for leak checks and /proc/meminfo. */
u64 heap_bytes(void);
