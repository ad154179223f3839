/* The PS/2 keyboard: scancode set 1, US layout. */
#pragma once

/* Hands keys to console_input() from now on. After pic_init(). */
void keyboard_init(void);
