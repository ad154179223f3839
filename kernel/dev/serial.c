/* The UART (16550D data sheet). Output polls; input interrupts. */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/pic.h"
#include "kernel/dev/console.h"
#include "kernel/dev/serial.h"

#define COM1         0x3f8
#define DATA         (COM1 + 0) /* DLAB: divisor, low byte */
#define INTERRUPTS   (COM1 + 1) /* DLAB: divisor, high byte */
#define FIFO_CONTROL (COM1 + 2)
#define LINE_CONTROL (COM1 + 3)
#define MODEM        (COM1 + 4)
#define LINE_STATUS  (COM1 + 5)

#define DIVISOR_115200    1
#define INTERRUPT_RECEIVE 0x01
#define FIFO_ON_CLEAR     0x07
#define LINE_8N1          0x03
#define LINE_DLAB         0x80
#define MODEM_DTR_RTS_IRQ 0x0b /* OUT2 lets the interrupt through */
#define STATUS_RECEIVED   0x01
#define STATUS_EMPTY      0x20
#define STATUS_NO_UART    0xff /* what an empty bus reads as */

#define FIFO_SIZE 16
#define TRIES     100000

void serial_init(void)
{
	outb(INTERRUPTS, 0);
	outb(LINE_CONTROL, LINE_DLAB);
	outb(DATA, DIVISOR_115200);
	outb(INTERRUPTS, 0);
	outb(LINE_CONTROL, LINE_8N1);
	outb(FIFO_CONTROL, FIFO_ON_CLEAR);
	outb(MODEM, MODEM_DTR_RTS_IRQ);
}

/* What the terminal has no room for stays in the FIFO, and the sender stops when that is full. */
static void receive(void)
{
	u8 status;

	while (!console_input_full() && (status = inb(LINE_STATUS)) & STATUS_RECEIVED &&
	       status != STATUS_NO_UART)
		console_input((char)inb(DATA));
}

void serial_init_input(void)
{
	irq_install(IRQ_SERIAL, receive);
	outb(INTERRUPTS, INTERRUPT_RECEIVE);
}

void serial_resume_input(void)
{
	bool interrupts = interrupts_save();

	receive();
	interrupts_restore(interrupts);
}

/* An empty transmitter takes a FIFO's worth at once. One that never gets empty must not stop the
 * kernel. */
void serial_write(const char *text, size_t bytes)
{
	while (bytes) {
		size_t some = MIN(bytes, (size_t)FIFO_SIZE);

		for (u32 i = 0; i < TRIES && !(inb(LINE_STATUS) & STATUS_EMPTY); i++)
			;
		bytes -= some;
		asm volatile("rep outsb" : "+S"(text), "+c"(some) : "d"(DATA) : "memory");
	}
}
