/* Names for addresses, from the ELF symbol table that the boot loader has put into memory. */
#include "kernel/multiboot.h"
#include "kernel/symbols.h"
#include "mm/machine.h"

/* ELF-64 Object File Format, figure 14. */
struct elf_symbol {
	u32 name;
	u8 info, other;
	u16 section;
	u64 value, size;
};
_Static_assert(sizeof(struct elf_symbol) == 24, "ELF-64, figure 14");

#define SYMBOL_TYPE(info) ((info)&15)
#define SYMBOL_FUNCTION   2

extern const u8 kernel_start[], text_end[];

/* The function that begins last at or before at. */
static const struct elf_symbol *find(u64 at)
{
	const struct elf_symbol *symbol = phys_to_virt(boot_info.symbols), *best = NULL;
	const struct elf_symbol *end = phys_to_virt(boot_info.symbols_end);

	for (; symbol < end; symbol++) {
		if (SYMBOL_TYPE(symbol->info) == SYMBOL_FUNCTION && symbol->value <= at &&
		    (!best || symbol->value > best->value))
			best = symbol;
	}
	return best;
}

const char *symbol_at(u64 at, u64 *offset)
{
	const struct elf_symbol *symbol;

	if (!boot_info.symbols || at < (u64)kernel_start || at >= (u64)text_end)
		return NULL;
	symbol = find(at);
	if (!symbol || boot_info.strings + symbol->name >= boot_info.strings_end)
		return NULL;
	*offset = at - symbol->value;
	return (const char *)phys_to_virt(boot_info.strings) + symbol->name;
}
