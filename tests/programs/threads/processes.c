/* exec by threads; processes that threads start. */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4u

static atomic_uint ready;
static atomic_bool stop;

static void *spin(void *context)
{
	ready++;
	while (!stop)
		;
	return context;
}

static void *sleep_on(void *context)
{
	ready++;
	pause();
	return context;
}

static void *execute(void *context)
{
	execute_self(EXECUTE);
	CHECK(!"exec returned");
	return context;
}

static void begin_others(void)
{
	pthread_t threads[2];

	begin_all(threads, COUNT(threads), spin);
	begin_all(threads, COUNT(threads), sleep_on);
	UNTIL(ready == 4);
}

static void execute_by_thread(void)
{
	begin_others();
	finish(begin(execute, NULL));
}

static void execute_by_first(void)
{
	begin_others();
	execute(NULL);
}

static void *execute_after_first(void *context)
{
	usleep(1000);
	return execute(context);
}

static void execute_without_first(void)
{
	begin_others();
	begin(execute_after_first, NULL);
	pthread_exit(NULL);
}

/* The others end, and what is executed has the process's id, whoever called. */
static void exec_in_each_way(void)
{
	for (unsigned i = 0; i < 10; i++) {
		CHECK(status_of(child(execute_by_thread)) == EXECUTED << 8);
		CHECK(status_of(child(execute_by_first)) == EXECUTED << 8);
		CHECK(status_of(child(execute_without_first)) == EXECUTED << 8);
	}
}

static pthread_barrier_t meeting;

static void *execute_together(void *context)
{
	pthread_barrier_wait(&meeting);
	return execute(context);
}

static void execute_by_all(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&meeting, NULL, THREADS + 1);
	begin_all(threads, THREADS, execute_together);
	execute_together(NULL);
}

static void exec_by_all_at_once(void)
{
	for (unsigned i = 0; i < 20; i++)
		CHECK(status_of(child(execute_by_all)) == EXECUTED << 8);
}

static void *exit_together(void *context)
{
	pthread_barrier_wait(&meeting);
	_exit((int)(size_t)context);
}

static void exit_against_exec(void)
{
	pthread_barrier_init(&meeting, NULL, 2);
	begin(exit_together, (void *)5);
	execute_together(NULL);
}

/* Either is the first; never neither. */
static void exec_against_exit(void)
{
	for (unsigned i = 0; i < 50; i++) {
		int status = status_of(child(exit_against_exec));

		CHECK(status == EXECUTED << 8 || status == 5 << 8);
	}
}

static void *fail_to_execute(void *context)
{
	char *const none[] = {NULL};

	for (unsigned i = 0; i < 100; i++) {
		CHECK(execve("/no/such/file", none, none) == -1 && errno == ENOENT);
		CHECK(execve("/", none, none) == -1 && errno == EACCES);
	}
	return context;
}

/* One that fails disturbs nobody. */
static void exec_that_fails(void)
{
	pthread_t threads[2], failing[2];

	begin_all(threads, COUNT(threads), spin);
	begin_all(failing, COUNT(failing), fail_to_execute);
	finish_all(failing, COUNT(failing));
	stop = true;
	finish_all(threads, COUNT(threads));
}

/* ---- posix_spawn, vfork, wait ---- */

static void *spawn_often(void *context)
{
	char *const arguments[] = {"threads", "no part has this name", NULL}, *const none[] = {
										      NULL};
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	CHECK(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0);
	for (unsigned i = 0; i < 20; i++) {
		CHECK(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, none) == 0);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		CHECK(posix_spawn(&pid, "/no/such/file", NULL, NULL, arguments, none) == ENOENT);
	}
	posix_spawn_file_actions_destroy(&actions);
	return context;
}

static void spawned(void)
{
	pthread_t threads[THREADS];

	begin_all(threads, THREADS, spawn_often);
	finish_all(threads, THREADS);
}

static pid_t common;

static void *wait_for_common(void *context)
{
	int status = -1;

	if (context)
		CHECK(waitpid(common, &status, __WNOTHREAD | WNOHANG) == -1 && errno == ECHILD);
	else
		CHECK(waitpid(common, &status, 0) == common && status == 3 << 8);
	return context;
}

static void end_with_3(void)
{
	_exit(3);
}

/* A child is every thread's, unless one asks for its own only. */
static void children_of_all(void)
{
	common = child(end_with_3);
	finish(begin(wait_for_common, (void *)1));
	finish(begin(wait_for_common, NULL));
	CHECK(waitpid(common, NULL, 0) == -1 && errno == ECHILD);
}

static atomic_int orphan;

static void *leave_child(void *context)
{
	orphan = child(end_with_3);
	return context;
}

/* It stays the process's child when the thread that made it has ended. */
static void children_of_ended(void)
{
	for (unsigned i = 0; i < 50; i++) {
		finish(begin(leave_child, NULL));
		CHECK(status_of(orphan) == 3 << 8);
	}
}

const struct part process_parts[] = {
	{"exec by any thread", exec_in_each_way},
	{"exec by all threads at once", exec_by_all_at_once},
	{"exec against exit", exec_against_exit},
	{"exec that fails", exec_that_fails},
	{"posix_spawn by several threads", spawned},
	{"a child waited for by another thread", children_of_all},
	{"children of threads that have ended", children_of_ended},
	{0},
};
