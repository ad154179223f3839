; Moving bytes between the kernel and the program (kernel/usercopy.h). The range is checked first, so a fault in here
; is at an address of the program's. The page fault handler resolves it, or asks usercopy_fixup() where to go on
; instead: at usercopy_failed, with the stack as at entry. So nothing here may push.

%include "boot/smap.inc"

global usercopy_start
global usercopy_end
global usercopy_failed:function
global copy_from_user:function
global copy_to_user:function
global clear_user:function
global copy_string_from_user:function
global load_user:function
global exchange_user:function

USER_END     equ 0x00007ffffffff000
EFAULT       equ 14
ENAMETOOLONG equ 36

section .text
bits 64

; Fails unless [%1, %1 + rdx) lies in user space.
%macro CHECK_RANGE 1
	mov rax, %1
	add rax, rdx
	jc usercopy_failed
	mov rcx, USER_END
	cmp rax, rcx
	ja usercopy_failed
%endmacro

usercopy_start:

; (to: rdi, from: rsi, bytes: rdx)
align 16
copy_from_user:
	CHECK_RANGE rsi
	jmp copy

align 16
copy_to_user:
	CHECK_RANGE rdi
copy:
	STAC
	mov rcx, rdx
	shr rcx, 3
	rep movsq
	mov ecx, edx
	and ecx, 7
	rep movsb
	CLAC
	xor eax, eax
	ret

; (to: rdi, bytes: rsi)
align 16
clear_user:
	mov rdx, rsi
	CHECK_RANGE rdi
	STAC
	xor eax, eax
	mov rcx, rdx
	shr rcx, 3
	rep stosq
	mov ecx, edx
	and ecx, 7
	rep stosb
	CLAC
	ret

; (to: rdi, from: rsi, size: rdx). The string must end both within size bytes and below USER_END.
align 16
copy_string_from_user:
	mov rcx, USER_END
	mov r8, -ENAMETOOLONG
	sub rcx, rsi                   ; bytes up to the end of user space
	jbe usercopy_failed
	cmp rdx, rcx
	jbe .bounded
	mov rdx, rcx
	mov r8, -EFAULT
.bounded:
	STAC
	xor ecx, ecx
.next:
	cmp rcx, rdx
	je .too_long
	mov al, [rsi + rcx]
	mov [rdi + rcx], al
	inc rcx
	test al, al
	jnz .next
	CLAC
	lea rax, [rcx - 1]
	ret
.too_long:
	CLAC
	mov rax, r8
	ret

; Fails unless the word at %1 lies in user space.
%macro CHECK_WORD 1
	mov rax, USER_END - 4
	cmp %1, rax
	ja usercopy_failed
%endmacro

; (to: rdi, from: rsi)
align 16
load_user:
	CHECK_WORD rsi
	STAC
	mov eax, [rsi]
	CLAC
	mov [rdi], eax
	xor eax, eax
	ret

; (at: rdi, expected: rsi, value: edx)
align 16
exchange_user:
	CHECK_WORD rdi
	mov eax, [rsi]
	STAC
	lock cmpxchg [rdi], edx
	CLAC
	mov [rsi], eax
	xor eax, eax
	ret

usercopy_end:

usercopy_failed:
	CLAC
	mov rax, -EFAULT
	ret

section .note.GNU-stack noalloc noexec nowrite progbits
