/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of docs/filters.md as Milvus' expressions, each leaf with its two-valued meaning.
 * Types that are known are used first, so that nothing is compared that servers refuse to
 * compare, or compare each in its own way.
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "expr.h"
#include "instance.h"
#include "known.h"
#include "zeros.h"

/* What the leaf's field is, for the server. */
typedef struct target {
    sp_text name;
    const milvus_field *field; /* of the schema; NULL: a dynamic one */
    int is_plain;              /* an identifier: it can stand as it is */
    uint32_t type;             /* of its values, as type_of says */
} target;

typedef struct printer {
    milvus_call *call;
    const sp_filter *filter;
    const plug_seen *seen;
    sp_buffer out;
} printer;

/* ---- types ------------------------------------------------------------------------------ */

static const milvus_field *schema_field(const milvus_schema *schema, sp_text name)
{
    for (uint64_t i = 0; i < schema->field_count; i++)
        if (strlen(schema->fields[i].name) == name.size &&
            memcmp(schema->fields[i].name, name.data, name.size) == 0)
            return &schema->fields[i];
    return NULL;
}

/* What points show of it: fields that are none of theirs are missing. */
static uint32_t type_of(void *context, sp_text name)
{
    const printer *p = context;
    const milvus_schema *schema = p->call->schema;
    const milvus_field *field = schema_field(schema, name);

    if (memchr(name.data, 0, name.size) ||
        (name.size == strlen(MILVUS_ZERO_MARK) &&
         memcmp(name.data, MILVUS_ZERO_MARK, name.size) == 0))
        return 0;
    if (field)
        return milvus_field_is_shown(schema, field->name) && field->type != MILVUS_JSON
                   ? milvus_field_column(field)
                   : 0;
    for (uint64_t i = 0; i < schema->declared_count; i++)
        if (strlen(schema->declared[i].name) == name.size &&
            memcmp(schema->declared[i].name, name.data, name.size) == 0)
            return (uint32_t)schema->declared[i].type;
    for (uint64_t i = 0; i < p->seen->count; i++)
        if (strlen(p->seen->names[i]) == name.size &&
            memcmp(p->seen->names[i], name.data, name.size) == 0)
            return p->seen->types[i];
    return schema->has_dynamic ? SP_FILTER_UNKNOWN_TYPE : 0;
}

/* ---- names ------------------------------------------------------------------------------ */

static int is_word_byte(char c, int is_first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!is_first && c >= '0' && c <= '9');
}

static int is_identifier(sp_text name)
{
    static const char *const reserved[] = {"and", "or", "not", "in", "like", "exists", "true",
                                           "false", "is", "null"};

    for (size_t i = 0; i < name.size; i++)
        if (!is_word_byte(name.data[i], i == 0))
            return 0;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strlen(reserved[i]) == name.size &&
            strncasecmp(reserved[i], name.data, name.size) == 0)
            return 0;
    /* names of functions */
    return name.size && !(name.size > 5 && (strncasecmp(name.data, "json_", 5) == 0 ||
                                            strncasecmp(name.data, "array_", 6) == 0));
}

static target target_of(const printer *p, const sp_filter_node *leaf)
{
    target t = {.name = p->filter->fields[leaf->field]};

    t.field = schema_field(p->call->schema, t.name);
    t.is_plain = t.field || is_identifier(t.name);
    t.type = type_of((void *)(uintptr_t)p, t.name);
    return t;
}

static void name_put(printer *p, const target *t)
{
    sp_text key;

    if (t->is_plain) {
        sp_buffer_append(&p->out, t->name.data, t->name.size);
        return;
    }
    sp_buffer_append_text(&p->out, MILVUS_DYNAMIC "[");
    key.data = milvus_dynamic_key(&p->call->base, t->name.data, t->name.size);
    key.size = key.data ? strlen(key.data) : 0;
    p->out.failed |= !key.data;
    milvus_expr_text(&p->out, key);
    sp_buffer_append(&p->out, "]", 1);
}

