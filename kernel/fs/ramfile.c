/*
 * Regular files of the RAM file system. A file's contents are a memory object (mm/object.h), the
 * same that mmap and exec map, so there is nothing to keep in step.
 *
 * Writers hold the node's contents lock, so a write is not mixed with another or with a truncation,
 * and O_APPEND finds the end. Readers take no lock: each page is copied while a ref of it is held,
 * and the object's own lock makes the look-up of a page safe. A reader may see half of a write that
 * is under way, as on Linux.
 */
#include "kernel/fs/io.h"
#include "kernel/fs/ramfs.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "mm/tree.h"

#define MAX_BYTES 0x7fffffffffffffffull /* off_t's largest value */

/* Copies what lies in one page, or zeroes for a hole. */
static size_t read_page(struct object *object, u64 offset, struct io *to, size_t bytes)
{
	struct page *page = object_peek(object, offset >> PAGE_SHIFT);
	size_t moved;

	if (!page)
		return io_put_zeroes(to, bytes);
	moved = io_put(to, (char *)page_virt(page) + (offset & PAGE_MASK), bytes);
	page_put(page);
	return moved;
}

static i64 ramfile_read(struct file *file, struct io *to, u64 offset)
{
	struct object *object = file->inode->object;
	u64 at = offset;

	inode_accessed(file->inode);
	while (to->left && at < object->size) {
		size_t part = MIN(PAGE_SIZE - (at & PAGE_MASK), object->size - at);
		size_t moved;

		part = MIN(part, to->left);
		moved = read_page(object, at, to, part);
		at += moved;
		if (moved < part)
			return at > offset ? (i64)(at - offset) : -EFAULT;
	}
	return (i64)(at - offset);
}

/* locked: contents */
static void resize(struct object *object, u64 size)
{
	write_lock(&object->mappers);
	object_truncate(object, size);
	write_unlock(&object->mappers);
}

/* Writes within one page, and makes the file as long as that needs. Bytes moved, 0 = bad address,
 * or -ENOSPC. locked: contents */
static i64 write_page(struct object *object, u64 offset, struct io *from, size_t bytes)
{
	u64 size = object->size;
	struct page *page;
	size_t moved;
	int error;

	if (offset + bytes > size)
		object_resize(object, offset + bytes);
	error = object_page(object, offset >> PAGE_SHIFT, &page);
	if (error) {
		resize(object, size);
		return error == -ENOMEM ? -ENOSPC : error; /* memory is the disk here */
	}
	moved = io_get(from, (char *)page_virt(page) + (offset & PAGE_MASK), bytes);
	page_put(page);
	if (moved < bytes && object->size > size)
		resize(object, moved ? MAX(size, offset + moved) : size);
	return (i64)moved;
}

/* locked: contents */
static i64 write_from(struct object *object, u64 offset, struct io *from)
{
	u64 at = offset;
	i64 moved = 0;

	while (from->left && at < MAX_BYTES) {
		size_t part = MIN(PAGE_SIZE - (at & PAGE_MASK), MAX_BYTES - at);

		part = MIN(part, from->left);
		moved = write_page(object, at, from, part);
		if (moved <= 0)
			break;
		at += (u64)moved;
	}
	if (at > offset || !from->left)
		return (i64)(at - offset);
	if (at >= MAX_BYTES)
		return -EFBIG;
	return moved ? moved : -EFAULT;
}

static i64 ramfile_write(struct file *file, struct io *from, u64 offset)
{
	struct inode *inode = file->inode;
	struct rwlock *contents = &ramfs_node(inode)->contents;
	i64 result;

	if (!from->left)
		return 0;
	write_lock(contents);
	if (file->flags & O_APPEND)
		offset = inode->object->size;
	result = write_from(inode->object, offset, from);
	if (result > 0)
		inode_modified(inode);
	write_unlock(contents);
	return result;
}

static int ramfile_truncate(struct inode *inode, u64 size)
{
	struct rwlock *contents = &ramfs_node(inode)->contents;

	if (size > MAX_BYTES)
		return -EFBIG;
	write_lock(contents);
	resize(inode->object, size);
	inode_modified(inode);
	write_unlock(contents);
	return 0;
}

/* Makes pages, which mean what the holes before meant: so what a failure leaves of them is no harm.
 * locked: contents */
static int preallocate(struct object *object, u64 offset, u64 length, bool keep_size)
{
	u64 from = offset >> PAGE_SHIFT, to = ROUND_UP(offset + length, PAGE_SIZE) >> PAGE_SHIFT;

	/* More than there can be is refused before it has taken all there is. */
	if (to - from > frames_free() + object->pages || object_fill(object, from, to))
		return -ENOSPC;
	if (!keep_size && offset + length > object->size)
		object_resize(object, offset + length);
	return 0;
}

static int ramfile_allocate(struct inode *inode, u32 mode, u64 offset, u64 length)
{
	struct rwlock *contents = &ramfs_node(inode)->contents;
	struct object *object = inode->object;
	int error = 0;

	write_lock(contents);
	if (mode & FALLOC_PUNCH_HOLE) {
		write_lock(&object->mappers);
		object_punch(object, offset, length);
		write_unlock(&object->mappers);
	} else {
		error = preallocate(object, offset, length, mode & FALLOC_KEEP_SIZE);
	}
	inode_modified(inode);
	write_unlock(contents);
	return error;
}

/* For /proc/PID/maps, which tells of mapped files that have no name and no descriptor any more; without
 * memory they go untold. */
static struct object_label *label_create(struct inode *inode)
{
	char *path = kmalloc(PATH_MAX);
	size_t length = path ? inode_path(inode, path, PATH_MAX) : 0;
	struct object_label *label = length ? kmalloc(sizeof(*label) + length + 1) : NULL;

	if (label) {
		label->ino = inode->ino;
		label->dev = inode->fs->dev;
		label->placed = inode->parent;
		memcpy(label->path, path, length + 1);
	}
	kfree(path);
	return label;
}

/* Mappings keep the object; only the way back to its name ends here. */
static void ramfile_destroy(struct inode *inode)
{
	struct object *object = inode->object;
	struct object_label *label = object->refs > 1 ? label_create(inode) : NULL;

	spin_lock(&object->lock);
	object->owner = NULL;
	object->label = label;
	spin_unlock(&object->lock);
	object_put(object);
}

const struct inode_ops ramfile_ops = {
	.read = ramfile_read,
	.write = ramfile_write,
	.truncate = ramfile_truncate,
	.allocate = ramfile_allocate,
	.destroy = ramfile_destroy,
};
