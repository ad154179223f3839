/*
 * /proc as a tree of names. Inodes are made when a name is looked up and go with their last ref;
 * what they stand for is looked up again at each use, so a process that ended meanwhile gives
 * ENOENT or ESRCH.
 *
 * A file's text is made when it is read at offset 0, and kept with the open file: reading on
 * continues in the same text.
 */
#include "kernel/fs/proc.h"
#include "kernel/fs/files.h"
#include "kernel/fs/io.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define STORE_MAX 64 /* bytes that a write may have */

/* Positions of readdir: the entries of a table from 2 on, then processes or descriptors by number.
 */
#define FIRST_ENTRY  2
#define FIRST_NUMBER 1000

/* Inode numbers: the process or thread, and the entry within it. */
#define INO(pid, number) ((u64)(pid) << 20 | (u64)(number))
#define THREAD_INO       63 /* of /proc/PID/task/TID; its entries follow */

struct proc_node {
	struct inode inode;
	const struct proc_entry *entry;
	u32 pid; /* 0: not below a /proc/PID */
	u32 tid; /* 0: not below a /proc/PID/task/TID */
	int fd;  /* of a /proc/PID/fd/N */
};

/* The text of an open file. */
struct snapshot {
	struct rwlock lock; /* held while the text is made, and read */
	struct text text;
};

const struct filesystem procfs = {"proc", "/proc", 0x9fa0, 4};

static const struct inode_ops proc_dir_ops, proc_file_ops, proc_text_link_ops, proc_link_ops;

const struct proc_entry proc_root = {
	.mode = S_IFDIR | 0555, .children = proc_system_entries, .first_ino = 2};
static const struct proc_entry process_entry = {
	.mode = S_IFDIR | 0555, .children = proc_process_entries, .first_ino = 2};

static struct proc_node *node_of(struct inode *inode)
{
	return container_of(inode, struct proc_node, inode);
}

static bool is_fd_dir(const struct proc_entry *entry)
{
	return entry->children == &proc_fd_entry;
}

static bool is_task_dir(const struct proc_entry *entry)
{
	return entry->children == &proc_thread_entry;
}

static const struct inode_ops *ops_of(const struct proc_entry *entry)
{
	if (is_dir(entry->mode))
		return &proc_dir_ops;
	if (!is_symlink(entry->mode))
		return &proc_file_ops;
	return entry->follow ? &proc_link_ops : &proc_text_link_ops;
}

/* ino is derived from what the inode stands for, so that it is the same at each look-up. */
static struct inode *node_create(const struct filesystem *fs, const struct proc_entry *entry,
				 u32 pid, int fd, u64 ino)
{
	struct inode *inode =
		inode_create(sizeof(struct proc_node), entry->mode, ops_of(entry), fs);

	if (!inode)
		return NULL;
	inode->ino = ino;
	inode->links = is_dir(entry->mode) ? 2 : 1;
	node_of(inode)->entry = entry;
	node_of(inode)->pid = pid;
	node_of(inode)->fd = fd;
	return inode;
}

struct inode *procfs_create(const struct proc_entry *root, const struct filesystem *fs)
{
	return node_create(fs, root, 0, -1, 1);
}

/* The process that a node is about, with a ref: put_process(). false: it is gone. */
static bool process_of(struct inode *inode, struct process **process)
{
	u32 pid = node_of(inode)->pid;

	*process = pid ? process_find(pid) : NULL;
	return !pid || *process;
}

static void put_process(struct process *process)
{
	if (process)
		process_put(process);
}

static bool process_exists(u32 pid)
{
	struct process *process = process_find(pid);

	put_process(process);
	return process;
}

/* A name that is a number, without leading zeroes; false when it is something else. */
static bool number(const char *name, u32 *value)
{
	u64 n = 0;

	if (*name < '0' || *name > '9' || (name[0] == '0' && name[1]))
		return false;
	for (; *name; name++) {
		if (*name < '0' || *name > '9' || n > 0x7fffffff / 10)
			return false;
		n = n * 10 + (u64)(*name - '0');
	}
	*value = (u32)n;
	return true;
}

static u64 ino_of(const struct proc_node *dir, const struct proc_entry *entry)
{
	return INO(dir->tid ? dir->tid : dir->pid,
		   dir->entry->first_ino + (u64)(entry - dir->entry->children));
}

struct file *proc_peek_fd(struct process *process, int fd)
{
	struct files *files = process_files(process);
	struct file *file = files ? files_peek(files, fd) : NULL;

	if (files)
		files_put(files);
	return file;
}

static struct file *peek_fd(u32 pid, u32 fd)
{
	struct process *process = process_find(pid);
	struct file *file = process ? proc_peek_fd(process, (int)fd) : NULL;

	put_process(process);
	return file;
}

static struct inode *lookup_fd(u32 pid, const char *name)
{
	struct inode *inode;
	struct file *file;
	u32 fd;

