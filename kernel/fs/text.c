/* Growing text. Invariant: length < capacity when there is an allocation, and at[length] is NUL. */
#include "kernel/fs/text.h"
#include "kernel/printk.h"
#include "mm/heap.h"

#define FIRST_CAPACITY 512

/* Makes room for count more bytes and a NUL. */
static bool reserve(struct text *text, size_t count)
{
	size_t capacity = MAX(text->capacity, FIRST_CAPACITY);
	char *at;

	while (capacity <= text->length + count)
		capacity *= 2;
	if (capacity == text->capacity)
		return true;
	at = text->failed ? NULL : kmalloc(capacity);
	if (!at) {
		text->failed = true;
		return false;
	}
	if (text->at)
		memcpy(at, text->at, text->length);
	kfree(text->at);
	text->at = at;
	text->capacity = capacity;
	return true;
}

void text_print(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	if (!reserve(text, 0))
		return;
	va_start(args, format);
	length = vsnprintf(text->at + text->length, text->capacity - text->length, format, args);
	va_end(args);
	if (text->length + (size_t)length >= text->capacity) {
		if (!reserve(text, (size_t)length)) {
			text->at[text->length] = '\0';
			return;
		}
		va_start(args, format);
		vsnprintf(text->at + text->length, text->capacity - text->length, format, args);
		va_end(args);
	}
	text->length += (size_t)length;
}

void text_append(struct text *text, const void *bytes, size_t count)
{
	if (!reserve(text, count))
		return;
	memcpy(text->at + text->length, bytes, count);
	text->length += count;
	text->at[text->length] = '\0';
}

void text_pad(struct text *text, size_t start, size_t column)
{
	while (text->length - start < column && !text->failed)
		text_append(text, " ", 1);
}

void text_free(struct text *text)
{
	kfree(text->at);
	*text = (struct text)TEXT_EMPTY;
}
