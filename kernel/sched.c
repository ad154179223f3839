/*
 * Round robin with slices of 10 ms. A thread is in exactly one place: running on a CPU, in a run
 * queue (READY), in a wait queue or the list of timed sleepers or both (SLEEPING), or dead and
 * about to be freed by the thread that the CPU switched to.
 *
 * Each CPU has a run queue. Who becomes ready goes into that of the CPU that made it so: two programs that
 * wake each other stay on one CPU, at no cost. Only when somebody waits there for OFFER_NS while another CPU
 * idles is that one poked, and takes it; and a CPU that runs out of work takes from the longest queue.
 *
 * sched_lock guards all of this. It is held across the switch from one thread to the next and let
 * go by the one that arrives (sched_arrive), so no other CPU can run a thread whose registers are
 * not saved yet.
 */
#include "kernel/sched.h"
#include "kernel/cpu/apic.h"
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/machine.h"
#include "kernel/cpu/smp.h"
#include "kernel/cpu/stack.h"
#include "kernel/cpu/switch.h"
#include "kernel/cpu/trap.h"
#include "kernel/lock.h"
#include "kernel/sigqueue.h"
#include "kernel/timer.h"
#include "kernel/watchdog.h"
#include "mm/errno.h"
#include "mm/heap.h"

#define SLICE_NS  10000000ul
#define NEARLY_NS 1000000ul    /* with so little left a slice is as good as over */
#define IDLE_NS   2500000000ul /* the watchdog wants a tick now and then */
#define OFFER_NS  200000ul     /* a thread that waits so long is offered to a CPU that idles */

static struct spinlock sched_lock = SPINLOCK(RANK_SCHEDULER);
/* guarded by sched_lock: */
static struct list timed_sleepers = {&timed_sleepers, &timed_sleepers}; /* the soonest first */
static u32 runnable;
static u64 idle_cpus; /* bit n: CPU n has nothing to run */

struct waitqueue poll_queue;

struct thread *thread_create(struct process *process, void (*start)(void))
{
	struct thread *thread = kmalloc(sizeof(*thread));

	if (!thread)
		return NULL;
	thread->stack = stack_alloc();
	thread->fpu = kmalloc(fpu_size);
	thread->process = process;
	list_init(&thread->sibling);
	list_init(&thread->by_tid);
	sigqueue_init(&thread->pending);
	list_init(&thread->sleeping);
	if (!thread->stack || !thread->fpu) {
		thread_destroy(thread);
		return NULL;
	}
	fpu_init_state(thread->fpu);
	thread_prepare_stack(thread, start);
	return thread;
}

void thread_destroy(struct thread *thread)
{
	if (thread->stack)
		stack_free(thread->stack);
	kfree(thread->fpu);
	kfree(thread);
}

/* locked: sched_lock */
static void arm_timer(struct cpu *cpu, u64 now)
{
	u64 next = cpu->thread == cpu->idle ? now + IDLE_NS : cpu->slice_end;

	next = MIN(next, __atomic_load_n(&timers_due, __ATOMIC_RELAXED));
	if (cpu->ready_count && idle_cpus)
		next = MIN(next, now + OFFER_NS);
	if (!list_empty(&timed_sleepers))
		next = MIN(next, list_first(&timed_sleepers, struct thread, sleeping)->wake_at);
	timer_arm(next > now ? next - now : 1);
}

/* Puts a ready thread at the end of the CPU's queue. locked: sched_lock */
static void enqueue(struct cpu *cpu, struct thread *thread)
{
	list_push_back(&cpu->ready, &thread->run);
	cpu->ready_count++;
	if (idle_cpus & ~CPU_BIT(cpu->number))
		arm_timer(cpu, clock_ns());
}

/* locked: sched_lock */
static struct thread *dequeue(struct cpu *cpu)
{
	struct thread *thread = list_first(&cpu->ready, struct thread, run);

