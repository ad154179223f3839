/* PCI: which devices there are, and their configuration space (PCI Local Bus Specification 3.0, chapter 6). Used at
 * boot, by one thread: there is no lock. */
#pragma once

#include "mm/types.h"

struct pci_device {
	u8 bus, slot, function;
	u16 vendor, device;
};

/* Calls found for each function of each device in order of its place, behind bridges too. */
void pci_each(void (*found)(const struct pci_device *device));

/* 32 bits of configuration space at offset, a multiple of 4 below 256. */
u32 pci_read(const struct pci_device *device, u32 offset);
void pci_write(const struct pci_device *device, u32 offset, u32 value);

/* The offset of the next capability of this kind after the one at `after` (0: the first); 0 when there is none. */
#define PCI_CAPABILITY_VENDOR 0x09u
u32 pci_capability(const struct pci_device *device, u32 id, u32 after);

/* Lets the device answer at its addresses, and reach memory by itself. */
void pci_enable(const struct pci_device *device);

/* Maps bytes from offset on of what base address register `bar` leads to; NULL: that is no memory, or memory is out. */
volatile void *pci_map(const struct pci_device *device, u32 bar, u32 offset, u32 bytes);

/* Lets the first of the device's MSI-X interrupts come, as this vector, at the CPU that this runs on. False: it has
 * none, or memory is out. */
bool pci_enable_interrupt(const struct pci_device *device, u32 vector);
