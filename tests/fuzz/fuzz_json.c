/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON of a server, as the plugins read it. The first byte says what it is: a document (what
 * jansson takes is taken, and skipping it says the same), one that is copied (the copy is
 * JSON, and copies as itself), an array of float32, or rows of fields, one a line.
 */
#include "config.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "plug_fields_json.h"
#include "simplugin.h"

#define ROWS 64
#define FLOATS 256

static volatile uint64_t seen;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

/* ---- documents ---------------------------------------------------------------------------- */

/* Reads a value by the functions for its kind; numbers beyond a double are noted. */
static void value_read(plug_json *json, sp_arena **arena, int *has_large)
{
    const char *before = json->at;
    plug_json_number number;
    sp_text text;
    int flag;

    switch (plug_json_peek(json)) {
    case PLUG_JSON_NULL: plug_json_read_null(json); break;
    case PLUG_JSON_BOOL: plug_json_read_bool(json, &flag); break;
    case PLUG_JSON_NUMBER:
        if (!plug_json_read_number(json, &number) && strstr(json->problem, "too large"))
            *has_large = 1;
        if (number.kind == PLUG_JSON_DOUBLE)
            require(isfinite(number.as.d) || json->problem);
        break;
    case PLUG_JSON_TEXT:
        if (plug_json_read_text(json, arena, &text))
            require(simplugin_utf8_check((const uint8_t *)text.data, text.size));
        break;
    case PLUG_JSON_ARRAY:
        plug_json_array_begin(json);
        while (plug_json_next_item(json))
            value_read(json, arena, has_large);
        break;
    case PLUG_JSON_OBJECT:
        plug_json_object_begin(json);
        while (plug_json_next_key(json, arena, &text)) {
            require(simplugin_utf8_check((const uint8_t *)text.data, text.size));
            value_read(json, arena, has_large);
        }
        break;
    default: plug_json_skip(json); break;
    }
    require(json->at > before || json->problem);
    require(json->at <= json->end && json->depth <= PLUG_JSON_DEPTH);
}

