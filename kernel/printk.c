/*
 * The kernel's log: always to I/O port 0xe9 (QEMU's debugcon), and to the console unless the
 * command line says log=debugcon. One caller's text stays in one piece.
 */
#include "kernel/cmdline.h"
#include "kernel/cpu/cpu.h"
#include "kernel/dev/console.h"
#include "kernel/panic.h"
#include "kernel/printk.h"

#define DEBUGCON 0xe9
#define LINE_MAX 512 /* longer texts are cut off */

static struct spinlock lock = SPINLOCK(RANK_LOG);

static void debugcon_write(const char *text, size_t bytes)
{
	asm volatile("rep outsb" : "+S"(text), "+c"(bytes) : "d"(DEBUGCON) : "memory");
}

/* The console wants a carriage return before each newline. */
static void console_write_lines(const char *text, size_t bytes)
{
	size_t start = 0;

	for (size_t i = 0; i < bytes; i++) {
		if (text[i] != '\n')
			continue;
		console_write(text + start, i - start);
		console_write("\r\n", 2);
		start = i + 1;
	}
	console_write(text + start, bytes - start);
}

static bool console_wanted(void)
{
	const char *log = cmdline_word("log");

	return !log || strcmp(log, "debugcon") != 0;
}

/* In a panic the lock may be held for ever. */
void log_write(const char *text, size_t bytes)
{
	bool irqs = interrupts_save(), locked = !panicking;

	if (locked)
		spin_lock(&lock);
	debugcon_write(text, bytes);
	if (console_wanted())
		console_write_lines(text, bytes);
	if (locked)
		spin_unlock(&lock);
	interrupts_restore(irqs);
}

void vprintk(const char *format, va_list args)
{
	char line[LINE_MAX];
	size_t length = (size_t)vsnprintf(line, sizeof(line), format, args);

	log_write(line, MIN(length, sizeof(line) - 1));
}

void printk(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintk(format, args);
	va_end(args);
}
