/* A sort whose parts threads do. */
#define _GNU_SOURCE
#include "threads.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS 400000ul
#define SPLITS  3u /* 8 threads sort a part each */

struct range {
	uint32_t *start, *scratch;
	size_t count;
	unsigned splits;
};

static int ascending(const void *a, const void *b)
{
	return *(const uint32_t *)a < *(const uint32_t *)b
		       ? -1
		       : *(const uint32_t *)a > *(const uint32_t *)b;
}

static void merge(const struct range *range, size_t half)
{
	size_t left = 0, right = half;

	for (size_t i = 0; i < range->count; i++) {
		bool take_left = right == range->count ||
				 (left < half && range->start[left] <= range->start[right]);

		range->scratch[i] = range->start[take_left ? left++ : right++];
	}
	memcpy(range->start, range->scratch, range->count * sizeof(*range->start));
}

static void *sort(void *context)
{
	struct range *range = context;
	size_t half = range->count / 2;

	if (range->splits == 0) {
		qsort(range->start, range->count, sizeof(*range->start), ascending);
		return NULL;
	}
	struct range left = {range->start, range->scratch, half, range->splits - 1};
	struct range right = {range->start + half, range->scratch + half, range->count - half,
			      range->splits - 1};
	pthread_t thread = begin(sort, &left);

	sort(&right);
	finish(thread);
	merge(range, half);
	return NULL;
}

static void parallel_sort(void)
{
	uint32_t *numbers = malloc(NUMBERS * sizeof(*numbers)),
		 *scratch = malloc(NUMBERS * sizeof(*scratch)), state = 1;
	uint64_t before = 0, after = 0;
	struct range all = {numbers, scratch, NUMBERS, SPLITS};

	REQUIRE(numbers && scratch);
	for (size_t i = 0; i < NUMBERS; i++) {
		numbers[i] = state = state * 1664525 + 1013904223;
		before += numbers[i];
	}
	sort(&all);
	for (size_t i = 0; i < NUMBERS; i++) {
		CHECK(i == 0 || numbers[i - 1] <= numbers[i]);
		after += numbers[i];
	}
	CHECK(before == after);
	free(numbers);
	free(scratch);
}

const struct part sorting_parts[] = {
	{"a parallel sort", parallel_sort},
	{0},
};
