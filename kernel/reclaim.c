/* What mm/ asks of the process that runs (mm/machine.h), and the thread that keeps some memory free. */
#include "kernel/reclaim.h"
#include "kernel/cpu/trap.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "mm/frame.h"
#include "mm/reclaim.h"

void machine_count_major(void)
{
	current()->major_faults++;
}

bool machine_interrupted(void)
{
	return current()->process && signal_pending();
}

/* ---- The reclaiming thread ---- */

#define STEP    64u         /* frames between two looks at what else is to be done */
#define REST_NS 100000000ul /* after it has found nothing */

static struct waitqueue wanted;

void machine_reclaim(void)
{
	wake_all(&wanted);
}

/* True: until the high mark. */
static bool reclaim(void)
{
	while (frames_free() < reclaim_high_mark()) {
		if (!mm_reclaim(STEP, RECLAIM_THREAD))
			return false;
		give_way();
	}
	frames_low = false;
	return true;
}

static _Noreturn void reclaim_thread(void)
{
	sched_arrive();
	interrupts_on();
	for (;;) {
		wait_until(&wanted, frames_low);
		if (!reclaim())
			wait_for(NULL, false, false, clock_ns() + REST_NS);
	}
}

void reclaim_start(void)
{
	struct thread *thread = thread_create(NULL, reclaim_thread);

	if (!thread)
		panic("no memory for the reclaiming thread");
	frames_watch(reclaim_low_mark());
	sched_start(thread);
}
