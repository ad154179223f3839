/*
 * System calls that move bytes in and out of open files, and move about in them.
 *
 * A file with offsets has its position lock held from reading the offset to moving it on, so two
 * processes that share an open file never get the same bytes, nor overwrite each other's.
 */
#include "kernel/block/block.h"
#include "kernel/fs/files.h"
#include "kernel/fs/io.h"
#include "kernel/fs/sys_file.h"
#include "kernel/fs/user_path.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/object.h"

#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define FIONREAD 0x541b
#define FIONBIO  0x5421
#define FIONCLEX 0x5450
#define FIOCLEX  0x5451

#define SENDFILE_CHUNK 16384u

enum direction { READ, WRITE };

/* The open file behind fd, with one more ref, if it was opened for this; else -EBADF. */
static int get_file(int fd, enum direction direction, struct file **file)
{
	struct file *found = files_lookup(fd);

	if (!found)
		return -EBADF;
	if (direction == READ ? !file_readable(found) : !file_writable(found)) {
		file_put(found);
		return -EBADF;
	}
	*file = found;
	return 0;
}

static i64 move_at(struct file *file, enum direction direction, struct io *io, u64 offset)
{
	const struct inode_ops *ops = file->inode->ops;

	if (direction == READ && is_dir(file->inode->mode))
		return -EISDIR;
	if (direction == READ)
		return ops->read ? ops->read(file, io, offset) : -EINVAL;
	return ops->write ? ops->write(file, io, offset) : -EINVAL;
}

/* Moves bytes at the file's own offset, and the offset with them. */
static i64 move(struct file *file, enum direction direction, struct io *io)
{
	struct inode *inode = file->inode;
	i64 result;

	if (inode->ops->stream)
		return move_at(file, direction, io, 0);
	write_lock(&file->position);
	result = move_at(file, direction, io, file->offset);
	if (result > 0 && direction == WRITE && (file->flags & O_APPEND) && inode->object)
		file->offset = inode->object->size;
	else if (result > 0)
		file->offset += (u64)result;
	write_unlock(&file->position);
	return result;
}

static i64 move_plain(int fd, enum direction direction, uptr at, size_t bytes)
{
	struct file *file;
	struct io io;
	i64 result = get_file(fd, direction, &file);

	if (result)
		return result;
	result = io_user(&io, at, bytes);
	if (!result)
		result = move(file, direction, &io);
	file_put(file);
	return result;
}

i64 sys_read(int fd, uptr to, size_t bytes)
{
	return move_plain(fd, READ, to, bytes);
}

i64 sys_write(int fd, uptr from, size_t bytes)
{
	return move_plain(fd, WRITE, from, bytes);
}

static i64 move_vector(int fd, enum direction direction, uptr at, u64 count)
{
	struct iovec *segments;
	struct file *file;
	struct io io;
	i64 result = get_file(fd, direction, &file);

	if (result)
		return result;
	result = io_vector(&io, at, count, &segments);
	if (!result)
		result = move(file, direction, &io);
	kfree(segments);
	file_put(file);
	return result;
}

i64 sys_readv(int fd, uptr segments, u64 count)
{
	return move_vector(fd, READ, segments, count);
}

i64 sys_writev(int fd, uptr segments, u64 count)
{
	return move_vector(fd, WRITE, segments, count);
}

/* As get_file(), for a call that brings its own offset. */
static int get_file_at(int fd, enum direction direction, i64 offset, struct file **file)
{
	int error = offset < 0 ? -EINVAL : get_file(fd, direction, file);

	if (!error && (*file)->inode->ops->stream) {
		file_put(*file);
		error = -ESPIPE;
	}
	return error;
}

static i64 move_plain_at(int fd, enum direction direction, uptr at, size_t bytes, i64 offset)
{
	struct file *file;
	struct io io;
	i64 result = get_file_at(fd, direction, offset, &file);

	if (result)
		return result;
	result = io_user(&io, at, bytes);
	if (!result)
		result = move_at(file, direction, &io, (u64)offset);
	file_put(file);
	return result;
}

i64 sys_pread64(int fd, uptr to, size_t bytes, i64 offset)
{
	return move_plain_at(fd, READ, to, bytes, offset);
}

