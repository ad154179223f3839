/* What a test can find out about memory: see probe.h. */
#include "probe.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	SYS_READ = 0,
	SYS_OPEN = 2,
	SYS_CLOSE = 3,
	SYS_PREAD64 = 17,
	SYS_MINCORE = 27,
	SYS_PRCTL = 157
};
#define PR_SET_THP_DISABLE 41

void probe_init(void)
{
	CALL(SYS_PRCTL, PR_SET_THP_DISABLE, 1);
}

/* ---- Accesses ---- */

static sigjmp_buf refused;

static void on_signal(int number)
{
	siglongjmp(refused, number);
}

static void use_byte(const volatile char *p, enum use use)
{
	if (use == USE_READ)
		(void)*p;
	else if (use == USE_WRITE)
		*(volatile char *)p |= 0;
	else
		((void (*)(void))p)();
}

int signal_of(const volatile void *p, enum use use)
{
	struct sigaction action = {.sa_handler = on_signal}, segv, bus;

	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	int number = sigsetjmp(refused, 1);
	if (number == 0)
		use_byte(p, use);
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return number;
}

void check_access(volatile void *p, int signal, const char *what)
{
	CHECK(kernel_reads(p) == (signal == 0), "%s: the kernel's read of %p", what, (void *)p);
	CHECK(kernel_writes(p) == (signal == 0), "%s: the kernel's write of %p", what, (void *)p);
	CHECK_EQUAL(signal_of(p, USE_READ), signal, what);
	CHECK_EQUAL(signal_of(p, USE_WRITE), signal, what);
}

/* ---- Memory ---- */

char *map_over(char *at, size_t pages, int flags, int fd)
{
	void *got = mmap(at, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);

	REQUIRE(got == at, "mmap at %p gave %p", (void *)at, got);
	return at;
}

void read_pages(const char *start, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		(void)*(const volatile char *)(start + i * PAGE);
}

static void touch_stack(void)
{
	volatile char below[4 * PAGE];

	for (size_t i = 0; i < sizeof(below); i += PAGE)
		below[i] = 1;
}

/* The linker's: where the program starts and its data ends. */
extern const char __executable_start[], edata[];

void touch_program(void)
{
	for (uintptr_t at = (uintptr_t)__executable_start; at < (uintptr_t)edata; at += PAGE)
		kernel_reads((const char *)at); /* since there may be gaps */
	touch_stack();
}

int file_make(size_t pages, char fill)
{
	static const char name[] = "/tmp/probe.file";
	static char page[PAGE];
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	REQUIRE(fd >= 0, "open %s", name);
	unlink(name);
	memset(page, fill, sizeof(page));
	for (size_t i = 0; i < pages; i++)
		REQUIRE(write(fd, page, PAGE) == (ssize_t)PAGE, "write %s", name);
	return fd;
}

/* ---- Text files ---- */

static void proc_path(char *path, size_t size, pid_t pid, const char *name)
{
	if (pid == NO_PROCESS)
		snprintf(path, size, "/proc/%s", name);
	else if (pid == 0)
		snprintf(path, size, "/proc/self/%s", name);
	else
		snprintf(path, size, "/proc/%d/%s", (int)pid, name);
}

bool lines_open(struct lines *lines, pid_t pid, const char *name)
{
	char path[64];

	proc_path(path, sizeof(path), pid, name);
	lines->fd = CALL(SYS_OPEN, path, 0);
	lines->at = lines->length = 0;
	return lines->fd >= 0;
}

static bool refill(struct lines *lines)
{
	long length = CALL(SYS_READ, lines->fd, lines->buffer, sizeof(lines->buffer));

	lines->at = 0;
	lines->length = length > 0 ? (size_t)length : 0;
	return lines->length > 0;
}

bool lines_next(struct lines *lines, char *line, size_t size)
{
	size_t used = 0;

	while (lines->at < lines->length || refill(lines)) {
		char byte = lines->buffer[lines->at++];

		if (byte == '\n')
			return line[used] = 0, true;
		if (used + 1 < size)
			line[used++] = byte;
	}
	return false;
}

void lines_close(struct lines *lines)
{
	CALL(SYS_CLOSE, lines->fd);
}

static bool number_of(const char *line, const char *field, long *number)
{
	size_t length = strlen(field);

	if (strncmp(line, field, length) != 0 || line[length] != ':')
		return false;
	*number = strtol(line + length + 1, NULL, 10);
	return true;
}

long proc_number(pid_t pid, const char *name, const char *field)
{
	struct lines lines;
	char line[128];
	long number = -1;

	if (!lines_open(&lines, pid, name))
		return -1;
	while (lines_next(&lines, line, sizeof(line)) && !number_of(line, field, &number))
		;
	lines_close(&lines);
	return number;
}

/* ---- Regions ---- */

/* False when the line is not the first one of a region. */
static bool region_parse(const char *line, struct region *region)
{
	unsigned long start, end, offset;
	int name = 0;

	if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %n", &start, &end, region->rights, &offset,
		   &name) != 4)
		return false;
	region->start = start;
	region->end = end;
	region->offset = offset;
	snprintf(region->name, sizeof(region->name), "%s", line + name);
	return true;
}

static bool holds(const struct region *region, const void *address)
{
	return (uintptr_t)address >= region->start && (uintptr_t)address < region->end;
}

