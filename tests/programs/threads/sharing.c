/* What the threads of a process have in common, and how /proc shows them. */
#define _GNU_SOURCE
#include "threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 5u

static int fd;

static void *open_null(void *context)
{
	fd = open("/dev/null", O_WRONLY);
	CHECK(fd >= 0);
	return context;
}

static void *close_fd(void *context)
{
	CHECK(close(fd) == 0);
	return context;
}

static void descriptors(void)
{
	finish(begin(open_null, NULL));
	CHECK(write(fd, "x", 1) == 1);
	finish(begin(close_fd, NULL));
	CHECK(write(fd, "x", 1) == -1 && errno == EBADF);
}

static void *open_often(void *context)
{
	for (unsigned i = 0; i < 1000; i++) {
		int mine = open("/dev/null", O_WRONLY), copy = dup(mine);

		CHECK(mine >= 0 && copy >= 0 && mine != copy);
		CHECK(write(copy, "x", 1) == 1);
		CHECK(close(mine) == 0 && close(copy) == 0);
	}
	return context;
}

/* No number is given to two at once, and none is lost. */
static void descriptors_of_all(void)
{
	pthread_t threads[THREADS];
	int next = dup(0);

	CHECK(close(next) == 0);
	begin_all(threads, THREADS, open_often);
	finish_all(threads, THREADS);
	CHECK(dup(0) == next);
}

static int ends[2];

static void *write_pieces(void *context)
{
	char piece[100];

	memset(piece, 'a' + (int)(size_t)context, sizeof(piece));
	for (unsigned i = 0; i < 200; i++)
		CHECK(write(ends[1], piece, sizeof(piece)) == sizeof(piece));
	return context;
}

/* Small writes to a pipe stay whole. */
static void pipe_of_all(void)
{
	unsigned counts[THREADS] = {0};
	pthread_t threads[THREADS];

	CHECK(pipe(ends) == 0);
	begin_all(threads, THREADS, write_pieces);
	for (unsigned i = 0; i < THREADS * 200; i++) {
		char piece[100];

		CHECK(read(ends[0], piece, sizeof(piece)) == sizeof(piece));
		for (unsigned at = 1; at < sizeof(piece); at++)
			CHECK(piece[at] == piece[0]);
		counts[(piece[0] - 'a') % (int)THREADS]++;
	}
	finish_all(threads, THREADS);
	for (unsigned i = 0; i < THREADS; i++)
		CHECK(counts[i] == 200);
}

static void *use_file(void *context)
{
	for (unsigned i = 0; i < 500; i++)
		CHECK(write(fd, context ? "1" : "0", 1) == 1);
	return context;
}

/* One open file has one offset: no write overwrites another. */
static void offset_of_all(void)
{
	char name[] = "/tmp/threads.XXXXXX";
	pthread_t threads[THREADS];
	struct stat status;

	fd = mkstemp(name);
	CHECK(fd >= 0 && unlink(name) == 0);
	begin_all(threads, THREADS, use_file);
	finish_all(threads, THREADS);
	CHECK(fstat(fd, &status) == 0 && status.st_size == 500l * THREADS);
	CHECK(lseek(fd, 0, SEEK_CUR) == 500l * THREADS);
}

static void *move_away(void *context)
{
	struct rlimit limit = {.rlim_cur = 100, .rlim_max = 100};

	CHECK(chdir("/tmp") == 0 && umask(0123) == 022);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	return context;
}

static void directory_and_mask(void)
{
	char now[100] = "";
	struct rlimit limit;

	CHECK(chdir("/") == 0);
	umask(022);
	finish(begin(move_away, NULL));
	CHECK(getcwd(now, sizeof(now)) && strcmp(now, "/tmp") == 0);
	CHECK(umask(022) == 0123);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 100);
}

/* ---- /proc ---- */

static pthread_barrier_t meeting;
static pid_t tids[THREADS + 1];

static void *be_seen(void *context)
{
	char name[16];

	snprintf(name, sizeof(name), "seen-%zu", (size_t)context);
	CHECK(prctl(PR_SET_NAME, name) == 0);
	CHECK(getpid() != gettid() && getppid() > 0);
	tids[(size_t)context] = gettid();
	pthread_barrier_wait(&meeting);
	pthread_barrier_wait(&meeting);
	return context;
}

static bool known(long tid)
{
	for (unsigned i = 0; i <= THREADS; i++)
		if (tids[i] == tid)
			return true;
	return false;
}

static void check_listing(void)
{
	DIR *directory = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned count = 0;

	REQUIRE(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		CHECK(known(strtol(entry->d_name, NULL, 10)));
		count++;
	}
	closedir(directory);
	CHECK(count == THREADS + 1);
}

/* The first line of a file of the thread's directory. */
static void first_line(pid_t tid, const char *file, char *line, size_t size)
{
	char path[80];
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)tid, file);
	line[0] = 0;
	stream = fopen(path, "r");
	CHECK(stream && fgets(line, (int)size, stream));
	if (stream)
		fclose(stream);
}

static void check_files(unsigned thread)
{
	char line[200], wanted[40];

	first_line(tids[thread], "comm", line, sizeof(line));
	snprintf(wanted, sizeof(wanted), "seen-%u\n", thread);
	CHECK(strcmp(line, wanted) == 0);
	first_line(tids[thread], "stat", line, sizeof(line));
	snprintf(wanted, sizeof(wanted), "%d (seen-%u) ", (int)tids[thread], thread);
	CHECK(strncmp(line, wanted, strlen(wanted)) == 0);
}

static void tasks(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&meeting, NULL, THREADS + 1);
	tids[THREADS] = gettid();
	begin_all(threads, THREADS, be_seen);
	pthread_barrier_wait(&meeting);
	CHECK(threads_now() == THREADS + 1);
	check_listing();
	for (unsigned i = 0; i < THREADS; i++)
		check_files(i);
	CHECK(access("/proc/self/task/1", F_OK) == -1 && errno == ENOENT);
	pthread_barrier_wait(&meeting);
	finish_all(threads, THREADS);
}

/* ---- CPU time ---- */

static void *use_time(void *context)
{
	struct timespec own = {0};

	while (own.tv_nsec < 5000000)
		CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own) == 0 && own.tv_sec == 0);
	return context;
}

/* The process has used what its threads have, those too that have ended. */
static void cpu_time(void)
{
	struct timespec process, own;
	pthread_t threads[THREADS];

	begin_all(threads, THREADS, use_time);
	finish_all(threads, THREADS);
	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &process) == 0);
	CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own) == 0);
	CHECK(process.tv_sec * 1000000000 + process.tv_nsec >=
	      5000000l * THREADS + own.tv_sec * 1000000000 + own.tv_nsec);
}

const struct part sharing_parts[] = {
	{"descriptors are common", descriptors},
	{"descriptors opened and closed by all", descriptors_of_all},
	{"a pipe that all write", pipe_of_all},
	{"an offset that all move", offset_of_all},
	{"directory, mask and limits are common", directory_and_mask},
	{"/proc/self/task", tasks},
	{"CPU time", cpu_time},
	{0},
};
