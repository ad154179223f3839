/* Memory while booting: who has what until the frame allocator takes over. */
#pragma once

#include "mm/types.h"

/* Boot, after multiboot_read(): learns where RAM is and what of it is taken. */
void memory_init(void);

/* Boot, between memory_init() and memory_hand_over(): bytes of page-aligned RAM, not cleared, below
 * 4 GB, for good. */
paddr_t memory_boot_alloc(u64 bytes);

/* One cleared frame, or 0 when memory is out: from the boot allocator first, from frame_alloc()
 * after the hand-over. */
paddr_t memory_frame(void);

/* Calls visit for each range of usable RAM, page aligned. */
void memory_each_range(void (*visit)(paddr_t start, paddr_t end));

/* Boot, after paging_init(): makes the array of struct page and gives all free RAM to the frame
 * allocator. */
void memory_hand_over(void);

/* Boot, after the modules are unpacked: gives their frames away too. */
void memory_release_modules(void);
