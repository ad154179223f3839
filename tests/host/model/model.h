/*
 * What mm/ must mean, in plain arrays: the model that the drivers of the host tests share.
 *
 * The address space is cut into slots, each a page or a wide run of pages that is always mapped, protected
 * and unmapped whole. So what a space means is one struct slot for each of its slots. Operations
 * (tests/host/model/operation.h) work on runs of slots: they call mm/, and change the model alike.
 *
 * A driver supplies choose() and print_replay(), and runs operations between world_start() and world_end().
 */
#pragma once

#include "mm/object.h"
#include "tests/host/machine.h"

/* ---- What a driver supplies ---- */

/* A number below `below`. All that operations choose is drawn here. */
u32 choose(u32 below);

/* Says how to see a failure again; called once, when a check has failed. */
void print_replay(void);

/* ---- Spaces ---- */

#define MOST_SLOTS      72u
#define MOST_SPACES     6u
#define MOST_FILE_PAGES 1024u
#define STACK_LIMIT     (8ul << 20) /* bytes of each stack */

enum kind { UNMAPPED, ANONYMOUS, FILE_PRIVATE, FILE_SHARED };

/* A slot's place, the same in all spaces. */
struct place {
	vaddr_t start, end;
	bool data; /* its first page is read and written; if not, it is only mapped and unmapped */
};

/* What the model knows of one slot in one address space. */
struct slot {
	enum kind kind;
	u32 prot;
	u64 index;  /* of its first page in the file; anonymous: in the place it was mapped at */
	bool grows; /* MAP_GROWSDOWN */
	bool denies_write;   /* MAP_DENYWRITE */
	bool promised;       /* private, and was writable once */
	u32 locked;          /* MAP_LOCKED, REGION_ONFAULT */
	bool dontfork, wipe; /* as madvise marked it */
	bool present;        /* its first page is there for certain, though it may be the file's */
	bool own;            /* has contents of its own: value; else what the file holds, or 0 */
	u64 value;
};

struct space {
	struct mm *mm;
	vaddr_t brk;
	struct slot slots[MOST_SLOTS];
};

struct menu_entry {
	const struct action *action;
	u32 weight; /* how often, against the others */
};

/* How large a world is, and what happens in it: set by a driver before world_start(). */
struct setting {
	struct place places[MOST_SLOTS];
	u32 slots, spaces;
	u64 file_pages; /* of the file at first, and at most */
	u64 swap_slots;
	vaddr_t brk_start;
	const struct menu_entry *menu;
	u32 menu_entries;
	bool plain; /* operations in their simplest forms alone, so that all can be enumerated */
};

struct world {
	struct space spaces[MOST_SPACES];
	u32 live; /* spaces in use, the first ones */
	struct object *file;
	u64 file_pages; /* its size */
	u64 file_values[MOST_FILE_PAGES];
	u64 written; /* the value written last: every write has its own */
	int area;    /* of swap */
	u64 frames_before, heap_before;
};

extern struct setting setting;
extern struct world world;

/* Windows of pages on both sides of boundaries between tables of every level, and the wide gaps between the
 * windows; six spaces. */
void set_windows(void);

/* Two PTE tables of two slots each, on both sides of the boundary; three spaces, and plain operations. */
void set_tiny(vaddr_t boundary);

/* One space with nothing mapped, and a file of zeroes. */
void world_start(void);

/* Ends all spaces; no memory may be missing then. */
void world_end(void);

/* ---- Slots ---- */

static inline const struct place *place_of(u32 slot)
{
	return &setting.places[slot];
}

static inline u64 pages_of(u32 slot)
{
	return (place_of(slot)->end - place_of(slot)->start) >> PAGE_SHIFT;
}

static inline bool is_page(u32 slot)
{
	return pages_of(slot) == 1;
}

/* Bytes of the slots first to last. */
static inline u64 bytes_of(u32 first, u32 last)
{
	return place_of(last)->end - place_of(first)->start;
}

/* The slots that together are [start, start + length); false when none are. */
bool slots_at(vaddr_t start, u64 length, u32 *first, u32 *last);

/* Pages in a row from slot first on, at most `most`. */
u32 run_of_pages(u32 first, u32 most);

bool all_mapped(const struct space *space, u32 first, u32 last);
bool any_mapped(const struct space *space, u32 first, u32 last);

/* Whether no slot of [start, end) is mapped; nothing outside the slots ever is. For a new place: nor kept
 * free for a stack above it. */
bool is_place(const struct space *space, vaddr_t start, vaddr_t end);
bool is_free(const struct space *space, vaddr_t start, vaddr_t end);

/* Whether all these slots lie in one region. */
bool in_one_region(const struct space *space, u32 first, u32 last);

void forget_slots(struct space *space, u32 first, u32 last);

/* Takes the slot's contents, so that it reads as zeroes or as the file. */
void forget_contents(struct slot *slot);

/* The lowest address that a neighbour below slot i may reach up to; it is the first of its region. */
vaddr_t floor_of(const struct space *space, u32 i);

/* What has moved without a page of its own is as if it had been mapped where it is. */
void place_anew(struct slot *slots, u32 count, vaddr_t start);

/* What the flags of a mapping make of a slot's promise. */
bool is_promise(enum kind kind, u32 prot);

/* Gives the slot contents of its own, which are what it reads as now. */
void own_contents(struct slot *slot);

/* What a read of the slot must see, when it may read. */
u64 expected_value(const struct slot *slot);

/* What an access of the slot must return. */
int expected_error(const struct slot *slot, enum access access);

/* The leaf entry at addr, 0 when there is none: a look that changes nothing. */
u64 leaf_at(struct mm *mm, vaddr_t addr);

/* Brings a slot of the model up to date with what a populating that ran out of memory has reached. */
void sync_contents(const struct space *space, u32 slot, struct slot *known);

/* ---- Checks ---- */

/* Ends the program, with what it takes to see the failure again. */
_Noreturn void check_failed(const char *condition, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define CHECK(cond, format, ...)                                    \
	do {                                                        \
		if (!(cond))                                        \
			check_failed(#cond, format, ##__VA_ARGS__); \
	} while (0)

/* The audit, that no TLB holds what was taken away, and the sum of what is promised. */
void check_machine(void);

/* Compares the regions of a space, the leaves of its slots, and its sizes with the model, changing nothing. */
void check_space(const struct space *space);

/* Reads every page of every space, as a program would. */
void read_all(void);

/* What a leaf's page holds, in memory or in swap. */
const u64 *contents_of(u64 leaf);

/* Frames and slots of swap in use, a page that has both counted once, but for the file's own, which a refused operation may
 * fill: a number that an operation without effect leaves as it was. */
u64 memory_in_use(void);
