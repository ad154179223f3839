/* set_robust_list(2): what the kernel does with the futexes of a thread that ends. */
#define _GNU_SOURCE
#include "futex.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCKS 5u

struct lock {
	struct robust_list links;
	atomic_uint word;
};

static struct lock *locks; /* in memory that processes share */
static struct robust_list_head *head;

#define WORD_OFFSET ((long)offsetof(struct lock, word))

/* Puts the first `listed` locks into the list of the calling thread. */
static void list_locks(unsigned listed)
{
	head->list.next = &head->list;
	head->futex_offset = WORD_OFFSET;
	head->list_op_pending = NULL;
	for (unsigned i = 0; i < listed; i++) {
		locks[i].links.next = head->list.next;
		head->list.next = &locks[i].links;
	}
	CHECK(syscall(SYS_set_robust_list, head, sizeof(*head)) == 0);
}

static void prepare(void)
{
	locks = shared_memory(PAGE);
	head = shared_memory(PAGE);
}

/* Own, with waiters; own; another's; free; own, though only about to be listed. */
static void take_locks(void)
{
	unsigned me = (unsigned)gettid();

	list_locks(LOCKS - 1);
	locks[0].word = me | FUTEX_WAITERS;
	locks[1].word = me;
	locks[2].word = me + 1;
	locks[3].word = 0;
	locks[4].word = me;
	head->list_op_pending = &locks[4].links;
}

static void *end_with_locks(void *context)
{
	take_locks();
	return context;
}

static void check_locks(unsigned owner)
{
	CHECK(locks[0].word == (FUTEX_OWNER_DIED | FUTEX_WAITERS));
	CHECK(locks[1].word == FUTEX_OWNER_DIED);
	CHECK((locks[2].word & (FUTEX_OWNER_DIED | FUTEX_WAITERS)) == 0 && locks[2].word != 0);
	CHECK(owner == 0 || locks[2].word == owner + 1);
	CHECK(locks[3].word == 0 && locks[4].word == FUTEX_OWNER_DIED);
}

static void of_threads(void)
{
	prepare();
	for (unsigned i = 0; i < 20; i++) {
		finish(begin(end_with_locks, NULL));
		check_locks(0);
	}
}

static void be_killed(void)
{
	take_locks();
	raise(SIGKILL);
}

static void execute_with_locks(void)
{
	take_locks();
	execute_self(EXECUTE);
}

static void of_processes(void)
{
	pid_t pid;

	prepare();
	pid = child(take_locks);
	CHECK(passed(pid));
	check_locks((unsigned)pid);
	pid = child(be_killed);
	CHECK(status_of(pid) == SIGKILL);
	check_locks((unsigned)pid);
	pid = child(execute_with_locks);
	CHECK(status_of(pid) == EXECUTED << 8);
	check_locks((unsigned)pid);
}

static atomic_uint go;

static void *hold_until_told(void *context)
{
	list_locks(1);
	locks[0].word = (unsigned)gettid() | FUTEX_WAITERS;
	UNTIL(go);
	return context;
}

static void *wait_for_owner(void *context)
{
	unsigned now;

	while (((now = locks[0].word) & FUTEX_OWNER_DIED) == 0)
		futex(&locks[0].word, FUTEX_WAIT, now, NULL, NULL, 0);
	return context;
}

/* The owner's death is what wakes: nobody else calls FUTEX_WAKE. */
static void waiter_is_woken(void)
{
	prepare();
	for (unsigned i = 0; i < 20; i++) {
		pthread_t owner, waiter;

		go = 0;
		locks[0].word = 0;
		owner = begin(hold_until_told, NULL);
		UNTIL(locks[0].word);
		waiter = begin(wait_for_owner, NULL);
		usleep(500);
		go = 1;
		finish(owner);
		finish(waiter);
	}
}

/* Lists that are broken harm nobody. */
static void loop_in_list(void)
{
	take_locks();
	locks[0].links.next = &locks[3].links;
}

static void list_nowhere(void)
{
	list_locks(1);
	head->list.next = (struct robust_list *)16;
}

static void head_nowhere(void)
{
	CHECK(syscall(SYS_set_robust_list, 16, sizeof(*head)) == 0);
}

static void broken_lists(void)
{
	prepare();
	CHECK(syscall(SYS_set_robust_list, head, sizeof(*head) - 1) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_set_robust_list, head, 0) == -1 && errno == EINVAL);
	CHECK(passed(child(loop_in_list)));
	CHECK(passed(child(list_nowhere)));
	CHECK(passed(child(head_nowhere)));
}

const struct part robust_parts[] = {
	{"robust lists of threads", of_threads},
	{"robust lists of processes", of_processes},
	{"robust lists: a waiter is woken", waiter_is_woken},
	{"robust lists that are broken", broken_lists},
	{0},
};
