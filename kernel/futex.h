/* Futexes: waiting for a word of the program's memory to change (futex(2)). kernel/futex.c */
#pragma once

#include "kernel/usercopy.h"
#include "mm/types.h"

struct thread;

#define FUTEX_ANY         ~0u  /* as a bitset: every waiter */
#define ROBUST_LIST_BYTES 24ul /* of the head that set_robust_list(2) names */

/*
 * All of these: at is the user address of the word, a multiple of 4; it is that of a futex which address spaces may have
 * in common if shared, and else the current one's own. -EFAULT: there is no such word. They sleep.
 */

/* Waits while the word is expected, until a wake of one of the bits, or the clock reads deadline (clock_ns(), 0 = never):
 * 0, -EAGAIN (it is another value), -ETIMEDOUT or -EINTR. */
i64 futex_wait(uptr at, bool shared, u32 expected, u32 bits, u64 deadline);

/* Wakes as many waiters as most, the longest first, that wait for one of the bits: how many. */
i64 futex_wake(uptr at, bool shared, u32 most, u32 bits);

/*
 * Wakes up to `wake` waiters and has up to `move` others wait at `to` instead; how many were woken and moved.
 * expected: -EAGAIN unless the word has that value; NULL: whatever it has.
 */
i64 futex_requeue(uptr at, uptr to, bool shared, u32 wake, u32 move, const u32 *expected);

/*
 * Changes the word at `to` as operation says (FUTEX_WAKE_OP of futex(2)), wakes up to `wake` waiters at `at`, and up to
 * wake_to at `to` if what the word was compares as operation says: how many. -ENOSYS: no such operation.
 */
i64 futex_wake_op(uptr at, uptr to, bool shared, u32 wake, u32 wake_to, u32 operation);

/* The current thread lets go of its program's memory, in exec or for good: its robust futexes have lost their owner, and
 * the word that it promised to clear is cleared, if somebody may look. */
void futex_thread_exit(struct thread *thread);
