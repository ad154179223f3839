/* Descriptors that stand for processes: pidfd_open(2). */
#pragma once

struct process;

/* The process that an open descriptor stands for, with a ref, the caller's; NULL: it stands for none. */
struct process *pidfd_process(int fd);
