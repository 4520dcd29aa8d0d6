/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of the milvus backend without a server: its schema, instance and request put
 * together by hand, columns written and shown as short texts.
 */
#ifndef SP_TESTS_MILVUS_RIG_H
#define SP_TESTS_MILVUS_RIG_H

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "arena.h"
#include "filter.h"
#include "host.h"
#include "instance.h"
#include "simplugin.h"
#include "unit.h"
#include "unit_locale.h"

#define RIG_FIELDS 24

typedef struct milvus_rig {
    sp_arena *memory;
    milvus_schema schema;
    milvus_field fields[RIG_FIELDS];
    milvus_field declared[RIG_FIELDS];
    struct simplugin_instance instance;
    simplugin_call_info info;
    simplugin_writer body; /* of the request: a map that grows */
    uint64_t keys;
    simplugin_request request;
    simplugin_reply reply;
    simplugin_error *error;
    milvus_call call;
    char text[65536]; /* what the functions below answer with */
} milvus_rig;

static inline void *rig_memory(milvus_rig *rig, uint64_t count, uint64_t size)
{
    void *at = sp_arena_array(&rig->memory, count + 1, size);

    if (!at)
        abort();
    return at;
}

static inline char *rig_copy(milvus_rig *rig, const char *text, size_t size)
{
    char *copy = rig_memory(rig, size, 1);

    memcpy(copy, text, size);
    return copy;
}

/* ---- schemas ----------------------------------------------------------------------------- */

/* "n:INT64", "tags:ARRAY:VARCHAR", "vector:FLOAT_VECTOR:4"; a ? behind it: nullable. */
static inline void rig_field(milvus_rig *rig, char *words)
{
    milvus_field *field = &rig->fields[rig->schema.field_count];
    char *next = NULL;
    size_t size = strlen(words);

    if (rig->schema.field_count == RIG_FIELDS)
        abort();
    if (words[size - 1] == '?') {
        field->nullable = 1;
        words[size - 1] = 0;
    }
    field->name = strtok_r(words, ":", &next);
    field->type = milvus_type_of(strtok_r(NULL, ":", &next));
    if (field->type == MILVUS_ARRAY)
        field->element_type = milvus_type_of(next);
    else if (*next)
        field->dimension = strtoull(next, NULL, 10);
    if (!rig->schema.vector && field->dimension)
        rig->schema.vector = field;
    rig->schema.field_count++;
}

/* The first of the fields is the key. */
static inline void rig_schema(milvus_rig *rig, const char *fields)
{
    char *copy = rig_copy(rig, fields, strlen(fields));
    char *next = NULL;

    memset(rig->fields, 0, sizeof rig->fields);
    rig->schema.field_count = 0;
    rig->schema.vector = NULL;
    for (char *word = strtok_r(copy, " ", &next); word; word = strtok_r(NULL, " ", &next))
        rig_field(rig, word);
    rig->schema.fields = rig->schema.key = rig->fields;
    rig->schema.has_sample_id = milvus_schema_field(&rig->schema, MILVUS_SAMPLE_ID) != NULL;
}

/* What was declared when the collection was made: "title" is text, ... */
static inline void rig_declare(milvus_rig *rig, const char *name, uint32_t type)
{
    milvus_field *field = &rig->declared[rig->schema.declared_count++];

    if (rig->schema.declared_count > RIG_FIELDS)
        abort();
    field->name = name;
    field->type = (int32_t)type;
    rig->schema.declared = rig->declared;
}

/* ---- calls ------------------------------------------------------------------------------- */

