/*
 * Unpacking the initramfs: cpio archives in the newc format (cpio(5); Linux,
 * initramfs/buffer-format). Archives may follow each other with zeroes in between, and a later
 * entry replaces an earlier one of the same name.
 *
 * Invariant: no byte outside [at, end) is read, whatever the headers claim. An entry that cannot be
 * trusted ends the unpacking with a message; what came before it stays.
 */
#include "kernel/fs/path.h"
#include "kernel/fs/ramfs.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/object.h"

struct header {
	char magic[6]; /* "070701", or "070702" with checksums */
	char ino[8], mode[8], uid[8], gid[8], nlink[8], mtime[8], filesize[8];
	char devmajor[8], devminor[8], rdevmajor[8], rdevminor[8];
	char namesize[8]; /* with its NUL */
	char check[8];
};
_Static_assert(sizeof(struct header) == 110, "cpio newc");

struct entry {
	u32 ino, mode, uid, gid, links, mtime, dev, rdev;
	u32 bytes;
	const u8 *data;
	const char *name; /* relative to the root */
};

/* Names of one file share its inode number; the archive holds the contents with one of them. */
struct linked {
	struct linked *next;
	u32 ino, dev;
	struct inode *inode; /* one ref */
};

struct archive {
	const u8 *start, *at, *end;
	struct linked *linked;
	u32 entries;
};

static int complain(const struct archive *archive, const char *what)
{
	printk("initramfs: %s at byte %lu of %lu, after %u entries; the rest is left out\n", what,
	       (u64)(archive->at - archive->start), (u64)(archive->end - archive->start),
	       archive->entries);
	return -EINVAL;
}

/* Eight hexadecimal digits; false when they are something else. */
static bool hex(const char digits[8], u32 *value)
{
	*value = 0;
	for (u32 i = 0; i < 8; i++) {
		char c = digits[i];
		u32 digit;

		if (c >= '0' && c <= '9')
			digit = (u32)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (u32)((c | 0x20) - 'a') + 10;
		else
			return false;
		*value = *value << 4 | digit;
	}
	return true;
}

static bool read_header(const struct header *header, struct entry *entry, u32 *name_bytes)
{
	u32 major, minor, rmajor, rminor;
	bool good = hex(header->ino, &entry->ino) && hex(header->mode, &entry->mode) &&
		    hex(header->uid, &entry->uid) && hex(header->gid, &entry->gid) &&
		    hex(header->nlink, &entry->links) && hex(header->mtime, &entry->mtime) &&
		    hex(header->filesize, &entry->bytes) && hex(header->devmajor, &major) &&
		    hex(header->devminor, &minor) && hex(header->rdevmajor, &rmajor) &&
		    hex(header->rdevminor, &rminor) && hex(header->namesize, name_bytes);

	if (good) {
		entry->dev = major << 8 | (minor & 0xff);
		entry->rdev = rmajor << 8 | (rminor & 0xff);
	}
	return good;
}

static const char *relative(const char *name)
{
	while (*name == '/' || (name[0] == '.' && name[1] == '/'))
		name++;
	return name;
}

/* Reads the entry at archive->at and moves past it. 0 or -EINVAL, complained about. */
static int next_entry(struct archive *archive, struct entry *entry)
{
	const struct header *header = (const struct header *)archive->at;
	u64 left = (u64)(archive->end - archive->at), data;
	u32 name_bytes;

	if (left < sizeof(*header))
		return complain(archive, "cut off in a header");
	if (memcmp(header->magic, "070701", 6) != 0 && memcmp(header->magic, "070702", 6) != 0)
		return complain(archive, "no header of a newc cpio archive");
	if (!read_header(header, entry, &name_bytes))
		return complain(archive, "digits missing in a header");
	if (name_bytes == 0 || name_bytes > PATH_MAX || sizeof(*header) + name_bytes > left)
		return complain(archive, "impossible length of a name");
	entry->name = (const char *)(header + 1);
	if (entry->name[name_bytes - 1] != '\0')
		return complain(archive, "a name without end");
	data = ROUND_UP(sizeof(*header) + name_bytes, 4);
	if (data + entry->bytes > left)
		return complain(archive, "cut off in the contents of a file");
	entry->data = archive->at + data;
	archive->at += MIN(ROUND_UP(data + entry->bytes, 4), left);
	return 0;
}

/* Makes the directories that lead to name and are not there. */
static int make_parents(const char *name)
{
	char *path = kmalloc(PATH_MAX);
	int error = 0;

	if (!path)
		return -ENOMEM;
	for (size_t i = 0; name[i] && !error; i++) {
		struct walk walk;

		path[i] = name[i];
		if (name[i + 1] != '/' || name[i] == '/')
			continue;
		error = walk_to_new(&walk, fs_root, path, true);
		if (!error) {
			error = ramfs_make(walk.at, walk.name, S_IFDIR | 0755, 0, NULL);
			walk_end(&walk);
		}
		if (error == -EEXIST)
			error = 0;
	}
	kfree(path);
	return error;
}

static int write_contents(struct inode *inode, const struct entry *entry)
{
	if (entry->bytes == 0)
		return 0;
	object_resize(inode->object, entry->bytes);

	i64 written = object_write(inode->object, 0, entry->data, entry->bytes);

	return written == (i64)entry->bytes ? 0 : -ENOMEM;
}

