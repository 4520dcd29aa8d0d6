/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "filter.h"

#include <stdlib.h>
#include <string.h>

void sp_filter_free(sp_filter *filter)
{
    free(filter);
}

static int text_equal(sp_text a, sp_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static int value_equal(const sp_filter_value *a, const sp_filter_value *b)
{
    if (a->type != b->type)
        return 0;
    switch (a->type) {
    case SP_TEXT: return text_equal(a->as.text, b->as.text);
    case SP_INT64: return a->as.int64 == b->as.int64;
    /* by bits, so that 0.0 and -0.0 differ */
    case SP_FLOAT64: return memcmp(&a->as.float64, &b->as.float64, sizeof(double)) == 0;
    default: return !a->as.boolean == !b->as.boolean;
    }
}

int sp_filter_equal(const sp_filter *a, const sp_filter *b)
{
    if (a->node_count != b->node_count || a->field_count != b->field_count)
        return 0;
    for (uint32_t i = 0; i < a->field_count; i++)
        if (!text_equal(a->fields[i], b->fields[i]))
            return 0;
    for (uint32_t i = 0; i < a->node_count; i++) {
        const sp_filter_node *x = &a->nodes[i];
        const sp_filter_node *y = &b->nodes[i];

        if (x->kind != y->kind || x->negated != y->negated || x->truth != y->truth ||
            x->field != y->field || x->end != y->end || x->value_count != y->value_count)
            return 0;
        for (uint32_t v = 0; v < x->value_count; v++)
            if (!value_equal(&x->values[v], &y->values[v]))
                return 0;
    }
    return 1;
}

const char *sp_filter_kind_name(uint32_t kind, int negated)
{
    static const char *const names[SP_FILTER_KINDS][2] = {
        {"true", "false"},
        {"and", "not and"},
        {"or", "not or"},
        {"==", "!="},
        {"<", "not <"},
        {"<=", "not <="},
        {">", "not >"},
        {">=", "not >="},
        {"in", "not in"},
        {"like", "not like"},
        {"exists", "not exists"},
        {"array_contains", "not array_contains"},
        {"array_contains_any", "not array_contains_any"},
        {"array_contains_all", "not array_contains_all"},
    };

    return kind < SP_FILTER_KINDS ? names[kind][negated != 0] : "";
}

/* ---- patterns ------------------------------------------------------------------------- */

int sp_pattern_next(sp_text *pattern)
{
    uint8_t c;

    if (!pattern->size)
        return SP_PATTERN_END;
    c = (uint8_t)*pattern->data++;
    pattern->size--;
    if (c == '%')
        return SP_PATTERN_MANY;
    if (c == '_')
        return SP_PATTERN_ONE;
    if (c != '\\')
        return c;
    if (!pattern->size || !strchr("%_\\", *pattern->data) || !*pattern->data)
        return SP_PATTERN_BAD;
    c = (uint8_t)*pattern->data++;
    pattern->size--;
    return c;
}

int sp_pattern_is_prefix(sp_text pattern)
{
    int item;

    while ((item = sp_pattern_next(&pattern)) < SP_PATTERN_ONE)
        if (item == SP_PATTERN_END)
            return 0;
    return item == SP_PATTERN_MANY && pattern.size == 0;
}
