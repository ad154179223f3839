/* /proc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/fs/files.h"
#include "kernel/fs/io.h"
#include "kernel/fs/user_path.h"
#include "mm/frame.h"
#include "mm/object.h"
#include "mm/tree.h"
#include "tests/host/fs/fs_test.h"

static int by_number(u64 pid, const char *rest, char *path)
{
	return snprintf(path, 64, "/proc/%lu%s", pid, rest);
}

static u32 fields(const char *text)
{
	u32 count = 0;

	for (const char *at = strrchr(text, ')'); *at; at++)
		count += *at == ' ';
	return count + 2;
}

void test_proc(void)
{
	struct process *process = current_process();
	struct object *object;
	char path[64], word[64];
	int fd;

	make("/mapped", "some file");
	EQUAL(path_lookup("/mapped", true, &process->exe), 0);
	object = process->exe->object;
	process->mm = mm_create();
	mm_map(process->mm, 0x400000, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, object,
	       0);
	mm_map(process->mm, 0x7000000, 8192, PROT_READ | PROT_WRITE,
	       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0);
	EQUAL(mm_fault(process->mm, 0x400000, ACCESS_READ), 0);
	EQUAL(mm_fault(process->mm, 0x7000000, ACCESS_WRITE), 0);
	snprintf(word, sizeof(word), "%u", process->pid);
	TRUE(same(link_text("/proc/self"), word));
	TRUE(strstr(contents("/proc/self/maps"), "00400000-00401000 r-xp 00000000 00:02 ") ==
	     contents("/proc/self/maps"));
	TRUE(strchr(contents("/proc/self/maps"), '\n')[-1] == 'd');
	TRUE(strstr(contents("/proc/self/maps"), "/mapped\n") == contents("/proc/self/maps") + 73);
	EQUAL(open_("/mapped", O_WRONLY), sys_chmod(U("/mapped"), 0755) + 0);
	EQUAL(sys_close(0), 0);
	EQUAL(open_("/mapped", O_WRONLY), -ETXTBSY);
	EQUAL(sys_truncate(U("/mapped"), 0), -ETXTBSY);
	TRUE(same(link_text("/proc/self/exe"), "/mapped"));
	TRUE(same(contents("/proc/self/exe"), "some file"));
	TRUE(strstr(contents("/proc/self/status"), "VmRSS:\t       8 kB\nRssAnon:\t       4 kB\n"
						   "RssFile:\t       4 kB\n"));
	EQUAL(fields(contents("/proc/self/stat")), 52);
	by_number(process->pid, "/comm", path);
	TRUE(same(contents(path), "first\n"));
	TRUE(strncmp(contents("/proc/self/memtree"), "4 0x0 1 1 ", 10) == 0);
	TRUE(same(contents("/proc/sys/vm/fork_level"), "auto\n"));
	make("/proc/sys/vm/fork_level", "2\n");
	TRUE(fork_level_default == SHARE_PDS && same(contents("/proc/sys/vm/fork_level"), "2\n"));
	fd = open_("/proc/sys/vm/fork_level", O_RDWR);
	EQUAL(sys_write(fd, U("4"), 1), -EINVAL);
	EQUAL(sys_write(fd, U("autox"), 5), -EINVAL);
	EQUAL(sys_write(fd, U(path), 70), -EINVAL);
	EQUAL(sys_write(fd, BAD, 7), -EFAULT);
	EQUAL(sys_write(fd, U("auto"), 4), 4);
	EQUAL(sys_read(fd, BAD, 4), -EFAULT);
	EQUAL(sys_close(fd), 0);
	EQUAL(open_("/proc/meminfo", O_WRONLY), -EACCES);
	EQUAL(sys_unlink(U("/proc/meminfo")), -EPERM);
	EQUAL(sys_unlink(U("/proc/nothing")), -ENOENT);
	EQUAL(sys_access(U("/proc/99/status"), 0), -ENOENT);
	TRUE(strstr(contents("/proc/meminfo"), "MemTotal:") == contents("/proc/meminfo"));
	TRUE(strstr(contents("/proc/vmstat"), "heap_bytes "));
	TRUE(strstr(contents("/proc/mounts"), "proc /proc proc rw 0 0\n"));
	for (u32 i = 0; i < 4; i++)
		TRUE(strlen(contents((const char *[]) {"/proc/uptime", "/proc/loadavg",
						       "/proc/cpuinfo", "/proc/stat"}[i])) > 4);
	fd = open_("/proc", O_RDONLY);
	snprintf(word, sizeof(word), " vmstat %u ", process->pid);
	TRUE(strstr(names(fd, 100), word));
	EQUAL(sys_unlink(U("/mapped")), 0);
	TRUE(same(link_text("/proc/self/exe"), "/mapped (deleted)"));
	inode_put(process->exe);
	process->exe = NULL;
	EQUAL(sys_access(U("/proc/self/exe"), 0), -ENOENT);
	TRUE(strstr(contents("/proc/self/maps"), " /mapped (deleted)\n"));
	EQUAL(sys_close(fd), 0);
	mm_put(process->mm);
	process->mm = NULL;
}

void test_proc_fds(void)
{
	int dir, old;
	char word[64];

	open_pipe(0);
	dir = open_("/proc/self/fd", O_RDONLY);
	snprintf(word, sizeof(word), ". .. %d %d %d ", reader, writer, dir);
	TRUE(same(names(dir, 100), word));
	snprintf(word, sizeof(word), "/dev/fd/%d", reader);
	TRUE(strncmp(link_text(word), "pipe:[", 6) == 0);
	old = reader;
	reader = open_(word, O_RDONLY | O_NONBLOCK); /* another reading end */
	EQUAL(sys_close(old), 0);
	EQUAL(sys_write(writer, U("x"), 1), 1);
	EQUAL(sys_read(reader, U(word), 8), 1);
	EQUAL(sys_close(writer), 0);
	EQUAL(sys_close(reader), 0);
	EQUAL(sys_close(dir), 0);
}
