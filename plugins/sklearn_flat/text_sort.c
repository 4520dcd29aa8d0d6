/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "text_sort.h"

#include <stdlib.h>
#include <string.h>

/* Items that are sorted, or merged, between two questions whether to go on. */
#define BLOCK 16384

int flat_text_compare(sp_text a, sp_text b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;

    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int by_text(const void *a, const void *b)
{
    return flat_text_compare(*(const sp_text *)a, *(const sp_text *)b);
}

typedef struct sorting {
    size_t size;
    int32_t (*stops)(void *context);
    void *context;
    uint64_t done; /* items since the last question */
} sorting;

static int32_t go_on(sorting *s, uint64_t items)
{
    s->done += items;
    if (s->done < BLOCK)
        return 0;
    s->done = 0;
    return s->stops ? s->stops(s->context) : 0;
}

/* Two sorted neighbours, of left and right items, to one. */
static int32_t merge(sorting *s, const char *from, uint64_t left, uint64_t right, char *to)
{
    const char *a = from, *a_end = from + left * s->size;
    const char *b = a_end, *b_end = b + right * s->size;
    int32_t code = 0;

    while (!code && a < a_end && b < b_end) {
        const char **next = by_text(b, a) < 0 ? &b : &a;

        memcpy(to, *next, s->size);
        *next += s->size;
        to += s->size;
        code = go_on(s, 1);
    }
    if (a < a_end)
        memcpy(to, a, (size_t)(a_end - a));
    to += a_end - a;
    if (b < b_end)
        memcpy(to, b, (size_t)(b_end - b));
    return code;
}

/* Runs of that many items, sorted, to runs of twice as many in the other memory. */
static int32_t pass(sorting *s, const char *from, uint64_t count, uint64_t run, char *to)
{
    int32_t code = 0;

    for (uint64_t at = 0; at < count; at += 2 * run) {
        uint64_t left = count - at < run ? count - at : run;
        uint64_t right = count - at - left < run ? count - at - left : run;

        if (code)
            memcpy(to + at * s->size, from + at * s->size, (size_t)(left + right) * s->size);
        else
            code = merge(s, from + at * s->size, left, right, to + at * s->size);
    }
    return code;
}

static int32_t sort_long(sorting *s, char *items, uint64_t count, char *spare)
{
    char *from = items, *to = spare;
    int32_t code = 0;

    for (uint64_t at = 0; !code && at < count; at += BLOCK) {
        uint64_t run = count - at < BLOCK ? count - at : BLOCK;

        qsort(items + at * s->size, (size_t)run, s->size, by_text);
        code = go_on(s, run);
    }
    for (uint64_t run = BLOCK; !code && run < count; run *= 2) {
        char *other = from;

        code = pass(s, from, count, run, to);
        from = to;
        to = other;
    }
    if (from != items)
        memcpy(items, from, (size_t)count * s->size);
    return code;
}

int32_t flat_text_sort(void *items, uint64_t count, size_t size, int32_t (*stops)(void *context),
                       void *context)
{
    sorting s = {size, stops, context, 0};
    char *all = items, *spare;
    uint64_t i = 1;
    int32_t code = 0;

    while (i < count && by_text(all + (i - 1) * size, all + i * size) < 0)
        i++;
    if (i >= count)
        return 0;
    spare = count > BLOCK && count <= SIZE_MAX / size ? malloc((size_t)count * size) : NULL;
    /* without memory in one go */
    if (spare)
        code = sort_long(&s, all, count, spare);
    else
        qsort(all, (size_t)count, size, by_text);
    free(spare);
    return code;
}
