/*
 * An address space and what can be done to it. Everything that a process may ask for goes through
 * here; the tree below it is mm/tree.h, the law that both keep is stated there.
 *
 * Addresses are page aligned where a comment does not say otherwise. Each function takes mm->lock
 * itself, in the way its contract says, and may sleep for it; the caller holds no spinlock. Errors
 * are negative errno values.
 */
#pragma once

#include "mm/list.h"
#include "mm/machine.h"
#include "mm/region.h"
#include "mm/types.h"

struct page;

#define USER_START 0x10000ul            /* nothing is ever mapped below (mmap_min_addr) */
#define USER_END   0x00007ffffffff000ul /* first address past user space */

struct mm {
	struct rwlock lock; /* readers: faults; writers: region changes and fork */
	/* guarded by lock: */
	struct page *root; /* level 4; the mm's hold is its one ref */
	struct region_set *regions;
	vaddr_t brk_start, brk;       /* heap [brk_start, brk), byte granular */
	vaddr_t stack_top;            /* end of the initial stack */
	vaddr_t args_start, args_end; /* argument strings on the stack, for /proc/PID/cmdline */
	/* guarded by the list of all mms: */
	struct list all;
};

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC };

/* How deep fork shares: tables of this level and below, and pages, are shared; those above are
 * copied. */
enum share_level {
	SHARE_PAGES = 0, /* classic fork: copies all tables */
	SHARE_PTES = 1,  /* shares PTE tables */
	SHARE_PDS = 2,   /* shares page directories */
	SHARE_PDPTS = 3, /* shares page directory pointer tables: copies the root alone */
	SHARE_AUTO = 4,  /* lets mm_fork choose */
};

/* Boot, when frames_add() has been called: makes the zero page. */
void mm_init(void);

/* A new, empty address space; NULL when memory is out. The caller owns it and ends it with
 * mm_destroy(). */
struct mm *mm_create(void);

/* Frees it and drops all it points at. No CPU may be running on it. */
void mm_destroy(struct mm *mm);

/* A copy of parent, sharing tables as level says, in *child. -ENOMEM: parent means what it meant.
 * locked: writer. */
int mm_fork(struct mm *parent, enum share_level level, struct mm **child);

/*
 * Resolves an access of a user program at addr (any alignment) that the hardware refused. 0: try
 * again. -EFAULT: no region there. -EACCES: the region forbids it. -ENXIO: beyond the end of the
 * object (SIGBUS). -ENOMEM. An access below the initial stack makes it grow. locked: reader, or
 * writer to grow a stack.
 */
int mm_fault(struct mm *mm, vaddr_t addr, enum access access);

/* The same, but no stack grows. locked: reader. */
int mm_fault_in(struct mm *mm, vaddr_t addr, enum access access);

/*
 * mmap(2). addr is a hint, or the place itself with MAP_FIXED; length in bytes, more than 0. object
 * may be NULL with MAP_ANONYMOUS; the region takes a ref of its own. Returns the address or
 * -EINVAL, -ENOMEM, -EEXIST. locked: writer.
 */
i64 mm_map(struct mm *mm, vaddr_t addr, u64 length, u32 prot, u32 flags, struct object *object,
	   u64 offset);

/* munmap(2). locked: writer. */
int mm_unmap(struct mm *mm, vaddr_t addr, u64 length);

/* mprotect(2): -ENOMEM when part of the range is not mapped, -EACCES where MAP_DENYWRITE forbids
 * it. locked: writer. */
int mm_protect(struct mm *mm, vaddr_t addr, u64 length, u32 prot);

/*
 * mremap(2): flags a set of MREMAP_ bits, new_addr with MREMAP_FIXED only. Returns the new address
 * or -EINVAL, -EFAULT, -ENOMEM. On failure nothing has changed, but that a tail to be cut off or
 * what lay at new_addr may be unmapped, as on Linux. locked: writer.
 */
