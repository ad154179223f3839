/*
 * Advisory locks. One spinlock guards them all, so that each change is one step for everybody.
 *
 * Invariants: the locks of one owner and kind on an inode do not overlap, and those of one type do not
 * touch either. Their owners have the inode open, so the locks never outlive it.
 */
#include "kernel/fs/filelock.h"
#include "kernel/fs/vfs.h"
#include "kernel/wait.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/lock.h"

#define SPARES \
	2 /* locks that one change may need beyond those it removes: its own, and half of one it splits */

/* Somebody who waits for a lock; on their stack. */
struct sleeper {
	struct sleeper *next;
	const struct inode *inode;
	const void *owner;
	const void
		*holder; /* who was in the way at the latest look; NULL: something changed since */
};

static struct spinlock lock = SPINLOCK(RANK_FILE_LOCKS);
static struct waitqueue changed; /* a lock went, or became weaker */
static struct sleeper *sleepers; /* guarded by lock */
static _Atomic u64 locks_in_use; /* of all inodes */

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
	return a->owner == b->owner && a->whole == b->whole;
}

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static bool touch(const struct file_lock *a, const struct file_lock *b)
{
	return a->first <= b->last + 1 && b->first <= a->last + 1;
}

/* A lock in the way of `wanted`, or NULL. locked: lock */
static const struct file_lock *find_conflict(const struct inode *inode,
					     const struct file_lock *wanted)
{
	const struct file_lock *held = wanted->type == F_UNLCK ? NULL : inode->locks;

	for (; held; held = held->next)
		if (held->owner != wanted->owner && held->whole == wanted->whole &&
		    (held->type == F_WRLCK || wanted->type == F_WRLCK) && overlap(held, wanted))
			return held;
	return NULL;
}

/* Lets those who wait look again; until they have, nobody counts as being in their way. locked: lock */
static void announce(const struct inode *inode)
{
	for (struct sleeper *sleeper = sleepers; sleeper; sleeper = sleeper->next)
		if (sleeper->inode == inode)
			sleeper->holder = NULL;
	wake_all(&changed);
}

static void push(struct file_lock **list, struct file_lock *entry)
{
	entry->next = *list;
	*list = entry;
}

static struct file_lock *pop(struct file_lock **list)
{
	struct file_lock *entry = *list;

	*list = entry->next;
	return entry;
}

/* Adds a lock like `as` on the bytes from first to last, with an entry of the pool. locked: lock */
static void add(struct inode *inode, const struct file_lock *as, u64 first, u64 last,
		struct file_lock **pool)
{
	struct file_lock copy = *as, *entry = pop(pool);

	*entry = copy;
	entry->first = first;
	entry->last = last;
	push(&inode->locks, entry);
	locks_in_use++;
}

/*
 * Makes room for `new` among its owner's locks: one of its type that it touches becomes a part of it, of
 * any other type what lies outside stays. Entries come from the pool and go there. Returns whether there were such
 * locks. locked: lock
 */
static bool clear(struct inode *inode, struct file_lock *new, struct file_lock **pool)
{
	struct file_lock **place = &inode->locks;
	bool found = false;

	while (*place) {
		struct file_lock held = **place;
		bool alike = held.type == new->type;

		if (!same_owner(&held, new) || !(alike ? touch(&held, new) : overlap(&held, new))) {
			place = &(*place)->next;
			continue;
		}
		found = true;
		push(pool, pop(place));
		locks_in_use--;
		if (alike) {
			new->first = MIN(new->first, held.first);
			new->last = MAX(new->last, held.last);
			continue;
		}
		if (held.first < new->first)
			add(inode, &held, held.first, new->first - 1, pool);
		if (held.last > new->last)
			add(inode, &held, new->last + 1, held.last, pool);
	}
	return found;
}

/* locked: lock */
static void replace(struct inode *inode, struct file_lock new, struct file_lock **pool)
{
	bool found = clear(inode, &new, pool);

	if (new.type != F_UNLCK)
		add(inode, &new, new.first, new.last, pool);
	if (found && new.type != F_WRLCK)
		announce(inode);
}

