/* An ordinary program, static on musl: memory, output, children, a pipe, files. Silent about what
 * works but one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCKS 300

static int failures;

static void check(int ok, const char *what)
{
	if (!ok) {
		printf("%s failed\n", what);
		failures++;
	}
}

/* Allocations of all sizes, grown and freed in another order. */
static void use_malloc(void)
{
	static char *blocks[BLOCKS];

	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(i * i * 3 + 1);
		check(blocks[i] != NULL, "malloc");
		memset(blocks[i], (int)i, i * i * 3 + 1);
	}
	for (size_t i = 0; i < BLOCKS; i += 2)
		blocks[i] = realloc(blocks[i], i * i * 5 + 2);
	for (size_t i = 0; i < BLOCKS; i++) {
		check(blocks[i][i * i * 3] == (char)i, "contents of a block");
		free(blocks[i]);
	}
}

static void use_children(void)
{
	int ends[2], status, sum = 0;
	char byte;

	check(pipe(ends) == 0, "pipe");
	for (int i = 1; i <= 8; i++) {
		if (fork() == 0) {
			use_malloc();
			byte = (char)i;
			_exit(write(ends[1], &byte, 1) == 1 ? i : 99);
		}
	}
	close(ends[1]);
	for (int i = 0; i < 8; i++) {
		check(wait(&status) > 0 && WIFEXITED(status), "wait");
		sum += WEXITSTATUS(status);
	}
	check(sum == 36, "sum of statuses");
	while (read(ends[0], &byte, 1) == 1)
		sum -= byte;
	check(sum == 0, "sum of bytes");
}

static void use_files(void)
{
	char line[80];
	FILE *file = fopen("/tmp/hello", "w+");

	check(file != NULL, "fopen");
	if (!file)
		return;
	for (int i = 0; i < 1000; i++)
		fprintf(file, "line %d %.3f\n", i, i / 7.0);
	rewind(file);
	for (int i = 0; i < 1000; i++)
		check(fgets(line, sizeof(line), file) && atoi(line + 5) == i, "fgets");
	fclose(file);
	check(remove("/tmp/hello") == 0, "remove");
}

int main(int argc, char **argv)
{
	struct timespec now;
	FILE *pipe;
	char line[80] = "";

	use_malloc();
	use_children();
	use_files();
	check(clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 1500000000, "clock_gettime");
	pipe = popen("echo from a shell", "r");
	check(pipe && fgets(line, sizeof(line), pipe) && strcmp(line, "from a shell\n") == 0,
	      "popen");
	check(pipe && pclose(pipe) == 0, "pclose");
	printf("hello from musl, %d argument%s: %s, %.2f\n", argc - 1, argc == 2 ? "" : "s",
	       argc > 1 ? argv[1] : "", 22 / 7.0);
	return failures ? 1 : 7;
}
