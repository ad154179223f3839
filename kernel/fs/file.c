/*
 * Open files: their refs, and open(2).
 *
 * Invariant: a file's open operation has succeeded (or it was opened with O_PATH and neither open
 * nor release is called for it), and release is called once, when the last ref goes.
 */
#include "kernel/fs/filelock.h"
#include "kernel/fs/path.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define CREATION_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

void file_get(struct file *file)
{
	u32 refs = atomic_fetch_add(&file->refs, 1);

	ASSERT(refs > 0, "file had refs %u", refs);
}

void file_put(struct file *file)
{
	u32 refs = atomic_fetch_sub(&file->refs, 1);

	ASSERT(refs > 0, "file had refs %u", refs);
	if (refs > 1)
		return;
	file_unlock_all(file->inode, file);
	if (file->inode->ops->release && !(file->flags & O_PATH))
		file->inode->ops->release(file);
	inode_put(file->inode);
	kfree(file);
}

int file_create(struct inode *inode, u32 flags, struct file **out)
{
	struct file *file = kmalloc(sizeof(*file));
	int error = 0;

	if (!file)
		return -ENOMEM;
	file->refs = 1;
	lock_set_rank(&file->position, RANK_POSITION);
	file->flags = flags;
	file->inode = inode;
	if (inode->ops->open && !(flags & O_PATH))
		error = inode->ops->open(inode, file);
	if (error) {
		kfree(file);
		return error;
	}
	inode_get(inode);
	file->flags &= ~CREATION_FLAGS;
	*out = file;
	return 0;
}

struct search {
	struct inode *exe;
	bool found;
};

static bool compare_exe(void *context, struct process *process)
{
	struct search *search = context;

	search->found = process->exe == search->exe;
	return !search->found;
}

/* A file that some process executes is not written: its pages are the program. */
int inode_deny_busy_text(struct inode *inode)
{
	struct search search = {inode, false};

	if (is_regular(inode->mode) && (inode->mode & 0111))
		process_each(compare_exe, &search);
	return search.found ? -ETXTBSY : 0;
}

static int check_open(struct inode *inode, u32 flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);

	if (is_symlink(inode->mode) && !(flags & O_PATH))
		return -ELOOP;
	if ((flags & O_DIRECTORY) && !is_dir(inode->mode))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (is_dir(inode->mode) && (writes || (flags & O_CREAT)))
		return -EISDIR;
	return writes ? inode_deny_busy_text(inode) : 0;
}

static int open_inode(struct inode *inode, u32 flags, bool made, struct file **file)
{
	int error = made ? 0 : check_open(inode, flags);

	if (error)
		return error;
	if (!made && (flags & O_TRUNC) && is_regular(inode->mode) && inode->ops->truncate)
		error = inode->ops->truncate(inode, 0);
	return error ? error : file_create(inode, flags, file);
}

/* The last component of the walk: found, or made. */
static int find_or_make(struct walk *walk, u32 flags, u32 mode, struct inode **inode, bool *made)
{
	struct inode *dir = walk->at;
	int error;

	if (walk->slash && walk->kind == LAST_NAME)
		return -EISDIR;
	do {
		error = walk_last(walk, inode);
		if (error != -ENOENT) {
			if (!error && (flags & O_EXCL)) {
				inode_put(*inode);
				error = -EEXIST;
			}
			return error;
		}
		if (!dir->ops->create)
			return -EACCES;
		error = dir->ops->create(dir, walk->name, S_IFREG | mode, 0, inode);
		*made = !error;
	} while (error == -EEXIST && !(flags & O_EXCL)); /* somebody was faster */
	return error;
}

static int open_create(struct inode *base, const char *path, u32 flags, u32 mode,
		       struct file **file)
{
	struct walk walk;
	struct inode *inode = NULL;
	bool made = false;
	int result = walk_start(&walk, base, path);

	if (result)
		return result;
	while (!result) {
		struct inode *link;

		result = find_or_make(&walk, flags, mode, &inode, &made);
		if (result || !is_symlink(inode->mode) || (flags & O_NOFOLLOW))
			break;
		link = inode;
		result = walk_follow(&walk, link, &inode);
		inode_put(link);
	}
	walk_end(&walk);
	if (result < 0)
		return result;
	result = open_inode(inode, flags, made, file);
	inode_put(inode);
	return result;
}

int file_open_from(struct inode *base, const char *path, u32 flags, u32 mode, struct file **file)
{
	struct inode *inode;
	int error;

	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return -EOPNOTSUPP;
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	if (flags & O_CREAT)
		return open_create(base, path, flags, mode, file);
	error = path_lookup_from(base, path, !(flags & O_NOFOLLOW), &inode);
	if (error)
		return error;
	error = open_inode(inode, flags, false, file);
	inode_put(inode);
	return error;
}
