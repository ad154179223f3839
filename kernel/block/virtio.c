/*
 * virtio-blk over PCI (VIRTIO 1.1: 4.1 the transport, 2.6 split virtqueues, 5.2 block devices).
 *
 * A disk does one request at a time, from whoever holds its lock, who sleeps until the disk's interrupt. All it needs for
 * that is made at boot, so pages can be swapped out when no memory is left. Several requests under way would
 * hide what a disk takes to answer, but a ramdisk answers at once, and QEMU's file nearly so.
 */
#include "kernel/block/virtio.h"
#include "kernel/block/block.h"
#include "kernel/cpu/trap.h"
#include "kernel/fs/dev.h"
#include "kernel/pci.h"
#include "kernel/wait.h"
#include "mm/errno.h"
#include "mm/frame.h"
#include "mm/heap.h"

#define VENDOR_VIRTIO    0x1af4
#define DEVICE_BLK       0x1042
#define DEVICE_BLK_OLDER 0x1001 /* one that can also be driven as before VIRTIO 1.0 */

#define MAJOR     254u /* as Linux usually gives it */
#define MINORS    16u  /* a disk has, for its partitions */
#define DISKS_MAX 16u

/* 4.1.4: capabilities that say where structures are. */
#define CAP_COMMON 1u
#define CAP_NOTIFY 2u
#define CAP_DEVICE 4u

/* Offsets in them. */
#define CAP_BAR    4u
#define CAP_OFFSET 8u
#define CAP_FACTOR 16u /* of CAP_NOTIFY */

/* 4.1.4.3. Fields of 64 bits are written in halves, as it asks. */
struct common_config {
	u32 device_feature_select, device_feature, driver_feature_select, driver_feature;
	u16 config_vector, queues;
	u8 status, generation;
	u16 queue_select, queue_size, queue_vector, queue_enable, queue_notify_offset;
	u32 descriptors[2], available[2], used[2];
};
_Static_assert(sizeof(struct common_config) == 56, "VIRTIO 1.1, 4.1.4.3");

#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER      2u
#define STATUS_DRIVER_OK   4u
#define STATUS_FEATURES_OK 8u

#define FEATURE_READ_ONLY (1ul << 5)
#define FEATURE_FLUSH     (1ul << 9)
#define FEATURE_VERSION_1 (1ul << 32)

#define NO_VECTOR 0xffff

/* 2.6. A request takes three descriptors. */
#define QUEUE_SIZE 4u

struct descriptor {
	u64 at;
	u32 bytes;
	u16 flags, next;
};
#define DESCRIPTOR_NEXT  1u
#define DESCRIPTOR_WRITE 2u /* by the device */

struct request {
	u32 type, reserved;
	u64 sector;
};
#define REQUEST_READ  0u
#define REQUEST_WRITE 1u
#define REQUEST_FLUSH 4u
#define REQUEST_OK    0

/* What the disk and the driver share, in one frame. */
struct queue {
	struct descriptor descriptors[QUEUE_SIZE];
	struct {
		u16 flags;
		_Atomic u16 index;
		u16 ring[QUEUE_SIZE], unused;
	} available;
	struct {
		u16 flags;
		_Atomic u16 index;
		struct {
			u32 id, bytes;
		} ring[QUEUE_SIZE];
		u16 unused;
	} used;
	struct request request;
	u8 status;
};
_Static_assert(sizeof(struct descriptor) == 16 && sizeof(struct request) == 16, "VIRTIO 1.1");
_Static_assert(offsetof(struct queue, available) % 2 == 0 && offsetof(struct queue, used) % 4 == 0,
	       "VIRTIO 1.1, 2.6");

struct disk {
	struct block_device device;
	char name[4];
	u64 features;
	volatile u16 *notify;
	struct rwlock lock;
	struct queue *queue; /* guarded by lock */
};

static u32 disks;
static struct waitqueue done; /* of all disks */

void virtio_interrupt(void)
{
	wake_all(&done);
}

/* ---- Requests ---- */

