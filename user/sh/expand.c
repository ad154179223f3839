/*
 * Words to arguments: user/sh/expand.h. While a word is read, an argument is built twice: as the
 * text it stands for and as a pattern, in which quoted characters that mean something to
 * user/sh/glob.h carry a backslash.
 */
#include "user/sh/expand.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/text.h"
#include "user/sh/glob.h"
#include "user/sh/shell.h"
#include "user/sh/variables.h"

struct expansion {
	struct arena *arena;
	bool one_text;        /* no splitting, no patterns */
	struct text argument; /* being built */
	struct text pattern;  /* the same as a pattern */
	bool present;         /* an argument even if it is empty: it had quotes */
	bool wildcard;        /* the pattern has an unquoted '*', '?' or '[' */
	bool failed;
	char **arguments; /* in arena */
	int count, capacity;
};

static void add_argument(void *context, const char *text)
{
	struct expansion *expansion = context;

	if (expansion->count + 1 >= expansion->capacity) {
		size_t size = (size_t)expansion->capacity * sizeof(char *);
		expansion->capacity = expansion->capacity ? 2 * expansion->capacity : 16;
		char **larger =
			arena_alloc(expansion->arena, (size_t)expansion->capacity * sizeof(char *));
		if (size > 0) {
			memcpy(larger, expansion->arguments, size);
		}
		expansion->arguments = larger;
	}
	expansion->arguments[expansion->count++] = arena_copy(expansion->arena, text, strlen(text));
	expansion->arguments[expansion->count] = NULL;
}

/* Ends the argument being built, if there is one; a pattern becomes the files it describes, or
 * stays as it is. */
static void end_argument(struct expansion *expansion)
{
	if (expansion->argument.length > 0 || expansion->present) {
		text_add(&expansion->argument, "", 0);
		if (!expansion->wildcard ||
		    glob_files(expansion->pattern.data, add_argument, expansion) == 0) {
			add_argument(expansion, expansion->argument.data);
		}
	}
	text_clear(&expansion->argument);
	text_clear(&expansion->pattern);
	expansion->present = expansion->wildcard = false;
}

static void add_char(struct expansion *expansion, char c, bool quoted)
{
	bool special = strchr("*?[]\\", c) != NULL;

	text_add_char(&expansion->argument, c);
	if (special && (quoted || c == '\\')) {
		text_add_char(&expansion->pattern, '\\');
	} else if (special && c != ']') {
		expansion->wildcard = !expansion->one_text;
	}
	text_add_char(&expansion->pattern, c);
}

/* A value: inside quotes it stays whole, outside it is split into arguments at its blanks. */
static void add_value(struct expansion *expansion, const char *value, bool quoted)
{
	for (; *value; value++) {
		if (!quoted && !expansion->one_text && strchr(" \t\n", *value)) {
			end_argument(expansion);
		} else {
			add_char(expansion, *value, quoted);
		}
	}
}

static void add_number(struct expansion *expansion, long number, bool quoted)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%ld", number);
	add_value(expansion, digits, quoted);
}

/* $@ and $*: all parameters. "$@" keeps each one an argument of its own; "$*" joins them with
 * blanks. */
static void add_parameters(struct expansion *expansion, bool quoted, bool separate)
{
	for (int i = 0; i < shell.parameter_count; i++) {
		if (i > 0 && separate && !expansion->one_text) {
			end_argument(expansion);
		} else if (i > 0) {
			add_value(expansion, " ", quoted);
		}
		expansion->present |= quoted;
		add_value(expansion, shell.parameters[i], quoted);
	}
}

static void add_positional(struct expansion *expansion, const char *digits, bool quoted)
{
	unsigned long number = strtoul(digits, NULL, 10);

	if (number == 0) {
		add_value(expansion, shell.name, quoted);
	} else if (number <= (unsigned long)shell.parameter_count) {
		add_value(expansion, shell.parameters[number - 1], quoted);
	}
}

static void add_special(struct expansion *expansion, char name, bool quoted)
{
	if (name == '?') {
		add_number(expansion, shell.status, quoted);
	} else if (name == '$') {
		add_number(expansion, shell.pid, quoted);
	} else if (name == '#') {
		add_number(expansion, shell.parameter_count, quoted);
	} else if (name == '!' && shell.background != 0) {
		add_number(expansion, shell.background, quoted);
	} else if (name == '@' || name == '*') {
		add_parameters(expansion, quoted, name == '@' || !quoted);
	}
}

