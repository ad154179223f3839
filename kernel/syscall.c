/*
 * The table of system calls: Linux's numbers for x86-64, and a few of our own from 1000 on. What is
 * not here answers -ENOSYS.
 */
#include "kernel/cmdline.h"
#include "kernel/cpu/trap.h"
#include "kernel/fs/sys_file.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "kernel/trap.h"
#include "mm/errno.h"

#define SYS_AUDIT 1000

/* Restarted after a handler with SA_RESTART: all but the calls that signal(7) excepts, and swapoff(2). */
#define SYS_POLL            7
#define SYS_SELECT          23
#define SYS_PAUSE           34
#define SYS_NANOSLEEP       35
#define SYS_RT_SIGTIMEDWAIT 128
#define SYS_RT_SIGSUSPEND   130
#define SYS_SWAPOFF         168
#define SYS_FUTEX           202 /* a wait with a timeout */
#define SYS_CLOCK_NANOSLEEP 230
#define SYS_PSELECT6        270
#define SYS_PPOLL           271

static i64 unknown(u64 number)
{
	static u32 told_pid;
	static u64 told[8]; /* numbers below 512 that this program has been told of */
	const char *word = cmdline_word("debug");

	if (!word || strcmp(word, "syscalls") != 0)
		return -ENOSYS;
	if (told_pid != current_process()->pid) {
		told_pid = current_process()->pid;
		memset(told, 0, sizeof(told));
	}
	if (number >= 512 || !(told[number / 64] >> number % 64 & 1))
		printk("process %u (%s): no system call %lu\n", told_pid, current_process()->name,
		       number);
	if (number < 512)
		told[number / 64] |= 1ul << number % 64;
	return -ENOSYS;
}

