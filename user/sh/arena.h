/*
 * Memory for what lives as long as one command line: its syntax tree, its expanded words. All of it
 * is given back at once by arena_free(), so nothing in the shell frees a word or a node.
 */
#pragma once

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* the newest first; start with NULL */
};

/* Zeroed memory, aligned for any type; the shell ends when there is none. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* length bytes of text and a NUL. */
char *arena_copy(struct arena *arena, const char *text, size_t length);

/* Gives all of it back; the arena is empty and usable again. */
void arena_free(struct arena *arena);
