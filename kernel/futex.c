/*
 * Futexes. A waiter is on the stack of its thread, and in the list of its key's bucket until it is woken or gives up.
 *
 * What keeps a wake from being missed: a waiter compares the word and joins the list in one piece under futex_lock, and
 * who wakes has changed the word before it takes that lock. A word is read there without resolving a fault (the handler
 * refuses that under a spinlock); one that is not in memory is brought in between two tries.
 *
 * Drepper, "Futexes Are Tricky", 2011; futex(2); for robust lists Documentation/locking/robust-futex-ABI of Linux.
 */
#include "kernel/futex.h"
#include "kernel/process.h"
#include "kernel/wait.h"
#include "mm/errno.h"
#include "mm/mm.h"
#include "mm/object.h"
#include "mm/region.h"

#define BUCKETS 256u

/* What a word is to all who can reach it: a place in an object that is mapped shared, or in an address space. */
struct key {
	struct object *object; /* one ref; NULL: the address is mm's own */
	struct mm *mm;
	u64 at; /* bytes from the object's start, or the address */
};

struct futex_waiter {
	struct list link;
	struct key key;
	u32 bits;
	bool woken; /* by then it is in no list */
	struct waitqueue queue;
};

static struct spinlock futex_lock = SPINLOCK(RANK_FUTEXES);
/* guarded by futex_lock: */
static struct list buckets[BUCKETS];

static struct list *bucket_of(const struct key *key)
{
	u64 hash = ((u64)key->object ^ (u64)key->mm ^ key->at >> 2) * 0x9e3779b97f4a7c15ul;
	struct list *bucket = &buckets[hash >> 56];

	_Static_assert(BUCKETS == 256, "the top byte of a hash");
	if (!bucket->next)
		list_init(bucket);
	return bucket;
}

static bool same(const struct key *a, const struct key *b)
{
	return a->object == b->object && a->mm == b->mm && a->at == b->at;
}

/* The key of a word, to be let go of with key_put(). */
static int key_get(uptr at, bool shared, struct key *key)
{
	struct mm *mm = current()->mm;
	struct region region;

	if (at % sizeof(u32))
		return -EINVAL;
	if (at >= USER_END)
		return -EFAULT;
	*key = (struct key) {.mm = mm, .at = at};
	if (!shared)
		return 0;
	if (!mm_region_at(mm, at, &region))
		return -EFAULT;
	if (region.object && region.start <= at && (region.flags & MAP_SHARED)) {
		*key = (struct key) {.object = region.object,
				     .at = region.offset + at - region.start};
		return 0;
	}
	if (region.object)
		object_put(region.object);
	return region.start <= at ? 0 : -EFAULT;
}

static void key_put(const struct key *key)
{
	if (key->object)
		object_put(key->object);
}

/* Reads the word at an address under futex_lock, which is then held; not if -EFAULT. */
static int lock_and_load(uptr at, u32 *value)
{
	for (;;) {
		spin_lock(&futex_lock);
		if (!load_user(value, at))
			return 0;
		spin_unlock(&futex_lock);
		if (copy_from_user(value, at, sizeof(*value)))
			return -EFAULT;
	}
}

/* Ends the wait, which is not over before: a waker may be at it. Whether somebody has ended it already. */
static bool leave(struct futex_waiter *waiter)
{
	bool woken;

	spin_lock(&futex_lock);
	woken = waiter->woken;
	if (!woken)
		list_remove(&waiter->link);
	spin_unlock(&futex_lock);
	return woken;
}

/* Waits at the waiter's key, of which it has a ref. */
static i64 wait_at(struct futex_waiter *waiter, uptr at, u32 expected, u64 deadline)
{
	u32 value;
	int error = lock_and_load(at, &value);

	if (error)
		return error;
	if (value == expected)
		list_push_back(bucket_of(&waiter->key), &waiter->link);
	spin_unlock(&futex_lock);
	if (value != expected)
		return -EAGAIN;
	error = wait_until_or_signal_before(
		&waiter->queue, __atomic_load_n(&waiter->woken, __ATOMIC_ACQUIRE), deadline);
	if (leave(waiter))
		return 0;
	return error == -EAGAIN ? -ETIMEDOUT : error;
}

