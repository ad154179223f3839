/* Processes and their threads: what runs, and what it owns. */
#pragma once

#include "kernel/cpu/trap.h"
#include "kernel/signal.h"
#include "kernel/timer.h"
#include "kernel/wait.h"
#include "mm/list.h"
#include "mm/mm.h"
#include "mm/types.h"

struct files;
struct inode;

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING, THREAD_DEAD };

#define PROCESS_NAME 16

/* What switch_context saves: the stack pointer, with the callee-saved registers on the stack.
 * boot/switch.asm */
struct thread {
	u64 saved_sp;            /* 0: boot/switch.asm */
	void *stack;             /* lowest address of its kernel stack (kernel/cpu/stack.h) */
	struct trapframe *frame; /* of the program, at the top of the stack */
	struct process
		*process; /* NULL: a thread of the kernel's own (idle), or one that has ended */
	struct mm *mm;    /* what it runs in: its process's, but while it builds another in exec */
	void *fpu;        /* XSAVE area */
	u64 fs_base;
	char name[PROCESS_NAME];
	/* User addresses, 0 = none: its tid is written to set_tid before all else, and 0 to clear_tid at its end. */
	u64 set_tid, clear_tid;
	u64 robust_list; /* set_robust_list(2) */
	/* guarded by the process table's lock: */
	u32 tid;                     /* the pid, of a process's first thread */
	struct list sibling;         /* in process->threads */
	struct list by_tid;          /* in the table of tids, unless its tid is the pid */
	bool parked;                 /* it stands still in its process's stop */
	struct process *vfork_child; /* whose exec or exit it waits for */
	struct waitqueue vfork_done;
	/* signals, sets of SIGNAL_BIT; changed by the thread itself but for pending: */
	struct sigpending pending; /* sent to it alone */
	u64 blocked;               /* signal_set_blocked() */
	u64 awaited;               /* by signal_wait() */
	u64 saved_blocked;         /* what rt_sigsuspend put aside, while saved_blocked_set */
	bool saved_blocked_set;
	int forced;     /* the signal of the last signal_force(), until its frame is made */
	int fault_code; /* si_code and si_addr of the last signal_force() */
	u64 fault_addr;
	struct sigstack alt_stack;
	/* guarded by the scheduler's lock: */
	enum thread_state state;
	struct list run;      /* in the run queue, while ready */
	u64 wake_at;          /* clock time that ends its sleep; 0 = none */
	struct list sleeping; /* in the list of timed sleepers, while wake_at is set */
	int wake_reason;
	bool interruptible; /* sleeping so that a signal wakes it */
	u32 cpu;            /* where it runs, or ran last */
	u64 cpu_ns;         /* time that it has run */
	u64 started_ns;     /* when it last got a CPU */
	u64 system_ns;      /* of cpu_ns: in the kernel, as sampled at the end of each slice */
	u64 sampled_ns;     /* cpu_ns at the last sample */
	u64 faults,
		major_faults; /* resolved; of these, those for which a page was read. Its own affair */
#ifdef CHECKED
	struct held_locks rwlocks; /* that it holds; its own affair */
#endif
};

#define PID_MAX 4194304u

/* setrlimit(2): the limits that are enforced; others are only kept. */
#define RLIMIT_FSIZE      1
#define RLIMIT_DATA       2
#define RLIMIT_STACK      3
#define RLIMIT_NPROC      6
#define RLIMIT_NOFILE     7
#define RLIMIT_AS         9
#define RLIMIT_SIGPENDING 11
#define RLIMITS           16
#define RLIM_INFINITY     ~0ul

struct rlimit {
	u64 soft, hard;
};

struct cpu_time {
	u64 total_ns, system_ns;        /* the rest of the total is the program's own */
	u64 minor_faults, major_faults; /* major: a page was read for it */
};

static inline void cpu_time_add(struct cpu_time *to, struct cpu_time time)
{
	to->total_ns += time.total_ns;
	to->system_ns += time.system_ns;
	to->minor_faults += time.minor_faults;
	to->major_faults += time.major_faults;
}

struct posix_timer;

