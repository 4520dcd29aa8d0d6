/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "filter_build.h"

#include <string.h>

/* ---- writing ------------------------------------------------------------------------------ */

static void write_value(const sp_filter_value *value, simplugin_writer *writer)
{
    switch (value->type) {
    case SP_TEXT:
        simplugin_write_text(writer, value->as.text.data, value->as.text.size);
        break;
    case SP_INT64: simplugin_write_int(writer, value->as.int64); break;
    case SP_FLOAT64: simplugin_write_double(writer, value->as.float64); break;
    default: simplugin_write_bool(writer, value->as.boolean); break;
    }
}

static int takes_list(uint32_t kind)
{
    return kind == SP_FILTER_IN || kind == SP_FILTER_CONTAINS_ANY ||
           kind == SP_FILTER_CONTAINS_ALL;
}

static void write_leaf(const sp_filter *filter, const sp_filter_node *leaf,
                       simplugin_writer *writer)
{
    int own_name = leaf->kind == SP_FILTER_EQ || leaf->kind == SP_FILTER_IN;
    sp_text field = filter->fields[leaf->field];

    if (leaf->negated && !own_name) {
        simplugin_write_array(writer, 2);
        simplugin_write_string(writer, "not");
    }
    simplugin_write_array(writer, leaf->kind == SP_FILTER_EXISTS ? 2 : 3);
    simplugin_write_string(writer, sp_filter_kind_name(leaf->kind, leaf->negated && own_name));
    simplugin_write_text(writer, field.data, field.size);
    if (takes_list(leaf->kind))
        simplugin_write_array(writer, leaf->value_count);
    for (uint32_t i = 0; i < leaf->value_count; i++)
        write_value(&leaf->values[i], writer);
}

static void write_node(const sp_filter *filter, uint32_t index, simplugin_writer *writer)
{
    const sp_filter_node *node = &filter->nodes[index];
    uint64_t members = 0;

    if (node->kind == SP_FILTER_CONST) {
        simplugin_write_bool(writer, node->truth);
        return;
    }
    if (node->kind >= SP_FILTER_EQ) {
        write_leaf(filter, node, writer);
        return;
    }
    for (uint32_t child = index + 1; child < node->end; child = filter->nodes[child].end)
        members++;
    simplugin_write_array(writer, members + 1);
    simplugin_write_string(writer, sp_filter_kind_name(node->kind, 0));
    for (uint32_t child = index + 1; child < node->end; child = filter->nodes[child].end)
        write_node(filter, child, writer);
}

void sp_filter_encode(const sp_filter *filter, simplugin_writer *writer)
{
    write_node(filter, 0, writer);
}

/* ---- reading ------------------------------------------------------------------------------ */

typedef struct decoder {
    sp_filter_build build;
    const uint8_t *at;
    const uint8_t *end;
    uint32_t depth;
} decoder;

static void bad(decoder *d, const char *what)
{
    sp_filter_build_fail(&d->build, 0, "%s", what);
}

/* The next value, or one of type 0 and a failure. */
static simplugin_value take(decoder *d)
{
    simplugin_value value;

    memset(&value, 0, sizeof value);
    if (!d->build.code && !simplugin_read(&d->at, d->end, &value)) {
        memset(&value, 0, sizeof value);
        bad(d, "the tree is cut short");
    }
    return value;
}

static sp_text take_text(decoder *d, const char *what)
{
    simplugin_value value = take(d);
    sp_text text = {"", 0};

    if (value.type == SIMPLUGIN_TEXT && simplugin_utf8_check(value.data, value.size)) {
        text.data = (const char *)value.data;
        text.size = (size_t)value.size;
    } else {
        bad(d, what);
    }
    return text;
}

static void take_constant(decoder *d, uint32_t leaf)
{
    simplugin_value value = take(d);
    sp_filter_value constant;

    switch (value.type) {
    case SIMPLUGIN_TEXT:
        if (!simplugin_utf8_check(value.data, value.size))
            bad(d, "a text in the tree is not UTF-8");
        constant.type = SP_TEXT;
        constant.as.text.data = (const char *)value.data;
        constant.as.text.size = (size_t)value.size;
        break;
    case SIMPLUGIN_INT:
        constant.type = SP_INT64;
        constant.as.int64 = value.as.i;
        break;
    case SIMPLUGIN_DOUBLE:
        constant.type = SP_FLOAT64;
        constant.as.float64 = value.as.d;
        break;
    case SIMPLUGIN_BOOL:
        constant.type = SP_BOOL;
        constant.as.boolean = value.as.i != 0;
        break;
    case SIMPLUGIN_UINT: bad(d, "an integer in the tree is outside int64"); return;
    default: bad(d, "a value in the tree is no text, number, true or false"); return;
    }
    sp_filter_build_value(&d->build, leaf, &constant, 0);
}

