/* The tree of a command line, by recursive descent: user/sh/syntax.h. A function that fails returns
 * NULL. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "user/sh/lexer.h"
#include "user/sh/syntax.h"

/* Brackets within brackets; more are refused, so that no command line can exhaust the stack. */
#define MAX_DEPTH 100

struct parser {
	struct lexer lexer;
	int depth;
};

static struct node *parse_list(struct parser *parser, enum token_kind end);

bool is_assignment(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '_') {
		return false;
	}
	while (isalnum((unsigned char)*text) || *text == '_') {
		text++;
	}
	return *text == '=';
}

static bool at_token(const struct parser *parser, enum token_kind kind)
{
	return parser->lexer.token.kind == kind;
}

static struct node *new_node(struct parser *parser, enum node_kind kind)
{
	struct node *node = arena_alloc(parser->lexer.arena, sizeof(*node));

	node->kind = kind;
	return node;
}

/* Gives node the text from start to the token that follows it, without the blanks between. */
static void set_text(struct parser *parser, struct node *node, const char *start)
{
	const char *end = parser->lexer.token.start;

	while (end > start && isspace((unsigned char)end[-1])) {
		end--;
	}
	node->text = arena_copy(parser->lexer.arena, start, (size_t)(end - start));
}

/* The token does not fit here: the text is wrong or, at its end, not complete. */
static struct node *unexpected(struct parser *parser)
{
	const struct token *token = &parser->lexer.token;

	if (token->kind == TOKEN_END) {
		lexer_need_more(&parser->lexer);
	} else if (token->kind == TOKEN_NEWLINE) {
		lexer_fail(&parser->lexer, "unexpected end of line");
	} else {
		lexer_fail(&parser->lexer, "unexpected '%.*s'",
			   token->length < 60 ? (int)token->length : 60, token->start);
	}
	return NULL;
}

static void skip_newlines(struct parser *parser)
{
	while (at_token(parser, TOKEN_NEWLINE)) {
		lexer_next(&parser->lexer);
	}
}

/* Takes the word being looked at. */
static const char *take_word(struct parser *parser)
{
	const struct token *token = &parser->lexer.token;
	const char *text = arena_copy(parser->lexer.arena, token->start, token->length);

	lexer_next(&parser->lexer);
	return text;
}

/* Appends a redirection to *list; false when its target is missing. */
static bool parse_redirect(struct parser *parser, struct redirect **list)
{
	struct redirect *redirect = arena_alloc(parser->lexer.arena, sizeof(*redirect));

	redirect->kind = parser->lexer.token.redirect;
	redirect->fd = parser->lexer.token.fd;
	lexer_next(&parser->lexer);
	if (!at_token(parser, TOKEN_WORD)) {
		if (at_token(parser, TOKEN_END)) {
			lexer_fail(&parser->lexer, "redirection without a file name");
		}
		unexpected(parser);
		return false;
	}
	redirect->target = take_word(parser);
	while (*list) {
		list = &(*list)->next;
	}
	*list = redirect;
	return true;
}

/* Compound commands are another shell's business, but nobody should have to guess why `for` is not
 * found. */
