/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Lines: one object a line, {"id": ..., "vector": [...], "sample_id": ..., "fields": {}}. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "number.h"

#define MAX_LINE ((size_t)64 << 20)

static int32_t fail(cli_input *input, uint64_t line, const char *what)
{
    return cli_source_fail(&input->source, SIMPLUGIN_INVALID_ARGUMENT, "line %llu: %s",
                           (unsigned long long)line, what);
}

static int32_t no_memory(cli_input *input)
{
    return cli_source_fail(&input->source, SIMPLUGIN_OUT_OF_MEMORY, "out of memory");
}

/* An id is text; a whole number is taken as its digits. */
static int32_t add_id(cli_input *input, cli_texts *texts, const json_t *id, uint64_t line,
                      const char *wrong)
{
    char digits[32];
    int size;

    if (json_is_string(id))
        return cli_texts_add(texts, json_string_value(id), json_string_length(id)) == 0
                   ? SIMPLUGIN_OK
                   : no_memory(input);
    if (!json_is_integer(id))
        return fail(input, line, wrong);
    size = snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(id));
    return cli_texts_add(texts, digits, (size_t)size) == 0 ? SIMPLUGIN_OK : no_memory(input);
}

/* The place of a row's vector of that dimension, which is the first one's. */
static int32_t reserve_vector(cli_input *input, size_t dimension, uint64_t row, uint64_t line)
{
    size_t needed = ((size_t)row + 1) * dimension;

    if (dimension == 0)
        return fail(input, line, "\"vector\" must be an array of numbers");
    if (input->dimension == 0)
        input->dimension = dimension;
    if (dimension != input->dimension)
        return cli_source_fail(&input->source, SIMPLUGIN_DIMENSION_MISMATCH,
                               "line %llu: the vector has dimension %zu, those before have %llu",
                               (unsigned long long)line, dimension,
                               (unsigned long long)input->dimension);
    if (needed > input->vector_capacity) {
        size_t capacity = input->vector_capacity * 2 > needed ? input->vector_capacity * 2 : needed;
        float *grown = realloc(input->vectors, capacity * sizeof(*grown));

        if (!grown)
            return no_memory(input);
        input->vectors = grown;
        input->vector_capacity = capacity;
    }
    return SIMPLUGIN_OK;
}

