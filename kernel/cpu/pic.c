/*
 * The two 8259s, cascaded through IRQ 2 of the first (Intel 8259A data sheet). Their output reaches
 * the CPU through the local APIC's LINT0 pin (kernel/cpu/apic.c). An irq is unmasked exactly when
 * it has a handler.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/pic.h"
#include "kernel/cpu/trap.h"

#define MASTER_COMMAND 0x20
#define MASTER_DATA    0x21
#define SLAVE_COMMAND  0xa0
#define SLAVE_DATA     0xa1

#define ICW1_INIT_ICW4 0x11
#define ICW4_8086      0x01
#define OCW2_EOI       0x20
#define OCW3_READ_ISR  0x0b
#define CASCADE        2

static void (*handlers[IRQS])(void);
static u16 masked = 0xffff & ~(1u << CASCADE);

static void write_mask(void)
{
	outb(MASTER_DATA, (u8)masked);
	outb(SLAVE_DATA, (u8)(masked >> 8));
}

void pic_init(void)
{
	outb(MASTER_COMMAND, ICW1_INIT_ICW4);
	outb(SLAVE_COMMAND, ICW1_INIT_ICW4);
	outb(MASTER_DATA, VECTOR_IRQ_BASE);
	outb(SLAVE_DATA, VECTOR_IRQ_BASE + 8);
	outb(MASTER_DATA, 1 << CASCADE);
	outb(SLAVE_DATA, CASCADE);
	outb(MASTER_DATA, ICW4_8086);
	outb(SLAVE_DATA, ICW4_8086);
	write_mask();
}

void irq_install(u32 irq, void (*handler)(void))
{
	bool irqs = interrupts_save();

	handlers[irq] = handler;
	masked &= (u16) ~(1u << irq);
	write_mask();
	interrupts_restore(irqs);
}

/* A request that went away before it was taken shows as IRQ 7 or 15 without being in service. */
static bool in_service(u32 irq)
{
	u16 command = irq < 8 ? MASTER_COMMAND : SLAVE_COMMAND;

	outb(command, OCW3_READ_ISR);
	return inb(command) >> (irq & 7) & 1;
}

void irq_dispatch(u32 irq)
{
	bool real = in_service(irq);

	if (real && handlers[irq])
		handlers[irq]();
	if (real && irq >= 8)
		outb(SLAVE_COMMAND, OCW2_EOI);
	if (real || irq >= 8) /* a spurious IRQ 15 was a real IRQ 2 */
		outb(MASTER_COMMAND, OCW2_EOI);
}
