/*
 * The entries of a directory in memory: a hash table by name, and a list in the order of making for
 * readdir. Each entry has a number that it keeps, so that a reader who comes back finds the place
 * where it stopped, whatever was made or removed meanwhile.
 *
 * The caller holds names_lock: as reader for directory_find and directory_each, else as writer.
 */
#pragma once

#include "kernel/fs/vfs.h"

struct directory;

struct directory *directory_create(void);
/* The directory must be empty. */
void directory_destroy(struct directory *directory);
bool directory_empty(const struct directory *directory);

/* The inode under this name, without a ref for the caller; NULL when there is none. */
struct inode *directory_find(const struct directory *directory, const char *name);

/* Adds a name that is not there yet and takes a ref of inode. -ENOMEM: nothing has changed. */
int directory_add(struct directory *directory, const char *name, struct inode *inode);

/* Removes a name that is there; its ref of the inode is now the caller's. */
struct inode *directory_remove(struct directory *directory, const char *name);

/* Puts inode, with a ref of its own, under a name that is there; the old inode's ref is now the
 * caller's. */
struct inode *directory_replace(struct directory *directory, const char *name, struct inode *inode);

/* Hands out the entries numbered from and above, as inode_ops.readdir does. Numbers start at 2. */
void directory_each(const struct directory *directory, u64 from, dirent_fn emit, void *context);
