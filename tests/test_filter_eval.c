/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random filters over random columns against the plainest evaluation that can be written:
 * row by row, numbers as long double (64 bits of mantissa at least, so that every int64
 * and every double is exact), patterns by trying everything.
 */
#include "config.h"

#include <math.h>
#include <pthread.h>

#include "filter_table.h"
#include "tests/unit.h"

#define ROWS 5000 /* more than two blocks, and no multiple of anything */

/* ---- a generator that is the same everywhere ------------------------------------------------ */

static uint64_t state;

static uint32_t next(uint32_t below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((state >> 33) % below);
}

static const char *const texts[] = {"",         "a",        "b",         "ab",       "abcdefgh",
                                    "abcdefgi", "abcdefghi", "abcdefghij", "abcdefghik", "x\\y",
                                    "100%",     "\xc3\xbc"};
static const int64_t ints[] = {0,         1,         -1,        2,        INT64_MIN,
                               INT64_MAX, (INT64_C(1) << 53) + 1, INT64_C(1) << 53, INT64_MAX - 1, 7};
static const double floats[] = {0.0, -0.0, 1.0, -1.0, 0.5, 1e300, -1e300, 9007199254740992.0,
                                9223372036854775808.0, -9223372036854775808.0, 5e-324, 2.5};

#define PICK(array) array[next(sizeof array / sizeof *array)]

static sp_text text_of(const char *text)
{
    sp_text result = {text, strlen(text)};

    return result;
}

static void add_random(table_column *c)
{
    switch (c->type & ~SP_LIST) {
    case SP_TEXT: table_add_text(c, text_of(PICK(texts))); break;
    case SP_INT64: table_add_int(c, PICK(ints)); break;
    case SP_FLOAT64:
        table_add_float(c, next(20) ? PICK(floats) : next(2) ? (double)NAN : (double)-INFINITY);
        break;
    default: table_add_bool(c, (int)next(2)); break;
    }
}

static void fill_column(table_column *c, uint32_t nulls)
{
    for (int row = 0; row < ROWS; row++) {
        int is_null = nulls && next(nulls) == 0;

        if (c->type & SP_LIST) {
            uint32_t size = next(100) ? next(5) : 150;

            for (uint32_t i = 0; !is_null && i < size; i++)
                add_random(c);
        } else if (!is_null) {
            add_random(c);
        }
        table_end_row(c, !is_null);
    }
}

static void fill_table(table *t)
{
    static const char *const names[] = {"t", "i", "f", "b", "lt", "li", "lf", "lb",
                                        "tn", "in", "fn", "bn", "ltn", "lin"};
    static const uint32_t types[] = {SP_TEXT,
                                     SP_INT64,
                                     SP_FLOAT64,
                                     SP_BOOL,
                                     SP_TEXT | SP_LIST,
                                     SP_INT64 | SP_LIST,
                                     SP_FLOAT64 | SP_LIST,
                                     SP_BOOL | SP_LIST,
                                     SP_TEXT,
                                     SP_INT64,
                                     SP_FLOAT64,
                                     SP_BOOL,
                                     SP_TEXT | SP_LIST,
                                     SP_INT64 | SP_LIST};

    table_init(t);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        fill_column(table_add_column(t, text_of(names[i]), types[i]), i >= 8 ? 3 : 0);
    table_finish(t);
}

/* ---- random filters ----------------------------------------------------------------------------- */

static void put_text(sp_buffer *out, const char *text)
{
    sp_buffer_append_text(out, "\"");
    for (; *text; text++)
        sp_buffer_printf(out, *text == '\\' ? "\\\\" : "%c", *text);
    sp_buffer_append_text(out, "\"");
}

static void put_value(sp_buffer *out, uint32_t sort)
{
    switch (sort) {
    case 0: put_text(out, PICK(texts)); break;
    case 1: sp_buffer_printf(out, "%lld", (long long)PICK(ints)); break;
    case 2: sp_buffer_printf(out, "%.17e", PICK(floats)); break;
    default: sp_buffer_append_text(out, next(2) ? "true" : "false"); break;
    }
}

static void put_list(sp_buffer *out)
{
    uint32_t sort = next(4);
    uint32_t size = next(5) ? next(6) : 40;

    sp_buffer_append_text(out, "[");
    for (uint32_t i = 0; i < size; i++) {
        sp_buffer_append_text(out, i ? ", " : "");
        if (sort == 0 && next(20) == 0)
            sp_buffer_printf(out, "\"text %u\"", next(1000));
        else
            put_value(out, sort == 1 || sort == 2 ? 1 + next(2) : sort);
    }
    sp_buffer_append_text(out, "]");
}

