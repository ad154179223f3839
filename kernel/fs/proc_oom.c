/* What /proc says, and can be told, of memory that runs out: docs/oom.md. */
#include "kernel/fs/proc.h"
#include "kernel/oom.h"
#include "kernel/process.h"
#include "mm/commit.h"
#include "mm/errno.h"

#define INT_MAX 0x7fffffff

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

int proc_number(const char *text, i64 least, i64 most, i64 *number)
{
	const i64 beyond = 1l << 50; /* more digits than that are out of any bounds */
	i64 value = 0, sign = 1;

	while (is_space(*text))
		text++;
	if (*text == '-' || *text == '+')
		sign = *text++ == '-' ? -1 : 1;
	if (!is_digit(*text))
		return -EINVAL;
	for (; is_digit(*text); text++)
		value = MIN(value * 10 + (*text - '0'), beyond);
	while (is_space(*text))
		text++;
	value *= sign;
	if (*text || value < least || value > most)
		return -EINVAL;
	*number = value;
	return 0;
}

/* ---- /proc/PID ---- */

void proc_show_oom_score(struct text *text, struct process *process)
{
	text_print(text, "%lu\n", oom_score(process));
}

void proc_show_oom_score_adj(struct text *text, struct process *process)
{
	text_print(text, "%d\n", process->oom_score_adj);
}

int proc_store_oom_score_adj(const char *text, struct process *process)
{
	i64 value;
	int error = proc_number(text, OOM_SCORE_ADJ_MIN, OOM_SCORE_ADJ_MAX, &value);

	if (!error)
		process->oom_score_adj = (i32)value;
	return error;
}

/* ---- /proc/sys/vm ---- */

static int store_u32(const char *text, u32 most, u32 *to)
{
	i64 value;
	int error = proc_number(text, 0, most, &value);

	if (!error)
		*to = (u32)value;
	return error;
}

void proc_show_oom_kill_allocating_task(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, "%u\n", oom_policy.kill_asker);
}

int proc_store_oom_kill_allocating_task(const char *text, struct process *process)
{
	(void)process;
	return store_u32(text, INT_MAX, &oom_policy.kill_asker);
}

void proc_show_panic_on_oom(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, "%u\n", oom_policy.panic);
}

int proc_store_panic_on_oom(const char *text, struct process *process)
{
	(void)process;
	return store_u32(text, 2, &oom_policy.panic);
}

void proc_show_overcommit_memory(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, "%u\n", commit_policy.mode);
}

int proc_store_overcommit_memory(const char *text, struct process *process)
{
	(void)process;
	return store_u32(text, OVERCOMMIT_NEVER, &commit_policy.mode);
}

void proc_show_overcommit_ratio(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, "%u\n", commit_policy.ratio);
}

/* Of ratio and kbytes, the one that is written counts, and the other becomes 0. */
int proc_store_overcommit_ratio(const char *text, struct process *process)
{
	int error = store_u32(text, INT_MAX, &commit_policy.ratio);

	(void)process;
	if (!error)
		commit_policy.kbytes = 0;
	return error;
}

void proc_show_overcommit_kbytes(struct text *text, struct process *process)
{
	(void)process;
	text_print(text, "%lu\n", commit_policy.kbytes);
}

int proc_store_overcommit_kbytes(const char *text, struct process *process)
{
	i64 value;
	int error = proc_number(text, 0, 1l << 49, &value);

	(void)process;
	if (error)
		return error;
	commit_policy.kbytes = (u64)value;
	commit_policy.ratio = 0;
	return 0;
}
