/* The local APIC: one per CPU, with a timer. */
#pragma once

#include "mm/types.h"

/* Boot, after clock_init(): maps the APIC, turns it on and measures its timer. The timer is not
 * armed. */
void apic_init(void);

/* Tells the APIC that the handler of VECTOR_TIMER is done; without it no further one comes. */
void apic_eoi(void);

/*
 * One VECTOR_TIMER interrupt about ns nanoseconds from now, on this CPU; a timer armed before is
 * forgotten. Longer than the timer can count (some seconds): it comes sooner, so the handler looks
 * at the clock and arms it again.
 */
void timer_arm(u64 ns);
