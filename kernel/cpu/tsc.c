/*
 * The clock: nanoseconds since boot = (TSC - start) * scale / 2^32. The TSC never goes back and
 * runs at one rate, so neither does the clock.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/tsc.h"
#include "kernel/dev/rtc.h"
#include "kernel/process.h"

u64 tsc_hz;
u64 boot_epoch;

static u64 start; /* TSC at nanosecond 0 */
static u64 scale; /* nanoseconds per 2^32 counts */

/* The PIT's channel 2, whose gate and output are in port 0x61 (Intel 8254 data sheet). */
#define PIT_HZ       1193182ul
#define PIT_CHANNEL2 0x42
#define PIT_MODE     0x43
#define PIT_ONE_SHOT 0xb0 /* channel 2, low byte then high byte, mode 0 */
#define PORT_B       0x61
#define PORT_B_GATE  0x01
#define PORT_B_SPEAK 0x02
#define PORT_B_OUT   0x20

/* So many rounds, and more if none was tolerable: a virtual machine's host had other work at their ends. */
#define ROUNDS      5
#define ROUNDS_MAX  100
#define ROUND_TICKS 11932ul /* 10 ms of the PIT */
#define GOOD_ENOUGH 10000   /* a round that is right to one part in so many ends the search */
#define TOLERABLE   500
#define SPIN        100 /* loops between two looks at the PIT */

#define NS_PER_SECOND 1000000000ul

/* One measurement: counts in ROUND_TICKS, and by how much that may be wrong. */
struct round {
	u64 counts;
	u64 doubt;
};

/* Reading a port is slow in an emulator, above all when it counts instructions; so the polls are
 * spread out. */
static void spin(void)
{
	for (u32 i = 0; i < SPIN; i++)
		asm volatile("");
}

/* Both ends of the interval are bracketed by two reads of the TSC; their distances are the doubt.
 */
static struct round measure(void)
{
	u64 before_start, after_start, before_end, after_end, now;

	outb(PORT_B, (inb(PORT_B) & ~PORT_B_SPEAK) | PORT_B_GATE);
	outb(PIT_MODE, PIT_ONE_SHOT);
	outb(PIT_CHANNEL2, ROUND_TICKS & 0xff);
	before_start = rdtsc();
	outb(PIT_CHANNEL2, ROUND_TICKS >> 8);
	after_start = rdtsc();
	now = after_start;
	do {
		spin();
		before_end = now;
		now = rdtsc();
	} while (!(inb(PORT_B) & PORT_B_OUT));
	after_end = rdtsc();
	return (struct round) {
		.counts = (before_end + after_end) / 2 - (before_start + after_start) / 2,
		.doubt = after_start - before_start + after_end - before_end,
	};
}

u64 round_frequency(u64 hz)
{
	u64 rounded = (hz + 500000) / 1000000 * 1000000;
	u64 change = rounded > hz ? rounded - hz : hz - rounded;

	return change < hz / 2000 ? rounded : hz;
}

static u64 measure_frequency(void)
{
	struct round best = measure();

	for (u32 i = 1; i < ROUNDS_MAX; i++) {
		if (best.doubt <= best.counts / (i < ROUNDS ? GOOD_ENOUGH : TOLERABLE))
			break;

		struct round round = measure();

		if (round.doubt < best.doubt)
			best = round;
	}
	return round_frequency(best.counts * PIT_HZ / ROUND_TICKS);
}

void clock_init(void)
{
	tsc_hz = measure_frequency();
	start = rdtsc();
	scale = (NS_PER_SECOND << 32) / tsc_hz;
	boot_epoch = rtc_read() - clock_ns() / NS_PER_SECOND;
}

u64 clock_ns(void)
{
	return (u64)((unsigned __int128)(rdtsc() - start) * scale >> 32);
}
