/* Block devices as files and as swap areas, on a toy device that ends within a page. */
#include <stdlib.h>
#include <string.h>

#include "kernel/block/block.h"
#include "kernel/fs/dev.h"
#include "kernel/syscalls.h"
#include "tests/host/fs/fs_test.h"

#define SECTORS 27ul /* three pages, and three sectors */
#define BYTES   (SECTORS * SECTOR_SIZE)

static u8 disk[BYTES + PAGE_SIZE];

static int toy_read(struct block_device *device, u64 page, void *to)
{
	u64 bytes = MIN(PAGE_SIZE, block_bytes(device) - page * PAGE_SIZE);

	memset(to, 0, PAGE_SIZE);
	memcpy(to, disk + page * PAGE_SIZE, bytes);
	return 0;
}

static int toy_write(struct block_device *device, u64 page, const void *from)
{
	u64 bytes = MIN(PAGE_SIZE, block_bytes(device) - page * PAGE_SIZE);

	memcpy(disk + page * PAGE_SIZE, from, bytes);
	return 0;
}

static const struct block_ops toy_ops = {.read = toy_read, .write = toy_write};
static struct block_device toy = {
	.name = "toy",
	.rdev = DEVICE(200, 1),
	.sectors = SECTORS,
	.ops = &toy_ops,
};

static void random_bytes_against_model(int fd)
{
	static u8 model[BYTES], buffer[BYTES];

	memcpy(model, disk, BYTES);
	srand(1);
	for (u32 i = 0; i < 2000; i++) {
		u64 at = (u64)rand() % BYTES, bytes = (u64)rand() % sizeof(buffer);
		u64 fits = MIN(bytes, BYTES - at);

		if (rand() % 2) {
			EQUAL(sys_pread64(fd, U(buffer), bytes, (i64)at), (i64)fits);
			TRUE(memcmp(buffer, model + at, fits) == 0);
			continue;
		}
		memset(buffer, (int)i, bytes);
		memset(model + at, (int)i, fits);
		EQUAL(sys_pwrite64(fd, U(buffer), bytes, (i64)at), (i64)fits);
	}
	TRUE(memcmp(disk, model, BYTES) == 0);
}

/* Bytes as they are in the header, from 1024 on. */
static void put_header(u32 version, u32 last)
{
	static const char signature[10] = {'S', 'W', 'A', 'P', 'S', 'P', 'A', 'C', 'E', '2'};
	u32 words[3] = {version, last, 0};

	memset(disk, 0, PAGE_SIZE);
	memcpy(disk + 1024, words, sizeof(words));
	memcpy(disk + PAGE_SIZE - sizeof(signature), signature, sizeof(signature));
}

static i64 swapon_of(u32 version, u32 last)
{
	put_header(version, last);
	return sys_swapon(U("/dev/toy"), 0);
}

static void swap_areas(void)
{
	EQUAL(swapon_of(2, 2), -EINVAL);
	EQUAL(swapon_of(1, 3), -EINVAL);
	EQUAL(swapon_of(1, 0), -EINVAL);
	EQUAL(swapon_of(1, 2), 0);
	EQUAL(swapon_of(1, 2), -EBUSY);
	TRUE(strstr(contents("/proc/swaps"),
		    "/dev/toy                                partition\t8\t\t0\t\t-2\n"));
	EQUAL(sys_swapoff(U("/dev/toy")), 0);
	EQUAL(sys_swapoff(U("/dev/toy")), -EINVAL);
	EQUAL(sys_swapon(U("/dev/null"), 0), -EINVAL);
	EQUAL(sys_swapon(BAD, 0), -EFAULT);
	EQUAL(sys_swapon(U("/dev/toy"), 1 << 20), -EINVAL);
}

/* Each allocation of opening, writing, reading and swapon refused in turn. */
static void refused(void)
{
	u64 allocations = world_allocations();
	char byte = 0;

	for (u64 nth = 1; nth < 20; nth++) {
		i64 result;
		int fd;

		world_fail(nth);
		fd = open_("/dev/toy", O_RDWR);
		result = fd < 0 ? fd : sys_pwrite64(fd, U(&byte), 1, 5000);
		TRUE(result == 1 || result == -ENOMEM);
		result = fd < 0 ? fd : sys_pread64(fd, U(&byte), 1, 5000);
		TRUE(result == 1 || result == -ENOMEM);
		if (fd >= 0)
			EQUAL(sys_close(fd), 0);
		put_header(1, 2);
		world_fail(nth);
		result = sys_swapon(U("/dev/toy"), 0);
		TRUE(result == 0 || result == -ENOMEM);
		world_fail(0);
		EQUAL(sys_swapoff(U("/dev/toy")), result ? -EINVAL : 0);
		EQUAL((i64)world_allocations(), (i64)allocations);
	}
}

void test_block(void)
{
	int fd, other;
	u64 size;

	EQUAL(block_register(&toy), 0);
	fd = open_("/dev/toy", O_RDWR);
	EQUAL(sys_lseek(fd, 0, 2), BYTES);
	EQUAL(sys_lseek(fd, 1, 2), -EINVAL);
	EQUAL(sys_ioctl(fd, 0x80081272, U(&size)), 0);
	EQUAL((i64)size, BYTES);
	EQUAL(sys_ioctl(fd, 0x80081272, BAD), -EFAULT);
	EQUAL(sys_ioctl(fd, 1, U(&size)), -ENOTTY);
	EQUAL(sys_write(fd, U("x"), 0), 0);
	EQUAL(sys_pwrite64(fd, U("x"), 1, BYTES), -ENOSPC);
	EQUAL(sys_pwrite64(fd, U(user_edge() - 3), 5, 10), 3);
	EQUAL(sys_pwrite64(fd, BAD, 5, 10), -EFAULT);
	EQUAL(sys_fsync(fd), 0);
	random_bytes_against_model(fd);
	EQUAL(sys_close(fd), 0);
	fd = open_("/dev/toy", O_RDONLY | O_EXCL);
	EQUAL(open_("/dev/toy", O_RDONLY | O_EXCL), -EBUSY);
	EQUAL(swapon_of(1, 2), -EBUSY);
	EQUAL(sys_close(fd), 0);
	swap_areas();
	other = open_("/proc/sys/dev/block_faults", O_RDWR);
	EQUAL(sys_write(other, U("toy read nth 1"), 14), 14);
	EQUAL(sys_swapon(U("/dev/toy"), 0), -EIO);
	EQUAL(sys_write(other, U("toy read nth"), 12), -EINVAL);
	EQUAL(sys_close(other), 0);
	EQUAL(sys_mknod(U("/toy2"), S_IFBLK | 0600, DEVICE(200, 2)), 0);
	EQUAL(open_("/toy2", O_RDONLY), -ENXIO);
	EQUAL(sys_unlink(U("/toy2")), 0);
	EQUAL(swapon_of(1, 2), 0);
	fd = open_("/dev/toy", O_RDWR);
	EQUAL(sys_write(fd, U("x"), 1), -ETXTBSY);
	EQUAL(sys_close(fd), 0);
	EQUAL(sys_swapoff(U("/dev/toy")), 0);
	refused();
}
