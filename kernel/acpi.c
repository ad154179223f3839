/*
 * ACPI tables are read once, where firmware left them, before the final page tables are made. A table whose
 * checksum is wrong is as good as none: the machine then runs on the CPU that it has booted on.
 */
#include "kernel/acpi.h"
#include "kernel/multiboot.h"
#include "mm/machine.h"

/* ACPI 6.4, 5.2.6: the head of every table. */
struct table {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	u8 oem[22];
	u32 creator;
} __attribute__((packed));
_Static_assert(sizeof(struct table) == 36, "ACPI 6.4, table 5.4");

/* 5.2.5.3; what follows in a table of revision 2 is not needed: an RSDT is there too, below 4 GB. */
struct rsdp {
	char signature[8];
	u8 checksum;
	u8 oem[6];
	u8 revision;
	u32 rsdt;
} __attribute__((packed));
_Static_assert(sizeof(struct rsdp) == 20, "ACPI 6.4, table 5.3");

/* 5.2.12: entries of several kinds follow. */
struct madt {
	struct table table;
	u32 local_apic, flags;
	u8 entries[];
} __attribute__((packed));
_Static_assert(offsetof(struct madt, entries) == 44, "ACPI 6.4, table 5.19");

struct madt_cpu {
	u8 type, length;
	u8 processor, apic_id;
	u32 flags;
} __attribute__((packed));
_Static_assert(sizeof(struct madt_cpu) == 8, "ACPI 6.4, table 5.21");
#define MADT_CPU    0
#define CPU_ENABLED 1u

static bool sums_to_zero(const void *at, size_t bytes)
{
	const u8 *byte = at;
	u8 sum = 0;

	while (bytes--)
		sum = (u8)(sum + *byte++);
	return sum == 0;
}

/* The table at a physical address, if it is a good one of this kind. */
static const struct table *table_at(paddr_t at, const char *signature)
{
	const struct table *table = phys_to_virt(at);

	if (memcmp(table->signature, signature, sizeof(table->signature)) != 0 ||
	    table->length < sizeof(*table) || !sums_to_zero(table, table->length))
		return NULL;
	return table;
}

static const struct madt *find_madt(void)
{
	const struct rsdp *rsdp = (const struct rsdp *)boot_info.rsdp;
	const struct table *rsdt, *found = NULL;
	const u8 *entry;
	u32 at;

	if (!boot_info.has_rsdp || !sums_to_zero(rsdp, sizeof(*rsdp)))
		return NULL;
	rsdt = table_at(rsdp->rsdt, "RSDT");
	if (!rsdt)
		return NULL;
	entry = (const u8 *)(rsdt + 1);
	for (; entry + sizeof(at) <= (const u8 *)rsdt + rsdt->length && !found;
	     entry += sizeof(at)) {
		memcpy(&at, entry, sizeof(at)); /* tables are not aligned */
		found = table_at(at, "APIC");
	}
	return (const struct madt *)found;
}

u32 acpi_find_cpus(u32 *apic_ids, u32 most)
{
	const struct madt *madt = find_madt();
	const u8 *at, *end;
	u32 count = 0;

	if (!madt)
		return 0;
	end = (const u8 *)madt + madt->table.length;
	for (at = madt->entries; at + sizeof(struct madt_cpu) <= end && at[1]; at += at[1]) {
		const struct madt_cpu *cpu = (const struct madt_cpu *)at;

		if (cpu->type == MADT_CPU && (cpu->flags & CPU_ENABLED) && count < most)
			apic_ids[count++] = cpu->apic_id;
	}
	return count;
}
