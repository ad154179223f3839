/* Swap: what the model's random operations do not show, which is how often a device is asked, and what comes between. */
#include <errno.h>

#include "mm/map.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "mm/tree.h"
#include "tests/host/ktap.h"
#include "tests/host/machine.h"
#include "tests/host/store.h"

#define FRAMES  1024
#define BASE    0x400000ul
#define RW      (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define PAGES   20u

static struct mm *mm, *child;
static u64 frames_before;
static int area;

static void write_word(struct mm *to, u64 page, u64 value)
{
	char *at = NULL;

	EQUAL(machine_access(to, BASE + page * PAGE_SIZE, ACCESS_WRITE, &at), 0);
	if (at)
		*(u64 *)at = value;
}

static u64 read_word(struct mm *from, u64 page)
{
	char *at = NULL;

	EQUAL(machine_access(from, BASE + page * PAGE_SIZE, ACCESS_READ, &at), 0);
	return at ? *(u64 *)at : ~0ul;
}

static u64 leaf(struct mm *of, u64 page)
{
	struct page *table = leaf_table_lock(of->root, BASE + page * PAGE_SIZE, NULL);
	u64 entry = table ? *node_at(table, entry_index(BASE + page * PAGE_SIZE, 1)) : 0;

	if (table)
		node_unlock(table);
	return entry;
}

static u32 swapped(struct mm *of)
{
	struct mm_usage usage;

	mm_usage(of, &usage);
	return (u32)usage.swapped;
}

static int page_out(struct mm *of, u64 first, u64 pages)
{
	return mm_advise(of, BASE + first * PAGE_SIZE, pages * PAGE_SIZE, MADV_PAGEOUT);
}

/* PAGES pages, each with its number, and an area of so many slots. */
static void begin(u64 slots)
{
	frames_before = frames_free();
	store = (struct store) {0};
	area = store_add(&store, slots, 0);
	mm = mm_create();
	child = NULL;
	EQUAL(mm_map(mm, BASE, PAGES * PAGE_SIZE, RW, PRIVATE | MAP_FIXED, NULL, 0), BASE);
	for (u64 i = 0; i < PAGES; i++)
		write_word(mm, i, 100 + i);
}

static void leave(struct mm *which)
{
	EQUAL(mm_audit(), 0);
	TRUE(machine_tlb_holds());
	machine_forget(which);
	mm_put(which);
}

static void end(void)
{
	struct swap_totals totals;

	if (child)
		leave(child);
	leave(mm);
	swap_totals(&totals);
	EQUAL(totals.used, 0);
	EQUAL(totals.cached, 0);
	if (area >= 0)
		EQUAL(swap_area_remove((u32)area), 0);
	EQUAL(mm_audit(), 0);
	EQUAL(frames_free(), frames_before);
}

static void check_words(struct mm *of)
{
	for (u64 i = 0; i < PAGES; i++)
		EQUAL(read_word(of, i), 100 + i);
}

/* ---- Out and in ---- */

static void out_and_in(void)
{
	begin(40);
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(swapped(mm), PAGES);
	EQUAL(store.writes, PAGES);
	check_words(mm);
	EQUAL(swapped(mm), 0);
	EQUAL(store.reads, PAGES);
	/* What was only read keeps its slot, and is not written again. */
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(store.writes, PAGES);
	write_word(mm, 3, 103);
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(store.writes, PAGES + 1);
	check_words(mm);
	end();
}

static void scarce_slots(void)
{
	begin(PAGES);
	EQUAL(page_out(mm, 0, PAGES), 0);
	for (u64 i = 0; i < PAGES / 2; i++)
		read_word(mm, i);

	struct swap_area_info info;

	TRUE(swap_area_info((u32)area, &info));
	EQUAL(info.pages, PAGES);
	EQUAL(info.used, PAGES / 2); /* those in memory have given theirs up */
	check_words(mm);
	end();
}

static void full(void)
{
	begin(5);
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(swapped(mm), 5);
	EQUAL(mm_reclaim(1, RECLAIM_THREAD), 0);
	check_words(mm);
	end();
}

