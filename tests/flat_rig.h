/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives the flat backend through its table as the core does: requests are put together
 * key by key, replies are checked as envelopes and read back as short texts.
 */
#ifndef SP_TESTS_FLAT_RIG_H
#define SP_TESTS_FLAT_RIG_H

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "filter.h"
#include "host.h"
#include "simplugin.h"
#include "unit.h"

/* A backend in a fresh directory. */
typedef struct flat_rig {
    char *dir;
    const simplugin_backend *backend;
    simplugin_instance *instance;
} flat_rig;

/* One request, and after ask its reply. */
typedef struct question {
    const flat_rig *rig;
    simplugin_writer writer;
    uint64_t keys;
    sp_arena *arena;
    int64_t deadline; /* INT64_MAX: none */
    uint64_t cancel;
    int32_t code;
    simplugin_error *error;
    simplugin_reply reply;
    simplugin_value map;
    char text[65536]; /* what the readers below answer with */
} question;

static inline simplugin_instance *rig_instance(const flat_rig *rig)
{
    simplugin_call_info info = {.size = sizeof info, .method = "open", .method_size = 4,
                                .deadline = INT64_MAX};
    simplugin_instance *instance = NULL;
    simplugin_request request;
    simplugin_writer writer;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "data_dir");
    simplugin_write_string(&writer, rig->dir);
    request = simplugin_writer_request(&writer);
    CU_ASSERT_EQUAL(rig->backend->open(&info, &request, &instance, NULL), SIMPLUGIN_OK);
    simplugin_writer_clear(&writer);
    return instance;
}

static inline void rig_open(flat_rig *rig)
{
    simplugin_error *error = NULL;

    memset(rig, 0, sizeof *rig);
    rig->dir = unit_temp_dir();
    CU_ASSERT_EQUAL_FATAL(simplugin_backend_entry(&sp_host, &rig->backend, &error), SIMPLUGIN_OK);
    rig->instance = rig_instance(rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rig->instance);
}

static inline void rig_close(flat_rig *rig)
{
    char command[4096];

    rig->backend->close(rig->instance);
    snprintf(command, sizeof command, "rm -rf '%s'", rig->dir);
    CU_ASSERT_EQUAL(system(command), 0);
    free(rig->dir);
}

/* ---- requests ---------------------------------------------------------------------------- */

static inline void key(question *ask, const char *name)
{
    ask->keys++;
    simplugin_write_string(&ask->writer, name);
}

static inline question *ask_new(const flat_rig *rig, const char *collection)
{
    question *ask = calloc(1, sizeof *ask);

    if (!ask)
        abort();
    ask->rig = rig;
    ask->deadline = INT64_MAX;
    ask->reply.size = sizeof ask->reply;
    simplugin_write_map_begin(&ask->writer);
    if (collection) {
        key(ask, "collection");
        simplugin_write_string(&ask->writer, collection);
    }
    return ask;
}

static inline void ask_free(question *ask)
{
    simplugin_writer_clear(&ask->writer);
    simplugin_reply_clear(&ask->reply);
    simplugin_error_free(&ask->error);
    sp_arena_free(&ask->arena);
    free(ask);
}

static inline void *memory(question *ask, uint64_t count, uint64_t size)
{
    void *at = sp_arena_array(&ask->arena, count + 1, size);

    if (!at)
        abort();
    return at;
}

static inline void with_text(question *ask, const char *name, const char *text)
{
    key(ask, name);
    simplugin_write_string(&ask->writer, text);
}

static inline void with_int(question *ask, const char *name, int64_t number)
{
    key(ask, name);
    simplugin_write_int(&ask->writer, number);
}

static inline void with_bool(question *ask, const char *name, int flag)
{
    key(ask, name);
    simplugin_write_bool(&ask->writer, flag);
}

static inline void with_double(question *ask, const char *name, double number)
{
    key(ask, name);
    simplugin_write_double(&ask->writer, number);
}

