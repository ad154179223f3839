/* The ramdisk, /dev/ram0. */
#pragma once

#include "kernel/fs/dev.h"

#define RAMDISK_RDEV DEVICE(1, 0)

/*
 * Boot, after fs_init() and when the boot modules' memory is free: takes the ramdisk's memory and registers it. Its size
 * is what ramdisk= says (bytes, or with K, M or G), a quarter of memory if there is no such word; with 0 there is none.
 */
void ramdisk_init(void);
