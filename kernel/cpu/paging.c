/*
 * The kernel's half of every address space, and what it may do there: no page is both writable and
 * executable, under any of its addresses.
 *
 *   DIRECT_MAP + p     all RAM            RW NX; the image's text and rodata R NX
 *   VMAP_BASE          stacks, devices    RW NX
 *   KERNEL_BASE + p    image: text        RX
 *                             rodata      R NX
 *                             data, bss   RW NX; the boot stack's guard page unmapped
 *
 * The root entries that lead there are made once, here, and never change, so every root can hold a
 * copy of them.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/paging.h"
#include "kernel/cpu/stack.h"
#include "kernel/memory.h"
#include "mm/frame.h"

u64 *kernel_root;

#define LARGE_PAGE  (2ul << 20)
#define LEVEL_SHIFT 9
#define INDEX_MASK  511ul

#define LEGACY_END   0x100000ul /* the first MB: below, RAM and BIOS */
#define LEGACY_VIDEO 0xa0000ul  /* to LEGACY_ROM: the VGA's memory */
#define LEGACY_ROM   0xc0000ul

#define DEVICE_BASE (VMAP_BASE + (64ul << 30)) /* above the stacks */
#define DEVICE_END  (DEVICE_BASE + (64ul << 30))

/* linker.ld */
extern u8 kernel_start[], text_end[], rodata_end[], kernel_end[], boot_stack_guard[];

static u32 entry_index(vaddr_t at, u32 level)
{
	return at >> (PAGE_SHIFT + LEVEL_SHIFT * (level - 1)) & INDEX_MASK;
}

static u64 *entry_table(u64 entry)
{
	return phys_to_virt(entry & PTE_ADDRESS);
}

/* The table of the given level over at, made if need be; NULL when memory is out. */
static u64 *walk(vaddr_t at, u32 level)
{
	u64 *table = kernel_root;

	for (u32 above = 4; above > level; above--) {
		u64 *entry = &table[entry_index(at, above)];

		if (!*entry) {
			paddr_t made = memory_frame();

			if (!made)
				return NULL;
			*entry = made | PTE_PRESENT | PTE_WRITE;
		}
		ASSERT(!(*entry & PTE_LARGE), "%#lx lies in a large page", at);
		table = entry_table(*entry);
	}
	return table;
}

static bool fits_large_page(vaddr_t at, paddr_t from, u64 bytes)
{
	return !((at | from) & (LARGE_PAGE - 1)) && bytes >= LARGE_PAGE;
}

/* Maps bytes (whole pages) from physical address from on at the address at. False when memory is
 * out. */
static bool map(vaddr_t at, paddr_t from, u64 bytes, u64 flags)
{
	while (bytes) {
		bool large = fits_large_page(at, from, bytes);
		u64 step = large ? LARGE_PAGE : PAGE_SIZE;
		u64 *table = walk(at, large ? 2 : 1);

		if (!table)
			return false;
		table[entry_index(at, large ? 2 : 1)] =
			from | flags | PTE_PRESENT | PTE_GLOBAL | (large ? PTE_LARGE : 0);
		at += step;
		from += step;
		bytes -= step;
	}
	return true;
}

static void map_at_boot(vaddr_t at, paddr_t from, u64 bytes, u64 flags)
{
	if (!map(at, from, bytes, flags))
		panic("no memory for the kernel's page tables");
}

static paddr_t image_paddr(const u8 *symbol)
{
	return (u64)symbol - KERNEL_BASE;
}

static void map_image(void)
{
	vaddr_t text = (u64)kernel_start, rodata = (u64)text_end, data = (u64)rodata_end;
	vaddr_t guard = (u64)boot_stack_guard, end = (u64)kernel_end;

	map_at_boot(text, text - KERNEL_BASE, rodata - text, 0);
	map_at_boot(rodata, rodata - KERNEL_BASE, data - rodata, PTE_NX);
	map_at_boot(data, data - KERNEL_BASE, guard - data, PTE_WRITE | PTE_NX);
	guard += PAGE_SIZE;
	map_at_boot(guard, guard - KERNEL_BASE, end - guard, PTE_WRITE | PTE_NX);
}

static void map_direct(paddr_t start, paddr_t end, u64 flags)
{
	if (start < end)
		map_at_boot(DIRECT_MAP + start, start, end - start, flags | PTE_NX);
}

/* A range of RAM above the first MB, less what of the image is read-only. */
static void map_ram(paddr_t start, paddr_t end)
{
	paddr_t image = image_paddr(kernel_start), writable = image_paddr(rodata_end);

	start = MAX(start, LEGACY_END);
	map_direct(start, MIN(end, image), PTE_WRITE);
	map_direct(MAX(start, image), MIN(end, writable), 0);
	map_direct(MAX(start, writable), end, PTE_WRITE);
}

/* The first MB whole, whatever the memory map says: VGA memory and the BIOS's tables are there. */
static void map_legacy(void)
{
	map_direct(0, LEGACY_VIDEO, PTE_WRITE);
	map_direct(LEGACY_VIDEO, LEGACY_ROM, PTE_WRITE | PTE_UNCACHED);
	map_direct(LEGACY_ROM, LEGACY_END, 0);
}

/* The vmap area's root entry, and the upper tables over all stacks, so that these cost PTE tables
 * alone. */
static void prepare_vmap(void)
{
	for (vaddr_t at = VMAP_BASE; at < STACKS_END; at += 1ul << 30) {
		if (!walk(at, 2))
			panic("no memory for the kernel's page tables");
	}
}

void paging_init(void)
{
	paddr_t root = memory_frame();

	if (!root)
		panic("no memory for the kernel's page tables");
	kernel_root = phys_to_virt(root);
	prepare_vmap();
	map_legacy();
	memory_each_range(map_ram);
	map_image();
	write_cr3(root);
}

u64 *paging_table(vaddr_t at)
{
	return walk(at, 1);
}

struct page *paging_take_table(vaddr_t at)
{
	u64 *entry = &walk(at, 2)[entry_index(at, 2)];
	paddr_t table = *entry & PTE_ADDRESS;

	*entry = 0;
	return paddr_page(table);
}

void *vmap_device(paddr_t at, u64 bytes)
{
	static struct spinlock lock = SPINLOCK(RANK_MAPPINGS);
	static vaddr_t next = DEVICE_BASE; /* guarded by lock */
	u64 offset = at & PAGE_MASK, span = ROUND_UP(offset + bytes, PAGE_SIZE);
	vaddr_t virt;
	bool mapped;

	spin_lock(&lock);
	virt = next;
	mapped = span <= DEVICE_END - virt &&
		 map(virt, at - offset, span, PTE_WRITE | PTE_NX | PTE_UNCACHED);
	if (mapped)
		next = virt + span;
	spin_unlock(&lock);
	return mapped ? (void *)(virt + offset) : NULL;
}
