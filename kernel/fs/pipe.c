/*
 * Pipes. A ring of PIPE_BYTES in pages that are made when the first byte is written to them and
 * freed when the last one has been read, so that an idle pipe costs no page.
 *
 * Invariants: bytes [first, first + used) of the ring are the contents, and every page that holds
 * one of them is there. lock is held by whoever moves bytes, also while user memory is copied, so a
 * transfer that fails has consumed nothing beyond what was moved. readers, writers and used are
 * single words: a waiter reads them without the lock to learn whether trying again is worth while,
 * and tries under the lock.
 */
#include "kernel/fs/pipe.h"
#include "kernel/fs/io.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/frame.h"
#include "mm/heap.h"

#define PIPE_PAGES (PIPE_BYTES / PAGE_SIZE)
#define FIONREAD   0x541b

struct pipe {
	struct rwlock lock;                     /* only ever taken as writer */
	_Atomic u32 readers, writers;           /* open files */
	_Atomic u32 reader_opens, writer_opens; /* so far; they wrap */
	/* guarded by lock: */
	u32 first;
	_Atomic u32 used;
	void *pages[PIPE_PAGES];
	struct waitqueue changed; /* bytes came or went, or an end was closed */
};

static const struct filesystem pipefs = {"pipefs", NULL, 0x50495045, 13};

static struct pipe *pipe_of(const struct file *file)
{
	return file->inode->private;
}

static void announce(struct pipe *pipe)
{
	wake_all(&pipe->changed);
	wake_pollers();
}

static void free_page(struct pipe *pipe, u32 index)
{
	frame_free(virt_page(pipe->pages[index]), 0);
	pipe->pages[index] = NULL;
}

/* Forgets count bytes of the first page, which have been read, and the page when it holds no
 * others. In a full ring the newest bytes may lie in that page too, before the oldest. locked: pipe
 */
static void consume(struct pipe *pipe, u32 count)
{
	u32 page = pipe->first / PAGE_SIZE, to_newest;

	if (count == 0)
		return;
	pipe->first = (pipe->first + count) % PIPE_BYTES;
	pipe->used -= count;
	to_newest = (page * (u32)PAGE_SIZE - pipe->first) % PIPE_BYTES;
	if (pipe->used == 0)
		pipe->first = 0;
	else if (pipe->first / PAGE_SIZE == page || pipe->used > to_newest)
		return;
	free_page(pipe, page);
}

/* Moves bytes out as long as there are some. Returns how many, or -EFAULT if none could be. locked:
 * pipe */
static i64 take(struct pipe *pipe, struct io *to)
{
	i64 total = 0;

	while (to->left && pipe->used) {
		u32 in_page = pipe->first % PAGE_SIZE;
		size_t part = MIN(PAGE_SIZE - in_page, pipe->used);
		size_t moved;

		part = MIN(part, to->left);
		moved = io_put(to, (char *)pipe->pages[pipe->first / PAGE_SIZE] + in_page, part);
		consume(pipe, (u32)moved);
		total += (i64)moved;
		if (moved < part)
			return total ? total : -EFAULT;
	}
	return total;
}

/* The place after the last byte, its page made if need be; NULL when memory is out. locked: pipe */
static char *end_of(struct pipe *pipe)
{
	u32 end = (pipe->first + pipe->used) % PIPE_BYTES;
	void **page = &pipe->pages[end / PAGE_SIZE];

	if (!*page) {
		struct page *frame = frame_alloc(0);

		if (!frame)
			return NULL;
		*page = page_virt(frame);
	}
	return (char *)*page + end % PAGE_SIZE;
}

/* Moves bytes in as long as there is room. Returns how many, or -EFAULT or -ENOMEM if none could
 * be. locked: pipe */
static i64 fill(struct pipe *pipe, struct io *from)
{
	i64 total = 0;

	while (from->left && pipe->used < PIPE_BYTES) {
		u32 end = (pipe->first + pipe->used) % PIPE_BYTES;
		size_t part = MIN(PAGE_SIZE - end % PAGE_SIZE, PIPE_BYTES - pipe->used);
		char *to = end_of(pipe);
		size_t moved;

		if (!to)
			return total ? total : -ENOMEM;
		part = MIN(part, from->left);
		moved = io_get(from, to, part);
		pipe->used += (u32)moved;
		total += (i64)moved;
		if (moved < part) {
			if (pipe->used == 0)
				free_page(pipe, end / PAGE_SIZE);
			return total ? total : -EFAULT;
		}
	}
	return total;
}

