/*
 * exec: the new program is built in an address space of its own while the old one still stands;
 * only when all is well does the process change over. Until then a failure goes back to the old
 * address space as if nothing had been.
 */
#include "kernel/exec.h"
#include "kernel/arguments.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/machine.h"
#include "kernel/elf.h"
#include "kernel/fs/files.h"
#include "kernel/fs/vfs.h"
#include "kernel/futex.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/random.h"
#include "kernel/sched.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/object.h"

#define SCRIPT_LINE  255 /* bytes of a #! line that are looked at (execve(2)) */
#define SCRIPT_DEPTH 4   /* interpreters that are scripts themselves */
#define STACK_SLACK  (128ul << 10)

/* Auxiliary vector (getauxval(3)). */
enum {
	AT_NULL = 0,
	AT_PHDR = 3,
	AT_PHENT = 4,
	AT_PHNUM = 5,
	AT_PAGESZ = 6,
	AT_BASE = 7,
	AT_FLAGS = 8,
	AT_ENTRY = 9,
	AT_UID = 11,
	AT_EUID = 12,
	AT_GID = 13,
	AT_EGID = 14,
	AT_PLATFORM = 15,
	AT_HWCAP = 16,
	AT_CLKTCK = 17,
	AT_SECURE = 23,
	AT_RANDOM = 25,
	AT_EXECFN = 31,
};
#define AUX_PAIRS 18

/* A program about to be executed. */
struct program {
	struct inode *inode; /* one ref */
	struct elf_file *file;
	struct arguments arguments;
	char name[PATH_MAX]; /* the path as it was asked for */
	char path[PATH_MAX]; /* of the file to be loaded: the same, or a script's interpreter */
};

/* What goes on the new stack above the pointers, and where it came to lie. */
struct stack_layout {
	u64 argv, envp, random, name, platform;
	u64 sp;
};

/* ---- Finding the program ---- */

static int open_program(struct program *program)
{
	int error = path_lookup(program->path, true, &program->inode);

	if (error)
		return error;
	if ((program->inode->mode & S_IFMT) == S_IFREG && program->inode->object &&
	    (program->inode->mode & 0111))
		return 0;
	inode_put(program->inode);
	program->inode = NULL;
	return -EACCES;
}

/* Splits "#! interpreter argument" in line; false when it is not well formed, or the interpreter's name is cut off. */
static bool parse_script_line(char *line, char **interpreter, char **argument)
{
	char *at = line + 2, *end = line;
	bool cut;

	while (*end && *end != '\n')
		end++;
	cut = end == line + SCRIPT_LINE;
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = 0;
	while (*at == ' ' || *at == '\t')
		at++;
	*interpreter = at;
	while (*at && *at != ' ' && *at != '\t')
		at++;
	*argument = NULL;
	if (!*at && cut)
		return false;
	if (*at) {
		*at++ = 0;
		while (*at == ' ' || *at == '\t')
			at++;
		*argument = at;
	}
	return **interpreter;
}

/* Makes program the interpreter of the script that it is. -ENOEXEC: it is no script either. */
static int use_interpreter(struct program *program)
{
	struct strings *argv = &program->arguments.argv;
	char line[SCRIPT_LINE + 1], *interpreter, *argument;
	i64 length = object_read(program->inode->object, 0, line, SCRIPT_LINE);

	if (length < 2 || line[0] != '#' || line[1] != '!')
		return -ENOEXEC;
	line[length] = 0;
	if (!parse_script_line(line, &interpreter, &argument))
		return -ENOEXEC;

	int error = strings_prepend(argv, program->path, true);

	if (!error && argument)
		error = strings_prepend(argv, argument, false);
	if (!error)
		error = strings_prepend(argv, interpreter, false);
	if (error)
		return error;
	memcpy(program->path, interpreter, strlen(interpreter) + 1);
	inode_put(program->inode);
	program->inode = NULL;
	return open_program(program);
}

static int find_program(struct program *program)
{
	int error = open_program(program);

	for (int depth = 0; !error; depth++) {
		error = elf_check(program->inode, &program->file);
		if (error != -ENOEXEC)
			return error;
		if (depth == SCRIPT_DEPTH)
			return -ELOOP;
		error = use_interpreter(program);
	}
	return error;
}

/* ---- The new stack ---- */

static int push(struct stack_layout *layout, const void *from, size_t bytes, u64 *at)
{
	layout->sp -= bytes;
	*at = layout->sp;
	return copy_to_user(layout->sp, from, bytes);
}

