/* The first stack of a thread, as boot/switch.asm and the entry code expect it. */
#include "kernel/cpu/stack.h"
#include "kernel/cpu/switch.h"
#include "kernel/process.h"

/* What switch_context() pops, lowest address first. */
struct first_stack {
	u64 saved[6];  /* r15 r14 r13 r12 rbx rbp: zero, and rbp ends a backtrace */
	u64 start;     /* returned to */
	u64 no_caller; /* start's return address; also aligns the stack as a call would */
	struct trapframe frame;
};
_Static_assert(sizeof(struct first_stack) % 16 == 0, "the frame and start want an aligned stack");
_Static_assert(offsetof(struct thread, saved_sp) == 0, "boot/switch.asm");

void thread_prepare_stack(struct thread *thread, void (*start)(void))
{
	struct first_stack *first = (struct first_stack *)((u8 *)thread->stack + STACK_SIZE) - 1;

	memset(first, 0, offsetof(struct first_stack, frame));
	first->start = (u64)start;
	thread->saved_sp = (u64)first;
	thread->frame = &first->frame;
}
