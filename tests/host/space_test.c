/* Address spaces by themselves: the errors of their calls, and shapes that the random operations do not come upon. */
#include <errno.h>

#include "mm/map.h"
#include "mm/object.h"
#include "mm/tree.h"
#include "tests/host/ktap.h"
#include "tests/host/machine.h"

#define FRAMES  8192
#define BASE    0x400000ul
#define RW      (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define FIXED   (PRIVATE | MAP_FIXED)

#define STACK_LIMIT (8ul << 20)

static struct mm *mm;
static struct object *file;
static u64 frames_before;

static void begin(void)
{
	frames_before = frames_free();
	mm = mm_create();
}

/* Ends an address space. */
static void leave(struct mm *which)
{
	EQUAL(mm_audit(), 0);
	machine_forget(which);
	mm_put(which);
}

static void end(void)
{
	leave(mm);
	EQUAL(mm_audit(), 0);
	EQUAL(frames_free(), frames_before);
}

static void map(vaddr_t at, u64 pages, u32 prot)
{
	EQUAL(mm_map(mm, at, pages * PAGE_SIZE, prot, FIXED, NULL, 0), at);
}

static void write_word(struct mm *to, vaddr_t at, u64 value)
{
	char *page = NULL;

	EQUAL(machine_access(to, at, ACCESS_WRITE, &page), 0);
	if (page)
		*(u64 *)page = value;
}

static u64 read_word(struct mm *from, vaddr_t at)
{
	char *page = NULL;

	EQUAL(machine_access(from, at, ACCESS_READ, &page), 0);
	return page ? *(u64 *)page : ~0ul;
}

/* ---- Errors ---- */

static void errors_of_map(void)
{
	begin();
	EQUAL(mm_map(mm, BASE, 0, RW, FIXED, NULL, 0), -EINVAL);
	EQUAL(mm_map(mm, BASE, 1, RW, FIXED, NULL, 1), -EINVAL);
	EQUAL(mm_map(mm, BASE, USER_END + 1, RW, FIXED, NULL, 0), -ENOMEM);
	EQUAL(mm_map(mm, BASE + 1, 1, RW, FIXED, NULL, 0), -EINVAL);
	EQUAL(mm_map(mm, USER_START - PAGE_SIZE, 1, RW, FIXED, NULL, 0), -EPERM);
	EQUAL(mm_map(mm, USER_END - PAGE_SIZE, 2 * PAGE_SIZE, RW, FIXED, NULL, 0), -ENOMEM);
	EQUAL(mm_map(mm, ~0ul << PAGE_SHIFT, 1, RW, FIXED, NULL, 0), -ENOMEM);
	EQUAL(mm_map(mm, 0, MMAP_TOP - PAGE_SIZE, RW, PRIVATE, NULL, 0), -ENOMEM);
	/* A hint may be anything. */
	EQUAL(mm_map(mm, BASE + 1, 1, RW, PRIVATE, NULL, 0), BASE);
	EQUAL(mm_map(mm, 0, 1, RW, PRIVATE, NULL, 0), MMAP_TOP - PAGE_SIZE);
	EQUAL(mm_map(mm, ~0ul, 1, RW, PRIVATE, NULL, 0), MMAP_TOP - 2 * PAGE_SIZE);
	EQUAL(mm_map(mm, 0, MMAP_TOP - BASE, RW, PRIVATE, NULL, 0), -ENOMEM);
	EQUAL(mm_map(mm, 0, USER_END, RW, PRIVATE, NULL, 0), -ENOMEM);
	end();
}

static void errors_of_unmap_and_protect(void)
{
	begin();
	map(BASE, 2, RW);
	EQUAL(mm_unmap(mm, BASE + 1, PAGE_SIZE), -EINVAL);
	EQUAL(mm_unmap(mm, BASE, 0), -EINVAL);
	EQUAL(mm_unmap(mm, BASE, ~0ul), -EINVAL);
	EQUAL(mm_unmap(mm, 2 * BASE, PAGE_SIZE), 0);
	EQUAL(mm_protect(mm, BASE + 1, PAGE_SIZE, PROT_READ), -EINVAL);
	EQUAL(mm_protect(mm, BASE, 0, PROT_READ), 0);
	EQUAL(mm_protect(mm, BASE, ~0ul, PROT_READ), -ENOMEM);
	EQUAL(mm_protect(mm, BASE, 3 * PAGE_SIZE, PROT_READ), -ENOMEM);
	EQUAL(mm_fault(mm, BASE, ACCESS_WRITE), -EACCES); /* what lies below the hole is done */
	end();
}

