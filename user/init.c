/*
 * The first program (pid 1). It runs what /etc/run names, once, and switches the machine off with
 * the result in the kernel's log; without /etc/run it keeps a shell on the console. Whoever loses
 * its parent becomes init's child, so it waits for all comers until its own child has ended.
 *
 * /etc/run holds the program and its arguments, each ended by NUL. Where /etc/run.raw exists too,
 * the console passes bytes on as they are, with no CR before LF, no echo and no ^C, and the program
 * sees it as a stream, not as a terminal: as if its output went to a file. tools/run then shows exactly
 * what the program wrote. With /etc/run.noinput its input is /dev/null.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define RUN_FILE      "/etc/run"
#define RAW_FILE      "/etc/run.raw"
#define NO_INPUT_FILE "/etc/run.noinput"

#define STATUS_NOT_EXECUTABLE 126 /* as shells give them */
#define STATUS_NOT_FOUND      127
#define STATUS_SIGNAL         128

static char *environment[] = {"PATH=/bin", "HOME=/root", "TERM=linux", "USER=root", NULL};

static void open_standard_files(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY);

	for (int to = 0; to < 3; to++)
		dup2(fd, to);
	if (fd > 2)
		close(fd);
}

static void make_console_raw(void)
{
	struct termios attributes;

	if (tcgetattr(0, &attributes) < 0)
		return;
	attributes.c_oflag &= ~(tcflag_t)OPOST;
	attributes.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG);
	tcsetattr(0, TCSANOW, &attributes);
}

static void log_line(const char *line)
{
	int fd = open("/dev/kmsg", O_WRONLY);

	if (fd < 0)
		return;
	dprintf(fd, "%s\n", line);
	close(fd);
}

/* The whole of a file, with a NUL after it, for the caller to free; NULL when it cannot be read. */
static char *read_file(const char *path, size_t *bytes)
{
	int fd = open(path, O_RDONLY);
	struct stat status;

	if (fd < 0)
		return NULL;
	char *text = fstat(fd, &status) < 0 ? NULL : calloc(1, (size_t)status.st_size + 1);
	ssize_t got = text ? read(fd, text, (size_t)status.st_size) : -1;
	close(fd);
	if (got < 0) {
		free(text);
		return NULL;
	}
	*bytes = (size_t)got;
	return text;
}

/* Pointers into text, where each argument ends with NUL, the last perhaps with the file; for the caller to free. */
static char **split_arguments(char *text, size_t bytes)
{
	size_t count = 0;

	for (char *at = text; at < text + bytes; at += strlen(at) + 1)
		count++;

	char **argv = calloc(count + 1, sizeof(*argv));
	char *at = text;

	for (size_t i = 0; argv && i < count; i++, at += strlen(at) + 1)
		argv[i] = at;
	return argv;
}

/* In the child: a session of its own, whose foreground group on the console it is, so that ^C finds
 * it. */
static _Noreturn void become(char *argv[])
{
	setsid();
	ioctl(0, TIOCSCTTY, 1);
	tcsetpgrp(0, getpid());
	if (access(RAW_FILE, F_OK) == 0)
		open_standard_files("/dev/stream");
	if (access(NO_INPUT_FILE, F_OK) == 0)
		dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	environ = environment;
	execvp(argv[0], argv);

	int error = errno;
	dprintf(2, "init: %s: %s\n", argv[0], strerror(error));
	_exit(error == ENOENT || error == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

/* Runs argv to its end, reaping whoever else ends meanwhile; its status as a shell gives it. */
static int run(char *argv[])
{
	int status = 0;
	pid_t child = fork();

	if (child < 0) {
		dprintf(2, "init: cannot fork: %s\n", strerror(errno));
		return STATUS_NOT_EXECUTABLE;
	}
	if (child == 0)
		become(argv);
	for (pid_t ended = 0; ended != child;) {
		ended = wait(&status);
		if (ended < 0 && errno != EINTR)
			return STATUS_NOT_EXECUTABLE;
	}
	return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static void run_once(char *text, size_t bytes)
{
	char **argv = split_arguments(text, bytes);
	char line[32];

	if (access(RAW_FILE, F_OK) == 0)
		make_console_raw();
	log_line("run: start");
	snprintf(line, sizeof(line), "run: exit %d",
		 argv && argv[0] ? run(argv) : STATUS_NOT_FOUND);
	log_line(line);
	reboot(RB_POWER_OFF);
}

int main(void)
{
	char *shell[] = {"/bin/sh", NULL};
	size_t bytes;

	open_standard_files("/dev/console");
	char *text = read_file(RUN_FILE, &bytes);
	if (text)
		run_once(text, bytes);
	for (;;) {
		int status = run(shell);
		if (status == STATUS_NOT_FOUND || status == STATUS_NOT_EXECUTABLE)
			sleep(1);
		dprintf(2, "init: the shell ended with status %d; here is another\n", status);
	}
}
