/* From the kernel's entry to main() and out again. */

#include <stddef.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

typedef void (*initializer)(int, char **, char **);
typedef void (*finalizer)(void);

/* Bounds of the tables that the linker collects. */
extern initializer __preinit_array_start[], __preinit_array_end[];
extern initializer __init_array_start[], __init_array_end[];
extern finalizer __fini_array_start[], __fini_array_end[];

int main(int argc, char **argv, char **envp);
_Noreturn void libc_start(long *stack);

struct auxv_entry {
	unsigned long type;
	unsigned long value;
};

static const struct auxv_entry *auxv;

unsigned long getauxval(unsigned long type)
{
	for (const struct auxv_entry *entry = auxv; entry->type != AT_NULL; entry++) {
		if (entry->type == type)
			return entry->value;
	}
	return 0;
}

static void run_finalizers(void)
{
	for (finalizer *run = __fini_array_end; run > __fini_array_start;)
		(*--run)();
}

/* stack: as the kernel leaves it for a new program (libc/crt0.asm). */
_Noreturn void libc_start(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);
	char **end = argv + argc + 1;

	environ = end;
	while (*end)
		end++;
	auxv = (const struct auxv_entry *)(end + 1);

	atexit(run_finalizers);
	for (initializer *run = __preinit_array_start; run < __preinit_array_end; run++)
		(*run)(argc, argv, environ);
	for (initializer *run = __init_array_start; run < __init_array_end; run++)
		(*run)(argc, argv, environ);
	exit(main(argc, argv, environ));
}
