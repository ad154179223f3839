/* The machine that mm/ runs on in host tests: an array of frames, a page walker, and a TLB that
 * forgets only when told. */
#pragma once

#include "mm/mm.h"

/* Whether a signal waits, as mm/ sees it. */
extern bool machine_signal;

/* Runs it as another thread would, which does not hold what the current one holds, but may not want it either. */
void machine_as_another(void (*run)(void));

/* Starts the machine with this many frames, all free; once in a program. */
void machine_start(u64 frames);

/* Calls say_why once when the program dies of a panic or a sanitizer's finding: it prints what led there. */
void machine_on_death(void (*say_why)(void));

/*
 * What a program's access of the page at addr finds: 0 and the frame's contents in *at, or -1 when
 * the hardware would fault. Uses the TLB of mm first and fills it, as the processor does.
 */
int machine_translate(struct mm *mm, vaddr_t addr, enum access access, char **at);

/* The access, with faults resolved as the kernel does: 0, or what mm_fault() said. */
int machine_access(struct mm *mm, vaddr_t addr, enum access access, char **at);

/* Makes every TLB hold the translation of addr, if the tables give one. */
void machine_fill_tlb(struct mm *mm, vaddr_t addr);

/* Whether every translation that a TLB holds is one that the tables still give, with rights as wide or wider:
 * else a flush is missing. */
bool machine_tlb_holds(void);

/* Forgets the TLB of an mm that is about to be destroyed. */
void machine_forget(struct mm *mm);
