/*
 * One fault for each check, made on request (`echo NAME >/proc/sysrq-trigger`). tests/checked.t expects
 * the panic that each must end in. The locks are the faults' own, so that nobody else waits for them.
 */
#include "kernel/checked/faults.h"
#include "kernel/lock.h"
#include "kernel/process.h"
#include "kernel/usercopy.h"
#include "mm/errno.h"
#include "mm/tree.h"

static struct spinlock heap = SPINLOCK(RANK_HEAP), frames_lock = SPINLOCK(RANK_FRAMES);
static struct spinlock log = SPINLOCK(RANK_LOG), unranked;
static struct rwlock contents = RWLOCK(RANK_CONTENTS), names = RWLOCK(RANK_NAMES);

/* ---- Locks ---- */

static void spinlocks_swapped(void)
{
	spin_lock(&frames_lock);
	spin_lock(&heap);
}

static void rwlocks_swapped(void)
{
	read_lock(&names);
	write_lock(&contents);
}

static void tables_upwards(void)
{
	static struct page lower = {.level = 1}, upper = {.level = 2};

	node_lock(&lower);
	node_lock(&upper);
}

static void tables_of_one_level(void)
{
	static struct page one = {.level = 1}, other = {.level = 1};

	node_lock(&one);
	node_lock(&other);
}

static void taken_twice(void)
{
	spin_lock(&heap);
	spin_lock(&heap);
}

static void never_taken(void)
{
	spin_unlock(&heap);
}

static void no_rank(void)
{
	spin_lock(&unranked);
}

static void interrupts_left_on(void)
{
	spin_lock(&log);
}

/* As a handler would that finds the heap's lock taken by what it interrupted. */
static void heap_in_interrupt(void)
{
	interrupts_off();
	irq_enter();
	spin_lock(&heap);
}

static void sleep_with_spinlock(void)
{
	static struct waitqueue queue;

	spin_lock(&heap);
	wait_until(&queue, true);
}

static void sleep_with_table(void)
{
	static struct page table = {.level = 1};

	node_lock(&table);
	read_lock(&contents);
}

static void user_memory_with_mm(void)
{
	read_lock(&current_process()->mm->lock);
	clear_user(current_process()->mm->stack_top - 1, 1);
}

static void kept_lock(void)
{
	read_lock(&names);
}

/* ---- Undefined behaviour. Each starts from a value that the compiler does not know. ---- */

static volatile int one = 1, most = 0x7fffffff, thirty_two = 32, four = 4;

static void signed_overflow(void)
{
	most = most + one;
}

static void shift(void)
{
	one = one << thirty_two; /* cppcheck-suppress shiftTooManyBits */
}

static void division(void)
{
	one = most / (one - 1);
}

static void index(void)
{
	static volatile int array[4];

	one = array[four]; /* cppcheck-suppress arrayIndexOutOfBounds */
}

static void misaligned(void)
{
	static u64 words[2];
	volatile u64 *word = (u64 *)((char *)words + one);

	*word = 0;
}

static void null_pointer(void)
{
	volatile u64 *nowhere = (u64 *)(u64)(one - 1);

	*nowhere = 0;
}

static void bad_bool(void)
{
	union {
		volatile int number;
		volatile bool truth;
	} value = {.number = four};

	one = value.truth;
}

/* ---- The watchdog ---- */

static void stuck_with_lock(void)
{
	process_table_lock();
	for (;;)
		__builtin_ia32_pause();
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{"spinlocks-swapped", spinlocks_swapped},
	{"rwlocks-swapped", rwlocks_swapped},
	{"tables-upwards", tables_upwards},
	{"tables-of-one-level", tables_of_one_level},
	{"taken-twice", taken_twice},
	{"never-taken", never_taken},
	{"no-rank", no_rank},
	{"interrupts-left-on", interrupts_left_on},
	{"heap-in-interrupt", heap_in_interrupt},
	{"sleep-with-spinlock", sleep_with_spinlock},
	{"sleep-with-table", sleep_with_table},
	{"user-memory-with-mm", user_memory_with_mm},
	{"kept-lock", kept_lock},
	{"signed-overflow", signed_overflow},
	{"shift", shift},
	{"division", division},
	{"index", index},
	{"misaligned", misaligned},
	{"null-pointer", null_pointer},
	{"bad-bool", bad_bool},
	{"stuck-with-lock", stuck_with_lock},
};

int make_fault(const char *text)
{
	for (u32 i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strncmp(faults[i].name, text, strlen(faults[i].name)) == 0) {
			faults[i].make();
			return 0;
		}
	}
	return -EINVAL;
}
