/* Random system calls: see calls.h. */
#include "calls.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define USER_TOP     0x800000000000ul
#define ANY_DIR      (-100) /* AT_FDCWD */
#define GENERATIONS  2      /* of children of a worker */
#define CHILD_CALLS  20
#define SMALL_LENGTH 65536ul

/*
 * The calls, each with a letter for each argument, and its weight:
 *
 *      f descriptor    d directory   P path to look at   N path to change   X program   A strings
 *      b buffer        z its size    q structure         T time             V iovecs    k pollfds
 *      G signal set    s its size    H sigaction         K stack            Q offset pointer
 *      a address       l length      r protection        M mmap flags       R mremap flags
 *      v advice        B break       o offset            O open flags       m mode
 *      p pid           S signal      i ioctl             j fcntl            y prctl     C clone flags
 *      n small number  F flag bits   t timeout           w arch_prctl       x anything
 */
struct call {
	short number;
	const char *arguments;
	unsigned char weight;
};

/* clang-format off */
static const struct call calls[] = {
	{0, "fbz", 40}, {1, "fbz", 40}, {2, "POm", 60}, {3, "f", 12}, {4, "Pq", 12},
	{5, "fq", 12}, {6, "Pq", 12}, {7, "knt", 12}, {8, "fon", 12}, {9, "alrMfo", 80},
	{10, "alr", 60}, {11, "al", 40}, {12, "B", 12}, {13, "SHqs", 8}, {14, "nGqs", 6},
	{15, "", 8}, {16, "fiq", 30}, {17, "fbzo", 30}, {18, "fbzo", 30}, {19, "fVn", 20},
	{20, "fVn", 20}, {21, "Pn", 12}, {22, "q", 12}, {23, "nGGGT", 4}, {24, "", 12},
	{25, "allRa", 80}, {26, "alF", 12}, {27, "alb", 20}, {28, "alv", 80}, {32, "f", 12},
	{33, "ff", 12}, {34, "", 1}, {35, "Tq", 2}, {39, "", 12}, {40, "ffQz", 20},
	{56, "Caqqx", 6}, {57, "", 4}, {58, "", 2}, {59, "XAA", 4}, {60, "n", 1}, {61, "pqFq", 3},
	{62, "pS", 3}, {63, "q", 12}, {72, "fjx", 20}, {74, "f", 12}, {75, "f", 12},
	{76, "No", 12}, {77, "fo", 12}, {79, "bz", 12}, {80, "N", 6}, {81, "f", 3},
	{82, "NN", 12}, {83, "Nm", 12}, {84, "N", 12}, {85, "Nm", 12}, {86, "NN", 12},
	{87, "N", 12}, {88, "NN", 12}, {89, "Pbz", 12}, {90, "Nm", 12}, {91, "fm", 12},
	{92, "Nnn", 12}, {93, "fnn", 12}, {94, "Nnn", 12}, {95, "m", 12}, {96, "qq", 12},
	{97, "nq", 12}, {98, "nq", 12}, {99, "q", 12}, {100, "q", 12}, {102, "", 12},
	{104, "", 12}, {105, "n", 12}, {106, "n", 12}, {107, "", 12}, {108, "", 12},
	{109, "pp", 12}, {110, "", 12}, {111, "", 12}, {112, "", 2}, {115, "nq", 12},
	{116, "nq", 12}, {121, "p", 12}, {124, "p", 12}, {127, "qs", 12}, {130, "Gs", 1},
	{131, "Kq", 12}, {137, "Pq", 12}, {138, "fq", 12}, {149, "al", 12}, {150, "al", 12},
	{151, "F", 12}, {152, "", 12}, {157, "yqxxx", 12}, {158, "wq", 3}, {160, "nq", 12},
	{162, "", 12}, {169, "xxxx", 12}, {186, "", 12}, {200, "pS", 2}, {201, "q", 12},
	{202, "qnnTqn", 6}, {204, "pzb", 12}, {217, "fbz", 12}, {218, "q", 12}, {228, "nq", 12},
	{229, "nq", 12}, {230, "nnTq", 2}, {231, "n", 1}, {234, "ppS", 2}, {257, "dPOm", 40},
	{258, "dNm", 12}, {260, "dNnnF", 12}, {262, "dPqF", 12}, {263, "dNF", 12},
	{264, "dNdN", 12}, {265, "dNdNF", 12}, {266, "NdN", 12}, {267, "dPbz", 12},
	{268, "dNm", 12}, {269, "dPn", 12}, {270, "nGGGTq", 4}, {271, "knTGs", 4},
	{280, "dNTF", 12}, {285, "fnoo", 12}, {292, "ffO", 12}, {293, "qO", 12},
	{295, "fVno", 12}, {296, "fVno", 12}, {302, "pnqq", 12}, {316, "dNdNF", 12},
	{318, "bzF", 12}, {319, "PF", 12}, {325, "alF", 12}, {434, "pF", 4}, {436, "ffF", 3}, {440, "fVnvF", 12},
};
/* clang-format on */
#define WEIGHT_UNKNOWN 12 /* of numbers that are in no table */

