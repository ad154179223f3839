/* cp: copies files, with their permissions, to a file or into a directory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/copy.h"
#include "user/lib/program.h"
#include "user/lib/text.h"

/* True when both are the same file, which opening for writing would empty before it was read. */
static bool same_file(const struct stat *from, const char *to)
{
	struct stat other;

	return stat(to, &other) == 0 && other.st_dev == from->st_dev &&
	       other.st_ino == from->st_ino;
}

static void copy_open_file(int in, const char *from, const char *to)
{
	struct stat stat_buffer;

	if (fstat(in, &stat_buffer) != 0) {
		complain_errno(from);
		return;
	}
	if (S_ISDIR(stat_buffer.st_mode)) {
		complain("%s: is a directory, not copied", from);
		return;
	}
	if (same_file(&stat_buffer, to)) {
		complain("'%s' and '%s' are the same file", from, to);
		return;
	}
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, stat_buffer.st_mode & 0777);
	if (out < 0) {
		complain_errno(to);
		return;
	}
	copy_fd(in, from, out, to);
	if (close(out) != 0) {
		complain_errno(to);
	}
}

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY);

	if (in < 0) {
		complain_errno(from);
		return;
	}
	copy_open_file(in, from, to);
	close(in);
}

static void copy_into(const char *from, const char *directory)
{
	const char *slash = strrchr(from, '/'), *name = slash ? slash + 1 : from;
	struct text to = {0};

	text_add(&to, directory, strlen(directory));
	text_add_char(&to, '/');
	text_add(&to, name, strlen(name));
	copy_file(from, to.data);
	text_free(&to);
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};
	struct stat stat_buffer;

	program_init("cp", "cp FILE TARGET\n       cp FILE... DIRECTORY", argc, argv);
	option_next(&options, "");
	if (argc - options.index < 2) {
		usage_error("need a file and a target");
	}
	const char *target = argv[argc - 1];
	bool into = stat(target, &stat_buffer) == 0 && S_ISDIR(stat_buffer.st_mode);
	if (!into && argc - options.index > 2) {
		usage_error("'%s' is not a directory", target);
	}
	for (int i = options.index; i < argc - 1; i++) {
		if (into) {
			copy_into(argv[i], target);
		} else {
			copy_file(argv[i], target);
		}
	}
	return program_end();
}