/* ---- constants ---------------------------------------------------------------------------- */

static void constant_put(printer *p, int truth)
{
    const milvus_field *key = p->call->schema->key;

    if (!truth)
        sp_buffer_printf(&p->out, "%s in []", key->name);
    else if (key->type == MILVUS_INT64)
        sp_buffer_printf(&p->out, "%s <= 9223372036854775807", key->name);
    else
        sp_buffer_printf(&p->out, "%s >= \"\"", key->name);
}

/* ---- comparisons ---------------------------------------------------------------------------- */

static const char *operator_of(uint8_t kind)
{
    switch (kind) {
    case SP_FILTER_LT: return "<";
    case SP_FILTER_LE: return "<=";
    case SP_FILTER_GT: return ">";
    case SP_FILTER_GE: return ">=";
    default: return "==";
    }
}

/* Digits that every server reads back as the same number; the point is a point in any locale. */
static void double_put(printer *p, double value)
{
    const char *begin;
    char digits[40];

    snprintf(digits, sizeof digits, "%.17e", value);
    begin = digits + (*digits == '-') + 1;
    sp_buffer_append(&p->out, digits, (size_t)(begin - digits));
    sp_buffer_append(&p->out, ".", 1);
    /* the locale's point may have several bytes */
    sp_buffer_append_text(&p->out, begin + strcspn(begin, "0123456789"));
}

static void compare_put(printer *p, const target *t, const char *operator)
{
    name_put(p, t);
    sp_buffer_printf(&p->out, " %s ", operator);
}

static void exists_put(printer *p, const target *t)
{
    if (t->field && t->field->nullable) {
        name_put(p, t);
        sp_buffer_append_text(&p->out, " is not null");
    } else if (t->field) {
        constant_put(p, 1);
    } else {
        sp_buffer_append_text(&p->out, "exists ");
        name_put(p, t);
    }
}

/*
 * The smallest integer is none in Milvus' language, where a minus stands apart. Beside
 * integers none is needed, and Milvus Lite compares large ones with no float.
 */
static void smallest_put(printer *p, const target *t, uint8_t kind)
{
    int is_integer = t->type == SP_INT64;

    if (kind == SP_FILTER_GT || kind == SP_FILTER_LE) {
        compare_put(p, t, kind == SP_FILTER_GT ? ">=" : "<");
        sp_buffer_printf(&p->out, "%" PRId64, INT64_MIN + 1);
    } else if (kind == SP_FILTER_EQ && is_integer) {
        smallest_put(p, t, SP_FILTER_LE);
    } else if (kind == SP_FILTER_EQ) {
        sp_buffer_append(&p->out, "(", 1);
        smallest_put(p, t, SP_FILTER_LE);
        sp_buffer_append_text(&p->out, " and ");
        smallest_put(p, t, SP_FILTER_GE);
        sp_buffer_append(&p->out, ")", 1);
    } else if (is_integer && kind == SP_FILTER_LT) {
        constant_put(p, 0);
    } else if (is_integer) {
        exists_put(p, t);
    } else {
        compare_put(p, t, operator_of(kind));
        double_put(p, (double)INT64_MIN);
    }
}

/* A fraction beside a field of integers: the same condition without one. */
static void fraction_put(printer *p, const target *t, uint8_t kind, double value)
{
    double whole = kind == SP_FILTER_LT || kind == SP_FILTER_GE ? ceil(value) : floor(value);

    if (kind == SP_FILTER_EQ && whole != value) {
        constant_put(p, 0);
    } else if (whole == (double)INT64_MIN) {
        smallest_put(p, t, kind);
    } else if (fabs(whole) >= 9223372036854775808.0) {
        /* beyond all integers: every value, or none */
        if (whole > 0 ? kind == SP_FILTER_LT || kind == SP_FILTER_LE
                      : kind == SP_FILTER_GT || kind == SP_FILTER_GE)
            exists_put(p, t);
        else
            constant_put(p, 0);
    } else {
        compare_put(p, t, operator_of(kind));
        sp_buffer_printf(&p->out, "%" PRId64, (int64_t)whole);
    }
}

