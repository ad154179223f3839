; The first and the last instruction of a program on this side: the entry that the kernel jumps to, and the way back
; from a signal handler. Stack at entry (System V ABI, x86-64, 3.4.1): argc, argv..., 0, environment..., 0, auxv.

bits 64

extern libc_start
global _start
global signal_restorer

section .text

_start:
	xor ebp, ebp			; the outermost frame, for backtraces
	mov rdi, rsp
	and rsp, -16
	call libc_start
	ud2				; libc_start does not return

; A signal handler returns to here; what the kernel saved is at rsp.
signal_restorer:
	mov eax, 15			; rt_sigreturn
	syscall
	ud2

section .note.GNU-stack noalloc noexec nowrite progbits
