/* ioctl(2) of block devices. */
#ifndef _LINUX_FS_H
#define _LINUX_FS_H

#include <sys/ioctl.h>

#define BLKROGET     _IO(0x12, 94)
#define BLKGETSIZE   _IO(0x12, 96)
#define BLKFLSBUF    _IO(0x12, 97)
#define BLKSSZGET    _IO(0x12, 104)
#define BLKGETSIZE64 _IOR(0x12, 114, unsigned long)

#endif
