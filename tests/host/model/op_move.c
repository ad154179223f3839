/* mremap: onto a given place, to a place far away and back, and in place. */
#include "mm/errno.h"
#include "tests/host/model/operation.h"

#define MOST_ROOM 16u

static vaddr_t start_of(const struct operation *op)
{
	return place_of(op->first)->start;
}

static u64 length_of(const struct operation *op)
{
	return bytes_of(op->first, op->last);
}

/* The slots that `count` slots from first on become when they move, those beyond them too: a region that grows goes
 * on in its file, with nothing of its own there yet. */
static void moved_slots(const struct space *space, u32 first, u32 count, u32 room,
			struct slot *moved)
{
	for (u32 i = 0; i < room; i++) {
		u32 beyond = i >= count ? i - count + 1 : 0;

		moved[i] = space->slots[first + i - beyond];
		if (!beyond)
			continue;
		forget_contents(&moved[i]);
		moved[i].index += beyond;
	}
}

/* What stays in the old place. */
static void leave_slots(struct space *space, u32 first, u32 last, bool dont_unmap)
{
	for (u32 i = first; i <= last; i++) {
		if (dont_unmap)
			forget_contents(&space->slots[i]), space->slots[i].locked = 0;
		else
			forget_slots(space, i, i);
	}
}

/* Slots that a locked region has grown by are filled, as far as memory reaches. */
static void fill_if_locked(struct space *space, u32 first, u32 last)
{
	if (first <= last && space->slots[first].locked == MAP_LOCKED)
		populate_quietly(space, first, last);
}

/* Plain: one slot onto another of its size. */
static bool plain_move_choose(struct operation *op)
{
	op->first = op->last = (u8)choose(setting.slots);
	op->to = (u8)choose(setting.slots);
	op->room = 1;
	op->flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	return op->to != op->first && pages_of(op->to) == pages_of(op->first);
}

static bool move_choose(struct operation *op)
{
	if (setting.plain)
		return plain_move_choose(op);
	op->first = (u8)choose(setting.slots);
	op->to = (u8)choose(setting.slots);

	u32 count = run_of_pages(op->first, 1 + choose(6));
	u32 room = choose(3) ? count : 1 + choose(8);

	op->room = (u8)run_of_pages(op->to, room);
	op->last = (u8)(op->first + count - 1);
	op->flags = MREMAP_MAYMOVE | MREMAP_FIXED | (choose(4) ? 0 : MREMAP_DONTUNMAP);
	return count && op->room;
}

/* Slots that move: a move that shrinks unmaps the others first. */
static u32 kept_slots(const struct operation *op)
{
	return MIN(op->last - op->first + 1u, op->room);
}

/* The errors that come before anything is done. */
static i64 check_move(const struct operation *op)
{
	bool apart = op->to + op->room <= op->first || op->last < op->to;

	if ((op->flags & MREMAP_DONTUNMAP) && op->room != op->last - op->first + 1)
		return -EINVAL;
	if (!any_mapped(space_of(op), op->first, op->first))
		return -EFAULT;
	return apart ? 0 : -EINVAL;
}

static i64 move_expect(const struct operation *op)
{
	if (check_move(op))
		return check_move(op);
	if (!in_one_region(space_of(op), op->first, op->first + kept_slots(op) - 1))
		return -EFAULT;
	return (i64)place_of(op->to)->start;
}

static i64 move_call(const struct operation *op)
{
	return mm_remap(space_of(op)->mm, start_of(op), length_of(op),
			bytes_of(op->to, op->to + op->room - 1u), op->flags,
			place_of(op->to)->start);
}

static void move_apply(const struct operation *op, i64 result)
{
	struct space *space = space_of(op);
	struct slot moved[MOST_ROOM];
	u32 kept = kept_slots(op);

	if (check_move(op))
		return;
	if (op->first + kept <= op->last)
		forget_slots(space, op->first + kept, op->last);
	if (result < 0)
		return;
	moved_slots(space, op->first, kept, op->room, moved);
	place_anew(moved, op->room, (vaddr_t)result);
	leave_slots(space, op->first, op->first + kept - 1, op->flags & MREMAP_DONTUNMAP);
	memcpy(&space->slots[op->to], moved, op->room * sizeof(moved[0]));
	fill_if_locked(space, op->to + kept, op->to + op->room - 1u);
}

/* Forgets the slots first to last if mm/ has unmapped them all; true if they were mapped before. */
static bool sync_unmapped(struct space *space, u32 first, u32 last)
{
	struct region region;
	bool mapped = any_mapped(space, first, last);
	bool found = mm_region_at(space->mm, place_of(first)->start, &region);

	if (found && region.object)
		object_put(region.object);
	if (found && region.start < place_of(last)->end)
		return false;
	forget_slots(space, first, last);
	return mapped;
}

/* What shrinking cuts off goes first, then what lies in the new place; memory may run out behind each. */
static bool move_partly_done(const struct operation *op)
{
	u32 kept = kept_slots(op);
	bool part = false;

	if (op->first + kept <= op->last)
		part = sync_unmapped(space_of(op), op->first + kept, op->last);
	return sync_unmapped(space_of(op), op->to, op->to + op->room - 1u) || part;
}

const struct action action_move = {
	"move", move_choose, move_expect, move_call, move_apply, move_partly_done,
};

#define FAR_AWAY (MMAP_TOP + (1ul << 30)) /* no slot is there */

