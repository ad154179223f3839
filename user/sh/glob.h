/* File names from patterns: '*' any characters, '?' one, [a-z] one of these, [!a-z] none, \c just
 * c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True if the pattern describes the whole of name. */
bool glob_match(const char *pattern, const char *name);

/*
 * Calls found for the path of each file that pattern describes, '/' parting directories, sorted;
 * returns how many. A '.' at the start of a name has to be written.
 */
size_t glob_files(const char *pattern, void (*found)(void *context, const char *path),
		  void *context);
