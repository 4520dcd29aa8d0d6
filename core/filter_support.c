/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend can take, and what is left of a filter for it. Because negation stands
 * on leaves only, a tree grows with its leaves: a leaf that cannot be taken becomes true,
 * and the whole accepts more rows, never fewer.
 */
#include "config.h"

#include <string.h>

#include "filter_build.h"

/* Each kind of leaf has four bits: one a type, or for like one for prefixes and one for all. */
#define SHAPES 4
#define SHAPE_PREFIX 0
#define SHAPE_PATTERN 1

static uint64_t shape_bit(uint32_t kind, uint32_t shape)
{
    return UINT64_C(1) << ((kind - SP_FILTER_EQ) * SHAPES + shape);
}

/* The leaf's own bit; 0 for a leaf that no backend is asked to take. */
static uint64_t leaf_bit(const sp_filter_node *leaf)
{
    uint32_t type;

    if (leaf->kind == SP_FILTER_EXISTS)
        return shape_bit(leaf->kind, 0);
    if (leaf->kind == SP_FILTER_LIKE)
        return shape_bit(leaf->kind, sp_pattern_is_prefix(leaf->values[0].as.text)
                                         ? SHAPE_PREFIX : SHAPE_PATTERN);
    if (!leaf->value_count)
        return 0;
    type = leaf->values[0].type;
    for (uint32_t i = 1; i < leaf->value_count && type == SP_INT64; i++)
        type = leaf->values[i].type;
    return shape_bit(leaf->kind, type - SP_TEXT);
}

static uint64_t all_shapes(uint32_t kind)
{
    if (kind == SP_FILTER_EXISTS)
        return shape_bit(kind, 0);
    if (kind == SP_FILTER_LIKE)
        return shape_bit(kind, SHAPE_PREFIX) | shape_bit(kind, SHAPE_PATTERN);
    return shape_bit(kind, 0) | shape_bit(kind, 1) | shape_bit(kind, 2) | shape_bit(kind, 3);
}

static int is(const char *name, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(name, text, size) == 0;
}

/* The shapes that a name's part behind ":" stands for; 0 if there are none. */
static uint64_t named_shapes(uint32_t kind, const char *name, size_t size)
{
    uint32_t type = sp_column_type(name, size);

    if (kind == SP_FILTER_LIKE)
        return is(name, size, "prefix") ? shape_bit(kind, SHAPE_PREFIX) : 0;
    if (kind == SP_FILTER_EXISTS || !type || type & SP_LIST)
        return 0;
    if (kind >= SP_FILTER_LT && kind <= SP_FILTER_GE && type == SP_BOOL)
        return 0;
    return shape_bit(kind, type - SP_TEXT);
}

int sp_filter_support_add(sp_filter_support *support, const char *name, size_t size)
{
    const char *colon = memchr(name, ':', size);
    size_t plain = colon ? (size_t)(colon - name) : size;

    if (is(name, size, "and")) {
        support->groups[SP_FILTER_AND] = 1;
        return 1;
    }
    if (is(name, size, "or")) {
        support->groups[SP_FILTER_OR] = 1;
        return 1;
    }
    if (is(name, size, "not")) {
        for (uint32_t kind = SP_FILTER_EQ; kind < SP_FILTER_KINDS; kind++)
            if (kind != SP_FILTER_EQ && kind != SP_FILTER_IN)
                support->negative |= all_shapes(kind);
        return 1;
    }
    for (uint32_t kind = SP_FILTER_EQ; kind < SP_FILTER_KINDS; kind++) {
        for (int negated = 0; negated < 2; negated++) {
            uint64_t shapes;

            if (!is(name, plain, sp_filter_kind_name(kind, negated)))
                continue;
            shapes = colon ? named_shapes(kind, colon + 1, size - plain - 1) : all_shapes(kind);
            if (negated)
                support->negative |= shapes;
            else
                support->positive |= shapes;
            return shapes != 0;
        }
    }
    return 0;
}

