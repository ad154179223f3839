/* Signals. The kernel's sigaction has a restorer and another order of fields (rt_sigaction(2)). */

#include "libc/syscall.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

/* libc/crt0.asm: where handlers return to. */
void signal_restorer(void);

struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	sigset_t mask;
};
_Static_assert(sizeof(struct kernel_sigaction) == 32, "Linux's struct sigaction, x86-64");

int kill(pid_t pid, int signal)
{
	return (int)CALL(SYS_kill, pid, signal);
}

int killpg(pid_t group, int signal)
{
	return kill(-group, signal);
}

int sigqueue(pid_t pid, int signal, const union sigval value)
{
	siginfo_t info = {.si_signo = signal, .si_code = SI_QUEUE};

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value = value;
	return (int)CALL(SYS_rt_sigqueueinfo, pid, signal, &info);
}

int sigaction(int signal, const struct sigaction *wanted, struct sigaction *old)
{
	struct kernel_sigaction to_kernel, from_kernel;

	if (wanted) {
		to_kernel.handler = wanted->sa_handler;
		to_kernel.flags = (unsigned)wanted->sa_flags | SA_RESTORER;
		to_kernel.restorer = signal_restorer;
		to_kernel.mask = wanted->sa_mask;
	}
	if (CALL(SYS_rt_sigaction, signal, wanted ? &to_kernel : NULL, old ? &from_kernel : NULL,
		 sizeof(sigset_t)) < 0)
		return -1;
	if (old) {
		old->sa_handler = from_kernel.handler;
		old->sa_flags = (int)(from_kernel.flags & ~(unsigned long)SA_RESTORER);
		old->sa_mask = from_kernel.mask;
	}
	return 0;
}

_sig_func_ptr signal(int signal, _sig_func_ptr handler)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;

	return sigaction(signal, &action, &old) < 0 ? SIG_ERR : old.sa_handler;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)CALL(SYS_rt_sigprocmask, how, set, old, sizeof(sigset_t));
}

int sigpending(sigset_t *set)
{
	return (int)CALL(SYS_rt_sigpending, set, sizeof(sigset_t));
}

int sigsuspend(const sigset_t *set)
{
	return (int)CALL(SYS_rt_sigsuspend, set, sizeof(sigset_t));
}

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	return (int)CALL(SYS_rt_sigtimedwait, set, info, timeout, sizeof(sigset_t));
}

int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	return sigtimedwait(set, info, NULL);
}

int sigwait(const sigset_t *set, int *signal)
{
	int got;

	do
		got = sigwaitinfo(set, NULL);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	*signal = got;
	return 0;
}

int sigaltstack(const stack_t *restrict stack, stack_t *restrict old)
{
	return (int)CALL(SYS_sigaltstack, stack, old);
}

int pause(void)
{
	return (int)CALL(SYS_pause);
}

unsigned alarm(unsigned seconds)
{
	return (unsigned)CALL(SYS_alarm, seconds);
}

int sigemptyset(sigset_t *set)
{
	*set = 0;
	return 0;
}

int sigfillset(sigset_t *set)
{
	*set = ~0ul;
	return 0;
}

/* The mask bit of a signal; 0 with errno set for a number that is none. */
static sigset_t signal_bit(int signal)
{
	if (signal < 1 || signal >= NSIG) {
		errno = EINVAL;
		return 0;
	}
	return 1ul << (signal - 1);
}

int sigaddset(sigset_t *set, int signal)
{
	sigset_t bit = signal_bit(signal);

	*set |= bit;
	return bit ? 0 : -1;
}

int sigdelset(sigset_t *set, int signal)
{
	sigset_t bit = signal_bit(signal);

	*set &= ~bit;
	return bit ? 0 : -1;
}

int sigismember(const sigset_t *set, int signal)
{
	sigset_t bit = signal_bit(signal);

	return bit ? (*set & bit) != 0 : -1;
}

void __sigjmp_save(sigjmp_buf buffer, int save_mask)
{
	buffer->__mask_saved = save_mask;
	if (save_mask)
		sigprocmask(SIG_SETMASK, NULL, &buffer->__mask);
}

void siglongjmp(sigjmp_buf buffer, int value)
{
	if (buffer->__mask_saved)
		sigprocmask(SIG_SETMASK, &buffer->__mask, NULL);
	longjmp(buffer->__registers, value);
}
