/* virtio-blk, QEMU's disks: /dev/vda, /dev/vdb and so on, in the order in which they are on the PCI bus. */
#pragma once

/* Boot, after fs_init() and apic_init(), by one thread: finds the disks and registers them. */
void virtio_init(void);

/* VECTOR_DISK: some disk has done a request. Interrupts off. */
void virtio_interrupt(void);
