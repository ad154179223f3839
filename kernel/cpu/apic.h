/* The local APIC: one per CPU, with a timer. */
#pragma once

#include "mm/types.h"

/* Boot, after clock_init(): maps the APIC, turns it on and measures its timer. The timer is not
 * armed. */
void apic_init(void);

/* On another CPU than that: turns its APIC on, and learns its id. */
void apic_init_other(void);

/* Interrupts the CPU with this APIC id: with a vector; with an NMI; and as SDM vol. 3, 8.4.4 starts one, page being the
 * frame number of its first code. Does not wait. */
void apic_send(u32 apic_id, u32 vector);
void apic_send_nmi(u32 apic_id);
void apic_send_init(u32 apic_id);
void apic_send_start(u32 apic_id, u32 page);

/* Tells the APIC that the handler of an interrupt that did not come from the 8259s is done; without it no further one
 * comes. */
void apic_eoi(void);

/*
 * One VECTOR_TIMER interrupt about ns nanoseconds from now, on this CPU; a timer armed before is
 * forgotten. Longer than the timer can count (some seconds): it comes sooner, so the handler looks
 * at the clock and arms it again.
 */
void timer_arm(u64 ns);