static void document_read(const char *data, size_t size)
{
    sp_arena *arena = NULL;
    json_error_t error;
    json_t *theirs = json_loadb(data, size, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    int has_large = 0, is_read, is_skipped;
    plug_json json;

    plug_json_init(&json, data, size);
    value_read(&json, &arena, &has_large);
    is_read = plug_json_end(&json);
    require(is_read == !json.problem && json.offset <= size);
    plug_json_init(&json, data, size);
    plug_json_skip(&json);
    is_skipped = plug_json_end(&json);
    require(is_skipped || !is_read);
    require(is_read || has_large || !is_skipped);
    /*
     * jansson takes no integer beyond int64, no U+0000 in a key, and a zero byte behind a
     * number; we go less deep
     */
    if (is_read && !theirs)
        require(json_error_code(&error) == json_error_numeric_overflow ||
                json_error_code(&error) == json_error_null_byte_in_key);
    if (theirs && !is_read && !memchr(data, 0, size))
        require(strstr(json.problem ? json.problem : "", "too deep") != NULL);
    json_decref(theirs);
    sp_arena_free(&arena);
}

static void document_copy(const char *data, size_t size)
{
    sp_buffer once, twice;
    plug_json json;

    sp_buffer_init(&once);
    sp_buffer_init(&twice);
    plug_json_init(&json, data, size);
    plug_json_copy(&json, &once);
    if (plug_json_end(&json)) {
        plug_json_init(&json, once.data, once.size);
        plug_json_copy(&json, &twice);
        require(plug_json_end(&json));
        require(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
    }
    sp_buffer_clear(&once);
    sp_buffer_clear(&twice);
}

/* ---- float32 ------------------------------------------------------------------------------ */

/* The same numbers as by the C library. */
static void floats_check(const char *at, const float *numbers, uint64_t count)
{
    char *end;

    for (uint64_t i = 0; i < count; i++) {
        float expected;

        at += strcspn(at, "-0123456789");
        expected = strtof(at, &end);
        require(memcmp(&expected, &numbers[i], sizeof expected) == 0);
        at = end;
    }
}

static void floats_read(const char *data, size_t size)
{
    char *text = malloc(size + 1);
    float *numbers = malloc(FLOATS * sizeof *numbers);
    uint64_t count;
    sp_buffer rows;
    plug_json json;

    if (!text || !numbers)
        abort();
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    sp_buffer_init(&rows);
    plug_json_init(&json, data, size);
    if (plug_json_append_floats(&json, &rows, FLOATS, &count)) {
        require(count <= FLOATS && rows.size == count * sizeof(float));
        floats_check(text, (const float *)(const void *)rows.data, count);
        plug_json_init(&json, data, size);
        require(plug_json_read_floats(&json, numbers, count));
        require(!count || memcmp(numbers, rows.data, rows.size) == 0);
        plug_json_init(&json, data, size);
        require(!plug_json_read_floats(&json, numbers, count ? count - 1 : 1));
    }
    sp_buffer_clear(&rows);
    free(numbers);
    free(text);
}

/* ---- rows --------------------------------------------------------------------------------- */

static int key_name(const void *context, sp_text key, sp_text *name)
{
    (void)context;
    if (key.size && *key.data == '$') {
        name->data = key.data + 1;
        name->size = key.size - 1;
    }
    return !key.size || *key.data != '_';
}

/* Every byte that a row of the column says it has is there. */
static void column_look(const sp_column *column, uint64_t rows)
{
    uint64_t items = rows;

    require(column->count == rows && sp_column_type_name(column->type) != NULL);
    if (column->type & SP_LIST) {
        require(column->list_offsets[0] == 0);
        for (uint64_t i = 0; i < rows; i++)
            require(column->list_offsets[i] <= column->list_offsets[i + 1]);
        items = (uint64_t)column->list_offsets[rows];
    }
    for (uint64_t i = 0; i < items; i++)
        switch (column->type & ~SP_LIST) {
        case SP_TEXT: {
            sp_text text = sp_column_text(column, i);

            require(column->offsets[i] <= column->offsets[i + 1]);
            require(simplugin_utf8_check((const uint8_t *)text.data, text.size));
            break;
        }
        case SP_INT64: seen += (uint64_t)((const int64_t *)column->values)[i]; break;
        case SP_FLOAT64: require(isfinite(((const double *)column->values)[i])); break;
        default: require(((const uint8_t *)column->values)[i] <= 1);
        }
    for (uint64_t i = 0; i < rows; i++)
        seen += (uint64_t)sp_column_is_valid(column, i);
}

static void rows_read(const char *data, size_t size)
{
    static const plug_names all = {.all = 1};
    static const plug_fields_rules rules = {.names = &all};
    simplugin_call_info info = {.size = sizeof info, .deadline = INT64_MAX};
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_error *error = NULL;
    plug_call call = {.info = &info, .reply = &reply, .error = &error};
    sp_text rows[ROWS];
    int is_object[ROWS];
    uint64_t count = 0;
    plug_columns columns;
    plug_fields fields;

    plug_host = &sp_host;
    plug_fields_init(&fields, &call, &rules);
    for (size_t at = 0; at < size && count < ROWS; count++) {
        const char *end = memchr(data + at, '\n', size - at);

        rows[count].data = data + at;
        rows[count].size = end ? (size_t)(end - data) - at : size - at;
        at += rows[count].size + 1;
        require(!plug_fields_note_json(&fields, rows[count], key_name, &is_object[count]));
    }
    plug_fields_settle(&fields);
    for (uint64_t i = 0; i < count; i++)
        if (is_object[i])
            require(!plug_fields_put_json(&fields, i, rows[i], key_name));
    require(!plug_fields_finish(&fields, count, &columns));
    for (uint64_t i = 0; i < columns.count; i++)
        column_look(&columns.columns[i], count);
    plug_fields_clear(&fields);
    simplugin_error_free(&error);
    simplugin_reply_clear(&reply);
    sp_arena_free(&call.scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 1;

    if (!size)
        return 0;
    switch (*data % 4) {
    case 0: document_read(text, size - 1); break;
    case 1: document_copy(text, size - 1); break;
    case 2: floats_read(text, size - 1); break;
    default: rows_read(text, size - 1);
    }
    return 0;
}
