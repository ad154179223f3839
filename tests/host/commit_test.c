/* Promised memory (mm/commit.h): what each policy refuses to each change of regions, and that a refusal changes nothing. What
 * is counted after any history, random_test and exhaustive_test compare with their model. */
#include <errno.h>

#include "mm/commit.h"
#include "mm/map.h"
#include "mm/object.h"
#include "mm/tree.h"
#include "tests/host/ktap.h"
#include "tests/host/machine.h"

#define FRAMES  2048ul
#define BASE    0x400000ul
#define RW      (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define FIXED   (PRIVATE | MAP_FIXED)
#define LIMIT   100u /* pages, where nothing says otherwise */

static struct mm *mm;

static void set_limit(u64 pages)
{
	commit_policy = (struct commit_policy) {.mode = OVERCOMMIT_NEVER,
						.kbytes = pages << (PAGE_SHIFT - 10)};
}

static void begin(enum overcommit mode)
{
	set_limit(LIMIT);
	commit_policy.mode = mode;
	mm = mm_create();
	EQUAL(commit_total(), 0);
}

static void leave(struct mm *which)
{
	EQUAL(mm_audit(), 0);
	machine_forget(which);
	mm_put(which);
}

static void end(void)
{
	leave(mm);
	EQUAL(commit_total(), 0);
	EQUAL(mm_audit(), 0);
}

static i64 map(vaddr_t at, u64 pages, u32 prot, u32 flags)
{
	return mm_map(mm, at, pages * PAGE_SIZE, prot, flags, NULL, 0);
}

/* After a change with this result, so much is promised. */
static void promises(i64 result, i64 expected, u64 pages, int line)
{
	ktap_check(result == expected, __FILE__, line, "the result", result, expected);
	ktap_check(commit_total() == pages, __FILE__, line, "promised", (i64)commit_total(),
		   (i64)pages);
}

#define PROMISES(result, expected, pages) promises((i64)(result), (i64)(expected), pages, __LINE__)

/* Which regions are promises: private ones that were writable once. */
static void kinds(void)
{
	begin(OVERCOMMIT_GUESS);
	PROMISES(map(BASE, 10, RW, FIXED), BASE, 10);
	PROMISES(map(2 * BASE, 10, PROT_READ, FIXED), 2 * BASE, 10);
	PROMISES(map(3 * BASE, 10, RW, FIXED | MAP_NORESERVE), 3 * BASE, 10);
	PROMISES(mm_protect(mm, 2 * BASE + PAGE_SIZE, 3 * PAGE_SIZE, RW), 0, 13);
	PROMISES(mm_protect(mm, 2 * BASE, 10 * PAGE_SIZE, PROT_READ), 0, 13); /* once given */
	PROMISES(mm_protect(mm, 2 * BASE, 10 * PAGE_SIZE, RW), 0, 20);
	PROMISES(mm_unmap(mm, 2 * BASE + PAGE_SIZE, PAGE_SIZE), 0, 19);
	PROMISES(map(BASE + PAGE_SIZE, 2, PROT_READ, FIXED), BASE + PAGE_SIZE, 17);
	PROMISES(mm_advise(mm, BASE, PAGE_SIZE, MADV_DONTNEED), 0, 17);
	end();
}

/* A request is refused that is larger than memory; the sum of many is not. */
static void guess(void)
{
	begin(OVERCOMMIT_GUESS);
	u64 most = commit_memory();

	EQUAL(most, FRAMES);
	PROMISES(map(BASE, most + 1, RW, FIXED), -ENOMEM, 0);
	PROMISES(map(BASE, most + 1, PROT_READ, FIXED), BASE, 0);
	PROMISES(mm_protect(mm, BASE, (most + 1) * PAGE_SIZE, RW), -ENOMEM, 0);
	PROMISES(map(BASE, most, RW, FIXED), BASE, most);
	PROMISES(map(BASE, most, RW, FIXED), BASE, most); /* in its place */
	PROMISES(map(9 * BASE, most, RW, FIXED), 9 * BASE, 2 * most);
	PROMISES(mm_remap(mm, 9 * BASE, most * PAGE_SIZE, (2 * most + 1) * PAGE_SIZE, 0, 0),
		 -ENOMEM, 2 * most);
	end();
}

static void always(void)
{
	begin(OVERCOMMIT_ALWAYS);
	PROMISES(map(BASE, 9 * FRAMES, RW, FIXED), BASE, 9 * FRAMES);
	end();
}

/* Up to the limit and not a page more. */
static void never(void)
{
	begin(OVERCOMMIT_NEVER);
	PROMISES(map(BASE, LIMIT + 1, RW, FIXED), -ENOMEM, 0);
	PROMISES(map(BASE, LIMIT - 1, RW, FIXED | MAP_NORESERVE), BASE, LIMIT - 1);
	PROMISES(map(2 * BASE, 2, RW, FIXED), -ENOMEM, LIMIT - 1);
	PROMISES(map(2 * BASE, 2, PROT_READ, FIXED), 2 * BASE, LIMIT - 1);
	PROMISES(mm_protect(mm, 2 * BASE, 2 * PAGE_SIZE, RW), -ENOMEM, LIMIT - 1);
	PROMISES(mm_protect(mm, 2 * BASE, PAGE_SIZE, RW), 0, LIMIT);
	PROMISES(map(BASE, LIMIT, RW, FIXED), -ENOMEM, LIMIT); /* a page more than it frees */
	PROMISES(map(BASE, LIMIT - 1, RW, FIXED), BASE, LIMIT);
	PROMISES(mm_unmap(mm, BASE, PAGE_SIZE), 0, LIMIT - 1);
	end();
}

