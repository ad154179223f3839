/*
 * Block devices: the ramdisk, and where it is there a disk of QEMU's, /dev/vdb, as files and as what is swapped to. All
 * that they held is lost. Boot with noswap.
 *
 * Catches: bytes that go elsewhere, or to more than they should, above all at the ends of pages and of the device; a
 * write that is lost beside another one in the same page; an error that is not told; a bad swap area that is accepted.
 */
#include "probe.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

enum { SYS_READ = 0, SYS_WRITE = 1, SYS_OPEN = 2, SYS_LSEEK = 8, SYS_IOCTL = 16, SYS_PREAD = 17 };
enum { SYS_PWRITE = 18, SYS_FSYNC = 74, SYS_MKNOD = 133, SYS_SWAPON = 167, SYS_SWAPOFF = 168 };
enum { L_EIO = 5, L_ENXIO = 6, L_EBUSY = 16, L_ETXTBSY = 26, L_EROFS = 30 };
enum { SECTOR = 512, MAJOR_VIRTIO = 254 };

#define FAULTS "/proc/sys/dev/block_faults"

/* The device that a case works on: each in turn. */
static const char *path, *name;
static int device = -1;
static long size;

static void on_each(void (*body)(void))
{
	static const char *const paths[] = {"/dev/ram0", "/dev/vdb"};

	for (size_t i = 0; i < COUNT(paths); i++) {
		if (access(paths[i], F_OK) < 0)
			continue;
		path = paths[i];
		name = path + strlen("/dev/");
		device = open(path, O_RDWR);
		REQUIRE(device >= 0, "open %s", path);
		size = lseek(device, 0, SEEK_END);
		body();
		close(device);
	}
}

static void *allocate(size_t bytes)
{
	void *at = calloc(1, bytes);

	REQUIRE(at, "memory");
	return at;
}

/* ---- Bytes ---- */

static void sizes(void)
{
	struct stat status = {0};
	unsigned long bytes = 0, sectors = 0;
	int sector = 0, read_only = -1;

	CHECK(size > (long)PAGE, "%s: %ld bytes", path, size);
	CHECK_EQUAL(ioctl(device, BLKGETSIZE64, &bytes), 0, "BLKGETSIZE64");
	CHECK_EQUAL(ioctl(device, BLKGETSIZE, &sectors), 0, "BLKGETSIZE");
	CHECK_EQUAL(ioctl(device, BLKSSZGET, &sector), 0, "BLKSSZGET");
	CHECK_EQUAL(ioctl(device, BLKROGET, &read_only), 0, "BLKROGET");
	CHECK_EQUAL(ioctl(device, BLKFLSBUF, 0), 0, "BLKFLSBUF");
	CHECK_EQUAL(CALL(SYS_IOCTL, device, BLKGETSIZE64, 16), -L_EFAULT, "a bad address");
	CHECK_EQUAL(bytes, size, "BLKGETSIZE64");
	CHECK_EQUAL(sectors, size / SECTOR, "BLKGETSIZE");
	CHECK_EQUAL(sector, SECTOR, "BLKSSZGET");
	CHECK_EQUAL(read_only, 0, "BLKROGET");
	CHECK_EQUAL(fstat(device, &status), 0, "fstat");
	CHECK(S_ISBLK(status.st_mode), "mode %o", (unsigned)status.st_mode);
	CHECK_EQUAL(status.st_size, 0, "st_size");
	CHECK_EQUAL(CALL(SYS_FSYNC, device), 0, "fsync");
}

static void test_sizes(void)
{
	on_each(sizes);
}

#define WINDOW (12 * PAGE)
#define ROUNDS 300u

/* A window of the device, and what it must hold. */
static void move_random(uint64_t *seed, long start, unsigned char *model)
{
	static unsigned char buffer[3 * PAGE];
	size_t at = random_next(seed) % WINDOW;
	size_t most = WINDOW - at < sizeof(buffer) ? WINDOW - at : sizeof(buffer);
	size_t bytes = 1 + random_next(seed) % most;

	if (random_next(seed) % 2) {
		CHECK_EQUAL(CALL(SYS_PREAD, device, buffer, bytes, start + (long)at), bytes,
			    "pread");
		CHECK(memcmp(buffer, model + at, bytes) == 0, "%s: %zu bytes at %ld + %zu differ",
		      path, bytes, start, at);
		return;
	}
	for (size_t i = 0; i < bytes; i++)
		model[at + i] = (unsigned char)random_next(seed);
	CHECK_EQUAL(CALL(SYS_PWRITE, device, model + at, bytes, start + (long)at), bytes, "pwrite");
}