static void describe(struct queue *queue, u32 number, const void *at, u64 bytes, u32 flags)
{
	queue->descriptors[number] = (struct descriptor) {
		.at = virt_to_phys(at),
		.bytes = (u32)bytes,
		.flags = (u16)flags,
		.next = (u16)(number + 1),
	};
}

/* Hands the chain from the first descriptor on to the disk, and sleeps until it is done. locked: disk */
static void run_chain(struct disk *disk)
{
	struct queue *queue = disk->queue;
	u16 index = atomic_load(&queue->available.index);

	queue->available.ring[index % QUEUE_SIZE] = 0;
	index++;
	atomic_store(&queue->available.index, index);
	*disk->notify = 0;
	wait_until(&done, atomic_load(&queue->used.index) == index);
}

/* Moves bytes (0 with a flush) between the disk and memory. 0 or -EIO. */
static int run_request(struct disk *disk, u32 type, u64 sector, const void *at, u64 bytes)
{
	struct queue *queue = disk->queue;
	u32 last = bytes ? 2 : 1;
	int error;

	write_lock(&disk->lock);
	queue->request = (struct request) {.type = type, .sector = sector};
	queue->status = (u8)~REQUEST_OK;
	describe(queue, 0, &queue->request, sizeof(queue->request), DESCRIPTOR_NEXT);
	if (bytes)
		describe(queue, 1, at, bytes,
			 DESCRIPTOR_NEXT | (type == REQUEST_READ ? DESCRIPTOR_WRITE : 0));
	describe(queue, last, &queue->status, sizeof(queue->status), DESCRIPTOR_WRITE);
	run_chain(disk);
	error = queue->status == REQUEST_OK ? 0 : -EIO;
	write_unlock(&disk->lock);
	return error;
}

static struct disk *disk_of(struct block_device *device)
{
	return container_of(device, struct disk, device);
}

/* Of a page, what the disk has of it. */
static u64 bytes_of_page(const struct block_device *device, u64 page)
{
	return MIN(PAGE_SIZE, block_bytes(device) - (page << PAGE_SHIFT));
}

static int virtio_read(struct block_device *device, u64 page, void *to)
{
	u64 bytes = bytes_of_page(device, page);

	memset((u8 *)to + bytes, 0, PAGE_SIZE - bytes);
	return run_request(disk_of(device), REQUEST_READ, page * SECTORS_PER_PAGE, to, bytes);
}

static int virtio_write(struct block_device *device, u64 page, const void *from)
{
	return run_request(disk_of(device), REQUEST_WRITE, page * SECTORS_PER_PAGE, from,
			   bytes_of_page(device, page));
}

/* A disk that does not know of flushing has nothing to flush. */
static int virtio_flush(struct block_device *device)
{
	struct disk *disk = disk_of(device);

	return disk->features & FEATURE_FLUSH ? run_request(disk, REQUEST_FLUSH, 0, NULL, 0) : 0;
}

static const struct block_ops virtio_ops = {
	.read = virtio_read,
	.write = virtio_write,
	.flush = virtio_flush,
};

/* ---- Setting a disk up: VIRTIO 1.1, 3.1.1 ---- */

/* Where the device tells of its structure of this type; 0: nowhere. */
static u32 find_structure(const struct pci_device *device, u32 type)
{
	u32 at = 0;

	while ((at = pci_capability(device, PCI_CAPABILITY_VENDOR, at)))
		if (pci_read(device, at) >> 24 == type)
			break;
	return at;
}

/* Bytes from offset on of the structure told of there; NULL when there is none, or no memory. */
static volatile void *map_structure(const struct pci_device *device, u32 capability, u32 offset,
				    u32 bytes)
{
	if (!capability)
		return NULL;
	return pci_map(device, pci_read(device, capability + CAP_BAR) & 0xff,
		       pci_read(device, capability + CAP_OFFSET) + offset, bytes);
}

