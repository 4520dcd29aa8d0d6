/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend "minimal": the required methods of the backend protocol and nothing else,
 * in memory, with limits that are soon reached. Whatever more an index can do over it, the
 * core has made up for; the tests compare that with a backend which does it by itself.
 */
#include "config.h"

#include "minimal_rows.h"

#include <stdio.h>
#include <time.h>

/* Rows between two looks at the clock: each is looked for among all. */
#define BLOCK 64

/* tests/bad_backends has it larger */
#ifndef MAX_K
#define MAX_K 7
#endif
#define BATCH_BYTES 16384

static const simplugin_host *minimal_host;

struct simplugin_instance {
    int unused;
};

/* One call: what came in, and where the answer goes. */
typedef struct one_call {
    const simplugin_call_info *info;
    simplugin_value body;
    const simplugin_request *request;
    simplugin_reply *reply;
    simplugin_error **error;
    simplugin_writer out;
    minimal_collection *collection; /* of the methods that name one */
} one_call;

static int32_t fail(one_call *call, int32_t code, const char *message)
{
    return minimal_host->error_set(call->error, code, message, strlen(message));
}

static int32_t fail_argument(one_call *call, const char *argument, const char *message)
{
    fail(call, SIMPLUGIN_INVALID_ARGUMENT, message);
    minimal_host->error_add_detail(call->error, "argument", 8, argument, strlen(argument));
    return SIMPLUGIN_INVALID_ARGUMENT;
}

static int32_t no_memory(one_call *call)
{
    return fail(call, SIMPLUGIN_OUT_OF_MEMORY, "no memory");
}

static int is_over(int64_t deadline)
{
    struct timespec now;

    return deadline != INT64_MAX && clock_gettime(CLOCK_MONOTONIC, &now) == 0 &&
           (int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= deadline;
}

/* Whether the call may go on, looked at before each block of rows. */
static int32_t check_time(one_call *call, uint64_t row)
{
    if (row % BLOCK)
        return SIMPLUGIN_OK;
    if (minimal_host->cancelled(call->info->cancel))
        return fail(call, SIMPLUGIN_CANCELLED, "cancelled");
    if (is_over(call->info->deadline))
        return fail(call, SIMPLUGIN_DEADLINE_EXCEEDED, "the call's timeout ran out");
    return SIMPLUGIN_OK;
}

/* ---- reading requests --------------------------------------------------------------- */

static int32_t find_column(one_call *call, const char *key, simplugin_column *column, int *present)
{
    simplugin_value value;
    const char *wrong;

    *present = simplugin_find(&call->body, key, &value);
    wrong = *present ? simplugin_column_read(&value, call->request->tensors,
                                             call->request->tensor_count, column)
                     : NULL;
    return wrong ? fail_argument(call, key, wrong) : SIMPLUGIN_OK;
}

static int32_t find_ids(one_call *call, simplugin_column *ids, int *present)
{
    int32_t code = find_column(call, "ids", ids, present);

    if (code || !*present)
        return code;
    return ids->type == SIMPLUGIN_COLUMN_TEXT && !ids->valid
               ? SIMPLUGIN_OK
               : fail_argument(call, "ids", "ids are a text column without nulls");
}

static int32_t find_vectors(one_call *call, const simplugin_tensor **vectors)
{
    if (simplugin_find_tensor(&call->body, "vectors", call->request->tensors,
                              call->request->tensor_count, vectors) != 1 ||
        (*vectors)->dtype != SIMPLUGIN_FLOAT32)
        return fail_argument(call, "vectors", "vectors are a float32 tensor");
    if ((*vectors)->cols != call->collection->dimension)
        return fail(call, SIMPLUGIN_DIMENSION_MISMATCH,
                    "vectors have another dimension than the collection");
    return SIMPLUGIN_OK;
}

static const float *vector_of(const simplugin_tensor *vectors, uint64_t row)
{
    return (const float *)(const void *)((const uint8_t *)vectors->data +
                                         row * simplugin_tensor_stride(vectors));
}

/* ---- writing replies ---------------------------------------------------------------- */

static void write_array(one_call *call, const char *key, uint32_t dtype, const void *data,
                        uint64_t count)
{
    simplugin_tensor tensor = simplugin_tensor_of(dtype, data, count, 1);

    simplugin_write_string(&call->out, key);
    simplugin_write_tensor(&call->out, &tensor);
}

static int32_t write_ids(one_call *call, const uint64_t *rows, uint64_t count)
{
    simplugin_column ids;

    if (!minimal_gather_ids(minimal_host, call->reply, call->collection, rows, count, &ids))
        return no_memory(call);
    simplugin_write_string(&call->out, "ids");
    simplugin_write_column(&call->out, &ids);
    return SIMPLUGIN_OK;
}

static int32_t write_vectors(one_call *call, const uint64_t *rows, uint64_t count)
{
    uint64_t dimension = call->collection->dimension;
    float *data = minimal_host->reply_alloc(call->reply, count * dimension * sizeof *data + 1);
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, count, dimension);

    if (!data)
        return no_memory(call);
    for (uint64_t i = 0; i < count; i++)
        memcpy(data + i * dimension, call->collection->rows[rows[i]].vector,
               (size_t)dimension * sizeof *data);
    simplugin_write_string(&call->out, "vectors");
    simplugin_write_tensor(&call->out, &tensor);
    return SIMPLUGIN_OK;
}