static uint32_t read_node(decoder *d);

static uint32_t read_group(decoder *d, uint32_t kind, uint64_t members)
{
    uint32_t group = sp_filter_build_node(&d->build, kind, 0);

    while (members-- && !d->build.code)
        sp_filter_build_child(&d->build, group, read_node(d));
    return group;
}

static uint32_t read_leaf(decoder *d, uint32_t kind, int negated, uint64_t size)
{
    sp_text field;
    uint64_t count = kind != SP_FILTER_EXISTS;
    uint32_t leaf;

    if (size != 2 + count) {
        bad(d, "a node of the tree has too few or too many parts");
        return 0;
    }
    field = take_text(d, "a field's name in the tree is no UTF-8 text");
    leaf = sp_filter_build_leaf(&d->build, kind, negated, field, 0);
    if (takes_list(kind)) {
        simplugin_value list = take(d);

        if (list.type != SIMPLUGIN_ARRAY)
            bad(d, "a node of the tree needs a list of values");
        count = list.size;
    }
    while (count-- && !d->build.code)
        take_constant(d, leaf);
    sp_filter_build_leaf_done(&d->build, leaf);
    return leaf;
}

static uint32_t read_named(decoder *d, sp_text name, uint64_t size)
{
    uint32_t node;
    uint32_t child;

    if (name.size == 3 && memcmp(name.data, "not", 3) == 0) {
        if (size != 2) {
            bad(d, "\"not\" takes one node");
            return 0;
        }
        child = read_node(d);
        node = child ? sp_filter_build_node(&d->build, SP_RAW_NOT, 0) : 0;
        sp_filter_build_child(&d->build, node, child);
        return node;
    }
    for (uint32_t kind = SP_FILTER_AND; kind < SP_FILTER_KINDS; kind++) {
        for (int negated = 0; negated < 2; negated++) {
            const char *known = sp_filter_kind_name(kind, negated);

            if (negated && kind != SP_FILTER_EQ && kind != SP_FILTER_IN)
                continue;
            if (name.size == strlen(known) && memcmp(name.data, known, name.size) == 0)
                return kind < SP_FILTER_EQ ? read_group(d, kind, size - 1)
                                           : read_leaf(d, kind, negated, size);
        }
    }
    sp_filter_build_fail(&d->build, 0, "unknown node \"%.*s\" in the tree",
                         name.size > 32 ? 32 : (int)name.size, name.data);
    return 0;
}

static uint32_t read_body(decoder *d, const simplugin_value *value)
{
    sp_text name;
    uint32_t node = 0;

    if (value->type == SIMPLUGIN_BOOL)
        return sp_filter_build_const(&d->build, value->as.i != 0, 0);
    if (value->type != SIMPLUGIN_ARRAY || !value->size) {
        bad(d, "a node of the tree is an array that begins with its name");
    } else if (d->depth == SIMPLUGIN_MAX_DEPTH) {
        bad(d, "the tree is too deep");
    } else {
        d->depth++;
        name = take_text(d, "a node of the tree begins with its name");
        node = d->build.code ? 0 : read_named(d, name, value->size);
        d->depth--;
    }
    return node;
}

static uint32_t read_node(decoder *d)
{
    simplugin_value value = take(d);

    return d->build.code ? 0 : read_body(d, &value);
}

int32_t sp_filter_decode(const simplugin_value *value, sp_filter **filter, sp_filter_error *error)
{
    decoder d;
    uint32_t root;
    int32_t code;

    sp_filter_build_init(&d.build, NULL, 0);
    d.at = value->data;
    d.end = value->end;
    d.depth = 0;
    root = read_body(&d, value);
    code = sp_filter_build_finish(&d.build, root, filter, error);
    sp_filter_build_clear(&d.build);
    return code;
}
