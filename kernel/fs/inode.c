/*
 * Inodes: their refs, their place among the names, and the path that leads to them.
 *
 * Invariant: refs counts the directory entries and mounts that lead to the inode, the children that
 * have it as their parent, open files, working directories, executables, and system calls that use
 * it. A directory entry holds its inode and the inode its parent; that is no circle that could
 * leak, since a directory is only unlinked when empty.
 */
#include "kernel/fs/vfs.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/object.h"

struct rwlock names_lock = RWLOCK(RANK_NAMES);

#define NS_PER_SECOND   1000000000
#define SECONDS_PER_DAY 86400

struct inode_time fs_now(void)
{
	u64 ns = clock_ns();

	return (struct inode_time) {(i64)(boot_epoch + ns / NS_PER_SECOND),
				    (i64)(ns % NS_PER_SECOND)};
}

void inode_modified(struct inode *inode)
{
	inode->modified = inode->changed = fs_now();
}

void inode_changed(struct inode *inode)
{
	inode->changed = fs_now();
}

static bool later(const struct inode_time *a, const struct inode_time *b)
{
	return a->seconds > b->seconds || (a->seconds == b->seconds && a->ns > b->ns);
}

void inode_accessed(struct inode *inode)
{
	struct inode_time now = fs_now();

	if (!later(&inode->accessed, &inode->modified) ||
	    !later(&inode->accessed, &inode->changed) ||
	    now.seconds - inode->accessed.seconds >= SECONDS_PER_DAY)
		inode->accessed = now;
}

struct inode *inode_create(size_t bytes, u32 mode, const struct inode_ops *ops,
			   const struct filesystem *fs)
{
	static _Atomic u64 last_ino;
	struct inode *inode = kmalloc(bytes);

	if (!inode)
		return NULL;
	inode->refs = 1;
	inode->mode = mode;
	inode->ino = atomic_fetch_add(&last_ino, 1) + 1;
	inode->links = 1;
	inode_modified(inode);
	inode->accessed = inode->modified;
	inode->ops = ops;
	inode->fs = fs;
	return inode;
}

int inode_set_name(struct inode *inode, const char *name)
{
	size_t bytes = strlen(name) + 1;
	char *copy = kmalloc(bytes);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, name, bytes);
	kfree(inode->name);
	inode->name = copy;
	return 0;
}

int inode_set_place(struct inode *inode, struct inode *parent, const char *name)
{
	int error = inode_set_name(inode, name);

	if (error)
		return error;
	inode_get(parent);
	inode_put(inode->parent);
	inode->parent = parent;
	inode->unlinked = false;
	return 0;
}

void inode_get(struct inode *inode)
{
	u32 refs = atomic_fetch_add(&inode->refs, 1);

	ASSERT(refs > 0, "inode %lu had refs %u", inode->ino, refs);
}

/* A loop and not a recursion, as a chain of deleted directories may be longer than the stack is
 * deep. */
void inode_put(struct inode *inode)
{
	while (inode) {
		u32 refs = atomic_fetch_sub(&inode->refs, 1);
		struct inode *parent = inode->parent == inode ? NULL : inode->parent;

		ASSERT(refs > 0, "inode %lu had refs 0", inode->ino);
		if (refs > 1)
			return;
		if (inode->ops->destroy)
			inode->ops->destroy(inode);
		kfree(inode->name);
		kfree(inode);
		inode = parent;
	}
}

/* An object may outlive its inode, mapped. The inode takes its name off the object under the
 * object's lock before it goes, so the one found here still exists; but it may have lost its last
 * ref. */
struct inode *object_inode(struct object *object)
{
	struct inode *inode;

	spin_lock(&object->lock);
	inode = object->owner;
	if (inode) {
		u32 refs = atomic_load(&inode->refs);

		while (refs && !atomic_compare_exchange_weak(&inode->refs, &refs, refs + 1))
			;
		if (!refs)
			inode = NULL;
	}
	spin_unlock(&object->lock);
	return inode;
}

static const char deleted[] = " (deleted)";

/* Puts text before to[*start]; false when there is no room. */
static bool prepend(char *to, size_t *start, const char *text)
{
	size_t length = strlen(text);

	if (length > *start)
		return false;
	while (length)
		to[--*start] = text[--length];
	return true;
}

/* Writes the path into the end of to[size] and says where it starts; false when it does not fit.
 * locked: names */
static bool path_backwards(struct inode *inode, char *to, size_t size, size_t *start)
{
	bool fits = size > 0;

	*start = fits ? size - 1 : 0;
	if (fits)
		to[*start] = '\0';
	if (!inode->parent)
		return fits && prepend(to, start, inode->name);
	if (inode->unlinked)
		fits = fits && prepend(to, start, deleted);
	if (inode->parent == inode)
		return fits && prepend(to, start, "/");
	for (; fits && inode->parent != inode; inode = inode->parent)
		fits = prepend(to, start, inode->name) && prepend(to, start, "/");
	return fits;
}

size_t inode_path(struct inode *inode, char *to, size_t size)
{
	size_t start;
	bool fits;

	read_lock(&names_lock);
	fits = path_backwards(inode, to, size, &start);
	read_unlock(&names_lock);
	if (!fits) {
		if (size)
			to[0] = '\0';
		return 0;
	}
	memmove(to, to + start, size - start);
	return size - 1 - start;
}
