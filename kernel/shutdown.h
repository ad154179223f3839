/* Ending in good order, and the audit that this includes. */
#pragma once

#include "mm/types.h"

/* mm_audit() and files_audit() together: how many counts are wrong; each is in the log. Nothing
 * else runs meanwhile. */
u64 audit_all(void);

/* Audits, panics if a count is wrong, and leaves the machine. */
_Noreturn void shutdown(void);