/* Faults that follow one another are met with more and more pages. */
static void in_order(void)
{
	begin(60);
	EQUAL(page_out(mm, 0, PAGES), 0);

	u64 faults = mm_stat.major_faults;

	EQUAL(mm_fork(mm, SHARE_PTES, &child), 0);
	for (u64 i = 1; i < PAGES; i++)
		EQUAL(read_word(child, i), 100 + i);
	EQUAL(mm_stat.major_faults - faults, 5); /* 1, 2, 4, 8, and the rest of 16 */
	EQUAL(swapped(mm), 1);
	EQUAL(leaf(mm, PAGES - 2) & ENTRY_A, 0); /* nobody has asked for it yet */
	check_words(mm);
	end();
}

static void not_in_order(void)
{
	begin(60);
	EQUAL(page_out(mm, 0, PAGES), 0);
	for (u64 i = PAGES; i-- > 0;) {
		EQUAL(swapped(mm), i + 1);
		read_word(mm, i);
	}
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(mm_advise(mm, BASE, PAGES * PAGE_SIZE, MADV_RANDOM), 0);
	for (u64 i = 0; i < PAGES; i++) {
		EQUAL(swapped(mm), PAGES - i);
		read_word(mm, i);
	}
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(mm_advise(mm, BASE, PAGES * PAGE_SIZE, MADV_SEQUENTIAL), 0);
	read_word(mm, 1);
	EQUAL(swapped(mm), PAGES - 16);
	store.fail_read = 2; /* what is read ahead may fail unseen */
	read_word(mm, 17);
	EQUAL(swapped(mm), PAGES - 17);
	check_words(mm);
	end();
}

/* ---- Sharers ---- */

static void shared_table(void)
{
	begin(40);
	EQUAL(mm_fork(mm, SHARE_PTES, &child), 0);
	EQUAL(page_out(child, 0, PAGES), 0);
	EQUAL(swapped(mm), PAGES);
	EQUAL(store.writes, PAGES);
	check_words(mm);
	EQUAL(swapped(child), 0);
	check_words(child);
	EQUAL(store.reads, PAGES);
	/* A write owns the path first: the sharer's entry keeps its page. */
	EQUAL(page_out(child, 0, PAGES), 0);
	write_word(mm, 7, 1);
	EQUAL(read_word(child, 7), 107);
	EQUAL(read_word(mm, 7), 1);
	EQUAL(swapped(child), PAGES - 1);
	end();
}

/* Tables apart, pages in common: a page stays until both have let go of it, and is read once for both. */
static void shared_pages(void)
{
	begin(40);
	EQUAL(mm_fork(mm, SHARE_PAGES, &child), 0);

	u64 before = frames_free();

	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(swapped(mm), PAGES);
	EQUAL(frames_free(), before);
	EQUAL(read_word(mm, 0), 100); /* the child's page */
	EQUAL(store.reads, 0);
	EQUAL(page_out(child, 0, PAGES), 0);
	EQUAL(store.writes, PAGES);
	EQUAL(frames_free(), before + PAGES - 1);
	check_words(mm);
	check_words(child);
	EQUAL(store.reads, PAGES - 1);
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(page_out(child, 0, PAGES), 0);
	write_word(mm, 5, 1);
	EQUAL(read_word(child, 5), 105);
	end();
}

static void clock_sees_a_table_once(void)
{
	begin(40);
	EQUAL(mm_fork(mm, SHARE_PDPTS, &child), 0);

	u64 scanned = mm_stat.scanned[RECLAIM_THREAD];

	TRUE(mm_reclaim(PAGES, RECLAIM_THREAD) >= PAGES);
	/* A turn to take the accessed bits, a turn to take the pages. */
	EQUAL(mm_stat.scanned[RECLAIM_THREAD] - scanned, 2 * PAGES);
	EQUAL(swapped(mm), PAGES);
	EQUAL(swapped(child), PAGES);
	check_words(child);
	end();
}

/* ---- In between ---- */

static void write_meanwhile(void)
{
	write_word(mm, 2, 1);
	write_word(mm, PAGES - 1, 2);
}

static void written_while_it_is_swapped_out(void)
{
	begin(40);
	for (u64 i = 0; i < PAGES; i++)
		machine_fill_tlb(mm, BASE + i * PAGE_SIZE);
	store.during_write = write_meanwhile;
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(store.failed, 0);
	EQUAL(swapped(mm), PAGES - 2);
	EQUAL(read_word(mm, 2), 1);
	EQUAL(read_word(mm, PAGES - 1), 2);
	EQUAL(read_word(mm, 3), 103);
	end();
}