static uint64_t rng_state;
static pid_t lowest_pid;
static unsigned generation;
static bool elsewhere; /* the call's path is one to look at only */
static void (*restorer)(void);

static unsigned rng(unsigned below)
{
	return (unsigned)(random_next(&rng_state) >> 33) % below;
}

static bool one_in(unsigned n)
{
	return rng(n) == 0;
}

#define PICK(array) ((array)[rng(COUNT(array))])

/* ---- Memory to point at ---- */

/* Around a boundary between tables: good pages, a hole, one read-only, one PROT_NONE, shared ones. */
#define AREA_PAGES   32ul
#define AREA         ((char *)slot_base(0) + SPAN - AREA_PAGES / 2 * PAGE)
#define GOOD_PAGES   24ul
#define HOLE         (AREA + GOOD_PAGES * PAGE)
#define READ_ONLY    (HOLE + PAGE)
#define NONE         (READ_ONLY + PAGE)
#define SHARED_PAGES (NONE + PAGE)

static void area_make(void)
{
	const long flags = MAP_FIXED | MAP_ANONYMOUS;

	CALL(SYS_munmap, AREA - PAGE, (AREA_PAGES + 2) * PAGE);
	CALL(SYS_mmap, AREA, GOOD_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | flags, -1, 0);
	CALL(SYS_mmap, READ_ONLY, PAGE, PROT_READ, MAP_PRIVATE | flags, -1, 0);
	CALL(SYS_mmap, NONE, PAGE, PROT_NONE, MAP_PRIVATE | flags, -1, 0);
	CALL(SYS_mmap, SHARED_PAGES, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | flags, -1, 0);
}

static long bad_pointer(void)
{
	const long pool[] = {
		0,
		1,
		(long)HOLE,
		(long)HOLE - 1 - rng(64), /* ends in a hole */
		(long)NONE - 1 - rng(64),
		(long)READ_ONLY + rng(PAGE),
		(long)NONE,
		(long)AREA - 8,
		(long)USER_TOP - PAGE,
		(long)USER_TOP - 8,
		(long)USER_TOP,
		(long)0xffff800000000000ul + rng(PAGE), /* the kernel's direct map */
		(long)0xffffffff80100000ul,             /* its text */
		(long)random_next(&rng_state),
		-(long)PAGE,
		-8,
		-1,
	};

	return PICK(pool);
}

static long buffer(void)
{
	if (one_in(6))
		return bad_pointer();
	return (long)AREA + (long)(rng(AREA_PAGES) * PAGE) + (one_in(2) ? 0 : (long)rng(PAGE));
}

static long buffer_size(void)
{
	const long pool[] = {0, 1, 8, rng(256), rng(256), PAGE, rng(SMALL_LENGTH), USER_TOP, -1};

	return one_in(2) ? (long)rng(5000) : PICK(pool);
}

#define STRUCTURE 512u

/* Where a structure of random contents lies, here given: mostly whole, or with its end in a hole. */
static long structure(const void *contents, size_t bytes)
{
	static uint64_t places[8][STRUCTURE]; /* of 4 KB: no call writes more than it is told */
	static unsigned last;
	uint64_t *place = places[last++ % COUNT(places)];

	if (one_in(8))
		return bad_pointer();
	memcpy(place, contents, bytes);
	return (long)place + (one_in(16) ? 1 : 0);
}

static long random_structure(void)
{
	uint64_t words[64] = {0};

	for (size_t i = 0; i < COUNT(words); i++)
		if (one_in(2))
			words[i] = one_in(4) ? random_next(&rng_state) : rng(64);
	return structure(words, sizeof(words));
}

