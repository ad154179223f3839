/*
 * A ChaCha20 key stream, one block at a time; the first half of each request's first block is the next request's key and
 * is given to nobody, so what was given out cannot be computed from the state later.
 */
#include "kernel/random.h"
#include "kernel/cpu/cpu.h"
#include "mm/machine.h"

#define BLOCK_WORDS 16
#define KEY_WORDS   8
#define ROUNDS      20

static struct spinlock lock = SPINLOCK(RANK_RANDOM);
/* guarded by lock: */
static u32 key[KEY_WORDS];
static u64 counter;
static bool seeded;

static u32 rotate(u32 x, u32 by)
{
	return x << by | x >> (32 - by);
}

static void quarter_round(u32 *x, u32 a, u32 b, u32 c, u32 d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

/* The next block of the key stream. locked: lock */
static void next_block(u32 out[BLOCK_WORDS])
{
	u32 in[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

	memcpy(&in[4], key, sizeof(key));
	in[12] = (u32)counter;
	in[13] = (u32)(counter >> 32);
	counter++;
	memcpy(out, in, sizeof(in));
	for (u32 i = 0; i < ROUNDS; i += 2) {
		quarter_round(out, 0, 4, 8, 12);
		quarter_round(out, 1, 5, 9, 13);
		quarter_round(out, 2, 6, 10, 14);
		quarter_round(out, 3, 7, 11, 15);
		quarter_round(out, 0, 5, 10, 15);
		quarter_round(out, 1, 6, 11, 12);
		quarter_round(out, 2, 7, 8, 13);
		quarter_round(out, 3, 4, 9, 14);
	}
	for (u32 i = 0; i < BLOCK_WORDS; i++)
		out[i] += in[i];
}

/* 64 bits from RDRAND (CPUID leaf 1, ECX bit 30), or 0. */
static u64 rdrand(void)
{
	u32 leaf[4];
	u64 value = 0;

	cpuid(1, 0, leaf);
	if (leaf[2] >> 30 & 1)
		asm volatile("rdrand %0" : "+r"(value) : : "cc");
	return value;
}

/* Mixes the counter, and RDRAND the first time, into the key. locked: lock */
static void stir(void)
{
	u64 now = rdtsc();

	key[0] ^= (u32)now;
	key[1] ^= (u32)(now >> 32);
	for (u32 i = 2; i < KEY_WORDS && !seeded; i += 2) {
		u64 value = rdrand();

		key[i] ^= (u32)value;
		key[i + 1] ^= (u32)(value >> 32);
	}
	seeded = true;
}

void random_bytes(void *to, size_t bytes)
{
	u32 block[BLOCK_WORDS], next_key[KEY_WORDS];
	u8 *at = to, *from = (u8 *)&block[KEY_WORDS];

	spin_lock(&lock);
	stir();
	next_block(block);
	memcpy(next_key, block, sizeof(next_key));
	while (bytes) {
		size_t part = MIN(bytes, (size_t)((u8 *)&block[BLOCK_WORDS] - from));

		memcpy(at, from, part);
		at += part;
		bytes -= part;
		from = (u8 *)block;
		if (bytes)
			next_block(block);
	}
	memcpy(key, next_key, sizeof(key));
	spin_unlock(&lock);
}
