/* futex(2) and what its tests share. musl has no linux/futex.h: the values are those of futex(2). */
#pragma once

#include "threads.h"

#include <stdint.h>

enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_PRIVATE = 128,
	FUTEX_CLOCK_REALTIME = 256,
};
#define FUTEX_MATCH_ANY 0xffffffffu

/* In a word of a robust list, beside the owner's id. */
#define FUTEX_WAITERS    0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u

struct robust_list {
	struct robust_list *next;
};

struct robust_list_head {
	struct robust_list list;
	long futex_offset;
	struct robust_list *list_op_pending;
};

/* The result, or -errno. */
long futex(atomic_uint *word, int operation, unsigned value, const void *timeout_or_count,
	   atomic_uint *other, unsigned value3);
#define COUNT_OF(number) ((const void *)(uintptr_t)(number))
#define WAKE(word, most) futex(word, FUTEX_WAKE, most, NULL, NULL, 0)

/* Moves waiters from one word to the other until it has moved so many. After it they are known to
 * wait. */
void gather(atomic_uint *from, atomic_uint *to, unsigned count);
void gather_private(atomic_uint *from, atomic_uint *to, unsigned count);
