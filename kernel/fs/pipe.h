/* Pipes: 64 KB of bytes on their way from writers to readers. */
#pragma once

#include "kernel/fs/vfs.h"

#define PIPE_BUF   4096u  /* a write of at most this many bytes is not mixed with others */
#define PIPE_BYTES 65536u /* room in a pipe */

/* A new pipe: ends[0] reads, ends[1] writes, one ref each. flags: O_NONBLOCK or 0, for both ends.
 * -ENOMEM. */
int pipe_create(u32 flags, struct file *ends[2]);

/* What the inode of a named pipe (fifo_ops) has as `private`; NULL when memory is out. The operations free it. */
void *fifo_create(void);
extern const struct inode_ops fifo_ops;

/* Of either kind. */
bool is_pipe(const struct inode *inode);
