/* What a process alone holds (mm_exclusive_bytes), in the pictures of mm/tree.h, and mm_reap(). Whether it is what the end
 * really frees after any history, random_test asks at each exit. */
#include <errno.h>

#include "mm/object.h"
#include "mm/tree.h"
#include "tests/host/ktap.h"
#include "tests/host/machine.h"

#define BASE  0x400000ul
#define RW    (PROT_READ | PROT_WRITE)
#define PAGES 20u
/* Root, PDPT, page directory, page table. */
#define PATH  4u

static struct mm *mm, *child;

static void begin(void)
{
	mm = mm_create();
	mm_map(mm, BASE, PAGES * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, NULL, 0);
	for (u64 i = 0; i < PAGES; i++)
		mm_fault(mm, BASE + i * PAGE_SIZE, ACCESS_WRITE);
}

static void leave(struct mm *which)
{
	EQUAL(mm_audit(), 0);
	machine_forget(which);
	mm_put(which);
	EQUAL(mm_audit(), 0);
}

static u64 exclusive(struct mm *which)
{
	frames_fail_from(1);
	u64 bytes = mm_exclusive_bytes(which);

	EQUAL(frames_refused(), 0); /* it asks for none */
	frames_fail_nth(0);
	EQUAL(bytes % PAGE_SIZE, 0);
	return bytes / PAGE_SIZE;
}

/* Both sides of a fork hold no more than the tables above the share level. */
static void shared(void)
{
	for (u32 level = SHARE_PAGES; level <= SHARE_PDPTS; level++) {
		begin();
		EQUAL(exclusive(mm), PATH + PAGES);
		EQUAL(mm_fork(mm, level, &child), 0);
		EQUAL(exclusive(mm), PATH - level);
		EQUAL(exclusive(child), PATH - level);
		mm_fault(child, BASE, ACCESS_WRITE);
		EQUAL(exclusive(child), PATH + 1); /* its own path, and one page */
		leave(mm);
		EQUAL(exclusive(child), PATH + PAGES);
		leave(child);
	}
}

static void zero_pages(void)
{
	begin();
	mm_advise(mm, BASE, PAGE_SIZE, MADV_DONTNEED);
	mm_fault(mm, BASE, ACCESS_READ);
	EQUAL(exclusive(mm), PATH + PAGES - 1);
	leave(mm);
}

static void map_object(struct mm *to, vaddr_t at, struct object *object)
{
	EQUAL(mm_map(to, at, 4 * PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, object, 0), at);
	mm_fault(to, at, ACCESS_WRITE);
}

/* Of a file's pages, none; of an object without an owner all, also those that no table of this mm points at, if nobody else
 * maps it. */
static void objects(void)
{
	struct object *file = object_create(4 * PAGE_SIZE, &file);
	struct object *alone = object_create(4 * PAGE_SIZE, NULL);
	struct page *page;

	begin();
	map_object(mm, BASE + PAGES * PAGE_SIZE, file);
	EQUAL(exclusive(mm), PATH + PAGES);
	map_object(mm, BASE + 40 * PAGE_SIZE, alone);
	EQUAL(object_page(alone, 2, &page), 0);
	page_put(page);
	EQUAL(exclusive(mm), PATH + PAGES); /* this test still has a ref */
	object_put(alone);
	EQUAL(exclusive(mm), PATH + PAGES + 2);
	EQUAL(mm_unmap(mm, BASE + 41 * PAGE_SIZE, PAGE_SIZE), 0); /* in two regions */
	EQUAL(exclusive(mm), PATH + PAGES + 2);
	EQUAL(mm_fork(mm, SHARE_PAGES, &child), 0);
	EQUAL(exclusive(mm), PATH); /* with one set of regions */
	EQUAL(mm_unmap(child, BASE, PAGE_SIZE), 0);
	EQUAL(exclusive(mm), PATH + 1); /* with two */
	EQUAL(mm_unmap(child, BASE + 40 * PAGE_SIZE, 4 * PAGE_SIZE), 0);
	EQUAL(exclusive(mm), PATH + 1 + 2);
	leave(child);
	leave(mm);
	EQUAL(file->refs, 1);
	object_put(file);
}

/* At once, without memory, and nobody else loses anything. */
static void reap(void)
{
	struct object *object = object_create(4 * PAGE_SIZE, NULL);

	begin();
	map_object(mm, BASE + 40 * PAGE_SIZE, object);
	object_put(object);
	u64 before = frames_free(), more = exclusive(mm);

	frames_fail_from(1);
	mm_reap(mm);
	EQUAL(frames_refused(), 0);
	frames_fail_nth(0);
	EQUAL(exclusive(mm), 1);
	EQUAL(frames_free() >= before + more - 1, true);
	EQUAL(mm_fault(mm, BASE, ACCESS_READ), -ENOMEM);
	EQUAL(mm_fork(mm, SHARE_PAGES, &child), -ENOMEM);
	leave(mm);

	begin();
	EQUAL(mm_fork(mm, SHARE_PDS, &child), 0);
	mm_reap(mm);
	EQUAL(mm_audit(), 0);
	EQUAL(exclusive(child), PATH + PAGES);
	EQUAL(mm_fault(child, BASE, ACCESS_WRITE), 0);
	leave(mm);
	leave(child);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{"shared at each level", shared},
		{"zero pages", zero_pages},
		{"objects", objects},
		{"reaped", reap},
	};

	machine_start(512);
	return ktap_run(cases, ARRAY_SIZE(cases));
}
