/* What the guest tests share: see lib.h. */
#include "lib.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SYS_READ = 0,
	SYS_OPEN = 2,
	SYS_CLOSE = 3,
	SYS_WRITE = 1,
	SYS_PRCTL = 157,
	SYS_AUDIT = 1000
};
enum { PRCTL_SET_LEVEL = 0x436f7001, PRCTL_GET_LEVEL = 0x436f7002 };
#define MOST_NOTES 10 /* of one process */

bool on_coppice;
int fork_level = -1;
const void *test_context;
static unsigned failures;

long system_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long result;

	asm volatile("syscall"
		     : "=a"(result)
		     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return result;
}

/* ---- Checks ---- */

bool check_(bool ok, const char *file, int line, const char *format, ...)
{
	const char *base = strrchr(file, '/');
	char text[160];
	va_list args;

	if (ok)
		return true;
	if (failures++ < MOST_NOTES) {
		va_start(args, format);
		vsnprintf(text, sizeof(text), format, args);
		va_end(args);
		ktap_note("%s:%d: %s", base ? base + 1 : file, line, text);
	}
	return false;
}

bool check_equal_(long got, long want, const char *file, int line, const char *what)
{
	return check_(got == want, file, line, "%s: %ld, expected %ld", what, got, want);
}

unsigned check_failures(void)
{
	return failures;
}

_Noreturn void end_process(void)
{
	_exit(failures != 0);
}

/* ---- The harness ---- */

void set_fork_level(int level)
{
	long error = CALL(SYS_PRCTL, PRCTL_SET_LEVEL, level);

	REQUIRE(error == 0, "prctl: fork level %d: %ld", level, error);
}

