/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "filter_build.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sp_filter_build_init(sp_filter_build *build, const char *source, size_t source_size)
{
    memset(build, 0, sizeof *build);
    build->source = source;
    build->source_size = source_size;
}

void sp_filter_build_clear(sp_filter_build *build)
{
    free(build->nodes);
    free(build->values);
    build->nodes = NULL;
    build->values = NULL;
}

/* Columns count characters: bytes that are not the inside of one. */
static void locate(sp_filter_build *build, size_t offset)
{
    sp_filter_error *error = &build->error;

    error->offset = offset;
    error->line = 0;
    error->column = 0;
    if (!build->source)
        return;
    error->line = 1;
    error->column = 1;
    for (size_t i = 0; i < offset && i < build->source_size; i++) {
        uint8_t c = (uint8_t)build->source[i];

        if (c == '\n') {
            error->line++;
            error->column = 1;
        } else if ((c & 0xc0) != 0x80) {
            error->column++;
        }
    }
}

void sp_filter_build_fail(sp_filter_build *build, size_t offset, const char *format, ...)
{
    sp_filter_error *error = &build->error;
    size_t size = sizeof error->message;
    int used;
    va_list args;

    if (build->code)
        return;
    build->code = SIMPLUGIN_INVALID_ARGUMENT;
    locate(build, offset);
    if (error->line > 1)
        used = snprintf(error->message, size, "filter: line %u, column %u: ",
                        (unsigned)error->line, (unsigned)error->column);
    else if (error->line)
        used = snprintf(error->message, size, "filter: column %u: ", (unsigned)error->column);
    else
        used = snprintf(error->message, size, "filter: ");
    va_start(args, format);
    if (used > 0 && (size_t)used < size)
        vsnprintf(error->message + used, size - (size_t)used, format, args);
    va_end(args);
}

void sp_filter_build_no_memory(sp_filter_build *build)
{
    if (build->code)
        return;
    build->code = SIMPLUGIN_OUT_OF_MEMORY;
    locate(build, 0);
    snprintf(build->error.message, sizeof build->error.message, "filter: out of memory");
}

/* Room for one more of size bytes behind count; the limits keep the product small. */
static int reserve(sp_filter_build *build, void **items, uint32_t count, uint32_t *capacity,
                   size_t size)
{
    uint32_t wanted = *capacity ? *capacity * 2 : 16;
    void *grown;

    if (count < *capacity)
        return 1;
    grown = realloc(*items, (size_t)wanted * size);
    if (!grown) {
        sp_filter_build_no_memory(build);
        return 0;
    }
    *items = grown;
    *capacity = wanted;
    return 1;
}

uint32_t sp_filter_build_node(sp_filter_build *build, uint32_t kind, size_t offset)
{
    void *nodes = build->nodes;
    sp_filter_raw *node;

    if (build->code)
        return 0;
    if (build->node_count == 0)
        build->node_count = 1;
    if (build->node_count > SP_FILTER_MAX_NODES) {
        sp_filter_build_fail(build, offset, "more than %d conditions", SP_FILTER_MAX_NODES);
        return 0;
    }
    if (!reserve(build, &nodes, build->node_count, &build->node_capacity, sizeof *node))
        return 0;
    build->nodes = nodes;
    node = &build->nodes[build->node_count];
    memset(node, 0, sizeof *node);
    node->kind = (uint8_t)kind;
    node->offset = offset;
    return build->node_count++;
}

static uint32_t field_index(sp_filter_build *build, sp_text name, size_t offset)
{
    for (uint32_t i = 0; i < build->field_count; i++)
        if (build->fields[i].size == name.size &&
            memcmp(build->fields[i].data, name.data, name.size) == 0)
            return i;
    if (name.size == 0 || name.size > SP_FILTER_MAX_NAME)
        sp_filter_build_fail(build, offset, "a field's name has 1 to %d bytes",
                             SP_FILTER_MAX_NAME);
    else if (build->field_count == SP_FILTER_MAX_FIELDS)
        sp_filter_build_fail(build, offset, "more than %d different fields",
                             SP_FILTER_MAX_FIELDS);
    if (build->code)
        return 0;
    build->fields[build->field_count] = name;
    return build->field_count++;
}

