/* Growing texts: user/lib/text.h. data[length] is 0 whenever data is there. */
#include "user/lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/lib/program.h"

#define READ_SIZE 65536

/* Makes room for more bytes and the NUL. */
static void text_reserve(struct text *text, size_t more)
{
	size_t needed = text->length + more + 1;

	if (needed <= text->capacity) {
		return;
	}
	size_t capacity = text->capacity ? text->capacity : 64;
	while (capacity < needed) {
		capacity *= 2;
	}
	text->data = reallocate(text->data, capacity, 1);
	text->capacity = capacity;
}

void text_add(struct text *text, const char *from, size_t length)
{
	text_reserve(text, length);
	memcpy(text->data + text->length, from, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void text_add_char(struct text *text, char c)
{
	text_add(text, &c, 1);
}

void text_clear(struct text *text)
{
	text->length = 0;
	if (text->data) {
		text->data[0] = '\0';
	}
}

void text_free(struct text *text)
{
	free(text->data);
	*text = (struct text) {0};
}

bool text_read_fd(struct text *text, int fd)
{
	for (;;) {
		text_reserve(text, READ_SIZE);
		ssize_t got = read(fd, text->data + text->length, READ_SIZE);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return false;
		}
		text->length += (size_t)got;
		text->data[text->length] = '\0';
		if (got == 0) {
			return true;
		}
	}
}

bool text_read_file(struct text *text, const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		return false;
	}
	bool all_read = text_read_fd(text, fd);
	int error = errno;
	close(fd);
	errno = error;
	return all_read;
}
