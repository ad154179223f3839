/*
 * How a program calls the kernel: SYSCALL with Linux's numbers and registers (System V ABI, x86-64,
 * A.2.1). Results from -4095 to -1 are negated error numbers.
 */
#pragma once

#include <sys/syscall.h>

#define SYSCALL_ERRORS 4095

static inline long syscall_raw(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;

	asm volatile("syscall"
		     : "+a"(number)
		     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return number;
}

/* Turns the kernel's answer into the C library's: the answer itself, or -1 with errno set. */
long syscall_result(long answer);

#define SYSCALL_PADDED(number, a, b, c, d, e, f, ...) \
	syscall_raw(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* RAW gives the kernel's own answer, CALL the C library's; up to six arguments of any scalar type.
 */
#define RAW(number, ...)  SYSCALL_PADDED(number, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL(number, ...) syscall_result(RAW(number, ##__VA_ARGS__))
