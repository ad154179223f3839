/* Text that grows as it is written, in one allocation: what the files of /proc say. */
#pragma once

#include "mm/types.h"

struct text {
	char *at;        /* NUL-terminated once anything was printed; freed with text_free() */
	size_t length;   /* bytes, without the NUL */
	size_t capacity; /* bytes allocated */
	bool failed;     /* memory was out: the text is incomplete */
};

#define TEXT_EMPTY                \
	{                         \
		NULL, 0, 0, false \
	}

void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends bytes as they are. */
void text_append(struct text *text, const void *bytes, size_t count);
/* Appends spaces until the text is column bytes long since start. */
void text_pad(struct text *text, size_t start, size_t column);
void text_free(struct text *text);