/* An integer that no double is, beside doubles: the nearest one, from the right side. */
static void between_put(printer *p, const target *t, uint8_t kind, int64_t value)
{
    double nearest = (double)value;
    int is_above = nearest >= 9223372036854775808.0 || (int64_t)nearest > value;

    if (kind == SP_FILTER_EQ) {
        constant_put(p, 0);
        return;
    }
    if (kind == SP_FILTER_LT || kind == SP_FILTER_LE)
        compare_put(p, t, is_above ? "<" : "<=");
    else
        compare_put(p, t, is_above ? ">=" : ">");
    double_put(p, nearest);
}

static int is_double(int64_t value)
{
    double nearest = (double)value;

    return nearest < 9223372036854775808.0 && (int64_t)nearest == value;
}

static void one_put(printer *p, const target *t, uint8_t kind, const sp_filter_value *value)
{
    if (value->type == SP_INT64 && t->type == SP_FLOAT64 && !is_double(value->as.int64)) {
        between_put(p, t, kind, value->as.int64);
        return;
    }
    if (value->type == SP_INT64 && t->type == SP_FLOAT64) {
        compare_put(p, t, operator_of(kind));
        double_put(p, (double)value->as.int64);
        return;
    }
    if (value->type == SP_INT64 && value->as.int64 == INT64_MIN) {
        smallest_put(p, t, kind);
        return;
    }
    if (value->type == SP_FLOAT64 && t->type == SP_INT64) {
        fraction_put(p, t, kind, value->as.float64);
        return;
    }
    compare_put(p, t, operator_of(kind));
    if (value->type == SP_TEXT)
        milvus_expr_text(&p->out, value->as.text);
    else if (value->type == SP_INT64)
        sp_buffer_printf(&p->out, "%" PRId64, value->as.int64);
    else if (value->type == SP_FLOAT64)
        double_put(p, value->as.float64);
    else
        sp_buffer_append_text(&p->out, value->as.boolean ? "true" : "false");
}

/* ---- sets -------------------------------------------------------------------------------- */

/* Milvus Lite finds no -0.0 by a 0 in a list. */
static int is_listed(const target *t, const sp_filter_value *value)
{
    if (value->type == SP_INT64)
        return value->as.int64 != INT64_MIN && value->as.int64 != 0 &&
               (t->type != SP_FLOAT64 || is_double(value->as.int64));
    if (value->type == SP_FLOAT64)
        return value->as.float64 != 0 && t->type != SP_INT64;
    return 1;
}

/* Values of one type in a list; those that cannot stand in one by comparisons. */
static void set_put(printer *p, const target *t, const sp_filter_node *leaf)
{
    int any = 0;

    /* Milvus takes no integers and fractions in one list, and Milvus Lite no paths before it */
    static const uint32_t types[] = {SP_TEXT, SP_INT64, SP_FLOAT64, SP_BOOL};

    sp_buffer_append(&p->out, "(", 1);
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        uint64_t count = 0;

        for (uint32_t i = 0; t->is_plain && i < leaf->value_count; i++) {
            const sp_filter_value *value = &leaf->values[i];

            if (value->type != types[k] || !is_listed(t, value))
                continue;
            if (!count++) {
                sp_buffer_append_text(&p->out, any++ ? " or " : "");
                name_put(p, t);
                sp_buffer_append_text(&p->out, " in [");
            } else {
                sp_buffer_append(&p->out, ",", 1);
            }
            if (value->type == SP_TEXT)
                milvus_expr_text(&p->out, value->as.text);
            else if (value->type == SP_INT64)
                sp_buffer_printf(&p->out, "%" PRId64, value->as.int64);
            else if (value->type == SP_FLOAT64)
                double_put(p, value->as.float64);
            else
                sp_buffer_append_text(&p->out, value->as.boolean ? "true" : "false");
        }
        if (count)
            sp_buffer_append(&p->out, "]", 1);
    }
    for (uint32_t i = 0; i < leaf->value_count; i++)
        if (!t->is_plain || !is_listed(t, &leaf->values[i])) {
            sp_buffer_append_text(&p->out, any++ ? " or " : "");
            one_put(p, t, SP_FILTER_EQ, &leaf->values[i]);
        }
    sp_buffer_append(&p->out, ")", 1);
}

