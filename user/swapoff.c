/* swapoff: brings back what was swapped to devices, and swaps to them no more. */
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>

#include "user/lib/procfs.h"
#include "user/lib/program.h"

static void leave(const char *path)
{
	if (swapoff(path) < 0) {
		complain_errno(path);
	}
}

/* Each line of /proc/swaps but the first begins with a path. */
static void leave_all(void)
{
	struct text swaps = {0};

	if (!proc_read(0, "swaps", &swaps)) {
		complain_errno("/proc/swaps");
		return;
	}
	for (char *line = strchr(swaps.data, '\n'); line && line[1]; line = strchr(line, '\n')) {
		char *path = line + 1, *end = path + strcspn(path, " \t");

		line = end + 1;
		*end = '\0';
		leave(path);
	}
	text_free(&swaps);
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};
	bool all = false;

	program_init("swapoff", "swapoff DEVICE...\nswapoff -a   (all there are)", argc, argv);
	while (option_next(&options, "a") != 0) {
		all = true;
	}
	if (all != (options.index == argc)) {
		usage_error("%s", all ? "-a takes no devices" : "no device given");
	}
	if (all) {
		leave_all();
	}
	for (int i = options.index; i < argc; i++) {
		leave(argv[i]);
	}
	return program_end();
}
