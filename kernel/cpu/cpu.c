/*
 * Setting a CPU up: segments, trap gates, task state, SYSCALL, and the control bits that make the
 * kernel's mappings safe. The task state segment's stacks keep this invariant: a double fault, an
 * NMI and a machine check always find a good stack, whatever the state of the current one.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/trap.h"
#include "mm/heap.h"

struct cpu cpus[MAX_CPUS];
u32 cpus_online;

/* ---- What the hardware reads: SDM vol. 3, figures 8-11 (TSS) and 6-8 (gate) ---- */

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7]; /* ist[0] is IST 1 */
	u64 reserved2;
	u16 reserved3;
	u16 io_map; /* offset of the I/O permission map; at the end: there is none */
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM vol. 3, figure 8-11");

struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_middle;
	u32 offset_high;
	u32 reserved;
};
_Static_assert(sizeof(struct gate) == 16, "SDM vol. 3, figure 6-8");

struct table_pointer {
	u16 limit;
	u64 base;
} __attribute__((packed));
_Static_assert(sizeof(struct table_pointer) == 10, "SDM vol. 3, 3.5.1");

#define GATE_INTERRUPT 0x8e
#define GATE_USER      0x60 /* a program may raise it with INT n */
#define VECTORS        256
#define STUB_SPACING   16 /* boot/trap.asm */

#define IST_DOUBLE_FAULT  1
#define IST_NMI           2
#define IST_MACHINE_CHECK 3
#define IST_STACKS        3

/* A CPU's own tables. */
struct cpu_tables {
	u64 gdt[7];
	struct tss tss;
	u8 ist[IST_STACKS][PAGE_SIZE] __attribute__((aligned(16)));
};

static struct cpu_tables boot_tables;
static struct gate idt[VECTORS]; /* the same for all CPUs */

extern const u8 trap_stubs[];
void syscall_entry(void);

void cpu_init_early(void)
{
	struct cpu *cpu = &cpus[0];

	cpu->self = cpu;
	wrmsr(MSR_GS_BASE, (u64)cpu);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	cpus_online = 1;
}

u32 machine_cpu(void)
{
	return this_cpu()->number;
}

void cpu_set_kernel_stack(u64 top)
{
	struct cpu *cpu = this_cpu();

	cpu->kernel_stack = top;
	cpu->tss->rsp[0] = top;
}

/* Flat segments: SDM vol. 3, 3.4.5. The order is that of the selectors in trap.h. */
static void fill_gdt(u64 gdt[7], const struct tss *tss)
{
	u64 base = (u64)tss;

	gdt[0] = 0;
	gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
	gdt[KERNEL_SS / 8] = 0x00cf93000000ffff;
	gdt[USER_SS / 8] = 0x00cff3000000ffff;
	gdt[USER_CS / 8] = 0x00affb000000ffff;
	gdt[TSS_SEL / 8] = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | 0x89ul << 40 |
			   (base >> 24 & 0xff) << 56;
	gdt[TSS_SEL / 8 + 1] = base >> 32;
}

static void load_segments(struct cpu_tables *tables)
{
	struct table_pointer gdt = {sizeof(tables->gdt) - 1, (u64)tables->gdt};

	asm volatile("lgdt %0\n\t"
		     "pushq %1\n\t"
		     "leaq 1f(%%rip), %%rax\n\t"
		     "pushq %%rax\n\t"
		     "lretq\n"
		     "1:\n\t"
		     "movl %2, %%eax\n\t"
		     "movl %%eax, %%ss\n\t"
		     "ltr %w3"
		     :
		     : "m"(gdt), "i"(KERNEL_CS), "i"(KERNEL_SS), "r"(TSS_SEL)
		     : "rax", "memory");
}

static void init_segments(struct cpu *cpu, struct cpu_tables *tables)
{
	struct tss *tss = &tables->tss;

	for (u32 i = 0; i < IST_STACKS; i++)
		tss->ist[i] = (u64)tables->ist[i] + PAGE_SIZE;
	tss->io_map = sizeof(*tss);
	cpu->tss = tss;
	fill_gdt(tables->gdt, tss);
	load_segments(tables);
}

