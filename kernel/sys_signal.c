/* System calls on signals. */
#include "kernel/process.h"
#include "kernel/sigframe.h"
#include "kernel/syscalls.h"
#include "mm/errno.h"

#define MINSIGSTKSZ 2048

struct broadcast {
	const struct siginfo *info; /* NULL: only look */
	bool sent;
};

static bool send_to_all(void *context, struct process *process)
{
	struct broadcast *broadcast = context;

	if (process->pid == 1 || process == current_process() || process->exited)
		return true;
	if (broadcast->info)
		signal_send_locked(process, broadcast->info);
	broadcast->sent = true;
	return true;
}

/* info with signal 0: only looks whether there is such a process. */
static i64 send_to_one(u32 pid, const struct siginfo *info)
{
	struct process *process = process_find_by_tid(pid);
	i64 result = 0;

	if (!process)
		return -ESRCH;
	if (info->signal)
		result = signal_send_info(process, info);
	process_put(process);
	return result;
}

static bool find_member(void *context, struct process *process)
{
	u32 *pgid = context;

	if (process->pgid != *pgid)
		return true;
	*pgid = 0;
	return false;
}

static i64 send_to_group(u32 pgid, const struct siginfo *info)
{
	if (info->signal)
		return signal_send_group_info(pgid, info);
	process_each(find_member, &pgid);
	return pgid ? -ESRCH : 0;
}

static i64 send_to_all_others(const struct siginfo *info)
{
	struct broadcast broadcast = {info->signal ? info : NULL, false};

	process_each(send_to_all, &broadcast);
	return broadcast.sent ? 0 : -ESRCH;
}

i64 sys_kill(i32 pid, int signal)
{
	struct siginfo info = siginfo_of_sender(signal, SI_USER);

	if (signal < 0 || signal > SIGNALS)
		return -EINVAL;
	if (pid > 0)
		return send_to_one((u32)pid, &info);
	if (pid == 0)
		return send_to_group(current_process()->pgid, &info);
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid < -1)
		return send_to_group((u32)-pid, &info);
	return send_to_all_others(&info);
}

/* A first thread that has ended before its process is gone takes no signals. */
static i64 send_to_zombie(u32 pid)
{
	const struct siginfo none = {0};

	return send_to_one(pid, &none);
}

/* To one thread, of the process with this pid or of any (0). info with signal 0: only looks whether there is one. */
static i64 send_to_thread(i32 tgid, i32 tid, const struct siginfo *info)
{
	bool interrupts = process_table_lock();
	struct thread *thread = thread_find(NULL, (u32)tid);
	i64 result = -ESRCH;

	if (thread && (!tgid || thread->process->pid == (u32)tgid))
		result = info->signal ? signal_send_thread(thread, info) : 0;
	process_table_unlock(interrupts);
	return !thread && (!tgid || tgid == tid) ? send_to_zombie((u32)tid) : result;
}

i64 sys_tgkill(i32 tgid, i32 tid, int signal)
{
	struct siginfo info = siginfo_of_sender(signal, SI_TKILL);

	if (tgid <= 0 || tid <= 0 || signal < 0 || signal > SIGNALS)
		return -EINVAL;
	return send_to_thread(tgid, tid, &info);
}

i64 sys_tkill(i32 tid, int signal)
{
	struct siginfo info = siginfo_of_sender(signal, SI_TKILL);

	if (tid <= 0 || signal < 0 || signal > SIGNALS)
		return -EINVAL;
	return send_to_thread(0, tid, &info);
}

/* The rest of the program's siginfo_t is dropped. */
static int get_siginfo(uptr from, int signal, struct siginfo *info)
{
	if (copy_from_user(info, from, sizeof(*info)))
		return -EFAULT;
	info->signal = signal;
	return 0;
}

/* A program may not pretend to others that the kernel, kill or tkill has sent the signal. */
static bool may_pretend(const struct siginfo *info, i32 pid)
{
	return (info->code < 0 && info->code != SI_TKILL) || (u32)pid == current_process()->pid;
}

static i64 get_honest_siginfo(uptr from, int signal, i32 pid, struct siginfo *info)
{
	if (get_siginfo(from, signal, info))
		return -EFAULT;
	if (!may_pretend(info, pid))
		return -EPERM;
	return signal >= 0 && signal <= SIGNALS ? 0 : -EINVAL;
}

i64 sys_rt_sigqueueinfo(i32 pid, int signal, uptr from)
{
	struct siginfo info;
	i64 error = get_honest_siginfo(from, signal, pid, &info);

	if (error)
		return error;
	return pid > 0 ? send_to_one((u32)pid, &info) : -ESRCH;
}

i64 sys_rt_tgsigqueueinfo(i32 tgid, i32 tid, int signal, uptr from)
{
	struct siginfo info;
	i64 error;

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	error = get_honest_siginfo(from, signal, tgid, &info);
	return error ? error : send_to_thread(tgid, tid, &info);
}

