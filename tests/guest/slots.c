/* The model of a process's memory, and its accesses: see slots.h. */
#include "slots.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const uintptr_t boundaries[WINDOWS] = {
	2 * SPAN,        /* between two PTE tables */
	GIGABYTE,        /* between two page directories */
	GIGABYTE + SPAN, /* between two PTE tables of the second */
	TOP_SPAN,        /* between two PDPTs */
};

struct slot slots[SLOTS];
struct place places[SLOTS];
struct board *board;
uint64_t seed;
long step;
unsigned self;
static uint64_t rng_state;
static int ends[2];

void rng_start(uint64_t state)
{
	rng_state = state | 1;
}

uint64_t rng_fork(void)
{
	return random_next(&rng_state);
}

unsigned rng(unsigned below)
{
	return (unsigned)(random_next(&rng_state) >> 33) % below;
}

/* ---- Slots ---- */

static void places_init(void)
{
	unsigned n = 0;

	for (size_t w = 0; w < WINDOWS; w++) {
		uintptr_t first = ARENA + boundaries[w] - WINDOW * PAGE;

		if (w > 0) {
			places[n].start = places[n - 1].end;
			places[n++].end = first;
		}
		for (unsigned i = 0; i < 2 * WINDOW; i++, n++) {
			places[n].start = first + i * PAGE;
			places[n].end = places[n].start + PAGE;
		}
	}
	REQUIRE(n == SLOTS, "%u slots", n);
}

uint64_t pages_of(unsigned i)
{
	return (places[i].end - places[i].start) / PAGE;
}

uint64_t bytes_of(unsigned first, unsigned last)
{
	return places[last].end - places[first].start;
}

unsigned run_of_pages(unsigned first, unsigned most)
{
	unsigned n = 0;

	while (n < most && first + n < SLOTS && pages_of(first + n) == 1)
		n++;
	return n;
}

bool is_shared(const struct slot *slot)
{
	return slot->kind >= FILE_SHARED;
}

static bool is_tracked(const struct slot *slot)
{
	return slot->kind >= FILE_PRIVATE && slot->index < TRACKED;
}

bool all_mapped(unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		if (slots[i].kind == UNMAPPED)
			return false;
	return true;
}

bool any_mapped(unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		if (slots[i].kind != UNMAPPED)
			return true;
	return false;
}

static bool follows(const struct slot *a, const struct slot *b, uint64_t pages)
{
	return a->kind == b->kind && a->prot == b->prot && a->dontfork == b->dontfork &&
	       a->wipe == b->wipe &&
	       (a->kind == ANONYMOUS || (a->object == b->object && a->index + pages == b->index));
}

bool one_region(unsigned first, unsigned last)
{
	if (slots[first].kind == UNMAPPED)
		return false;
	for (unsigned i = first; i < last; i++)
		if (!follows(&slots[i], &slots[i + 1], pages_of(i)))
			return false;
	return true;
}

void forget(unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		slots[i] = (struct slot) {0};
}

/* ---- What an access must give ---- */

struct outcome expected(const struct slot *slot, enum access access)
{
	bool beyond = slot->kind >= FILE_PRIVATE && !slot->own &&
		      slot->index >= board->pages[slot->object];
	int wanted = access == WRITE ? PROT_WRITE : access == RUN ? PROT_EXEC : slot->prot;

	if (slot->kind == UNMAPPED)
		return (struct outcome) {SIGSEGV, SEGV_MAPERR};
	if (access == RUN && beyond && slot->prot != PROT_NONE && !on_coppice)
		return (struct outcome) {SIGBUS, BUS_ADRERR}; /* Linux reads it in first */
	if (slot->prot == PROT_NONE || !(slot->prot & wanted))
		return (struct outcome) {SIGSEGV, SEGV_ACCERR};
	if (beyond)
		return (struct outcome) {SIGBUS, BUS_ADRERR};
	return (struct outcome) {0, 0};
}

/* A process's word in a shared page after it wrote there for the count-th time. */
static uint64_t word_of(const struct slot *slot, uint32_t count)
{
	return count ? (uint64_t)slot->object << 48 | (slot->index & 0xffff) << 32 | count : 0;
}

static struct writes *writes_of(const struct slot *slot, unsigned writer)
{
	return &board->writes[slot->object][slot->index][writer];
}

void note_floor(const struct slot *slot, uint32_t *floor)
{
	for (unsigned w = 0; w < WRITERS; w++)
		floor[w] = is_tracked(slot) ? writes_of(slot, w)->done : 0;
}

/* The parts of a page that mean something. */
struct view {
	uint64_t first, words[WRITERS], last;
	uint8_t code;
};

