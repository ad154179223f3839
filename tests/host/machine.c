/*
 * mm/machine.h for a plain program. Physical memory is one array, so physical address 0 is its
 * first byte. Locks check that they are taken and let go in pairs, and in order; there is one thread.
 *
 * A TLB keeps every translation that a walk found until mm/ flushes it, which is the worst a
 * processor may do. There are two, and accesses go now through the one, now through the other: what
 * only one has seen change is stale in the other.
 */
#include "tests/host/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/commit.h"
#include "mm/tree.h"

u64 direct_map_base;

#define TLB_SIZE 4096
#define TLBS     2 /* processors that run the address spaces, as threads of one process would */

struct tlb_entry {
	struct mm *mm;
	vaddr_t addr;
	u64 entry; /* of the leaf, with W and NX as the whole walk gives them */
};

static struct tlb {
	u64 used[TLB_SIZE / 64]; /* a bit for each entry */
	struct tlb_entry entries[TLB_SIZE];
} tlbs[TLBS];
static u32 running; /* the processor whose turn it is */

bool machine_signal;
static bool as_another; /* thread, on another processor */

static void (*on_death)(void);

/* The run-time of ASan and UBSan, where they are built in. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void die(void)
{
	void (*say_why)(void) = on_death;

	on_death = NULL;
	if (say_why)
		say_why();
	fflush(stdout);
}

void machine_on_death(void (*say_why)(void))
{
	on_death = say_why;
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(die);
}

void machine_start(u64 count)
{
	void *memory = aligned_alloc(PAGE_SIZE << MAX_ORDER,
				     ROUND_UP(count << PAGE_SHIFT, PAGE_SIZE << MAX_ORDER));
	void *array = calloc(count, sizeof(struct page));

	if (!memory || !array)
		panic("no memory for %lu frames", count);
	memset(memory, 0xa5, count << PAGE_SHIFT);
	direct_map_base = (u64)memory;
	frames_init(array, count);
	frames_add(0, count);
	mm_init();
	commit_policy.mode = OVERCOMMIT_ALWAYS; /* what is only mapped may be larger than memory */
}

static u32 tlb_index(struct mm *mm, vaddr_t addr)
{
	return (addr / PAGE_SIZE * 31 + (u64)mm / 64 * 7) % TLB_SIZE;
}

static void tlb_insert(struct tlb *tlb, struct tlb_entry entry)
{
	u32 index = tlb_index(entry.mm, entry.addr);

	tlb->entries[index] = entry;
	tlb->used[index / 64] |= 1ul << index % 64;
}

/* The entry that the TLB holds for addr, or NULL. */
static const struct tlb_entry *tlb_find(const struct tlb *tlb, struct mm *mm, vaddr_t addr)
{
	u32 index = tlb_index(mm, addr);
	const struct tlb_entry *entry = &tlb->entries[index];

	return tlb->used[index / 64] >> index % 64 & 1 && entry->mm == mm && entry->addr == addr
		       ? entry
		       : NULL;
}

/* The first index from `at` on that is used; TLB_SIZE when there is none. */
static u32 tlb_next(const struct tlb *tlb, u32 at)
{
	while (at < TLB_SIZE) {
		u64 rest = tlb->used[at / 64] >> at % 64;

		if (rest)
			return at + (u32)__builtin_ctzl(rest);
		at = (at / 64 + 1) * 64;
	}
	return at;
}

void tlb_flush_range(struct mm *mm, vaddr_t start, vaddr_t end)
{
	for (struct tlb *tlb = tlbs; tlb < tlbs + TLBS; tlb++) {
		for (u32 i = 0; (i = tlb_next(tlb, i)) < TLB_SIZE; i++) {
			const struct tlb_entry *at = &tlb->entries[i];

			if (at->mm == mm && at->addr >= start && at->addr < end)
				tlb->used[i / 64] &= ~(1ul << i % 64);
		}
	}
}

void tlb_flush_all(struct mm *mm)
{
	tlb_flush_range(mm, 0, ~0ul);
}

void tlb_flush_everyone(void)
{
	for (struct tlb *tlb = tlbs; tlb < tlbs + TLBS; tlb++)
		memset(tlb->used, 0, sizeof(tlb->used));
}

void machine_count_major(void)
{
}

void machine_reclaim(void)
{
}

bool machine_interrupted(void)
{
	return machine_signal;
}

void machine_as_another(void (*run)(void))
{
	as_another = true;
	run();
	as_another = false;
}

void machine_forget(struct mm *mm)
{
	tlb_flush_all(mm);
}

/* The leaf that a walk finds, W and NX combined from all levels; 0 when some level is not present.
 */