	file = number(name, &fd) ? peek_fd(pid, fd) : NULL;
	if (!file)
		return NULL;
	inode = node_create(&procfs, &proc_fd_entry, pid, (int)fd, INO(pid, FIRST_NUMBER + fd));
	if (inode)
		inode->mode |= (file_readable(file) ? 0500 : 0) | (file_writable(file) ? 0300 : 0);
	file_put(file);
	return inode;
}

static struct inode *lookup_task(u32 pid, const char *name)
{
	struct process *process = process_find(pid);
	struct inode *inode = NULL;
	u32 tid;

	if (process && number(name, &tid) && tid && process_next_tid(process, tid - 1) == tid)
		inode = node_create(&procfs, &proc_thread_entry, pid, -1, INO(tid, THREAD_INO));
	if (inode)
		node_of(inode)->tid = tid;
	put_process(process);
	return inode;
}

/* An entry of a directory, of the same process and thread. */
static struct inode *lookup_named(const struct proc_node *dir, const struct proc_entry *entry)
{
	struct inode *inode = node_create(dir->inode.fs, entry, dir->pid, -1, ino_of(dir, entry));

	if (inode)
		node_of(inode)->tid = dir->tid;
	return inode;
}

static struct inode *lookup_entry(const struct proc_node *dir, const char *name)
{
	const struct proc_entry *entry;
	u32 pid;

	if (is_fd_dir(dir->entry))
		return lookup_fd(dir->pid, name);
	if (is_task_dir(dir->entry))
		return lookup_task(dir->pid, name);
	for (entry = dir->entry->children; entry->name; entry++)
		if (strcmp(entry->name, name) == 0)
			return lookup_named(dir, entry);
	if (dir->entry == &proc_root && number(name, &pid) && process_exists(pid))
		return node_create(&procfs, &process_entry, pid, -1, INO(pid, 1));
	return NULL;
}

static int proc_lookup(struct inode *dir, const char *name, struct inode **found)
{
	struct process *process;
	struct inode *inode;
	int error;

	if (!process_of(dir, &process))
		return -ENOENT;
	put_process(process);
	inode = lookup_entry(node_of(dir), name);
	if (!inode)
		return -ENOENT;
	error = inode_set_place(inode, dir, name);
	if (error) {
		inode_put(inode);
		return error;
	}
	*found = inode;
	return 0;
}

struct listing {
	u64 from;
	dirent_fn emit;
	void *context;
	bool full;
};

static bool list_number(struct listing *listing, u64 number, u64 ino, u32 mode)
{
	char name[16];
	int length;

	if (FIRST_NUMBER + number < listing->from)
		return true;
	length = snprintf(name, sizeof(name), "%lu", number);
	listing->full = !listing->emit(listing->context, name, (size_t)length, ino, mode,
				       FIRST_NUMBER + number + 1);
	return !listing->full;
}

static bool list_process(void *context, struct process *process)
{
	return list_number(context, process->pid, INO(process->pid, 1), process_entry.mode);
}

static void list_tasks(struct listing *listing, struct process *process)
{
	u32 tid = listing->from > FIRST_NUMBER ? (u32)(listing->from - FIRST_NUMBER) - 1 : 0;

	while ((tid = process_next_tid(process, tid)))
		if (!list_number(listing, tid, INO(tid, THREAD_INO), proc_thread_entry.mode))
			return;
}

static void list_fds(struct listing *listing, struct process *process)
{
	struct files *files = process_files(process);
	int fd = -1;

	while (files && (fd = files_next(files, fd + 1)) >= 0)
		if (!list_number(listing, (u64)fd, INO(process->pid, FIRST_NUMBER + fd),
				 proc_fd_entry.mode))
			break;
	if (files)
		files_put(files);
}

static void list_entries(struct listing *listing, const struct proc_node *dir)
{
	const struct proc_entry *entry = dir->entry->children;
	u64 position = FIRST_ENTRY;

	for (; entry->name && !listing->full; entry++, position++)
		if (position >= listing->from)
			listing->full =
				!listing->emit(listing->context, entry->name, strlen(entry->name),
					       ino_of(dir, entry), entry->mode, position + 1);
}

static int proc_readdir(struct inode *dir, u64 from, dirent_fn emit, void *context)
{
	struct listing listing = {from, emit, context, false};
	const struct proc_node *node = node_of(dir);
	struct process *process;

	if (!process_of(dir, &process))
		return -ENOENT;
	if (is_fd_dir(node->entry))
		list_fds(&listing, process);
	else if (is_task_dir(node->entry))
		list_tasks(&listing, process);
	else
		list_entries(&listing, node);
	put_process(process);
	if (node->entry == &proc_root && !listing.full)
		process_each(list_process, &listing);
	return 0;
}