uint32_t sp_filter_build_leaf(sp_filter_build *build, uint32_t kind, int negated, sp_text field,
                              size_t offset)
{
    uint32_t index = build->code ? 0 : field_index(build, field, offset);
    uint32_t leaf = sp_filter_build_node(build, kind, offset);

    if (leaf) {
        build->nodes[leaf].field = index;
        build->nodes[leaf].negated = negated != 0;
        build->nodes[leaf].first_value = build->value_count;
    }
    return leaf;
}

uint32_t sp_filter_build_const(sp_filter_build *build, int truth, size_t offset)
{
    uint32_t node = sp_filter_build_node(build, SP_FILTER_CONST, offset);

    if (node)
        build->nodes[node].truth = truth != 0;
    return node;
}

void sp_filter_build_child(sp_filter_build *build, uint32_t parent, uint32_t child)
{
    sp_filter_raw *node;

    if (build->code || !parent || !child)
        return;
    node = &build->nodes[parent];
    if (node->last)
        build->nodes[node->last].next = child;
    else
        node->child = child;
    node->last = child;
}

static int is_number(const sp_filter_value *value)
{
    return value->type == SP_INT64 || value->type == SP_FLOAT64;
}

static int is_order(uint32_t kind)
{
    return kind >= SP_FILTER_LT && kind <= SP_FILTER_GE;
}

static int pattern_is_bad(sp_text pattern)
{
    int item;

    while ((item = sp_pattern_next(&pattern)) != SP_PATTERN_END)
        if (item == SP_PATTERN_BAD)
            return 1;
    return 0;
}

void sp_filter_build_value(sp_filter_build *build, uint32_t leaf, const sp_filter_value *value,
                           size_t offset)
{
    void *values = build->values;
    sp_filter_raw *node;
    sp_filter_value *first;

    if (build->code || !leaf)
        return;
    node = &build->nodes[leaf];
    if (build->value_count == SP_FILTER_MAX_VALUES) {
        sp_filter_build_fail(build, offset, "more than %d values", SP_FILTER_MAX_VALUES);
        return;
    }
    if (is_order(node->kind) && value->type == SP_BOOL) {
        sp_filter_build_fail(build, offset, "true and false have no order: use \"==\" or \"!=\"");
        return;
    }
    if (node->kind == SP_FILTER_LIKE && value->type != SP_TEXT) {
        sp_filter_build_fail(build, offset, "a pattern must be text");
        return;
    }
    if (node->kind == SP_FILTER_LIKE && value->as.text.size > SP_FILTER_MAX_PATTERN) {
        sp_filter_build_fail(build, offset, "a pattern has at most %d bytes",
                             SP_FILTER_MAX_PATTERN);
        return;
    }
    if (node->kind == SP_FILTER_LIKE && pattern_is_bad(value->as.text)) {
        sp_filter_build_fail(build, offset,
                             "in a pattern a backslash stands before %%, _ or a backslash only");
        return;
    }
    if (value->type == SP_FLOAT64 && !isfinite(value->as.float64)) {
        sp_filter_build_fail(build, offset, "a number must be finite");
        return;
    }
    if (!reserve(build, &values, build->value_count, &build->value_capacity, sizeof *value))
        return;
    build->values = values;
    first = &build->values[node->first_value];
    if (node->value_count && first->type != value->type &&
        !(is_number(first) && is_number(value))) {
        sp_filter_build_fail(build, offset, "all values of a list must be of one type");
        return;
    }
    build->values[build->value_count++] = *value;
    node->value_count++;
}

void sp_filter_build_leaf_done(sp_filter_build *build, uint32_t leaf)
{
    sp_filter_raw *node;

    if (build->code || !leaf)
        return;
    node = &build->nodes[leaf];
    if ((node->kind == SP_FILTER_IN || node->kind == SP_FILTER_CONTAINS_ANY) &&
        !node->value_count) {
        /* Nothing is in an empty list: a constant needs no field and no backend. */
        node->truth = node->negated;
        node->kind = SP_FILTER_CONST;
    }
}

