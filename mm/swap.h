/* Swap areas. */
#pragma once

#include "mm/types.h"

/* How an area's pages are reached. 0 or -EIO; may sleep. */
struct swap_store {
	int (*read)(void *device, u64 page, void *to);
	int (*write)(void *device, u64 page, const void *from);
};

/* Adds an area of pages 1..last (page 0 is its header), without those in bad[]. Returns its number or -ENOMEM, -EPERM
 * (too many areas). */
int swap_area_add(const struct swap_store *store, void *device, u64 last, const u32 *bad,
		  u32 bad_count, i32 priority);

/* Brings every page back; -ENOMEM and all as it was; -EINTR. */
int swap_area_remove(u32 area);

struct swap_area_info {
	u64 pages, used;
	i32 priority;
	void *device;
};

/* False when there is no such area. */
bool swap_area_info(u32 area, struct swap_area_info *info);