/* A call of a collection as simplugin makes them, of 2 dimensions, with dynamic fields. */
static inline void rig_init(milvus_rig *rig)
{
    static char no_db[] = "";

    plug_host = &sp_host;
    memset(rig, 0, sizeof *rig);
    rig->info.size = sizeof rig->info;
    rig->info.deadline = INT64_MAX;
    rig->reply.size = sizeof rig->reply;
    rig->request.size = sizeof rig->request;
    rig_schema(rig, "pk:VARCHAR vector:FLOAT_VECTOR:2");
    rig->schema.has_dynamic = 1;
    rig->schema.metric = "euclidean";
    rig->schema.index_type = "FLAT";
    pthread_mutex_init(&rig->instance.base.lock, NULL);
    rig->instance.settings.db_name = no_db;
    rig->instance.settings.batches_in_flight = 4;
    rig->instance.settings.batch_bytes = 1 << 23;
    rig->instance.settings.max_receive_bytes = 1 << 30;
    rig->call.instance = &rig->instance;
    rig->call.schema = &rig->schema;
    rig->call.collection = "books";
    rig->call.base.info = &rig->info;
    rig->call.base.request = &rig->request;
    rig->call.base.reply = &rig->reply;
    rig->call.base.error = &rig->error;
    simplugin_write_map_begin(&rig->body);
}

/* Ends what came of one question: the error, the reply, the call's memory. */
static inline void rig_reset(milvus_rig *rig)
{
    simplugin_error_free(&rig->error);
    simplugin_writer_clear(&rig->call.base.out);
    simplugin_reply_clear(&rig->reply);
    sp_arena_free(&rig->call.base.scratch);
    simplugin_writer_reset(&rig->body);
    simplugin_write_map_begin(&rig->body);
    rig->keys = 0;
    rig->call.base.body.type = 0;
}

static inline void rig_clear(milvus_rig *rig)
{
    rig_reset(rig);
    simplugin_writer_clear(&rig->body);
    sp_arena_free(&rig->memory);
    pthread_mutex_destroy(&rig->instance.base.lock);
}

static inline void rig_key(milvus_rig *rig, const char *name)
{
    rig->keys++;
    simplugin_write_string(&rig->body, name);
}

/* The request ends: the call can read it. */
static inline void rig_ask(milvus_rig *rig)
{
    const char *wrong;

    simplugin_write_end(&rig->body, 0, rig->keys);
    rig->request = simplugin_writer_request(&rig->body);
    wrong = simplugin_check_request(&rig->request);
    if (wrong) {
        printf("the test's request: %s\n", wrong);
        abort();
    }
    rig->call.base.body = simplugin_body_value(rig->request.body, rig->request.body_size);
}