static u64 walk(struct mm *mm, vaddr_t addr)
{
	struct page *table = mm->root;
	u64 write = ENTRY_W, no_execute = 0;

	for (;;) {
		u64 entry = *node_at(table, entry_index(addr, table->level));

		if (!(entry & ENTRY_P) || !(entry & ENTRY_U))
			return 0;
		write &= entry;
		no_execute |= entry & ENTRY_NX;
		if (table->level == 1)
			return (entry & ~(ENTRY_W | ENTRY_NX)) | write | no_execute;
		table = entry_child(entry);
	}
}

static bool permits(u64 entry, enum access access)
{
	return (entry & ENTRY_P) && (access != ACCESS_WRITE || (entry & ENTRY_W)) &&
	       (access != ACCESS_EXEC || !(entry & ENTRY_NX));
}

static bool still_given(const struct tlb_entry *held)
{
	u64 entry = walk(held->mm, held->addr);

	return (entry & ENTRY_PADDR) == (held->entry & ENTRY_PADDR) &&
	       permits(entry, ACCESS_READ) &&
	       (!permits(held->entry, ACCESS_WRITE) || permits(entry, ACCESS_WRITE)) &&
	       (!permits(held->entry, ACCESS_EXEC) || permits(entry, ACCESS_EXEC));
}

bool machine_tlb_holds(void)
{
	for (const struct tlb *tlb = tlbs; tlb < tlbs + TLBS; tlb++)
		for (u32 i = 0; (i = tlb_next(tlb, i)) < TLB_SIZE; i++)
			if (!still_given(&tlb->entries[i]))
				return false;
	return true;
}

int machine_translate(struct mm *mm, vaddr_t addr, enum access access, char **at)
{
	const struct tlb_entry *held = tlb_find(&tlbs[running], mm, addr);
	u64 entry = held ? held->entry : 0;

	if (!permits(entry, access)) {
		entry = walk(mm, addr);
		if (!permits(entry, access))
			return -1;
		tlb_insert(&tlbs[running], (struct tlb_entry) {mm, addr, entry});
	}
	*at = page_virt(entry_child(entry));
	return 0;
}

void machine_fill_tlb(struct mm *mm, vaddr_t addr)
{
	u64 entry = walk(mm, addr);

	for (u32 cpu = 0; entry && cpu < TLBS; cpu++)
		tlb_insert(&tlbs[cpu], (struct tlb_entry) {mm, addr, entry});
}

int machine_access(struct mm *mm, vaddr_t addr, enum access access, char **at)
{
	int error = 0;

	running = (running * 5 + (u32)(addr / PAGE_SIZE) + 1) % TLBS;
	for (int tries = 0; machine_translate(mm, addr, access, at) != 0; tries++) {
		if (tries == 3)
			panic("the fault at %lx is resolved and comes back", addr);
		error = mm_fault(mm, addr, access);
		if (error)
			break;
	}
	return error;
}

void machine_init_root(u64 *root)
{
	for (u32 i = USER_ENTRIES; i < ENTRIES; i++)
		root[i] = ENTRY_P | ENTRY_W; /* never followed: the kernel's half */
}

u32 machine_cpu(void)
{
	return 0;
}

void(spin_lock)(struct spinlock *lock)
{
	ASSERT(!lock->held, "spinlock %p is held", (void *)lock);
	lock->held = 1;
}

void(spin_unlock)(struct spinlock *lock)
{
	ASSERT(lock->held, "spinlock %p is free", (void *)lock);
	lock->held = 0;
}

void(read_lock)(struct rwlock *lock)
{
	ASSERT(lock->readers >= 0, "rwlock %p: readers %d", (void *)lock, lock->readers);
	lock->readers++;
}

void(read_unlock)(struct rwlock *lock)
{
	ASSERT(lock->readers > 0, "rwlock %p: readers %d", (void *)lock, lock->readers);
	lock->readers--;
}

void(write_lock)(struct rwlock *lock)
{
	ASSERT(lock->readers == 0, "rwlock %p: readers %d", (void *)lock, lock->readers);
	lock->readers = -1;
}

void(write_unlock)(struct rwlock *lock)
{
	ASSERT(lock->readers == -1, "rwlock %p: readers %d", (void *)lock, lock->readers);
	lock->readers = 0;
}

#ifdef CHECKED

struct held_locks *held_spinlocks(void)
{
	static struct held_locks held[2];

	return &held[as_another];
}

struct held_locks *held_rwlocks(void)
{
	static struct held_locks held[2];

	return &held[as_another];
}

bool interrupts_possible(void)
{
	return false;
}

#endif

void printk(const char *format, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

void panic(const char *format, ...)
{
	va_list args;

	fputs("# panic: ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	puts("");
	die();
	puts("Bail out! panic");
	fflush(stdout);
	abort();
}
