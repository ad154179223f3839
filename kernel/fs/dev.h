/* Devices as files. */
#pragma once

#include "kernel/fs/vfs.h"

#define DEVICE(major, minor) ((u32)((major) << 8 | (minor)))

#define DEV_ZERO DEVICE(1, 5) /* a mapping of it is anonymous memory */

/* Makes the device nodes, and the other names that Linux programs expect in /dev. -ENOMEM. */
int dev_populate(struct inode *dev);
