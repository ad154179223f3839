/*
 * Moving data between the kernel and the current program. Any address is allowed; one that the
 * program itself could not access so gives -EFAULT. These may fault and so may sleep: the caller
 * holds no spinlock and no mm->lock.
 */
#pragma once

#include "mm/lock.h"
#include "mm/types.h"

/* A pointer as a program gave it: never dereferenced, only passed to these functions. */
typedef u64 uptr;

int copy_from_user(void *to, uptr from, size_t bytes);
int copy_to_user(uptr to, const void *from, size_t bytes);
int clear_user(uptr to, size_t bytes);

/* Copies a string and its NUL to to[size]; returns its length, -EFAULT, or -ENAMETOOLONG when it
 * does not fit. */
i64 copy_string_from_user(char *to, uptr from, size_t size);

/*
 * One word of the program's, in one piece, at a multiple of 4. Under a spinlock these may be called too: then a fault is
 * not resolved, and they answer -EFAULT for what is not in memory just now. The second writes value if the word is
 * *expected, and puts what it was into *expected.
 */
int load_user(u32 *to, uptr from);
int exchange_user(uptr at, u32 *expected, u32 value);

#ifdef CHECKED
#define copy_from_user(to, from, bytes)       (might_fault(), copy_from_user(to, from, bytes))
#define copy_to_user(to, from, bytes)         (might_fault(), copy_to_user(to, from, bytes))
#define clear_user(to, bytes)                 (might_fault(), clear_user(to, bytes))
#define copy_string_from_user(to, from, size) (might_fault(), copy_string_from_user(to, from, size))
#endif

/*
 * For the page fault handler: where a fault at rip, in kernel mode and at an address below
 * USER_END, goes on when it cannot be resolved, so that the function above which it hit returns
 * -EFAULT; 0 when rip is in none of them, and so the fault is a bug of the kernel's.
 * kernel/cpu/usercopy.c
 */
u64 usercopy_fixup(u64 rip);
