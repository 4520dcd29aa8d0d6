/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given back all at once: behind each reply, and for the work of one call. */
#ifndef SP_ARENA_H
#define SP_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct sp_arena sp_arena;

/* bytes of zeroed memory aligned to 64; *arena is made by the first call. NULL: no memory. */
void *sp_arena_alloc(sp_arena **arena, uint64_t bytes);
/* count x size of it, with the product checked. */
void *sp_arena_array(sp_arena **arena, uint64_t count, uint64_t size);
/* A zero-terminated copy. */
char *sp_arena_text(sp_arena **arena, const char *text, uint64_t size);
void sp_arena_free(sp_arena **arena);

#endif
