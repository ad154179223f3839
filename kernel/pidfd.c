/*
 * A pidfd is an open file without a name that holds a ref of a process, alive or not. It becomes readable when the process
 * ends (poll(2)); there is nothing to read.
 */
#include "kernel/pidfd.h"
#include "kernel/fs/files.h"
#include "kernel/fs/vfs.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define NAME "anon_inode:[pidfd]"

static void pidfd_release(struct file *file)
{
	process_put(file->private);
}

static int pidfd_poll(struct file *file)
{
	const struct process *process = file->private;

	return process->exited ? POLLIN : 0;
}

static const struct inode_ops pidfd_ops = {
	.release = pidfd_release,
	.poll = pidfd_poll,
	.stream = true,
};
static const struct filesystem anonymous_inodes = {"anon_inodefs", NULL, 0x09041934, 14};

struct process *pidfd_process(int fd)
{
	struct file *file = files_lookup(fd);
	struct process *process = NULL;

	if (!file)
		return NULL;
	if (file->inode->ops == &pidfd_ops)
		process_get(process = file->private);
	file_put(file);
	return process;
}

/* An open file for the process, whose ref it takes over if there is no error. */
static int open_process(struct process *process, u32 flags, struct file **file)
{
	struct inode *inode = inode_create(sizeof(*inode), 0600, &pidfd_ops, &anonymous_inodes);
	int error;

	if (!inode)
		return -ENOMEM;
	inode->name = kmalloc(sizeof(NAME));
	if (inode->name)
		memcpy(inode->name, NAME, sizeof(NAME));
	error = inode->name ? file_create(inode, O_RDWR | flags, file) : -ENOMEM;
	inode_put(inode);
	if (!error)
		(*file)->private = process;
	return error;
}

i64 sys_pidfd_open(i32 pid, u32 flags)
{
	struct process *process;
	struct file *file;
	i64 result;

	if ((flags & ~(u32)O_NONBLOCK) || pid <= 0)
		return -EINVAL;
	process = process_find((u32)pid);
	if (!process)
		return -ESRCH;
	result = open_process(process, flags, &file);
	if (result) {
		process_put(process);
		return result;
	}
	result = files_install(file, 0, true);
	if (result < 0)
		file_put(file);
	return result;
}
