/* SPDX-License-Identifier: Apache-2.0 */
/* What a misspelt name was probably meant to be. */
#ifndef SP_SUGGEST_H
#define SP_SUGGEST_H

#include <stddef.h>

#include "buffer.h"

/*
 * The number of letters to insert, delete, replace or swap with their neighbour that
 * turns one name into the other, ASCII case aside; more than the longer name has where one
 * is longer than 64 bytes.
 */
size_t sp_suggest_distance(const char *a, const char *b);

/* The one of count names nearest to name, NULL if none is near enough to be meant. */
const char *sp_suggest_nearest(const char *name, const char *const *known, size_t count);

/* Appends "a, b, c" ("none" for no name). */
void sp_suggest_append_list(sp_buffer *buffer, const char *const *known, size_t count);

#endif
