/* Directory entries in memory. Invariant: each entry is in the list and in the bucket of its hash;
 * count tells both. */
#include "kernel/fs/directory.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define FIRST_BUCKETS 4
#define FIRST_NUMBER  2 /* 0 and 1 stand for '.' and '..' (kernel/sys_dir.c) */

struct entry {
	struct list order;
	struct entry *chain; /* of its bucket */
	struct inode *inode; /* one ref */
	u64 number;
	u32 hash;
	u32 length;
	char name[];
};

struct directory {
	struct list order;
	struct entry **buckets;
	u32 bucket_count; /* a power of two */
	u32 count;
	u64 next_number;
};

struct directory *directory_create(void)
{
	struct directory *directory = kmalloc(sizeof(*directory));

	if (!directory)
		return NULL;
	directory->buckets = kmalloc(FIRST_BUCKETS * sizeof(struct entry *));
	if (!directory->buckets) {
		kfree(directory);
		return NULL;
	}
	list_init(&directory->order);
	directory->bucket_count = FIRST_BUCKETS;
	directory->next_number = FIRST_NUMBER;
	return directory;
}

void directory_destroy(struct directory *directory)
{
	ASSERT(directory->count == 0, "%u entries", directory->count);
	kfree(directory->buckets);
	kfree(directory);
}

bool directory_empty(const struct directory *directory)
{
	return directory->count == 0;
}

/* FNV-1a */
static u32 hash_of(const char *name)
{
	u32 hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (u8)*name) * 16777619u;
	return hash;
}

static struct entry **bucket_of(const struct directory *directory, u32 hash)
{
	return &directory->buckets[hash & (directory->bucket_count - 1)];
}

/* The pointer to the entry, in its chain, or the NULL at the chain's end. */
static struct entry **find(const struct directory *directory, const char *name)
{
	u32 hash = hash_of(name);
	struct entry **at = bucket_of(directory, hash);

	while (*at && ((*at)->hash != hash || strcmp((*at)->name, name) != 0))
		at = &(*at)->chain;
	return at;
}

struct inode *directory_find(const struct directory *directory, const char *name)
{
	struct entry *entry = *find(directory, name);

	return entry ? entry->inode : NULL;
}

/* More buckets; without memory for them the chains just get longer. */
static void grow(struct directory *directory)
{
	u32 count = directory->bucket_count * 2;
	struct entry **buckets = kmalloc(count * sizeof(struct entry *));
	struct entry *entry;

	if (!buckets)
		return;
	kfree(directory->buckets);
	directory->buckets = buckets;
	directory->bucket_count = count;
	list_for_each(entry, &directory->order, order) {
		struct entry **bucket = bucket_of(directory, entry->hash);

		entry->chain = *bucket;
		*bucket = entry;
	}
}

int directory_add(struct directory *directory, const char *name, struct inode *inode)
{
	size_t length = strlen(name);
	struct entry *entry = kmalloc(sizeof(*entry) + length + 1), **bucket;

	if (!entry)
		return -ENOMEM;
	if (directory->count >= directory->bucket_count)
		grow(directory);
	inode_get(inode);
	entry->inode = inode;
	entry->number = directory->next_number++;
	entry->hash = hash_of(name);
	entry->length = (u32)length;
	memcpy(entry->name, name, length + 1);
	bucket = bucket_of(directory, entry->hash);
	entry->chain = *bucket;
	*bucket = entry;
	list_push_back(&directory->order, &entry->order);
	directory->count++;
	return 0;
}

struct inode *directory_remove(struct directory *directory, const char *name)
{
	struct entry **at = find(directory, name), *entry = *at;
	struct inode *inode = entry->inode;

	*at = entry->chain;
	list_remove(&entry->order);
	directory->count--;
	kfree(entry);
	return inode;
}

struct inode *directory_replace(struct directory *directory, const char *name, struct inode *inode)
{
	struct entry *entry = *find(directory, name);
	struct inode *old = entry->inode;

	inode_get(inode);
	entry->inode = inode;
	return old;
}

void directory_each(const struct directory *directory, u64 from, dirent_fn emit, void *context)
{
	struct entry *entry;

	list_for_each(entry, &directory->order, order) {
		if (entry->number < from)
			continue;
		if (!emit(context, entry->name, entry->length, entry->inode->ino,
			  entry->inode->mode, entry->number + 1))
			return;
	}
}