static bool is_reserved(const char *text)
{
	static const char *const reserved[] = {"if",   "then",  "else",     "elif", "fi",
					       "for",  "while", "until",    "do",   "done",
					       "case", "esac",  "function", "{",    "}"};

	for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strcmp(text, reserved[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Appends a word to node's assignments or words. */
static bool parse_word(struct parser *parser, struct node *node)
{
	const char *text = take_word(parser);

	if (!node->words && is_reserved(text)) {
		lexer_fail(&parser->lexer, "'%s' is not supported (busybox sh has it)", text);
		return false;
	}
	struct word **list = &node->words;
	if (!node->words && is_assignment(text)) {
		list = &node->assignments;
	}
	while (*list) {
		list = &(*list)->next;
	}
	*list = arena_alloc(parser->lexer.arena, sizeof(**list));
	(*list)->text = text;
	return true;
}

static struct node *parse_simple(struct parser *parser)
{
	struct node *node = new_node(parser, NODE_SIMPLE);

	for (;;) {
		if (at_token(parser, TOKEN_WORD)) {
			if (!parse_word(parser, node)) {
				return NULL;
			}
		} else if (at_token(parser, TOKEN_REDIRECT)) {
			if (!parse_redirect(parser, &node->redirects)) {
				return NULL;
			}
		} else if (at_token(parser, TOKEN_OPEN)) {
			return unexpected(parser);
		} else {
			return node;
		}
	}
}

static struct node *parse_subshell(struct parser *parser)
{
	struct node *node = new_node(parser, NODE_SUBSHELL);

	if (++parser->depth > MAX_DEPTH) {
		lexer_fail(&parser->lexer, "more than %d brackets inside one another", MAX_DEPTH);
		return NULL;
	}
	lexer_next(&parser->lexer);
	node->left = parse_list(parser, TOKEN_CLOSE);
	parser->depth--;
	if (!node->left) {
		return unexpected(parser);
	}
	lexer_next(&parser->lexer);
	while (at_token(parser, TOKEN_REDIRECT)) {
		if (!parse_redirect(parser, &node->redirects)) {
			return NULL;
		}
	}
	return node;
}

static struct node *parse_command(struct parser *parser)
{
	const char *start = parser->lexer.token.start;
	struct node *node;

	if (at_token(parser, TOKEN_OPEN)) {
		node = parse_subshell(parser);
	} else if (at_token(parser, TOKEN_WORD) || at_token(parser, TOKEN_REDIRECT)) {
		node = parse_simple(parser);
	} else {
		return unexpected(parser);
	}
	if (node) {
		set_text(parser, node, start);
	}
	return node;
}

static bool at_bang(const struct parser *parser)
{
	const struct token *token = &parser->lexer.token;

	return token->kind == TOKEN_WORD && token->length == 1 && *token->start == '!';
}

static struct node *parse_pipeline(struct parser *parser)
{
	struct node *pipeline = new_node(parser, NODE_PIPELINE);
	const char *start = parser->lexer.token.start;

	while (at_bang(parser)) {
		pipeline->negated = !pipeline->negated;
		lexer_next(&parser->lexer);
	}
	for (struct node **last = &pipeline->left;; last = &(*last)->next) {
		*last = parse_command(parser);
		if (!*last) {
			return NULL;
		}
		if (!at_token(parser, TOKEN_PIPE)) {
			set_text(parser, pipeline, start);
			return pipeline;
		}
		lexer_next(&parser->lexer);
		skip_newlines(parser);
	}
}

static struct node *parse_and_or(struct parser *parser)
{
	const char *start = parser->lexer.token.start;
	struct node *left = parse_pipeline(parser);

	if (!left) {
		return NULL;
	}
	while (at_token(parser, TOKEN_AND) || at_token(parser, TOKEN_OR)) {
		struct node *node =
			new_node(parser, at_token(parser, TOKEN_AND) ? NODE_AND : NODE_OR);
		lexer_next(&parser->lexer);
		skip_newlines(parser);
		node->left = left;
		node->right = parse_pipeline(parser);
		if (!node->right) {
			return NULL;
		}
		set_text(parser, node, start);
		left = node;
	}
	return left;
}

/* Steps over what stands between two commands; false when the list has to end here. */
static bool parse_separator(struct parser *parser, struct node *node)
{
	if (at_token(parser, TOKEN_AMPERSAND)) {
		node->background = true;
	} else if (!at_token(parser, TOKEN_SEMICOLON) && !at_token(parser, TOKEN_NEWLINE)) {
		return false;
	}
	lexer_next(&parser->lexer);
	skip_newlines(parser);
	return true;
}

/* Up to the token end, which stays the one being looked at. NULL: the list is empty or something
 * was wrong. */
static struct node *parse_list(struct parser *parser, enum token_kind end)
{
	struct node *list = new_node(parser, NODE_LIST);
	struct node **last = &list->left;

	skip_newlines(parser);
	while (!at_token(parser, end)) {
		*last = parse_and_or(parser);
		if (!*last) {
			return NULL;
		}
		if (!parse_separator(parser, *last)) {
			break;
		}
		last = &(*last)->next;
	}
	if (!at_token(parser, end)) {
		return unexpected(parser);
	}
	return list->left ? list : NULL;
}

enum parse_status parse(struct arena *arena, const char *text, struct node **tree,
			const char **error)
{
	struct parser parser = {.lexer = {.arena = arena, .at = text}};

	lexer_next(&parser.lexer);
	*tree = parse_list(&parser, TOKEN_END);
	*error = parser.lexer.error;
	return parser.lexer.status;
}
