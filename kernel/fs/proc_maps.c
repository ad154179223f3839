/* What the files of /proc/PID say about its memory, and access to the memory of another process. */
#include "kernel/fs/proc.h"
#include "kernel/process.h"
#include "mm/heap.h"
#include "mm/object.h"
#include "mm/tree.h"

#define NAME_COLUMN 73 /* of a line of maps, where Linux puts the name */

static bool is_heap(const struct mm *mm, const struct region *region)
{
	return mm->brk > mm->brk_start && region->start < mm->brk && region->end > mm->brk_start;
}

static bool is_stack(const struct mm *mm, const struct region *region)
{
	return region->start < mm->stack_top && region->end >= mm->stack_top;
}

static void show_name(struct text *text, size_t line, const char *name)
{
	text_pad(text, line, NAME_COLUMN);
	text_append(text, name, strlen(name));
}

static void show_region(struct text *text, const struct mm *mm, const struct region *region,
			char *path)
{
	struct inode *inode = region->object ? object_inode(region->object) : NULL;
	size_t line = text->length;

	text_print(text, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %lu ", region->start, region->end,
		   region->prot & PROT_READ ? 'r' : '-', region->prot & PROT_WRITE ? 'w' : '-',
		   region->prot & PROT_EXEC ? 'x' : '-', region->flags & MAP_SHARED ? 's' : 'p',
		   region->offset, inode ? inode->fs->dev : 0, inode ? inode->ino : 0);
	if (inode && inode_path(inode, path, PATH_MAX))
		show_name(text, line, path);
	else if (!region->object && is_heap(mm, region))
		show_name(text, line, "[heap]");
	else if (!region->object && is_stack(mm, region))
		show_name(text, line, "[stack]");
	text_append(text, "\n", 1);
	inode_put(inode);
}

void proc_show_maps(struct text *text, struct process *process)
{
	struct mm *mm = process->mm;
	char *path = kmalloc(PATH_MAX);
	struct region region;
	vaddr_t at = 0;

	text->failed = text->failed || !path;
	while (mm && !text->failed && mm_region_at(mm, at, &region)) {
		show_region(text, mm, &region, path);
		if (region.object)
			object_put(region.object);
		at = region.end;
	}
	kfree(path);
}

static bool show_node(void *context, const struct node_info *node)
{
	struct text *text = context;

	text_print(text, "%u 0x%lx %u %u %u %u %u 0x%lx\n", node->level, node->start, node->refs,
		   node->used, node->present, node->shared_pages, node->owned, node->at);
	return !text->failed;
}

void proc_show_memtree(struct text *text, struct process *process)
{
	if (process->mm)
		mm_walk(process->mm, show_node, text);
}

/* The page at addr, NULL when none is there; *next is the first address that may have another one.
 * locked: mm, reader */
static struct page *page_at(const struct mm *mm, vaddr_t addr, vaddr_t *next)
{
	struct page *table = mm->root;

	for (u32 level = ROOT_LEVEL;; level--) {
		u64 entry = *node_at(table, entry_index(addr, level));

		*next = ROUND_DOWN(addr, entry_span(level)) + entry_span(level);
		if (!entry)
			return NULL;
		table = entry_child(entry);
		if (level == 1)
			return table;
	}
}

size_t proc_read_memory(struct mm *mm, u64 from, void *to, size_t bytes)
{
	size_t done = 0;

	read_lock(&mm->lock);
	while (done < bytes && from + done < USER_END) {
		vaddr_t at = from + done, next;
		struct page *page = page_at(mm, at, &next);
		size_t part = MIN(bytes - done, PAGE_SIZE - (at & PAGE_MASK));

		if (!page)
			break;
		memcpy((char *)to + done, (char *)page_virt(page) + (at & PAGE_MASK), part);
		done += part;
	}
	read_unlock(&mm->lock);
	return done;
}

/* Pages of [start, end) that an object caches. */
static u64 count_object_pages(struct mm *mm, vaddr_t start, vaddr_t end)
{
	u64 count = 0;

	read_lock(&mm->lock);
	for (vaddr_t at = start, next; at < end; at = next) {
		struct page *page = page_at(mm, at, &next);

		count += page && page != zero_page && page->object;
	}
	read_unlock(&mm->lock);
	return count;
}

void proc_count_object_pages(struct mm *mm, u64 *file, u64 *shared)
{
	struct region region;
	vaddr_t at = 0;

	*file = *shared = 0;
	while (mm_region_at(mm, at, &region)) {
		at = region.end;
		if (!region.object)
			continue;
		*(region.flags & MAP_SHARED ? shared : file) +=
			count_object_pages(mm, region.start, region.end);
		object_put(region.object);
	}
}
