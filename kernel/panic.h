/* Stopping the machine when the kernel is wrong. panic() itself is declared in mm/machine.h. */
#pragma once

#include "kernel/cpu/trap.h"

/* panic() for a trap from the kernel: what happened, the registers in frame, and a backtrace from
 * there. */
_Noreturn void panic_trap(struct trapframe *frame, const char *what);

/* True once a panic has begun: locks are not to be trusted any more. */
extern bool panicking;

/* What the NMI makes of a CPU while another one panics: it shows where it was, and stops for ever. */
_Noreturn void panic_show_other(struct trapframe *frame);
