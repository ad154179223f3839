/*
 * Objects: a radix tree of 512-way tables of pointers, as high as the largest page number needs. A
 * table is a frame of type PAGE_KERNEL. A page in the tree has the object's hold in its refs and
 * page->object set.
 */
#include "mm/object.h"
#include "mm/commit.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/tree.h"

#define FANOUT_SHIFT 9
#define FANOUT       (1u << FANOUT_SHIFT)

static struct spinlock all_lock = SPINLOCK(RANK_LISTS);
static struct list all_objects = {&all_objects, &all_objects}; /* guarded by all_lock */

struct object *object_create(u64 size, void *owner)
{
	struct object *object = kmalloc(sizeof(*object));

	if (!object)
		return NULL;
	lock_set_rank(&object->lock, RANK_OBJECT);
	object->refs = 1;
	lock_set_rank(&object->mappers, RANK_MAPPERS);
	object->size = size;
	object->owner = owner;
	spin_lock(&all_lock);
	list_push_back(&all_objects, &object->all);
	spin_unlock(&all_lock);
	return object;
}

int object_promise(struct object *object)
{
	u64 pages = ROUND_UP(object->size, PAGE_SIZE) >> PAGE_SHIFT;
	int error = commit_take(pages, 0);

	object->promised = error ? 0 : pages;
	return error;
}

void object_get(struct object *object)
{
	atomic_fetch_add(&object->refs, 1);
}

static u64 pages_spanned(u32 height)
{
	return height * FANOUT_SHIFT < 64 ? 1ul << height * FANOUT_SHIFT : ~0ul;
}

static u32 slot_of(u64 index, u32 height)
{
	return index >> (height - 1) * FANOUT_SHIFT & (FANOUT - 1);
}

static void **table_create(void)
{
	struct page *frame = frame_alloc_zeroed();

	return frame ? page_virt(frame) : NULL;
}

/* Adds levels on top until index fits. locked: object */
static bool grow(struct object *object, u64 index)
{
	while (object->height == 0 || index >= pages_spanned(object->height)) {
		void **table = table_create();

		if (!table)
			return false;
		table[0] = object->radix;
		object->radix = table;
		object->height++;
	}
	return true;
}

/* The place of the pointer to page index; NULL when a table on the way is not there (or cannot be
 * made). locked: object */
static struct page **slot(struct object *object, u64 index, bool make)
{
	if (make ? !grow(object, index)
		 : object->height == 0 || index >= pages_spanned(object->height))
		return NULL;

	void **table = object->radix;

	for (u32 height = object->height; height > 1; height--) {
		void **next = &table[slot_of(index, height)];

		if (!*next && (!make || !(*next = table_create())))
			return NULL;
		table = *next;
	}
	return (struct page **)&table[slot_of(index, 1)];
}

static struct page *page_create(struct object *object)
{
	struct page *page = frame_alloc_sparing();

	if (!page)
		return NULL;
	clear_page(page_virt(page));
	data_init(page); /* its ref is the object's hold */
	page->object = object;
	object->pages++;
	return page;
}

/* The page at index, made when it is not there; NULL: memory is out. locked: object */
static struct page *find_or_create(struct object *object, u64 index)
{
	struct page **at = slot(object, index, true);

	if (at && !*at)
		*at = page_create(object);
	return at ? *at : NULL;
}

int object_page(struct object *object, u64 index, struct page **page)
{
	int error = 0;

	spin_lock(&object->lock);
	if (index >= ROUND_UP(object->size, PAGE_SIZE) >> PAGE_SHIFT)
		error = -ENXIO;
	else if (!(*page = find_or_create(object, index)))
		error = -ENOMEM;
	else
		page_get(*page);
	spin_unlock(&object->lock);
	return error;
}

int object_fill(struct object *object, u64 from, u64 to)
{
	bool filled = true;

	for (u64 index = from; index < to && filled; index++) {
		spin_lock(&object->lock);
		filled = find_or_create(object, index);
		spin_unlock(&object->lock);
	}
	return filled ? 0 : -ENOMEM;
}

struct page *object_peek(struct object *object, u64 index)
{
	spin_lock(&object->lock);
	struct page **at = slot(object, index, false);
	struct page *page = at ? *at : NULL;

	if (page)
		page_get(page);
	spin_unlock(&object->lock);
	return page;
}

static void drop_cached(struct object *object, void **at)
{
	struct page *page = *at;

	page->object = NULL;
	page_put(page);
	object->pages--;
	*at = NULL;
}

/* Drops the pages [from, to) below this table, whose first page is number base, and the tables left
 * empty. Returns whether the table is empty now. locked: object */
static bool prune(struct object *object, void **table, u32 height, u64 base, u64 from, u64 to)
{
	bool empty = true;

	for (u32 i = 0; i < FANOUT; i++) {
		u64 span = pages_spanned(height - 1);
		u64 first = base + i * span;

		if (table[i] && first < to && first + (span - 1) >= from) {
			if (height == 1) {
				drop_cached(object, &table[i]);
			} else if (prune(object, table[i], height - 1, first, from, to)) {
				frame_free(virt_page(table[i]), 0);
				table[i] = NULL;
			}
		}
		empty = empty && !table[i];
	}
	return empty;
}

