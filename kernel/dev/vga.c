/* VGA text mode: cells of character and attribute at 0xb8000, and the cursor in the CRT controller.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/dev/vga.h"

#define COLUMNS   80u
#define ROWS      25u
#define TAB       8u
#define ATTRIBUTE 0x07 /* light grey on black */
#define BLANK     (ATTRIBUTE << 8 | ' ')

#define CRTC_INDEX       0x3d4
#define CRTC_DATA        0x3d5
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW  0x0f

static u16 *cells; /* NULL: there is no screen */
static u32 row, column;

/* Where in an escape sequence the output is. Programs send them to the serial line; here they are
 * skipped. */
static enum { PLAIN, AFTER_ESCAPE, IN_SEQUENCE } escape;

static void fill_row(u32 which)
{
	for (u32 i = 0; i < COLUMNS; i++)
		cells[which * COLUMNS + i] = BLANK;
}

static void show_cursor(void)
{
	u32 at = row * COLUMNS + column;

	outb(CRTC_INDEX, CRTC_CURSOR_HIGH);
	outb(CRTC_DATA, (u8)(at >> 8));
	outb(CRTC_INDEX, CRTC_CURSOR_LOW);
	outb(CRTC_DATA, (u8)at);
}

void vga_init(void)
{
	cells = phys_to_virt(0xb8000);
	for (u32 i = 0; i < ROWS; i++)
		fill_row(i);
	show_cursor();
}

static void line_feed(void)
{
	if (row < ROWS - 1) {
		row++;
		return;
	}
	memmove(cells, cells + COLUMNS, (size_t)(ROWS - 1) * COLUMNS * sizeof(*cells));
	fill_row(ROWS - 1);
}

static void put_glyph(char c)
{
	if (column == COLUMNS) {
		column = 0;
		line_feed();
	}
	cells[row * COLUMNS + column++] = (u16)(ATTRIBUTE << 8 | (u8)c);
}

/* ECMA-48, 5.4: "ESC [", parameters below '@', and a final byte. */
static bool skip_escape(char c)
{
	if (c == '\033')
		escape = AFTER_ESCAPE;
	else if (escape == AFTER_ESCAPE)
		escape = c == '[' ? IN_SEQUENCE : PLAIN;
	else if (escape == IN_SEQUENCE)
		escape = c >= '@' && c <= '~' ? PLAIN : IN_SEQUENCE;
	else
		return false;
	return true;
}

static void put(char c)
{
	if (skip_escape(c))
		return;
	switch (c) {
	case '\n':
		line_feed();
		break;
	case '\r':
		column = 0;
		break;
	case '\b':
		if (column)
			column--;
		break;
	case '\t':
		column = MIN((column / TAB + 1) * TAB, COLUMNS - 1);
		break;
	default:
		if ((u8)c >= ' ' && c != 0x7f)
			put_glyph(c);
		break;
	}
}

void vga_write(const char *text, size_t bytes)
{
	if (!cells)
		return;
	for (size_t i = 0; i < bytes; i++)
		put(text[i]);
	show_cursor();
}
