/* What the files of /proc/PID say about the regions and tables of its memory; how full they are is in
 * proc_smaps.c. */
#include "kernel/fs/proc.h"
#include "kernel/process.h"
#include "mm/heap.h"
#include "mm/object.h"

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

/* What is mapped: its file, by name or as it was called, or what it is for. */
struct identity {
	const char *name; /* NULL: it has none */
	u32 dev;
	u64 ino;
};

static struct identity identify_file(struct object *object, char *path)
{
	struct inode *inode = object_inode(object);
	const struct object_label *label = object->label;
	struct identity identity = {NULL, 0, 0};

	if (inode)
		identity = (struct identity) {inode_path(inode, path, PATH_MAX) ? path : NULL,
					      inode->fs->dev, inode->ino};
	else if (label)
		identity = (struct identity) {label->path, label->dev, label->ino};
	inode_put(inode);
	return identity;
}

static struct identity identify(const struct mm *mm, const struct region *region, char *path)
{
	if (region->object)
		return identify_file(region->object, path);
	return (struct identity) {is_heap(mm, region)    ? "[heap]"
				  : is_stack(mm, region) ? "[stack]"
							 : NULL,
				  0, 0};
}

void proc_show_region(struct text *text, struct mm *mm, const struct region *region, char *path)
{
	struct identity identity = identify(mm, region, path);
	size_t line = text->length;

	text_print(text, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %lu ", region->start, region->end,
		   region->prot & PROT_READ ? 'r' : '-', region->prot & PROT_WRITE ? 'w' : '-',
		   region->prot & PROT_EXEC ? 'x' : '-', region->flags & MAP_SHARED ? 's' : 'p',
		   region->object ? region->offset : 0, identity.dev, identity.ino);
	if (identity.name)
		show_name(text, line, identity.name);
	text_append(text, "\n", 1);
}

void proc_show_maps(struct text *text, struct process *process)
{
	struct mm *mm = process_mm(process);
	char *path = kmalloc(PATH_MAX);
	struct region region;
	vaddr_t at = 0;

	text->failed = text->failed || !path;
	while (mm && !text->failed && mm_region_at(mm, at, &region)) {
		proc_show_region(text, mm, &region, path);
		if (region.object)
			object_put(region.object);
		at = region.end;
	}
	kfree(path);
	if (mm)
		mm_put(mm);
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
	struct mm *mm = process_mm(process);

	if (!mm)
		return;
	mm_walk(mm, show_node, text);
	mm_put(mm);
}
