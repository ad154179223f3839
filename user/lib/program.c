/* Names, messages, options and statuses of the bundled programs: user/lib/program.h. */
#include "user/lib/program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of_program = "program";
static const char *usage_of_program = "";
static bool failed;

void program_init(const char *name, const char *usage, int argc, char **argv)
{
	name_of_program = name;
	usage_of_program = usage;
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		printf("usage: %s\n", usage);
		exit(program_end());
	}
}

const char *program_name(void)
{
	return name_of_program;
}

/* Standard output first, so that what the program printed before an error also comes before it on a
 * terminal. */
static void print_message(const char *format, va_list arguments)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", name_of_program);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	failed = true;
}

void complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
}

void complain_errno(const char *thing)
{
	complain("%s: %s", thing, strerror(errno));
}

void die(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
	exit(status);
}

void usage_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
	fprintf(stderr, "usage: %s\n", usage_of_program);
	exit(EXIT_USAGE);
}

int program_end(void)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		complain_errno("standard output");
	}
	return failed ? 1 : 0;
}

/* Moves to the next word of options; false when the operands begin. */
static bool next_option_word(struct options *options)
{
	const char *word = options->argv[options->index];

	if (!word || word[0] != '-' || word[1] == '\0') {
		return false;
	}
	options->index++;
	if (strcmp(word, "--") == 0) {
		return false;
	}
	options->rest = word + 1;
	return true;
}

int option_next(struct options *options, const char *spec)
{
	if ((!options->rest || !*options->rest) && !next_option_word(options)) {
		return 0;
	}
	int letter = (unsigned char)*options->rest++;
	const char *known = strchr(spec, letter);
	if (!known || letter == ':') {
		usage_error("unknown option -%s", options->rest - 1);
	}
	if (known[1] != ':') {
		return letter;
	}
	options->value = *options->rest ? options->rest : options->argv[options->index++];
	options->rest = NULL;
	if (!options->value) {
		usage_error("option -%c needs a value", letter);
	}
	return letter;
}

unsigned long number_operand(const char *text, unsigned long max)
{
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 0);
	if (end == text || *end != '\0' || *text == '-' || errno != 0 || number > max) {
		usage_error("'%s' is not a number from 0 to %lu", text, max);
	}
	return number;
}

void *allocate(size_t count, size_t size)
{
	return reallocate(NULL, count, size);
}

void *reallocate(void *old, size_t count, size_t size)
{
	if (count == 0 || size == 0) {
		count = size = 1;
	}
	void *memory = count <= SIZE_MAX / size ? realloc(old, count * size) : NULL;
	if (!memory) {
		die(1, "out of memory");
	}
	return memory;
}
