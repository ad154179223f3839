/* KTAP for host tests: see tests/host/ktap.h. */
#include "tests/host/ktap.h"

static u32 failures; /* of the running case */

void ktap_check(bool good, const char *file, int line, const char *what, i64 got, i64 want)
{
	if (good)
		return;
	printf("# %s:%d: %s: %ld, not %ld\n", file, line, what, got, want);
	failures++;
}

int ktap_run(const struct ktap_case *cases, u32 count)
{
	u32 failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%u\n", count);
	for (u32 i = 0; i < count; i++) {
		failures = 0;
		cases[i].run();
		printf("%s %u - %s\n", failures ? "not ok" : "ok", i + 1, cases[i].name);
		failed += failures > 0;
	}
	return failed > 0;
}
