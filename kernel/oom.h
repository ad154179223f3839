/* Out of memory: who dies, so that the others can go on. docs/oom.md */
#pragma once

#include "mm/types.h"

struct process;

#define OOM_SCORE_ADJ_MIN (-1000) /* never */
#define OOM_SCORE_ADJ_MAX 1000

/* /proc/sys/vm/panic_on_oom; oom_kill_allocating_task: who asked for memory dies, whoever has most. */
struct oom_policy {
	u32 panic, kill_asker;
};
extern struct oom_policy oom_policy;

/* How often memory has been given up: by a kill, or an address space's end. */
u64 oom_relief(void);

/*
 * The current program's access to addr found no memory, after oom_relief() was `seen`. True: others have given some up, or are
 * about to, so the access is to be tried again. False: the current process is dying itself. Panics when
 * there is nobody left to kill. May sleep; the caller holds no mm->lock, and may hold what is outside it: so nobody is waited
 * for without end.
 */
bool out_of_memory(u64 addr, u64 seen);

/* /proc/PID/oom_score: 0 = it is never chosen; 666 = it holds nothing and has asked for nothing. Takes the mm's lock. */
u64 oom_score(struct process *process);
