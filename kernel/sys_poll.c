/*
 * Waiting until one of several files is ready: poll(2), select(2).
 *
 * All files are asked; while none is ready the caller sleeps on poll_queue, which everything that
 * makes a file ready wakes (kernel/wait.h). Readiness is asked anew after each wake-up, so it is
 * level-triggered for every waiter.
 */
#include "kernel/fs/files.h"
#include "kernel/fs/sys_file.h"
#include "kernel/fs/vfs.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define NS_PER_MS 1000000u
#define NS_PER_US 1000u
#define LONGEST   1000000000ul /* seconds: longer time-outs are cut to this */

struct pollfd {
	i32 fd;
	i16 events, revents;
};
_Static_assert(sizeof(struct pollfd) == 8, "Linux's struct pollfd");

struct linux_time { /* timeval and timespec: they differ in the unit of the second part */
	i64 seconds, parts;
};

static int ready(const struct pollfd *pollfd)
{
	struct file *file;
	int events;

	if (pollfd->fd < 0)
		return 0;
	file = files_lookup(pollfd->fd);
	if (!file)
		return POLLNVAL;
	events = file->inode->ops->poll ? file->inode->ops->poll(file) : POLLIN | POLLOUT;
	file_put(file);
	return events & (pollfd->events | POLLERR | POLLHUP);
}

/* Fills in all revents and returns how many files are ready. Does not sleep. */
static u32 scan(struct pollfd *pollfds, u64 count)
{
	u32 found = 0;

	for (u64 i = 0; i < count; i++) {
		pollfds[i].revents = (i16)ready(&pollfds[i]);
		found += pollfds[i].revents != 0;
	}
	return found;
}

/* Waits until one is ready or the clock reads deadline (0 = for ever): how many are, or -EINTR. */
static i64 wait(struct pollfd *pollfds, u64 count, u64 deadline)
{
	u32 found = 0;
	int result = wait_until_or_signal_before(&poll_queue, (found = scan(pollfds, count)) > 0,
						 deadline);

	return result == -EINTR ? (i64)result : (i64)found;
}

/* The clock time that lies a time span of the program's ahead, 0 = never; parts count unit nanoseconds each. */
static int get_deadline(uptr timeout, u64 unit, u64 *deadline)
{
	struct linux_time time;

	*deadline = 0;
	if (!timeout)
		return 0;
	if (copy_from_user(&time, timeout, sizeof(time)))
		return -EFAULT;
	if (time.seconds < 0 || time.parts < 0)
		return -EINVAL;
	*deadline = clock_ns() + MIN((u64)time.seconds, LONGEST) * NS_PER_US * NS_PER_MS +
		    MIN((u64)time.parts, LONGEST) * unit;
	return 0;
}

/* Looks once when at_once, else waits until the deadline. */
static i64 poll_until(uptr from, u64 count, bool at_once, u64 deadline)
{
	struct pollfd *pollfds;
	size_t bytes = count * sizeof(*pollfds);
	i64 result = 0;

	if (count > FILES_MAX)
		return -EINVAL;
	pollfds = kmalloc(bytes + 1);
	if (!pollfds)
		return -ENOMEM;
	if (copy_from_user(pollfds, from, bytes))
		result = -EFAULT;
	else if (at_once)
		result = scan(pollfds, count);
	else
		result = wait(pollfds, count, deadline);
	if (result >= 0 && copy_to_user(from, pollfds, bytes))
		result = -EFAULT;
	kfree(pollfds);
	return result;
}

i64 sys_poll(uptr from, u64 count, int timeout)
{
	return poll_until(from, count, timeout == 0,
			  timeout < 0 ? 0 : clock_ns() + (u64)timeout * NS_PER_MS);
}

i64 sys_ppoll(uptr from, u64 count, uptr timeout, uptr mask, u64 size)
{
	u64 deadline;
	i64 error = get_deadline(timeout, 1, &deadline);

	if (!error && mask)
		error = signal_mask_for_wait(mask, size);
	return error ? error : poll_until(from, count, false, deadline);
}