/* ---- Structures ---- */

static long small_time(void)
{
	uint64_t times[4] = {0, rng(200000), 0, rng(200000)};

	if (one_in(12))
		times[rng(4)] = random_next(&rng_state);
	return one_in(10) ? 0 : structure(times, sizeof(times));
}

static long vectors(void)
{
	uint64_t pairs[32][2];

	for (size_t i = 0; i < COUNT(pairs); i++) {
		pairs[i][0] = (uint64_t)buffer();
		pairs[i][1] = one_in(12) ? (uint64_t)buffer_size() : rng(5000);
	}
	return structure(pairs, sizeof(pairs));
}

static long poll_array(void)
{
	struct {
		int fd;
		short events, found;
	} array[64];

	for (size_t i = 0; i < COUNT(array); i++) {
		array[i].fd = (int)rng(20) - 1;
		array[i].events = (short)rng(0x10000);
		array[i].found = 0;
	}
	return structure(array, sizeof(array));
}

static long signal_set(void)
{
	uint64_t words[16] = {one_in(4) ? random_next(&rng_state) : 1ul << rng(64)};

	words[0] &= ~(1ul << (SIGUSR1 - 1)) | (one_in(8) ? -1ul : 0);
	return one_in(6) ? 0 : structure(words, sizeof(words));
}

static void on_signal(int signal)
{
	(void)signal;
}

static long action(void)
{
	const uint64_t handlers[] = {(uint64_t)on_signal, (uint64_t)on_signal, 0, 1,
				     (uint64_t)bad_pointer()};
	const uint64_t flags[] = {0, 4, 0x08000000, 0x10000000, 0x40000000, 0x80000000};
	uint64_t words[4] = {PICK(handlers), PICK(flags) | PICK(flags), (uint64_t)restorer,
			     one_in(4) ? random_next(&rng_state) : 0};

	words[1] |= one_in(16) ? 0 : 0x04000000; /* SA_RESTORER */
	return one_in(10) ? 0 : structure(words, sizeof(words));
}

static long stack(void)
{
	const uint64_t sizes[] = {0, 2048, 2049, 8192, 16384, -1ul};
	uint64_t words[3] = {(uint64_t)buffer(), one_in(4) ? rng(4) : 0, PICK(sizes)};

	return one_in(6) ? 0 : structure(words, sizeof(words));
}

static long offset_pointer(void)
{
	const uint64_t offsets[] = {0, 1, rng(SMALL_LENGTH), -1ul, 1ul << 62};

	return one_in(2) ? 0 : structure(&PICK(offsets), sizeof(offsets[0]));
}

static long strings(void)
{
	static const char *const text = "an argument";
	uint64_t words[8] = {(uint64_t)text, (uint64_t)text, (uint64_t)buffer()};

	words[3] = one_in(8) ? (uint64_t)bad_pointer() : 0;
	return one_in(4) ? 0 : structure(words, sizeof(words));
}

/* ---- Paths ---- */

static char long_name[5000];

/* Nowhere outside CALLS_DIRECTORY. The only ".." follows a name that no call can make a link: "a/.." is above when a
 * links to ".". */
static long path_to_change(void)
{
	static const char *const pool[] = {"a",   "b",    "c",     "d",   "a/b",
					   "b/a", "a/c",  "a/b/c", "d/e", "./a",
					   "a/.", "a//b", "",      ".",   CALLS_SIDEWAYS};

	if (one_in(40))
		return bad_pointer();
	if (one_in(40))
		return (long)(long_name + rng(sizeof(long_name)));
	return (long)PICK(pool);
}

static long path_to_look_at(void)
{
	static const char *const pool[] = {
		"/dev/null",       "/dev/zero",          "/dev/tty",       "/proc",
		"/proc/self",      "/proc/self/maps",    "/proc/self/exe", "/proc/self/fd",
		"/proc/self/fd/4", "/proc/self/memtree", "/proc/meminfo",  "/proc/vmstat",
		"/proc/self/stat", "/bin/echo",          "/proc/1/maps",   "/proc/self/cmdline",
	};

	elsewhere = one_in(2);
	return elsewhere ? (long)PICK(pool) : path_to_change();
}

