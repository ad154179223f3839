/*
 * Out of memory: one process is killed, the one whose death frees most.
 *
 * What a death frees is counted, not estimated: mm_exclusive_bytes() of each address space. Who shares gigabytes with a
 * hundred others holds little alone, and killing it would free that little. oom_score_adj adds or
 * takes a thousandth of all memory per point, as on Linux.
 *
 * The memory of the chosen one is taken away by who chose it (mm_reap()), before its threads have noticed anything: it may
 * be asleep for a lock that the asker holds, so waiting for its exit could last for ever. Whoever runs in it faults at
 * the next access, and dies of the SIGKILL that was sent first. What it holds besides (stacks, pipes, files) comes
 * back when it exits: if that is what is needed, the asker sleeps a little and tries again, and only if nothing
 * comes of that for GIVE_UP_NS another one is chosen.
 *
 * Only accesses to memory end here. A system call that wants memory for itself fails with ENOMEM.
 */
#include "kernel/oom.h"
#include "kernel/process.h"
#include "kernel/wait.h"
#include "mm/commit.h"
#include "mm/frame.h"

#define WAIT_NS     10000000ul
#define GIVE_UP_NS  2000000000ul  /* a dying process has been waited for: others may be chosen */
#define HOPELESS_NS 30000000000ul /* when there are no others */

struct oom_policy oom_policy;

static struct rwlock oom_lock =
	RWLOCK(RANK_OOM); /* one chooses at a time; guards their notes in struct mm */
static _Atomic u64 kills;

u64 oom_relief(void)
{
	return atomic_load(&kills) + atomic_load(&mm_stat.ended);
}

/* In pages, of a machine that has so many. */
static i64 badness(u64 exclusive, i32 adj, u64 pages)
{
	return (i64)(exclusive >> PAGE_SHIFT) + adj * (i64)pages / 1000;
}

static bool is_spared(const struct process *process)
{
	return process == init_process || process->oom_score_adj == OOM_SCORE_ADJ_MIN;
}

u64 oom_score(struct process *process)
{
	struct mm *mm = process_mm(process);
	u64 pages = commit_memory();
	i64 score = 0;

	if (mm && !is_spared(process))
		score = 1000 + badness(mm_exclusive_bytes(mm), process->oom_score_adj, pages) *
				       1000 / (i64)pages;
	if (mm)
		mm_put(mm);
	return score > 0 ? (u64)score * 2 / 3 : 0;
}

/* ---- Choosing ---- */

static void count_all(void)
{
	struct mm *mm = mm_next(NULL), *next;

	for (; mm; mm = next) {
		mm->exclusive = mm_exclusive_bytes(mm);
		mm->spared = mm->alive = false;
		next = mm_next(mm);
		mm_put(mm);
	}
}

/* Whether a process that has memory is about to give it back. locked: process table */
static bool is_dying(const struct process *process)
{
	return process->dying || process->mm->doomed;
}

/* Notes what its processes say of an address space. locked: process table */
static bool note(void *context, struct process *process)
{
	(void)context;
	if (process->mm) {
		process->mm->spared |= is_spared(process);
		process->mm->alive |= !is_dying(process);
	}
	return true;
}

struct choice {
	u64 pages; /* of memory and swap */
	u32 pid;   /* 0: nobody */
	i64 points;
	bool dying; /* it needs no killing: it is waited for */
	bool late;  /* some other has been dying for long */
};

/* A dying process, all of whose sharers are dying: whether nobody else need be looked at. locked: process table */
static bool await(struct choice *best, struct process *process)
{
	u64 now = clock_ns();

	if (!process->dying_since)
		process->dying_since = now;
	if (now - process->dying_since > GIVE_UP_NS) {
		best->late |= now - process->dying_since < HOPELESS_NS;
		return false;
	}
	best->pid = process->pid;
	best->dying = true;
	return true;
}

