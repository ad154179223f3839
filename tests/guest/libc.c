/*
 * The C library as programs see it: newlib on the system calls of libc/. The numbers and structures
 * are Linux's, so the same file runs on Linux too and must pass there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "ktap.h"

static unsigned failures;

static void check(bool ok, const char *what)
{
	if (!ok) {
		failures++;
		ktap_note("not so: %s (errno %d)", what, errno);
	}
}
#define CHECK(condition) check((condition), #condition)

/* True when the call failed with this errno. */
#define FAILS(call, error) (errno = 0, (long)(call) == -1 && errno == (error))

static char directory[] = "/tmp/libc.XXXXXX";

static int initialized;

__attribute__((constructor)) static void initialize(void)
{
	initialized = 1;
}

static void start(void)
{
	CHECK(initialized == 1);
	CHECK(getauxval(AT_PAGESZ) == 4096);
	CHECK(getauxval(AT_PHNUM) > 0);
	CHECK(setenv("COPPICE", "wood", 1) == 0 && !strcmp(getenv("COPPICE"), "wood"));
	CHECK(sysconf(_SC_PAGESIZE) == 4096);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
}

static void formatting(void)
{
	char text[100];
	double number;

	snprintf(text, sizeof(text), "%d %lld %zu %jx %.3f %g %s", -1, 1ll << 40, sizeof(text),
		 (uintmax_t)255, sqrt(2), 1e100, "end");
	CHECK(!strcmp(text, "-1 1099511627776 100 ff 1.414 1e+100 end"));
	CHECK(sscanf("2.5e3", "%lf", &number) == 1 && number == 2500);
	CHECK(strtoull("18446744073709551615", NULL, 10) == ~0ull);
	CHECK(!strcmp(strerror(ENOSYS), "Function not implemented"));
	CHECK(!strcmp(strerror(ELOOP), "Too many symbolic links"));
	CHECK(strsignal(SIGSEGV) && strstr(strsignal(SIGSEGV), "egmentation"));
}

static void allocation(void)
{
	char *blocks[200];
	int wrong = 0;

	for (int i = 0; i < 200; i++) {
		blocks[i] = malloc((size_t)i * 97 + 1);
		memset(blocks[i], i, (size_t)i * 97 + 1);
	}
	for (int i = 0; i < 200; i++) {
		wrong += blocks[i][(size_t)i * 97] != (char)i;
		free(blocks[i]);
	}
	CHECK(wrong == 0);
	char *large = calloc(1, 40 << 20);
	CHECK(large && large[0] == 0 && large[(40 << 20) - 1] == 0);
	free(large);
	void *aligned = NULL;
	CHECK(posix_memalign(&aligned, 4096, 100) == 0 && (unsigned long)aligned % 4096 == 0);
	free(aligned);
	CHECK(sbrk(0) != (void *)-1);
	CHECK(FAILS(sbrk((long)1 << 47), ENOMEM));
}

static void descriptors(void)
{
	char text[20] = "";
	struct stat status;
	int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0640);

	CHECK(fd >= 0);
	CHECK(FAILS(open("file", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST));
	CHECK(FAILS(open("absent", O_RDONLY), ENOENT));
	CHECK(FAILS(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR));
	CHECK(write(fd, "0123456789", 10) == 10);
	CHECK(lseek(fd, -3, SEEK_END) == 7);
	CHECK(read(fd, text, sizeof(text)) == 3 && !strcmp(text, "789"));
	CHECK(pread(fd, text, 2, 4) == 2 && text[0] == '4');
	CHECK(pwrite(fd, "ab", 2, 0) == 2);
	CHECK(ftruncate(fd, 5) == 0);
	CHECK(fstat(fd, &status) == 0 && status.st_size == 5 && status.st_mode == (S_IFREG | 0640));
	CHECK(stat("file", &status) == 0 && status.st_nlink == 1 && status.st_uid == getuid());
	CHECK(fcntl(fd, F_GETFD) == 0);
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	CHECK(copy == 100 && fcntl(copy, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND)) == O_RDWR);
	CHECK(dup2(fd, 101) == 101 && close(101) == 0);
	CHECK(FAILS(close(101), EBADF));
	CHECK(isatty(fd) == 0 && errno == ENOTTY);
	close(copy);
	close(fd);
}

