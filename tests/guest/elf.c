/*
 * exec of damaged ELF files: each header field set to extreme values, files cut at many lengths,
 * headers with random bytes from a seed. The answer is ENOEXEC or another error with the caller
 * intact, or the clean death of the new program; never harm to anyone else.
 *
 * Catches: an offset, address or size from a header that is trusted (overflow in offset + size, a
 * segment in the kernel's half or over the stack, a page below the lowest address); memory or files
 * lost on the way out; a caller already destroyed when the file turns out bad.
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
#include <time.h>
#include <unistd.h>

enum { SYS_EXECVE = 59 };

struct elf_header {
	unsigned char ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf_header) == 64 && sizeof(struct elf_segment) == 56,
	       "ELF64's layout");

/* A whole program: adds a byte of its data, a word of its bss and 2, and exits with the sum: 42. */
struct image {
	struct elf_header header;
	struct elf_segment text, data;
	unsigned char code[64];
	unsigned char unused[512 - 64 - 2 * 56 - 64];
	unsigned char contents[64];
};
#define TEXT_AT 0x400000ul
#define DATA_AT (0x401000ul + offsetof(struct image, contents))
#define BSS_AT  0x403000ul

static const struct image good = {
	.header = {.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
		   .type = 2,
		   .machine = 62,
		   .version = 1,
		   .entry = TEXT_AT + offsetof(struct image, code),
		   .phoff = offsetof(struct image, text),
		   .ehsize = sizeof(struct elf_header),
		   .phentsize = sizeof(struct elf_segment),
		   .phnum = 2},
	.text = {.type = 1,
		 .flags = 5,
		 .vaddr = TEXT_AT,
		 .filesz = 512,
		 .memsz = 512,
		 .align = PAGE},
	.data = {.type = 1,
		 .flags = 6,
		 .offset = offsetof(struct image, contents),
		 .vaddr = DATA_AT,
		 .filesz = 64,
		 .memsz = 3 * PAGE,
		 .align = PAGE},
	.code =
		{
			0xb8, 0xe7, 0,    0,    0, /* mov eax, 231: exit_group */
			0x0f, 0xb6, 0x3c, 0x25, 0x00, 0x12, 0x40,
			0x00,                                     /* movzx edi, byte [0x401200] */
			0x03, 0x3c, 0x25, 0x00, 0x30, 0x40, 0x00, /* add edi, [0x403000] */
			0x83, 0xc7, 0x02,                         /* add edi, 2 */
			0x0f, 0x05,                               /* syscall */
		},
	.contents = {40},
};
_Static_assert(offsetof(struct image, contents) == 512, "the code names the address of contents");

static const char *const name = "/tmp/elf.damaged";
static char *pages; /* of the caller */
#define PAGES 40

enum result { EXITED, DIED, REFUSED, HANGS };
struct outcome {
	enum result result;
	int value; /* exit status, signal or errno */
};

static void write_image(const void *image, size_t size)
{
	unlink(name);
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	REQUIRE(fd >= 0, "open %s", name);
	REQUIRE(write(fd, image, size) == (ssize_t)size, "write");
	close(fd);
}

static int error_pipe[2];

static void exec_image(void *context)
{
	char *argv[] = {"damaged", NULL};
	char *environment[] = {NULL};
	unsigned char error;

	(void)context;
	error = (unsigned char)-CALL(SYS_EXECVE, name, argv, environment);
	/* Still here, so nothing may be lost. */
	check_stamps(pages, PAGES, PAGE, 1, "memory after a refused exec");
	stamp_all(pages, PAGES, PAGE, 2);
	if (write(error_pipe[1], &error, 1) != 1)
		_exit(9);
	_exit(check_failures() ? 8 : 7);
}

/* The damaged program may loop: then it is killed after 3 s. */
static bool wait_a_while(pid_t pid, int *status)
{
	const struct timespec moment = {.tv_sec = 0, .tv_nsec = 200000};

	for (int i = 0; i < 15000; i++) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		nanosleep(&moment, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, status, 0);
	return false;
}

static struct outcome run_image(void)
{
	unsigned char error;
	int status;

	pid_t pid = start(exec_image, NULL);
	if (!wait_a_while(pid, &status))
		return (struct outcome) {HANGS, 0};
	if (WIFSIGNALED(status))
		return (struct outcome) {DIED, WTERMSIG(status)};
	if (WEXITSTATUS(status) != 7)
		return (struct outcome) {EXITED, WEXITSTATUS(status)};
	if (read(error_pipe[0], &error, 1) != 1)
		return (struct outcome) {HANGS, 1};
	return (struct outcome) {REFUSED, error};
}