/* ---- prefixes ------------------------------------------------------------------------------- */

/* The smallest text that is greater than all that begin with the prefix; 0: there is none. */
static int prefix_end(sp_buffer *prefix)
{
    while (prefix->size) {
        size_t begin = prefix->size - 1;
        uint32_t code, size;

        while (begin && (prefix->data[begin] & 0xc0) == 0x80)
            begin--;
        size = (uint32_t)(prefix->size - begin);
        code = prefix->data[begin] & (size == 1 ? 0x7fu : 0xffu >> (size + 1));
        for (uint32_t i = 1; i < size; i++)
            code = code << 6 | (prefix->data[begin + i] & 0x3fu);
        prefix->size = begin;
        if (code == 0x10ffff)
            continue;
        code = code == 0xd7ff ? 0xe000 : code + 1;
        if (code < 0x80) {
            uint8_t byte = (uint8_t)code;

            sp_buffer_append(prefix, &byte, 1);
        } else {
            uint8_t bytes[4];
            int count = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

            for (int i = count - 1; i > 0; i--, code >>= 6)
                bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
            bytes[0] = (uint8_t)((0xf00 >> count & 0xff) | code);
            sp_buffer_append(prefix, bytes, (size_t)count);
        }
        return 1;
    }
    return 0;
}

/*
 * What begins with a text lies between it and the next one. Milvus' like has no escapes
 * that all of its servers share.
 */
static void prefix_put(printer *p, const target *t, sp_text pattern)
{
    sp_buffer prefix;
    sp_text text;
    int item;

    sp_buffer_init(&prefix);
    while ((item = sp_pattern_next(&pattern)) >= 0 && item < 256) {
        uint8_t byte = (uint8_t)item;

        sp_buffer_append(&prefix, &byte, 1);
    }
    sp_buffer_append(&p->out, "(", 1);
    compare_put(p, t, ">=");
    text.data = prefix.size ? (const char *)prefix.data : "";
    text.size = prefix.size;
    milvus_expr_text(&p->out, text);
    if (prefix_end(&prefix)) {
        sp_buffer_append_text(&p->out, " and ");
        compare_put(p, t, "<");
        text.data = (const char *)prefix.data;
        text.size = prefix.size;
        milvus_expr_text(&p->out, text);
    }
    sp_buffer_append(&p->out, ")", 1);
    p->out.failed |= prefix.failed;
    sp_buffer_clear(&prefix);
}

/* ---- the tree ------------------------------------------------------------------------------- */

static void positive_put(printer *p, const target *t, const sp_filter_node *leaf)
{
    switch (leaf->kind) {
    case SP_FILTER_EXISTS: exists_put(p, t); break;
    case SP_FILTER_IN: set_put(p, t, leaf); break;
    case SP_FILTER_LIKE: prefix_put(p, t, leaf->values[0].as.text); break;
    default: one_put(p, t, leaf->kind, &leaf->values[0]);
    }
}

/* Servers differ in what a missing field is not: it is said that it is missing. */
static void leaf_put(printer *p, const sp_filter_node *leaf)
{
    target t = target_of(p, leaf);

    sp_buffer_append(&p->out, "(", 1);
    if (leaf->negated) {
        if (leaf->kind != SP_FILTER_EXISTS && (!t.field || t.field->nullable)) {
            sp_buffer_append_text(&p->out, "(not (");
            exists_put(p, &t);
            sp_buffer_append_text(&p->out, ")) or ");
        }
        sp_buffer_append_text(&p->out, "(not (");
    }
    positive_put(p, &t, leaf);
    sp_buffer_append_text(&p->out, leaf->negated ? ")))" : ")");
}

