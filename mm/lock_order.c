/*
 * What a checked build verifies (mm/lock_order.h). The order itself is enum lock_rank of mm/lock.h.
 *
 * A lock is recorded before it is waited for, so that what would be a deadlock ends in a panic first.
 * No list is touched by two at a time: a spinlock belongs to the CPU, a rwlock to the thread, and an
 * interrupt handler has a list of its own. It needs no look at what it interrupted, since its ranks are
 * inside all others.
 */
#include "mm/machine.h"

#ifdef CHECKED

static const char *const rank_names[LOCK_RANKS] = {
	[RANK_NONE] = "no lock",
	[RANK_FILE_TABLE] = "descriptors",
	[RANK_POSITION] = "position",
	[RANK_CONTENTS] = "contents",
	[RANK_SWAPS] = "swaps",
	[RANK_MAPPERS] = "mappers",
	[RANK_OOM] = "oom",
	[RANK_RECLAIM] = "reclaim",
	[RANK_MM] = "mm",
	[RANK_NAMES] = "names",
	[RANK_SWAP_READ] = "swap read",
	[RANK_DISK] = "disk",
	[RANK_TABLE] = "table",
	[RANK_OBJECT] = "object",
	[RANK_SWAP] = "swap",
	[RANK_MAPPINGS] = "kernel mappings",
	[RANK_FILE_LOCKS] = "file locks",
	[RANK_FUTEXES] = "futexes",
	[RANK_HEAP] = "heap",
	[RANK_FRAMES] = "frames",
	[RANK_FILES] = "files",
	[RANK_LISTS] = "lists",
	[RANK_RANDOM] = "random",
	[RANK_INTERRUPT] = "interrupt handler",
	[RANK_TERMINAL] = "terminal",
	[RANK_PROCESSES] = "processes",
	[RANK_SCHEDULER] = "scheduler",
	[RANK_FLUSH] = "flush",
	[RANK_LOG] = "log",
	[RANK_CONSOLE] = "console",
};

static u32 rank_of(u32 order)
{
	return order >> LOCK_DEPTH_BITS;
}

static const char *name_of(u32 order)
{
	static const char *const tables[] = {"root table", "table of level 3", "table of level 2",
					     "table of level 1"};
	u32 depth = order & ((1u << LOCK_DEPTH_BITS) - 1);

	return rank_of(order) == RANK_TABLE && depth < ARRAY_SIZE(tables)
		       ? tables[depth]
		       : rank_names[rank_of(order)];
}

static _Noreturn void refuse(const char *act, u32 order, const struct lock_place *place,
			     const struct held_lock *held)
{
	panic("lock order: %s:%u %s %s (%s) with %s (%s) held, taken at %s:%u", place->file,
	      place->line, act, place->words, name_of(order), held->place->words,
	      name_of(held->order), held->place->file, held->place->line);
}

static void check_order(const struct held_locks *held, u32 order, const struct lock_place *place)
{
	for (u32 i = 0; i < held->count; i++)
		if (held->at[i].order >= order)
			refuse("takes", order, place, &held->at[i]);
}

static void check_empty(const struct held_locks *held, const char *act, u32 order,
			const struct lock_place *place)
{
	if (held->count)
		refuse(act, order, place, &held->at[held->count - 1]);
}

static void check_rank(u32 order, const struct lock_place *place)
{
	u32 rank = rank_of(order);

	if (rank == RANK_NONE || rank >= LOCK_RANKS)
		panic("lock order: %s:%u takes %s, which has rank %u", place->file, place->line,
		      place->words, rank);
	ASSERT(rank_names[rank], "rank %u has no name", rank);
	if (rank > RANK_INTERRUPT && interrupts_possible())
		panic("lock order: %s:%u takes %s (%s) with interrupts on", place->file,
		      place->line, place->words, rank_names[rank]);
}

static void record(struct held_locks *held, const void *lock, u32 order,
		   const struct lock_place *place)
{
	ASSERT(held->count < HELD_MAX, "%u locks are held", held->count);
	held->at[held->count++] = (struct held_lock) {lock, order, place};
}

void order_take_spinlock(const void *lock, u32 order, const struct lock_place *place)
{
	check_rank(order, place);
	check_order(held_spinlocks(), order, place);
	check_order(held_rwlocks(), order, place);
	record(held_spinlocks(), lock, order, place);
}

void order_take_rwlock(const void *lock, u32 order, const struct lock_place *place)
{
	check_rank(order, place);
	check_empty(held_spinlocks(), "may sleep for", order, place);
	check_order(held_rwlocks(), order, place);
	record(held_rwlocks(), lock, order, place);
}

void order_leave(struct held_locks *held, const void *lock, const struct lock_place *place)
{
	u32 i = held->count;

	while (i > 0 && held->at[i - 1].lock != lock)
		i--;
	if (!i)
		panic("lock order: %s:%u lets go of %s, which is not held here", place->file,
		      place->line, place->words);
	held->count--;
	for (i--; i < held->count; i++)
		held->at[i] = held->at[i + 1];
}

void order_check_rwlock(enum lock_rank rank, const struct lock_place *place)
{
	check_empty(held_spinlocks(), "may sleep for", LOCK_ORDER(rank, 0), place);
	check_order(held_rwlocks(), LOCK_ORDER(rank, 0), place);
}

void order_check_sleep(const struct lock_place *place)
{
	check_empty(held_spinlocks(), "may sleep for", LOCK_ORDER(RANK_NONE, 0), place);
}

void order_check_none(const struct lock_place *place)
{
	check_empty(held_spinlocks(), "leaves", LOCK_ORDER(RANK_NONE, 0), place);
	check_empty(held_rwlocks(), "leaves", LOCK_ORDER(RANK_NONE, 0), place);
}

#endif
