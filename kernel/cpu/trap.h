/* What the entry code saves of an interrupted program, and where it goes from there. */
#pragma once

#include "mm/types.h"

/* Pushed by boot/trap.asm, lowest address first; the tail from rip on is the hardware's (Intel SDM vol. 3, 6.14). */
struct trapframe {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector; /* for SYSCALL: VECTOR_SYSCALL */
	u64 error_code; /* the hardware's or 0; for SYSCALL: the call's number, as rax is overwritten by the result */
	u64 rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trapframe) == 176, "boot/trap.asm knows this layout");

#define VECTOR_NMI        2
#define VECTOR_PAGE_FAULT 14
#define VECTOR_IRQ_BASE   32 /* IRQ 0 to 15 of the PIC */
#define VECTOR_TIMER      48 /* the local APIC's timer; up to VECTOR_DISK all are interrupts */
#define VECTOR_RESCHEDULE 49 /* from another CPU: look what there is to do */
#define VECTOR_FLUSH      50 /* from another CPU: forget translations (kernel/cpu/machine.c) */
#define VECTOR_DISK       51 /* from a disk: a request is done (kernel/block/virtio.c) */
#define VECTOR_SPURIOUS   255
#define VECTOR_SYSCALL    256 /* no vector at all: the SYSCALL instruction */
#define VECTOR_SIGRETURN  257 /* none either: the frame came from a program, by rt_sigreturn */

/* Segment selectors, in the order that SYSCALL and SYSRET want (SDM vol. 2, SYSRET). */
#define KERNEL_CS 0x08
#define KERNEL_SS 0x10
#define USER_SS   0x1b
#define USER_CS   0x23
#define TSS_SEL   0x28

#define RFLAGS_IF (1ul << 9)

static inline bool trap_from_user(const struct trapframe *frame)
{
	return (frame->cs & 3) == 3;
}

/* Called by boot/trap.asm with interrupts off, for every exception and interrupt. kernel/trap.c */
void trap(struct trapframe *frame);

/* Called by boot/trap.asm with interrupts off, for SYSCALL. kernel/syscall.c */
void syscall(struct trapframe *frame);

/* Leaves the kernel for the program that frame describes. boot/trap.asm */
_Noreturn void trap_return(struct trapframe *frame);
