/* poll(2) */
#ifndef _POLL_H
#define _POLL_H

#include <sys/cdefs.h>

#define POLLIN   1
#define POLLPRI  2
#define POLLOUT  4
#define POLLERR  8
#define POLLHUP  16
#define POLLNVAL 32

typedef unsigned long nfds_t;

struct pollfd {
	int fd;
	short events;
	short revents;
};

__BEGIN_DECLS
int poll(struct pollfd *, nfds_t, int);
__END_DECLS

#endif
