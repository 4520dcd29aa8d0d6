/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "filter_match.h"

int sp_pattern_init(sp_pattern *pattern, sp_text text)
{
    uint16_t last = 0;
    int item;

    memset(pattern, 0, sizeof *pattern);
    pattern->items = malloc((text.size + 1) * sizeof *pattern->items);
    pattern->prefix = malloc(text.size + 1);
    if (!pattern->items || !pattern->prefix) {
        sp_pattern_clear(pattern);
        return -1;
    }
    while ((item = sp_pattern_next(&text)) != SP_PATTERN_END) {
        if (item != SP_PATTERN_MANY)
            pattern->least++;
        if (item < SP_PATTERN_ONE && !pattern->count)
            pattern->prefix[pattern->prefix_size++] = (char)item;
        else if (item != SP_PATTERN_MANY || last != SP_PATTERN_MANY || !pattern->count)
            pattern->items[pattern->count++] = (uint16_t)item;
        last = (uint16_t)item;
    }
    return 0;
}

void sp_pattern_clear(sp_pattern *pattern)
{
    free(pattern->items);
    free(pattern->prefix);
    memset(pattern, 0, sizeof *pattern);
}

/* Behind the character at i. */
static size_t next_character(sp_text text, size_t i)
{
    i++;
    while (i < text.size && ((uint8_t)text.data[i] & 0xc0) == 0x80)
        i++;
    return i;
}

/* Where from t on the item at p can begin to match; behind the text if nowhere. */
static size_t seek(const sp_pattern *pattern, uint32_t p, sp_text text, size_t t)
{
    const char *found;

    if (t >= text.size || pattern->items[p] >= SP_PATTERN_ONE)
        return t;
    found = memchr(text.data + t, pattern->items[p], text.size - t);
    return found ? (size_t)(found - text.data) : text.size;
}

int sp_pattern_matches(const sp_pattern *pattern, sp_text text)
{
    uint32_t p = 0;
    size_t t = pattern->prefix_size;
    uint32_t retry_p = UINT32_MAX; /* behind the last _MANY */
    size_t retry_t = 0;            /* where that one's text ends so far */

    if (text.size < pattern->least || (t && memcmp(text.data, pattern->prefix, t) != 0))
        return 0;
    /* When a part fails, only the _MANY before it can give way: earlier ones need not. */
    for (;;) {
        if (p < pattern->count && pattern->items[p] == SP_PATTERN_MANY) {
            retry_p = ++p;
            if (p == pattern->count)
                return 1;
            t = seek(pattern, p, text, t);
            retry_t = t;
        } else if (p < pattern->count && t < text.size && pattern->items[p] == SP_PATTERN_ONE) {
            p++;
            t = next_character(text, t);
        } else if (p < pattern->count && t < text.size &&
                   pattern->items[p] == (uint8_t)text.data[t]) {
            p++;
            t++;
        } else if (p == pattern->count && t == text.size) {
            return 1;
        } else if (retry_p != UINT32_MAX && retry_t < text.size) {
            p = retry_p;
            t = seek(pattern, p, text, retry_t + 1);
            retry_t = t;
        } else {
            return 0;
        }
    }
}