static void random_window(long start)
{
	unsigned char *model = allocate(WINDOW), *got = allocate(WINDOW);
	uint64_t seed = 5;

	CHECK_EQUAL(CALL(SYS_PREAD, device, model, WINDOW, start), WINDOW, "pread");
	for (unsigned i = 0; i < ROUNDS && !check_failures(); i++)
		move_random(&seed, start, model);
	CHECK_EQUAL(CALL(SYS_PREAD, device, got, WINDOW, start), WINDOW, "pread");
	CHECK(memcmp(got, model, WINDOW) == 0, "%s: the window at %ld differs", path, start);
	free(model);
	free(got);
}

static void random_windows(void)
{
	random_window(0);
	random_window(1024 * (long)PAGE - 6 * (long)PAGE); /* two chunks of the ramdisk */
	random_window(size - (long)WINDOW);
}

static void test_random(void)
{
	on_each(random_windows);
}

/* Each page is one of its own: all are written, then all are read. */
static void every_page(void)
{
	static uint64_t words[PAGE / 8];
	const size_t last = COUNT(words) - 1;
	long pages = size / (long)PAGE;

	for (long page = 0; page < pages; page++) {
		words[0] = words[last] = (uint64_t)page;
		if (CALL(SYS_PWRITE, device, words, PAGE, page * (long)PAGE) != (long)PAGE)
			CHECK(false, "%s: write of page %ld", path, page);
	}
	for (long page = 0; page < pages && !check_failures(); page++) {
		CHECK_EQUAL(CALL(SYS_PREAD, device, words, PAGE, page * (long)PAGE), PAGE, "read");
		CHECK_EQUAL(words[0], page, "its first word");
		CHECK_EQUAL(words[last], page, "its last word");
	}
}

static void test_every_page(void)
{
	on_each(every_page);
}

/* Read on from where the last call ended. */
static void positions(void)
{
	char got[8] = "";

	CHECK_EQUAL(lseek(device, 4090, SEEK_SET), 4090, "lseek");
	CHECK_EQUAL(write(device, "abcdef", 6), 6, "write");
	CHECK_EQUAL(write(device, "ghijkl", 6), 6, "write");
	CHECK_EQUAL(lseek(device, 0, SEEK_CUR), 4102, "lseek");
	CHECK_EQUAL(lseek(device, -9, SEEK_CUR), 4093, "lseek");
	CHECK_EQUAL(read(device, got, 7), 7, "read");
	CHECK(strcmp(got, "defghij") == 0, "%s: \"%s\"", path, got);
}

static void ends(void)
{
	char *buffer = allocate(2 * PAGE);

	memset(buffer, 'e', 2 * PAGE);
	CHECK_EQUAL(CALL(SYS_PREAD, device, buffer, 10, size), 0, "read at the end");
	CHECK_EQUAL(CALL(SYS_PREAD, device, buffer, 10, size + 5000), 0, "read beyond it");
	CHECK_EQUAL(CALL(SYS_PWRITE, device, buffer, 10, size), -L_ENOSPC, "write at the end");
	CHECK_EQUAL(CALL(SYS_PWRITE, device, buffer, 0, size), 0, "write of nothing");
	CHECK_EQUAL(CALL(SYS_PWRITE, device, buffer, 2 * PAGE, size - 700), 700,
		    "write across the end");
	CHECK_EQUAL(CALL(SYS_PREAD, device, buffer + PAGE, PAGE, size - 800), 800,
		    "read across the end");
	CHECK(memcmp(buffer + PAGE + 100, buffer, 700) == 0, "%s: its last bytes", path);
	CHECK_EQUAL(CALL(SYS_LSEEK, device, size, SEEK_SET), size, "lseek to the end");
	CHECK_EQUAL(CALL(SYS_LSEEK, device, size + 1, SEEK_SET), -L_EINVAL, "lseek beyond it");
	CHECK_EQUAL(CALL(SYS_LSEEK, device, 1, SEEK_END), -L_EINVAL, "lseek beyond it");
	CHECK_EQUAL(CALL(SYS_LSEEK, device, -1 - size, SEEK_END), -L_EINVAL, "lseek before 0");
	CHECK_EQUAL(CALL(SYS_LSEEK, device, 3, 3), 3, "SEEK_DATA");
	CHECK_EQUAL(CALL(SYS_LSEEK, device, 3, 4), size, "SEEK_HOLE");
	CHECK_EQUAL(CALL(SYS_LSEEK, device, size, 3), -L_ENXIO, "SEEK_DATA at the end");
	CHECK_EQUAL(ftruncate(device, 0), -1, "ftruncate");
	free(buffer);
}

