/*
 * exec: from every level, with the caller's data intact; arguments, environment and descriptors
 * handed over exactly; scripts; and the errors, each of which must leave the caller as it was.
 *
 * Catches: an exec that frees or changes tables shared with the parent; one that gives up the old
 * program before it knows that the new one can start; arguments cut, merged or moved; a
 * close-on-exec mark lost or copied by dup.
 */
#include "lib.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYS_EXECVE = 59, SYS_FCNTL = 72, SYS_SYMLINK = 88, SYS_OPEN = 2, SYS_DUP = 32 };
enum { L_O_CLOEXEC = 02000000, L_F_GETFD = 1, L_F_SETFD = 2, L_FD_CLOEXEC = 1 };
enum { PARENT = 1, CHILD };

static char self[256]; /* the path of this program */
static char *no_environment[] = {NULL};

/* ---- Arguments, made alike on both sides of the exec ---- */

#define MOST_ARGS 600
#define TEXT      (200 * 1024)
static char text[TEXT];
static char *strings[2 * MOST_ARGS];

/* Fills list with count strings, most short, some empty, a few long, of all byte values but 0; NULL
 * after them. */
static char *make_strings(char **list, unsigned count, uint64_t seed, char *to)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t kind = random_next(&seed) % 16;
		size_t length = kind == 0   ? 0
				: kind == 1 ? random_next(&seed) % 4000
					    : random_next(&seed) % 30;

		list[i] = to;
		for (size_t j = 0; j < length; j++)
			*to++ = (char)(random_next(&seed) % 255 + 1);
		*to++ = 0;
	}
	list[count] = NULL;
	return to;
}

static int compare_strings(char **got, char **want, const char *what)
{
	unsigned i = 0;

	for (; got[i] && want[i]; i++)
		CHECK(strcmp(got[i], want[i]) == 0, "%s %u: '%.20s', expected '%.20s'", what, i,
		      got[i], want[i]);
	CHECK(!got[i] && !want[i], "%s: %s ends after %u", what, got[i] ? "expectation" : "it", i);
	return check_failures() != 0;
}

/* exec --args COUNT SEED, and then the strings. */
static int args_main(char **argv, char **envp)
{
	unsigned count = (unsigned)atoi(argv[2]);
	uint64_t seed = strtoull(argv[3], NULL, 10);

	char *to = make_strings(strings, count, seed, text);
	compare_strings(argv + 4, strings, "argument");
	make_strings(strings, count / 2, seed + 1, to);
	return compare_strings(envp, strings, "environment");
}

static void exec_args(void *context)
{
	unsigned count = *(unsigned *)context;
	uint64_t seed = 77 + count;
	static char *argv[MOST_ARGS + 5];
	char count_text[16], seed_text[16];

	snprintf(count_text, sizeof(count_text), "%u", count);
	snprintf(seed_text, sizeof(seed_text), "%u", (unsigned)seed);
	memcpy(argv, (char *[]) {"exec", "--args", count_text, seed_text}, 4 * sizeof(*argv));
	char *to = make_strings(argv + 4, count, seed, text);
	make_strings(strings, count / 2, seed + 1, to);
	execve(self, argv, strings);
	check_(false, __FILE__, __LINE__, "execve: errno %d", errno);
}

static void arguments(void)
{
	for (unsigned count = 0; count <= MOST_ARGS; count = count * 5 + 1)
		reap(start(exec_args, &count));
}

/* ---- The caller's data ---- */

#define PAGES 1100ul
static char *pages;

static void exec_exit(void *context)
{
	char *argv[] = {"exec", "--exit", context, NULL};

	stamp_all(pages, PAGES, 3 * PAGE, CHILD);
	execve(self, argv, no_environment);
	check_(false, __FILE__, __LINE__, "execve: errno %d", errno);
}

