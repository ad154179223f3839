/*
 * Loading ELF files. All that the headers say is checked before anything is mapped, so that a bad
 * file is refused while the old program still stands:
 *
 *      file      | header | program headers | ... text ... | ... data ... |
 *                                                 |              |
 *      memory                               [ text pages ] [ data pages ][ bss ]
 *                                           private file   private file   anonymous
 *
 * The last page of the data is cleared behind the file's part: the bss begins there.
 */
#include "kernel/elf.h"
#include "kernel/fs/vfs.h"
#include "mm/errno.h"
#include "mm/heap.h"
#include "mm/mm.h"
#include "mm/object.h"

#define ELF_MAGIC   "\177ELF\2\1\1" /* 64 bits, little endian, version 1 */
#define ET_EXEC     2
#define ET_DYN      3
#define EM_X86_64   62
#define PT_LOAD     1
#define PT_INTERP   3
#define PF_X        1u
#define PF_W        2u
#define PF_R        4u
#define HEADERS_MAX 64

#define STATIC_PIE_BASE \
	0x555555554000ul /* where a position-independent program goes, as on Linux */

struct elf_header {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "Elf64_Ehdr");

struct program_header {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct program_header) == 56, "Elf64_Phdr");

struct elf_file {
	struct elf_header header;
	u64 base; /* added to every address */
	struct program_header segments[HEADERS_MAX];
};

static bool header_good(const struct elf_header *header)
{
	return memcmp(header->ident, ELF_MAGIC, 7) == 0 &&
	       (header->type == ET_EXEC || header->type == ET_DYN) &&
	       header->machine == EM_X86_64 && header->phentsize == sizeof(struct program_header) &&
	       header->phnum > 0 && header->phnum <= HEADERS_MAX;
}

static bool segment_good(const struct program_header *segment, u64 base, u64 file_size)
{
	u64 start = segment->vaddr + base;

	return segment->filesz <= segment->memsz && segment->offset <= file_size &&
	       segment->filesz <= file_size - segment->offset && segment->vaddr <= USER_END &&
	       start >= USER_START && start < USER_END && segment->memsz < USER_END - start &&
	       (!segment->filesz || (start & PAGE_MASK) == (segment->offset & PAGE_MASK));
}

/* Loadable segments must be good and there must be one; a program that wants an interpreter is not
 * static. */
static bool segments_good(const struct elf_file *file, u64 file_size)
{
	u32 loads = 0;

	for (u32 i = 0; i < file->header.phnum; i++) {
		const struct program_header *segment = &file->segments[i];

		if (segment->type == PT_INTERP)
			return false;
		if (segment->type != PT_LOAD || segment->memsz == 0)
			continue;
		if (!segment_good(segment, file->base, file_size))
			return false;
		loads++;
	}
	return loads > 0 && file->header.entry + file->base < USER_END;
}

static bool read_exactly(struct object *object, u64 offset, void *to, u64 bytes)
{
	return offset <= object->size && object_read(object, offset, to, bytes) == (i64)bytes;
}

int elf_check(struct inode *inode, struct elf_file **result)
{
	struct elf_file *file = kmalloc(sizeof(*file));
	struct elf_header *header;
	bool good;

	if (!file)
		return -ENOMEM;
	header = &file->header;
	good = read_exactly(inode->object, 0, header, sizeof(*header)) && header_good(header) &&
	       read_exactly(inode->object, header->phoff, file->segments,
			    header->phnum * sizeof(struct program_header));
	file->base = header->type == ET_DYN ? STATIC_PIE_BASE : 0;
	if (!good || !segments_good(file, inode->object->size)) {
		kfree(file);
		return -ENOEXEC;
	}
	*result = file;
	return 0;
}

static u32 prot_of(const struct program_header *segment)
{
	return (segment->flags & PF_R ? PROT_READ : 0) | (segment->flags & PF_W ? PROT_WRITE : 0) |
	       (segment->flags & PF_X ? PROT_EXEC : 0);
}

static int map_fixed(struct mm *mm, u64 start, u64 end, u32 prot, struct object *object, u64 offset)
{
	i64 at;

	if (start >= end)
		return 0;
	at = mm_map(mm, start, end - start, prot,
		    MAP_PRIVATE | MAP_FIXED | (object ? 0 : MAP_ANONYMOUS), object, offset);
	return at < 0 ? (int)at : 0;
}

/* Clears the part of the last file page that lies behind the file's part of the segment. The page is made
 * first: out of memory is an error here, where a fault would kill. */
static int clear_tail(struct mm *mm, const struct program_header *segment, u64 file_end)
{
	u64 page_end = ROUND_UP(file_end, PAGE_SIZE);

	int error;

	if (!(segment->flags & PF_W) || segment->memsz == segment->filesz || file_end == page_end)
		return 0;
	error = mm_advise(mm, page_end - PAGE_SIZE, PAGE_SIZE, MADV_POPULATE_WRITE);
	return error ? error : clear_user(file_end, page_end - file_end);
}

static int map_segment(struct mm *mm, struct inode *inode, const struct program_header *segment,
		       u64 base)
{
	u64 start = ROUND_DOWN(segment->vaddr + base, PAGE_SIZE);
	u64 file_end = segment->vaddr + base + segment->filesz;
	u64 end = ROUND_UP(segment->vaddr + base + segment->memsz, PAGE_SIZE);
	u64 file_pages_end = segment->filesz ? ROUND_UP(file_end, PAGE_SIZE) : start;
	u32 prot = prot_of(segment);
	int error = map_fixed(mm, start, file_pages_end, prot, inode->object,
			      ROUND_DOWN(segment->offset, PAGE_SIZE));

	if (!error)
		error = map_fixed(mm, file_pages_end, end, prot, NULL, 0);
	if (!error && segment->filesz)
		error = clear_tail(mm, segment, file_end);
	return error;
}

int elf_load(const struct elf_file *file, struct inode *inode, struct mm *mm,
	     struct elf_image *image)
{
	const struct elf_header *header = &file->header;

	*image = (struct elf_image) {
		.entry = header->entry + file->base,
		.header_count = header->phnum,
	};
	for (u32 i = 0; i < header->phnum; i++) {
		const struct program_header *segment = &file->segments[i];

		if (segment->type != PT_LOAD || segment->memsz == 0)
			continue;

		int error = map_segment(mm, inode, segment, file->base);

		if (error)
			return error;
		if (header->phoff >= segment->offset &&
		    header->phoff < segment->offset + segment->filesz)
			image->headers =
				segment->vaddr + file->base + header->phoff - segment->offset;
		image->end = MAX(image->end,
				 ROUND_UP(segment->vaddr + file->base + segment->memsz, PAGE_SIZE));
	}
	return 0;
}
