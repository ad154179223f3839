/* What the boot loader tells us (Multiboot2 specification, 3.6), copied out of its memory. */
#pragma once

#include "mm/types.h"

#define BOOT_RANGES  128 /* memory map entries we can take */
#define BOOT_MODULES 8

struct boot_range {
	paddr_t start, end; /* bytes */
	bool usable;        /* RAM that nobody needs; else anything but that */
};

struct boot_module {
	paddr_t start, end;
};

struct boot_info {
	u32 ranges;
	struct boot_range range[BOOT_RANGES];
	u32 modules;
	struct boot_module module[BOOT_MODULES];
	paddr_t symbols, symbols_end; /* the kernel's ELF symbol table, or 0 */
	paddr_t strings, strings_end; /* and its names */
	bool text_screen;             /* there is a VGA text screen */
	bool has_rsdp;
	u8 rsdp[20]; /* ACPI's root pointer, of any revision (kernel/acpi.c) */
};

extern struct boot_info boot_info;

/* Boot, first of all: fills boot_info and calls cmdline_init(). at: where the loader left its
 * information. */
void multiboot_read(paddr_t at);
