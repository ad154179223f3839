/* Finds a CPU that does not take interrupts any more. */
#pragma once

#include "mm/types.h"

/* Each CPU, at every tick of its timer: notes that it is alive, and looks after the next one. A CPU that seemed stuck
 * at one look, and at the next has not ticked for WATCHDOG_NS, ends in a panic. Interrupts off. */
#define WATCHDOG_NS 10000000000ul
void watchdog_tick(u64 now);

/* This CPU has had interrupts off for a good reason, and is back. */
void watchdog_excuse(void);
