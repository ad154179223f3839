/* System calls on signals. */
#include "kernel/process.h"
#include "kernel/sigframe.h"
#include "kernel/syscalls.h"
#include "mm/errno.h"

#define MINSIGSTKSZ 2048

struct broadcast {
	int signal;
	bool sent;
};

static bool send_to_all(void *context, struct process *process)
{
	struct broadcast *broadcast = context;

	if (process->pid == 1 || process == current_process() || process->exited)
		return true;
	if (broadcast->signal)
		signal_send_locked(process, broadcast->signal);
	broadcast->sent = true;
	return true;
}

static i64 kill_one(u32 pid, int signal)
{
	struct process *process = process_find(pid);

	if (!process)
		return -ESRCH;
	if (signal)
		signal_send(process, signal);
	process_put(process);
	return 0;
}

static bool find_member(void *context, struct process *process)
{
	u32 *pgid = context;

	if (process->pgid != *pgid)
		return true;
	*pgid = 0;
	return false;
}

static i64 kill_group(u32 pgid, int signal)
{
	if (signal)
		return signal_send_group(pgid, signal);
	process_each(find_member, &pgid);
	return pgid ? -ESRCH : 0;
}

i64 sys_kill(i32 pid, int signal)
{
	struct broadcast broadcast = {signal, false};

	if (signal < 0 || signal > SIGNALS)
		return -EINVAL;
	if (pid > 0)
		return kill_one((u32)pid, signal);
	if (pid == 0)
		return kill_group(current_process()->pgid, signal);
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid < -1)
		return kill_group((u32)-pid, signal);
	process_each(send_to_all, &broadcast);
	return broadcast.sent ? 0 : -ESRCH;
}

i64 sys_tgkill(i32 tgid, i32 tid, int signal)
{
	if (tgid <= 0 || tid <= 0 || signal < 0 || signal > SIGNALS)
		return -EINVAL;
	return tgid == tid ? kill_one((u32)tid, signal) : -ESRCH;
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
	if (action) {
		*entry = new_action;
		entry->mask &= ~NEVER_BLOCKED;
		signal_forget_ignored(current_process(), signal);
	}
	return 0;
}

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

i64 sys_rt_sigprocmask(int how, uptr set, uptr old, u64 size)
{
	struct process *process = current_process();
	u64 blocked = process->blocked, bits = 0;

	if (size != sizeof(u64))
		return -EINVAL;
	if (set) {
		if (copy_from_user(&bits, set, sizeof(bits)))
			return -EFAULT;
		bits &= ~NEVER_BLOCKED;
		if (how == SIG_BLOCK)
			process->blocked |= bits;
		else if (how == SIG_UNBLOCK)
			process->blocked &= ~bits;
		else if (how == SIG_SETMASK)
			process->blocked = bits;
		else
			return -EINVAL;
	}
	if (old && copy_to_user(old, &blocked, sizeof(blocked)))
		return -EFAULT;
	return 0;
}

i64 sys_rt_sigpending(uptr set, u64 size)
{
	u64 bits = current_process()->pending & current_process()->blocked;

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
	struct process *process = current_process();
	u64 bits;

	if (size != sizeof(u64))
		return -EINVAL;
	if (copy_from_user(&bits, set, sizeof(bits)))
		return -EFAULT;
	process->saved_blocked = process->blocked;
	process->saved_blocked_set = true;
	process->blocked = bits & ~NEVER_BLOCKED;
	return 0;
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

i64 sys_sigaltstack(uptr stack, uptr old, const struct trapframe *frame)
{
	struct sigstack *current_stack = &current_process()->alt_stack, next,
			before = *current_stack;
	bool in_use = sigstack_holds(current_stack, frame->rsp);

	before.flags = before.size == 0 ? SS_DISABLE : in_use ? SS_ONSTACK : before.flags;
	if (stack) {
		if (copy_from_user(&next, stack, sizeof(next)))
			return -EFAULT;
		if (in_use)
			return -EPERM;
		if (next.flags & ~(SS_DISABLE | SS_ONSTACK))
			return -EINVAL;
		if (!(next.flags & SS_DISABLE) && next.size < MINSIGSTKSZ)
			return -ENOMEM;
		next.flags &= SS_DISABLE;
		*current_stack = next.flags ? (struct sigstack) {.flags = SS_DISABLE} : next;
	}
	if (old && copy_to_user(old, &before, sizeof(before)))
		return -EFAULT;
	return 0;
}
