/*
 * Two sharers break one table at the same moment, each by a write to a page that both have.
 *
 * Mirrors node_own_child(), node_copy(), page_drop(), settle(), gather_end() of mm/tree.c, and write_used(),
 * resolve() of mm/fault.c.
 *
 * Bounds: two address spaces; one table of two entries that they share since a fork at level 1, so its refs are 2
 * and its pages' are 1, and the pages' entries still have W. Each address space has one fault, at either page, and
 * one CPU whose hardware walks and accesses all the time, as a CPU does that runs another of its threads. That CPU
 * remembers the root's entry and one whole translation, any one.
 *
 * Asserted: the hardware follows no freed table and accesses no freed page; what it may write the other address
 * space neither reaches nor remembers; at the end each has a table of its own, and refs are the numbers of
 * pointers. That a sharer who finds refs 1 keeps the table is a state to be reached, or else tests/models/run
 * fails.
 *
 * Left out: the roots' locks, since one thread of each address space faults; how a flush reaches a CPU (free.pml,
 * flush.pml); reserves.
 */
#define NONE           7
#define COPY(m)        (1 + m) /* the table that m has in reserve ... */
#define PAGE_COPY(m)   (2 + m) /* ... and the page */
#define LEAF(t, i)     leaf[2 * (t) + i]
#define LEAF_W(t, i)   leaf_w[2 * (t) + i]
#define POINTS(m, p)   ((LEAF(root[m], 0) == p) + (LEAF(root[m], 1) == p)) /* the table of m, at the page */
#define REACHES(m, p)  (POINTS(m, p) > 0 || hw_page[m] == p)
#define TABLE_FRAME(t) (1 << (t)) /* in sets of frames */
#define PAGE_FRAME(p)  (8 << (p))

byte root[2];   /* each root's entry: a table, at first the table 0 ... */
bool root_w[2]; /* ... and W */
byte leaf[6], table_refs[3], page_refs[4];
bool leaf_w[6], locked[3];
byte freed;     /* frames */
byte finished;

/* What the CPU of an address space remembers: the root's entry, and one whole translation. */
byte hw_table[2], hw_page[2];
bool hw_table_w[2], hw_w[2];

inline node_lock(t) { atomic { !locked[t] -> locked[t] = true } }

inline drop_page(p) { d_step { page_refs[p]--; dead = dead | (page_refs[p] == 0 -> PAGE_FRAME(p) : 0) } }

/* page_drop() of what a fault has lost its pointers at */
inline drop_old()
{
	if
	:: old_table != NONE ->
		d_step { table_refs[old_table]--; zero = (table_refs[old_table] == 0) }
		if
		:: zero ->
			drop_page(LEAF(old_table, 0));
			drop_page(LEAF(old_table, 1));
			dead = dead | TABLE_FRAME(old_table)
		:: else
		fi
	:: else
	fi;
	if :: old_page != NONE -> drop_page(old_page) :: else fi
}

inline copy_entry(to, from, i)
{
#ifndef BUG_ORIGINAL_WRITABLE
	LEAF_W(from, i) = false;
#endif
	page_refs[LEAF(from, i)]++;
#ifdef BUG_COPY_WRITABLE
	LEAF_W(to, i) = true;
#endif
	LEAF(to, i) = LEAF(from, i)
}

proctype fault(byte m)
{
	byte table = root[m], page, refs, i, old_table = NONE, old_page = NONE, dead;
	bool zero;

	select(i : 0 .. 1);
#ifdef BUG_REFS_READ_BEFORE_OWNED
	refs = page_refs[LEAF(table, i)];
#endif
	if /* node_own_child() */
	:: table_refs[table] > 1 ->
#ifdef BUG_DROPPED_BEFORE_COUNTED
		table_refs[table]--;
#else
		old_table = table;
#endif
		table_refs[COPY(m)] = 1;
		node_lock(table); /* node_copy() */
		copy_entry(COPY(m), table, 0);
		copy_entry(COPY(m), table, 1);
		locked[table] = false;
		table = COPY(m);
		root[m] = table
	:: else
	fi;
	root_w[m] = true;

	node_lock(table); /* write_used() */
	page = LEAF(table, i);
#ifndef BUG_REFS_READ_BEFORE_OWNED
	refs = page_refs[page];
#endif
	if
	:: refs == 1 -> LEAF_W(table, i) = true
	:: else ->
		page_refs[PAGE_COPY(m)] = 1;
		d_step { LEAF(table, i) = PAGE_COPY(m); LEAF_W(table, i) = true } /* one store */
		old_page = page
	fi;
	locked[table] = false;

	/* gather_end(): flush, then drop what lost a pointer, then free what lost its last one */
#ifdef BUG_DROPPED_BEFORE_FLUSH
	drop_old();
#endif
#ifdef BUG_FREED_BEFORE_FLUSH
	drop_old();
	freed = freed | dead;
#endif
#ifndef BUG_NO_FLUSH
	d_step { hw_table[m] = NONE; hw_page[m] = NONE; hw_table_w[m] = false; hw_w[m] = false }
#endif
#ifndef BUG_DROPPED_BEFORE_FLUSH
#ifndef BUG_FREED_BEFORE_FLUSH
	drop_old();
#endif
#endif
	freed = freed | dead;
	finished++
}

inline walk_to_leaf(i)
{
	assert(!(freed & TABLE_FRAME(hw_table[m])));
	hw_page[m] = LEAF(hw_table[m], i);
	hw_w[m] = hw_table_w[m] && LEAF_W(hw_table[m], i)
}

/* The page walker and the accesses of the CPU that runs m. */
proctype hardware(byte m)
{
end:	do
	:: d_step { hw_table[m] = root[m]; hw_table_w[m] = root_w[m] }
	:: d_step { hw_table[m] != NONE -> walk_to_leaf(0) }
	:: d_step { hw_table[m] != NONE -> walk_to_leaf(1) }
	:: d_step {
		hw_page[m] != NONE ->
		assert(!(freed & PAGE_FRAME(hw_page[m])));
		assert(!(hw_w[m] && REACHES(1 - m, hw_page[m])))
	}
	od
}

init
{
	byte p;

	atomic {
		leaf[1] = 1; leaf_w[0] = true; leaf_w[1] = true;
		table_refs[0] = 2; page_refs[0] = 1; page_refs[1] = 1;
		hw_table[0] = NONE; hw_table[1] = NONE; hw_page[0] = NONE; hw_page[1] = NONE;
		run fault(0); run fault(1); run hardware(0); run hardware(1)
	}
	d_step {
		finished == 2 ->
		assert(root[0] != root[1] && table_refs[root[0]] == 1 && table_refs[root[1]] == 1);
		assert(table_refs[0] + table_refs[1] + table_refs[2] == 2);
		for (p : 0 .. 3) {
			assert(page_refs[p] == POINTS(0, p) + POINTS(1, p))
		}
	}
}
