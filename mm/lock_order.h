/*
 * The checks of a build with CHECKED defined, which are `make checked` and the host tests: each lock
 * knows its rank, each CPU and thread what it holds and where it took that, and what is out of order is
 * a panic that names both places. Any other build has neither the checks nor the data.
 *
 * mm/lock.h includes this file; nobody else does.
 */
#pragma once

#ifdef CHECKED

#define SPINLOCK(rank_)         \
	{                       \
		.rank = (rank_) \
	}
#define RWLOCK(rank_)           \
	{                       \
		.rank = (rank_) \
	}

#define lock_set_rank(lock, rank_) ((void)((lock)->rank = (rank_)))

/* Where something is done with a lock, and the words for the lock there. */
struct lock_place {
	const char *words, *file;
	u32 line;
};

#define LOCK_PLACE(words)                                                            \
	({                                                                           \
		static const struct lock_place place_ = {words, __FILE__, __LINE__}; \
		&place_;                                                             \
	})

/* Where a lock stands, outermost first; depth orders the locks of one rank that are held together. */
#define LOCK_DEPTH_BITS         3
#define LOCK_ORDER(rank, depth) ((u32)(rank) << LOCK_DEPTH_BITS | (depth))

#define HELD_MAX 16

struct held_locks {
	u32 count;
	struct held_lock {
		const void *lock;
		u32 order;
		const struct lock_place *place;
	} at[HELD_MAX];
};

/* Of the machine: the spinlocks of this CPU, or of the interrupt handler that runs on it; the rwlocks
 * of the current thread; whether an interrupt may come now. */
struct held_locks *held_spinlocks(void);
struct held_locks *held_rwlocks(void);
bool interrupts_possible(void);

/* Records a lock that is about to be taken, or let go; panics if it may not be. */
void order_take_spinlock(const void *lock, u32 order, const struct lock_place *place);
void order_take_rwlock(const void *lock, u32 order, const struct lock_place *place);
void order_leave(struct held_locks *held, const void *lock, const struct lock_place *place);

/* Panics where no rwlock of this rank could be taken; where one could not even sleep; where a lock is
 * held. */
void order_check_rwlock(enum lock_rank rank, const struct lock_place *place);
void order_check_sleep(const struct lock_place *place);
void order_check_none(const struct lock_place *place);

static inline void spin_lock_checked(struct spinlock *lock, const struct lock_place *place)
{
	order_take_spinlock(lock, LOCK_ORDER(lock->rank, 0), place);
	spin_lock(lock);
}

static inline void spin_unlock_checked(struct spinlock *lock, const struct lock_place *place)
{
	order_leave(held_spinlocks(), lock, place);
	spin_unlock(lock);
}

static inline void read_lock_checked(struct rwlock *lock, const struct lock_place *place)
{
	order_take_rwlock(lock, LOCK_ORDER(lock->rank, 0), place);
	read_lock(lock);
}

static inline void read_unlock_checked(struct rwlock *lock, const struct lock_place *place)
{
	order_leave(held_rwlocks(), lock, place);
	read_unlock(lock);
}

static inline void write_lock_checked(struct rwlock *lock, const struct lock_place *place)
{
	order_take_rwlock(lock, LOCK_ORDER(lock->rank, 0), place);
	write_lock(lock);
}

static inline void write_unlock_checked(struct rwlock *lock, const struct lock_place *place)
{
	order_leave(held_rwlocks(), lock, place);
	write_unlock(lock);
}

/* Who defines a function behind such a macro puts its name in parentheses. */
#define spin_lock(lock)    spin_lock_checked(lock, LOCK_PLACE(#lock))
#define spin_unlock(lock)  spin_unlock_checked(lock, LOCK_PLACE(#lock))
#define read_lock(lock)    read_lock_checked(lock, LOCK_PLACE(#lock))
#define read_unlock(lock)  read_unlock_checked(lock, LOCK_PLACE(#lock))
#define write_lock(lock)   write_lock_checked(lock, LOCK_PLACE(#lock))
#define write_unlock(lock) write_unlock_checked(lock, LOCK_PLACE(#lock))

#define might_sleep()    order_check_sleep(LOCK_PLACE("a wake-up"))
#define might_fault()    order_check_rwlock(RANK_MM, LOCK_PLACE("user memory"))
#define must_hold_none() order_check_none(LOCK_PLACE("the kernel"))

#else

#define SPINLOCK(rank)      \
	{                   \
		.holder = 0 \
	}
#define RWLOCK(rank)         \
	{                    \
		.readers = 0 \
	}

/* Gives a lock in zeroed memory its rank, before anybody can take it. */
#define lock_set_rank(lock, rank) ((void)(lock))

/* Stands where a call may sleep. The caller holds no spinlock and is in no interrupt handler. */
#define might_sleep()             ((void)0)

/* Stands where user memory is touched. The caller could take an mm->lock. */
#define might_fault()             ((void)0)

/* Stands where a thread is about to leave the kernel. The caller holds no lock. */
#define must_hold_none()          ((void)0)

#endif
