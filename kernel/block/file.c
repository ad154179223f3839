/*
 * Block devices as files: bytes at any offset, moved through a page of the kernel's own. There is no cache, so what is
 * written has reached the device, or failed, when the call returns.
 */
#include "kernel/block/block.h"
#include "kernel/fs/dev.h"
#include "kernel/fs/io.h"
#include "mm/errno.h"
#include "mm/heap.h"

/* <linux/fs.h> */
#define BLKROGET     0x125e
#define BLKGETSIZE   0x1260
#define BLKFLSBUF    0x1261
#define BLKSSZGET    0x1268
#define BLKGETSIZE64 0x80081272

/* A write's bytes, before the device's lock is taken; and the page that they go into, where they are no whole one. */
struct bounce {
	u8 given[PAGE_SIZE], page[PAGE_SIZE];
};

static int block_open(struct inode *inode, struct file *file)
{
	struct block_device *device = block_find(inode->rdev);
	int error = device ? 0 : -ENXIO;

	if (!error && (file->flags & O_EXCL))
		error = block_claim(device, file);
	file->private = device;
	return error;
}

static void block_release(struct file *file)
{
	block_unclaim(file->private, file);
}

static u64 block_size(const struct file *file)
{
	return block_bytes(file->private);
}

/* How many of the transfer's bytes lie in the page of offset at, which is below the device's end. */
static size_t part_in_page(const struct block_device *device, const struct io *io, u64 at)
{
	size_t part = MIN(PAGE_SIZE - (at & PAGE_MASK), block_bytes(device) - at);

	return MIN(part, io->left);
}

static int read_part(struct block_device *device, struct io *to, u64 *at, u8 *page)
{
	size_t part = part_in_page(device, to, *at), moved;
	int error = block_read(device, *at >> PAGE_SHIFT, page);

	if (error)
		return error;
	moved = io_put(to, page + (*at & PAGE_MASK), part);
	*at += moved;
	return moved < part ? -EFAULT : 0;
}

static i64 block_file_read(struct file *file, struct io *to, u64 offset)
{
	struct block_device *device = file->private;
	u8 *page = kmalloc(PAGE_SIZE);
	u64 at = offset;
	int error = page ? 0 : -ENOMEM;

	while (!error && to->left && at < block_bytes(device))
		error = read_part(device, to, &at, page);
	kfree(page);
	return at > offset ? (i64)(at - offset) : error;
}

/* Puts bytes that lie in one page on the device. locked: contents */
static int put_bytes(struct block_device *device, u64 at, struct bounce *bounce, size_t bytes)
{
	u64 page = at >> PAGE_SHIFT;
	int error;

	if (bytes == PAGE_SIZE)
		return block_write(device, page, bounce->given);
	error = block_read(device, page, bounce->page);
	if (error)
		return error;
	memcpy(bounce->page + (at & PAGE_MASK), bounce->given, bytes);
	return block_write(device, page, bounce->page);
}

static int write_part(struct block_device *device, struct io *from, u64 *at, struct bounce *bounce)
{
	size_t part = part_in_page(device, from, *at);
	size_t got = io_get(from, bounce->given, part);
	int error = got ? 0 : -EFAULT;

	if (!error) {
		write_lock(&device->contents);
		error = put_bytes(device, *at, bounce, got);
		write_unlock(&device->contents);
	}
	if (error)
		return error;
	*at += got;
	return got < part ? -EFAULT : 0;
}

/* 0, or why nothing can be written there: in Linux's order (blkdev_write_iter()). */
static int check_write(struct block_device *device, const struct io *from, u64 offset)
{
	if (device->read_only)
		return -EPERM;
	if (block_is_swap(device))
		return -ETXTBSY;
	return from->left && offset >= block_bytes(device) ? -ENOSPC : 0;
}

static i64 block_file_write(struct file *file, struct io *from, u64 offset)
{
	struct block_device *device = file->private;
	int error = check_write(device, from, offset);
	struct bounce *bounce;
	u64 at = offset;

	if (error || !from->left)
		return error;
	bounce = kmalloc(sizeof(*bounce));
	if (!bounce)
		return -ENOMEM;
	while (!error && from->left && at < block_bytes(device))
		error = write_part(device, from, &at, bounce);
	kfree(bounce);
	return at > offset ? (i64)(at - offset) : error;
}

static i64 put_u64(uptr to, u64 value)
{
	return copy_to_user(to, &value, sizeof(value));
}

static i64 put_int(uptr to, i32 value)
{
	return copy_to_user(to, &value, sizeof(value));
}

static i64 block_ioctl(struct file *file, u64 request, u64 argument)
{
	struct block_device *device = file->private;

	switch (request) {
	case BLKROGET:
		return put_int(argument, device->read_only);
	case BLKGETSIZE:
		return put_u64(argument, device->sectors);
	case BLKGETSIZE64:
		return put_u64(argument, block_bytes(device));
	case BLKSSZGET:
		return put_int(argument, SECTOR_SIZE);
	case BLKFLSBUF:
		return block_flush(device);
	default:
		return -ENOTTY;
	}
}

static int block_sync(struct file *file)
{
	return block_flush(file->private);
}

const struct inode_ops block_file_ops = {
	.open = block_open,
	.release = block_release,
	.read = block_file_read,
	.write = block_file_write,
	.ioctl = block_ioctl,
	.size = block_size,
	.sync = block_sync,
};
