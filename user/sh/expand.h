/* From words as they were written to the arguments of a command: variables, quotes, file name
 * patterns, in one pass. */
#pragma once

#include "user/sh/arena.h"
#include "user/sh/syntax.h"

/*
 * The arguments that words stand for, NULL-terminated, in arena; *count is their number. NULL after
 * a bad substitution, which has been reported.
 */
char **expand_words(struct arena *arena, const struct word *words, int *count);

/* One word as one text, blanks kept and patterns not looked up, as assignments and redirections
 * want it; or NULL. */
char *expand_word(struct arena *arena, const char *word);
