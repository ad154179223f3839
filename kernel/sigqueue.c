/*
 * A queue is a list in the order of sending; bit n - 1 of its set is set while signal n may be in it.
 * Signals are sent by interrupt handlers too, which may not allocate: the entries are a fixed number for the whole
 * system. As everybody is root, Linux counts them all against one user likewise.
 *
 * A set is changed under the process table's lock and read by those who may take of it without.
 */
#include "kernel/sigqueue.h"
#include "kernel/process.h"
#include "mm/errno.h"

struct queued_signal {
	struct list link;
	struct siginfo info;
};

static struct queued_signal entries[SIGQUEUE_MAX];
/* guarded by the process table's lock: */
static struct list unused = {&unused, &unused};
static u32 ever_used; /* of entries; the later ones are in no list yet */
static u32 in_use;

static struct queued_signal *entry_get(u64 limit)
{
	struct queued_signal *entry;

	if (in_use >= limit)
		return NULL;
	if (!list_empty(&unused)) {
		entry = list_first(&unused, struct queued_signal, link);
		list_remove(&entry->link);
	} else if (ever_used < SIGQUEUE_MAX) {
		entry = &entries[ever_used++];
	} else {
		return NULL;
	}
	in_use++;
	return entry;
}

static void entry_put(struct queued_signal *entry)
{
	list_remove(&entry->link);
	list_push_front(&unused, &entry->link);
	in_use--;
}

/* The limit does not bind what the kernel or kill(2) tells of standard signals. */
static u64 limit_for(const struct process *process, const struct siginfo *info)
{
	bool bound = info->signal >= SIGRTMIN || info->code < 0;

	return bound ? process->limits[RLIMIT_SIGPENDING].soft : SIGQUEUE_MAX;
}

void sigqueue_init(struct sigpending *pending)
{
	pending->set = 0;
	list_init(&pending->queue);
}

int sigqueue_add(struct sigpending *pending, const struct process *process,
		 const struct siginfo *info)
{
	bool queues = info->signal >= SIGRTMIN;
	struct queued_signal *entry;

	if (!queues && (pending->set & SIGNAL_BIT(info->signal)))
		return 0;
	entry = entry_get(limit_for(process, info));
	if (!entry && queues && info->code != SI_USER)
		return -EAGAIN;
	if (entry) {
		entry->info = *info;
		list_push_back(&pending->queue, &entry->link);
	}
	/* A barrier: the sender looks at what is blocked after it. */
	__atomic_fetch_or(&pending->set, SIGNAL_BIT(info->signal), __ATOMIC_SEQ_CST);
	return 0;
}

void sigqueue_take(struct sigpending *pending, int signal, struct siginfo *info)
{
	struct queued_signal *entry, *first = NULL;
	bool more = false;

	*info = (struct siginfo) {.signal = signal, .code = SI_USER};
	list_for_each(entry, &pending->queue, link) {
		if (entry->info.signal != signal)
			continue;
		more = first != NULL;
		if (more)
			break;
		first = entry;
	}
	if (first) {
		*info = first->info;
		entry_put(first);
	}
	if (!more)
		__atomic_fetch_and(&pending->set, ~SIGNAL_BIT(signal), __ATOMIC_SEQ_CST);
}

struct siginfo *sigqueue_of_timer(struct sigpending *pending, int timer)
{
	struct queued_signal *entry;

	list_for_each(entry, &pending->queue, link) {
		if (entry->info.code == SI_TIMER && entry->info.timer == timer)
			return &entry->info;
	}
	return NULL;
}

void sigqueue_forget(struct sigpending *pending, u64 set)
{
	struct list *at = pending->queue.next;

	if (!(pending->set & set))
		return;
	while (at != &pending->queue) {
		struct queued_signal *entry = container_of(at, struct queued_signal, link);

		at = at->next;
		if (SIGNAL_BIT(entry->info.signal) & set)
			entry_put(entry);
	}
	__atomic_fetch_and(&pending->set, ~set, __ATOMIC_SEQ_CST);
}
