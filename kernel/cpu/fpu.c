/*
 * FPU state, saved and loaded whole: with XSAVE where the CPU has it, else FXSAVE (SDM vol. 1, 13.7
 * and 10.5). Every area in use holds an image that the loading instruction accepts.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/fpu.h"

size_t fpu_size;

static u64 features; /* state components that XSAVE handles here; 0: there is no XSAVE */

#define CR0_MP (1ul << 1)
#define CR0_EM (1ul << 2)
#define CR0_TS (1ul << 3)
#define CR0_NE (1ul << 5)

#define CR4_OSFXSR     (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_OSXSAVE    (1ul << 18)

#define CPUID_1_ECX_XSAVE (1u << 26)

/* State components: SDM vol. 1, 13.1. */
#define XSTATE_X87_SSE 0x3ul
#define XSTATE_AVX     0x4ul
#define XSTATE_AVX512  0xe0ul

/* The legacy region, which both forms begin with: SDM vol. 1, table 10-2. */
struct fxsave {
	u16 control; /* x87 control word */
	u8 unused0[22];
	u32 mxcsr;
	u8 unused1[484];
};
_Static_assert(sizeof(struct fxsave) == 512 && offsetof(struct fxsave, mxcsr) == 24, "SDM");

#define CONTROL_INITIAL 0x37f  /* as FNINIT leaves it */
#define MXCSR_INITIAL   0x1f80 /* all exceptions masked */
#define MXCSR_VALID     0xffffu
#define XSAVE_HEADER    64 /* bytes after the legacy region: SDM vol. 1, 13.4.2 */

static void set_control_registers(bool xsave)
{
	u64 cr0, cr4;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	cr0 = (cr0 | CR0_MP | CR0_NE) & ~(CR0_EM | CR0_TS);
	asm volatile("mov %0, %%cr0" : : "r"(cr0));
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT | (xsave ? CR4_OSXSAVE : 0);
	asm volatile("mov %0, %%cr4" : : "r"(cr4));
}

/* The components to enable: x87 and SSE always, AVX-512 only as a whole and on top of AVX. */
static u64 choose_features(void)
{
	u32 out[4];
	u64 offered, chosen = XSTATE_X87_SSE;

	cpuid(0xd, 0, out);
	offered = (u64)out[3] << 32 | out[0];
	if (offered & XSTATE_AVX) {
		chosen |= XSTATE_AVX;
		if ((offered & XSTATE_AVX512) == XSTATE_AVX512)
			chosen |= XSTATE_AVX512;
	}
	return chosen;
}

static size_t power_of_two(size_t bytes)
{
	size_t size = 512;

	while (size < bytes)
		size *= 2;
	return size;
}

/* Lets XSAVE handle the chosen components on this CPU. */
static void enable_features(void)
{
	asm volatile("xsetbv" : : "c"(0), "a"((u32)features), "d"((u32)(features >> 32)));
}

void fpu_init_other(void)
{
	set_control_registers(features);
	if (features)
		enable_features();
}

void fpu_init(void)
{
	u32 out[4];
	bool xsave;

	cpuid(1, 0, out);
	xsave = out[2] & CPUID_1_ECX_XSAVE;
	set_control_registers(xsave);
	fpu_size = sizeof(struct fxsave);
	if (!xsave)
		return;
	features = choose_features();
	enable_features();
	cpuid(0xd, 0, out);
	fpu_size = power_of_two(out[1]);
	ASSERT(fpu_size <= PAGE_SIZE, "XSAVE wants %u bytes", out[1]);
}

void fpu_init_state(void *area)
{
	struct fxsave *fxsave = area;

	/* With XSAVE, a header of zeroes says that all else is in its initial state. */
	fxsave->control = CONTROL_INITIAL;
	fxsave->mxcsr = MXCSR_INITIAL;
}

void fpu_save(void *area)
{
	if (features)
		asm volatile("xsave64 (%0)"
			     :
			     : "r"(area), "a"((u32)features), "d"((u32)(features >> 32))
			     : "memory");
	else
		asm volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_restore(const void *area)
{
	if (features)
		asm volatile("xrstor64 (%0)"
			     :
			     : "r"(area), "a"((u32)features), "d"((u32)(features >> 32))
			     : "memory");
	else
		asm volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

void fpu_sanitize(void *area)
{
	struct fxsave *fxsave = area;
	u64 *header = (u64 *)((u8 *)area + sizeof(*fxsave));

	fxsave->mxcsr &= MXCSR_VALID;
	if (!features)
		return;
	header[0] &= features; /* XSTATE_BV */
	memset(&header[1], 0, XSAVE_HEADER - sizeof(u64));
}
