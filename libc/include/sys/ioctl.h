/* ioctl(2): how Linux encodes requests, and the terminal's. */
#ifndef _SYS_IOCTL_H
#define _SYS_IOCTL_H

#include <sys/cdefs.h>

#define _IOC(dir, type, number, size) \
	((unsigned long)(dir) << 30 | (size) << 16 | (type) << 8 | (number))
#define _IO(type, number)        _IOC(0, type, number, 0)
#define _IOW(type, number, arg)  _IOC(1, type, number, sizeof(arg))
#define _IOR(type, number, arg)  _IOC(2, type, number, sizeof(arg))
#define _IOWR(type, number, arg) _IOC(3, type, number, sizeof(arg))

#define TCGETS     0x5401
#define TCSETS     0x5402
#define TCSETSW    0x5403
#define TCSETSF    0x5404
#define TCFLSH     0x540b
#define TIOCSCTTY  0x540e
#define TIOCGPGRP  0x540f
#define TIOCSPGRP  0x5410
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define FIONREAD   0x541b
#define TIOCNOTTY  0x5422

struct winsize {
	unsigned short ws_row;
	unsigned short ws_col;
	unsigned short ws_xpixel;
	unsigned short ws_ypixel;
};

__BEGIN_DECLS
int ioctl(int, unsigned long, ...);
__END_DECLS

#endif