static void errors_of_remap(void)
{
	const u64 page = PAGE_SIZE;
	const u32 fixed = MREMAP_MAYMOVE | MREMAP_FIXED;

	begin();
	map(BASE, 2, RW);
	EQUAL(mm_remap(mm, BASE, page, 0, 0, 0), -EINVAL);
	EQUAL(mm_remap(mm, BASE, page, USER_END + 1, 0, 0), -ENOMEM);
	EQUAL(mm_remap(mm, BASE, 0, page, MREMAP_MAYMOVE, 0), -EINVAL);
	EQUAL(mm_remap(mm, BASE + 1, page, page, 0, 0), -EINVAL);
	EQUAL(mm_remap(mm, BASE, page, page, 8, 0), -EINVAL);
	EQUAL(mm_remap(mm, BASE, page, page, MREMAP_FIXED, 2 * BASE), -EINVAL);
	EQUAL(mm_remap(mm, BASE, page, page, MREMAP_DONTUNMAP, 0), -EINVAL);
	EQUAL(mm_remap(mm, BASE, page, page, fixed, BASE), -EINVAL);
	EQUAL(mm_remap(mm, BASE, page, page, fixed, 2 * BASE + 1), -EINVAL);
	EQUAL(mm_remap(mm, BASE, page, 2 * page, fixed, USER_END - page), -EINVAL);
	EQUAL(mm_remap(mm, BASE, page, 2 * page, fixed, ~0ul << PAGE_SHIFT), -EINVAL);
	EQUAL(mm_remap(mm, BASE, page, page, fixed, USER_START - page), -EPERM);
	EQUAL(mm_remap(mm, BASE, page, MMAP_TOP, MREMAP_MAYMOVE, 0), -ENOMEM);
	EQUAL(mm_remap(mm, BASE, 2 * page, USER_END, 0, 0), -ENOMEM); /* beyond the end */
	EQUAL(mm_remap(mm, BASE, page, 2 * page, 0, 0), -ENOMEM);     /* not at its region's end */
	EQUAL(mm_remap(mm, 2 * BASE, page, page, 0, 0), -EFAULT);
	EQUAL(mm_remap(mm, USER_END, page, page, 0, 0), -EFAULT);
	EQUAL(mm_remap(mm, BASE, USER_END, page, 0, 0), -EINVAL); /* a tail beyond the end */
	EQUAL(mm_remap(mm, BASE, 2 * page, 1, 0, 0), BASE);
	EQUAL(mm_resident(mm, BASE + page), -ENOMEM);
	end();
}

static void errors_of_advise(void)
{
	begin();
	map(BASE, 2, RW);
	EQUAL(mm_advise(mm, BASE + 1, PAGE_SIZE, MADV_DONTNEED), -EINVAL);
	EQUAL(mm_advise(mm, BASE, 0, MADV_DONTNEED), 0);
	EQUAL(mm_advise(mm, BASE, ~0ul, MADV_DONTNEED), -EINVAL);
	EQUAL(mm_advise(mm, BASE, USER_END, MADV_DONTNEED), -ENOMEM);
	for (u32 hint = 0; hint < MADV_DONTNEED; hint++)
		EQUAL(mm_advise(mm, BASE, PAGE_SIZE, hint), 0);
	EQUAL(mm_advise(mm, BASE, PAGE_SIZE, MADV_DONTDUMP), 0);
	EQUAL(mm_advise(mm, BASE, PAGE_SIZE, 5), -EINVAL);
	EQUAL(mm_advise(mm, BASE, PAGE_SIZE, 9), -EINVAL);
	EQUAL(mm_advise(mm, BASE, PAGE_SIZE, 100), -EINVAL);
	EQUAL(mm_advise(mm, BASE, PAGE_SIZE, 1000), -EINVAL);
	end();
}

