/*
 * The frame allocator: a buddy system (Knuth, TAOCP vol. 1, 2.5) behind a small stack of single
 * frames per CPU.
 *
 * A free block of 2^k frames is aligned to its size; its first page has type PAGE_FREE and order k,
 * and is on free_lists[k]. Two free buddies never stand side by side: they are merged at once.
 * Frames on a CPU's stack are PAGE_STACKED: they come and go without buddy_lock, under which a buddy's type
 * and then its order are read. So no page becomes PAGE_FREE, or anything else from it, but under that lock.
 */
#include "mm/frame.h"

#define STACK_FRAMES 63 /* with which a stack is 512 bytes */
#define REFILL_ORDER 5  /* of the largest block that a stack takes at once */
#define STACK_HALF   (1u << REFILL_ORDER)

struct page *frames;
pfn_t frames_count;

static struct spinlock buddy_lock = SPINLOCK(RANK_FRAMES);
/* guarded by buddy_lock: */
static struct list free_lists[MAX_ORDER + 1];
static u64 buddy_free; /* frames in free_lists */
static u64 total;
static u64 low_mark;

_Atomic bool frames_low;
_Atomic u64 frames_exhausted;

/*
 * Used by its own CPU, and never by an interrupt handler; by another one only when it finds no frame anywhere
 * else. The lock is a byte, nearly always free, and nothing but buddy_lock is taken under it.
 */
static struct frame_stack {
	_Atomic u8 lock;
	u32 count;
	struct page *at[STACK_FRAMES];
} stacks[MAX_CPUS];
_Static_assert(sizeof(struct frame_stack) == 512, "found by a shift");

static struct frame_stack *lock_stack(u32 cpu)
{
	struct frame_stack *stack = &stacks[cpu];

	while (atomic_exchange_explicit(&stack->lock, 1, memory_order_acquire))
		__builtin_ia32_pause();
	return stack;
}

static void unlock_stack(struct frame_stack *stack)
{
	atomic_store_explicit(&stack->lock, 0, memory_order_release);
}

#define KEPT_SHARE 256u /* files leave one frame in so many alone, */
#define KEPT_MOST  256u /* but not more than these */

/* Torture: allocations until one is refused, itself among them; 0: none will be. */
static u64 fail_countdown;
static bool refuse_all; /* those after it too */
static u64 refused;

void frames_init(struct page *array, pfn_t count)
{
	frames = array;
	frames_count = count;
	memset(array, 0, count * sizeof(*array));
	_Static_assert(PAGE_RESERVED == 0, "a cleared struct page is reserved");
	for (u32 order = 0; order <= MAX_ORDER; order++)
		list_init(&free_lists[order]);
}

static void block_insert(struct page *page, u32 order)
{
	page->type = PAGE_FREE;
	page->order = (u8)order;
	list_push_front(&free_lists[order], &page->link);
}

static bool is_free_block(pfn_t pfn, u32 order)
{
	return pfn + (1ul << order) <= frames_count && frames[pfn].type == PAGE_FREE &&
	       frames[pfn].order == order;
}

/* locked: buddy_lock */
static void buddy_free_block(struct page *page, u32 order)
{
	pfn_t pfn = page_pfn(page);

	buddy_free += 1ul << order;
	while (order < MAX_ORDER && is_free_block(pfn ^ (1ul << order), order)) {
		struct page *buddy = &frames[pfn ^ (1ul << order)];

		list_remove(&buddy->link);
		buddy->order = 0;
		pfn &= ~(1ul << order);
		order++;
	}
	block_insert(&frames[pfn], order);
}

/* locked: buddy_lock */
static struct page *buddy_alloc_block(u32 order)
{
	u32 found = order;

	while (found <= MAX_ORDER && list_empty(&free_lists[found]))
		found++;
	if (found > MAX_ORDER)
		return NULL;

	struct page *page = list_first(&free_lists[found], struct page, link);

	list_remove(&page->link);
	while (found > order) {
		found--;
		block_insert(page + (1ul << found), found);
	}
	page->type = PAGE_KERNEL;
	page->order = (u8)order;
	buddy_free -= 1ul << order;
	return page;
}

/* The order of the largest aligned block that starts at first and has at most count frames. */
static u32 largest_block(pfn_t first, pfn_t count)
{
	u32 aligned = (u32)__builtin_ctzl(first | 1ul << MAX_ORDER);
	u32 fits = 63 - (u32)__builtin_clzl(count);

	return MIN(aligned, fits);
}

/* locked: buddy_lock */
static void buddy_free_range(pfn_t first, pfn_t count)
{
	while (count) {
		u32 order = largest_block(first, count);

		buddy_free_block(&frames[first], order);
		first += 1ul << order;
		count -= 1ul << order;
	}
}

void frames_add(pfn_t first, pfn_t count)
{
	ASSERT(first + count <= frames_count, "frames %lx to %lx of %lx", first, first + count,
	       frames_count);
	ASSERT(frames[first].type == PAGE_RESERVED, "frame %lx has type %u", first,
	       frames[first].type);
	spin_lock(&buddy_lock);
	total += count;
	buddy_free_range(first, count);
	spin_unlock(&buddy_lock);
}