/* locked: object */
static void discard(struct object *object, u64 from, u64 to)
{
	if (object->height && prune(object, object->radix, object->height, 0, from, to)) {
		frame_free(virt_page(object->radix), 0);
		object->radix = NULL;
		object->height = 0;
	}
}

void object_discard(struct object *object, u64 from, u64 to)
{
	spin_lock(&object->lock);
	discard(object, from, to);
	spin_unlock(&object->lock);
}

static void clear_tail(struct object *object, u64 size)
{
	struct page **at = size & PAGE_MASK ? slot(object, size >> PAGE_SHIFT, false) : NULL;

	if (at && *at)
		memset((char *)page_virt(*at) + (size & PAGE_MASK), 0,
		       PAGE_SIZE - (size & PAGE_MASK));
}

void object_resize(struct object *object, u64 size)
{
	spin_lock(&object->lock);
	if (size < object->size) {
		clear_tail(object, size);
		discard(object, ROUND_UP(size, PAGE_SIZE) >> PAGE_SHIFT, ~0ul);
	}
	object->size = size;
	spin_unlock(&object->lock);
}

void object_put(struct object *object)
{
	if (atomic_fetch_sub(&object->refs, 1) > 1)
		return;
	object_discard(object, 0, ~0ul);
	ASSERT(!object->height && !object->pages, "height %u, pages %lu", object->height,
	       object->pages);
	spin_lock(&all_lock);
	list_remove(&object->all);
	spin_unlock(&all_lock);
	commit_give(object->promised);
	kfree(object->label);
	kfree(object);
}

/* A ref more, unless the last one is just going. locked: all_lock */
static bool try_get(struct object *object)
{
	u32 refs = atomic_load(&object->refs);

	while (refs && !atomic_compare_exchange_weak(&object->refs, &refs, refs + 1))
		;
	return refs;
}

struct object *object_next(struct object *object)
{
	struct list *at;

	spin_lock(&all_lock);
	at = object ? object->all.next : all_objects.next;
	while (at != &all_objects && !try_get(container_of(at, struct object, all)))
		at = at->next;
	spin_unlock(&all_lock);
	if (object)
		object_put(object);
	return at == &all_objects ? NULL : container_of(at, struct object, all);
}

void object_each(void (*visit)(void *context, struct object *object), void *context)
{
	struct object *object;

	list_for_each(object, &all_objects, all)
		visit(context, object);
}

static void visit_pages(void **table, u32 height, void (*visit)(void *, struct page *),
			void *context)
{
	for (u32 i = 0; i < FANOUT; i++) {
		if (table[i] && height > 1)
			visit_pages(table[i], height - 1, visit, context);
		else if (table[i])
			visit(context, table[i]);
	}
}

void object_each_page(struct object *object, void (*visit)(void *context, struct page *page),
		      void *context)
{
	if (object->height)
		visit_pages(object->radix, object->height, visit, context);
}

static void count_mapped(void *context, struct page *page)
{
	*(u64 *)context += page_refs(page) > 1; /* the first ref is the object's hold */
}

u64 object_mapped(struct object *object)
{
	u64 mapped = 0;

	spin_lock(&object->lock);
	object_each_page(object, count_mapped, &mapped);
	spin_unlock(&object->lock);
	return mapped;
}

i64 object_read(struct object *object, u64 offset, void *to, u64 bytes)
{
	u64 done = 0;

	if (offset >= object->size)
		return 0;
	bytes = MIN(bytes, object->size - offset);
	while (done < bytes) {
		u64 in_page = (offset + done) & PAGE_MASK;
		u64 part = MIN(bytes - done, PAGE_SIZE - in_page);
		struct page *page = object_peek(object, (offset + done) >> PAGE_SHIFT);

		if (page)
			memcpy((char *)to + done, (char *)page_virt(page) + in_page, part);
		else
			memset((char *)to + done, 0, part);
		if (page)
			page_put(page);
		done += part;
	}
	return (i64)done;
}

i64 object_write(struct object *object, u64 offset, const void *from, u64 bytes)
{
	u64 done = 0;

	if (offset >= object->size)
		return 0;
	bytes = MIN(bytes, object->size - offset);
	while (done < bytes) {
		u64 in_page = (offset + done) & PAGE_MASK;
		u64 part = MIN(bytes - done, PAGE_SIZE - in_page);
		struct page *page;

		if (object_page(object, (offset + done) >> PAGE_SHIFT, &page))
			return done ? (i64)done : -ENOMEM;
		memcpy((char *)page_virt(page) + in_page, (const char *)from + done, part);
		page_put(page);
		done += part;
	}
	return (i64)done;
}