static void put_leaf(sp_buffer *out)
{
    static const char *const fields[] = {"t",  "i",  "f",  "b",  "lt", "li",  "lf",  "lb",
                                         "tn", "`in`", "fn", "bn", "ltn", "lin", "none"};
    static const char *const orders[] = {"<", "<=", ">", ">="};
    static const char *const patterns[] = {"%", "a%", "%b", "%b%", "_", "__%", "a%h_", "abc%ij",
                                           "%c%e%g%", "", "100\\\\%", "%\\\\\\\\%", "_b%_"};
    const char *field = PICK(fields);

    switch (next(9)) {
    case 0:
        sp_buffer_printf(out, "%s %s ", field, next(2) ? "==" : "!=");
        put_value(out, next(4));
        break;
    case 1:
    case 2:
        sp_buffer_printf(out, "%s %s ", field, PICK(orders));
        put_value(out, next(3));
        break;
    case 3:
    case 4:
        sp_buffer_printf(out, "%s %s ", field, next(2) ? "in" : "not in");
        put_list(out);
        break;
    case 5: sp_buffer_printf(out, "%s like \"%s\"", next(2) ? "t" : field, PICK(patterns)); break;
    case 6: sp_buffer_printf(out, "exists %s", field); break;
    case 7:
        sp_buffer_printf(out, "array_contains(%s, ", field);
        put_value(out, next(4));
        sp_buffer_append_text(out, ")");
        break;
    default:
        sp_buffer_printf(out, "array_contains_%s(%s, ", next(2) ? "any" : "all", field);
        put_list(out);
        sp_buffer_append_text(out, ")");
        break;
    }
}

static void put_filter(sp_buffer *out, int depth)
{
    uint32_t members;

    if (depth == 0 || next(3) == 0) {
        put_leaf(out);
        return;
    }
    if (next(4) == 0)
        sp_buffer_append_text(out, "not ");
    sp_buffer_append_text(out, "(");
    members = 1 + next(3);
    for (uint32_t i = 0; i < members; i++) {
        if (i)
            sp_buffer_append_text(out, next(2) ? " and " : " or ");
        put_filter(out, depth - 1);
    }
    sp_buffer_append_text(out, ")");
}

/* ---- the plain evaluation --------------------------------------------------------------------------- */

static size_t character_size(sp_text text)
{
    size_t size = 1;

    while (size < text.size && ((uint8_t)text.data[size] & 0xc0) == 0x80)
        size++;
    return size;
}

static sp_text rest(sp_text text, size_t size)
{
    sp_text result = {text.data + size, text.size - size};

    return result;
}

static int plain_like(sp_text pattern, sp_text text)
{
    int item = sp_pattern_next(&pattern);

    if (item == SP_PATTERN_END)
        return text.size == 0;
    if (item == SP_PATTERN_MANY)
        return plain_like(pattern, text) ||
               (text.size && plain_like((sp_text){pattern.data - 1, pattern.size + 1},
                                        rest(text, character_size(text))));
    if (!text.size || (item != SP_PATTERN_ONE && item != (uint8_t)text.data[0]))
        return 0;
    return plain_like(pattern, rest(text, item == SP_PATTERN_ONE ? character_size(text) : 1));
}

static int text_order(sp_text a, sp_text b)
{
    for (size_t i = 0; i < a.size && i < b.size; i++)
        if (a.data[i] != b.data[i])
            return (uint8_t)a.data[i] < (uint8_t)b.data[i] ? -1 : 1;
    return a.size < b.size ? -1 : a.size > b.size;
}

static int ordered(uint32_t kind, int below, int equal)
{
    switch (kind) {
    case SP_FILTER_LT: return below;
    case SP_FILTER_LE: return below || equal;
    case SP_FILTER_GT: return !below && !equal;
    case SP_FILTER_GE: return !below;
    default: return equal;
    }
}

