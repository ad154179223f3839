/*
 * The machine as mm/ sees it (mm/machine.h): root tables and the TLB. A CPU can hold translations
 * of an address space only while this_cpu()->mm is that one, since loading CR3 forgets all but
 * global ones (SDM vol. 3, 4.10.4). One CPU runs for now; with more, the flushes also send these
 * CPUs an interrupt.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/machine.h"
#include "kernel/cpu/paging.h"
#include "mm/frame.h"
#include "mm/mm.h"

u64 direct_map_base = DIRECT_MAP;

#define ROOT_ENTRIES 512
#define KERNEL_HALF  256 /* first entry of the kernel's half */

/* From so many pages on, forgetting everything is cheaper than page by page. */
#define FLUSH_PAGES_MAX 32

void machine_init_root(u64 *root)
{
	memcpy(root + KERNEL_HALF, kernel_root + KERNEL_HALF,
	       (ROOT_ENTRIES - KERNEL_HALF) * sizeof(u64));
}

/* INVLPG also forgets all cached upper entries, whatever the address: SDM vol. 3, 4.10.4.1. */
static void invalidate_pages(vaddr_t start, vaddr_t end)
{
	for (vaddr_t at = start; at < end; at += PAGE_SIZE)
		invlpg(at);
}

void tlb_flush_range(struct mm *mm, vaddr_t start, vaddr_t end)
{
	if (this_cpu()->mm != mm)
		return;
	if (end - start > FLUSH_PAGES_MAX * PAGE_SIZE)
		write_cr3(read_cr3());
	else
		invalidate_pages(start, end);
}

void tlb_flush_all(struct mm *mm)
{
	if (this_cpu()->mm == mm)
		write_cr3(read_cr3());
}

void tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	invalidate_pages(start, end);
}

void context_load_mm(struct mm *mm)
{
	struct cpu *cpu = this_cpu();

	if (cpu->mm == mm)
		return;
	cpu->mm = mm;
	write_cr3(mm ? page_paddr(mm->root) : virt_to_phys(kernel_root));
}
