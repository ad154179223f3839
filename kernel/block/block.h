/*
 * Block devices: what is read and written by whole pages, and outlives whoever does it. A driver fills in a struct
 * block_device and registers it; from then on it has a node in /dev (kernel/block/file.c), and may be swapped to.
 */
#pragma once

#include "mm/lock.h"
#include "mm/types.h"

#define SECTOR_SIZE      512u
#define SECTORS_PER_PAGE (PAGE_SIZE / SECTOR_SIZE)

struct block_device;

/*
 * What a driver can do. `to` and `from` are one page of the kernel's direct map, such as a frame or memory of the heap,
 * never a stack. Of a last page that the device has in part, the rest reads as zeroes and is not written. All return
 * 0 or -EIO, may sleep, and take no memory: pages are swapped out when there is none. They may be called at any time
 * from several threads, under locks down to RANK_NAMES.
 */
struct block_ops {
	int (*read)(struct block_device *device, u64 page, void *to);
	int (*write)(struct block_device *device, u64 page, const void *from);
	int (*flush)(struct block_device *device); /* NULL: what is written is safe at once */
};

/* What goes one way, and what of it is to fail although the device could do it (kernel/fs/proc_block.c). */
struct block_traffic {
	_Atomic u64 operations;            /* so far; those that failed are among them */
	_Atomic u64 failed;                /* on purpose or not */
	_Atomic u64 fail_first, fail_last; /* operations of these numbers fail; the first is 1 */
	_Atomic u64 fail_page;             /* and those of this page */
};
#define BLOCK_FAIL_NONE UINT64_MAX /* in fail_first and fail_page */

struct block_device {
	/* set by the driver before block_register(): */
	const char *name; /* in /dev */
	u32 rdev;         /* device numbers, as Linux gives them */
	u64 sectors;
	bool read_only;
	const struct block_ops *ops;
	/* set by block_register(): */
	struct rwlock contents; /* who writes through /dev: a part of a page is read first */
	struct block_traffic reads, writes;
	_Atomic(const void *) holder; /* see block_claim() */
	struct block_device *next;
	i32 swap_area;     /* its number, or NO_SWAP_AREA; guarded by kernel/block/swap.c, as is */
	bool swap_leaving; /* swapoff is at work */
};
#define NO_SWAP_AREA (-1)

static inline u64 block_bytes(const struct block_device *device)
{
	return device->sectors * SECTOR_SIZE;
}

/* Boot, after fs_init(): makes the device known, for good, and its node in /dev. One thread only. -ENOMEM: it is known,
 * but has no node. */
int block_register(struct block_device *device);

/* The devices in the order in which they were registered: the first (of NULL), the next; NULL at the end. */
struct block_device *block_next(struct block_device *device);
/* The device with these numbers, or NULL. */
struct block_device *block_find(u32 rdev);

/* Reads and writes one page, as block_ops says; page is one of those that the device has, if in part. 0 or -EIO: then
 * the contents of to, or of the page on the device, are unspecified. A read-only device refuses writes so. */
int block_read(struct block_device *device, u64 page, void *to);
int block_write(struct block_device *device, u64 page, const void *from);
/* What was written before is safe when this returns 0. -EIO. May sleep. */
int block_flush(struct block_device *device);

/*
 * One holder at a time has a device for itself: an open file (O_EXCL), or swap, whose holder is the device. -EBUSY: another
 * has it. block_unclaim() of who is not the holder does nothing. Neither sleeps.
 */
int block_claim(struct block_device *device, const void *holder);
void block_unclaim(struct block_device *device, const void *holder);
/* Whether it is swapped to, so that nobody else may write to it. */
bool block_is_swap(struct block_device *device);
