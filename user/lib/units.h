/* Sizes for people: powers of 1024, as all of the project's programs write and read them. */
#pragma once

#include <stdbool.h>

#define SIZE_TEXT 32

/*
 * Writes bytes with the largest unit that leaves at least 1, to at most one decimal: "0 B", "4 kB",
 * "2.5 MB". Returns buffer, which has SIZE_TEXT bytes.
 */
const char *size_text(char *buffer, unsigned long bytes);

/* Reads "64", "64k", "64kB", "1M", "4GB" (any case) to *bytes; false when it is none of these or
 * too large. */
bool size_parse(const char *text, unsigned long *bytes);
