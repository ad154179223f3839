/*
 * A transfer: where the bytes of a read go or those of a write come from. A transfer is a sequence
 * of segments in user memory (readv(2) and its kin; a plain read has one), or one in kernel memory
 * (sendfile(2)).
 *
 * The functions that move bytes advance the transfer by exactly what they return. Less than asked
 * means that the next byte cannot be accessed: nothing from there on was moved, and the caller
 * leaves it unconsumed. They may sleep.
 */
#pragma once

#include "kernel/usercopy.h"
#include "mm/types.h"

/* readv(2) */
struct iovec {
	uptr base;
	u64 bytes;
};
_Static_assert(sizeof(struct iovec) == 16, "Linux's struct iovec, x86-64");

#define IOV_MAX      1024u
#define MAX_TRANSFER 0x7ffff000ul /* bytes that one call moves at most, as on Linux */

struct io {
	const struct iovec *segment; /* the one under way */
	u64 moved;                   /* bytes of it already moved */
	size_t left;                 /* bytes to move in all */
	bool kernel;                 /* segments are in kernel memory */
	struct iovec one;            /* the segment of a transfer with only one */
};

/* bytes of user memory; -EFAULT when [at, at + bytes) is not within user space. Moves MAX_TRANSFER
 * at most. */
int io_user(struct io *io, uptr at, size_t bytes);

/* bytes of kernel memory. */
void io_kernel(struct io *io, void *at, size_t bytes);

/*
 * count segments, described by the array at user address at, copied to *segments: the caller passes
 * that to kfree() when the transfer is over. -EINVAL (count over IOV_MAX, a length over the largest
 * i64), -EFAULT, -ENOMEM.
 */
int io_vector(struct io *io, uptr at, u64 count, struct iovec **segments);

/* Read: moves bytes from `from` (or zeroes) to the transfer; at most what is left of it. */
size_t io_put(struct io *io, const void *from, size_t bytes);
size_t io_put_zeroes(struct io *io, size_t bytes);

/* Write: moves bytes from the transfer to `to`. */
size_t io_get(struct io *io, void *to, size_t bytes);

/* Write: passes over bytes, which need not be accessible. */
size_t io_skip(struct io *io, size_t bytes);