/* Whether the request asks for this field: an array of names, or true for all. */
static int asks_for(const simplugin_value *fields, const char *name)
{
    simplugin_iter iter = simplugin_iterate(fields);
    simplugin_value item;

    if (fields->type == SIMPLUGIN_BOOL)
        return (int)fields->as.i;
    while (simplugin_next(&iter, &item))
        if (simplugin_value_is(&item, name))
            return 1;
    return 0;
}

static int32_t write_fields(one_call *call, const simplugin_value *fields, const uint64_t *rows,
                            uint64_t count)
{
    uint64_t begin, written = 0;

    simplugin_write_string(&call->out, "fields");
    begin = simplugin_write_map_begin(&call->out);
    for (uint64_t i = 0; i < call->collection->field_count; i++) {
        simplugin_column column;
        uint64_t present;

        if (!asks_for(fields, call->collection->fields[i].name))
            continue;
        if (!minimal_gather(minimal_host, call->reply, call->collection, i, rows, count, &column,
                            &present))
            return no_memory(call);
        simplugin_write_string(&call->out, call->collection->fields[i].name);
        simplugin_write_column(&call->out, &column);
        written++;
    }
    simplugin_write_end(&call->out, begin, written);
    return SIMPLUGIN_OK;
}

/* ids, vectors and fields of rows, as asked; *keys counts what was written. */
static int32_t write_rows(one_call *call, const uint64_t *rows, uint64_t count, int with_vectors,
                          uint64_t *keys)
{
    simplugin_value fields;
    int32_t code = write_ids(call, rows, count);

    *keys += 1;
    if (!code && with_vectors) {
        code = write_vectors(call, rows, count);
        *keys += 1;
    }
    if (!code && simplugin_find(&call->body, "fields", &fields)) {
        code = write_fields(call, &fields, rows, count);
        *keys += 1;
    }
    return code;
}

/* ---- collections -------------------------------------------------------------------- */

static int32_t health(one_call *call)
{
    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "version");
    simplugin_write_string(&call->out, "1");
    return SIMPLUGIN_OK;
}

static int32_t collection_list(one_call *call)
{
    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "collections");
    simplugin_write_array(&call->out, minimal_count());
    for (uint64_t i = 0; i < minimal_count(); i++)
        simplugin_write_string(&call->out, minimal_at(i)->name);
    return SIMPLUGIN_OK;
}

