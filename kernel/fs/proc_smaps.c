/* How full the regions of a process are, in sum and page by page: smaps, smaps_rollup and pagemap. */
#include "kernel/fs/io.h"
#include "kernel/fs/proc.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/object.h"

#define KB_PER_PAGE 4u

static void add_usage(struct region_usage *sum, const struct region_usage *more)
{
	sum->resident += more->resident;
	sum->cached += more->cached;
	sum->shared_clean += more->shared_clean;
	sum->shared_dirty += more->shared_dirty;
	sum->private_clean += more->private_clean;
	sum->private_dirty += more->private_dirty;
	sum->referenced += more->referenced;
	sum->pss += more->pss;
	sum->pss_dirty += more->pss_dirty;
	sum->swapped += more->swapped;
	sum->swap_pss += more->swap_pss;
}

static void show_kb(struct text *text, const char *name, u64 kb)
{
	char label[24];

	snprintf(label, sizeof(label), "%s:", name);
	text_print(text, "%-16s%8lu kB\n", label, kb);
}

static u64 pss_kb(pss_t pss)
{
	return (u64)(pss / (PSS_PAGE / KB_PER_PAGE));
}

/* What smaps and smaps_rollup have in common, in Linux's order. */
static void show_usage(struct text *text, const struct region_usage *usage, u64 locked_kb)
{
	show_kb(text, "Rss", usage->resident * KB_PER_PAGE);
	show_kb(text, "Pss", pss_kb(usage->pss));
	show_kb(text, "Pss_Dirty", pss_kb(usage->pss_dirty));
	show_kb(text, "Shared_Clean", usage->shared_clean * KB_PER_PAGE);
	show_kb(text, "Shared_Dirty", usage->shared_dirty * KB_PER_PAGE);
	show_kb(text, "Private_Clean", usage->private_clean * KB_PER_PAGE);
	show_kb(text, "Private_Dirty", usage->private_dirty * KB_PER_PAGE);
	show_kb(text, "Referenced", usage->referenced * KB_PER_PAGE);
	show_kb(text, "Anonymous", (usage->resident - usage->cached) * KB_PER_PAGE);
	show_kb(text, "LazyFree", 0);
	show_kb(text, "AnonHugePages", 0);
	show_kb(text, "ShmemPmdMapped", 0);
	show_kb(text, "FilePmdMapped", 0);
	show_kb(text, "Shared_Hugetlb", 0);
	show_kb(text, "Private_Hugetlb", 0);
	show_kb(text, "Swap", usage->swapped * KB_PER_PAGE);
	show_kb(text, "SwapPss", pss_kb(usage->swap_pss));
	show_kb(text, "Locked", locked_kb);
}

/* Linux's two letters for what a region is (Documentation/filesystems/proc.rst). */
static void show_flags(struct text *text, const struct region *region)
{
	const u32 prot = region->prot, flags = region->flags;
	const struct {
		const char *letters;
		bool set;
	} all[] = {
		{"rd", prot & PROT_READ},
		{"wr", prot & PROT_WRITE},
		{"ex", prot & PROT_EXEC},
		{"sh", flags & MAP_SHARED},
		{"mr", true},
		{"mw", !(flags & MAP_DENYWRITE)},
		{"me", true},
		{"ms", flags & MAP_SHARED},
		{"gd", flags & MAP_GROWSDOWN},
		{"lo", flags & MAP_LOCKED},
		{"sr", flags & REGION_SEQUENTIAL},
		{"rr", flags & REGION_RANDOM},
		{"dc", flags & REGION_DONTFORK},
		{"ac", flags & REGION_ACCOUNT},
		{"nr", flags & MAP_NORESERVE},
		{"lf", flags & REGION_ONFAULT},
		{"wf", flags & REGION_WIPEONFORK},
		{"dd", flags & REGION_DONTDUMP},
	};

	text_print(text, "VmFlags:");
	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].set)
			text_print(text, " %s", all[i].letters);
	text_print(text, "\n");
}

static u64 locked_kb(const struct region *region, const struct region_usage *usage)
{
	return region->flags & MAP_LOCKED ? pss_kb(usage->pss) : 0;
}

static void show_smap(struct text *text, struct mm *mm, const struct region *region,
		      const struct region_usage *usage, char *path)
{
	proc_show_region(text, mm, region, path);
	show_kb(text, "Size", (region->end - region->start) / 1024);
	show_kb(text, "KernelPageSize", KB_PER_PAGE);
	show_kb(text, "MMUPageSize", KB_PER_PAGE);
	show_usage(text, usage, locked_kb(region, usage));
	text_print(text, "THPeligible:    %u\n", 0);
	show_flags(text, region);
}