static void errors_of_brk(void)
{
	begin();
	mm->brk_start = mm->brk = BASE;
	EQUAL(mm_brk(mm, 0), BASE);
	EQUAL(mm_brk(mm, USER_END + 1), BASE);
	EQUAL(mm_brk(mm, MMAP_TOP + 1), BASE);
	EQUAL(mm_brk(mm, BASE + 1), BASE + 1);
	write_word(mm, BASE, 1);
	EQUAL(mm_brk(mm, BASE + 2), BASE + 2); /* within the page */
	EQUAL(read_word(mm, BASE), 1);
	map(BASE + 3 * PAGE_SIZE, 1, RW);
	EQUAL(mm_brk(mm, BASE + 2 * PAGE_SIZE + 1),
	      BASE + 2); /* a page stays free below a mapping */
	EQUAL(mm_brk(mm, BASE + 2 * PAGE_SIZE), BASE + 2 * PAGE_SIZE);
	EQUAL(mm_brk(mm, BASE), BASE);
	EQUAL(mm_resident(mm, BASE), -ENOMEM);
	end();
}

/* ---- The tables, as a walk shows them ---- */

static struct node_info seen[16];
static u32 seen_count, seen_most;

static bool see(void *context, const struct node_info *node)
{
	EQUAL(context == &seen_count, true);
	seen[seen_count++] = *node;
	return seen_count < seen_most;
}

static void walk(struct mm *of, u32 most)
{
	seen_count = 0;
	seen_most = most;
	mm_walk(of, see, &seen_count);
}

/* ---- Shapes ---- */

/* A table that is full is copied without being cleared first. */
static void full_tables(void)
{
	struct mm *child;

	begin();
	map(BASE, ENTRIES, RW);
	for (u64 i = 0; i < ENTRIES; i++)
		write_word(mm, BASE + i * PAGE_SIZE, i + 1);
	EQUAL(mm_fork(mm, SHARE_AUTO, &child), 0);
	write_word(child, BASE, 1000);
	for (u64 i = 1; i < ENTRIES; i++)
		EQUAL(read_word(child, BASE + i * PAGE_SIZE), i + 1);
	EQUAL(read_word(child, BASE), 1000);
	EQUAL(read_word(mm, BASE), 1);
	leave(child);
	end();
}

/* More pages that others point at than wait for one flush. */
static void many_shared_pages(void)
{
	struct mm *child;

	begin();
	map(BASE, ENTRIES, RW);
	for (u64 i = 0; i < ENTRIES; i++)
		write_word(mm, BASE + i * PAGE_SIZE, i + 1);
	EQUAL(mm_fork(mm, SHARE_PAGES, &child), 0);
	EQUAL(mm_unmap(child, BASE + PAGE_SIZE, (ENTRIES - 2) * PAGE_SIZE), 0);
	EQUAL(mm_audit(), 0);
	write_word(mm, BASE + 5 * PAGE_SIZE, 1000); /* its own again: not copied */
	EQUAL(read_word(child, BASE), 1);
	EQUAL(read_word(mm, BASE + 5 * PAGE_SIZE), 1000);
	leave(child);
	end();
}

/* Who looks at an address space keeps it, and its objects, whatever its owner does. */
static void users(void)
{
	struct mm *second;
	u32 count = 0;

	begin();
	file = object_create(PAGE_SIZE, &file);
	for (struct object *object = object_next(NULL); object; object = object_next(object))
		count++;
	EQUAL(count, 1);
	second = mm_create();
	mm_get(second);
	mm_put(second);
	EQUAL(mm_next(NULL) == mm, true);
	mm_put(mm);
	EQUAL(mm_next(mm) == second, true);
	mm_put(second);
	EQUAL(mm_next(second) == NULL, true);
	leave(second);
	object_put(file);
	end();
}

