/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A leaf of a filter, made ready for the columns it may meet: what it accepts of text, of
 * int64, of float64 and of bool is worked out once, exactly, and kept side by side.
 */
#ifndef SP_FILTER_MATCH_H
#define SP_FILTER_MATCH_H

#include "filter.h"
#include "filter_set.h"

/* How a value of one type is compared. */
typedef enum sp_match_op {
    SP_MATCH_NEVER, /* no value of this type can be accepted: 0, what a zeroed one has */
    SP_MATCH_EQ,
    SP_MATCH_LT,
    SP_MATCH_LE,
    SP_MATCH_GT,
    SP_MATCH_GE,
    SP_MATCH_RANGE, /* int64 only: low to high, both included */
    SP_MATCH_SET,
    SP_MATCH_FEW,   /* a set so small that looking at each member is quicker */
    SP_MATCH_LIKE   /* text only */
} sp_match_op;

#define SP_MATCH_FEW_TEXTS 4
#define SP_MATCH_FEW_NUMBERS 8

/* Texts are told apart by size and first 8 bytes, nearly always. */
typedef struct sp_probe {
    sp_text text;
    uint64_t head;
    uint64_t mask; /* which bytes of head count */
} sp_probe;

static inline sp_probe sp_probe_of(sp_text text)
{
    sp_probe probe = {text, 0, 0};

    if (text.size)
        memcpy(&probe.head, text.data, text.size < 8 ? text.size : 8);
    memset(&probe.mask, 0xff, text.size < 8 ? text.size : 8);
    return probe;
}

typedef struct sp_pattern {
    uint16_t *items; /* bytes and SP_PATTERN_ONE or _MANY, no two _MANY side by side */
    uint32_t count;
    char *prefix;    /* the plain bytes it begins with; the rest begins at items */
    uint32_t prefix_size;
    uint32_t least;  /* no shorter text matches */
} sp_pattern;

typedef struct sp_match {
    uint8_t kind;    /* SP_FILTER_EQ, ...: decides between scalars and lists */
    uint8_t negated;
    uint32_t field;
    uint8_t text_op; /* sp_match_op */
    uint8_t int_op;
    uint8_t float_op;
    uint8_t truths;  /* bit 0: false is accepted, bit 1: true is */
    sp_probe text;
    int64_t low;
    uint64_t span;   /* high - low */
    double bound;
    sp_text_set texts;
    sp_number_set ints;   /* of (uint64_t)value */
    sp_number_set floats; /* of sp_match_float_key */
    int64_t few_ints[SP_MATCH_FEW_NUMBERS]; /* the members of ints, if FEW */
    double few_floats[SP_MATCH_FEW_NUMBERS];
    sp_pattern pattern;
    uint32_t text_count; /* CONTAINS_ALL: how many different members a list must hold, */
    uint32_t int_count;  /* UINT32_MAX where some value cannot be of the type */
    uint32_t float_count;
    uint32_t bool_count;
} sp_match;

/* 0 on success, -1 if memory ran out; clear in either case. */
int sp_match_init(sp_match *match, const sp_filter_node *leaf, uint64_t seed);
void sp_match_clear(sp_match *match);

int sp_pattern_init(sp_pattern *pattern, sp_text text);
void sp_pattern_clear(sp_pattern *pattern);
int sp_pattern_matches(const sp_pattern *pattern, sp_text text);

/* Equal doubles have equal keys: 0.0 and -0.0 are one. Not for NaN. */
static inline uint64_t sp_match_float_key(double value)
{
    uint64_t key;
    double plus = value + 0.0;

    memcpy(&key, &plus, sizeof key);
    return key;
}

#endif
