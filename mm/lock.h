/*
 * Locks. The kernel's are in kernel/lock.c, the host tests' in tests/host/machine.c; what watches
 * over their order is in mm/lock_order.h.
 */
#pragma once

#include "mm/types.h"

/*
 * The order, outermost first: a lock is taken only by who holds none of its own rank or below.
 * docs/locking.md says why it is this one.
 */
enum lock_rank {
	RANK_NONE, /* nobody gave the lock a rank: it must not be taken */

	/* Rwlocks: who holds one may sleep. */
	RANK_FILE_TABLE, /* a process's descriptors, against its own threads */
	RANK_POSITION,   /* an open file's offset */
	RANK_CONTENTS, /* one file's bytes: of a RAM file, a block device, a pipe, a text of /proc, the terminal */
	RANK_SWAPS,     /* which devices are swapped to */
	RANK_MAPPERS,   /* who maps a memory object: readers make regions of it */
	RANK_OOM,       /* who chooses the process that dies for its memory */
	RANK_RECLAIM,   /* who frees memory by swapping out */
	RANK_MM,        /* an address space; a fault takes it, so user memory is touched outside */
	RANK_NAMES,     /* the tree of names */
	RANK_SWAP_READ, /* a swap slot that is being read */
	RANK_DISK,      /* a disk that does one request after another */

	/* Spinlocks. */
	RANK_TABLE,      /* one page table; of several, from the root down */
	RANK_OBJECT,     /* the pages of a memory object */
	RANK_SWAP,       /* swap slots, and which pages hold what they hold */
	RANK_MAPPINGS,   /* the kernel's own: stacks, devices */
	RANK_FILE_LOCKS, /* all advisory locks on files */
	RANK_FUTEXES,    /* who waits for words of programs */
	RANK_HEAP,
	RANK_FRAMES,
	RANK_FILES, /* one descriptor table */
	RANK_LISTS, /* of all address spaces, objects, descriptor tables */
	RANK_RANDOM,

	/*
	 * Spinlocks that interrupt handlers take. They are held with interrupts off, and are inside
	 * all others: what a handler interrupts may hold any of those, on each CPU.
	 */
	RANK_INTERRUPT, /* no lock: stands for being in a handler */
	RANK_TERMINAL,
	RANK_PROCESSES, /* the process table */
	RANK_SCHEDULER,
	RANK_FLUSH, /* of translations on other CPUs */
	RANK_LOG,
	RANK_CONSOLE, /* the devices that text goes to */
	LOCK_RANKS
};

/*
 * Spins; never held across a sleep. Begins as SPINLOCK(rank), or as zeroed memory with its rank set
 * by lock_set_rank().
 */
struct spinlock {
	_Atomic u32 held;
	u32 holder; /* CPU that holds it, while held */
#ifdef CHECKED
	enum lock_rank rank;
#endif
};
void spin_lock(struct spinlock *lock);
/* This CPU holds it. */
void spin_unlock(struct spinlock *lock);

/*
 * Many readers or one writer; waiting sleeps, and so may a holder. No thread takes one that it holds
 * already, be it for reading; the thread that took it lets it go.
 * Begins as RWLOCK(rank), or as zeroed memory with its rank set by lock_set_rank().
 */
struct rwlock {
	_Atomic i32 readers; /* -1: a writer holds it */
	struct waiter *waiters;
#ifdef CHECKED
	enum lock_rank rank;
#endif
};
void read_lock(struct rwlock *lock);
void read_unlock(struct rwlock *lock);
void write_lock(struct rwlock *lock);
void write_unlock(struct rwlock *lock);

#include "mm/lock_order.h"
