/*
 * What glibc asks of a kernel, one part of it a test: prints KTAP. It runs on Linux too, where all of it
 * must pass.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int failures;

#define CHECK(condition)                                                                   \
	do {                                                                               \
		if (!(condition)) {                                                        \
			printf("# line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
			failures++;                                                        \
		}                                                                          \
	} while (0)

static int same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* The file, or an end to all tests. */
static FILE *opened(FILE *file)
{
	if (file)
		return file;
	perror("# a file cannot be opened");
	exit(1);
}

static void numbers(void)
{
	char text[200];

	snprintf(text, sizeof(text), "%.17g %a %e %10.3f|%-8.2f|%+d %#x %lld %s", 0.1, 1.5,
		 12345.678, M_PI, -2.5, 7, 255, LLONG_MIN, "end");
	CHECK(same(text, "0.10000000000000001 0x1.8p+0 1.234568e+04      3.142|-2.50   |+7 0xff "
			 "-9223372036854775808 end"));
	CHECK(strtod("2.2250738585072014e-308", NULL) == 0x1p-1022);
	CHECK(sqrt(2) * sqrt(2) != 2 && fabs(sin(M_PI)) < 1e-15);
	CHECK(strtol("zz", NULL, 36) == 1295);
}

static void files(void)
{
	char name[] = "/tmp/glibc.XXXXXX", *line = NULL, path[PATH_MAX], link[64];
	int fd = mkstemp(name), count = 0;
	FILE *file = opened(fdopen(fd, "w+"));
	size_t room = 0;

	for (int i = 0; i < 500; i++)
		fprintf(file, "%0*d\n", i + 1, i);
	rewind(file);
	while (getline(&line, &room, file) > 0)
		CHECK(atoi(line) == count && strlen(line) == (size_t)++count + 1);
	CHECK(count == 500);
	CHECK(fseek(file, -4, SEEK_END) == 0 && fscanf(file, "%d", &count) == 1 && count == 499);
	fclose(file);
	free(line);
	CHECK(symlink(name, "/tmp/glibc.link") == 0);
	CHECK(readlink("/tmp/glibc.link", link, sizeof(link)) == (ssize_t)strlen(name));
	CHECK(realpath("/tmp/../tmp/./glibc.link", path) && same(path, name));
	CHECK(truncate(name, 5) == 0);
	CHECK(remove("/tmp/glibc.link") == 0 && remove(name) == 0 && access(name, F_OK) != 0);
	file = opened(tmpfile());
	CHECK(fputs("gone", file) >= 0 && fflush(file) == 0);
	fclose(file);
}

static int visited;

static int visit(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)path;
	(void)status;
	(void)ftw;
	visited += type == FTW_F;
	return type == FTW_F || type == FTW_DP ? remove(path) : 0;
}

static void directories(void)
{
	char name[] = "/tmp/glibc.XXXXXX", was[PATH_MAX], is[PATH_MAX];
	struct dirent *entry;
	int count = 0;
	glob_t found;
	DIR *dir;

	CHECK(mkdtemp(name) != NULL);
	CHECK(getcwd(was, sizeof(was)) && chdir(name) == 0);
	CHECK(getcwd(is, sizeof(is)) && same(is, name));
	CHECK(mkdir("sub", 0755) == 0 && mkdir("sub/deep", 0700) == 0);
	for (int i = 0; i < 300; i++) {
		char path[40];

		snprintf(path, sizeof(path), "sub/%s%d.txt", i % 3 ? "" : "deep/", i);
		close(open(path, O_CREAT | O_WRONLY, 0644));
	}
	CHECK(glob("sub/*[05].txt", 0, NULL, &found) == 0 && found.gl_pathc == 40);
	globfree(&found);
	dir = opendir("sub");
	while (dir && (entry = readdir(dir)))
		count += entry->d_type == DT_REG ? 1 : entry->d_type == DT_DIR ? 1000 : 100000;
	CHECK(count == 3200);
	closedir(dir);
	CHECK(chdir(was) == 0 && nftw(name, visit, 8, FTW_DEPTH | FTW_PHYS) == 0);
	CHECK(visited == 300 && access(name, F_OK) != 0);
}

