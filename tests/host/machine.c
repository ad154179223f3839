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

#include "mm/tree.h"

u64 direct_map_base;

#define TLB_MOST 4096
#define TLBS     2 /* processors that run the address spaces, as threads of one process would */

static struct tlb_entry {
	struct mm *mm;
	vaddr_t addr;
	u64 entry; /* of the leaf, with W and NX as the whole walk gives them */
} tlb[TLBS][TLB_MOST];
static u32 tlb_size; /* entries of each that are used */
static u32 running;  /* the processor whose turn it is */

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
	tlb_size = (u32)MIN(2 * count, TLB_MOST);
	frames_init(array, count);
	frames_add(0, count);
	mm_init();
}

static struct tlb_entry *tlb_slot(u32 cpu, struct mm *mm, vaddr_t addr)
{
	return &tlb[cpu][(addr / PAGE_SIZE * 31 + (u64)mm / 64 * 7) % tlb_size];
}

void tlb_flush_range(struct mm *mm, vaddr_t start, vaddr_t end)
{
	for (u32 cpu = 0; cpu < TLBS; cpu++)
		for (struct tlb_entry *at = tlb[cpu]; at < tlb[cpu] + tlb_size; at++)
			if (at->mm == mm && at->addr >= start && at->addr < end)
				at->mm = NULL;
}

void tlb_flush_all(struct mm *mm)
{
	tlb_flush_range(mm, 0, ~0ul);
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
	for (u32 cpu = 0; cpu < TLBS; cpu++)
		for (const struct tlb_entry *at = tlb[cpu]; at < tlb[cpu] + tlb_size; at++)
			if (at->mm && !still_given(at))
				return false;
	return true;
}

int machine_translate(struct mm *mm, vaddr_t addr, enum access access, char **at)
{
	struct tlb_entry *slot = tlb_slot(running, mm, addr);

	if (slot->mm != mm || slot->addr != addr || !permits(slot->entry, access)) {
		u64 entry = walk(mm, addr);

		if (!permits(entry, access))
			return -1;
		*slot = (struct tlb_entry) {mm, addr, entry};
	}
	*at = page_virt(entry_child(slot->entry));
	return 0;
}

void machine_fill_tlb(struct mm *mm, vaddr_t addr)
{
	u64 entry = walk(mm, addr);

	for (u32 cpu = 0; entry && cpu < TLBS; cpu++)
		*tlb_slot(cpu, mm, addr) = (struct tlb_entry) {mm, addr, entry};
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
	static struct held_locks held;

	return &held;
}

struct held_locks *held_rwlocks(void)
{
	static struct held_locks held;

	return &held;
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
