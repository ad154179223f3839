/* What forkbench's numbers may be at most; --check compares. */
#pragma once

#include <stddef.h>

#include "user/forkbench/kernel.h"
#include "user/forkbench/measure.h"
#include "user/forkbench/paths.h"

/*
 * Prints each budget beside what was measured: "ok", "OVER", or "not measured". tiny[level]: cycles
 * of the tiny process, NOT_MEASURED where there is none. paths[path]: see there. Returns how many are
 * over.
 */
unsigned budget_check(const struct row *rows, size_t count, const unsigned long tiny[LEVELS],
		      const unsigned long paths[PATHS]);