static void memory(void)
{
	char *blocks[64];

	/* Both sides of the threshold from which malloc asks mmap. */
	for (size_t i = 0; i < 64; i++)
		CHECK((blocks[i] = malloc(i * 10000 + 1)) &&
		      memset(blocks[i], (int)i, i * 10000 + 1));
	for (size_t i = 0; i < 64; i += 2)
		CHECK((blocks[i] = realloc(blocks[i], i * 30000 + 1)) &&
		      blocks[i][i * 10000] == (char)i);
	for (size_t i = 0; i < 64; i++)
		free(blocks[i]);
	CHECK((blocks[0] = malloc((size_t)1 << 62)) == NULL && errno == ENOMEM);
}

static int ascending(const void *a, const void *b)
{
	return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

static void sorting(void)
{
	static int values[200000];
	int ordered = 1;

	srand(1);
	for (int i = 0; i < 200000; i++)
		values[i] = rand();
	qsort(values, 200000, sizeof(int), ascending);
	for (int i = 1; i < 200000; i++)
		ordered &= values[i - 1] <= values[i];
	CHECK(ordered);
	CHECK(bsearch(&values[777], values, 200000, sizeof(int), ascending));
}

static sigjmp_buf back;

static void jump(int signal)
{
	siglongjmp(back, signal);
}

static void jumps(void)
{
	int *volatile nowhere = NULL;
	volatile int faults = 0;

	signal(SIGSEGV, jump);
	while (faults < 3) {
		if (sigsetjmp(back, 1) == 0)
			*nowhere = 1;
		else
			faults++;
	}
	signal(SIGSEGV, SIG_DFL);
	CHECK(faults == 3);
}

static void times(void)
{
	struct timespec a, b, pause = {0, 20000000};
	struct tm broken = {.tm_year = 100, .tm_mon = 1, .tm_mday = 29};
	char text[80];
	time_t when;

	clock_gettime(CLOCK_MONOTONIC, &a);
	CHECK(nanosleep(&pause, NULL) == 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 20000000);
	setenv("TZ", "UTC0", 1);
	when = mktime(&broken);
	CHECK(when == 951782400);
	strftime(text, sizeof(text), "%A %F %T %j", gmtime(&when));
	CHECK(same(text, "Tuesday 2000-02-29 00:00:00 060"));
	CHECK(time(NULL) > 1500000000 && clock() != (clock_t)-1);
}

extern char **environ;

static void processes(void)
{
	char *arguments[] = {"sh", "-c", "exit $STATUS", NULL}, line[80] = "";
	char *with[] = {"STATUS=6", NULL};
	FILE *pipe;
	pid_t pid;
	int status;

	setenv("STATUS", "5", 1);
	pid = fork();
	if (pid == 0)
		execv("/bin/sh", arguments);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5);
	CHECK(posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, with) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 6);
	CHECK(posix_spawn(&pid, "/no/such/file", NULL, NULL, arguments, environ) == ENOENT);
	CHECK(WEXITSTATUS(system("exit 9")) == 9);
	pipe = popen("echo $STATUS and more", "r");
	CHECK(pipe && fgets(line, sizeof(line), pipe) && same(line, "5 and more\n"));
	CHECK(pipe && pclose(pipe) == 0);
}

