/*
 * KTAP, the test output format of Linux (Documentation/dev-tools/ktap.rst): a version line, a plan,
 * a line per test, diagnostics after '#'. Each line is one write(2) of its own and nothing is
 * buffered, so that processes that share the output cannot repeat or tear each other's lines.
 */
#pragma once

#include <stdbool.h>

/* The version line and the plan; called once, first. */
void ktap_plan(unsigned count);

/* The result of the next test, numbered from 1. */
void ktap_result(bool ok, const char *name);
void ktap_skip(const char *name, const char *reason);

/* A diagnostic line, without '#' and newline; at most 200 bytes of it are kept. */
void ktap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* 0 when all results were ok and as many as planned, else 1: the program's exit status. */
int ktap_status(void);
