/* The thread that keeps some memory free. */
#pragma once

/* Boot, when the scheduler can take threads. */
void reclaim_start(void);
