/*
 * A fork, while another thread of the parent runs on a CPU of its own.
 *
 * Mirrors mm_fork(), clone() of mm/fork.c; node_copy(), node_own_child(), gather_end() of mm/tree.c; mm_fault_in(),
 * walk_to_leaf_table(), write_used() of mm/fault.c. Pointers are dropped after the flush: see break.pml.
 *
 * Bounds: a parent with one table of one page, its own and writable. One of its threads forks, at level 0 or 1;
 * another has two write faults, at any time. The child has one, after the fork. The hardware of one CPU of each
 * address space walks and accesses all the time.
 *
 * Asserted: once fork has returned, what a CPU may write by what it remembers the other address space neither
 * reaches nor remembers; a fault changes a page's entry only in a table that is its own (rule 3 of mm/tree.h), also
 * where the flush would hide it; the hardware follows no freed table and accesses no freed page.
 *
 * Left out: the forking CPU's own hardware, which is flushed like the other; what is written before fork returns,
 * which is as good as written before the fork. Two levels stand for all four: the walk is hand over hand.
 */
#define NONE        4
#define PARENT      0
#define CHILD       1
#define CHILD_TABLE 3       /* that fork makes at level 0 */
#define COPY(m)     (1 + m) /* the table, and the page, that m has in reserve */

byte root[2];   /* the root's entry: a table ... */
bool root_w[2]; /* ... and W */
byte leaf[4], table_refs[4], page_refs[3];
bool leaf_w[4], table_freed[4], page_freed[3];
bool root_locked[2], locked[4];
byte readers;   /* mm->lock of the parent */
bool writer;
bool forked;    /* fork has returned */
byte finished;

/* What the CPU of an address space remembers: the root's entry, and the whole translation. */
byte hw_table[2], hw_page[2];
bool hw_table_w[2], hw_w[2];

inline lock(l) { atomic { !l -> l = true } }
inline flush(m) { d_step { hw_table[m] = NONE; hw_page[m] = NONE; hw_table_w[m] = false; hw_w[m] = false } }

/* node_copy() of the table: at level 0 by fork, else by a fault */
inline copy_table(to, from)
{
	table_refs[to] = 1;
	lock(locked[from]);
	leaf_w[from] = false;
	page_refs[leaf[from]]++;
	leaf[to] = leaf[from];
	locked[from] = false
}

proctype fork()
{
	atomic { readers == 0 -> writer = true }
#ifdef BUG_FLUSH_BEFORE_W_CLEARED
	flush(PARENT);
#endif
	if
	:: true -> /* level 1: node_copy() of the root */
		lock(root_locked[PARENT]);
		root_w[PARENT] = false;
		table_refs[root[PARENT]]++;
		root[CHILD] = root[PARENT];
		root_locked[PARENT] = false
	:: true -> /* level 0: clone() makes a root's entry with W */
		copy_table(CHILD_TABLE, root[PARENT]);
		root[CHILD] = CHILD_TABLE;
		root_w[CHILD] = true
	fi;
#ifndef BUG_FLUSH_BEFORE_W_CLEARED
#ifndef BUG_NO_FLUSH
	flush(PARENT);
#endif
#endif
	d_step { writer = false; forked = true };
	finished++
}

inline drop_old()
{
	if
	:: old_table != NONE ->
		d_step { table_refs[old_table]--; table_freed[old_table] = (table_refs[old_table] == 0) }
		if
		:: table_freed[old_table] -> page_refs[leaf[old_table]]-- /* not the last: m's own table points at it */
		:: else
		fi
	:: else
	fi;
	if
	:: old_page != NONE -> d_step { page_refs[old_page]--; page_freed[old_page] = (page_refs[old_page] == 0) }
	:: else
	fi
}

inline fault(m)
{
	d_step { old_table = NONE; old_page = NONE };
	lock(root_locked[m]);
	table = root[m];
	if /* node_own_child() */
	:: table_refs[table] > 1 ->
		copy_table(COPY(m), table);
		old_table = table;
		root_w[m] = false;
		root[m] = COPY(m);
		table = COPY(m)
	:: else
	fi;
	root_w[m] = true;
	lock(locked[table]);
	root_locked[m] = false;
	page = leaf[table]; /* write_used() */
	if
	:: page_refs[page] == 1 ->
		leaf_w[table] = true
	:: else ->
		page_refs[COPY(m)] = 1;
		d_step { leaf[table] = COPY(m); leaf_w[table] = true };
		old_page = page
	fi;
	assert(table_refs[table] == 1); /* rule 3: it was owned all the while */
	locked[table] = false;
	flush(m);
	drop_old()
}

proctype thread(byte m; byte faults)
{
	byte table, page, old_table, old_page;

	do
	:: faults > 0 ->
#ifndef BUG_FAULT_WITHOUT_LOCK
		if :: m == PARENT -> atomic { !writer -> readers++ } :: else fi; /* nobody else wants the child's */
#endif
		fault(m);
#ifndef BUG_FAULT_WITHOUT_LOCK
		if :: m == PARENT -> readers-- :: else fi;
#endif
		faults--
	:: else -> break
	od;
	finished++
}

/* The page walker and the accesses of the CPU that runs m. */
proctype hardware(byte m)
{
end:	do
	:: d_step { hw_table[m] = root[m]; hw_table_w[m] = root_w[m] }
	:: d_step {
		hw_table[m] != NONE ->
		assert(!table_freed[hw_table[m]]);
		hw_page[m] = leaf[hw_table[m]];
		hw_w[m] = hw_table_w[m] && leaf_w[hw_table[m]]
	}
	:: d_step {
		hw_page[m] != NONE ->
		assert(!page_freed[hw_page[m]]);
		assert(!(forked && hw_w[m] && (hw_page[m] == leaf[root[1 - m]] || hw_page[m] == hw_page[1 - m])))
	}
	od
}

init
{
	atomic {
		table_refs[0] = 1; page_refs[0] = 1; root_w[PARENT] = true; leaf_w[0] = true;
		hw_table[0] = NONE; hw_table[1] = NONE; hw_page[0] = NONE; hw_page[1] = NONE;
		run fork(); run thread(PARENT, 2); run hardware(PARENT)
	}
	atomic { forked -> run thread(CHILD, 1); run hardware(CHILD) }
	d_step {
		finished == 3 ->
		assert(root[0] != root[1] && table_refs[root[0]] == 1 && table_refs[root[1]] == 1);
		assert(leaf[root[0]] != leaf[root[1]] && page_refs[leaf[root[0]]] == 1 && page_refs[leaf[root[1]]] == 1)
	}
}
