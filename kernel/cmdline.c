/* The kernel's command line: kept whole, and once more cut into words. */
#include "kernel/cmdline.h"

static char whole[CMDLINE_MAX];
static char words[CMDLINE_MAX + 1]; /* the same with NULs for spaces; an empty word ends it */

static void copy_words(void)
{
	size_t out = 0;

	for (const char *in = whole; *in; in++) {
		if (*in != ' ')
			words[out++] = *in;
		else if (out && words[out - 1])
			words[out++] = '\0';
	}
}

void cmdline_init(const char *line)
{
	size_t length = MIN(strlen(line), CMDLINE_MAX - 1ul);

	memset(words, 0, sizeof(words));
	memcpy(whole, line, length);
	whole[length] = '\0';
	copy_words();
}

const char *cmdline_word(const char *key)
{
	size_t length = strlen(key);
	const char *value = NULL;

	for (const char *word = words; *word; word += strlen(word) + 1) {
		if (strncmp(word, key, length) != 0)
			continue;
		if (word[length] == '=')
			value = word + length + 1;
		else if (!word[length])
			value = word + length;
	}
	return value;
}

const char *cmdline_text(void)
{
	return whole;
}
