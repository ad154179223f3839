/* The tokens of a command line. */
#pragma once

#include <stddef.h>

#include "user/sh/arena.h"
#include "user/sh/syntax.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NEWLINE,
	TOKEN_WORD,
	TOKEN_REDIRECT,
	TOKEN_PIPE,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_SEMICOLON,
	TOKEN_AMPERSAND,
	TOKEN_OPEN,
	TOKEN_CLOSE,
};

struct token {
	enum token_kind kind;
	const char *start; /* in the text being read */
	size_t length;
	int fd;                      /* REDIRECT */
	enum redirect_kind redirect; /* REDIRECT */
};

/* status and error are set by the first thing that is wrong; from then on the token is TOKEN_END.
 */
struct lexer {
	struct arena *arena;
	const char *at;
	struct token token; /* the one being looked at */
	enum parse_status status;
	const char *error;
};

/* Moves to the next token; the first call after setting arena and at gives the first. */
void lexer_next(struct lexer *lexer);

/* Notes that the text is wrong, in a sentence made as by printf, unless something was wrong before.
 */
void lexer_fail(struct lexer *lexer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Notes that the text is right so far but ends too early. */
void lexer_need_more(struct lexer *lexer);
