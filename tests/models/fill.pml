/*
 * Fills in place in a shared table, while one of its sharers breaks it.
 *
 * Mirrors resolve_leaf(), fill(), write_used() of mm/fault.c; entry_set(), node_copy(), node_own_child(),
 * page_drop() of mm/tree.c.
 *
 * Bounds: three address spaces; one table of two entries, shared by all: entry 0 is empty, entry 1 has a page with
 * refs 1. Two of them read at entry 0, which gives the zero page or, where the region is a file's, the page that
 * its object holds. The third writes, at entry 0 or 1. Each has one fault.
 *
 * Asserted: who has read finds the right page in its table; who has written has a page of its own; each table's
 * used and present are what its entries say, and each page's refs are its pointers. A copy may miss a fill: its
 * owner reads again.
 *
 * Left out: the hardware and flushes (break.pml); upper tables that a fill makes, which are filled by the same
 * rule.
 */
#define NONE      0
#define PAGE      1 /* what entry 1 holds */
#define ZERO      2 /* the zero page; the kernel holds it */
#define CACHED    3 /* the object's page; the object holds it */
#define FRESH     4 /* the writer's copy */
#define WRITER    2
#define AT(t, i)  entry[2 * (t) + (i)]
#define COUNTS(v) ((v) != NONE && (v) != ZERO) /* entry_counts_present() */

byte root[3];    /* the table of each address space: 0, or 1 for a copy */
byte entry[4];
byte table_refs[2], used[2], present[2], page_refs[5];
bool locked[2];
byte source;     /* what a fill of entry 0 gives */
byte finished;

inline node_lock(t) { atomic { !locked[t] -> locked[t] = true } }

/* entry_set(): the figures are read, then written */
inline entry_set(t, i, value)
{
	figure = used[t];
	used[t] = figure + (value != NONE) - (AT(t, i) != NONE);
	figure = present[t];
	present[t] = figure + COUNTS(value) - COUNTS(AT(t, i));
	AT(t, i) = value
}

proctype read(byte m)
{
	byte table = root[m], figure;

#ifndef BUG_FILL_WITHOUT_LOCK
	node_lock(table);
#endif
	if
	:: AT(table, 0) == NONE ->
#ifndef BUG_FILL_WITHOUT_REF
		page_refs[source]++;
#endif
		entry_set(table, 0, source)
	:: else /* somebody has filled it since */
	fi;
#ifndef BUG_FILL_WITHOUT_LOCK
	locked[table] = false;
#endif
	assert(AT(root[m], 0) == source);
	finished++
}

inline copy_entry(to, from, i)
{
	value = AT(from, i);
	if :: value != NONE -> page_refs[value]++ :: else fi;
	AT(to, i) = value
}

proctype write()
{
	byte table = root[WRITER], i, value, figure;

	select(i : 0 .. 1);
	if /* node_own_child(): three share it, and who reads keeps it */
	:: table_refs[table] > 1 ->
		table_refs[1] = 1;
#ifndef BUG_COPY_WITHOUT_LOCK
		node_lock(table);
#endif
		copy_entry(1, table, 0);
		copy_entry(1, table, 1);
		used[1] = used[table];
		present[1] = present[table];
#ifndef BUG_COPY_WITHOUT_LOCK
		locked[table] = false;
#endif
		root[WRITER] = 1;
		table_refs[table]--;
		table = 1
	fi;
	node_lock(table);
	value = AT(table, i);
	page_refs[FRESH] = 1;
	entry_set(table, i, FRESH); /* fill(), or COPY by write_used() */
	locked[table] = false;
	if :: value != NONE -> page_refs[value]-- :: else fi;
	finished++
}

#define POINTERS(p) ((AT(0, 0) == p) + (AT(0, 1) == p) + (AT(1, 0) == p) + (AT(1, 1) == p))
#define USED(t)     ((AT(t, 0) != NONE) + (AT(t, 1) != NONE))
#define PRESENT(t)  (COUNTS(AT(t, 0)) + COUNTS(AT(t, 1)))

init
{
	atomic {
		table_refs[0] = 3;
		AT(0, 1) = PAGE; used[0] = 1; present[0] = 1;
		page_refs[PAGE] = 1; page_refs[ZERO] = 1; page_refs[CACHED] = 1;
		select(source : ZERO .. CACHED);
		run read(0); run read(1); run write()
	}
	d_step {
		finished == 3 ->
		assert(table_refs[0] == 2 && table_refs[1] == 1);
		assert(page_refs[PAGE] == POINTERS(PAGE) && page_refs[FRESH] == 1 && POINTERS(FRESH) == 1);
		assert(page_refs[ZERO] == 1 + POINTERS(ZERO) && page_refs[CACHED] == 1 + POINTERS(CACHED));
		assert(used[0] == USED(0) && used[1] == USED(1));
		assert(present[0] == PRESENT(0) && present[1] == PRESENT(1))
	}
}