	list_remove(&thread->run);
	cpu->ready_count--;
	return thread;
}

/* locked: sched_lock */
static void make_ready(struct thread *thread, int reason)
{
	thread->state = THREAD_READY;
	thread->wake_reason = reason;
	thread->wake_at = 0;
	list_remove(&thread->sleeping);
	enqueue(this_cpu(), thread);
	runnable++;
}

void sched_start(struct thread *thread)
{
	bool interrupts = spin_lock_irqsave(&sched_lock);

	make_ready(thread, 0);
	spin_unlock_irqrestore(&sched_lock, interrupts);
}

/* The CPU with the longest queue, or NULL when all are empty. locked: sched_lock */
static struct cpu *busiest(void)
{
	struct cpu *found = NULL;
	u32 most = 0;

	for (u32 i = 0; i < cpus_online; i++) {
		if (cpus[i].ready_count > most) {
			most = cpus[i].ready_count;
			found = &cpus[i];
		}
	}
	return found;
}

/* The next of its own queue, or else of the longest. locked: sched_lock */
static struct thread *take_next(struct cpu *cpu)
{
	struct cpu *from = cpu->ready_count ? cpu : busiest();

	return from ? dequeue(from) : cpu->idle;
}

void sched_load_context(void)
{
	struct thread *thread = current();

	wrmsr(MSR_FS_BASE, thread->fs_base);
	context_load_mm(thread->mm);
}

/* Makes next the thread of this CPU, all but its registers. locked: sched_lock */
static void install(struct cpu *cpu, struct thread *next)
{
	u64 now = clock_ns();

	cpu->thread->cpu_ns += now - cpu->thread->started_ns;
	next->started_ns = now;
	next->state = THREAD_RUNNING;
	next->cpu = cpu->number;
	cpu->thread = next;
	if (next == cpu->idle)
		idle_cpus |= CPU_BIT(cpu->number);
	else
		idle_cpus &= ~CPU_BIT(cpu->number);
	cpu->slice_end = now + SLICE_NS;
	cpu->slice_renewed = false;
	cpu_set_kernel_stack((u64)next->stack + STACK_SIZE);
	arm_timer(cpu, now);
}

/* Switches to the next ready thread; the current one is already where its state says. Back again, it
 * calls sched_arrive(). locked: sched_lock, interrupts off */
static void switch_away(void)
{
	struct cpu *cpu = this_cpu();
	struct thread *from = cpu->thread, *next = take_next(cpu);

	ASSERT(cpu->spinlocks == 1, "switch with %u spinlocks", cpu->spinlocks);
	cpu->need_resched = false;
	if (next == from) {
		from->state = THREAD_RUNNING;
		return;
	}
	cpu->dead = from->state == THREAD_DEAD ? from : NULL;
	install(cpu, next);
	fpu_save(from->fpu);
	fpu_restore(next->fpu);
	sched_load_context();
	switch_context(from, next);
}

void sched_arrive(void)
{
	struct cpu *cpu = this_cpu();
	struct thread *dead = cpu->dead;

	cpu->dead = NULL;
	spin_unlock(&sched_lock);
	if (dead) /* not under sched_lock, which interrupt handlers take: the heap's lock is outside it */
		thread_destroy(dead);
}

void sched_yield(void)
{
	bool interrupts = spin_lock_irqsave(&sched_lock);
	struct thread *thread = current();

	if (thread != this_cpu()->idle) {
		thread->state = THREAD_READY;
		enqueue(this_cpu(), thread);
	}
	switch_away();
	sched_arrive();
	interrupts_restore(interrupts);
}

void sched_renew_slice(void)
{
	struct cpu *cpu = this_cpu();
	bool interrupts = spin_lock_irqsave(&sched_lock);
	u64 now = clock_ns();

	if ((cpu->need_resched || cpu->slice_end < now + NEARLY_NS) && !cpu->slice_renewed) {
		cpu->need_resched = false;
		cpu->slice_renewed = true;
		cpu->slice_end = now + SLICE_NS;
	}
	spin_unlock_irqrestore(&sched_lock, interrupts);
}

