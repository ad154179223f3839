/* Frames, the heap and objects by themselves: what the address spaces of the other tests never ask of them. */
#include <errno.h>

#include "mm/heap.h"
#include "mm/object.h"
#include "mm/tree.h"
#include "tests/host/ktap.h"
#include "tests/host/machine.h"

#define FRAMES 8195ul /* no multiple of the largest block */

/* ---- Frames ---- */

static void blocks_of_each_order(void)
{
	u64 before = frames_free();
	struct page *blocks[MAX_ORDER + 1];

	for (u32 order = 0; order <= MAX_ORDER; order++) {
		blocks[order] = frame_alloc(order);
		TRUE(blocks[order] != NULL);
		EQUAL(page_pfn(blocks[order]) & ((1ul << order) - 1), 0);
		EQUAL(blocks[order]->order, order);
		memset(page_virt(blocks[order]), (int)order, PAGE_SIZE << order);
	}
	for (u32 order = 0; order <= MAX_ORDER; order++) { /* no other block was written */
		char *at = page_virt(blocks[order]);

		EQUAL(at[0], order);
		EQUAL(at[(PAGE_SIZE << order) - 1], order);
		frame_free(blocks[order], order);
	}
	EQUAL(frames_free(), before);
	TRUE(frame_alloc(MAX_ORDER + 1) == NULL);
}

/* Takes all frames, in blocks of this order, and gives them back; returns how many blocks there were. */
static u64 take_all(u32 order)
{
	static struct page *taken[FRAMES];
	u64 count = 0;

	while ((taken[count] = frame_alloc(order)))
		count++;
	for (u64 i = 0; i < count; i++) /* in an order of its own */
		frame_free(taken[i % 2 ? i : (count - 1) / 2 * 2 - i], order);
	return count;
}

static void all_frames(void)
{
	u64 before = frames_free(), largest = take_all(MAX_ORDER);

	TRUE(largest >= FRAMES / (1ul << MAX_ORDER) - 1);
	EQUAL(take_all(0), before);
	EQUAL(frames_free(), before);
	/* Buddies were merged, but for those of the few frames on the stack of this CPU. */
	TRUE(take_all(MAX_ORDER) + 1 >= largest);
}

static void frames_for_files_run_out_first(void)
{
	u64 kept = frames_total() / 256, count = 0;
	static struct page *taken[FRAMES];

	while ((taken[count] = frame_alloc_sparing()))
		count++;
	EQUAL(frames_free(), kept);
	taken[count] = frame_alloc(0);
	TRUE(taken[count] != NULL);
	for (u64 i = 0; i <= count; i++)
		frame_free(taken[i], 0);
}

static void refusals(void)
{
	struct page *page;

	frames_fail_nth(2);
	page = frame_alloc(0);
	TRUE(page && !frame_alloc(0));
	frame_free(page, 0);
	EQUAL(frames_refused(), 1);
	page = frame_alloc(0);
	TRUE(page != NULL);
	frame_free(page, 0);
	frames_fail_from(1);
	TRUE(!frame_alloc(0) && !kmalloc(1) && !frame_alloc_zeroed());
	EQUAL(frames_refused(), 3);
	frames_fail_nth(0);
}

/* ---- The heap ---- */

static void is_cleared(const char *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (at[i]) {
			EQUAL(at[i], 0);
			return;
		}
}

static void every_size(void)
{
	static char *chunks[6000];
	u64 before = heap_bytes(), frames = frames_free();

	for (size_t size = 1; size < ARRAY_SIZE(chunks); size++) {
		chunks[size] = kmalloc(size);
		TRUE(chunks[size] && (u64)chunks[size] % 16 == 0);
		if ((size & (size - 1)) == 0 && size <= PAGE_SIZE)
			EQUAL((u64)chunks[size] % size, 0);
		is_cleared(chunks[size], size);
		memset(chunks[size], (int)size | 1, size);
	}
	for (size_t size = 1; size < ARRAY_SIZE(chunks); size++) {
		EQUAL(chunks[size][0], (char)(size | 1));
		EQUAL(chunks[size][size - 1], (char)(size | 1));
		kfree(chunks[size]);
	}
	EQUAL(heap_bytes(), before);
	EQUAL(frames_free(), frames);
}

static void extreme_sizes(void)
{
	u64 before = heap_bytes();
	void *largest = kmalloc(PAGE_SIZE << MAX_ORDER);

	TRUE(largest != NULL);
	EQUAL(heap_bytes() - before, PAGE_SIZE << MAX_ORDER);
	kfree(largest);
	TRUE(kmalloc(0) == NULL);
	TRUE(kmalloc((PAGE_SIZE << MAX_ORDER) + 1) == NULL);
	kfree(NULL);
	EQUAL(heap_bytes(), before);
}

static void no_memory_for_the_heap(void)
{
	struct page *taken = NULL, *page;
	u64 before = heap_bytes();

	while ((page = frame_alloc(0))) {
		page->link.next = (struct list *)taken;
		taken = page;
	}
	TRUE(kmalloc(1344) == NULL);
	TRUE(kmalloc(PAGE_SIZE) == NULL);
	EQUAL(heap_bytes(), before);
	for (; taken; taken = page) {
		page = (struct page *)taken->link.next;
		frame_free(taken, 0);
	}
}

