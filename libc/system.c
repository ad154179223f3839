/* The system as a whole: its names, sizes, randomness, and its end. */

#include "libc/syscall.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PAGE_BYTES      4096
#define TICKS           100        /* a second, in times(2) */
#define REBOOT_MAGIC    0xfee1dead /* reboot(2) */
#define REBOOT_MAGIC2   672274793
#define ENTROPY_AT_ONCE 256 /* getentropy(3)'s limit */

int uname(struct utsname *names)
{
	return (int)CALL(SYS_uname, names);
}

int sysinfo(struct sysinfo *info)
{
	return (int)CALL(SYS_sysinfo, info);
}

int reboot(int command)
{
	return (int)CALL(SYS_reboot, REBOOT_MAGIC, REBOOT_MAGIC2, (unsigned)command, 0);
}

int swapon(const char *path, int flags)
{
	return (int)CALL(SYS_swapon, path, flags);
}

int swapoff(const char *path)
{
	return (int)CALL(SYS_swapoff, path);
}

ssize_t getrandom(void *to, size_t bytes, unsigned flags)
{
	return CALL(SYS_getrandom, to, bytes, flags);
}

int getentropy(void *to, size_t bytes)
{
	if (bytes > ENTROPY_AT_ONCE) {
		errno = EIO;
		return -1;
	}
	return getrandom(to, bytes, 0) == (ssize_t)bytes ? 0 : -1;
}

int getpagesize(void)
{
	return PAGE_BYTES;
}

static long count_cpus(void)
{
	cpu_set_t cpus;
	long count = 0;

	CPU_ZERO(&cpus);
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return 1;
	for (int i = 0; i < CPU_SETSIZE; i++)
		count += CPU_ISSET(i, &cpus);
	return count;
}

static long count_pages(int available)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		return -1;
	unsigned long bytes = (available ? info.freeram : info.totalram) * info.mem_unit;
	return (long)(bytes / PAGE_BYTES);
}

long sysconf(int name)
{
	switch (name) {
	case _SC_ARG_MAX:
		return ARG_MAX;
	case _SC_CLK_TCK:
		return TICKS;
	case _SC_OPEN_MAX:
		return OPEN_MAX;
	case _SC_PAGESIZE:
		return PAGE_BYTES;
	case _SC_NPROCESSORS_CONF:
	case _SC_NPROCESSORS_ONLN:
		return count_cpus();
	case _SC_PHYS_PAGES:
		return count_pages(0);
	case _SC_AVPHYS_PAGES:
		return count_pages(1);
	default:
		errno = EINVAL;
		return -1;
	}
}
