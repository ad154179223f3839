; Where an application processor begins (SDM vol. 3, 8.4): in real mode, at a page below 1 MB. smp_start()
; (kernel/cpu/smp.c) copies trampoline to trampoline_end there, fills in the three words at its end, and sends the
; start-up IPI. The way to long mode is boot/multiboot.asm's, with a root table that maps this page at its own
; address and the kernel's half where it belongs.

global trampoline:function
global trampoline_end:function
global trampoline_words:function

%include "boot/long_mode.inc"

TRAMPOLINE    equ 0x8000               ; kernel/cpu/smp.h
%define AT(label) (TRAMPOLINE + label - trampoline)


section .text
bits 16
align 16
trampoline:
	cli
	cld
	xor ax, ax
	mov ds, ax
	lgdt [AT(gdt_pointer)]
	mov eax, cr0
	or eax, CR0_PE
	mov cr0, eax
	jmp dword 0x08:AT(protected)

bits 32
protected:
	mov eax, 0x10
	mov ds, eax
	mov ss, eax
	mov eax, cr4
	or eax, CR4_PAE
	mov cr4, eax
	mov eax, [AT(root)]
	mov cr3, eax
	mov ecx, MSR_EFER
	rdmsr
	or eax, EFER_LME | EFER_NXE
	wrmsr
	mov eax, cr0
	and eax, ~(0x60000000)             ; CD and NW are set after INIT: caches on
	or eax, CR0_WP | CR0_PG
	mov cr0, eax
	jmp 0x18:AT(long_mode)

bits 64
long_mode:
	xor eax, eax
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov fs, eax
	mov gs, eax
	xor ebx, ebx
	xchg rbx, [abs AT(stack)]          ; locked: one CPU takes the stack
	test rbx, rbx
	jz too_late
	mov rsp, rbx
	mov rax, [abs AT(entry)]
	xor ebp, ebp                       ; ends a backtrace
	push rbp                           ; no caller
	jmp rax
too_late:
	hlt
	jmp too_late

align 8
gdt:
	dq 0
	dq 0x00cf9a000000ffff              ; 0x08: 32-bit code
	dq 0x00cf92000000ffff              ; 0x10: data
	dq 0x00209a0000000000              ; 0x18: 64-bit code
gdt_pointer:
	dw $ - gdt - 1
	dd AT(gdt)

align 8
trampoline_words:                          ; struct trampoline_words, kernel/cpu/smp.c
root:  dq 0
stack: dq 0
entry: dq 0
trampoline_end:

section .note.GNU-stack noalloc noexec nowrite progbits