/* Long, since it is a table: the arguments' types are what a table of pointers would lose. */
static i64 dispatch(struct trapframe *f)
{
	u64 a = f->rdi, b = f->rsi, c = f->rdx, d = f->r10, e = f->r8;

	/* One call, one line. */
	/* clang-format off */
	switch (f->error_code) {
	case 0: return sys_read((int)a, b, c);
	case 1: return sys_write((int)a, b, c);
	case 2: return sys_open(a, (int)b, (u32)c);
	case 3: return sys_close((int)a);
	case 4: return sys_stat(a, b);
	case 5: return sys_fstat((int)a, b);
	case 6: return sys_lstat(a, b);
	case SYS_POLL: return sys_poll(a, b, (int)c);
	case 8: return sys_lseek((int)a, (i64)b, (int)c);
	case 9: return sys_mmap(a, b, (u32)c, (u32)d, (int)e, f->r9);
	case 10: return sys_mprotect(a, b, (u32)c);
	case 11: return sys_munmap(a, b);
	case 12: return sys_brk(a);
	case 13: return sys_rt_sigaction((int)a, b, c, d);
	case 14: return sys_rt_sigprocmask((int)a, b, c, d);
	case 15: return sys_rt_sigreturn(f);
	case 16: return sys_ioctl((int)a, b, c);
	case 17: return sys_pread64((int)a, b, c, (i64)d);
	case 18: return sys_pwrite64((int)a, b, c, (i64)d);
	case 19: return sys_readv((int)a, b, c);
	case 20: return sys_writev((int)a, b, c);
	case 21: return sys_access(a, (int)b);
	case 22: return sys_pipe(a);
	case SYS_SELECT: return sys_select((int)a, b, c, d, e);
	case 24: return sys_sched_yield();
	case 25: return sys_mremap(a, b, c, (u32)d, e);
	case 26: return sys_msync(a, b, (u32)c);
	case 27: return sys_mincore(a, b, c);
	case 28: return sys_madvise(a, b, (u32)c);
	case 32: return sys_dup((int)a);
	case 33: return sys_dup2((int)a, (int)b);
	case SYS_PAUSE: return sys_pause();
	case SYS_NANOSLEEP: return sys_nanosleep(a, b);
	case 36: return sys_getitimer((int)a, b);
	case 37: return sys_alarm((u32)a);
	case 38: return sys_setitimer((int)a, b, c);
	case 39: return sys_getpid();
	case 40: return sys_sendfile((int)a, (int)b, c, d);
	case 56: return sys_clone(a, b, c, d, e);
	case 57: return sys_fork();
	case 58: return sys_vfork();
	case 59: return sys_execve(a, b, c);
	case 60: thread_exit(((int)a & 0xff) << 8);
	case 61: return sys_wait4((i32)a, b, (u32)c, d);
	case 62: return sys_kill((i32)a, (int)b);
	case 63: return sys_uname(a);
	case 72: return sys_fcntl((int)a, (u32)b, c);
	case 73: return sys_flock((int)a, (int)b);
	case 74: case 75: return sys_fsync((int)a); /* fdatasync */
	case 76: return sys_truncate(a, (i64)b);
	case 77: return sys_ftruncate((int)a, (i64)b);
	case 79: return sys_getcwd(a, b);
	case 80: return sys_chdir(a);
	case 81: return sys_fchdir((int)a);
	case 82: return sys_rename(a, b);
	case 83: return sys_mkdir(a, (u32)b);
	case 84: return sys_rmdir(a);
	case 85: return sys_creat(a, (u32)b);
	case 86: return sys_link(a, b);
	case 87: return sys_unlink(a);
	case 88: return sys_symlink(a, b);
	case 89: return sys_readlink(a, b, (int)c);
	case 90: return sys_chmod(a, (u32)b);
	case 91: return sys_fchmod((int)a, (u32)b);
	case 92: return sys_chown(a, (u32)b, (u32)c);
	case 93: return sys_fchown((int)a, (u32)b, (u32)c);
	case 94: return sys_lchown(a, (u32)b, (u32)c);
	case 95: return sys_umask((u32)a);
	case 96: return sys_gettimeofday(a, b);
	case 97: return sys_getrlimit((u32)a, b);
	case 98: return sys_getrusage((int)a, b);
	case 99: return sys_sysinfo(a);
	case 100: return sys_times(a);
	case 102: case 104: case 107: case 108: case 115: /* get{uid,gid,euid,egid,groups} */
	case 105: case 106: case 116: /* set{uid,gid,groups}: everybody may be root */
		return sys_zero();
	case 109: return sys_setpgid((i32)a, (i32)b);
	case 110: return sys_getppid();
	case 111: return sys_getpgid(0);
	case 112: return sys_setsid();
	case 121: return sys_getpgid((i32)a);
	case 124: return sys_getsid((i32)a);
	case 127: return sys_rt_sigpending(a, b);
	case SYS_RT_SIGTIMEDWAIT: return sys_rt_sigtimedwait(a, b, c, d);
	case 129: return sys_rt_sigqueueinfo((i32)a, (int)b, c);
	case SYS_RT_SIGSUSPEND: return sys_rt_sigsuspend(a, b);
	case 131: return sys_sigaltstack(a, b, f);
	case 133: return sys_mknod(a, (u32)b, (u32)c);
	case 137: return sys_statfs(a, b);
	case 138: return sys_fstatfs((int)a, b);
	case 140: return sys_getpriority((u32)a);
	case 141: return sys_setpriority((u32)a);
	case 149: return sys_mlock(a, b);
	case 150: return sys_munlock(a, b);
	case 151: return sys_mlockall((u32)a);
	case 152: return sys_munlockall();
	case 157: return sys_prctl((u32)a, b, c, d, e);
	case 158: return sys_arch_prctl((u32)a, b);
	case 160: return sys_setrlimit((u32)a, b);
	case 162: return sys_sync();
	case 167: return sys_swapon(a, (u32)b);
	case SYS_SWAPOFF: return sys_swapoff(a);
	case 169: return sys_reboot((u32)a, (u32)b, (u32)c, d);
	case 186: return sys_gettid();
	case 200: return sys_tkill((i32)a, (int)b);
	case 201: return sys_time(a);
	case 204: return sys_sched_getaffinity((i32)a, (u32)b, c);
	case SYS_FUTEX: return sys_futex(a, (int)b, (u32)c, d, e, (u32)f->r9);
	case 217: return sys_getdents64((int)a, b, (u32)c);
	case 218: return sys_set_tid_address(a);
	case 222: return sys_timer_create((i32)a, b, c);
	case 223: return sys_timer_settime((i32)a, (int)b, c, d);
	case 224: return sys_timer_gettime((i32)a, b);
	case 225: return sys_timer_getoverrun((i32)a);
	case 226: return sys_timer_delete((i32)a);
	case 228: return sys_clock_gettime((i32)a, b);
	case 229: return sys_clock_getres((i32)a, b);
	case SYS_CLOCK_NANOSLEEP: return sys_clock_nanosleep((i32)a, (int)b, c, d);
	case 231: process_exit(((int)a & 0xff) << 8);
	case 234: return sys_tgkill((i32)a, (i32)b, (int)c);
	case 247: return sys_waitid((u32)a, (i32)b, c, (u32)d, e);
	case 257: return sys_openat((int)a, b, (int)c, (u32)d);
	case 258: return sys_mkdirat((int)a, b, (u32)c);
	case 259: return sys_mknodat((int)a, b, (u32)c, (u32)d);
	case 260: return sys_fchownat((int)a, b, (u32)c, (u32)d, (int)e);
	case 262: return sys_newfstatat((int)a, b, c, (int)d);
	case 263: return sys_unlinkat((int)a, b, (int)c);
	case 264: return sys_renameat((int)a, b, (int)c, d);
	case 265: return sys_linkat((int)a, b, (int)c, d, (int)e);
	case 266: return sys_symlinkat(a, (int)b, c);
	case 267: return sys_readlinkat((int)a, b, c, (int)d);
	case 268: return sys_fchmodat((int)a, b, (u32)c);
	case 269: return sys_faccessat((int)a, b, (int)c);
	case SYS_PSELECT6: return sys_pselect6((int)a, b, c, d, e, f->r9);
	case SYS_PPOLL: return sys_ppoll(a, b, c, d, e);
	case 273: return sys_set_robust_list(a, b);
	case 274: return sys_get_robust_list((i32)a, b, c);
	case 280: return sys_utimensat((int)a, b, c, (int)d);
	case 285: return sys_fallocate((int)a, (u32)b, (i64)c, (i64)d);
	case 292: return sys_dup3((int)a, (int)b, (int)c);
	case 293: return sys_pipe2(a, (int)b);
	case 295: return sys_preadv((int)a, b, c, (i64)d);
	case 296: return sys_pwritev((int)a, b, c, (i64)d);
	case 297: return sys_rt_tgsigqueueinfo((i32)a, (i32)b, (int)c, d);
	case 302: return sys_prlimit64((i32)a, (u32)b, c, d);
	case 316: return sys_renameat2((int)a, b, (int)c, d, (u32)e);
	case 318: return sys_getrandom(a, b, (u32)c);
	case 319: return sys_memfd_create(a, (u32)b);
	case 325: return sys_mlock2(a, b, (u32)c);
	case 332: return sys_statx((int)a, b, (int)c, (u32)d, e);
	case 434: return sys_pidfd_open((i32)a, (u32)b);
	case 436: return sys_close_range((u32)a, (u32)b, (u32)c);
	case 439: return sys_faccessat2((int)a, b, (int)c, (int)d);
	case 440: return sys_process_madvise((int)a, b, c, (u32)d, (u32)e);
	case SYS_AUDIT: return sys_audit();
	default: return unknown(f->error_code);
	}
	/* clang-format on */
}

