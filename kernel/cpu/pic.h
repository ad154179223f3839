/* The 8259 interrupt controllers, for the two ISA devices in use: keyboard (IRQ 1) and serial line
 * (IRQ 4). */
#pragma once

#include "mm/types.h"

#define IRQ_KEYBOARD 1
#define IRQ_SERIAL   4
#define IRQS         16

/* Boot: moves IRQ 0 to 15 to VECTOR_IRQ_BASE and masks them all. */
void pic_init(void);

/* From now on handler is called for irq (0 to 15), with interrupts off; it must not sleep. Unmasks
 * the irq. */
void irq_install(u32 irq, void (*handler)(void));

/* kernel/trap.c: calls the handler of irq (vector - VECTOR_IRQ_BASE) and ends the interrupt.
 * Spurious ones too. */
void irq_dispatch(u32 irq);
