/*
 * The regions (VMAs) of an address space: a sorted array, a value that address spaces share until
 * one changes it. refs counts the address spaces that point at it; the first change under refs > 1
 * copies it (the law, mm/tree.h).
 */
#pragma once

#include "mm/types.h"

struct object;

#define USER_START  0x10000ul            /* nothing is ever mapped below (mmap_min_addr) */
#define USER_END    0x00007ffffffff000ul /* first address past user space */
#define STACK_GUARD (256 * PAGE_SIZE)    /* kept free below a stack (Linux's stack_guard_gap) */

/*
 * Mappings without a place of their own go below this: one root entry (512 GB) below the stack.
 * Both sides of a fork write their stacks at once; so the path to the stack has tables of one
 * entry, cheap to copy, however much is mapped.
 */
#define MMAP_TOP 0x00007f8000000000ul

/* Linux's PROT_ and MAP_ values (mmap(2)). */
#define PROT_NONE      0u
#define PROT_READ      1u
#define PROT_WRITE     2u
#define PROT_EXEC      4u
#define PROT_GROWSDOWN 0x01000000u /* of mprotect alone */

#define MAP_SHARED          0x01u
#define MAP_PRIVATE         0x02u
#define MAP_FIXED           0x10u
#define MAP_ANONYMOUS       0x20u
#define MAP_GROWSDOWN       0x100u
#define MAP_DENYWRITE       0x800u  /* of a region: mprotect may never give it PROT_WRITE */
#define MAP_LOCKED          0x2000u /* of a region: its pages stay in memory (mlock(2)) */
#define MAP_NORESERVE       0x4000u
#define MAP_POPULATE        0x8000u
#define MAP_STACK           0x20000u
#define MAP_FIXED_NOREPLACE 0x100000u

/* Of a region, beside its MAP_ bits. */
#define REGION_ONFAULT    0x01000000u /* with MAP_LOCKED: only pages that are there anyway */
#define REGION_ACCOUNT    0x02000000u /* private and once writable: counts as promised memory */
#define REGION_SEQUENTIAL 0x04000000u /* madvise(2), from here on */
#define REGION_RANDOM     0x08000000u
#define REGION_DONTFORK   0x10000000u /* a fork's child does not have it */
#define REGION_WIPEONFORK 0x20000000u /* a fork's child has it empty */
#define REGION_DONTDUMP   0x40000000u

/* What a fork's child does not take over as it is: a set that has regions so marked says so. */
#define REGION_FORK_MARKS (MAP_LOCKED | REGION_ONFAULT | REGION_DONTFORK | REGION_WIPEONFORK)

struct region {
	vaddr_t start, end;    /* [start, end), page aligned */
	struct object *object; /* what it maps, one ref held; NULL: anonymous private memory */
	u64 offset; /* of start in the object, in bytes, page aligned. Without an object: where start
		       was when its first page was made (Linux's vm_pgoff), so that what moved is not
		       merged with what did not */
	u32 prot;   /* PROT_ bits */
	u32 flags;  /* MAP_ bits that outlast mmap, and REGION_ bits */
};

/* REGION_ACCOUNT for memory that only its owner writes: Linux's rule of which mappings are promises
 * (accountable_mapping), and like there it stays once given. */
static inline u32 region_account(u32 prot, u32 flags)
{
	return (prot & PROT_WRITE) && !(flags & (MAP_SHARED | MAP_NORESERVE)) ? REGION_ACCOUNT : 0;
}

/* Pages of a region that are promised memory (mm/commit.h). */
static inline u64 region_promised(const struct region *region)
{
	return region->flags & REGION_ACCOUNT ? (region->end - region->start) >> PAGE_SHIFT : 0;
}

/* Whether all its pages are made at once and stay, as mlock(2) promises. */
static inline bool region_is_locked(const struct region *region)
{
	return (region->flags & (MAP_LOCKED | REGION_ONFAULT)) == MAP_LOCKED;
}