static void check_word(unsigned i, unsigned writer, uint32_t floor, uint64_t word)
{
	const struct slot *slot = &slots[i];
	uint32_t count = (uint32_t)word;

	if (slot->kind == ANONYMOUS)
		AGREE(word == 0, "slot %u: 0x%lx", i, (unsigned long)word);
	else if (slot->own)
		AGREE(word == word_of(slot, slot->words[writer]),
		      "slot %u, word of %u: 0x%lx, %u writes before the copy", i, writer,
		      (unsigned long)word, slot->words[writer]);
	else
		AGREE(word == word_of(slot, count) &&
			      (!is_tracked(slot) ||
			       (floor <= count && count <= writes_of(slot, writer)->begun)),
		      "slot %u, word of %u: 0x%lx, at least %u and at most %u", i, writer,
		      (unsigned long)word, floor,
		      is_tracked(slot) ? writes_of(slot, writer)->begun : -1u);
}

static void check_view(unsigned i, const uint32_t *floor, const struct view *view)
{
	struct slot *slot = &slots[i];
	bool file_backed = slot->kind == FILE_PRIVATE || slot->kind == FILE_SHARED;

	if (slot->freed && view->first == 0)
		slot->own = slot->freed = false;

	uint64_t value = slot->own ? slot->value : 0;

	AGREE(view->first == value && view->last == value,
	      "slot %u, kind %d: 0x%lx and 0x%lx, expected 0x%lx", i, slot->kind,
	      (unsigned long)view->first, (unsigned long)view->last, (unsigned long)value);
	if (slot->kind != OBJECT_SHARED)
		AGREE(view->code == (file_backed || value ? RET : 0), "slot %u: code 0x%x", i,
		      view->code);
	for (unsigned w = 0; w < WRITERS; w++)
		check_word(i, w, floor[w], view->words[w]);
}

/* ---- Accesses by the program ---- */

static sigjmp_buf escape;
static volatile bool guarded;
static volatile struct outcome caught;
static volatile uintptr_t caught_at;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (!guarded) {
		ktap_note("seed %lu, process %u, step %ld: signal %d at %p", (unsigned long)seed,
			  self, step, signal, info->si_addr);
		board->failed = 1;
		_exit(3);
	}
	caught.signal = signal;
	caught.code = info->si_code;
	caught_at = (uintptr_t)info->si_addr;
	siglongjmp(escape, 1);
}

static void catch_faults(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};

	action.sa_sigaction = on_fault;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

static void load_page(const volatile char *page, struct view *view)
{
	const volatile uint64_t *words = (const volatile uint64_t *)page;

	view->first = words[0];
	for (unsigned w = 0; w < WRITERS; w++)
		view->words[w] = words[1 + w];
	view->code = ((const volatile uint8_t *)page)[CODE];
	view->last = words[PAGE / sizeof(*words) - 1];
}

static void store_page(volatile char *page, bool shared, uint64_t value)
{
	volatile uint64_t *words = (volatile uint64_t *)page;

	if (shared)
		words[1 + self] = value;
	else
		words[0] = words[PAGE / sizeof(*words) - 1] = value;
	((volatile uint8_t *)page)[CODE] = RET;
}

struct attempt {
	enum access access;
	char *page;
	bool shared;
	uint64_t value;
	struct view *view;
};

static void use_page(const struct attempt *use)
{
	if (use->access == READ)
		load_page(use->page, use->view);
	else if (use->access == WRITE)
		store_page(use->page, use->shared, use->value);
	else
		((void (*)(void))(use->page + CODE))();
}

/* The signal that the use got, if any: its address must be in the page. */
static struct outcome by_program(const struct attempt *use)
{
	caught.signal = caught.code = 0;
	caught_at = (uintptr_t)use->page;
	if (sigsetjmp(escape, 0) == 0) {
		guarded = true;
		use_page(use);
	}
	guarded = false;
	AGREE(caught_at - (uintptr_t)use->page < PAGE, "signal %d at 0x%lx, using %p",
	      caught.signal, (unsigned long)caught_at, (void *)use->page);
	return (struct outcome) {caught.signal, caught.code};
}

/* ---- Accesses by the kernel, through a pipe ---- */

void open_pipe(void)
{
	long error;

	if (ends[1]) {
		close(ends[0]);
		close(ends[1]);
	}
	error = CALL(SYS_pipe2, ends, O_NONBLOCK);

	AGREE(error == 0, "pipe2: %ld", error);
}

static void drain(void)
{
	char rest[64];

	while (CALL(SYS_read, ends[0], rest, sizeof(rest)) > 0)
		;
}

