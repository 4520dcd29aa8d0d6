/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluation in blocks of rows that stay in the first-level cache, as words of 64 bits.
 * Every node gets the rows that still matter and answers for these alone, so that the
 * second member of an "and" costs little after a selective first one.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "filter_match.h"

#define WORDS 32
#define BLOCK_ROWS (WORDS * 64)

struct sp_filter_bound {
    const sp_filter *filter;
    sp_match *matches; /* by node; those of groups stay zero */
};

int32_t sp_filter_bind(const sp_filter *filter, sp_filter_bound **bound)
{
    sp_filter_bound *made = calloc(1, sizeof *made);
    uint64_t seed = sp_set_seed();
    int failed = 0;

    *bound = NULL;
    if (made)
        made->matches = calloc(filter->node_count, sizeof *made->matches);
    if (!made || !made->matches) {
        free(made);
        return SIMPLUGIN_OUT_OF_MEMORY;
    }
    made->filter = filter;
    for (uint32_t i = 0; i < filter->node_count && !failed; i++)
        if (filter->nodes[i].kind >= SP_FILTER_EQ)
            failed = sp_match_init(&made->matches[i], &filter->nodes[i], seed);
    if (failed) {
        sp_filter_bound_free(made);
        return SIMPLUGIN_OUT_OF_MEMORY;
    }
    *bound = made;
    return SIMPLUGIN_OK;
}

void sp_filter_bound_free(sp_filter_bound *bound)
{
    if (!bound)
        return;
    for (uint32_t i = 0; i < bound->filter->node_count; i++)
        sp_match_clear(&bound->matches[i]);
    free(bound->matches);
    free(bound);
}

/* ---- kernels: bit i says whether element at + i of the column is accepted; n is 1 to 64 ---- */

typedef uint64_t (*kernel)(const sp_match *match, const sp_column *column, uint64_t at,
                           uint32_t n);

static uint64_t ints_in_range(const sp_match *match, const sp_column *column, uint64_t at,
                              uint32_t n)
{
    const int64_t *values = (const int64_t *)column->values + at;
    uint64_t low = (uint64_t)match->low;
    uint64_t span = match->span;
    uint64_t bits = 0;

    for (uint32_t i = 0; i < n; i++)
        bits |= (uint64_t)((uint64_t)values[i] - low <= span) << i;
    return bits;
}

static uint64_t ints_in_few(const sp_match *match, const sp_column *column, uint64_t at,
                            uint32_t n)
{
    const int64_t *values = (const int64_t *)column->values + at;
    uint64_t bits = 0;

    for (uint32_t k = 0; k < match->ints.count; k++) {
        int64_t member = match->few_ints[k];

        for (uint32_t i = 0; i < n; i++)
            bits |= (uint64_t)(values[i] == member) << i;
    }
    return bits;
}

static uint64_t ints_in_set(const sp_match *match, const sp_column *column, uint64_t at,
                            uint32_t n)
{
    const int64_t *values = (const int64_t *)column->values + at;
    uint64_t bits = 0;

    for (uint32_t i = 0; i < n; i++)
        bits |= (uint64_t)(sp_number_set_find(&match->ints, (uint64_t)values[i]) != SP_SET_NONE)
                << i;
    return bits;
}

#define FLOAT_KERNEL(name, op)                                                           \
    static uint64_t name(const sp_match *match, const sp_column *column, uint64_t at,    \
                         uint32_t n)                                                     \
    {                                                                                    \
        const double *values = (const double *)column->values + at;                      \
        double bound = match->bound;                                                     \
        uint64_t bits = 0;                                                               \
                                                                                         \
        for (uint32_t i = 0; i < n; i++)                                                 \
            bits |= (uint64_t)(values[i] op bound) << i;                                 \
        return bits;                                                                     \
    }

FLOAT_KERNEL(floats_equal, ==)
FLOAT_KERNEL(floats_below, <)
FLOAT_KERNEL(floats_at_most, <=)
FLOAT_KERNEL(floats_above, >)
FLOAT_KERNEL(floats_at_least, >=)

