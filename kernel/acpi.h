/* What firmware tells through ACPI (ACPI specification 6.4, chapter 5): here, which CPUs there are. */
#pragma once

#include "mm/types.h"

/*
 * Boot, after multiboot_read(), while the early tables map the first 4 GB: the local APIC ids of the CPUs
 * that may be used, at most `most`, in the order of the MADT. 0 when there is no good table.
 */
u32 acpi_find_cpus(u32 *apic_ids, u32 most);