/* Writers of bytes that belong together wait until all of them fit. */
static u32 room_wanted(const struct io *from)
{
	return from->left <= PIPE_BUF ? (u32)from->left : 1;
}

static bool has_room(const struct pipe *pipe, u32 bytes)
{
	return PIPE_BYTES - pipe->used >= bytes;
}

static i64 pipe_read(struct file *file, struct io *to, u64 offset)
{
	struct pipe *pipe = pipe_of(file);

	(void)offset;
	while (to->left) {
		i64 moved;

		write_lock(&pipe->lock);
		moved = take(pipe, to);
		write_unlock(&pipe->lock);
		if (moved > 0)
			announce(pipe);
		if (moved)
			return moved;
		if (!pipe->writers && !pipe->used)
			return 0;
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_until_or_signal(&pipe->changed, pipe->used || !pipe->writers))
			return -EINTR;
	}
	return 0;
}

/* One attempt: bytes moved, 0 = there is no room now, or an error. */
static i64 try_write(struct pipe *pipe, struct io *from)
{
	i64 moved = 0;

	write_lock(&pipe->lock);
	if (!pipe->readers)
		moved = -EPIPE;
	else if (has_room(pipe, room_wanted(from)))
		moved = fill(pipe, from);
	write_unlock(&pipe->lock);
	if (moved > 0)
		announce(pipe);
	return moved;
}

static i64 pipe_write(struct file *file, struct io *from, u64 offset)
{
	struct pipe *pipe = pipe_of(file);
	bool whole =
		from->left <= PIPE_BUF; /* and so moved in one attempt, unless an address is bad */
	i64 total = 0, moved = 0;

	(void)offset;
	while (from->left) {
		u32 room = room_wanted(from);

		moved = try_write(pipe, from);
		if (moved < 0)
			break;
		total += moved;
		if (moved && (whole || !from->left))
			break;
		if (moved)
			continue;
		moved = -EAGAIN;
		if (file->flags & O_NONBLOCK)
			break;
		moved = wait_until_or_signal(&pipe->changed,
					     has_room(pipe, room) || !pipe->readers);
		if (moved)
			break;
	}
	if (moved == -EPIPE)
		signal_send(current_process(), SIGPIPE);
	return total ? total : moved;
}

/* So that a reader who came before all writers is told that they hung up only after there was one (fifo(7)). */
static void remember_writers(struct file *file, const struct pipe *pipe)
{
	file->private = (void *)(uptr)(pipe->writer_opens - (pipe->writers ? 1 : 0));
}

static bool hung_up(const struct file *file, const struct pipe *pipe)
{
	return !pipe->writers && pipe->writer_opens != (u32)(uptr)file->private;
}

static int pipe_poll(struct file *file)
{
	struct pipe *pipe = pipe_of(file);
	u32 access = file->flags & O_ACCMODE;
	int events = 0;

	if (access != O_WRONLY) {
		events |= pipe->used ? POLLIN : 0;
		events |= hung_up(file, pipe) ? POLLHUP : 0;
	}
	if (access != O_RDONLY) {
		events |= has_room(pipe, PIPE_BUF) ? POLLOUT : 0;
		events |= pipe->readers ? 0 : POLLERR;
	}
	return events;
}

static i64 pipe_ioctl(struct file *file, u64 request, u64 argument)
{
	i32 used = (i32)pipe_of(file)->used;

	if (request != FIONREAD)
		return -ENOTTY;
	return copy_to_user(argument, &used, sizeof(used));
}

/* Also for a reopening through /proc/PID/fd. */
static int pipe_open(struct inode *inode, struct file *file)
{
	struct pipe *pipe = inode->private;
	u32 access = file->flags & O_ACCMODE;

	remember_writers(file, pipe);
	if (access != O_WRONLY) {
		pipe->readers++;
		pipe->reader_opens++;
	}
	if (access != O_RDONLY) {
		pipe->writers++;
		pipe->writer_opens++;
	}
	announce(pipe);
	return 0;
}

