/* Giving the CPU from one thread to another. boot/switch.asm */
#pragma once

#include "mm/types.h"

struct thread;

/*
 * Saves the callee-saved registers on from's stack and resumes to where it left. Returns when
 * another thread switches back to from, and then says which thread that was, as an address (a
 * struct thread *; it may be dead by then). Interrupts off. The caller has set this_cpu()->thread,
 * the kernel stack (cpu_set_kernel_stack), the address space (context_load_mm), FPU state and FS
 * base for to.
 */
u64 switch_context(struct thread *from, struct thread *to);

/*
 * Makes a thread that never ran: when first switched to, it enters start on its own stack with
 * interrupts off. start does not return; it ends in trap_return(thread->frame), say. Wants
 * thread->stack; sets thread->saved_sp and thread->frame, which points at the very top of the
 * stack, where SYSCALL and interrupts from user mode build theirs too. The frame's contents are
 * left to the caller.
 */
void thread_prepare_stack(struct thread *thread, void (*start)(void));
