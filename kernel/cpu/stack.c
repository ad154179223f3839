/*
 * Kernel stacks in the vmap area. A few that are free stay mapped: the next process needs one, and unmapping is a flush
 * on all CPUs. Who tells how much memory is free, or finds none, lets go of them first (stack_pool_drain()).
 * Each slot is 32 KB: the stack in its upper half, the lower half
 * never mapped, so an overflow faults. 64 slots share one PTE table, which is there exactly while
 * one of them is in use.
 */
#include "kernel/cpu/machine.h"
#include "kernel/cpu/stack.h"
#include "mm/frame.h"

#define SLOT_SIZE   (2 * STACK_SIZE)
#define STACK_PAGES (STACK_SIZE / PAGE_SIZE)
#define GROUP_SLOTS 64u
#define GROUPS      (STACKS_MAX / GROUP_SLOTS)
#define GROUP_SPAN  (GROUP_SLOTS * SLOT_SIZE)
#define POOL_MIN    2u /* stacks kept without asking for memory */
#define POOL_MAX    32u
#define POOL_MEMORY 1024u /* frames that must be free for a stack to be kept */
_Static_assert(GROUP_SPAN == 2ul << 20, "a group is what one PTE table maps");

static struct spinlock lock = SPINLOCK(RANK_MAPPINGS);
/* guarded by lock: */
static u64 used[GROUPS];     /* bit n: slot n of the group is in use */
static u64 *tables[GROUPS];  /* PTE table of the group, while one of its slots is in use */
static u32 first_free;       /* no group below it has a free slot */
static void *pool[POOL_MAX]; /* stacks that are free but still mapped */
static u32 pooled;

static u64 slot_bit(vaddr_t slot)
{
	return 1ul << (slot / SLOT_SIZE % GROUP_SLOTS);
}

static u32 slot_group(vaddr_t slot)
{
	return (u32)((slot - STACKS_BASE) / GROUP_SPAN);
}

/* The PTEs of the slot's stack. Its group has its table. locked: lock */
static u64 *stack_ptes(vaddr_t slot)
{
	return &tables[slot_group(slot)][(slot + SLOT_SIZE - STACK_SIZE) / PAGE_SIZE % 512];
}

/* Takes the lowest free slot; 0 when there is none. locked: lock */
static vaddr_t take_slot(void)
{
	while (first_free < GROUPS && used[first_free] == ~0ul)
		first_free++;
	if (first_free == GROUPS)
		return 0;

	u32 bit = (u32)__builtin_ctzl(~used[first_free]);

	used[first_free] |= 1ul << bit;
	return STACKS_BASE + first_free * GROUP_SPAN + bit * SLOT_SIZE;
}

/* Gives a slot back, whose PTEs are empty. locked: lock */
static void give_slot(vaddr_t slot)
{
	u32 group = slot_group(slot);
	struct page *table;

	used[group] &= ~slot_bit(slot);
	first_free = MIN(first_free, group);
	if (used[group] || !tables[group])
		return;
	tables[group] = NULL;
	table = paging_take_table(slot);
	tlb_flush_kernel(slot, slot + PAGE_SIZE);
	frame_free(table, 0);
}

static void unmap_pages(u64 *ptes, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		frame_free(paddr_page(ptes[i] & PTE_ADDRESS), 0);
		ptes[i] = 0;
	}
}

static bool map_pages(u64 *ptes)
{
	for (u32 i = 0; i < STACK_PAGES; i++) {
		struct page *page = frame_alloc(0);

		if (!page) {
			unmap_pages(ptes, i);
			return false;
		}
		ptes[i] = page_paddr(page) | PTE_PRESENT | PTE_WRITE | PTE_GLOBAL | PTE_NX;
	}
	return true;
}

/* locked: lock */
static void *alloc_locked(void)
{
	vaddr_t slot = take_slot();
	u32 group;

	if (!slot)
		return NULL;
	group = slot_group(slot);
	if (!tables[group])
		tables[group] = paging_table(slot);
	if (!tables[group] || !map_pages(stack_ptes(slot))) {
		give_slot(slot);
		return NULL;
	}
	return (void *)(slot + SLOT_SIZE - STACK_SIZE);
}

void *stack_alloc(void)
{
	void *stack;

	spin_lock(&lock);
	stack = pooled ? pool[--pooled] : alloc_locked();
	spin_unlock(&lock);
	return stack;
}

/* locked: lock */
static void unmap_stack(vaddr_t start)
{
	vaddr_t slot = start + STACK_SIZE - SLOT_SIZE;
	u64 *ptes = stack_ptes(slot);
	struct page *pages[STACK_PAGES];

	for (u32 i = 0; i < STACK_PAGES; i++) {
		pages[i] = paddr_page(ptes[i] & PTE_ADDRESS);
		ptes[i] = 0;
	}
	tlb_flush_kernel(start, start + STACK_SIZE);
	for (u32 i = 0; i < STACK_PAGES; i++)
		frame_free(pages[i], 0);
	give_slot(slot);
}

void stack_free(void *stack)
{
	spin_lock(&lock);
	if (pooled < POOL_MIN || (pooled < POOL_MAX && frames_free() > POOL_MEMORY))
		pool[pooled++] = stack;
	else
		unmap_stack((vaddr_t)stack);
	spin_unlock(&lock);
}

bool stack_pool_drain(void)
{
	bool drained;

	spin_lock(&lock);
	drained = pooled;
	while (pooled)
		unmap_stack((vaddr_t)pool[--pooled]);
	spin_unlock(&lock);
	return drained;
}

extern u8 boot_stack_guard[];

bool stack_guards(vaddr_t at)
{
	vaddr_t boot = (u64)boot_stack_guard;

	if (at >= boot && at < boot + PAGE_SIZE)
		return true;
	return at >= STACKS_BASE && at < STACKS_END && at % SLOT_SIZE < SLOT_SIZE - STACK_SIZE;
}