/* The second of two regions that mprotect makes writable is too much: neither is. */
static void protect_all_or_none(void)
{
	struct region region;

	begin(OVERCOMMIT_NEVER);
	map(BASE, 60, PROT_READ, FIXED);
	map(BASE + 60 * PAGE_SIZE, 60, PROT_NONE, FIXED);
	PROMISES(mm_protect(mm, BASE, 120 * PAGE_SIZE, RW), -ENOMEM, 0);
	EQUAL(mm_region_at(mm, BASE, &region), true);
	EQUAL(region.prot, PROT_READ);
	end();
}

static void heap(void)
{
	begin(OVERCOMMIT_NEVER);
	mm->brk_start = mm->brk = BASE;
	PROMISES(mm_brk(mm, BASE + (LIMIT + 1) * PAGE_SIZE), BASE, 0);
	PROMISES(mm_brk(mm, BASE + LIMIT * PAGE_SIZE), BASE + LIMIT * PAGE_SIZE, LIMIT);
	PROMISES(mm_brk(mm, BASE + 1), BASE + 1, 1);
	end();
}

static void stack(void)
{
	begin(OVERCOMMIT_NEVER);
	vaddr_t top = 16 * BASE;

	PROMISES(map(top - PAGE_SIZE, 1, RW, FIXED | MAP_GROWSDOWN), top - PAGE_SIZE, 1);
	PROMISES(mm_fault(mm, top - LIMIT * PAGE_SIZE, ACCESS_WRITE), 0, LIMIT);
	PROMISES(mm_fault(mm, top - LIMIT * PAGE_SIZE - 1, ACCESS_WRITE), -EFAULT, LIMIT);
	end();
}

static void remap(void)
{
	const u64 page = PAGE_SIZE;

	begin(OVERCOMMIT_NEVER);
	map(BASE, 40, RW, FIXED);
	PROMISES(mm_remap(mm, BASE, 40 * page, 101 * page, MREMAP_MAYMOVE, 0), -ENOMEM, 40);
	PROMISES(mm_remap(mm, BASE, 40 * page, 50 * page, 0, 0), BASE, 50); /* in place */
	PROMISES(mm_remap(mm, BASE, 50 * page, 60 * page, MREMAP_MAYMOVE | MREMAP_FIXED, 2 * BASE),
		 2 * BASE, 60);
	PROMISES(mm_remap(mm, 2 * BASE, 60 * page, 60 * page, MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
			  3 * BASE),
		 -ENOMEM, 60);
	PROMISES(mm_remap(mm, 2 * BASE, 60 * page, 20 * page, 0, 0), 2 * BASE, 20);
	PROMISES(mm_remap(mm, 2 * BASE, 20 * page, 20 * page, MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
			  3 * BASE),
		 3 * BASE, 40); /* the old one stays, empty */
	end();
}

static void forks(void)
{
	struct mm *child;

	begin(OVERCOMMIT_NEVER);
	map(BASE, 51, RW, FIXED);
	PROMISES(mm_fork(mm, SHARE_PDPTS, &child), -ENOMEM, 51);
	PROMISES(mm_advise(mm, BASE, 2 * PAGE_SIZE, MADV_DONTFORK), 0, 51);
	PROMISES(mm_fork(mm, SHARE_PDPTS, &child), 0, 100);
	PROMISES(mm_unmap(child, BASE + 2 * PAGE_SIZE, 9 * PAGE_SIZE), 0, 91);
	leave(child);
	EQUAL(commit_total(), 51);

	/* By guess, two regions that have become one are too large for a child, as on Linux. */
	commit_policy.mode = OVERCOMMIT_GUESS;
	map(9 * BASE, FRAMES, RW, FIXED);
	PROMISES(mm_fork(mm, SHARE_PAGES, &child), 0, 2 * (51 + FRAMES) - 2);
	leave(child);
	map(9 * BASE + FRAMES * PAGE_SIZE, 1, RW, FIXED);
	PROMISES(mm_fork(mm, SHARE_PAGES, &child), -ENOMEM, 52 + FRAMES);
	end();
}

static void objects(void)
{
	begin(OVERCOMMIT_NEVER);
	struct object *large = object_create((LIMIT + 1) * PAGE_SIZE, NULL);
	struct object *object = object_create(40 * PAGE_SIZE - 1, NULL);

	PROMISES(object_promise(large), -ENOMEM, 0);
	object_put(large);
	PROMISES(object_promise(object), 0, 40);
	PROMISES(mm_map(mm, BASE, 40 * PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, object, 0), BASE, 40);
	object_put(object);
	EQUAL(commit_total(), 40);
	PROMISES(mm_unmap(mm, BASE, 39 * PAGE_SIZE), 0, 40);
	PROMISES(mm_unmap(mm, BASE, 40 * PAGE_SIZE), 0, 0);
	end();
}

/* What percent of memory, and in kB, which is then all that counts. */
static void limits(void)
{
	commit_policy = (struct commit_policy) {.mode = OVERCOMMIT_NEVER, .ratio = 50};
	EQUAL(commit_limit(), FRAMES / 2);
	commit_policy.ratio = 300;
	EQUAL(commit_limit(), 3 * FRAMES);
	commit_policy.kbytes = 43;
	EQUAL(commit_limit(), 10);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{"kinds of regions", kinds},
		{"mode 0: by guess", guess},
		{"mode 1: always", always},
		{"mode 2: never", never},
		{"mprotect of several regions", protect_all_or_none},
		{"brk", heap},
		{"stack growth", stack},
		{"mremap", remap},
		{"fork", forks},
		{"anonymous shared memory", objects},
		{"the limit", limits},
	};

	machine_start(FRAMES);
	return ktap_run(cases, ARRAY_SIZE(cases));
}
