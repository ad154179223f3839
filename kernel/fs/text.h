/* Text that grows as it is written: what the files of /proc say. It is kept in chunks, so that its length is bounded by
 * memory and not by the largest allocation. */
#pragma once

#include "mm/types.h"

struct text_chunk {
	struct text_chunk *next;
	size_t used, size; /* of bytes */
	char bytes[];
};

struct text {
	struct text_chunk *first, *last; /* freed with text_free() */
	size_t length;                   /* bytes in all */
	bool failed;                     /* memory was out: the text is incomplete */
};

#define TEXT_EMPTY                   \
	{                            \
		NULL, NULL, 0, false \
	}

void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends bytes as they are. */
void text_append(struct text *text, const void *bytes, size_t count);
/* Appends spaces until the text is column bytes long since start. */
void text_pad(struct text *text, size_t start, size_t column);
/* The bytes from offset on that lie together: how many, and where in *at. 0 at the end. */
size_t text_piece(const struct text *text, size_t offset, const char **at);
void text_free(struct text *text);
