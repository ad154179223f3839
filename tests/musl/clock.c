/*
 * How long a loop takes on the guest's clock, in nanoseconds: under --icount a count of
 * instructions, the same in every run.
 */
#include <stdio.h>
#include <time.h>

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(void)
{
	long before = now();

	for (volatile int i = 0; i < 100000; i = i + 1)
		;
	printf("%ld\n", now() - before);
	return 0;
}