i64 sys_pwrite64(int fd, uptr from, size_t bytes, i64 offset)
{
	return move_plain_at(fd, WRITE, from, bytes, offset);
}

static i64 move_vector_at(int fd, enum direction direction, uptr at, u64 count, i64 offset)
{
	struct iovec *segments;
	struct file *file;
	struct io io;
	i64 result = get_file_at(fd, direction, offset, &file);

	if (result)
		return result;
	result = io_vector(&io, at, count, &segments);
	if (!result)
		result = move_at(file, direction, &io, (u64)offset);
	kfree(segments);
	file_put(file);
	return result;
}

i64 sys_preadv(int fd, uptr segments, u64 count, i64 offset)
{
	return move_vector_at(fd, READ, segments, count, offset);
}

i64 sys_pwritev(int fd, uptr segments, u64 count, i64 offset)
{
	return move_vector_at(fd, WRITE, segments, count, offset);
}

/* Copies through buffer from *offset of in on. Only what was written counts as read. */
static i64 send(struct file *out, struct file *in, u64 *offset, size_t bytes, void *buffer)
{
	i64 total = 0;

	while (bytes) {
		struct io io;
		i64 got, sent;

		io_kernel(&io, buffer, MIN(bytes, SENDFILE_CHUNK));
		got = move_at(in, READ, &io, *offset);
		if (got <= 0)
			return total ? total : got;
		io_kernel(&io, buffer, (size_t)got);
		sent = move(out, WRITE, &io);
		if (sent < 0)
			return total ? total : sent;
		*offset += (u64)sent;
		total += sent;
		bytes -= (size_t)sent;
		if (sent < got)
			break;
	}
	return total;
}

/* The source's offset is the one at user address at, or the file's own. in's position lock is not
 * held meanwhile: two calls in opposite directions would wait for each other. */
static i64 send_from(struct file *out, struct file *in, uptr at, size_t bytes, void *buffer)
{
	i64 offset, result;

	if (!at) {
		u64 position = in->offset;

		result = send(out, in, &position, bytes, buffer);
		in->offset = position;
		return result;
	}
	if (copy_from_user(&offset, at, sizeof(offset)))
		return -EFAULT;
	if (offset < 0)
		return -EINVAL;
	result = send(out, in, (u64 *)&offset, bytes, buffer);
	if (result >= 0 && copy_to_user(at, &offset, sizeof(offset)))
		return -EFAULT;
	return result;
}

i64 sys_sendfile(int out, int in, uptr offset, size_t bytes)
{
	struct file *from, *to;
	i64 result = get_file(in, READ, &from);
	void *buffer;

	if (result)
		return result;
	result = get_file(out, WRITE, &to);
	if (!result) {
		buffer = kmalloc(SENDFILE_CHUNK);
		if (!buffer)
			result = -ENOMEM;
		else if (from->inode->ops->stream || from == to || (to->flags & O_APPEND))
			result = -EINVAL;
		else
			result = send_from(to, from, offset, MIN(bytes, MAX_TRANSFER), buffer);
		kfree(buffer);
		file_put(to);
	}
	file_put(from);
	return result;
}

/* Where the file ends, for lseek. */
static i64 seek_end(const struct file *file)
{
	const struct inode *inode = file->inode;

	if (inode->object)
		return (i64)inode->object->size;
	return inode->ops->size ? (i64)inode->ops->size(file) : 0;
}

/* Where whence and offset lead; -EINVAL, -ENXIO. locked: position */
static i64 seek_target(const struct file *file, i64 offset, int whence)
{
	i64 size = seek_end(file), base;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (i64)file->offset;
		break;
	case SEEK_END:
		base = size;
		break;
	case SEEK_DATA: /* all of a file counts as data, followed by one hole */
	case SEEK_HOLE:
		if (offset < 0 || offset >= size)
			return -ENXIO;
		return whence == SEEK_DATA ? offset : size;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &base))
		return -EOVERFLOW;
	return base < 0 || (file->inode->ops->size && base > size) ? -EINVAL : base;
}

