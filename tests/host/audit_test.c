/*
 * The audit itself: each fault that it is there to find is made by hand in a healthy machine, must be found, and is
 * taken back. Without this, an audit that has gone blind would pass every other test.
 */
#include "mm/object.h"
#include "mm/region.h"
#include "mm/tree.h"
#include "tests/host/ktap.h"
#include "tests/host/machine.h"

#define BASE 0x400000ul
#define RW   (PROT_READ | PROT_WRITE)

static struct mm *parent, *child;
static struct object *file;

/* Two spaces that share the PTE table of a file mapping and of anonymous memory, and that have one each. */
static void begin(void)
{
	file = object_create(2 * PAGE_SIZE, &file);
	parent = mm_create();
	mm_map(parent, BASE, 4 * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, NULL, 0);
	mm_map(parent, 2 * BASE, 2 * PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
	mm_fault(parent, BASE, ACCESS_WRITE);
	mm_fault(parent, BASE + PAGE_SIZE, ACCESS_READ);
	mm_fault(parent, 2 * BASE, ACCESS_READ);
	mm_fork(parent, SHARE_PTES, &child);
	mm_fault(child, BASE + 2 * PAGE_SIZE, ACCESS_WRITE);
	EQUAL(mm_audit(), 0);
}

static void end(void)
{
	EQUAL(mm_audit(), 0);
	mm_put(child);
	mm_put(parent);
	object_put(file);
	EQUAL(mm_audit(), 0);
}

static struct page *leaf_table(struct mm *mm, vaddr_t addr)
{
	struct page *table = mm->root;

	while (table->level > 1)
		table = entry_child(*node_at(table, entry_index(addr, table->level)));
	return table;
}

static u64 *leaf(struct mm *mm, vaddr_t addr)
{
	return node_at(leaf_table(mm, addr), entry_index(addr, 1));
}

/* The audit finds something; what is wrong is put right after it. */
static void finds(int line)
{
	ktap_check(mm_audit() > 0, __FILE__, line, "mm_audit() > 0", 0, 1);
}

/* With `value` at place, which may be a bit-field and is evaluated twice. */
#define FINDS(place, value)           \
	do {                          \
		u64 before_ = place;  \
		place = value;        \
		finds(__LINE__);      \
		place = before_;      \
		EQUAL(mm_audit(), 0); \
	} while (0)

static void counts(void)
{
	begin();

	struct page *table = leaf_table(child, BASE), *page = entry_child(*leaf(child, BASE));

	FINDS(page->refs, page_refs(page) + 1);
	FINDS(table->refs, page_refs(table) + 1);
	FINDS(table->used, table->used + 1);
	FINDS(table->present, table->present - 1);
	FINDS(table->swapped, 1);
	FINDS(file->refs, 1);
	FINDS(parent->regions->refs, 1);
	FINDS(mm_stat.tables, 0);
	FINDS(mm_stat.data_pages, 0);
	FINDS(zero_page->refs, 1);
	FINDS(parent->promised, 5); /* its regions promise 4 pages */
	FINDS(parent->regions->promised, 5);
	FINDS(file->promised, 1); /* and all promises are 8 pages */
	end();
}

static void entries(void)
{
	begin();

	u64 *shared = leaf(child, BASE), *at = leaf(child, 2 * BASE),
	    *own = leaf(child, BASE + 2 * PAGE_SIZE);
	struct page *table = leaf_table(child, BASE);

	FINDS(*shared, *shared | ENTRY_W); /* refs 2 */
	FINDS(*own,
	      (*own & ~ENTRY_PADDR) | page_paddr(leaf_table(child, BASE))); /* a table as a page */
	FINDS(*at, *shared);                                       /* one page more, one less */
	FINDS(*node_at(child->root, 5), *node_at(child->root, 0)); /* outside all regions */
	FINDS(table->level, 2);
	FINDS(*at, 0); /* a table without entries */
	end();
}

static void regions(void)
{
	begin();
	mm_protect(child, BASE, PAGE_SIZE, PROT_READ); /* so that the child has a set of its own */

	struct region *at = child->regions->at;

	FINDS(at[0].start, at[0].start + PAGE_SIZE);
	FINDS(at[0].end, at[0].start);
	FINDS(at[1].prot, PROT_READ);             /* while a page is writable */
	FINDS(at[2].prot, PROT_READ | PROT_EXEC); /* sharers disagree */
	FINDS(at[2].prot, PROT_NONE);
	FINDS(at[2].offset, PAGE_SIZE);
	FINDS(at[2].flags, MAP_SHARED);
	FINDS(at[2].end, at[2].end - PAGE_SIZE);
	FINDS(at[2].end, ~0ul);
	FINDS(at[2].start, at[1].end - PAGE_SIZE);
	FINDS(child->regions->count, 2);
	end();
}

/* All frames are wrong at once: the reports end, the count goes on. */
static void many_findings(void)
{
	begin();
	mm_map(parent, 4 * BASE, 30 * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, NULL, 0);
	for (u64 i = 0; i < 30; i++)
		mm_fault(parent, 4 * BASE + i * PAGE_SIZE, ACCESS_WRITE);
	for (u64 i = 0; i < 30; i++)
		page_get(entry_child(*leaf(parent, 4 * BASE + i * PAGE_SIZE)));
	EQUAL(mm_audit(), 60); /* each has a ref too many, and W with refs 2 */
	for (u64 i = 0; i < 30; i++)
		page_put(entry_child(*leaf(parent, 4 * BASE + i * PAGE_SIZE)));
	end();
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{"counts", counts},
		{"entries", entries},
		{"regions", regions},
		{"many findings", many_findings},
	};

	machine_start(512);
	return ktap_run(cases, ARRAY_SIZE(cases));
}