static void describe(struct outcome outcome, char *to, size_t size)
{
	static const char *const names[] = {"exited with", "died of signal",
					    "was refused with errno", "hangs"};

	snprintf(to, size, "%s %d", names[outcome.result], outcome.value);
}

static bool is_clean(struct outcome outcome)
{
	static const int signals[] = {SIGSEGV, SIGKILL, SIGBUS, SIGILL,
				      SIGFPE,  SIGTRAP, 31 /* SIGSYS */};
	static const int errors[] = {L_ENOEXEC,   L_EINVAL, L_ENOMEM, L_EACCES, L_ENOENT,
				     5 /* EIO */, 36,       40,       80};

	if (outcome.result == DIED)
		for (size_t i = 0; i < COUNT(signals); i++)
			if (signals[i] == outcome.value)
				return true;
	if (outcome.result == REFUSED)
		for (size_t i = 0; i < COUNT(errors); i++)
			if (errors[i] == outcome.value)
				return true;
	return outcome.result == EXITED && outcome.value != 8 && outcome.value != 9;
}

static void check_clean(const char *damage, uint64_t value)
{
	struct outcome outcome = run_image();
	char what[60];

	describe(outcome, what, sizeof(what));
	CHECK(is_clean(outcome), "%s 0x%lx: %s", damage, (unsigned long)value, what);
}

static void check_outcome(const char *damage, enum result result, int value)
{
	struct outcome outcome = run_image(), want = {result, value};
	char what[60], wanted[60];

	describe(outcome, what, sizeof(what));
	describe(want, wanted, sizeof(wanted));
	CHECK(outcome.result == result && outcome.value == value, "%s: %s, expected: %s", damage,
	      what, wanted);
}

static void begin(void)
{
	REQUIRE(pipe(error_pipe) == 0, "pipe");
	pages = map_at(slot_base(0), PAGES * PAGE);
	stamp_all(pages, PAGES, PAGE, 1);
}

static void end(void)
{
	check_stamps(pages, PAGES, PAGE, 1, "the caller's pages");
	unlink(name);
}

/* ---- Fields ---- */

#define FIELD(part, field)                                                                    \
	{                                                                                     \
#part "." #field, offsetof(struct image, part.field), sizeof(good.part.field) \
	}
static const struct field {
	const char *name;
	size_t offset, size;
} fields[] = {
	FIELD(header, type),  FIELD(header, machine),   FIELD(header, version),
	FIELD(header, entry), FIELD(header, phoff),     FIELD(header, shoff),
	FIELD(header, flags), FIELD(header, ehsize),    FIELD(header, phentsize),
	FIELD(header, phnum), FIELD(header, shentsize), FIELD(header, shnum),
	FIELD(text, type),    FIELD(text, flags),       FIELD(text, offset),
	FIELD(text, vaddr),   FIELD(text, paddr),       FIELD(text, filesz),
	FIELD(text, memsz),   FIELD(text, align),       FIELD(data, type),
	FIELD(data, flags),   FIELD(data, offset),      FIELD(data, vaddr),
	FIELD(data, paddr),   FIELD(data, filesz),      FIELD(data, memsz),
	FIELD(data, align),
};

static const uint64_t extremes[] = {
	0,
	1,
	3, /* PT_INTERP */
	0x7f,
	0xfff,
	0x1000,
	0x8000,
	0xffff,
	0x10000,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x7fffffff0000, /* over the stack */
	0x7ffffffff000, /* the end of user space */
	0x800000000000, /* not canonical */
	0x7fffffffffffffff,
	0x8000000000000000,
	0xffff800000000000, /* the kernel's half */
	0xffffffff80000000,
	0xfffffffffffff000,
	0xffffffffffffffff,
};

static void extreme_fields(void)
{
	begin();
	write_image(&good, sizeof(good));
	check_outcome("the undamaged file", EXITED, 42);
	for (size_t f = 0; f < COUNT(fields); f++) {
		for (size_t v = 0; v < COUNT(extremes); v++) {
			struct image image = good;

			if (v > 0 && fields[f].size < 8 && extremes[v] >> 8 * fields[f].size != 0)
				continue;
			memcpy((char *)&image + fields[f].offset, &extremes[v], fields[f].size);
			write_image(&image, sizeof(image));
			check_clean(fields[f].name, extremes[v]);
		}
		check_audit(fields[f].name);
	}
	end();
}