struct region_set {
	_Atomic u32 refs;
	u32 count;
	u32 capacity;
	u32 expected;       /* the audit's own count of refs */
	_Atomic u32 latest; /* what regions_at() found last, by index: where it looks first */
	bool fork_marked;   /* some region may have REGION_FORK_MARKS */
	u64 promised;       /* the sum of region_promised() */
	vaddr_t searched;   /* no gap between here and MMAP_TOP is longer than widest: where the */
	u64 widest;         /* search for a place begins that needs more than that */
	struct region *at;  /* the first of count; there is room on both sides of them */
	struct region space[];
};

/* Regions that an address space may have (/proc/sys/vm/max_map_count), as a soft limit: see the
 * operations that ask for it. */
extern u32 max_regions;
#define MAX_REGIONS_DEFAULT 65530u  /* Linux's */
#define MAX_REGIONS_MOST    100000u /* what one allocation has room for (mm/heap.h) */

/* A set without regions, with one ref; NULL when memory is out. */
struct region_set *regions_create(void);
void regions_get(struct region_set *set);
/* Drops a ref; the last one drops the refs of objects and frees the set. */
void regions_put(struct region_set *set);

/* The index of the first region that ends above addr: the one that holds it, or the next;
 * set->count if none. */
u32 regions_find(const struct region_set *set, vaddr_t addr);

/* for each region that reaches into [start, end): struct region *region */
#define regions_for_each(set, region, from, to)                           \
	for (struct region *region = (set)->at + regions_find(set, from), \
			   *end_ = (set)->at + (set)->count;              \
	     region < end_ && region->start < (to); region++)

/* True when a region of the set reaches into [start, end). */
bool regions_overlap(const struct region_set *set, vaddr_t start, vaddr_t end);

/* True when every page of [start, end) is in a region. */
bool regions_cover(const struct region_set *set, vaddr_t start, vaddr_t end);

/* The first address at or after start that is in no region. */
vaddr_t regions_first_hole(const struct region_set *set, vaddr_t start);

/* The region that holds addr, or NULL. */
struct region *regions_at(struct region_set *set, vaddr_t addr);

/* Regions that [start, end) splits at its ends, so regions more if only while a change works: 0 to 2. */
u32 regions_splits(const struct region_set *set, vaddr_t start, vaddr_t end);

/* Bytes of [start, end) in regions; only in private writable ones that are no stacks (RLIMIT_DATA). */
u64 regions_bytes(const struct region_set *set, vaddr_t start, vaddr_t end, bool data_only);
bool region_is_data(const struct region *region);

/* Pages of [start, end) that are promised memory. */
u64 regions_promised(const struct region_set *set, vaddr_t start, vaddr_t end);

/* The lowest address that a neighbour below may reach up to: a stack keeps its guard gap. */
vaddr_t region_floor(const struct region *region);

/* The highest gap of length bytes below MMAP_TOP; 0 when there is none. */
vaddr_t regions_find_gap(struct region_set *set, u64 length);

/*
 * Makes *set the caller's own (refs 1) with room for `more` further regions, replacing it by a copy
 * where needed. -ENOMEM. After it, the functions below cannot fail.
 */
int regions_own(struct region_set **set, u32 more);

/* Each needs an owned set with room: for regions_splits(), 1 for the insertion. Ranges are page aligned. */
void regions_cut(struct region_set *set, vaddr_t start, vaddr_t end);
/* Takes over the caller's ref of region's object; nothing overlaps it. Merges with neighbours as
 * Linux does. */
void regions_insert(struct region_set *set, struct region region);
void regions_protect(struct region_set *set, vaddr_t start, vaddr_t end, u32 prot);
/* Moves the start of region `index` down to `start`, which is free. Needs an owned set. */
void regions_extend_down(struct region_set *set, u32 index, vaddr_t start);
/* As regions_protect(), for flags: takes some bits away and adds others. */
void regions_set_flags(struct region_set *set, vaddr_t start, vaddr_t end, u32 take, u32 add);
