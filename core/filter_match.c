/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From leaves to matches. Comparisons between int64 and float64 are exact: the constant
 * is moved to the column's type, where rounding it would change the answer the comparison
 * is changed instead (x < 2.5 is x <= 2 among integers).
 */
#include "config.h"

#include "filter_match.h"

#include <math.h>
#include <string.h>

#define TWO_63 9223372036854775808.0

static int is_ordered(uint32_t kind)
{
    return kind >= SP_FILTER_LT && kind <= SP_FILTER_GE;
}

static uint8_t op_of(uint32_t kind)
{
    switch (kind) {
    case SP_FILTER_LT: return SP_MATCH_LT;
    case SP_FILTER_LE: return SP_MATCH_LE;
    case SP_FILTER_GT: return SP_MATCH_GT;
    case SP_FILTER_GE: return SP_MATCH_GE;
    default: return SP_MATCH_EQ;
    }
}

/* The int64 that is the same number; 0 if there is none. */
static int float_to_int(double value, int64_t *result)
{
    if (!(value >= -TWO_63 && value < TWO_63) || value != floor(value))
        return 0;
    *result = (int64_t)value;
    return 1;
}

/* The double that is the same number; 0 if there is none. */
static int int_to_float(int64_t value, double *result)
{
    int64_t back;

    *result = (double)value;
    return float_to_int(*result, &back) && back == value;
}

static void set_range(sp_match *match, int64_t low, int64_t high)
{
    match->int_op = SP_MATCH_RANGE;
    match->low = low;
    match->span = (uint64_t)high - (uint64_t)low;
}

static void compare_ints_with_int(sp_match *match, int64_t value)
{
    switch (match->kind) {
    case SP_FILTER_LT:
        if (value > INT64_MIN)
            set_range(match, INT64_MIN, value - 1);
        break;
    case SP_FILTER_LE: set_range(match, INT64_MIN, value); break;
    case SP_FILTER_GT:
        if (value < INT64_MAX)
            set_range(match, value + 1, INT64_MAX);
        break;
    case SP_FILTER_GE: set_range(match, value, INT64_MAX); break;
    default: set_range(match, value, value); break;
    }
}

static void compare_ints_with_float(sp_match *match, double value)
{
    int up = match->kind == SP_FILTER_GT || match->kind == SP_FILTER_GE;
    int64_t exact;

    if (float_to_int(value, &exact)) {
        compare_ints_with_int(match, exact);
    } else if (is_ordered(match->kind) && value >= TWO_63) {
        if (!up)
            set_range(match, INT64_MIN, INT64_MAX);
    } else if (is_ordered(match->kind) && value < -TWO_63) {
        if (up)
            set_range(match, INT64_MIN, INT64_MAX);
    } else if (is_ordered(match->kind)) {
        /* A fraction, so below 2^53 in size: both neighbours are exact. */
        if (up)
            set_range(match, (int64_t)ceil(value), INT64_MAX);
        else
            set_range(match, INT64_MIN, (int64_t)floor(value));
    }
}

static void compare_floats_with_int(sp_match *match, int64_t value)
{
    double near;

    if (int_to_float(value, &near)) {
        match->float_op = op_of(match->kind);
        match->bound = near;
        return;
    }
    if (match->kind == SP_FILTER_EQ || match->kind == SP_FILTER_CONTAINS)
        return;
    /* No double is the number itself: the nearest on the right side decides. */
    if (match->kind == SP_FILTER_LT || match->kind == SP_FILTER_LE) {
        match->float_op = SP_MATCH_LE;
        if (near >= TWO_63 || (int64_t)near > value)
            near = nextafter(near, -INFINITY);
    } else {
        match->float_op = SP_MATCH_GE;
        if (near < TWO_63 && (int64_t)near < value)
            near = nextafter(near, INFINITY);
    }
    match->bound = near;
}

static void compare(sp_match *match, const sp_filter_value *value)
{
    switch (value->type) {
    case SP_TEXT:
        match->text_op = op_of(match->kind);
        match->text = sp_probe_of(value->as.text);
        break;
    case SP_INT64:
        compare_ints_with_int(match, value->as.int64);
        compare_floats_with_int(match, value->as.int64);
        break;
    case SP_FLOAT64:
        compare_ints_with_float(match, value->as.float64);
        match->float_op = op_of(match->kind);
        match->bound = value->as.float64;
        break;
    default: match->truths = value->as.boolean ? 2 : 1; break;
    }
}

