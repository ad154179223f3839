/* KTAP output: see ktap.h. */
#include "ktap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned planned, done, failed;

__attribute__((format(printf, 1, 0))) static void put_line(const char *format, va_list args)
{
	char line[256];
	int length = vsnprintf(line, sizeof(line) - 1, format, args);

	if (length < 0)
		return;
	if ((size_t)length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)length + 1) < 0)
		_exit(2);
}

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_line(format, args);
	va_end(args);
}

void ktap_plan(unsigned count)
{
	planned = count;
	put("KTAP version 1");
	put("1..%u", count);
}

void ktap_result(bool ok, const char *name)
{
	done++;
	failed += !ok;
	put("%sok %u - %s", ok ? "" : "not ", done, name);
}

void ktap_skip(const char *name, const char *reason)
{
	done++;
	put("ok %u - %s # SKIP %s", done, name, reason);
}

void ktap_note(const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put("# %s", text);
}

int ktap_status(void)
{
	return failed != 0 || done != planned;
}
