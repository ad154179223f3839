/* Integer types, address types and the few string functions that every part of the kernel uses. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

typedef u64 paddr_t; /* physical address, in bytes */
typedef u64 vaddr_t; /* virtual address, in bytes */
typedef u64 pfn_t;   /* physical frame number: paddr_t >> PAGE_SHIFT */

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (PAGE_SIZE - 1)

#define ARRAY_SIZE(a)        (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)            ((a) < (b) ? (a) : (b))
#define MAX(a, b)            ((a) > (b) ? (a) : (b))
#define ROUND_DOWN(x, align) ((x) & ~((u64)(align)-1))
#define ROUND_UP(x, align)   ROUND_DOWN((x) + (align)-1, align)

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
