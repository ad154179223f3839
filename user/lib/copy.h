/* Copying bytes from one descriptor to another. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Writes all of data to fd, however many calls that takes; false and errno on failure. */
bool write_all(int fd, const char *data, size_t length);

/* Copies from to to until the end of from. Complains, naming the side that failed, and returns
 * false on failure. */
bool copy_fd(int from, const char *from_name, int to, const char *to_name);
