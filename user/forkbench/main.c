/*
 * forkbench: what fork costs, for memory of each size and at each share level: the table, and the
 * budgets it is held against. Also runs on Linux, where there is one level.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/forkbench/budget.h"
#include "user/forkbench/kernel.h"
#include "user/forkbench/measure.h"
#include "user/forkbench/paths.h"
#include "user/lib/program.h"
#include "user/lib/units.h"

#define MAX_SIZES      32
#define DEFAULT_ROUNDS 5

static const char usage[] =
	"forkbench [--sizes LIST] [--levels LIST] [--rounds N] [--check]\n"
	"       --sizes 1M,1G     memory of the parent (default 1 MB to 4 GB by factors of 4)\n"
	"       --levels 0,auto   share levels: 0, 1, 2, 3, auto (default all)\n"
	"       --rounds 5        an odd number of rounds, of which the median counts\n"
	"       --check           fail when a number is over its budget";

struct plan {
	unsigned long sizes[MAX_SIZES];
	size_t size_count;
	bool levels[LEVELS];
	unsigned rounds;
	bool check;
};

struct results {
	struct row rows[MAX_SIZES * LEVELS];
	size_t count;
	unsigned long tiny[LEVELS];
	unsigned long paths[PATHS];
};

static void add_size(struct plan *plan, const char *text)
{
	unsigned long bytes;

	if (!size_parse(text, &bytes) || bytes < 4096 || bytes > 1ul << 40) {
		usage_error("'%s' is not a size from 4k to 1024G", text);
	}
	if (plan->size_count == MAX_SIZES) {
		usage_error("more than %d sizes", MAX_SIZES);
	}
	plan->sizes[plan->size_count++] = bytes & ~4095ul;
}

static void add_level(struct plan *plan, const char *text)
{
	int level = level_parse(text);

	if (level >= 0) {
		plan->levels[level] = true;
	} else {
		usage_error("'%s' is not a share level", text);
	}
}

/* Calls add for each part of a list with commas. */
static void parse_list(struct plan *plan, const char *list,
		       void (*add)(struct plan *, const char *))
{
	char part[32];

	for (;; list++) {
		size_t length = strcspn(list, ",");
		snprintf(part, sizeof(part), "%.*s", (int)length, list);
		add(plan, part);
		list += length;
		if (*list == '\0') {
			return;
		}
	}
}

static void parse_rounds(struct plan *plan, const char *text)
{
	plan->rounds = (unsigned)number_operand(text, MAX_ROUNDS);
	if (plan->rounds % 2 == 0) {
		usage_error("the number of rounds must be odd");
	}
}

/* "--name VALUE" or "--name=VALUE": the value, or NULL if argv[*index] is another option. */
static const char *option_value(char **argv, int *index, const char *name)
{
	const char *word = argv[*index];
	size_t length = strlen(name);

	if (strncmp(word, name, length) != 0 || (word[length] != '\0' && word[length] != '=')) {
		return NULL;
	}
	if (word[length] == '=') {
		return word + length + 1;
	}
	if (!argv[*index + 1]) {
		usage_error("%s needs a value", name);
	}
	return argv[++*index];
}

static void parse_options(struct plan *plan, char **argv)
{
	for (int i = 1; argv[i]; i++) {
		const char *value;
		if ((value = option_value(argv, &i, "--sizes")) != NULL) {
			parse_list(plan, value, add_size);
		} else if ((value = option_value(argv, &i, "--levels")) != NULL) {
			parse_list(plan, value, add_level);
		} else if ((value = option_value(argv, &i, "--rounds")) != NULL) {
			parse_rounds(plan, value);
		} else if (strcmp(argv[i], "--check") == 0) {
			plan->check = true;
		} else {
			usage_error("unknown option %s", argv[i]);
		}
	}
}

static void plan_sizes(struct plan *plan)
{
	if (plan->size_count == 0) {
		for (unsigned long size = 1ul << 20; size <= 4ul << 30; size *= 4) {
			plan->sizes[plan->size_count++] = size;
		}
	}
}

/* All levels of this kernel, or those asked for that it has. */
static void plan_levels(struct plan *plan, bool has_levels)
{
	bool any = false;

	for (int level = 0; level < LEVELS; level++) {
		plan->levels[level] &= has_levels == (level != LEVEL_LINUX);
		any |= plan->levels[level];
	}
	for (int level = 0; level < LEVELS && !any; level++) {
		plan->levels[level] = has_levels == (level != LEVEL_LINUX);
	}
}

static void print_value(unsigned long value, int width)
{
	if (value == NOT_MEASURED) {
		printf(" %*s", width, "-");
	} else {
		printf(" %*lu", width, value);
	}
}

