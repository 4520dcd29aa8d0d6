/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers compare as the numbers they are, whatever the types: PostgreSQL would round one to the
 * type of the other. So the value is turned into one of the column's type first, and the
 * comparison into what is the same there: n < 2.5 of an integer is n < 3.
 */
#include "filter_value.h"

/* 2 to the 63rd, as a double: one above the largest int64. */
#define INT64_END 9223372036854775808.0

static pgv_term term(pgv_compare compare)
{
    pgv_term made = {.compare = compare};

    return made;
}

/* An int64 column beside a float. */
static pgv_term integer_and_float(pgv_compare compare, double value)
{
    double below = floor(value);
    pgv_term made = term(compare);

    if (value >= INT64_END)
        return term(compare == PGV_LT || compare == PGV_LE ? PGV_ALWAYS : PGV_NEVER);
    if (value < -INT64_END)
        return term(compare == PGV_GT || compare == PGV_GE ? PGV_ALWAYS : PGV_NEVER);
    made.integer = (int64_t)below;
    if (below == value)
        return made;
    if (compare == PGV_EQ)
        return term(PGV_NEVER);
    /* nothing lies between the value and the integer below it */
    made.compare = compare == PGV_LT || compare == PGV_LE ? PGV_LE : PGV_GT;
    return made;
}

/* A float64 column beside an integer, which need not be a float64. */
static pgv_term float_and_integer(pgv_compare compare, int64_t value)
{
    pgv_term made = term(compare);
    int is_above;

    made.number = (double)value;
    if (made.number < INT64_END && (int64_t)made.number == value)
        return made;
    if (compare == PGV_EQ)
        return term(PGV_NEVER);
    is_above = made.number >= INT64_END || (int64_t)made.number > value;
    /* nothing lies between the value and its nearest float64 */
    if (compare == PGV_LT || compare == PGV_LE)
        made.compare = is_above ? PGV_LT : PGV_LE;
    else
        made.compare = is_above ? PGV_GE : PGV_GT;
    return made;
}

/*
 * No text of the database holds U+0000. Behind everything that is the same up to there, or
 * shorter, and before everything else, comes the value.
 */
static pgv_term text_and_text(pgv_compare compare, const char *text, uint64_t size)
{
    const char *zero = size ? memchr(text, 0, (size_t)size) : NULL;
    pgv_term made = term(compare);

    made.text = text;
    made.size = zero ? (uint64_t)(zero - text) : size;
    if (zero)
        made.compare = compare == PGV_EQ                        ? PGV_NEVER
                       : compare == PGV_LT || compare == PGV_LE ? PGV_LE
                                                                : PGV_GT;
    return made;
}

pgv_term pgv_term_of(pgv_compare compare, const simplugin_value *value, uint32_t type)
{
    pgv_term made = term(compare);

    if (type == SIMPLUGIN_COLUMN_TEXT && value->type == SIMPLUGIN_TEXT)
        return text_and_text(compare, (const char *)value->data, value->size);
    if (type == SIMPLUGIN_COLUMN_INT64 && value->type == SIMPLUGIN_DOUBLE)
        return integer_and_float(compare, value->as.d);
    if (type == SIMPLUGIN_COLUMN_FLOAT64 && value->type == SIMPLUGIN_INT)
        return float_and_integer(compare, value->as.i);
    made.integer = value->as.i;
    if (value->type == SIMPLUGIN_DOUBLE)
        made.number = value->as.d;
    if ((type == SIMPLUGIN_COLUMN_INT64 && value->type == SIMPLUGIN_INT) ||
        (type == SIMPLUGIN_COLUMN_FLOAT64 && value->type == SIMPLUGIN_DOUBLE) ||
        (type == SIMPLUGIN_COLUMN_BOOL && value->type == SIMPLUGIN_BOOL && compare == PGV_EQ))
        return made;
    return term(PGV_NEVER); /* of another type: no order, and equal to nothing */
}
