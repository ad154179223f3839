; From the boot loader to C: the Multiboot2 header, and the way from 32-bit protected mode to long mode in the
; upper half. Until paging_init() replaces them, the tables built here map the first 4 GB with 2 MB pages three
; times: at its physical address, at DIRECT_MAP, and its first GB at KERNEL_BASE; all of it writable, executable.

%include "boot/long_mode.inc"

KERNEL_BASE equ 0xffffffff80000000

extern kernel_main
extern boot_stack_top
global start:function

; ---- Multiboot2 specification, 3.1 ----

MAGIC        equ 0xe85250d6
LOADER_MAGIC equ 0x36d76289
ARCH_I386    equ 0

section .multiboot align=8
header:
	dd MAGIC, ARCH_I386, header_end - header, -(MAGIC + ARCH_I386 + (header_end - header))

	align 8
	dw 6, 0                        ; modules at page boundaries
	dd 8

	align 8
	dw 0, 0                        ; end of tags
	dd 8
header_end:

; ---- 32 bits: not yet at the address it is linked for, so every address is made physical ----

%define PHYSICAL(symbol) (symbol - KERNEL_BASE)

PRESENT_WRITE equ 3
LARGE         equ 1 << 7
PAGE          equ 4096

CPUID_LONG    equ 1 << 29
CPUID_NX      equ 1 << 20

section .text
bits 32
start:
	cli
	cld
	mov esp, PHYSICAL(boot_stack_top)
	mov ebp, ebx                   ; the loader's information
	mov esi, PHYSICAL(no_loader)
	cmp eax, LOADER_MAGIC
	jne refuse
	call check_cpu
	call build_tables
	call enter_long_mode
	lgdt [PHYSICAL(boot_gdt_pointer)]
	jmp 0x08:PHYSICAL(start64)

; Goes on only on a CPU that has long mode and NX.
check_cpu:
	mov esi, PHYSICAL(no_long_mode)
	pushfd                         ; CPUID is there if EFLAGS.ID can be changed
	pop eax
	mov ecx, eax
	xor eax, 1 << 21
	push eax
	popfd
	pushfd
	pop eax
	cmp eax, ecx
	je refuse
	mov eax, 0x80000000
	cpuid
	cmp eax, 0x80000001
	jb refuse
	mov eax, 0x80000001
	cpuid
	test edx, CPUID_LONG
	jz refuse
	mov esi, PHYSICAL(no_nx)
	test edx, CPUID_NX
	jz refuse
	ret

; The loader cleared .bss, so only the entries in use are written.
build_tables:
	mov eax, PHYSICAL(boot_pdpt_low) + PRESENT_WRITE
	mov [PHYSICAL(boot_pml4)], eax                ; identity
	mov [PHYSICAL(boot_pml4) + 256 * 8], eax      ; DIRECT_MAP
	mov dword [PHYSICAL(boot_pml4) + 511 * 8], PHYSICAL(boot_pdpt_high) + PRESENT_WRITE
	mov eax, PHYSICAL(boot_pds) + PRESENT_WRITE
	mov [PHYSICAL(boot_pdpt_high) + 510 * 8], eax ; KERNEL_BASE
	mov edi, PHYSICAL(boot_pdpt_low)
	mov ecx, 4
.pdpt:
	mov [edi], eax
	add eax, PAGE
	add edi, 8
	loop .pdpt
	mov edi, PHYSICAL(boot_pds)
	mov eax, PRESENT_WRITE | LARGE
	mov ecx, 4 * 512
.pd:
	mov [edi], eax
	add eax, 2 << 20
	add edi, 8
	loop .pd
	ret

; SDM vol. 3, 10.8.5: PAE, CR3, LME, PG, in this order.
enter_long_mode:
	mov eax, cr4
	or eax, CR4_PAE
	mov cr4, eax
	mov eax, PHYSICAL(boot_pml4)
	mov cr3, eax
	mov ecx, MSR_EFER
	rdmsr
	or eax, EFER_LME | EFER_NXE
	wrmsr
	mov eax, cr0
	or eax, CR0_PE | CR0_WP | CR0_PG
	mov cr0, eax
	ret

; Says why (esi) on the screen and the serial line, and stops.
refuse:
	mov edi, 0xb8000
	mov ah, 0x0f
.next:
	lodsb
	test al, al
	jz .stop
	stosw
	mov dx, 0x3f8
	out dx, al
	jmp .next
.stop:
	hlt
	jmp .stop

no_loader:    db `Coppice needs a Multiboot2 boot loader.\r\n`, 0
no_long_mode: db `Coppice needs a 64-bit CPU.\r\n`, 0
no_nx:        db `Coppice needs a CPU with no-execute pages.\r\n`, 0

; ---- 64 bits, still at a low address ----

bits 64
start64:
	mov rax, .upper_half
	jmp rax
.upper_half:
	mov rsp, boot_stack_top
	xor eax, eax
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov fs, eax
	mov gs, eax
	mov edi, ebp
	xor ebp, ebp                   ; ends a backtrace
	call kernel_main
	ud2

section .rodata
	align 8
boot_gdt:
	dq 0
	dq 0x00209a0000000000          ; 0x08: 64-bit code
boot_gdt_pointer:
	dw $ - boot_gdt - 1
	dd PHYSICAL(boot_gdt)

section .bss align=4096
boot_pml4:      resb PAGE
boot_pdpt_low:  resb PAGE
boot_pdpt_high: resb PAGE
boot_pds:       resb 4 * PAGE

section .note.GNU-stack noalloc noexec nowrite progbits
