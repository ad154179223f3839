/*
 * The end, when the kernel is wrong: what happened, registers, who called whom, and out with a
 * failing status. This code trusts as little as it can; if it fails itself, the second panic just
 * leaves.
 */
#include "kernel/cpu/apic.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/paging.h"
#include "kernel/cpu/smp.h"
#include "kernel/cpu/stack.h"
#include "kernel/dev/exit.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/printk.h"
#include "kernel/symbols.h"
#include "mm/mm.h"

bool panicking;

#define BACKTRACE_MAX 32

/* What a function called through -fno-omit-frame-pointer code leaves at rbp. */
struct stack_frame {
	const struct stack_frame *caller;
	u64 return_address;
};

static _Atomic u32 panic_cpu = MAX_CPUS; /* the one that panics */
static _Atomic u64 told;                 /* CPUs that have shown where they are */

static _Noreturn void halt(void)
{
	for (;;)
		asm volatile("cli; hlt" : : : "memory");
}

/* Once: a second panic of this CPU leaves, one of another CPU waits for the first to leave. */
static void begin(void)
{
	u32 none = MAX_CPUS, cpu = machine_cpu();

	interrupts_off();
	if (!atomic_compare_exchange_strong(&panic_cpu, &none, cpu)) {
		if (none == cpu)
			machine_exit(EXIT_PANIC);
		halt();
	}
	panicking = true;
}

static void print_address(u64 at)
{
	u64 offset;
	const char *name = symbol_at(at, &offset);

	if (name)
		printk("  %#lx %s+%#lx\n", at, name, offset);
	else
		printk("  %#lx\n", at);
}

/* Stacks grow down, so each caller's frame is above the last; anything else ends the chain. */
static void backtrace(const struct stack_frame *frame)
{
	const struct stack_frame *last = NULL;

	for (u32 depth = 0; depth < BACKTRACE_MAX; depth++) {
		if ((u64)frame < DIRECT_MAP || (u64)frame % 8 || frame <= last ||
		    !frame->return_address)
			return;
		/* The call, not what comes after it: that may be another function. */
		print_address(frame->return_address - 1);
		last = frame;
		frame = frame->caller;
	}
}

static void print_registers(const struct trapframe *frame)
{
	u64 cr2 = read_cr2();

	printk("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", frame->rax, frame->rbx, frame->rcx,
	       frame->rdx);
	printk("rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", frame->rsi, frame->rdi, frame->rbp,
	       frame->rsp);
	printk("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", frame->r8, frame->r9, frame->r10,
	       frame->r11);
	printk("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", frame->r12, frame->r13, frame->r14,
	       frame->r15);
	printk("rip %016lx cs %02lx flags %06lx vector %lu error %lx\n", frame->rip, frame->cs,
	       frame->rflags, frame->vector, frame->error_code);
	printk("cr2 %016lx cr3 %016lx CPU %u\n", cr2, read_cr3(), machine_cpu());
	if (stack_guards(cr2))
		printk("cr2 is in a guard page: a kernel stack has overflowed\n");
}

#define TELL_NS 100000000ul /* so long each other CPU may take to show where it is */

void panic_show_other(struct trapframe *frame)
{
	printk("CPU %u:\n", machine_cpu());
	print_address(frame->rip);
	if (!trap_from_user(frame))
		backtrace((const struct stack_frame *)frame->rbp);
	atomic_fetch_or(&told, CPU_BIT(machine_cpu()));
	halt();
}

/* One after the other, so that their texts are not mixed. */
static _Noreturn void end(void)
{
	for (u32 number = 0; number < cpus_online; number++) {
		u64 give_up = clock_ns() + TELL_NS;

		if (number == machine_cpu())
			continue;
		apic_send_nmi(cpus[number].apic_id);
		while (!(atomic_load(&told) & CPU_BIT(number)) && clock_ns() < give_up)
			__builtin_ia32_pause();
	}
	machine_exit(EXIT_PANIC);
}

void panic_trap(struct trapframe *frame, const char *what)
{
	begin();
	printk("panic: %s\n", what);
	print_registers(frame);
	printk("backtrace:\n");
	print_address(frame->rip);
	backtrace((const struct stack_frame *)frame->rbp);
	end();
}

void panic(const char *format, ...)
{
	va_list args;

	begin();
	va_start(args, format);
	printk("panic: ");
	vprintk(format, args);
	printk("\nbacktrace:\n");
	va_end(args);
	backtrace(__builtin_frame_address(0));
	end();
}
