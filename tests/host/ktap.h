/* For host tests that are lists of cases: checks that print their values, and KTAP. */
#pragma once

#include <stdio.h>

#include "mm/types.h"

struct ktap_case {
	const char *name;
	void (*run)(void);
};

/* Runs the cases and prints a line for each; returns the program's status. */
int ktap_run(const struct ktap_case *cases, u32 count);

/* Notes the failure of the running case, unless good. */
void ktap_check(bool good, const char *file, int line, const char *what, i64 got, i64 want);

#define EQUAL(expression, want)                                                          \
	do {                                                                             \
		i64 got_ = (i64)(expression), want_ = (i64)(want);                       \
		ktap_check(got_ == want_, __FILE__, __LINE__, #expression, got_, want_); \
	} while (0)
#define TRUE(expression) ktap_check((expression), __FILE__, __LINE__, #expression, 0, 1)
