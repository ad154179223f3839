/*
 * Path resolution. Symlinks are followed by putting their text before the rest of the path, not by
 * recursion, so the stack used does not depend on the path.
 *
 * Invariant: walk->at is a directory once walk_start() has succeeded, never one that something is
 * mounted on.
 */
#include "kernel/fs/path.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/heap.h"

struct inode *fs_root;

static enum last_kind kind_of(const char *name)
{
	if (strcmp(name, ".") == 0)
		return LAST_DOT;
	return strcmp(name, "..") == 0 ? LAST_DOTDOT : LAST_NAME;
}

static const char *skip_slashes(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

/* Takes the next component off rest. 1: it is the last; 0: more follow; or -ENAMETOOLONG. */
static int next_component(struct walk *walk)
{
	const char *start = walk->rest, *end = start;

	while (*end && *end != '/')
		end++;
	if (end - start > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(walk->name, start, (size_t)(end - start));
	walk->name[end - start] = '\0';
	walk->kind = kind_of(walk->name);
	walk->slash = *end == '/';
	walk->rest = skip_slashes(end);
	return *walk->rest == '\0';
}

/* Steps to the root if rest begins with a slash. */
static void begin(struct walk *walk)
{
	if (*walk->rest != '/')
		return;
	inode_get(fs_root);
	inode_put(walk->at);
	walk->at = fs_root;
	walk->rest = skip_slashes(walk->rest);
}

static struct inode *get(struct inode *inode)
{
	inode_get(inode);
	return inode;
}

/* parent of a mounted root is the directory above the place where it is mounted, so '..' needs no
 * case of its own. */
static struct inode *get_parent(struct inode *dir)
{
	struct inode *parent;

	read_lock(&names_lock);
	parent = get(dir->parent);
	read_unlock(&names_lock);
	return parent;
}

int walk_last(struct walk *walk, struct inode **found)
{
	struct inode *dir = walk->at, *inode;
	int error;

	if (!is_dir(dir->mode) || !dir->ops->lookup)
		return -ENOTDIR;
	if (walk->kind == LAST_DOT || walk->kind == LAST_ROOT) {
		*found = get(dir);
		return 0;
	}
	if (walk->kind == LAST_DOTDOT) {
		*found = get_parent(dir);
		return 0;
	}
	error = dir->ops->lookup(dir, walk->name, &inode);
	if (error)
		return error;
	if (inode->mounted) {
		*found = get(inode->mounted);
		inode_put(inode);
	} else {
		*found = inode;
	}
	return 0;
}

/* Sets rest to the link's text and what is left of the path behind it. */
static int expand(struct walk *walk, struct inode *link)
{
	size_t rest = strlen(walk->rest);
	char *buffer = kmalloc(PATH_MAX + rest + 2);
	i64 length;

	if (!buffer)
		return -ENOMEM;
	length = link->ops->readlink(link, buffer, PATH_MAX);
	if (length <= 0) {
		kfree(buffer);
		return length ? (int)length : -ENOENT;
	}
	if (walk->slash)
		buffer[length++] = '/';
	memcpy(buffer + length, walk->rest, rest + 1);
	kfree(walk->expanded);
	walk->expanded = buffer;
	walk->rest = buffer;
	begin(walk);
	return 0;
}

static int leave_through(struct walk *walk, struct inode *link, struct inode **found)
{
	if (++walk->symlinks > MAX_SYMLINKS)
		return -ELOOP;
	if (link->ops->follow) {
		int error = link->ops->follow(link, found);

		return error ? error : 1;
	}
	return expand(walk, link);
}

/* Goes on from an inode, whose ref it takes, that is not the last component. */
static int descend(struct walk *walk, struct inode *inode)
{
	if (is_symlink(inode->mode)) {
		struct inode *target;
		int result = leave_through(walk, inode, &target);

		inode_put(inode);
		if (result <= 0)
			return result;
		inode = target;
	}
	if (!is_dir(inode->mode)) {
		inode_put(inode);
		return -ENOTDIR;
	}
	inode_put(walk->at);
	walk->at = inode;
	return 0;
}

/* Up to the last component. An empty rest is a path of slashes alone, or a symlink to one in the
 * last place. */
static int walk_on(struct walk *walk)
{
	if (*walk->rest == '\0') {
		walk->kind = LAST_ROOT;
		walk->name[0] = '\0';
		walk->slash = true;
		return 0;
	}
	for (;;) {
		struct inode *inode;
		int result = next_component(walk);

		if (result)
			return MIN(result, 0);
		result = walk_last(walk, &inode);
		if (!result)
			result = descend(walk, inode);
		if (result)
			return result;
	}
}

int walk_start(struct walk *walk, struct inode *base, const char *path)
{
	int error;

	if (*path == '\0')
		return -ENOENT;
	if (!base && *path != '/')
		walk->at = process_inode(&current_process()->cwd);
	else
		walk->at = get(base ? base : fs_root);
	walk->rest = path;
	walk->expanded = NULL;
	walk->symlinks = 0;
	begin(walk);
	error = is_dir(walk->at->mode) ? walk_on(walk) : -ENOTDIR;
	if (error)
		walk_end(walk);
	return error;
}

int walk_follow(struct walk *walk, struct inode *link, struct inode **found)
{
	int result = leave_through(walk, link, found);

	return result ? result : walk_on(walk);
}

void walk_end(struct walk *walk)
{
	inode_put(walk->at);
	kfree(walk->expanded);
}

int path_lookup_from(struct inode *base, const char *path, bool follow, struct inode **found)
{
	struct walk walk;
	struct inode *inode = NULL;
	bool slash = false;
	int result = walk_start(&walk, base, path);

	if (result)
		return result;
	while (!result) {
		struct inode *link;

		result = walk_last(&walk, &inode);
		slash = slash || walk.slash;
		if (result || !is_symlink(inode->mode) || !(follow || slash))
			break;
		link = inode;
		result = walk_follow(&walk, link, &inode);
		inode_put(link);
	}
	walk_end(&walk);
	if (result < 0)
		return result;
	if (slash && !is_dir(inode->mode)) {
		inode_put(inode);
		return -ENOTDIR;
	}
	*found = inode;
	return 0;
}

int path_lookup(const char *path, bool follow, struct inode **found)
{
	return path_lookup_from(NULL, path, follow, found);
}

int walk_to_new(struct walk *walk, struct inode *base, const char *path, bool directory)
{
	struct inode *inode;
	int error = walk_start(walk, base, path);

	if (error)
		return error;
	if (walk->kind != LAST_NAME) {
		error = -EEXIST;
	} else {
		error = walk_last(walk, &inode);
		if (!error) {
			inode_put(inode);
			error = -EEXIST;
		} else if (error == -ENOENT) {
			error = walk->slash && !directory ? -ENOENT : 0;
		}
	}
	if (error)
		walk_end(walk);
	return error;
}
