/*
 * The way from the boot loader to the first program, in order. boot/multiboot.asm comes before
 * this, the scheduler and user/init.c after.
 */
#include "kernel/block/ram.h"
#include "kernel/block/swap.h"
#include "kernel/block/virtio.h"
#include "kernel/cmdline.h"
#include "kernel/cpu/apic.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/paging.h"
#include "kernel/cpu/pic.h"
#include "kernel/cpu/smp.h"
#include "kernel/cpu/tsc.h"
#include "kernel/dev/console.h"
#include "kernel/fs/vfs.h"
#include "kernel/memory.h"
#include "kernel/multiboot.h"
#include "kernel/process.h"
#include "kernel/reclaim.h"
#include "kernel/sched.h"
#include "mm/frame.h"
#include "mm/mm.h"

_Noreturn void kernel_main(paddr_t loader_info);

/* Each module is a cpio archive; a later one's files replace an earlier one's. */
static void unpack_modules(void)
{
	for (u32 i = 0; i < boot_info.modules; i++) {
		const struct boot_module *module = &boot_info.module[i];
		int error = cpio_unpack(phys_to_virt(module->start), module->end - module->start);

		if (error)
			panic("boot module %u is not a good cpio archive: error %d", i, error);
	}
	memory_release_modules();
}

void kernel_main(paddr_t loader_info)
{
	cpu_init_early();
	console_init_early();
	multiboot_read(loader_info);
	console_init(boot_info.text_screen);

	cpu_init();
	memory_init();
	smp_find_cpus();
	paging_init();
	smp_prepare();
	memory_hand_over();
	mm_init();

	pic_init();
	clock_init();
	apic_init();

	fs_init();
	unpack_modules();
	ramdisk_init();
	virtio_init();
	swap_init();
	printk("Coppice: %lu MB of memory, TSC at %lu MHz, command line: %s\n",
	       frames_total() >> (20 - PAGE_SHIFT), tsc_hz / 1000000, cmdline_text());
	console_init_input();
	if (!scheduler_prepare(this_cpu()))
		panic("no memory for the idle thread");
	process_start_init();
	reclaim_start();
	smp_start();
	printk("CPUs: %u\n", cpus_online);
	scheduler_enter();
}
