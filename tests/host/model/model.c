/* The worlds of the model: their setting, their start and their end. */
#include "tests/host/model/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/heap.h"
#include "tests/host/store.h"
#include "tests/host/model/operation.h"

#define WINDOW 6u /* pages on each side of a boundary */

static const vaddr_t boundaries[] = {
	0x400000,     /* between two PTE tables */
	0x40000000,   /* between two page directories */
	0x40200000,   /* between two PTE tables of the second */
	0x8000000000, /* between two PDPTs */
	MMAP_TOP,     /* mappings without a place of their own go below it */
};
#define WINDOWS ARRAY_SIZE(boundaries)

struct setting setting;
struct world world;

static void add_place(vaddr_t start, vaddr_t end, bool data)
{
	CHECK(setting.slots < MOST_SLOTS, "%u", setting.slots);
	setting.places[setting.slots++] = (struct place) {start, end, data};
}

void set_windows(void)
{
	setting = (struct setting) {
		.spaces = MOST_SPACES,
		.file_pages = 24,
		.swap_slots = 24,
		.brk_start = boundaries[0] - 3 * PAGE_SIZE,
		.menu = full_menu,
		.menu_entries = full_menu_entries,
	};
	for (u32 w = 0; w < WINDOWS; w++) {
		vaddr_t first = boundaries[w] - WINDOW * PAGE_SIZE;

		if (w > 0)
			add_place(place_of(setting.slots - 1)->end, first, false);
		for (u32 i = 0; i < 2 * WINDOW; i++)
			add_place(first + i * PAGE_SIZE, first + (i + 1) * PAGE_SIZE, true);
	}
}

void set_tiny(vaddr_t boundary)
{
	u64 span = 0x200000; /* of a PTE table */

	setting = (struct setting) {
		.spaces = 3,
		.file_pages = MOST_FILE_PAGES,
		.swap_slots = STORE_PAGES - 1,
		.menu = plain_menu,
		.menu_entries = plain_menu_entries,
		.plain = true,
	};
	add_place(boundary - span, boundary - PAGE_SIZE, true);
	add_place(boundary - PAGE_SIZE, boundary, true);
	add_place(boundary, boundary + PAGE_SIZE, true);
	add_place(boundary + PAGE_SIZE, boundary + span, true);
}

void world_start(void)
{
	memset(&world, 0, sizeof(world));
	world.frames_before = frames_free();
	world.heap_before = heap_bytes();
	world.file = object_create(setting.file_pages * PAGE_SIZE, &world.file);
	world.spaces[0].mm = mm_create();
	world.area = store_add(&store, setting.swap_slots, 0);
	CHECK(world.file && world.spaces[0].mm && world.area >= 0, "no memory");
	world.spaces[0].brk = setting.brk_start;
	world.spaces[0].mm->brk_start = world.spaces[0].mm->brk = setting.brk_start;
	mm_set_limits(world.spaces[0].mm,
		      &(struct mm_limits) {MM_UNLIMITED, MM_UNLIMITED, STACK_LIMIT});
	world.file_pages = setting.file_pages;
	world.live = 1;
}

void world_end(void)
{
	while (world.live) {
		struct mm *mm = world.spaces[--world.live].mm;

		machine_forget(mm);
		mm_put(mm);
	}
	object_put(world.file);

	struct swap_totals totals;

	swap_totals(&totals);
	CHECK(totals.used == 0 && totals.cached == 0, "%lu slots, %lu pages", totals.used,
	      totals.cached);
	CHECK(swap_area_remove((u32)world.area) == 0, "area %d", world.area);
	CHECK(frames_free() == world.frames_before, "%lu, was %lu", frames_free(),
	      world.frames_before);
	CHECK(heap_bytes() == world.heap_before, "%lu, was %lu", heap_bytes(), world.heap_before);
}

u64 memory_in_use(void)
{
	struct swap_totals totals;

	swap_totals(&totals);
	/* One radix table for each level is right for a file of up to 512 pages. */
	return frames_total() - frames_free() - world.file->pages - world.file->height +
	       totals.used - totals.cached;
}

void check_failed(const char *condition, const char *format, ...)
{
	va_list args;

	printf("# %s: ", condition);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	print_replay();
	printf("Bail out! mm/ and the model disagree\n");
	fflush(stdout);
	abort();
}