/* Moves a run of slots, whole tables among them, to a place of its own and back again. */
static bool round_trip_choose(struct operation *op)
{
	choose_slots(op);
	return length_of(op) <= USER_END - FAR_AWAY;
}

static i64 round_trip_expect(const struct operation *op)
{
	return in_one_region(space_of(op), op->first, op->last) ? (i64)FAR_AWAY : -EFAULT;
}

static i64 round_trip_call(const struct operation *op)
{
	return mm_remap(space_of(op)->mm, start_of(op), length_of(op), length_of(op),
			MREMAP_MAYMOVE | MREMAP_FIXED, FAR_AWAY);
}

/* Brings the slots back from `from`, where they were moved. */
static void move_back(const struct operation *op, vaddr_t from, u64 length)
{
	i64 result = mm_remap(space_of(op)->mm, from, length, length_of(op),
			      MREMAP_MAYMOVE | MREMAP_FIXED, start_of(op));

	CHECK(result == (i64)start_of(op), "%ld", result);
}

static void round_trip_apply(const struct operation *op, i64 result)
{
	if (result < 0)
		return;
	move_back(op, (vaddr_t)result, length_of(op));
	place_anew(&space_of(op)->slots[op->first], op->last - op->first + 1u, start_of(op));
}

const struct action action_round_trip = {
	"round trip", round_trip_choose, round_trip_expect, round_trip_call, round_trip_apply, NULL,
};

/* Without MREMAP_FIXED: op->room slots from op->first on are wanted. */
static bool resize_choose(struct operation *op)
{
	static const u32 flags[] = {
		0,
		MREMAP_MAYMOVE,
		MREMAP_MAYMOVE,
		MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
	};
	op->first = op->to = (u8)choose(setting.slots);

	u32 count = run_of_pages(op->first, 1 + choose(6));

	op->flags = flags[choose(4)];
	op->room = (u8)run_of_pages(op->first, choose(2) ? count : 1 + choose(8));
	op->last = (u8)(op->first + count - 1);
	return count && op->room;
}

static u64 wanted_length(const struct operation *op)
{
	return bytes_of(op->first, op->first + op->room - 1u);
}

/* Or stays as it is; then its slots need not lie in one region. */
static bool shrinks(const struct operation *op)
{
	return !(op->flags & MREMAP_DONTUNMAP) && wanted_length(op) <= length_of(op);
}

static bool grows_in_place(const struct operation *op)
{
	const struct space *space = space_of(op);

	return !(op->flags & MREMAP_DONTUNMAP) &&
	       is_place(space, place_of(op->last)->end, place_of(op->first + op->room - 1u)->end);
}

static i64 resize_expect(const struct operation *op)
{
	const struct space *space = space_of(op);
	vaddr_t gap = highest_gap(space, wanted_length(op));

	if ((op->flags & MREMAP_DONTUNMAP) && wanted_length(op) != length_of(op))
		return -EINVAL;
	if (shrinks(op))
		return any_mapped(space, op->first, op->first) ? (i64)start_of(op) : -EFAULT;
	if (!in_one_region(space, op->first, op->last))
		return -EFAULT;
	if (grows_in_place(op))
		return (i64)start_of(op);
	return op->flags & MREMAP_MAYMOVE ? (i64)gap : -ENOMEM;
}

static bool moved_instead;

/* A region that cannot grow in place for want of memory is moved instead, if there is enough for that. It is brought
 * back, and is as it was but for tables that it owns now. */
static i64 resize_call(const struct operation *op)
{
	i64 result = mm_remap(space_of(op)->mm, start_of(op), length_of(op), wanted_length(op),
			      op->flags, 0);

	moved_instead =
		result > 0 && frames_refused() && grows_in_place(op) && result != (i64)start_of(op);
	if (!moved_instead)
		return result;
	CHECK(op->flags & MREMAP_MAYMOVE, "%lx", result);
	stop_refusing();
	move_back(op, (vaddr_t)result, wanted_length(op));
	return -ENOMEM;
}

/* To where no slots are: back again. What grew is cut off, and what was left behind is replaced. */
static void resize_apply(const struct operation *op, i64 result)
{
	struct space *space = space_of(op);
	struct slot moved[MOST_ROOM];
	u32 count = op->last - op->first + 1u, first, last;

	if (result < 0)
		return;
	if (shrinks(op)) {
		forget_slots(space, op->first + op->room, op->last);
		return;
	}
	moved_slots(space, op->first, count, op->room, moved);
	if (!slots_at((vaddr_t)result, wanted_length(op), &first, &last)) {
		move_back(op, (vaddr_t)result, wanted_length(op));
		place_anew(&space->slots[op->first], count, start_of(op));
		return;
	}
	if (first != op->first)
		place_anew(moved, op->room, (vaddr_t)result);
	if (first != op->first)
		leave_slots(space, op->first, op->last, op->flags & MREMAP_DONTUNMAP);
	memcpy(&space->slots[first], moved, op->room * sizeof(moved[0]));
	fill_if_locked(space, first + count, first + op->room - 1u);
}

static bool resize_partly_done(const struct operation *op)
{
	if (moved_instead)
		place_anew(&space_of(op)->slots[op->first], op->last - op->first + 1u,
			   start_of(op));
	return moved_instead;
}

const struct action action_resize = {
	"resize", resize_choose, resize_expect, resize_call, resize_apply, resize_partly_done,
};