/* flock gives up what it has before it looks for more. locked: lock */
static void give_up(struct inode *inode, const struct file_lock *wanted, struct file_lock **pool)
{
	struct file_lock nothing = *wanted;

	nothing.type = F_UNLCK;
	replace(inode, nothing, pool);
}

/* Whether holder waits, perhaps through others, for a lock of owner's. locked: lock */
static bool waits_for(const void *holder, const void *owner)
{
	const struct sleeper *sleeper = sleepers;

	while (sleeper && holder != owner) {
		if (sleeper->owner == holder && sleeper->holder) {
			holder = sleeper->holder;
			sleeper = sleepers;
		} else {
			sleeper = sleeper->next;
		}
	}
	return holder == owner;
}

/* One look: 0 = done, -EAGAIN, -EDEADLK. sleeper: the caller's, who will wait; or NULL */
static int attempt(struct inode *inode, const struct file_lock *wanted, struct sleeper *sleeper,
		   struct file_lock **pool)
{
	const struct file_lock *conflict;
	int error = 0;

	spin_lock(&lock);
	if (wanted->whole)
		give_up(inode, wanted, pool);
	conflict = find_conflict(inode, wanted);
	if (!conflict) {
		replace(inode, *wanted, pool);
	} else if (sleeper && wanted->pid && waits_for(conflict->owner, wanted->owner)) {
		error = -EDEADLK;
	} else {
		error = -EAGAIN;
		if (sleeper)
			sleeper->holder = conflict->owner;
	}
	spin_unlock(&lock);
	return error;
}

static void sleeper_join(struct sleeper *sleeper)
{
	spin_lock(&lock);
	sleeper->next = sleepers;
	sleepers = sleeper;
	spin_unlock(&lock);
}

static void sleeper_leave(struct sleeper *sleeper)
{
	struct sleeper **place = &sleepers;

	spin_lock(&lock);
	while (*place != sleeper)
		place = &(*place)->next;
	*place = sleeper->next;
	spin_unlock(&lock);
}

static int wait_and_lock(struct inode *inode, const struct file_lock *wanted,
			 struct file_lock **pool)
{
	struct sleeper sleeper = {.inode = inode, .owner = wanted->owner};
	int error, interrupted;

	sleeper_join(&sleeper);
	interrupted = wait_until_or_signal(
		&changed, (error = attempt(inode, wanted, &sleeper, pool)) != -EAGAIN);
	sleeper_leave(&sleeper);
	return error == -EAGAIN ? interrupted : error;
}

static void free_pool(struct file_lock *pool)
{
	while (pool)
		kfree(pop(&pool));
}

bool file_locks_in_use(void)
{
	return locks_in_use;
}

int file_lock(struct inode *inode, const struct file_lock *wanted, bool wait)
{
	struct file_lock *pool = NULL;
	int error = 0;

	for (u32 i = 0; i < SPARES && !error; i++) {
		struct file_lock *spare = kmalloc(sizeof(*spare));

		if (spare)
			push(&pool, spare);
		else
			error = -ENOLCK;
	}
	if (!error)
		error = wait ? wait_and_lock(inode, wanted, &pool)
			     : attempt(inode, wanted, NULL, &pool);
	free_pool(pool);
	return error;
}

void file_lock_query(struct inode *inode, struct file_lock *wanted)
{
	const struct file_lock *conflict;

	spin_lock(&lock);
	conflict = find_conflict(inode, wanted);
	if (conflict)
		*wanted = *conflict;
	else
		wanted->type = F_UNLCK;
	spin_unlock(&lock);
}

void file_unlock_all(struct inode *inode, const void *owner)
{
	struct file_lock all = {.owner = owner, .type = F_UNLCK, .last = LOCK_END}, *pool = NULL;

	if (!locks_in_use)
		return;
	spin_lock(&lock);
	replace(inode, all, &pool);
	all.whole = true;
	replace(inode, all, &pool);
	spin_unlock(&lock);
	free_pool(pool);
}