bool region_find(pid_t pid, const void *address, struct region *region)
{
	struct lines lines;
	char line[256];
	bool found = false;

	REQUIRE(lines_open(&lines, pid, "maps"), "/proc/PID/maps");
	while (!found && lines_next(&lines, line, sizeof(line)))
		found = region_parse(line, region) && holds(region, address);
	lines_close(&lines);
	return found;
}

unsigned regions_count(void)
{
	struct lines lines;
	char line[4];
	unsigned count = 0;

	REQUIRE(lines_open(&lines, 0, "maps"), "/proc/self/maps");
	while (lines_next(&lines, line, sizeof(line)))
		count++;
	lines_close(&lines);
	return count;
}

/* Calls visit for each line of smaps below the one of the region that holds address, until it
 * returns true. */
static bool smaps_each(pid_t pid, const void *address, bool (*visit)(const char *line, void *to),
		       void *to)
{
	struct lines lines;
	struct region region;
	char line[256];
	bool inside = false, done = false;

	REQUIRE(lines_open(&lines, pid, "smaps"), "/proc/PID/smaps");
	while (!done && lines_next(&lines, line, sizeof(line))) {
		if (region_parse(line, &region))
			inside = holds(&region, address);
		else if (inside)
			done = visit(line, to);
	}
	lines_close(&lines);
	return done;
}

struct figure {
	const char *field;
	long number;
};

static bool take_figure(const char *line, void *to)
{
	struct figure *figure = to;

	return number_of(line, figure->field, &figure->number);
}

long smaps_number(pid_t pid, const void *address, const char *field)
{
	struct figure figure = {field, -1};

	smaps_each(pid, address, take_figure, &figure);
	return figure.number;
}

static bool has_letters(const char *line, const char *letters)
{
	char word[5];

	snprintf(word, sizeof(word), " %.2s", letters);
	return strstr(line, word) != NULL;
}

static bool take_flag(const char *line, void *to)
{
	return strncmp(line, "VmFlags:", 8) == 0 && has_letters(line, to);
}

bool smaps_flag(pid_t pid, const void *address, const char *letters)
{
	return smaps_each(pid, address, take_flag, (void *)letters);
}

/* A layout as text, made while smaps is read from its start to its end. */
struct layout {
	uintptr_t at, end;
	const char *letters;
	char text[512];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void layout_add(struct layout *layout,
							     const char *format, ...)
{
	size_t room = sizeof(layout->text) - layout->used;
	va_list args;

	va_start(args, format);
	int length = vsnprintf(layout->text + layout->used, room, format, args);
	va_end(args);
	layout->used += (size_t)length < room ? (size_t)length : room - 1;
}

static void layout_pages(struct layout *layout, uintptr_t end, const char *rights)
{
	if (end <= layout->at)
		return;
	layout_add(layout, "%s%zu%s", layout->used ? ", " : "", (end - layout->at) / PAGE, rights);
	layout->at = end;
}

static void layout_region(struct layout *layout, const struct region *region)
{
	uintptr_t start = region->start > layout->at ? region->start : layout->at;
	char rights[8];

	layout_pages(layout, start < layout->end ? start : layout->end, "");
	snprintf(rights, sizeof(rights), " %s", region->rights);
	layout_pages(layout, region->end < layout->end ? region->end : layout->end, rights);
}

static void layout_flags(struct layout *layout, const char *line)
{
	for (const char *letters = layout->letters; letters && *letters; letters++)
		if (*letters != ' ' && has_letters(line, letters++))
			layout_add(layout, " %.2s", letters - 1);
}

static void layout_read(struct layout *layout)
{
	struct lines lines;
	struct region region;
	char line[256];
	bool inside = false;

	REQUIRE(lines_open(&lines, 0, layout->letters ? "smaps" : "maps"), "/proc/self/smaps");
	while (lines_next(&lines, line, sizeof(line))) {
		if (region_parse(line, &region)) {
			inside = region.end > layout->at && region.start < layout->end;
			if (inside)
				layout_region(layout, &region);
		} else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
			layout_flags(layout, line);
		}
	}
	lines_close(&lines);
	layout_pages(layout, layout->end, "");
}

void check_layout(const void *start, size_t pages, const char *letters, const char *want,
		  const char *file, int line)
{
	struct layout layout = {.at = (uintptr_t)start, .letters = letters};

	layout.end = layout.at + pages * PAGE;
	layout_read(&layout);
	check_(strcmp(layout.text, want) == 0, file, line, "regions '%s', expected '%s'",
	       layout.text, want);
}

/* ---- Pages ---- */

uint64_t pagemap_entry(pid_t pid, const void *address)
{
	char path[64];
	uint64_t entry = 0;

	proc_path(path, sizeof(path), pid, "pagemap");
	long fd = CALL(SYS_OPEN, path, 0);
	long got = CALL(SYS_PREAD64, fd, &entry, sizeof(entry),
			(uintptr_t)address / PAGE * sizeof(entry));
	REQUIRE(got == sizeof(entry), "%s: %ld", path, got);
	CALL(SYS_CLOSE, fd);
	return entry;
}

long pages_in_core(const void *start, size_t pages)
{
	long count = 0;

	for (size_t i = 0; i < pages; i++) {
		unsigned char there;

		if (CALL(SYS_MINCORE, (const char *)start + i * PAGE, PAGE, &there) != 0)
			return -1;
		count += there & 1;
	}
	return count;
}
