/* Formatting text (kernel/printk.h), without allocation and without locks, so that a panic can do
 * it too. */
#include "kernel/printk.h"

/* Where formatted text goes: as much as fits, but all of it is counted. */
struct output {
	char *to;
	size_t size;
	size_t length;
};

/* One conversion: %[-0#][width][.precision][l|ll|z]letter */
struct conversion {
	bool left, zeroes, prefix;
	bool wide; /* the argument has 64 bits */
	int width;
	int precision; /* -1: none */
};

/* A va_list in a structure, so that functions can advance it for their callers. */
struct arguments {
	va_list list;
};

static void put(struct output *out, char c)
{
	if (out->length < out->size)
		out->to[out->length] = c;
	out->length++;
}

static void pad(struct output *out, char with, int count)
{
	while (count-- > 0)
		put(out, with);
}

/* sign: what stands before the padding zeroes, or "". */
static void put_field(struct output *out, const struct conversion *how, const char *sign,
		      const char *text, size_t length)
{
	int missing = how->width - (int)(strlen(sign) + length);
	bool zeroes = how->zeroes && !how->left;

	if (!how->left && !zeroes)
		pad(out, ' ', missing);
	while (*sign)
		put(out, *sign++);
	if (zeroes)
		pad(out, '0', missing);
	for (size_t i = 0; i < length; i++)
		put(out, text[i]);
	if (how->left)
		pad(out, ' ', missing);
}

#define DIGITS_MAX 20 /* of 2^64 - 1 in decimal */

static void put_number(struct output *out, const struct conversion *how, const char *sign,
		       u64 value, u32 base)
{
	char digits[DIGITS_MAX];
	u32 first = DIGITS_MAX;

	do {
		digits[--first] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	put_field(out, how, sign, digits + first, DIGITS_MAX - first);
}

static void put_string(struct output *out, struct conversion *how, const char *text)
{
	size_t length = 0;

	if (!text)
		text = "(null)";
	while ((how->precision < 0 || length < (size_t)how->precision) && text[length])
		length++;
	how->zeroes = false;
	put_field(out, how, "", text, length);
}

static void put_char(struct output *out, struct conversion *how, char c)
{
	how->zeroes = false;
	put_field(out, how, "", &c, 1);
}

static int parse_number(const char **format, struct arguments *args)
{
	int number = 0;

	if (**format == '*') {
		(*format)++;
		return va_arg(args->list, int);
	}
	while (**format >= '0' && **format <= '9')
		number = number * 10 + *(*format)++ - '0';
	return number;
}

static void parse_flags(const char **format, struct conversion *how)
{
	for (;; (*format)++) {
		if (**format == '-')
			how->left = true;
		else if (**format == '0')
			how->zeroes = true;
		else if (**format == '#')
			how->prefix = true;
		else
			return;
	}
}

static struct conversion parse(const char **format, struct arguments *args)
{
	struct conversion how = {.precision = -1};

	parse_flags(format, &how);
	how.width = parse_number(format, args);
	if (how.width < 0) {
		how.left = true;
		how.width = -how.width;
	}
	if (**format == '.') {
		(*format)++;
		how.precision = parse_number(format, args);
	}
	for (; **format == 'l' || **format == 'z'; (*format)++)
		how.wide = true;
	return how;
}

static i64 signed_argument(const struct conversion *how, struct arguments *args)
{
	return how->wide ? va_arg(args->list, i64) : va_arg(args->list, i32);
}

static u64 unsigned_argument(const struct conversion *how, struct arguments *args)
{
	return how->wide ? va_arg(args->list, u64) : va_arg(args->list, u32);
}

static void put_signed(struct output *out, const struct conversion *how, i64 value)
{
	if (value < 0)
		put_number(out, how, "-", -(u64)value, 10);
	else
		put_number(out, how, "", (u64)value, 10);
}

static void convert(struct output *out, char letter, struct conversion *how, struct arguments *args)
{
	switch (letter) {
	case 'd':
	case 'i':
		put_signed(out, how, signed_argument(how, args));
		break;
	case 'u':
		put_number(out, how, "", unsigned_argument(how, args), 10);
		break;
	case 'x':
		put_number(out, how, how->prefix ? "0x" : "", unsigned_argument(how, args), 16);
		break;
	case 'p':
		put_number(out, how, "0x", (u64)va_arg(args->list, void *), 16);
		break;
	case 's':
		put_string(out, how, va_arg(args->list, const char *));
		break;
	case 'c':
		put_char(out, how, (char)va_arg(args->list, int));
		break;
	default: /* %% and what this kernel does not know */
		put(out, letter);
		break;
	}
}

int vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	struct output out = {.to = to, .size = size};
	struct arguments arguments;

	va_copy(arguments.list, args);
	while (*format) {
		if (*format != '%') {
			put(&out, *format++);
			continue;
		}
		format++;
		struct conversion how = parse(&format, &arguments);

		if (!*format)
			break;
		convert(&out, *format++, &how, &arguments);
	}
	va_end(arguments.list);
	if (size)
		to[MIN(out.length, size - 1)] = '\0';
	return (int)out.length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(to, size, format, args);
	va_end(args);
	return length;
}
