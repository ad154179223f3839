/* Static ELF64 programs for x86-64 (System V ABI, Tool Interface Standard ELF 1.2), mapped from the
 * page cache. */
#pragma once

#include "mm/types.h"

struct inode;
struct mm;

/* Where a loaded program begins and what its auxiliary vector says of it. */
struct elf_image {
	u64 entry;
	u64 headers; /* address of its program headers; 0 = they are not mapped */
	u32 header_count;
	u64 end; /* first page after its last segment: the heap begins there */
};

struct elf_file;

/*
 * Reads and checks the headers of inode, a regular file. -ENOEXEC: not such a program, or a damaged
 * one; -ENOMEM. The caller frees *file with kfree().
 */
int elf_check(struct inode *inode, struct elf_file **file);

/*
 * Maps the program into mm, which must be the current process's. -ENOMEM, -EFAULT. Pages are read
 * when touched. May sleep.
 */
int elf_load(const struct elf_file *file, struct inode *inode, struct mm *mm,
	     struct elf_image *image);
