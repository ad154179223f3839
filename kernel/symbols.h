/* The kernel's own symbol table, as GRUB loaded it. */
#pragma once

#include "mm/types.h"

/* The function that at lies in, and in *offset how far; NULL when there is none or no table. */
const char *symbol_at(u64 at, u64 *offset);
