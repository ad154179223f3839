/*
 * The RAM file system's names: making, finding, removing and moving them.
 *
 * All of it happens under names_lock, readers for finding and writers for changes, so each change
 * is atomic for everyone else. Every change takes the memory it needs before it changes anything.
 */
#include "kernel/fs/ramfs.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/pipe.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/object.h"

static const struct inode_ops dir_ops, symlink_ops;

static struct directory *entries(struct inode *dir)
{
	return ramfs_node(dir)->directory;
}

static const struct inode_ops *ops_of(u32 mode, u32 rdev)
{
	if (is_dir(mode))
		return &dir_ops;
	if (is_symlink(mode))
		return &symlink_ops;
	if (is_fifo(mode))
		return &fifo_ops;
	return is_regular(mode) ? &ramfile_ops : device_ops(mode, rdev);
}

/* A new inode without a name, one ref; NULL when memory is out. target: the text of a symlink. */
static struct inode *node_create(const struct filesystem *fs, u32 mode, u32 rdev,
				 const char *target)
{
	struct inode *inode = inode_create(sizeof(struct ramfs_node), mode, ops_of(mode, rdev), fs);
	bool complete = true;

	if (!inode)
		return NULL;
	inode->rdev = rdev;
	if (is_dir(mode)) {
		inode->links = 2;
		complete = (ramfs_node(inode)->directory = directory_create());
	} else if (is_regular(mode)) {
		lock_set_rank(&ramfs_node(inode)->contents, RANK_CONTENTS);
		complete = (inode->object = object_create(0, inode));
	} else if (is_fifo(mode)) {
		complete = (inode->private = fifo_create());
	} else if (is_symlink(mode)) {
		inode->size = strlen(target);
		complete = (ramfs_node(inode)->target = kmalloc(inode->size + 1));
		if (complete)
			memcpy(ramfs_node(inode)->target, target, inode->size + 1);
	}
	if (complete)
		return inode;
	kfree(inode);
	return NULL;
}

struct inode *ramfs_create(const struct filesystem *fs)
{
	struct inode *root = node_create(fs, S_IFDIR | 0755, 0, NULL);

	if (root)
		root->parent = root;
	return root;
}

static void dir_destroy(struct inode *inode)
{
	directory_destroy(entries(inode));
}

static void symlink_destroy(struct inode *inode)
{
	kfree(ramfs_node(inode)->target);
}

static int dir_lookup(struct inode *dir, const char *name, struct inode **found)
{
	read_lock(&names_lock);
	*found = directory_find(entries(dir), name);
	if (*found)
		inode_get(*found);
	read_unlock(&names_lock);
	return *found ? 0 : -ENOENT;
}

static int dir_readdir(struct inode *dir, u64 from, dirent_fn emit, void *context)
{
	read_lock(&names_lock);
	directory_each(entries(dir), from, emit, context);
	read_unlock(&names_lock);
	inode_accessed(dir);
	return 0;
}

/* Gives inode, which is new, its first name. locked: names, writer */
static int enter(struct inode *dir, const char *name, struct inode *inode)
{
	int error;

	if (dir->unlinked)
		return -ENOENT;
	if (directory_find(entries(dir), name))
		return -EEXIST;
	error = inode_set_place(inode, dir, name);
	if (!error)
		error = directory_add(entries(dir), name, inode);
	if (error)
		return error;
	if (is_dir(inode->mode))
		dir->links++;
	inode_modified(dir);
	return 0;
}

static int make(struct inode *dir, const char *name, struct inode *inode, struct inode **made)
{
	int error;

	if (!inode)
		return -ENOMEM;
	write_lock(&names_lock);
	error = enter(dir, name, inode);
	write_unlock(&names_lock);
	if (!error && made)
		*made = inode;
	else
		inode_put(inode);
	return error;
}

int ramfs_make(struct inode *dir, const char *name, u32 mode, u32 rdev, struct inode **made)
{
	return make(dir, name, node_create(dir->fs, mode, rdev, NULL), made);
}

struct inode *ramfs_make_nameless(const struct filesystem *fs, u32 mode, const char *shown)
{
	struct inode *inode = node_create(fs, S_IFREG | mode, 0, NULL);

	if (inode && inode_set_name(inode, shown)) {
		inode_put(inode);
		return NULL;
	}
	if (inode)
		inode->links = 0;
	return inode;
}

static int dir_symlink(struct inode *dir, const char *name, const char *target)
{
	return make(dir, name, node_create(dir->fs, S_IFLNK | 0777, 0, target), NULL);
}

static i64 symlink_readlink(struct inode *inode, char *to, size_t size)
{
	size_t bytes = MIN(size, inode->size);

	memcpy(to, ramfs_node(inode)->target, bytes);
	inode_accessed(inode);
	return (i64)bytes;
}

