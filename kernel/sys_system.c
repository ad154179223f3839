/* System calls on the system as a whole. */
#include "kernel/dev/exit.h"
#include "kernel/cpu/stack.h"
#include "kernel/process.h"
#include "kernel/random.h"
#include "kernel/sched.h"
#include "kernel/shutdown.h"
#include "kernel/syscalls.h"
#include "kernel/version.h"
#include "mm/errno.h"
#include "mm/frame.h"
#include "mm/swap.h"

struct utsname {
	char system[65], node[65], release[65], version[65], machine[65], domain[65];
};
_Static_assert(sizeof(struct utsname) == 390, "uname(2)");

i64 sys_uname(uptr to)
{
	static const struct utsname name = {
		.system = SYSTEM_NAME,
		.node = HOST_NAME,
		.release = SYSTEM_RELEASE,
		.version = SYSTEM_VERSION,
		.machine = "x86_64",
		.domain = "(none)",
	};

	return copy_to_user(to, &name, sizeof(name));
}

struct sysinfo {
	i64 uptime;
	u64 loads[3], total, free, shared, buffers, swap_total, swap_free;
	u16 processes, pad;
	u64 high_total, high_free;
	u32 unit;
};
_Static_assert(sizeof(struct sysinfo) == 112, "sysinfo(2)");

static bool count_process(void *context, struct process *process)
{
	(void)process;
	++*(u16 *)context;
	return true;
}

i64 sys_sysinfo(uptr to)
{
	struct swap_totals swap;

	stack_pool_drain(); /* what it keeps is free */
	swap_totals(&swap);

	struct sysinfo info = {
		.uptime = (i64)(clock_ns() / 1000000000),
		.loads = {(u64)sched_runnable() << 16},
		.total = frames_total() << PAGE_SHIFT,
		.free = frames_free() << PAGE_SHIFT,
		.swap_total = swap.pages << PAGE_SHIFT,
		.swap_free = (swap.pages - swap.used) << PAGE_SHIFT,
		.unit = 1,
	};

	process_each(count_process, &info.processes);
	return copy_to_user(to, &info, sizeof(info));
}

i64 sys_getrandom(uptr to, u64 bytes, u32 flags)
{
	u8 buffer[256];
	u64 done = 0;

	if (flags & ~7u)
		return -EINVAL;
	bytes = MIN(bytes, 0x1fffffful);
	while (done < bytes) {
		u64 part = MIN(bytes - done, sizeof(buffer));

		random_bytes(buffer, part);
		if (copy_to_user(to + done, buffer, part))
			return done ? (i64)done : -EFAULT;
		done += part;
	}
	return (i64)done;
}

#define REBOOT_MAGIC1 0xfee1dead
#define REBOOT_MAGIC2 0x28121969
#define CMD_CAD_OFF   0x00000000
#define CMD_CAD_ON    0x89abcdef
#define CMD_RESTART   0x01234567
#define CMD_HALT      0xcdef0123
#define CMD_POWER_OFF 0x4321fedc

i64 sys_reboot(u32 magic1, u32 magic2, u32 command, uptr text)
{
	(void)text;
	if (magic1 != REBOOT_MAGIC1 || magic2 != REBOOT_MAGIC2)
		return -EINVAL;
	switch (command) {
	case CMD_CAD_OFF:
	case CMD_CAD_ON:
		return 0;
	case CMD_RESTART:
	case CMD_HALT:
	case CMD_POWER_OFF:
		shutdown();
	default:
		return -EINVAL;
	}
}

i64 sys_audit(void)
{
	return (i64)audit_all();
}

i64 sys_zero(void)
{
	return 0;
}