void sp_filter_support_all(sp_filter_support *support)
{
    memset(support, 0, sizeof *support);
    support->positive = UINT64_MAX;
    support->negative = UINT64_MAX;
    support->groups[SP_FILTER_AND] = 1;
    support->groups[SP_FILTER_OR] = 1;
}

void sp_filter_support_used(const sp_filter *filter, sp_filter_support *used)
{
    memset(used, 0, sizeof *used);
    for (uint32_t i = 0; i < filter->node_count; i++) {
        const sp_filter_node *node = &filter->nodes[i];

        if (node->kind == SP_FILTER_AND || node->kind == SP_FILTER_OR)
            used->groups[node->kind] = 1;
        else if (node->kind >= SP_FILTER_EQ && node->negated)
            used->negative |= leaf_bit(node);
        else if (node->kind >= SP_FILTER_EQ)
            used->positive |= leaf_bit(node);
    }
}

int sp_filter_support_covers(const sp_filter_support *have, const sp_filter_support *used)
{
    return !(used->positive & ~have->positive) && !(used->negative & ~have->negative) &&
           have->groups[SP_FILTER_AND] >= used->groups[SP_FILTER_AND] &&
           have->groups[SP_FILTER_OR] >= used->groups[SP_FILTER_OR];
}

/* ---- relax -------------------------------------------------------------------------------- */

typedef struct relaxation {
    sp_filter_build build;
    const sp_filter *filter;
    const sp_filter_support *support;
    sp_filter_leaf_test accept;
    void *context;
    int exact;
} relaxation;

static uint32_t give_up(relaxation *r)
{
    r->exact = 0;
    return sp_filter_build_const(&r->build, 1, 0);
}

static uint32_t relax_leaf(relaxation *r, const sp_filter_node *leaf)
{
    uint64_t bit = leaf_bit(leaf);
    uint64_t taken = leaf->negated ? r->support->negative : r->support->positive;

    if (!(taken & bit) || (r->accept && !r->accept(r->context, r->filter, leaf)))
        return give_up(r);
    return sp_filter_build_copy(&r->build, r->filter, leaf);
}

static int is_true(const relaxation *r, uint32_t raw)
{
    return !r->build.code && r->build.nodes[raw].kind == SP_FILTER_CONST &&
           r->build.nodes[raw].truth;
}

static uint32_t relax_node(relaxation *r, uint32_t index)
{
    const sp_filter_node *node = &r->filter->nodes[index];
    uint32_t group;
    uint32_t kept = 0;

    if (node->kind == SP_FILTER_CONST)
        return sp_filter_build_const(&r->build, node->truth, 0);
    if (node->kind >= SP_FILTER_EQ)
        return relax_leaf(r, node);
    if (node->kind == SP_FILTER_OR && !r->support->groups[SP_FILTER_OR])
        return give_up(r);
    group = sp_filter_build_node(&r->build, node->kind, node->offset);
    for (uint32_t c = index + 1; c < node->end; c = r->filter->nodes[c].end) {
        uint32_t child;

        /* Without "and" the backend gets one member; any of them is a superset. */
        if (node->kind == SP_FILTER_AND && kept && !r->support->groups[SP_FILTER_AND]) {
            r->exact = 0;
            break;
        }
        child = relax_node(r, c);
        /* One member that takes everything makes an "or" take everything. */
        if (node->kind == SP_FILTER_OR && is_true(r, child))
            return child;
        if (!is_true(r, child)) {
            sp_filter_build_child(&r->build, group, child);
            kept++;
        }
    }
    return kept ? group : sp_filter_build_const(&r->build, 1, 0);
}

int32_t sp_filter_relax(const sp_filter *filter, const sp_filter_support *support,
                        sp_filter_leaf_test accept, void *context, sp_filter **relaxed,
                        int *exact)
{
    relaxation r;
    uint32_t root;
    int32_t code;

    sp_filter_build_init(&r.build, NULL, 0);
    r.filter = filter;
    r.support = support;
    r.accept = accept;
    r.context = context;
    r.exact = 1;
    root = relax_node(&r, 0);
    code = sp_filter_build_finish(&r.build, root, relaxed, NULL);
    *exact = r.exact;
    sp_filter_build_clear(&r.build);
    return code;
}
