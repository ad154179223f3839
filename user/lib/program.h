/*
 * What every bundled program does alike: its name before each error message, --help, options, exit
 * statuses.
 *
 * Statuses: 0 success, 1 something failed, 2 the program was called wrongly. Errors go to stderr as
 * one line "NAME: what is wrong"; a program that can go on with its next operand does so and fails
 * at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define EXIT_USAGE 2

/*
 * First call of main(). name: for messages; usage: one or more lines without the last newline,
 * printed for --help (which ends the program) and named by usage_error(). Both must live as long as
 * the program.
 */
void program_init(const char *name, const char *usage, int argc, char **argv);

const char *program_name(void);

/* Prints "NAME: text" to stderr; marks the program as failed for program_end(). */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As complain(), of a thing and what errno says about it: "NAME: thing: No such file or directory".
 */
void complain_errno(const char *thing);

/* complain() and exit(status). */
_Noreturn void die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* complain() with a pointer to --help, and exit(EXIT_USAGE). */
_Noreturn void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The status to return from main(): 1 after any complaint or when standard output could not be
 * written, else 0. Flushes standard output.
 */
int program_end(void);

/* A scan over the options of a command line; start with .argv = argv, .index = 1, the rest zero. */
struct options {
	char **argv;
	int index;        /* after the scan: of the first operand */
	const char *rest; /* letters still to come of a word such as -la */
	const char *value;
};

/*
 * The next option letter, or 0 when the operands begin. spec: the letters allowed, a ':' after each
 * that takes a value (then in options->value). Scanning stops at the first operand, "-", or after
 * "--". Others: usage_error().
 */
int option_next(struct options *options, const char *spec);

/* A decimal, octal (0...) or hexadecimal (0x...) number; anything else, or more than max:
 * usage_error(). */
unsigned long number_operand(const char *text, unsigned long max);

/* As malloc() and realloc() of count * size bytes; the program dies when there is no memory. */
void *allocate(size_t count, size_t size);
void *reallocate(void *old, size_t count, size_t size);
