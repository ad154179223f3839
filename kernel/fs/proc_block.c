/*
 * /proc/sys/dev/block_faults: what goes to and from block devices, and a knob that makes some of it fail.
 *
 * Reading gives two lines a device, "ram0 read 12 failed 1" and the same for write. Writing "ram0 read WHICH" makes reads
 * fail with EIO, instead of those that were to fail before; WHICH is one of
 *
 *	nth N     the Nth from now
 *	from N    it and all after it
 *	page N    all of this page
 *	none
 */
#include "kernel/block/block.h"
#include "kernel/fs/proc.h"
#include "mm/errno.h"

static void show_traffic(struct text *text, const char *name, const char *way,
			 const struct block_traffic *traffic)
{
	text_print(text, "%s %s %lu failed %lu\n", name, way, traffic->operations, traffic->failed);
}

static void show_faults(struct text *text, struct process *process)
{
	(void)process;
	for (struct block_device *at = block_next(NULL); at; at = block_next(at)) {
		show_traffic(text, at->name, "read", &at->reads);
		show_traffic(text, at->name, "write", &at->writes);
	}
}

/* Steps over word, which ends with a space or the text; false when the text begins otherwise. */
static bool skip_word(const char **text, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*text, word, length) != 0)
		return false;
	if ((*text)[length] && (*text)[length] != ' ' && (*text)[length] != '\n')
		return false;
	*text += length;
	while (**text == ' ')
		++*text;
	return true;
}

static struct block_device *skip_device(const char **text)
{
	struct block_device *device = block_next(NULL);

	while (device && !skip_word(text, device->name))
		device = block_next(device);
	return device;
}

/* The number that is the rest of the text; false when it is none. */
static bool parse_number(const char *text, u64 *value)
{
	const char *digit = text;

	for (*value = 0; *digit >= '0' && *digit <= '9' && *value < INT64_MAX / 10; digit++)
		*value = *value * 10 + (u64)(*digit - '0');
	return digit > text && (!*digit || *digit == '\n');
}

/* Operations with numbers from first to last, and those of a page. */
static void set_faults(struct block_traffic *traffic, u64 first, u64 last, u64 page)
{
	atomic_store(&traffic->fail_first, BLOCK_FAIL_NONE);
	atomic_store(&traffic->fail_page, page);
	atomic_store(&traffic->fail_last, last);
	atomic_store(&traffic->fail_first, first);
}

static int parse_faults(struct block_traffic *traffic, const char *text)
{
	bool nth = skip_word(&text, "nth"), from = !nth && skip_word(&text, "from");
	bool page = !nth && !from && skip_word(&text, "page");
	u64 number, now = atomic_load(&traffic->operations);

	if (!nth && !from && !page) {
		if (!skip_word(&text, "none") || (*text && *text != '\n'))
			return -EINVAL;
		set_faults(traffic, BLOCK_FAIL_NONE, 0, BLOCK_FAIL_NONE);
		return 0;
	}
	if (!parse_number(text, &number) || (!page && !number))
		return -EINVAL;
	if (page)
		set_faults(traffic, BLOCK_FAIL_NONE, 0, number);
	else
		set_faults(traffic, now + number, nth ? now + number : UINT64_MAX, BLOCK_FAIL_NONE);
	return 0;
}

static int store_faults(const char *text, struct process *process)
{
	struct block_device *device = skip_device(&text);

	(void)process;
	if (!device)
		return -EINVAL;
	if (skip_word(&text, "read"))
		return parse_faults(&device->reads, text);
	return skip_word(&text, "write") ? parse_faults(&device->writes, text) : -EINVAL;
}

const struct proc_entry proc_dev_entries[] = {
	{.name = "block_faults",
	 .mode = S_IFREG | 0644,
	 .show = show_faults,
	 .store = store_faults},
	{0},
};