/* The sharer of the table gets one of its own, with the pages that are being written. */
static void sharer_writes(void)
{
	write_word(child, 2, 1);
}

static void sharer_writes_while_it_is_swapped_out(void)
{
	begin(40);
	EQUAL(mm_fork(mm, SHARE_PDPTS, &child), 0);
	store.during_write = sharer_writes;
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(swapped(mm), PAGES);
	EQUAL(swapped(child), 0);
	EQUAL(read_word(child, 2), 1);
	EQUAL(page_out(child, 0, PAGES), 0);
	EQUAL(store.writes, PAGES + 1);
	check_words(mm);
	end();
}

static void sharer_ends(void)
{
	machine_forget(child);
	mm_put(child);
	child = NULL;
}

static void sharer_ends_while_it_is_swapped_out(void)
{
	begin(40);
	EQUAL(mm_fork(mm, SHARE_PAGES, &child), 0);
	store.during_write = sharer_ends;
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(mm_audit(), 0);
	EQUAL(swapped(mm), PAGES);
	check_words(mm);
	end();
}

static void sharer_reads(void)
{
	EQUAL(read_word(child, 7), 107);
}

/* Not while the page that was asked for is read: while the first of those that follow is. */
static void sharer_waits(void)
{
	store.during_read = sharer_reads;
}

/* What is to be read ahead is there already when it has been read, thanks to a sharer of the table. */
static void sharer_reads_what_is_read_ahead(void)
{
	begin(60);
	EQUAL(mm_advise(mm, BASE, PAGES * PAGE_SIZE, MADV_SEQUENTIAL), 0);
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(mm_fork(mm, SHARE_PTES, &child), 0);
	EQUAL(mm_advise(child, BASE, PAGES * PAGE_SIZE, MADV_RANDOM), 0);
	store.during_read = sharer_waits;
	EQUAL(read_word(mm, 0), 100);
	TRUE(!store.during_read);
	EQUAL(store.reads, 16);
	EQUAL(mm_audit(), 0);
	check_words(mm);
	check_words(child);
	end();
}

/* ---- What stays ---- */

static void locked(void)
{
	begin(40);
	EQUAL(mm_fork(mm, SHARE_PDPTS, &child), 0);
	EQUAL(mm_lock(mm, BASE, 4 * PAGE_SIZE, MAP_LOCKED), 0);
	EQUAL(page_out(mm, 0, 4), -EINVAL);
	EQUAL(page_out(child, 0, PAGES), 0);
	mm_reclaim(2ul * PAGES, RECLAIM_THREAD);
	for (u64 i = 0; i < 4; i++)
		TRUE(!entry_is_swap(leaf(mm, i)));
	TRUE(entry_is_swap(leaf(mm, 4)));
	TRUE(entry_is_swap(leaf(child, 0)));
	EQUAL(mm_audit(), 0);
	end();
}

static void rights(void)
{
	begin(40);
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(mm_protect(mm, BASE, PAGES * PAGE_SIZE, PROT_NONE), 0);
	EQUAL(mm_fault(mm, BASE, ACCESS_READ), -EACCES);
	EQUAL(swap_area_remove((u32)area), 0);
	EQUAL(leaf(mm, 0) & (ENTRY_P | ENTRY_NONE), ENTRY_NONE);
	area = store_add(&store, 40, 0);
	EQUAL(page_out(mm, 0, PAGES), 0); /* also what may not be accessed */
	EQUAL(swapped(mm), PAGES);
	EQUAL(mm_protect(mm, BASE, PAGES * PAGE_SIZE, PROT_READ), 0);
	check_words(mm);
	EQUAL(mm_fault(mm, BASE, ACCESS_WRITE), -EACCES);
	end();
}

/* ---- Devices ---- */

static void failing_writes(void)
{
	struct swap_area_info info;

	begin(40);
	store.fail_write = 3;
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(swapped(mm), PAGES - 1);
	TRUE(swap_area_info((u32)area, &info));
	EQUAL(info.pages, 39); /* the slot is bad, and stays so */
	EQUAL(info.used, PAGES - 1);
	check_words(mm);
	end();
}

