/*
 * Threads as a libc makes them, and the system calls below them: prints KTAP. Static, on glibc and on musl. All of it must
 * pass on Linux.
 *
 * threads [part of a name]
 */
#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONGEST_PART 100 /* seconds, for a hang; on Linux none takes one */

static atomic_uint failures;

/* One write a line: lines of threads and processes do not mix. */
bool check_(bool ok, const char *file, int line, const char *what)
{
	const char *base = strrchr(file, '/');
	char text[200];
	int length;

	if (ok)
		return true;
	length = snprintf(text, sizeof(text) - 1, "# %s:%d: %s (errno %d)", base ? base + 1 : file,
			  line, what, errno);
	if ((size_t)length > sizeof(text) - 2)
		length = sizeof(text) - 2;
	text[length] = '\n';
	if (failures++ < 10 && write(STDOUT_FILENO, text, (size_t)length + 1) < 0)
		_exit(2);
	return false;
}

_Noreturn void end_as_checked(void)
{
	_exit(failures != 0);
}

void rest(void)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	sched_yield();
	syscall(SYS_nanosleep, &moment, NULL);
}

/* ---- Threads ---- */

pthread_t begin(void *(*body)(void *), void *context)
{
	pthread_t thread;

	REQUIRE((errno = pthread_create(&thread, NULL, body, context)) == 0);
	return thread;
}

void *finish(pthread_t thread)
{
	void *result = NULL;

	CHECK((errno = pthread_join(thread, &result)) == 0);
	return result;
}

void begin_all(pthread_t *threads, size_t count, void *(*body)(void *))
{
	for (size_t i = 0; i < count; i++)
		threads[i] = begin(body, (void *)i);
}

void finish_all(const pthread_t *threads, size_t count)
{
	for (size_t i = 0; i < count; i++)
		CHECK(finish(threads[i]) == (void *)i);
}

long threads_now(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[200];
	long count = -1;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "Threads:", 8) == 0)
			count = strtol(line + 8, NULL, 10);
	if (file)
		fclose(file);
	return count;
}

/* ---- Processes ---- */

pid_t child(void (*body)(void))
{
	pid_t pid = fork();

	REQUIRE(pid >= 0);
	if (pid == 0) {
		failures = 0;
		body();
		end_as_checked();
	}
	return pid;
}

int status_of(pid_t pid)
{
	int status = -1;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

bool passed(pid_t pid)
{
	return status_of(pid) == 0;
}

/* While the first thread has ended and others have not, /proc/self/exe leads nowhere. */
static char path[200];

void execute_self(const char *task)
{
	char text[20];
	char *const arguments[] = {"threads", (char *)task, text, NULL}, *const none[] = {NULL};

	snprintf(text, sizeof(text), "%d", (int)getpid());
	execve(path, arguments, none);
}

static _Noreturn void executed(const char *pid)
{
	CHECK(getpid() == strtol(pid, NULL, 10));
	CHECK(gettid() == getpid());
	CHECK(threads_now() == 1);
	_exit(failures ? 1 : EXECUTED);
}

/* ---- Memory and time ---- */

static void *memory(size_t bytes, int flags)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	REQUIRE(at != MAP_FAILED);
	return at;
}

void *shared_memory(size_t bytes)
{
	return memory(bytes, MAP_SHARED);
}

void *private_memory(size_t bytes)
{
	return memory(bytes, MAP_PRIVATE);
}

struct timespec from_now(clockid_t clock, long milliseconds)
{
	struct timespec time;
	long nanoseconds;

	clock_gettime(clock, &time);
	nanoseconds = time.tv_nsec + milliseconds % 1000 * 1000000;
	time.tv_sec += milliseconds / 1000;
	if (nanoseconds < 0 || nanoseconds >= 1000000000)
		time.tv_sec += nanoseconds < 0 ? -1 : 1;
	time.tv_nsec = (nanoseconds + 1000000000) % 1000000000;
	return time;
}

bool is_over(clockid_t clock, const struct timespec *time)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec > time->tv_sec ||
	       (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

void handle(int signal, void *handler, int flags)
{
	struct sigaction action = {.sa_flags = flags};

	if (flags & SA_SIGINFO)
		action.sa_sigaction = (void (*)(int, siginfo_t *, void *))handler;
	else
		action.sa_handler = (void (*)(int))handler;
	CHECK(sigaction(signal, &action, NULL) == 0);
}

/* ---- The parts ---- */

static const struct part *const lists[] = {
	lifetime_parts, local_parts,  mutex_parts,        waiting_parts,
	cancel_parts,   signal_parts, group_signal_parts, process_parts,
	fork_parts,     futex_parts,  shared_futex_parts, robust_parts,
	clone_parts,    memory_parts, sharing_parts,      sorting_parts,
};

static unsigned number;
static bool all_passed = true;

/* A group of its own, so that what a part leaves behind can be killed. */
static void run(const struct part *part)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setpgid(0, 0);
		alarm(LONGEST_PART);
		part->run();
		end_as_checked();
	}
	status = status_of(pid);
	kill(-pid, SIGKILL);
	if (status != 0)
		printf("# wait status 0x%x\n", (unsigned)status);
	printf("%s %u - %s\n", status ? "not ok" : "ok", ++number, part->name);
	all_passed &= status == 0;
}

/* Visits the parts whose names contain the word: their number. */
static unsigned each(const char *word, void (*visit)(const struct part *part))
{
	unsigned count = 0;

	for (size_t i = 0; i < COUNT(lists); i++) {
		for (const struct part *part = lists[i]; part->name; part++) {
			if (!strstr(part->name, word))
				continue;
			count++;
			if (visit)
				visit(part);
		}
	}
	return count;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (argc > 2 && strcmp(argv[1], EXECUTE) == 0)
		executed(argv[2]);
	if (argc > 2 && strcmp(argv[1], LEAVE_READERS) == 0)
		leave_readers();
	REQUIRE(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("KTAP version 1\n1..%u\n", each(word, NULL));
	each(word, run);
	return !all_passed;
}
