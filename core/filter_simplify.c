/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "filter_build.h"

/* Whether a value of the leaf's sort can be found in a column of this type at all. */
static int can_match(const sp_filter_node *leaf, uint32_t type)
{
    uint32_t item = type & ~SP_LIST;
    int for_lists = leaf->kind >= SP_FILTER_CONTAINS;
    uint32_t sort;

    if (type == SP_FILTER_UNKNOWN_TYPE)
        return 1;
    if (!type)
        return 0;
    if (leaf->kind == SP_FILTER_EXISTS)
        return 1;
    if (for_lists != ((type & SP_LIST) != 0))
        return 0;
    if (!leaf->value_count)
        return 1;
    sort = leaf->values[0].type;
    if (sort == SP_INT64 || sort == SP_FLOAT64)
        return item == SP_INT64 || item == SP_FLOAT64;
    return item == sort;
}

int32_t sp_filter_simplify(const sp_filter *filter, sp_filter_type_of type_of, void *context,
                           sp_filter **simplified)
{
    sp_filter_build build;
    uint32_t parents[SP_FILTER_MAX_DEPTH]; /* raw groups that are open */
    uint32_t ends[SP_FILTER_MAX_DEPTH];
    uint32_t depth = 0;
    uint32_t root = 0;
    int32_t code;

    sp_filter_build_init(&build, NULL, 0);
    for (uint32_t i = 0; i < filter->node_count; i++) {
        const sp_filter_node *node = &filter->nodes[i];
        uint32_t raw;

        while (depth && ends[depth - 1] <= i)
            depth--;
        if (node->kind == SP_FILTER_CONST)
            raw = sp_filter_build_const(&build, node->truth, node->offset);
        else if (node->kind < SP_FILTER_EQ)
            raw = sp_filter_build_node(&build, node->kind, node->offset);
        else if (can_match(node, type_of(context, filter->fields[node->field])))
            raw = sp_filter_build_copy(&build, filter, node);
        else
            raw = sp_filter_build_const(&build, node->negated, node->offset);
        if (!i)
            root = raw;
        if (depth)
            sp_filter_build_child(&build, parents[depth - 1], raw);
        if (node->kind == SP_FILTER_AND || node->kind == SP_FILTER_OR) {
            parents[depth] = raw;
            ends[depth++] = node->end;
        }
    }
    code = sp_filter_build_finish(&build, root, simplified, NULL);
    sp_filter_build_clear(&build);
    return code;
}