uint32_t sp_filter_build_copy(sp_filter_build *build, const sp_filter *filter,
                              const sp_filter_node *leaf)
{
    uint32_t copy = sp_filter_build_leaf(build, leaf->kind, leaf->negated,
                                         filter->fields[leaf->field], leaf->offset);

    for (uint32_t i = 0; i < leaf->value_count; i++)
        sp_filter_build_value(build, copy, &leaf->values[i], leaf->offset);
    return copy;
}

/* ---- raw nodes to the canonical tree -------------------------------------------------- */

typedef struct canonical {
    const sp_filter_build *build;
    sp_filter_node *nodes; /* room for all raw ones; values point into the build's */
    uint32_t count;
} canonical;

typedef enum outcome { IS_FALSE, IS_TRUE, EMITTED } outcome;

/* Takes the group at start away and leaves its only member in its place. */
static void unwrap(canonical *tree, uint32_t start)
{
    tree->count--;
    memmove(&tree->nodes[start], &tree->nodes[start + 1],
            (size_t)(tree->count - start) * sizeof *tree->nodes);
    for (uint32_t i = start; i < tree->count; i++)
        tree->nodes[i].end--;
}

static outcome emit(canonical *tree, uint32_t index, int negate, uint32_t parent);

static outcome emit_group(canonical *tree, const sp_filter_raw *raw, int negate, uint32_t parent)
{
    uint32_t kind = negate ? SP_FILTER_AND + SP_FILTER_OR - raw->kind : raw->kind;
    outcome absorbing = kind == SP_FILTER_AND ? IS_FALSE : IS_TRUE;
    uint32_t start = tree->count;
    sp_filter_node *group = NULL;

    if (kind != parent) {
        group = &tree->nodes[tree->count++];
        memset(group, 0, sizeof *group);
        group->kind = (uint8_t)kind;
        group->offset = raw->offset;
    }
    for (uint32_t child = raw->child; child; child = tree->build->nodes[child].next) {
        if (emit(tree, child, negate, kind) == absorbing) {
            tree->count = start;
            return absorbing;
        }
    }
    if (!group)
        return tree->count > start ? EMITTED : absorbing == IS_FALSE ? IS_TRUE : IS_FALSE;
    group->end = tree->count;
    if (tree->count == start + 1) {
        tree->count = start;
        return absorbing == IS_FALSE ? IS_TRUE : IS_FALSE;
    }
    if (tree->nodes[start + 1].end == tree->count) {
        unwrap(tree, start);
        if (tree->nodes[start].kind == parent)
            unwrap(tree, start);
    }
    return EMITTED;
}

static outcome emit(canonical *tree, uint32_t index, int negate, uint32_t parent)
{
    const sp_filter_raw *raw = &tree->build->nodes[index];
    sp_filter_node *leaf;

    switch (raw->kind) {
    case SP_RAW_NOT:
        return emit(tree, raw->child, !negate, parent);
    case SP_FILTER_AND:
    case SP_FILTER_OR:
        return emit_group(tree, raw, negate, parent);
    case SP_FILTER_CONST:
        return (raw->truth != 0) != negate ? IS_TRUE : IS_FALSE;
    default:
        leaf = &tree->nodes[tree->count++];
        memset(leaf, 0, sizeof *leaf);
        leaf->kind = raw->kind;
        leaf->negated = (uint8_t)(raw->negated ^ negate);
        leaf->field = raw->field;
        leaf->end = tree->count;
        leaf->value_count = raw->value_count;
        if (raw->value_count)
            leaf->values = &tree->build->values[raw->first_value];
        leaf->offset = raw->offset;
        return EMITTED;
    }
}

