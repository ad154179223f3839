/* The console's output: whatever is written goes to each of its devices. */
#include "kernel/cpu/cpu.h"
#include "kernel/dev/console.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/serial.h"
#include "kernel/dev/vga.h"
#include "kernel/panic.h"
#include "mm/lock.h"

void console_init_early(void)
{
	serial_init();
}

void console_init(bool text_screen)
{
	if (text_screen)
		vga_init();
}

void console_init_input(void)
{
	serial_init_input();
	keyboard_init();
}

void console_resume_input(void)
{
	serial_resume_input();
}

/* The terminal writes here under its lock, the log under another. In a panic the lock may be held for ever. */
void console_write(const char *text, size_t bytes)
{
	static struct spinlock lock = SPINLOCK(RANK_CONSOLE);
	bool interrupts = interrupts_save(), locked = !panicking;

	if (locked)
		spin_lock(&lock);
	serial_write(text, bytes);
	vga_write(text, bytes);
	if (locked)
		spin_unlock(&lock);
	interrupts_restore(interrupts);
}