static bool restartable(const struct trapframe *frame)
{
	u64 number = frame->error_code;

	if (number == SYS_FUTEX)
		return !frame->r10;
	return number != SYS_POLL && number != SYS_SELECT && number != SYS_PAUSE &&
	       number != SYS_NANOSLEEP && number != SYS_RT_SIGTIMEDWAIT &&
	       number != SYS_RT_SIGSUSPEND && number != SYS_CLOCK_NANOSLEEP &&
	       number != SYS_SWAPOFF && number != SYS_PSELECT6 && number != SYS_PPOLL;
}

/*
 * A call that a signal interrupted is made again after the signal, if it may be: the program goes
 * back to its SYSCALL instruction, two bytes before, with the call's number in rax.
 */
static void restart(struct trapframe *frame)
{
	frame->rip -= 2;
	frame->rax = frame->error_code;
}

void syscall(struct trapframe *frame)
{
	interrupts_on();
	frame->error_code = frame->rax;
	i64 result = dispatch(frame);

	interrupts_off();
	/* exec and sigreturn leave another vector: their frame is a program's as it stands. */
	if (frame->vector == VECTOR_SYSCALL) {
		frame->rax = (u64)result;
		if (result == -EINTR && restartable(frame) && signal_restarts_call())
			restart(frame);
	}
	trap_exit_to_user(frame);
}
