/* System calls on futexes. */
#include "kernel/futex.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/errno.h"

enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAKE_OP = 5,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_PRIVATE_FLAG = 128,
	FUTEX_CLOCK_REALTIME = 256,
};

/* The clock_ns() at which a wait ends whose time is at the user address from; 0 = never. FUTEX_WAIT tells how long, the
 * other when. */
static i64 get_deadline(int operation, uptr from, u64 *deadline)
{
	u64 ns, now = clock_ns(), epoch = 0;
	i64 error = from ? get_span(from, &ns) : 0;

	*deadline = 0;
	if (!from || error)
		return error;
	if (operation & FUTEX_CLOCK_REALTIME)
		epoch = boot_epoch * 1000000000ul;
	if ((operation & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)) == FUTEX_WAIT)
		*deadline = now + ns;
	else
		*deadline = ns > epoch ? ns - epoch : 1;
	return 0;
}

static i64 wait(uptr at, int operation, u32 value, uptr timeout, u32 bits)
{
	u64 deadline;
	i64 error = get_deadline(operation, timeout, &deadline);

	if (error)
		return error;
	if (!bits)
		return -EINVAL;
	return futex_wait(at, !(operation & FUTEX_PRIVATE_FLAG), value, bits, deadline);
}

i64 sys_futex(uptr at, int operation, u32 value, u64 timeout, uptr other, u32 third)
{
	int command = operation & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	bool shared = !(operation & FUTEX_PRIVATE_FLAG);
	u32 second = (u32)timeout;

	if ((operation & FUTEX_CLOCK_REALTIME) && command != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (command) {
	case FUTEX_WAIT:
		return wait(at, operation, value, timeout, FUTEX_ANY);
	case FUTEX_WAIT_BITSET:
		return wait(at, operation, value, timeout, third);
	case FUTEX_WAKE:
		return futex_wake(at, shared, MAX(value, 1u), FUTEX_ANY);
	case FUTEX_WAKE_BITSET:
		return third ? futex_wake(at, shared, MAX(value, 1u), third) : -EINVAL;
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		if ((i32)value < 0 || (i32)second < 0)
			return -EINVAL;
		return futex_requeue(at, other, shared, value, second,
				     command == FUTEX_CMP_REQUEUE ? &third : NULL);
	case FUTEX_WAKE_OP:
		return futex_wake_op(at, other, shared, MAX(value, 1u), second, third);
	default:
		return -ENOSYS;
	}
}

i64 sys_set_robust_list(uptr head, size_t bytes)
{
	if (bytes != ROBUST_LIST_BYTES)
		return -EINVAL;
	current()->robust_list = head;
	return 0;
}

i64 sys_get_robust_list(i32 tid, uptr head, uptr bytes)
{
	const u64 size = ROBUST_LIST_BYTES;
	struct thread *thread;
	bool interrupts;
	u64 list = 0;

	interrupts = process_table_lock();
	thread = tid ? thread_find(NULL, (u32)tid) : current();
	if (thread)
		list = thread->robust_list;
	process_table_unlock(interrupts);
	if (!thread)
		return -ESRCH;
	if (copy_to_user(bytes, &size, sizeof(size)))
		return -EFAULT;
	return copy_to_user(head, &list, sizeof(list));
}