struct process {
	_Atomic u32 refs; /* the table's, until it was waited for; and readers in passing */
	u32 pid;
	u32 forked_by; /* the tid of its parent's thread that made it */
	struct mm *mm; /* a user of it: mm_put(); NULL once it has exited; see process_mm() */
	struct rwlock files_lock; /* for the pointer, and for changes of the table by its threads */
	struct files *files;      /* one ref; shared by fork until changed (kernel/fs/files.h) */
	struct inode *cwd;        /* one ref */
	struct inode *exe;        /* one ref, the file it executes; NULL before the first exec */
	char name[PROCESS_NAME];  /* last part of the program's path */
	u32 umask;
	struct rlimit limits[RLIMITS]; /* those on memory are in force in mm->limits */
	enum share_level fork_level;   /* for its own forks; inherited */
	bool fork_level_set;           /* false: the system's level counts */
	i32 oom_score_adj;             /* OOM_SCORE_ADJ_MIN to _MAX; inherited */
	/* guarded by the process table's lock: */
	struct list threads; /* those that have not ended */
	u32 thread_count;
	bool ending; /* all its threads end, with the exit_status of the first that wanted that */
	struct thread *executing;      /* which waits in exec until the others have ended */
	struct waitqueue threads_left; /* one has ended */
	struct thread *vfork_parent;   /* which waits until it has executed or exited */
	struct process *parent;
	struct list children, sibling;
	struct list all;
	u32 pgid, sid;
	bool exited;     /* a zombie, waiting for wait4 */
	int exit_status; /* as wait4 gives it */
	int stop_signal; /* what stopped it; 0 = it is not stopped */
	u32 stops;       /* so far */
	u32 to_park;     /* threads that have yet to stand still; the last one tells the parent */
	bool stop_told;  /* the parent has been told of this stop by wait4 */
	bool continued_untold; /* it was continued since, and the parent has not been told */
	struct waitqueue child_changed; /* a child exited or stopped */
	struct waitqueue continued;
	struct list by_pid; /* in its bucket of the table */
	bool dying;         /* SIGKILL was sent to it, or it has begun to exit */
	u64 dying_since;    /* when its memory was first waited for (kernel/oom.c); 0 = not yet */
	bool execed;        /* since its fork: setpgid of the parent is too late */
	u64 started_ns;
	struct cpu_time cpu;        /* its own, once it has exited */
	struct cpu_time child_cpu;  /* of children waited for */
	int exit_signal;            /* what its parent is sent at its end; 0 = nothing */
	struct timer real_timer;    /* setitimer(2) */
	struct posix_timer *timers; /* timer_create(2) */
	struct sigpending pending;  /* signals that any thread may take */
	struct sigaction actions[SIGNALS];
};

/* The system's fork level, for processes that have not set their own (/proc/sys/vm/fork_level,
 * fork= at boot). */
extern enum share_level fork_level_default;

/*
 * The process table's lock. It guards the family links, groups, statuses and stops, what is sent in signals, and
 * which mm, files, directory and program a process has. Only its own threads change those, under this lock. They read
 * without it what stands while several run: mm and program; the directory with it (process_inode()), the files under
 * files_lock. Interrupts are off while it is held.
 */
bool process_table_lock(void);
void process_table_unlock(bool interrupts);

/* Calls visit for each process in order of pid, under the table's lock, until it returns false. */
void process_each(bool (*visit)(void *context, struct process *process), void *context);

/* The process with this pid, or NULL; zombies are found too. The caller gets a ref. */
struct process *process_find(u32 pid);
void process_get(struct process *process);
/* The process whose pid, or one of whose threads' tids, this is: kill(2) takes either. */
struct process *process_find_by_tid(u32 tid);
void process_put(struct process *process);

/* Its address space, which the caller becomes a user of (mm_put()); NULL when it has none any more. */
struct mm *process_mm(struct process *process);

void process_set_mm(struct process *process, struct mm *mm);

/* The same for its descriptor table (files_put()), and for its cwd or exe, one of which `place` is (inode_put()). Of the
 * current process, _swap changes it and returns the old one, with its ref. */
struct files *process_files(struct process *process);
struct files *process_swap_files(struct files *files);
struct inode *process_inode(struct inode *const *place);
struct inode *process_swap_inode(struct inode **place, struct inode *inode);

/* What others may know of a thread of the process, or of all of them together: tid 0. The first thread is there, as a
 * zombie, when it has ended before others. false: there is no such thread. */
struct process_look {
	char state; /* as ps shows it */
	u32 threads;
	struct cpu_time cpu;
	u64 rip, rsp;         /* of the program */
	u64 pending, blocked; /* of the thread; of all: of the first */
	char name[PROCESS_NAME];
};
bool process_look(const struct process *process, u32 tid, struct process_look *look);

/* The tid of the process's first thread with a higher one than after, or 0. */
u32 process_next_tid(const struct process *process, u32 after);

/* The thread with this tid, of process if that is not NULL; or NULL. locked: process table */
struct thread *thread_find(const struct process *process, u32 tid);

