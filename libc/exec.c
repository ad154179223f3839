/* The exec family, and system(). */

#include "libc/syscall.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* newlib's system() calls this name. */
int _system(const char *command);

int execve(const char *path, char *const argv[], char *const envp[])
{
	return (int)CALL(SYS_execve, path, argv, envp);
}

int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

/* execvp(3) on a file that is neither ELF nor anything else the kernel knows: a script for the
 * shell. */
static int exec_script(const char *path, char *const argv[], char *const envp[])
{
	size_t count = 0;

	while (argv[count])
		count++;

	char *shell[count + 2];
	shell[0] = "sh";
	shell[1] = (char *)path;
	for (size_t i = 1; i <= count; i++)
		shell[i + 1] = argv[i];
	if (count == 0)
		shell[2] = NULL;
	return execve("/bin/sh", shell, envp);
}

static int exec_or_script(const char *path, char *const argv[], char *const envp[])
{
	execve(path, argv, envp);
	return errno == ENOEXEC ? exec_script(path, argv, envp) : -1;
}

int execvpe(const char *file, char *const argv[], char *const envp[])
{
	const char *directories = getenv("PATH");
	char path[PATH_MAX];
	int denied = 0;

	if (strchr(file, '/') || *file == '\0')
		return exec_or_script(file, argv, envp);
	if (!directories)
		directories = "/bin";
	for (const char *at = directories, *end; at; at = *end ? end + 1 : NULL) {
		end = strchrnul(at, ':');
		int length = (int)(end - at);
		/* An empty part of PATH means the current directory. */
		if (snprintf(path, sizeof(path), "%.*s%s%s", length, at, length ? "/" : "", file) >=
		    (int)sizeof(path))
			continue;
		exec_or_script(path, argv, envp);
		if (errno == EACCES)
			denied = 1;
		else if (errno != ENOENT && errno != ENOTDIR)
			return -1;
	}
	errno = denied ? EACCES : ENOENT;
	return -1;
}

int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

/* Arguments given one by one, up to the null pointer that ends them: how many, and then into argv
 * with the null. */
static size_t count_arguments(const char *first, va_list *list)
{
	size_t count = 0;

	for (const char *argument = first; argument; argument = va_arg(*list, const char *))
		count++;
	return count;
}

static void collect_arguments(char **argv, const char *first, va_list *list)
{
	for (const char *argument = first; argument; argument = va_arg(*list, const char *))
		*argv++ = (char *)argument;
	*argv = NULL;
}

int execl(const char *path, const char *first, ...)
{
	va_list list;

	va_start(list, first);
	char *argv[count_arguments(first, &list) + 1];
	va_end(list);
	va_start(list, first);
	collect_arguments(argv, first, &list);
	va_end(list);
	return execv(path, argv);
}

int execlp(const char *file, const char *first, ...)
{
	va_list list;

	va_start(list, first);
	char *argv[count_arguments(first, &list) + 1];
	va_end(list);
	va_start(list, first);
	collect_arguments(argv, first, &list);
	va_end(list);
	return execvp(file, argv);
}

int execle(const char *path, const char *first, ...)
{
	va_list list;

	va_start(list, first);
	char *argv[count_arguments(first, &list) + 1];
	va_end(list);
	va_start(list, first);
	collect_arguments(argv, first, &list);
	char **envp = va_arg(list, char **);
	va_end(list);
	return execve(path, argv, envp);
}

int _system(const char *command)
{
	int status = 0;

	if (!command)
		return access("/bin/sh", X_OK) == 0;

	pid_t pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return status;
}
