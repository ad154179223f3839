/* The strings that exec carries from the old program to the new one. */
#pragma once

#include "kernel/usercopy.h"

#define ARGUMENTS_MAX \
	(2ul          \
	 << 20) /* bytes of all strings and pointers (execve(2): a quarter of the stack limit) */
#define ARGUMENT_LENGTH (32 * 4096ul) /* of one string with its NUL (MAX_ARG_STRLEN) */

/* Strings one after the other, each with its NUL. */
struct strings {
	char *text; /* owned */
	size_t used, size;
	u32 count;
};

struct arguments {
	struct strings argv, envp;
};

/* Bytes that the strings and the pointers to them take on the new stack. */
size_t strings_size(const struct strings *strings);

/* All of these: 0, -E2BIG, -ENOMEM; those with uptr also -EFAULT, and may sleep. */
int strings_add(struct strings *strings, const char *text);
/* An array of pointers that ends with NULL; most: what strings_size() may come to. */
int strings_add_user_array(struct strings *strings, uptr array, size_t most);
/* Puts text in front of the others; drop: in place of the first. */
int strings_prepend(struct strings *strings, const char *text, bool drop_first);
void arguments_free(struct arguments *arguments);
