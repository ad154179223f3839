/* The ways out of the machine. */
#pragma once

#include "mm/types.h"

/* What machine_exit() tells QEMU's isa-debug-exit device; QEMU ends with the status 2 * code + 1.
 */
#define EXIT_ORDERLY 0x10 /* QEMU ends with 33 */
#define EXIT_PANIC   0x11 /* QEMU ends with 35 */

/*
 * Ends the machine. Without the exit device, an orderly exit powers off through ACPI, or failing
 * that resets through the keyboard controller; a panic stays, halted, to be read.
 */
_Noreturn void machine_exit(u8 code);
