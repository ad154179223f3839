/* Does one thing for tests/run.t: ends in some way, or prints what it was given. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int print_bytes(long count)
{
	for (long i = 0; i < count; i++)
		putchar((int)((i * 7 + i / 256) & 255));
	return fflush(stdout);
}

static int print_arguments(char **arguments)
{
	for (; *arguments; arguments++)
		printf("[%s]\n", *arguments);
	return 0;
}

static int print_modes(char **paths)
{
	struct stat status;

	for (char **path = paths; *path; path++) {
		if (stat(*path, &status) != 0)
			return 1;
		printf("%s%o", path == paths ? "" : " ", (unsigned)status.st_mode);
	}
	putchar('\n');
	return 0;
}

/* Ends before its children do. */
static int leave_orphans(void)
{
	for (int i = 0; i < 20; i++) {
		if (fork() == 0) {
			usleep(2000000);
			_exit(9);
		}
	}
	puts("left");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long number = argc > 2 ? strtol(argv[2], NULL, 10) : 0;

	if (strcmp(what, "exit") == 0)
		return (int)number;
	if (strcmp(what, "signal") == 0)
		return kill(getpid(), (int)number);
	if (strcmp(what, "bytes") == 0)
		return print_bytes(number);
	if (strcmp(what, "arguments") == 0)
		return print_arguments(argv + 2);
	if (strcmp(what, "modes") == 0)
		return print_modes(argv + 2);
	if (strcmp(what, "orphans") == 0)
		return leave_orphans();
	while (strcmp(what, "spin") == 0)
		;
	return 2;
}
