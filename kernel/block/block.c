/*
 * The block devices there are, and the way to them: it counts what goes by, and makes of it fail what was asked for.
 *
 * Devices are registered at boot by one thread and never go, so the list is read without a lock.
 */
#include "kernel/block/block.h"
#include "kernel/fs/ramfs.h"
#include "mm/errno.h"

#define NODE_MODE (S_IFBLK | 0660)

static struct block_device *first_device;

static void traffic_init(struct block_traffic *traffic)
{
	traffic->fail_first = traffic->fail_page = BLOCK_FAIL_NONE;
}

static int make_node(const struct block_device *device)
{
	struct inode *dev;
	int error = path_lookup("/dev", true, &dev);

	if (error)
		return error;
	error = ramfs_make(dev, device->name, NODE_MODE, device->rdev, NULL);
	inode_put(dev);
	return error;
}

int block_register(struct block_device *device)
{
	struct block_device **at = &first_device;

	ASSERT(!block_find(device->rdev), "%s and another have the numbers %#x", device->name,
	       device->rdev);
	lock_set_rank(&device->contents, RANK_CONTENTS);
	device->swap_area = NO_SWAP_AREA;
	traffic_init(&device->reads);
	traffic_init(&device->writes);
	while (*at)
		at = &(*at)->next;
	*at = device;
	return make_node(device);
}

struct block_device *block_next(struct block_device *device)
{
	return device ? device->next : first_device;
}

struct block_device *block_find(u32 rdev)
{
	struct block_device *device = first_device;

	while (device && device->rdev != rdev)
		device = device->next;
	return device;
}

/* Counts an operation, and says whether it is to fail. */
static bool must_fail(struct block_traffic *traffic, u64 page)
{
	u64 number = atomic_fetch_add(&traffic->operations, 1) + 1;

	return page == traffic->fail_page ||
	       (number >= traffic->fail_first && number <= traffic->fail_last);
}

static int result_of(struct block_traffic *traffic, int error)
{
	if (error)
		atomic_fetch_add(&traffic->failed, 1);
	return error;
}

static void check_page(const struct block_device *device, u64 page)
{
	ASSERT(page * SECTORS_PER_PAGE < device->sectors, "page %lu of %s, which has %lu sectors",
	       page, device->name, device->sectors);
}

int block_read(struct block_device *device, u64 page, void *to)
{
	bool fail = must_fail(&device->reads, page);

	might_sleep();
	check_page(device, page);
	return result_of(&device->reads, fail ? -EIO : device->ops->read(device, page, to));
}

int block_write(struct block_device *device, u64 page, const void *from)
{
	bool fail = must_fail(&device->writes, page) || device->read_only;

	might_sleep();
	check_page(device, page);
	return result_of(&device->writes, fail ? -EIO : device->ops->write(device, page, from));
}

int block_flush(struct block_device *device)
{
	return device->ops->flush ? device->ops->flush(device) : 0;
}

int block_claim(struct block_device *device, const void *holder)
{
	const void *nobody = NULL;

	return atomic_compare_exchange_strong(&device->holder, &nobody, holder) ? 0 : -EBUSY;
}

void block_unclaim(struct block_device *device, const void *holder)
{
	atomic_compare_exchange_strong(&device->holder, &holder, NULL);
}

bool block_is_swap(struct block_device *device)
{
	return atomic_load(&device->holder) == device;
}