/* As many regions as there may be, one page each. */
static void most_regions(void)
{
	begin();
	for (u64 i = 0; i <= max_regions; i++) /* one more than the limit, as on Linux */
		map(BASE + i * PAGE_SIZE, 1, i % 2 ? RW : PROT_READ);
	EQUAL(mm->regions->count, max_regions + 1);
	EQUAL(mm_map(mm, 0, PAGE_SIZE, RW, PRIVATE, NULL, 0), -ENOMEM);
	EQUAL(mm_unmap(mm, BASE + max_regions * PAGE_SIZE, PAGE_SIZE), 0);
	EQUAL(mm_unmap(mm, BASE + (max_regions - 1) * PAGE_SIZE, PAGE_SIZE), 0);
	EQUAL(mm_map(mm, 0, PAGE_SIZE, RW, PRIVATE, NULL, 0), MMAP_TOP - PAGE_SIZE);
	EQUAL(mm_remap(mm, MMAP_TOP - PAGE_SIZE, PAGE_SIZE, PAGE_SIZE,
		       MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0),
	      -ENOMEM);
	end();
}

static void stack_growth(void)
{
	const vaddr_t top = 0x40000000, guard = 256 * PAGE_SIZE;

	begin();
	mm_set_limits(mm, &(struct mm_limits) {MM_UNLIMITED, MM_UNLIMITED, STACK_LIMIT});
	EQUAL(mm_map(mm, top - PAGE_SIZE, PAGE_SIZE, RW, FIXED | MAP_GROWSDOWN, NULL, 0),
	      top - PAGE_SIZE);
	write_word(mm, top - STACK_LIMIT / 2, 1);
	EQUAL(mm_fault(mm, top - STACK_LIMIT - 1, ACCESS_WRITE), -EFAULT);
	map(top - STACK_LIMIT, 1, RW);
	EQUAL(mm_fault(mm, top - STACK_LIMIT + guard, ACCESS_WRITE), -EFAULT);
	write_word(mm, top - STACK_LIMIT + guard + PAGE_SIZE, 2);
	EQUAL(mm_fault(mm, top, ACCESS_WRITE), -EFAULT); /* nothing above */
	TRUE(stack_grow(mm, top - PAGE_SIZE));           /* somebody else was faster */
	end();
}

/* What lies within one region splits it: not beyond the limit, and then nothing has changed. */
static void splits_at_the_limit(void)
{
	const u32 before = max_regions;

	begin();
	map(BASE, 8, RW);
	max_regions = 1;
	EQUAL(mm_unmap(mm, BASE + PAGE_SIZE, PAGE_SIZE), -ENOMEM);
	EQUAL(mm_protect(mm, BASE, PAGE_SIZE, PROT_READ), -ENOMEM);
	EQUAL(mm_advise(mm, BASE, PAGE_SIZE, MADV_DONTFORK), -EAGAIN);
	EQUAL(mm_lock(mm, BASE, PAGE_SIZE, MAP_LOCKED), -ENOMEM);
	EQUAL(mm_map(mm, BASE + PAGE_SIZE, PAGE_SIZE, PROT_READ, FIXED, NULL, 0), -ENOMEM);
	EQUAL(mm_remap(mm, BASE, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, 2 * BASE),
	      -ENOMEM);
	EQUAL(mm->regions->count, 1);
	EQUAL(mm_protect(mm, BASE, 8 * PAGE_SIZE, PROT_READ), 0); /* needs no more regions */
	EQUAL(mm_unmap(mm, BASE, PAGE_SIZE), 0);
	max_regions = before;
	end();
}

static void limit(u64 pages, u64 data_pages)
{
	mm_set_limits(mm, &(struct mm_limits) {pages * PAGE_SIZE + 1, data_pages * PAGE_SIZE,
					       STACK_LIMIT});
}

static void limits_of_the_address_space(void)
{
	const vaddr_t top = 0x40000000;

	begin();
	mm->brk_start = mm->brk = 4 * BASE;
	map(BASE, 2, RW);
	EQUAL(mm_map(mm, top, PAGE_SIZE, RW, FIXED | MAP_GROWSDOWN, NULL, 0), top);
	limit(4, 100);
	EQUAL(mm_map(mm, 0, 2 * PAGE_SIZE, RW, PRIVATE, NULL, 0), -ENOMEM);
	EQUAL(mm_brk(mm, 4 * BASE + 2 * PAGE_SIZE), 4 * BASE);
	EQUAL(mm_remap(mm, BASE, PAGE_SIZE, 3 * PAGE_SIZE, MREMAP_MAYMOVE, 0), -ENOMEM);
	EQUAL(mm_remap(mm, BASE, 2 * PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
		       0),
	      -ENOMEM);
	EQUAL(mm_fault(mm, top - 2 * PAGE_SIZE, ACCESS_WRITE), -EFAULT);
	map(BASE, 3, RW); /* what it replaces does not count */
	EQUAL(mm_fault(mm, top - PAGE_SIZE, ACCESS_WRITE), -EFAULT);
	EQUAL(mm_unmap(mm, BASE, PAGE_SIZE), 0);
	EQUAL(mm_fault(mm, top - PAGE_SIZE, ACCESS_WRITE), 0);
	end();
}

