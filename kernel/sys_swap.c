/* swapon(2) and swapoff(2): the path, the flags; kernel/block/swap.c does the rest. */
#include "kernel/block/swap.h"
#include "kernel/fs/sys_file.h"
#include "kernel/fs/user_path.h"
#include "kernel/syscalls.h"
#include "mm/errno.h"

/* Nothing is told of pages that are not needed any more: Linux's ramdisk and disks need not listen, either. */
#define FLAGS                                                                                 \
	(SWAP_FLAG_PREFER | SWAP_FLAG_PRIORITY | SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_ONCE | \
	 SWAP_FLAG_DISCARD_PAGES)

/* The path's file, opened as swapon and swapoff do. */
static int open_path(uptr text, struct file **file)
{
	struct user_path path;
	int error = user_path(&path, AT_FDCWD, text);

	if (error)
		return error;
	error = file_open_from(path.base, path.text, O_RDWR | O_NOCTTY, 0, file);
	user_path_end(&path);
	return error;
}

static struct block_device *device_of(const struct file *file)
{
	return is_block_device(file->inode->mode) ? file->private : NULL;
}

i64 sys_swapon(uptr path, u32 flags)
{
	struct file *file;
	int error;

	if (flags & ~FLAGS)
		return -EINVAL;
	error = open_path(path, &file);
	if (error)
		return error;
	error = device_of(file) ? swap_on(device_of(file), flags) : -EINVAL;
	file_put(file);
	return error;
}

i64 sys_swapoff(uptr path)
{
	struct file *file;
	int error = open_path(path, &file);

	if (error)
		return error;
	error = device_of(file) ? swap_off(device_of(file)) : -EINVAL;
	file_put(file);
	return error;
}
