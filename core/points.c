/* SPDX-License-Identifier: Apache-2.0 */
#include "points.h"

#include <string.h>

#define PAGE_BYTES (UINT64_C(8) << 20)

void sp_points_clear(sp_points *points)
{
    simplugin_reply_clear(&points->reply);
    memset(points, 0, sizeof *points);
    points->reply.size = sizeof points->reply;
}

int32_t sp_reply_error(sp_index *index, const char *method, const char *what,
                       simplugin_error **error)
{
    const char *name = sp_connection_name(index->connection);

    return sp_error_set(error, SIMPLUGIN_PROTOCOL, name, "%s: %s: the backend answered with %s",
                        name, method, what);
}

const simplugin_tensor *sp_reply_array(const simplugin_value *map, const simplugin_reply *reply,
                                       const char *key, uint32_t dtype)
{
    const simplugin_tensor *tensor = NULL;

    if (simplugin_find_tensor(map, key, reply->tensors, reply->tensor_count, &tensor) != 1 ||
        tensor->dtype != dtype || (tensor->rows && tensor->cols != 1) ||
        (tensor->row_stride && tensor->row_stride != simplugin_dtype_size(dtype)))
        return NULL;
    return tensor;
}

/* Reads what points.get and points.scan have in common. */
static int32_t points_decode(sp_index *index, const char *method, const sp_want *want,
                             uint64_t dimension, sp_points *p, simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(p->reply.body, p->reply.body_size);
    simplugin_value ids;

    if (!simplugin_find(&map, "ids", &ids) ||
        simplugin_column_read(&ids, p->reply.tensors, p->reply.tensor_count, &p->ids) ||
        p->ids.type != SP_TEXT)
        return sp_reply_error(index, method, "no column of ids", error);
    p->count = p->ids.count;
    if (want->vectors) {
        if (simplugin_find_tensor(&map, "vectors", p->reply.tensors, p->reply.tensor_count,
                                  &p->vectors) != 1 ||
            p->vectors->dtype != SIMPLUGIN_FLOAT32 || p->vectors->rows != p->count)
            return sp_reply_error(index, method, "no matrix of vectors, one for each id", error);
        if (p->count && p->vectors->cols != dimension)
            return sp_error_set(error, SIMPLUGIN_DIMENSION_MISMATCH, "core",
                                "collection \"%s\" has dimension %llu now, and had %llu: open it "
                                "again",
                                index->collection, (unsigned long long)p->vectors->cols,
                                (unsigned long long)dimension);
    }
    if (want->fields.all || want->fields.count) {
        if (!simplugin_find(&map, "fields", &p->fields) || p->fields.type != SIMPLUGIN_MAP)
            return sp_reply_error(index, method, "no map of fields", error);
    }
    if (simplugin_find(&map, "cursor", &p->cursor) && p->cursor.type != SIMPLUGIN_BYTES)
        return sp_reply_error(index, method, "a cursor that is not bytes", error);
    return SIMPLUGIN_OK;
}

int32_t sp_points_get(sp_index *index, const sp_context *context, const sp_column *ids,
                      const sp_want *want, sp_points *points, simplugin_error **error)
{
    const simplugin_tensor *positions;
    simplugin_writer writer;
    simplugin_value map;
    int fields = want->fields.all || want->fields.count;
    uint64_t dimension = atomic_load(&index->dimension);
    int32_t code;

    simplugin_writer_init(&writer);
    memset(points, 0, sizeof *points);
    points->reply.size = sizeof points->reply;
    simplugin_write_map(&writer, 3 + (uint64_t)fields);
    sp_index_write_collection(index, &writer);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, ids);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_bool(&writer, want->vectors);
    if (fields) {
        simplugin_write_string(&writer, "fields");
        sp_write_names(&writer, &want->fields);
    }
    code = sp_connection_send(index->connection, context, "points.get", &writer, &points->reply,
                              error);
    simplugin_writer_clear(&writer);
    if (!code)
        code = points_decode(index, "points.get", want, dimension, points, error);
    if (code)
        goto out;
    map = simplugin_body_value(points->reply.body, points->reply.body_size);
    positions = sp_reply_array(&map, &points->reply, "positions", SIMPLUGIN_INT64);
    if (!positions || positions->rows != points->count) {
        code = sp_reply_error(index, "points.get", "no position for each row", error);
        goto out;
    }
    points->positions = positions->data;
    for (uint64_t i = 0; i < points->count && !code; i++)
        if (points->positions[i] < (i ? points->positions[i - 1] + 1 : 0) ||
            points->positions[i] >= (int64_t)ids->count)
            code = sp_reply_error(index, "points.get", "positions that do not ascend", error);
