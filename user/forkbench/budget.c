/* The budgets, as data, and the comparison: user/forkbench/budget.h. Times are guest instructions
 * under --icount. */
#include "user/forkbench/budget.h"

#include <stdio.h>

#include "user/lib/units.h"

#define MB (1ul << 20)
#define GB (1ul << 30)

#define L0   (1u << 0)
#define L1   (1u << 1)
#define L2_3 (1u << 2 | 1u << 3)
#define ALL  (L0 | L1 | L2_3)

/* What a budget is about: a column of the table, or the difference of its last two. */
enum { TABLES_ADDED = MEASURES };

static const struct budget {
	const char *what;
	unsigned measure;
	unsigned levels;
	unsigned long size; /* 0: every size */
	unsigned long limit;
} budgets[] = {
	{"fork", MEASURE_FORK, L0, GB, 13000000},
	{"fork", MEASURE_FORK, L1, GB, 40000},
	{"fork", MEASURE_FORK, L2_3, GB, 12000},
	{"first write in a shared span", MEASURE_FIRST_WRITE, L1, 0, 15000},
	{"first write in a shared span", MEASURE_FIRST_WRITE, L2_3, 0, 25000},
	{"exit and wait of an untouched child", MEASURE_EXIT_WAIT, L0, GB, 15000000},
	{"exit and wait of an untouched child", MEASURE_EXIT_WAIT, L1, GB, 40000},
	{"exit and wait of an untouched child", MEASURE_EXIT_WAIT, L2_3, GB, 15000},
	{"child writes all, per page", MEASURE_WRITE_ALL, ALL, GB, 1800},
	{"kB of page tables added by a child", TABLES_ADDED, L1, GB, 64},
	{"kB of page tables added by a child", TABLES_ADDED, L2_3, GB, 40},
};

/* The cycle of a tiny process at its best level. */
#define TINY_LIMIT 18000ul

static const unsigned long path_limits[PATHS] = {
	[PATH_SYSTEM_CALL] = 150,    [PATH_PIPE] = 4500,        [PATH_EXEC] = 90000,
	[PATH_FORK_REGIONS] = 15000, [PATH_FIRST_WRITE] = 1400, [PATH_FIRST_READ] = 500,
	[PATH_UNMAP] = 150,          [PATH_PAGE_OUT] = 2500,    [PATH_SWAP_IN] = 2000,
};

/* Levels at which fork takes as long for these sizes as for FLAT_SIZE, within so many percent. */
#define FLAT_LEVELS  L2_3
#define FLAT_SIZE    GB
#define FLAT_PERCENT 5
static const unsigned long flat_sizes[] = {MB, 4 * GB};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned over;

static void print_result(const char *what, unsigned long value, const char *relation,
			 unsigned long limit, bool kept)
{
	const char *verdict = value == NOT_MEASURED ? "not measured" : kept ? "ok" : "OVER";

	printf("%-12s  %s", verdict, what);
	if (value == NOT_MEASURED) {
		printf(": %s %lu\n", relation, limit);
	} else {
		printf(": %lu, %s %lu\n", value, relation, limit);
		over += !kept;
	}
}

static unsigned long value_of(const struct row *row, unsigned measure)
{
	if (!row) {
		return NOT_MEASURED;
	}
	if (measure == TABLES_ADDED) {
		unsigned long before = row->value[MEASURE_TABLES_BEFORE];
		unsigned long after = row->value[MEASURE_TABLES_AFTER];
		return after > before ? after - before : 0;
	}
	return row->value[measure];
}

static const struct row *find_row(const struct row *rows, size_t count, unsigned long size,
				  int level)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].size == size && rows[i].level == level) {
			return &rows[i];
		}
	}
	return NULL;
}

static void check_value(const struct budget *budget, unsigned long size, int level,
			unsigned long value)
{
	char what[96], size_name[SIZE_TEXT];

	snprintf(what, sizeof(what), "%s, %s, level %s", budget->what, size_text(size_name, size),
		 level_name(level));
	print_result(what, value, "at most", budget->limit, value <= budget->limit);
}

static void check_budget(const struct budget *budget, const struct row *rows, size_t count)
{
	for (int level = 0; level < LEVELS; level++) {
		if (!(budget->levels & 1u << level)) {
			continue;
		}
		if (budget->size != 0) {
			check_value(budget, budget->size, level,
				    value_of(find_row(rows, count, budget->size, level),
					     budget->measure));
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			if (rows[i].level == level) {
				check_value(budget, rows[i].size, level,
					    value_of(&rows[i], budget->measure));
			}
		}
	}
}

static void check_flatness(const struct row *rows, size_t count, int level, unsigned long size)
{
	const struct row *row = find_row(rows, count, size, level);
	const struct row *middle = find_row(rows, count, FLAT_SIZE, level);
	char what[96], size_name[SIZE_TEXT], relation[64];
	unsigned long value = value_of(row, MEASURE_FORK);
	unsigned long expected = value_of(middle, MEASURE_FORK);

	snprintf(what, sizeof(what), "fork, %s, level %s", size_text(size_name, size),
		 level_name(level));
	snprintf(relation, sizeof(relation), "within %d %% of the same at 1 GB:", FLAT_PERCENT);
	if (value == NOT_MEASURED || expected == NOT_MEASURED) {
		printf("%-12s  %s: %s its time\n", "not measured", what, relation);
		return;
	}
	unsigned long off = value > expected ? value - expected : expected - value;
	print_result(what, value, relation, expected, off * 100 <= expected * FLAT_PERCENT);
}

static void check_tiny(const unsigned long tiny[LEVELS])
{
	unsigned long best = NOT_MEASURED;

	for (int level = 0; level < LEVELS; level++) {
		best = tiny[level] < best ? tiny[level] : best;
	}
	print_result("fork, exit and wait of a tiny process, best level", best, "at most",
		     TINY_LIMIT, best <= TINY_LIMIT);
}

unsigned budget_check(const struct row *rows, size_t count, const unsigned long tiny[LEVELS],
		      const unsigned long paths[PATHS])
{
	over = 0;
	printf("\nbudgets\n");
	for (size_t i = 0; i < COUNT(budgets); i++) {
		check_budget(&budgets[i], rows, count);
	}
	for (int level = 0; level < LEVELS; level++) {
		for (size_t i = 0; i < COUNT(flat_sizes) && (FLAT_LEVELS & 1u << level); i++) {
			check_flatness(rows, count, level, flat_sizes[i]);
		}
	}
	check_tiny(tiny);
	for (enum path path = 0; path < PATHS; path++) {
		print_result(path_name(path), paths[path], "at most", path_limits[path],
			     paths[path] <= path_limits[path]);
	}
	return over;
}
