/* Block devices that are swapped to. */
#pragma once

#include "mm/types.h"

struct block_device;
struct text;
struct process;

/* swapon(2)'s flags. */
#define SWAP_FLAG_PREFER        0x8000u /* the priority is in these bits: */
#define SWAP_FLAG_PRIORITY      0x7fffu
#define SWAP_FLAG_DISCARD       0x10000u
#define SWAP_FLAG_DISCARD_ONCE  0x20000u
#define SWAP_FLAG_DISCARD_PAGES 0x40000u

/*
 * swapon(2) of a device, with its flags, which are good ones: 0, or -EBUSY (somebody has it for himself, such as swap),
 * -EROFS, -EINVAL (no swap header that fits it), -EIO, -ENOMEM, -EPERM (too many areas). May sleep.
 */
int swap_on(struct block_device *device, u32 flags);

/* swapoff(2): 0, -EINVAL (it is not swapped to), -ENOMEM or -EINTR (and it still is). May sleep. */
int swap_off(struct block_device *device);

/* Boot, after ramdisk_init(): makes a swap area of the ramdisk and swaps to it, unless noswap is given. */
void swap_init(void);

/* /proc/swaps */
void swap_show(struct text *text, struct process *process);
