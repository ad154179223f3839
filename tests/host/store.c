#include "tests/host/store.h"

#include "mm/errno.h"
#include "tests/host/machine.h"

struct store store;

/* Whether this one fails, of those that *countdown counts. */
static bool fails(struct store *on, u64 *countdown)
{
	bool fail = *countdown && --*countdown == 0;

	on->failed += fail;
	return fail;
}

static void let_others_run(void (**hook)(void))
{
	void (*run)(void) = *hook;

	*hook = NULL;
	if (run)
		machine_as_another(run);
}

static int store_read(void *device, u64 page, void *to)
{
	struct store *on = device;

	ASSERT(page > 0 && page < STORE_PAGES, "page %lu", page);
	if (fails(on, &on->fail_read))
		return -EIO;
	on->reads++;
	memcpy(to, on->pages[page], PAGE_SIZE);
	let_others_run(&on->during_read);
	return 0;
}

static int store_write(void *device, u64 page, const void *from)
{
	struct store *on = device;

	ASSERT(page > 0 && page < STORE_PAGES, "page %lu", page);
	memset(on->pages[page], 0xee, PAGE_SIZE); /* what a write leaves that breaks off */
	if (fails(on, &on->fail_write))
		return -EIO;
	on->writes++;
	memcpy(on->pages[page], from, PAGE_SIZE);
	let_others_run(&on->during_write);
	return memcmp(on->pages[page], from, PAGE_SIZE) ? -EIO : 0; /* nobody may have written */
}

const struct swap_store store_calls = {store_read, store_write};

int store_add(struct store *on, u64 slots, i32 priority)
{
	return swap_area_add(&store_calls, on, slots, NULL, 0, priority);
}
