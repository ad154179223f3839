/*
 * Starting the other CPUs (SDM vol. 3, 8.4.4), one after the other: INIT, then the start-up IPI that names the
 * trampoline's page. Each comes up with tables and an idle thread made for it beforehand, on that thread's
 * stack, and goes to the scheduler. It begins by taking the stack out of the trampoline; who comes after it was given up
 * finds none and halts, or takes that of the CPU whose turn it is by then, and is that one.
 */
#include "kernel/cpu/smp.h"
#include "kernel/acpi.h"
#include "kernel/cpu/apic.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/machine.h"
#include "kernel/cpu/paging.h"
#include "kernel/cpu/stack.h"
#include "kernel/cpu/trap.h"
#include "kernel/lock.h"
#include "kernel/memory.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/wait.h"
#include "kernel/watchdog.h"

#define INIT_DELAY_NS  10000000ul /* SDM: 10 ms after INIT, */
#define START_DELAY_NS 200000ul   /* 200 us after a start-up IPI */
/* Ours: after that it is given up. A virtual one comes when its host lets it. */
#define COME_UP_NS     10000000000ul

extern const u8 trampoline[], trampoline_end[], trampoline_words[];

struct trampoline_words {
	u64 root;
	_Atomic u64 stack; /* 0: taken, or given up */
	u64 entry;
};
_Static_assert(sizeof(struct trampoline_words) == 24, "boot/trampoline.asm");

static u32 apic_ids[MAX_CPUS], apic_count;
static paddr_t first_root;
static _Atomic u64 running = CPU_BIT(0);

u64 cpus_running(void)
{
	return atomic_load(&running);
}

void smp_find_cpus(void)
{
	apic_count = acpi_find_cpus(apic_ids, MAX_CPUS);
}

/* A root below 4 GB, for 32-bit code to load: the first 2 MB where they are, and the kernel's half. */
void smp_prepare(void)
{
	paddr_t directory, pointers;

	if (apic_count <= 1)
		return;
	first_root = memory_frame();
	pointers = memory_frame();
	directory = memory_frame();
	if (!first_root || !pointers || !directory)
		panic("no memory to start other CPUs with");
	machine_init_root(phys_to_virt(first_root));
	*(u64 *)phys_to_virt(first_root) = pointers | PTE_PRESENT | PTE_WRITE;
	*(u64 *)phys_to_virt(pointers) = directory | PTE_PRESENT | PTE_WRITE;
	*(u64 *)phys_to_virt(directory) = PTE_PRESENT | PTE_WRITE | PTE_LARGE;
}

static void delay(u64 ns)
{
	u64 end = clock_ns() + ns;

	while (clock_ns() < end)
		__builtin_ia32_pause();
}

static struct cpu *starting; /* the one whose turn it is */

/* The first C that another CPU runs, on its idle thread's stack. */
static void begin(void)
{
	struct cpu *cpu = starting;

	write_cr3(virt_to_phys(kernel_root));
	cpu_init_other(cpu);
	apic_init_other();
	atomic_fetch_or(&running, CPU_BIT(cpu->number));
	scheduler_enter();
}

static struct trampoline_words *words(void)
{
	return phys_to_virt(TRAMPOLINE + (u64)trampoline_words - (u64)trampoline);
}

static bool is_running(const struct cpu *cpu)
{
	return cpus_running() & CPU_BIT(cpu->number);
}

static bool has_begun(void)
{
	return !atomic_load(&words()->stack);
}

/* Whether the CPU with that id, or one that was given up before, runs now as this one. */
static bool start(struct cpu *cpu, u32 apic_id)
{
	u64 give_up = clock_ns() + COME_UP_NS;

	starting = cpu;
	atomic_store(&words()->stack, (u64)cpu->idle->stack + STACK_SIZE);
	apic_send_init(apic_id);
	delay(INIT_DELAY_NS);
	for (u32 tries = 0; tries < 2 && !has_begun(); tries++) {
		apic_send_start(apic_id, TRAMPOLINE >> PAGE_SHIFT);
		delay(START_DELAY_NS);
	}
	while (!has_begun() && clock_ns() < give_up)
		__builtin_ia32_pause();
	if (atomic_exchange(&words()->stack, 0))
		return false;
	while (!is_running(cpu))
		__builtin_ia32_pause();
	return true;
}

/* Its tables and idle thread, unless it has them from one that did not come. */
static bool prepare(struct cpu *cpu, u32 number)
{
	cpu->number = number;
	return cpu->idle || (cpu_prepare_other(cpu) && scheduler_prepare(cpu));
}

void smp_start(void)
{
	if (apic_count <= 1)
		return;
	memcpy(phys_to_virt(TRAMPOLINE), trampoline, (u64)trampoline_end - (u64)trampoline);
	*words() = (struct trampoline_words) {.root = first_root, .entry = (u64)begin};
	for (u32 i = 0; i < apic_count; i++) {
		struct cpu *cpu = &cpus[cpus_online];

		if (apic_ids[i] == cpus[0].apic_id)
			continue;
		if (!prepare(cpu, cpus_online)) {
			printk("no memory for the CPU with APIC id %u\n", apic_ids[i]);
			return;
		}
		if (start(cpu, apic_ids[i]))
			cpus_online++;
		else
			printk("the CPU with APIC id %u does not come up\n", apic_ids[i]);
	}
}

/* ---- Standing still ---- */

/* Held by who makes the others stand still: one at a time. Not a rwlock, whose waiters would be waited for. */
static _Atomic bool turn;
static struct waitqueue turn_over;
_Atomic u64 cpus_to_stand_still;
static _Atomic u64 standing; /* those that do */

/* While some do not stand yet, one may be stuck; this CPU is not, though it takes no interrupt. Once all do, the one that
 * works takes none. */
static void stand_a_moment(u64 asked)
{
	tlb_poll();
	if (atomic_load(&standing) != asked)
		watchdog_tick(clock_ns());
	__builtin_ia32_pause();
}

void smp_stand_still_now(void)
{
	u64 bit = CPU_BIT(this_cpu()->number), asked;

	if (!(atomic_load(&cpus_to_stand_still) & bit))
		return;
	atomic_fetch_or(&standing, bit);
	while ((asked = atomic_load(&cpus_to_stand_still)) & bit)
		stand_a_moment(asked);
	watchdog_excuse();
	atomic_fetch_and(&standing, ~bit);
}

static void make_others_stand(void)
{
	u64 others = cpus_running() & ~CPU_BIT(this_cpu()->number);

	atomic_store(&cpus_to_stand_still, others);
	for (u32 number = 0; number < cpus_online; number++)
		if (others & CPU_BIT(number))
			apic_send(cpus[number].apic_id, VECTOR_RESCHEDULE);
	while (atomic_load(&standing) != others)
		stand_a_moment(others);
}

static void let_others_go(void)
{
	atomic_store(&cpus_to_stand_still, 0);
	while (atomic_load(&standing))
		__builtin_ia32_pause();
}

/* A thread that waits for a lock has done a part of something: it is let go on first. */
void smp_quietly(void (*work)(void *context), void *context)
{
	bool done = false;

	wait_until(&turn_over, !atomic_exchange(&turn, true));
	while (!done) {
		bool interrupts = interrupts_save();

		make_others_stand();
		done = !rwlock_waiters();
		if (done)
			work(context);
		watchdog_excuse();
		let_others_go();
		interrupts_restore(interrupts);
		if (!done)
			sched_yield();
	}
	atomic_store(&turn, false);
	wake_all(&turn_over);
}
