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

/* What setrlimit(2) bounds, in bytes; MM_UNLIMITED = without bound. */
#define MM_UNLIMITED ~0ul
struct mm_limits {
	u64 address_space, data, stack;
};

struct mm {
	_Atomic u32 users;  /* whoever may look at it: processes, and readers of it in passing */
	struct rwlock lock; /* readers: faults; writers: region changes and fork */
	/* guarded by lock: */
	struct page *root; /* level 4; the mm's hold is its one ref */
	struct region_set *regions;
	vaddr_t brk_start, brk;       /* heap [brk_start, brk), byte granular */
	vaddr_t stack_top;            /* end of the initial stack */
	vaddr_t args_start, args_end; /* argument strings on the stack, for /proc/PID/cmdline */
	vaddr_t environ_start, environ_end; /* and those of the environment */
	struct mm_limits limits;
	u32 lock_future; /* mlockall(MCL_FUTURE): what new regions have of MAP_LOCKED, REGION_ONFAULT */
	u64 promised; /* pages it was granted: between changes, those that its regions promise (mm/commit.h) */
	bool doomed;           /* mm_reap() has emptied it: faults fail */
	vaddr_t swap_expected; /* where the next fault reads swap if the program goes on in order; */
	u32 swap_window;       /* how many pages it was given last. Guesses, guarded by nothing */
	u64 serial;            /* its number, in the order in which they are made */
	struct mm *locked_next; /* with a writer that holds several: the next one it holds */
	/* the machine's: */
	_Atomic u64 cpus; /* those that may remember translations of it, bit n for CPU n */
	/* guarded by the list of all mms: */
	struct list all;
	/* notes of who chooses among all address spaces (kernel/oom.c): */
	u64 exclusive; /* mm_exclusive_bytes() */
	bool spared;   /* one of its processes must not die */
	bool alive;    /* one of them is not about to */
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

/* A new, empty address space without limits; NULL when memory is out. The caller is its one user. */
struct mm *mm_create(void);

/* A user more; a user less, and the last one frees it and drops all it points at: no CPU may be
 * running on it then. */
void mm_get(struct mm *mm);
void mm_put(struct mm *mm);

/* What bounds it from now on; what there is already stays. locked: writer */
void mm_set_limits(struct mm *mm, const struct mm_limits *limits);

/* A copy of parent, sharing tables as level says, in *child. -ENOMEM: parent means what it meant.
 * locked: writer. */
int mm_fork(struct mm *parent, enum share_level level, struct mm **child);

/*
 * Resolves an access of a user program at addr (any alignment) that the hardware refused. 0: try
 * again. -EFAULT: no region there. -EACCES: the region forbids it. -ENXIO: beyond the end of the
 * object (SIGBUS). -EIO: swap cannot be read (SIGBUS). -ENOMEM, also for good, if mm is doomed. An access below the initial stack makes it grow. locked: reader, or
 * writer to grow a stack.
 */
int mm_fault(struct mm *mm, vaddr_t addr, enum access access);

/* The same, but no stack grows. locked: reader. */
int mm_fault_in(struct mm *mm, vaddr_t addr, enum access access);

/*
 * mmap(2). addr is a hint, or the place itself with MAP_FIXED; length in bytes, more than 0. object
 * may be NULL with MAP_ANONYMOUS; the region takes a ref of its own. Returns the address or
 * -EINVAL, -ENOMEM, -EEXIST, -EPERM. locked: object->mappers, reader; mm->lock, writer.
 */
i64 mm_map(struct mm *mm, vaddr_t addr, u64 length, u32 prot, u32 flags, struct object *object,
	   u64 offset);

/* munmap(2). locked: writer. */
int mm_unmap(struct mm *mm, vaddr_t addr, u64 length);

/* mprotect(2): -ENOMEM where the range is not mapped, -EACCES where MAP_DENYWRITE forbids it; what
 * lies below that place is changed all the same, as on Linux. prot may have PROT_GROWSDOWN: from the
 * start of the stack region on that holds addr, -EINVAL when that is none. locked: writer. */
int mm_protect(struct mm *mm, vaddr_t addr, u64 length, u32 prot);

/*
 * mremap(2): flags a set of MREMAP_ bits, new_addr the place with MREMAP_FIXED, a hint with
 * MREMAP_DONTUNMAP. Returns the new address or -EINVAL, -EFAULT, -ENOMEM. On failure nothing has
 * changed, but that a tail to be cut off or what lay at new_addr may be unmapped, as on Linux.
 * locked: writer.
 */
#define MREMAP_MAYMOVE   1u
#define MREMAP_FIXED     2u
#define MREMAP_DONTUNMAP 4u
i64 mm_remap(struct mm *mm, vaddr_t addr, u64 old_length, u64 new_length, u32 flags,
	     vaddr_t new_addr);

/*
 * madvise(2): the MADV_ values that are known; -EINVAL for others and for what a region does not
 * allow (what lies below it is done), -ENOMEM when part of the range is not mapped (the rest is
 * done), -EAGAIN when memory for a mark is out. locked: writer, or reader for each page to be populated.
 */
#define MADV_NORMAL          0u
#define MADV_RANDOM          1u
#define MADV_SEQUENTIAL      2u
#define MADV_WILLNEED        3u
#define MADV_DONTNEED        4u
#define MADV_FREE            8u
#define MADV_REMOVE          9u
#define MADV_DONTFORK        10u
#define MADV_DOFORK          11u
#define MADV_DONTDUMP        16u
#define MADV_DODUMP          17u
#define MADV_WIPEONFORK      18u
#define MADV_KEEPONFORK      19u
#define MADV_COLD            20u
#define MADV_PAGEOUT         21u
#define MADV_POPULATE_READ   22u
#define MADV_POPULATE_WRITE  23u
#define MADV_DONTNEED_LOCKED 24u
int mm_advise(struct mm *mm, vaddr_t addr, u64 length, u32 advice);

/* Makes every page of [start, end) that is in a region present, as mlock(2) does: private writable
 * ones as a write would. 0, or what mm_fault() says of the first that could not be. locked: reader,
 * for each page. */
int mm_populate(struct mm *mm, vaddr_t start, vaddr_t end);

/*
 * mlock(2), with flags MAP_LOCKED and perhaps REGION_ONFAULT, and munlock(2), with 0. addr need not
 * be aligned. -EINVAL for a range that wraps, -ENOMEM where it is not mapped or not accessible (what
 * lies below is done), -EAGAIN when not all pages could be made. locked: writer, then as
 * mm_populate().
 */
int mm_lock(struct mm *mm, vaddr_t addr, u64 length, u32 flags);
/* mlockall(2) and munlockall(2): flags for all regions there are if `now`, and for those to come in
 * `future`. */
int mm_lock_all(struct mm *mm, bool now, u32 flags, u32 future);

/* mincore(2) for one page: 1 = it is in memory, or the object that is mapped there has it; 0 = not,
 * -ENOMEM = no region. locked: reader. */
int mm_resident(struct mm *mm, vaddr_t addr);

/* brk(2): moves the end of the heap to brk (bytes) if it can, and returns where it is now. locked:
 * writer. */
vaddr_t mm_brk(struct mm *mm, vaddr_t brk);

/* Copies the region that holds addr, or the next one above it, to *region; false when there is
 * none. locked: reader. If the region has an object, the caller gets a ref to it and drops it with
 * object_put(). */
bool mm_region_at(struct mm *mm, vaddr_t addr, struct region *region);

/*
 * What a region has in memory. A page is shared when somebody else reaches it too: through a pointer
 * of his own, or through a table above it that is shared.
 *
 * pss divides each page among those who reach it: on the way down from the root a share of 1 is
 * divided by the refs of each node, the page's own last (less its object's hold). So the pss of all
 * address spaces add up to the pages mapped, whatever was shared by whom; the rounding of it all is
 * far below one byte.
 */
#define PSS_PAGE (1ul << 62) /* one page, in units of pss */
typedef unsigned __int128 pss_t;

struct region_usage {
	u64 resident; /* pages present, the zero page apart */
	u64 cached;   /* of these, pages of the object: the others are anonymous */
	u64 shared_clean, shared_dirty, private_clean, private_dirty;
	u64 referenced; /* with the accessed bit */
	pss_t pss, pss_dirty;
	u64 swapped; /* pages in swap */
	pss_t swap_pss;
};

/* mm_region_at(), with what the region has in memory. locked: reader. */
bool mm_region_usage(struct mm *mm, vaddr_t addr, struct region *region,
		     struct region_usage *usage);

/* What is at one page, for /proc/PID/pagemap. locked: reader. */
struct page_info {
	bool present;
	bool cached;    /* a page of an object */
	bool exclusive; /* nobody else reaches it */
	pfn_t pfn;
	bool swapped;   /* in a slot of swap, of this number and area; */
	bool in_memory; /* an access finds it without reading the slot */
	u64 slot;
	u32 area;
};
void mm_page_info(struct mm *mm, vaddr_t addr, struct page_info *info);

/* Copies bytes at `from` (any alignment), as far as pages are there, or in swap: how many. locked: reader. */
size_t mm_peek(struct mm *mm, vaddr_t from, void *to, size_t bytes);

/* Sizes in pages and tables, counted from the nodes. locked: reader. */
struct mm_usage {
	u64 mapped;            /* pages in regions */
	u64 resident;          /* pages present, the zero page apart */
	u64 swapped;           /* pages in swap */
	u64 tables;            /* tables in the tree, the root among them */
	u64 tables_private;    /* of these, the ones that this mm owns */
	u64 locked;            /* pages in regions that are locked */
	u64 data, stack, text; /* pages in writable private, stack and executable regions */
};
void mm_usage(struct mm *mm, struct mm_usage *usage);

/*
 * The bytes that the end of this address space would free: the tables that it owns, the pages below them that nobody else
 * points at, and the pages of objects without an owner that only its regions map. Takes no memory, and passes
 * by what is shared. locked: reader.
 */
u64 mm_exclusive_bytes(struct mm *mm);

/*
 * Takes everything away from an address space, at once and for good: what it alone held is free when this returns, and
 * each later fault fails with -ENOMEM. All who run in it are dying, so none of them sees what is missing. Takes no
 * memory. locked: writer.
 */
void mm_reap(struct mm *mm);

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
/* Calls visit for each table until it returns false. locked: reader and the table's node lock, also
 * while visit runs: it may not sleep. */
void mm_walk(struct mm *mm, bool (*visit)(void *context, const struct node_info *node),
	     void *context);

/* Who reclaims memory: the thread that keeps some free, who needs it and has none, or madvise(2). */
enum reclaimer { RECLAIM_THREAD, RECLAIM_DIRECT, RECLAIM_ADVICE, RECLAIMERS };

/* Event counts since boot, for /proc/vmstat. */
struct mm_stat {
	_Atomic u64 faults;       /* faults and populated pages that succeeded */
	_Atomic u64 zero_fills;   /* zero page or fresh cleared page put in */
	_Atomic u64 file_fills;   /* page of an object put in */
	_Atomic u64 shared_fills; /* of these fills, those made in a table that others share */
	_Atomic u64 table_copies; /* tables copied because they were shared */
	_Atomic u64 page_copies;  /* pages copied because they were shared */
	_Atomic u64 reuses;       /* write faults that found refs 1 and kept the page */
	_Atomic u64 swap_ins, swap_outs; /* pages read from swap, and written there */
	_Atomic u64 major_faults; /* of the faults, those that waited for a page to be read */
	_Atomic u64 scanned[RECLAIMERS],
		stolen[RECLAIMERS]; /* pages that reclaim looked at, and freed */
	_Atomic u64 forks;
	_Atomic u64 endings;    /* address spaces that are being freed now, or about to be */
	_Atomic u64 ended;      /* those that are free */
	_Atomic u64 tables;     /* tables in use now */
	_Atomic u64 data_pages; /* pages of type PAGE_DATA in use now */
};
extern struct mm_stat mm_stat;

/*
 * The address spaces in the order in which they were made, so that a child of a fork comes after its
 * parent: the one after mm, or the first for NULL; NULL at the end. Each is returned with a user more,
 * the caller, who keeps mm until it has asked for the next.
 */
struct mm *mm_next(struct mm *mm);
/* The first with this serial or a higher one, likewise. */
struct mm *mm_from(u64 serial);

/* For the audit, with the machine quiet: every address space. */
void mm_each(void (*visit)(void *context, struct mm *mm), void *context);

/*
 * Recomputes every count from all roots and objects and compares. Reports each difference through
 * printk, at most 20, and returns how many there were. The machine is quiet meanwhile: no address
 * space changes.
 */
u64 mm_audit(void);
