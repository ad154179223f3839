/*
 * The ramdisk: a block device in memory, all of which it takes at boot. A disk that took frames as they are first written
 * could not be swapped to when memory is out, which is what it is for.
 *
 * What was never written reads as zeroes without having been cleared: a bit for each page says whether it was. So the
 * memory of a large disk that nobody uses is not touched, in the guest or, behind it, on the host.
 */
#include "kernel/block/ram.h"
#include "kernel/block/block.h"
#include "kernel/cmdline.h"
#include "mm/errno.h"
#include "mm/frame.h"
#include "mm/heap.h"

#define DEFAULT_SHARE   4u /* one page in so many of all memory, */
#define MOST_SHARE      2u /* and never more than one in so many of what is free */
#define PAGES_PER_CHUNK (1ul << MAX_ORDER)
#define BITS_PER_WORD   64u

struct ramdisk {
	struct block_device device;
	u64 pages;
	u8 **chunks; /* each of PAGES_PER_CHUNK pages, but the last, which may be smaller */
	_Atomic u64 *written; /* a bit for each page */
};

static struct ramdisk *ramdisk_of(struct block_device *device)
{
	return container_of(device, struct ramdisk, device);
}

static void *page_at(const struct ramdisk *disk, u64 page)
{
	return disk->chunks[page / PAGES_PER_CHUNK] + page % PAGES_PER_CHUNK * PAGE_SIZE;
}

static int ram_read(struct block_device *device, u64 page, void *to)
{
	const struct ramdisk *disk = ramdisk_of(device);

	if (atomic_load(&disk->written[page / BITS_PER_WORD]) >> page % BITS_PER_WORD & 1)
		copy_page(to, page_at(disk, page));
	else
		clear_page(to);
	return 0;
}

static int ram_write(struct block_device *device, u64 page, const void *from)
{
	struct ramdisk *disk = ramdisk_of(device);

	copy_page(page_at(disk, page), from);
	atomic_fetch_or(&disk->written[page / BITS_PER_WORD], 1ul << page % BITS_PER_WORD);
	return 0;
}

static const struct block_ops ram_ops = {.read = ram_read, .write = ram_write};

static struct ramdisk ram0 = {.device = {
				      .name = "ram0",
				      .rdev = RAMDISK_RDEV,
				      .ops = &ram_ops,
			      }};

/* The order of the smallest block that holds so many pages, 1 to PAGES_PER_CHUNK. */
static u32 order_of(u64 pages)
{
	return pages == 1 ? 0 : 64 - (u32)__builtin_clzl(pages - 1);
}

/* Takes memory for as many of the pages as there is some, whole chunks at a time, and makes that the size. */
static void take_memory(struct ramdisk *disk, u64 pages)
{
	u64 chunks = (pages + PAGES_PER_CHUNK - 1) / PAGES_PER_CHUNK;

	disk->chunks = kmalloc(chunks * sizeof(*disk->chunks));
	disk->written = kmalloc(ROUND_UP(pages, BITS_PER_WORD) / 8);
	if (!disk->chunks || !disk->written)
		return;
	for (u64 i = 0; i < chunks; i++) {
		u64 part = MIN(pages - disk->pages, PAGES_PER_CHUNK);
		struct page *memory = frame_alloc(order_of(part));

		if (!memory)
			break;
		disk->chunks[i] = page_virt(memory);
		disk->pages += part;
	}
	disk->device.sectors = disk->pages * SECTORS_PER_PAGE;
}

/* "64M" in pages, rounded down; false when it is no size. */
static bool parse_size(const char *text, u64 *pages)
{
	static const char units[] = "KMG";
	u64 bytes = 0;
	const char *unit;

	if (!*text)
		return false;
	for (; *text >= '0' && *text <= '9' && bytes < 1ul << 40; text++)
		bytes = bytes * 10 + (u64)(*text - '0');
	for (unit = units; *unit && *text; unit++) {
		bytes <<= 10;
		if ((*text & ~0x20) == *unit) {
			text++;
			break;
		}
	}
	if (*text)
		return false;
	*pages = bytes >> PAGE_SHIFT;
	return true;
}

static u64 pages_wanted(void)
{
	const char *word = cmdline_word("ramdisk");
	u64 pages = ROUND_DOWN(frames_total() / DEFAULT_SHARE, PAGES_PER_CHUNK);

	if (word && !parse_size(word, &pages))
		printk("ramdisk=%s is no size: it has the default one\n", word);
	return MIN(pages, frames_free() / MOST_SHARE);
}

void ramdisk_init(void)
{
	u64 wanted = pages_wanted();

	if (wanted)
		take_memory(&ram0, wanted);
	if (ram0.pages < wanted)
		printk("ram0: memory for %lu of %lu pages\n", ram0.pages, wanted);
	if (ram0.pages && block_register(&ram0.device))
		printk("ram0: no memory for its node in /dev\n");
}