/* CUnit keeps a copy of the text. */
static inline void rig_check(int ok, const char *what, const char *of)
{
    char text[600];

    snprintf(text, sizeof text, "%.280s: %.280s", of, what);
    CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

/* The texts are the same; what came is shown where they are not. */
static inline void rig_same(const char *got, const char *expected, const char *of)
{
    int same = got && strcmp(got, expected) == 0;

    rig_check(same, "is not as expected", of);
    if (!same)
        printf("\n    %s:\n    %s\n    is not\n    %s\n", of, got ? got : "NULL", expected);
}

static inline const char *rig_message(const milvus_rig *rig)
{
    return rig->error ? simplugin_error_message(rig->error, NULL) : "";
}

/* A code, and an error that says so with these words in it; the error is cleared. */
static inline void rig_refused(milvus_rig *rig, int32_t got, int32_t code, const char *says,
                               const char *of)
{
    int is_code = got == code && (code ? rig->error && simplugin_error_code(rig->error) == code
                                       : !rig->error);

    rig_check(is_code, "another code", of);
    rig_check(!is_code || !says || strstr(rig_message(rig), says), "other words", of);
    if (!is_code || (says && !strstr(rig_message(rig), says)))
        printf("\n    %s: %s: %s\n", of, simplugin_code_name(got), rig_message(rig));
    simplugin_error_free(&rig->error);
}

/* ---- columns as texts ---------------------------------------------------------------------- */

static inline uint64_t rig_count(const char *words, char between)
{
    uint64_t count = *words != 0;

    for (; *words; words++)
        count += *words == between;
    return count;
}

typedef struct rig_items {
    char *values;
    int64_t *offsets;
    uint64_t count;
} rig_items;

static inline void rig_item(rig_items *items, uint32_t type, const char *word, size_t size)
{
    uint64_t i = items->count++;

    if (type == SP_INT64)
        ((int64_t *)(void *)items->values)[i] = strtoll(word, NULL, 10);
    else if (type == SP_FLOAT64)
        ((double *)(void *)items->values)[i] = strtod(word, NULL);
    else if (type == SP_BOOL)
        items->values[i] = *word == 't';
    else
        memcpy(items->values + items->offsets[i], word, size);
    items->offsets[i + 1] = items->offsets[i] + (int64_t)(type == SP_TEXT ? size : 0);
}

/* Words are rows, "-" is a missing one. Of lists: "a,b" two items, "." none. */
static inline sp_column rig_column(milvus_rig *rig, uint32_t type, const char *words)
{
    uint32_t item = type & ~SP_LIST;
    sp_column column = {.type = type, .count = rig_count(words, ' ')};
    rig_items items = {rig_memory(rig, strlen(words) + 2, 8),
                       rig_memory(rig, strlen(words) + 2, sizeof(int64_t)), 0};
    int64_t *lists = rig_memory(rig, column.count + 1, sizeof *lists);
    uint8_t *valid = rig_memory(rig, column.count / 8 + 1, 1);

    for (uint64_t row = 0; row < column.count; row++) {
        size_t size = strcspn(words, " ");
        int is_missing = size == 1 && *words == '-';

        if (!is_missing)
            valid[row / 8] |= (uint8_t)(1 << row % 8);
        if (!(type & SP_LIST))
            rig_item(&items, item, words, is_missing ? 0 : size);
        for (size_t at = 0; type & SP_LIST && !is_missing && at < size && *words != '.';) {
            size_t next = at + strcspn(words + at, ", ");

            rig_item(&items, item, words + at, next - at);
            at = next + 1;
        }
        lists[row + 1] = (int64_t)items.count;
        words += size + (words[size] != 0);
    }
    column.valid = valid;
    column.values = items.values;
    column.offsets = item == SP_TEXT ? items.offsets : NULL;
    column.list_offsets = type & SP_LIST ? lists : NULL;
    return column;
}

static inline void rig_put(milvus_rig *rig, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void rig_put(milvus_rig *rig, const char *format, ...)
{
    size_t used = strlen(rig->text);
    va_list args;

    va_start(args, format);
    vsnprintf(rig->text + used, sizeof rig->text - used, format, args);
    va_end(args);
}

static inline void rig_put_item(milvus_rig *rig, const sp_column *column, uint64_t i)
{
    sp_text text;

    switch (column->type & ~SP_LIST) {
    case SP_TEXT:
        text = sp_column_text(column, i);
        rig_put(rig, "%.*s", (int)text.size, text.data);
        break;
    case SP_INT64: rig_put(rig, "%lld", (long long)((const int64_t *)column->values)[i]); break;
    case SP_FLOAT64: {
        char digits[40];

        snprintf(digits, sizeof digits, "%.17g", ((const double *)column->values)[i]);
        digits[strcspn(digits, ",")] = strchr(digits, ',') ? '.' : 0;
        rig_put(rig, "%s", digits);
        break;
    }
    default: rig_put(rig, "%s", ((const uint8_t *)column->values)[i] ? "true" : "false");
    }
}

/* The type, and the rows as rig_column takes them; "absent" where there is no column. */
static inline const char *rig_column_text(milvus_rig *rig, const sp_column *column)
{
    rig->text[0] = 0;
    if (!column)
        return "absent";
    rig_put(rig, "%s", sp_column_type_name(column->type));
    for (uint64_t row = 0; row < column->count; row++) {
        int64_t first = (int64_t)row, last = first + 1;

        rig_put(rig, " ");
        if (column->type & SP_LIST) {
            first = column->list_offsets[row];
            last = column->list_offsets[row + 1];
        }
        if (!sp_column_is_valid(column, row))
            rig_put(rig, "-");
        else if (first == last)
            rig_put(rig, ".");
        for (int64_t i = first; i < last && sp_column_is_valid(column, row); i++) {
            rig_put(rig, "%s", i > first ? "," : "");
            rig_put_item(rig, column, (uint64_t)i);
        }
    }
    return rig->text;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* In an allocation of its exact size, so that tools see a read behind the end. */
static inline uint8_t *rig_exact(const void *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    return copy;
}

#endif
