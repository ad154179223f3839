/* File names from patterns: user/sh/glob.h. */
#include "user/sh/glob.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/lib/program.h"
#include "user/lib/text.h"

/* The ']' that ends a set whose '[' is at pattern, or NULL: then '[' stands for itself. */
static const char *set_end(const char *pattern)
{
	const char *at = pattern + 1;

	at += *at == '!' || *at == '^';
	at += *at == ']';
	return strchr(at, ']');
}

static bool set_match(const char *pattern, const char *end, char c)
{
	const char *at = pattern + 1;
	bool inverted = *at == '!' || *at == '^', matched = false;

	at += inverted;
	while (at < end) {
		unsigned char first = (unsigned char)*at, last = first;
		if (at[1] == '-' && at + 2 < end) {
			last = (unsigned char)at[2];
			at += 2;
		}
		matched |= (unsigned char)c >= first && (unsigned char)c <= last;
		at++;
	}
	return matched != inverted;
}

/* Matches one character and moves *pattern past what described it; not for '*' or the end of the
 * pattern. */
static bool match_one(const char **pattern, char c)
{
	const char *at = *pattern, *end = *at == '[' ? set_end(at) : NULL;

	if (end) {
		*pattern = end + 1;
		return set_match(at, end, c);
	}
	if (*at == '\\' && at[1] != '\0') {
		*pattern = at + 2;
		return at[1] == c;
	}
	*pattern = at + 1;
	return *at == '?' || *at == c;
}

/* After a mismatch, the last '*' takes one character more; earlier ones need no second look. */
bool glob_match(const char *pattern, const char *name)
{
	const char *star = NULL, *retry = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (*pattern && match_one(&pattern, *name)) {
			name++;
		} else if (star) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*') {
		pattern++;
	}
	return *pattern == '\0';
}

struct paths {
	char **list;
	size_t count, capacity;
};

static void add_path(struct paths *paths, const char *path)
{
	if (paths->count == paths->capacity) {
		paths->capacity = paths->capacity ? 2 * paths->capacity : 16;
		paths->list = reallocate(paths->list, paths->capacity, sizeof(*paths->list));
	}
	char *copy = allocate(strlen(path) + 1, 1);
	paths->list[paths->count++] = strcpy(copy, path);
}

static void descend(struct paths *paths, struct text *path, const char *pattern);

/* Goes on below path/name, name being what the first length characters of pattern stand for. */
static void descend_into(struct paths *paths, struct text *path, const char *name,
			 const char *pattern, size_t length)
{
	size_t before = path->length;
	struct stat stat_buffer;

	text_add(path, name, strlen(name));
	if (pattern[length] == '/') {
		descend(paths, path, pattern + length);
	} else if (lstat(path->data, &stat_buffer) == 0) {
		add_path(paths, path->data);
	}
	path->length = before;
	path->data[before] = '\0';
}

/* Tries every name in the directory at path against the first length characters of pattern. */
static void search_directory(struct paths *paths, struct text *path, const char *pattern,
			     size_t length)
{
	DIR *directory = opendir(path->length > 0 ? path->data : ".");
	const struct dirent *entry;
	struct text segment = {0};

	if (!directory) {
		return;
	}
	text_add(&segment, pattern, length);
	while ((entry = readdir(directory)) != NULL) {
		bool hidden = entry->d_name[0] == '.' && *pattern != '.';
		if (!hidden && glob_match(segment.data, entry->d_name)) {
			descend_into(paths, path, entry->d_name, pattern, length);
		}
	}
	text_free(&segment);
	closedir(directory);
}

/* Adds to paths what pattern describes below path, which is empty or ends where pattern begins. */
static void descend(struct paths *paths, struct text *path, const char *pattern)
{
	size_t slashes = strspn(pattern, "/");

	text_add(path, pattern, slashes);
	pattern += slashes;
	size_t length = strcspn(pattern, "/");
	if (memchr(pattern, '*', length) || memchr(pattern, '?', length) ||
	    memchr(pattern, '[', length)) {
		search_directory(paths, path, pattern, length);
		return;
	}
	struct text plain = {0};
	text_add(&plain, "", 0);
	for (size_t i = 0; i < length; i++) {
		i += pattern[i] == '\\' && i + 1 < length;
		text_add_char(&plain, pattern[i]);
	}
	descend_into(paths, path, plain.data, pattern, length);
	text_free(&plain);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t glob_files(const char *pattern, void (*found)(void *context, const char *path),
		  void *context)
{
	struct paths paths = {0};
	struct text path = {0};

	descend(&paths, &path, pattern);
	text_free(&path);
	if (paths.count > 1) {
		qsort(paths.list, paths.count, sizeof(*paths.list), compare_paths);
	}
	for (size_t i = 0; i < paths.count; i++) {
		found(context, paths.list[i]);
		free(paths.list[i]);
	}
	free(paths.list);
	return paths.count;
}
