/* The scheduler: which thread runs where, and how it comes to wait. kernel/wait.h is the part that
 * others use. */
#pragma once

#include "kernel/process.h"

/* A thread that will enter start when it first runs; -ENOMEM in the form of NULL. Not yet
 * scheduled. */
struct thread *thread_create(struct process *process, void (*start)(void));

/* Ends a thread that never ran. */
void thread_destroy(struct thread *thread);

/* Lets a new thread run from now on. */
void sched_start(struct thread *thread);

/*
 * A thread's first act, and what it does whenever it is back: ends the switch that brought it here, lets the
 * scheduler's lock go, and frees the thread that this CPU has left for good, if it has. Interrupts off.
 */
void sched_arrive(void);

/* Gives way to others that are ready. Interrupts off or on. */
void sched_yield(void);

/*
 * Gives the current thread a new slice if its own is over or nearly so, once in each turn on the CPU. For a call that took long on
 * its behalf and has just made somebody ready: the caller sees its result first. Interrupts on or off.
 */
void sched_renew_slice(void);

/* Ends the current thread; its stack is freed by whoever runs next. */
_Noreturn void sched_exit(void);

/* Wakes a thread that sleeps so that a signal may end it; callable from interrupt handlers. */
void sched_interrupt(struct thread *thread);

/* The timer's interrupt, of a program or of the kernel, and another CPU's: look what there is to do. */
void sched_tick(bool in_program);
void sched_poke(void);

/* Makes a CPU's run queue and its idle thread; false when memory is out. */
bool scheduler_prepare(struct cpu *cpu);
/* The current CPU gives itself to the threads that are ready, for ever. */
_Noreturn void scheduler_enter(void);

/* Brings this CPU's address space and FS base in line with the current thread's, after exec changed
 * them. */
void sched_load_context(void);

/* Arms this CPU's clock anew: timers_due has changed. Callable from interrupt handlers. */
void sched_rearm(void);

/* Ready and running threads, for /proc/loadavg. */
u32 sched_runnable(void);

/* CPU time that a thread has used. */
u64 thread_cpu_ns(const struct thread *thread);
struct cpu_time thread_cpu_time(const struct thread *thread);
