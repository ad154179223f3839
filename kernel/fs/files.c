/*
 * Descriptor tables, shared by fork until one side changes its own.
 *
 * Invariant: a table with refs > 1 does not change but for its refs; who wants to change it makes a
 * copy first, in which every open file has one more ref. A table with refs 1 is changed by the threads of its process,
 * who hold process->files_lock for that, and for reading where they look. /proc, on another CPU, looks into a table
 * under the table's own lock.
 */
#include "kernel/fs/files.h"
#include "kernel/fs/filelock.h"
#include "kernel/fs/vfs.h"
#include "kernel/process.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define INLINE_SLOTS \
	8 /* as many as most programs ever need, so that most tables are one small allocation */

struct slot {
	struct file *file; /* one ref; NULL: free */
	bool close_on_exec;
};

struct files {
	struct spinlock
		lock; /* for the slots: held by who changes them, and who reads another process's */
	_Atomic u32 refs;   /* processes that point at it, and whoever looks at it just now */
	u32 expected;       /* the audit's own count of refs */
	u32 capacity;       /* slots */
	struct slot *slots; /* few, or an allocation of its own */
	struct slot few[INLINE_SLOTS];
	struct list all; /* guarded by all_lock */
};

static struct spinlock all_lock = SPINLOCK(RANK_LISTS);
static struct list all_files = {&all_files, &all_files};

/* A table of at least capacity slots. */
static struct files *create(u32 capacity)
{
	struct files *files = kmalloc(sizeof(*files));

	if (!files)
		return NULL;
	lock_set_rank(&files->lock, RANK_FILES);
	files->refs = 1;
	files->capacity = MAX(capacity, INLINE_SLOTS);
	files->slots = files->few;
	if (capacity > INLINE_SLOTS)
		files->slots = kmalloc(capacity * sizeof(struct slot));
	if (!files->slots) {
		kfree(files);
		return NULL;
	}
	spin_lock(&all_lock);
	list_push_back(&all_files, &files->all);
	spin_unlock(&all_lock);
	return files;
}

struct files *files_create(void)
{
	return create(0);
}

void files_get(struct files *files)
{
	u32 refs = atomic_fetch_add(&files->refs, 1);

	ASSERT(refs > 0, "files had refs %u", refs);
}

void files_put(struct files *files)
{
	u32 refs = atomic_fetch_sub(&files->refs, 1);

	ASSERT(refs > 0, "files had refs %u", refs);
	if (refs > 1)
		return;
	spin_lock(&all_lock);
	list_remove(&files->all);
	spin_unlock(&all_lock);
	for (u32 fd = 0; fd < files->capacity; fd++)
		if (files->slots[fd].file)
			file_put(files->slots[fd].file);
	if (files->slots != files->few)
		kfree(files->slots);
	kfree(files);
}

static struct files *copy(const struct files *from, u32 capacity)
{
	struct files *files = create(MAX(capacity, from->capacity));

	if (!files)
		return NULL;
	for (u32 fd = 0; fd < from->capacity; fd++) {
		files->slots[fd] = from->slots[fd];
		if (files->slots[fd].file)
			file_get(files->slots[fd].file);
	}
	return files;
}

static int grow(struct files *files, u32 capacity)
{
	struct slot *slots = kmalloc(capacity * sizeof(*slots)), *old;

	if (!slots)
		return -ENOMEM;
	spin_lock(&files->lock);
	old = files->slots;
	memcpy(slots, old, files->capacity * sizeof(*slots));
	files->slots = slots;
	files->capacity = capacity;
	spin_unlock(&files->lock);
	if (old != files->few)
		kfree(old);
	return 0;
}

/* Makes the current process the owner of its table, with room for at least count slots. locked: files_lock, writer */
static int own(u32 count)
{
	struct files *old = current_process()->files, *files;
	u32 capacity = old->capacity;

	while (capacity < count)
		capacity *= 2;
	if (atomic_load(&old->refs) == 1)
		return capacity > old->capacity ? grow(old, capacity) : 0;
	files = copy(old, capacity);
	if (!files)
		return -ENOMEM;
	files_put(process_swap_files(files));
	return 0;
}