static long program(void)
{
	static const char *const pool[] = {"/bin/echo", "/bin/echo", "/bin", "/proc/self/maps",
					   "a"};

	return one_in(16) ? bad_pointer() : (long)PICK(pool);
}

static long open_flags(void)
{
	const unsigned bits[] = {0100, 0200, 01000, 02000, 04000, 0200000, 0400000, 02000000};
	unsigned flags = rng(3);

	for (unsigned n = rng(4); n > 0; n--)
		flags |= PICK(bits);
	if (one_in(2))
		flags |= 0100; /* O_CREAT */
	return elsewhere ? flags & 06604000u : flags;
}

/* ---- Numbers ---- */

static long descriptor(void)
{
	const long pool[] = {-1, 1023, 1024, 1l << 31, (long)random_next(&rng_state), rng(1024)};

	return one_in(12) ? PICK(pool) : (long)rng(16);
}

static long address(void)
{
	return one_in(20) ? bad_pointer()
			  : (long)AREA + ((long)rng(AREA_PAGES + 4) - 2) * (long)PAGE;
}

/* Small, or more than there can be: what lies between would only fill the memory. */
static long memory_length(void)
{
	const long pool[] = {0,  1,       4095, 4097, (long)(USER_TOP - PAGE), (long)USER_TOP,
			     -1, 1l << 62};

	return one_in(10) ? PICK(pool) : (long)((1 + rng(12)) * PAGE);
}

static long break_address(void)
{
	long now = CALL(SYS_brk, 0);
	const long pool[] = {0, 1, -1, (long)USER_TOP, now, now + 1};

	return one_in(4) ? PICK(pool) : now + ((long)rng(32) - 8) * (long)PAGE;
}

static long offset(void)
{
	const long pool[] = {-1, 1, 1l << 40, 1l << 62, (long)(~0ul >> 1), (long)(1ul << 63), 4095};

	return one_in(8) ? PICK(pool) : (long)(rng(16) * PAGE);
}

static long mmap_flags(void)
{
	unsigned flags = 1 + rng(2);

	flags |= one_in(2) ? MAP_FIXED : 0;
	flags |= one_in(3) ? 0 : MAP_ANONYMOUS;
	flags |= one_in(8) ? MAP_POPULATE : 0;
	flags |= one_in(8) ? MAP_FIXED_NOREPLACE : 0;
	return one_in(16) ? (long)(flags | 1u << rng(32)) : (long)flags;
}

/* A process of this test's, or none, or a group. */
static long process(void)
{
	long pid = (long)getpid();
	const long pool[] = {0,          pid,          -pid,
			     pid + 1,    pid - 1,      4194303,
			     0x7fffffff, -0x80000000l, (long)(int)random_next(&rng_state)};
	long chosen = PICK(pool);
	long magnitude = chosen < 0 ? -chosen : chosen;

	return magnitude >= lowest_pid ? chosen : 0;
}

static long clone_flags(void)
{
	const long bits[] = {0x100, 0x4000, 0x80000, 0x100000, 0x200000, 0x1000000, 0x10000};
	long flags = one_in(8) ? (long)rng(256) : SIGCHLD;

	for (unsigned n = rng(4); n > 0; n--)
		flags |= PICK(bits);
	return one_in(16) ? (long)random_next(&rng_state) : flags;
}

static long ioctl_request(void)
{
	static const long pool[] = {0x5401, 0x5402, 0x5403, 0x5404, 0x5409, 0x540b,
				    0x540e, 0x540f, 0x5410, 0x5413, 0x5414, 0x541b,
				    0x5421, 0x5422, 0x5429, 0x5450, 0x5451};

	return one_in(16) ? (long)random_next(&rng_state) : PICK(pool);
}

static long flag_bits(void)
{
	const long pool[] = {0, 0, 1, 2, 4, 0x100, 0x200, 0x400, 0x1000, -1, 1l << rng(32)};

	return PICK(pool);
}

static long anything(void)
{
	return one_in(2) ? (long)rng(16) : one_in(2) ? bad_pointer() : 1l << rng(64);
}

static long pick_code(char kind)
{
	static const long prctls[] = {15, 16, 65, 0x436f7001, 0x436f7002, 4, 38};
	static const long fcntls[] = {0, 1, 2, 3, 4, 1030, 1031, 1032, 5, 6};
	static const long arch_prctls[] = {0x1001, 0x1002, 0x1003, 0x1004};
	static const long timeouts[] = {0, 0, 1, 1, -1};

	switch (kind) {
	case 'y':
		return PICK(prctls);
	case 'j':
		return PICK(fcntls);
	case 'w':
		return PICK(arch_prctls);
	default:
		return PICK(timeouts);
	}
}

