/* The time stamp counter as the kernel's clock. clock_ns() and boot_epoch are declared in
 * kernel/process.h. */
#pragma once

#include "mm/types.h"

/* Boot: measures the counter's frequency against the PIT (10 to 50 ms) and sets boot_epoch from the
 * RTC. The clock reads 0 before this. */
void clock_init(void);

/* The counter's frequency in Hz. */
extern u64 tsc_hz;

/* Rounds a measured frequency to whole MHz if that changes it by less than 0.05 %. */
u64 round_frequency(u64 hz);
