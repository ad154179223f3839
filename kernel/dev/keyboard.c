/* The PS/2 keyboard behind an 8042 controller that translates to scancode set 1. */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/pic.h"
#include "kernel/dev/console.h"
#include "kernel/dev/keyboard.h"

#define DATA    0x60
#define STATUS  0x64
#define COMMAND 0x64

#define STATUS_OUTPUT_FULL 0x01
#define STATUS_INPUT_FULL  0x02
#define STATUS_MOUSE       0x20
#define STATUS_NO_DEVICE   0xff /* what an empty bus reads as */

#define COMMAND_READ_CONFIG  0x20
#define COMMAND_WRITE_CONFIG 0x60
#define CONFIG_INTERRUPT     0x01
#define CONFIG_DISABLED      0x10
#define CONFIG_TRANSLATE     0x40

#define TRIES 100000

/* Scancodes that are not characters. A release is the code with bit 7 set. */
#define SCAN_RELEASE     0x80
#define SCAN_EXTENDED    0xe0 /* the next code is of a key that an AT keyboard did not have */
#define SCAN_CTRL        0x1d
#define SCAN_LEFT_SHIFT  0x2a
#define SCAN_RIGHT_SHIFT 0x36
#define SCAN_CAPS_LOCK   0x3a

#define KEYS 0x3a

/* Characters by scancode, from 0x01 (Escape) to 0x39 (space). 0: none. */
static const char plain[KEYS] =
	"\0\0331234567890-=\x7f\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[KEYS] =
	"\0\033!@#$%^&*()_+\x7f\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static bool shift_left, shift_right, control, caps, extended;

static void type(const char *text)
{
	while (*text)
		console_input(*text++);
}

/* The escape sequences of a VT100 with PC keys. */
static void extended_key(u8 code)
{
	switch (code) {
	case 0x1c:
		type("\r");
		break;
	case 0x35:
		type("/");
		break;
	case 0x47:
		type("\033[H");
		break;
	case 0x48:
		type("\033[A");
		break;
	case 0x4b:
		type("\033[D");
		break;
	case 0x4d:
		type("\033[C");
		break;
	case 0x4f:
		type("\033[F");
		break;
	case 0x50:
		type("\033[B");
		break;
	case 0x53:
		type("\033[3~");
		break;
	default:
		break;
	}
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void character_key(u8 code)
{
	bool shift = shift_left || shift_right;
	char c;

	if (code >= KEYS)
		return;
	if (caps && is_letter(plain[code]))
		shift = !shift;
	if (shift)
		c = shifted[code];
	else
		c = plain[code];
	if (!c)
		return;
	if (control && (is_letter(c) || (c >= '@' && c <= '_')))
		c = (char)((u8)c & 0x1f);
	console_input(c);
}

/* Keeps track of the keys that change others; true if this was one. */
static bool modifier_key(u8 code, bool down)
{
	switch (code) {
	case SCAN_CTRL:
		control = down;
		return true;
	case SCAN_LEFT_SHIFT:
		shift_left = down;
		return true;
	case SCAN_RIGHT_SHIFT:
		shift_right = down;
		return true;
	case SCAN_CAPS_LOCK:
		if (down)
			caps = !caps;
		return true;
	default:
		return false;
	}
}

static void scancode(u8 code)
{
	bool down = !(code & SCAN_RELEASE), was_extended = extended;

	extended = code == SCAN_EXTENDED;
	if (extended)
		return;
	code &= (u8)~SCAN_RELEASE;
	/* Extended shifts come with the arrows, and mean nothing. */
	if (was_extended && code != SCAN_CTRL) {
		if (down)
			extended_key(code);
		return;
	}
	if (!modifier_key(code, down) && down)
		character_key(code);
}

static void interrupt(void)
{
	u8 status;

	while ((status = inb(STATUS)) & STATUS_OUTPUT_FULL && status != STATUS_NO_DEVICE) {
		u8 code = inb(DATA);

		if (!(status & STATUS_MOUSE))
			scancode(code);
	}
}

static void send(u16 port, u8 value)
{
	for (u32 i = 0; i < TRIES && inb(STATUS) & STATUS_INPUT_FULL; i++)
		;
	outb(port, value);
}

static u8 receive(void)
{
	for (u32 i = 0; i < TRIES && !(inb(STATUS) & STATUS_OUTPUT_FULL); i++)
		;
	return inb(DATA);
}

static void drain(void)
{
	for (u32 i = 0; i < TRIES && inb(STATUS) & STATUS_OUTPUT_FULL; i++)
		inb(DATA);
}

void keyboard_init(void)
{
	u8 config;

	if (inb(STATUS) == STATUS_NO_DEVICE)
		return;
	drain();
	send(COMMAND, COMMAND_READ_CONFIG);
	config = receive();
	config = (u8)((config | CONFIG_INTERRUPT | CONFIG_TRANSLATE) & ~CONFIG_DISABLED);
	send(COMMAND, COMMAND_WRITE_CONFIG);
	send(DATA, config);
	drain();
	irq_install(IRQ_KEYBOARD, interrupt);
}
