/* User memory of the world, and its output. A file of its own, as the host's headers and the
 * kernel's define the same names. */
#define _GNU_SOURCE /* process_vm_readv */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

int host_copy(void *kernel, unsigned long user, size_t bytes, bool to_user);
char *user_edge(void);
void host_quiet(bool quiet);

int host_copy(void *kernel, unsigned long user, size_t bytes, bool to_user)
{
	struct iovec ours = {kernel, bytes}, theirs = {(void *)user, bytes};
	ssize_t moved;

	if (bytes == 0)
		return 0;
	if (to_user)
		moved = process_vm_writev(getpid(), &ours, 1, &theirs, 1, 0);
	else
		moved = process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0);
	return moved == (ssize_t)bytes ? 0 : -EFAULT;
}

char *user_edge(void)
{
	static char *pages;

	if (!pages) {
		pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		munmap(pages + 4096, 4096);
	}
	return pages + 4096;
}

void host_quiet(bool quiet)
{
	static int saved = -1;
	int null;

	fflush(stdout);
	if (quiet) {
		saved = dup(STDOUT_FILENO);
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		close(null);
	} else {
		dup2(saved, STDOUT_FILENO);
		close(saved);
	}
}
