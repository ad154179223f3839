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

i64 sys_mremap(u64 addr, u64 old_length, u64 new_length, u32 flags, u64 new_addr)
{
	return mm_remap(current_process()->mm, addr, old_length, new_length, flags, new_addr);
}

i64 sys_madvise(u64 addr, u64 length, u32 advice)
{
	return mm_advise(current_process()->mm, addr, length, advice);
}

i64 sys_mincore(u64 addr, u64 length, uptr to)
{
	u64 pages = ROUND_UP(length, PAGE_SIZE) >> PAGE_SHIFT;

	if (addr & PAGE_MASK)
		return -EINVAL;
	if (addr > USER_END || length > USER_END - addr)
		return -ENOMEM;
	for (u64 i = 0; i < pages; i++) {
		int resident = mm_resident(current_process()->mm, addr + i * PAGE_SIZE);
		u8 byte = resident > 0;

		if (resident < 0)
			return resident;
		if (copy_to_user(to + i, &byte, 1))
			return -EFAULT;
	}
	return 0;
}

#define MS_ASYNC      1u
#define MS_INVALIDATE 2u
#define MS_SYNC       4u

/* The mapped pages are the file: there is nothing to write back. */
i64 sys_msync(u64 addr, u64 length, u32 flags)
{
	struct region region;
	u64 end = addr + ROUND_UP(length, PAGE_SIZE);

	if ((addr & PAGE_MASK) || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (end < addr)
		return -ENOMEM;
	while (addr < end) {
		if (!mm_region_at(current_process()->mm, addr, &region))
			return -ENOMEM;
		if (region.object)
			object_put(region.object);
		if (region.start > addr)
			return -ENOMEM;
		addr = region.end;
	}
	return 0;
}
