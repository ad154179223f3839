/* Memory: the break, which newlib's malloc() grows, and mappings. */

#include "libc/syscall.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int brk(void *end)
{
	/* The kernel answers with the break in force: the old one when it refused. */
	if (RAW(SYS_brk, end) != (long)end) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

void *sbrk(ptrdiff_t change)
{
	static uintptr_t end;

	if (end == 0)
		end = (uintptr_t)RAW(SYS_brk, 0);
	uintptr_t old = end;
	if (change == 0)
		return (void *)old;
	if (brk((void *)(old + (uintptr_t)change)) < 0)
		return (void *)-1;
	end = old + (uintptr_t)change;
	return (void *)old;
}

void *mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	return (void *)CALL(SYS_mmap, at, bytes, protection, flags, fd, offset);
}

int munmap(void *at, size_t bytes)
{
	return (int)CALL(SYS_munmap, at, bytes);
}

int mprotect(void *at, size_t bytes, int protection)
{
	return (int)CALL(SYS_mprotect, at, bytes, protection);
}

void *mremap(void *at, size_t bytes, size_t wanted, int flags, ...)
{
	va_list list;

	va_start(list, flags);
	void *to = va_arg(list, void *);
	va_end(list);
	return (void *)CALL(SYS_mremap, at, bytes, wanted, flags, to);
}

int madvise(void *at, size_t bytes, int advice)
{
	return (int)CALL(SYS_madvise, at, bytes, advice);
}

int msync(void *at, size_t bytes, int flags)
{
	return (int)CALL(SYS_msync, at, bytes, flags);
}

int mincore(void *at, size_t bytes, unsigned char *present)
{
	return (int)CALL(SYS_mincore, at, bytes, present);
}

int mlock(const void *at, size_t bytes)
{
	return (int)CALL(SYS_mlock, at, bytes);
}

int mlock2(const void *at, size_t bytes, unsigned flags)
{
	return (int)CALL(SYS_mlock2, at, bytes, flags);
}

int munlock(const void *at, size_t bytes)
{
	return (int)CALL(SYS_munlock, at, bytes);
}

int mlockall(int flags)
{
	return (int)CALL(SYS_mlockall, flags);
}

int munlockall(void)
{
	return (int)CALL(SYS_munlockall);
}

int memfd_create(const char *name, unsigned flags)
{
	return (int)CALL(SYS_memfd_create, name, flags);
}

int posix_memalign(void **to, size_t alignment, size_t bytes)
{
	if (alignment < sizeof(void *) || (alignment & (alignment - 1)))
		return EINVAL;
	void *at = memalign(alignment, bytes);
	if (!at)
		return ENOMEM;
	*to = at;
	return 0;
}