static void attributes(void)
{
	struct timespec set[2] = {{1000000000, 123456789}, {1100000000, 987654321}}, before;
	char name[] = "/tmp/glibc.XXXXXX";
	int fd = mkstemp(name);
	struct statx extended;
	struct stat status;

	clock_gettime(CLOCK_REALTIME_COARSE, &before);
	CHECK(futimens(fd, set) == 0 && fstat(fd, &status) == 0);
	CHECK(status.st_atim.tv_sec == 1000000000 && status.st_atim.tv_nsec == 123456789);
	CHECK(status.st_mtim.tv_sec == 1100000000 && status.st_mtim.tv_nsec == 987654321);
	CHECK(status.st_ctim.tv_sec >= before.tv_sec - 1);
	set[0].tv_nsec = UTIME_OMIT;
	set[1].tv_nsec = UTIME_NOW;
	CHECK(utimensat(AT_FDCWD, name, set, 0) == 0 && stat(name, &status) == 0);
	CHECK(status.st_atim.tv_sec == 1000000000 && status.st_mtim.tv_sec >= before.tv_sec - 1);
	CHECK(write(fd, "12345", 5) == 5 && fchmod(fd, 0640) == 0);
	CHECK(statx(AT_FDCWD, name, 0, STATX_BASIC_STATS, &extended) == 0);
	CHECK(extended.stx_size == 5 && extended.stx_mode == (S_IFREG | 0640));
	CHECK((extended.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &extended) == 0 && extended.stx_size == 5);
	CHECK(faccessat(AT_FDCWD, name, R_OK | W_OK, AT_EACCESS) == 0);
	close(fd);
	remove(name);
}

/* Sets or asks for a lock: 0, or errno; of F_GETLK the type found. */
static int record_lock(int fd, int command, short type, off_t start, off_t length)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	int result = fcntl(fd, command, &lock);

	if (result != 0)
		return errno;
	return command == F_GETLK || command == F_OFD_GETLK ? lock.l_type : 0;
}

/* In a child, which has no locks of its own. */
#define IN_CHILD(expression)                                          \
	({                                                            \
		int status_ = -1;                                     \
		pid_t pid_ = fork();                                  \
		if (pid_ == 0)                                        \
			_exit(expression);                            \
		waitpid(pid_, &status_, 0);                           \
		WIFEXITED(status_) ? WEXITSTATUS(status_) : -status_; \
	})

static int holder(int fd, off_t start)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};

	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid == getppid()
		       ? (int)lock.l_start * 10 + (int)lock.l_len
		       : 99;
}

static void record_locks(void)
{
	char name[] = "/tmp/glibc.XXXXXX";
	int fd = mkstemp(name), other;

	CHECK(record_lock(fd, F_SETLK, F_WRLCK, 0, 9) == 0);
	CHECK(record_lock(fd, F_SETLK, F_WRLCK, 4, 2) == 0);
	CHECK(record_lock(fd, F_SETLK, F_RDLCK, 3, 3) == 0);
	CHECK(record_lock(fd, F_GETLK, F_WRLCK, 0, 9) == F_UNLCK);
	CHECK(IN_CHILD(record_lock(fd, F_SETLK, F_WRLCK, 0, 1)) == EAGAIN);
	CHECK(IN_CHILD(record_lock(fd, F_SETLK, F_RDLCK, 3, 3)) == 0);
	CHECK(IN_CHILD(record_lock(fd, F_SETLK, F_RDLCK, 2, 2)) == EAGAIN);
	CHECK(IN_CHILD(record_lock(fd, F_GETLK, F_RDLCK, 3, 3)) == F_UNLCK);
	CHECK(IN_CHILD(record_lock(fd, F_GETLK, F_WRLCK, 3, 3)) == F_RDLCK);
	CHECK(IN_CHILD(holder(fd, 1)) == 3 && IN_CHILD(holder(fd, 4)) == 33 &&
	      IN_CHILD(holder(fd, 7)) == 63);
	CHECK(record_lock(fd, F_SETLK, F_UNLCK, 2, 2) == 0);
	CHECK(IN_CHILD(record_lock(fd, F_SETLK, F_WRLCK, 2, 2)) == 0);
	CHECK(IN_CHILD(record_lock(fd, F_SETLK, F_WRLCK, 9, 0)) == 0);
	CHECK(record_lock(fd, F_SETLK, F_WRLCK, 100, 0) == 0);
	CHECK(IN_CHILD(record_lock(fd, F_SETLK, F_RDLCK, 1L << 40, 1)) == EAGAIN);
	/* Any descriptor of the file that is closed takes all the process's locks with it. */
	other = open(name, O_RDONLY);
	close(other);
	CHECK(IN_CHILD(record_lock(fd, F_SETLK, F_WRLCK, 0, 0)) == 0);
	CHECK(record_lock(fd, F_SETLK, 17, 0, 0) == EINVAL);
	other = open(name, O_RDONLY);
	CHECK(record_lock(other, F_SETLK, F_WRLCK, 0, 0) == EBADF);
	close(other);
	close(fd);
	remove(name);
}

