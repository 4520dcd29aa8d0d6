/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "column.h"

#include <string.h>

static const char *const type_names[] = {"text", "int64", "float64", "bool"};
static const char *const list_names[] = {"list<text>", "list<int64>", "list<float64>",
                                         "list<bool>"};

const char *sp_column_type_name(uint32_t type)
{
    uint32_t item = type & ~SP_LIST;

    if (item < SP_TEXT || item > SP_BOOL)
        return NULL;
    return type & SP_LIST ? list_names[item - SP_TEXT] : type_names[item - SP_TEXT];
}

uint32_t sp_column_type(const char *name, size_t size)
{
    for (uint32_t item = SP_TEXT; item <= SP_BOOL; item++) {
        const char *scalar = type_names[item - SP_TEXT];
        const char *list = list_names[item - SP_TEXT];

        if (size == strlen(scalar) && memcmp(name, scalar, size) == 0)
            return item;
        if (size == strlen(list) && memcmp(name, list, size) == 0)
            return item | SP_LIST;
    }
    return 0;
}
