/*
 * Linux's rt_sigframe on x86-64, from low addresses up:
 *
 *      sp -> return address | ucontext | siginfo | FPU image (aligned to 64)
 *
 * The return address is the restorer's, which calls rt_sigreturn. What comes back from the program
 * is not trusted: flags and selectors are rebuilt, the FPU image is made acceptable to the loading
 * instruction (fpu_sanitize).
 */
#include "kernel/sigframe.h"
#include "kernel/cpu/fpu.h"
#include "kernel/process.h"
#include "kernel/usercopy.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define RED_ZONE 128 /* below rsp, belongs to the interrupted function (System V ABI, 3.2.2) */

/* Flags that a program may set itself: CF PF AF ZF SF TF DF OF RF AC. */
#define RFLAGS_USER 0x50dd5ul

struct sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
		rflags;
	u16 cs, gs, fs, ss;
	u64 error_code, vector, old_mask, cr2;
	u64 fpu; /* address of the image; 0 = none */
	u64 reserved[8];
};
_Static_assert(sizeof(struct sigcontext) == 256, "asm/sigcontext.h of Linux");

struct rt_sigframe {
	u64 restorer;
	struct {
		u64 flags, link;
		struct sigstack stack;
		struct sigcontext context;
		u64 mask;
	} ucontext;
	struct siginfo info;
	u8 info_rest[SIGINFO_BYTES - sizeof(struct siginfo)];
};
_Static_assert(offsetof(struct rt_sigframe, info) == 312, "asm/sigframe.h of Linux");

static void save_registers(struct sigcontext *to, const struct trapframe *from)
{
	*to = (struct sigcontext) {
		.r8 = from->r8,
		.r9 = from->r9,
		.r10 = from->r10,
		.r11 = from->r11,
		.r12 = from->r12,
		.r13 = from->r13,
		.r14 = from->r14,
		.r15 = from->r15,
		.rdi = from->rdi,
		.rsi = from->rsi,
		.rbp = from->rbp,
		.rbx = from->rbx,
		.rdx = from->rdx,
		.rax = from->rax,
		.rcx = from->rcx,
		.rsp = from->rsp,
		.rip = from->rip,
		.rflags = from->rflags,
		.cs = USER_CS,
		.ss = USER_SS,
		.error_code = from->vector == VECTOR_SYSCALL ? 0 : from->error_code,
		.vector = from->vector == VECTOR_SYSCALL ? 0 : from->vector,
		.cr2 = current()->fault_addr,
	};
}

static void load_registers(struct trapframe *to, const struct sigcontext *from)
{
	to->r8 = from->r8;
	to->r9 = from->r9;
	to->r10 = from->r10;
	to->r11 = from->r11;
	to->r12 = from->r12;
	to->r13 = from->r13;
	to->r14 = from->r14;
	to->r15 = from->r15;
	to->rdi = from->rdi;
	to->rsi = from->rsi;
	to->rbp = from->rbp;
	to->rbx = from->rbx;
	to->rdx = from->rdx;
	to->rax = from->rax;
	to->rcx = from->rcx;
	to->rsp = from->rsp;
	to->rip = from->rip;
	to->rflags = (from->rflags & RFLAGS_USER) | RFLAGS_IF;
	to->cs = USER_CS;
	to->ss = USER_SS;
}

static bool enters_alt_stack(const struct sigaction *action, const struct sigstack *alt, u64 sp)
{
	return (action->flags & SA_ONSTACK) && alt->size && !(alt->flags & SS_DISABLE) &&
	       !sigstack_holds(alt, sp);
}

/* Where the FPU image and below it the frame go, in *fpu and *sp; false when an alternate stack overflows. */
static bool place_frame(const struct sigaction *action, u64 *fpu, u64 *sp)
{
	const struct sigstack *alt = &current()->alt_stack;
	bool enters = enters_alt_stack(action, alt, *sp),
	     on_alt = enters || sigstack_holds(alt, *sp);
	u64 top = enters ? alt->sp + alt->size : *sp - RED_ZONE;

	*fpu = ROUND_DOWN(top - fpu_size, 64);
	/* At entry to a function, rsp + 8 is a multiple of 16 (System V ABI, 3.2.2). */
	*sp = ROUND_DOWN(*fpu - sizeof(struct rt_sigframe), 16) - 8;
	return !on_alt || sigstack_holds(alt, *sp);
}

static void fill_frame(struct rt_sigframe *to, const struct trapframe *frame,
		       const struct sigaction *action, const struct siginfo *info, u64 fpu)
{
	const struct thread *thread = current();

	to->restorer = action->restorer;
	to->ucontext.stack = thread->alt_stack;
	if (sigstack_holds(&thread->alt_stack, frame->rsp))
		to->ucontext.stack.flags |= SS_ONSTACK;
	save_registers(&to->ucontext.context, frame);
	to->ucontext.context.fpu = fpu;
	to->ucontext.mask = thread->saved_blocked_set ? thread->saved_blocked : thread->blocked;
	to->info = *info;
}

int sigframe_push(struct trapframe *frame, const struct sigaction *action,
		  const struct siginfo *info)
{
	struct thread *thread = current();
	struct rt_sigframe out = {0};
	u64 sp = frame->rsp, fpu;

	if (!(action->flags & SA_RESTORER) || action->handler >= USER_END ||
	    !place_frame(action, &fpu, &sp))
		return -EFAULT;
	fill_frame(&out, frame, action, info, fpu);
	fpu_save(thread->fpu);
	if (copy_to_user(fpu, thread->fpu, fpu_size) || copy_to_user(sp, &out, sizeof(out)))
		return -EFAULT;
	thread->saved_blocked_set = false;
	if (thread->alt_stack.flags & SS_AUTODISARM)
		thread->alt_stack = (struct sigstack) {.flags = SS_DISABLE};
	frame->rdi = (u64)info->signal;
	frame->rsi = sp + offsetof(struct rt_sigframe, info);
	frame->rdx = sp + offsetof(struct rt_sigframe, ucontext);
	frame->rax = 0;
	frame->rsp = sp;
	frame->rip = action->handler;
	frame->rflags = RFLAGS_IF;
	return 0;
}

static int load_fpu(u64 from)
{
	void *area = current()->fpu;
	void *copy = kmalloc(fpu_size);
	int error = copy ? copy_from_user(copy, from, fpu_size) : -ENOMEM;

	if (!error) {
		fpu_sanitize(copy);
		memcpy(area, copy, fpu_size);
		fpu_restore(area);
	}
	kfree(copy);
	return error;
}

int sigframe_pop(struct trapframe *frame)
{
	struct rt_sigframe in;
	u64 sp = frame->rsp - 8; /* the restorer's call has popped its return address */

	if (copy_from_user(&in, sp, sizeof(in)) || in.ucontext.context.rip >= USER_END)
		return -EFAULT;
	if (in.ucontext.context.fpu && load_fpu(in.ucontext.context.fpu))
		return -EFAULT;
	load_registers(frame, &in.ucontext.context);
	frame->vector = VECTOR_SIGRETURN; /* no system call to restart, and all registers count */
	signal_set_blocked(in.ucontext.mask);
	sigstack_set(&in.ucontext.stack, frame->rsp); /* one that is not sound is left */
	return 0;
}
