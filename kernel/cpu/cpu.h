/* Per-CPU data and the processor's own instructions. */
#pragma once

#include "mm/list.h"
#include "mm/machine.h"
#include "mm/types.h"

struct thread;

/* One per CPU, found through GS while in the kernel. boot/trap.asm knows the first four offsets. */
struct cpu {
	struct cpu *self;      /* 0: for this_cpu() */
	u64 kernel_stack;      /* 8: top of the current thread's kernel stack, for SYSCALL */
	u64 user_stack;        /* 16: scratch for SYSCALL entry */
	struct thread *thread; /* 24: the thread running here */
	u32 number;
	u32 apic_id;
	struct mm *mm; /* whose root is loaded; NULL: the kernel's own */
	struct thread *idle;
	struct thread *dead; /* the thread this CPU has just left for good; freed on arrival */
	struct list ready; /* its run queue; guarded by the scheduler's lock, as are the next two */
	u32 ready_count;
	_Atomic bool need_resched; /* give way before returning to user mode */
	u32 spinlocks;             /* spinlocks held here: none may be held across a sleep */
	bool slice_renewed;        /* the running thread has had a second slice in this turn */
	u64 slice_end;             /* when the running thread must give way, in clock nanoseconds */
	struct tss *tss;
	struct cpu_tables *tables; /* of a CPU other than the first */
#ifdef CHECKED
	bool in_interrupt;
	struct held_locks spinlocks_held[2]; /* outside interrupt handlers, and inside */
#endif
};
_Static_assert(offsetof(struct cpu, kernel_stack) == 8, "boot/trap.asm");
_Static_assert(offsetof(struct cpu, user_stack) == 16, "boot/trap.asm");
_Static_assert(offsetof(struct cpu, thread) == 24, "boot/trap.asm");

extern struct cpu cpus[MAX_CPUS];
extern u32 cpus_online; /* those that run: the first ones */

/* Boot, first of all: makes this_cpu() work on the boot CPU. */
void cpu_init_early(void);

/* Boot: descriptor tables, trap gates, SYSCALL, the protections that the CPU has, and the FPU. From here on a trap
 * reaches trap(). Interrupts stay off. */
void cpu_init(void);

/* Another CPU's tables: made beforehand, false when memory is out; and loaded by that CPU itself, in place of
 * cpu_init_early() and cpu_init(). */
bool cpu_prepare_other(struct cpu *cpu);
void cpu_init_other(struct cpu *cpu);

/* Traps from user mode and SYSCALL arrive on the stack that ends at top from now on, on this CPU. */
void cpu_set_kernel_stack(u64 top);

/* The CPU this runs on. The kernel is not preemptible, so it stays the same until the caller sleeps. */
static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;
	asm volatile("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

static inline struct thread *current(void)
{
	struct thread *thread;
	asm volatile("mov %%gs:24, %0" : "=r"(thread));
	return thread;
}

static inline void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 value;
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;
	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 low, high;
	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

static inline void cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
	asm volatile("cpuid"
		     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
		     : "a"(leaf), "c"(subleaf));
}

static inline u64 read_cr2(void)
{
	u64 value;
	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline u64 read_cr3(void)
{
	u64 value;
	asm volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline void write_cr3(u64 value)
{
	asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline void invlpg(u64 at)
{
	asm volatile("invlpg (%0)" : : "r"(at) : "memory");
}

static inline void interrupts_on(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void interrupts_off(void)
{
	asm volatile("cli" : : : "memory");
}

/* Turns interrupts off and says whether they were on, for interrupts_restore(). */
static inline bool interrupts_save(void)
{
	u64 flags;
	asm volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags >> 9 & 1;
}

static inline void interrupts_restore(bool on)
{
	if (on)
		interrupts_on();
}

/* MSRs (SDM vol. 4). */
#define MSR_APIC_BASE      0x1b
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
