/*
 * Transfers, segment by segment. User memory becomes inaccessible only at page boundaries, so a
 * copy that fails is tried again up to the first one: what could be moved is moved, as on Linux.
 */
#include "kernel/fs/io.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/mm.h"

static bool in_user_space(uptr at, u64 bytes)
{
	return bytes <= USER_END && at <= USER_END - bytes;
}

static void start(struct io *io, const struct iovec *segment, size_t bytes, bool kernel)
{
	io->segment = segment;
	io->moved = 0;
	io->left = MIN(bytes, MAX_TRANSFER);
	io->kernel = kernel;
}

int io_user(struct io *io, uptr at, size_t bytes)
{
	if (!in_user_space(at, bytes))
		return -EFAULT;
	io->one = (struct iovec) {at, bytes};
	start(io, &io->one, bytes, false);
	return 0;
}

void io_kernel(struct io *io, void *at, size_t bytes)
{
	io->one = (struct iovec) {(uptr)at, bytes};
	start(io, &io->one, bytes, true);
}

static i64 check_segments(const struct iovec *segments, u64 count)
{
	u64 total = 0;

	for (u64 i = 0; i < count; i++)
		if ((i64)segments[i].bytes < 0)
			return -EINVAL;
	for (u64 i = 0; i < count; i++) {
		if (!in_user_space(segments[i].base, segments[i].bytes))
			return -EFAULT;
		total = MIN(total + segments[i].bytes, MAX_TRANSFER);
	}
	return (i64)total;
}

int io_vector(struct io *io, uptr at, u64 count, struct iovec **segments)
{
	*segments = NULL;
	if (count > IOV_MAX)
		return -EINVAL;
	if (count == 0)
		return io_user(io, 0, 0);

	struct iovec *copy = kmalloc(count * sizeof(*copy));
	i64 total;

	if (!copy)
		return -ENOMEM;
	total = copy_from_user(copy, at, count * sizeof(*copy));
	if (!total)
		total = check_segments(copy, count);
	if (total < 0) {
		kfree(copy);
		return (int)total;
	}
	start(io, copy, (size_t)total, false);
	*segments = copy;
	return 0;
}

enum direction { PUT, PUT_ZEROES, GET, SKIP };

static int copy_kernel(enum direction direction, void *kernel, void *at, size_t bytes)
{
	if (direction == PUT)
		memcpy(at, kernel, bytes);
	else if (direction == PUT_ZEROES)
		memset(at, 0, bytes);
	else if (direction == GET)
		memcpy(kernel, at, bytes);
	return 0;
}

static int copy(const struct io *io, enum direction direction, void *kernel, size_t bytes)
{
	uptr at = io->segment->base + io->moved;

	if (io->kernel)
		return copy_kernel(direction, kernel, (void *)at, bytes);
	if (direction == PUT)
		return copy_to_user(at, kernel, bytes);
	if (direction == PUT_ZEROES)
		return clear_user(at, bytes);
	return direction == GET ? copy_from_user(kernel, at, bytes) : 0;
}

/* copy(), or as much of it as lies before the first page that cannot be accessed; returns how much.
 */
static size_t copy_some(const struct io *io, enum direction direction, void *kernel, size_t bytes)
{
	size_t done = 0;

	if (!copy(io, direction, kernel, bytes))
		return bytes;

	struct io page = *io;

	while (done < bytes) {
		uptr at = io->segment->base + io->moved + done;
		size_t part = MIN(bytes - done, PAGE_SIZE - (at & PAGE_MASK));

		page.moved = io->moved + done;
		if (copy(&page, direction, kernel ? (char *)kernel + done : NULL, part))
			break;
		done += part;
	}
	return done;
}

static size_t move(struct io *io, enum direction direction, void *kernel, size_t bytes)
{
	size_t done = 0;

	bytes = MIN(bytes, io->left);
	while (done < bytes) {
		size_t part = MIN(bytes - done, io->segment->bytes - io->moved);

		if (part == 0) {
			io->segment++;
			io->moved = 0;
			continue;
		}

		size_t moved =
			copy_some(io, direction, kernel ? (char *)kernel + done : NULL, part);

		io->moved += moved;
		io->left -= moved;
		done += moved;
		if (moved < part)
			break;
	}
	return done;
}

size_t io_put(struct io *io, const void *from, size_t bytes)
{
	return move(io, PUT, (void *)from, bytes);
}

size_t io_put_zeroes(struct io *io, size_t bytes)
{
	return move(io, PUT_ZEROES, NULL, bytes);
}

size_t io_get(struct io *io, void *to, size_t bytes)
{
	return move(io, GET, to, bytes);
}

size_t io_skip(struct io *io, size_t bytes)
{
	return move(io, SKIP, NULL, bytes);
}