static void failing_reads(void)
{
	begin(40);
	EQUAL(page_out(mm, 0, PAGES), 0);
	store.fail_read = 1;
	EQUAL(mm_fault(mm, BASE, ACCESS_READ), -EIO);
	store.fail_read = 1;
	EQUAL(mm_fault(mm, BASE, ACCESS_WRITE), -EIO);
	check_words(mm);
	end();
}

static void areas(void)
{
	struct store *second = &(struct store) {0};
	const u32 bad[] = {2, 3, 9, 100};
	struct swap_area_info info;

	begin(10);
	int high = swap_area_add(&store_calls, second, 10, bad, ARRAY_SIZE(bad), 5);

	TRUE(high >= 0 && high != area);
	TRUE(swap_area_info((u32)high, &info));
	EQUAL(info.pages, 7);
	EQUAL(info.priority, 5);
	TRUE(info.device == second);
	EQUAL(page_out(mm, 0, 8), 0);
	EQUAL(second->writes, 7);
	EQUAL(store.writes, 1);
	EQUAL(second->pages[2][0] | second->pages[3][0] | second->pages[9][0], 0);
	check_words(mm);
	EQUAL(page_out(mm, 0, 8), 0);
	EQUAL(swap_area_remove((u32)high), 0);
	EQUAL(swap_area_remove((u32)high), -EINVAL);
	TRUE(!swap_area_info((u32)high, &info));
	EQUAL(swapped(mm), 1);
	check_words(mm);
	EQUAL(swap_area_add(&store_calls, second, 0, NULL, 0, 0), -EINVAL);
	EQUAL(swap_area_remove(SWAP_AREAS), -EINVAL);
	end();
}

static void too_many_areas(void)
{
	int added[SWAP_AREAS];

	begin(10);
	for (u32 i = 0; i + 1 < SWAP_AREAS; i++)
		TRUE((added[i] = store_add(&store, 1, 0)) >= 0);
	EQUAL(store_add(&store, 1, 0), -EPERM);
	for (u32 i = 0; i + 1 < SWAP_AREAS; i++)
		EQUAL(swap_area_remove((u32)added[i]), 0);
	end();
}

static void no_end_of_an_area(void)
{
	begin(40);
	EQUAL(page_out(mm, 0, PAGES), 0);
	machine_signal = true;
	EQUAL(swap_area_remove((u32)area), -EINTR);
	machine_signal = false;
	store.fail_read = 5;
	EQUAL(swap_area_remove((u32)area), -EIO);
	frames_fail_nth(5);
	EQUAL(swap_area_remove((u32)area), -ENOMEM);
	frames_fail_nth(0);
	TRUE(swapped(mm) > 0);
	EQUAL(page_out(mm, 0, PAGES), 0); /* it is in use as before */
	EQUAL(swapped(mm), PAGES);
	EQUAL(mm_audit(), 0);
	EQUAL(mm_fork(mm, SHARE_PTES, &child), 0);
	EQUAL(swap_area_remove((u32)area), 0);
	area = -1;
	EQUAL(swapped(mm), 0);
	check_words(mm);
	check_words(child);
	end();
}

static void no_memory_for_an_area(void)
{
	begin(40);
	for (u64 nth = 1; nth < 4; nth++) {
		frames_fail_nth(nth);
		EQUAL(store_add(&store, 300, 0), -ENOMEM);
	}
	frames_fail_nth(0);
	end();
}

/* ---- Reclaim by itself ---- */

/* More memory than there is: who writes it makes room for it, and all is there in the end. */
static void more_than_memory(void)
{
	u64 pages = STORE_PAGES - 10;

	begin(STORE_PAGES - 1);

	struct page *taken = NULL, *frame;

	while (frames_free() > 30 && (frame = frame_alloc(0))) {
		frame->link.next = (struct list *)taken;
		taken = frame;
	}
	EQUAL(mm_map(mm, BASE, pages * PAGE_SIZE, RW, PRIVATE | MAP_FIXED, NULL, 0), BASE);
	for (u64 i = 0; i < pages; i++)
		write_word(mm, i, 100 + i);
	EQUAL(mm_fork(mm, SHARE_PAGES, &child), 0);
	for (u64 i = 0; i < pages; i++)
		EQUAL(read_word(child, i), 100 + i);
	TRUE(mm_stat.stolen[RECLAIM_DIRECT] > 0);
	while ((frame = taken)) {
		taken = (struct page *)frame->link.next;
		frame_free(frame, 0);
	}
	end();
}

