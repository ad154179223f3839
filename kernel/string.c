/* The string functions of mm/types.h, also those that the compiler calls on its own. */
#include "mm/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	void *out = to;
	size_t words = bytes / 8, rest = bytes % 8;

	asm volatile("rep movsq" : "+D"(out), "+S"(from), "+c"(words) : : "memory");
	asm volatile("rep movsb" : "+D"(out), "+S"(from), "+c"(rest) : : "memory");
	return to;
}

/* Copies from the end down, for when the end of from overlaps the beginning of to. */
static void copy_down(u8 *to, const u8 *from, size_t bytes)
{
	size_t words = bytes / 8, rest = bytes % 8;
	u8 *out = to + bytes - 1;
	const u8 *in = from + bytes - 1;

	asm volatile("std\n\t"
		     "rep movsb\n\t"
		     "sub $7, %0\n\t"
		     "sub $7, %1\n\t"
		     "mov %3, %2\n\t"
		     "rep movsq\n\t"
		     "cld"
		     : "+D"(out), "+S"(in), "+c"(rest)
		     : "r"(words)
		     : "memory", "cc");
}

void *memmove(void *to, const void *from, size_t bytes)
{
	if ((u64)to - (u64)from >= bytes)
		return memcpy(to, from, bytes);
	copy_down(to, from, bytes);
	return to;
}

void *memset(void *to, int byte, size_t bytes)
{
	void *out = to;
	size_t words = bytes / 8, rest = bytes % 8;
	u64 pattern = (u8)byte * 0x0101010101010101ul;

	asm volatile("rep stosq" : "+D"(out), "+c"(words) : "a"(pattern) : "memory");
	asm volatile("rep stosb" : "+D"(out), "+c"(rest) : "a"(pattern) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const u8 *left = a, *right = b;

	for (size_t i = 0; i < bytes; i++) {
		if (left[i] != right[i])
			return left[i] - right[i];
	}
	return 0;
}

size_t strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return (size_t)(end - s);
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t most)
{
	for (size_t i = 0; i < most; i++) {
		if (a[i] != b[i] || !a[i])
			return (u8)a[i] - (u8)b[i];
	}
	return 0;
}