static int32_t collection_exists(one_call *call)
{
    const char *name;
    uint64_t size;

    if (simplugin_find_text(&call->body, "collection", &name, &size) != 1)
        return fail_argument(call, "collection", "collection is a text");
    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "exists");
    simplugin_write_bool(&call->out, minimal_find(name, size) != NULL);
    return SIMPLUGIN_OK;
}

static int32_t collection_create(one_call *call)
{
    static const char *const known[] = {"cosine", "dotproduct", "euclidean"};
    const char *name, *metric = known[0];
    uint64_t size;
    int64_t dimension = 0;
    simplugin_value value, key, fields;
    simplugin_iter iter;

    if (simplugin_find_text(&call->body, "collection", &name, &size) != 1 || !size ||
        size > 255 || memchr(name, 0, (size_t)size))
        return fail_argument(call, "collection", "collection is a text of 1 to 255 bytes");
    if (simplugin_find_int(&call->body, "dimension", &dimension) != 1 || dimension < 1 ||
        dimension > 65536)
        return fail_argument(call, "dimension", "dimension is an int from 1 to 65536");
    if (simplugin_find(&call->body, "metric", &value)) {
        metric = NULL;
        for (uint64_t i = 0; i < sizeof known / sizeof *known; i++)
            if (simplugin_value_is(&value, known[i]))
                metric = known[i];
    }
    if (!metric)
        return fail_argument(call, "metric", "metric is one of cosine, dotproduct, euclidean");
    simplugin_find(&call->body, "fields", &fields);
    iter = simplugin_iterate(&fields);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value))
        if (!simplugin_column_type(&value))
            return fail_argument(call, "fields", "a field's type is none of a column's");
    if (minimal_find(name, size))
        return fail(call, SIMPLUGIN_ALREADY_EXISTS, "a collection of that name exists");
    call->collection = minimal_add(name, size, metric, (uint64_t)dimension);
    if (!call->collection)
        return no_memory(call);
    iter = simplugin_iterate(&fields);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value))
        if (minimal_field_index(call->collection, (const char *)key.data, key.size,
                                simplugin_column_type(&value)) == UINT64_MAX)
            return no_memory(call);
    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "collection");
    simplugin_write_string(&call->out, call->collection->name);
    return SIMPLUGIN_OK;
}

static const char *type_name(uint32_t type)
{
    static const char *const names[] = {"",           "text",        "int64",         "float64", "bool",
                                        "list<text>", "list<int64>", "list<float64>", "list<bool>"};

    return names[(type & ~SIMPLUGIN_COLUMN_LIST) + (type & SIMPLUGIN_COLUMN_LIST ? 4 : 0)];
}

static int32_t collection_describe(one_call *call)
{
    const minimal_collection *collection = call->collection;
    int patches = 0;

    simplugin_write_map(&call->out, 7);
    simplugin_write_string(&call->out, "collection");
    simplugin_write_string(&call->out, collection->name);
    simplugin_write_string(&call->out, "dimension");
    simplugin_write_uint(&call->out, collection->dimension);
    simplugin_write_string(&call->out, "metric");
    simplugin_write_string(&call->out, collection->metric);
    simplugin_write_string(&call->out, "count");
    simplugin_write_uint(&call->out, collection->row_count);
    simplugin_write_string(&call->out, "id_mode");
    simplugin_write_string(&call->out, "native");
    simplugin_write_string(&call->out, "fields");
    simplugin_write_map(&call->out, collection->field_count);
    for (uint64_t i = 0; i < collection->field_count; i++) {
        simplugin_write_string(&call->out, collection->fields[i].name);
        simplugin_write_string(&call->out, type_name(collection->fields[i].type));
        patches |= strcmp(collection->fields[i].name, "sample_id") == 0 &&
                   collection->fields[i].type == SIMPLUGIN_COLUMN_TEXT;
    }
    simplugin_write_string(&call->out, "patches");
    simplugin_write_bool(&call->out, patches);
    return SIMPLUGIN_OK;
}

