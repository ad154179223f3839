/* Paths of system calls. */
#include "kernel/fs/user_path.h"
#include "kernel/fs/files.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/heap.h"

static int base_of(int dirfd, struct inode **base)
{
	struct file *file;

	*base = NULL;
	if (dirfd == AT_FDCWD)
		return 0;
	file = files_lookup_any(dirfd);
	if (!file)
		return -EBADF;
	*base = file->inode;
	inode_get(*base);
	file_put(file);
	return 0;
}

int user_path(struct user_path *path, int dirfd, uptr text)
{
	i64 result;

	path->base = NULL;
	path->text = kmalloc(PATH_MAX);
	if (!path->text)
		return -ENOMEM;
	result = copy_string_from_user(path->text, text, PATH_MAX);
	if (result > 0 && path->text[0] != '/')
		result = base_of(dirfd, &path->base);
	if (result >= 0)
		return 0;
	kfree(path->text);
	return (int)result;
}

void user_path_end(struct user_path *path)
{
	kfree(path->text);
	inode_put(path->base);
}

/* dirfd itself */
static int lookup_empty(int dirfd, struct inode **found)
{
	int error = base_of(dirfd, found);

	if (!error && !*found)
		*found = process_inode(&current_process()->cwd);
	return error;
}

int user_lookup(int dirfd, uptr text, int flags, struct inode **found)
{
	struct user_path path;
	int error = user_path(&path, dirfd, text);

	if (error)
		return error;
	if (path.text[0] == '\0' && (flags & AT_EMPTY_PATH))
		error = lookup_empty(dirfd, found);
	else
		error = path_lookup_from(path.base, path.text, !(flags & AT_SYMLINK_NOFOLLOW),
					 found);
	user_path_end(&path);
	return error;
}
