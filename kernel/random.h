/* Random numbers: ChaCha20 (RFC 8439, 2.3), keyed by RDRAND where the CPU has it and by the time
 * stamp counter. */
#pragma once

#include "mm/types.h"

/* Fills to[bytes] with random bytes. Under QEMU without RDRAND they are as unforeseeable as the
 * counter is, no more. Does not sleep. */
void random_bytes(void *to, size_t bytes);
