/* System calls on processes. */
#include "kernel/exec.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/errno.h"

/* clone(2) */
#define CLONE_SIGNAL         0xfful
#define CLONE_VM             0x00000100ul
#define CLONE_FS             0x00000200ul
#define CLONE_FILES          0x00000400ul
#define CLONE_SIGHAND        0x00000800ul
#define CLONE_VFORK          0x00004000ul
#define CLONE_THREAD         0x00010000ul
#define CLONE_SYSVSEM        0x00040000ul
#define CLONE_SETTLS         0x00080000ul
#define CLONE_PARENT_SETTID  0x00100000ul
#define CLONE_CHILD_CLEARTID 0x00200000ul
#define CLONE_DETACHED       0x00400000ul /* ignored, as on Linux */
#define CLONE_CHILD_SETTID   0x01000000ul

/* What a thread shares with its process here: all of it. There are no System V semaphores to be undone. */
#define CLONE_SHARED (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define CLONE_OPTIONS                                                               \
	(CLONE_SIGNAL | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | \
	 CLONE_CHILD_SETTID | CLONE_SYSVSEM | CLONE_DETACHED)
#define CLONE_PROCESS (CLONE_OPTIONS | CLONE_VM | CLONE_VFORK)

i64 sys_fork(void)
{
	return sys_clone(SIGCHLD, 0, 0, 0, 0);
}

