/* The first serial line, a 16550 UART at COM1: 115200 baud, 8 data bits, no parity. */
#pragma once

#include "mm/types.h"

/* Sets the line up, interrupts off. */
void serial_init(void);

/* Hands what arrives to console_input() from now on. After pic_init(). */
void serial_init_input(void);

/* Takes in what was held back while the terminal had no room. */
void serial_resume_input(void);

/* Writes bytes as they are, waiting for room in the transmitter. Any context. */
void serial_write(const char *text, size_t bytes);