static int32_t add_vector(cli_input *input, const json_t *vector, uint64_t row, uint64_t line)
{
    size_t dimension = json_array_size(vector);
    int32_t code = reserve_vector(input, dimension, row, line);

    for (size_t i = 0; code == SIMPLUGIN_OK && i < dimension; i++) {
        const json_t *item = json_array_get(vector, i);
        float value = (float)json_number_value(item);

        if (!json_is_number(item) || !isfinite(value))
            code = fail(input, line, "\"vector\" must be an array of numbers that fit float32");
        else
            input->vectors[(size_t)row * dimension + i] = value;
    }
    return code;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/*
 * Where the array of the line's own key "vector" begins, behind its '['; NULL if that is not
 * plain to see. Keys are looked at outside of everything nested only.
 */
static const char *find_vector(const char *at, const char *end)
{
    int depth = 0;

    while (at < end) {
        const char *text = at;

        if (*at != '"') {
            depth += *at == '{' || *at == '[' ? 1 : *at == '}' || *at == ']' ? -1 : 0;
            at++;
            continue;
        }
        for (at++; at < end && *at != '"'; at++)
            at += *at == '\\';
        if (at >= end)
            return NULL;
        at = skip_blanks(at + 1, end);
        if (depth == 1 && at < end && *at == ':' && at - text >= 8 &&
            memcmp(text, "\"vector\"", 8) == 0) {
            at = skip_blanks(at + 1, end);
            return at < end && *at == '[' ? at + 1 : NULL;
        }
    }
    return NULL;
}

/*
 * Reads the numbers of a line's vector to scratch, which jansson would make an object each
 * of. *behind is the place of the array's ']'; NULL for what is left to jansson: anything
 * that is no array of numbers that fit, so that it finds the words for it.
 */
static int32_t read_vector(cli_input *input, const char *at, const char *end, size_t *count,
                           const char **behind)
{
    *count = 0;
    *behind = NULL;
    for (;;) {
        double value;

        at = cli_number_read(skip_blanks(at, end), end, &value);
        if (!at || !isfinite((float)value))
            return SIMPLUGIN_OK;
        if (*count == input->scratch_capacity) {
            size_t capacity = *count ? *count * 2 : 1024;
            float *grown = realloc(input->scratch, capacity * sizeof(*grown));

            if (!grown)
                return no_memory(input);
            input->scratch = grown;
            input->scratch_capacity = capacity;
        }
        input->scratch[(*count)++] = (float)value;
        at = skip_blanks(at, end);
        if (at == end)
            return SIMPLUGIN_OK;
        if (*at == ']') {
            *behind = at;
            return SIMPLUGIN_OK;
        }
        if (*at++ != ',')
            return SIMPLUGIN_OK;
    }
}

static int32_t add_fields(cli_input *input, json_t *fields, uint64_t line)
{
    if (fields && !json_is_object(fields) && !json_is_null(fields))
        return fail(input, line, "\"fields\" must be an object");
    if (input->field_count == input->field_capacity) {
        size_t capacity = input->field_capacity ? input->field_capacity * 2 : 64;
        json_t **grown = realloc(input->fields, capacity * sizeof(*grown));

        if (!grown)
            return no_memory(input);
        input->fields = grown;
        input->field_capacity = capacity;
    }
    input->fields[input->field_count++] = json_is_object(fields) ? json_incref(fields) : NULL;
    return SIMPLUGIN_OK;
}

/* count: numbers of the vector in scratch; 0: it is in the object. */
static int32_t add_row(cli_input *input, json_t *object, size_t count, uint64_t row, uint64_t line)
{
    const json_t *sample_id = json_object_get(object, "sample_id");
    const char *key;
    json_t *value;
    char wrong[128];
    int32_t code;

    if (!json_is_object(object))
        return fail(input, line, "not a JSON object");
    json_object_foreach(object, key, value) {
        if (strcmp(key, "id") != 0 && strcmp(key, "vector") != 0 && strcmp(key, "sample_id") != 0 &&
            strcmp(key, "fields") != 0) {
            snprintf(wrong, sizeof(wrong),
                     "the key \"%.40s\" is unknown; known are id, vector, sample_id and fields", key);
            return fail(input, line, wrong);
        }
    }
    if (json_is_null(sample_id))
        sample_id = NULL;
    if (input->has_sample_ids < 0)
        input->has_sample_ids = sample_id != NULL;
    if (input->has_sample_ids != (sample_id != NULL))
        return fail(input, line, "all lines have a \"sample_id\", or none");
    code = add_id(input, &input->ids, json_object_get(object, "id"), line,
                  "\"id\" must be text or a whole number");
    if (code == SIMPLUGIN_OK && sample_id)
        code = add_id(input, &input->sample_ids, sample_id, line,
                      "\"sample_id\" must be text or a whole number");
    if (code == SIMPLUGIN_OK && count == 0)
        code = add_vector(input, json_object_get(object, "vector"), row, line);
    else if (code == SIMPLUGIN_OK)
        code = reserve_vector(input, count, row, line);
    if (code == SIMPLUGIN_OK && count)
        memcpy(input->vectors + (size_t)row * count, input->scratch, count * sizeof(float));
    if (code == SIMPLUGIN_OK)
        code = add_fields(input, json_object_get(object, "fields"), line);
    return code;
}

/* The line without what is between the brackets of its vector, malloc'd. */
static char *cut_out(const char *line, size_t size, const char *from, const char *to)
{
    size_t before = (size_t)(from - line), after = size - (size_t)(to - line);
    char *rest = malloc(before + after);

    if (rest) {
        memcpy(rest, line, before);
        memcpy(rest + before, to, after);
    }
    return rest;
}

static int32_t parse_line(cli_input *input, const char *line, size_t size, uint64_t row,
                          uint64_t number)
{
    const char *vector = find_vector(line, line + size), *behind = NULL;
    json_error_t problem;
    json_t *object = NULL;
    char *rest = NULL;
    size_t count = 0;
    int32_t code = SIMPLUGIN_OK;

    if (vector)
        code = read_vector(input, vector, line + size, &count, &behind);
    if (code == SIMPLUGIN_OK && behind) {
        rest = cut_out(line, size, vector, behind);
        if (!rest)
            code = no_memory(input);
        else
            object = json_loadb(rest, size - (size_t)(behind - vector),
                                JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    }
    if (code == SIMPLUGIN_OK && !object) {
        /* nothing was cut out, or it is wrong elsewhere: the columns are those of the line */
        count = 0;
        object = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
        if (!object)
            code = json_error_code(&problem) == json_error_out_of_memory
                       ? no_memory(input)
                       : cli_source_fail(&input->source, SIMPLUGIN_INVALID_ARGUMENT,
                                         "line %llu, column %d: %s", (unsigned long long)number,
                                         problem.column, problem.text);
    }
    if (code == SIMPLUGIN_OK)
        code = add_row(input, object, count, row, number);
    free(rest);
    json_decref(object);
    return code;
}

static int32_t next(cli_input *input, cli_block *block)
{
    uint64_t rows = 0, most = 1;
    int has_fields = 0;
    const char *line;
    size_t size;
    int32_t code = SIMPLUGIN_OK;

    cli_texts_reset(&input->ids);
    cli_texts_reset(&input->sample_ids);
    while (input->field_count)
        json_decref(input->fields[--input->field_count]);
    while (code == SIMPLUGIN_OK && rows < most) {
        code = cli_source_line(&input->source, MAX_LINE, &line, &size);
        if (code != SIMPLUGIN_OK || !line)
            break;
        input->line++;
        if (size == 0)
            continue;
        code = parse_line(input, line, size, rows, input->line);
        rows++;
        if (code == SIMPLUGIN_OK) {
            most = cli_input_block_rows(input, input->dimension * sizeof(float));
            has_fields |= input->fields[input->field_count - 1] != NULL;
        }
    }
    input->has_more = rows == most;
    if (code == SIMPLUGIN_OK && rows) {
        block->rows = rows;
        block->vectors = simplugin_tensor_of(SIMPLUGIN_FLOAT32, input->vectors, rows,
                                             input->dimension);
        block->has_ids = 1;
        block->ids = cli_texts_column(&input->ids);
        block->has_sample_ids = input->has_sample_ids == 1;
        if (block->has_sample_ids)
            block->sample_ids = cli_texts_column(&input->sample_ids);
        block->fields = has_fields ? input->fields : NULL;
    }
    return code;
}

int32_t cli_jsonl_open(cli_input *input)
{
    input->next = next;
    return SIMPLUGIN_OK;
}
