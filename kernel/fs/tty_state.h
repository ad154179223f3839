/* The terminal's state, between its parts: input and output (tty.c), settings and job control
 * (tty_control.c). */
#pragma once

#include "kernel/fs/termios.h"
#include "kernel/lock.h"
#include "kernel/wait.h"
#include "mm/machine.h"

struct file;
struct inode;

#define TTY_INPUT 4096u /* bytes of input kept, a power of two */

/* What a place of the input buffer holds besides its byte. */
#define INPUT_END 0x100u /* a read that gets this byte ends here: the line is over */
#define INPUT_EOF 0x200u /* no byte at all: where ^D was typed */

/*
 * Input is a ring, indexed by counters that only grow: [read_at, ready) can be read, [ready,
 * write_at) is the line being edited. Invariant: read_at <= ready <= write_at <= read_at +
 * TTY_INPUT.
 */
struct tty {
	struct rwlock reader; /* held by a read while it takes bytes out; outermost */
	struct spinlock lock; /* with interrupts off, as input arrives in interrupt handlers */
	/* guarded by lock: */
	struct termios settings;
	struct winsize size;
	u32 session;    /* 0 = none */
	u32 foreground; /* process group, 0 = none */
	u32 read_at, ready, write_at;
	u16 input[TTY_INPUT];
	struct waitqueue readable;
};

extern struct tty tty;

/* Forgets all input. locked: tty.lock */
void tty_flush_input(void);

/*
 * Whether the current process may read (SIGTTIN), or write and change settings (SIGTTOU): 0 if the terminal is not the one
 * of its session or it is in the foreground; of SIGTTOU also if it ignores or blocks that. Else its group is sent the signal:
 * -EINTR; or, where that would stop nobody who could be continued, -EIO.
 */
int tty_check_foreground(int signal);

i64 tty_ioctl(struct file *file, u64 request, u64 argument);

/* open: makes the terminal that of a session leader who has none; and, of /dev/tty, -ENXIO for
 * other sessions. */
int console_open(struct inode *inode, struct file *file);
int tty_open(struct inode *inode, struct file *file);
