/* A text that grows: always NUL-terminated once something was added, owned by whoever declares it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *data; /* NULL while nothing was added */
	size_t length, capacity;
};

void text_add(struct text *text, const char *from, size_t length);
void text_add_char(struct text *text, char c);

/* Makes it empty but keeps its memory. */
void text_clear(struct text *text);

/* Gives the memory back; the text is empty and usable again. */
void text_free(struct text *text);

/* Adds all that can be read from fd or from the file at path; false and errno on failure. */
bool text_read_fd(struct text *text, int fd);
bool text_read_file(struct text *text, const char *path);
