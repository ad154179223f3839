/* Growing lists of strings. What a program gives is bounded while it grows, by ARGUMENTS_MAX in all. */
#include "kernel/arguments.h"
#include "mm/errno.h"
#include "mm/heap.h"

/* Makes room for `more` bytes. */
static int reserve(struct strings *strings, size_t more)
{
	size_t wanted = strings->used + more, size = MAX(strings->size, 1024u);
	char *text;

	if (wanted <= strings->size)
		return 0;
	while (size < wanted)
		size *= 2;
	text = kmalloc(size);
	if (!text)
		return -ENOMEM;
	if (strings->text)
		memcpy(text, strings->text, strings->used);
	kfree(strings->text);
	strings->text = text;
	strings->size = size;
	return 0;
}

size_t strings_size(const struct strings *strings)
{
	return strings->used + strings->count * sizeof(u64);
}

int strings_add(struct strings *strings, const char *text)
{
	size_t length = strlen(text) + 1;
	int error = reserve(strings, length);

	if (error)
		return error;
	memcpy(strings->text + strings->used, text, length);
	strings->used += length;
	strings->count++;
	return 0;
}

static int add_user(struct strings *strings, uptr text)
{
	size_t room = 256;
	i64 length;

	for (;;) {
		int error = reserve(strings, room);

		if (error)
			return error;
		length = copy_string_from_user(strings->text + strings->used, text, room);
		if (length != -ENAMETOOLONG)
			break;
		room *= 4;
		if (room > 4 * ARGUMENT_LENGTH)
			return -E2BIG;
		room = MIN(room, ARGUMENT_LENGTH + 1);
	}
	if (length < 0)
		return (int)length;
	if ((u64)length >= ARGUMENT_LENGTH)
		return -E2BIG;
	strings->used += (size_t)length + 1;
	strings->count++;
	return 0;
}

int strings_add_user_array(struct strings *strings, uptr array, size_t most)
{
	for (u64 i = 0; array; i++) {
		uptr text;

		if (copy_from_user(&text, array + i * sizeof(text), sizeof(text)))
			return -EFAULT;
		if (!text)
			break;

		int error = add_user(strings, text);

		if (error)
			return error;
		if (strings_size(strings) > most)
			return -E2BIG;
	}
	return 0;
}

int strings_prepend(struct strings *strings, const char *text, bool drop_first)
{
	size_t length = strlen(text) + 1;
	size_t dropped = drop_first && strings->count ? strlen(strings->text) + 1 : 0;
	int error = reserve(strings, length);

	if (error)
		return error;
	memmove(strings->text + length, strings->text + dropped, strings->used - dropped);
	memcpy(strings->text, text, length);
	strings->used += length - dropped;
	strings->count += 1 - (dropped > 0);
	return 0;
}

void arguments_free(struct arguments *arguments)
{
	kfree(arguments->argv.text);
	kfree(arguments->envp.text);
}
