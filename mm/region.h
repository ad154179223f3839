/*
 * The regions (VMAs) of an address space: a sorted array, a value that address spaces share until
 * one changes it. refs counts the address spaces that point at it; the first change under refs > 1
 * copies it (the law, mm/tree.h).
 */
#pragma once

#include "mm/types.h"

struct object;

/* Linux's PROT_ and MAP_ values (mmap(2)). */
#define PROT_NONE  0u
#define PROT_READ  1u
#define PROT_WRITE 2u
#define PROT_EXEC  4u

#define MAP_SHARED          0x01u
#define MAP_PRIVATE         0x02u
#define MAP_FIXED           0x10u
#define MAP_ANONYMOUS       0x20u
#define MAP_GROWSDOWN       0x100u
#define MAP_DENYWRITE       0x800u /* of a region: mprotect may never give it PROT_WRITE */
#define MAP_NORESERVE       0x4000u
#define MAP_POPULATE        0x8000u
#define MAP_STACK           0x20000u
#define MAP_FIXED_NOREPLACE 0x100000u

/* Of a region, beside its MAP_ bits; set by madvise(2). */
#define REGION_DONTFORK   0x10000000u /* a fork's child does not have it */
#define REGION_WIPEONFORK 0x20000000u /* a fork's child has it empty */

struct region {
	vaddr_t start, end;    /* [start, end), page aligned */
	struct object *object; /* what it maps, one ref held; NULL: anonymous private memory */
	u64 offset; /* of start in the object, in bytes, page aligned; 0 without an object */
	u32 prot;   /* PROT_ bits */
	u32 flags;  /* MAP_SHARED or MAP_PRIVATE, MAP_GROWSDOWN, MAP_DENYWRITE */
};

struct region_set {
	_Atomic u32 refs;
	u32 count;
	u32 capacity;
	u32 expected; /* the audit's own count of refs */
	struct region at[];
};

#define MAX_REGIONS 65530u /* Linux's default vm.max_map_count */

/* A set without regions, with one ref; NULL when memory is out. */
struct region_set *regions_create(void);
void regions_get(struct region_set *set);
/* Drops a ref; the last one drops the refs of objects and frees the set. */
void regions_put(struct region_set *set);

/* The index of the first region that ends above addr: the one that holds it, or the next;
 * set->count if none. */
u32 regions_find(const struct region_set *set, vaddr_t addr);

/* True when a region of the set reaches into [start, end). */
bool regions_overlap(const struct region_set *set, vaddr_t start, vaddr_t end);

/* True when every page of [start, end) is in a region. */
bool regions_cover(const struct region_set *set, vaddr_t start, vaddr_t end);

/* Regions that [start, end) splits at its ends, so regions more if only while a change works: 0 to 2. */
u32 regions_splits(const struct region_set *set, vaddr_t start, vaddr_t end);

/*
 * Makes *set the caller's own (refs 1) with room for `more` further regions, replacing it by a copy
 * where needed. -ENOMEM, also beyond MAX_REGIONS. After it, the functions below cannot fail.
 */
int regions_own(struct region_set **set, u32 more);

/* Each needs an owned set with room: for regions_splits(), 1 for the insertion. Ranges are page aligned. */
void regions_cut(struct region_set *set, vaddr_t start, vaddr_t end);
/* Takes over the caller's ref of region's object; nothing overlaps it. Merges with neighbours as
 * Linux does. */
void regions_insert(struct region_set *set, struct region region);
void regions_protect(struct region_set *set, vaddr_t start, vaddr_t end, u32 prot);
/* As regions_protect(), for flags: takes some bits away and adds others. */
void regions_set_flags(struct region_set *set, vaddr_t start, vaddr_t end, u32 take, u32 add);
