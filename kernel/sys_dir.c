/*
 * System calls that list directories, and the working directory.
 *
 * A directory's offset is the number of the entry to come next: 0 is '.', 1 is '..', the file
 * system's own begin at 2. Entries are put together in kernel memory and copied out when no lock is
 * held any more.
 */
#include "kernel/fs/files.h"
#include "kernel/fs/sys_file.h"
#include "kernel/fs/user_path.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define LISTING_MAX 32768u /* bytes of one getdents64, however large the caller's buffer */

struct linux_dirent64 {
	u64 ino;
	i64 next; /* offset of the entry after this one */
	u16 bytes;
	u8 type; /* S_IFMT bits >> 12 */
	char name[];
};
_Static_assert(offsetof(struct linux_dirent64, name) == 19, "Linux's struct linux_dirent64");

struct listing {
	char *buffer;
	size_t size, used;
	u64 next;  /* offset after the last entry that found room */
	bool full; /* one more entry did not */
};

static bool emit(void *context, const char *name, size_t length, u64 ino, u32 mode, u64 next)
{
	struct listing *listing = context;
	size_t bytes = ROUND_UP(offsetof(struct linux_dirent64, name) + length + 1, 8);
	struct linux_dirent64 *entry = (void *)(listing->buffer + listing->used);

	if (bytes > listing->size - listing->used) {
		listing->full = true;
		return false;
	}
	memset(entry, 0, bytes);
	entry->ino = ino;
	entry->next = (i64)next;
	entry->bytes = (u16)bytes;
	entry->type = (u8)((mode & S_IFMT) >> 12);
	memcpy(entry->name, name, length);
	listing->used += bytes;
	listing->next = next;
	return true;
}

static bool emit_dots(struct listing *listing, struct inode *dir)
{
	if (listing->next == 0 && !emit(listing, ".", 1, dir->ino, dir->mode, 1))
		return false;
	return listing->next > 1 || emit(listing, "..", 2, dir->parent->ino, S_IFDIR, 2);
}

static int list(struct listing *listing, struct inode *dir)
{
	int error = 0;

	if (emit_dots(listing, dir))
		error = dir->ops->readdir(dir, listing->next, emit, listing);
	if (!error && listing->full && !listing->used)
		error = -EINVAL;
	return error;
}

/* locked: position */
static i64 list_to_user(struct file *file, uptr to, size_t size)
{
	struct listing listing = {kmalloc(size), size, 0, file->offset, false};
	i64 result;

	if (!listing.buffer)
		return -ENOMEM;
	result = list(&listing, file->inode);
	if (!result)
		result = copy_to_user(to, listing.buffer, listing.used);
	if (!result) {
		file->offset = listing.next;
		result = (i64)listing.used;
	}
	kfree(listing.buffer);
	return result;
}

i64 sys_getdents64(int fd, uptr to, u32 bytes)
{
	struct file *file = files_lookup(fd);
	i64 result;

	if (!file)
		return -EBADF;
	if (!is_dir(file->inode->mode)) {
		result = -ENOTDIR;
	} else if (file->inode->unlinked) {
		result = -ENOENT;
	} else if (bytes == 0) {
		result = -EINVAL;
	} else {
		write_lock(&file->position);
		result = list_to_user(file, to, MIN(bytes, LISTING_MAX));
		write_unlock(&file->position);
	}
	file_put(file);
	return result;
}

/* The path of dir and its NUL; the bytes written. */
static i64 put_path(struct inode *dir, uptr to, size_t bytes)
{
	char *path = kmalloc(PATH_MAX);
	size_t length;
	i64 result;

	if (!path)
		return -ENOMEM;
	length = inode_path(dir, path, PATH_MAX);
	if (length == 0)
		result = -ENAMETOOLONG;
	else if (length + 1 > bytes)
		result = -ERANGE;
	else
		result = copy_to_user(to, path, length + 1);
	kfree(path);
	return result ? result : (i64)length + 1;
}

i64 sys_getcwd(uptr to, size_t bytes)
{
	struct inode *cwd = process_inode(&current_process()->cwd);
	i64 result = cwd->unlinked ? -ENOENT : put_path(cwd, to, bytes);

	inode_put(cwd);
	return result;
}

/* Takes the inode's ref. */
static i64 enter(struct inode *inode)
{
	if (!is_dir(inode->mode)) {
		inode_put(inode);
		return -ENOTDIR;
	}
	inode_put(process_swap_inode(&current_process()->cwd, inode));
	return 0;
}

i64 sys_chdir(uptr path)
{
	struct inode *inode;
	i64 error = user_lookup(AT_FDCWD, path, 0, &inode);

	return error ? error : enter(inode);
}

i64 sys_fchdir(int fd)
{
	struct file *file = files_lookup_any(fd);
	struct inode *inode;

	if (!file)
		return -EBADF;
	inode = file->inode;
	inode_get(inode);
	file_put(file);
	return enter(inode);
}