static void node_put(printer *p, uint32_t at)
{
    const sp_filter_node *node = &p->filter->nodes[at];
    const char *between = node->kind == SP_FILTER_AND ? " and " : " or ";

    if (node->kind == SP_FILTER_CONST) {
        constant_put(p, node->truth);
        return;
    }
    if (node->kind != SP_FILTER_AND && node->kind != SP_FILTER_OR) {
        leaf_put(p, node);
        return;
    }
    sp_buffer_append(&p->out, "(", 1);
    for (uint32_t member = at + 1; member < node->end; member = p->filter->nodes[member].end) {
        if (member > at + 1)
            sp_buffer_append_text(&p->out, between);
        node_put(p, member);
    }
    sp_buffer_append(&p->out, ")", 1);
}

static int32_t filter_print(printer *p, const char **expr)
{
    const sp_filter_node *root = &p->filter->nodes[0];
    int32_t code = SIMPLUGIN_OK;

    if (root->kind == SP_FILTER_CONST && root->truth)
        return SIMPLUGIN_OK;
    sp_buffer_init(&p->out);
    node_put(p, 0);
    *expr = p->out.failed ? NULL
                          : sp_arena_text(&p->call->base.scratch, (const char *)p->out.data,
                                          p->out.size);
    if (!*expr)
        code = plug_no_memory(&p->call->base);
    sp_buffer_clear(&p->out);
    return code;
}

/* The core sends nothing but what describe names; a program's filter may hold anything. */
static int32_t leaves_check(milvus_call *call, const sp_filter *filter)
{
    for (uint32_t i = 0; i < filter->node_count; i++) {
        const sp_filter_node *leaf = &filter->nodes[i];

        if (leaf->kind < SP_FILTER_EQ)
            continue;
        if (leaf->kind > SP_FILTER_EXISTS ||
            (leaf->kind == SP_FILTER_LIKE && !sp_pattern_is_prefix(leaf->values[0].as.text)))
            return plug_fail(&call->base, SIMPLUGIN_UNIMPLEMENTED,
                             "filter: Milvus does not evaluate %s%s here",
                             sp_filter_kind_name(leaf->kind, leaf->negated),
                             leaf->kind == SP_FILTER_LIKE ? " with more than a beginning" : "");
        /* expressions are C strings */
        for (uint32_t j = 0; j < leaf->value_count; j++)
            if (leaf->values[j].type == SP_TEXT &&
                memchr(leaf->values[j].as.text.data, 0, leaf->values[j].as.text.size))
                return plug_fail_argument(&call->base, "filter",
                                          "filter: Milvus takes no text with U+0000");
    }
    return SIMPLUGIN_OK;
}

int32_t milvus_expr_filter(milvus_call *call, const char **expr)
{
    simplugin_value value;
    sp_filter_error wrong = {0};
    sp_filter *filter = NULL, *simple = NULL;
    plug_seen seen = {0};
    printer p = {.call = call, .seen = &seen};
    int32_t code;

    *expr = "";
    if (!simplugin_find(&call->base.body, "filter", &value))
        return SIMPLUGIN_OK;
    code = sp_filter_decode(&value, &filter, &wrong);
    if (code == SIMPLUGIN_OUT_OF_MEMORY)
        return plug_no_memory(&call->base);
    if (code)
        return plug_fail_argument(&call->base, "filter", "filter: %s", wrong.message);
    code = leaves_check(call, filter);
    if (!code)
        code = milvus_known_list(call, &seen);
    if (!code && sp_filter_simplify(filter, type_of, &p, &simple))
        code = plug_no_memory(&call->base);
    p.filter = simple;
    if (!code)
        code = filter_print(&p, expr);
    sp_filter_free(filter);
    sp_filter_free(simple);
    return code;
}
