/* System calls that make, remove and move names. The file system does each in one step; what is
 * checked before is what the path alone tells. */
#include "kernel/fs/sys_file.h"
#include "kernel/fs/user_path.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define RENAME_NOREPLACE 1u

/* A walk along a user's path to a name that is not there yet. */
static int walk_user_to_new(struct walk *walk, struct user_path *path, int dirfd, uptr text,
			    bool directory)
{
	int error = user_path(path, dirfd, text);

	if (error)
		return error;
	error = walk_to_new(walk, path->base, path->text, directory);
	if (error)
		user_path_end(path);
	return error;
}

static void end(struct walk *walk, struct user_path *path)
{
	walk_end(walk);
	user_path_end(path);
}

/* mode: as the program gave it, its type included */
static i64 make_node(int dirfd, uptr text, u32 mode, u32 rdev)
{
	struct user_path path;
	struct inode *made;
	struct walk walk;
	i64 error = walk_user_to_new(&walk, &path, dirfd, text, is_dir(mode));

	if (error)
		return error;
	mode &= ~current_process()->umask;
	if (!walk.at->ops->create)
		error = -EACCES;
	else
		error = walk.at->ops->create(walk.at, walk.name, mode, rdev, &made);
	if (!error)
		inode_put(made);
	end(&walk, &path);
	return error;
}

i64 sys_mkdirat(int dirfd, uptr path, u32 mode)
{
	return make_node(dirfd, path, S_IFDIR | (mode & 01777), 0);
}

/* Device numbers as the program gives them: 12 bits of the major one, 20 of the minor one. Ours have 8 each. */
static bool small_numbers(u32 dev, u32 *rdev)
{
	*rdev = dev & 0xffff;
	return dev <= 0xffff;
}

i64 sys_mknodat(int dirfd, uptr path, u32 mode, u32 dev)
{
	u32 type = mode & S_IFMT ? mode & S_IFMT : S_IFREG, rdev = 0;

	if (type == S_IFDIR)
		return -EPERM;
	if (type != S_IFREG && type != S_IFIFO && type != S_IFCHR && type != S_IFBLK)
		return -EINVAL;
	if ((type == S_IFCHR || type == S_IFBLK) && !small_numbers(dev, &rdev))
		return -EINVAL;
	return make_node(dirfd, path, type | (mode & 07777), rdev);
}

