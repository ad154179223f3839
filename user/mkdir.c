/* mkdir: makes directories. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/lib/program.h"

static bool is_directory(const char *path)
{
	struct stat stat_buffer;

	return stat(path, &stat_buffer) == 0 && S_ISDIR(stat_buffer.st_mode);
}

/* Makes all directories of path that are not there; path is changed meanwhile, but as it was at the
 * end. */
static bool make_path(char *path, mode_t mode)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		bool made = mkdir(path, 0777) == 0 || is_directory(path);
		*slash = '/';
		if (!made) {
			return false;
		}
	}
	return mkdir(path, mode) == 0 || is_directory(path);
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};
	bool parents = false;
	mode_t mode = 0777;
	int letter;

	program_init("mkdir", "mkdir [-p] [-m MODE] DIRECTORY...   (-p: also those above it)", argc,
		     argv);
	while ((letter = option_next(&options, "pm:")) != 0) {
		parents |= letter == 'p';
		if (letter == 'm') {
			char *end;
			mode = (mode_t)strtoul(options.value, &end, 8);
			if (*options.value == '\0' || *end != '\0' || mode > 07777) {
				usage_error("'%s' is not an octal mode", options.value);
			}
		}
	}
	if (options.index == argc) {
		usage_error("no directory given");
	}
	for (int i = options.index; i < argc; i++) {
		if (parents ? !make_path(argv[i], mode) : mkdir(argv[i], mode) != 0) {
			complain_errno(argv[i]);
		}
	}
	return program_end();
}