static void nothing(int signal)
{
	(void)signal;
}

/* The lock that a child asks for while another process has it. */
static void waiting_locks(void)
{
	char name[] = "/tmp/glibc.XXXXXX", byte;
	int fd = mkstemp(name), ends[2], status;
	struct sigaction action = {.sa_handler = nothing};
	pid_t pid;

	CHECK(pipe(ends) == 0 && record_lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
	pid = fork();
	if (pid == 0) {
		sigaction(SIGUSR1, &action, NULL);
		_exit(write(ends[1], "a", 1) != 1 ||
		      record_lock(fd, F_SETLKW, F_WRLCK, 5, 1) != EINTR ||
		      write(ends[1], "b", 1) != 1 || record_lock(fd, F_SETLKW, F_WRLCK, 5, 1) != 0);
	}
	CHECK(read(ends[0], &byte, 1) == 1 && byte == 'a');
	usleep(50000);
	CHECK(kill(pid, SIGUSR1) == 0 && read(ends[0], &byte, 1) == 1 && byte == 'b');
	usleep(50000);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(record_lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	/* Two that wait for each other: the second is told. */
	CHECK(record_lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
	pid = fork();
	if (pid == 0)
		_exit(record_lock(fd, F_SETLK, F_WRLCK, 1, 1) || write(ends[1], "c", 1) != 1 ||
		      record_lock(fd, F_SETLKW, F_WRLCK, 0, 1));
	CHECK(read(ends[0], &byte, 1) == 1 && byte == 'c');
	usleep(50000);
	CHECK(record_lock(fd, F_SETLKW, F_WRLCK, 1, 1) == EDEADLK);
	close(fd);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	remove(name);
}

static int try_flock(const char *name, int how)
{
	int fd = open(name, O_RDONLY);

	return flock(fd, how | LOCK_NB) == 0 ? 0 : errno;
}

static void file_locks(void)
{
	char name[] = "/tmp/glibc.XXXXXX";
	int fd = mkstemp(name), again = dup(fd), another;

	CHECK(flock(fd, LOCK_SH) == 0);
	CHECK(try_flock(name, LOCK_EX) == EWOULDBLOCK && IN_CHILD(try_flock(name, LOCK_SH)) == 0);
	CHECK(flock(again, LOCK_EX | LOCK_NB) == 0); /* the same open file */
	close(again);
	CHECK(IN_CHILD(try_flock(name, LOCK_EX)) == EWOULDBLOCK);
	CHECK(IN_CHILD(record_lock(fd, F_SETLK, F_WRLCK, 0, 0)) == 0); /* another kind of lock */
	CHECK(flock(fd, LOCK_UN) == 0);
	another = open(name, O_RDWR);
	CHECK(record_lock(fd, F_OFD_SETLK, F_WRLCK, 0, 10) == 0);
	CHECK(record_lock(another, F_OFD_SETLK, F_WRLCK, 5, 1) == EAGAIN);
	CHECK(record_lock(another, F_SETLK, F_WRLCK, 5, 1) == EAGAIN);
	CHECK(IN_CHILD(record_lock(fd, F_OFD_SETLK, F_WRLCK, 5, 1)) == 0); /* the same open file */
	CHECK(flock(fd, 0) != 0 && errno == EINVAL);
	close(another);
	close(fd);
	remove(name);
}

static void fifos(void)
{
	const char *name = "/tmp/glibc.fifo";
	char text[8] = "";
	struct stat status;
	struct pollfd hang;
	pid_t pid;
	int fd;

	CHECK(mkfifo(name, 0622) == 0 && mkfifo(name, 0600) != 0 && errno == EEXIST);
	CHECK(stat(name, &status) == 0 && status.st_mode == (S_IFIFO | 0600));
	CHECK(open(name, O_WRONLY | O_NONBLOCK) < 0 && errno == ENXIO);
	pid = fork();
	if (pid == 0) {
		fd = open(name, O_WRONLY);
		_exit(write(fd, "through", 7) != 7);
	}
	fd = open(name, O_RDONLY);
	CHECK(read(fd, text, sizeof(text)) == 7 && same(text, "through"));
	CHECK(read(fd, text, sizeof(text)) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	close(fd);
	fd = open(name, O_RDWR);
	CHECK(write(fd, "own", 3) == 3 && read(fd, text, sizeof(text)) == 3);
	CHECK(write(fd, "left", 4) == 4);
	close(fd);
	fd = open(name, O_RDONLY | O_NONBLOCK);
	CHECK(fd >= 0 && read(fd, text, sizeof(text)) == 0); /* what was left is gone */
	hang = (struct pollfd) {.fd = fd, .events = POLLIN};
	CHECK(poll(&hang, 1, 0) == 0);
	close(open(name, O_WRONLY));
	CHECK(poll(&hang, 1, 0) == 1 && hang.revents == POLLHUP);
	close(fd);
	/* A partner that goes at once was there all the same. */
	for (int i = 0; i < 30; i++) {
		pid = fork();
		close(open(name, pid ? O_RDONLY : O_WRONLY));
		if (pid == 0)
			_exit(0);
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
	remove(name);
}

static void system_facts(void)
{
	struct statvfs space;
	struct utsname name;
	struct sysinfo info;
	struct rusage usage;
	char text[16] = "";
	FILE *file;

	CHECK(uname(&name) == 0 && same(name.machine, "x86_64"));
	CHECK(sysinfo(&info) == 0 && info.totalram > 0 && info.procs > 0);
	CHECK(statvfs("/tmp", &space) == 0 && space.f_bavail > 0 && space.f_namemax == 255);
	CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1 && sysconf(_SC_PAGESIZE) == 4096);
	CHECK(getrandom(text, 8, 0) == 8);
	CHECK(prctl(PR_SET_NAME, "a-name-of-more-than-15") == 0 && prctl(PR_GET_NAME, text) == 0);
	CHECK(same(text, "a-name-of-more-"));
	file = opened(fopen("/proc/self/comm", "r"));
	CHECK(fgets(text, sizeof(text), file) && same(text, "a-name-of-more-"));
	fclose(file);
	CHECK(gethostname(text, sizeof(text)) == 0 || errno == ENAMETOOLONG);
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{"numbers as text", numbers},
	{"files", files},
	{"directories", directories},
	{"memory", memory},
	{"sorting", sorting},
	{"jumps out of signals", jumps},
	{"time", times},
	{"processes", processes},
	{"attributes of files", attributes},
	{"record locks", record_locks},
	{"locks that are waited for", waiting_locks},
	{"flock", file_locks},
	{"named pipes", fifos},
	{"facts about the system", system_facts},
};

#define PARTS (sizeof(parts) / sizeof(*parts))

int main(void)
{
	int bad = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	printf("KTAP version 1\n1..%zu\n", PARTS);
	for (size_t i = 0; i < PARTS; i++) {
		failures = 0;
		parts[i].run();
		printf("%s %zu - %s\n", failures ? "not ok" : "ok", i + 1, parts[i].name);
		bad += failures;
	}
	return bad != 0;
}
