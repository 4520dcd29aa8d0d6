/* SPDX-License-Identifier: Apache-2.0 */
/* The typed functions of simplugin.h: each writes a body, makes the one call, reads the reply. */
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "error.h"
#include "host.h"
#include "simplugin.h"
#include "typed.h"
#include "wire.h"

int32_t sp_typed_argument(simplugin_error **error, const char *method, const char *argument,
                          const char *wrong)
{
    sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "core", "%s: %s: %s", method, argument, wrong);
    sp_error_add_detail(error, "argument", argument);
    return SIMPLUGIN_INVALID_ARGUMENT;
}

int32_t sp_typed_reply_error(simplugin_error **error, const char *method, const char *key)
{
    return sp_error_set(error, SIMPLUGIN_INTERNAL, "core",
                        "%s: the reply has no proper \"%s\"", method, key);
}

/* ---- what programs pass in ------------------------------------------------------------ */

/* text may be NULL where it is not required. */
static int32_t text_check(const char *text, int required, const char *method, const char *argument,
                          simplugin_error **error)
{
    if (!text)
        return required ? sp_typed_argument(error, method, argument, "is NULL") : SIMPLUGIN_OK;
    return simplugin_utf8_check((const uint8_t *)text, strlen(text))
               ? SIMPLUGIN_OK
               : sp_typed_argument(error, method, argument, "is not UTF-8");
}

/* A matrix of the caller's; NULL only where there are no numbers. */
static int32_t matrix_check(const float *numbers, uint64_t count, uint64_t dimension,
                            const char *method, const char *argument, simplugin_error **error)
{
    if (count && dimension > UINT64_MAX / sizeof *numbers / count)
        return sp_typed_argument(error, method, argument, "count times dimension overflows");
    return numbers || !count || !dimension ? SIMPLUGIN_OK
                                           : sp_typed_argument(error, method, argument, "is NULL");
}

/* Ids as a column: offsets and, behind them, all bytes, in one allocation. */
typedef struct ids {
    simplugin_column column;
    int64_t *memory;
} ids;

static int32_t ids_init(ids *list, const char *const *texts, uint64_t count, const char *method,
                        simplugin_error **error)
{
    uint64_t bytes = 0;
    char *at;

    memset(list, 0, sizeof *list);
    if (count && !texts)
        return sp_typed_argument(error, method, "ids", "is NULL");
    for (uint64_t i = 0; i < count; i++) {
        if (!texts[i]) {
            sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "core",
                         "%s: ids: the id at position %llu is NULL", method, (unsigned long long)i);
            sp_error_add_detail(error, "argument", "ids");
            return SIMPLUGIN_INVALID_ARGUMENT;
        }
        bytes += strlen(texts[i]);
    }
    /* texts has count pointers and all texts are in memory, so these cannot overflow */
    list->memory = malloc((count + 1) * sizeof *list->memory + bytes + 1);
    if (!list->memory)
        return sp_error_no_memory(error);
    at = (char *)(list->memory + count + 1);
    list->column.type = SIMPLUGIN_COLUMN_TEXT;
    list->column.count = count;
    list->column.offsets = list->memory;
    list->column.values = at;
    list->memory[0] = 0;
    for (uint64_t i = 0; i < count; i++) {
        size_t size = strlen(texts[i]);

        memcpy(at + list->memory[i], texts[i], size);
        list->memory[i + 1] = list->memory[i] + (int64_t)size;
    }
    return SIMPLUGIN_OK;
}

/* ---- the call ------------------------------------------------------------------------- */

int32_t sp_typed_call(uint64_t target, const char *method, const simplugin_writer *writer,
                           const simplugin_options *options, simplugin_reply *reply,
                           simplugin_error **error)
{
    simplugin_request request = simplugin_writer_request(writer);

    if (writer->failed)
        return sp_error_no_memory(error);
    return simplugin_call(target, method, strlen(method), &request, options, reply, error);
}

static void key_write(simplugin_writer *writer, uint64_t *count, const char *key, const char *text)
{
    if (!text)
        return;
    simplugin_write_string(writer, key);
    simplugin_write_string(writer, text);
    ++*count;
}

int32_t sp_typed_uint(const simplugin_reply *reply, const char *method, const char *key,
                          uint64_t *number, simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(reply->body, reply->body_size);
    int64_t value = 0;

    if (simplugin_find_int(&map, key, &value) != 1 || value < 0)
        return sp_typed_reply_error(error, method, key);
    *number = (uint64_t)value;
    return SIMPLUGIN_OK;
}