/* ---- select, by way of poll ---- */

enum { IN, OUT, EXCEPT, SETS };
#define SET_WORDS (FILES_MAX / 64)

/* Events that count as ready in each set, and that are asked for. */
static const int ready_events[SETS] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, 0};
static const int asked_events[SETS] = {POLLIN, POLLOUT, 0};

struct selection {
	u64 sets[SETS][SET_WORDS];
	struct pollfd pollfds[FILES_MAX];
};

static bool in_set(const u64 *set, u32 fd)
{
	return set[fd / 64] >> fd % 64 & 1;
}

static int asked(const struct selection *selection, u32 fd)
{
	int events = -1;

	for (u32 i = 0; i < SETS; i++)
		if (in_set(selection->sets[i], fd))
			events = MAX(events, 0) | asked_events[i];
	return events;
}

/* One pollfd for each descriptor that is in a set; -EBADF when one is not open. */
static i64 to_pollfds(struct selection *selection, u32 count)
{
	i64 used = 0;

	for (u32 fd = 0; fd < count; fd++) {
		int events = asked(selection, fd);

		if (events < 0)
			continue;
		if (files_get_close_on_exec((int)fd) < 0)
			return -EBADF;
		selection->pollfds[used++] = (struct pollfd) {(i32)fd, (i16)events, 0};
	}
	return used;
}

/* Leaves in the sets what is ready; returns how many bits that is. */
static i64 from_pollfds(struct selection *selection, u64 used)
{
	i64 bits = 0;

	for (u64 i = 0; i < used; i++) {
		u32 fd = (u32)selection->pollfds[i].fd;

		for (u32 s = 0; s < SETS; s++) {
			u64 *word = &selection->sets[s][fd / 64], bit = 1ul << fd % 64;

			if (!(*word & bit))
				continue;
			if (selection->pollfds[i].revents & ready_events[s])
				bits++;
			else
				*word &= ~bit;
		}
	}
	return bits;
}

static i64 do_select(struct selection *selection, u32 count, const uptr at[SETS], u64 deadline)
{
	size_t bytes = (size_t)(count + 63) / 64 * 8;
	i64 used, result;

	for (u32 i = 0; i < SETS; i++)
		if (at[i] && copy_from_user(selection->sets[i], at[i], bytes))
			return -EFAULT;
	used = to_pollfds(selection, count);
	if (used < 0)
		return used;
	result = wait(selection->pollfds, (u64)used, deadline);
	if (result < 0)
		return result;
	result = from_pollfds(selection, (u64)used);
	for (u32 i = 0; i < SETS; i++)
		if (at[i] && copy_to_user(at[i], selection->sets[i], bytes))
			return -EFAULT;
	return result;
}

static i64 select_until(int count, const uptr at[SETS], u64 deadline)
{
	struct selection *selection;
	i64 result;

	if (count < 0)
		return -EINVAL;
	selection = kmalloc(sizeof(*selection));
	if (!selection)
		return -ENOMEM;
	result = do_select(selection, MIN((u32)count, FILES_MAX), at, deadline);
	kfree(selection);
	return result;
}

i64 sys_select(int count, uptr in, uptr out, uptr except, uptr timeout)
{
	const uptr at[SETS] = {in, out, except};
	u64 deadline;
	int error = get_deadline(timeout, NS_PER_US, &deadline);

	return error ? error : select_until(count, at, deadline);
}

i64 sys_pselect6(int count, uptr in, uptr out, uptr except, uptr timeout, uptr mask)
{
	const uptr at[SETS] = {in, out, except};
	u64 deadline, set[2] = {0, 0}; /* address and size of the mask */
	i64 error = get_deadline(timeout, 1, &deadline);

	if (!error && mask && copy_from_user(set, mask, sizeof(set)))
		error = -EFAULT;
	if (!error && set[0])
		error = signal_mask_for_wait(set[0], set[1]);
	return error ? error : select_until(count, at, deadline);
}
