/*
 * The terminal's line discipline: what happens to a byte between the console and a program
 * (termios(3)).
 *
 * Input arrives in interrupt handlers, is edited and echoed there, and waits in a ring for a read.
 * In canonical mode a read gets a line, else whatever has come. Signals are sent after the lock is
 * let go.
 */
#include "kernel/dev/console.h"
#include "kernel/fs/io.h"
#include "kernel/fs/tty.h"
#include "kernel/fs/tty_state.h"
#include "kernel/fs/vfs.h"
#include "kernel/process.h"
#include "mm/errno.h"

#define CONTROL(letter) ((letter) - '@')
#define DELETE          0x7f
#define BACKSPACE       CONTROL('H')

#define CHUNK             256u /* bytes moved at a time between user memory and the terminal */
#define NS_PER_DECISECOND 100000000u /* the unit of VTIME */

struct tty tty = {
	.reader = RWLOCK(RANK_CONTENTS),
	.lock = SPINLOCK(RANK_TERMINAL),
	.settings = {.iflag = ICRNL,
		     .oflag = OPOST | ONLCR,
		     .cflag = B38400 | CS8 | CREAD | CLOCAL,
		     .lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		     .cc = {[VINTR] = CONTROL('C'),
			    [VQUIT] = CONTROL('\\'),
			    [VERASE] = DELETE,
			    [VKILL] = CONTROL('U'),
			    [VEOF] = CONTROL('D'),
			    [VMIN] = 1,
			    [VSUSP] = CONTROL('Z'),
			    [VWERASE] = CONTROL('W')}},
	.size = {.rows = 25, .columns = 80},
};

void tty_flush_input(void)
{
	tty.read_at = tty.ready = tty.write_at;
}

static bool mode(u32 flag)
{
	return tty.settings.lflag & flag;
}

/* ---- Output. locked: tty.lock ---- */

static void output(const char *text, size_t bytes)
{
	bool newlines = (tty.settings.oflag & (OPOST | ONLCR)) == (OPOST | ONLCR);
	size_t start = 0;

	for (size_t i = 0; newlines && i < bytes; i++) {
		if (text[i] != '\n')
			continue;
		console_write(text + start, i - start);
		console_write("\r\n", 2);
		start = i + 1;
	}
	console_write(text + start, bytes - start);
}

static bool is_control(u8 c)
{
	return c < ' ' || c == DELETE;
}

/* Columns that a byte's echo takes. */
static u32 echo_width(u8 c)
{
	if (!is_control(c))
		return (c & 0xc0) != 0x80; /* the later bytes of a UTF-8 character take none */
	return mode(ECHOCTL) && c != '\t' ? 2 : 0;
}

static void echo(u8 c)
{
	char text[2] = {'^', (char)(c ^ 0x40)};

	if (!mode(ECHO))
		return;
	if (is_control(c) && mode(ECHOCTL) && c != '\t' && c != '\n' && c != '\r')
		output(text, 2);
	else
		output((char *)&c, 1);
}

/* ---- Input. locked: tty.lock ---- */

static u16 *input_at(u32 index)
{
	return &tty.input[index % TTY_INPUT];
}

/* Lets readers have all that came in. */
static void make_ready(void)
{
	tty.ready = tty.write_at;
	wake_all(&tty.readable);
	wake_pollers();
}

static void add(u16 place)
{
	/* the last place is kept for the end of the line */
	u32 room = tty.read_at + TTY_INPUT - tty.write_at;

	if (room > (place & INPUT_END ? 0u : 1u))
		*input_at(tty.write_at++) = place;
	else if (tty.settings.iflag & IMAXBEL)
		output("\a", 1);
}

/* Takes back the last byte of the line being edited. */
static void erase(void)
{
	u8 c = (u8)*input_at(--tty.write_at);

	if (!mode(ECHO) || !mode(ECHOE))
		return;
	for (u32 i = echo_width(c); i > 0; i--)
		output("\b \b", 3);
}

static bool line_empty(void)
{
	return tty.write_at == tty.ready;
}

