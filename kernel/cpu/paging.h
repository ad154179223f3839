/* The kernel's half of every address space. */
#pragma once

#include "mm/types.h"

struct page;

#define KERNEL_BASE 0xffffffff80000000ul /* the image is at its physical address + this */
#define DIRECT_MAP  0xffff800000000000ul /* all RAM */
#define VMAP_BASE   0xffffc00000000000ul /* kernel stacks, then device registers */

/* Bits of a page-table entry (SDM vol. 3, 4.5). */
#define PTE_PRESENT  (1ul << 0)
#define PTE_WRITE    (1ul << 1)
#define PTE_UNCACHED (1ul << 4)
#define PTE_LARGE    (1ul << 7)
#define PTE_GLOBAL   (1ul << 8)
#define PTE_NX       (1ul << 63)
#define PTE_ADDRESS  0x000ffffffffff000ul

/* The kernel's own root table. Entries 256 to 511 never change after paging_init(). */
extern u64 *kernel_root;

/* Boot, after memory_init() and cpu_init(): builds the final tables, W^X, and loads them. */
void paging_init(void);

/* The PTE table (level 1) that maps the kernel address at, made if need be; NULL when memory is
 * out. at lies in the vmap area. The caller guards the area that it uses there. */
u64 *paging_table(vaddr_t at);

/* Takes away the PTE table over at, all of whose entries are empty. Its frame is the caller's to free, after a flush:
 * CPUs may remember the way to it. */
struct page *paging_take_table(vaddr_t at);

/* Maps bytes of device registers at the physical address at, uncached, for good; NULL when memory
 * is out. */
void *vmap_device(paddr_t at, u64 bytes);
