/*
 * The file systems at boot: the RAM file system at /, /dev, /proc and /sys mounted in it. Nothing is
 * mounted or unmounted later, so `mounts` and every inode's `mounted` are read without a lock.
 */
#include "kernel/fs/dev.h"
#include "kernel/fs/proc.h"
#include "kernel/fs/ramfs.h"
#include "mm/errno.h"

static const struct filesystem rootfs = {"tmpfs", "/", TMPFS_MAGIC, 2};
static const struct filesystem devfs = {"devtmpfs", "/dev", TMPFS_MAGIC, 5};

static const struct filesystem *const mounts[] = {&rootfs, &devfs, &procfs, &sysfs};

/* Makes the directory name in / and puts root, whose ref it takes, over it. */
static int mount(const char *name, struct inode *root)
{
	struct inode *dir;
	int error = root ? 0 : -ENOMEM;

	if (!error)
		error = fs_root->ops->create(fs_root, name, S_IFDIR | 0755, 0, &dir);
	if (error)
		return error;
	root->parent = NULL; /* it was its own, without a ref */
	error = inode_set_place(root, fs_root, name);
	dir->mounted = root;
	inode_put(dir);
	return error;
}

void fs_init(void)
{
	struct inode *dev = ramfs_create(&devfs);
	int error;

	fs_root = ramfs_create(&rootfs);
	error = dev && fs_root ? dev_populate(dev) : -ENOMEM;
	if (!error)
		error = mount("dev", dev);
	if (!error)
		error = mount("proc", procfs_create(&proc_root, &procfs));
	if (!error)
		error = mount("sys", procfs_create(&sysfs_root, &sysfs));
	if (error)
		panic("cannot make the file systems: error %d", -error);
}

void proc_show_mounts(struct text *text, struct process *process)
{
	(void)process;
	for (u32 i = 0; i < ARRAY_SIZE(mounts); i++)
		text_print(text, "%s %s %s rw 0 0\n", mounts[i]->name, mounts[i]->place,
			   mounts[i]->name);
}
