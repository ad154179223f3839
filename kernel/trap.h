/* The way back to a program. */
#pragma once

struct trapframe;

/*
 * The last thing before the program goes on: gives way when its slice is over, and handles its
 * signals. Interrupts are off, also afterwards. May sleep, and does not return if a signal ends the
 * process.
 */
void trap_exit_to_user(struct trapframe *frame);