static int push_strings(struct stack_layout *layout, const struct program *program)
{
	static const char platform[] = "x86_64";
	const struct arguments *arguments = &program->arguments;
	u8 random[16];
	int error;

	random_bytes(random, sizeof(random));
	error = push(layout, program->name, strlen(program->name) + 1, &layout->name);
	if (!error)
		error = push(layout, arguments->envp.text, arguments->envp.used, &layout->envp);
	if (!error)
		error = push(layout, arguments->argv.text, arguments->argv.used, &layout->argv);
	if (!error)
		error = push(layout, platform, sizeof(platform), &layout->platform);
	if (!error)
		error = push(layout, random, sizeof(random), &layout->random);
	return error;
}

/* Fills a table of pointers to the strings that lie at user address `at`, with a NULL behind them.
 */
static u64 *fill_pointers(u64 *table, const struct strings *strings, u64 at)
{
	const char *text = strings->text;

	for (u32 i = 0; i < strings->count; i++) {
		*table++ = at + (u64)(text - strings->text);
		text += strlen(text) + 1;
	}
	*table++ = 0;
	return table;
}

static u64 hardware_capabilities(void)
{
	u32 out[4];

	cpuid(1, 0, out);
	return out[3];
}

static void fill_auxv(u64 *table, const struct stack_layout *layout, const struct elf_image *image)
{
	const u64 pairs[AUX_PAIRS][2] = {
		{AT_PHDR, image->headers},
		{AT_PHENT, 56},
		{AT_PHNUM, image->header_count},
		{AT_PAGESZ, PAGE_SIZE},
		{AT_BASE, 0},
		{AT_FLAGS, 0},
		{AT_ENTRY, image->entry},
		{AT_UID, 0},
		{AT_EUID, 0},
		{AT_GID, 0},
		{AT_EGID, 0},
		{AT_PLATFORM, layout->platform},
		{AT_HWCAP, hardware_capabilities()},
		{AT_CLKTCK, 100},
		{AT_SECURE, 0},
		{AT_RANDOM, layout->random},
		{AT_EXECFN, layout->name},
		{AT_NULL, 0},
	};

	memcpy(table, pairs, sizeof(pairs));
}

/* argc, argv, envp and the auxiliary vector below the strings (System V ABI, 3.4.1). */
static int push_tables(struct stack_layout *layout, const struct program *program,
		       const struct elf_image *image)
{
	const struct arguments *arguments = &program->arguments;
	u64 words = 1 + arguments->argv.count + 1 + arguments->envp.count + 1 + 2 * AUX_PAIRS;
	u64 *table = kmalloc(words * sizeof(u64)), *at = table;
	int error;

	if (!table)
		return -ENOMEM;
	*at++ = arguments->argv.count;
	at = fill_pointers(at, &arguments->argv, layout->argv);
	at = fill_pointers(at, &arguments->envp, layout->envp);
	fill_auxv(at, layout, image);
	layout->sp = ROUND_DOWN(layout->sp - words * sizeof(u64), 16);
	error = copy_to_user(layout->sp, table, words * sizeof(u64));
	kfree(table);
	return error;
}

/* Bytes at the top of the stack that push_strings() and push_tables() write, at most. */
static u64 stack_contents(const struct program *program)
{
	const struct arguments *arguments = &program->arguments;
	/* The auxiliary vector; then counts, NULLs, random bytes, platform and alignment. */
	u64 fixed = 2ul * AUX_PAIRS * sizeof(u64) + 128;

	return strings_size(&arguments->argv) + strings_size(&arguments->envp) +
	       strlen(program->name) + 1 + fixed;
}

/* Maps the stack and makes the pages for its first contents, so that writing them cannot fail for want of memory. */
static int map_stack(struct mm *mm, u64 contents)
{
	u64 used = ROUND_UP(contents, PAGE_SIZE), size = used + STACK_SLACK;
	i64 at = mm_map(mm, USER_END - size, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, NULL, 0);

	return at < 0 ? (int)at : mm_advise(mm, USER_END - used, used, MADV_POPULATE_WRITE);
}

static int build_stack(struct mm *mm, const struct program *program, const struct elf_image *image,
		       u64 *sp)
{
	struct stack_layout layout = {.sp = USER_END - 16};
	int error = map_stack(mm, stack_contents(program));

	if (!error)
		error = push_strings(&layout, program);
	if (!error)
		error = push_tables(&layout, program, image);
	mm->stack_top = USER_END;
	mm->args_start = layout.argv;
	mm->args_end = layout.argv + program->arguments.argv.used;
	mm->environ_start = layout.envp;
	mm->environ_end = layout.envp + program->arguments.envp.used;
	*sp = layout.sp;
	return error;
}

/* ---- Changing over ---- */

