/*
 * Reading the boot loader's information (Multiboot2 specification, 3.6): a list of tags, each
 * 8-byte aligned. All that is needed later is copied out, so its memory is free afterwards.
 */
#include "kernel/cmdline.h"
#include "kernel/multiboot.h"
#include "mm/machine.h"

struct boot_info boot_info;

enum tag_type {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_MODULE = 3,
	TAG_MEMORY_MAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_ELF_SECTIONS = 9,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW = 15,
};

struct tag {
	u32 type;
	u32 size; /* in bytes, with this header, without the padding to the next tag */
};

struct cmdline_tag {
	struct tag tag;
	char line[];
};

struct module_tag {
	struct tag tag;
	u32 start, end;
};

struct memory_entry {
	u64 base, length;
	u32 type;
	u32 reserved;
};
#define MEMORY_USABLE 1

struct memory_tag {
	struct tag tag;
	u32 entry_size, entry_version;
	u8 entries[];
};

struct framebuffer_tag {
	struct tag tag;
	u64 address;
	u32 pitch, width, height;
	u8 depth, kind;
};
#define FRAMEBUFFER_TEXT 2

struct elf_tag {
	struct tag tag;
	u32 count, entry_size, names;
	u8 sections[];
} __attribute__((packed));

/* ELF-64 Object File Format, figure 8. */
struct elf_section {
	u32 name, type;
	u64 flags, addr, offset, size;
	u32 link, info;
	u64 alignment, entry_size;
} __attribute__((packed));
#define SECTION_SYMBOLS 2

_Static_assert(sizeof(struct tag) == 8, "Multiboot2 3.6.2");
_Static_assert(sizeof(struct memory_entry) == 24, "Multiboot2 3.6.8");
_Static_assert(offsetof(struct memory_tag, entries) == 16, "Multiboot2 3.6.8");
_Static_assert(offsetof(struct framebuffer_tag, kind) == 29, "Multiboot2 3.6.12");
_Static_assert(offsetof(struct elf_tag, sections) == 20, "Multiboot2 3.6.7");
_Static_assert(sizeof(struct elf_section) == 64, "ELF-64, figure 8");

static void read_module(const struct module_tag *tag)
{
	if (boot_info.modules == BOOT_MODULES)
		panic("more than %u boot modules", BOOT_MODULES);
	boot_info.module[boot_info.modules++] = (struct boot_module) {tag->start, tag->end};
}

static void read_memory_map(const struct memory_tag *tag)
{
	u32 count = (tag->tag.size - (u32)sizeof(*tag)) / tag->entry_size;

	if (count > BOOT_RANGES)
		panic("a memory map of more than %u entries", BOOT_RANGES);
	for (u32 i = 0; i < count; i++) {
		const struct memory_entry *entry =
			(const void *)(tag->entries + (size_t)i * tag->entry_size);

		boot_info.range[i] = (struct boot_range) {
			.start = entry->base,
			.end = entry->base + entry->length,
			.usable = entry->type == MEMORY_USABLE,
		};
	}
	boot_info.ranges = count;
}

static const struct elf_section *section_at(const struct elf_tag *tag, u32 index)
{
	return (const void *)(tag->sections + (size_t)index * tag->entry_size);
}

/* The loader has put the sections that are not part of the image somewhere, and their addresses
 * here. */
static void read_sections(const struct elf_tag *tag)
{
	for (u32 i = 0; i < tag->count; i++) {
		const struct elf_section *symbols = section_at(tag, i), *strings;

		if (symbols->type != SECTION_SYMBOLS || symbols->link >= tag->count)
			continue;
		strings = section_at(tag, symbols->link);
		boot_info.symbols = symbols->addr;
		boot_info.symbols_end = symbols->addr + symbols->size;
		boot_info.strings = strings->addr;
		boot_info.strings_end = strings->addr + strings->size;
	}
}

static void read_tag(const struct tag *tag)
{
	switch (tag->type) {
	case TAG_CMDLINE:
		cmdline_init(((const struct cmdline_tag *)tag)->line);
		break;
	case TAG_MODULE:
		read_module((const struct module_tag *)tag);
		break;
	case TAG_MEMORY_MAP:
		read_memory_map((const struct memory_tag *)tag);
		break;
	case TAG_FRAMEBUFFER:
		boot_info.text_screen =
			((const struct framebuffer_tag *)tag)->kind == FRAMEBUFFER_TEXT;
		break;
	case TAG_ELF_SECTIONS:
		read_sections((const struct elf_tag *)tag);
		break;
	case TAG_ACPI_OLD: /* the RSDP follows in either: Multiboot2 3.6.16, 3.6.17 */
	case TAG_ACPI_NEW:
		memcpy(boot_info.rsdp, tag + 1, sizeof(boot_info.rsdp));
		boot_info.has_rsdp = true;
		break;
	default:
		break;
	}
}

void multiboot_read(paddr_t at)
{
	const u8 *next = (const u8 *)phys_to_virt(at) + sizeof(struct tag);
	const struct tag *tag;

	boot_info.text_screen = true;
	for (;;) {
		tag = (const struct tag *)next;
		if (tag->type == TAG_END)
			break;
		read_tag(tag);
		next += ROUND_UP(tag->size, 8);
	}
	if (!boot_info.ranges)
		panic("the boot loader gave no memory map");
}