#define MREMAP_MAYMOVE   1u
#define MREMAP_FIXED     2u
#define MREMAP_DONTUNMAP 4u
i64 mm_remap(struct mm *mm, vaddr_t addr, u64 old_length, u64 new_length, u32 flags,
	     vaddr_t new_addr);

/*
 * madvise(2): the MADV_ values that are known; -EINVAL for others, -ENOMEM when part of the range is
 * not mapped (the rest is done). locked: writer, or reader for each page to be populated.
 */
#define MADV_DONTNEED       4u
#define MADV_FREE           8u
#define MADV_DONTFORK       10u
#define MADV_DOFORK         11u
#define MADV_DONTDUMP       16u
#define MADV_WIPEONFORK     18u
#define MADV_KEEPONFORK     19u
#define MADV_POPULATE_READ  22u
#define MADV_POPULATE_WRITE 23u
int mm_advise(struct mm *mm, vaddr_t addr, u64 length, u32 advice);

/* mincore(2) for one page: 1 = a page is there, 0 = not, -ENOMEM = no region. locked: reader. */
int mm_resident(struct mm *mm, vaddr_t addr);

/* brk(2): moves the end of the heap to brk (bytes) if it can, and returns where it is now. locked:
 * writer. */
vaddr_t mm_brk(struct mm *mm, vaddr_t brk);

/* Copies the region that holds addr, or the next one above it, to *region; false when there is
 * none. locked: reader. If the region has an object, the caller gets a ref to it and drops it with
 * object_put(). */
bool mm_region_at(struct mm *mm, vaddr_t addr, struct region *region);

/* Sizes in pages and tables, counted from the nodes. locked: reader. */
struct mm_usage {
	u64 mapped;            /* pages in regions */
	u64 resident;          /* pages present, the zero page apart */
	u64 tables;            /* tables in the tree, the root among them */
	u64 tables_private;    /* of these, the ones that this mm owns */
	u64 data, stack, text; /* pages in writable private, stack and executable regions */
};
void mm_usage(struct mm *mm, struct mm_usage *usage);

/* One table as a walk sees it, the root first, then depth first in the order of addresses. */
struct node_info {
	vaddr_t start;    /* first address that it maps */
	u32 level;        /* 4 = root to 1 = PTE table */
	u32 refs;         /* pointers to it */
	u32 used;         /* entries that are not empty */
	u32 present;      /* level 1: pages present */
	u32 shared_pages; /* level 1: of these, pages with more than one ref */
	bool owned;       /* no node from the root down to it is shared */
	paddr_t at;       /* tells two tables apart */
};
/* Calls visit for each table until it returns false. locked: reader, also while visit runs. */
void mm_walk(struct mm *mm, bool (*visit)(void *context, const struct node_info *node),
	     void *context);

/* Event counts since boot, for /proc/vmstat. */
struct mm_stat {
	_Atomic u64 faults;       /* faults and populated pages that succeeded */
	_Atomic u64 zero_fills;   /* zero page or fresh cleared page put in */
	_Atomic u64 file_fills;   /* page of an object put in */
	_Atomic u64 shared_fills; /* of these fills, those made in a table that others share */
	_Atomic u64 table_copies; /* tables copied because they were shared */
	_Atomic u64 page_copies;  /* pages copied because they were shared */
	_Atomic u64 reuses;       /* write faults that found refs 1 and kept the page */
	_Atomic u64 forks;
	_Atomic u64 tables;     /* tables in use now */
	_Atomic u64 data_pages; /* pages of type PAGE_DATA in use now */
};
extern struct mm_stat mm_stat;

/* For the audit, with the machine quiet: every address space. */
void mm_each(void (*visit)(void *context, struct mm *mm), void *context);

/*
 * Recomputes every count from all roots and objects and compares. Reports each difference through
 * printk, at most 20, and returns how many there were. The machine is quiet meanwhile: no address
 * space changes.
 */
u64 mm_audit(void);
