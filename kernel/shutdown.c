/* Every shutdown audits: a run that ends in order has kept the law. */
#include "kernel/shutdown.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/smp.h"
#include "kernel/dev/exit.h"
#include "kernel/fs/files.h"
#include "mm/frame.h"
#include "mm/mm.h"

static void audit(void *findings)
{
	*(u64 *)findings = mm_audit() + files_audit();
}

u64 audit_all(void)
{
	u64 findings;

	smp_quietly(audit, &findings);
	return findings;
}

_Noreturn void shutdown(void)
{
	u64 findings = audit_all();

	if (findings)
		panic("the audit at shutdown found %lu wrong counts", findings);
	printk("audit: clean, %lu of %lu frames free\n", frames_free(), frames_total());
	interrupts_off();
	machine_exit(EXIT_ORDERLY);
}