static int32_t collection_drop(one_call *call)
{
    minimal_drop(call->collection);
    return SIMPLUGIN_OK;
}

/* ---- points ------------------------------------------------------------------------- */

/* All columns are checked before the first row changes. */
static int32_t check_fields(one_call *call, const simplugin_value *fields, uint64_t count)
{
    simplugin_iter iter = simplugin_iterate(fields);
    simplugin_value key, value;
    simplugin_column column;
    const char *wrong = NULL;
    uint64_t index;

    while (!wrong && simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        wrong = simplugin_column_read(&value, call->request->tensors, call->request->tensor_count,
                                      &column);
        if (!wrong && column.count != count)
            wrong = "a field has not as many rows as ids";
        if (wrong)
            break;
        index = minimal_field_index(call->collection, (const char *)key.data, key.size,
                                    column.type);
        if (index == UINT64_MAX)
            return no_memory(call);
        if (call->collection->fields[index].type != column.type)
            wrong = "a field has another type than before";
    }
    return wrong ? fail_argument(call, "fields", wrong) : SIMPLUGIN_OK;
}

static int32_t set_cells(one_call *call, minimal_row *row, const simplugin_value *fields, uint64_t from)
{
    simplugin_iter iter = simplugin_iterate(fields);
    simplugin_value key, value;
    simplugin_column column;

    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        uint64_t index = minimal_field_index(call->collection, (const char *)key.data, key.size, 0);

        if (simplugin_column_read(&value, call->request->tensors, call->request->tensor_count,
                                  &column) ||
            !minimal_cell_set(row, index, &column, from))
            return no_memory(call);
    }
    return SIMPLUGIN_OK;
}

static int32_t points_upsert(one_call *call)
{
    const simplugin_tensor *vectors = NULL, *rows = NULL;
    simplugin_value fields;
    simplugin_column ids;
    uint64_t count, replaced_count = 0;
    int present, replaced;
    int32_t code = find_vectors(call, &vectors);

    if (!code)
        code = find_ids(call, &ids, &present);
    if (code)
        return code;
    if (!present || ids.count != vectors->rows)
        return fail_argument(call, "ids", "ids must be as many as vectors");
    if (simplugin_find_tensor(&call->body, "rows", call->request->tensors,
                              call->request->tensor_count, &rows) < 0 ||
        (rows && (rows->dtype != SIMPLUGIN_INT64 || rows->cols != 1)))
        return fail_argument(call, "rows", "rows is an int64 tensor of one column");
    count = rows ? rows->rows : ids.count;
    if (count > 1 && count * call->collection->dimension * sizeof(float) > BATCH_BYTES)
        return fail(call, SIMPLUGIN_RESOURCE_EXHAUSTED, "more than batch_bytes in one upsert");
    simplugin_find(&call->body, "fields", &fields);
    code = check_fields(call, &fields, ids.count);
    for (uint64_t i = 0; !code && i < count; i++) {
        uint64_t from = i, size;
        const char *id;
        minimal_row *row;

        if (rows)
            memcpy(&from, (const uint8_t *)rows->data + i * simplugin_tensor_stride(rows),
                   sizeof from);
        if (from >= ids.count)
            return fail_argument(call, "rows", "a row number is out of range");
        id = simplugin_column_text(&ids, from, &size);
        code = check_time(call, i);
        if (code)
            return code;
        row = minimal_row_put(call->collection, id, size, vector_of(vectors, from), &replaced);
        code = row ? set_cells(call, row, &fields, from) : no_memory(call);
        replaced_count += (uint64_t)replaced;
    }
    if (code)
        return code;
    simplugin_write_map(&call->out, 2);
    simplugin_write_string(&call->out, "upserted");
    simplugin_write_uint(&call->out, count);
    simplugin_write_string(&call->out, "replaced");
    simplugin_write_uint(&call->out, replaced_count);
    return SIMPLUGIN_OK;
}

