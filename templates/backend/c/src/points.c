/* SPDX-License-Identifier: Apache-2.0 */
/* points.* */
#include "backend.h"

/* Time is looked at once in so many points. */
#define BLOCK 1024

/* ---- upsert ---- */

/* Row i of those to be written: all that are given, or those that "rows" lists. */
static uint64_t row_at(const simplugin_tensor *rows, uint64_t i)
{
    int64_t row = (int64_t)i;

    if (rows)
        memcpy(&row, (const uint8_t *)rows->data + i * simplugin_tensor_stride(rows), sizeof row);
    return (uint64_t)row;
}

static int32_t read_rows(struct call *call, uint64_t given, const simplugin_tensor **rows,
                         uint64_t *count)
{
    *rows = NULL;
    if (simplugin_find_tensor(&call->body, "rows", call->request->tensors,
                              call->request->tensor_count, rows) < 0 ||
        (*rows && ((*rows)->dtype != SIMPLUGIN_INT64 || (*rows)->cols != 1)))
        return fail_argument(call, "rows", "a column of int64 is needed");
    *count = *rows ? (*rows)->rows : given;
    for (uint64_t i = 0; *rows && i < *count; i++)
        if (row_at(*rows, i) >= given)
            return fail_argument(call, "rows", "a row is none of those given");
    return SIMPLUGIN_OK;
}

/* A column without a single value may be of any type. */
static int has_values(const simplugin_column *column)
{
    for (uint64_t i = 0; i < column->count; i++)
        if (simplugin_column_is_valid(column, i))
            return 1;
    return 0;
}

/* The next column with values; 0 at the end or, with *wrong set, at one that cannot be used. */
static int next_column(struct call *call, simplugin_iter *iter, uint64_t count,
                       simplugin_value *name, simplugin_column *column, const char **wrong)
{
    simplugin_value value;

    while (simplugin_next(iter, name) && simplugin_next(iter, &value)) {
        *wrong = simplugin_column_read(&value, call->request->tensors, call->request->tensor_count,
                                       column);
        if (!*wrong && column->count != count)
            *wrong = "a field has not as many rows as there are ids";
        if (*wrong)
            return 0;
        if (has_values(column))
            return 1;
    }
    return 0;
}

/* All columns are looked at before the collection changes. */
static int32_t check_fields(struct call *call, const simplugin_value *fields, uint64_t count)
{
    simplugin_iter iter = simplugin_iterate(fields);
    const char *wrong = NULL;
    simplugin_column column;
    simplugin_value name;

    if (fields->type && fields->type != SIMPLUGIN_MAP)
        wrong = "a map of names to columns is needed";
    while (!wrong && next_column(call, &iter, count, &name, &column, &wrong)) {
        uint64_t field = collection_find_field(call->collection, (const char *)name.data,
                                               name.size);

        if (field != NO_FIELD && call->collection->fields[field].type != column.type)
            wrong = "a field is of another type than before";
    }
    return wrong ? fail_argument(call, "fields", wrong) : SIMPLUGIN_OK;
}

/* Puts the columns, which were checked, into the points that were made of their rows. */
static int32_t fill_fields(struct call *call, const simplugin_value *fields, uint64_t given,
                           const simplugin_tensor *rows, struct point *const *made, uint64_t count)
{
    simplugin_iter iter = simplugin_iterate(fields);
    const char *wrong = NULL;
    simplugin_column column;
    simplugin_value name;
    int32_t code = SIMPLUGIN_OK;

    while (!code && next_column(call, &iter, given, &name, &column, &wrong)) {
        uint64_t field = collection_field(call->collection, (const char *)name.data, name.size,
                                          column.type);

        if (field == NO_FIELD)
            return fail_no_memory(call);
        for (uint64_t i = 0; !code && i < count; i++)
            code = point_set(made[i], field, &column, row_at(rows, i)) ? SIMPLUGIN_OK
                                                                       : fail_no_memory(call);
        if (!code)
            code = check_time(call);
    }
    return code;
}

static int32_t make_points(struct call *call, const simplugin_column *ids,
                           const simplugin_tensor *vectors, const simplugin_tensor *rows,
                           struct point **made, uint64_t count)
{
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t i = 0; !code && i < count; i++) {
        uint64_t row = row_at(rows, i), size;
        const char *id = simplugin_column_text(ids, row, &size);

        made[i] = point_new(id, size, vector_at(vectors, row), call->collection->dimension);
        if (!made[i])
            code = fail_no_memory(call);
        else if (i % BLOCK == 0)
            code = check_time(call);
    }
    return code;
}