/* A column of the words of a text. */
static inline sp_column column_of_words(question *ask, const char *words)
{
    sp_column column = {.type = SP_TEXT};
    int64_t *offsets = memory(ask, strlen(words) + 1, sizeof *offsets);
    char *values = memory(ask, strlen(words), 1);

    while (*words) {
        size_t size = strcspn(words, " ");

        memcpy(values + offsets[column.count], words, size);
        offsets[column.count + 1] = offsets[column.count] + (int64_t)size;
        column.count++;
        words += size + (words[size] == ' ');
    }
    column.offsets = offsets;
    column.values = values;
    return column;
}

static inline void with_ids(question *ask, const char *words)
{
    sp_column column = column_of_words(ask, words);

    key(ask, "ids");
    simplugin_write_column(&ask->writer, &column);
}

static inline void with_vectors(question *ask, const float *data, uint64_t rows, uint64_t dimension)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, rows, dimension);

    key(ask, "vectors");
    simplugin_write_tensor(&ask->writer, &tensor);
}

static inline void with_rows(question *ask, const int64_t *rows, uint64_t count)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_INT64, rows, count, 1);

    key(ask, "rows");
    simplugin_write_tensor(&ask->writer, &tensor);
}

/* The words as an array under a key. */
static inline void with_names(question *ask, const char *name, const char *words)
{
    sp_column column = column_of_words(ask, words);

    key(ask, name);
    simplugin_write_array(&ask->writer, column.count);
    for (uint64_t i = 0; i < column.count; i++) {
        sp_text word = sp_column_text(&column, i);

        simplugin_write_text(&ask->writer, word.data, word.size);
    }
}

static inline void with_filter(question *ask, const char *text)
{
    sp_filter *filter = NULL;
    sp_filter_error wrong;

    if (sp_filter_parse(text, strlen(text), &filter, &wrong)) {
        printf("%s\n", wrong.message);
        CU_FAIL_FATAL("the test's filter is wrong");
    }
    key(ask, "filter");
    sp_filter_encode(filter, &ask->writer);
    sp_filter_free(filter);
}

/* ---- columns of numbers and lists, and the map of fields ------------------------------------ */

/* Words as numbers (or true and false); "-" is a missing value. */
static inline sp_column column_of(question *ask, uint32_t type, const char *words)
{
    sp_column texts = column_of_words(ask, words);
    sp_column column = {.type = type, .count = texts.count};
    uint8_t *valid = memory(ask, texts.count / 8, 1);
    int64_t *ints = memory(ask, texts.count, 8);
    double *doubles = memory(ask, texts.count, 8);
    uint8_t *bools = memory(ask, texts.count, 1);

    for (uint64_t i = 0; i < texts.count; i++) {
        sp_text word = sp_column_text(&texts, i);
        char copy[300];

        snprintf(copy, sizeof copy, "%.*s", (int)word.size, word.data);
        if (strcmp(copy, "-") != 0)
            valid[i / 8] |= (uint8_t)(1 << i % 8);
        ints[i] = strtoll(copy, NULL, 10);
        doubles[i] = strtod(copy, NULL);
        bools[i] = copy[0] == 't';
    }
    column.valid = valid;
    column.values = type == SP_INT64 ? (void *)ints : type == SP_FLOAT64 ? (void *)doubles : bools;
    if (type == SP_TEXT) {
        column.values = texts.values;
        column.offsets = texts.offsets;
    }
    return column;
}

/* The same for lists: "a,b" two items, "." none, "-" missing. */
static inline sp_column column_of_lists(question *ask, uint32_t item, const char *words)
{
    sp_column rows = column_of_words(ask, words);
    char *flat = memory(ask, strlen(words) + 1, 1);
    int64_t *lists = memory(ask, rows.count + 1, sizeof *lists);
    uint8_t *valid = memory(ask, rows.count / 8, 1);
    sp_column column;

    for (uint64_t i = 0; i < rows.count; i++) {
        sp_text word = sp_column_text(&rows, i);

        lists[i + 1] = lists[i];
        if (word.size == 1 && word.data[0] == '-')
            continue;
        valid[i / 8] |= (uint8_t)(1 << i % 8);
        if (word.size == 1 && word.data[0] == '.')
            continue;
        lists[i + 1]++;
        if (flat[0])
            strcat(flat, " ");
        strncat(flat, word.data, word.size);
        for (size_t j = 0; j < word.size; j++)
            lists[i + 1] += word.data[j] == ',';
    }
    for (char *at = flat; *at; at++)
        if (*at == ',')
            *at = ' ';
    column = column_of(ask, item, flat);
    column.type = item | SP_LIST;
    column.valid = valid;
    column.count = rows.count;
    column.list_offsets = lists;
    return column;
}

