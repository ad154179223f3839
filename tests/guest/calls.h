/*
 * For tests/guest/sysfuzz.c: system calls with random arguments of the right kind, most of them
 * good enough to get past the first check. Call n of worker w of a seed is always the same call;
 * what it meets depends on those before it.
 *
 * What would end the test rightly is not made: reboot with its magic numbers, signals to processes
 * older than the workers, changes of files outside CALLS_DIRECTORY, where all begin, and sizes that
 * fill the memory.
 */
#pragma once

#include "lib.h"

#define CALLS_DIRECTORY "/tmp/sysfuzz"
#define CALLS_SIDEWAYS  "/tmp/sysfuzz/../sysfuzz/b" /* in it, by way of what is above */

/* Makes this process one that calls: descriptors, memory, handlers, a session of its own. Calls act
 * on no process whose pid is below first_pid. */
void calls_start(pid_t first_pid);

/* Makes one call. Returns the number of more calls to make and then end, when this is a child that
 * the call has made; else -1. */
int call_random(uint64_t seed, unsigned worker, long index);