/* Element i of the column against one value. */
static int plain_test(uint32_t kind, const sp_column *c, uint64_t i, const sp_filter_value *value)
{
    uint32_t item = c->type & ~SP_LIST;
    long double a;
    long double b;

    if (item == SP_TEXT && value->type == SP_TEXT) {
        int order = text_order(sp_column_text(c, i), value->as.text);

        return kind == SP_FILTER_LIKE ? plain_like(value->as.text, sp_column_text(c, i))
                                      : ordered(kind, order < 0, order == 0);
    }
    if (item == SP_BOOL && value->type == SP_BOOL)
        return kind == SP_FILTER_EQ &&
               ((const uint8_t *)c->values)[i] == (value->as.boolean != 0);
    if (item == SP_TEXT || item == SP_BOOL || value->type == SP_TEXT || value->type == SP_BOOL)
        return 0;
    a = item == SP_INT64 ? (long double)((const int64_t *)c->values)[i]
                         : (long double)((const double *)c->values)[i];
    b = value->type == SP_INT64 ? (long double)value->as.int64 : (long double)value->as.float64;
    return !isnan((double)a) && ordered(kind, a < b, a == b);
}

static int plain_leaf(const sp_filter_node *leaf, const sp_column *c, uint64_t row)
{
    int is_list;
    uint64_t from;
    uint64_t to;
    uint32_t hits = 0;

    if (!c || !sp_column_is_valid(c, row))
        return 0;
    if (leaf->kind == SP_FILTER_EXISTS)
        return 1;
    is_list = (c->type & SP_LIST) != 0;
    if (is_list != (leaf->kind >= SP_FILTER_CONTAINS))
        return 0;
    from = is_list ? (uint64_t)c->list_offsets[row] : row;
    to = is_list ? (uint64_t)c->list_offsets[row + 1] : row + 1;
    for (uint32_t v = 0; v < leaf->value_count; v++) {
        uint32_t kind = leaf->kind == SP_FILTER_IN || is_list ? SP_FILTER_EQ : leaf->kind;
        int found = 0;

        for (uint64_t i = from; i < to; i++)
            found |= plain_test(kind, c, i, &leaf->values[v]);
        hits += (uint32_t)found;
    }
    return leaf->kind == SP_FILTER_CONTAINS_ALL ? hits == leaf->value_count : hits > 0;
}

static int plain_eval(const sp_filter *filter, uint32_t index, table *t, uint64_t row)
{
    const sp_filter_node *node = &filter->nodes[index];
    int all = 1;
    int any = 0;

    if (node->kind == SP_FILTER_CONST)
        return node->truth;
    if (node->kind >= SP_FILTER_EQ)
        return plain_leaf(node, table_lookup(t, 0, filter->fields[node->field]), row) !=
               node->negated;
    for (uint32_t c = index + 1; c < node->end; c = filter->nodes[c].end) {
        int holds = plain_eval(filter, c, t, row);

        all &= holds;
        any |= holds;
    }
    return node->kind == SP_FILTER_AND ? all : any;
}

/* ---- tests ---------------------------------------------------------------------------------------- */

static table shared;

static sp_filter *random_filter(int depth)
{
    sp_filter *filter = NULL;
    sp_filter_error error;
    sp_buffer out;

    sp_buffer_init(&out);
    put_filter(&out, depth);
    if (sp_filter_parse((const char *)out.data, out.size, &filter, &error))
        printf("\n    %.*s: %s", (int)out.size, (const char *)out.data, error.message);
    sp_buffer_clear(&out);
    CU_ASSERT_PTR_NOT_NULL_FATAL(filter);
    return filter;
}

static void complain(const sp_filter *filter, uint64_t row)
{
    sp_buffer out;

    sp_buffer_init(&out);
    sp_filter_print(filter, &out);
    printf("\n    row %llu: %.*s", (unsigned long long)row, (int)out.size, (const char *)out.data);
    sp_buffer_clear(&out);
}

