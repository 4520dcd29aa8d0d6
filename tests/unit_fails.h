/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations that fail: link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc, so that
 * these stand in the place of the allocators in our own objects.
 */
#ifndef SP_TESTS_UNIT_FAILS_H
#define SP_TESTS_UNIT_FAILS_H

#include <errno.h>
#include <stddef.h>

static long unit_allocations = -1; /* until one fails; below 0: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static inline int unit_fails(void)
{
    if (unit_allocations < 0 || unit_allocations-- > 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return unit_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return unit_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return unit_fails() ? NULL : __real_realloc(old, size);
}

#endif
