/*
 * A memory object: pages by page number, shared by everyone who maps or reads it. The contents of a
 * RAM file are an object (its page cache and its store in one), and so is an anonymous MAP_SHARED
 * mapping.
 *
 * The object's hold counts in each page's refs (the law, mm/tree.h): a cached page that is mapped
 * once has refs 2, and a private mapping therefore never writes it. Pages not yet there read as
 * zeroes and are made on demand.
 */
#pragma once

#include "mm/frame.h"
#include "mm/types.h"

struct object {
	struct rwlock mappers; /* readers: who makes a region of it; writer: who takes pages away */
	struct list all;       /* in the list of all objects, for the audit */
	_Atomic u32 refs;
	u32 expected; /* the audit's own count of refs */
	u32 seen;     /* mm_exclusive_bytes()'s own count of them, meaningless outside it */
	struct spinlock lock;
	/* guarded by lock: */
	u32 height;   /* levels of the radix tree; 0 = it has none */
	u64 size;     /* bytes; reads and faults stop here */
	u64 pages;    /* pages cached */
	void **radix; /* height levels of tables of 512 pointers; the last level's point at struct
			 pages */
	void *owner;  /* the holder of one ref apart from regions, or NULL: the kernel keeps its
			 inode here */
	u64 promised; /* pages, until it ends: object_promise() */
	void *label;  /* what is said of an owner that is gone, or NULL: freed with the object */
};

/* A new object of size bytes with one ref, held by the caller; NULL when memory is out. */
struct object *object_create(u64 size, void *owner);
void object_get(struct object *object);
/* Promises memory for all of it (mm/commit.h), as it is for anonymous shared memory; -ENOMEM. Called once, by who has made
 * it. */
int object_promise(struct object *object);
/* Drops the caller's ref; the last one frees the pages that nobody maps. */
void object_put(struct object *object);

/*
 * The page at index, made (cleared) when it is not there, with one more ref that the caller owns
 * and drops with page_put() (mm/tree.h). -ENXIO beyond the size, -ENOMEM. Does not sleep.
 */
int object_page(struct object *object, u64 index, struct page **page);

/* Like object_page(), but NULL where no page is cached: a hole reads as zeroes and stays a hole. */
struct page *object_peek(struct object *object, u64 index);

/*
 * Sets the size in bytes. Shrinking drops the pages beyond it and clears the rest of the last page,
 * so that growing again reads zeroes. locked: when it shrinks, nobody maps the object (mm/truncate.c
 * is for when somebody may).
 */
void object_resize(struct object *object, u64 size);

/* Drops the pages [from, to). locked: as object_resize() */
void object_discard(struct object *object, u64 from, u64 to);

/* Makes the pages [from, to) that are not there, also beyond the size: -ENOMEM leaves some of them,
 * which mean what holes mean. */
int object_fill(struct object *object, u64 from, u64 to);

/* Pages of the object that some table points at. */
u64 object_mapped(struct object *object);

/* ---- mm/truncate.c: under those who map it. May sleep; the caller holds no mm->lock. ---- */

/* object_resize(), with the pages beyond taken away from all who map them, private copies too:
 * their next access is beyond the end (SIGBUS). locked: object->mappers, writer */
void object_truncate(struct object *object, u64 size);

/* Makes the bytes [offset, offset + length) a hole: what is mapped of it reads as zeroes, but for
 * private copies. locked: object->mappers, writer */
void object_punch(struct object *object, u64 offset, u64 length);

/* Kernel memory in and out; both stop at the size and return the bytes moved, or -ENOMEM if none
 * could be. */
i64 object_read(struct object *object, u64 offset, void *to, u64 bytes);
i64 object_write(struct object *object, u64 offset, const void *from, u64 bytes);

/* The object after this one, whose ref it drops, or with NULL the first: with a ref, the caller's. NULL at the
 * end. */
struct object *object_next(struct object *object);

/* For the audit, with the machine quiet: every object; every page that one caches. */
void object_each(void (*visit)(void *context, struct object *object), void *context);
void object_each_page(struct object *object, void (*visit)(void *context, struct page *page),
		      void *context);
