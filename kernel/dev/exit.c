/* Leaving the machine (kernel/dev/exit.h). */
#include "kernel/cpu/cpu.h"
#include "kernel/dev/exit.h"

#define DEBUG_EXIT_PORT 0xf4

/* ACPI's PM1a control register as QEMU's two PC chipsets (PIIX4, ICH9) have it; S5 is sleep type 0
 * in both. */
#define PM1A_CONTROL      0x604
#define PM1A_SLEEP_ENABLE (1u << 13)

#define KEYBOARD_STATUS  0x64
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_FULL    0x02
#define KEYBOARD_RESET   0xfe

#define TRIES 100000

static void outw(u16 port, u16 value)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static void reset(void)
{
	for (u32 i = 0; i < TRIES && inb(KEYBOARD_STATUS) & KEYBOARD_FULL; i++)
		;
	outb(KEYBOARD_COMMAND, KEYBOARD_RESET);
}

void machine_exit(u8 code)
{
	interrupts_off();
	outb(DEBUG_EXIT_PORT, code);
	if (code != EXIT_PANIC) {
		outw(PM1A_CONTROL, PM1A_SLEEP_ENABLE);
		reset();
	}
	for (;;)
		asm volatile("hlt");
}
