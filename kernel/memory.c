/*
 * Memory from the boot loader's hands to the frame allocator's. The free RAM is what lies in a
 * usable range and in no taken one; whoever needs memory before the hand-over adds a taken range.
 * After it, only the modules' ranges are looked at again.
 */
#include "kernel/cpu/paging.h"
#include "kernel/cpu/smp.h"
#include "kernel/memory.h"
#include "kernel/multiboot.h"
#include "mm/frame.h"

struct range {
	paddr_t start, end; /* page aligned */
};

#define TAKEN_MAX (BOOT_RANGES + BOOT_MODULES + 64)

static struct range usable[BOOT_RANGES];
static u32 usable_count;
static struct range taken[TAKEN_MAX];
static u32 taken_count;
static bool handed_over;

/* What the early page tables map: boot/multiboot.asm. */
#define EARLY_END (4ul << 30)

extern u8 kernel_start[], kernel_end[];

/* Neighbours become one range, so that the boot allocator can be called any number of times. */
static void take(paddr_t start, paddr_t end)
{
	start = ROUND_DOWN(start, PAGE_SIZE);
	end = ROUND_UP(end, PAGE_SIZE);
	if (start == end)
		return;
	if (taken_count && taken[taken_count - 1].end == start) {
		taken[taken_count - 1].end = end;
		return;
	}
	ASSERT(taken_count < TAKEN_MAX, "%u ranges taken", taken_count);
	taken[taken_count++] = (struct range) {start, end};
}

/* The taken range that holds at, or the next one above it; NULL when there is none. */
static const struct range *taken_from(paddr_t at)
{
	const struct range *next = NULL;

	for (u32 i = 0; i < taken_count; i++) {
		if (taken[i].end > at && (!next || taken[i].start < next->start))
			next = &taken[i];
	}
	return next;
}

/* The next free stretch at or after *at, at most up to end: its start in *at, its end returned; 0 =
 * there is none. */
static paddr_t next_free(paddr_t *at, paddr_t end)
{
	while (*at < end) {
		const struct range *next = taken_from(*at);

		if (!next)
			return end;
		if (next->start > *at)
			return MIN(next->start, end);
		*at = next->end;
	}
	return 0;
}

/* Ranges do not overlap: the loader has sorted that out, what is not usable winning. */
static void add_usable(const struct boot_range *range)
{
	paddr_t start = ROUND_UP(range->start, PAGE_SIZE);
	paddr_t end = MIN(ROUND_DOWN(range->end, PAGE_SIZE), VMAP_BASE - DIRECT_MAP);

	if (start < end)
		usable[usable_count++] = (struct range) {start, end};
}

/* No frame ever has the address 0, which memory_frame() means by none. */
void memory_init(void)
{
	take(0, PAGE_SIZE);
	take(TRAMPOLINE, TRAMPOLINE + PAGE_SIZE);
	for (u32 i = 0; i < boot_info.ranges; i++) {
		if (boot_info.range[i].usable)
			add_usable(&boot_info.range[i]);
	}
	take((u64)kernel_start - KERNEL_BASE, (u64)kernel_end - KERNEL_BASE);
	take(boot_info.symbols, boot_info.symbols_end);
	take(boot_info.strings, boot_info.strings_end);
	for (u32 i = 0; i < boot_info.modules; i++)
		take(boot_info.module[i].start, boot_info.module[i].end);
}

paddr_t memory_boot_alloc(u64 bytes)
{
	u64 size = ROUND_UP(bytes, PAGE_SIZE);

	for (u32 i = 0; i < usable_count; i++) {
		paddr_t at = usable[i].start, end, limit = MIN(usable[i].end, EARLY_END);

		while ((end = next_free(&at, limit))) {
			if (end - at >= size) {
				take(at, at + size);
				return at;
			}
			at = end;
		}
	}
	panic("no %lu bytes of memory in one piece to boot with", bytes);
}

paddr_t memory_frame(void)
{
	paddr_t at;

	if (handed_over) {
		struct page *page = frame_alloc_zeroed();

		return page ? page_paddr(page) : 0;
	}
	at = memory_boot_alloc(PAGE_SIZE);
	clear_page(phys_to_virt(at));
	return at;
}

void memory_each_range(void (*visit)(paddr_t start, paddr_t end))
{
	for (u32 i = 0; i < usable_count; i++)
		visit(usable[i].start, usable[i].end);
}

/* Gives what is free of [start, end) to the frame allocator. */
static void give(paddr_t start, paddr_t end)
{
	paddr_t at = start, stop;

	while ((stop = next_free(&at, end))) {
		frames_add(at >> PAGE_SHIFT, (stop - at) >> PAGE_SHIFT);
		at = stop;
	}
}

void memory_hand_over(void)
{
	pfn_t count = 0;
	paddr_t array;

	for (u32 i = 0; i < usable_count; i++)
		count = MAX(count, usable[i].end >> PAGE_SHIFT);
	array = memory_boot_alloc(count * sizeof(struct page));
	frames_init(phys_to_virt(array), count);
	for (u32 i = 0; i < usable_count; i++)
		give(usable[i].start, usable[i].end);
	handed_over = true;
}

/* Makes [start, end) of a taken range not taken any more. */
static void untake(paddr_t start, paddr_t end)
{
	for (u32 i = 0; i < taken_count; i++) {
		struct range *range = &taken[i];

		if (range->start > start || range->end < end)
			continue;
		paddr_t rest = range->end;

		range->end = start;
		take(end, rest);
		return;
	}
}

void memory_release_modules(void)
{
	for (u32 i = 0; i < boot_info.modules; i++) {
		paddr_t start = ROUND_DOWN(boot_info.module[i].start, PAGE_SIZE);
		paddr_t end = ROUND_UP(boot_info.module[i].end, PAGE_SIZE);

		untake(start, end);
		give(start, end);
	}
	boot_info.modules = 0;
}
