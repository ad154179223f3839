/* The battery-backed clock. */
#pragma once

#include "mm/types.h"

/* Seconds since 1970, taking the clock to run in UTC. Waits up to 1 ms for an update in progress.
 */
u64 rtc_read(void);