static void set_gate(u32 vector, u8 ist, u8 type)
{
	u64 stub = (u64)trap_stubs + (u64)vector * STUB_SPACING;

	idt[vector] = (struct gate) {
		.offset_low = (u16)stub,
		.selector = KERNEL_CS,
		.ist = ist,
		.type = type,
		.offset_middle = (u16)(stub >> 16),
		.offset_high = (u32)(stub >> 32),
	};
}

/* Every gate is an interrupt gate: a handler starts with interrupts off and decides itself. */
static void fill_idt(void)
{
	for (u32 vector = 0; vector < VECTORS; vector++)
		set_gate(vector, 0, GATE_INTERRUPT);
	set_gate(2, IST_NMI, GATE_INTERRUPT);
	set_gate(3, 0, GATE_INTERRUPT | GATE_USER);
	set_gate(4, 0, GATE_INTERRUPT | GATE_USER);
	set_gate(8, IST_DOUBLE_FAULT, GATE_INTERRUPT);
	set_gate(18, IST_MACHINE_CHECK, GATE_INTERRUPT);
}

static void load_idt(void)
{
	struct table_pointer pointer = {sizeof(idt) - 1, (u64)idt};

	asm volatile("lidt %0" : : "m"(pointer));
}

#define EFER_SCE (1ul << 0) /* SYSCALL */

/* IF, TF, DF, AC, NT, IOPL: what a program may have set and the kernel must not start with. */
#define SYSCALL_MASK 0x47700ul

static void init_syscall(void)
{
	wrmsr(MSR_STAR, (u64)(USER_SS - 8) << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)syscall_entry);
	wrmsr(MSR_SFMASK, SYSCALL_MASK);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
}
_Static_assert(USER_CS == USER_SS + 8, "SYSRETQ: CS = STAR[63:48] + 16, SS = + 8");
_Static_assert(KERNEL_SS == KERNEL_CS + 8, "SYSCALL: SS = CS + 8");

/* ---- Control bits: SDM vol. 3, 2.5 ---- */

#define CR4_PGE  (1ul << 7)
#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)

#define CPUID_1_EDX_PGE  (1u << 13)
#define CPUID_7_EBX_SMEP (1u << 7)
#define CPUID_7_EBX_SMAP (1u << 20)

/* One STAC or CLAC to be: boot/smap.inc. */
struct smap_site {
	u8 *at;
	u64 instruction;
};
_Static_assert(sizeof(struct smap_site) == 16, "boot/smap.inc");
#define SMAP_INSTRUCTION_BYTES 3

extern const struct smap_site smap_sites[], smap_sites_end[];

static void enable_smap_sites(void)
{
	for (const struct smap_site *site = smap_sites; (u64)site < (u64)smap_sites_end; site++)
		memcpy(site->at, &site->instruction, SMAP_INSTRUCTION_BYTES);
}

/* NX and WP are on since boot/multiboot.asm. */
static void init_protection(void)
{
	u32 out[4];
	u64 cr4;

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	cpuid(1, 0, out);
	if (out[3] & CPUID_1_EDX_PGE)
		cr4 |= CR4_PGE;
	cpuid(0, 0, out);
	if (out[0] >= 7) {
		cpuid(7, 0, out);
		if (out[1] & CPUID_7_EBX_SMEP)
			cr4 |= CR4_SMEP;
		if (out[1] & CPUID_7_EBX_SMAP) {
			if (this_cpu() == &cpus[0]) /* the text is not writable later */
				enable_smap_sites();
			cr4 |= CR4_SMAP;
		}
	}
	asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

void cpu_init(void)
{
	init_segments(this_cpu(), &boot_tables);
	fill_idt();
	load_idt();
	init_syscall();
	init_protection();
	fpu_init();
}

bool cpu_prepare_other(struct cpu *cpu)
{
	cpu->tables = kmalloc(sizeof(*cpu->tables));
	return cpu->tables;
}

void cpu_init_other(struct cpu *cpu)
{
	cpu->self = cpu;
	wrmsr(MSR_GS_BASE, (u64)cpu);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	init_segments(cpu, cpu->tables);
	load_idt();
	init_syscall();
	init_protection();
	fpu_init_other();
}
