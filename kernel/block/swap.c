/*
 * Which block devices are swapped to. A device's first page says what of it may be used, in Linux's format (mkswap(8)); what
 * is done with the rest is mm/swap.c's affair.
 *
 * A swap area has its device for itself (block_claim()) from before its header is read until its last page is back.
 */
#include "kernel/block/swap.h"
#include "kernel/block/block.h"
#include "kernel/block/ram.h"
#include "kernel/cmdline.h"
#include "kernel/fs/text.h"
#include "kernel/random.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/machine.h"
#include "mm/swap.h"

#define VERSION        1u
#define BAD_PAGES_MAX  637u /* that the header has room for */
#define SIGNATURE      "SWAPSPACE2"
#define SIGNATURE_SIZE 10

/* Linux's include/linux/swap.h. */
struct swap_header {
	u8 boot[1024]; /* a boot loader's; not looked at */
	u32 version, last_page, bad_count;
	u8 uuid[16], label[16];
	u32 unused[117];
	u32 bad[BAD_PAGES_MAX];
	u8 gap[2];
	char signature[SIGNATURE_SIZE];
};
_Static_assert(offsetof(struct swap_header, bad) == 1536, "Linux's union swap_header");
_Static_assert(sizeof(struct swap_header) == PAGE_SIZE, "Linux's union swap_header");

/* Guards each device's swap_area and swap_leaving. */
static struct rwlock areas_lock = RWLOCK(RANK_SWAPS);

static int store_read(void *device, u64 page, void *to)
{
	return block_read(device, page, to);
}

static int store_write(void *device, u64 page, const void *from)
{
	return block_write(device, page, from);
}

static const struct swap_store block_store = {store_read, store_write};

/* ---- The header ---- */

/* A header made by a machine of the other byte order is as good. */
static void turn_bytes(struct swap_header *header)
{
	header->version = __builtin_bswap32(header->version);
	header->last_page = __builtin_bswap32(header->last_page);
	header->bad_count = __builtin_bswap32(header->bad_count);
	for (u32 i = 0; i < MIN(header->bad_count, BAD_PAGES_MAX); i++)
		header->bad[i] = __builtin_bswap32(header->bad[i]);
}

/* What is wrong with the header of an area on a device of so many pages; NULL: nothing. */
static const char *fault_of(const struct swap_header *header, u64 pages)
{
	if (memcmp(header->signature, SIGNATURE, SIGNATURE_SIZE) != 0)
		return "no signature of a swap area";
	if (header->version != VERSION)
		return "a swap area of unknown version";
	if (header->last_page >= pages)
		return "the swap area was made for a larger device";
	if (header->bad_count > BAD_PAGES_MAX)
		return "too many bad pages";
	for (u32 i = 0; i < header->bad_count; i++)
		if (header->bad[i] == 0 || header->bad[i] > header->last_page)
			return "bad pages that are none of the area's";
	return header->bad_count >= header->last_page ? "an empty swap area" : NULL;
}

static int read_header(struct block_device *device, struct swap_header *header)
{
	u64 pages = block_bytes(device) >> PAGE_SHIFT;
	int error = pages ? block_read(device, 0, header) : -EINVAL;
	const char *fault;

	if (error)
		return error;
	if (header->version == __builtin_bswap32(VERSION))
		turn_bytes(header);
	fault = fault_of(header, pages);
	if (fault)
		printk("swapon: /dev/%s: %s\n", device->name, fault);
	return fault ? -EINVAL : 0;
}

/* ---- On and off ---- */

/* What swap_area_info() says of the device's area; false when there is none. locked: areas */
static bool area_of(const struct block_device *device, struct swap_area_info *info)
{
	return device->swap_area >= 0 && swap_area_info((u32)device->swap_area, info);
}

/* Below all others, as Linux's first is -2. locked: areas */
static i32 next_priority(void)
{
	struct swap_area_info info;
	i32 least = -1;

	for (struct block_device *at = block_next(NULL); at; at = block_next(at))
		if (area_of(at, &info))
			least = MIN(least, info.priority);
	return least - 1;
}

