/* Swap areas: which there are. Nothing is swapped. */
#include "mm/swap.h"
#include "mm/errno.h"
#include "mm/lock.h"

#define AREAS_MAX 8

static struct rwlock lock = RWLOCK(RANK_NAMES);
static struct swap_area_info areas[AREAS_MAX];

int swap_area_add(const struct swap_store *store, void *device, u64 last, const u32 *bad,
		  u32 bad_count, i32 priority)
{
	u32 area = 0;

	(void)store;
	(void)bad;
	write_lock(&lock);
	while (area < AREAS_MAX && areas[area].device)
		area++;
	if (area < AREAS_MAX)
		areas[area] = (struct swap_area_info) {last - bad_count, 0, priority, device};
	write_unlock(&lock);
	return area < AREAS_MAX ? (int)area : -EPERM;
}

int swap_area_remove(u32 area)
{
	areas[area].device = NULL;
	return 0;
}

bool swap_area_info(u32 area, struct swap_area_info *info)
{
	*info = areas[area];
	return info->device;
}
