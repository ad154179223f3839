/*
 * All that mm/ asks of the machine below it. The kernel answers in kernel/cpu/machine.c; the host
 * tests answer in tests/host/machine.c, over an array of frames, so that mm/ also runs as a plain
 * program.
 */
#pragma once

#include "mm/lock.h"
#include "mm/types.h"

struct mm;

/* Where all of physical memory is visible to the kernel: virtual = physical + direct_map_base. */
extern u64 direct_map_base;

static inline void *phys_to_virt(paddr_t at)
{
	return (void *)(at + direct_map_base);
}

static inline paddr_t virt_to_phys(const void *at)
{
	return (u64)at - direct_map_base;
}

/*
 * Forgets, on every CPU that may hold one, the translations of mm for the pages [start, end) and
 * all that CPUs remember of the tables above them. Returns only when that is done. May not sleep.
 */
void tlb_flush_range(struct mm *mm, vaddr_t start, vaddr_t end);
void tlb_flush_all(struct mm *mm);

/* Copies the kernel's half of the address space into a new root table (entries 256 to 511). */
void machine_init_root(u64 *root);

/* Forgets, on every CPU, what it remembers of any user memory. Otherwise as tlb_flush_range(). */
void tlb_flush_everyone(void);

/* For getrusage(2): a fault of the current thread had to wait for a page to be read. */
void machine_count_major(void);

/* Memory is low: wakes who is to reclaim some. Does not sleep. */
void machine_reclaim(void);

/* Whether a signal waits for the current thread, so that a long operation had better end with -EINTR. */
bool machine_interrupted(void);

/* The CPU this runs on, 0 to MAX_CPUS - 1. The caller may not be moved to another while it uses it.
 */
#define MAX_CPUS 32
u32 machine_cpu(void);

/* Stops the machine with a message and never returns. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes to the kernel's log. */
void printk(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An assertion that prints its values: ASSERT(refs == 1, "refs %u", refs). Without them only when it is measured what
 * of mm/ tests run. */
#ifdef NO_ASSERT
#define ASSERT(cond, format, ...) ((void)0)
#else
#define ASSERT(cond, format, ...)                                                              \
	do {                                                                                   \
		if (__builtin_expect(!(cond), 0))                                              \
			panic("%s:%d: %s: " format, __FILE__, __LINE__, #cond, ##__VA_ARGS__); \
	} while (0)
#endif

/* Whole-page operations, 8 bytes at a time. */
static inline void clear_page(void *page)
{
	u64 count = PAGE_SIZE / 8;
	asm volatile("rep stosq" : "+D"(page), "+c"(count) : "a"(0ul) : "memory");
}

static inline void copy_page(void *to, const void *from)
{
	u64 count = PAGE_SIZE / 8;
	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}