void give_way(void)
{
	might_sleep();
	if (this_cpu()->need_resched)
		sched_yield();
}

_Noreturn void sched_exit(void)
{
	interrupts_off();
	spin_lock(&sched_lock);
	current()->state = THREAD_DEAD;
	runnable--;
	switch_away();
	panic("a dead thread ran");
}

/* locked: sched_lock */
static void add_timed_sleeper(struct thread *thread, u64 wake_at)
{
	struct list *place = &timed_sleepers;
	struct thread *other;

	list_for_each(other, &timed_sleepers, sleeping) {
		if (other->wake_at > wake_at) {
			place = &other->sleeping;
			break;
		}
	}
	thread->wake_at = wake_at;
	list_push_back(place, &thread->sleeping);
}

void wait_join(struct waitqueue *queue, struct waiter *waiter)
{
	*waiter = (struct waiter) {.thread = current()};
	if (!queue)
		return;

	bool interrupts = spin_lock_irqsave(&sched_lock);

	waiter->next = queue->first;
	waiter->link = &queue->first;
	if (waiter->next)
		waiter->next->link = &waiter->next;
	queue->first = waiter;
	spin_unlock_irqrestore(&sched_lock, interrupts);
}

void wait_leave(struct waiter *waiter)
{
	bool interrupts;

	if (!waiter->link)
		return;
	interrupts = spin_lock_irqsave(&sched_lock);
	*waiter->link = waiter->next;
	if (waiter->next)
		waiter->next->link = waiter->link;
	spin_unlock_irqrestore(&sched_lock, interrupts);
}

/* Puts the current thread to sleep, unless it has been woken or has a signal since it looked. What ended the
 * sleep; 0 when there was none. */
static int sleep_unless_woken(const struct waiter *waiter, bool interruptible, u64 deadline)
{
	struct thread *thread = waiter->thread;
	bool interrupts = spin_lock_irqsave(&sched_lock);

	if (waiter->woken || (interruptible && signal_pending())) {
		spin_unlock_irqrestore(&sched_lock, interrupts);
		return 0;
	}
	thread->state = THREAD_SLEEPING;
	thread->interruptible = interruptible;
	if (deadline)
		add_timed_sleeper(thread, deadline);
	runnable--;
	switch_away();
	sched_arrive();
	interrupts_restore(interrupts);
	return thread->wake_reason;
}

int wait_sleep(struct waiter *waiter, bool interruptible, u64 deadline)
{
	int reason;

	ASSERT(waiter->thread != this_cpu()->idle && this_cpu()->spinlocks == 0, "%u spinlocks",
	       this_cpu()->spinlocks);
	if (interruptible && signal_pending()) /* 0 after a stop: the condition may hold by now */
		return signal_ends_wait() ? -EINTR : 0;
	if (deadline && clock_ns() >= deadline)
		return -EAGAIN;
	reason = sleep_unless_woken(waiter, interruptible, deadline);
	return reason == -EINTR && !signal_ends_wait() ? 0 : reason;
}

void wake_all(struct waitqueue *queue)
{
	bool interrupts;

	interrupts = spin_lock_irqsave(&sched_lock);
	for (struct waiter *waiter = queue->first; waiter; waiter = waiter->next) {
		waiter->woken = true;
		if (waiter->thread->state == THREAD_SLEEPING)
			make_ready(waiter->thread, 0);
	}
	spin_unlock_irqrestore(&sched_lock, interrupts);
}