static void test_ends(void)
{
	on_each(positions);
	on_each(ends);
}

/* A buffer that ends where nothing is mapped: what is before it is moved. */
static void bad_memory(void)
{
	char *at = map_at(slot_base(1), 3 * PAGE), *last = at + PAGE, got[8];

	munmap(at + 2 * PAGE, PAGE);
	memset(at, 'm', 2 * PAGE);
	CHECK_EQUAL(CALL(SYS_PWRITE, device, at, 2 * PAGE, 0), 2 * PAGE, "pwrite");
	memset(at, 'n', 2 * PAGE);
	CHECK_EQUAL(CALL(SYS_PWRITE, device, last + PAGE - 3, PAGE, PAGE), 3, "a whole page");
	CHECK_EQUAL(CALL(SYS_PREAD, device, got, 8, PAGE - 2), 8, "pread");
	CHECK(memcmp(got, "mmnnnmmm", 8) == 0, "%s: %.8s", path, got);
	CHECK_EQUAL(CALL(SYS_PWRITE, device, last + PAGE, 5, 0), -L_EFAULT, "nothing of it");
	CHECK_EQUAL(CALL(SYS_PREAD, device, last + PAGE - 3, 5, PAGE - 1), 3, "read");
	CHECK(memcmp(last + PAGE - 3, "mnn", 3) == 0, "%s: %.3s", path, last + PAGE - 3);
	CHECK_EQUAL(CALL(SYS_PREAD, device, last + PAGE, 5, 0), -L_EFAULT, "read of nothing");
}

static void test_bad_memory(void)
{
	on_each(bad_memory);
}

/* ---- Several at once ---- */

#define WRITERS 4
#define QUARTER (PAGE / WRITERS)

static void write_quarter(void *context)
{
	long number = (long)context;
	char mine[QUARTER], got[QUARTER];

	for (unsigned i = 0; i < 100; i++) {
		memset(mine, (int)(number * 50 + i % 50), QUARTER);
		CHECK_EQUAL(CALL(SYS_PWRITE, device, mine, QUARTER, number * (long)QUARTER),
			    QUARTER, "pwrite");
		CALL(24); /* sched_yield */
		CHECK_EQUAL(CALL(SYS_PREAD, device, got, QUARTER, number * (long)QUARTER), QUARTER,
			    "pread");
		if (!CHECK(memcmp(got, mine, QUARTER) == 0, "%s: writer %ld lost write %u", path,
			   number, i))
			return;
	}
}

static void quarters(void)
{
	pid_t writers[WRITERS];

	for (long i = 0; i < WRITERS; i++)
		writers[i] = start(write_quarter, (void *)i);
	for (long i = 0; i < WRITERS; i++)
		reap(writers[i]);
}

static void test_quarters(void)
{
	on_each(quarters);
}

/* ---- Errors ---- */

static void set_fault(const char *what)
{
	char line[64];
	int knob = open(FAULTS, O_WRONLY);
	int length = snprintf(line, sizeof(line), "%s %s\n", name, what);

	REQUIRE(knob >= 0, FAULTS);
	CHECK_EQUAL(write(knob, line, (size_t)length), length, line);
	close(knob);
}

/* How many reads or writes there were, or how many failed. */
static long traffic(const char *way, bool failed)
{
	char line[80], format[40];
	unsigned long operations = 0, failures = 0;
	FILE *knob = fopen(FAULTS, "r");

	REQUIRE(knob, FAULTS);
	snprintf(format, sizeof(format), "%s %s %%lu failed %%lu", name, way);
	while (fgets(line, sizeof(line), knob))
		if (sscanf(line, format, &operations, &failures) == 2)
			break;
	fclose(knob);
	return (long)(failed ? failures : operations);
}

static long write_page(long page)
{
	static char bytes[PAGE];

	return CALL(SYS_PWRITE, device, bytes, PAGE, page * (long)PAGE);
}

