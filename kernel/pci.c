/* PCI by configuration mechanism 1: an address to one port, 32 bits through another (PCI 3.0, 3.2.2.3.2). */
#include "kernel/pci.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/paging.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  (1u << 31)

#define SLOTS     32u
#define FUNCTIONS 8u
#define NO_VENDOR 0xffffu

/* Offsets in configuration space. */
#define ID           0x00
#define COMMAND      0x04 /* and status above it */
#define CLASS        0x08
#define HEADER_TYPE  0x0c
#define BARS         0x10
#define BUSES        0x18 /* of a bridge */
#define CAPABILITIES 0x34

#define COMMAND_MEMORY      (1u << 1)
#define COMMAND_MASTER      (1u << 2)
#define STATUS_CAPABILITIES (1u << 20)
#define HEADER_MANY         (1u << 23) /* functions */
#define CLASS_BRIDGE        0x0604u

#define BAR_IO     (1u << 0)
#define BAR_TYPE   (3u << 1)
#define BAR_64     (2u << 1)
#define BAR_FLAGS  15u
#define BARS_COUNT 6u

/* MSI-X: PCI 3.0, 6.8.2. Addresses and data are the local APIC's: SDM vol. 3, 10.11. */
#define MSIX            0x11u
#define MSIX_ENABLE     (1u << 31)
#define MSIX_MASK_ALL   (1u << 30)
#define MSIX_TABLE      4u /* in the capability */
#define MSIX_BAR        7u
#define MSI_ADDRESS     0xfee00000u
#define MSI_ADDRESS_CPU 12 /* shift */

struct msix_entry {
	u32 address, address_high, data, masked;
};
_Static_assert(sizeof(struct msix_entry) == 16, "PCI 3.0, figure 6-11");

static void outl(u16 port, u32 value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static u32 inl(u16 port)
{
	u32 value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void select(const struct pci_device *device, u32 offset)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | (u32)device->bus << 16 | (u32)device->slot << 11 |
				     (u32)device->function << 8 | offset);
}

u32 pci_read(const struct pci_device *device, u32 offset)
{
	select(device, offset);
	return inl(CONFIG_DATA);
}

void pci_write(const struct pci_device *device, u32 offset, u32 value)
{
	select(device, offset);
	outl(CONFIG_DATA, value);
}

/* Whether there is a function at this place; fills in what it is. */
static bool identify(struct pci_device *device)
{
	u32 id = pci_read(device, ID);

	device->vendor = (u16)id;
	device->device = (u16)(id >> 16);
	return device->vendor != NO_VENDOR;
}

static void scan_bus(u32 bus, void (*found)(const struct pci_device *device));

static void scan_slot(struct pci_device *device, void (*found)(const struct pci_device *device))
{
	u32 functions = 1;

	for (u32 function = 0; function < functions; function++) {
		device->function = (u8)function;
		if (!identify(device))
			continue;
		if (pci_read(device, HEADER_TYPE) & HEADER_MANY)
			functions = FUNCTIONS;
		found(device);
		if (pci_read(device, CLASS) >> 16 == CLASS_BRIDGE)
			scan_bus(pci_read(device, BUSES) >> 8 & 0xff, found);
	}
}

/* Recursive: as deep as there are bridges behind one another, whose buses have ascending numbers. */
static void scan_bus(u32 bus, void (*found)(const struct pci_device *device))
{
	static u32 next_bus;

	if (bus < next_bus)
		return;
	next_bus = bus + 1;
	for (u32 slot = 0; slot < SLOTS; slot++) {
		struct pci_device device = {.bus = (u8)bus, .slot = (u8)slot};

		scan_slot(&device, found);
	}
}

void pci_each(void (*found)(const struct pci_device *device))
{
	scan_bus(0, found);
}

u32 pci_capability(const struct pci_device *device, u32 id, u32 after)
{
	u32 at = after ? pci_read(device, after) >> 8 : pci_read(device, CAPABILITIES);

	if (!(pci_read(device, COMMAND) & STATUS_CAPABILITIES))
		return 0;
	for (at &= 0xfc; at; at = pci_read(device, at) >> 8 & 0xfc)
		if ((pci_read(device, at) & 0xff) == id)
			break;
	return at;
}

void pci_enable(const struct pci_device *device)
{
	u32 command = pci_read(device, COMMAND) & 0xffff;

	pci_write(device, COMMAND, command | COMMAND_MEMORY | COMMAND_MASTER);
}

volatile void *pci_map(const struct pci_device *device, u32 bar, u32 offset, u32 bytes)
{
	u32 low = bar < BARS_COUNT ? pci_read(device, BARS + 4 * bar) : BAR_IO;
	paddr_t at = low & ~BAR_FLAGS;

	if (low & BAR_IO)
		return NULL;
	if ((low & BAR_TYPE) == BAR_64)
		at |= (u64)pci_read(device, BARS + 4 * (bar + 1)) << 32;
	return at ? vmap_device(at + offset, bytes) : NULL;
}

bool pci_enable_interrupt(const struct pci_device *device, u32 vector)
{
	u32 at = pci_capability(device, MSIX, 0),
	    table = at ? pci_read(device, at + MSIX_TABLE) : 0;
	volatile struct msix_entry *entry =
		at ? pci_map(device, table & MSIX_BAR, table & ~MSIX_BAR, sizeof(*entry)) : NULL;

	if (!entry)
		return false;
	pci_write(device, at, (pci_read(device, at) | MSIX_ENABLE) & ~MSIX_MASK_ALL);
	entry->address = MSI_ADDRESS | this_cpu()->apic_id << MSI_ADDRESS_CPU;
	entry->address_high = 0;
	entry->data = vector;
	entry->masked = 0;
	return true;
}
