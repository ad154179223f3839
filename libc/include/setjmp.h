/* newlib's setjmp.h, and the forms that keep the signal mask. */
#ifndef _COPPICE_SETJMP_H
#define _COPPICE_SETJMP_H

#include_next <setjmp.h>

#include <sys/_sigset.h>
#include <sys/cdefs.h>

typedef struct {
	jmp_buf __registers;
	int __mask_saved;
	__sigset_t __mask;
} sigjmp_buf[1];

__BEGIN_DECLS
void __sigjmp_save(sigjmp_buf, int);
void siglongjmp(sigjmp_buf, int) __attribute__((__noreturn__));
__END_DECLS

#define sigsetjmp(buffer, save_mask) \
	(__sigjmp_save(buffer, save_mask), setjmp((buffer)->__registers))

#endif
