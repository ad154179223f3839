/* Terminal settings, with the values of Linux (termios(3), ioctl_tty(2)). */
#pragma once

#include "mm/types.h"

#define NCCS 19

struct termios {
	u32 iflag, oflag, cflag, lflag;
	u8 line;
	u8 cc[NCCS];
};
_Static_assert(sizeof(struct termios) == 36, "Linux's struct termios of the kernel");
_Static_assert(offsetof(struct termios, cc) == 17, "Linux's struct termios of the kernel");

struct winsize {
	u16 rows, columns, xpixel, ypixel;
};
_Static_assert(sizeof(struct winsize) == 8, "Linux's struct winsize");

/* Places in cc. */
#define VINTR   0
#define VQUIT   1
#define VERASE  2
#define VKILL   3
#define VEOF    4
#define VTIME   5
#define VMIN    6
#define VSUSP   10
#define VEOL    11
#define VWERASE 14
#define VEOL2   16

/* iflag */
#define INLCR   0000100u
#define IGNCR   0000200u
#define ICRNL   0000400u
#define IMAXBEL 0020000u

/* oflag */
#define OPOST 0000001u
#define ONLCR 0000004u

/* cflag */
#define B38400 0000017u
#define CS8    0000060u
#define CREAD  0000200u
#define CLOCAL 0004000u

/* lflag */
#define ISIG    0000001u
#define ICANON  0000002u
#define ECHO    0000010u
#define ECHOE   0000020u
#define ECHOK   0000040u
#define ECHONL  0000100u
#define NOFLSH  0000200u
#define ECHOCTL 0001000u
#define TOSTOP  0000400u
#define ECHOKE  0004000u
#define IEXTEN  0100000u

#define TCGETS     0x5401
#define TCSETS     0x5402
#define TCSETSW    0x5403
#define TCSETSF    0x5404
#define TCSBRK     0x5409
#define TCFLSH     0x540b
#define TIOCSCTTY  0x540e
#define TIOCGPGRP  0x540f
#define TIOCSPGRP  0x5410
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define FIONREAD   0x541b
#define TIOCNOTTY  0x5422
#define TIOCGSID   0x5429

#define TCIFLUSH  0
#define TCOFLUSH  1
#define TCIOFLUSH 2