static int make_symlink(struct walk *walk, const struct entry *entry)
{
	char *target = kmalloc(entry->bytes + 1u);
	int error;

	if (!target)
		return -ENOMEM;
	memcpy(target, entry->data, entry->bytes);
	error = walk->at->ops->symlink(walk->at, walk->name, target);
	kfree(target);
	return error;
}

static struct inode *find_linked(const struct archive *archive, const struct entry *entry)
{
	for (struct linked *at = archive->linked; at; at = at->next)
		if (at->ino == entry->ino && at->dev == entry->dev)
			return at->inode;
	return NULL;
}

static void remember_linked(struct archive *archive, const struct entry *entry, struct inode *inode)
{
	struct linked *linked = kmalloc(sizeof(*linked));

	if (!linked)
		return; /* then the names become separate files */
	inode_get(inode);
	*linked = (struct linked) {archive->linked, entry->ino, entry->dev, inode};
	archive->linked = linked;
}

static void set_attributes(struct inode *inode, const struct entry *entry)
{
	inode->mode = (inode->mode & S_IFMT) | (entry->mode & 07777);
	inode->uid = entry->uid;
	inode->gid = entry->gid;
	inode->accessed = inode->modified = (struct inode_time) {entry->mtime, 0};
}

static int make_node(struct archive *archive, struct walk *walk, const struct entry *entry)
{
	struct inode *inode = NULL;
	bool shares = is_regular(entry->mode) && entry->links > 1;
	int error = 0;

	if (shares)
		inode = find_linked(archive, entry);
	if (inode) {
		inode_get(inode);
		error = walk->at->ops->link(walk->at, walk->name, inode);
	} else {
		error = ramfs_make(walk->at, walk->name, entry->mode, entry->rdev, &inode);
		if (!error && shares)
			remember_linked(archive, entry, inode);
	}
	if (!error && is_regular(entry->mode))
		error = write_contents(inode, entry);
	if (!error)
		set_attributes(inode, entry);
	inode_put(inode);
	return error;
}

/* Takes away what an entry of another kind, or a newer file, is to replace. A directory stays: 1,
 * as there is nothing left to do, or -EEXIST when the new entry is none. */
static int replace(struct walk *walk, const struct entry *entry)
{
	struct inode *old;
	int result = walk_last(walk, &old);

	if (result)
		return result == -ENOENT ? 0 : result;
	if (!is_dir(old->mode)) {
		result = walk->at->ops->unlink(walk->at, walk->name, false);
	} else if (is_dir(entry->mode)) {
		set_attributes(old, entry);
		result = 1;
	} else {
		result = -EEXIST;
	}
	inode_put(old);
	return result;
}

static int make_entry(struct archive *archive, const struct entry *entry)
{
	struct walk walk;
	int result = make_parents(entry->name);

	if (!result)
		result = walk_start(&walk, fs_root, entry->name);
	if (result)
		return result;
	result = replace(&walk, entry);
	if (result == 0 && is_symlink(entry->mode))
		result = make_symlink(&walk, entry);
	else if (result == 0)
		result = make_node(archive, &walk, entry);
	walk_end(&walk);
	return MIN(result, 0);
}

static bool known_kind(u32 mode)
{
	u32 kind = mode & S_IFMT;

	return kind == S_IFREG || kind == S_IFDIR || kind == S_IFLNK || kind == S_IFCHR ||
	       kind == S_IFBLK;
}

/* Unpacks one entry; only what makes the next ones pointless is an error. */
static int unpack_entry(struct archive *archive, struct entry *entry)
{
	int error = 0;

	entry->name = relative(entry->name);
	archive->entries++;
	if (entry->name[0] == '\0')
		return 0;
	if (is_symlink(entry->mode) && (entry->bytes == 0 || entry->bytes >= PATH_MAX))
		return complain(archive, "impossible length of a symlink before the entry");
	if (!known_kind(entry->mode))
		error = -EOPNOTSUPP;
	else
		error = make_entry(archive, entry);
	if (error)
		printk("initramfs: %s (mode %x): error %d, left out\n", entry->name, entry->mode,
		       -error);
	return error == -ENOMEM ? error : 0;
}

static void skip_zeroes(struct archive *archive)
{
	while (archive->at < archive->end && *archive->at == 0)
		archive->at++;
}

static int unpack(struct archive *archive)
{
	struct entry entry;
	int error = 0;

	for (skip_zeroes(archive); archive->at < archive->end && !error; skip_zeroes(archive)) {
		do {
			error = next_entry(archive, &entry);
			if (!error && strcmp(entry.name, "TRAILER!!!") == 0)
				break;
			if (!error)
				error = unpack_entry(archive, &entry);
		} while (!error);
	}
	return error;
}

int cpio_unpack(const void *at, size_t bytes)
{
	struct archive archive = {at, at, (const u8 *)at + bytes, NULL, 0};
	int error = unpack(&archive);

	while (archive.linked) {
		struct linked *linked = archive.linked;

		archive.linked = linked->next;
		inode_put(linked->inode);
		kfree(linked);
	}
	return error;
}