out:
    if (code)
        sp_points_clear(points);
    return code;
}

int sp_points_column(sp_index *index, const sp_points *points, const char *name,
                     sp_column *column, simplugin_error **error)
{
    simplugin_value value;
    const char *wrong;

    if (!simplugin_find(&points->fields, name, &value))
        return 0;
    wrong = simplugin_column_read(&value, points->reply.tensors, points->reply.tensor_count, column);
    if (!wrong && column->count == points->count)
        return 1;
    sp_reply_error(index, "fields", wrong ? wrong : "a column of another length", error);
    return -1;
}

int sp_points_samples(sp_index *index, const sp_points *points, sp_column *column,
                      simplugin_error **error)
{
    int found = points->fields.type
                    ? sp_points_column(index, points, SP_SAMPLE_ID, column, error)
                    : 0;

    /* a collection that others made may have a field of that name and another type */
    return found == 1 && column->type != SP_TEXT ? 0 : found;
}

int32_t sp_points_columns(sp_index *index, const sp_points *points, sp_arena **arena,
                          sp_columns *columns, simplugin_error **error)
{
    simplugin_iter iter = simplugin_iterate(&points->fields);
    simplugin_value name, value;

    memset(columns, 0, sizeof *columns);
    columns->names = sp_arena_array(arena, points->fields.size + 1, sizeof *columns->names);
    columns->columns = sp_arena_array(arena, points->fields.size + 1, sizeof *columns->columns);
    if (!columns->names || !columns->columns)
        return sp_error_no_memory(error);
    while (simplugin_next(&iter, &name) && simplugin_next(&iter, &value)) {
        char *text = sp_arena_text(arena, (const char *)name.data, name.size);
        int found;

        if (!text)
            return sp_error_no_memory(error);
        found = sp_points_column(index, points, text, &columns->columns[columns->count], error);
        if (found < 0)
            return SIMPLUGIN_PROTOCOL;
        columns->names[columns->count] = text;
        columns->count += (uint64_t)found;
    }
    return SIMPLUGIN_OK;
}

const float *sp_points_vector(const sp_points *points, uint64_t row)
{
    return (const float *)(const void *)((const uint8_t *)points->vectors->data +
                                         row * simplugin_tensor_stride(points->vectors));
}

/* ---- walking -------------------------------------------------------------------------- */

static int32_t points_scan(sp_walk *walk, const sp_context *context, simplugin_error **error)
{
    simplugin_writer writer;
    int fields = walk->want.fields.all || walk->want.fields.count;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 3 + (uint64_t)fields + (uint64_t)(walk->cursor != NULL) +
                                     (uint64_t)(walk->pushed != NULL) +
                                     (uint64_t)(walk->spec.max_rows != 0));
    sp_index_write_collection(walk->index, &writer);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_bool(&writer, walk->want.vectors);
    simplugin_write_string(&writer, "max_bytes");
    simplugin_write_uint(&writer, walk->spec.max_bytes ? walk->spec.max_bytes : PAGE_BYTES);
    if (fields) {
        simplugin_write_string(&writer, "fields");
        sp_write_names(&writer, &walk->want.fields);
    }
    if (walk->cursor) {
        simplugin_write_string(&writer, "cursor");
        simplugin_write_bytes(&writer, walk->cursor, walk->cursor_size);
    }
    if (walk->pushed) {
        simplugin_write_string(&writer, "filter");
        sp_filter_encode(walk->pushed, &writer);
    }
    if (walk->spec.max_rows) {
        simplugin_write_string(&writer, "max_rows");
        simplugin_write_uint(&writer, walk->spec.max_rows);
    }
    code = sp_connection_send(walk->index->connection, context, "points.scan", &writer,
                              &walk->page.reply, error);
    simplugin_writer_clear(&writer);
    return code ? code
                : points_decode(walk->index, "points.scan", &walk->want, walk->dimension,
                                &walk->page, error);
}