static void write_faults(void)
{
	long operations = traffic("write", false), failures = traffic("write", true);
	char *buffer = allocate(4 * PAGE);

	set_fault("write nth 2");
	CHECK_EQUAL(write_page(0), PAGE, "the first");
	CHECK_EQUAL(write_page(0), -L_EIO, "the second");
	CHECK_EQUAL(write_page(0), PAGE, "the third");
	set_fault("write page 2");
	CHECK_EQUAL(write_page(1), PAGE, "a good page");
	CHECK_EQUAL(write_page(2), -L_EIO, "a bad page");
	CHECK_EQUAL(write_page(2), -L_EIO, "a bad page again");
	CHECK_EQUAL(CALL(SYS_PWRITE, device, buffer, 4 * PAGE, 0), 2 * PAGE, "up to the bad page");
	set_fault("write from 2");
	CHECK_EQUAL(write_page(2), PAGE, "before it broke");
	CHECK_EQUAL(write_page(3), -L_EIO, "after it broke");
	CHECK_EQUAL(write_page(4), -L_EIO, "after it broke");
	set_fault("write none");
	CHECK_EQUAL(write_page(4), PAGE, "mended");
	CHECK_EQUAL(traffic("write", false) - operations, 13, "writes");
	CHECK_EQUAL(traffic("write", true) - failures, 6, "failed writes");
	free(buffer);
}

static void read_faults(void)
{
	char got[4];

	CHECK_EQUAL(CALL(SYS_PWRITE, device, "keep", 4, 0), 4, "pwrite");
	set_fault("read page 0");
	CHECK_EQUAL(CALL(SYS_PREAD, device, got, 4, 10), -L_EIO, "read");
	CHECK_EQUAL(CALL(SYS_PWRITE, device, "lose", 4, 0), -L_EIO, "write of a part");
	CHECK_EQUAL(CALL(SYS_SWAPON, path, 0), -L_EIO, "swapon");
	set_fault("read none");
	CHECK_EQUAL(CALL(SYS_PREAD, device, got, 4, 0), 4, "read");
	CHECK(memcmp(got, "keep", 4) == 0, "%s: %.4s", path, got);
}

static void bad_knobs(void)
{
	static const char *const words[] = {
		"",           "write",        "read",         "read nth",
		"read nth 0", "read nth x",   "read page 1x", "read all",
		"both nth 1", "write none 1", "readnth 1"};
	int knob = open(FAULTS, O_WRONLY);
	char line[64];

	for (size_t i = 0; i < COUNT(words); i++) {
		int length = snprintf(line, sizeof(line), "%s %s", name, words[i]);

		CHECK_EQUAL(CALL(SYS_WRITE, knob, line, length), -L_EINVAL, line);
	}
	CHECK_EQUAL(CALL(SYS_WRITE, knob, "absent read none", 16), -L_EINVAL, "no such device");
	close(knob);
}

static void test_faults(void)
{
	on_each(write_faults);
	on_each(read_faults);
	on_each(bad_knobs);
}

static void test_read_only(void)
{
	int fd = open("/dev/vda", O_RDWR), read_only = 0;
	char got[4];

	if (fd < 0)
		return; /* booted without one */
	CHECK_EQUAL(ioctl(fd, BLKROGET, &read_only), 0, "BLKROGET");
	CHECK_EQUAL(read_only, 1, "BLKROGET");
	CHECK_EQUAL(CALL(SYS_PREAD, fd, got, 4, 0), 4, "read");
	CHECK_EQUAL(CALL(SYS_PWRITE, fd, got, 4, 0), -L_EPERM, "write");
	CHECK_EQUAL(CALL(SYS_SWAPON, "/dev/vda", 0), -L_EROFS, "swapon");
	close(fd);
}

/* ---- Names ---- */

static void test_nodes(void)
{
	const long mode = S_IFBLK | 0600;
	char got[4] = "";

	CHECK_EQUAL(CALL(SYS_MKNOD, "/tmp/ram", mode, 1 << 8), 0, "mknod");
	CHECK_EQUAL(CALL(SYS_MKNOD, "/tmp/none", mode, MAJOR_VIRTIO << 8 | 255), 0, "mknod");
	CHECK_EQUAL(CALL(SYS_OPEN, "/tmp/none", O_RDONLY), -L_ENXIO, "no such device");
	int fd = open("/tmp/ram", O_RDWR), other = open("/dev/ram0", O_RDWR);
	CHECK_EQUAL(CALL(SYS_PWRITE, fd, "same", 4, 100), 4, "write to one");
	CHECK_EQUAL(CALL(SYS_PREAD, other, got, 4, 100), 4, "read from the other");
	CHECK(memcmp(got, "same", 4) == 0, "%.4s", got);
	close(fd);
	close(other);
	unlink("/tmp/ram");
	unlink("/tmp/none");
}

