/* echo: prints its operands, separated by blanks. */
#include <stdio.h>
#include <string.h>

#include "user/lib/program.h"

int main(int argc, char **argv)
{
	int first = 1;

	program_init("echo", "echo [-n] [TEXT]...   (-n: no newline at the end)", argc, argv);
	if (argc > 1 && strcmp(argv[1], "-n") == 0) {
		first = 2;
	}
	for (int i = first; i < argc; i++) {
		if (i > first) {
			putchar(' ');
		}
		fputs(argv[i], stdout);
	}
	if (first == 1) {
		putchar('\n');
	}
	return program_end();
}
