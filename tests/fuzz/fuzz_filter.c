/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the text of a filter and as an encoded tree. What comes out of either must
 * survive printing and encoding, and be safe to relax, simplify and evaluate.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS 3

static const int64_t offsets[] = {0, 0, 3, 11};
static const int64_t lists[] = {0, 1, 1, 3};
static const int64_t ints[] = {INT64_MIN, 7, INT64_MAX};
static const double floats[] = {-0.0, 2.5, (double)NAN};
static const uint8_t bools[] = {0, 1, 1};
static const uint8_t valid[] = {0x5};

/* By the first letter of the field's name. */
static const sp_column *look_up(void *context, uint32_t index, sp_text name)
{
    static const sp_column columns[] = {
        {SP_TEXT, ROWS, NULL, NULL, offsets, "abc\xc3\xbc%_\\\"'\n"},
        {SP_INT64, ROWS, valid, NULL, NULL, ints},
        {SP_FLOAT64, ROWS, NULL, NULL, NULL, floats},
        {SP_BOOL, ROWS, NULL, NULL, NULL, bools},
        {SP_TEXT | SP_LIST, ROWS, NULL, lists, offsets, "abc\xc3\xbc%_\\\"'\n"},
        {SP_INT64 | SP_LIST, ROWS, valid, lists, NULL, ints},
        {SP_FLOAT64 | SP_LIST, ROWS, NULL, lists, NULL, floats},
        {SP_BOOL | SP_LIST, ROWS, NULL, lists, NULL, bools},
    };
    uint32_t number = (uint32_t)(uint8_t)name.data[0] - 'a';

    (void)context;
    (void)index;
    return number < sizeof columns / sizeof *columns ? &columns[number] : NULL;
}

static uint32_t type_of(void *context, sp_text name)
{
    const sp_column *column = look_up(context, 0, name);

    return column ? column->type : 0;
}

static void require(int holds)
{
    if (!holds)
        abort();
}

static uint8_t evaluate(const sp_filter *filter)
{
    sp_filter_bound *bound = NULL;
    uint8_t rows = 0;

    require(sp_filter_bind(filter, &bound) == SIMPLUGIN_OK);
    sp_filter_eval_columns(bound, look_up, NULL, 0, ROWS, &rows);
    for (uint64_t i = 0; i < ROWS; i++)
        require(sp_filter_eval_row(bound, look_up, NULL, i) == (rows >> i & 1));
    sp_filter_bound_free(bound);
    return rows;
}

static void check_text(const sp_filter *filter)
{
    sp_filter *again = NULL;
    sp_buffer text;

    sp_buffer_init(&text);
    sp_filter_print(filter, &text);
    require(!text.failed);
    /* Escapes make a text longer; only then may the canonical one pass the limit. */
    if (text.size <= SP_FILTER_MAX_SOURCE) {
        require(!sp_filter_parse((const char *)text.data, text.size, &again, NULL));
        require(sp_filter_equal(filter, again));
    }
    sp_filter_free(again);
    sp_buffer_clear(&text);
}

static void check_tree(const sp_filter *filter)
{
    sp_filter *again = NULL;
    simplugin_writer writer;
    simplugin_value value;
    const uint8_t *at;

    simplugin_writer_init(&writer);
    sp_filter_encode(filter, &writer);
    require(!writer.failed);
    at = writer.data;
    require(simplugin_read(&at, writer.data + writer.size, &value));
    require(!sp_filter_decode(&value, &again, NULL));
    require(sp_filter_equal(filter, again));
    sp_filter_free(again);
    simplugin_writer_clear(&writer);
}

static void check_relaxed(const sp_filter *filter, const sp_filter_support *support, uint8_t rows)
{
    sp_filter *relaxed = NULL;
    sp_filter_support used;
    uint8_t wide;
    int exact;

    require(!sp_filter_relax(filter, support, NULL, NULL, &relaxed, &exact));
    wide = evaluate(relaxed);
    require(!(rows & ~wide) && (!exact || rows == wide));
    sp_filter_support_used(relaxed, &used);
    require(sp_filter_support_covers(support, &used));
    sp_filter_free(relaxed);
}

static void check(const sp_filter *filter, const uint8_t *data, size_t size)
{
    sp_filter *simplified = NULL;
    sp_filter_support support;
    uint8_t rows = evaluate(filter);

    check_text(filter);
    check_tree(filter);
    require(!sp_filter_simplify(filter, type_of, NULL, &simplified));
    require(evaluate(simplified) == rows);
    sp_filter_free(simplified);
    sp_filter_support_all(&support);
    check_relaxed(filter, &support, rows);
    for (size_t i = 0; i < size; i++) {
        support.positive ^= (uint64_t)data[i] << i % 57;
        support.negative ^= (uint64_t)data[i] << (i * 7) % 57;
        support.groups[SP_FILTER_OR] ^= data[i] & 1;
        support.groups[SP_FILTER_AND] ^= data[i] >> 1 & 1;
    }
    check_relaxed(filter, &support, rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sp_filter *filter = NULL;
    sp_filter_error error;
    simplugin_value value;
    const uint8_t *at = data;

    if (!sp_filter_parse((const char *)data, size, &filter, &error))
        check(filter, data, size);
    else
        require(error.offset <= size && error.line && error.column);
    sp_filter_free(filter);
    filter = NULL;
    if (size && simplugin_read(&at, data + size, &value) &&
        !sp_filter_decode(&value, &filter, NULL))
        check(filter, data, size);
    sp_filter_free(filter);
    return 0;
}
