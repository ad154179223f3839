/* System calls on memory: arguments checked as Linux does, the rest is mm/mm.h's. */
#include "kernel/fs/files.h"
#include "kernel/fs/vfs.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/errno.h"
#include "mm/object.h"

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

static i64 map_anonymous(u64 addr, u64 length, u32 prot, u32 flags)
{
	struct mm *mm = current_process()->mm;

	if (flags & MAP_PRIVATE)
		return mm_map(mm, addr, length, prot, flags, NULL, 0);

	struct object *object = object_create(ROUND_UP(length, PAGE_SIZE), NULL);

	if (!object)
		return -ENOMEM;
	i64 result = mm_map(mm, addr, length, prot, flags, object, 0);

	object_put(object);
	return result;
}

static i64 map_file(u64 addr, u64 length, u32 prot, u32 flags, const struct file *file, u64 offset)
{
	u32 mode = file->flags & O_ACCMODE;

	if (mode == O_WRONLY)
		return -EACCES;
	if (!file->inode->object)
		return -ENODEV;
	if ((flags & MAP_SHARED) && mode == O_RDONLY) {
		if (prot & PROT_WRITE)
			return -EACCES;
		flags |= MAP_DENYWRITE;
	}
	return mm_map(current_process()->mm, addr, length, prot, flags, file->inode->object,
		      offset);
}

i64 sys_mmap(u64 addr, u64 length, u32 prot, u32 flags, int fd, u64 offset)
{
	bool shared = flags & MAP_SHARED, private = flags & MAP_PRIVATE;

	/* MAP_SHARED | MAP_PRIVATE is MAP_SHARED_VALIDATE, whose flags we have none of. */
	if (offset & PAGE_MASK || shared == private || length == 0)
		return -EINVAL;
	if (length > USER_END || offset + length < offset)
		return length > USER_END ? -ENOMEM : -EOVERFLOW;
	prot &= PROT_ALL;
	flags &= ~(MAP_DENYWRITE | MAP_GROWSDOWN);
	if (flags & MAP_ANONYMOUS)
		return map_anonymous(addr, length, prot, flags);

	struct file *file = files_lookup(fd);

	if (!file)
		return -EBADF;
	i64 result = map_file(addr, length, prot, flags, file, offset);

	file_put(file);
	return result;
}

i64 sys_munmap(u64 addr, u64 length)
{
	return mm_unmap(current_process()->mm, addr, length);
}

i64 sys_mprotect(u64 addr, u64 length, u32 prot)
{
	if (prot & ~PROT_ALL)
		return -EINVAL;
	return mm_protect(current_process()->mm, addr, length, prot);
}

i64 sys_brk(u64 brk)
{
	return (i64)mm_brk(current_process()->mm, brk);
}
