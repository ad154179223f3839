/* ls: lists directories, and files named as operands; sorted by name. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/program.h"
#include "user/lib/text.h"

#define SCREEN_WIDTH 80

struct entry {
	char *name; /* as shown; owned */
	char *path; /* to look it up; owned */
	struct stat stat;
	bool have_stat;
};

struct list {
	struct entry *entries;
	size_t count, capacity;
};

static bool want_long, want_hidden, want_single, want_directory;

static char *copy_text(const char *text)
{
	return strcpy(allocate(strlen(text) + 1, 1), text);
}

/* Takes over name and path. */
static struct entry *list_add(struct list *list, char *name, char *path)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 32;
		list->entries = reallocate(list->entries, list->capacity, sizeof(*list->entries));
	}
	struct entry *entry = &list->entries[list->count++];
	*entry = (struct entry) {.name = name, .path = path};
	return entry;
}

static void list_free(struct list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->entries[i].name);
		free(list->entries[i].path);
	}
	free(list->entries);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void list_sort(struct list *list)
{
	if (list->count > 1) {
		qsort(list->entries, list->count, sizeof(*list->entries), compare_names);
	}
}

static char type_letter(mode_t mode)
{
	return S_ISDIR(mode)    ? 'd'
	       : S_ISLNK(mode)  ? 'l'
	       : S_ISCHR(mode)  ? 'c'
	       : S_ISBLK(mode)  ? 'b'
	       : S_ISFIFO(mode) ? 'p'
	       : S_ISREG(mode)  ? '-'
				: 's';
}

/* "drwxr-xr-x": letters[11]. */
static void mode_letters(mode_t mode, char *letters)
{
	static const char all[] = "rwxrwxrwx";

	letters[0] = type_letter(mode);
	for (int i = 0; i < 9; i++) {
		letters[1 + i] = (char)(mode >> (8 - i) & 1 ? all[i] : '-');
	}
	if (mode & S_ISUID) {
		letters[3] = mode & S_IXUSR ? 's' : 'S';
	}
	if (mode & S_ISGID) {
		letters[6] = mode & S_IXGRP ? 's' : 'S';
	}
	if (mode & S_ISVTX) {
		letters[9] = mode & S_IXOTH ? 't' : 'T';
	}
	letters[10] = '\0';
}

/* The size, or a device's major and minor numbers (Linux's encoding: major in bits 8 to 19). */
static void print_size(const struct stat *stat)
{
	if (S_ISCHR(stat->st_mode) || S_ISBLK(stat->st_mode)) {
		unsigned long device = (unsigned long)stat->st_rdev;
		printf(" %4lu, %4lu", device >> 8 & 0xfff,
		       (device & 0xff) | (device >> 12 & 0xfff00));
	} else {
		printf(" %10lu", (unsigned long)stat->st_size);
	}
}

static void print_link_target(const char *path)
{
	char target[1024];
	ssize_t length = readlink(path, target, sizeof(target));

	if (length >= 0) {
		printf(" -> %.*s", (int)length, target);
	}
}

static void print_long(const struct entry *entry)
{
	char letters[11], when[24];
	const struct stat *stat = &entry->stat;
	time_t modified = stat->st_mtime;

	mode_letters(stat->st_mode, letters);
	printf("%s %3lu %4lu %4lu", letters, (unsigned long)stat->st_nlink,
	       (unsigned long)stat->st_uid, (unsigned long)stat->st_gid);
	print_size(stat);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M", gmtime(&modified));
	printf(" %s %s", when, entry->name);
	if (S_ISLNK(stat->st_mode)) {
		print_link_target(entry->path);
	}
	putchar('\n');
}

/* Down the columns, as many as fit on a screen line. */
static void print_columns(const struct list *list)
{
	size_t width = 0;

	for (size_t i = 0; i < list->count; i++) {
		size_t length = strlen(list->entries[i].name) + 2;
		width = length > width ? length : width;
	}
	size_t columns = width > 0 && width < SCREEN_WIDTH ? SCREEN_WIDTH / width : 1;
	size_t rows = (list->count + columns - 1) / columns;
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < list->count; i += rows) {
			bool last = i + rows >= list->count;
			printf("%-*s", last ? 0 : (int)width, list->entries[i].name);
		}
		putchar('\n');
	}
}

static void print_list(const struct list *list)
{
	if (!want_long && !want_single && isatty(STDOUT_FILENO)) {
		print_columns(list);
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		if (!want_long) {
			puts(list->entries[i].name);
		} else if (list->entries[i].have_stat) {
			print_long(&list->entries[i]);
		}
	}
}

static char *join_path(const char *directory, const char *name)
{
	struct text path = {0};

	text_add(&path, directory, strlen(directory));
	if (path.data[path.length - 1] != '/') {
		text_add_char(&path, '/');
	}
	text_add(&path, name, strlen(name));
	return path.data;
}

static void read_directory(DIR *directory, const char *path, struct list *list)
{
	const struct dirent *dirent;

	errno = 0;
	while ((dirent = readdir(directory)) != NULL) {
		if (dirent->d_name[0] == '.' && !want_hidden) {
			continue;
		}
		struct entry *entry =
			list_add(list, copy_text(dirent->d_name), join_path(path, dirent->d_name));
		if (want_long) {
			entry->have_stat = lstat(entry->path, &entry->stat) == 0;
			if (!entry->have_stat) {
				complain_errno(entry->path);
			}
		}
		errno = 0;
	}
	if (errno != 0) {
		complain_errno(path);
	}
}

static void list_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct list list = {0};

	if (!directory) {
		complain_errno(path);
		return;
	}
	read_directory(directory, path, &list);
	closedir(directory);
	list_sort(&list);
	print_list(&list);
	list_free(&list);
}

/* Sorts an operand into the files, which are shown first, or the directories, whose contents
 * follow. */
static void add_operand(const char *path, struct list *files, struct list *directories)
{
	struct stat stat_buffer;
	bool found = want_long ? lstat(path, &stat_buffer) == 0
			       : stat(path, &stat_buffer) == 0 || lstat(path, &stat_buffer) == 0;

	if (!found) {
		complain_errno(*path ? path : "''");
		return;
	}
	bool inside = S_ISDIR(stat_buffer.st_mode) && !want_directory;
	struct entry *entry =
		list_add(inside ? directories : files, copy_text(path), copy_text(path));
	entry->stat = stat_buffer;
	entry->have_stat = true;
}

static void read_options(struct options *options)
{
	int letter;

	while ((letter = option_next(options, "la1d")) != 0) {
		want_long |= letter == 'l';
		want_hidden |= letter == 'a';
		want_single |= letter == '1';
		want_directory |= letter == 'd';
	}
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};
	struct list files = {0}, directories = {0};

	program_init("ls",
		     "ls [-la1d] [NAME]...   (-l: long, -a: hidden too, -1: one a line,\n"
		     "                           -d: directories themselves)",
		     argc, argv);
	read_options(&options);
	if (options.index == argc) {
		add_operand(".", &files, &directories);
	}
	for (int i = options.index; i < argc; i++) {
		add_operand(argv[i], &files, &directories);
	}
	list_sort(&files);
	list_sort(&directories);
	print_list(&files);
	for (size_t i = 0; i < directories.count; i++) {
		if (argc - options.index > 1) {
			printf("%s%s:\n", i > 0 || files.count > 0 ? "\n" : "",
			       directories.entries[i].name);
		}
		list_directory(directories.entries[i].path);
	}
	list_free(&files);
	list_free(&directories);
	return program_end();
}
