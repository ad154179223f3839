/*
 * The CPUs look after one another in a ring. There is no timer here that interrupts as an NMI, so a machine with one CPU
 * has no watchdog; with more, the panic's own NMI shows where the stuck one is (kernel/panic.c).
 *
 * Who looks may be stuck too, with interrupts off, in waiting for the one that it looks after. So a CPU looks wherever it
 * spins, but is alive only where it ticks: of two that wait for each other, either finds the other.
 */
#include "kernel/watchdog.h"
#include "kernel/cpu/cpu.h"
#include "kernel/process.h"

#define SUSPECT_NS (WATCHDOG_NS / 4 * 3) /* an idle CPU ticks every quarter */
#define LOOK_NS        \
	(WATCHDOG_NS / \
	 4) /* between a look and the next: if all CPUs were held up, they tick again */

/* Of each CPU; written by it alone, read by the one before it in the ring. 0: it does not run yet. */
static _Atomic u64 ticked_at[MAX_CPUS];

/* Of each CPU that looks: when it last did, and whether the next one seemed to be stuck. */
static struct {
	u64 at;
	bool suspicious;
} looked[MAX_CPUS];

void watchdog_excuse(void)
{
	ticked_at[this_cpu()->number] = clock_ns();
}

/* Whether the CPU has not ticked for so long that it may be stuck. */
static bool look_after(u32 number, bool seemed_stuck, u64 now)
{
	u64 last = ticked_at[number], quiet = last && now > last ? now - last : 0;

	if (seemed_stuck && quiet >= WATCHDOG_NS)
		panic("CPU %u has taken no interrupt for %lu seconds", number, quiet / 1000000000);
	return quiet >= SUSPECT_NS;
}

void watchdog_look(u64 now)
{
	u32 self = this_cpu()->number, next = (self + 1) % cpus_online;

	if (next == self || now < looked[self].at + LOOK_NS)
		return;
	looked[self].at = now;
	looked[self].suspicious = look_after(next, looked[self].suspicious, now);
}

void watchdog_tick(u64 now)
{
	ticked_at[this_cpu()->number] = now;
	watchdog_look(now);
}
