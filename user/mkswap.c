/* mkswap: makes a device or file a swap area, in Linux's format. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/lib/program.h"
#include "user/lib/units.h"

#define PAGE        4096ul
#define LEAST_PAGES 10ul
#define UUID_BYTES  16
#define LABEL_BYTES 16

/* The first page of a swap area: Linux's include/linux/swap.h. */
static struct header {
	char boot[1024];
	uint32_t version, last_page, bad_count;
	uint8_t uuid[UUID_BYTES];
	char label[LABEL_BYTES];
	char unused[3018];
	char signature[10];
} header;
_Static_assert(sizeof(struct header) == PAGE, "Linux's union swap_header");
_Static_assert(offsetof(struct header, signature) == PAGE - 10, "Linux's union swap_header");

/* Bytes of the device or the file; 0 and errno on failure. */
static unsigned long size_of(int fd)
{
	struct stat status;
	unsigned long bytes = 0;

	if (fstat(fd, &status) < 0) {
		return 0;
	}
	if (!S_ISBLK(status.st_mode)) {
		return (unsigned long)status.st_size;
	}
	return ioctl(fd, BLKGETSIZE64, &bytes) < 0 ? 0 : bytes;
}

/* A random one, version 4 (RFC 4122, 4.4). */
static void make_uuid(uint8_t uuid[UUID_BYTES])
{
	getrandom(uuid, UUID_BYTES, 0);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

static bool is_group_start(int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

static void parse_uuid(uint8_t uuid[UUID_BYTES], const char *text)
{
	const char *at = text;

	for (int byte = 0; byte < UUID_BYTES; byte++) {
		unsigned value;
		int used = 0;

		if (is_group_start(byte) && *at++ != '-') {
			break;
		}
		if (sscanf(at, "%2x%n", &value, &used) != 1 || used != 2) {
			break;
		}
		uuid[byte] = (uint8_t)value;
		at += used;
	}
	if (strlen(text) != 36 || at != text + 36) {
		usage_error("'%s' is not a UUID", text);
	}
}

static void print_uuid(const uint8_t uuid[UUID_BYTES])
{
	for (int byte = 0; byte < UUID_BYTES; byte++) {
		printf(is_group_start(byte) ? "-%02x" : "%02x", uuid[byte]);
	}
}

static void report(void)
{
	char size[SIZE_TEXT];
	unsigned long bytes = header.last_page * PAGE;

	printf("Setting up swapspace version 1, size = %s (%lu bytes)\n", size_text(size, bytes),
	       bytes);
	if (*header.label) {
		printf("LABEL=%s, UUID=", header.label);
	} else {
		printf("no label, UUID=");
	}
	print_uuid(header.uuid);
	putchar('\n');
}

static void make_area(int fd, unsigned long pages)
{
	if (pages < LEAST_PAGES) {
		die(1, "a swap area needs at least %lu kB", LEAST_PAGES * PAGE / 1024);
	}
	header.version = 1;
	header.last_page = (uint32_t)(pages - 1 < UINT32_MAX ? pages - 1 : UINT32_MAX);
	memcpy(header.signature, "SWAPSPACE2", sizeof(header.signature));
	if (pwrite(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) || fsync(fd) < 0) {
		die(1, "cannot write the header: %s", strerror(errno));
	}
	report();
}

static void read_options(struct options *options)
{
	int letter;

	make_uuid(header.uuid);
	while ((letter = option_next(options, "L:U:")) != 0) {
		if (letter == 'U') {
			parse_uuid(header.uuid, options->value);
		} else if (strlen(options->value) >= LABEL_BYTES) {
			usage_error("a label has at most %d bytes", LABEL_BYTES - 1);
		} else {
			strcpy(header.label, options->value);
		}
	}
}

int main(int argc, char **argv)
{
	struct options options = {.argv = argv, .index = 1};

	program_init("mkswap", "mkswap [-L LABEL] [-U UUID] DEVICE [KILOBYTES]", argc, argv);
	read_options(&options);
	if (argc - options.index < 1 || argc - options.index > 2) {
		usage_error("one device is needed, and perhaps its size");
	}

	const char *path = argv[options.index], *size = argv[options.index + 1];
	int fd = open(path, O_RDWR | O_EXCL);
	unsigned long bytes = fd < 0 ? 0 : size_of(fd);

	if (fd < 0) {
		die(1, "%s: %s", path, strerror(errno));
	}
	if (size) {
		unsigned long wanted = number_operand(size, ULONG_MAX / 1024) * 1024;

		if (wanted > bytes) {
			die(1, "%s has only %lu kB", path, bytes / 1024);
		}
		bytes = wanted;
	}
	make_area(fd, bytes / PAGE);
	close(fd);
	return program_end();
}
