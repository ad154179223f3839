/*
 * A table and its page are freed, while other CPUs take up the address space, run it and leave it.
 *
 * Mirrors context_load_mm(), tlb_flush_range() and the handler of its interrupt in kernel/cpu/machine.c;
 * entry_set(), gather_end() of mm/tree.c; mm_put() of mm/mm.c.
 *
 * Bounds: one address space: a root of one entry, a table of one, a page. CPU 0 runs it, takes the entry out of the
 * root, frees the table and the page, leaves the address space and lets go of it. CPUs 1 and 2 take it up and leave
 * it, twice each, for the kernel's own root, and let go of it; the last of the three frees the root. The page
 * walker of each CPU walks all the time, from CR3 or from what the CPU remembers.
 *
 * The entry is taken out by a plain store, which stays in CPU 0's store buffer until it gets out by itself or the
 * barrier waits for it. All else that CPUs tell each other is a locked operation.
 *
 * Asserted: the hardware reads no freed table and accesses no freed page.
 *
 * Left out: several flushes at once, and who waits with interrupts off (flush.pml); tables that are shared
 * (break.pml); the kernel's half.
 */
#define CPUS     3
#define BIT(cpu) (1 << (cpu))

bool running[CPUS];  /* CR3 is the address space's root */
bool hw_table[CPUS], hw_page[CPUS]; /* what a CPU remembers: the root's entry, the whole translation */
bool cpu_mm[CPUS];   /* this_cpu()->mm is the address space */
byte mask;           /* the CPUs of the mm */
byte pending;        /* those that have not answered the flush */
bool entry = true;   /* the root's entry is there ... */
bool entry_going;    /* ... but CPU 0's store buffer has the store that takes it out */
bool lower_freed;    /* the table and its page */
bool root_freed;
byte users = CPUS;

inline forget(cpu) { d_step { hw_table[cpu] = false; hw_page[cpu] = false } }
inline load_cr3(cpu, root) { d_step { running[cpu] = root; hw_table[cpu] = false; hw_page[cpu] = false } }

inline answer(cpu)
{
#ifdef BUG_ANSWERED_BEFORE_FLUSH
	pending = pending & ~BIT(cpu);
#endif
	if :: cpu_mm[cpu] -> forget(cpu) :: else fi;
#ifndef BUG_ANSWERED_BEFORE_FLUSH
	pending = pending & ~BIT(cpu)
#endif
}

/* context_load_mm(), with interrupts off */
inline load_mm(cpu)
{
#ifndef BUG_BIT_SET_AFTER_LOAD
	mask = mask | BIT(cpu);
#endif
	cpu_mm[cpu] = true;
#ifdef BUG_INTERRUPTED_IN_LOAD
	if :: pending & BIT(cpu) -> answer(cpu) :: true fi;
#endif
	load_cr3(cpu, true);
#ifdef BUG_BIT_SET_AFTER_LOAD
	mask = mask | BIT(cpu);
#endif
}

inline leave_mm(cpu)
{
#ifdef BUG_BIT_CLEARED_BEFORE_LOAD
	mask = mask & ~BIT(cpu);
#endif
	cpu_mm[cpu] = false;
#ifdef BUG_INTERRUPTED_IN_LOAD
	if :: pending & BIT(cpu) -> answer(cpu) :: true fi;
#endif
	load_cr3(cpu, false);
#ifndef BUG_BIT_CLEARED_BEFORE_LOAD
	mask = mask & ~BIT(cpu);
#endif
}

inline mm_put()
{
	d_step { users--; last = (users == 0) }
	if :: last -> root_freed = true :: else fi
}

proctype frees() /* on CPU 0 */
{
	byte others;
	bool last;

#ifdef BUG_MASK_READ_BEFORE_CLEARED
	others = mask & ~BIT(0);
#endif
	entry_going = true; /* entry_set() */
#ifdef BUG_FREED_BEFORE_FLUSH
	lower_freed = true;
#endif
#ifndef BUG_NO_BARRIER
	!entry_going; /* tlb_flush_range() */
#endif
#ifndef BUG_MASK_READ_BEFORE_CLEARED
	others = mask & ~BIT(0);
#endif
#ifndef BUG_ONLY_OTHERS_FLUSHED
	forget(0);
#endif
	pending = others;
#ifndef BUG_NOT_WAITED
	pending == 0;
#endif
	lower_freed = true; /* gather_end() */
	leave_mm(0);
	mm_put()
}

proctype runs(byte cpu)
{
	byte loads;
	bool last;

	do
	:: pending & BIT(cpu) -> answer(cpu)
	:: !cpu_mm[cpu] && loads < 2 -> loads++; load_mm(cpu)
	:: cpu_mm[cpu] -> leave_mm(cpu)
	:: !cpu_mm[cpu] && loads == 2 -> break
#ifdef BUG_STAYED_WHEN_IDLE
	:: cpu_mm[cpu] && loads == 2 -> break /* its thread has gone to another CPU, and ends there */
#endif
	od;
	mm_put();
end:	do
	:: pending & BIT(cpu) -> answer(cpu)
	od
}

proctype hardware(byte cpu)
{
end:	do
	:: d_step { running[cpu] -> assert(!root_freed); hw_table[cpu] = hw_table[cpu] || entry }
	:: d_step { hw_table[cpu] -> assert(!lower_freed); hw_page[cpu] = true }
	:: d_step { hw_page[cpu] -> assert(!lower_freed) }
	od
}

init
{
	byte cpu;

	atomic {
		running[0] = true; cpu_mm[0] = true; mask = BIT(0);
		run frees(); run runs(1); run runs(2);
		for (cpu : 0 .. CPUS - 1) {
			run hardware(cpu)
		}
	}
	d_step { entry_going -> entry = false; entry_going = false } /* the store leaves the store buffer */
}
