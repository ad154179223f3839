/* Sizes for people: user/lib/units.h. */
#include "user/lib/units.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char unit_names[][3] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

const char *size_text(char *buffer, unsigned long bytes)
{
	unsigned unit = 0;
	unsigned long whole = bytes, rest = 0;

	while (whole >= 1024) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	if (rest * 10 / 1024 == 0) {
		snprintf(buffer, SIZE_TEXT, "%lu %s", whole, unit_names[unit]);
	} else {
		snprintf(buffer, SIZE_TEXT, "%lu.%lu %s", whole, rest * 10 / 1024,
			 unit_names[unit]);
	}
	return buffer;
}

bool size_parse(const char *text, unsigned long *bytes)
{
	static const char prefixes[] = "kmgt";
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || errno != 0) {
		return false;
	}
	const char *prefix = *end ? strchr(prefixes, tolower((unsigned char)*end)) : NULL;
	unsigned shift = 0;
	if (prefix) {
		shift = 10 * (unsigned)(prefix - prefixes + 1);
		end++;
	}
	if (tolower((unsigned char)*end) == 'b') {
		end++;
	}
	*bytes = number << shift;
	return *end == '\0' && number <= ULONG_MAX >> shift;
}
