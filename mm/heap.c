/*
 * The heap: slabs of one frame, each cut into chunks of one size class (Bonwick 1994, without the
 * constructors).
 *
 * A slab with a free chunk is on partial[class]; a full one is on no list; an empty one is freed at
 * once. The free chunks of a slab are linked through their first two bytes, by offset in the frame:
 * page->free_chunk is the first.
 */
#include "mm/heap.h"
#include "mm/frame.h"

#define NO_CHUNK 0xffff

static const u16 class_size[] = {16,  32,  48,  64,  96,   128,  192,
				 256, 384, 512, 768, 1024, 1344, 2048};
#define CLASSES ARRAY_SIZE(class_size)
#define LARGEST 2048u

static struct spinlock heap_lock = SPINLOCK(RANK_HEAP);
/* guarded by heap_lock: */
static struct list partial[CLASSES];
static u64 bytes_out;

static u32 class_of(size_t size)
{
	u32 class = 0;

	while (class_size[class] < size)
		class ++;
	return class;
}

static u16 *chunk_at(struct page *slab, u16 offset)
{
	return (u16 *)((char *)page_virt(slab) + offset);
}

/* locked: heap_lock */
static struct page *slab_create(u32 class)
{
	struct page *slab = frame_alloc(0);

	if (!slab)
		return NULL;
	slab->type = PAGE_SLAB;
	slab->level = (u8) class;
	slab->chunks = 0;
	slab->free_chunk = NO_CHUNK;
	for (u32 at = 0; at + class_size[class] <= PAGE_SIZE; at += class_size[class]) {
		*chunk_at(slab, (u16)at) = slab->free_chunk;
		slab->free_chunk = (u16)at;
	}
	list_push_front(&partial[class], &slab->link);
	return slab;
}

static void *slab_alloc(u32 class)
{
	struct page *slab = NULL;
	u16 *chunk = NULL;

	if (frames_refuse())
		return NULL;
	spin_lock(&heap_lock);
	if (!partial[class].next)
		list_init(&partial[class]);
	slab = list_empty(&partial[class]) ? slab_create(class)
					   : list_first(&partial[class], struct page, link);
	if (slab) {
		chunk = chunk_at(slab, slab->free_chunk);
		slab->free_chunk = *chunk;
		slab->chunks++;
		bytes_out += class_size[class];
		if (slab->free_chunk == NO_CHUNK)
			list_remove(&slab->link);
	}
	spin_unlock(&heap_lock);
	return chunk;
}

static void slab_free(struct page *slab, void *chunk)
{
	u16 offset = (u16)((u64)chunk & PAGE_MASK);

	spin_lock(&heap_lock);
	ASSERT(slab->chunks > 0 && offset % class_size[slab->level] == 0, "chunk %p of class %u",
	       chunk, class_size[slab->level]);
	if (slab->free_chunk == NO_CHUNK)
		list_push_front(&partial[slab->level], &slab->link);
	*(u16 *)chunk = slab->free_chunk;
	slab->free_chunk = offset;
	bytes_out -= class_size[slab->level];
	if (--slab->chunks == 0) {
		list_remove(&slab->link);
		frame_free(slab, 0);
	}
	spin_unlock(&heap_lock);
}

static u32 order_of(size_t size)
{
	u32 order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

static void *large_alloc(size_t size)
{
	u32 order = order_of(size);
	struct page *page = frame_alloc(order);

	if (!page)
		return NULL;
	spin_lock(&heap_lock);
	bytes_out += PAGE_SIZE << order;
	spin_unlock(&heap_lock);
	return page_virt(page);
}

void *kmalloc(size_t size)
{
	if (size == 0 || size > PAGE_SIZE << MAX_ORDER)
		return NULL;

	void *at = size <= LARGEST ? slab_alloc(class_of(size)) : large_alloc(size);

	if (at)
		memset(at, 0, size);
	return at;
}

void kfree(void *at)
{
	if (!at)
		return;

	struct page *page = virt_page(at);

	if (page->type == PAGE_SLAB) {
		slab_free(page, at);
		return;
	}
	ASSERT(page->type == PAGE_KERNEL && ((u64)at & PAGE_MASK) == 0, "%p has type %u", at,
	       page->type);
	spin_lock(&heap_lock);
	bytes_out -= PAGE_SIZE << page->order;
	spin_unlock(&heap_lock);
	frame_free(page, page->order);
}

u64 heap_bytes(void)
{
	return bytes_out;
}
