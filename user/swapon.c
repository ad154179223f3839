/* swapon: lets the kernel swap to devices; without any, says to which it does. */
#include <stdio.h>
#include <sys/swap.h>

#include "user/lib/procfs.h"
#include "user/lib/program.h"

static void print_swaps(void)
{
	struct text swaps = {0};

	if (!proc_read(0, "swaps", &swaps)) {
		complain_errno("/proc/swaps");
	} else {
		fputs(swaps.data, stdout);
	}
	text_free(&swaps);
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};
	int flags = 0, letter;

	program_init("swapon", "swapon [-p PRIORITY] DEVICE...\nswapon [-s]", argc, argv);
	while ((letter = option_next(&options, "p:s")) != 0) {
		if (letter == 'p') {
			flags = SWAP_FLAG_PREFER |
				(int)number_operand(options.value, SWAP_FLAG_PRIO_MASK);
		}
	}
	if (options.index == argc) {
		print_swaps();
	}
	for (int i = options.index; i < argc; i++) {
		if (swapon(argv[i], flags) < 0) {
			complain_errno(argv[i]);
		}
	}
	return program_end();
}