i64 futex_wait(uptr at, bool shared, u32 expected, u32 bits, u64 deadline)
{
	struct futex_waiter waiter = {.bits = bits};
	i64 result = key_get(at, shared, &waiter.key);

	if (result)
		return result;
	result = wait_at(&waiter, at, expected, deadline);
	key_put(&waiter.key);
	return result;
}

/* locked: futex_lock */
static void wake(struct futex_waiter *waiter)
{
	list_remove(&waiter->link);
	__atomic_store_n(&waiter->woken, true, __ATOMIC_RELEASE);
	wake_all(&waiter->queue);
}

/* Has it wait at `to`. The caller has a ref of the object that it waits at now. locked: futex_lock */
static void move_to(struct futex_waiter *waiter, const struct key *to)
{
	struct list *from = bucket_of(&waiter->key), *bucket = bucket_of(to);

	if (to->object)
		object_get(to->object);
	key_put(&waiter->key);
	waiter->key = *to;
	if (bucket == from)
		return;
	list_remove(&waiter->link);
	list_push_back(bucket, &waiter->link);
}

/*
 * Wakes up to `most` waiters at the key that wait for one of the bits, and has up to `move` others wait at `to`, in the
 * order in which they came: how many of both. locked: futex_lock
 */
static u32 serve(const struct key *key, u32 bits, u32 most, u32 move, const struct key *to)
{
	struct list *bucket = bucket_of(key), *at = bucket->next;
	u32 woken = 0, moved = 0;

	while (at != bucket && (woken < most || moved < move)) {
		struct futex_waiter *waiter = container_of(at, struct futex_waiter, link);

		at = at->next;
		if (!same(&waiter->key, key) || !(waiter->bits & bits))
			continue;
		if (woken < most) {
			wake(waiter);
			woken++;
		} else {
			move_to(waiter, to);
			moved++;
		}
	}
	return woken + moved;
}

i64 futex_wake(uptr at, bool shared, u32 most, u32 bits)
{
	struct key key;
	i64 result = key_get(at, shared, &key);

	if (result)
		return result;
	spin_lock(&futex_lock);
	result = serve(&key, bits, most, 0, NULL);
	spin_unlock(&futex_lock);
	key_put(&key);
	return result;
}

/* The keys of two words. */
static int keys_get(uptr at, uptr to, bool shared, struct key keys[2])
{
	int error = key_get(at, shared, &keys[0]);

	if (error)
		return error;
	error = key_get(to, shared, &keys[1]);
	if (error)
		key_put(&keys[0]);
	return error;
}

static void keys_put(const struct key keys[2])
{
	key_put(&keys[0]);
	key_put(&keys[1]);
}

i64 futex_requeue(uptr at, uptr to, bool shared, u32 most, u32 move, const u32 *expected)
{
	struct key keys[2];
	u32 value;
	i64 result = keys_get(at, to, shared, keys);

	if (result)
		return result;
	result = lock_and_load(at, &value);
	if (!result) {
		bool as_expected = !expected || value == *expected;

		result = -EAGAIN;
		if (as_expected)
			result = serve(&keys[0], FUTEX_ANY, most, move, &keys[1]);
		spin_unlock(&futex_lock);
	}
	keys_put(keys);
	return result;
}

/* ---- FUTEX_WAKE_OP ---- */

enum { OP_SET, OP_ADD, OP_OR, OP_ANDN, OP_XOR, OP_SHIFTED = 8 };
enum { IS_EQUAL, IS_UNEQUAL, IS_LESS, IS_AT_MOST, IS_GREATER, IS_AT_LEAST };

static i32 sign_extend(u32 bits12)
{
	return (i32)(bits12 << 20) >> 20;
}

/* What the word becomes; false: no such operation. */
static bool operate(u32 operation, u32 old, u32 *fresh)
{
	u32 code = operation >> 28, argument = (u32)sign_extend(operation >> 12 & 0xfff);

	if (code & OP_SHIFTED)
		argument = 1u << (argument & 31);
	switch (code & ~(u32)OP_SHIFTED) {
	case OP_SET:
		*fresh = argument;
		return true;
	case OP_ADD:
		*fresh = old + argument;
		return true;
	case OP_OR:
		*fresh = old | argument;
		return true;
	case OP_ANDN:
		*fresh = old & ~argument;
		return true;
	case OP_XOR:
		*fresh = old ^ argument;
		return true;
	default:
		return false;
	}
}

