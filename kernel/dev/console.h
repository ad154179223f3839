/*
 * The console: the serial line, the VGA text screen when there is one, and the keyboard. Bytes go
 * out exactly as given; turning "\n" into "\r\n" is the business of the terminal (kernel/fs/tty.c)
 * and of printk.
 */
#pragma once

#include "mm/types.h"

/* Boot: the serial line, for output only. Called before anything else may print. */
void console_init_early(void);

/* Boot: the VGA screen, if text_screen says that there is one. */
void console_init(bool text_screen);

/* Boot, after pic_init(): input from the serial line and the keyboard arrives from now on. */
void console_init_input(void);

/* Writes bytes of text to the serial line and the screen. Polls; callable from interrupt handlers.
 * Does not lock: two writers at once mix their bytes. */
void console_write(const char *text, size_t bytes);

/*
 * A byte has come in: what the serial line received, or what a key stands for ('\r' for Enter, 0x7f
 * for Backspace,
 * "\033[A" and so on for arrows, one call a byte). Called by interrupt handlers, with interrupts
 * off. kernel/fs/tty.c
 */
void console_input(char c);

/*
 * Whether a byte that comes in now would be lost, though a reader may soon make room. A device that
 * can hold bytes back does so then. Interrupts off. kernel/fs/tty.c
 */
bool console_input_full(void);

/* A reader has made room: takes in what devices held back. Interrupts on or off. */
void console_resume_input(void);