static void parent_intact(void)
{
	pages = map_at(slot_base(0) + GIGABYTE - SPAN, 3 * PAGES * PAGE);
	stamp_all(pages, PAGES, 3 * PAGE, PARENT);
	for (int i = 0; i < 5; i++) {
		int status = status_of(exec_exit, "42");

		CHECK(status == 42 << 8, "wait status 0x%x", status);
		check_stamps(pages, PAGES, 3 * PAGE, PARENT, "the parent's pages");
		stamp_all(pages, PAGES, 3 * PAGE, PARENT);
	}
}

/* A chain of programs, each of which forks and execs the next: exec --chain N. */
static int chain_main(char **argv)
{
	char next[16];
	char *args[] = {"exec", "--chain", next, NULL};
	int left = atoi(argv[2]), status = -1;

	if (left == 0)
		return 7;
	snprintf(next, sizeof(next), "%d", left - 1);
	pid_t pid = fork();
	if (pid == 0) {
		execve("/proc/self/exe", args, no_environment);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	return status >> 8;
}

static void exec_chain(void *context)
{
	char *argv[] = {"exec", "--chain", context, NULL};

	execve(self, argv, no_environment);
}

static void chain(void)
{
	int status = status_of(exec_chain, "40");

	CHECK(status == 7 << 8, "wait status 0x%x", status);
}

/* ---- Errors ---- */

static void write_file(const char *name, const char *contents, unsigned mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	REQUIRE(fd >= 0, "open %s", name);
	REQUIRE(write(fd, contents, strlen(contents)) == (ssize_t)strlen(contents), "write");
	close(fd);
	REQUIRE(chmod(name, mode) == 0, "chmod");
}

static long exec_error(const char *path)
{
	char *argv[] = {"x", "y", NULL};

	return CALL(SYS_EXECVE, path, argv, no_environment);
}

static void paths(void)
{
	static char long_name[300], long_path[5000];

	memset(long_name, 'n', sizeof(long_name) - 1);
	memset(long_path, '/', sizeof(long_path) - 1);
	write_file("/tmp/exec.text", "not a program\n", 0755);
	write_file("/tmp/exec.plain", "\177ELF", 0644);
	CALL(SYS_SYMLINK, "/tmp/exec.loop", "/tmp/exec.loop");
	CHECK_EQUAL(exec_error("/tmp/exec.none"), -L_ENOENT, "no such file");
	CHECK_EQUAL(exec_error("/tmp/none/x"), -L_ENOENT, "no such directory");
	CHECK_EQUAL(exec_error(""), -L_ENOENT, "an empty path");
	CHECK_EQUAL(exec_error("/tmp/exec.text/x"), -L_ENOTDIR, "a file as a directory");
	CHECK_EQUAL(exec_error("/tmp/exec.plain"), -L_EACCES, "not executable");
	CHECK_EQUAL(exec_error("/tmp"), -L_EACCES, "a directory");
	CHECK_EQUAL(exec_error("/dev/null"), -L_EACCES, "a device");
	CHECK_EQUAL(exec_error("/tmp/exec.text"), -L_ENOEXEC, "a text");
	CHECK_EQUAL(exec_error("/tmp/exec.loop"), -L_ELOOP, "a symlink to itself");
	CHECK_EQUAL(exec_error(long_name), -L_ENAMETOOLONG, "a long name");
	CHECK_EQUAL(exec_error(long_path), -L_ENAMETOOLONG, "a long path");
	unlink("/tmp/exec.text");
	unlink("/tmp/exec.plain");
	unlink("/tmp/exec.loop");
}

/* Linux: a string of 128 KB, or all of them beyond a quarter of the stack's limit, 6 MB at most. */
static void too_big(void)
{
	const size_t length = 128ul << 10;
	char *string = map_at(slot_base(1), 2 * length);
	static char *argv[102];

	memset(string, 'x', length);
	char *one[] = {"exec", string, NULL};
	CHECK_EQUAL(CALL(SYS_EXECVE, self, one, no_environment), -L_E2BIG, "an argument of 128 KB");
	CHECK_EQUAL(CALL(SYS_EXECVE, self, no_environment, one), -L_E2BIG, "a variable of 128 KB");
	string[100000] = 0;
	for (int i = 0; i < 100; i++)
		argv[i] = string;
	CHECK_EQUAL(CALL(SYS_EXECVE, self, argv, no_environment), -L_E2BIG, "10 MB of arguments");
	CHECK_EQUAL(CALL(SYS_EXECVE, self, argv, argv), -L_E2BIG,
		    "20 MB of arguments and variables");
	CHECK_EQUAL(string[99999], 'x', "the string");
	check_audit("too big");
}

/* ---- Descriptors ---- */

/* exec --open LIST: exits 0 when of the descriptors 3 to 3 + strlen(LIST) those marked 'o' are
 * open. */
static int open_main(char **argv)
{
	for (int i = 0; argv[2][i]; i++) {
		long flags = CALL(SYS_FCNTL, 3 + i, L_F_GETFD);

		if (argv[2][i] == 'o')
			CHECK_EQUAL(flags, 0, "flags of a descriptor to be open");
		else
			CHECK_EQUAL(flags, -L_EBADF, "flags of a descriptor to be closed");
	}
	return check_failures() != 0;
}

static void exec_open(void *context)
{
	char *argv[] = {"exec", "--open", context, NULL};

	for (int fd = 3; fd < 20; fd++)
		close(fd);
	CHECK_EQUAL(CALL(SYS_OPEN, "/dev/null", 0), 3, "open");
	CHECK_EQUAL(CALL(SYS_OPEN, "/dev/null", L_O_CLOEXEC), 4, "open");
	CHECK_EQUAL(CALL(SYS_DUP, 4), 5, "dup: the mark stays behind");
	CHECK_EQUAL(CALL(SYS_DUP, 3), 6, "dup");
	CHECK_EQUAL(CALL(SYS_FCNTL, 6, L_F_SETFD, L_FD_CLOEXEC), 0, "fcntl");
	CHECK_EQUAL(CALL(SYS_DUP, 4), 7, "dup");
	CHECK_EQUAL(CALL(SYS_FCNTL, 7, L_F_SETFD, L_FD_CLOEXEC), 0, "fcntl");
	CHECK_EQUAL(CALL(SYS_FCNTL, 7, L_F_SETFD, 0), 0, "fcntl");
	CHECK_EQUAL(exec_error("/tmp/exec.none"), -L_ENOENT, "a refused exec");
	CHECK_EQUAL(CALL(SYS_FCNTL, 4, L_F_GETFD), L_FD_CLOEXEC, "still open after a refused exec");
	if (check_failures() == 0)
		execve(self, argv, no_environment);
}

/* The child shares its descriptor table with the parent until its exec closes some of it. */
static void close_on_exec(void)
{
	int fd = (int)CALL(SYS_OPEN, "/dev/null", L_O_CLOEXEC);

	reap(start(exec_open, "ococo"));
	CHECK_EQUAL(CALL(SYS_FCNTL, fd, L_F_GETFD), L_FD_CLOEXEC, "the parent's own descriptor");
	close(fd);
}

/* ---- Scripts ---- */

/* exec [ARGUMENT] SCRIPT one two, with the script's name in SCRIPT as the environment has it. */
static int script_main(int argc, char **argv)
{
	const char *want = getenv("WANT");
	char got[600] = "";

	for (int i = 1; i < argc; i++) {
		strcat(got, argv[i]);
		strcat(got, "|");
	}
	CHECK(strcmp(got, want) == 0, "'%s', expected '%s'", got, want);
	return check_failures() != 0;
}

struct script {
	const char *path, *want;
};

static void exec_script(void *context)
{
	const struct script *script = context;
	char want[512];
	char *argv[] = {"zero", "one", "", NULL};
	char *environment[] = {want, NULL};

	snprintf(want, sizeof(want), "WANT=%s", script->want);
	execve(script->path, argv, environment);
	check_(false, __FILE__, __LINE__, "%s: execve: errno %d", script->path, errno);
}

static void scripts(void)
{
	static const char *const name = "/tmp/exec.script";
	static const struct {
		const char *format, *want;
	} lines[] = {
		{"#!%s --script\nrest\n", "--script|/tmp/exec.script|one||"},
		{"#!  %s \t --script two words\t \n", "--script two words|/tmp/exec.script|one||"},
		{"#!%s --script", "--script|/tmp/exec.script|one||"},
		{"#!%s\n", "/tmp/exec.script|one||"},
	};
	char line[400];

	for (size_t i = 0; i < COUNT(lines); i++) {
		struct script script = {name, lines[i].want};

		snprintf(line, sizeof(line), lines[i].format, self);
		write_file(name, line, 0755);
		reap(start(exec_script, &script));
	}
	/* A script run by a script. */
	struct script script = {"/tmp/exec.outer", "/tmp/exec.script|/tmp/exec.outer|one||"};
	write_file(script.path, "#!/tmp/exec.script\n", 0755);
	reap(start(exec_script, &script));
	write_file(name, "#!/tmp/exec.script\n", 0755);
	CHECK_EQUAL(exec_error(name), -L_ELOOP, "a script run by itself");
	write_file(name, "#!/tmp/exec.none x\n", 0755);
	CHECK_EQUAL(exec_error(name), -L_ENOENT, "a script without its interpreter");
	write_file(name, "#!/tmp\n", 0755);
	CHECK_EQUAL(exec_error(name), -L_EACCES, "a script run by a directory");
	write_file(name, "#!\n", 0755);
	CHECK_EQUAL(exec_error(name), -L_ENOEXEC, "a script run by nothing");
	unlink(name);
	unlink(script.path);
}

/* What exec replaces and what it keeps. */
static int keeps_main(char **argv)
{
	char directory[64] = "";

	CHECK_EQUAL(getpid(), atoi(argv[2]), "pid");
	CHECK(getcwd(directory, sizeof(directory)) && strcmp(directory, "/tmp") == 0, "cwd: '%s'",
	      directory);
	CHECK(!kernel_reads((void *)slot_base(0)), "the old program's memory is there");
	return check_failures() != 0;
}

static void exec_keeps(void *context)
{
	char pid[16];
	char *argv[] = {"exec", "--keeps", pid, NULL};

	(void)context;
	stamp(map_at(slot_base(0), PAGE), PARENT);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	CHECK(chdir("/tmp") == 0, "chdir");
	execve(self, argv, no_environment);
}

static void keeps(void)
{
	reap(start(exec_keeps, NULL));
}

static const struct test tests[] = {
	{.name = "arguments and environment", .run = arguments},
	{.name = "the parent's data", .run = parent_intact},
	{.name = "a chain of fork and exec", .run = chain},
	{.name = "wrong paths", .run = paths},
	{.name = "too big", .run = too_big},
	{.name = "close-on-exec", .run = close_on_exec},
	{.name = "scripts", .run = scripts},
	{.name = "pid and directory stay, memory goes", .run = keeps},
};

static bool is(char **argv, const char *option)
{
	return strcmp(argv[1], option) == 0;
}

int main(int argc, char **argv, char **envp)
{
	if (argc > 1 && getenv("WANT"))
		return script_main(argc, argv);
	if (argc > 3 && is(argv, "--args"))
		return args_main(argv, envp);
	if (argc == 3 && is(argv, "--exit"))
		return atoi(argv[2]);
	if (argc == 3 && is(argv, "--chain"))
		return chain_main(argv);
	if (argc == 3 && is(argv, "--open"))
		return open_main(argv);
	if (argc == 3 && is(argv, "--keeps"))
		return keeps_main(argv);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0)
		snprintf(self, sizeof(self), "%s", argv[0]);
	return run_tests(tests, COUNT(tests), argc, argv);
}