static void set_action(struct process *process, int signal, const struct sigaction *action)
{
	bool interrupts = process_table_lock();

	process->actions[signal - 1] = *action;
	process->actions[signal - 1].mask &= ~NEVER_BLOCKED;
	signal_forget_ignored(process, signal);
	process_table_unlock(interrupts);
}

i64 sys_rt_sigaction(int signal, uptr action, uptr old, u64 size)
{
	struct sigaction *entry, new_action;

	if (size != sizeof(u64) || signal < 1 || signal > SIGNALS)
		return -EINVAL;
	entry = &current_process()->actions[signal - 1];
	if (action && copy_from_user(&new_action, action, sizeof(new_action)))
		return -EFAULT;
	if (action && (SIGNAL_BIT(signal) & NEVER_BLOCKED))
		return -EINVAL;
	if (old && copy_to_user(old, entry, sizeof(*entry)))
		return -EFAULT;
	if (action)
		set_action(current_process(), signal, &new_action);
	return 0;
}

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

i64 sys_rt_sigprocmask(int how, uptr set, uptr old, u64 size)
{
	u64 blocked = current()->blocked, bits = 0;

	if (size != sizeof(u64))
		return -EINVAL;
	if (set) {
		if (copy_from_user(&bits, set, sizeof(bits)))
			return -EFAULT;
		if (how == SIG_BLOCK)
			signal_set_blocked(blocked | bits);
		else if (how == SIG_UNBLOCK)
			signal_set_blocked(blocked & ~bits);
		else if (how == SIG_SETMASK)
			signal_set_blocked(bits);
		else
			return -EINVAL;
	}
	if (old && copy_to_user(old, &blocked, sizeof(blocked)))
		return -EFAULT;
	return 0;
}

i64 sys_rt_sigpending(uptr set, u64 size)
{
	const struct thread *thread = current();
	u64 bits = (thread->pending.set | thread->process->pending.set) & thread->blocked;

	if (size > sizeof(u64))
		return -EINVAL;
	return copy_to_user(set, &bits, size);
}

i64 sys_pause(void)
{
	return wait_until_or_signal(NULL, false);
}

i64 signal_mask_for_wait(u64 set, u64 size)
{
	struct thread *thread = current();
	u64 bits;

	if (size != sizeof(u64))
		return -EINVAL;
	if (copy_from_user(&bits, set, sizeof(bits)))
		return -EFAULT;
	thread->saved_blocked = thread->blocked;
	thread->saved_blocked_set = true;
	signal_set_blocked(bits);
	return 0;
}

static i64 put_siginfo(uptr to, const struct siginfo *info)
{
	u8 out[SIGINFO_BYTES] = {0};

	memcpy(out, info, sizeof(*info));
	return copy_to_user(to, out, sizeof(out));
}

i64 sys_rt_sigtimedwait(uptr set, uptr to, uptr timeout, u64 size)
{
	struct siginfo info;
	u64 bits, ns = 0;
	i64 result;

	if (size != sizeof(u64))
		return -EINVAL;
	if (copy_from_user(&bits, set, sizeof(bits)))
		return -EFAULT;
	result = timeout ? get_span(timeout, &ns) : 0;
	if (!result)
		result = signal_wait(bits, timeout ? clock_ns() + ns : 0, &info);
	return result > 0 && to && put_siginfo(to, &info) ? -EFAULT : result;
}

i64 sys_rt_sigsuspend(uptr set, u64 size)
{
	i64 error = signal_mask_for_wait(set, size);

	return error ? error : sys_pause();
}

i64 sys_rt_sigreturn(struct trapframe *frame)
{
	if (sigframe_pop(frame))
		signal_force(SIGSEGV, 0, frame->rsp);
	return 0;
}

int sigstack_set(const struct sigstack *stack, u64 sp)
{
	struct sigstack *own = &current()->alt_stack;
	u32 mode = stack->flags & ~SS_AUTODISARM;

	if (sigstack_holds(own, sp))
		return -EPERM;
	if (mode & ~(SS_DISABLE | SS_ONSTACK) || mode == (SS_DISABLE | SS_ONSTACK))
		return -EINVAL;
	if (mode != SS_DISABLE && stack->size < MINSIGSTKSZ)
		return -ENOMEM;
	*own = *stack;
	own->flags = mode == SS_DISABLE ? SS_DISABLE : stack->flags & SS_AUTODISARM;
	if (mode == SS_DISABLE)
		own->sp = own->size = 0;
	return 0;
}

i64 sys_sigaltstack(uptr stack, uptr old, const struct trapframe *frame)
{
	struct sigstack next, before = current()->alt_stack;
	i64 error = 0;

	if (before.size == 0)
		before.flags = SS_DISABLE;
	else if (sigstack_holds(&before, frame->rsp))
		before.flags |= SS_ONSTACK;
	if (stack)
		error = copy_from_user(&next, stack, sizeof(next));
	if (stack && !error)
		error = sigstack_set(&next, frame->rsp);
	if (error)
		return error;
	return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}