i64 sys_mknod(uptr path, u32 mode, u32 dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

i64 sys_mkdir(uptr path, u32 mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

/* What rmdir says to a last component that is no name. */
static int cannot_rmdir(enum last_kind kind)
{
	if (kind == LAST_DOT)
		return -EINVAL;
	return kind == LAST_DOTDOT ? -ENOTEMPTY : -EBUSY;
}

/* A name with slashes behind it is not unlinked: the error says what it is. */
static int cannot_unlink(struct walk *walk)
{
	struct inode *inode;
	int error = walk_last(walk, &inode);

	if (error)
		return error;
	error = is_dir(inode->mode) ? -EISDIR : -ENOTDIR;
	inode_put(inode);
	return error;
}

static int remove(struct walk *walk, bool directory)
{
	struct inode *dir = walk->at;

	if (walk->kind != LAST_NAME)
		return directory ? cannot_rmdir(walk->kind) : -EISDIR;
	if (walk->slash && !directory)
		return cannot_unlink(walk);
	if (!dir->ops->unlink) {
		int error = cannot_unlink(walk); /* a name that is not there is told first */

		return error == -ENOENT ? error : -EPERM;
	}
	return dir->ops->unlink(dir, walk->name, directory);
}

i64 sys_unlinkat(int dirfd, uptr text, int flags)
{
	struct user_path path;
	struct walk walk;
	i64 error;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	error = user_path(&path, dirfd, text);
	if (error)
		return error;
	error = walk_start(&walk, path.base, path.text);
	if (!error) {
		error = remove(&walk, flags & AT_REMOVEDIR);
		walk_end(&walk);
	}
	user_path_end(&path);
	return error;
}

i64 sys_unlink(uptr path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

i64 sys_rmdir(uptr path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* Slashes behind a name say that it is a directory. */
static int check_slashes(struct walk *from, struct walk *to, u32 flags)
{
	struct inode *inode;
	int error = walk_last(from, &inode);
	bool directory;

	if (error)
		return error;
	directory = is_dir(inode->mode);
	inode_put(inode);
	if ((from->slash || to->slash) && !directory)
		return -ENOTDIR;
	if (!(flags & RENAME_NOREPLACE))
		return 0;
	error = walk_last(to, &inode);
	if (!error)
		inode_put(inode);
	return error == -ENOENT ? 0 : -EEXIST;
}

static int rename(struct walk *from, struct walk *to, u32 flags)
{
	int error;

	if (from->at->fs != to->at->fs)
		return -EXDEV;
	if (from->kind != LAST_NAME || to->kind != LAST_NAME)
		return (flags & RENAME_NOREPLACE) && from->kind == LAST_NAME ? -EEXIST : -EBUSY;
	error = check_slashes(from, to, flags);
	if (error)
		return error;
	if (!from->at->ops->rename)
		return -EPERM;
	return from->at->ops->rename(from->at, from->name, to->at, to->name);
}

static i64 rename_paths(const struct user_path *from, const struct user_path *to, u32 flags)
{
	struct walk walks[2];
	i64 error = walk_start(&walks[0], from->base, from->text);

	if (error)
		return error;
	error = walk_start(&walks[1], to->base, to->text);
	if (!error) {
		error = rename(&walks[0], &walks[1], flags);
		walk_end(&walks[1]);
	}
	walk_end(&walks[0]);
	return error;
}

i64 sys_renameat2(int from_dirfd, uptr from, int to_dirfd, uptr to, u32 flags)
{
	struct user_path paths[2];
	i64 error;

	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	error = user_path(&paths[0], from_dirfd, from);
	if (error)
		return error;
	error = user_path(&paths[1], to_dirfd, to);
	if (!error) {
		error = rename_paths(&paths[0], &paths[1], flags);
		user_path_end(&paths[1]);
	}
	user_path_end(&paths[0]);
	return error;
}

i64 sys_renameat(int from_dirfd, uptr from, int to_dirfd, uptr to)
{
	return sys_renameat2(from_dirfd, from, to_dirfd, to, 0);
}

i64 sys_rename(uptr from, uptr to)
{
	return sys_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

i64 sys_linkat(int from_dirfd, uptr from, int to_dirfd, uptr to, int flags)
{
	struct user_path path;
	struct inode *inode;
	struct walk walk;
	i64 error;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	error = user_lookup(from_dirfd, from,
			    (flags & AT_EMPTY_PATH) |
				    (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW),
			    &inode);
	if (error)
		return error;
	error = walk_user_to_new(&walk, &path, to_dirfd, to, false);
	if (!error) {
		if (walk.at->fs != inode->fs)
			error = -EXDEV;
		else if (is_dir(inode->mode) || !walk.at->ops->link)
			error = -EPERM;
		else
			error = walk.at->ops->link(walk.at, walk.name, inode);
		end(&walk, &path);
	}
	inode_put(inode);
	return error;
}

i64 sys_link(uptr from, uptr to)
{
	return sys_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

static i64 make_symlink(const char *target, int dirfd, uptr text)
{
	struct user_path path;
	struct walk walk;
	i64 error = walk_user_to_new(&walk, &path, dirfd, text, false);

	if (error)
		return error;
	if (walk.at->ops->symlink)
		error = walk.at->ops->symlink(walk.at, walk.name, target);
	else
		error = -EPERM;
	end(&walk, &path);
	return error;
}

i64 sys_symlinkat(uptr target, int dirfd, uptr path)
{
	char *text = kmalloc(PATH_MAX);
	i64 result;

	if (!text)
		return -ENOMEM;
	result = copy_string_from_user(text, target, PATH_MAX);
	if (result == 0)
		result = -ENOENT;
	if (result > 0)
		result = make_symlink(text, dirfd, path);
	kfree(text);
	return result;
}

i64 sys_symlink(uptr target, uptr path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}
