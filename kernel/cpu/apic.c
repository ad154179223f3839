/* The local APIC through its registers in memory (SDM vol. 3, chapter 11), and its one-shot timer.
 */
#include "kernel/cpu/apic.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/paging.h"
#include "kernel/cpu/trap.h"
#include "kernel/cpu/tsc.h"
#include "kernel/process.h"

/* Offsets of registers, in bytes. */
#define APIC_ID            0x20
#define APIC_TASK_PRIORITY 0x80
#define APIC_EOI           0xb0
#define APIC_SPURIOUS      0xf0
#define APIC_COMMAND       0x300
#define APIC_COMMAND_HIGH  0x310
#define APIC_LVT_TIMER     0x320
#define APIC_LVT_LINT0     0x350
#define APIC_LVT_LINT1     0x360
#define APIC_TIMER_START   0x380
#define APIC_TIMER_COUNT   0x390
#define APIC_TIMER_DIVIDE  0x3e0

#define SPURIOUS_ENABLE (1u << 8)
#define LVT_NMI         (4u << 8)
#define LVT_EXTINT      (7u << 8) /* the 8259s give the vector */
#define LVT_MASKED      (1u << 16)
#define DIVIDE_BY_1     0xbu

#define COMMAND_INIT    (5u << 8)
#define COMMAND_START   (6u << 8)
#define COMMAND_NMI     (4u << 8)
#define COMMAND_ASSERT  (1u << 14)
#define COMMAND_PENDING (1u << 12)

#define APIC_BASE_X2APIC (1ul << 10)
#define APIC_BASE_ENABLE (1ul << 11)

#define ROUNDS     3
#define ROUNDS_MAX 100 /* if none of those was tolerable, as in kernel/cpu/tsc.c */
#define ROUND_NS   2000000ul
#define TOLERABLE  200

static volatile u8 *registers;
static u64 counts_scale; /* timer counts per 2^32 nanoseconds */

static u32 apic_read(u32 offset)
{
	return *(volatile u32 *)(registers + offset);
}

static void apic_write(u32 offset, u32 value)
{
	*(volatile u32 *)(registers + offset) = value;
}

/* The frequency over one round, in Hz, and in *doubt how many ns reading the two clocks took. */
static u64 measure(u64 *doubt)
{
	u64 start, started, end, ended;
	u32 left;

	start = clock_ns();
	apic_write(APIC_TIMER_START, ~0u);
	started = clock_ns();
	do {
		end = clock_ns();
	} while (end < started + ROUND_NS);
	left = apic_read(APIC_TIMER_COUNT);
	ended = clock_ns();
	apic_write(APIC_TIMER_START, 0);
	*doubt = started - start + ended - end;
	return (u64)(~0u - left) * 2000000000ul / (end + ended - start - started);
}

static u64 measure_frequency(void)
{
	u64 least, best = measure(&least);

	for (u32 i = 1; i < ROUNDS || (i < ROUNDS_MAX && least > ROUND_NS / TOLERABLE); i++) {
		u64 doubt, hz = measure(&doubt);

		if (doubt < least) {
			least = doubt;
			best = hz;
		}
	}
	return round_frequency(best);
}

/* What each CPU sets in its own; lint0: what the pin is for that the 8259s are at. */
static void set_up(u32 lint0)
{
	apic_write(APIC_TASK_PRIORITY, 0);
	apic_write(APIC_LVT_LINT0, lint0);
	apic_write(APIC_LVT_LINT1, LVT_NMI);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
}

void apic_init_other(void)
{
	this_cpu()->apic_id = apic_read(APIC_ID) >> 24;
	set_up(LVT_MASKED); /* the 8259s interrupt the CPU that has booted */
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
}

/* Interrupts may not come between the two halves, nor the next command before this one is on its way. */
static void command(u32 apic_id, u32 what)
{
	bool interrupts = interrupts_save();

	while (apic_read(APIC_COMMAND) & COMMAND_PENDING)
		__builtin_ia32_pause();
	apic_write(APIC_COMMAND_HIGH, apic_id << 24);
	apic_write(APIC_COMMAND, what | COMMAND_ASSERT);
	interrupts_restore(interrupts);
}

void apic_send(u32 apic_id, u32 vector)
{
	command(apic_id, vector);
}

void apic_send_nmi(u32 apic_id)
{
	command(apic_id, COMMAND_NMI);
}

void apic_send_init(u32 apic_id)
{
	command(apic_id, COMMAND_INIT);
}

void apic_send_start(u32 apic_id, u32 page)
{
	command(apic_id, COMMAND_START | page);
}

void apic_init(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	ASSERT(!(base & APIC_BASE_X2APIC), "firmware left the APIC in x2APIC mode: %#lx", base);
	wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	registers = vmap_device(base & PTE_ADDRESS, PAGE_SIZE);
	if (!registers)
		panic("no memory to map the local APIC");
	this_cpu()->apic_id = apic_read(APIC_ID) >> 24;
	set_up(LVT_EXTINT);
	counts_scale = (measure_frequency() << 32) / 1000000000ul;
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void timer_arm(u64 ns)
{
	unsigned __int128 counts = (unsigned __int128)ns * counts_scale >> 32;

	if (counts > ~0u)
		counts = ~0u;
	apic_write(APIC_TIMER_START, counts ? (u32)counts : 1);
}