static void limits_of_data(void)
{
	begin();
	map(BASE, 2, RW);
	map(BASE + 2 * PAGE_SIZE, 4, PROT_READ);
	limit(100, 3);
	EQUAL(mm_map(mm, 0, 2 * PAGE_SIZE, RW, PRIVATE, NULL, 0), -ENOMEM);
	EQUAL(mm_map(mm, 0, 2 * PAGE_SIZE, PROT_READ, PRIVATE, NULL, 0), MMAP_TOP - 2 * PAGE_SIZE);
	EQUAL(mm_protect(mm, BASE, 4 * PAGE_SIZE, RW), -ENOMEM);
	EQUAL(mm_protect(mm, BASE, 3 * PAGE_SIZE, RW), 0);
	EQUAL(mm_protect(mm, BASE, 3 * PAGE_SIZE, RW), 0);
	end();
}

static void locks(void)
{
	begin();
	map(BASE, 3, RW);
	map(BASE + 4 * PAGE_SIZE, 1, PROT_NONE);
	EQUAL(mm_lock(mm, BASE, ~0ul - BASE + 2, MAP_LOCKED), -EINVAL);
	EQUAL(mm_lock(mm, BASE, 0, MAP_LOCKED), 0);
	EQUAL(mm_lock(mm, BASE + 1, PAGE_SIZE, MAP_LOCKED), 0); /* two pages */
	EQUAL(mm_resident(mm, BASE + PAGE_SIZE), 1);
	EQUAL(mm_resident(mm, BASE + 2 * PAGE_SIZE), 0);
	EQUAL(mm_lock(mm, BASE, 5 * PAGE_SIZE, MAP_LOCKED), -ENOMEM);
	EQUAL(mm_lock(mm, BASE + 4 * PAGE_SIZE, PAGE_SIZE, MAP_LOCKED), -ENOMEM);
	EQUAL(mm_lock_all(mm, false, 0, MAP_LOCKED), 0);
	EQUAL(mm_map(mm, 2 * BASE, PAGE_SIZE, RW, FIXED, NULL, 0), 2 * BASE);
	EQUAL(mm_resident(mm, 2 * BASE), 1);
	mm->brk_start = mm->brk = 4 * BASE;
	EQUAL(mm_brk(mm, 4 * BASE + PAGE_SIZE), 4 * BASE + PAGE_SIZE);
	EQUAL(mm_resident(mm, 4 * BASE), 1);
	EQUAL(mm_remap(mm, 2 * BASE, PAGE_SIZE, 2 * PAGE_SIZE, 0, 0), 2 * BASE);
	EQUAL(mm_resident(mm, 2 * BASE + PAGE_SIZE), 1);
	EQUAL(mm_lock_all(mm, true, MAP_LOCKED, 0), 0);
	EQUAL(mm_advise(mm, BASE, PAGE_SIZE, MADV_PAGEOUT), -EINVAL);
	EQUAL(mm_advise(mm, BASE, PAGE_SIZE, MADV_DONTNEED_LOCKED), 0);
	EQUAL(mm_resident(mm, BASE), 0);
	end();
}

/* PROT_GROWSDOWN reaches from the start of the stack. */
static void protects_down_to_the_start_of_a_stack(void)
{
	begin();
	EQUAL(mm_map(mm, BASE, 3 * PAGE_SIZE, RW, FIXED | MAP_GROWSDOWN, NULL, 0), BASE);
	map(BASE + 3 * PAGE_SIZE, 1, RW);
	EQUAL(mm_protect(mm, BASE + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_GROWSDOWN), 0);
	EQUAL(mm_fault(mm, BASE, ACCESS_WRITE), -EACCES);
	EQUAL(mm_protect(mm, BASE + 3 * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_GROWSDOWN), -EINVAL);
	EQUAL(mm_protect(mm, 2 * BASE, PAGE_SIZE, PROT_READ | PROT_GROWSDOWN), -ENOMEM);
	end();
}

