/*
 * Address spaces end while others fault in the table that they share.
 *
 * Mirrors mm_put() of mm/mm.c; page_drop(), drop_children(), node_copy(), node_own_child() of mm/tree.c;
 * write_used() and walk_to_leaf_table() of mm/fault.c.
 *
 * Bounds: three address spaces; one table of one entry with one page, shared by all. The first ends at once; each
 * of the others has a fault before, a read or a write. Each has a CPU of its own.
 *
 * Asserted: nobody touches a table or a page that is free; nothing is dropped that is free already; at the end all
 * refs are 0 and the shared table and page are free.
 *
 * Left out: what the hardware remembers, and flushes (break.pml, free.pml): an address space is left before it
 * ends.
 */
#define COPY(m) (m) /* the table, and the page, that m has in reserve; 0 does not fault */

byte root[3], root_refs[3];
byte leaf[3], table_refs[3], page_refs[3];
bool leaf_w[3], locked[3], table_freed[3], page_freed[3];
byte finished;

/* atomic_fetch_sub() */
inline fetch_sub(refs)
{
#ifdef BUG_DECREMENT_NOT_ATOMIC
	before = refs;
	refs = before - 1
#else
	d_step { before = refs; refs-- }
#endif
}

inline drop_page(p)
{
	assert(!page_freed[p]);
	fetch_sub(page_refs[p]);
	page_freed[p] = page_freed[p] || before == 1
}

inline drop_table(t)
{
	assert(!table_freed[t]);
#ifdef BUG_CHILDREN_DROPPED_FIRST
	drop_page(leaf[t]);
#endif
	fetch_sub(table_refs[t]);
	if
	:: before == 1 ->
		assert(!locked[t]);
#ifndef BUG_CHILDREN_DROPPED_FIRST
		drop_page(leaf[t]);
#endif
		table_freed[t] = true
	:: else
	fi
}

inline node_lock(t)
{
	atomic { !locked[t] -> locked[t] = true };
	assert(!table_freed[t])
}

inline write_fault(m)
{
	table = root[m];
	if /* node_own_child() */
	:: table_refs[table] > 1 ->
		table_refs[COPY(m)] = 1;
		node_lock(table); /* node_copy() */
		page = leaf[table];
		leaf_w[table] = false;
		assert(!page_freed[page]);
		page_refs[page]++;
		leaf[COPY(m)] = page;
		locked[table] = false;
		root[m] = COPY(m);
		drop_table(table);
		table = COPY(m)
	:: else
	fi;
	node_lock(table); /* write_used() */
	page = leaf[table];
	assert(!page_freed[page]);
	if
	:: page_refs[page] == 1 -> leaf_w[table] = true
	:: else ->
		page_refs[COPY(m)] = 1;
		leaf[table] = COPY(m);
		leaf_w[table] = true;
		drop_page(page)
	fi;
	assert(!table_freed[table] && table_refs[table] == 1 && page_refs[leaf[table]] == 1);
	locked[table] = false
}

inline read_fault(m)
{
	table = root[m];
	node_lock(table);
	assert(!page_freed[leaf[table]]);
	locked[table] = false
}

proctype process(byte m)
{
	byte table, page, before;

	if
	:: m != 0 -> write_fault(m)
	:: m != 0 -> read_fault(m)
	:: m == 0
	fi;
	fetch_sub(root_refs[m]); /* mm_put() */
	assert(before == 1);
	drop_table(root[m]);
	finished++
}

init
{
	byte i;

	atomic {
		table_refs[0] = 3; page_refs[0] = 1; leaf_w[0] = true;
		for (i : 0 .. 2) {
			root_refs[i] = 1;
			run process(i)
		}
	}
	d_step {
		finished == 3 ->
		for (i : 0 .. 2) {
			assert(root_refs[i] == 0 && table_refs[i] == 0 && page_refs[i] == 0)
		}
		assert(table_freed[0] && page_freed[0])
	}
}
