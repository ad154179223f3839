/*
 * Formatted text. Conversions: %s %c %d %i %u %x %p %% with l, ll or z, field width (also *), zero
 * padding, left adjustment (-) and precision for %s (also .*). printk() itself is declared in
 * mm/machine.h.
 */
#pragma once

#include <stdarg.h>

#include "mm/types.h"

/* Writes at most size - 1 bytes and a NUL (nothing if size is 0); returns the length that the whole
 * text has. */
int vsnprintf(char *to, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* printk() with its arguments in a va_list. */
void vprintk(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Text as it is, to the kernel's log (what a program writes to /dev/kmsg, say). */
void log_write(const char *text, size_t bytes);