/* ---- Objects under their mappings ---- */

static i64 map_file(vaddr_t at, u32 flags)
{
	return mm_map(mm, at, 4 * PAGE_SIZE, RW, flags | MAP_FIXED, file, 0);
}

static void begin_with_file(void)
{
	begin();
	file = object_create(4 * PAGE_SIZE, &file);
	EQUAL(map_file(BASE, MAP_SHARED), BASE);
	for (u64 i = 0; i < 4; i++)
		write_word(mm, BASE + i * PAGE_SIZE, i + 1);
}

static void end_with_file(void)
{
	leave(mm);
	object_put(file);
	EQUAL(mm_audit(), 0);
	EQUAL(frames_free(), frames_before);
}

static void punch(u64 offset, u64 length)
{
	write_lock(&file->mappers);
	object_punch(file, offset, length);
	write_unlock(&file->mappers);
}

static void holes(void)
{
	begin_with_file();
	punch(1, 7); /* within one word */
	EQUAL(read_word(mm, BASE), 1);
	punch(0, 8);
	EQUAL(read_word(mm, BASE), 0);
	punch(PAGE_SIZE - 1,
	      PAGE_SIZE + 2); /* the end of one, all of the next, the start of another */
	EQUAL(file->pages, 3);
	EQUAL(read_word(mm, BASE + PAGE_SIZE), 0);
	EQUAL(read_word(mm, BASE + 2 * PAGE_SIZE), 0x300000000 >> 32 & ~0xfful);
	punch(8 * PAGE_SIZE, PAGE_SIZE);
	EQUAL(mm_advise(mm, BASE + 3 * PAGE_SIZE, PAGE_SIZE, MADV_REMOVE), 0);
	EQUAL(read_word(mm, BASE + 3 * PAGE_SIZE), 0);
	map(2 * BASE, 1, RW);
	EQUAL(mm_advise(mm, 2 * BASE, PAGE_SIZE, MADV_REMOVE), -EINVAL);
	EQUAL(mm_advise(mm, 2 * BASE, 2 * PAGE_SIZE, MADV_REMOVE), -EINVAL);
	EQUAL(mm_advise(mm, BASE + 2 * PAGE_SIZE, 4 * PAGE_SIZE, MADV_REMOVE), -ENOMEM);
	EQUAL(read_word(mm, BASE + 2 * PAGE_SIZE), 0); /* what is around a gap is done */
	EQUAL(mm_advise(mm, 4 * BASE, PAGE_SIZE, MADV_REMOVE), -ENOMEM);
	EQUAL(mm_protect(mm, BASE, PAGE_SIZE, PROT_READ), 0);
	EQUAL(mm_advise(mm, BASE, PAGE_SIZE, MADV_REMOVE), -EACCES);
	end_with_file();
}

/* A hole over a whole table of private mappings leaves what was written there. */
static void holes_over_whole_tables(void)
{
	begin();
	file = object_create(2ul * ENTRIES * PAGE_SIZE, &file);
	EQUAL(mm_map(mm, BASE, 2ul * ENTRIES * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, file, 0),
	      BASE);
	write_word(mm, BASE + 5 * PAGE_SIZE, 5);
	read_word(mm, BASE + 6 * PAGE_SIZE);
	read_word(mm, BASE + ENTRIES * PAGE_SIZE);
	punch(0, 2ul * ENTRIES * PAGE_SIZE);
	EQUAL(file->pages, 0);
	walk(mm, ARRAY_SIZE(seen));
	EQUAL(seen_count, 4); /* the second PTE table was left empty */
	EQUAL(read_word(mm, BASE + 5 * PAGE_SIZE), 5);
	EQUAL(read_word(mm, BASE + 6 * PAGE_SIZE), 0);
	end_with_file();
}

static void fills(void)
{
	begin_with_file();
	EQUAL(object_fill(file, 2, 6), 0); /* two there, two beyond the end */
	EQUAL(file->pages, 6);
	EQUAL(object_mapped(file), 4);
	frames_fail_nth(1);
	EQUAL(object_fill(file, 8, 9), -ENOMEM);
	frames_fail_nth(0);
	end_with_file();
}

