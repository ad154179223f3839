/* kill: sends a signal to processes, or to process groups (negative ids). */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/program.h"
#include "user/lib/signals.h"

static const char usage[] = "kill [-SIGNAL | -s SIGNAL | -n NUMBER] PID...\n"
			    "       kill -l [SIGNAL]...   (list names; -PID, after --, is a group)";

static void list_signals(void)
{
	for (int i = 1; i < signal_limit(); i++) {
		if (signal_name(i)) {
			printf("%2d %s\n", i, signal_name(i));
		}
	}
}

/* A name for a number and the other way round; also the number that the shell shows for a death by
 * signal. */
static void translate_signal(const char *text)
{
	int number = signal_parse(text);

	if (number < 0 && isdigit((unsigned char)*text)) {
		number = (int)(strtol(text, NULL, 10) - 128);
	}
	if (number <= 0 || !signal_name(number)) {
		complain("'%s' is not a signal", text);
	} else if (isdigit((unsigned char)*text)) {
		printf("%s\n", signal_name(number));
	} else {
		printf("%d\n", number);
	}
}

static void send_signal(const char *operand, int signal)
{
	char *end;
	long pid = strtol(operand, &end, 10);

	if (end == operand || *end != '\0') {
		complain("'%s' is not a process id", operand);
	} else if (kill((pid_t)pid, signal) != 0) {
		complain_errno(operand);
	}
}

static int signal_operand(const char *text)
{
	int signal = text ? signal_parse(text) : -1;

	if (signal < 0) {
		usage_error("'%s' is not a signal", text ? text : "");
	}
	return signal;
}

/* Reads -SIGNAL, -s SIGNAL and --, moving *index to the first operand. */
static int read_signal(char **argv, int *index)
{
	int signal = SIGTERM;
	const char *word = argv[*index];

	if (word && word[0] == '-' && word[1] != '\0' && strcmp(word, "--") != 0) {
		bool separate = strcmp(word, "-s") == 0 || strcmp(word, "-n") == 0;
		signal = signal_operand(separate ? argv[*index + 1] : word + 1);
		*index += separate ? 2 : 1;
	}
	if (argv[*index] && strcmp(argv[*index], "--") == 0) {
		(*index)++;
	}
	return signal;
}

int main(int argc, char **argv)
{
	int first = 1;

	program_init("kill", usage, argc, argv);
	if (argc > 1 && strcmp(argv[1], "-l") == 0) {
		for (int i = 2; i < argc; i++) {
			translate_signal(argv[i]);
		}
		if (argc == 2) {
			list_signals();
		}
		return program_end();
	}
	int signal = read_signal(argv, &first);
	if (first >= argc) {
		usage_error("no process id given");
	}
	for (int i = first; i < argc; i++) {
		send_signal(argv[i], signal);
	}
	return program_end();
}