static int fill_texts(sp_match *match, const sp_filter_node *leaf, uint64_t seed)
{
    if (sp_text_set_init(&match->texts, leaf->value_count, seed))
        return -1;
    for (uint32_t i = 0; i < leaf->value_count; i++)
        sp_text_set_add(&match->texts, leaf->values[i].as.text);
    match->text_op = match->texts.count > SP_MATCH_FEW_TEXTS ? SP_MATCH_SET : SP_MATCH_FEW;
    match->text_count = match->texts.count;
    return 0;
}

static void add_int(sp_match *match, int64_t value)
{
    uint32_t before = match->ints.count;

    sp_number_set_add(&match->ints, (uint64_t)value);
    if (match->ints.count > before && before < SP_MATCH_FEW_NUMBERS)
        match->few_ints[before] = value;
}

static void add_float(sp_match *match, double value)
{
    uint32_t before = match->floats.count;

    sp_number_set_add(&match->floats, sp_match_float_key(value));
    if (match->floats.count > before && before < SP_MATCH_FEW_NUMBERS)
        match->few_floats[before] = value;
}

static uint8_t number_op(const sp_number_set *set)
{
    return set->count > SP_MATCH_FEW_NUMBERS ? SP_MATCH_SET
           : set->count                      ? SP_MATCH_FEW
                                             : SP_MATCH_NEVER;
}

static int fill_numbers(sp_match *match, const sp_filter_node *leaf, uint64_t seed)
{
    int misses_int = 0;
    int misses_float = 0;

    if (sp_number_set_init(&match->ints, leaf->value_count, seed) ||
        sp_number_set_init(&match->floats, leaf->value_count, seed))
        return -1;
    for (uint32_t i = 0; i < leaf->value_count; i++) {
        const sp_filter_value *value = &leaf->values[i];
        int is_int = value->type == SP_INT64;
        int64_t integer = is_int ? value->as.int64 : 0;
        double real = is_int ? 0 : value->as.float64;

        if (is_int || float_to_int(real, &integer))
            add_int(match, integer);
        else
            misses_int = 1;
        if (!is_int || int_to_float(integer, &real))
            add_float(match, real);
        else
            misses_float = 1;
    }
    match->int_op = number_op(&match->ints);
    match->float_op = number_op(&match->floats);
    match->int_count = misses_int ? UINT32_MAX : match->ints.count;
    match->float_count = misses_float ? UINT32_MAX : match->floats.count;
    return 0;
}

/* Lists hold values of one sort; the other sorts stay at never, and for "all" impossible. */
static int fill_set(sp_match *match, const sp_filter_node *leaf, uint64_t seed)
{
    if (!leaf->value_count)
        return 0; /* "all" of nothing: every count stays 0 */
    match->text_count = UINT32_MAX;
    match->int_count = UINT32_MAX;
    match->float_count = UINT32_MAX;
    match->bool_count = UINT32_MAX;
    if (leaf->values[0].type == SP_TEXT)
        return fill_texts(match, leaf, seed);
    if (leaf->values[0].type != SP_BOOL)
        return fill_numbers(match, leaf, seed);
    for (uint32_t i = 0; i < leaf->value_count; i++)
        match->truths |= leaf->values[i].as.boolean ? 2 : 1;
    match->bool_count = match->truths == 3 ? 2 : 1;
    return 0;
}

int sp_match_init(sp_match *match, const sp_filter_node *leaf, uint64_t seed)
{
    memset(match, 0, sizeof *match);
    match->kind = leaf->kind;
    match->negated = leaf->negated;
    match->field = leaf->field;
    switch (leaf->kind) {
    case SP_FILTER_EXISTS: return 0;
    case SP_FILTER_LIKE:
        match->text_op = SP_MATCH_LIKE;
        return sp_pattern_init(&match->pattern, leaf->values[0].as.text);
    case SP_FILTER_IN:
    case SP_FILTER_CONTAINS_ANY:
    case SP_FILTER_CONTAINS_ALL: return fill_set(match, leaf, seed);
    default: compare(match, &leaf->values[0]); return 0;
    }
}

void sp_match_clear(sp_match *match)
{
    sp_text_set_clear(&match->texts);
    sp_number_set_clear(&match->ints);
    sp_number_set_clear(&match->floats);
    sp_pattern_clear(&match->pattern);
}