static uint64_t floats_in_few(const sp_match *match, const sp_column *column, uint64_t at,
                              uint32_t n)
{
    const double *values = (const double *)column->values + at;
    uint64_t bits = 0;

    for (uint32_t k = 0; k < match->floats.count; k++) {
        double member = match->few_floats[k];

        for (uint32_t i = 0; i < n; i++)
            bits |= (uint64_t)(values[i] == member) << i;
    }
    return bits;
}

static uint64_t floats_in_set(const sp_match *match, const sp_column *column, uint64_t at,
                              uint32_t n)
{
    const double *values = (const double *)column->values + at;
    uint64_t bits = 0;

    for (uint32_t i = 0; i < n; i++)
        if (values[i] == values[i] &&
            sp_number_set_find(&match->floats, sp_match_float_key(values[i])) != SP_SET_NONE)
            bits |= UINT64_C(1) << i;
    return bits;
}

static uint64_t bools_accepted(const sp_match *match, const sp_column *column, uint64_t at,
                               uint32_t n)
{
    const uint8_t *values = (const uint8_t *)column->values + at;
    uint64_t bits = 0;

    for (uint32_t i = 0; i < n; i++)
        bits |= (uint64_t)(match->truths >> (values[i] != 0) & 1) << i;
    return bits;
}

static uint64_t probe_one_by_one(const sp_probe *probe, const sp_column *column, uint64_t at,
                                 uint32_t n)
{
    uint64_t bits = 0;

    for (uint32_t i = 0; i < n; i++) {
        sp_text text = sp_column_text(column, at + i);

        if (text.size == probe->text.size &&
            (!text.size || memcmp(text.data, probe->text.data, text.size) == 0))
            bits |= UINT64_C(1) << i;
    }
    return bits;
}

/* Compares size and first 8 bytes without a branch, and the rest of the few that are left. */
static uint64_t probe_texts(const sp_probe *probe, const sp_column *column, uint64_t at,
                            uint32_t n)
{
    const int64_t *offsets = column->offsets + at;
    uint64_t elements = column->type & SP_LIST ? (uint64_t)column->list_offsets[column->count]
                                               : column->count;
    const char *bytes = column->values;
    uint64_t size = probe->text.size;
    uint64_t bits = 0;
    uint64_t left;

    /* Eight bytes may be read from every text that does not begin in the last seven. */
    if (offsets[n - 1] + 8 > column->offsets[elements])
        return probe_one_by_one(probe, column, at, n);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t head;
        uint64_t found = (uint64_t)(offsets[i + 1] - offsets[i]);

        memcpy(&head, bytes + offsets[i], sizeof head);
        bits |= (uint64_t)((found == size) & (((head ^ probe->head) & probe->mask) == 0)) << i;
    }
    for (left = size > 8 ? bits : 0; left; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);

        if (memcmp(bytes + offsets[i] + 8, probe->text.data + 8, size - 8) != 0)
            bits &= ~(UINT64_C(1) << i);
    }
    return bits;
}

static uint64_t texts_equal(const sp_match *match, const sp_column *column, uint64_t at,
                            uint32_t n)
{
    return probe_texts(&match->text, column, at, n);
}

static uint64_t texts_in_few(const sp_match *match, const sp_column *column, uint64_t at,
                             uint32_t n)
{
    uint64_t bits = 0;

    for (uint32_t k = 0; k < match->texts.count; k++) {
        sp_probe probe = sp_probe_of(match->texts.texts[k]);

        bits |= probe_texts(&probe, column, at, n);
    }
    return bits;
}