/* Has the current thread run in mm. */
static void use_mm(struct mm *mm)
{
	current()->mm = mm;
	context_load_mm(mm);
}

/* The process's address space is the one that its thread runs in by now; its other threads are gone. */
static void change_mm(struct process *process)
{
	struct mm *old = process->mm, *mm = current()->mm;

	use_mm(old);
	futex_thread_exit(current());
	use_mm(mm);
	process_set_mm(process, mm);
	mm_put(old);
	process_end_vfork(process);
}

/* Gives up the address space that was built. */
static void forget_mm(struct process *process)
{
	struct mm *mm = current()->mm;

	use_mm(process->mm);
	mm_put(mm);
}

/* Builds the program in a new address space, in which the current thread runs from now on if all went well. */
static int build(struct process *process, const struct program *program, struct elf_image *image,
		 u64 *sp)
{
	struct mm *mm = mm_create();
	int error;

	if (!mm)
		return -ENOMEM;
	process_limit_mm(process, mm);
	use_mm(mm);
	error = elf_load(program->file, program->inode, mm, image);
	if (!error)
		error = build_stack(mm, program, image, sp);
	mm->brk_start = mm->brk = image->end;
	if (error)
		forget_mm(process);
	return error;
}

static const char *last_part(const char *path)
{
	const char *last = path;

	for (; *path; path++)
		if (*path == '/' && path[1])
			last = path + 1;
	return last;
}

static void set_name(const char *path)
{
	char name[PROCESS_NAME] = {0};

	snprintf(name, sizeof(name), "%s", last_part(path));
	thread_set_name(name);
}

static void start_thread(struct thread *thread, u64 entry, u64 sp)
{
	*thread->frame = (struct trapframe) {
		.vector = VECTOR_SIGRETURN, /* all registers count, none is a result */
		.rip = entry,
		.cs = USER_CS,
		.rflags = RFLAGS_IF,
		.rsp = sp,
		.ss = USER_SS,
	};
	thread->fs_base = 0;
	thread->set_tid = thread->clear_tid = thread->robust_list = 0;
	sched_load_context();
	memset(thread->fpu, 0, fpu_size);
	fpu_init_state(thread->fpu);
	fpu_restore(thread->fpu);
}

static int execute(struct program *program)
{
	struct process *process = current_process();
	struct elf_image image;
	u64 sp;
	int error = files_prepare_exec();

	if (!error)
		error = build(process, program, &image, &sp);
	if (error)
		return error;
	error = process_become_single();
	if (error) {
		forget_mm(process);
		return error;
	}
	if (files_prepare_exec()) /* again: another thread may have marked more */
		process_exit(SIGKILL);
	change_mm(process);
	files_close_on_exec();
	inode_put(process_swap_inode(&process->exe, program->inode));
	program->inode = NULL;
	process->execed = true;
	set_name(program->name);
	process->exit_signal = SIGCHLD;
	timers_delete();
	signal_reset_handlers(process);
	start_thread(current(), image.entry, sp);
	return 0;
}

static int exec(struct program *program)
{
	int error = program->arguments.argv.count ? 0 : strings_add(&program->arguments.argv, "");

	memcpy(program->name, program->path, strlen(program->path) + 1);
	if (!error)
		error = find_program(program);
	if (!error)
		error = execute(program);
	if (program->inode)
		inode_put(program->inode);
	kfree(program->file);
	arguments_free(&program->arguments);
	kfree(program);
	return error;
}

int exec_user(uptr path, uptr argv, uptr envp)
{
	struct program *program = kmalloc(sizeof(*program));
	i64 error;

	if (!program)
		return -ENOMEM;
	error = copy_string_from_user(program->path, path, sizeof(program->path));
	if (error >= 0)
		error = strings_add_user_array(&program->arguments.argv, argv, ARGUMENTS_MAX);
	if (!error)
		error = strings_add_user_array(&program->arguments.envp, envp,
					       ARGUMENTS_MAX -
						       strings_size(&program->arguments.argv));
	if (!error)
		return exec(program);
	arguments_free(&program->arguments);
	kfree(program);
	return (int)error;
}

int exec_kernel(const char *path, const char *const argv[], const char *const envp[])
{
	struct program *program = kmalloc(sizeof(*program));
	int error = 0;

	if (!program)
		return -ENOMEM;
	memcpy(program->path, path, MIN(strlen(path) + 1, sizeof(program->path) - 1));
	for (; !error && *argv; argv++)
		error = strings_add(&program->arguments.argv, *argv);
	for (; !error && *envp; envp++)
		error = strings_add(&program->arguments.envp, *envp);
	if (!error)
		return exec(program);
	arguments_free(&program->arguments);
	kfree(program);
	return error;
}
