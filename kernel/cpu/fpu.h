/* The state of x87, SSE and AVX registers, which belong to programs: the kernel itself uses none of
 * them. */
#pragma once

#include "mm/types.h"

/*
 * Bytes of a save area, a power of two up to 4096: kmalloc(fpu_size) then aligns it as XSAVE wants
 * it (to 64). Valid after fpu_init().
 */
extern size_t fpu_size;

/* Boot: turns the FPU, SSE and, where present, AVX on; on the first CPU, and then on each other one. */
void fpu_init(void);
void fpu_init_other(void);

/* Makes area[fpu_size], which is cleared, the state of a program that has just started. */
void fpu_init_state(void *area);

/* Saves this CPU's registers in area, or loads them from there. area was made by fpu_init_state().
 */
void fpu_save(void *area);
void fpu_restore(const void *area);

/* Makes area[fpu_size], whatever a program has put there, something that fpu_restore() accepts: SDM vol. 1, 13.8. */
void fpu_sanitize(void *area);
