/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "json_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void text_append(sp_buffer *out, const char *text, size_t size)
{
    size_t begin = 0;

    sp_buffer_append(out, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        sp_buffer_append(out, text + begin, i - begin);
        begin = i + 1;
        /* Milvus 2.3 finds fields by their names as they are written here */
        if (c == '\n' || c == '\r' || c == '\t')
            sp_buffer_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c < ' ')
            sp_buffer_printf(out, "\\u%04x", c);
        else
            sp_buffer_printf(out, "\\%c", c);
    }
    sp_buffer_append(out, text + begin, size - begin);
    sp_buffer_append(out, "\"", 1);
}

/* The shortest text that reads back as the same number, and never as an integer. */
static void double_append(sp_buffer *out, double value)
{
    char text[40];
    int is_whole = 1;

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    for (char *at = text; *at; at++) {
        size_t plain = strspn(at, "0123456789+-e");

        if (memchr(at, 'e', plain))
            is_whole = 0;
        sp_buffer_append(out, at, plain);
        at += plain;
        if (!*at)
            break;
        /* the program's locale may have another point, of several bytes */
        is_whole = 0;
        sp_buffer_append(out, ".", 1);
        at += strcspn(at, "0123456789") - 1;
    }
    if (is_whole)
        sp_buffer_append(out, ".0", 2);
}

static void item_append(sp_buffer *out, const sp_column *column, uint64_t i)
{
    switch (column->type & ~SP_LIST) {
    case SP_TEXT: {
        sp_text text = sp_column_text(column, i);

        text_append(out, text.data, text.size);
        break;
    }
    case SP_INT64:
        sp_buffer_printf(out, "%" PRId64, ((const int64_t *)column->values)[i]);
        break;
    case SP_FLOAT64:
        double_append(out, ((const double *)column->values)[i]);
        break;
    default:
        sp_buffer_append_text(out, ((const uint8_t *)column->values)[i] ? "true" : "false");
    }
}

void milvus_json_cell(sp_buffer *out, int *is_first, const char *name, const sp_column *column,
                      uint64_t row)
{
    if (!*is_first)
        sp_buffer_append(out, ",", 1);
    *is_first = 0;
    text_append(out, name, strlen(name));
    sp_buffer_append(out, ":", 1);
    if (!(column->type & SP_LIST)) {
        item_append(out, column, row);
        return;
    }
    sp_buffer_append(out, "[", 1);
    for (int64_t i = column->list_offsets[row]; i < column->list_offsets[row + 1]; i++) {
        if (i > column->list_offsets[row])
            sp_buffer_append(out, ",", 1);
        item_append(out, column, (uint64_t)i);
    }
    sp_buffer_append(out, "]", 1);
}