/* A second mapping of shared memory, by mremap of nothing. */
static void second_mappings(void)
{
	begin_with_file();
	EQUAL(mm_remap(mm, BASE + PAGE_SIZE, 0, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       2 * BASE),
	      2 * BASE);
	EQUAL(read_word(mm, 2 * BASE), 2);
	write_word(mm, 2 * BASE, 7);
	EQUAL(read_word(mm, BASE + PAGE_SIZE), 7);
	EQUAL(mm_remap(mm, BASE, 0, PAGE_SIZE, 0, 0), -ENOMEM);
	EQUAL(mm_remap(mm, BASE, 0, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, BASE), -EFAULT);
	EQUAL(read_word(mm, BASE), 1);
	end_with_file();
}

/* ---- Looking ---- */

static u64 pss_of(struct mm *of, vaddr_t at)
{
	struct region_usage usage;
	struct region region;

	TRUE(mm_region_usage(of, at, &region, &usage));
	if (region.object)
		object_put(region.object);
	return (u64)(usage.pss / (PSS_PAGE / 1000));
}

/* In thousandths of a page: what several share is divided by whoever points, on every level. */
static void shares(void)
{
	struct mm *first, *second;

	begin();
	map(BASE, 2, RW);
	write_word(mm, BASE, 1);
	write_word(mm, BASE + PAGE_SIZE, 1);
	EQUAL(pss_of(mm, BASE), 2000);
	EQUAL(mm_fork(mm, SHARE_PTES, &first), 0);
	EQUAL(pss_of(mm, BASE), 1000);
	EQUAL(mm_fork(mm, SHARE_PDPTS, &second), 0);
	EQUAL(pss_of(mm, BASE) + pss_of(first, BASE) + pss_of(second, BASE), 2000);
	write_word(first, BASE, 2); /* a table of its own, and a page */
	EQUAL(pss_of(first, BASE), 1500);
	EQUAL(pss_of(mm, BASE), 750);
	leave(first);
	leave(second);
	EQUAL(pss_of(mm, BASE), 2000);
	end();
}

/* The object's hold is no mapping. */
static void shares_of_files(void)
{
	struct region_usage usage;
	struct region region;

	begin_with_file();
	EQUAL(pss_of(mm, BASE), 4000);
	EQUAL(map_file(2 * BASE, MAP_PRIVATE), 2 * BASE);
	read_word(mm, 2 * BASE);
	write_word(mm, 2 * BASE + PAGE_SIZE, 9);
	EQUAL(pss_of(mm, BASE), 3500);
	EQUAL(pss_of(mm, 2 * BASE), 1500);
	TRUE(mm_region_usage(mm, 2 * BASE, &region, &usage));
	object_put(region.object);
	EQUAL(usage.resident, 2);
	EQUAL(usage.cached, 1);
	EQUAL(usage.private_dirty, 1);
	EQUAL(usage.shared_clean, 1);
	EQUAL(usage.referenced, 2);
	TRUE(!mm_region_usage(mm, USER_END - 1, &region, &usage));
	end_with_file();
}

static void single_pages(void)
{
	struct page_info info;
	char text[16] = {0};
	struct mm *child;

	begin_with_file();
	map(2 * BASE, 2, RW);
	write_word(mm, 2 * BASE, 5);
	mm_page_info(mm, 2 * BASE, &info);
	TRUE(info.present && info.exclusive && !info.cached);
	mm_page_info(mm, 2 * BASE + PAGE_SIZE, &info);
	TRUE(!info.present && !info.exclusive);
	read_word(mm, 2 * BASE + PAGE_SIZE);
	mm_page_info(mm, 2 * BASE + PAGE_SIZE, &info);
	TRUE(info.present && !info.exclusive && !info.cached); /* the zero page */
	mm_page_info(mm, BASE, &info);
	TRUE(info.present && info.exclusive && info.cached);
	mm_page_info(mm, 8 * BASE, &info);
	TRUE(!info.present);
	EQUAL(mm_fork(mm, SHARE_PDPTS, &child), 0);
	mm_page_info(mm, 2 * BASE, &info);
	TRUE(info.present && !info.exclusive);
	EQUAL(mm_peek(child, 2 * BASE, text, sizeof(text)), sizeof(text));
	EQUAL(*(u64 *)text, 5);
	EQUAL(mm_peek(mm, 2 * BASE - 1, text, 2), 0);
	EQUAL(mm_peek(mm, BASE + 4 * PAGE_SIZE - 3, text, 8), 3); /* as far as pages are there */
	EQUAL(mm_peek(mm, USER_END, text, 1), 0);
	leave(child);
	end_with_file();
}

