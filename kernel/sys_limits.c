/* setrlimit(2) and its kin. Everybody is root, so a hard limit may be raised again. */
#include "kernel/fs/files.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/errno.h"

static i64 set_limit(struct process *process, u32 resource, uptr from)
{
	struct rlimit limit;

	if (copy_from_user(&limit, from, sizeof(limit)))
		return -EFAULT;
	if (limit.soft > limit.hard)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && limit.hard > FILES_MAX)
		return -EPERM;
	process->limits[resource] = limit;
	process_apply_limits(process);
	return 0;
}

i64 sys_prlimit64(i32 pid, u32 resource, uptr new_limit, uptr old_limit)
{
	struct process *process;
	struct rlimit before;
	i64 result = 0;

	if (resource >= RLIMITS)
		return -EINVAL;
	if (pid < 0)
		return -ESRCH;
	process = process_find(pid ? (u32)pid : current_process()->pid);
	if (!process)
		return -ESRCH;
	before = process->limits[resource];
	if (new_limit)
		result = set_limit(process, resource, new_limit);
	process_put(process);
	if (!result && old_limit)
		result = copy_to_user(old_limit, &before, sizeof(before));
	return result;
}

i64 sys_getrlimit(u32 resource, uptr limit)
{
	return limit ? sys_prlimit64(0, resource, 0, limit) : -EFAULT;
}

i64 sys_setrlimit(u32 resource, uptr limit)
{
	return limit ? sys_prlimit64(0, resource, limit, 0) : -EFAULT;
}

/* getpriority(2), setpriority(2): everybody's nice value is 0, and stays so; the call answers 20 less that. */
#define PRIO_USER 2

i64 sys_getpriority(u32 which)
{
	return which > PRIO_USER ? -EINVAL : 20;
}

i64 sys_setpriority(u32 which)
{
	return which > PRIO_USER ? -EINVAL : 0;
}