/* The points are made first: an upsert that fails, or runs out of time, has written none. */
int32_t points_upsert(struct call *call)
{
    const simplugin_tensor *vectors, *rows;
    simplugin_value fields;
    simplugin_column ids;
    uint64_t count = 0, replaced = 0;
    struct point **made = NULL;
    int32_t code = read_ids(call, &ids);

    if (!code)
        code = read_vectors(call, &vectors);
    if (code)
        return code;
    if (ids.count != vectors->rows)
        return fail_argument(call, "ids", "as many ids as vectors are needed");
    simplugin_find(&call->body, "fields", &fields);
    code = read_rows(call, ids.count, &rows, &count);
    if (!code)
        code = check_fields(call, &fields, ids.count);
    if (code)
        return code;
    if (call->collection->point_count + count > call->instance->max_points) {
        code = fail(call, SIMPLUGIN_RESOURCE_EXHAUSTED,
                    "collection \"%s\" would have more points than the %llu of max_points",
                    call->collection->name, (unsigned long long)call->instance->max_points);
        host->error_set_retryable(call->error, 0); /* not until somebody deletes some */
        return code;
    }
    made = calloc((size_t)count + 1, sizeof *made);
    if (!made || !collection_reserve(call->collection, count))
        code = fail_no_memory(call);
    if (!code)
        code = make_points(call, &ids, vectors, rows, made, count);
    if (!code)
        code = fill_fields(call, &fields, ids.count, rows, made, count);
    for (uint64_t i = 0; !code && i < count; i++) {
        int is_new;

        if (collection_put(call->collection, made[i], &is_new)) {
            made[i] = NULL;
            replaced += !is_new;
        } else {
            code = fail_no_memory(call);
        }
    }
    for (uint64_t i = 0; made && i < count; i++)
        point_free(made[i]);
    free(made);
    if (!code) {
        simplugin_write_uint(reply_key(call, "upserted"), count);
        simplugin_write_uint(reply_key(call, "replaced"), replaced);
    }
    return code;
}

/* ---- the others ---- */

int32_t points_delete(struct call *call)
{
    uint64_t before = call->collection->point_count;
    simplugin_value given;
    simplugin_column ids;
    int all = 0;
    int32_t code = read_flag(call, "all", &all);

    if (code)
        return code;
    if (all == simplugin_find(&call->body, "ids", &given))
        return fail_argument(call, "ids", "either ids or all is needed");
    if (all) {
        collection_empty(call->collection);
    } else {
        code = read_ids(call, &ids);
        for (uint64_t i = 0; !code && i < ids.count; i++) {
            uint64_t size;
            const char *id = simplugin_column_text(&ids, i, &size);

            collection_take_out(call->collection, id, size);
            if (i % BLOCK == 0)
                code = check_time(call);
        }
        collection_close_gaps(call->collection);
    }
    if (!code)
        simplugin_write_uint(reply_key(call, "deleted"), before - call->collection->point_count);
    return code;
}

int32_t points_get(struct call *call)
{
    const struct point **points;
    simplugin_column ids;
    int64_t *positions;
    uint64_t count = 0;
    int with_vectors = 1;
    int32_t code = read_ids(call, &ids);

    if (!code)
        code = read_flag(call, "vectors", &with_vectors);
    if (code)
        return code;
    /* memory of the reply is as good for what is needed only now */
    points = host->reply_alloc(call->reply, (ids.count + 1) * sizeof *points);
    positions = host->reply_alloc(call->reply, (ids.count + 1) * sizeof *positions);
    if (!points || !positions)
        return fail_no_memory(call);
    for (uint64_t i = 0; !code && i < ids.count; i++) {
        uint64_t size;
        const char *id = simplugin_column_text(&ids, i, &size);

        points[count] = collection_find(call->collection, id, size);
        positions[count] = (int64_t)i;
        count += points[count] != NULL;
        if (i % BLOCK == 0)
            code = check_time(call);
    }
    if (code)
        return code;
    reply_numbers(call, "positions", SIMPLUGIN_INT64, positions, count);
    return reply_points(call, points, count, with_vectors);
}

int32_t points_count(struct call *call)
{
    simplugin_write_uint(reply_key(call, "count"), call->collection->point_count);
    return SIMPLUGIN_OK;
}

/*
 * Nothing is remembered between two calls. The cursor is the number of the next point: points
 * are numbered as they come, and keep their number when they are replaced, so that each one that
 * stays is seen once whatever else is written meanwhile.
 */
int32_t points_scan(struct call *call)
{
    const struct collection *collection = call->collection;
    uint64_t max_rows = UINT64_MAX, max_bytes = UINT64_MAX;
    uint64_t next = 0, first, left, count;
    const struct point *const *points;
    simplugin_value cursor;
    int with_vectors = 1;
    int32_t code = read_count(call, "max_rows", &max_rows);

    if (!code)
        code = read_count(call, "max_bytes", &max_bytes);
    if (!code)
        code = read_flag(call, "vectors", &with_vectors);
    if (code)
        return code;
    if (simplugin_find(&call->body, "cursor", &cursor)) {
        if (cursor.type != SIMPLUGIN_BYTES || cursor.size != sizeof next)
            return fail_argument(call, "cursor", "only what a reply gave is taken");
        memcpy(&next, cursor.data, sizeof next);
    }
    first = collection_position(collection, next);
    points = (const struct point *const *)collection->points + first;
    left = collection->point_count - first;
    count = points_fit(points, left, collection->dimension, max_rows, max_bytes);
    code = reply_points(call, points, count, with_vectors);
    if (!code && count < left) {
        next = points[count]->number;
        simplugin_write_bytes(reply_key(call, "cursor"), &next, sizeof next);
    }
    return code;
}
