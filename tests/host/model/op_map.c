/* mmap, munmap, mprotect and brk. */
#include "mm/errno.h"
#include "tests/host/model/operation.h"

static vaddr_t start_of(const struct operation *op)
{
	return place_of(op->first)->start;
}

static u64 length_of(const struct operation *op)
{
	return bytes_of(op->first, op->last);
}

/* Whether populating these slots is no more than a few pages. */
static bool only_pages(const struct operation *op)
{
	u32 count = op->last - op->first + 1u;

	return run_of_pages(op->first, count) == count;
}

static u32 choose_map_flags(const struct operation *op)
{
	u32 flags = op->kind == FILE_SHARED ? MAP_SHARED : MAP_PRIVATE;

	flags |= op->kind == ANONYMOUS ? MAP_ANONYMOUS : 0;
	if (setting.plain)
		return flags | MAP_FIXED;
	switch (choose(8)) {
	case 0:
		flags |= MAP_FIXED_NOREPLACE;
		break;
	case 1:
	case 2: /* the address is a hint */
		break;
	default:
		flags |= MAP_FIXED;
	}
	switch (choose(8)) {
	case 0:
		return flags | MAP_DENYWRITE;
	case 1:
	case 2:
		return flags | (op->kind == ANONYMOUS ? MAP_GROWSDOWN : 0);
	case 3:
		return flags | (only_pages(op) ? MAP_POPULATE : 0);
	default:
		return flags;
	}
}

static bool map_choose(struct operation *op)
{
	choose_slots(op);
	op->kind = ANONYMOUS + choose(3);
	op->prot = setting.plain ? PROT_READ | PROT_WRITE : choose_prot();
	op->flags = choose_map_flags(op);
	if (setting.plain) /* the same page of the file at a slot always */
		op->value = (start_of(op) - place_of(0)->start) >> PAGE_SHIFT;
	else
		op->value = choose((u32)setting.file_pages);
	return true;
}

static i64 map_expect(const struct operation *op)
{
	vaddr_t start = start_of(op), end = start + length_of(op);
	bool is_taken = op->flags & MAP_FIXED_NOREPLACE ? !is_free(space_of(op), start, end)
							: !is_place(space_of(op), start, end);
	vaddr_t gap = highest_gap(space_of(op), length_of(op));

	if (!is_taken || (op->flags & MAP_FIXED))
		return (i64)start;
	if (op->flags & MAP_FIXED_NOREPLACE)
		return -EEXIST;
	return gap ? (i64)gap : -ENOMEM;
}

static i64 map_call(const struct operation *op)
{
	bool of_file = op->kind != ANONYMOUS;

	return mm_map(space_of(op)->mm, start_of(op), length_of(op), op->prot, op->flags,
		      of_file ? world.file : NULL, of_file ? op->value * PAGE_SIZE : 0);
}

static void map_apply(const struct operation *op, i64 result)
{
	struct space *space = space_of(op);
	u32 first, last;

	if (result < 0)
		return;
	if (!slots_at((vaddr_t)result, length_of(op), &first, &last)) {
		CHECK(mm_unmap(space->mm, (vaddr_t)result, length_of(op)) == 0, "%lx", result);
		return;
	}
	for (u32 i = first; i <= last; i++)
		space->slots[i] = (struct slot) {
			.kind = op->kind,
			.prot = op->prot,
			.grows = op->flags & MAP_GROWSDOWN,
			.denies_write = op->flags & MAP_DENYWRITE,
			.promised = is_promise(op->kind, op->prot),
			.index = ((op->kind == ANONYMOUS ? (u64)result : op->value << PAGE_SHIFT) +
				  place_of(i)->start - (vaddr_t)result) >>
				 PAGE_SHIFT,
		};
	if (op->flags & MAP_POPULATE)
		populate_quietly(space, first, last);
}

const struct action action_map = {
	"map", map_choose, map_expect, map_call, map_apply, NULL,
};