/* Adds the value of the parameter called name[length]; false when this is no name of one. */
static bool add_parameter(struct expansion *expansion, const char *name, size_t length, bool quoted)
{
	char *copy = arena_copy(expansion->arena, name, length);

	if (is_name(copy, length)) {
		const char *value = variable_get(copy);
		add_value(expansion, value ? value : "", quoted);
	} else if (length > 0 && strspn(copy, "0123456789") == length) {
		add_positional(expansion, copy, quoted);
	} else if (length == 1 && strchr("?$#!@*", *copy)) {
		add_special(expansion, *copy, quoted);
	} else {
		return false;
	}
	return true;
}

/* at: behind "${". Returns the place behind '}'. */
static const char *expand_braces(struct expansion *expansion, const char *at, bool quoted)
{
	const char *end = strchr(at, '}');
	size_t length = end ? (size_t)(end - at) : strlen(at);

	if (!end || !add_parameter(expansion, at, length, quoted)) {
		if (!expansion->failed) {
			shell_complain("'${%.*s%s' is not a substitution that this shell knows",
				       (int)length, at, end ? "}" : "");
		}
		expansion->failed = true;
	}
	return at + length + (end ? 1 : 0);
}

/* at: behind '$'. Returns the place behind the name; a '$' without one stands for itself. */
static const char *expand_dollar(struct expansion *expansion, const char *at, bool quoted)
{
	size_t length = 0;

	if (*at == '{') {
		return expand_braces(expansion, at + 1, quoted);
	}
	while (isalnum((unsigned char)at[length]) || at[length] == '_') {
		length++;
	}
	if (isdigit((unsigned char)*at) || length == 0) {
		length = *at != '\0';
	}
	if (length > 0 && add_parameter(expansion, at, length, quoted)) {
		return at + length;
	}
	add_char(expansion, '$', quoted);
	return at;
}

/* at: behind an opening '"'. Returns the place behind the closing one. */
static const char *expand_double_quotes(struct expansion *expansion, const char *at)
{
	/* "$@" alone is no argument at all when there are no parameters. */
	if (strncmp(at, "$@\"", 3) != 0) {
		expansion->present = true;
	}
	while (*at && *at != '"') {
		if (*at == '$') {
			at = expand_dollar(expansion, at + 1, true);
		} else if (at[0] == '\\' && at[1] == '\n') {
			at += 2;
		} else {
			at += at[0] == '\\' && at[1] != '\0' && strchr("$`\"\\", at[1]) != NULL;
			add_char(expansion, *at++, true);
		}
	}
	return *at ? at + 1 : at;
}

/* at: behind an opening single quote. Returns the place behind the closing one. */
static const char *expand_single_quotes(struct expansion *expansion, const char *at)
{
	expansion->present = true;
	while (*at && *at != '\'') {
		add_char(expansion, *at++, true);
	}
	return *at ? at + 1 : at;
}

/* ~ or ~/ at the start of a word: the home directory. */
static const char *expand_tilde(struct expansion *expansion, const char *word)
{
	const char *home = variable_get("HOME");

	if (word[0] != '~' || (word[1] != '\0' && word[1] != '/') || !home) {
		return word;
	}
	add_value(expansion, home, true);
	return word + 1;
}

static void expand(struct expansion *expansion, const char *word)
{
	const char *at = expand_tilde(expansion, word);

	while (*at) {
		if (*at == '\'') {
			at = expand_single_quotes(expansion, at + 1);
		} else if (*at == '"') {
			at = expand_double_quotes(expansion, at + 1);
		} else if (*at == '$') {
			at = expand_dollar(expansion, at + 1, false);
		} else if (at[0] == '\\' && at[1] == '\n') {
			at += 2;
		} else if (at[0] == '\\' && at[1] != '\0') {
			add_char(expansion, at[1], true);
			at += 2;
		} else {
			add_char(expansion, *at++, false);
		}
	}
}

static void free_expansion(struct expansion *expansion)
{
	text_free(&expansion->argument);
	text_free(&expansion->pattern);
}

char **expand_words(struct arena *arena, const struct word *words, int *count)
{
	struct expansion expansion = {.arena = arena};

	expansion.arguments = arena_alloc(arena, sizeof(char *));
	for (const struct word *word = words; word; word = word->next) {
		expand(&expansion, word->text);
		end_argument(&expansion);
	}
	free_expansion(&expansion);
	*count = expansion.count;
	return expansion.failed ? NULL : expansion.arguments;
}

char *expand_word(struct arena *arena, const char *word)
{
	struct expansion expansion = {.arena = arena, .one_text = true};

	expand(&expansion, word);
	char *text = arena_copy(arena, expansion.argument.data ? expansion.argument.data : "",
				expansion.argument.length);
	free_expansion(&expansion);
	return expansion.failed ? NULL : text;
}