/* Three pages in two PTE tables, the zero page among them: root, PDPT, PD and two PTE tables are walked. */
static void begin_with_three_pages(void)
{
	begin();
	map(BASE - PAGE_SIZE, 3, RW);
	write_word(mm, BASE - PAGE_SIZE, 1);
	write_word(mm, BASE, 2);
	read_word(mm, BASE + PAGE_SIZE);
}

static void walks(void)
{
	struct mm *child;

	begin_with_three_pages();
	EQUAL(mm_fork(mm, SHARE_PTES, &child), 0);
	write_word(child, BASE, 3);
	walk(child, ARRAY_SIZE(seen));
	EQUAL(seen_count, 5);
	for (u32 i = 0; i < 5; i++) {
		EQUAL(seen[i].level, i < 4 ? 4 - i : 1);
		EQUAL(seen[i].start, i < 3 ? 0 : i == 3 ? BASE - 512 * PAGE_SIZE : BASE);
		EQUAL(seen[i].refs, i == 3 ? 2 : 1);
		EQUAL(seen[i].owned, i != 3);
	}
	EQUAL(seen[4].used, 2);
	EQUAL(seen[4].present, 1); /* the zero page is no page of its own */
	for (u32 most = 1; most < 5; most++) {
		walk(mm, most);
		EQUAL(seen_count, most);
	}
	leave(child);
	end();
}

static void walks_count_shared_pages(void)
{
	struct mm *child;

	begin_with_three_pages();
	EQUAL(mm_fork(mm, SHARE_PAGES, &child), 0);
	walk(mm, ARRAY_SIZE(seen));
	EQUAL(seen[4].shared_pages, 1);
	write_word(child, BASE, 3); /* a copy: both have their own now */
	walk(mm, ARRAY_SIZE(seen));
	EQUAL(seen[4].shared_pages, 0);
	leave(child);
	end();
}

static void sizes(void)
{
	struct mm *child;
	struct mm_usage usage;

	begin_with_three_pages();
	EQUAL(mm_fork(mm, SHARE_PDS, &child),
	      0); /* PTE tables with one pointer, in a PD with two */
	walk(mm, ARRAY_SIZE(seen));
	EQUAL(seen[2].refs, 2);
	EQUAL(seen[4].refs, 1);
	TRUE(!seen[4].owned);
	mm_usage(mm, &usage);
	EQUAL(usage.tables, 5);
	EQUAL(usage.tables_private, 2);
	EQUAL(usage.resident, 2);
	EQUAL(usage.mapped, 3);
	EQUAL(usage.data, 3);
	leave(child);
	end();
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{"errors of mmap", errors_of_map},
		{"errors of munmap and mprotect", errors_of_unmap_and_protect},
		{"errors of mremap", errors_of_remap},
		{"errors of madvise", errors_of_advise},
		{"errors of brk", errors_of_brk},
		{"full tables", full_tables},
		{"many shared pages", many_shared_pages},
		{"users", users},
		{"the most regions", most_regions},
		{"stack growth", stack_growth},
		{"splits at the limit of regions", splits_at_the_limit},
		{"limits of the address space", limits_of_the_address_space},
		{"limits of data", limits_of_data},
		{"locks", locks},
		{"PROT_GROWSDOWN", protects_down_to_the_start_of_a_stack},
		{"holes", holes},
		{"holes over whole tables", holes_over_whole_tables},
		{"fills", fills},
		{"second mappings", second_mappings},
		{"shares of pages", shares},
		{"shares of files", shares_of_files},
		{"single pages", single_pages},
		{"walks", walks},
		{"walks count shared pages", walks_count_shared_pages},
		{"sizes", sizes},
	};

	machine_start(FRAMES);
	return ktap_run(cases, ARRAY_SIZE(cases));
}