static void streams(void)
{
	char line[50];
	FILE *file = fopen("stream", "w+");

	CHECK(file != NULL);
	CHECK(fprintf(file, "one %d\ntwo\n", 1) == 10);
	rewind(file);
	CHECK(fgets(line, sizeof(line), file) && !strcmp(line, "one 1\n"));
	CHECK(ftell(file) == 6);
	CHECK(fclose(file) == 0);
	file = fopen("stream", "a");
	CHECK(fputs("three\n", file) >= 0);
	CHECK(fclose(file) == 0);
	file = fopen("stream", "r");
	CHECK(fseek(file, -6, SEEK_END) == 0 && fgets(line, sizeof(line), file) &&
	      !strcmp(line, "three\n"));
	CHECK(fgetc(file) == EOF && feof(file));
	fclose(file);
	CHECK(rename("stream", "renamed") == 0 && access("stream", F_OK) < 0 && errno == ENOENT);
	CHECK(remove("renamed") == 0);
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void directories(void)
{
	char path[200], target[20] = "";
	struct stat status;
	struct dirent **list;

	CHECK(mkdir("sub", 0755) == 0 && FAILS(mkdir("sub", 0755), EEXIST));
	CHECK(symlink("sub", "link") == 0);
	CHECK(readlink("link", target, sizeof(target)) == 3 && !strcmp(target, "sub"));
	CHECK(lstat("link", &status) == 0 && S_ISLNK(status.st_mode));
	CHECK(stat("link", &status) == 0 && S_ISDIR(status.st_mode));
	CHECK(chdir("sub") == 0 && getcwd(path, sizeof(path)) && strstr(path, "/sub"));
	CHECK(getcwd(path, 3) == NULL && errno == ERANGE);
	for (char name[] = "a"; *name <= 'z'; name[0]++)
		close(open(name, O_WRONLY | O_CREAT, 0600));
	CHECK(FAILS(rmdir("../sub"), ENOTEMPTY));
	int count = scandir(".", &list, no_dots, alphasort);
	CHECK(count == 26);
	for (int i = 0; i < count; i++) {
		CHECK(list[i]->d_name[0] == 'a' + i && list[i]->d_type == DT_REG);
		unlink(list[i]->d_name);
		free(list[i]);
	}
	free(list);
	CHECK(chdir("..") == 0 && rmdir("sub") == 0 && unlink("link") == 0);
	CHECK(opendir("sub") == NULL && errno == ENOENT);
}

static void pipes(void)
{
	int ends[2];
	char text[10];
	struct iovec parts[2] = {{"ab", 2}, {"cd", 2}};

	CHECK(pipe(ends) == 0);
	struct pollfd poll_in = {.fd = ends[0], .events = POLLIN};
	CHECK(poll(&poll_in, 1, 0) == 0);
	CHECK(writev(ends[1], parts, 2) == 4);
	CHECK(poll(&poll_in, 1, -1) == 1 && poll_in.revents == POLLIN);
	CHECK(read(ends[0], text, sizeof(text)) == 4 && !memcmp(text, "abcd", 4));
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK(FAILS(write(ends[1], "x", 1), EPIPE));
	signal(SIGPIPE, SIG_DFL);
	close(ends[1]);
	CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0 && fcntl(ends[0], F_GETFD) == FD_CLOEXEC);
	CHECK(FAILS(read(ends[0], text, 1), EAGAIN));
	close(ends[0]);
	close(ends[1]);
}