/* locked: process table */
static bool consider(void *context, struct process *process)
{
	struct choice *best = context;
	struct mm *mm = process->mm;

	if (!mm)
		return true;
	if (is_dying(process))
		return mm->alive || !await(best, process);
	if (!mm->exclusive || mm->spared)
		return true;

	i64 points = badness(mm->exclusive, process->oom_score_adj, best->pages);

	if (!best->pid || points > best->points) {
		best->pid = process->pid;
		best->points = points;
	}
	return true;
}

/* locked: oom_lock */
static struct choice choose(void)
{
	struct process *asker = current_process();
	struct choice best = {.pages = commit_memory()};

	count_all();
	process_each(note, NULL);
	process_each(consider, &best);
	if (oom_policy.kill_asker && !best.dying && !asker->mm->spared)
		best.pid = asker->pid;
	return best;
}

/* ---- Killing ---- */

/* locked: process table */
static bool kill_if_in(void *mm, struct process *process)
{
	const struct siginfo info = siginfo_of_kernel(SIGKILL);

	if (process->mm == mm && !process->dying)
		signal_send_locked(process, &info);
	return true;
}

/* Kills all who run in mm, and takes its memory away. locked: oom_lock */
static void kill_all_in(struct mm *mm, const struct process *victim)
{
	u64 exclusive = mm->exclusive, before = frames_free(), after;

	process_each(kill_if_in, mm);
	mm_reap(mm);
	after = frames_free();
	atomic_fetch_add(&kills, 1);
	printk("out of memory: killed process %u (%s), oom_score_adj %d: it alone held %lu kB, "
	       "%lu kB are free now, %lu kB were\n",
	       victim->pid, victim->name, victim->oom_score_adj, exclusive >> 10,
	       after << (PAGE_SHIFT - 10), before << (PAGE_SHIFT - 10));
}

/* Whether this made memory; not if all that can be done is to wait. locked: oom_lock */
static bool kill_chosen(const struct choice *choice)
{
	struct process *victim = process_find(choice->pid);
	struct mm *mm = victim ? process_mm(victim) : NULL;
	bool reaped = mm && !mm->doomed;

	if (reaped)
		kill_all_in(mm, victim);
	if (mm)
		mm_put(mm);
	if (victim)
		process_put(victim);
	return reaped;
}

/*
 * Whether there is memory that was not there at `seen`; not if all that can be done is to wait. An exit on another CPU that the
 * choice has missed, since its process had let go of the memory before, is found here: not done yet, or done.
 * locked: oom_lock
 */
static bool make_memory(u64 addr, u64 seen)
{
	const struct process *asker = current_process();
	struct choice choice = choose();

	if (mm_stat.endings || oom_relief() != seen)
		return oom_relief() != seen;
	if (oom_policy.panic)
		panic("out of memory, and panic_on_oom is set: process %u (%s) at %lx, %lu frames "
		      "free",
		      asker->pid, asker->name, addr, frames_free());

	if (!choice.pid && !choice.late)
		panic("out of memory, and no process is left to kill: process %u (%s) at %lx, %lu "
		      "frames free",
		      asker->pid, asker->name, addr, frames_free());
	if (!choice.pid)
		return false;
	if (!choice.dying)
		printk("out of memory: process %u (%s) wants some at %lx, %lu frames are free\n",
		       asker->pid, asker->name, addr, frames_free());
	return kill_chosen(&choice);
}

bool out_of_memory(u64 addr, u64 seen)
{
	struct process *asker = current_process();
	bool made = true;

	if (asker->mm->doomed && !asker->dying) /* a child that came when its parent was killed */
		signal_force(SIGKILL, 0, addr);
	if (asker->dying)
		return false;
	write_lock(&oom_lock);
	if (oom_relief() == seen)
		made = make_memory(addr, seen);
	write_unlock(&oom_lock);
	if (!made)
		wait_for(NULL, false, false, clock_ns() + WAIT_NS);
	return !asker->dying;
}
