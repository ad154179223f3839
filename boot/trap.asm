; The ways into the kernel and out of it: exceptions and interrupts (trap_stubs, for the IDT) and SYSCALL. Each
; builds a struct trapframe (kernel/cpu/trap.h) and calls C on it with interrupts off.
;
; GS is the struct cpu while in the kernel and the program's own outside; SWAPGS exchanges them, so it must run
; exactly once on the way in from user mode and once on the way out. The code segment in the frame tells where a
; trap came from. That is not enough for the three that interrupts-off does not hold back (NMI, double fault, machine
; check): they may come between a SYSCALL and its SWAPGS. They look at the GS base itself, and run on stacks of their
; own (IST), where nothing may sleep.
;
; Whoever changes a frame before it is returned through keeps rip below USER_END and the user selectors in cs and ss:
; IRETQ and SYSRETQ would fault in the kernel otherwise.

%include "boot/smap.inc"

extern trap
extern syscall
global trap_stubs:function
global syscall_entry:function
global trap_common:function
global trap_any_time:function
global leave_to_user:function
global trap_return:function

USER_SS        equ 0x1b
USER_CS        equ 0x23
VECTOR_SYSCALL equ 256
MSR_GS_BASE    equ 0xc0000101
FLAG_TF        equ 1 << 8
FLAG_RF        equ 1 << 16

; Offsets in struct cpu.
CPU_KERNEL_STACK equ 8
CPU_USER_STACK   equ 16

; Offsets in struct trapframe.
FRAME_R11    equ 6 * 8
FRAME_RCX    equ 11 * 8
FRAME_RIP    equ 17 * 8
FRAME_CS     equ 18 * 8
FRAME_RFLAGS equ 19 * 8
FRAME_RSP    equ 20 * 8
FRAME_SS     equ 21 * 8

section .text
bits 64

%macro PUSH_REGISTERS 0
	push rdi
	push rsi
	push rdx
	push rcx
	push rax
	push r8
	push r9
	push r10
	push r11
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
%endmacro

%macro POP_REGISTERS 0
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	pop r11
	pop r10
	pop r9
	pop r8
	pop rax
	pop rcx
	pop rdx
	pop rsi
	pop rdi
%endmacro

; One stub for each vector, 16 bytes apart. SDM vol. 3, table 6-1 says which push an error code themselves.
align 16
trap_stubs:
%assign vector 0
%rep 256
	align 16
%if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
      vector == 29 || vector == 30)
	push 0
%endif
	push vector
%if vector == 2 || vector == 8 || vector == 18
	jmp trap_any_time
%else
	jmp trap_common
%endif
%assign vector vector + 1
%endrep

align 16
trap_common:
	PUSH_REGISTERS
	cld
	CLAC
	test byte [rsp + FRAME_CS], 3
	jz .call
	swapgs
.call:
	mov rdi, rsp
	call trap
	cli
	test byte [rsp + FRAME_CS], 3
	jz return_interrupt
	swapgs
return_interrupt:
	POP_REGISTERS
	add rsp, 16                    ; vector, error code
	iretq

; The same, at a moment when GS may be either. A program's GS base is in the lower half, struct cpu in the upper.
trap_any_time:
	PUSH_REGISTERS
	cld
	CLAC
	xor ebx, ebx
	mov ecx, MSR_GS_BASE
	rdmsr
	test edx, edx
	js .call
	swapgs
	inc ebx
.call:
	mov rdi, rsp
	call trap
	cli
	test ebx, ebx
	jz return_interrupt
	swapgs
	jmp return_interrupt

; SYSCALL has put rip in rcx and rflags in r11, masked rflags (MSR_SFMASK: no interrupts, direction up, AC clear),
; and left rsp as the program's.
align 16
syscall_entry:
	swapgs
	mov [gs:CPU_USER_STACK], rsp
	mov rsp, [gs:CPU_KERNEL_STACK]
	push USER_SS
	push qword [gs:CPU_USER_STACK]
	push r11
	push USER_CS
	push rcx
	push rax
	push VECTOR_SYSCALL
	PUSH_REGISTERS
	xor ebp, ebp                   ; ends a backtrace
	mov rdi, rsp
	call syscall

; SYSRETQ loads rip from rcx and rflags from r11, so it serves only if the program's rcx and r11 are these, as
; SYSCALL left them. A non-canonical rip would make it fault in the kernel with the program's stack; TF and RF it
; does not restore as IRETQ does (SDM vol. 2, SYSRET).
leave_to_user:
	cli
	mov rcx, [rsp + FRAME_RCX]
	cmp rcx, [rsp + FRAME_RIP]
	jne .slow
	mov r11, [rsp + FRAME_R11]
	cmp r11, [rsp + FRAME_RFLAGS]
	jne .slow
	test r11d, FLAG_TF | FLAG_RF
	jnz .slow
	mov rax, rcx
	shr rax, 47
	jnz .slow
	cmp qword [rsp + FRAME_CS], USER_CS
	jne .slow
	cmp qword [rsp + FRAME_SS], USER_SS
	jne .slow
	POP_REGISTERS
	mov rsp, [rsp + FRAME_RSP - 15 * 8]
	swapgs
	o64 sysret
.slow:
	swapgs
	jmp return_interrupt

trap_return:
	mov rsp, rdi
	jmp leave_to_user

section .note.GNU-stack noalloc noexec nowrite progbits