static int32_t reply_ids(const simplugin_reply *reply, const char *method, simplugin_column *column,
                         simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(reply->body, reply->body_size);
    simplugin_value value;

    if (!simplugin_find(&map, "ids", &value) ||
        simplugin_column_read(&value, reply->tensors, reply->tensor_count, column) ||
        column->type != SIMPLUGIN_COLUMN_TEXT)
        return sp_typed_reply_error(error, method, "ids");
    return SIMPLUGIN_OK;
}

/* ---- create and open ------------------------------------------------------------------ */

/* Never jansson's own words: they quote the text, which may hold a credential. */
static int32_t parameters_write(simplugin_writer *writer, const char *text, const char *method,
                                simplugin_error **error)
{
    json_error_t at;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &at);
    int32_t code = SIMPLUGIN_OK;

    if (!json && json_error_code(&at) == json_error_out_of_memory) {
        code = sp_error_no_memory(error);
    } else if (!json) {
        sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "core",
                     "%s: parameters: %s at line %d, column %d", method,
                     json_error_code(&at) == json_error_duplicate_key ? "a key comes twice"
                                                                      : "not JSON",
                     at.line, at.column);
        sp_error_add_detail(error, "argument", "parameters");
        code = SIMPLUGIN_INVALID_ARGUMENT;
    } else if (!json_is_object(json)) {
        code = sp_typed_argument(error, method, "parameters", "is not a JSON object");
    } else {
        simplugin_write_string(writer, "parameters");
        sp_json_write(writer, json);
    }
    json_decref(json);
    return code;
}

static int32_t spec_check(const simplugin_index_spec *spec, const char *method,
                          simplugin_error **error)
{
    const struct {
        const char *text;
        const char *name;
    } texts[] = {
        {spec->backend, "backend"},       {spec->dataset, "dataset"},
        {spec->brain_key, "brain_key"},   {spec->collection, "collection"},
        {spec->metric, "metric"},         {spec->patches_field, "patches_field"},
        {spec->model, "model"},           {spec->parameters, "parameters"},
    };
    const char *wrong;
    int32_t code = SIMPLUGIN_OK;

    for (size_t i = 0; !code && i < sizeof texts / sizeof texts[0]; i++)
        code = text_check(texts[i].text, 0, method, texts[i].name, error);
    if (code)
        return code;
    if (spec->dimension > INT64_MAX)
        return sp_typed_argument(error, method, "dimension", "is too large");
    if (spec->supports_prompts != 0 && spec->supports_prompts != 1)
        return sp_typed_argument(error, method, "supports_prompts", "is neither 0 nor 1");
    if (spec->overwrite != 0 && spec->overwrite != 1)
        return sp_typed_argument(error, method, "overwrite", "is neither 0 nor 1");
    wrong = sp_reserved_check(spec->reserved, sizeof spec->reserved / sizeof spec->reserved[0]);
    return wrong ? sp_typed_argument(error, method, "spec", wrong) : SIMPLUGIN_OK;
}

int32_t sp_typed_spec_read(const simplugin_index_spec *spec, simplugin_index_spec *read,
                           const char *method, simplugin_error **error)
{
    const char *wrong;

    memset(read, 0, sizeof *read);
    read->size = sizeof *read;
    wrong = spec ? sp_struct_read(read, spec, sizeof spec->size, sizeof *read) : NULL;
    return wrong ? sp_typed_argument(error, method, "spec", wrong) : spec_check(read, method, error);
}

int32_t sp_typed_spec_write(simplugin_writer *writer, uint64_t *count,
                            const simplugin_index_spec *spec, const char *method,
                            simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    key_write(writer, count, "backend", spec->backend);
    key_write(writer, count, "dataset", spec->dataset);
    key_write(writer, count, "brain_key", spec->brain_key);
    key_write(writer, count, "collection_name", spec->collection);
    key_write(writer, count, "metric", spec->metric);
    key_write(writer, count, "patches_field", spec->patches_field);
    key_write(writer, count, "model", spec->model);
    if (spec->dimension) {
        simplugin_write_string(writer, "dimension");
        simplugin_write_uint(writer, spec->dimension);
        ++*count;
    }
    if (spec->supports_prompts) {
        simplugin_write_string(writer, "supports_prompts");
        simplugin_write_bool(writer, 1);
        ++*count;
    }
    if (spec->overwrite) {
        simplugin_write_string(writer, "overwrite");
        simplugin_write_bool(writer, 1);
        ++*count;
    }
    if (spec->parameters) {
        code = parameters_write(writer, spec->parameters, method, error);
        ++*count;
    }
    return code;
}