i64 sys_lseek(int fd, i64 offset, int whence)
{
	struct file *file = files_lookup(fd);
	i64 result = -ESPIPE;

	if (!file)
		return -EBADF;
	if (!file->inode->ops->stream) {
		write_lock(&file->position);
		result = seek_target(file, offset, whence);
		if (result >= 0)
			file->offset = (u64)result;
		write_unlock(&file->position);
	}
	file_put(file);
	return result;
}

static i64 truncate(struct inode *inode, i64 size)
{
	int error;

	if (is_dir(inode->mode))
		return -EISDIR;
	if (!is_regular(inode->mode) || !inode->ops->truncate)
		return -EINVAL;
	error = inode_deny_busy_text(inode);
	return error ? error : inode->ops->truncate(inode, (u64)size);
}

i64 sys_truncate(uptr path, i64 size)
{
	struct inode *inode;
	i64 result;

	if (size < 0)
		return -EINVAL;
	result = user_lookup(AT_FDCWD, path, 0, &inode);
	if (result)
		return result;
	result = truncate(inode, size);
	inode_put(inode);
	return result;
}

i64 sys_ftruncate(int fd, i64 size)
{
	struct file *file;
	i64 result = -EINVAL;

	if (size < 0)
		return -EINVAL;
	file = files_lookup(fd);
	if (!file)
		return -EBADF;
	if (file_writable(file) && is_regular(file->inode->mode))
		result = truncate(file->inode, size);
	file_put(file);
	return result;
}

/* 0, or why the file cannot be allocated in. */
static i64 check_allocate(const struct file *file, i64 offset, i64 length)
{
	u32 type = file->inode->mode & S_IFMT;

	if (!file_writable(file))
		return -EBADF;
	if (type == S_IFIFO)
		return -ESPIPE;
	if (type == S_IFDIR)
		return -EISDIR;
	if (type != S_IFREG)
		return -ENODEV;
	return length > INT64_MAX - offset ? -EFBIG : 0;
}

i64 sys_fallocate(int fd, u32 mode, i64 offset, i64 length)
{
	struct file *file = files_lookup(fd);
	i64 result;

	if (!file)
		return -EBADF;
	if (offset < 0 || length <= 0)
		result = -EINVAL;
	else if (mode > FALLOC_KEEP_SIZE && mode != (FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE))
		result = -EOPNOTSUPP;
	else
		result = check_allocate(file, offset, length);
	if (!result)
		result = file->inode->ops->allocate
				 ? file->inode->ops->allocate(file->inode, mode, (u64)offset,
							      (u64)length)
				 : -EOPNOTSUPP;
	file_put(file);
	return result;
}

/* Memory is the storage of all but block devices. */
i64 sys_fsync(int fd)
{
	struct file *file = files_lookup(fd);
	i64 result;

	if (!file)
		return -EBADF;
	if (file->inode->ops->sync)
		result = file->inode->ops->sync(file);
	else
		result = file->inode->ops->stream ? -EINVAL : 0;
	file_put(file);
	return result;
}

i64 sys_sync(void)
{
	for (struct block_device *at = block_next(NULL); at; at = block_next(at))
		block_flush(at);
	return 0;
}

static i64 set_nonblocking(struct file *file, uptr from)
{
	i32 on;

	if (copy_from_user(&on, from, sizeof(on)))
		return -EFAULT;
	if (on)
		file->flags |= O_NONBLOCK;
	else
		file->flags &= ~O_NONBLOCK;
	return 0;
}

static i64 bytes_left(const struct file *file, uptr to)
{
	i32 left = (i32)(file->inode->object->size - file->offset);

	return copy_to_user(to, &left, sizeof(left));
}

i64 sys_ioctl(int fd, u64 request, u64 argument)
{
	struct file *file = files_lookup(fd);
	i64 result = -ENOTTY;

	request &= 0xffffffff; /* it is an unsigned int, which some programs extend by its sign */
	if (!file)
		return -EBADF;
	if (request == FIOCLEX || request == FIONCLEX)
		result = files_set_close_on_exec(fd, request == FIOCLEX);
	else if (request == FIONBIO)
		result = set_nonblocking(file, argument);
	else if (request == FIONREAD && file->inode->object)
		result = bytes_left(file, argument);
	else if (file->inode->ops->ioctl)
		result = file->inode->ops->ioctl(file, request, argument);
	file_put(file);
	return result;
}
