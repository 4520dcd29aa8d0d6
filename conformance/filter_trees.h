/* SPDX-License-Identifier: Apache-2.0 */
/* Random filters (docs/filters.md), and the points that they are tried on. */
#ifndef CONFORMANCE_FILTER_TREES_H
#define CONFORMANCE_FILTER_TREES_H

#include <jansson.h>

#include "dice.h"

/* A field of the points, its values and what filters ask of it. */
typedef struct filter_field {
    const char *name;
    const char *type;     /* as a column's */
    const char *sort;     /* of values and elements: text, int64, float64 or bool */
    int is_list;
} filter_field;

extern const filter_field filter_fields[]; /* ended by one without a name */

/* A column of count random values of the field, a quarter of them missing: a $column notation. */
json_t *filter_column(dice *d, const filter_field *field, size_t count, int nonfinite);

/*
 * A tree as docs/filters.md shows it, at most depth groups in each other. used: an array of the
 * names of the fields that the points have; others are asked for too, as missing ones.
 */
json_t *filter_tree(dice *d, const json_t *used, unsigned int depth);
/* The tree in the filter language. The caller's. */
char *filter_text(const json_t *tree);
/* Trees that are one step simpler, as an array: what may still fail where this one does. */
json_t *filter_simpler(const json_t *tree);
/* One tree for each kind of condition on each field, negated and not, as an array. */
json_t *filter_leaves(dice *d, const json_t *used);

#endif