static void explain_status(int status)
{
	if (WIFSIGNALED(status))
		ktap_note("the case died of signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) > 1)
		ktap_note("the case ended with status %d", WEXITSTATUS(status));
}

/* Frames that are neither free nor in the kernel's heap, which keeps some for next time. */
static int64_t frames_used(const struct vmstat *stat)
{
	return (int64_t)(stat->total_frames - stat->free_frames - stat->heap_bytes / PAGE);
}

/* The kernel keeps the tables that map its own stacks, and a partly used frame here and there. */
#define FRAMES_KEPT 4

/* What a case used is back only when the last of its orphans is gone: waits for that, up to 2 s. */
static bool settled(const struct vmstat *before, struct vmstat *after)
{
	const struct timespec moment = {.tv_sec = 0, .tv_nsec = 10000000};

	for (int tries = 0; tries < 200; tries++) {
		vmstat_read(after);
		if (after->page_tables == before->page_tables &&
		    after->data_pages == before->data_pages &&
		    frames_used(after) <= frames_used(before) + FRAMES_KEPT)
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

static void check_memory(const struct test *test, const struct vmstat *before)
{
	struct vmstat after;

	if (!test->uneven && !settled(before, &after)) {
		CHECK_EQUAL(after.page_tables, before->page_tables, "page tables left");
		CHECK_EQUAL(after.data_pages, before->data_pages, "data pages left");
		CHECK(frames_used(&after) <= frames_used(before) + FRAMES_KEPT,
		      "frames used: %ld, %ld before", (long)frames_used(&after),
		      (long)frames_used(before));
	}
	check_audit("after the case");
}

/* A process group of its own, so that what a failed case leaves behind can be killed. */
static void run_case(void *context)
{
	const struct test *test = context;

	setpgid(0, 0);
	test_context = test->context;
	test->run();
}

static bool case_passes(struct test *test)
{
	struct vmstat before = {0};
	int status;

	failures = 0;
	if (on_coppice)
		vmstat_read(&before);
	pid_t pid = start(run_case, test);
	waitpid(pid, &status, 0);
	kill(-pid, SIGKILL);
	explain_status(status);
	CHECK(status == 0, "wait status 0x%x", status);
	if (on_coppice)
		check_memory(test, &before);
	return failures == 0;
}

static void report(const struct test *test)
{
	struct test copy = *test;
	char name[120];

	if (!on_coppice)
		snprintf(name, sizeof(name), "%s", test->name);
	else if (test->once)
		snprintf(name, sizeof(name), "any level: %s", test->name);
	else if (fork_level == LEVEL_AUTO)
		snprintf(name, sizeof(name), "level auto: %s", test->name);
	else
		snprintf(name, sizeof(name), "level %d: %s", fork_level, test->name);
	if (test->coppice_only && !on_coppice)
		ktap_skip(name, "not Coppice");
	else
		ktap_result(case_passes(&copy), name);
}

static void nothing(void)
{
}

/* Touches all that the harness itself needs, so that it uses no more memory later than it does now.
 */
static void warm_up(void)
{
	struct test empty = {.name = "nothing", .run = nothing, .uneven = true};
	struct test copy = empty;
	char line[64];

	for (int i = 0; i < 3; i++) {
		snprintf(line, sizeof(line), "%d %s", i, copy.name);
		failures = 0;
		case_passes(&copy);
	}
}

static bool chosen(const struct test *test, int level, int argc, char **argv)
{
	if (test->once && level != 0)
		return false;
	if (argc > 1 && !strstr(test->name, argv[1]))
		return false;
	return argc <= 2 || level == atoi(argv[2]);
}

int run_tests(const struct test *tests, size_t count, int argc, char **argv)
{
	on_coppice = CALL(SYS_PRCTL, PRCTL_GET_LEVEL) >= 0;
	int levels = on_coppice ? LEVEL_AUTO + 1 : 1;
	unsigned planned = 0;

	for (int level = 0; level < levels; level++)
		for (size_t i = 0; i < count; i++)
			planned += chosen(&tests[i], level, argc, argv);
	ktap_plan(planned);
	warm_up();
	for (int level = 0; level < levels; level++) {
		if (on_coppice) {
			fork_level = level;
			set_fork_level(level);
		}
		for (size_t i = 0; i < count; i++)
			if (chosen(&tests[i], level, argc, argv))
				report(&tests[i]);
	}
	return ktap_status();
}

/* ---- Processes ---- */

pid_t start(void (*body)(void *context), void *context)
{
	pid_t pid = fork();

	REQUIRE(pid >= 0, "fork: %d", (int)pid);
	if (pid == 0) {
		failures = 0;
		body(context);
		end_process();
	}
	return pid;
}

void reap(pid_t pid)
{
	int status = -1;

	CHECK_EQUAL(waitpid(pid, &status, 0), pid, "waitpid");
	CHECK(status == 0, "child ended with wait status 0x%x", status);
}

int status_of(void (*body)(void *context), void *context)
{
	int status = -1;

	waitpid(start(body, context), &status, 0);
	return status;
}

struct access {
	volatile char *at;
	enum use use;
};

static void use_byte(void *context)
{
	struct access *access = context;

	if (access->use == USE_READ)
		(void)*access->at;
	else if (access->use == USE_WRITE)
		*access->at |= 0;
	else
		((void (*)(void))access->at)();
}

void check_use(const volatile void *p, enum use use, bool allowed, const char *what)
{
	static const char *const names[] = {"read", "write", "run"};
	struct access access = {(volatile char *)p, use};
	int status = status_of(use_byte, &access);
	int want = allowed ? 0 : SIGSEGV;

	CHECK((status & 0x7f) == want && status >> 8 == 0,
	      "%s: %s at %p: wait status 0x%x, expected 0x%x", what, names[use], (void *)p, status,
	      want);
}

static const int *probe_pipe(void)
{
	static int ends[2] = {-1, -1};

	if (ends[0] < 0)
		REQUIRE(pipe(ends) == 0, "pipe");
	return ends;
}

bool kernel_reads(const volatile void *p)
{
	const int *ends = probe_pipe();
	char byte;

	return write(ends[1], (const void *)p, 1) == 1 && read(ends[0], &byte, 1) == 1;
}

bool kernel_writes(volatile void *p)
{
	const int *ends = probe_pipe();
	char byte;

	if (write(ends[1], (const void *)p, 1) != 1 && write(ends[1], &byte, 1) != 1)
		return false;
	if (read(ends[0], (void *)p, 1) == 1)
		return true;
	(void)!read(ends[0], &byte, 1);
	return false;
}

/* ---- Peers ---- */

static bool peer_wait(const struct peer *peer)
{
	char byte;

	return read(peer->in, &byte, 1) == 1;
}

bool turn(struct peer *other)
{
	return write(other->out, "", 1) == 1 && peer_wait(other);
}

/* The parent keeps the end that the child reads, so that a write to a dead child is no SIGPIPE. */
struct peer peer_start(void (*body)(struct peer *parent, void *context), void *context)
{
	int down[2], up[2];

	REQUIRE(pipe(down) == 0 && pipe(up) == 0, "pipe");
	pid_t pid = fork();
	REQUIRE(pid >= 0, "fork: %d", (int)pid);
	if (pid == 0) {
		struct peer parent = {.pid = getppid(), .in = down[0], .out = up[1]};

		failures = 0;
		close(down[1]);
		close(up[0]);
		if (peer_wait(&parent))
			body(&parent, context);
		end_process();
	}
	close(up[1]);
	return (struct peer) {.pid = pid, .in = up[0], .out = down[1], .kept = down[0]};
}

static int peer_end(struct peer *child)
{
	int status = -1;

	while (turn(child))
		;
	CHECK_EQUAL(waitpid(child->pid, &status, 0), child->pid, "waitpid of a peer");
	close(child->in);
	close(child->out);
	close(child->kept);
	return status;
}

void peer_finish(struct peer *child)
{
	int status = peer_end(child);

	CHECK(status == 0, "peer ended with wait status 0x%x", status);
}

void peer_dies(struct peer *child, int signal)
{
	int status = peer_end(child);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signal,
	      "peer ended with wait status 0x%x, expected signal %d", status, signal);
}

/* ---- Memory ---- */

char *map_at(uintptr_t at, size_t bytes)
{
	void *got = mmap((void *)at, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	REQUIRE(got == (void *)at, "mmap of %zu bytes at 0x%zx gave %p", bytes, (size_t)at, got);
	return got;
}

uintptr_t slot_base(unsigned slot)
{
	return (16 + slot) * TOP_SPAN;
}

#define WORDS (PAGE / sizeof(uint64_t))
static const unsigned stamp_words[] = {0, WORDS / 2, WORDS - 1};

static uint64_t stamp_value(const void *page, unsigned writer, unsigned word)
{
	return writer ? (uint64_t)writer << 52 ^ (uintptr_t)page ^ word : 0;
}

void stamp(void *page, unsigned writer)
{
	uint64_t *words = page;

	for (size_t i = 0; i < COUNT(stamp_words); i++)
		words[stamp_words[i]] = stamp_value(page, writer, stamp_words[i]);
}

bool stamped(const void *page, unsigned writer)
{
	const volatile uint64_t *words = page;

	for (size_t i = 0; i < COUNT(stamp_words); i++)
		if (words[stamp_words[i]] != stamp_value(page, writer, stamp_words[i]))
			return false;
	return true;
}

void stamp_all(char *start, size_t pages, size_t stride, unsigned writer)
{
	for (size_t i = 0; i < pages; i++)
		stamp(start + i * stride, writer);
}

bool check_stamps(const char *start, size_t pages, size_t stride, unsigned writer, const char *what)
{
	size_t wrong = 0, first = 0;

	for (size_t i = 0; i < pages; i++)
		if (!stamped(start + i * stride, writer) && wrong++ == 0)
			first = i;
	return CHECK(wrong == 0, "%s: %zu of %zu pages not as writer %u left them, first %p: 0x%lx",
		     what, wrong, pages, writer, (void *)(start + first * stride),
		     (unsigned long)*(const volatile uint64_t *)(start + first * stride));
}

/* ---- The kernel's view ---- */

static const struct {
	const char *name;
	size_t offset;
} vmstat_names[] = {
	{"pgfault", offsetof(struct vmstat, pgfault)},
	{"pgfill_zero", offsetof(struct vmstat, pgfill_zero)},
	{"pgfill_file", offsetof(struct vmstat, pgfill_file)},
	{"pgfill_shared", offsetof(struct vmstat, pgfill_shared)},
	{"pgtable_copy", offsetof(struct vmstat, pgtable_copy)},
	{"page_copy", offsetof(struct vmstat, page_copy)},
	{"page_reuse", offsetof(struct vmstat, page_reuse)},
	{"forks", offsetof(struct vmstat, forks)},
	{"nr_page_tables", offsetof(struct vmstat, page_tables)},
	{"nr_data_pages", offsetof(struct vmstat, data_pages)},
	{"nr_free_frames", offsetof(struct vmstat, free_frames)},
	{"nr_total_frames", offsetof(struct vmstat, total_frames)},
	{"heap_bytes", offsetof(struct vmstat, heap_bytes)},
};

void vmstat_read(struct vmstat *stat)
{
	static char text[2048];
	long fd = CALL(SYS_OPEN, "/proc/vmstat", 0);
	long length = fd < 0 ? fd : CALL(SYS_READ, fd, text, sizeof(text) - 1);

	REQUIRE(length > 0, "/proc/vmstat: %ld", length);
	CALL(SYS_CLOSE, fd);
	text[length] = 0;
	for (size_t i = 0; i < COUNT(vmstat_names); i++) {
		const char *name = vmstat_names[i].name;
		const char *at = text;

		while (at && (strncmp(at, name, strlen(name)) != 0 || at[strlen(name)] != ' ')) {
			at = strchr(at, '\n');
			at = at ? at + 1 : NULL;
		}
		REQUIRE(at, "/proc/vmstat has no %s", name);
		*(uint64_t *)((char *)stat + vmstat_names[i].offset) =
			strtoull(at + strlen(name), NULL, 10);
	}
}

static bool node_parse(const char *line, struct node *node)
{
	unsigned owned;
	int fields = sscanf(line, "%u %lx %u %u %u %u %u %lx", &node->level,
			    (unsigned long *)&node->start, &node->refs, &node->used, &node->present,
			    &node->shared, &owned, (unsigned long *)&node->at);

	node->owned = owned != 0;
	return CHECK(fields == 8, "memtree line '%s'", line);
}

static bool node_maps(const struct node *node, unsigned level, uintptr_t address)
{
	uint64_t span = PAGE << 9 * level;

	return node->level == level && address >= node->start && address - node->start < span;
}

/* The next line of the open file without its newline, read byte by byte through a buffer. */
static bool next_line(long fd, char *line, size_t size, bool restart)
{
	static char buffer[4096];
	static long length, at;
	size_t used = 0;

	if (restart)
		length = at = 0;
	for (;;) {
		if (at == length) {
			length = CALL(SYS_READ, fd, buffer, sizeof(buffer));
			at = 0;
			if (length <= 0)
				return length = 0, false;
		}
		char byte = buffer[at++];
		if (byte == '\n')
			return line[used] = 0, true;
		if (used + 1 < size)
			line[used++] = byte;
	}
}

bool node_find(pid_t pid, uintptr_t address, unsigned level, struct node *node)
{
	char line[128], path[40] = "/proc/self/memtree";
	bool found = false, first = true;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/memtree", (int)pid);
	long fd = CALL(SYS_OPEN, path, 0);
	REQUIRE(fd >= 0, "%s: %ld", path, fd);
	while (!found && next_line(fd, line, sizeof(line), first)) {
		first = false;
		found = node_parse(line, node) && node_maps(node, level, address);
	}
	CALL(SYS_CLOSE, fd);
	return found;
}

long audit(void)
{
	return CALL(SYS_AUDIT);
}

void check_audit(const char *when)
{
	if (on_coppice)
		check_(audit() == 0, __FILE__, __LINE__,
		       "%s: the audit found differences; see the kernel's log", when);
}

uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dul;
}
