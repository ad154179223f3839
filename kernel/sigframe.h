/* What the kernel leaves on a program's stack when it has it run a signal handler, and takes back
 * after it. */
#pragma once

#include "kernel/signal.h"
#include "mm/types.h"

struct trapframe;

/*
 * Saves the program's state on its stack (or the alternate one) and makes frame enter the handler.
 * -EFAULT: there is no room, and nothing has changed. May sleep.
 */
int sigframe_push(struct trapframe *frame, const struct sigaction *action,
		  const struct siginfo *info);

/* rt_sigreturn(2): goes back to where the handler interrupted. -EFAULT: the frame is not there or
 * not sound. */
int sigframe_pop(struct trapframe *frame);
