/* SPDX-License-Identifier: Apache-2.0 */
/* Points to put into an index, and searches for them. */
#include "config.h"

#include "live_rig.h"

#include <math.h>

#include "conformance/contract.h"

float *live_normal(uint64_t seed, uint64_t count, uint64_t dimension)
{
    uint64_t size = count * dimension;
    float *rows = malloc((size_t)(size + 1) * sizeof *rows);

    if (!rows)
        abort();
    for (uint64_t i = 0; i < size; i += 2) {
        double radius = sqrt(-2 * log(1 - (contract_random(seed, i) + 1) / 2 * (1 - 1e-9)));
        double angle = 3.14159265358979 * contract_random(seed, i + 1);

        rows[i] = (float)(radius * cos(angle));
        rows[i + 1] = (float)(radius * sin(angle));
    }
    return rows;
}

void live_id(char id[16], uint64_t row)
{
    snprintf(id, 16, "p%06llu", (unsigned long long)row);
}

uint64_t live_row(const char *id)
{
    return id && *id == 'p' ? strtoull(id + 1, NULL, 10) : UINT64_MAX;
}

/* A column of ids; rows NULL: from first on. Its memory is to be freed. */
static simplugin_column ids_column(const uint64_t *rows, uint64_t first, uint64_t count)
{
    int64_t *offsets = malloc((size_t)(count + 1) * sizeof *offsets);
    char *values = malloc((size_t)(count + 1) * 16);
    simplugin_column column = {.type = SIMPLUGIN_COLUMN_TEXT, .count = count, .offsets = offsets,
                               .values = values};

    if (!offsets || !values)
        abort();
    offsets[0] = 0;
    for (uint64_t i = 0; i < count; i++) {
        char id[16];

        live_id(id, rows ? rows[i] : first + i);
        memcpy(values + offsets[i], id, strlen(id));
        offsets[i + 1] = offsets[i] + (int64_t)strlen(id);
    }
    return column;
}

static void column_free(simplugin_column *column)
{
    free((void *)(uintptr_t)column->offsets);
    free((void *)(uintptr_t)column->values);
}

int32_t live_add(uint64_t index, const float *rows, uint64_t first, uint64_t count,
                 uint64_t dimension)
{
    simplugin_column ids = ids_column(NULL, first, count);
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, rows, count, dimension);
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &ids);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &tensor);
    code = ask_writer(index, "index.add", &writer);
    simplugin_writer_clear(&writer);
    column_free(&ids);
    return code;
}

int32_t live_remove(uint64_t index, uint64_t first, uint64_t count, uint64_t step)
{
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "ids");
    simplugin_write_array(&writer, count);
    for (uint64_t i = 0; i < count; i++) {
        char id[16];

        live_id(id, first + i * step);
        simplugin_write_string(&writer, id);
    }
    code = ask_writer(index, "index.remove", &writer);
    simplugin_writer_clear(&writer);
    return code;
}

/* JSON with ' for ", as one value. */
static void json_write(simplugin_writer *writer, const char *text)
{
    contract_body body = {0};
    contract_why why = {""};
    char *copy = strdup(text);
    json_t *json;

    for (char *at = copy; at && *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json = copy ? json_loads(copy, 0, NULL) : NULL;
    if (!json || !body_encode(&body, json, 0, &why))
        abort();
    simplugin_write_raw(writer, body.writer.data, body.writer.size);
    body_clear(&body);
    json_decref(json);
    free(copy);
}

int32_t live_search(uint64_t index, const float *queries, uint64_t count, uint64_t dimension,
                    uint64_t k, const char *parameters, uint64_t view)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, queries, count, dimension);
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 4);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &tensor);
    simplugin_write_string(&writer, "k");
    simplugin_write_uint(&writer, k);
    simplugin_write_string(&writer, "view");
    if (view)
        simplugin_write_uint(&writer, view);
    else
        simplugin_write_nil(&writer);
    simplugin_write_string(&writer, "parameters");
    json_write(&writer, parameters ? parameters : "{}");
    code = ask_writer(index, "index.search", &writer);
    simplugin_writer_clear(&writer);
    return code;
}

uint64_t live_view(uint64_t index, const uint64_t *rows, uint64_t count)
{
    simplugin_column ids = ids_column(rows, 0, count);
    simplugin_writer writer;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &ids);
    MUST(ask_writer(index, "view.create", &writer) == SIMPLUGIN_OK);
    simplugin_writer_clear(&writer);
    column_free(&ids);
    return (uint64_t)reply_int("view");
}

uint64_t live_hits(uint64_t q, uint64_t **rows)
{
    const json_t *offsets = json_object_get(rig_reply, "offsets");
    const json_t *ids = json_object_get(rig_reply, "ids");
    json_int_t begin = json_integer_value(json_array_get(offsets, (size_t)q));
    json_int_t end = json_integer_value(json_array_get(offsets, (size_t)q + 1));
    uint64_t count = end > begin ? (uint64_t)(end - begin) : 0;

    *rows = malloc((size_t)(count + 1) * sizeof **rows);
    if (!*rows)
        abort();
    for (uint64_t i = 0; i < count; i++)
        (*rows)[i] = live_row(json_string_value(json_array_get(ids, (size_t)begin + (size_t)i)));
    return count;
}

int64_t live_size(uint64_t index)
{
    MUST(ask(index, "index.size", "{}") == SIMPLUGIN_OK);
    return reply_int("size");
}