/* ---- What is told ---- */

/* Shares of pages and of slots add up to what there is, whoever shares it. */
static void sums(void)
{
	struct region_usage usage, other;
	struct swap_totals totals;
	struct region region;

	begin(40);
	EQUAL(mm_fork(mm, SHARE_PTES, &child), 0);
	EQUAL(page_out(mm, 0, PAGES), 0);
	write_word(child, 0, 1);
	write_word(mm, 3, 1);
	for (u64 i = 5; i < 9; i++)
		read_word(child, i);
	page_out(mm, 5, 2);
	swap_totals(&totals);
	TRUE(totals.cached > 0);
	TRUE(mm_region_usage(mm, BASE, &region, &usage));
	TRUE(mm_region_usage(child, BASE, &region, &other));
	/* The zero page is nobody's, and who waits in the cache is in no table. */
	EQUAL((usage.pss + other.pss + PSS_PAGE / 2) / PSS_PAGE,
	      mm_stat.data_pages - 1 - totals.waiting);
	EQUAL((usage.swap_pss + other.swap_pss + PSS_PAGE / 2) / PSS_PAGE,
	      PAGES); /* each named still */
	end();
}

static void figures(void)
{
	struct region_usage usage, other;
	struct page_info info;
	struct region region;
	char text[8];

	begin(40);
	EQUAL(page_out(mm, 0, PAGES), 0);
	EQUAL(mm_fork(mm, SHARE_PTES, &child), 0);
	write_word(child, 0, 1);
	TRUE(mm_region_usage(mm, BASE, &region, &usage));
	TRUE(mm_region_usage(child, BASE, &region, &other));
	EQUAL(usage.swapped, PAGES);
	EQUAL(other.swapped, PAGES - 1);
	EQUAL((usage.swap_pss + other.swap_pss) / PSS_PAGE, PAGES);
	mm_page_info(mm, BASE + PAGE_SIZE, &info);
	TRUE(info.swapped && !info.present && !info.exclusive && info.slot &&
	     info.area == (u32)area);
	mm_page_info(mm, BASE, &info);
	TRUE(info.swapped && info.exclusive);
	EQUAL(mm_resident(mm, BASE), 0);
	EQUAL(mm_peek(mm, BASE + PAGE_SIZE, text, sizeof(text)), sizeof(text));
	EQUAL(text[0], 101);
	EQUAL(mm_resident(mm, BASE + PAGE_SIZE), 1);
	end();
}

static void cold(void)
{
	begin(40);
	EQUAL(mm_advise(mm, BASE, 3 * PAGE_SIZE, MADV_COLD), 0);
	EQUAL(mm_reclaim(3, RECLAIM_THREAD), 3);
	EQUAL(swapped(mm), 3);
	for (u64 i = 0; i < 3; i++)
		TRUE(entry_is_swap(leaf(mm, i)));
	check_words(mm);
	end();
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{"out and in", out_and_in},
		{"scarce slots", scarce_slots},
		{"full", full},
		{"in order", in_order},
		{"not in order", not_in_order},
		{"a shared table", shared_table},
		{"shared pages", shared_pages},
		{"the clock sees a table once", clock_sees_a_table_once},
		{"written while it is swapped out", written_while_it_is_swapped_out},
		{"a sharer writes while it is swapped out", sharer_writes_while_it_is_swapped_out},
		{"a sharer ends while it is swapped out", sharer_ends_while_it_is_swapped_out},
		{"a sharer reads what is read ahead", sharer_reads_what_is_read_ahead},
		{"locked memory", locked},
		{"rights", rights},
		{"failing writes", failing_writes},
		{"failing reads", failing_reads},
		{"areas", areas},
		{"too many areas", too_many_areas},
		{"an area does not end", no_end_of_an_area},
		{"no memory for an area", no_memory_for_an_area},
		{"more than memory", more_than_memory},
		{"figures", figures},
		{"sums of shares", sums},
		{"cold", cold},
	};

	machine_start(FRAMES);
	return ktap_run(cases, ARRAY_SIZE(cases));
}
