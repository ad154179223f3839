/*
 * The terminal's settings, and whom it belongs to: a session, and of that one process group in the
 * foreground (credentials(7), ioctl_tty(2)).
 */
#include "kernel/fs/tty.h"
#include "kernel/fs/tty_state.h"
#include "kernel/process.h"
#include "mm/errno.h"

u32 tty_session(void)
{
	return tty.session;
}

u32 tty_foreground(void)
{
	return tty.foreground;
}

void tty_release_session(u32 sid)
{
	bool irqs = spin_lock_irqsave(&tty.lock);
	u32 foreground = 0;

	if (tty.session == sid) {
		foreground = tty.foreground;
		tty.session = tty.foreground = 0;
	}
	spin_unlock_irqrestore(&tty.lock, irqs);
	if (foreground) {
		signal_send_group(foreground, SIGHUP);
		signal_send_group(foreground, SIGCONT);
	}
}

static bool is_leader(const struct process *process)
{
	return process->sid == process->pid;
}

static bool is_ours(void)
{
	return tty.session && tty.session == current_process()->sid;
}

static void acquire(const struct process *process)
{
	bool irqs = spin_lock_irqsave(&tty.lock);

	tty.session = process->sid;
	tty.foreground = process->pgid;
	spin_unlock_irqrestore(&tty.lock, irqs);
}

int console_open(struct inode *inode, struct file *file)
{
	struct process *process = current_process();

	(void)inode;
	if (process && is_leader(process) && !tty.session && !(file->flags & O_NOCTTY))
		acquire(process);
	return 0;
}

int tty_open(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return is_ours() ? 0 : -ENXIO;
}

/* Any process may take the terminal from another session: all of them are the superuser's. */
static i64 take_terminal(u64 steal)
{
	const struct process *process = current_process();

	if (is_ours() && is_leader(process))
		return 0;
	if (!is_leader(process) || (tty.session && steal != 1))
		return -EPERM;
	acquire(process);
	return 0;
}

static i64 give_up(void)
{
	if (!is_ours())
		return -ENOTTY;
	if (is_leader(current_process()))
		tty_release_session(current_process()->sid);
	return 0;
}

static i64 put_number(u64 to, u32 number)
{
	return copy_to_user(to, &number, sizeof(number));
}

struct group {
	u32 pgid;
	u32 sid; /* 0 = no process found */
};

static bool find_group(void *context, struct process *process)
{
	struct group *group = context;

	if (process->pgid == group->pgid && !process->exited)
		group->sid = process->sid;
	return !group->sid;
}

static i64 set_foreground(u64 from)
{
	struct group group = {0, 0};
	i32 pgid;
	bool irqs;

	if (!is_ours())
		return -ENOTTY;
	if (copy_from_user(&pgid, from, sizeof(pgid)))
		return -EFAULT;
	if (pgid < 0)
		return -EINVAL;
	group.pgid = (u32)pgid;
	process_each(find_group, &group);
	if (!group.sid)
		return -ESRCH;
	if (group.sid != tty.session)
		return -EPERM;
	irqs = spin_lock_irqsave(&tty.lock);
	tty.foreground = group.pgid;
	spin_unlock_irqrestore(&tty.lock, irqs);
	return 0;
}

/* Looks for a process whose parent could continue it: in the same session, but not in the group. */
static bool find_guarded(void *context, struct process *process)
{
	struct group *group = context;
	const struct process *parent = process->parent;

	if (process->pgid == group->pgid && !process->exited && parent &&
	    parent->pgid != group->pgid && parent->sid == process->sid)
		group->sid = process->sid;
	return !group->sid;
}

int tty_check_foreground(int signal)
{
	const struct process *process = current_process();
	struct group group = {process->pgid, 0};

	if (!is_ours() || !tty.foreground || tty.foreground == process->pgid)
		return 0;
	if ((current()->blocked & SIGNAL_BIT(signal)) ||
	    process->actions[signal - 1].handler == SIG_IGN)
		return signal == SIGTTIN ? -EIO : 0;
	process_each(find_guarded, &group);
	if (!group.sid)
		return -EIO;
	signal_send_group(process->pgid, signal);
	return -EINTR;
}

static i64 get_settings(u64 to)
{
	struct termios settings;
	bool irqs = spin_lock_irqsave(&tty.lock);

	settings = tty.settings;
	spin_unlock_irqrestore(&tty.lock, irqs);
	return copy_to_user(to, &settings, sizeof(settings));
}

static i64 set_settings(u64 from, bool flush)
{
	struct termios settings;
	bool irqs;

	if (copy_from_user(&settings, from, sizeof(settings)))
		return -EFAULT;
	irqs = spin_lock_irqsave(&tty.lock);
	if (flush)
		tty_flush_input();
	if (!(settings.lflag & ICANON))
		tty.ready = tty.write_at; /* the line being edited can be read as it is */
	tty.settings = settings;
	spin_unlock_irqrestore(&tty.lock, irqs);
	wake_all(&tty.readable);
	wake_pollers();
	return 0;
}

static i64 get_size(u64 to)
{
	struct winsize size = tty.size;

	return copy_to_user(to, &size, sizeof(size));
}

static i64 set_size(u64 from)
{
	struct winsize size;
	bool irqs, changed;

	if (copy_from_user(&size, from, sizeof(size)))
		return -EFAULT;
	irqs = spin_lock_irqsave(&tty.lock);
	changed = memcmp(&size, &tty.size, sizeof(size)) != 0;
	tty.size = size;
	spin_unlock_irqrestore(&tty.lock, irqs);
	if (changed && tty.foreground)
		signal_send_group(tty.foreground, SIGWINCH);
	return 0;
}

static i64 flush(u64 which)
{
	bool irqs;

	if (which > TCIOFLUSH)
		return -EINVAL;
	if (which == TCOFLUSH)
		return 0;
	irqs = spin_lock_irqsave(&tty.lock);
	tty_flush_input();
	spin_unlock_irqrestore(&tty.lock, irqs);
	return 0;
}

static bool changes(u64 request)
{
	return request == TCSETS || request == TCSETSW || request == TCSETSF ||
	       request == TIOCSPGRP || request == TCFLSH;
}

i64 tty_ioctl(struct file *file, u64 request, u64 argument)
{
	int error = changes(request) ? tty_check_foreground(SIGTTOU) : 0;

	(void)file;
	if (error)
		return error;
	switch (request) {
	case TCGETS:
		return get_settings(argument);
	case TCSETS:
	case TCSETSW: /* output is never waiting */
	case TCSETSF:
		return set_settings(argument, request == TCSETSF);
	case TCSBRK:
		return 0;
	case TCFLSH:
		return flush(argument);
	case TIOCGWINSZ:
		return get_size(argument);
	case TIOCSWINSZ:
		return set_size(argument);
	case TIOCGPGRP:
		return is_ours() ? put_number(argument, tty.foreground) : -ENOTTY;
	case TIOCSPGRP:
		return set_foreground(argument);
	case TIOCGSID:
		return is_ours() ? put_number(argument, tty.session) : -ENOTTY;
	case TIOCSCTTY:
		return take_terminal(argument);
	case TIOCNOTTY:
		return give_up();
	case FIONREAD:
		return put_number(argument, tty.ready - tty.read_at);
	default:
		return -ENOTTY;
	}
}
