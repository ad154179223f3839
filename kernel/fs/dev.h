/* Devices as files. */
#pragma once

#include "kernel/fs/vfs.h"

#define DEVICE(major, minor) ((u32)((major) << 8 | (minor)))

#define DEV_ZERO DEVICE(1, 5) /* a mapping of it is anonymous memory */

/* Of all block devices' nodes (kernel/block/file.c): opening looks for the device. */
extern const struct inode_ops block_file_ops;

/* Makes the device nodes, and the other names that Linux programs expect in /dev. -ENOMEM. */
int dev_populate(struct inode *dev);
