/* Processes: making them, ending them, waiting for them, and who they are. */

#include "libc/syscall.h"

#include <sched.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void _exit(int status)
{
	for (;;)
		RAW(SYS_exit_group, status);
}

pid_t fork(void)
{
	return (pid_t)CALL(SYS_fork);
}

/* A child that borrowed the parent's memory could corrupt newlib's; fork is cheap here, so a fork
 * it is. */
pid_t vfork(void)
{
	return fork();
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	return (pid_t)CALL(SYS_wait4, pid, status, options, usage);
}

pid_t wait3(int *status, int options, struct rusage *usage)
{
	return wait4(-1, status, options, usage);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	return wait4(pid, status, options, NULL);
}

pid_t wait(int *status)
{
	return wait4(-1, status, 0, NULL);
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	return (int)CALL(SYS_waitid, type, id, info, options, NULL);
}

pid_t getpid(void)
{
	return (pid_t)RAW(SYS_getpid);
}

pid_t getppid(void)
{
	return (pid_t)RAW(SYS_getppid);
}

pid_t gettid(void)
{
	return (pid_t)RAW(SYS_gettid);
}

pid_t getpgrp(void)
{
	return (pid_t)RAW(SYS_getpgrp);
}

pid_t getpgid(pid_t pid)
{
	return (pid_t)CALL(SYS_getpgid, pid);
}

int setpgid(pid_t pid, pid_t group)
{
	return (int)CALL(SYS_setpgid, pid, group);
}

pid_t setsid(void)
{
	return (pid_t)CALL(SYS_setsid);
}

pid_t getsid(pid_t pid)
{
	return (pid_t)CALL(SYS_getsid, pid);
}

uid_t getuid(void)
{
	return (uid_t)RAW(SYS_getuid);
}

uid_t geteuid(void)
{
	return (uid_t)RAW(SYS_geteuid);
}

gid_t getgid(void)
{
	return (gid_t)RAW(SYS_getgid);
}

gid_t getegid(void)
{
	return (gid_t)RAW(SYS_getegid);
}

int prctl(int option, ...)
{
	long argument[4];
	va_list list;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	return (int)CALL(SYS_prctl, option, argument[0], argument[1], argument[2], argument[3]);
}

int sched_yield(void)
{
	return (int)CALL(SYS_sched_yield);
}

int sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *cpus)
{
	/* The kernel answers with the number of bytes it wrote. */
	return CALL(SYS_sched_getaffinity, pid, bytes, cpus) < 0 ? -1 : 0;
}

int sched_setaffinity(pid_t pid, size_t bytes, const cpu_set_t *cpus)
{
	return (int)CALL(SYS_sched_setaffinity, pid, bytes, cpus);
}

int getrusage(int who, struct rusage *usage)
{
	return (int)CALL(SYS_getrusage, who, usage);
}

int getrlimit(int resource, struct rlimit *limit)
{
	return (int)CALL(SYS_prlimit64, 0, resource, 0, limit);
}

int setrlimit(int resource, const struct rlimit *limit)
{
	return (int)CALL(SYS_prlimit64, 0, resource, limit, 0);
}
