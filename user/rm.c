/* rm: removes names of files, and with -r of directories and all that is in them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/program.h"
#include "user/lib/text.h"

static bool recursive, force;

static void remove_path(const char *path);

/* Removes what is in the directory at path. All names are read first: removing while reading may
 * skip some. */
static void empty_directory(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	if (!directory) {
		complain_errno(path);
		return;
	}
	struct text names = {0};
	while ((entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			text_add(&names, entry->d_name, strlen(entry->d_name) + 1);
		}
	}
	closedir(directory);
	struct text inside = {0};
	for (size_t at = 0; at < names.length; at += strlen(names.data + at) + 1) {
		text_clear(&inside);
		text_add(&inside, path, strlen(path));
		text_add_char(&inside, '/');
		text_add(&inside, names.data + at, strlen(names.data + at));
		remove_path(inside.data);
	}
	text_free(&inside);
	text_free(&names);
}

static void remove_path(const char *path)
{
	struct stat stat_buffer;

	if (lstat(path, &stat_buffer) != 0) {
		if (!force || errno != ENOENT) {
			complain_errno(path);
		}
		return;
	}
	if (!S_ISDIR(stat_buffer.st_mode)) {
		if (unlink(path) != 0) {
			complain_errno(path);
		}
		return;
	}
	if (!recursive) {
		complain("%s: is a directory (-r removes it)", path);
		return;
	}
	empty_directory(path);
	if (rmdir(path) != 0) {
		complain_errno(path);
	}
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};
	int letter;

	program_init("rm",
		     "rm [-rf] NAME...   (-r: directories too; -f: missing names are no error)",
		     argc, argv);
	while ((letter = option_next(&options, "rRf")) != 0) {
		recursive |= letter != 'f';
		force |= letter == 'f';
	}
	if (options.index == argc && !force) {
		usage_error("no name given");
	}
	for (int i = options.index; i < argc; i++) {
		remove_path(argv[i]);
	}
	return program_end();
}
