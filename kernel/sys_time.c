/* System calls on time. All clocks are clock_ns(), from boot or from 1970, or a thread's CPU time.
 */
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/errno.h"

#define NS_PER_SECOND 1000000000ul
#define TICK_NS       10000000ul /* of times(2): 100 a second */
#define TIMER_ABSTIME 1

enum {
	CLOCK_REALTIME = 0,
	CLOCK_MONOTONIC = 1,
	CLOCK_PROCESS_CPUTIME_ID = 2,
	CLOCK_THREAD_CPUTIME_ID = 3,
	CLOCK_MONOTONIC_RAW = 4,
	CLOCK_REALTIME_COARSE = 5,
	CLOCK_MONOTONIC_COARSE = 6,
	CLOCK_BOOTTIME = 7,
};

struct timespec {
	i64 seconds, ns;
};
_Static_assert(sizeof(struct timespec) == 16, "clock_gettime(2)");

/* Of the current process. */
static struct cpu_time own_cpu_time(void)
{
	bool interrupts = process_table_lock();
	struct cpu_time time = process_cpu_time(current_process());

	process_table_unlock(interrupts);
	return time;
}

/* The clock's time in ns; false when there is no such clock. */
static bool read_clock(i32 clock, u64 *ns)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = boot_epoch * NS_PER_SECOND + clock_ns();
		return true;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = clock_ns();
		return true;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = own_cpu_time().total_ns;
		return true;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = thread_cpu_ns(current());
		return true;
	default:
		return false;
	}
}

static i64 put_ns(uptr to, u64 ns)
{
	struct timespec time = {(i64)(ns / NS_PER_SECOND), (i64)(ns % NS_PER_SECOND)};

	return copy_to_user(to, &time, sizeof(time));
}

i64 sys_clock_gettime(i32 clock, uptr to)
{
	u64 ns;

	return read_clock(clock, &ns) ? put_ns(to, ns) : -EINVAL;
}

i64 sys_clock_getres(i32 clock, uptr to)
{
	u64 ns;

	if (!read_clock(clock, &ns))
		return -EINVAL;
	return to ? put_ns(to, 1) : 0;
}

i64 get_span(uptr from, u64 *ns)
{
	struct timespec time;

	if (copy_from_user(&time, from, sizeof(time)))
		return -EFAULT;
	if (time.seconds < 0 || time.ns < 0 || (u64)time.ns >= NS_PER_SECOND)
		return -EINVAL;
	*ns = (u64)time.seconds > TIME_LONGEST ? INT64_MAX
					       : (u64)time.seconds * NS_PER_SECOND + (u64)time.ns;
	return 0;
}

/* Sleeps until clock_ns() is at least `until`: 0 or -EINTR. */
static i64 sleep_until(u64 until)
{
	int result = wait_until_or_signal_before(NULL, clock_ns() >= until, until);

	return result == -EINTR ? -EINTR : 0;
}

static i64 sleep_for(u64 ns, uptr remain)
{
	u64 until = clock_ns() + ns;
	i64 result = sleep_until(until);
	u64 now = clock_ns();

	if (result == -EINTR && remain && put_ns(remain, until > now ? until - now : 0))
		return -EFAULT;
	return result;
}

i64 sys_nanosleep(uptr request, uptr remain)
{
	u64 ns;
	i64 error = get_span(request, &ns);

	return error ? error : sleep_for(ns, remain);
}

i64 sys_clock_nanosleep(i32 clock, int flags, uptr request, uptr remain)
{
	u64 now, ns;
	i64 error;

	if (!read_clock(clock, &now) || clock == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (clock == CLOCK_PROCESS_CPUTIME_ID)
		return -EOPNOTSUPP;
	error = get_span(request, &ns);
	if (error)
		return error;
	if (!(flags & TIMER_ABSTIME))
		return sleep_for(ns, remain);
	return sleep_until(clock_ns() + (ns > now ? ns - now : 0));
}

i64 sys_gettimeofday(uptr to, uptr zone)
{
	u64 ns = boot_epoch * NS_PER_SECOND + clock_ns();
	u64 time[2] = {ns / NS_PER_SECOND, ns % NS_PER_SECOND / 1000};
	i32 no_zone[2] = {0, 0};

	if (to && copy_to_user(to, time, sizeof(time)))
		return -EFAULT;
	return zone ? copy_to_user(zone, no_zone, sizeof(no_zone)) : 0;
}

i64 sys_time(uptr to)
{
	i64 seconds = (i64)(boot_epoch + clock_ns() / NS_PER_SECOND);

	if (to && copy_to_user(to, &seconds, sizeof(seconds)))
		return -EFAULT;
	return seconds;
}

i64 sys_times(uptr to)
{
	struct cpu_time own = own_cpu_time(), child = current_process()->child_cpu;
	u64 times[4] = {(own.total_ns - own.system_ns) / TICK_NS, own.system_ns / TICK_NS,
			(child.total_ns - child.system_ns) / TICK_NS, child.system_ns / TICK_NS};

	if (to && copy_to_user(to, times, sizeof(times)))
		return -EFAULT;
	return (i64)(clock_ns() / TICK_NS);
}

int put_rusage(uptr to, struct cpu_time time)
{
	u64 user_ns = time.total_ns - time.system_ns;
	u64 usage[18] = {user_ns / NS_PER_SECOND, user_ns % NS_PER_SECOND / 1000,
			 time.system_ns / NS_PER_SECOND, time.system_ns % NS_PER_SECOND / 1000};

	usage[8] = time.minor_faults; /* as struct rusage has them */
	usage[9] = time.major_faults;

	return copy_to_user(to, usage, sizeof(usage));
}

i64 sys_getrusage(int who, uptr to)
{
	if (who == 0) /* RUSAGE_SELF */
		return put_rusage(to, own_cpu_time());
	if (who == 1) /* RUSAGE_THREAD */
		return put_rusage(to, thread_cpu_time(current()));
	if (who == -1)
		return put_rusage(to, current_process()->child_cpu);
	return -EINVAL;
}