static bool compares(u32 operation, u32 old)
{
	i32 value = (i32)old, to = sign_extend(operation & 0xfff);

	switch (operation >> 24 & 0xf) {
	case IS_EQUAL:
		return value == to;
	case IS_UNEQUAL:
		return value != to;
	case IS_LESS:
		return value < to;
	case IS_AT_MOST:
		return value <= to;
	case IS_GREATER:
		return value > to;
	default:
		return value >= to;
	}
}

/* Changes the word in one piece: 0 with *old what it was, -EFAULT, -ENOSYS. */
static int change_word(uptr at, u32 operation, u32 *old)
{
	u32 seen, fresh;
	int error = copy_from_user(&seen, at, sizeof(seen));

	do {
		*old = seen;
		if (!operate(operation, *old, &fresh))
			return -ENOSYS;
		error = error ? error : exchange_user(at, &seen, fresh);
	} while (!error && seen != *old);
	return error;
}

i64 futex_wake_op(uptr at, uptr to, bool shared, u32 most, u32 most_to, u32 operation)
{
	struct key keys[2];
	u32 old;
	i64 result;

	if ((operation >> 24 & 0xf) > IS_AT_LEAST)
		return -ENOSYS;
	result = keys_get(at, to, shared, keys);
	if (result)
		return result;
	result = change_word(to, operation, &old);
	if (!result) {
		spin_lock(&futex_lock);
		result = serve(&keys[0], FUTEX_ANY, most, 0, NULL);
		if (compares(operation, old))
			result += serve(&keys[1], FUTEX_ANY, most_to, 0, NULL);
		spin_unlock(&futex_lock);
	}
	keys_put(keys);
	return result;
}

/* ---- The end of a thread ---- */

#define FUTEX_WAITERS    0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK   0x3fffffffu
#define ROBUST_MAX       2048u /* entries of a list, which the program may have made endless */
#define IS_PI            1ul /* in a pointer of the list: of a kind that nobody can have locked here */

struct robust_list { /* struct robust_list_head of Linux */
	u64 first;
	i64 offset;  /* from an entry to its word */
	u64 pending; /* the entry that the thread is locking or unlocking */
};
_Static_assert(sizeof(struct robust_list) == ROBUST_LIST_BYTES, "set_robust_list(2)");

/* The owner of the word dies; if it is this thread, the next one is told. False: the program's memory is not sound. */
static bool mark_word(uptr at, u32 tid, bool pending)
{
	u32 old, seen;

	if (at % sizeof(u32) || copy_from_user(&seen, at, sizeof(seen)))
		return false;
	if (pending && !seen) /* it was let go of, and perhaps nobody woken */
		futex_wake(at, true, 1, FUTEX_ANY);
	do {
		old = seen;
		if ((old & FUTEX_TID_MASK) != tid)
			return true;
		if (exchange_user(at, &seen, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED))
			return false;
	} while (seen != old);
	if (old & FUTEX_WAITERS)
		futex_wake(at, true, 1, FUTEX_ANY);
	return true;
}

static void leave_robust_list(const struct thread *thread)
{
	u64 entry, next, pending;
	struct robust_list list;
	bool sound = true;

	if (copy_from_user(&list, thread->robust_list, sizeof(list)))
		return;
	pending = list.pending & ~IS_PI;
	entry = list.first & ~IS_PI;
	for (u32 i = 0; sound && entry != thread->robust_list && i < ROBUST_MAX; i++) {
		/* The next one is read before the word is marked: its new owner may take the entry. */
		bool more = !copy_from_user(&next, entry, sizeof(next));

		if (entry != pending)
			sound = mark_word(entry + (u64)list.offset, thread->tid, false);
		sound = sound && more;
		entry = next & ~IS_PI;
	}
	if (pending)
		mark_word(pending + (u64)list.offset, thread->tid, true);
}

static bool is_watched(const struct process *process)
{
	return process->thread_count > 1 || atomic_load(&process->mm->users) > 1;
}

void futex_thread_exit(struct thread *thread)
{
	const u32 none = 0;

	if (thread->robust_list)
		leave_robust_list(thread);
	if (thread->clear_tid && is_watched(thread->process)) {
		copy_to_user(thread->clear_tid, &none, sizeof(none));
		futex_wake(thread->clear_tid, true, 1, FUTEX_ANY);
	}
	thread->robust_list = thread->clear_tid = 0;
}