static void pipe_close(struct pipe *pipe, u32 access)
{
	if (access != O_WRONLY)
		pipe->readers--;
	if (access != O_RDONLY)
		pipe->writers--;
	announce(pipe);
}

static void pipe_release(struct file *file)
{
	pipe_close(pipe_of(file), file->flags & O_ACCMODE);
}

/* locked: pipe, or nobody else knows it */
static void free_pages(struct pipe *pipe)
{
	for (u32 i = 0; i < PIPE_PAGES; i++)
		if (pipe->pages[i])
			free_page(pipe, i);
}

static void pipe_destroy(struct inode *inode)
{
	struct pipe *pipe = inode->private;

	free_pages(pipe);
	kfree(pipe);
}

/* The contents of a named pipe go with the last who has it open. */
static void fifo_close(struct inode *inode, u32 access)
{
	struct pipe *pipe = inode->private;

	write_lock(&pipe->lock);
	pipe_close(pipe, access);
	if (!pipe->readers && !pipe->writers) {
		free_pages(pipe);
		pipe->first = 0;
		pipe->used = 0;
	}
	write_unlock(&pipe->lock);
}

static const struct inode_ops pipe_ops = {
	.open = pipe_open,
	.release = pipe_release,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.destroy = pipe_destroy,
	.stream = true,
};

bool is_pipe(const struct inode *inode)
{
	return inode->ops == &pipe_ops || inode->ops == &fifo_ops;
}

/*
 * Waits until the other end is open too (fifo(7)). The opener counts from pipe_open() on, so a partner who waits
 * for it goes on, and may have closed again before it looks: so it looks for one who opened.
 */
static int open_with_partner(struct inode *inode, struct file *file, u32 access)
{
	struct pipe *pipe = inode->private;
	_Atomic u32 *partners = access == O_RDONLY ? &pipe->writers : &pipe->readers;
	_Atomic u32 *opens = access == O_RDONLY ? &pipe->writer_opens : &pipe->reader_opens;
	u32 before = *opens;
	int error;

	pipe_open(inode, file);
	error = wait_until_or_signal(&pipe->changed, *partners || *opens != before);
	if (error)
		fifo_close(inode, access);
	return error;
}

static int fifo_open(struct inode *inode, struct file *file)
{
	struct pipe *pipe = inode->private;
	u32 access = file->flags & O_ACCMODE;

	if (access != O_RDWR && !(file->flags & O_NONBLOCK))
		return open_with_partner(inode, file, access);
	if (access == O_WRONLY && !pipe->readers)
		return -ENXIO;
	return pipe_open(inode, file);
}

static void fifo_release(struct file *file)
{
	fifo_close(file->inode, file->flags & O_ACCMODE);
}

const struct inode_ops fifo_ops = {
	.open = fifo_open,
	.release = fifo_release,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.destroy = pipe_destroy,
	.stream = true,
};

void *fifo_create(void)
{
	struct pipe *pipe = kmalloc(sizeof(*pipe));

	if (pipe)
		lock_set_rank(&pipe->lock, RANK_CONTENTS);
	return pipe;
}

static struct inode *pipe_inode(void)
{
	struct inode *inode = inode_create(sizeof(*inode), S_IFIFO | 0600, &pipe_ops, &pipefs);
	char name[32];
	size_t bytes;

	if (!inode)
		return NULL;
	bytes = (size_t)snprintf(name, sizeof(name), "pipe:[%lu]", inode->ino) + 1;
	inode->private = fifo_create();
	inode->name = kmalloc(bytes);
	if (!inode->private || !inode->name) {
		kfree(inode->private);
		kfree(inode->name);
		kfree(inode);
		return NULL;
	}
	memcpy(inode->name, name, bytes);
	return inode;
}

int pipe_create(u32 flags, struct file *ends[2])
{
	struct inode *inode = pipe_inode();
	int error;

	if (!inode)
		return -ENOMEM;
	error = file_create(inode, O_RDONLY | flags, &ends[0]);
	if (!error) {
		error = file_create(inode, O_WRONLY | flags, &ends[1]);
		if (error)
			file_put(ends[0]);
	}
	inode_put(inode); /* the files keep it */
	return error;
}