void sched_interrupt(struct thread *thread)
{
	bool interrupts = spin_lock_irqsave(&sched_lock);

	if (thread->state == THREAD_SLEEPING && thread->interruptible)
		make_ready(thread, -EINTR);
	else if (thread->state == THREAD_RUNNING && thread->cpu != this_cpu()->number)
		apic_send(cpus[thread->cpu].apic_id, VECTOR_RESCHEDULE); /* out of its program */
	spin_unlock_irqrestore(&sched_lock, interrupts);
}

/* Pokes an idle CPU if threads wait in this one's queue: it takes one. locked: sched_lock */
static void offer(const struct cpu *cpu)
{
	if (cpu->ready_count && idle_cpus)
		apic_send(cpus[__builtin_ctzl(idle_cpus)].apic_id, VECTOR_RESCHEDULE);
}

void sched_rearm(void)
{
	bool interrupts = spin_lock_irqsave(&sched_lock);

	arm_timer(this_cpu(), clock_ns());
	spin_unlock_irqrestore(&sched_lock, interrupts);
}

/* What a thread has run since it was last looked at counts for where it is found now. locked: sched_lock */
static void sample(struct thread *thread, bool in_program)
{
	u64 cpu_ns = thread_cpu_ns(thread);

	if (!in_program)
		thread->system_ns += cpu_ns - thread->sampled_ns;
	thread->sampled_ns = cpu_ns;
}

void sched_tick(bool in_program)
{
	struct cpu *cpu = this_cpu();
	u64 now = clock_ns();

	watchdog_tick(now);
	if (now >= timers_due)
		timers_expire(now);
	spin_lock(&sched_lock);
	while (!list_empty(&timed_sleepers)) {
		struct thread *first = list_first(&timed_sleepers, struct thread, sleeping);

		if (first->wake_at > now)
			break;
		make_ready(first, -EAGAIN);
		cpu->need_resched = true;
	}
	if (now >= cpu->slice_end) {
		sample(cpu->thread, in_program);
		cpu->need_resched = true;
		cpu->slice_end = now + SLICE_NS;
	}
	offer(cpu);
	arm_timer(cpu, now);
	spin_unlock(&sched_lock);
}

void sched_poke(void)
{
	struct cpu *cpu = this_cpu();

	if (cpu->thread == cpu->idle)
		cpu->need_resched = true;
}

u32 sched_runnable(void)
{
	return runnable;
}

u64 thread_cpu_ns(const struct thread *thread)
{
	u64 running = thread->state == THREAD_RUNNING ? clock_ns() - thread->started_ns : 0;

	return thread->cpu_ns + running;
}

struct cpu_time thread_cpu_time(const struct thread *thread)
{
	return (struct cpu_time) {thread_cpu_ns(thread), thread->system_ns,
				  thread->faults - MIN(thread->faults, thread->major_faults),
				  thread->major_faults};
}

/* The idle thread: halts until an interrupt makes somebody ready, here or so long elsewhere that it is
 * offered. SDM vol. 2, STI: the HLT comes before the interrupt. */
static _Noreturn void idle(void)
{
	for (;;) {
		interrupts_off();
		smp_stand_still();
		sched_yield();
		if (!this_cpu()->ready_count)
			asm volatile("sti; hlt" : : : "memory");
	}
}

bool scheduler_prepare(struct cpu *cpu)
{
	list_init(&cpu->ready);
	cpu->idle = thread_create(NULL, idle);
	return cpu->idle;
}

_Noreturn void scheduler_enter(void)
{
	struct cpu *cpu = this_cpu();

	interrupts_off();
	watchdog_excuse();
	(spin_lock)(&sched_lock);
	cpu->thread = cpu->idle;
	install(cpu, cpu->idle);
	(spin_unlock)(&sched_lock);
	/* The boot stack is left for good: the idle thread begins at the top of its own. */
	asm volatile("mov %0, %%rsp; xor %%ebp, %%ebp; push $0; jmp *%1"
		     :
		     : "r"((u64)cpu->idle->stack + STACK_SIZE), "r"(idle)
		     : "memory");
	__builtin_unreachable();
}