static struct slot *slot_of(struct files *files, int fd)
{
	if (fd < 0 || (u32)fd >= files->capacity || !files->slots[fd].file)
		return NULL;
	return &files->slots[fd];
}

struct file *files_peek(struct files *files, int fd)
{
	struct file *file = NULL;
	struct slot *slot;

	spin_lock(&files->lock);
	slot = slot_of(files, fd);
	if (slot)
		file_get(file = slot->file);
	spin_unlock(&files->lock);
	return file;
}

/* Puts what may be NULL into a slot of the current process's own table, and returns what was there.
 * locked: files_lock, writer */
static struct file *set_slot(int fd, struct slot to)
{
	struct files *files = current_process()->files;
	struct file *old;

	spin_lock(&files->lock);
	old = files->slots[fd].file;
	files->slots[fd] = to;
	spin_unlock(&files->lock);
	return old;
}

int files_next(struct files *files, int from)
{
	int found = -1;

	spin_lock(&files->lock);
	for (u32 fd = (u32)from; fd < files->capacity && found < 0; fd++)
		if (files->slots[fd].file)
			found = (int)fd;
	spin_unlock(&files->lock);
	return found;
}

u32 files_capacity(struct files *files)
{
	return files->capacity;
}

/* The open file behind fd, with a ref, unless it has one of the flags; or NULL. */
static struct file *look_up(int fd, u32 without)
{
	struct process *process = current_process();
	struct file *file = NULL;
	struct slot *slot;

	read_lock(&process->files_lock);
	slot = slot_of(process->files, fd);
	if (slot && !(slot->file->flags & without))
		file_get(file = slot->file);
	read_unlock(&process->files_lock);
	return file;
}

struct file *files_lookup_any(int fd)
{
	return look_up(fd, 0);
}

struct file *files_lookup(int fd)
{
	return look_up(fd, O_PATH);
}

int files_next_own(int from)
{
	struct process *process = current_process();
	int found;

	read_lock(&process->files_lock);
	found = files_next(process->files, from);
	read_unlock(&process->files_lock);
	return found;
}

struct files *files_share(struct process *process)
{
	struct files *files;

	read_lock(&process->files_lock); /* or a thread that has seen refs 1 would change it now */
	files_get(files = process->files);
	read_unlock(&process->files_lock);
	return files;
}

u32 files_limit(void)
{
	return (u32)MIN(FILES_MAX, current_process()->limits[RLIMIT_NOFILE].soft);
}

/* locked: files_lock, writer */
static int install(struct file *file, int from, bool close_on_exec)
{
	struct files *files = current_process()->files;
	u32 fd = (u32)from;
	int error;

	while (fd < files->capacity && files->slots[fd].file)
		fd++;
	if (fd >= files_limit())
		return -EMFILE;
	error = own(fd + 1);
	if (error)
		return error;
	set_slot((int)fd, (struct slot) {file, close_on_exec});
	return (int)fd;
}

int files_install(struct file *file, int from, bool close_on_exec)
{
	struct process *process = current_process();
	int result;

	write_lock(&process->files_lock);
	result = install(file, from, close_on_exec);
	write_unlock(&process->files_lock);
	return result;
}

/* Makes the table the process's own and changes its slot at fd, for which it has room then: 0, -ENOMEM; *old: what was
 * there. locked: files_lock, writer */
static int change(int fd, struct slot to, struct file **old)
{
	int error = own((u32)fd + 1);

	if (!error)
		*old = set_slot(fd, to);
	return error;
}

/* The current process has closed a descriptor of file, and with it the locks that it had on ranges. */
static void drop(struct file *file)
{
	file_unlock_all(file->inode, current_process());
	file_put(file);
}

