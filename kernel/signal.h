/* Signals: what is sent, what is pending, and how a program comes to handle it (signal(7)). */
#pragma once

#include "mm/types.h"

struct process;
struct trapframe;

#define SIGNALS 64

#define SIGHUP   1
#define SIGINT   2
#define SIGQUIT  3
#define SIGILL   4
#define SIGTRAP  5
#define SIGABRT  6
#define SIGBUS   7
#define SIGFPE   8
#define SIGKILL  9
#define SIGSEGV  11
#define SIGPIPE  13
#define SIGALRM  14
#define SIGTERM  15
#define SIGCHLD  17
#define SIGCONT  18
#define SIGSTOP  19
#define SIGTSTP  20
#define SIGTTIN  21
#define SIGTTOU  22
#define SIGURG   23
#define SIGWINCH 28

/* A set of signals has bit n - 1 for signal n. */
#define SIGNAL_BIT(n) (1ul << ((n)-1))

#define NEVER_BLOCKED (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

#define SIG_DFL 0ul
#define SIG_IGN 1ul

#define SA_NOCLDSTOP 0x00000001ul
#define SA_NOCLDWAIT 0x00000002ul
#define SA_RESTORER  0x04000000ul
#define SA_RESTART   0x10000000ul
#define SA_NODEFER   0x40000000ul
#define SA_RESETHAND 0x80000000ul

struct sigaction { /* the kernel's layout of rt_sigaction(2) on x86-64 */
	u64 handler;
	u64 flags;
	u64 restorer;
	u64 mask;
};
_Static_assert(sizeof(struct sigaction) == 32, "rt_sigaction(2)");

#define SS_ONSTACK 1u
#define SS_DISABLE 2u
#define SA_ONSTACK 0x08000000ul

struct sigstack { /* sigaltstack(2) */
	u64 sp;
	u32 flags;
	u32 unused;
	u64 size;
};
_Static_assert(sizeof(struct sigstack) == 24, "sigaltstack(2)");

static inline bool sigstack_holds(const struct sigstack *stack, u64 sp)
{
	return stack->size && !(stack->flags & SS_DISABLE) && sp - stack->sp < stack->size;
}

/* Sends a signal, as kill(2) would; callable from interrupt handlers. The second is for who holds the process
 * table's lock. */
void signal_send(struct process *process, int signal);
void signal_send_locked(struct process *process, int signal);

/* To each process of the group; -ESRCH when there is none. Callable from interrupt handlers. */
int signal_send_group(u32 pgid, int signal);

/*
 * A signal that the current program has brought upon itself by a fault at addr: it cannot be
 * blocked or ignored. code is siginfo's si_code.
 */
void signal_force(int signal, int code, u64 addr);

/* True when a signal is pending for the current process that is not blocked. */
bool signal_pending(void);

/*
 * Whether a pending signal ends an interruptible wait: one that has a handler does, and one that
 * kills. A stop is served here, and the wait goes on after SIGCONT. Interrupts off; may sleep.
 */
bool signal_ends_wait(void);

/*
 * Blocks the set at the user address set instead of the present one, until the current system call
 * returns to the program: rt_sigsuspend, ppoll, pselect. -EINVAL: size is wrong; -EFAULT.
 */
i64 signal_mask_for_wait(u64 set, u64 size);

/* Of the signals in ready (not empty), the one to be handled first. */
int signal_next(u64 ready);
/* The signals that would not end the process now: it blocks, handles or ignores them, or they stop it. */
u64 signals_not_fatal(const struct process *process);

/* sigaction(2): a pending signal whose action is to ignore it now is forgotten. */
void signal_forget_ignored(struct process *process, int signal);

/* Before returning to the program: handles what is pending, which may end or stop the process. */
void signal_deliver(struct trapframe *frame);

/* exec: handlers of the old program become the default; what is ignored stays ignored. */
void signal_reset_handlers(struct process *process);