/* A group of two leaves has the depth 2. */
static void check_depth(sp_filter_build *build, const sp_filter_node *nodes, uint32_t count)
{
    uint32_t ends[SP_FILTER_MAX_DEPTH];
    uint32_t depth = 0;

    for (uint32_t i = 0; i < count; i++) {
        while (depth && ends[depth - 1] <= i)
            depth--;
        if (depth == SP_FILTER_MAX_DEPTH) {
            sp_filter_build_fail(build, nodes[i].offset,
                                 "\"and\" and \"or\" alternate more than %d levels deep",
                                 SP_FILTER_MAX_DEPTH);
            return;
        }
        ends[depth++] = nodes[i].end;
    }
}

/* One allocation holds everything: header, nodes, fields, values, text. */
static sp_filter *pack(const sp_filter_build *build, const canonical *tree)
{
    uint32_t numbers[SP_FILTER_MAX_FIELDS];
    size_t values = 0;
    size_t bytes = 0;
    uint32_t field_count = 0;
    sp_filter *filter;
    sp_filter_node *nodes;
    sp_text *fields;
    sp_filter_value *value;
    char *text;

    /* Sizes stay far below SIZE_MAX: every text comes from one source or body. */
    memset(numbers, 0xff, sizeof numbers);
    for (uint32_t i = 0; i < tree->count; i++) {
        const sp_filter_node *node = &tree->nodes[i];

        if (node->kind < SP_FILTER_EQ)
            continue;
        if (numbers[node->field] == UINT32_MAX) {
            numbers[node->field] = field_count++;
            bytes += build->fields[node->field].size;
        }
        values += node->value_count;
        for (uint32_t v = 0; v < node->value_count; v++)
            if (node->values[v].type == SP_TEXT)
                bytes += node->values[v].as.text.size;
    }
    filter = malloc(sizeof *filter + tree->count * sizeof *nodes + field_count * sizeof *fields +
                    values * sizeof *value + bytes + 1);
    if (!filter)
        return NULL;
    nodes = (sp_filter_node *)(void *)(filter + 1);
    fields = (sp_text *)(void *)(nodes + tree->count);
    value = (sp_filter_value *)(void *)(fields + field_count);
    text = (char *)(value + values);
    filter->nodes = nodes;
    filter->fields = fields;
    filter->node_count = tree->count;
    filter->field_count = field_count;
    for (uint32_t i = 0; i < build->field_count; i++) {
        sp_text *field;

        if (numbers[i] == UINT32_MAX)
            continue;
        field = &fields[numbers[i]];
        field->data = text;
        field->size = build->fields[i].size;
        memcpy(text, build->fields[i].data, field->size);
        text += field->size;
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        sp_filter_node *node = &nodes[i];

        *node = tree->nodes[i];
        if (node->kind < SP_FILTER_EQ)
            continue;
        node->field = numbers[node->field];
        node->values = node->value_count ? value : NULL;
        for (uint32_t v = 0; v < node->value_count; v++, value++) {
            *value = tree->nodes[i].values[v];
            if (value->type == SP_TEXT) {
                if (value->as.text.size)
                    memcpy(text, value->as.text.data, value->as.text.size);
                value->as.text.data = text;
                text += value->as.text.size;
            }
        }
    }
    return filter;
}

int32_t sp_filter_build_finish(sp_filter_build *build, uint32_t root, sp_filter **filter,
                               sp_filter_error *error)
{
    canonical tree = {build, NULL, 0};

    *filter = NULL;
    if (!build->code) {
        tree.nodes = calloc((size_t)build->node_count + 1, sizeof *tree.nodes);
        if (tree.nodes) {
            outcome result = emit(&tree, root, 0, SP_FILTER_CONST);

            if (result != EMITTED) {
                tree.count = 1;
                memset(tree.nodes, 0, sizeof *tree.nodes);
                tree.nodes[0].kind = SP_FILTER_CONST;
                tree.nodes[0].truth = result == IS_TRUE;
                tree.nodes[0].end = 1;
            }
            check_depth(build, tree.nodes, tree.count);
        }
        if (!build->code) {
            *filter = tree.nodes ? pack(build, &tree) : NULL;
            if (!*filter)
                sp_filter_build_no_memory(build);
        }
        free(tree.nodes);
    }
    if (error)
        *error = build->error;
    return build->code;
}
