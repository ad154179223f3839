/* The tokens of a command line: user/sh/lexer.h. */
#include "user/sh/lexer.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct operator_entry {
	const char *text;
	enum token_kind kind;
};

/* The longer ones first. */
static const struct operator_entry operators[] = {
	{"&&", TOKEN_AND},      {"||", TOKEN_OR},  {"&", TOKEN_AMPERSAND}, {"|", TOKEN_PIPE},
	{";", TOKEN_SEMICOLON}, {"(", TOKEN_OPEN}, {")", TOKEN_CLOSE},     {"\n", TOKEN_NEWLINE},
};

struct redirect_entry {
	const char *text;
	enum redirect_kind kind;
	int fd; /* when none is written */
};

static const struct redirect_entry redirects[] = {
	{">>", REDIRECT_APPEND, 1},    {">&", REDIRECT_DUPLICATE, 1},
	{"<&", REDIRECT_DUPLICATE, 0}, {"<>", REDIRECT_READ_WRITE, 0},
	{"<", REDIRECT_READ, 0},       {">|", REDIRECT_WRITE, 1},
	{">", REDIRECT_WRITE, 1},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void lexer_fail(struct lexer *lexer, const char *format, ...)
{
	if (lexer->status == PARSE_DONE) {
		char sentence[256];
		va_list arguments;
		va_start(arguments, format);
		vsnprintf(sentence, sizeof(sentence), format, arguments);
		va_end(arguments);
		lexer->error = arena_copy(lexer->arena, sentence, strlen(sentence));
		lexer->status = PARSE_WRONG;
	}
	lexer->token = (struct token) {.kind = TOKEN_END, .start = lexer->at};
}

void lexer_need_more(struct lexer *lexer)
{
	if (lexer->status == PARSE_DONE) {
		lexer->status = PARSE_INCOMPLETE;
	}
	lexer->token = (struct token) {.kind = TOKEN_END, .start = lexer->at};
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Blanks, comments, and lines continued by a backslash at their end. */
static void skip_blanks(struct lexer *lexer)
{
	for (;;) {
		lexer->at += strspn(lexer->at, " \t\r");
		if (starts_with(lexer->at, "\\\n")) {
			lexer->at += 2;
			if (*lexer->at == '\0') {
				lexer_need_more(lexer);
			}
		} else if (*lexer->at == '#') {
			lexer->at += strcspn(lexer->at, "\n");
		} else {
			return;
		}
	}
}

/* What this shell does not do is refused when it is read, not when half of the line has run. */
static bool refuse_substitution(struct lexer *lexer, const char *at)
{
	if (*at == '`' || starts_with(at, "$(")) {
		lexer_fail(lexer, "command substitution is not supported (busybox sh has it)");
		return true;
	}
	return false;
}

/* at: behind an opening quote. Returns the place behind the closing one, or NULL. */
static const char *skip_quoted(struct lexer *lexer, const char *at, char quote)
{
	while (*at != quote) {
		if (*at == '\\' && quote == '"' && at[1] != '\0') {
			at++;
		} else if (quote == '"' && refuse_substitution(lexer, at)) {
			return NULL;
		}
		if (*at == '\0') {
			lexer_need_more(lexer);
			return NULL;
		}
		at++;
	}
	return at + 1;
}

/* One step through a word: a quoted part, an escaped character, or any other one. NULL when
 * something is wrong. */
static const char *skip_part(struct lexer *lexer, const char *at)
{
	if (*at == '\'' || *at == '"') {
		return skip_quoted(lexer, at + 1, *at);
	}
	if (refuse_substitution(lexer, at)) {
		return NULL;
	}
	if (*at == '\\') {
		if (at[1] == '\0' || (at[1] == '\n' && at[2] == '\0')) {
			lexer_need_more(lexer);
			return NULL;
		}
		return at + 2;
	}
	return at + 1;
}

static void read_word(struct lexer *lexer)
{
	const char *at = lexer->at;

	while (at && *at && !strchr(" \t\r\n;&|<>()", *at)) {
		at = skip_part(lexer, at);
	}
	if (at) {
		lexer->token = (struct token) {
			.kind = TOKEN_WORD, .start = lexer->at, .length = (size_t)(at - lexer->at)};
		lexer->at = at;
	}
}

/* A redirection with or without a descriptor before it; false when there is none here. */
static bool read_redirect(struct lexer *lexer)
{
	const char *at = lexer->at + strspn(lexer->at, "0123456789");

	if (starts_with(at, "<<")) {
		lexer_fail(lexer, "here-documents are not supported (busybox sh has them)");
		return true;
	}
	for (unsigned i = 0; i < COUNT(redirects); i++) {
		if (!starts_with(at, redirects[i].text)) {
			continue;
		}
		long fd = at > lexer->at ? strtol(lexer->at, NULL, 10) : redirects[i].fd;
		const char *end = at + strlen(redirects[i].text);
		lexer->token = (struct token) {.kind = TOKEN_REDIRECT,
					       .start = lexer->at,
					       .length = (size_t)(end - lexer->at),
					       .fd = fd <= INT_MAX ? (int)fd : INT_MAX,
					       .redirect = redirects[i].kind};
		lexer->at = end;
		return true;
	}
	return false;
}

static bool read_operator(struct lexer *lexer)
{
	for (unsigned i = 0; i < COUNT(operators); i++) {
		if (starts_with(lexer->at, operators[i].text)) {
			lexer->token = (struct token) {.kind = operators[i].kind,
						       .start = lexer->at,
						       .length = strlen(operators[i].text)};
			lexer->at += lexer->token.length;
			return true;
		}
	}
	return false;
}

void lexer_next(struct lexer *lexer)
{
	skip_blanks(lexer);
	if (lexer->status != PARSE_DONE || *lexer->at == '\0') {
		lexer->token = (struct token) {.kind = TOKEN_END, .start = lexer->at};
	} else if (!read_redirect(lexer) && !read_operator(lexer)) {
		read_word(lexer);
	}
}