static u8 last_byte(void)
{
	return (u8)*input_at(tty.write_at - 1);
}

/* A character of UTF-8 is erased as a whole. */
static void erase_character(void)
{
	while (!line_empty() && (last_byte() & 0xc0) == 0x80)
		erase();
	if (!line_empty())
		erase();
}

static void erase_word(void)
{
	while (!line_empty() && last_byte() == ' ')
		erase();
	while (!line_empty() && last_byte() != ' ')
		erase();
}

/* cc entries that are 0 are disabled. */
static bool is(u8 c, u32 which)
{
	return c && c == tty.settings.cc[which];
}

/* The editing keys of canonical mode; false when c is none of them. */
static bool edit(u8 c)
{
	if (is(c, VERASE) || (c == BACKSPACE && tty.settings.cc[VERASE] == DELETE)) {
		erase_character();
	} else if (is(c, VWERASE)) {
		erase_word();
	} else if (is(c, VKILL)) {
		while (!line_empty())
			erase();
	} else if (is(c, VEOF)) {
		add(INPUT_EOF | INPUT_END);
		make_ready();
	} else {
		return false;
	}
	return true;
}

static void input_canonical(u8 c)
{
	if (edit(c))
		return;
	if (c == '\n' || is(c, VEOL) || is(c, VEOL2)) {
		if (c == '\n' && mode(ECHONL) && !mode(ECHO))
			output("\n", 1);
		echo(c);
		add(c | INPUT_END);
		make_ready();
		return;
	}
	echo(c);
	add(c);
}

static int signal_of(u8 c)
{
	if (!mode(ISIG))
		return 0;
	if (is(c, VINTR))
		return SIGINT;
	if (is(c, VQUIT))
		return SIGQUIT;
	return is(c, VSUSP) ? SIGTSTP : 0;
}

/* A byte of input. Returns the signal to be sent to the foreground, or 0. */
static int input(u8 c)
{
	int signal;

	if (c == '\r' && (tty.settings.iflag & IGNCR))
		return 0;
	if (c == '\r' && (tty.settings.iflag & ICRNL))
		c = '\n';
	else if (c == '\n' && (tty.settings.iflag & INLCR))
		c = '\r';
	signal = signal_of(c);
	if (signal) {
		if (!mode(NOFLSH))
			tty_flush_input();
		echo(c);
		return signal;
	}
	if (mode(ICANON)) {
		input_canonical(c);
	} else {
		echo(c);
		add(c);
		make_ready();
	}
	return 0;
}

void console_input(char c)
{
	bool irqs = spin_lock_irqsave(&tty.lock);
	int signal = input((u8)c);
	u32 foreground = tty.foreground;

	spin_unlock_irqrestore(&tty.lock, irqs);
	if (signal && foreground)
		signal_send_group(foreground, signal);
}

/* A full ring from which a reader can take something: who waits loses nothing. */
bool console_input_full(void)
{
	return tty.write_at - tty.read_at >= TTY_INPUT - 1 && tty.ready != tty.read_at;
}

/* ---- Reading ---- */

/* What a read takes out at once. */
struct piece {
	u8 bytes[CHUNK];
	u32 count;  /* bytes */
	u32 start;  /* read_at when it was looked at */
	u32 places; /* of the ring that they take, marks of ^D among them */
	bool end;   /* the read ends with it */
};

/* Looks at the next piece, at most `most` bytes; it stays in the ring. */
static void peek(struct piece *piece, size_t most)
{
	bool irqs = spin_lock_irqsave(&tty.lock);
	u32 at = tty.read_at;

	piece->start = at;
	piece->count = 0;
	piece->end = false;
	most = MIN(most, CHUNK);
	while (at != tty.ready && !piece->end) {
		u16 place = *input_at(at);
		bool byte = !(place & INPUT_EOF);

		if (byte && piece->count == most)
			break;
		if (byte)
			piece->bytes[piece->count++] = (u8)place;
		piece->end = (place & INPUT_END) && mode(ICANON);
		at++;
	}
	piece->places = at - piece->start;
	piece->end = piece->end || at == tty.ready;
	spin_unlock_irqrestore(&tty.lock, irqs);
}