int32_t simplugin_index_create(const simplugin_index_spec *spec, uint64_t *index,
                               const simplugin_options *options, simplugin_error **error)
{
    static const char *const method = "index.create";
    simplugin_index_spec read;
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    uint64_t begin, count = 0;
    int32_t code;

    if (!index)
        return sp_typed_argument(error, method, "index", "is NULL");
    *index = 0;
    simplugin_writer_init(&writer);
    begin = simplugin_write_map_begin(&writer);
    code = sp_typed_spec_read(spec, &read, method, error);
    if (!code)
        code = sp_typed_spec_write(&writer, &count, &read, method, error);
    simplugin_write_end(&writer, begin, count);
    if (!code)
        code = sp_typed_call(read.session, method, &writer, options, &reply, error);
    if (!code)
        code = sp_typed_uint(&reply, method, "index", index, error);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t simplugin_index_open(const char *dataset, const char *brain_key, uint64_t *index,
                             const simplugin_options *options, simplugin_error **error)
{
    static const char *const method = "index.open";
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    uint64_t begin, count = 0;
    int32_t code;

    if (!index)
        return sp_typed_argument(error, method, "index", "is NULL");
    *index = 0;
    simplugin_writer_init(&writer);
    code = text_check(dataset, 0, method, "dataset", error);
    if (!code)
        code = text_check(brain_key, 1, method, "brain_key", error);
    if (!code) {
        begin = simplugin_write_map_begin(&writer);
        key_write(&writer, &count, "dataset", dataset);
        key_write(&writer, &count, "brain_key", brain_key);
        simplugin_write_end(&writer, begin, count);
        code = sp_typed_call(0, method, &writer, options, &reply, error);
    }
    if (!code)
        code = sp_typed_uint(&reply, method, "index", index, error);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

/* ---- points --------------------------------------------------------------------------- */

int32_t simplugin_index_add(uint64_t index, const char *const *id_texts, const float *vectors,
                            uint64_t count, uint64_t dimension, const simplugin_options *options,
                            simplugin_error **error)
{
    static const char *const method = "index.add";
    simplugin_tensor matrix = simplugin_tensor_of(SIMPLUGIN_FLOAT32, vectors, count, dimension);
    simplugin_writer writer;
    ids list = {.memory = NULL};
    int32_t code;

    simplugin_writer_init(&writer);
    code = matrix_check(vectors, count, dimension, method, "vectors", error);
    if (!code)
        code = ids_init(&list, id_texts, count, method, error);
    if (!code) {
        simplugin_write_map(&writer, 2);
        simplugin_write_string(&writer, "ids");
        simplugin_write_column(&writer, &list.column);
        simplugin_write_string(&writer, "vectors");
        simplugin_write_tensor(&writer, &matrix);
        code = sp_typed_call(index, method, &writer, options, NULL, error);
    }
    free(list.memory);
    simplugin_writer_clear(&writer);
    return code;
}

/* Where row i of the vectors of a get stands, for the caller's ids one after the other. */
static int32_t rows_copy(const simplugin_column *have, const simplugin_tensor *matrix,
                         const ids *wanted, uint64_t dimension, float *vectors, uint8_t *found)
{
    uint64_t stride = simplugin_tensor_stride(matrix);
    uint64_t row_bytes = dimension * sizeof *vectors;
    uint64_t at = 0;

    for (uint64_t i = 0; i < wanted->column.count; i++) {
        float *row = row_bytes ? vectors + i * dimension : NULL;
        const char *a, *b = NULL;
        uint64_t a_size, b_size = 0;
        int same;

        a = simplugin_column_text(&wanted->column, i, &a_size);
        if (at < have->count)
            b = simplugin_column_text(have, at, &b_size);
        same = b && a_size == b_size && memcmp(a, b, a_size) == 0;
        if (row && same)
            memcpy(row, (const uint8_t *)matrix->data + at * stride, row_bytes);
        else if (row)
            memset(row, 0, row_bytes);
        at += (uint64_t)same;
        if (found)
            found[i] = (uint8_t)same;
    }
    return at == have->count;
}

int32_t simplugin_index_get(uint64_t index, const char *const *id_texts, uint64_t count,
                            uint64_t dimension, float *vectors, uint8_t *found,
                            const simplugin_options *options, simplugin_error **error)
{
    static const char *const method = "index.get";
    simplugin_reply reply = SP_REPLY_INIT;
    const simplugin_tensor *matrix = NULL;
    simplugin_column have;
    simplugin_writer writer;
    simplugin_value map;
    ids list = {.memory = NULL};
    int32_t code;

    simplugin_writer_init(&writer);
    code = matrix_check(vectors, count, dimension, method, "vectors", error);
    if (!code)
        code = ids_init(&list, id_texts, count, method, error);
    if (code)
        goto out;
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &list.column);
    simplugin_write_string(&writer, "allow_missing");
    simplugin_write_bool(&writer, found != NULL);
    code = sp_typed_call(index, method, &writer, options, &reply, error);
    if (!code)
        code = reply_ids(&reply, method, &have, error);
    if (code)
        goto out;
    map = simplugin_body_value(reply.body, reply.body_size);
    if (simplugin_find_tensor(&map, "vectors", reply.tensors, reply.tensor_count, &matrix) != 1 ||
        matrix->dtype != SIMPLUGIN_FLOAT32 || matrix->rows != have.count) {
        code = sp_typed_reply_error(error, method, "vectors");
    } else if (matrix->rows && matrix->cols != dimension) {
        sp_error_set(error, SIMPLUGIN_DIMENSION_MISMATCH, "core",
                     "%s: the index has dimension %llu, the caller's memory %llu", method,
                     (unsigned long long)matrix->cols, (unsigned long long)dimension);
        sp_error_add_detail(error, "argument", "dimension");
        code = SIMPLUGIN_DIMENSION_MISMATCH;
    } else if (!rows_copy(&have, matrix, &list, dimension, vectors, found)) {
        code = sp_typed_reply_error(error, method, "ids");
    }
out:
    free(list.memory);
    simplugin_writer_clear(&writer);
    simplugin_reply_clear(&reply);
    return code;
}

int32_t simplugin_index_remove(uint64_t index, const char *const *id_texts, uint64_t count,
                               uint64_t *removed, const simplugin_options *options,
                               simplugin_error **error)
{
    static const char *const method = "index.remove";
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    ids list;
    int32_t code;

    simplugin_writer_init(&writer);
    code = ids_init(&list, id_texts, count, method, error);
    if (!code) {
        simplugin_write_map(&writer, 1);
        simplugin_write_string(&writer, "ids");
        simplugin_write_column(&writer, &list.column);
        code = sp_typed_call(index, method, &writer, options, &reply, error);
    }
    if (!code && removed)
        code = sp_typed_uint(&reply, method, "removed", removed, error);
    free(list.memory);
    simplugin_writer_clear(&writer);
    simplugin_reply_clear(&reply);
    return code;
}

int32_t simplugin_index_size(uint64_t index, uint64_t *size, const simplugin_options *options,
                             simplugin_error **error)
{
    static const char *const method = "index.size";
    simplugin_reply reply = SP_REPLY_INIT;
    int32_t code;

    if (!size)
        return sp_typed_argument(error, method, "size", "is NULL");
    code = simplugin_call(index, method, strlen(method), NULL, options, &reply, error);
    if (!code)
        code = sp_typed_uint(&reply, method, "size", size, error);
    simplugin_reply_clear(&reply);
    return code;
}

int32_t simplugin_index_cleanup(uint64_t index, const simplugin_options *options,
                                simplugin_error **error)
{
    static const char *const method = "index.cleanup";

    return simplugin_call(index, method, strlen(method), NULL, options, NULL, error);
}

/* ---- searches ------------------------------------------------------------------------- */

/* What simplugin_hits.owner points to; the texts of the ids lie behind the pointers. */
typedef struct hits_owner {
    simplugin_reply reply;
    const char *ids[];
} hits_owner;

/* The values of a column of numbers that lie one after the other, NULL if it is none. */
static const simplugin_tensor *numbers_find(const simplugin_reply *reply,
                                            const simplugin_value *map, const char *key,
                                            uint32_t dtype)
{
    const simplugin_tensor *tensor = NULL;

    if (simplugin_find_tensor(map, key, reply->tensors, reply->tensor_count, &tensor) != 1 ||
        tensor->dtype != dtype || tensor->cols != 1 ||
        simplugin_tensor_stride(tensor) != simplugin_dtype_size(dtype))
        return NULL;
    return tensor;
}

/* Moves the reply into hits. On failure the reply is still the caller's. */
static int32_t hits_take(simplugin_reply *reply, const char *method, simplugin_hits *hits,
                         simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(reply->body, reply->body_size);
    const simplugin_tensor *offsets = numbers_find(reply, &map, "offsets", SIMPLUGIN_INT64);
    const simplugin_tensor *distances = numbers_find(reply, &map, "distances", SIMPLUGIN_FLOAT32);
    const simplugin_tensor *scores = numbers_find(reply, &map, "scores", SIMPLUGIN_FLOAT32);
    simplugin_column column;
    hits_owner *owner;
    uint64_t bytes;
    char *at;
    int32_t code = reply_ids(reply, method, &column, error);

    if (code)
        return code;
    if (!offsets || !offsets->rows ||
        !simplugin_offsets_check(offsets->data, offsets->rows - 1, column.count) ||
        (uint64_t)((const int64_t *)offsets->data)[offsets->rows - 1] != column.count)
        return sp_typed_reply_error(error, method, "offsets");
    if (!distances || distances->rows != column.count)
        return sp_typed_reply_error(error, method, "distances");
    if (!scores || scores->rows != column.count)
        return sp_typed_reply_error(error, method, "scores");
    /* the reply holds 8 bytes for each id and all of their text: no overflow */
    bytes = (uint64_t)column.offsets[column.count] + column.count;
    owner = malloc(sizeof *owner + column.count * sizeof owner->ids[0] + bytes + 1);
    if (!owner)
        return sp_error_no_memory(error);
    at = (char *)(owner->ids + column.count);
    for (uint64_t i = 0; i < column.count; i++) {
        uint64_t size;
        const char *text = simplugin_column_text(&column, i, &size);

        if (size)
            memcpy(at, text, size);
        at[size] = '\0';
        owner->ids[i] = at;
        at += size + 1;
    }
    owner->reply = *reply;
    memset(reply, 0, sizeof *reply);
    hits->query_count = offsets->rows - 1;
    hits->hit_count = column.count;
    hits->offsets = offsets->data;
    hits->ids = owner->ids;
    hits->distances = distances->data;
    hits->scores = scores->data;
    hits->owner = owner;
    return SIMPLUGIN_OK;
}

/* .owner was there from the beginning: a struct without it is no version of ours. */
#define HITS_LEAST (offsetof(simplugin_hits, owner) + sizeof(((simplugin_hits *)0)->owner))

static int32_t hits_check(const simplugin_hits *hits, const char *method, simplugin_error **error)
{
    const char *wrong = hits ? sp_struct_check(hits, HITS_LEAST, sizeof *hits) : "is NULL";

    if (!wrong && hits->owner)
        wrong = "holds earlier hits: clear it first";
    return wrong ? sp_typed_argument(error, method, "hits", wrong) : SIMPLUGIN_OK;
}

/* k goes last, behind the query, which the caller has written as the first of two keys. */
static int32_t search_finish(uint64_t index, simplugin_writer *writer, uint64_t k,
                             const simplugin_options *options, simplugin_hits *hits,
                             simplugin_error **error)
{
    static const char *const method = "index.search";
    simplugin_reply reply = SP_REPLY_INIT;
    int32_t code;

    simplugin_write_string(writer, "k");
    simplugin_write_uint(writer, k);
    code = sp_typed_call(index, method, writer, options, &reply, error);
    if (!code)
        code = hits_take(&reply, method, hits, error);
    simplugin_reply_clear(&reply);
    return code;
}

int32_t simplugin_index_search(uint64_t index, const float *queries, uint64_t count,
                               uint64_t dimension, uint64_t k, const simplugin_options *options,
                               simplugin_hits *hits, simplugin_error **error)
{
    static const char *const method = "index.search";
    simplugin_tensor matrix = simplugin_tensor_of(SIMPLUGIN_FLOAT32, queries, count, dimension);
    simplugin_writer writer;
    int32_t code = hits_check(hits, method, error);

    simplugin_writer_init(&writer);
    if (!code)
        code = matrix_check(queries, count, dimension, method, "queries", error);
    if (!code) {
        simplugin_write_map(&writer, 2);
        simplugin_write_string(&writer, "vectors");
        simplugin_write_tensor(&writer, &matrix);
        code = search_finish(index, &writer, k, options, hits, error);
    }
    simplugin_writer_clear(&writer);
    return code;
}

int32_t simplugin_index_search_ids(uint64_t index, const char *const *id_texts, uint64_t count,
                                   uint64_t k, const simplugin_options *options,
                                   simplugin_hits *hits, simplugin_error **error)
{
    static const char *const method = "index.search";
    simplugin_writer writer;
    ids list = {.memory = NULL};
    int32_t code = hits_check(hits, method, error);

    simplugin_writer_init(&writer);
    if (!code)
        code = ids_init(&list, id_texts, count, method, error);
    if (!code) {
        simplugin_write_map(&writer, 2);
        simplugin_write_string(&writer, "ids");
        simplugin_write_column(&writer, &list.column);
        code = search_finish(index, &writer, k, options, hits, error);
    }
    free(list.memory);
    simplugin_writer_clear(&writer);
    return code;
}

void simplugin_hits_clear(simplugin_hits *hits)
{
    hits_owner *owner;

    if (!hits)
        return;
    owner = hits->owner;
    if (owner)
        simplugin_reply_clear(&owner->reply);
    free(owner);
    sp_struct_zero(hits, HITS_LEAST, sizeof *hits);
}

/* ---- runs ----------------------------------------------------------------------------- */

static int32_t run_call(const char *method, const char *dataset, const char *brain_key,
                        const char *new_brain_key, simplugin_error **error)
{
    simplugin_writer writer;
    uint64_t begin, count = 0;
    int32_t code = text_check(dataset, 0, method, "dataset", error);

    if (!code)
        code = text_check(brain_key, 1, method, "brain_key", error);
    if (code)
        return code;
    simplugin_writer_init(&writer);
    begin = simplugin_write_map_begin(&writer);
    key_write(&writer, &count, "dataset", dataset);
    key_write(&writer, &count, "brain_key", brain_key);
    key_write(&writer, &count, "new_brain_key", new_brain_key);
    simplugin_write_end(&writer, begin, count);
    code = sp_typed_call(0, method, &writer, NULL, NULL, error);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t simplugin_run_rename(const char *dataset, const char *brain_key, const char *new_brain_key,
                             simplugin_error **error)
{
    static const char *const method = "runs.rename";
    int32_t code = text_check(new_brain_key, 1, method, "new_brain_key", error);

    return code ? code : run_call(method, dataset, brain_key, new_brain_key, error);
}

int32_t simplugin_run_delete(const char *dataset, const char *brain_key, simplugin_error **error)
{
    return run_call("runs.delete", dataset, brain_key, NULL, error);
}

/* Calls each for every run; the copy that carries the terminating zero is reused. */
static int32_t runs_walk(const simplugin_value *runs,
                         int32_t (*each)(void *context, const char *brain_key), void *context,
                         simplugin_error **error)
{
    simplugin_iter iter = simplugin_iterate(runs);
    simplugin_value run;
    char *copy = NULL;
    uint64_t room = 0;
    int32_t code = SIMPLUGIN_OK;

    while (!code && simplugin_next(&iter, &run)) {
        const char *text = NULL;
        uint64_t size = 0;

        if (simplugin_find_text(&run, "brain_key", &text, &size) != 1) {
            code = sp_typed_reply_error(error, "runs.list", "runs");
            break;
        }
        if (size + 1 > room) {
            free(copy);
            room = size + 1;
            copy = malloc(room);
        }
        if (!copy) {
            code = sp_error_no_memory(error);
            break;
        }
        memcpy(copy, text, size);
        copy[size] = '\0';
        if (each(context, copy))
            break;
    }
    free(copy);
    return code;
}

int32_t simplugin_run_list(const char *dataset,
                           int32_t (*each)(void *context, const char *brain_key), void *context,
                           simplugin_error **error)
{
    static const char *const method = "runs.list";
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    simplugin_value map, runs;
    uint64_t begin, count = 0;
    int32_t code;

    if (!each)
        return sp_typed_argument(error, method, "each", "is NULL");
    simplugin_writer_init(&writer);
    code = text_check(dataset, 0, method, "dataset", error);
    if (!code) {
        begin = simplugin_write_map_begin(&writer);
        key_write(&writer, &count, "dataset", dataset);
        simplugin_write_end(&writer, begin, count);
        code = sp_typed_call(0, method, &writer, NULL, &reply, error);
    }
    if (!code) {
        map = simplugin_body_value(reply.body, reply.body_size);
        code = simplugin_find(&map, "runs", &runs) && runs.type == SIMPLUGIN_ARRAY
                   ? runs_walk(&runs, each, context, error)
                   : sp_typed_reply_error(error, method, "runs");
    }
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}