int32_t sp_walk_init(sp_walk *walk, sp_index *index, const sp_walk_spec *spec,
                     simplugin_error **error)
{
    const sp_filter *filter = spec->filter;
    int32_t code = SIMPLUGIN_OK;

    memset(walk, 0, sizeof *walk);
    walk->index = index;
    walk->spec = *spec;
    walk->want = spec->want;
    walk->page.reply.size = sizeof walk->page.reply;
    walk->dimension = atomic_load(&index->dimension);
    walk->done = walk->dimension == 0 || sp_filter_is_false(filter);
    if (filter && !walk->done)
        code = sp_filter_split(index, filter, &walk->pushed, &walk->rest, error);
    /* what is evaluated here needs its fields */
    if (!code && walk->rest && !walk->want.fields.all) {
        sp_names *names = &walk->want.fields;
        const char **all = calloc(names->count + filter->field_count + 1, sizeof *all);

        if (!all)
            return sp_error_no_memory(error);
        for (uint64_t i = 0; i < names->count; i++)
            all[i] = names->names[i];
        walk->names = all;
        names->names = all;
        for (uint32_t i = 0; i < filter->field_count; i++) {
            sp_text name = filter->fields[i];
            int known = 0;

            for (uint64_t j = 0; j < names->count; j++)
                known |= strlen(all[j]) == name.size && !memcmp(all[j], name.data, name.size);
            /* a field's name with U+0000 is nobody's */
            if (!known && !memchr(name.data, '\0', name.size)) {
                char *copy = strndup(name.data, name.size);

                if (!copy)
                    return sp_error_no_memory(error);
                all[names->count++] = copy;
            }
        }
    }
    return code;
}

void sp_walk_clear(sp_walk *walk)
{
    for (uint64_t i = walk->spec.want.fields.count; walk->names && i < walk->want.fields.count; i++)
        free((void *)(uintptr_t)walk->names[i]);
    free(walk->names);
    sp_filter_free(walk->pushed);
    sp_filter_bound_free(walk->rest);
    free(walk->cursor);
    free(walk->rows);
    sp_points_clear(&walk->page);
    memset(walk, 0, sizeof *walk);
}

/* Which rows of the page pass what the backend did not evaluate. */
static int32_t rows_select(sp_walk *walk, simplugin_error **error)
{
    sp_points *page = &walk->page;
    uint8_t *bitmap = NULL;
    int32_t code = SIMPLUGIN_OK;

    walk->row_count = 0;
    if (page->count > walk->row_capacity) {
        uint64_t *rows = page->count > UINT64_MAX / sizeof *rows
                             ? NULL
                             : realloc(walk->rows, page->count * sizeof *rows);

        if (!rows)
            return sp_error_no_memory(error);
        walk->rows = rows;
        walk->row_capacity = page->count;
    }
    if (walk->rest && page->count) {
        bitmap = malloc(page->count / 8 + 1);
        if (!bitmap)
            return sp_error_no_memory(error);
        code = sp_filter_rows(walk->index, walk->rest, page, bitmap, error);
    }
    for (uint64_t i = 0; i < page->count && !code; i++) {
        if (bitmap && !(bitmap[i / 8] >> (i % 8) & 1))
            continue;
        if (walk->spec.view && sp_idmap_find(&walk->spec.view->map, sp_column_text(&page->ids, i)) ==
                                   SP_IDMAP_NONE)
            continue;
        walk->rows[walk->row_count++] = i;
    }
    free(bitmap);
    return code;
}

int32_t sp_walk_resume(sp_walk *walk, const uint8_t *cursor, uint64_t size, simplugin_error **error)
{
    uint8_t *copy = malloc(size + 1);

    if (!copy)
        return sp_error_no_memory(error);
    if (size)
        memcpy(copy, cursor, size);
    free(walk->cursor);
    walk->cursor = copy;
    walk->cursor_size = size;
    return SIMPLUGIN_OK;
}

int32_t sp_walk_next(sp_walk *walk, const sp_context *context, int *more, simplugin_error **error)
{
    int32_t code;

    *more = 0;
    sp_points_clear(&walk->page);
    walk->row_count = 0;
    if (walk->done)
        return SIMPLUGIN_OK;
    code = sp_context_check(context, "points.scan", error);
    if (!code)
        code = points_scan(walk, context, error);
    if (!code)
        code = rows_select(walk, error);
    /* one that cannot be kept leaves the walk where it was */
    if (!code && walk->page.cursor.type)
        code = sp_walk_resume(walk, walk->page.cursor.data, walk->page.cursor.size, error);
    if (code)
        return code;
    walk->done = walk->page.cursor.type == 0;
    *more = 1;
    return SIMPLUGIN_OK;
}
