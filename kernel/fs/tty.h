/* The terminal: the console with line editing, echo and the signals of its keys. */
#pragma once

#include "kernel/fs/vfs.h"

/* Operations of /dev/console, and of /dev/tty, which only opens for processes of the terminal's
 * session (ENXIO). */
extern const struct inode_ops console_ops, tty_ops;

/* Of /dev/stream: the same bytes in and out, but no terminal to those who ask (ENOTTY). */
extern const struct inode_ops stream_ops;

/* The session that the terminal controls, 0 = none, and its foreground process group. */
u32 tty_session(void);
u32 tty_foreground(void);

/* A session leader has ended or given it up: the terminal is free for another session, and what was in the foreground is
 * sent SIGHUP and SIGCONT. */
void tty_release_session(u32 sid);