static bool kernel_loads(const struct attempt *use)
{
	static char copy[PAGE];
	long written = CALL(SYS_write, ends[1], use->page, PAGE);

	AGREE(written == (long)PAGE || written == -L_EFAULT, "write from %p: %ld",
	      (void *)use->page, written);
	if (written < 0)
		return false;
	AGREE(CALL(SYS_read, ends[0], copy, PAGE) == (long)PAGE, "read from the pipe");
	load_page(copy, use->view);
	return true;
}

/* The bytes of store_page(), in pieces of one page: all arrive, or none. */
static bool kernel_stores(const struct attempt *use)
{
	struct iovec to[] = {
		{use->page + (use->shared ? 8 + 8 * self : 0), 8},
		{use->page + CODE, 1},
		{use->page + PAGE - 8, use->shared ? 0 : 8},
	};
	char from[17];
	long bytes = use->shared ? 9 : 17;

	memcpy(from, &use->value, 8);
	from[8] = (char)RET;
	memcpy(from + 9, &use->value, 8);
	AGREE(CALL(SYS_write, ends[1], from, bytes) == bytes, "write to the pipe");

	long got = CALL(SYS_readv, ends[0], to, 3);

	AGREE(got == bytes || got == -L_EFAULT, "readv to %p: %ld", (void *)use->page, got);
	drain();
	return got > 0;
}

/* ---- Accesses and the model ---- */

static void use_as_expected(unsigned i, const struct attempt *use)
{
	struct outcome want = expected(&slots[i], use->access);
	bool by_kernel = use->access != RUN && rng(4) == 0;

	if (by_kernel) {
		bool done = use->access == READ ? kernel_loads(use) : kernel_stores(use);

		AGREE(done == !want.signal, "slot %u, access %d by the kernel: %d, expected %d", i,
		      use->access, done, !want.signal);
		return;
	}

	struct outcome got = by_program(use);

	AGREE(got.signal == want.signal && got.code == want.code,
	      "slot %u, kind %d, access %d: signal %d code %d, expected %d code %d", i,
	      slots[i].kind, use->access, got.signal, got.code, want.signal, want.code);
}

static void read_slot(unsigned i, struct view *view)
{
	uint32_t floor[WRITERS];

	note_floor(&slots[i], floor);
	use_as_expected(i, &(struct attempt) {
				   .access = READ, .page = (char *)places[i].start, .view = view});
	if (!expected(&slots[i], READ).signal)
		check_view(i, floor, view);
}

void own_copy(unsigned i, uint64_t value, const uint32_t *floor)
{
	struct slot *slot = &slots[i];
	struct view view;

	load_page((char *)places[i].start, &view);
	for (unsigned w = 0; w < WRITERS; w++) {
		check_word(i, w, floor[w], view.words[w]);
		slot->words[w] = (uint32_t)view.words[w];
	}
	slot->own = true;
	slot->value = value;
}

static void write_private(unsigned i)
{
	struct slot *slot = &slots[i];
	uint64_t value = (uint64_t)(self + 1) << 56 ^ (uint64_t)step << 8 ^ 1;
	uint32_t floor[WRITERS];

	note_floor(slot, floor);
	use_as_expected(i, &(struct attempt) {.access = WRITE,
					      .page = (char *)places[i].start,
					      .value = value});
	if (expected(slot, WRITE).signal)
		return;
	if (slot->kind == FILE_PRIVATE && !slot->own)
		own_copy(i, value, floor);
	slot->own = true;
	slot->freed = false;
	slot->value = value;
}

static void write_shared(unsigned i)
{
	const struct slot *slot = &slots[i];
	bool counted = is_tracked(slot) && !expected(slot, WRITE).signal;
	uint32_t count = counted ? writes_of(slot, self)->done + 1 : (uint32_t)step + 1;

	if (counted)
		writes_of(slot, self)->begun = count;
	use_as_expected(i, &(struct attempt) {.access = WRITE,
					      .page = (char *)places[i].start,
					      .shared = true,
					      .value = word_of(slot, count)});
	if (counted)
		writes_of(slot, self)->done = count;
}

static void do_run(unsigned i)
{
	struct view view;

	if (!expected(&slots[i], RUN).signal) {
		read_slot(i, &view);
		if (view.code != RET)
			return;
	}
	use_as_expected(i, &(struct attempt) {.access = RUN, .page = (char *)places[i].start});
}

void use_slot(unsigned i, enum access access)
{
	struct view view;

	if (access == RUN)
		do_run(i);
	else if (access == READ)
		read_slot(i, &view);
	else if (is_shared(&slots[i]))
		write_shared(i);
	else
		write_private(i);
}

void read_all(void)
{
	struct view view;

	for (unsigned i = 0; i < SLOTS; i++)
		if (pages_of(i) == 1)
			read_slot(i, &view);
}

void slots_init(void)
{
	places_init();
	catch_faults();
}
