/* Growing text. Invariant: every chunk but the last is full. */
#include "kernel/fs/text.h"
#include "kernel/printk.h"
#include "mm/heap.h"

#define FIRST_SIZE 512
#define MOST_SIZE  (64ul << 10)
#define LINE_SIZE  256 /* of what one text_print() says, most of the time */

/* A chunk behind the last one, as large as all before it. */
static bool add_chunk(struct text *text)
{
	size_t size = MIN(MAX(text->length, FIRST_SIZE), MOST_SIZE);
	struct text_chunk *chunk = text->failed ? NULL : kmalloc(sizeof(*chunk) + size);

	if (!chunk) {
		text->failed = true;
		return false;
	}
	chunk->size = size;
	if (text->last)
		text->last->next = chunk;
	else
		text->first = chunk;
	text->last = chunk;
	return true;
}

void text_append(struct text *text, const void *bytes, size_t count)
{
	const char *from = bytes;

	while (count) {
		struct text_chunk *last = text->last;
		size_t room = last ? last->size - last->used : 0, some = MIN(room, count);

		if (!room && !add_chunk(text))
			return;
		if (!room)
			continue;
		memcpy(last->bytes + last->used, from, some);
		last->used += some;
		text->length += some;
		from += some;
		count -= some;
	}
}

void text_print(struct text *text, const char *format, ...)
{
	char line[LINE_SIZE], *longer;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if ((size_t)length < sizeof(line)) {
		text_append(text, line, (size_t)length);
		return;
	}
	longer = kmalloc((size_t)length + 1);
	if (!longer) {
		text->failed = true;
		return;
	}
	va_start(args, format);
	vsnprintf(longer, (size_t)length + 1, format, args);
	va_end(args);
	text_append(text, longer, (size_t)length);
	kfree(longer);
}

void text_pad(struct text *text, size_t start, size_t column)
{
	while (text->length - start < column && !text->failed)
		text_append(text, " ", 1);
}

size_t text_piece(const struct text *text, size_t offset, const char **at)
{
	const struct text_chunk *chunk = text->first;

	while (chunk && offset >= chunk->used) {
		offset -= chunk->used;
		chunk = chunk->next;
	}
	if (!chunk)
		return 0;
	*at = chunk->bytes + offset;
	return chunk->used - offset;
}

void text_free(struct text *text)
{
	while (text->first) {
		struct text_chunk *chunk = text->first;

		text->first = chunk->next;
		kfree(chunk);
	}
	*text = (struct text)TEXT_EMPTY;
}