static int text_compare(sp_text a, sp_text b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;

    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static uint64_t texts_ordered(const sp_match *match, const sp_column *column, uint64_t at,
                              uint32_t n)
{
    uint64_t bits = 0;

    for (uint32_t i = 0; i < n; i++) {
        int order = text_compare(sp_column_text(column, at + i), match->text.text);
        int accepted = match->text_op == SP_MATCH_LT   ? order < 0
                       : match->text_op == SP_MATCH_LE ? order <= 0
                       : match->text_op == SP_MATCH_GT ? order > 0
                                                       : order >= 0;

        bits |= (uint64_t)(accepted != 0) << i;
    }
    return bits;
}

static uint64_t texts_in_set(const sp_match *match, const sp_column *column, uint64_t at,
                             uint32_t n)
{
    uint64_t bits = 0;

    for (uint32_t i = 0; i < n; i++)
        bits |= (uint64_t)(sp_text_set_find(&match->texts, sp_column_text(column, at + i)) !=
                           SP_SET_NONE)
                << i;
    return bits;
}

static uint64_t texts_like(const sp_match *match, const sp_column *column, uint64_t at,
                           uint32_t n)
{
    uint64_t bits = 0;

    for (uint32_t i = 0; i < n; i++)
        bits |= (uint64_t)(sp_pattern_matches(&match->pattern,
                                              sp_column_text(column, at + i)) != 0)
                << i;
    return bits;
}

static kernel int_kernel(const sp_match *match)
{
    switch (match->int_op) {
    case SP_MATCH_RANGE: return ints_in_range;
    case SP_MATCH_FEW: return ints_in_few;
    case SP_MATCH_SET: return ints_in_set;
    default: return NULL;
    }
}

static kernel float_kernel(const sp_match *match)
{
    switch (match->float_op) {
    case SP_MATCH_EQ: return floats_equal;
    case SP_MATCH_LT: return floats_below;
    case SP_MATCH_LE: return floats_at_most;
    case SP_MATCH_GT: return floats_above;
    case SP_MATCH_GE: return floats_at_least;
    case SP_MATCH_FEW: return floats_in_few;
    case SP_MATCH_SET: return floats_in_set;
    default: return NULL;
    }
}

static kernel text_kernel(const sp_match *match)
{
    switch (match->text_op) {
    case SP_MATCH_NEVER: return NULL;
    case SP_MATCH_EQ: return texts_equal;
    case SP_MATCH_FEW: return texts_in_few;
    case SP_MATCH_SET: return texts_in_set;
    case SP_MATCH_LIKE: return texts_like;
    default: return texts_ordered;
    }
}

/* NULL: nothing of this type is accepted. */
static kernel kernel_of(const sp_match *match, uint32_t item)
{
    switch (item) {
    case SP_INT64: return int_kernel(match);
    case SP_FLOAT64: return float_kernel(match);
    case SP_BOOL: return match->truths ? bools_accepted : NULL;
    case SP_TEXT: return text_kernel(match);
    default: return NULL;
    }
}

/* Whether answering for 64 elements costs about as much as asking for a dozen by name. */
static int is_cheap(kernel run)
{
    return run != ints_in_set && run != floats_in_set && run != texts_in_set &&
           run != texts_like && run != texts_ordered;
}

/* Bits 0 to n - 1. */
static uint64_t ones(uint64_t n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* ---- lists ------------------------------------------------------------------------------------ */

/*
 * Those of n rows whose lists hold an accepted element: the elements of neighbouring rows
 * are neighbours, so the kernel runs over all of them and only its hits look for a row.
 */
static uint64_t lists_with_any(const sp_match *match, const sp_column *column, kernel run,
                               uint64_t row, uint32_t n)
{
    const int64_t *lists = column->list_offsets + row;
    uint64_t end = (uint64_t)lists[n];
    uint64_t rows = 0;
    uint32_t i = 0;

    for (uint64_t at = (uint64_t)lists[0]; at < end && i < n; at += 64) {
        uint64_t hits = run(match, column, at, end - at < 64 ? (uint32_t)(end - at) : 64);

        while (hits) {
            uint64_t hit = at + (uint32_t)__builtin_ctzll(hits);

            while ((uint64_t)lists[i + 1] <= hit)
                i++;
            rows |= UINT64_C(1) << i;
            hits &= ~ones((uint64_t)lists[i + 1] - at);
        }
    }
    return rows;
}

/* Which of the wanted values the element is, SP_SET_NONE for none. */
static uint32_t wanted_index(const sp_match *match, const sp_column *column, uint32_t item,
                             uint64_t element)
{
    double real;
    int truth;

    switch (item) {
    case SP_TEXT: return sp_text_set_find(&match->texts, sp_column_text(column, element));
    case SP_INT64:
        return sp_number_set_find(&match->ints,
                                  (uint64_t)((const int64_t *)column->values)[element]);
    case SP_FLOAT64:
        real = ((const double *)column->values)[element];
        return real == real ? sp_number_set_find(&match->floats, sp_match_float_key(real))
                            : SP_SET_NONE;
    default:
        truth = ((const uint8_t *)column->values)[element] != 0;
        if (!(match->truths >> truth & 1))
            return SP_SET_NONE;
        return match->truths == 3 ? (uint32_t)truth : 0;
    }
}

static uint32_t wanted_count(const sp_match *match, uint32_t item)
{
    switch (item) {
    case SP_TEXT: return match->text_count;
    case SP_INT64: return match->int_count;
    case SP_FLOAT64: return match->float_count;
    default: return match->bool_count;
    }
}

/* The wanted values in groups of 64, so that no memory is needed to tick them off. */
static int list_has_all(const sp_match *match, const sp_column *column, uint32_t item,
                        uint64_t from, uint64_t to)
{
    uint32_t wanted = wanted_count(match, item);

    if (wanted && to - from < wanted)
        return 0;
    for (uint32_t base = 0; base < wanted; base += 64) {
        uint64_t all = wanted - base < 64 ? (UINT64_C(1) << (wanted - base)) - 1 : UINT64_MAX;
        uint64_t seen = 0;

        for (uint64_t i = from; i < to && seen != all; i++) {
            uint32_t index = wanted_index(match, column, item, i);

            if (index != SP_SET_NONE && index >= base && index - base < 64)
                seen |= UINT64_C(1) << (index - base);
        }
        if (seen != all)
            return 0;
    }
    return 1;
}

static uint64_t lists_with_all(const sp_match *match, const sp_column *column, uint64_t row,
                               uint64_t wanted)
{
    uint32_t item = column->type & ~SP_LIST;
    uint64_t bits = 0;

    for (; wanted; wanted &= wanted - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(wanted);
        uint64_t from = (uint64_t)column->list_offsets[row + i];
        uint64_t to = (uint64_t)column->list_offsets[row + i + 1];

        if (list_has_all(match, column, item, from, to))
            bits |= UINT64_C(1) << i;
    }
    return bits;
}

/* ---- nodes ------------------------------------------------------------------------------------ */

typedef struct block {
    const sp_filter_bound *bound;
    const sp_column *const *columns; /* by field */
    uint64_t row;
    uint32_t count; /* of rows, up to BLOCK_ROWS */
} block;

/* Which of n rows have a value. */
static uint64_t valid_bits(const sp_column *column, uint64_t row, uint32_t n)
{
    uint64_t last;
    uint64_t bits = 0;
    uint32_t shift = (uint32_t)(row & 7);

    if (!column->valid)
        return ones(n);
    last = (row + n - 1) >> 3;
    for (uint64_t byte = row >> 3, at = 0; byte <= last; byte++, at += 8) {
        uint64_t eight = column->valid[byte];

        bits |= at < shift ? eight >> (shift - at) : at - shift < 64 ? eight << (at - shift) : 0;
    }
    return bits & ones(n);
}

static uint64_t run_rows(const sp_match *match, const sp_column *column, kernel run,
                         uint64_t row, uint32_t n)
{
    return column->type & SP_LIST ? lists_with_any(match, column, run, row, n)
                                  : run(match, column, row, n);
}

/* Those of the rows in wanted that have a value and whose value is accepted. */
static uint64_t match_word(const sp_match *match, const sp_column *column, kernel run,
                           uint64_t row, uint64_t wanted)
{
    uint64_t rows = column->count > row ? column->count - row : 0;
    uint32_t n = rows < 64 ? (uint32_t)rows : 64;
    uint64_t bits = 0;

    wanted &= ones(n);
    if (!wanted)
        return 0;
    n = 64 - (uint32_t)__builtin_clzll(wanted);
    wanted &= valid_bits(column, row, n);
    if (match->kind == SP_FILTER_EXISTS)
        return wanted;
    if (match->kind == SP_FILTER_CONTAINS_ALL)
        return lists_with_all(match, column, row, wanted);
    if (wanted == ones(n) ||
        (is_cheap(run) && (uint32_t)__builtin_popcountll(wanted) * 4 >= n))
        return run_rows(match, column, run, row, n) & wanted;
    for (; wanted; wanted &= wanted - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(wanted);

        bits |= run_rows(match, column, run, row + i, 1) << i;
    }
    return bits;
}

static void eval_leaf(const block *rows, const sp_match *match, const uint64_t *wanted,
                      uint64_t *accepted)
{
    const sp_column *column = rows->columns[match->field];
    int for_lists = match->kind >= SP_FILTER_CONTAINS;
    uint64_t flip = match->negated ? UINT64_MAX : 0;
    kernel run = NULL;
    int can_match = 0;

    if (column) {
        run = kernel_of(match, column->type & ~SP_LIST);
        can_match = match->kind == SP_FILTER_EXISTS ||
                    (for_lists == ((column->type & SP_LIST) != 0) &&
                     (run || match->kind == SP_FILTER_CONTAINS_ALL));
    }
    for (uint32_t w = 0; w * 64 < rows->count; w++) {
        uint64_t bits = 0;

        if (can_match && wanted[w])
            bits = match_word(match, column, run, rows->row + w * 64, wanted[w]);
        accepted[w] = (bits ^ flip) & wanted[w];
    }
}

static int is_empty(const uint64_t *words)
{
    uint64_t any = 0;

    for (uint32_t w = 0; w < WORDS; w++)
        any |= words[w];
    return !any;
}

/* accepted may be wanted itself. */
static void eval_node(const block *rows, uint32_t index, const uint64_t *wanted,
                      uint64_t *accepted)
{
    const sp_filter_node *nodes = rows->bound->filter->nodes;
    const sp_filter_node *node = &nodes[index];
    uint64_t left[WORDS];
    uint64_t found[WORDS];

    if (node->kind >= SP_FILTER_EQ) {
        eval_leaf(rows, &rows->bound->matches[index], wanted, accepted);
        return;
    }
    memcpy(left, wanted, sizeof left);
    if (node->kind == SP_FILTER_OR) {
        memset(accepted, 0, sizeof left);
        for (uint32_t c = index + 1; c < node->end && !is_empty(left); c = nodes[c].end) {
            memset(found, 0, sizeof found);
            eval_node(rows, c, left, found);
            for (uint32_t w = 0; w < WORDS; w++) {
                accepted[w] |= found[w];
                left[w] &= ~found[w];
            }
        }
        return;
    }
    for (uint32_t c = index + 1; c < node->end && !is_empty(left); c = nodes[c].end)
        eval_node(rows, c, left, left);
    if (node->kind == SP_FILTER_CONST && !node->truth)
        memset(left, 0, sizeof left);
    memcpy(accepted, left, sizeof left);
}

void sp_filter_eval_columns(const sp_filter_bound *bound, sp_filter_lookup lookup, void *context,
                            uint64_t first, uint64_t count, uint8_t *bitmap)
{
    const sp_column *columns[SP_FILTER_MAX_FIELDS];
    uint64_t words[WORDS];
    block rows = {bound, columns, first, 0};

    for (uint32_t i = 0; i < bound->filter->field_count; i++)
        columns[i] = lookup(context, i, bound->filter->fields[i]);
    for (uint64_t done = 0; done < count; done += BLOCK_ROWS) {
        rows.row = first + done;
        rows.count = count - done < BLOCK_ROWS ? (uint32_t)(count - done) : BLOCK_ROWS;
        for (uint32_t w = 0; w < WORDS; w++)
            words[w] = w * 64 < rows.count ? ones(rows.count - w * 64) : 0;
        eval_node(&rows, 0, words, words);
        for (uint32_t byte = 0; byte * 8 < rows.count; byte++)
            bitmap[done / 8 + byte] = (uint8_t)(words[byte / 8] >> (byte % 8 * 8));
    }
}

int sp_filter_eval_row(const sp_filter_bound *bound, sp_filter_lookup lookup, void *context,
                       uint64_t row)
{
    uint8_t bit = 0;

    sp_filter_eval_columns(bound, lookup, context, row, 1, &bit);
    return bit;
}
