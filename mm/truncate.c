/*
 * Taking pages of an object away under those who map it: truncation, and holes punched.
 *
 * A page that the object loses must go from every tree. All sharers of a table map the same there
 * (rule 7 of mm/tree.h), so they lose the same: it is taken out of a shared table in place, once for
 * all of them, and nothing is copied and nothing can fail.
 *
 *      A     B               A     B               A     B
 *       \   /                 \   /                |     |
 *      [PT]2       at A:     [PT]2       at B:     .     .
 *      a b f f     ----->    . . . .     ----->    the second that finds it empty frees it
 *
 *      (a file of four pages, all lost: its pages f, and the private copies a and b)
 *
 * Every address space that maps the object is held as by a writer while that lasts, so that none of
 * their tables is walked by anybody else; object->mappers keeps further ones from mapping it. A child
 * of a fork is made while its parent is held by the fork, and stands behind it in the list: it is
 * not missed. Frames are freed after the last address space was flushed.
 */
#include "mm/edit.h"
#include "mm/object.h"

static bool maps(const struct mm *mm, const struct object *object)
{
	for (u32 i = 0; i < mm->regions->count; i++)
		if (mm->regions->at[i].object == object)
			return true;
	return false;
}

/*
 * Several locks of one rank are held here, which mm/lock_order.h would refuse: the names in parentheses
 * pass it by. The order is that of the list of all address spaces, and nobody else holds two.
 */
static void lock_one_more(struct mm *mm)
{
	(write_lock)(&mm->lock);
}

static void unlock_one(struct mm *mm)
{
	(write_unlock)(&mm->lock);
}

/* Locks each address space that maps the object, with a user more; they are linked through
 * locked_next. locked: object->mappers, writer */
static struct mm *lock_mappers(const struct object *object)
{
	struct mm *held = NULL, *mm = NULL, *next;

	if (object->refs <= (object->owner ? 1 : 0))
		return NULL;
	for (mm = mm_next(NULL); mm; mm = next) {
		lock_one_more(mm);

		bool mapper = maps(mm, object);

		if (mapper) {
			mm->locked_next = held;
			held = mm;
		} else {
			unlock_one(mm);
		}
		next = mm_next(mm);
		if (!mapper)
			mm_put(mm);
	}
	return held;
}

static void unlock_mappers(struct mm *held)
{
	while (held) {
		struct mm *mm = held;

		held = mm->locked_next;
		unlock_one(mm);
		mm_put(mm);
	}
}

/* The addresses at which the region maps the bytes [from, to) of its object; false when there are
 * none. */
static bool span_of_bytes(const struct region *region, u64 from, u64 to, struct span *span)
{
	u64 first = region->offset, last = first + (region->end - region->start);

	if (from >= last || to <= first)
		return false;
	span->start = region->start + (MAX(from, first) - first);
	span->end = region->start + (MIN(to, last) - first);
	return true;
}

/* Takes the object's bytes [from, to), page aligned, out of the trees of all in `held`. */
static void zap_mappers(struct mm *held, const struct object *object, u64 from, u64 to,
			bool copies_too)
{
	struct page *later[EDIT_LATER];
	struct gather gather = gather_begin(held, later, EDIT_LATER);
	struct span span;

	for (struct mm *mm = held; mm; mm = mm->locked_next) {
		gather_switch(&gather, mm);
		for (u32 i = 0; i < mm->regions->count; i++)
			if (mm->regions->at[i].object == object &&
			    span_of_bytes(&mm->regions->at[i], from, to, &span))
				zap_in_place(mm, &span, copies_too ? NULL : object, &gather);
	}
	gather_end(&gather);
}

void object_truncate(struct object *object, u64 size)
{
	struct mm *held = NULL;

	if (size < object->size) {
		held = lock_mappers(object);
		zap_mappers(held, object, ROUND_UP(size, PAGE_SIZE), ~0ul, true);
	}
	object_resize(object, size);
	unlock_mappers(held);
}

/* Clears bytes within one page, if the object has it. */
static void clear_bytes(struct object *object, u64 offset, u64 end)
{
	struct page *page = offset < end ? object_peek(object, offset >> PAGE_SHIFT) : NULL;

	if (!page)
		return;
	memset((char *)page_virt(page) + (offset & PAGE_MASK), 0, end - offset);
	page_put(page);
}

void object_punch(struct object *object, u64 offset, u64 length)
{
	u64 end = offset + length, from = ROUND_UP(offset, PAGE_SIZE);
	u64 to = ROUND_DOWN(end, PAGE_SIZE);

	clear_bytes(object, offset, MIN(from, end));
	if (to >= from)
		clear_bytes(object, to, end);
	if (to <= from)
		return;

	struct mm *held = lock_mappers(object);

	zap_mappers(held, object, from, to, false);
	object_discard(object, from >> PAGE_SHIFT, to >> PAGE_SHIFT);
	unlock_mappers(held);
}
