/* Memory for one command line: user/sh/arena.h. A block is cut from its start; only the newest has
 * room left. */
#include "user/sh/arena.h"

#include <stdlib.h>
#include <string.h>

#include "user/lib/program.h"

#define BLOCK_SIZE 4096
#define ALIGNMENT  16

struct arena_block {
	struct arena_block *older;
	size_t used, size; /* of data */
	_Alignas(ALIGNMENT) char data[];
};

static struct arena_block *add_block(struct arena *arena, size_t bytes)
{
	size_t size = bytes > BLOCK_SIZE ? bytes : BLOCK_SIZE;
	struct arena_block *block = allocate(1, sizeof(*block) + size);

	*block = (struct arena_block) {.older = arena->blocks, .size = size};
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	struct arena_block *block = arena->blocks;

	bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!block || block->size - block->used < bytes) {
		block = add_block(arena, bytes);
	}
	void *memory = block->data + block->used;
	block->used += bytes;
	return memset(memory, 0, bytes);
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
	return memcpy(arena_alloc(arena, length + 1), text, length);
}

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;
		arena->blocks = block->older;
		free(block);
	}
}