/* Takes the first moved bytes of the piece out, unless the input was flushed meanwhile. */
static void consume(const struct piece *piece, size_t moved)
{
	bool irqs = spin_lock_irqsave(&tty.lock);

	if (tty.read_at == piece->start)
		tty.read_at += moved == piece->count ? piece->places : (u32)moved;
	spin_unlock_irqrestore(&tty.lock, irqs);
	console_resume_input();
}

/* locked: tty.reader */
static i64 take(struct io *to)
{
	struct piece piece;
	i64 total = 0;

	do {
		size_t moved;

		peek(&piece, to->left);
		moved = io_put(to, piece.bytes, piece.count);
		consume(&piece, moved);
		total += (i64)moved;
		if (moved < piece.count)
			return total ? total : -EFAULT;
	} while (!piece.end && to->left);
	return total;
}

/* Enough input for a read of so many bytes? A single word is read, the rest is looked at again
 * under the lock. */
static bool enough(size_t wanted)
{
	u32 ready = tty.ready - tty.read_at;

	if (mode(ICANON))
		return ready > 0;
	return ready >= MAX(1u, MIN(tty.settings.cc[VMIN], wanted));
}

/* Waits until there is something to read: 1; 0: a time-out of raw mode; or -EAGAIN, -EINTR. */
static int await_input(const struct file *file, size_t wanted)
{
	bool timed = !mode(ICANON) && tty.settings.cc[VMIN] == 0;
	u64 deadline = 0;
	int result;

	if (enough(wanted))
		return 1;
	if (file->flags & O_NONBLOCK)
		return -EAGAIN;
	if (timed && tty.settings.cc[VTIME] == 0)
		return 0;
	if (timed)
		deadline = clock_ns() + tty.settings.cc[VTIME] * (u64)NS_PER_DECISECOND;
	result = wait_until_or_signal_before(&tty.readable, enough(wanted), deadline);
	if (result == -EAGAIN)
		return 0;
	return result ? result : 1;
}

static i64 read(struct file *file, struct io *to, u64 offset)
{
	(void)offset;
	while (to->left) {
		int ready = tty_check_foreground(SIGTTIN);
		bool taken;
		i64 moved = 0;

		if (!ready)
			ready = await_input(file, to->left);
		if (ready <= 0)
			return ready;
		write_lock(&tty.reader);
		taken = tty.ready != tty.read_at; /* else another reader was faster */
		if (taken)
			moved = take(to);
		write_unlock(&tty.reader);
		if (taken)
			return moved;
	}
	return 0;
}

static i64 write(struct file *file, struct io *from, u64 offset)
{
	char text[CHUNK];
	i64 total = mode(TOSTOP) ? tty_check_foreground(SIGTTOU) : 0;

	(void)file;
	(void)offset;
	if (total)
		return total;
	while (from->left) {
		size_t wanted = MIN(from->left, CHUNK), moved = io_get(from, text, wanted);
		bool irqs = spin_lock_irqsave(&tty.lock);

		output(text, moved);
		spin_unlock_irqrestore(&tty.lock, irqs);
		total += (i64)moved;
		if (moved < wanted)
			return total ? total : -EFAULT;
		if (signal_pending())
			break;
		give_way();
	}
	return total;
}

static int poll(struct file *file)
{
	(void)file;
	return POLLOUT | (enough(1) ? POLLIN : 0);
}

const struct inode_ops console_ops = {
	.open = console_open,
	.read = read,
	.write = write,
	.poll = poll,
	.ioctl = tty_ioctl,
	.stream = true,
};

const struct inode_ops tty_ops = {
	.open = tty_open,
	.read = read,
	.write = write,
	.poll = poll,
	.ioctl = tty_ioctl,
	.stream = true,
};

const struct inode_ops stream_ops = {
	.read = read,
	.write = write,
	.poll = poll,
	.stream = true,
};
