/*
 * The syntax of a command line, as a tree:
 *
 *	list      and_or { (';' | '&' | newline) and_or }
 *	and_or    pipeline { ('&&' | '||') pipeline }
 *	pipeline  ['!'] command { '|' command }
 *	command   simple | '(' list ')' { redirect }
 *	simple    { NAME=word } { word | redirect }
 *
 * Words stay as they were written, with their quotes and dollars; expand.h turns them into
 *arguments when the command runs. The tree lives in an arena, the words and node texts too.
 */
#pragma once

#include <stdbool.h>

#include "user/sh/arena.h"

struct word {
	const char *text;
	struct word *next;
};

enum redirect_kind {
	REDIRECT_READ,       /* [n]<word */
	REDIRECT_WRITE,      /* [n]>word */
	REDIRECT_APPEND,     /* [n]>>word */
	REDIRECT_READ_WRITE, /* [n]<>word */
	REDIRECT_DUPLICATE,  /* [n]>&word, [n]<&word: a descriptor, or - to close n */
};

struct redirect {
	enum redirect_kind kind;
	int fd;
	const char *target; /* a word */
	struct redirect *next;
};

enum node_kind { NODE_SIMPLE, NODE_SUBSHELL, NODE_PIPELINE, NODE_AND, NODE_OR, NODE_LIST };

struct node {
	enum node_kind kind;
	const char *text;  /* as it was written, for messages */
	struct node *next; /* in a pipeline or in a list */
	bool background;   /* in a list: followed by '&' */
	bool negated;      /* of a pipeline: '!' */
	struct node
		*left; /* AND, OR: what runs first; SUBSHELL, PIPELINE, LIST: the first inside */
	struct node *right;               /* AND, OR */
	struct word *assignments, *words; /* SIMPLE */
	struct redirect *redirects;       /* SIMPLE, SUBSHELL */
};

enum parse_status {
	PARSE_DONE,
	PARSE_INCOMPLETE, /* right so far: a quote, a bracket or an operator waits for the next line
			   */
	PARSE_WRONG,
};

/*
 * Parses text, which may hold several lines. DONE: *tree is a NODE_LIST, or NULL when there are
 * only blanks and comments. WRONG: *error is a sentence about it, in arena.
 */
enum parse_status parse(struct arena *arena, const char *text, struct node **tree,
			const char **error);

/* True if text starts with a name and '=': an assignment, whose value starts behind the '='. */
bool is_assignment(const char *text);