/* The status of a child that executes what call does, for which it must not return. */
#define STATUS_OF(call)                       \
	({                                    \
		int status_ = -1;             \
		pid_t child_ = fork();        \
		if (child_ == 0) {            \
			call;                 \
			_exit(99);            \
		}                             \
		waitpid(child_, &status_, 0); \
		status_;                      \
	})

static void processes(void)
{
	struct rusage usage;
	int status = STATUS_OF(_exit(7));

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	status = STATUS_OF(abort());
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	status = STATUS_OF(raise(SIGKILL));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(FAILS(waitpid(-1, &status, WNOHANG), ECHILD));
	pid_t child = fork();
	if (child == 0) {
		pause();
		_exit(1);
	}
	CHECK(waitpid(child, &status, WNOHANG) == 0);
	CHECK(kill(child, SIGTERM) == 0 && wait4(child, &status, 0, &usage) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	CHECK(FAILS(kill(child, 0), ESRCH));
	CHECK(getppid() > 0 && getpgrp() == getpgid(0) && gettid() == getpid());
	CHECK(syscall(SYS_getpid) == getpid() && FAILS(syscall(9999), ENOSYS));
	status = STATUS_OF(setsid() == getpid() && getpgrp() == getpid() ? _exit(0) : _exit(1));
	CHECK(status == 0);
}

static const char *self;

static void executing(void)
{
	char *const arguments[] = {(char *)self, "--status", "5", NULL};
	char *const environment[] = {"COPPICE=shoot", NULL};
	int fd = open("text", O_WRONLY | O_CREAT, 0755);

	CHECK(write(fd, "not a program\n", 14) == 14 && close(fd) == 0);
	CHECK(WEXITSTATUS(STATUS_OF(execv(self, arguments))) == 5);
	CHECK(WEXITSTATUS(STATUS_OF(execl(self, self, "--status", "6", (char *)NULL))) == 6);
	CHECK(WEXITSTATUS(STATUS_OF(
		      execle(self, self, "--environment", (char *)NULL, environment))) == 0);
	CHECK(FAILS(execve("absent", arguments, environment), ENOENT));
	CHECK(FAILS(execve("text", arguments, environment), ENOEXEC));
	CHECK(FAILS(execve(".", arguments, environment), EACCES));
	CHECK(FAILS(execvp("no-such-command", arguments), ENOENT));
	setenv("PATH", "/nowhere:.", 1);
	CHECK(symlink(self, "program") == 0);
	CHECK(WEXITSTATUS(STATUS_OF(execlp("program", "program", "--status", "8", (char *)NULL))) ==
	      8);
	setenv("PATH", "/bin", 1);
	unlink("program");
	unlink("text");
}

static volatile sig_atomic_t caught, caught_code;
static void *volatile caught_address;
static sigjmp_buf recovery;

static void catch (int signal)
{
	caught = signal;
}

static void catch_fault(int signal, siginfo_t *info, void *context)
{
	caught = signal;
	caught_code = info->si_code;
	caught_address = info->si_addr;
	(void)context;
	siglongjmp(recovery, 1);
}

static void signals(void)
{
	struct sigaction action = {.sa_handler = catch, .sa_flags = SA_RESTART}, old;
	sigset_t set, pending;

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	CHECK(raise(SIGUSR1) == 0 && caught == SIGUSR1);
	CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == catch &&
	      old.sa_flags == SA_RESTART);
	CHECK(FAILS(sigaction(SIGKILL, &action, NULL), EINVAL));
	CHECK(sigemptyset(&set) == 0 && sigaddset(&set, SIGUSR1) == 0);
	CHECK(sigismember(&set, SIGUSR1) == 1 && sigismember(&set, SIGUSR2) == 0);
	CHECK(FAILS(sigaddset(&set, 65), EINVAL));
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	caught = 0;
	CHECK(raise(SIGUSR1) == 0 && caught == 0);
	CHECK(sigpending(&pending) == 0 && pending == set);
	CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0 && caught == SIGUSR1);
	CHECK(signal(SIGUSR1, SIG_DFL) == catch);
}