static void print_headings(void)
{
	printf("%-7s %-5s %11s %10s %11s %10s %10s %9s %9s %9s\n", "memory", "level", "fork",
	       "1st read", "1st write", "exit+wait", "write all", "read all", "tables", "tables");
	printf("%-7s %-5s %11s %10s %11s %10s %10s %9s %9s %9s\n", "", "", "", "", "", "", "/page",
	       "/page", "before kB", "after kB");
	fflush(stdout);
}

static void print_row(const struct row *row)
{
	char size[SIZE_TEXT];

	printf("%-7s %-5s", size_text(size, row->size), level_name(row->level));
	print_value(row->value[MEASURE_FORK], 11);
	print_value(row->value[MEASURE_FIRST_READ], 10);
	print_value(row->value[MEASURE_FIRST_WRITE], 11);
	print_value(row->value[MEASURE_EXIT_WAIT], 10);
	print_value(row->value[MEASURE_WRITE_ALL], 10);
	print_value(row->value[MEASURE_READ_ALL], 9);
	print_value(row->value[MEASURE_TABLES_BEFORE], 9);
	print_value(row->value[MEASURE_TABLES_AFTER], 9);
	putchar('\n');
	fflush(stdout);
}

static void print_shortage(unsigned long size, const char *what, unsigned long needed,
			   unsigned long unused)
{
	char name[SIZE_TEXT], needed_text[SIZE_TEXT], unused_text[SIZE_TEXT];

	printf("%-7s %s needs %s of memory, %s are free\n", size_text(name, size), what,
	       size_text(needed_text, needed), size_text(unused_text, unused));
	fflush(stdout);
}

static void measure_size(const struct plan *plan, unsigned long size, struct results *results)
{
	unsigned long unused = kernel_free_bytes();
	bool writes = memory_needed(size, true) <= unused;

	if (memory_needed(size, false) > unused) {
		print_shortage(size, "not measured:", memory_needed(size, false), unused);
		return;
	}
	if (!writes) {
		print_shortage(size, "write all not measured:", memory_needed(size, true), unused);
	}
	if (!memory_map(size)) {
		complain("%lu bytes: %s", size, strerror(errno));
		return;
	}
	for (int level = 0; level < LEVELS; level++) {
		if (plan->levels[level]) {
			struct row *row = &results->rows[results->count++];
			*row = (struct row) {.size = size, .level = level};
			measure_row(row, writes);
			print_row(row);
		}
	}
	memory_unmap();
}

static void measure_tiny(const struct plan *plan, struct results *results)
{
	printf("fork, exit and wait of a tiny process\n");
	for (int level = 0; level < LEVELS; level++) {
		results->tiny[level] = NOT_MEASURED;
		if (plan->levels[level]) {
			results->tiny[level] = measure_tiny_cycle(level);
			printf("%-7s %-5s %11lu\n", "", level_name(level), results->tiny[level]);
		}
	}
	putchar('\n');
	fflush(stdout);
}

static void measure_paths(const struct plan *plan, struct results *results)
{
	kernel_reset_level();
	for (enum path path = 0; path < PATHS; path++) {
		results->paths[path] = measure_path(path, plan->rounds);
		printf("%-45s", path_name(path));
		print_value(results->paths[path], 7);
		putchar('\n');
	}
	putchar('\n');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct plan plan = {.rounds = DEFAULT_ROUNDS};
	static struct results results;

	if (argc == 2 && strcmp(argv[1], EXEC_OPTION) == 0) {
		return 0;
	}
	program_init("forkbench", usage, argc, argv);
	parse_options(&plan, argv);
	bool has_levels = kernel_has_levels();
	plan_sizes(&plan);
	plan_levels(&plan, has_levels);
	measure_init(plan.rounds);
	printf("forkbench on %s: nanoseconds (instructions under -icount shift=0), medians of %u;\n"
	       "a reading of the clock costs %lu, and is not taken off\n\n",
	       has_levels ? "Coppice" : "Linux", plan.rounds, measure_clock());
	fflush(stdout);
	measure_tiny(&plan, &results);
	measure_paths(&plan, &results);
	print_headings();
	for (size_t i = 0; i < plan.size_count; i++) {
		measure_size(&plan, plan.sizes[i], &results);
	}
	kernel_reset_level();
	if (plan.check) {
		unsigned over =
			budget_check(results.rows, results.count, results.tiny, results.paths);
		if (over > 0) {
			complain("%u of the numbers are over their budgets", over);
		}
	}
	return program_end();
}