int files_replace(struct file *file, int fd, bool close_on_exec)
{
	struct process *process = current_process();
	struct file *old = NULL;
	int error;

	if (fd < 0 || (u32)fd >= files_limit())
		return -EBADF;
	write_lock(&process->files_lock);
	error = change(fd, (struct slot) {file, close_on_exec}, &old);
	write_unlock(&process->files_lock);
	if (old)
		drop(old);
	return error ? error : fd;
}

int files_remove(int fd)
{
	struct process *process = current_process();
	struct file *old = NULL;
	int error = -EBADF;

	write_lock(&process->files_lock);
	if (slot_of(process->files, fd))
		error = change(fd, (struct slot) {NULL, false}, &old);
	write_unlock(&process->files_lock);
	if (old)
		drop(old);
	return error;
}

int files_get_close_on_exec(int fd)
{
	struct process *process = current_process();
	struct slot *slot;
	int result;

	read_lock(&process->files_lock);
	slot = slot_of(process->files, fd);
	result = slot ? slot->close_on_exec : -EBADF;
	read_unlock(&process->files_lock);
	return result;
}

/* locked: files_lock, writer */
static int set_close_on_exec(struct process *process, int fd, bool close_on_exec)
{
	struct slot *slot = slot_of(process->files, fd);
	int error;

	if (!slot)
		return -EBADF;
	if (slot->close_on_exec == close_on_exec)
		return 0;
	error = own(0);
	if (!error)
		process->files->slots[fd].close_on_exec = close_on_exec;
	return error;
}

int files_set_close_on_exec(int fd, bool close_on_exec)
{
	struct process *process = current_process();
	int error;

	write_lock(&process->files_lock);
	error = set_close_on_exec(process, fd, close_on_exec);
	write_unlock(&process->files_lock);
	return error;
}

static bool closes_any(const struct files *files)
{
	for (u32 fd = 0; fd < files->capacity; fd++)
		if (files->slots[fd].close_on_exec)
			return true;
	return false;
}

int files_prepare_exec(void)
{
	struct process *process = current_process();
	int error;

	write_lock(&process->files_lock);
	error = closes_any(process->files) ? own(0) : 0;
	write_unlock(&process->files_lock);
	return error;
}

void files_close_on_exec(void)
{
	const struct files *files = current_process()->files;

	for (u32 fd = 0; fd < files->capacity; fd++)
		if (files->slots[fd].close_on_exec)
			files_remove((int)fd);
}

void files_exit(void)
{
	struct files *files = process_swap_files(NULL);

	for (int fd = 0; file_locks_in_use() && (fd = files_next(files, fd)) >= 0; fd++)
		file_unlock_all(files->slots[fd].file->inode, current_process());
	files_put(files);
}

static bool count_holder(void *context, struct process *process)
{
	(void)context;
	if (process->files)
		process->files->expected++;
	return true;
}

/* Each open file must have at least the refs of the slots seen so far: it is compared at its last
 * one. */
static u64 audit_slots(struct files *files)
{
	u64 differences = 0;

	for (u32 fd = 0; fd < files->capacity; fd++) {
		struct file *file = files->slots[fd].file;

		if (!file)
			continue;
		if (atomic_load(&file->refs) < ++file->expected) {
			printk("audit: open file of descriptor %u: refs %u, at least %u wanted\n",
			       fd, file->refs, file->expected);
			differences++;
		}
	}
	return differences;
}

static u64 audit_table(const struct files *files)
{
	if (files->refs == files->expected)
		return 0;
	printk("audit: descriptor table %p: refs %u, %u processes point at it\n",
	       (const void *)files, files->refs, files->expected);
	return 1;
}

u64 files_audit(void)
{
	struct files *files;
	u64 differences = 0;

	list_for_each(files, &all_files, all) {
		files->expected = 0;
		for (u32 fd = 0; fd < files->capacity; fd++)
			if (files->slots[fd].file)
				files->slots[fd].file->expected = 0;
	}
	process_each(count_holder, NULL);
	list_for_each(files, &all_files, all)
		differences += audit_table(files) + audit_slots(files);
	return differences;
}
