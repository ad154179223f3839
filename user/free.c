/* free: how much memory there is, and how much of it is in use, from /proc/meminfo. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/procfs.h"
#include "user/lib/program.h"
#include "user/lib/units.h"

enum unit { UNIT_KB, UNIT_MB, UNIT_BYTES, UNIT_READABLE };

static const char *amount(char *buffer, unsigned long kb, enum unit unit)
{
	if (unit == UNIT_READABLE) {
		return size_text(buffer, kb * 1024);
	}
	unsigned long number = unit == UNIT_MB ? kb / 1024 : unit == UNIT_BYTES ? kb * 1024 : kb;
	snprintf(buffer, SIZE_TEXT, "%lu", number);
	return buffer;
}

static unsigned long value_of(const char *meminfo, const char *key)
{
	unsigned long value = 0;

	proc_value(meminfo, key, &value);
	return value;
}

static void print_row(const char *name, unsigned long total, unsigned long unused, enum unit unit)
{
	char all[SIZE_TEXT], used[SIZE_TEXT], left[SIZE_TEXT];

	printf("%-6s %12s %12s %12s", name, amount(all, total, unit),
	       amount(used, total - unused, unit), amount(left, unused, unit));
}

static void print_table(const char *meminfo, enum unit unit)
{
	char available[SIZE_TEXT], tables[SIZE_TEXT];
	unsigned long free_kb = value_of(meminfo, "MemFree"), available_kb = free_kb;
	unsigned long swap = value_of(meminfo, "SwapTotal");

	proc_value(meminfo, "MemAvailable", &available_kb);
	printf("%-6s %12s %12s %12s %12s %12s\n", "", "total", "used", "free", "available",
	       "page tables");
	print_row("Mem:", value_of(meminfo, "MemTotal"), free_kb, unit);
	printf(" %12s %12s\n", amount(available, available_kb, unit),
	       amount(tables, value_of(meminfo, "PageTables"), unit));
	if (swap != 0) {
		print_row("Swap:", swap, value_of(meminfo, "SwapFree"), unit);
		putchar('\n');
	}
}

static enum unit read_options(char **argv, int argc)
{
	struct options options = {.argv = argv, .index = 1};
	enum unit unit = UNIT_KB;
	int letter;

	while ((letter = option_next(&options, "kmbh")) != 0) {
		unit = letter == 'm'   ? UNIT_MB
		       : letter == 'b' ? UNIT_BYTES
		       : letter == 'h' ? UNIT_READABLE
				       : UNIT_KB;
	}
	if (options.index != argc) {
		usage_error("unexpected '%s'", argv[options.index]);
	}
	return unit;
}

int main(int argc, char **argv)
{
	struct text meminfo = {0};
	unsigned long total;

	program_init("free", "free [-k | -m | -b | -h]   (kB, MB, bytes, readable)", argc, argv);
	enum unit unit = read_options(argv, argc);
	if (!proc_read(0, "meminfo", &meminfo)) {
		complain_errno("/proc/meminfo");
	} else if (!proc_value(meminfo.data, "MemTotal", &total)) {
		complain("/proc/meminfo has no line MemTotal");
	} else {
		print_table(meminfo.data, unit);
	}
	text_free(&meminfo);
	return program_end();
}