/* Agrees with the disk on what both can do; false when that is too little. */
static bool agree(struct disk *disk, volatile struct common_config *config)
{
	config->status = 0;
	while (config->status)
		__builtin_ia32_pause();
	config->status = STATUS_ACKNOWLEDGE;
	config->status = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
	for (u32 half = 0; half < 2; half++) {
		config->device_feature_select = half;
		disk->features |= (u64)config->device_feature << 32 * half;
	}
	disk->features &= FEATURE_READ_ONLY | FEATURE_FLUSH | FEATURE_VERSION_1;
	for (u32 half = 0; half < 2; half++) {
		config->driver_feature_select = half;
		config->driver_feature = (u32)(disk->features >> 32 * half);
	}
	config->status = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;
	return (disk->features & FEATURE_VERSION_1) && (config->status & STATUS_FEATURES_OK);
}

static void put_address(volatile u32 to[2], const volatile void *at)
{
	paddr_t address = virt_to_phys((const void *)at);

	to[0] = (u32)address;
	to[1] = (u32)(address >> 32);
}

/* Makes the one queue there is; false when memory is out, or the disk will not have it so. */
static bool start_queue(struct disk *disk, volatile struct common_config *config)
{
	struct page *frame = frame_alloc_zeroed();

	_Static_assert(sizeof(struct queue) <= PAGE_SIZE, "one frame");
	if (!frame)
		return false;
	disk->queue = page_virt(frame);
	config->config_vector = NO_VECTOR;
	config->queue_select = 0;
	config->queue_size = QUEUE_SIZE;
	config->queue_vector = 0;
	put_address(config->descriptors, disk->queue->descriptors);
	put_address(config->available, &disk->queue->available);
	put_address(config->used, &disk->queue->used);
	if (config->queue_size != QUEUE_SIZE || config->queue_vector) {
		frame_free(frame, 0);
		return false;
	}
	config->queue_enable = 1;
	return true;
}

/* What tells the disk of a request: 4.1.4.4. */
static volatile u16 *map_notify(const struct pci_device *device, u32 queue_offset)
{
	u32 capability = find_structure(device, CAP_NOTIFY);
	u32 factor = capability ? pci_read(device, capability + CAP_FACTOR) : 0;

	return map_structure(device, capability, queue_offset * factor, sizeof(u16));
}

static bool set_up(struct disk *disk, const struct pci_device *device)
{
	u32 capability = find_structure(device, CAP_COMMON);
	volatile struct common_config *config =
		map_structure(device, capability, 0, sizeof(*config));
	volatile u32 *capacity =
		map_structure(device, find_structure(device, CAP_DEVICE), 0, sizeof(u64));

	if (!config || !capacity || !agree(disk, config) || !start_queue(disk, config))
		return false;
	disk->notify = map_notify(device, config->queue_notify_offset);
	if (!disk->notify)
		return false;
	disk->device.sectors = capacity[0] | (u64)capacity[1] << 32;
	config->status = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK;
	return true;
}

static void name_disk(struct disk *disk, u32 number)
{
	memcpy(disk->name, "vda", sizeof(disk->name));
	disk->name[2] = (char)('a' + number);
	disk->device.name = disk->name;
	disk->device.rdev = DEVICE(MAJOR, number * MINORS);
	disk->device.ops = &virtio_ops;
	disk->device.read_only = disk->features & FEATURE_READ_ONLY;
}

/* A disk that cannot be used is left alone, its memory with it: that is seen at boot, and not often. */
static void found(const struct pci_device *device)
{
	struct disk *disk;

	if (device->vendor != VENDOR_VIRTIO ||
	    (device->device != DEVICE_BLK && device->device != DEVICE_BLK_OLDER) ||
	    disks == DISKS_MAX)
		return;
	disk = kmalloc(sizeof(*disk));
	pci_enable(device);
	if (!disk || !pci_enable_interrupt(device, VECTOR_DISK) || !set_up(disk, device)) {
		printk("PCI %x:%x: this disk cannot be used\n", device->bus, device->slot);
		return;
	}
	lock_set_rank(&disk->lock, RANK_DISK);
	name_disk(disk, disks++);
	if (block_register(&disk->device))
		printk("%s: no memory for its node in /dev\n", disk->name);
}

void virtio_init(void)
{
	pci_each(found);
}
