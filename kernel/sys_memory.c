/* System calls on memory: arguments checked as Linux does, the rest is mm/mm.h's. */
#include "kernel/fs/dev.h"
#include "kernel/fs/files.h"
#include "kernel/fs/io.h"
#include "kernel/fs/vfs.h"
#include "kernel/pidfd.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/commit.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/object.h"

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
#define PROT_SEM 8u /* means nothing here, as on Linux's x86 */

static i64 map_anonymous(u64 addr, u64 length, u32 prot, u32 flags)
{
	struct mm *mm = current_process()->mm;

	if (flags & MAP_PRIVATE)
		return mm_map(mm, addr, length, prot, flags, NULL, 0);

	struct object *object = object_create(ROUND_UP(length, PAGE_SIZE), NULL);

	if (!object)
		return -ENOMEM;
	/* Linux heeds MAP_NORESERVE unless it never overcommits; so does mm_map(). */
	bool unpromised = (flags & MAP_NORESERVE) && commit_policy.mode != OVERCOMMIT_NEVER;
	i64 result = unpromised ? 0 : object_promise(object);

	if (!result)
		result = mm_map(mm, addr, length, prot, flags, object, 0);
	object_put(object);
	return result;
}

/* What mmap(2) of a file that is open may not do: 0 or an error; adds what mprotect may not. */
static int check_mode(const struct file *file, u32 prot, u32 *flags)
{
	u32 mode = file->flags & O_ACCMODE;

	if (mode == O_WRONLY)
		return -EACCES;
	if ((*flags & MAP_SHARED) && mode == O_RDONLY) {
		if (prot & PROT_WRITE)
			return -EACCES;
		*flags |= MAP_DENYWRITE;
	}
	return 0;
}

static i64 map_file(u64 addr, u64 length, u32 prot, u32 flags, const struct file *file, u64 offset)
{
	const struct inode *inode = file->inode;
	int error = check_mode(file, prot, &flags);

	if (error)
		return error;
	if (inode->rdev == DEV_ZERO && (inode->mode & S_IFMT) == S_IFCHR)
		return map_anonymous(addr, length, prot, flags | MAP_ANONYMOUS);
	if (!inode->object)
		return -ENODEV;
	if (flags & MAP_GROWSDOWN)
		return -EINVAL;
	return mm_map(current_process()->mm, addr, length, prot, flags, inode->object, offset);
}

#define MAP_TYPE            0xfu
/* What MAP_SHARED_VALIDATE, which is both types, lets pass: all the flags that are older than it. */
#define MAP_WITHOUT_MEANING /* 32BIT, EXECUTABLE, NONBLOCK, HUGETLB with its sizes */ \
	(0x400000u | 0x1000u | 0x10000u | 0x40000u | 0x7c000000u)
#define MAP_LEGACY                                                                           \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_LOCKED | \
	 MAP_NORESERVE | MAP_POPULATE | MAP_STACK | MAP_FIXED_NOREPLACE | MAP_WITHOUT_MEANING)

/* Brings flags to one of MAP_SHARED and MAP_PRIVATE: 0 or an error. */
static int check_type(u32 *flags, bool file)
{
	switch (*flags & MAP_TYPE) {
	case MAP_PRIVATE:
		return 0;
	case MAP_SHARED | MAP_PRIVATE:
		if (!file)
			return -EINVAL;
		if (*flags & ~MAP_LEGACY)
			return -EOPNOTSUPP;
		*flags &= ~MAP_PRIVATE;
		return 0;
	case MAP_SHARED:
		return !file && (*flags & MAP_GROWSDOWN) ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static i64 map_any(u64 addr, u64 length, u32 prot, u32 flags, const struct file *file, u64 offset)
{
	int error;

	if (length == 0)
		return -EINVAL;
	if (length > USER_END)
		return -ENOMEM;
	if (offset + length < offset)
		return -EOVERFLOW;
	error = check_type(&flags, file);
	if (error)
		return error;
	prot &= PROT_ALL;
	flags &= ~MAP_DENYWRITE; /* ours, and ignored as Linux's */
	return file ? map_file(addr, length, prot, flags, file, offset)
		    : map_anonymous(addr, length, prot, flags);
}

i64 sys_mmap(u64 addr, u64 length, u32 prot, u32 flags, int fd, u64 offset)
{
	struct file *file;
	i64 result;

	if (offset & PAGE_MASK)
		return -EINVAL;
	if (flags & MAP_ANONYMOUS)
		return map_any(addr, length, prot, flags, NULL, offset);
	file = files_lookup(fd);
	if (!file)
		return -EBADF;
	result = map_any(addr, length, prot, flags, file, offset);
	file_put(file);
	return result;
}

i64 sys_munmap(u64 addr, u64 length)
{
	return mm_unmap(current_process()->mm, addr, length);
}

i64 sys_mprotect(u64 addr, u64 length, u32 prot)
{
	if (prot & ~(PROT_ALL | PROT_SEM | PROT_GROWSDOWN))
		return -EINVAL;
	prot &= ~PROT_SEM;
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

/* As far as all goes well: how many bytes. -ESRCH: the process has no memory any more. */
static i64 advise_process(struct process *process, const struct iovec *segments, u64 count,
			  u32 advice)
{
	struct mm *mm = process_mm(process);
	i64 done = 0;
	int error = 0;

	if (!mm)
		return -ESRCH;
	for (u64 i = 0; i < count && !error; i++) {
		error = mm_advise(mm, segments[i].base, segments[i].bytes, advice);
		done += error ? 0 : (i64)segments[i].bytes;
	}
	mm_put(mm);
	return done ? done : error;
}

i64 sys_process_madvise(int pidfd, uptr at, u64 count, u32 advice, u32 flags)
{
	struct iovec *segments;
	struct process *process;
	struct io io;
	i64 result;

	if (flags)
		return -EINVAL;
	result = io_vector(&io, at, count, &segments);
	if (result)
		return result;
	process = pidfd_process(pidfd);
	if (!process)
		result = -EBADF;
	else if (advice != MADV_COLD && advice != MADV_PAGEOUT && advice != MADV_WILLNEED)
		result = -EINVAL;
	else
		result = advise_process(process, segments, count, advice);
	if (process)
		process_put(process);
	kfree(segments);
	return result;
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
		if ((flags & MS_INVALIDATE) && (region.flags & MAP_LOCKED))
			return -EBUSY;
		addr = region.end;
	}
	return 0;
}

#define MLOCK_ONFAULT 1u

i64 sys_mlock2(u64 addr, u64 length, u32 flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return mm_lock(current_process()->mm, addr, length,
		       MAP_LOCKED | (flags & MLOCK_ONFAULT ? REGION_ONFAULT : 0));
}

i64 sys_mlock(u64 addr, u64 length)
{
	return sys_mlock2(addr, length, 0);
}

i64 sys_munlock(u64 addr, u64 length)
{
	return mm_lock(current_process()->mm, addr, length, 0);
}

#define MCL_CURRENT 1u
#define MCL_FUTURE  2u
#define MCL_ONFAULT 4u

i64 sys_mlockall(u32 flags)
{
	u32 marks = MAP_LOCKED | (flags & MCL_ONFAULT ? REGION_ONFAULT : 0);

	if (!flags || flags == MCL_ONFAULT || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
		return -EINVAL;
	return mm_lock_all(current_process()->mm, flags & MCL_CURRENT, marks,
			   flags & MCL_FUTURE ? marks : 0);
}

i64 sys_munlockall(void)
{
	return mm_lock_all(current_process()->mm, true, 0, 0);
}
