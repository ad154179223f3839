/*
 * The machine as mm/ sees it (mm/machine.h): root tables and the TLB. A CPU can hold translations
 * of an address space only while this_cpu()->mm is that one, since loading CR3 forgets all but
 * global ones (SDM vol. 3, 4.10.4); then it is in mm->cpus.
 */
#include "kernel/cpu/apic.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/machine.h"
#include "kernel/cpu/paging.h"
#include "kernel/cpu/smp.h"
#include "kernel/cpu/trap.h"
#include "kernel/lock.h"
#include "kernel/process.h"
#include "kernel/watchdog.h"
#include "mm/frame.h"
#include "mm/mm.h"

u64 direct_map_base = DIRECT_MAP;

#define ROOT_ENTRIES 512
#define KERNEL_HALF  256 /* first entry of the kernel's half */

/* From so many pages on, forgetting everything is cheaper than page by page. */
#define FLUSH_PAGES_MAX 32

void machine_init_root(u64 *root)
{
	memcpy(root + KERNEL_HALF, kernel_root + KERNEL_HALF,
	       (ROOT_ENTRIES - KERNEL_HALF) * sizeof(u64));
}

/* INVLPG also forgets all cached upper entries, whatever the address: SDM vol. 3, 4.10.4.1. */
static void invalidate_pages(vaddr_t start, vaddr_t end)
{
	for (vaddr_t at = start; at < end; at += PAGE_SIZE)
		invlpg(at);
}

/* ---- Flushes on other CPUs ---- */

/*
 * One at a time. Who asks has changed the tables before it reads which CPUs may remember them, and a CPU
 * enters itself there before it loads a root (context_load_mm()): so either it is asked, or it sees the
 * change. A CPU that waits for a lock with interrupts off, or stands still, looks here by itself
 * (tlb_poll()), or two of them could wait for each other for ever.
 */
static struct spinlock flush_lock = SPINLOCK(RANK_FLUSH);
/* guarded by flush_lock, and read by those in pending: */
static struct {
	struct mm *mm; /* NULL: kernel addresses, or all of user memory if `everyone` */
	bool everyone;
	vaddr_t start, end;
	_Atomic u64 pending; /* CPUs that have not done it yet */
} request;

struct tlb_stat tlb_stat;

static void count(_Atomic u64 *event)
{
	atomic_fetch_add_explicit(event, 1, memory_order_relaxed);
}

static void flush_here(const struct mm *mm, vaddr_t start, vaddr_t end)
{
	if (mm && this_cpu()->mm != mm)
		return;
	if (end - start <= FLUSH_PAGES_MAX * PAGE_SIZE) {
		count(&tlb_stat.local_ranges);
		invalidate_pages(start, end);
	} else {
		count(&tlb_stat.local_all);
		write_cr3(read_cr3());
	}
}

/* Translations of user memory are never global. */
static void flush_user_here(void)
{
	count(&tlb_stat.local_all);
	write_cr3(read_cr3());
}

/* locked: interrupts off, or one that served this request in between would let the next one be taken for it */
static void serve_request(void)
{
	u64 bit = CPU_BIT(this_cpu()->number);

	if (!(atomic_load_explicit(&request.pending, memory_order_acquire) & bit))
		return;
	if (request.everyone)
		flush_user_here();
	else
		flush_here(request.mm, request.start, request.end);
	count(&tlb_stat.remote_received);
	atomic_fetch_and(&request.pending, ~bit);
}

void tlb_poll(void)
{
	bool interrupts = interrupts_save();

	serve_request();
	interrupts_restore(interrupts);
}

/* Has the request served by other CPUs. locked: flush_lock */
static void ask(u64 others)
{
	atomic_store(&request.pending, others);
	count(&tlb_stat.remote);
	for (u32 number = 0; number < MAX_CPUS && others >> number; number++)
		if (others & CPU_BIT(number))
			apic_send(cpus[number].apic_id, VECTOR_FLUSH);
	while (atomic_load_explicit(&request.pending, memory_order_acquire)) {
		watchdog_look(clock_ns());
		__builtin_ia32_pause();
	}
}

static void flush_others(struct mm *mm, vaddr_t start, vaddr_t end, u64 others)
{
	bool interrupts = spin_lock_irqsave(&flush_lock);

	request.mm = mm;
	request.everyone = false;
	request.start = start;
	request.end = end;
	ask(others);
	spin_unlock_irqrestore(&flush_lock, interrupts);
}

void tlb_flush_range(struct mm *mm, vaddr_t start, vaddr_t end)
{
	u64 others;

	atomic_thread_fence(
		memory_order_seq_cst); /* the tables have changed, then who is asked is read */
	others = atomic_load(&mm->cpus) & ~CPU_BIT(this_cpu()->number);
	flush_here(mm, start, end);
	if (others)
		flush_others(mm, start, end, others);
}

void tlb_flush_all(struct mm *mm)
{
	tlb_flush_range(mm, 0, USER_END);
}

void tlb_flush_everyone(void)
{
	u64 others = cpus_running() & ~CPU_BIT(this_cpu()->number);
	bool interrupts;

	atomic_thread_fence(memory_order_seq_cst);
	flush_user_here();
	/* One that has no address space sees the change when it loads the next (context_load_mm()). */
	for (u32 number = 0; number < cpus_online; number++)
		if (!__atomic_load_n(&cpus[number].mm, __ATOMIC_RELAXED))
			others &= ~CPU_BIT(number);
	if (!others)
		return;
	interrupts = spin_lock_irqsave(&flush_lock);
	request.mm = NULL;
	request.everyone = true;
	ask(others);
	spin_unlock_irqrestore(&flush_lock, interrupts);
}

void tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	u64 others = cpus_running() & ~CPU_BIT(this_cpu()->number);

	ASSERT(end - start <= FLUSH_PAGES_MAX * PAGE_SIZE, "%lx to %lx: more needs CR4.PGE", start,
	       end);
	invalidate_pages(start, end); /* global ones outlive a load of CR3 */
	if (others)
		flush_others(NULL, start, end, others);
}

void context_load_mm(struct mm *mm)
{
	struct cpu *cpu = this_cpu();
	struct mm *old = cpu->mm;
	u64 bit = CPU_BIT(cpu->number);
	bool interrupts;

	if (old == mm)
		return;
	interrupts = interrupts_save(); /* a request is served before or after, not in between */
	if (mm)
		atomic_fetch_or(&mm->cpus, bit);
	cpu->mm = mm;
	write_cr3(mm ? page_paddr(mm->root) : virt_to_phys(kernel_root));
	if (old)
		atomic_fetch_and(&old->cpus, ~bit);
	interrupts_restore(interrupts);
}