/* What Linux refuses before it gives up the old program. */
static void refused(void)
{
	static const struct {
		const char *name;
		size_t offset;
		unsigned char value;
	} damages[] = {
		{"magic 0", 0, 0x7e},
		{"magic 1", 1, 'e'},
		{"magic 3", 3, 0},
		{"a relocatable file", offsetof(struct elf_header, type), 1},
		{"a core file", offsetof(struct elf_header, type), 4},
		{"another machine", offsetof(struct elf_header, machine), 40},
		{"a wrong entry size", offsetof(struct elf_header, phentsize), 32},
		{"no segments", offsetof(struct elf_header, phnum), 0},
		{"too many segments", offsetof(struct elf_header, phnum) + 1, 0xff},
		{"segments beyond the end", offsetof(struct elf_header, phoff) + 2, 1},
		{"segments at a negative offset", offsetof(struct elf_header, phoff) + 7, 0xff},
	};

	begin();
	for (size_t i = 0; i < COUNT(damages); i++) {
		struct image image = good;

		((unsigned char *)&image)[damages[i].offset] = damages[i].value;
		write_image(&image, sizeof(image));
		check_outcome(damages[i].name, REFUSED, L_ENOEXEC);
	}
	end();
}

/* ---- Lengths ---- */

static void cut(void)
{
	begin();
	for (size_t size = 0; size < sizeof(good); size += size < 192 ? 3 : 37) {
		char what[40];

		write_image(&good, size);
		snprintf(what, sizeof(what), "%zu bytes", size);
		if (size < offsetof(struct image, code))
			check_outcome(what, REFUSED, L_ENOEXEC);
		else
			check_clean(what, size);
	}
	end();
}

static char *copy; /* of this program's own file */
static size_t copy_size;

static void read_self(void)
{
	const size_t most = 8ul << 20;
	int fd = open("/proc/self/exe", O_RDONLY);
	ssize_t got;

	REQUIRE(fd >= 0, "open /proc/self/exe");
	copy = map_at(slot_base(1), most);
	copy_size = 0;
	while ((got = read(fd, copy + copy_size, most - copy_size)) > 0)
		copy_size += (size_t)got;
	REQUIRE(got == 0 && copy_size > PAGE, "read: %zd after %zu bytes", got, copy_size);
	close(fd);
}

/* A real program, cut or with a random byte in its headers; it is told to exit at once, should it
 * come to that. */
static void damaged_self(void)
{
	uint64_t seed = 20;

	begin();
	read_self();
	for (size_t i = 1; i < 12; i++) {
		write_image(copy, copy_size * i / 12);
		check_clean("this program, cut at", copy_size * i / 12);
	}
	for (int i = 0; i < 12; i++) {
		size_t at = 16 + random_next(&seed) % 300;
		char old = copy[at];

		copy[at] = (char)random_next(&seed);
		write_image(copy, copy_size);
		check_clean("this program, damaged at", at);
		copy[at] = old;
	}
	end();
}

/* ---- Random bytes ---- */

#define ROUNDS 150

static void random_bytes(void)
{
	uint64_t seed = 0x5eed + (uint64_t)(fork_level + 1);

	begin();
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t before = seed;
		struct image image = good;
		unsigned count = 1 + random_next(&seed) % 4;

		for (unsigned i = 0; i < count; i++) {
			size_t at = 4 + random_next(&seed) % (offsetof(struct image, code) - 4);

			((unsigned char *)&image)[at] ^=
				(unsigned char)(1u << random_next(&seed) % 8);
		}
		write_image(&image, sizeof(image));
		check_clean("random bits from seed", before);
	}
	end();
}

static const struct test tests[] = {
	{.name = "extreme fields", .run = extreme_fields},
	{.name = "refused with ENOEXEC", .run = refused},
	{.name = "cut short", .run = cut},
	{.name = "this program, damaged", .run = damaged_self},
	{.name = "random bits", .run = random_bytes},
};

int main(int argc, char **argv)
{
	if (argc > 0 && strcmp(argv[0], "damaged") == 0)
		return 0;
	return run_tests(tests, COUNT(tests), argc, argv);
}