i64 sys_vfork(void)
{
	return sys_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

/* The flags make a thread, which shares all, or a process, whose memory is a copy or its parent's. */
i64 sys_clone(u64 flags, u64 stack, uptr parent_tid, uptr child_tid, u64 tls)
{
	const struct fork_options options = {
		.stack = stack,
		.fs_base = flags & CLONE_SETTLS ? tls : current()->fs_base,
		.share_memory = flags & CLONE_VM,
		.parent_waits = flags & CLONE_VFORK,
		.exit_signal = (int)(flags & CLONE_SIGNAL),
		.parent_tid = flags & CLONE_PARENT_SETTID ? parent_tid : 0,
		.set_tid = flags & CLONE_CHILD_SETTID ? child_tid : 0,
		.clear_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : 0,
	};
	bool is_thread = (flags & CLONE_SHARED) == CLONE_SHARED;

	if ((flags & CLONE_SIGNAL) > SIGNALS || stack >= USER_END || options.fs_base >= USER_END ||
	    (flags & ~(is_thread ? CLONE_SHARED | CLONE_OPTIONS : CLONE_PROCESS)))
		return -EINVAL;
	return is_thread ? thread_clone(&options) : process_fork(&options);
}

i64 sys_execve(uptr path, uptr argv, uptr envp)
{
	return exec_user(path, argv, envp);
}

static int status_of(const struct wait_news *news)
{
	switch (news->code) {
	case CLD_EXITED:
		return news->status << 8;
	case CLD_STOPPED:
		return news->status << 8 | 0x7f;
	case CLD_CONTINUED:
		return 0xffff;
	default:
		return news->status;
	}
}

#define WAIT_ANY_CHILD (WAIT_OWN_THREAD | WAIT_ALL | WAIT_CLONE)

i64 sys_wait4(i32 pid, uptr status, u32 options, uptr usage)
{
	struct wait_news news = {0};
	int child_status;
	i64 child;

	if (options & ~(WAIT_NOHANG | WAIT_STOPPED | WAIT_CONTINUED | WAIT_ANY_CHILD))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	child = process_wait(pid, options | WAIT_EXITED, &news);
	if (child <= 0)
		return child;
	child_status = status_of(&news);
	if (status && copy_to_user(status, &child_status, sizeof(child_status)))
		return -EFAULT;
	if (usage && put_rusage(usage, news.cpu))
		return -EFAULT;
	return child;
}

enum { P_ALL, P_PID, P_PGID };

/* Whom waitid(2) means, as wait4(2) says it; INT64_MIN: nobody. */
static i64 whom(u32 type, i32 id)
{
	switch (type) {
	case P_ALL:
		return -1;
	case P_PID:
		return id > 0 ? id : INT64_MIN;
	case P_PGID:
		return id >= 0 ? -(i64)(id ? (u32)id : current_process()->pgid) : INT64_MIN;
	default:
		return INT64_MIN;
	}
}

/* The part of the program's siginfo_t that waitid(2) fills in: of zeroes when there is no news. */
static i64 put_news(uptr to, const struct wait_news *news)
{
	struct siginfo info = {
		.signal = news->pid ? SIGCHLD : 0,
		.code = news->code,
		.pid = news->pid,
		.status = news->status,
	};

	return copy_to_user(to, &info, offsetof(struct siginfo, user_ticks));
}

i64 sys_waitid(u32 type, i32 id, uptr info, u32 options, uptr usage)
{
	const u32 kinds = WAIT_EXITED | WAIT_STOPPED | WAIT_CONTINUED;
	struct wait_news news = {0};
	i64 pid = whom(type, id), child;

	if ((options & ~(kinds | WAIT_NOHANG | WAIT_NOWAIT | WAIT_ANY_CHILD)) ||
	    !(options & kinds) || pid == INT64_MIN)
		return -EINVAL;
	child = process_wait(pid, options, &news);
	if (child < 0)
		return child;
	if (child && usage && put_rusage(usage, news.cpu))
		return -EFAULT;
	return info ? put_news(info, &news) : 0;
}

i64 sys_getpid(void)
{
	return current_process()->pid;
}

i64 sys_gettid(void)
{
	return current()->tid;
}

i64 sys_getppid(void)
{
	return current_process()->pid == 1 ? 0 : current_process()->parent->pid;
}

/* The process that pid means here: 0 is the current one; NULL when there is none. The caller gets a
 * ref. */
static struct process *process_named(i32 pid)
{
	return pid < 0 ? NULL : process_find(pid ? (u32)pid : current_process()->pid);
}

static i64 join_group(struct process *process, u32 pgid)
{
	struct process *self = current_process();
	u32 group;

	if (process != self && process->parent != self)
		return -ESRCH;
	group = pgid ? pgid : process->pid;
	if (process != self && process->execed)
		return -EACCES;
	if (process->sid != self->sid || process->sid == process->pid ||
	    (group != process->pid && !process_group_exists(group, self->sid)))
		return -EPERM;
	process->pgid = group;
	return 0;
}

i64 sys_setpgid(i32 pid, i32 pgid)
{
	struct process *process;
	i64 result;

	if (pgid < 0)
		return -EINVAL;
	process = process_named(pid);
	if (!process)
		return -ESRCH;
	result = join_group(process, (u32)pgid);
	process_put(process);
	return result;
}

i64 sys_getpgid(i32 pid)
{
	struct process *process = process_named(pid);
	i64 result = process ? (i64)process->pgid : -ESRCH;

	if (process)
		process_put(process);
	return result;
}

i64 sys_setsid(void)
{
	struct process *process = current_process();

	if (process_group_exists(process->pid, 0))
		return -EPERM;
	process->sid = process->pgid = process->pid;
	return process->sid;
}

i64 sys_getsid(i32 pid)
{
	struct process *process = process_named(pid);
	i64 result = process ? (i64)process->sid : -ESRCH;

	if (process)
		process_put(process);
	return result;
}

i64 sys_set_tid_address(uptr tid)
{
	current()->clear_tid = tid;
	return current()->tid;
}

#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003

i64 sys_arch_prctl(u32 code, u64 addr)
{
	struct thread *thread = current();

	switch (code) {
	case ARCH_SET_FS:
		if (addr >= USER_END)
			return -EPERM;
		thread->fs_base = addr;
		wrmsr(MSR_FS_BASE, addr);
		return 0;
	case ARCH_GET_FS:
		return copy_to_user(addr, &thread->fs_base, sizeof(thread->fs_base));
	default:
		return -EINVAL;
	}
}

#define PR_SET_NAME       15
#define PR_GET_NAME       16
#define PR_SET_COW_PTE    65 /* the COW PTE patches: share PTE tables from the next fork on */
#define PR_SET_FORK_LEVEL 0x436f7001 /* ours: 0 to 4 as enum share_level, -1 = the system's */
#define PR_GET_FORK_LEVEL 0x436f7002 /* ours: the level in force */

static i64 set_name(uptr from)
{
	char name[PROCESS_NAME] = {0};
	i64 length = copy_string_from_user(name, from, sizeof(name));

	if (length == -EFAULT)
		return -EFAULT;
	name[PROCESS_NAME - 1] = 0;
	thread_set_name(name);
	return 0;
}

static i64 set_fork_level(i64 level)
{
	struct process *process = current_process();

	if (level < -1 || level > SHARE_AUTO)
		return -EINVAL;
	process->fork_level_set = level >= 0;
	process->fork_level = level >= 0 ? (enum share_level)level : SHARE_PAGES;
	return 0;
}

i64 sys_prctl(u32 option, u64 arg2, u64 arg3, u64 arg4, u64 arg5)
{
	switch (option) {
	case PR_SET_NAME:
		return set_name(arg2);
	case PR_GET_NAME:
		return copy_to_user(arg2, current()->name, PROCESS_NAME);
	case PR_SET_COW_PTE:
		return arg2 | arg3 | arg4 | arg5 ? -EINVAL : set_fork_level(SHARE_PTES);
	case PR_SET_FORK_LEVEL:
		return set_fork_level((i64)arg2 == (i64)0xffffffff ? -1 : (i64)arg2);
	case PR_GET_FORK_LEVEL:
		return process_fork_level(current_process());
	default:
		return -EINVAL;
	}
}

i64 sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

i64 sys_sched_getaffinity(i32 pid, u32 bytes, uptr mask)
{
	struct process *process = process_named(pid);
	u64 cpus = (1ul << cpus_online) - 1;

	if (!process)
		return -ESRCH;
	process_put(process);
	if (bytes < sizeof(cpus) || bytes % sizeof(cpus))
		return -EINVAL;
	return copy_to_user(mask, &cpus, sizeof(cpus)) ? -EFAULT : (i64)sizeof(cpus);
}