static int32_t points_delete(one_call *call)
{
    simplugin_column ids;
    uint64_t deleted = 0;
    int present, everything = 0;
    int32_t code = find_ids(call, &ids, &present);

    if (code)
        return code;
    if (simplugin_find_bool(&call->body, "all", &everything) < 0 || everything == present)
        return fail_argument(call, "ids", "give ids, or all");
    for (uint64_t i = 0; present && i < ids.count; i++) {
        uint64_t size;
        const char *id = simplugin_column_text(&ids, i, &size);
        uint64_t row = minimal_row_find(call->collection, id, size);

        code = check_time(call, i);
        if (code)
            return code;
        if (row == UINT64_MAX)
            continue;
        minimal_row_remove(call->collection, row);
        deleted++;
    }
    while (everything && call->collection->row_count) {
        minimal_row_remove(call->collection, call->collection->row_count - 1);
        deleted++;
    }
    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "deleted");
    simplugin_write_uint(&call->out, deleted);
    return SIMPLUGIN_OK;
}

static int32_t points_get(one_call *call)
{
    simplugin_column ids;
    uint64_t *rows, count = 0, begin, keys = 1;
    int64_t *positions;
    int present, with_vectors = 1;
    int32_t code = find_ids(call, &ids, &present);

    if (code)
        return code;
    if (!present || simplugin_find_bool(&call->body, "vectors", &with_vectors) < 0)
        return fail_argument(call, "ids", "ids are needed; vectors is a bool");
    rows = minimal_host->reply_alloc(call->reply, (ids.count + 1) * sizeof *rows);
    positions = minimal_host->reply_alloc(call->reply, (ids.count + 1) * sizeof *positions);
    if (!rows || !positions)
        return no_memory(call);
    for (uint64_t i = 0; i < ids.count; i++) {
        uint64_t size;
        const char *id = simplugin_column_text(&ids, i, &size);

        code = check_time(call, i);
        if (code)
            return code;
        rows[count] = minimal_row_find(call->collection, id, size);
        positions[count] = (int64_t)i;
        count += rows[count] != UINT64_MAX;
    }
    begin = simplugin_write_map_begin(&call->out);
    write_array(call, "positions", SIMPLUGIN_INT64, positions, count);
    code = write_rows(call, rows, count, with_vectors, &keys);
    simplugin_write_end(&call->out, begin, keys);
    return code;
}

static int32_t points_count(one_call *call)
{
    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "count");
    simplugin_write_uint(&call->out, call->collection->row_count);
    return SIMPLUGIN_OK;
}

/* The cursor is the number of the last row that was given out; numbers only grow. */
static int32_t points_scan(one_call *call)
{
    const minimal_collection *collection = call->collection;
    uint64_t next = 0, first = 0, count, begin, keys = 0;
    uint64_t row_bytes = collection->dimension * sizeof(float);
    int64_t max_rows = INT64_MAX, max_bytes = INT64_MAX;
    simplugin_value cursor;
    uint64_t *rows;
    int with_vectors = 1;
    int32_t code;

    if (simplugin_find(&call->body, "cursor", &cursor)) {
        if (cursor.type != SIMPLUGIN_BYTES || cursor.size != sizeof next)
            return fail_argument(call, "cursor", "the cursor is not one of ours");
        memcpy(&next, cursor.data, sizeof next);
    }
    if (simplugin_find_int(&call->body, "max_rows", &max_rows) < 0 || max_rows < 1 ||
        simplugin_find_int(&call->body, "max_bytes", &max_bytes) < 0 || max_bytes < 1 ||
        simplugin_find_bool(&call->body, "vectors", &with_vectors) < 0)
        return fail_argument(call, "max_rows",
                             "max_rows and max_bytes are at least 1; vectors is a bool");
    while (first < collection->row_count && collection->rows[first].sequence < next)
        first++;
    count = collection->row_count - first;
    if (count > (uint64_t)max_rows)
        count = (uint64_t)max_rows;
    if (count > (uint64_t)max_bytes / row_bytes + 1)
        count = (uint64_t)max_bytes / row_bytes + 1;
    rows = minimal_host->reply_alloc(call->reply, (count + 1) * sizeof *rows);
    if (!rows)
        return no_memory(call);
    for (uint64_t i = 0; i < count; i++)
        rows[i] = first + i;
    begin = simplugin_write_map_begin(&call->out);
    code = write_rows(call, rows, count, with_vectors, &keys);
    if (!code && first + count < collection->row_count) {
        next = collection->rows[first + count].sequence;
        simplugin_write_string(&call->out, "cursor");
        simplugin_write_bytes(&call->out, &next, sizeof next);
        keys++;
    }
    simplugin_write_end(&call->out, begin, keys);
    return code;
}

