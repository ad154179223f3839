/* wc: counts lines, words and bytes. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/lib/program.h"

struct counts {
	unsigned long lines, words, bytes;
};

static bool want_lines, want_words, want_bytes;

static void print_counts(const struct counts *counts, const char *name)
{
	const char *before = "";

	if (want_lines) {
		printf("%7lu", counts->lines);
		before = " ";
	}
	if (want_words) {
		printf("%s%7lu", before, counts->words);
		before = " ";
	}
	if (want_bytes) {
		printf("%s%7lu", before, counts->bytes);
	}
	printf("%s%s\n", name ? " " : "", name ? name : "");
}

static void count_bytes(const char *data, size_t length, bool *in_word, struct counts *counts)
{
	counts->bytes += length;
	for (size_t i = 0; i < length; i++) {
		bool space = isspace((unsigned char)data[i]);
		counts->lines += data[i] == '\n';
		counts->words += *in_word == false && !space;
		*in_word = !space;
	}
}

/* Counts fd to its end and adds that to total. */
static void count_fd(int fd, const char *name, struct counts *total)
{
	static char buffer[65536];
	struct counts counts = {0};
	bool in_word = false;
	ssize_t got;

	while ((got = read(fd, buffer, sizeof(buffer))) != 0) {
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			complain_errno(name ? name : "standard input");
			break;
		}
		count_bytes(buffer, (size_t)got, &in_word, &counts);
	}
	print_counts(&counts, name);
	total->lines += counts.lines;
	total->words += counts.words;
	total->bytes += counts.bytes;
}

static void count_file(const char *path, struct counts *total)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY);

	if (fd < 0) {
		complain_errno(path);
		return;
	}
	count_fd(fd, path, total);
	if (fd != STDIN_FILENO) {
		close(fd);
	}
}

static void read_options(struct options *options)
{
	int letter;

	while ((letter = option_next(options, "lwc")) != 0) {
		want_lines |= letter == 'l';
		want_words |= letter == 'w';
		want_bytes |= letter == 'c';
	}
	if (!want_lines && !want_words && !want_bytes) {
		want_lines = want_words = want_bytes = true;
	}
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};
	struct counts total = {0};

	program_init("wc", "wc [-lwc] [FILE]...   (lines, words, bytes)", argc, argv);
	read_options(&options);
	if (options.index == argc) {
		count_fd(STDIN_FILENO, NULL, &total);
	}
	for (int i = options.index; i < argc; i++) {
		count_file(argv[i], &total);
	}
	if (argc - options.index > 1) {
		print_counts(&total, "total");
	}
	return program_end();
}
