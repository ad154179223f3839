/* Reading /proc: lists of processes, and files made of "name value" lines. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "user/lib/text.h"

/* Where /proc is; a program may point it at a copy for a test. */
extern const char *proc_root;

/* All process ids in ascending order, to *pids, which the caller frees; their number, or -1 and
 * errno. */
int proc_list(pid_t **pids);

/* Reads proc_root/PID/name (pid 0: proc_root/name) and adds it to *text; false and errno on
 * failure. */
bool proc_read(pid_t pid, const char *name, struct text *text);

/* Finds the line of key ("MemFree") in text and reads the number after it and a ':' if there is
 * one. */
bool proc_value(const char *text, const char *key, unsigned long *value);

/* The process's name to name[size], "?" when it has gone. */
void proc_name(pid_t pid, char *name, size_t size);