/* Lets the limits on memory of its limits bound its address space, or one that it is about to have. May sleep. */
void process_apply_limits(struct process *process);
void process_limit_mm(const struct process *process, struct mm *mm);

/* Names the current thread, and its process if it is the first one. */
void thread_set_name(const char name[PROCESS_NAME]);

/*
 * A child of the current process that goes on where it does, with 0 as the result of the call; stack:
 * its stack pointer, 0 = the same; fs_base: its FS base. Returns its pid, or -ENOMEM or -EAGAIN with
 * nothing changed.
 */
struct fork_options {
	u64 stack, fs_base;
	bool share_memory; /* the child runs in its parent's memory (CLONE_VM) */
	int exit_signal;   /* to the parent when the child ends; 0 = none */
	bool parent_waits; /* returns when the child has executed or exited (CLONE_VFORK) */
	/* User addresses, 0 = none: to which the new tid is written, in the parent's memory and in the child's; and
	 * the child's clear_tid. */
	u64 parent_tid, set_tid, clear_tid;
};
i64 process_fork(const struct fork_options *options);

/*
 * A further thread of the current process: of the options, those on signals and the parent do not count. Returns its tid,
 * -ENOMEM or -EAGAIN.
 */
i64 thread_clone(const struct fork_options *options);

/* exec: ends the other threads of the current process and waits until they are gone; the current one then has the
 * process's pid as its tid. -EINTR: another one ends this one, which it finds on its way to the program. */
int process_become_single(void);

/* The current process has a new mm, or none, after vfork: its parent may go on. */
void process_end_vfork(struct process *process);

/* Ends the current process with a status as wait4 gives it: exit code << 8, or the signal that
 * killed it. */
_Noreturn void process_exit(int status);

/* Ends the current thread; the last one ends its process, with the status that the first thread had if that ended
 * so. */
_Noreturn void thread_exit(int status);

/* CPU time that it has used. locked: process table */
struct cpu_time process_cpu_time(const struct process *process);

/* What there is to say of a child: as waitid(2) has it, with code one of CLD_. */
struct wait_news {
	u32 pid;
	int code, status;
	struct cpu_time cpu; /* of a child that has ended, its own children's too */
};

/*
 * waitid(2) for the current process: pid as for wait4(2), options a set of WAIT_ bits. Returns the child's pid with
 * *news filled in, 0 (WAIT_NOHANG), -ECHILD or -EINTR.
 */
#define WAIT_NOHANG    1u
#define WAIT_STOPPED   2u
#define WAIT_EXITED    4u
#define WAIT_CONTINUED 8u
#define WAIT_NOWAIT    0x01000000u /* the news stays news */
#define WAIT_OWN_THREAD \
	0x20000000u            /* __WNOTHREAD: children of this thread, or of one that has ended */
#define WAIT_ALL   0x40000000u /* __WALL: whatever a child's exit signal is */
#define WAIT_CLONE 0x80000000u /* __WCLONE: only those whose is not SIGCHLD */
i64 process_wait(i64 pid, u32 options, struct wait_news *news);

/*
 * For fork and exit. An empty process, NULL without memory; its parent set, it enters the table together with its first
 * thread and gets a pid (false: the table is full), and leaves it. A further thread joins its process and gets a tid
 * (false: the table is full, or the process ends), and leaves. What leaves: locked: process table.
 */
struct process *process_create(void);
bool process_enter(struct process *process, struct thread *thread);
void process_leave_table(struct process *process);
bool thread_enter(struct thread *thread);
void thread_leave(struct thread *thread);
/* exec by another thread than the first, which has left: it has the pid as its tid now. locked: process table */
void thread_take_pid(struct thread *thread);
extern struct process *init_process; /* who adopts orphans */

/*
 * Whether nobody outside a process group, but in its session, is the parent of one of its members: its stops would never
 * be noticed. A member `except` does not count. locked: process table
 */
bool process_group_orphaned(u32 pgid, const struct process *except);
/* Whether a member is stopped. locked: process table */
bool process_group_stopped(u32 pgid);

/* Whether some process, a zombie also, is in this group; sid: and in this session, 0 = any. */
bool process_group_exists(u32 pgid, u32 sid);

/* The fork level in force for a process. */
enum share_level process_fork_level(const struct process *process);

/* Boot: makes process 1, which will execute init. */
void process_start_init(void);

/* Nanoseconds since boot; and the wall clock at boot, in seconds since 1970. kernel/cpu/tsc.c */
u64 clock_ns(void);
extern u64 boot_epoch;

#include "kernel/cpu/cpu.h"

/* The process that runs here; not callable from kernel threads. */
static inline struct process *current_process(void)
{
	return current()->process;
}
