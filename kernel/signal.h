/* Signals: what is sent, what is pending, and how a program comes to handle it (signal(7)). */
#pragma once

#include "mm/list.h"
#include "mm/types.h"

struct process;
struct thread;
struct trapframe;

#define SIGNALS 64

#define SIGHUP    1
#define SIGINT    2
#define SIGQUIT   3
#define SIGILL    4
#define SIGTRAP   5
#define SIGABRT   6
#define SIGBUS    7
#define SIGFPE    8
#define SIGKILL   9
#define SIGSEGV   11
#define SIGPIPE   13
#define SIGALRM   14
#define SIGTERM   15
#define SIGCHLD   17
#define SIGCONT   18
#define SIGSTOP   19
#define SIGTSTP   20
#define SIGTTIN   21
#define SIGTTOU   22
#define SIGURG    23
#define SIGVTALRM 26
#define SIGPROF   27
#define SIGWINCH  28
#define SIGRTMIN  32 /* from here on each is queued */

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

#define SS_ONSTACK    1u
#define SS_DISABLE    2u
#define SS_AUTODISARM (1u << 31)
#define SA_ONSTACK    0x08000000ul

struct sigstack { /* sigaltstack(2) */
	u64 sp;
	u32 flags;
	u32 unused;
	u64 size;
};
_Static_assert(sizeof(struct sigstack) == 24, "sigaltstack(2)");

static inline bool sigstack_holds(const struct sigstack *stack, u64 sp)
{
	return stack->size && !(stack->flags & (SS_DISABLE | SS_AUTODISARM)) &&
	       sp - stack->sp < stack->size;
}

/* What has been sent and not been taken yet; guarded by the process table's lock. kernel/sigqueue.c */
struct sigpending {
	u64 set; /* changed under the lock; read by those who may take it without */
	struct list queue;
};

/* sigaltstack(2) for the current thread, whose stack pointer is sp: 0, -EPERM, -EINVAL or -ENOMEM. */
int sigstack_set(const struct sigstack *stack, u64 sp);

/* si_code (sigaction(2)). */
#define SI_USER       0
#define SI_KERNEL     0x80
#define SI_QUEUE      (-1)
#define SI_TIMER      (-2)
#define SI_TKILL      (-6)
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

#define SIGINFO_BYTES 128 /* as programs see it: the rest is zeroes */

struct siginfo { /* the used part of Linux's siginfo_t */
	i32 signal, error, code;
	u32 unused;
	union {
		struct { /* from a process, or of a child */
			u32 pid, uid;
			union {
				i32 status;
				u64 value;
			};
			u64 user_ticks, system_ticks;
		};
		struct { /* of a timer; value is its own */
			i32 timer, overrun;
		};
		u64 addr; /* of a fault */
	};
};
_Static_assert(sizeof(struct siginfo) == 48, "siginfo_t of Linux");

/*
 * Sends a signal; callable from interrupt handlers. -EAGAIN: the queue is full (sigqueue_add()). The second is for who
 * holds the process table's lock.
 */
int signal_send_info(struct process *process, const struct siginfo *info);
int signal_send_locked(struct process *process, const struct siginfo *info);

/* The same to one thread, which alone may take it. locked: process table */
int signal_send_thread(struct thread *thread, const struct siginfo *info);

/* As kill(2) by the current process would. */
void signal_send(struct process *process, int signal);

/* To each process of the group; -ESRCH when there is none. Callable from interrupt handlers. The first is the kernel's
 * own; the last is for who holds the process table's lock. */
int signal_send_group(u32 pgid, int signal);
int signal_send_group_info(u32 pgid, const struct siginfo *info);
int signal_send_group_locked(u32 pgid, const struct siginfo *info);

/* What kill(2) and its like tell of the current process as the sender. */
struct siginfo siginfo_of_sender(int signal, int code);
/* What the kernel's own signals tell. */
struct siginfo siginfo_of_kernel(int signal);

/*
 * Tells the parent of a process that it has stopped, gone on or ended: by a signal that may be SIGCHLD, and by waking it.
 * code: CLD_. locked: process table
 */
void signal_parent(struct process *process, int signal, int code, int status);

/*
 * A signal that the current program has brought upon itself by a fault at addr: it cannot be
 * blocked or ignored. code is siginfo's si_code.
 */
void signal_force(int signal, int code, u64 addr);

/* The current thread blocks just this set, but for what cannot be blocked. Another thread may take what was meant for
 * any of them. */
void signal_set_blocked(u64 set);

/* The current thread is about to end: others take what the process was sent. locked: process table */
void signal_leave_to_others(struct process *process);

/* Counts a thread of a process that is being stopped as one that stands still: it does, or ends. locked: process table */
void signal_parked(struct process *process, struct thread *thread);

/* Stops or no stop, each other thread of the current process is to end. locked: process table */
void signal_end_others(struct process *process);

/* True when a signal is pending for the current thread that is not blocked, or that signal_wait() waits for, or its
 * process is stopped. */
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

/*
 * Takes a pending signal of the set, blocked or not, as soon as there is one: its number with *info filled in. -EAGAIN:
 * not until the clock read deadline (0 = never); -EINTR: another one came. May sleep.
 */
i64 signal_wait(u64 set, u64 deadline, struct siginfo *info);

/* Of the signals in ready (not empty), the one to be handled first. */
int signal_next(u64 ready);
/* The signals that would not end the process now: the current thread blocks them, or it handles or ignores them, or
 * they stop it. */
u64 signals_not_fatal(void);

/* Whether a call that a signal interrupted is made again: the handler that will run has SA_RESTART, or none will. */
bool signal_restarts_call(void);

/* sigaction(2): a pending signal whose action is to ignore it now is forgotten. locked: process table */
void signal_forget_ignored(struct process *process, int signal);

/* Before returning to the program: handles what is pending, which may end or stop the process. */
void signal_deliver(struct trapframe *frame);

/* exec: handlers of the old program become the default; what is ignored stays ignored. */
void signal_reset_handlers(struct process *process);
