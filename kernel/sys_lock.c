/* The system calls that lock files. */
#include "kernel/fs/filelock.h"
#include "kernel/fs/files.h"
#include "kernel/fs/sys_file.h"
#include "kernel/fs/vfs.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/object.h"

#define LOCK_SH 1 /* flock(2) */
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

enum { FROM_START, FROM_POSITION, FROM_END };

struct linux_flock {
	i16 type, whence;
	i64 start, length;
	i32 pid;
};
_Static_assert(sizeof(struct linux_flock) == 32, "Linux's struct flock, x86-64");

static const i16 types[] = {[LOCK_SH] = F_RDLCK, [LOCK_EX] = F_WRLCK, [LOCK_UN] = F_UNLCK};

i64 sys_flock(int fd, int operation)
{
	struct file *file = files_lookup(fd);
	int kind = operation & ~LOCK_NB;
	struct file_lock wanted = {.owner = file, .whole = true, .last = LOCK_END};
	i64 result = -EINVAL;

	if (!file)
		return -EBADF;
	if (kind == LOCK_SH || kind == LOCK_EX || kind == LOCK_UN) {
		wanted.type = types[kind];
		result = file_lock(file->inode, &wanted, !(operation & LOCK_NB));
	}
	file_put(file);
	return result;
}

/* The bytes that the program means: -EINVAL, -EOVERFLOW */
static i64 read_range(const struct file *file, const struct linux_flock *from, struct file_lock *to)
{
	const struct object *object = file->inode->object;
	i64 first = 0, last;

	if (from->whence < FROM_START || from->whence > FROM_END)
		return -EINVAL;
	if (from->whence == FROM_POSITION)
		first = (i64)file->offset;
	else if (from->whence == FROM_END)
		first = object ? (i64)object->size : 0;
	if (__builtin_add_overflow(first, from->start, &first))
		return -EOVERFLOW;
	last = (i64)LOCK_END;
	if (from->length > 0 && __builtin_add_overflow(first, from->length - 1, &last))
		return -EOVERFLOW;
	if (from->length < 0) { /* the bytes before */
		last = first - 1;
		if (__builtin_add_overflow(first, from->length, &first))
			return -EINVAL;
	}
	if (first < 0)
		return -EINVAL;
	to->first = (u64)first;
	to->last = (u64)last;
	return 0;
}

static i64 read_lock_request(const struct file *file, const struct linux_flock *from, bool by_file,
			     struct file_lock *to)
{
	if (from->type != F_RDLCK && from->type != F_WRLCK && from->type != F_UNLCK)
		return -EINVAL;
	if (by_file && from->pid)
		return -EINVAL;
	to->type = from->type;
	to->owner = by_file ? (const void *)file : current_process();
	to->pid = by_file ? 0 : current_process()->pid;
	return read_range(file, from, to);
}

static i64 put_query(struct inode *inode, struct linux_flock *flock, struct file_lock *request,
		     uptr to)
{
	file_lock_query(inode, request);
	flock->type = request->type;
	if (request->type != F_UNLCK) {
		flock->whence = FROM_START;
		flock->start = (i64)request->first;
		flock->length =
			request->last == LOCK_END ? 0 : (i64)(request->last - request->first + 1);
		flock->pid = request->pid ? (i32)request->pid : -1;
	}
	return copy_to_user(to, flock, sizeof(*flock));
}

i64 lock_records(struct file *file, enum lock_command command, bool by_file, uptr at)
{
	struct file_lock request = {.whole = false};
	struct linux_flock flock;
	i64 error;

	if (copy_from_user(&flock, at, sizeof(flock)))
		return -EFAULT;
	error = read_lock_request(file, &flock, by_file, &request);
	if (error)
		return error;
	if (command == LOCK_QUERY)
		return flock.type == F_UNLCK ? -EINVAL
					     : put_query(file->inode, &flock, &request, at);
	if ((flock.type == F_RDLCK && !file_readable(file)) ||
	    (flock.type == F_WRLCK && !file_writable(file)))
		return -EBADF;
	return file_lock(file->inode, &request, command == LOCK_WAIT);
}
