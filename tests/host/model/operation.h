/*
 * Operations on the worlds of the model: what a program may ask of mm/, each in three parts. It draws its
 * arguments; says what mm/ must answer; and changes the model as mm/ must have changed the space.
 *
 * To add one: write its struct action in the file of its noun, and name it in full_menu.
 */
#pragma once

#include "tests/host/model/model.h"

struct operation {
	const struct action *action;
	u8 space;
	u8 first, last; /* slots that it works on */
	u8 to;
	u16 room; /* of a move: the first slot of its new place, and how many there */
	enum kind kind;
	enum access access;
	u32 prot, flags, advice;
	u64 value; /* what else it needs: a page of the file, a length in pages, an address, a level */
};

struct action {
	const char *name;
	/* Draws the arguments; false: there is nothing to do with them now. */
	bool (*choose)(struct operation *op);
	/* What the call must return. Changes nothing. */
	i64 (*expect)(const struct operation *op);
	/* Calls mm/. A refusal that mm/ tells otherwise becomes -ENOMEM here. */
	i64 (*call)(const struct operation *op);
	/* Changes the model; the call has returned what was expected. */
	void (*apply)(const struct operation *op, i64 result);
	/* After a refusal: whether a part of the operation stays done, in the model too now. NULL: none may. */
	bool (*partly_done)(const struct operation *op);
};

/* Which allocations of an operation are refused: the nth, or all from it on; 0: none. */
struct refusal {
	u64 nth;
	bool all;
};

extern const struct menu_entry full_menu[], plain_menu[];
extern const u32 full_menu_entries, plain_menu_entries;

extern const struct action action_map, action_unmap, action_protect, action_brk;
extern const struct action action_read, action_write, action_exec, action_populate, action_resident;
extern const struct action action_move, action_round_trip, action_resize;
extern const struct action action_advise, action_lock, action_fork, action_exit;
extern const struct action action_truncate, action_punch;
extern const struct action action_page_out, action_reclaim, action_broken_read, action_swapoff;

/* Draws an operation of the setting's menu; false: nothing to do. */
bool operation_choose(struct operation *op);

/* Runs it and compares. True when memory was refused to it and it failed; then it has had no effect but what the
 * model knows of. */
bool operation_run(const struct operation *op, struct refusal refusal);

/* The same, for every n: the nth allocation refused, until it needs no more than n. */
void operation_run_refused(const struct operation *op);

void operation_print(const struct operation *op);

/* ---- For the files of operations ---- */

/* Whether an allocation was refused to the operation that has just been called. */
bool was_refused(void);

/* From here on the operation gets what it asks for: for a call that has to be undone. */
void stop_refusing(void);

static inline struct space *space_of(const struct operation *op)
{
	return &world.spaces[op->space];
}

/* A run of slots. */
void choose_slots(struct operation *op);

/* One slot that holds data; false when none was drawn. */
bool choose_data(struct operation *op);

u32 choose_prot(void);

/* Where a mapping of length bytes goes that has no place of its own: the highest gap; 0 when there is none. */
vaddr_t highest_gap(const struct space *space, u64 length);

/* What MADV_POPULATE of these slots must return, and its effect. */
i64 populate_expect(const struct space *space, u32 first, u32 last, enum access access);
void populate_apply(struct space *space, u32 first, u32 last, enum access access);

/* What MAP_POPULATE and a lock do to a region's slots, which tells nobody of failures. */
void populate_quietly(struct space *space, u32 first, u32 last);