/* begins the map of fields; count columns follow through with_field. */
static inline void with_fields(question *ask, uint64_t count)
{
    key(ask, "fields");
    simplugin_write_map(&ask->writer, count);
}

static inline void with_field(question *ask, const char *name, sp_column column)
{
    simplugin_write_string(&ask->writer, name);
    simplugin_write_column(&ask->writer, &column);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static inline int32_t ask_send(question *ask, const char *method)
{
    simplugin_call_info info = {.size = sizeof info, .method = method,
                                .method_size = strlen(method), .deadline = ask->deadline,
                                .cancel = ask->cancel};
    simplugin_request request;
    const char *wrong;

    simplugin_write_end(&ask->writer, 0, ask->keys);
    request = simplugin_writer_request(&ask->writer);
    wrong = simplugin_check_request(&request);
    if (wrong) {
        printf("the test's request: %s\n", wrong);
        abort();
    }
    simplugin_reply_clear(&ask->reply);
    simplugin_error_free(&ask->error);
    ask->code = ask->rig->backend->call(ask->rig->instance, &info, &request, &ask->reply,
                                        &ask->error);
    if (ask->code) {
        CU_ASSERT_EQUAL(simplugin_error_code(ask->error), ask->code);
        simplugin_reply_clear(&ask->reply);
    } else {
        CU_ASSERT_PTR_NULL(ask->error);
        if (ask->error)
            printf("\n    %s answers OK, and: %s\n", method,
                   simplugin_error_message(ask->error, NULL));
    }
    wrong = simplugin_check_reply(&ask->reply);
    if (wrong) {
        printf("%s: %s\n", method, wrong);
        CU_FAIL("a malformed reply");
    }
    ask->map = simplugin_body_value(ask->reply.body, ask->reply.body_size);
    return ask->code;
}

/* Sends, expects the code, and says what came instead. */
static inline int ask_expect(question *ask, const char *method, int32_t code)
{
    ask_send(ask, method);
    CU_ASSERT_EQUAL(ask->code, code);
    if (ask->code != code)
        printf("\n    %s: %s, not %s: %s\n", method, simplugin_code_name(ask->code),
               simplugin_code_name(code), simplugin_error_message(ask->error, NULL));
    return ask->code == code;
}

/* An error whose message holds the text. */
static inline void ask_refused(question *ask, const char *method, int32_t code, const char *says)
{
    if (!ask_expect(ask, method, code))
        return;
    CU_ASSERT_PTR_NOT_NULL(strstr(simplugin_error_message(ask->error, NULL), says));
    if (!strstr(simplugin_error_message(ask->error, NULL), says))
        printf("\n    \"%s\" is not in: %s\n", says, simplugin_error_message(ask->error, NULL));
}

/* ---- replies ---------------------------------------------------------------------------------- */

static inline int64_t get_int(const question *ask, const char *name)
{
    int64_t number = INT64_MIN;

    CU_ASSERT_EQUAL(simplugin_find_int(&ask->map, name, &number), 1);
    return number;
}

static inline const simplugin_tensor *get_tensor(const question *ask, const char *name)
{
    static const simplugin_tensor none;
    const simplugin_tensor *tensor = NULL;

    CU_ASSERT_EQUAL(simplugin_find_tensor(&ask->map, name, ask->reply.tensors,
                                          ask->reply.tensor_count, &tensor), 1);
    return tensor ? tensor : &none;
}

static inline const float *get_floats(const question *ask, const char *name)
{
    return get_tensor(ask, name)->data;
}

static inline const int64_t *get_int64s(const question *ask, const char *name)
{
    return get_tensor(ask, name)->data;
}

static inline sp_column get_column(const question *ask, const simplugin_value *map, const char *name)
{
    simplugin_value value;
    sp_column column = {0};

    if (simplugin_find(map, name, &value))
        CU_ASSERT_PTR_NULL(simplugin_column_read(&value, ask->reply.tensors,
                                                 ask->reply.tensor_count, &column));
    return column;
}

static inline void put(question *ask, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void put(question *ask, const char *format, ...)
{
    size_t used = strlen(ask->text);
    va_list args;

    va_start(args, format);
    vsnprintf(ask->text + used, sizeof ask->text - used, format, args);
    va_end(args);
}

static inline void put_item(question *ask, const sp_column *column, uint64_t i)
{
    sp_text text;

    switch (column->type & ~SP_LIST) {
    case SP_TEXT:
        text = sp_column_text(column, i);
        put(ask, "%.*s", (int)text.size, text.data);
        break;
    case SP_INT64: put(ask, "%lld", (long long)((const int64_t *)column->values)[i]); break;
    case SP_FLOAT64: put(ask, "%g", ((const double *)column->values)[i]); break;
    default: put(ask, "%s", ((const uint8_t *)column->values)[i] ? "true" : "false");
    }
}

/* As column_of and column_of_lists take it; "absent" where there is none. */
static inline const char *column_text(question *ask, sp_column column)
{
    ask->text[0] = '\0';
    if (!column.type)
        return "absent";
    for (uint64_t i = 0; i < column.count; i++) {
        if (i)
            put(ask, " ");
        if (!sp_column_is_valid(&column, i)) {
            put(ask, "-");
        } else if (column.type & SP_LIST) {
            int64_t first = column.list_offsets[i], last = column.list_offsets[i + 1];

            if (first == last)
                put(ask, ".");
            for (int64_t j = first; j < last; j++) {
                put(ask, j > first ? "," : "");
                put_item(ask, &column, (uint64_t)j);
            }
        } else {
            put_item(ask, &column, i);
        }
    }
    return ask->text;
}

static inline const char *get_ids(question *ask, const char *name)
{
    return column_text(ask, get_column(ask, &ask->map, name));
}

static inline const char *get_field(question *ask, const char *name)
{
    simplugin_value fields;

    simplugin_find(&ask->map, "fields", &fields);
    return column_text(ask, get_column(ask, &fields, name));
}

/* ---- what most tests begin with ------------------------------------------------------------------ */

static inline void make(const flat_rig *rig, const char *collection, uint64_t dimension,
                        const char *metric)
{
    question *ask = ask_new(rig, collection);

    with_int(ask, "dimension", (int64_t)dimension);
    with_text(ask, "metric", metric);
    ask_expect(ask, "collection.create", SIMPLUGIN_OK);
    ask_free(ask);
}

/* Adds points p<first>, p<first + 1>, ... with the rows, at most 9 digits each. */
static inline void add(const flat_rig *rig, const char *collection, uint64_t first, const float *rows,
                       uint64_t count, uint64_t dimension)
{
    question *ask = ask_new(rig, collection);
    char *words = memory(ask, count * 12, 1);
    char *at = words;

    for (uint64_t i = 0; i < count; i++)
        at += sprintf(at, "%sp%llu", i ? " " : "", (unsigned long long)(first + i));
    with_ids(ask, words);
    with_vectors(ask, rows, count, dimension);
    ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
    ask_free(ask);
}

static inline int64_t count_of(const flat_rig *rig, const char *collection)
{
    question *ask = ask_new(rig, collection);
    int64_t count = ask_expect(ask, "points.count", SIMPLUGIN_OK) ? get_int(ask, "count") : -1;

    ask_free(ask);
    return count;
}

/* Numbers in -1..1 that are the same in every run. */
static inline void fill(float *to, uint64_t count, uint64_t seed)
{
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

    for (uint64_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        to[i] = (float)((double)(state >> 11) / (double)(UINT64_C(1) << 52) - 1);
    }
}

#endif
