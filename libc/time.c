/* Clocks and sleeping. */

#include "libc/syscall.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
	return (int)CALL(SYS_clock_gettime, clock, now);
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
	return (int)CALL(SYS_clock_getres, clock, resolution);
}

int clock_settime(clockid_t clock, const struct timespec *now)
{
	return (int)CALL(SYS_clock_settime, clock, now);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	return (int)CALL(SYS_gettimeofday, now, zone);
}

clock_t times(struct tms *usage)
{
	return (clock_t)CALL(SYS_times, usage);
}

clock_t clock(void)
{
	struct timespec used;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) < 0)
		return (clock_t)-1;
	return (clock_t)(used.tv_sec * CLOCKS_PER_SEC + used.tv_nsec / 1000);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	return (int)CALL(SYS_nanosleep, wanted, left);
}

/* Answers with the error number itself (POSIX). */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted,
		    struct timespec *left)
{
	return (int)-RAW(SYS_clock_nanosleep, clock, flags, wanted, left);
}

unsigned sleep(unsigned seconds)
{
	struct timespec time = {.tv_sec = seconds};

	return nanosleep(&time, &time) < 0 ? (unsigned)time.tv_sec : 0;
}

int usleep(useconds_t microseconds)
{
	struct timespec time = {.tv_sec = (time_t)(microseconds / 1000000),
				.tv_nsec = (long)(microseconds % 1000000) * 1000};

	return nanosleep(&time, NULL);
}

int getitimer(int which, struct itimerval *value)
{
	return (int)CALL(SYS_getitimer, which, value);
}

int setitimer(int which, const struct itimerval *restrict value, struct itimerval *restrict old)
{
	return (int)CALL(SYS_setitimer, which, value, old);
}

/* The kernel's timers are ints. */
int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict timer)
{
	int id;

	if (CALL(SYS_timer_create, clock, event, &id) < 0)
		return -1;
	*timer = (timer_t)id;
	return 0;
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *restrict value,
		  struct itimerspec *restrict old)
{
	return (int)CALL(SYS_timer_settime, timer, flags, value, old);
}

int timer_gettime(timer_t timer, struct itimerspec *value)
{
	return (int)CALL(SYS_timer_gettime, timer, value);
}

int timer_getoverrun(timer_t timer)
{
	return (int)CALL(SYS_timer_getoverrun, timer);
}

int timer_delete(timer_t timer)
{
	return (int)CALL(SYS_timer_delete, timer);
}