static void check_part(const sp_filter *filter, const sp_filter_bound *bound, uint64_t first,
                       uint64_t count)
{
    uint8_t *bitmap = malloc((size_t)(count + 7) / 8 + 1);
    uint64_t wrong = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(bitmap);
    memset(bitmap, 0xa5, (size_t)(count + 7) / 8 + 1);
    sp_filter_eval_columns(bound, table_lookup, &shared, first, count, bitmap);
    for (uint64_t i = 0; i < count; i++) {
        int found = bitmap[i / 8] >> (i % 8) & 1;

        if (found != plain_eval(filter, 0, &shared, first + i) && wrong++ == 0)
            complain(filter, first + i);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    if (count % 8)
        CU_ASSERT_EQUAL(bitmap[count / 8] >> (count % 8), 0);
    CU_ASSERT_EQUAL(bitmap[(count + 7) / 8], 0xa5);
    free(bitmap);
}

static void run_random(int filters, int depth)
{
    for (int i = 0; i < filters; i++) {
        sp_filter *filter = random_filter(depth);
        sp_filter_bound *bound = NULL;
        uint64_t first = next(ROWS);

        CU_ASSERT_EQUAL_FATAL(sp_filter_bind(filter, &bound), SIMPLUGIN_OK);
        check_part(filter, bound, 0, i % 10 ? 700 : ROWS);
        check_part(filter, bound, first, next((uint32_t)(ROWS - first) + 1) % 300);
        check_part(filter, bound, first, 1);
        check_part(filter, bound, first, 0);
        sp_filter_bound_free(bound);
        sp_filter_free(filter);
    }
}

static void test_leaves(void)
{
    state = 1;
    run_random(1500, 0);
}

static void test_trees(void)
{
    state = 2;
    run_random(400, 4);
}

static void test_printed_trees(void)
{
    state = 3;
    for (int i = 0; i < 3000; i++) {
        sp_filter *filter = random_filter(5);
        sp_filter *again = NULL;
        sp_buffer out;

        sp_buffer_init(&out);
        sp_filter_print(filter, &out);
        CU_ASSERT_EQUAL(sp_filter_parse((const char *)out.data, out.size, &again, NULL),
                        SIMPLUGIN_OK);
        CU_ASSERT_TRUE(again && sp_filter_equal(filter, again));
        sp_buffer_clear(&out);
        sp_filter_free(again);
        sp_filter_free(filter);
    }
}

static void test_relaxed_trees(void)
{
    state = 4;
    for (int i = 0; i < 1000; i++) {
        sp_filter *filter = random_filter(4);
        sp_filter *relaxed = NULL;
        sp_filter_bound *bound = NULL;
        sp_filter_support support;
        int exact = 0;
        uint64_t lost = 0;

        sp_filter_support_all(&support);
        support.positive = state ^ state << 23;
        support.negative = state * 77;
        support.groups[SP_FILTER_AND] = next(3) > 0;
        support.groups[SP_FILTER_OR] = next(3) > 0;
        CU_ASSERT_EQUAL_FATAL(sp_filter_relax(filter, &support, NULL, NULL, &relaxed, &exact),
                              SIMPLUGIN_OK);
        CU_ASSERT_EQUAL_FATAL(sp_filter_bind(relaxed, &bound), SIMPLUGIN_OK);
        for (uint64_t row = 0; row < 60; row++) {
            int strict = plain_eval(filter, 0, &shared, row);
            int wide = sp_filter_eval_row(bound, table_lookup, &shared, row);

            lost += (strict && !wide) || (exact && strict != wide);
        }
        CU_ASSERT_EQUAL(lost, 0);
        sp_filter_bound_free(bound);
        sp_filter_free(relaxed);
        sp_filter_free(filter);
    }
}

static void test_short_columns(void)
{
    static const int64_t values[] = {1, 2, 3};
    sp_filter *filter = NULL;
    sp_filter_bound *bound = NULL;
    uint8_t bitmap[13];
    table t;
    table_column *c;

    table_init(&t);
    c = table_add_column(&t, text_of("i"), SP_INT64);
    for (int i = 0; i < 3; i++) {
        table_add_int(c, values[i]);
        table_end_row(c, 1);
    }
    table_finish(&t);
    CU_ASSERT_EQUAL(sp_filter_parse("i != 2 and i > 0 or i == 2", 26, &filter, NULL), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(filter);
    CU_ASSERT_EQUAL_FATAL(sp_filter_bind(filter, &bound), SIMPLUGIN_OK);
    sp_filter_eval_columns(bound, table_lookup, &t, 0, 100, bitmap);
    CU_ASSERT_EQUAL(bitmap[0], 7);
    for (int i = 1; i < 13; i++)
        CU_ASSERT_EQUAL(bitmap[i], 0);
    CU_ASSERT_FALSE(sp_filter_eval_row(bound, table_lookup, &t, UINT64_C(1) << 62));
    sp_filter_bound_free(bound);
    sp_filter_free(filter);
    table_clear(&t);
}

/* 100,000 values of each sort, which is where sets hash and lists are long. */
static void test_large_lists(void)
{
    sp_filter *filter = NULL;
    sp_filter_bound *bound = NULL;
    sp_buffer out;

    sp_buffer_init(&out);
    sp_buffer_append_text(&out, "t in [\"abcdefghij\"");
    for (int i = 0; i < 100000; i++)
        sp_buffer_printf(&out, ",\"%d\"", i);
    sp_buffer_append_text(&out, "] or i in [7");
    for (int i = 0; i < 100000; i++)
        sp_buffer_printf(&out, ",%d", 1000 + i);
    sp_buffer_append_text(&out, "] or array_contains_any(lf, [0.5");
    for (int i = 0; i < 1000; i++)
        sp_buffer_printf(&out, ",%d.25", i);
    sp_buffer_append_text(&out, "]) or array_contains_all(li, [1,1,1,2])");
    CU_ASSERT_EQUAL(sp_filter_parse((const char *)out.data, out.size, &filter, NULL),
                    SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(filter);
    CU_ASSERT_EQUAL_FATAL(sp_filter_bind(filter, &bound), SIMPLUGIN_OK);
    check_part(filter, bound, 3, 130);
    sp_filter_bound_free(bound);
    sp_filter_free(filter);
    sp_buffer_clear(&out);
}

/* "All" of more values than one machine word has bits. */
static void test_many_wanted(void)
{
    sp_filter *filter = NULL;
    sp_filter_bound *bound = NULL;
    sp_buffer out;
    table t;
    table_column *c;

    table_init(&t);
    c = table_add_column(&t, text_of("l"), SP_INT64 | SP_LIST);
    for (int row = 0; row < 3; row++) {
        for (int i = 0; i < 200 + row; i++)
            table_add_int(c, 201 - i);
        table_end_row(c, 1);
    }
    table_finish(&t);
    sp_buffer_init(&out);
    sp_buffer_append_text(&out, "array_contains_all(l, [0");
    for (int i = 1; i < 202; i++)
        sp_buffer_printf(&out, ", %d", i);
    sp_buffer_append_text(&out, "])");
    CU_ASSERT_EQUAL(sp_filter_parse((const char *)out.data, out.size, &filter, NULL),
                    SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(filter);
    CU_ASSERT_EQUAL_FATAL(sp_filter_bind(filter, &bound), SIMPLUGIN_OK);
    CU_ASSERT_FALSE(sp_filter_eval_row(bound, table_lookup, &t, 0));
    CU_ASSERT_FALSE(sp_filter_eval_row(bound, table_lookup, &t, 1));
    CU_ASSERT_TRUE(sp_filter_eval_row(bound, table_lookup, &t, 2));
    sp_filter_bound_free(bound);
    sp_filter_free(filter);
    sp_buffer_clear(&out);
    table_clear(&t);
}

typedef struct reader {
    const sp_filter_bound *bound;
    uint8_t bitmap[(ROWS + 7) / 8];
} reader;

static void *read_all(void *context)
{
    reader *r = context;

    for (int i = 0; i < 5; i++)
        sp_filter_eval_columns(r->bound, table_lookup, &shared, 0, ROWS, r->bitmap);
    return NULL;
}

static void test_threads(void)
{
    static reader readers[4];
    pthread_t threads[4];
    sp_filter *filter = NULL;
    sp_filter_bound *bound = NULL;
    static const char text[] = "t in ['a', 'b', 'ab', '100%', 'x'] or array_contains_all(li, [1])";

    CU_ASSERT_EQUAL(sp_filter_parse(text, strlen(text), &filter, NULL), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(filter);
    CU_ASSERT_EQUAL_FATAL(sp_filter_bind(filter, &bound), SIMPLUGIN_OK);
    for (int i = 0; i < 4; i++) {
        readers[i].bound = bound;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < 4; i++)
        CU_ASSERT_EQUAL(memcmp(readers[i].bitmap, readers[0].bitmap, sizeof readers[0].bitmap), 0);
    sp_filter_bound_free(bound);
    sp_filter_free(filter);
}

static const unit_case cases[] = {
    UNIT_CASE(test_leaves, "R266 every test on every type, against a plain evaluation"),
    UNIT_CASE(test_trees, "R266 trees, any part of the rows"),
    UNIT_CASE(test_printed_trees, "R266 printed trees parse to themselves"),
    UNIT_CASE(test_relaxed_trees, "R266 relaxed trees lose no row"),
    UNIT_CASE(test_short_columns, "rows behind a column's end are null"),
    UNIT_CASE(test_large_lists, "lists of 100,000 values"),
    UNIT_CASE(test_many_wanted, "all of more than 64 values"),
    UNIT_CASE(test_threads, "one bound filter, several threads"),
};

int main(void)
{
    int result;

    state = 42;
    fill_table(&shared);
    result = unit_run("filter evaluation", cases, sizeof cases / sizeof *cases);
    table_clear(&shared);
    return result;
}
