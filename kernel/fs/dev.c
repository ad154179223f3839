/*
 * The devices of /dev that are no hardware: they keep no state, so there is nothing to lock. The
 * terminal is in tty.c, block devices in kernel/block/.
 */
#include "kernel/fs/dev.h"
#include "kernel/fs/io.h"
#include "kernel/fs/ramfs.h"
#include "kernel/fs/tty.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "mm/errno.h"

#define LOG_LINE_MAX 1000 /* bytes of one write to /dev/kmsg that are kept */

/* What goes to null, zero or random is gone; its address does not matter. */
static i64 discard(struct file *file, struct io *from, u64 offset)
{
	(void)file;
	(void)offset;
	return (i64)io_skip(from, from->left);
}

static i64 null_read(struct file *file, struct io *to, u64 offset)
{
	(void)file;
	(void)to;
	(void)offset;
	return 0;
}

static i64 zero_read(struct file *file, struct io *to, u64 offset)
{
	size_t wanted = to->left, moved = io_put_zeroes(to, wanted);

	(void)file;
	(void)offset;
	return moved || !wanted ? (i64)moved : -EFAULT;
}

static i64 full_write(struct file *file, struct io *from, u64 offset)
{
	(void)file;
	(void)from;
	(void)offset;
	return -ENOSPC;
}

static i64 random_read(struct file *file, struct io *to, u64 offset)
{
	u8 part[256];
	i64 total = 0;

	(void)file;
	(void)offset;
	while (to->left) {
		size_t bytes = MIN(sizeof(part), to->left), moved;

		random_bytes(part, bytes);
		moved = io_put(to, part, bytes);
		total += (i64)moved;
		if (moved < bytes)
			return total ? total : -EFAULT;
	}
	return total;
}

/* Each write is a line of the log. Linux's "<level>" prefix is taken off. */
static i64 kmsg_write(struct file *file, struct io *from, u64 offset)
{
	char line[LOG_LINE_MAX + 1];
	size_t bytes = from->left, kept = MIN(bytes, LOG_LINE_MAX), start = 0;

	(void)file;
	(void)offset;
	if (io_get(from, line, kept) < kept)
		return -EFAULT;
	if (kept && line[kept - 1] == '\n')
		kept--;
	if (kept >= 3 && line[0] == '<' && line[1] >= '0' && line[1] <= '9' && line[2] == '>')
		start = 3;
	line[kept] = '\n';
	log_write(line + start, kept + 1 - start);
	return (i64)bytes;
}

static int no_device(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return -ENXIO;
}

static const struct inode_ops null_ops = {.read = null_read, .write = discard};
static const struct inode_ops zero_ops = {.read = zero_read, .write = discard};
static const struct inode_ops full_ops = {.read = zero_read, .write = full_write};
static const struct inode_ops random_ops = {.read = random_read, .write = discard};
static const struct inode_ops kmsg_ops = {.write = kmsg_write, .stream = true};
static const struct inode_ops missing_ops = {.open = no_device};

static const struct device {
	const char *name;
	u32 rdev; /* as in Linux's Documentation/admin-guide/devices.txt */
	u32 mode;
	const struct inode_ops *ops;
} devices[] = {
	{"null", DEVICE(1, 3), 0666, &null_ops},
	{"zero", DEV_ZERO, 0666, &zero_ops},
	{"full", DEVICE(1, 7), 0666, &full_ops},
	{"random", DEVICE(1, 8), 0666, &random_ops},
	{"urandom", DEVICE(1, 9), 0666, &random_ops},
	{"kmsg", DEVICE(1, 11), 0600, &kmsg_ops},
	{"tty", DEVICE(5, 0), 0666, &tty_ops},
	{"console", DEVICE(5, 1), 0600, &console_ops},
	{"stream", DEVICE(10, 240), 0666, &stream_ops}, /* a number for local use */
};

const struct inode_ops *device_ops(u32 mode, u32 rdev)
{
	if (is_block_device(mode))
		return &block_file_ops;
	for (u32 i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].rdev == rdev)
			return devices[i].ops;
	return &missing_ops;
}

int dev_populate(struct inode *dev)
{
	static const char *const links[][2] = {
		{"fd", "/proc/self/fd"},
		{"stdin", "/proc/self/fd/0"},
		{"stdout", "/proc/self/fd/1"},
		{"stderr", "/proc/self/fd/2"},
	};
	int error = ramfs_make(dev, "shm", S_IFDIR | 01777, 0, NULL);

	for (u32 i = 0; i < ARRAY_SIZE(devices) && !error; i++)
		error = ramfs_make(dev, devices[i].name, S_IFCHR | devices[i].mode, devices[i].rdev,
				   NULL);
	for (u32 i = 0; i < ARRAY_SIZE(links) && !error; i++)
		error = dev->ops->symlink(dev, links[i][0], links[i][1]);
	return error;
}
