/* Finds a CPU that does not take interrupts any more. */
#pragma once

#include "mm/types.h"

/* Each CPU, at every tick of its timer: notes that it is alive, and looks after the next one. A CPU that seemed stuck
 * at one look, and at the next has not ticked for WATCHDOG_NS, ends in a panic. now: clock_ns(). Interrupts off. */
#define WATCHDOG_NS 10000000000ul
void watchdog_tick(u64 now);

/* Looks after the next one, if the last look is long enough ago: for a CPU that spins, and would not tick if the one
 * that it waits for were stuck. now: clock_ns(). The thread does not change CPUs. */
void watchdog_look(u64 now);

/* This CPU runs now, or has had interrupts off for a good reason, and is back. */
void watchdog_excuse(void);