static int add_area(struct block_device *device, const struct swap_header *header, u32 flags)
{
	i32 priority;
	int area;

	write_lock(&areas_lock);
	priority = flags & SWAP_FLAG_PREFER ? (i32)(flags & SWAP_FLAG_PRIORITY) : next_priority();
	area = swap_area_add(&block_store, device, header->last_page, header->bad,
			     header->bad_count, priority);
	if (area >= 0)
		device->swap_area = area;
	write_unlock(&areas_lock);
	if (area < 0)
		return area;
	printk("Adding %luk swap on /dev/%s.  Priority:%d\n",
	       (u64)(header->last_page - header->bad_count) * (PAGE_SIZE / 1024), device->name,
	       priority);
	return 0;
}

int swap_on(struct block_device *device, u32 flags)
{
	struct swap_header *header;
	int error = block_claim(device, device);

	if (error)
		return error;
	header = kmalloc(sizeof(*header));
	if (!header)
		error = -ENOMEM;
	else if (device->read_only)
		error = -EROFS;
	else
		error = read_header(device, header);
	if (!error)
		error = add_area(device, header, flags);
	kfree(header);
	if (error)
		block_unclaim(device, device);
	return error;
}

/* The area's pages are brought back without the lock: that takes long. Meanwhile nobody else may begin to. */
int swap_off(struct block_device *device)
{
	struct swap_area_info info;
	int error = 0;

	write_lock(&areas_lock);
	if (!area_of(device, &info) || device->swap_leaving)
		error = -EINVAL;
	else
		device->swap_leaving = true;
	write_unlock(&areas_lock);
	if (error)
		return error;
	error = swap_area_remove((u32)device->swap_area);
	write_lock(&areas_lock);
	device->swap_leaving = false;
	if (!error)
		device->swap_area = NO_SWAP_AREA;
	write_unlock(&areas_lock);
	if (!error)
		block_unclaim(device, device);
	return error;
}

/* ---- At boot ---- */

/* Makes the whole device a swap area. */
static int make_header(struct block_device *device)
{
	struct swap_header *header = kmalloc(sizeof(*header));
	int error;

	if (!header)
		return -ENOMEM;
	header->version = VERSION;
	header->last_page = (u32)MIN((block_bytes(device) >> PAGE_SHIFT) - 1, UINT32_MAX);
	random_bytes(header->uuid, sizeof(header->uuid));
	memcpy(header->signature, SIGNATURE, SIGNATURE_SIZE);
	error = block_write(device, 0, header);
	kfree(header);
	return error;
}

void swap_init(void)
{
	struct block_device *device = block_find(RAMDISK_RDEV);
	int error;

	if (!device || cmdline_word("noswap"))
		return;
	error = make_header(device);
	if (!error)
		error = swap_on(device, 0);
	if (error)
		printk("no swap on /dev/%s: error %d\n", device->name, -error);
}

/* ---- /proc/swaps ---- */

#define NAME_COLUMN 40u
#define WIDE        10000000u /* figures from here on leave no room for a second tab */

static void show_area(struct text *text, const char *name, const struct swap_area_info *info)
{
	size_t start = text->length;
	u64 size = info->pages * (PAGE_SIZE / 1024), used = info->used * (PAGE_SIZE / 1024);

	text_print(text, "/dev/%s", name);
	text_pad(text, start, NAME_COLUMN);
	text_print(text, "partition\t%lu\t%s%lu\t%s%d\n", size, size < WIDE ? "\t" : "", used,
		   used < WIDE ? "\t" : "", info->priority);
}

void swap_show(struct text *text, struct process *process)
{
	struct swap_area_info info;

	(void)process;
	text_print(text, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	read_lock(&areas_lock);
	for (struct block_device *at = block_next(NULL); at; at = block_next(at))
		if (area_of(at, &info))
			show_area(text, at->name, &info);
	read_unlock(&areas_lock);
}