static int dir_link(struct inode *dir, const char *name, struct inode *target)
{
	int error;

	write_lock(&names_lock);
	if (dir->unlinked || target->links == 0)
		error = -ENOENT;
	else if (directory_find(entries(dir), name))
		error = -EEXIST;
	else
		error = directory_add(entries(dir), name, target);
	if (!error) {
		target->links++;
		inode_changed(target);
		inode_modified(dir);
		if (target->unlinked) /* if memory is out, it just keeps the place that is gone */
			(void)inode_set_place(target, dir, name);
	}
	write_unlock(&names_lock);
	return error;
}

static bool is_place(const struct inode *inode, const struct inode *dir, const char *name)
{
	return inode->parent == dir && strcmp(inode->name, name) == 0;
}

/* What becomes of an inode whose name (dir, name) is gone. locked: names, writer */
static void forget(struct inode *dir, const char *name, struct inode *inode)
{
	if (is_place(inode, dir, name))
		inode->unlinked = true;
	inode->links -= is_dir(inode->mode) ? 2 : 1;
	if (is_dir(inode->mode))
		dir->links--;
	inode_changed(inode);
	inode_modified(dir);
}

static int may_remove(struct inode *inode, bool want_dir)
{
	if (!inode)
		return -ENOENT;
	if (is_dir(inode->mode) != want_dir)
		return want_dir ? -ENOTDIR : -EISDIR;
	if (inode->mounted)
		return -EBUSY;
	return want_dir && !directory_empty(entries(inode)) ? -ENOTEMPTY : 0;
}

static int dir_unlink(struct inode *dir, const char *name, bool want_dir)
{
	struct inode *inode;
	int error;

	write_lock(&names_lock);
	inode = directory_find(entries(dir), name);
	error = may_remove(inode, want_dir);
	if (!error) {
		forget(dir, name, inode);
		directory_remove(entries(dir), name);
	}
	write_unlock(&names_lock);
	if (!error)
		inode_put(inode);
	return error;
}

/* True when dir is inode or lies below it. locked: names */
static bool is_below(const struct inode *dir, const struct inode *inode)
{
	while (dir != inode && dir->parent != dir)
		dir = dir->parent;
	return dir == inode;
}

/* Whether moving (dir, from) to `to`, where old stands under the new name or nothing, is allowed.
 * locked: names */
static int may_rename(struct inode *dir, struct inode *from, struct inode *to, struct inode *old)
{
	if (!from || to->unlinked)
		return -ENOENT;
	if (from->mounted || (old && old->mounted))
		return -EBUSY;
	if (is_dir(from->mode) && is_below(to, from))
		return -EINVAL;
	if (!old)
		return 0;
	if (is_dir(old->mode) && is_below(dir, old))
		return -ENOTEMPTY;
	return may_remove(old, is_dir(from->mode));
}

/* The move itself. -ENOMEM: nothing has changed. *gone: the inode that lost its name, or NULL; its
 * ref is the caller's. locked: names, writer */
static int move(struct inode *dir, const char *name, struct inode *to, const char *as,
		struct inode *old, struct inode **gone)
{
	struct inode *from = directory_find(entries(dir), name);
	int error = old ? 0 : directory_add(entries(to), as, from);

	if (error)
		return error;
	error = inode_set_place(from, to, as);
	if (error) {
		if (!old)
			inode_put(directory_remove(entries(to), as));
		return error;
	}
	if (old) {
		*gone = directory_replace(entries(to), as, from);
		forget(to, as, old);
	}
	directory_remove(entries(dir), name);
	if (is_dir(from->mode)) {
		dir->links--;
		to->links++;
	}
	inode_modified(dir);
	inode_modified(to);
	inode_changed(from);
	inode_put(from); /* the old name's ref; the new name has its own */
	return 0;
}

static int dir_rename(struct inode *dir, const char *name, struct inode *to, const char *as)
{
	struct inode *from, *old, *gone = NULL;
	int error;

	write_lock(&names_lock);
	from = directory_find(entries(dir), name);
	old = directory_find(entries(to), as);
	error = from && from == old ? 0 : may_rename(dir, from, to, old);
	if (!error && from != old)
		error = move(dir, name, to, as, old, &gone);
	write_unlock(&names_lock);
	inode_put(gone);
	return error;
}

static const struct inode_ops dir_ops = {
	.lookup = dir_lookup,
	.create = ramfs_make,
	.symlink = dir_symlink,
	.link = dir_link,
	.unlink = dir_unlink,
	.rename = dir_rename,
	.readdir = dir_readdir,
	.destroy = dir_destroy,
};

static const struct inode_ops symlink_ops = {
	.readlink = symlink_readlink,
	.destroy = symlink_destroy,
};
