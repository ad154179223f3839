/* Copying bytes from one descriptor to another: user/lib/copy.h. */
#include "user/lib/copy.h"

#include <errno.h>
#include <unistd.h>

#include "user/lib/program.h"

bool write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, length);
		if (written < 0 && errno == EINTR) {
			continue;
		}
		if (written < 0) {
			return false;
		}
		data += written;
		length -= (size_t)written;
	}
	return true;
}

bool copy_fd(int from, const char *from_name, int to, const char *to_name)
{
	static char buffer[65536];

	for (;;) {
		ssize_t got = read(from, buffer, sizeof(buffer));
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			complain_errno(from_name);
			return false;
		}
		if (got == 0) {
			return true;
		}
		if (!write_all(to, buffer, (size_t)got)) {
			complain_errno(to_name);
			return false;
		}
	}
}