static void claims(void)
{
	long fd = CALL(SYS_OPEN, path, O_RDWR | O_EXCL);

	CHECK(fd >= 0, "%s: open with O_EXCL: %ld", path, fd);
	CHECK_EQUAL(CALL(SYS_OPEN, path, O_RDONLY | O_EXCL), -L_EBUSY, "a second one");
	CHECK_EQUAL(CALL(SYS_SWAPON, path, 0), -L_EBUSY, "swapon");
	CHECK_EQUAL(CALL(SYS_PWRITE, device, "x", 1, 0), 1, "others may write");
	close((int)fd);
	fd = CALL(SYS_OPEN, path, O_RDONLY | O_EXCL);
	CHECK(fd >= 0, "%s: open after it was closed: %ld", path, fd);
	close((int)fd);
}

static void test_claims(void)
{
	on_each(claims);
}

/* ---- Swap areas ---- */

static struct header {
	char boot[1024];
	uint32_t version, last_page, bad_count;
	char names[32];
	uint32_t unused[117], bad[637];
	char gap[2], signature[10];
} header;
_Static_assert(sizeof(struct header) == PAGE, "Linux's union swap_header");

static void make_header(void)
{
	memset(&header, 0, sizeof(header));
	header.version = 1;
	header.last_page = (uint32_t)(size / (long)PAGE - 1);
	memcpy(header.signature, "SWAPSPACE2", sizeof(header.signature));
}

static long swap_on(long flags)
{
	CHECK_EQUAL(CALL(SYS_PWRITE, device, &header, PAGE, 0), PAGE, "write the header");
	return CALL(SYS_SWAPON, path, flags);
}

/* Column 3 (kB) or 5 (priority) of the device's line in /proc/swaps; LONG_MIN: it has none. */
static long swaps_column(unsigned column)
{
	char line[120], found[40], type[20];
	long values[5] = {0}, result = -100000;
	FILE *swaps = fopen("/proc/swaps", "r");

	REQUIRE(swaps, "/proc/swaps");
	while (fgets(line, sizeof(line), swaps))
		if (sscanf(line, "%39s %19s %ld %ld %ld", found, type, &values[2], &values[3],
			   &values[4]) == 5 &&
		    strcmp(found, path) == 0)
			result = values[column - 1];
	fclose(swaps);
	return result;
}

static void good_area(const char *what, long kilobytes)
{
	CHECK_EQUAL(swap_on(0), 0, what);
	CHECK_EQUAL(swaps_column(3), kilobytes, what);
	CHECK_EQUAL(CALL(SYS_SWAPOFF, path), 0, what);
	make_header();
}

static void bad_area(const char *what)
{
	CHECK_EQUAL(swap_on(0), -L_EINVAL, what);
	make_header();
}

static void bad_areas(void)
{
	make_header();
	header.signature[9] = '1';
	bad_area("an old signature");
	header.version = 2;
	bad_area("version 2");
	header.version = 0;
	bad_area("version 0");
	header.last_page = 0;
	bad_area("no pages");
	header.last_page++;
	bad_area("too long");
	header.bad_count = 638;
	bad_area("too many bad pages");
	header.bad_count = 1;
	bad_area("the header is bad");
	header.bad[0] = header.last_page + 1;
	header.bad_count = 1;
	bad_area("a bad page beyond the end");
	header.last_page = 2;
	header.bad[0] = 1;
	header.bad[1] = 2;
	header.bad_count = 2;
	bad_area("all pages are bad");
}

static void good_areas(void)
{
	long all = (size / (long)PAGE - 1) * 4;

	make_header();
	good_area("all pages", all);
	header.last_page = 10;
	good_area("fewer pages", 40);
	header.bad[0] = 7;
	header.bad[1] = header.last_page;
	header.bad_count = 2;
	good_area("bad pages", all - 8);
	header.version = __builtin_bswap32(1);
	header.last_page = __builtin_bswap32(20);
	header.bad[0] = __builtin_bswap32(20);
	header.bad_count = __builtin_bswap32(1);
	good_area("the other byte order", 76);
}