/* Long, as a table is. */
static long argument(char kind)
{
	/* One kind, one line. */
	/* clang-format off */
	switch (kind) {
	case 'f': return descriptor();
	case 'd': return one_in(2) ? ANY_DIR : descriptor();
	case 'P': return path_to_look_at();
	case 'N': return path_to_change();
	case 'X': return program();
	case 'A': return strings();
	case 'b': return buffer();
	case 'z': return buffer_size();
	case 'q': return one_in(8) ? buffer() : random_structure();
	case 'T': return small_time();
	case 'V': return vectors();
	case 'k': return poll_array();
	case 'G': return signal_set();
	case 's': return one_in(8) ? (long)rng(200) : 8;
	case 'H': return action();
	case 'K': return stack();
	case 'Q': return offset_pointer();
	case 'a': return address();
	case 'l': return memory_length();
	case 'r': return one_in(16) ? (long)random_next(&rng_state) : (long)rng(8);
	case 'M': return mmap_flags();
	case 'R': return rng(one_in(8) ? 16 : 4);
	case 'v': return one_in(16) ? (long)random_next(&rng_state) : (long)rng(26);
	case 'B': return break_address();
	case 'o': return offset();
	case 'O': return open_flags();
	case 'm': return one_in(8) ? (long)random_next(&rng_state) : 0777;
	case 'p': return process();
	case 'S': return one_in(4) ? (long)rng(70) - 2 : SIGUSR1;
	case 'i': return ioctl_request();
	case 'C': return clone_flags();
	case 'n': return one_in(16) ? (long)random_next(&rng_state) : (long)rng(20);
	case 'F': return flag_bits();
	case 'x': return anything();
	default: return pick_code(kind);
	}
	/* clang-format on */
}

/* ---- Calls that come back in another way ---- */

/* A child that borrows this process's memory may not return from here, where its parent will. */
static long call_vfork(long number, long flags, long parent_tid, long child_tid)
{
	register long r10 asm("r10") = child_tid;
	long result;

	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 1f\n\t"
		     "mov $60, %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "syscall\n"
		     "1:"
		     : "=a"(result)
		     : "a"(number), "D"(flags), "S"(0l), "d"(parent_tid), "r"(r10)
		     : "rcx", "r8", "r11", "memory");
	return result;
}

/* Linux's rt_sigframe, as words: of its registers only the two that lead back here are right. */
#define FRAME_WORDS 55u
#define FRAME_RSP   21u /* after return address, flags, link, stack, 15 registers */
#define FRAME_RIP   22u
#define FRAME_FPU   29u
#define FRAME_MASK  38u

static uint64_t forged[FRAME_WORDS + 512] __attribute__((aligned(64)));

/* Where the FPU image begins, as an alignment that the loading instruction takes, or not. */
static void forge_frame(void)
{
	uint64_t *image = forged + 64;

	for (size_t i = 0; i < COUNT(forged); i++)
		forged[i] = one_in(3) ? random_next(&rng_state) : 0;
	forged[FRAME_FPU] = one_in(8)   ? (uint64_t)bad_pointer()
			    : one_in(4) ? 0
					: (uint64_t)image + (one_in(2) ? 8 : 0);
	forged[FRAME_MASK] = 0;
	if (one_in(8))
		forged[FRAME_RIP] = (uint64_t)bad_pointer();
}

