/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "filter.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter_words.h"

/* With \ before quote, and escapes for what a terminal or an editor would not show. */
static void print_quoted(sp_text text, char quote, sp_buffer *buffer)
{
    size_t done = 0;

    sp_buffer_append(buffer, &quote, 1);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = (uint8_t)text.data[i];

        if (c >= 0x20 && c != 0x7f && c != '\\' && c != (uint8_t)quote)
            continue;
        sp_buffer_append(buffer, text.data + done, i - done);
        done = i + 1;
        switch (c) {
        case '\n': sp_buffer_append_text(buffer, "\\n"); break;
        case '\r': sp_buffer_append_text(buffer, "\\r"); break;
        case '\t': sp_buffer_append_text(buffer, "\\t"); break;
        default:
            if (c == '\\' || c == (uint8_t)quote)
                sp_buffer_printf(buffer, "\\%c", c);
            else
                sp_buffer_printf(buffer, "\\u%04x", (unsigned)c);
        }
    }
    if (text.size > done)
        sp_buffer_append(buffer, text.data + done, text.size - done);
    sp_buffer_append(buffer, &quote, 1);
}

static void print_name(sp_text name, sp_buffer *buffer)
{
    if (sp_filter_name_is_plain(name))
        sp_buffer_append(buffer, name.data, name.size);
    else
        print_quoted(name, '`', buffer);
}

/* The shortest text that reads back as the same number, and as a float. */
static void print_float(double number, sp_buffer *buffer)
{
    char text[40];
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before;

    if (!plain) {
        buffer->failed = 1;
        return;
    }
    /* The program's locale may write a comma. */
    before = uselocale(plain);
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text - 2, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    uselocale(before);
    freelocale(plain);
    if (!strpbrk(text, ".e"))
        strcat(text, ".0");
    sp_buffer_append_text(buffer, text);
}

static void print_value(const sp_filter_value *value, sp_buffer *buffer)
{
    switch (value->type) {
    case SP_TEXT: print_quoted(value->as.text, '"', buffer); break;
    case SP_INT64: sp_buffer_printf(buffer, "%" PRId64, value->as.int64); break;
    case SP_FLOAT64: print_float(value->as.float64, buffer); break;
    default: sp_buffer_append_text(buffer, value->as.boolean ? "true" : "false"); break;
    }
}

static void print_list(const sp_filter_node *leaf, sp_buffer *buffer)
{
    sp_buffer_append_text(buffer, "[");
    for (uint32_t i = 0; i < leaf->value_count; i++) {
        if (i)
            sp_buffer_append_text(buffer, ", ");
        print_value(&leaf->values[i], buffer);
    }
    sp_buffer_append_text(buffer, "]");
}

static void print_leaf(const sp_filter *filter, const sp_filter_node *leaf, sp_buffer *buffer)
{
    sp_text field = filter->fields[leaf->field];

    switch (leaf->kind) {
    case SP_FILTER_EXISTS:
        sp_buffer_append_text(buffer, leaf->negated ? "not exists " : "exists ");
        print_name(field, buffer);
        break;
    case SP_FILTER_CONTAINS:
    case SP_FILTER_CONTAINS_ANY:
    case SP_FILTER_CONTAINS_ALL:
        sp_buffer_printf(buffer, "%s(", sp_filter_kind_name(leaf->kind, leaf->negated));
        print_name(field, buffer);
        sp_buffer_append_text(buffer, ", ");
        if (leaf->kind == SP_FILTER_CONTAINS)
            print_value(leaf->values, buffer);
        else
            print_list(leaf, buffer);
        sp_buffer_append_text(buffer, ")");
        break;
    case SP_FILTER_LT:
    case SP_FILTER_LE:
    case SP_FILTER_GT:
    case SP_FILTER_GE:
        if (leaf->negated)
            sp_buffer_append_text(buffer, "not ");
        print_name(field, buffer);
        sp_buffer_printf(buffer, " %s ", sp_filter_kind_name(leaf->kind, 0));
        print_value(leaf->values, buffer);
        break;
    default:
        print_name(field, buffer);
        sp_buffer_printf(buffer, " %s ", sp_filter_kind_name(leaf->kind, leaf->negated));
        if (leaf->kind == SP_FILTER_IN)
            print_list(leaf, buffer);
        else
            print_value(leaf->values, buffer);
        break;
    }
}

static void print_node(const sp_filter *filter, uint32_t index, sp_buffer *buffer)
{
    const sp_filter_node *node = &filter->nodes[index];

    if (node->kind == SP_FILTER_CONST) {
        sp_buffer_append_text(buffer, node->truth ? "true" : "false");
        return;
    }
    if (node->kind >= SP_FILTER_EQ) {
        print_leaf(filter, node, buffer);
        return;
    }
    for (uint32_t child = index + 1; child < node->end; child = filter->nodes[child].end) {
        int is_group = filter->nodes[child].kind < SP_FILTER_EQ;

        if (child > index + 1)
            sp_buffer_printf(buffer, " %s ", sp_filter_kind_name(node->kind, 0));
        if (is_group)
            sp_buffer_append_text(buffer, "(");
        print_node(filter, child, buffer);
        if (is_group)
            sp_buffer_append_text(buffer, ")");
    }
}

void sp_filter_print(const sp_filter *filter, sp_buffer *buffer)
{
    print_node(filter, 0, buffer);
}