static bool unmap_choose(struct operation *op)
{
	choose_slots(op);
	return true;
}

static i64 unmap_expect(const struct operation *op)
{
	(void)op;
	return 0;
}

static i64 unmap_call(const struct operation *op)
{
	return mm_unmap(space_of(op)->mm, start_of(op), length_of(op));
}

static void unmap_apply(const struct operation *op, i64 result)
{
	(void)result;
	forget_slots(space_of(op), op->first, op->last);
}

const struct action action_unmap = {
	"unmap", unmap_choose, unmap_expect, unmap_call, unmap_apply, NULL,
};

static bool protect_choose(struct operation *op)
{
	choose_slots(op);
	op->prot = choose_prot();
	return true;
}

/* The slots from op->first on that may be protected so: the first that may not, and why. */
static u32 protected_end(const struct operation *op, i64 *error)
{
	const struct slot *slots = space_of(op)->slots;

	for (u32 i = op->first; i <= op->last; i++) {
		if (slots[i].kind == UNMAPPED ||
		    ((op->prot & PROT_WRITE) && slots[i].denies_write)) {
			*error = slots[i].kind == UNMAPPED ? -ENOMEM : -EACCES;
			return i;
		}
	}
	*error = 0;
	return op->last + 1u;
}

static i64 protect_expect(const struct operation *op)
{
	i64 error;

	protected_end(op, &error);
	return error;
}

static i64 protect_call(const struct operation *op)
{
	return mm_protect(space_of(op)->mm, start_of(op), length_of(op), op->prot);
}

static void protect_apply(const struct operation *op, i64 result)
{
	u32 end = protected_end(op, &result);

	for (u32 i = op->first; i < end; i++) {
		struct slot *slot = &space_of(op)->slots[i];

		slot->prot = op->prot;
		slot->promised |= is_promise(slot->kind, op->prot);
	}
}

const struct action action_protect = {
	"protect", protect_choose, protect_expect, protect_call, protect_apply, NULL,
};

/* The new break, in bytes: at the start of a slot, or somewhere in a page. */
static bool brk_choose(struct operation *op)
{
	static const u64 offsets[] = {0, 1, PAGE_SIZE - 1};

	op->first = op->last = (u8)choose(MIN(setting.slots, 24u));
	op->value = start_of(op) + (is_page(op->first) ? offsets[choose(3)] : 0);
	return true;
}

static bool brk_allowed(const struct operation *op)
{
	const struct space *space = space_of(op);
	vaddr_t now = ROUND_UP(space->brk, PAGE_SIZE), wanted = ROUND_UP(op->value, PAGE_SIZE);

	return op->value >= setting.brk_start &&
	       (wanted <= now || is_free(space, now, wanted + PAGE_SIZE));
}

static i64 brk_expect(const struct operation *op)
{
	return (i64)(brk_allowed(op) ? op->value : space_of(op)->brk);
}

static i64 brk_call(const struct operation *op)
{
	vaddr_t brk = mm_brk(space_of(op)->mm, op->value);

	return frames_refused() && brk == space_of(op)->brk ? -ENOMEM : (i64)brk;
}

static void brk_apply(const struct operation *op, i64 result)
{
	struct space *space = space_of(op);
	vaddr_t before = ROUND_UP(space->brk, PAGE_SIZE);
	vaddr_t now = ROUND_UP((vaddr_t)result, PAGE_SIZE);
	struct slot heap = {.kind = ANONYMOUS, .prot = PROT_READ | PROT_WRITE, .promised = true};

	for (u32 i = 0; i < setting.slots; i++) {
		vaddr_t at = place_of(i)->start;

		if (at >= before && at < now)
			heap.index = at >> PAGE_SHIFT, space->slots[i] = heap;
		else if (at >= now && at < before)
			forget_slots(space, i, i);
	}
	space->brk = (vaddr_t)result;
}

const struct action action_brk = {
	"brk", brk_choose, brk_expect, brk_call, brk_apply, NULL,
};