/* ---- search ------------------------------------------------------------------------- */

typedef struct minimal_hit {
    double distance;
    double score;
    uint64_t row;
} minimal_hit;

static minimal_hit measure(const minimal_collection *collection, const float *query, uint64_t row)
{
    const float *vector = collection->rows[row].vector;
    double dot = 0, squared = 0, q = 0, x = 0;
    minimal_hit hit = {0, 0, row};

    for (uint64_t i = 0; i < collection->dimension; i++) {
        double a = (double)query[i], b = (double)vector[i];

        dot += a * b;
        squared += (a - b) * (a - b);
        q += a * a;
        x += b * b;
    }
    if (strcmp(collection->metric, "euclidean") == 0) {
        hit.score = hit.distance = sqrt(squared);
    } else if (strcmp(collection->metric, "dotproduct") == 0) {
        hit.score = dot;
        hit.distance = -dot;
    } else {
        hit.score = q > 0 && x > 0 ? dot / sqrt(q) / sqrt(x) : 0;
        hit.distance = 1 - hit.score;
    }
    return hit;
}

static int compare_hits(const void *left, const void *right)
{
    const minimal_hit *a = left, *b = right;

    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static int32_t search(one_call *call)
{
    const minimal_collection *collection = call->collection;
    const simplugin_tensor *vectors = NULL;
    uint64_t take, begin, keys = 3, total;
    float *distances, *scores;
    int64_t *offsets, k = 10;
    uint64_t *rows;
    minimal_hit *hits;
    int with_vectors = 0;
    int32_t code = find_vectors(call, &vectors);

    if (code)
        return code;
    if (simplugin_find_int(&call->body, "k", &k) < 0 || k < 1 || k > MAX_K ||
        simplugin_find_bool(&call->body, "with_vectors", &with_vectors) < 0)
        return fail_argument(call, "k", "k is an int from 1 to max_k; with_vectors is a bool");
    take = collection->row_count < (uint64_t)k ? collection->row_count : (uint64_t)k;
    total = vectors->rows * take;
    hits = minimal_host->reply_alloc(call->reply, (collection->row_count + 1) * sizeof *hits);
    offsets = minimal_host->reply_alloc(call->reply, (vectors->rows + 1) * sizeof *offsets);
    rows = minimal_host->reply_alloc(call->reply, (total + 1) * sizeof *rows);
    distances = minimal_host->reply_alloc(call->reply, (total + 1) * sizeof *distances);
    scores = minimal_host->reply_alloc(call->reply, (total + 1) * sizeof *scores);
    if (!hits || !offsets || !rows || !distances || !scores)
        return no_memory(call);
    for (uint64_t i = 0; i < vectors->rows; i++) {
        code = check_time(call, 0);
        if (code)
            return code;
        for (uint64_t row = 0; row < collection->row_count; row++)
            hits[row] = measure(collection, vector_of(vectors, i), row);
        qsort(hits, (size_t)collection->row_count, sizeof *hits, compare_hits);
        for (uint64_t j = 0; j < take; j++) {
            rows[i * take + j] = hits[j].row;
            distances[i * take + j] = (float)hits[j].distance;
            scores[i * take + j] = (float)hits[j].score;
        }
        offsets[i + 1] = (int64_t)((i + 1) * take);
    }
    begin = simplugin_write_map_begin(&call->out);
    write_array(call, "offsets", SIMPLUGIN_INT64, offsets, vectors->rows + 1);
    write_array(call, "distances", SIMPLUGIN_FLOAT32, distances, total);
    write_array(call, "scores", SIMPLUGIN_FLOAT32, scores, total);
    code = write_rows(call, rows, total, with_vectors, &keys);
    simplugin_write_end(&call->out, begin, keys);
    return code;
}

/* ---- the table ---------------------------------------------------------------------- */

/* Every key that a method takes, between spaces. */
static const struct {
    const char *name;
    const char *keys;
    int names_collection;
    int32_t (*serve)(one_call *call);
} methods[] = {
    {"health", " ", 0, health},
    {"collection.list", " ", 0, collection_list},
    {"collection.exists", " collection ", 0, collection_exists},
    {"collection.create", " collection dimension metric fields parameters ", 0, collection_create},
    {"collection.describe", " collection ", 1, collection_describe},
    {"collection.drop", " collection ", 1, collection_drop},
    {"points.upsert", " collection ids vectors fields rows parameters ", 1, points_upsert},
    {"points.delete", " collection ids all ", 1, points_delete},
    {"points.get", " collection ids vectors fields ", 1, points_get},
    {"points.count", " collection ", 1, points_count},
    {"points.scan", " collection cursor max_bytes max_rows vectors fields ", 1, points_scan},
    {"search", " collection vectors k fields with_vectors parameters ", 1, search},
};

static int32_t check_keys(one_call *call, const char *known)
{
    simplugin_iter iter = simplugin_iterate(&call->body);
    simplugin_value key, value;
    char word[40];

    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        if (value.type == SIMPLUGIN_NIL)
            continue;
        snprintf(word, sizeof word, " %.*s ", (int)(key.size < 36 ? key.size : 36),
                 (const char *)key.data);
        if (!strstr(known, word)) {
            fail(call, SIMPLUGIN_INVALID_ARGUMENT, "a key that this backend does not take");
            minimal_host->error_add_detail(call->error, "argument", 8, (const char *)key.data,
                                           key.size);
            return SIMPLUGIN_INVALID_ARGUMENT;
        }
    }
    return SIMPLUGIN_OK;
}