static void swap_states(void)
{
	char byte;

	make_header();
	CHECK_EQUAL(CALL(SYS_SWAPOFF, path), -L_EINVAL, "swapoff before swapon");
	CHECK_EQUAL(swap_on(0x80000), -L_EINVAL, "an unknown flag");
	CHECK_EQUAL(swap_on(SWAP_FLAG_PREFER | 300), 0, "swapon");
	CHECK_EQUAL(swaps_column(5), 300, "priority");
	CHECK_EQUAL(CALL(SYS_SWAPON, path, 0), -L_EBUSY, "swapon again");
	CHECK_EQUAL(CALL(SYS_OPEN, path, O_RDONLY | O_EXCL), -L_EBUSY, "open with O_EXCL");
	CHECK_EQUAL(CALL(SYS_PWRITE, device, "x", 1, 0), -L_ETXTBSY, "write");
	CHECK_EQUAL(CALL(SYS_PREAD, device, &byte, 1, 0), 1, "read");
	CHECK_EQUAL(CALL(SYS_SWAPOFF, path), 0, "swapoff");
	CHECK_EQUAL(CALL(SYS_SWAPOFF, path), -L_EINVAL, "swapoff again");
	CHECK_EQUAL(CALL(SYS_PWRITE, device, "x", 1, 0), 1, "write after swapoff");
	CHECK_EQUAL(swap_on(0), 0, "swapon after all that");
	CHECK_EQUAL(swaps_column(5), -2, "its priority");
	CHECK_EQUAL(CALL(SYS_SWAPOFF, path), 0, "swapoff");
}

static void test_swap(void)
{
	on_each(bad_areas);
	on_each(good_areas);
	on_each(swap_states);
}

static void swap_on_it(void)
{
	make_header();
	CHECK_EQUAL(swap_on(0), 0, path);
}

static void swap_off_it(void)
{
	CHECK_EQUAL(swaps_column(5), strcmp(name, "ram0") == 0 ? -2 : -3, path);
	CHECK_EQUAL(CALL(SYS_SWAPOFF, path), 0, path);
}

static void test_priorities(void)
{
	on_each(swap_on_it);
	on_each(swap_off_it);
}

static void test_no_device(void)
{
	static char long_path[5000];

	memset(long_path, 'x', sizeof(long_path) - 1);
	CHECK_EQUAL(CALL(SYS_SWAPON, "/dev/absent", 0), -L_ENOENT, "no such name");
	CHECK_EQUAL(CALL(SYS_SWAPON, "", 0), -L_ENOENT, "an empty name");
	CHECK_EQUAL(CALL(SYS_SWAPON, long_path, 0), -L_ENAMETOOLONG, "a long name");
	CHECK_EQUAL(CALL(SYS_SWAPON, 16, 0), -L_EFAULT, "a bad address");
	CHECK_EQUAL(CALL(SYS_SWAPON, "/dev", 0), -L_EISDIR, "a directory");
	CHECK_EQUAL(CALL(SYS_SWAPON, "/bin/sh/x", 0), -L_ENOTDIR, "below a file");
	CHECK_EQUAL(CALL(SYS_SWAPON, "/dev/null", 0), -L_EINVAL, "another device");
	CHECK_EQUAL(CALL(SYS_SWAPON, "/etc/passwd", 0), -L_EINVAL, "a file in memory");
	CHECK_EQUAL(CALL(SYS_SWAPOFF, "/dev/absent"), -L_ENOENT, "no such name");
	CHECK_EQUAL(CALL(SYS_SWAPOFF, 16), -L_EFAULT, "a bad address");
	CHECK_EQUAL(CALL(SYS_SWAPOFF, "/dev/null"), -L_EINVAL, "another device");
}

#define CASE(name_, run_)                                                          \
	{                                                                          \
		.name = (name_), .run = (run_), .coppice_only = true, .once = true \
	}

static const struct test tests[] = {
	CASE("sizes", test_sizes),
	CASE("bytes anywhere", test_random),
	CASE("every page", test_every_page),
	CASE("the ends", test_ends),
	CASE("bad addresses", test_bad_memory),
	CASE("writers in one page", test_quarters),
	CASE("errors of the device", test_faults),
	CASE("a read-only disk", test_read_only),
	CASE("nodes", test_nodes),
	CASE("O_EXCL", test_claims),
	CASE("swap areas", test_swap),
	CASE("priorities", test_priorities),
	CASE("what cannot be swapped to", test_no_device),
};

int main(int argc, char **argv)
{
	probe_init();
	return run_tests(tests, COUNT(tests), argc, argv);
}
