/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

/* AddressSanitizer sees one big allocation: it is told what of it has been given out. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)0)
#endif

#define ALIGNMENT ((uint64_t)64)
#define CHUNK_BYTES ((uint64_t)1024)

/* A chunk begins with this; what it gives out lies behind it. */
struct sp_arena {
    struct sp_arena *next;
    uint64_t used; /* bytes from the start of the chunk */
    uint64_t size;
};

static void *chunk_take(sp_arena *chunk, uint64_t bytes)
{
    uintptr_t base = (uintptr_t)chunk;
    uint64_t at = ((base + chunk->used + ALIGNMENT - 1) & ~(ALIGNMENT - 1)) - base;

    if (at > chunk->size || bytes > chunk->size - at)
        return NULL;
    chunk->used = at + bytes;
    ASAN_UNPOISON_MEMORY_REGION((uint8_t *)chunk + at, bytes);
    return (uint8_t *)chunk + at;
}

void *sp_arena_alloc(sp_arena **arena, uint64_t bytes)
{
    void *memory = *arena ? chunk_take(*arena, bytes) : NULL;
    uint64_t size;
    sp_arena *chunk;

    if (memory)
        return memory;
    if (bytes > UINT64_MAX / 4)
        return NULL;
    size = sizeof *chunk + ALIGNMENT + bytes;
    if (size < CHUNK_BYTES)
        size = CHUNK_BYTES;
    /* calloc gets large chunks from the system already zeroed */
    chunk = calloc(1, size);
    if (!chunk)
        return NULL;
    chunk->size = size;
    chunk->used = sizeof *chunk;
    ASAN_POISON_MEMORY_REGION(chunk + 1, size - sizeof *chunk);
    memory = chunk_take(chunk, bytes);
    /* the chunk with the most room left stays in front */
    if (*arena && (*arena)->size - (*arena)->used > chunk->size - chunk->used) {
        chunk->next = (*arena)->next;
        (*arena)->next = chunk;
    } else {
        chunk->next = *arena;
        *arena = chunk;
    }
    return memory;
}

void *sp_arena_array(sp_arena **arena, uint64_t count, uint64_t size)
{
    return size && count > UINT64_MAX / size ? NULL : sp_arena_alloc(arena, count * size);
}

char *sp_arena_text(sp_arena **arena, const char *text, uint64_t size)
{
    char *copy = size == UINT64_MAX ? NULL : sp_arena_alloc(arena, size + 1);

    if (copy && size)
        memcpy(copy, text, size);
    return copy;
}

void sp_arena_free(sp_arena **arena)
{
    while (*arena) {
        sp_arena *next = (*arena)->next;

        free(*arena);
        *arena = next;
    }
}