static int32_t serve(one_call *call, uint64_t method)
{
    const char *name;
    uint64_t size;
    int32_t code = check_keys(call, methods[method].keys);

    if (code)
        return code;
    if (methods[method].names_collection) {
        if (simplugin_find_text(&call->body, "collection", &name, &size) != 1)
            return fail_argument(call, "collection", "collection is a text");
        call->collection = minimal_find(name, size);
        if (!call->collection)
            return fail(call, SIMPLUGIN_NOT_FOUND, "no such collection");
    }
    return methods[method].serve(call);
}

static int32_t minimal_call(simplugin_instance *instance, const simplugin_call_info *info,
                            const simplugin_request *request, simplugin_reply *reply,
                            simplugin_error **error)
{
    one_call call = {.info = info, .request = request, .reply = reply, .error = error};
    uint64_t method = 0;
    int32_t code;

    (void)instance;
    simplugin_writer_init(&call.out);
    call.body = simplugin_body_value(request->body, request->body_size);
    while (method < sizeof methods / sizeof *methods &&
           (strlen(methods[method].name) != info->method_size ||
            memcmp(methods[method].name, info->method, (size_t)info->method_size) != 0))
        method++;
    if (method == sizeof methods / sizeof *methods)
        return fail(&call, SIMPLUGIN_UNKNOWN_METHOD, "no such method");
    if (!minimal_lock())
        return fail(&call, SIMPLUGIN_INTERNAL, "the lock failed");
    code = serve(&call, method);
    minimal_unlock();
    if (!code && simplugin_writer_reply(&call.out, minimal_host, reply))
        code = no_memory(&call);
    simplugin_writer_clear(&call.out);
    return code;
}

