/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "json_write.h"

#include <string.h>

/* What JSON wants escaped, and nothing else. */
static void escape_put(sp_buffer *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    size_t size = 2;

    /* of control characters Milvus 2.3 finds a field's name by these short forms alone */
    switch (c) {
    case '\n': text[1] = 'n'; break;
    case '\r': text[1] = 'r'; break;
    case '\t': text[1] = 't'; break;
    case '"': case '\\': text[1] = (char)c; break;
    default: size = sizeof text;
    }
    sp_buffer_append(out, text, size);
}

static inline int needs_escape(unsigned char c)
{
    return c < ' ' || c == '"' || c == '\\';
}

void plug_json_text(sp_buffer *out, const char *text, size_t size)
{
    size_t begin = 0;

    sp_buffer_append(out, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        if (!needs_escape((unsigned char)text[i]))
            continue;
        sp_buffer_append(out, text + begin, i - begin);
        escape_put(out, (unsigned char)text[i]);
        begin = i + 1;
    }
    if (size)
        sp_buffer_append(out, text + begin, size - begin);
    sp_buffer_append(out, "\"", 1);
}

void plug_json_string(sp_buffer *out, const char *text)
{
    plug_json_text(out, text, strlen(text));
}

void plug_json_bool(sp_buffer *out, int value)
{
    sp_buffer_append_text(out, value ? "true" : "false");
}

void plug_json_null(sp_buffer *out)
{
    sp_buffer_append(out, "null", 4);
}

void plug_json_comma(sp_buffer *out, int *is_first)
{
    if (!*is_first)
        sp_buffer_append(out, ",", 1);
    *is_first = 0;
}

void plug_json_key(sp_buffer *out, int *is_first, const char *name)
{
    plug_json_comma(out, is_first);
    plug_json_string(out, name);
    sp_buffer_append(out, ":", 1);
}

static void item_put(sp_buffer *out, const sp_column *column, uint64_t i)
{
    sp_text text;

    switch (column->type & ~SP_LIST) {
    case SP_TEXT:
        text = sp_column_text(column, i);
        plug_json_text(out, text.data, text.size);
        break;
    case SP_INT64: plug_json_int64(out, ((const int64_t *)column->values)[i]); break;
    case SP_FLOAT64: plug_json_double(out, ((const double *)column->values)[i]); break;
    default: plug_json_bool(out, ((const uint8_t *)column->values)[i]);
    }
}

void plug_json_cell(sp_buffer *out, int *is_first, const char *name, const sp_column *column,
                    uint64_t row)
{
    int is_first_item = 1;

    plug_json_key(out, is_first, name);
    if (!sp_column_is_valid(column, row)) {
        plug_json_null(out);
        return;
    }
    if (!(column->type & SP_LIST)) {
        item_put(out, column, row);
        return;
    }
    sp_buffer_append(out, "[", 1);
    for (int64_t i = column->list_offsets[row]; i < column->list_offsets[row + 1]; i++) {
        plug_json_comma(out, &is_first_item);
        item_put(out, column, (uint64_t)i);
    }
    sp_buffer_append(out, "]", 1);
}