static void push(struct frame_stack *stack, struct page *page)
{
	page->type = PAGE_STACKED;
	stack->at[stack->count++] = page;
}

/* The smallest order that is there, of those that a stack takes whole. locked: buddy_lock */
static u32 refill_order(void)
{
	u32 order = 0;

	while (order < REFILL_ORDER && list_empty(&free_lists[order]))
		order++;
	return order;
}

/* Whole blocks, the small ones first: so none is cut that need not be, and no frame of a large one is put on a list. */
static __attribute__((noinline)) void stack_refill(struct frame_stack *stack)
{
	spin_lock(&buddy_lock);
	while (stack->count < STACK_HALF) {
		u32 order = refill_order();
		struct page *block = buddy_alloc_block(order);

		if (!block)
			break;
		for (u32 i = 1u << order; i > 0; i--)
			push(stack, block + i - 1);
	}
	if (buddy_free < low_mark)
		frames_low = true;
	spin_unlock(&buddy_lock);
}

/* Takes off the stack the frames on top that follow one another, as they do when memory was given back that was used in
 * order; returns how many. */
static u32 pop_run(struct frame_stack *stack, u32 most, struct page **first)
{
	u32 run = 0;

	*first = stack->at[stack->count - 1];
	do {
		run++;
		stack->count--;
	} while (run < most && stack->at[stack->count - 1] == *first + run);
	return run;
}

static __attribute__((noinline)) void stack_drain(struct frame_stack *stack)
{
	spin_lock(&buddy_lock);
	while (stack->count > STACK_HALF) {
		struct page *first;
		u32 run = pop_run(stack, stack->count - STACK_HALF, &first);

		buddy_free_range(page_pfn(first), run);
	}
	spin_unlock(&buddy_lock);
}

/* Of what another CPU keeps. */
static __attribute__((noinline)) struct page *steal_one(void)
{
	struct page *page = NULL;

	for (u32 cpu = 0; cpu < MAX_CPUS && !page; cpu++) {
		struct frame_stack *stack = lock_stack(cpu);

		if (stack->count)
			page = stack->at[--stack->count];
		unlock_stack(stack);
	}
	return page;
}

static struct page *alloc_one(void)
{
	struct frame_stack *stack = lock_stack(machine_cpu());
	struct page *page;

	if (!stack->count)
		stack_refill(stack);
	page = stack->count ? stack->at[--stack->count] : NULL;
	unlock_stack(stack);
	return page ? page : steal_one();
}

static __attribute__((noinline)) struct page *alloc_block(u32 order)
{
	spin_lock(&buddy_lock);
	struct page *page = buddy_alloc_block(order);
	spin_unlock(&buddy_lock);
	return page;
}

bool frames_refuse(void)
{
	if (!fail_countdown || --fail_countdown)
		return false;
	fail_countdown = refuse_all;
	refused++;
	return true;
}

struct page *frame_alloc(u32 order)
{
	if (order > MAX_ORDER || frames_refuse())
		return NULL;

	struct page *page = order ? alloc_block(order) : alloc_one();

	if (page) {
		page->type = PAGE_KERNEL;
		page->order = (u8)order;
	} else {
		atomic_fetch_add(&frames_exhausted, 1);
	}
	return page;
}

static __attribute__((noinline)) void free_block(struct page *page, u32 order)
{
	spin_lock(&buddy_lock);
	buddy_free_block(page, order);
	spin_unlock(&buddy_lock);
}

void frame_free(struct page *page, u32 order)
{
	ASSERT(page->type > PAGE_STACKED, "frame %lx has type %u", page_pfn(page), page->type);
	if (order) {
		free_block(page, order);
		return;
	}

	struct frame_stack *stack = lock_stack(machine_cpu());

	if (stack->count == STACK_FRAMES)
		stack_drain(stack);
	push(stack, page);
	unlock_stack(stack);
}

struct page *frame_alloc_sparing(void)
{
	return frames_free() > MIN(total / KEPT_SHARE, KEPT_MOST) ? frame_alloc(0) : NULL;
}

struct page *frame_alloc_zeroed(void)
{
	struct page *page = frame_alloc(0);

	if (page)
		clear_page(page_virt(page));
	return page;
}

u64 frames_free(void)
{
	u64 sum = buddy_free;

	for (u32 cpu = 0; cpu < MAX_CPUS; cpu++)
		sum += stacks[cpu].count;
	return sum;
}

void frames_watch(u64 mark)
{
	low_mark = mark;
	frames_low = false;
}

u64 frames_total(void)
{
	return total;
}

static void fail(u64 nth, bool all)
{
	fail_countdown = nth;
	refuse_all = all;
	refused = 0;
}

void frames_fail_nth(u64 nth)
{
	fail(nth, false);
}

void frames_fail_from(u64 nth)
{
	fail(nth, true);
}

u64 frames_refused(void)
{
	return refused;
}
