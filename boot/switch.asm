; switch_context(from: rdi, to: rsi), see kernel/cpu/switch.h. saved_sp is the first field of struct thread; what it
; points at is laid out as thread_prepare_stack() lays it out.

global switch_context:function

section .text
bits 64

switch_context:
	push rbp
	push rbx
	push r12
	push r13
	push r14
	push r15
	mov [rdi], rsp
	mov rsp, [rsi]
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbx
	pop rbp
	mov rax, rdi
	ret

section .note.GNU-stack noalloc noexec nowrite progbits
