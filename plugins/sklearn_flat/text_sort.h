/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting texts, or what belongs to them: many of them take a while, so a call can end amid it. */
#ifndef FLAT_TEXT_SORT_H
#define FLAT_TEXT_SORT_H

#include <stddef.h>
#include <stdint.h>

#include "column.h"

int flat_text_compare(sp_text a, sp_text b);

/*
 * Sorts items of that size, each of which begins with an sp_text, bytewise by these. stops (NULL:
 * none) is asked between blocks of work; what it answers but 0 is answered, and then all items are
 * there, in any order.
 */
int32_t flat_text_sort(void *items, uint64_t count, size_t size, int32_t (*stops)(void *context),
                       void *context);

#endif
