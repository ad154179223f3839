/*
 * Exceptions and interrupts, after boot/trap.asm has saved the registers. A fault of a program
 * becomes a signal, a fault of the kernel's own ends in a panic, but for those at a program's
 * address inside usercopy.
 *
 * Interrupts are off on entry. They are turned on for page faults, which may take long.
 */
#include "kernel/block/virtio.h"
#include "kernel/cpu/apic.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/machine.h"
#include "kernel/cpu/pic.h"
#include "kernel/cpu/smp.h"
#include "kernel/cpu/stack.h"
#include "kernel/cpu/trap.h"
#include "kernel/lock.h"
#include "kernel/oom.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/trap.h"
#include "kernel/usercopy.h"
#include "mm/errno.h"

/* Error code of a page fault: SDM vol. 3, 4.7. */
#define FAULT_WRITE 2u
#define FAULT_FETCH 16u

/* si_code values (sigaction(2)). */
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRERR  2
#define FPE_INTDIV  1
#define ILL_ILLOPN  2
#define TRAP_BRKPT  1

/* What each exception of a program becomes; signal 0: the kernel's affair. SDM vol. 3, table 6-1.
 */
static const struct {
	const char *name;
	int signal, code;
} exceptions[32] = {
	[0] = {"divide error", SIGFPE, FPE_INTDIV},
	[1] = {"debug exception", SIGTRAP, TRAP_BRKPT},
	[2] = {"NMI", 0, 0},
	[3] = {"breakpoint", SIGTRAP, SI_KERNEL},
	[4] = {"overflow", SIGSEGV, SI_KERNEL},
	[5] = {"bound range exceeded", SIGSEGV, SI_KERNEL},
	[6] = {"invalid opcode", SIGILL, ILL_ILLOPN},
	[7] = {"device not available", SIGSEGV, SI_KERNEL},
	[8] = {"double fault", 0, 0},
	[10] = {"invalid TSS", 0, 0},
	[11] = {"segment not present", SIGBUS, SI_KERNEL},
	[12] = {"stack fault", SIGBUS, SI_KERNEL},
	[13] = {"general protection fault", SIGSEGV, SI_KERNEL},
	[14] = {"page fault", SIGSEGV, SEGV_MAPERR},
	[16] = {"x87 error", SIGFPE, FPE_INTDIV},
	[17] = {"alignment check", SIGBUS, BUS_ADRERR},
	[18] = {"machine check", 0, 0},
	[19] = {"SIMD error", SIGFPE, FPE_INTDIV},
};

static const char *exception_name(u64 vector)
{
	return vector < ARRAY_SIZE(exceptions) && exceptions[vector].name ? exceptions[vector].name
									  : "exception";
}

static void exception(struct trapframe *frame)
{
	u64 vector = frame->vector;

	if (vector == VECTOR_NMI && panicking)
		panic_show_other(frame);
	if (vector >= ARRAY_SIZE(exceptions) || !trap_from_user(frame) ||
	    !exceptions[vector].signal)
		panic_trap(frame, exception_name(vector));
	else
		signal_force(exceptions[vector].signal, exceptions[vector].code, frame->rip);
}

static enum access access_of(u64 error_code)
{
	if (error_code & FAULT_WRITE)
		return ACCESS_WRITE;
	return error_code & FAULT_FETCH ? ACCESS_EXEC : ACCESS_READ;
}

/* The program's access at addr cannot be had: it gets a signal. */
static void refuse(int error, u64 addr)
{
	switch (error) {
	case -ENOMEM: /* it has been killed */
		break;
	case -ENXIO:
	case -EIO:
		signal_force(SIGBUS, BUS_ADRERR, addr);
		break;
	default:
		signal_force(SIGSEGV, error == -EACCES ? SEGV_ACCERR : SEGV_MAPERR, addr);
	}
}

/* mm_fault() for the current program when memory was out. -ENOMEM: it has been killed. */
static __attribute__((noinline)) int find_memory(u64 addr, enum access access)
{
	u64 seen;
	int error;

	do {
		seen = oom_relief();
		error = mm_fault(current()->mm, addr, access);
	} while (error == -ENOMEM && (stack_pool_drain() || out_of_memory(addr, seen)));
	return error;
}

/* mm_fault() for the current program. -ENOMEM: it has been killed. */
static int make_present(u64 addr, enum access access)
{
	int error = mm_fault(current()->mm, addr, access);

	return error == -ENOMEM ? find_memory(addr, access) : error;
}

/* Where the kernel goes on that touched the program's memory at addr, if it may not. */
static u64 fixup_of(struct trapframe *frame, u64 addr)
{
	u64 fixup = usercopy_fixup(frame->rip);

	if (!fixup)
		panic_trap(frame, stack_guards(addr) ? "kernel stack overflow" : "page fault");
	return fixup;
}

static void page_fault(struct trapframe *frame)
{
	u64 addr = read_cr2(), fixup = 0;
	int error = -EFAULT;

	if (!trap_from_user(frame)) {
		fixup = fixup_of(frame, addr);
		if (this_cpu()->spinlocks) { /* load_user() and its like */
			frame->rip = fixup;
			return;
		}
	}
	interrupts_on();
	if (addr < USER_END)
		error = make_present(addr, access_of(frame->error_code));
	interrupts_off();
	if (!error) {
		current()->faults++;
		return;
	}
	if (fixup)
		frame->rip = fixup;
	else
		refuse(error, addr);
}

/* Inline, since every way back to a program asks. */
static inline bool has_signals(const struct thread *thread)
{
	const struct process *process = thread->process;

	return ((thread->pending.set | process->pending.set) & ~thread->blocked) ||
	       process->stop_signal || thread->saved_blocked_set;
}

void trap_exit_to_user(struct trapframe *frame)
{
	must_hold_none();
	for (;;) {
		smp_stand_still();
		if (this_cpu()->need_resched) {
			sched_yield();
		} else if (has_signals(current())) {
			interrupts_on();
			signal_deliver(frame);
			interrupts_off();
		} else {
			return;
		}
	}
}

static bool is_irq(u64 vector)
{
	return vector >= VECTOR_IRQ_BASE && vector <= VECTOR_DISK;
}

static void interrupt(u64 vector, bool in_program)
{
	irq_enter();
	if (vector == VECTOR_TIMER) {
		apic_eoi();
		sched_tick(in_program);
	} else if (vector == VECTOR_FLUSH) {
		apic_eoi();
		tlb_poll();
	} else if (vector == VECTOR_RESCHEDULE) {
		apic_eoi();
		sched_poke();
	} else if (vector == VECTOR_DISK) {
		apic_eoi();
		virtio_interrupt();
	} else {
		irq_dispatch((u32)vector - VECTOR_IRQ_BASE);
	}
	irq_exit();
}

void trap(struct trapframe *frame)
{
	u64 vector = frame->vector;

	if (vector == VECTOR_PAGE_FAULT) {
		page_fault(frame);
	} else if (is_irq(vector)) {
		interrupt(vector, trap_from_user(frame));
	} else if (vector != VECTOR_SPURIOUS) {
		exception(frame);
	}
	if (trap_from_user(frame))
		trap_exit_to_user(frame);
}
