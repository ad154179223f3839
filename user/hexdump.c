/* hexdump: shows bytes in hexadecimal, 16 a line; equal lines that follow one another become one
 * '*'. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "user/lib/program.h"

#define LINE 16

static bool canonical, show_all;
static unsigned long skip, left = ULONG_MAX;

/* The operands as one stream of bytes; standard input when there are none. */
struct source {
	char **paths;
	FILE *file;
};

/* Opens the next operand that can be opened; false when there is none. */
static bool source_next(struct source *source)
{
	if (source->file && source->file != stdin) {
		fclose(source->file);
	}
	source->file = NULL;
	while (*source->paths && !source->file) {
		const char *path = *source->paths++;
		source->file = fopen(path, "rb");
		if (!source->file) {
			complain_errno(path);
		}
	}
	return source->file != NULL;
}

static size_t source_read(struct source *source, unsigned char *to, size_t size)
{
	size_t filled = 0;

	while (source->file && filled < size) {
		filled += fread(to + filled, 1, size - filled, source->file);
		if (filled < size) {
			if (ferror(source->file)) {
				complain_errno(source->file == stdin ? "standard input"
								     : source->paths[-1]);
			}
			source_next(source);
		}
	}
	return filled;
}

/* "00000010  61 62 ... 62  63 ... |abc|", as hexdump -C prints it everywhere. */
static void print_canonical(unsigned long offset, const unsigned char *bytes, size_t count)
{
	printf("%08lx ", offset);
	for (size_t i = 0; i < LINE; i++) {
		fputs(i == LINE / 2 ? "  " : " ", stdout);
		if (i < count) {
			printf("%02x", (unsigned)bytes[i]);
		} else {
			fputs("  ", stdout);
		}
	}
	fputs("  |", stdout);
	for (size_t i = 0; i < count; i++) {
		putchar(bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '.');
	}
	puts("|");
}

/* 16-bit words in the machine's byte order; an odd last byte stands alone. */
static void print_words(unsigned long offset, const unsigned char *bytes, size_t count)
{
	printf("%07lx", offset);
	for (size_t i = 0; i < count; i += 2) {
		unsigned high = i + 1 < count ? bytes[i + 1] : 0;
		printf(" %04x", high << 8 | bytes[i]);
	}
	putchar('\n');
}

static void dump(struct source *source)
{
	unsigned char line[LINE] = {0}, last[LINE];
	unsigned long offset = skip;
	bool have_last = false, starred = false;
	size_t count;

	while ((count = source_read(source, line, left < LINE ? left : LINE)) > 0) {
		left -= count;
		if (have_last && count == LINE && memcmp(line, last, LINE) == 0 && !show_all) {
			if (!starred) {
				puts("*");
			}
			starred = true;
		} else {
			(canonical ? print_canonical : print_words)(offset, line, count);
			starred = false;
		}
		memcpy(last, line, LINE);
		have_last = count == LINE;
		offset += count;
	}
	if (offset > skip) {
		printf(canonical ? "%08lx\n" : "%07lx\n", offset);
	}
}

static void skip_bytes(struct source *source)
{
	unsigned char buffer[512];
	unsigned long todo = skip;

	while (todo > 0) {
		size_t size = todo < sizeof(buffer) ? todo : sizeof(buffer);
		size_t got = source_read(source, buffer, size);
		if (got == 0) {
			break;
		}
		todo -= got;
	}
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};
	struct source source = {.file = stdin};
	int letter;

	program_init("hexdump",
		     "hexdump [-C] [-v] [-n LENGTH] [-s SKIP] [FILE]...\n"
		     "       (-C: bytes and text; -v: also lines that repeat)",
		     argc, argv);
	while ((letter = option_next(&options, "Cvn:s:")) != 0) {
		canonical |= letter == 'C';
		show_all |= letter == 'v';
		if (letter == 'n') {
			left = number_operand(options.value, ULONG_MAX);
		} else if (letter == 's') {
			skip = number_operand(options.value, ULONG_MAX);
		}
	}
	source.paths = argv + options.index;
	if (options.index == argc || source_next(&source)) {
		skip_bytes(&source);
		dump(&source);
	}
	return program_end();
}
