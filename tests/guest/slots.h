/*
 * For tests/guest/random.c: what the model knows of a process's memory, and accesses that it
 * checks.
 *
 * The space is cut into slots: windows of single pages around the boundaries of tables at every
 * level, and the wide gaps between the windows. An operation on a run of slots so covers tables in
 * part and whole. The slots are this process's own and fork with it.
 *
 * In a page, private memory has its first and last word. A shared page has a word for each process,
 * which that one alone writes, in the model: on a board that all share it says so before and after.
 * So a reader knows between which two counts another's word must be, and its own exactly.
 */
#pragma once

#include "lib.h"

#define WINDOW  5u /* pages on each side of a boundary */
#define WINDOWS 4u
#define SLOTS   (WINDOWS * (2 * WINDOW + 1) - 1)
#define ARENA   slot_base(20) /* up to 1 TB and a window from there */

#define WRITERS    8u /* processes at once, at most */
#define FILE_PAGES 24u
#define TRACKED    24u   /* pages of an object whose words are on the board */
#define OBJECTS    2048u /* made in one run, at most */
#define THE_FILE   0u    /* the first of them */
#define CODE       2048u /* where in a page there is a RET to run */
#define RET        0xc3

enum kind { UNMAPPED, ANONYMOUS, FILE_PRIVATE, FILE_SHARED, OBJECT_SHARED };

struct slot {
	enum kind kind;
	int prot;
	unsigned object;     /* of which these are pages from index on */
	uint64_t index;      /* counted for anonymous memory too, where it means nothing */
	bool dontfork, wipe; /* as madvise marked it */
	bool own;            /* a private page with contents of its own: value and words */
	bool freed;          /* MADV_FREE: value or zeroes, until it is written */
	uint64_t value;
	uint32_t words[WRITERS]; /* as they were when a page of the file was copied */
};

struct place {
	uintptr_t start, end;
};

extern struct slot slots[SLOTS];
extern struct place places[SLOTS];

/* The counts of a process's writes to one shared page. */
struct writes {
	_Atomic uint32_t begun, done;
};

/* What all processes of a run share. */
struct board {
	_Atomic long steps; /* left */
	_Atomic unsigned live, failed, objects;
	bool taken[WRITERS];
	uint64_t pages[OBJECTS];
	struct writes writes[OBJECTS][TRACKED][WRITERS];
};

extern struct board *board;
extern uint64_t seed;
extern long step;     /* of this process */
extern unsigned self; /* which of the writers it is */

/* Random numbers of this process's own. */
void rng_start(uint64_t state);
uint64_t rng_fork(void);
unsigned rng(unsigned below);

/* Where system and model differ nothing after makes sense: all processes end. */
#define AGREE(cond, format, ...)                                                                 \
	do {                                                                                     \
		if (!CHECK(cond, "seed %lu, process %u, step %ld: " format, (unsigned long)seed, \
			   self, step, ##__VA_ARGS__)) {                                         \
			board->failed = 1;                                                       \
			end_process();                                                           \
		}                                                                                \
	} while (0)

/* Cuts the space; catches SIGSEGV and SIGBUS. */
void slots_init(void);
/* The pipe through which the kernel's accesses go: one for each process. */
void open_pipe(void);

uint64_t pages_of(unsigned i);
uint64_t bytes_of(unsigned first, unsigned last);
/* How many single pages follow one another from slot first on, at most most. */
unsigned run_of_pages(unsigned first, unsigned most);
bool is_shared(const struct slot *slot);
bool all_mapped(unsigned first, unsigned last);
bool any_mapped(unsigned first, unsigned last);
/* Whether the slots lie in one region. Linux may have made more than one of them. */
bool one_region(unsigned first, unsigned last);
void forget(unsigned first, unsigned last);

enum access { READ, WRITE, RUN };

struct outcome {
	int signal, code; /* 0, 0: it is allowed */
};

/* What an access to the slot must give. */
struct outcome expected(const struct slot *slot, enum access access);
/* What the words of an object's page are at least from now on. */
void note_floor(const struct slot *slot, uint32_t *floor);
/* A page of a private file mapping has become this process's: it keeps the others' words as they
 * are now, at least floor. */
void own_copy(unsigned i, uint64_t value, const uint32_t *floor);

/* Reads, writes or runs the page, by the program or the kernel, and checks all that it sees. */
void use_slot(unsigned i, enum access access);
/* Reads every page. */
void read_all(void);