static long call_sigreturn(void)
{
	forge_frame();

	bool wild = forged[FRAME_RIP] != 0 && one_in(2);

	uint64_t *frame = forged;

	asm volatile("push %%rbx; push %%rbp; push %%r12; push %%r13; push %%r14; push %%r15\n\t"
		     "mov %%rsp, 168(%%rdi)\n\t"
		     "test %%esi, %%esi\n\t"
		     "jnz 1f\n\t"
		     "lea 2f(%%rip), %%rax\n\t"
		     "mov %%rax, 176(%%rdi)\n"
		     "1: lea 8(%%rdi), %%rsp\n\t"
		     "mov $15, %%eax\n\t"
		     "syscall\n"
		     "2: push $0x202; popfq\n\t"
		     "pop %%r15; pop %%r14; pop %%r13; pop %%r12; pop %%rbp; pop %%rbx\n\t"
		     : "+D"(frame), "+S"(wild)
		     :
		     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
	return 0;
}

static bool is_fork(long number)
{
	return number == SYS_fork || number == SYS_vfork || number == SYS_clone;
}

static long perform(long number, const long *args)
{
	if (number == SYS_rt_sigreturn)
		return call_sigreturn();
	if (number == SYS_vfork || (number == SYS_clone && (args[0] & 0x100)))
		return call_vfork(number, args[0], args[2], args[3]);
	return system_call(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/* Sizes that only fill the memory, and a child on a stack that is none, are made rare or small. */
static void tame(long number, long *args)
{
	if (number == SYS_mmap && (args[3] & MAP_POPULATE) && (unsigned long)args[1] > SMALL_LENGTH)
		args[1] = SMALL_LENGTH;
	if (number == SYS_sendfile && (unsigned long)args[3] > SMALL_LENGTH)
		args[3] = SMALL_LENGTH;
	if (number == SYS_clone && !one_in(4))
		args[1] = 0;
}

static long random_number(const char **arguments)
{
	unsigned total = WEIGHT_UNKNOWN;

	for (size_t i = 0; i < COUNT(calls); i++)
		total += calls[i].weight;

	unsigned at = rng(total);

	for (size_t i = 0; i < COUNT(calls); i++) {
		unsigned weight = calls[i].weight;

		*arguments = calls[i].arguments;
		if (at < weight)
			return calls[i].number;
		at -= weight;
	}
	*arguments = "xxxxxx";
	return one_in(2) ? 500 + (long)rng(490) : (long)(random_next(&rng_state) | 1ul << 40);
}

static void reseed(uint64_t seed, unsigned worker, long index)
{
	rng_state =
		(seed << 44 ^ (uint64_t)worker << 36 ^ (uint64_t)index) * 0x9e3779b97f4a7c15ul | 1;
	random_next(&rng_state);
}

int call_random(uint64_t seed, unsigned worker, long index)
{
	long args[6] = {0};
	const char *arguments;

	reseed(seed + generation, worker, index);
	if (index % 128 == 0)
		area_make();
	elsewhere = false;

	long number = random_number(&arguments);

	for (size_t i = 0; arguments[i]; i++)
		args[i] = argument(arguments[i]);
	tame(number, args);
	if (is_fork(number) && generation == GENERATIONS)
		return -1;
	if (perform(number, args) == 0 && is_fork(number)) {
		generation++;
		return CHILD_CALLS;
	}
	return -1;
}

/* ---- A process that calls ---- */

static void open_at(int fd, const char *path, int flags)
{
	int got = open(path, flags, 0600);

	if (got >= 0 && got != fd) {
		dup2(got, fd);
		close(got);
	}
}

static void open_files(void)
{
	int ends[2];

	for (int fd = 0; fd < 3; fd++)
		open_at(fd, "/dev/null", O_RDWR);
	open_at(3, ".", O_RDONLY);
	open_at(4, "a", O_RDWR | O_CREAT);
	open_at(5, "b", O_RDWR | O_CREAT);
	open_at(6, "/dev/console", O_RDONLY | O_NOCTTY);
	open_at(7, "/dev/zero", O_RDWR);
	open_at(8, "/proc/self/maps", O_RDONLY);
	open_at(9, "/proc", O_RDONLY);
	if (CALL(SYS_pipe2, ends, O_NONBLOCK) == 0 && CALL(SYS_pipe2, ends, 0) == 0)
		ftruncate(4, SMALL_LENGTH);
}

void calls_start(pid_t first_pid)
{
	struct sigaction interrupt = {.sa_handler = on_signal};
	uint64_t kernels[4];

	lowest_pid = first_pid;
	memset(long_name, 'l', sizeof(long_name) - 1);
	setsid();
	sigaction(SIGUSR1, &interrupt, NULL);
	sigaction(SIGPIPE, &interrupt, NULL);
	if (CALL(SYS_rt_sigaction, SIGUSR1, 0, kernels, 8) == 0)
		restorer = (void (*)(void))kernels[2];
	for (int fd = 0; fd < 16; fd++)
		close(fd);
	open_files();
	area_make();
}
