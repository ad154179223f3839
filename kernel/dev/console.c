/* The console's output: whatever is written goes to each of its devices. */
#include "kernel/dev/console.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/serial.h"
#include "kernel/dev/vga.h"

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

void console_write(const char *text, size_t bytes)
{
	serial_write(text, bytes);
	vga_write(text, bytes);
}
