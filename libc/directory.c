/* Reading directories: the kernel's entries are handed out in place, a buffer full at a time. */

#include "libc/syscall.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct directory {
	int fd;
	size_t at;    /* of the next entry in the buffer */
	size_t bytes; /* that the kernel put there */
	_Alignas(struct dirent) char buffer[4096];
};

DIR *fdopendir(int fd)
{
	DIR *directory = malloc(sizeof(*directory));

	if (!directory)
		return NULL;
	directory->fd = fd;
	directory->at = 0;
	directory->bytes = 0;
	return directory;
}

DIR *opendir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	DIR *directory = fdopendir(fd);
	if (!directory)
		close(fd);
	return directory;
}

struct dirent *readdir(DIR *directory)
{
	if (directory->at == directory->bytes) {
		long bytes = CALL(SYS_getdents64, directory->fd, directory->buffer,
				  sizeof(directory->buffer));
		if (bytes <= 0)
			return NULL;
		directory->at = 0;
		directory->bytes = (size_t)bytes;
	}
	struct dirent *entry = (struct dirent *)(directory->buffer + directory->at);
	directory->at += entry->d_reclen;
	return entry;
}

void rewinddir(DIR *directory)
{
	lseek(directory->fd, 0, SEEK_SET);
	directory->at = 0;
	directory->bytes = 0;
}

int dirfd(DIR *directory)
{
	return directory->fd;
}

int closedir(DIR *directory)
{
	int fd = directory->fd;

	free(directory);
	return close(fd);
}

int alphasort(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static struct dirent *entry_copy(const struct dirent *entry)
{
	struct dirent *copy = malloc(entry->d_reclen);

	if (copy)
		memcpy(copy, entry, entry->d_reclen);
	return copy;
}

static int scan_fail(struct dirent **list, int count)
{
	while (count > 0)
		free(list[--count]);
	free(list);
	return -1;
}

/* Adds a copy of entry to *list, which holds count; false when memory is out. */
static int scan_add(struct dirent ***list, int count, const struct dirent *entry)
{
	struct dirent **longer = realloc(*list, (size_t)(count + 1) * sizeof(void *));

	if (!longer)
		return 0;
	*list = longer;
	longer[count] = entry_copy(entry);
	return longer[count] != NULL;
}

int scandir(const char *path, struct dirent ***result, int (*wanted)(const struct dirent *),
	    int (*compare)(const struct dirent **, const struct dirent **))
{
	DIR *directory = opendir(path);
	struct dirent **list = NULL, *entry;
	int count = 0;

	if (!directory)
		return -1;
	while ((entry = readdir(directory))) {
		if (wanted && !wanted(entry))
			continue;
		if (!scan_add(&list, count, entry)) {
			closedir(directory);
			return scan_fail(list, count);
		}
		count++;
	}
	closedir(directory);
	if (compare && count)
		qsort(list, (size_t)count, sizeof(void *),
		      (int (*)(const void *, const void *))compare);
	*result = list;
	return count;
}
