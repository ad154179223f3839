/* cat: copies files, or standard input, to standard output. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "user/lib/copy.h"
#include "user/lib/program.h"

static void cat_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		complain_errno(path);
		return;
	}
	copy_fd(fd, path, STDOUT_FILENO, "standard output");
	close(fd);
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};

	program_init("cat", "cat [-u] [FILE]...   (- or no FILE: standard input)", argc, argv);
	while (option_next(&options, "u") != 0) {
		/* -u, unbuffered, is how it always is */
	}
	if (options.index == argc) {
		copy_fd(STDIN_FILENO, "standard input", STDOUT_FILENO, "standard output");
	}
	for (int i = options.index; i < argc; i++) {
		if (strcmp(argv[i], "-") == 0) {
			copy_fd(STDIN_FILENO, "standard input", STDOUT_FILENO, "standard output");
		} else {
			cat_file(argv[i]);
		}
	}
	return program_end();
}