/* ---- Objects ---- */

#define FAR (1ul << 40) /* an offset that wants a radix tree of four levels */

static void holes(void)
{
	u64 frames = frames_free();
	struct object *object = object_create(FAR + 10 * PAGE_SIZE, NULL);
	char text[PAGE_SIZE + 8] = "x";

	EQUAL(object_read(object, FAR, text, 4), 4);
	EQUAL(text[0], 0);
	EQUAL(object->pages, 0);
	EQUAL(object_write(object, 2 * PAGE_SIZE - 3, "abcdef", 6), 6); /* over a boundary */
	EQUAL(object_write(object, FAR + 5, "g", 1), 1);
	EQUAL(object->pages, 3);
	EQUAL(object_read(object, 2 * PAGE_SIZE - 4, text, 8), 8);
	EQUAL(memcmp(text, "\0abcdef\0", 8), 0);
	EQUAL(object_read(object, FAR + 5, text, 2), 2);
	EQUAL(text[0], 'g');
	TRUE(object_peek(object, 0) == NULL);       /* a table, but no page */
	TRUE(object_peek(object, 5 << 18) == NULL); /* no table on the way */
	TRUE(object_peek(object, (FAR >> 12) + 9) == NULL);
	object_put(object);
	EQUAL(frames_free(), frames);
}

static void ends_of_objects(void)
{
	struct object *object = object_create(PAGE_SIZE + 10, NULL);
	char text[16];
	struct page *page;

	EQUAL(object_write(object, PAGE_SIZE + 8, "abcd", 4), 2);
	EQUAL(object_read(object, PAGE_SIZE + 7, text, 16), 3);
	EQUAL(object_read(object, PAGE_SIZE + 10, text, 1), 0);
	EQUAL(object_write(object, PAGE_SIZE + 10, text, 1), 0);
	EQUAL(object_page(object, 2, &page), -ENXIO);
	TRUE(object_peek(object, 1 << 9) == NULL); /* beyond what the radix tree can hold */
	object_put(object);
}

static void resizing(void)
{
	struct object *object = object_create(FAR, NULL);
	char text[4] = "";

	for (u64 index = 0; index < 1200; index += 400) /* in several tables */
		EQUAL(object_write(object, index * PAGE_SIZE, "abcd", 4), 4);
	EQUAL(object_write(object, FAR - 4, "efgh", 4), 4);
	object_resize(object, 401 * PAGE_SIZE);
	EQUAL(object->pages, 2);
	object_resize(object, 400 * PAGE_SIZE + 2);
	object_resize(object, FAR);
	EQUAL(object_read(object, 400 * PAGE_SIZE, text, 4), 4);
	EQUAL(memcmp(text, "ab\0", 4), 0);          /* the tail was cleared */
	object_resize(object, 100 * PAGE_SIZE + 1); /* in a hole */
	EQUAL(object->pages, 1);
	object_resize(object, 0);
	EQUAL(object->pages, 0);
	EQUAL(object->height, 0);
	object_put(object);
}

/* Pages of an object that was cut off live on for whoever holds them. */
static void pages_outlive_their_object(void)
{
	struct object *object = object_create(PAGE_SIZE, NULL);
	struct page *page;

	EQUAL(object_write(object, 0, "abcd", 4), 4);
	EQUAL(object_page(object, 0, &page), 0);
	object_resize(object, 0);
	TRUE(page->object == NULL && page_refs(page) == 1);
	EQUAL(*(char *)page_virt(page), 'a');
	page_put(page);
	object_put(object);
}

static void no_memory_for_objects(void)
{
	static char text[3 * PAGE_SIZE];
	struct object *object = object_create(FAR, NULL);

	frames_fail_nth(1);
	TRUE(object_create(1, NULL) == NULL);
	for (u64 nth = 1; nth <= 4; nth++) { /* tables that were made stay, for the next time */
		frames_fail_nth(nth);
		EQUAL(object_write(object, FAR - PAGE_SIZE, text, 1), -ENOMEM);
		EQUAL(object->pages, 0);
	}
	frames_fail_from(4); /* behind the last table and two pages */
	EQUAL(object_write(object, FAR - 3 * PAGE_SIZE, text, sizeof(text)), 2 * PAGE_SIZE);
	frames_fail_nth(0);
	object_put(object);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{"blocks of each order", blocks_of_each_order},
		{"all frames, and all back", all_frames},
		{"frames for files run out first", frames_for_files_run_out_first},
		{"refused allocations", refusals},
		{"heap: every size", every_size},
		{"heap: extreme sizes", extreme_sizes},
		{"heap: no memory", no_memory_for_the_heap},
		{"objects: holes", holes},
		{"objects: their ends", ends_of_objects},
		{"objects: resizing", resizing},
		{"objects: pages that outlive them", pages_outlive_their_object},
		{"objects: no memory", no_memory_for_objects},
	};

	machine_start(FRAMES);
	return ktap_run(cases, ARRAY_SIZE(cases));
}