void proc_show_smaps(struct text *text, struct process *process)
{
	struct mm *mm = process_mm(process);
	char *path = kmalloc(PATH_MAX);
	struct region_usage usage;
	struct region region;
	vaddr_t at = 0;

	text->failed = text->failed || !path;
	while (mm && !text->failed && mm_region_usage(mm, at, &region, &usage)) {
		show_smap(text, mm, &region, &usage, path);
		if (region.object)
			object_put(region.object);
		at = region.end;
	}
	kfree(path);
	if (mm)
		mm_put(mm);
}

/* Bytes with nine decimal places, far more than the division of 2^62 parts of a page loses: so that the
 * sum over all processes is exact once it is rounded to bytes. */
static void show_pss_bytes(struct text *text, pss_t pss)
{
	const u64 byte = PSS_PAGE / PAGE_SIZE;
	u64 whole = (u64)(pss / byte), rest = (u64)(pss % byte);

	text_print(text, "Pss_Bytes:      %lu.%09lu\n", whole,
		   (u64)((unsigned __int128)rest * 1000000000 / byte));
}

static void show_rollup(struct text *text, struct mm *mm)
{
	struct region_usage sum = {0}, usage;
	vaddr_t at = 0, first = 0;
	struct region region;
	u64 locked = 0;

	while (mm_region_usage(mm, at, &region, &usage)) {
		first = at ? first : region.start;
		add_usage(&sum, &usage);
		locked += locked_kb(&region, &usage);
		if (region.object)
			object_put(region.object);
		at = region.end;
	}
	text_print(text, "%08lx-%08lx ---p 00000000 00:00 0 ", first, at);
	text_pad(text, 0, 73);
	text_print(text, "[rollup]\n");
	show_usage(text, &sum, locked);
	show_pss_bytes(text, sum.pss);
}

void proc_show_smaps_rollup(struct text *text, struct process *process)
{
	struct mm *mm = process_mm(process);

	if (!mm)
		return;
	show_rollup(text, mm);
	mm_put(mm);
}

bool proc_is_shared_memory(struct object *object)
{
	struct inode *inode = object_inode(object);
	const struct object_label *label = object->label;
	bool is_file = inode ? inode->parent && inode->fs == fs_root->fs
			     : label && label->dev == fs_root->fs->dev && label->placed;

	inode_put(inode);
	return !is_file;
}

void proc_count_object_pages(struct mm *mm, u64 *file, u64 *shared)
{
	struct region_usage usage;
	struct region region;
	vaddr_t at = 0;

	*file = *shared = 0;
	while (mm_region_at(mm, at, &region)) {
		vaddr_t start = region.start;

		at = region.end;
		if (!region.object)
			continue;
		bool is_file = !proc_is_shared_memory(region.object);

		object_put(region.object);
		if (!mm_region_usage(mm, start, &region, &usage))
			return;
		*(is_file ? file : shared) += usage.cached;
		if (region.object)
			object_put(region.object);
	}
}

/* ---- pagemap (Documentation/admin-guide/mm/pagemap.rst) ---- */

#define PAGEMAP_PFN       ((1ul << 55) - 1)
#define PAGEMAP_EXCLUSIVE (1ul << 56)
#define PAGEMAP_FILE      (1ul << 61) /* or shared anonymous */
#define PAGEMAP_SWAP      (1ul << 62) /* with the area in bits 0 to 4 and the slot above it */
#define PAGEMAP_PRESENT   (1ul << 63)

static u64 pagemap_entry(struct mm *mm, vaddr_t addr)
{
	struct page_info info;

	mm_page_info(mm, addr, &info);
	if (info.swapped)
		return PAGEMAP_SWAP | info.slot << 5 | info.area |
		       (info.exclusive ? PAGEMAP_EXCLUSIVE : 0);
	if (!info.present)
		return 0;
	return PAGEMAP_PRESENT | (info.pfn & PAGEMAP_PFN) | (info.cached ? PAGEMAP_FILE : 0) |
	       (info.exclusive ? PAGEMAP_EXCLUSIVE : 0);
}

static i64 read_pagemap(struct mm *mm, struct io *to, u64 offset)
{
	u64 at = offset, end = (USER_END >> PAGE_SHIFT) * sizeof(u64);

	while (to->left && at < end) {
		u64 entry = pagemap_entry(mm, at / sizeof(u64) << PAGE_SHIFT);

		if (io_put(to, &entry, sizeof(entry)) < sizeof(entry))
			return at > offset ? (i64)(at - offset) : -EFAULT;
		at += sizeof(entry);
	}
	return (i64)(at - offset);
}

i64 proc_read_pagemap(struct process *process, struct io *to, u64 offset)
{
	struct mm *mm;
	i64 result;

	if (offset % sizeof(u64) || to->left % sizeof(u64))
		return -EINVAL;
	mm = process_mm(process);
	if (!mm)
		return 0;
	result = read_pagemap(mm, to, offset);
	mm_put(mm);
	return result;
}