static void faults(void)
{
	struct sigaction action = {.sa_sigaction = catch_fault, .sa_flags = SA_SIGINFO};
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	caught = 0;
	if (sigsetjmp(recovery, 1) == 0)
		*(volatile char *)(page + 5) = 1;
	CHECK(caught == SIGSEGV && caught_code == SEGV_ACCERR && caught_address == page + 5);
	CHECK(munmap(page, 4096) == 0);
	caught = 0;
	if (sigsetjmp(recovery, 1) == 0)
		(void)*(volatile char *)page;
	CHECK(caught == SIGSEGV && caught_code == SEGV_MAPERR && caught_address == page);
	signal(SIGSEGV, SIG_DFL);
}

static void mappings(void)
{
	char *area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(area != MAP_FAILED && area[8191] == 0);
	area[0] = 'x';
	CHECK(mprotect(area, 4096, PROT_READ) == 0 && area[0] == 'x');
	CHECK(munmap(area, 8192) == 0);
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
	      errno == EINVAL);
	int fd = open("mapped", O_RDWR | O_CREAT, 0600);
	CHECK(write(fd, "contents", 8) == 8);
	area = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(area != MAP_FAILED && !memcmp(area, "contents", 8));
	CHECK(munmap(area, 8) == 0);
	close(fd);
	unlink("mapped");
}

static void clocks(void)
{
	struct timespec before, after, resolution, wait = {.tv_nsec = 2000000};
	struct timeval day;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0 && nanosleep(&wait, NULL) == 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	long passed = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
	CHECK(passed >= 2000000);
	CHECK(clock_getres(CLOCK_MONOTONIC, &resolution) == 0 && resolution.tv_sec == 0);
	CHECK(FAILS(clock_gettime(99, &before), EINVAL));
	CHECK(gettimeofday(&day, NULL) == 0 && day.tv_sec > 1500000000 &&
	      day.tv_sec - time(NULL) < 2);
	CHECK(clock() != (clock_t)-1);
	struct tm *calendar = gmtime(&day.tv_sec);
	CHECK(calendar && calendar->tm_year > 115);
}

static void the_system(void)
{
	struct utsname names;
	struct sysinfo info;

	CHECK(uname(&names) == 0 && names.sysname[0] && !strcmp(names.machine, "x86_64"));
	CHECK(sysinfo(&info) == 0 && info.totalram * info.mem_unit > 16 << 20 && info.mem_unit);
	CHECK(sched_yield() == 0);
	CHECK(system("exit 3") >> 8 == 3);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{"start", start},           {"formatting", formatting},
	{"allocation", allocation}, {"descriptors", descriptors},
	{"streams", streams},       {"directories", directories},
	{"pipes", pipes},           {"processes", processes},
	{"executing", executing},   {"signals", signals},
	{"faults", faults},         {"mappings", mappings},
	{"clocks", clocks},         {"system", the_system},
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

/* What a copy of this program does that the tests have executed. */
static int as_child(int argc, char **argv)
{
	if (!strcmp(argv[1], "--status") && argc == 3)
		return atoi(argv[2]);
	const char *value = getenv("COPPICE");
	return !(value && !strcmp(value, "shoot") && !getenv("PATH"));
}

int main(int argc, char **argv)
{
	char path[200] = "";

	if (argc > 1)
		return as_child(argc, argv);
	ktap_plan(TESTS);
	self = path;
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0 || !mkdtemp(directory) ||
	    chdir(directory) < 0) {
		ktap_note("%s: %s", directory, strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < TESTS; i++) {
		failures = 0;
		tests[i].run();
		ktap_result(failures == 0, tests[i].name);
	}
	unlink("file");
	if (chdir("/") < 0 || rmdir(directory) < 0)
		ktap_note("%s stays: %s", directory, strerror(errno));
	return ktap_status();
}
