/*
 * The system calls on processes, memory, signals, time and the system, as kernel/syscall.c dispatches them; those on
 * files are in kernel/fs/sys_file.h. Arguments as the program gave them, results and errno as in Linux's manual,
 * section 2. All may sleep.
 */
#pragma once

#include "kernel/usercopy.h"
#include "mm/types.h"

struct trapframe;
struct cpu_time;

/* kernel/sys_process.c */
i64 sys_fork(void);
i64 sys_vfork(void);
i64 sys_clone(u64 flags, u64 stack, uptr parent_tid, uptr child_tid, u64 tls);
i64 sys_execve(uptr path, uptr argv, uptr envp);
i64 sys_wait4(i32 pid, uptr status, u32 options, uptr usage);
i64 sys_waitid(u32 type, i32 id, uptr info, u32 options, uptr usage);
i64 sys_getpid(void);
i64 sys_getppid(void);
i64 sys_setpgid(i32 pid, i32 pgid);
i64 sys_getpgid(i32 pid);
i64 sys_setsid(void);
i64 sys_getsid(i32 pid);
i64 sys_set_tid_address(uptr tid);
i64 sys_arch_prctl(u32 code, u64 addr);
i64 sys_prctl(u32 option, u64 arg2, u64 arg3, u64 arg4, u64 arg5);
i64 sys_sched_yield(void);
i64 sys_sched_getaffinity(i32 pid, u32 bytes, uptr mask);

/* kernel/sys_memory.c */
i64 sys_mmap(u64 addr, u64 length, u32 prot, u32 flags, int fd, u64 offset);
i64 sys_munmap(u64 addr, u64 length);
i64 sys_mprotect(u64 addr, u64 length, u32 prot);
i64 sys_brk(u64 brk);
i64 sys_mremap(u64 addr, u64 old_length, u64 new_length, u32 flags, u64 new_addr);
i64 sys_madvise(u64 addr, u64 length, u32 advice);
i64 sys_process_madvise(int pidfd, uptr segments, u64 count, u32 advice, u32 flags);
i64 sys_pidfd_open(i32 pid, u32 flags);
i64 sys_mincore(u64 addr, u64 length, uptr to);
i64 sys_msync(u64 addr, u64 length, u32 flags);
i64 sys_mlock(u64 addr, u64 length);
i64 sys_mlock2(u64 addr, u64 length, u32 flags);
i64 sys_munlock(u64 addr, u64 length);
i64 sys_mlockall(u32 flags);
i64 sys_munlockall(void);

/* kernel/sys_signal.c */
i64 sys_kill(i32 pid, int signal);
i64 sys_tgkill(i32 tgid, i32 tid, int signal);
i64 sys_tkill(i32 tid, int signal);
i64 sys_gettid(void);
i64 sys_futex(uptr at, int operation, u32 value, u64 timeout, uptr other, u32 third);
i64 sys_set_robust_list(uptr head, size_t bytes);
i64 sys_get_robust_list(i32 tid, uptr head, uptr bytes);
i64 sys_rt_sigqueueinfo(i32 pid, int signal, uptr info);
i64 sys_rt_tgsigqueueinfo(i32 tgid, i32 tid, int signal, uptr info);
i64 sys_rt_sigaction(int signal, uptr action, uptr old, u64 size);
i64 sys_rt_sigprocmask(int how, uptr set, uptr old, u64 size);
i64 sys_rt_sigpending(uptr set, u64 size);
i64 sys_rt_sigtimedwait(uptr set, uptr info, uptr timeout, u64 size);
i64 sys_rt_sigsuspend(uptr set, u64 size);
i64 sys_rt_sigreturn(struct trapframe *frame);
i64 sys_sigaltstack(uptr stack, uptr old, const struct trapframe *frame);
i64 sys_pause(void);

/* kernel/sys_time.c */
i64 sys_clock_gettime(i32 clock, uptr to);
i64 sys_clock_getres(i32 clock, uptr to);
i64 sys_clock_nanosleep(i32 clock, int flags, uptr request, uptr remain);
i64 sys_nanosleep(uptr request, uptr remain);
i64 sys_gettimeofday(uptr to, uptr zone);
i64 sys_time(uptr to);
i64 sys_times(uptr to);
i64 sys_getrusage(int who, uptr to);
/* Stores a struct rusage (two timevals and 14 longs) of which only the CPU time is known: 0 or -EFAULT. */
int put_rusage(uptr to, struct cpu_time time);
/* Reads a struct timespec that is a time span: 0, -EFAULT or -EINVAL. Spans beyond 292 years are for ever. */
i64 get_span(uptr from, u64 *ns);
#define TIME_LONGEST (INT64_MAX / 1000000000ul - 1) /* seconds */

/* kernel/sys_timer.c */
i64 sys_alarm(u32 seconds);
i64 sys_getitimer(int which, uptr to);
i64 sys_setitimer(int which, uptr value, uptr old);
i64 sys_timer_create(i32 clock, uptr event, uptr timer);
i64 sys_timer_settime(i32 timer, int flags, uptr value, uptr old);
i64 sys_timer_gettime(i32 timer, uptr value);
i64 sys_timer_getoverrun(i32 timer);
i64 sys_timer_delete(i32 timer);

/* kernel/sys_limits.c */
i64 sys_prlimit64(i32 pid, u32 resource, uptr new_limit, uptr old_limit);
i64 sys_getrlimit(u32 resource, uptr limit);
i64 sys_setrlimit(u32 resource, uptr limit);
i64 sys_getpriority(u32 which);
i64 sys_setpriority(u32 which);

/* kernel/sys_swap.c */
i64 sys_swapon(uptr path, u32 flags);
i64 sys_swapoff(uptr path);

/* kernel/sys_system.c */
i64 sys_uname(uptr to);
i64 sys_sysinfo(uptr to);
i64 sys_getrandom(uptr to, u64 bytes, u32 flags);
i64 sys_reboot(u32 magic1, u32 magic2, u32 command, uptr text);
i64 sys_audit(void);
i64 sys_zero(void); /* getuid and its like: everything belongs to root */