static void describe_texts(simplugin_writer *out, const char *key, const char *const *texts,
                           uint64_t count)
{
    simplugin_write_string(out, key);
    simplugin_write_array(out, count);
    for (uint64_t i = 0; i < count; i++)
        simplugin_write_string(out, texts[i]);
}

static int32_t minimal_describe(simplugin_reply *reply, simplugin_error **error)
{
    static const char *const metrics[] = {"cosine", "dotproduct", "euclidean"};
    static const char *const types[] = {"text",       "int64",       "float64",       "bool",
                                        "list<text>", "list<int64>", "list<float64>", "list<bool>"};
    simplugin_writer out;
    int32_t code;

    simplugin_writer_init(&out);
    simplugin_write_map(&out, 17);
    simplugin_write_string(&out, "name");
    simplugin_write_string(&out, "minimal");
    simplugin_write_string(&out, "version");
    simplugin_write_string(&out, "1");
    describe_texts(&out, "metrics", metrics, 3);
    simplugin_write_string(&out, "max_k");
    simplugin_write_uint(&out, MAX_K);
    simplugin_write_string(&out, "exact");
    simplugin_write_bool(&out, 1);
    describe_texts(&out, "methods", NULL, 0);
    describe_texts(&out, "filters", NULL, 0);
    describe_texts(&out, "field_types", types, 8);
    describe_texts(&out, "reverse", NULL, 0);
    simplugin_write_string(&out, "radius");
    simplugin_write_bool(&out, 0);
    simplugin_write_string(&out, "vectors");
    simplugin_write_string(&out, "exact");
    simplugin_write_string(&out, "counts_replaced");
    simplugin_write_bool(&out, 1);
    simplugin_write_string(&out, "nonfinite");
    simplugin_write_bool(&out, 1);
    describe_texts(&out, "consistency_levels", NULL, 0);
    describe_texts(&out, "parameters", NULL, 0);
    describe_texts(&out, "search_parameters", NULL, 0);
    simplugin_write_string(&out, "batch_bytes");
    simplugin_write_uint(&out, BATCH_BYTES);
    code = simplugin_writer_reply(&out, minimal_host, reply);
    if (code)
        minimal_host->error_set(error, code, "no memory", 9);
    simplugin_writer_clear(&out);
    return code;
}

static int32_t minimal_open(const simplugin_call_info *info, const simplugin_request *request,
                            simplugin_instance **instance, simplugin_error **error)
{
    (void)info;
    (void)request;
    *instance = calloc(1, sizeof **instance);
    return *instance ? SIMPLUGIN_OK
                     : minimal_host->error_set(error, SIMPLUGIN_OUT_OF_MEMORY, "no memory", 9);
}

static void minimal_close(simplugin_instance *instance)
{
    free(instance);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    static const simplugin_backend table = {
        .size = sizeof table,
        .abi = SIMPLUGIN_ABI_1_0,
        .threads = SIMPLUGIN_THREADS_SERIAL,
        .describe = minimal_describe,
        .open = minimal_open,
        .call = minimal_call,
        .close = minimal_close,
    };
    char message[128];

    snprintf(message, sizeof message, "minimal speaks ABI %u.%u only, the host %u.%u to %u.%u",
             table.abi >> 16, table.abi & 0xffff, host->abi_min >> 16, host->abi_min & 0xffff,
             host->abi_max >> 16, host->abi_max & 0xffff);
    if (host->abi_min > table.abi || host->abi_max < table.abi)
        return host->error_set(error, SIMPLUGIN_INCOMPATIBLE, message, strlen(message));
    minimal_host = host;
    *backend = &table;
    return SIMPLUGIN_OK;
}