static int proc_open(struct inode *inode, struct file *file)
{
	struct snapshot *snapshot;

	if ((file->flags & O_ACCMODE) != O_RDONLY && !node_of(inode)->entry->store)
		return -EACCES;
	snapshot = kmalloc(sizeof(*snapshot));
	if (!snapshot)
		return -ENOMEM;
	lock_set_rank(&snapshot->lock, RANK_CONTENTS);
	file->private = snapshot;
	return 0;
}

static void proc_release(struct file *file)
{
	struct snapshot *snapshot = file->private;

	text_free(&snapshot->text);
	kfree(snapshot);
}

/* Makes the text anew. locked: snapshot */
static int make_text(struct inode *inode, struct text *text)
{
	const struct proc_node *node = node_of(inode);
	struct process *process;

	text_free(text);
	if (!process_of(inode, &process))
		return -ESRCH;
	if (node->entry->show_thread)
		node->entry->show_thread(text, process, node->tid);
	else
		node->entry->show(text, process);
	put_process(process);
	return text->failed ? -ENOMEM : 0;
}

/* locked: snapshot */
static i64 read_text(const struct text *text, struct io *to, u64 offset)
{
	u64 at = offset;
	const char *piece;
	size_t bytes;

	while (to->left && (bytes = text_piece(text, at, &piece))) {
		size_t wanted = MIN(bytes, to->left), moved = io_put(to, piece, wanted);

		at += moved;
		if (moved < wanted)
			return at > offset ? (i64)(at - offset) : -EFAULT;
	}
	return (i64)(at - offset);
}

static i64 read_directly(struct inode *inode, struct io *to, u64 offset)
{
	struct process *process;
	i64 result;

	if (!process_of(inode, &process))
		return -ESRCH;
	result = node_of(inode)->entry->read(process, to, offset);
	put_process(process);
	return result;
}

static i64 proc_read(struct file *file, struct io *to, u64 offset)
{
	struct snapshot *snapshot = file->private;
	i64 result = 0;

	if (node_of(file->inode)->entry->read)
		return read_directly(file->inode, to, offset);
	write_lock(&snapshot->lock);
	if (offset == 0 || !snapshot->text.first)
		result = make_text(file->inode, &snapshot->text);
	if (!result)
		result = read_text(&snapshot->text, to, offset);
	write_unlock(&snapshot->lock);
	return result;
}

static i64 proc_write(struct file *file, struct io *from, u64 offset)
{
	char text[STORE_MAX];
	size_t bytes = from->left;
	struct process *process;
	int error;

	(void)offset;
	if (bytes >= sizeof(text))
		return -EINVAL;
	if (io_get(from, text, bytes) < bytes)
		return -EFAULT;
	text[bytes] = '\0';
	if (!process_of(file->inode, &process))
		return -ESRCH;
	error = node_of(file->inode)->entry->store(text, process);
	put_process(process);
	return error ? error : (i64)bytes;
}

/* What a shell's > asks for before it writes; there is nothing to cut off. */
static int proc_truncate(struct inode *inode, u64 size)
{
	(void)size;
	return node_of(inode)->entry->store ? 0 : -EACCES;
}

static i64 text_readlink(struct inode *inode, char *to, size_t size)
{
	struct text text = TEXT_EMPTY;
	int error = make_text(inode, &text);
	size_t length = 0, bytes;
	const char *piece;

	while (!error && length < size && (bytes = text_piece(&text, length, &piece))) {
		bytes = MIN(bytes, size - length);
		memcpy(to + length, piece, bytes);
		length += bytes;
	}
	text_free(&text);
	return error ? error : (i64)length;
}

static int link_follow(struct inode *link, struct inode **to)
{
	struct process *process;
	int error;

	if (!process_of(link, &process))
		return -ENOENT;
	error = node_of(link)->entry->follow(process, node_of(link)->fd, to);
	put_process(process);
	return error;
}

static i64 link_readlink(struct inode *link, char *to, size_t size)
{
	char *path = kmalloc(PATH_MAX);
	struct inode *target;
	size_t length;
	int error;

	if (!path)
		return -ENOMEM;
	error = link_follow(link, &target);
	if (error) {
		kfree(path);
		return error;
	}
	length = inode_path(target, path, PATH_MAX);
	inode_put(target);
	memcpy(to, path, MIN(length, size));
	kfree(path);
	return length ? (i64)MIN(length, size) : -ENAMETOOLONG;
}

static const struct inode_ops proc_dir_ops = {
	.lookup = proc_lookup,
	.readdir = proc_readdir,
};

static const struct inode_ops proc_file_ops = {
	.open = proc_open,
	.release = proc_release,
	.read = proc_read,
	.write = proc_write,
	.truncate = proc_truncate,
};

static const struct inode_ops proc_text_link_ops = {
	.readlink = text_readlink,
};

static const struct inode_ops proc_link_ops = {
	.readlink = link_readlink,
	.follow = link_follow,
};
