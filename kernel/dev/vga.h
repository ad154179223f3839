/* The VGA text screen, 80 columns by 25 lines. */
#pragma once

#include "mm/types.h"

/* Clears the screen and begins to use it. Before this, vga_write() does nothing. */
void vga_init(void);

/* Writes text at the cursor: understands \n \r \b \t, skips other control bytes and escape
 * sequences. Any context. */
void vga_write(const char *text, size_t bytes);
