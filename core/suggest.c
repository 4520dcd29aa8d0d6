/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "suggest.h"

#include <string.h>

#define MAX_NAME 64

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t sp_suggest_distance(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    size_t rows[3][MAX_NAME + 1];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];

    if (a_size > MAX_NAME || b_size > MAX_NAME)
        return (a_size > b_size ? a_size : b_size) + 1;
    for (size_t j = 0; j <= b_size; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *spare = before;

        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t changed = lower(a[i - 1]) != lower(b[j - 1]);

            row[j] = least(above[j - 1] + changed, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = spare;
    }
    return above[b_size];
}

const char *sp_suggest_nearest(const char *name, const char *const *known, size_t count)
{
    const char *nearest = NULL;
    /* A third of the letters: beyond that two names are just two names. */
    size_t limit = strlen(name) / 3 + 1;

    for (size_t i = 0; i < count; i++) {
        size_t distance = sp_suggest_distance(name, known[i]);

        if (distance <= limit && distance < strlen(known[i])) {
            nearest = known[i];
            if (distance == 0)
                break;
            limit = distance - 1;
        }
    }
    return nearest;
}

void sp_suggest_append_list(sp_buffer *buffer, const char *const *known, size_t count)
{
    if (!count)
        sp_buffer_append_text(buffer, "none");
    for (size_t i = 0; i < count; i++) {
        if (i)
            sp_buffer_append_text(buffer, ", ");
        sp_buffer_append_text(buffer, known[i]);
    }
}
