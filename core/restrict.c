/* SPDX-License-Identifier: Apache-2.0 */
/* Filters and views: reading them, and dividing the work with the backend. */
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "points.h"

int32_t sp_arg_filter(const sp_args *args, sp_filter **filter, simplugin_error **error)
{
    sp_filter_error wrong;
    char place[64];
    sp_text text;
    int32_t code = sp_arg_text(args, "filter", &text, error);

    *filter = NULL;
    if (code || !text.data)
        return code;
    code = sp_filter_parse(text.data, text.size, filter, &wrong);
    if (code == SIMPLUGIN_OUT_OF_MEMORY)
        return sp_error_no_memory(error);
    if (code) {
        code = sp_error_set(error, code, "filter", "%s: %s", args->method, wrong.message);
        sp_error_add_detail(error, "argument", "filter");
        snprintf(place, sizeof place, "%u:%u", wrong.line, wrong.column);
        sp_error_add_detail(error, "position", place);
    }
    return code;
}

int32_t sp_arg_view(const sp_args *args, sp_index *index, sp_view **view, simplugin_error **error)
{
    int64_t handle = 0;
    sp_object *object = NULL;
    int32_t code = sp_arg_int(args, "view", 1, INT64_MAX, &handle, error);

    *view = NULL;
    if (code || !handle)
        return code;
    code = sp_handle_acquire((uint64_t)handle, SP_VIEW, &object, error);
    if (code) {
        sp_error_add_detail(error, "argument", "view");
        return code;
    }
    *view = (sp_view *)object;
    if ((*view)->index != index) {
        sp_object_release(object);
        *view = NULL;
        return sp_arg_error(args, error, "view", "belongs to another index");
    }
    return code;
}

int32_t sp_filter_of_samples(const sp_column *sample_ids, sp_filter **filter,
                             simplugin_error **error)
{
    simplugin_writer writer;
    simplugin_value value;
    sp_filter_error wrong = {0};
    const uint8_t *at;
    int32_t code = SIMPLUGIN_OUT_OF_MEMORY;

    *filter = NULL;
    simplugin_writer_init(&writer);
    simplugin_write_array(&writer, 3);
    simplugin_write_string(&writer, "in");
    simplugin_write_string(&writer, SP_SAMPLE_ID);
    simplugin_write_array(&writer, sample_ids->count);
    for (uint64_t i = 0; i < sample_ids->count; i++) {
        sp_text id = sp_column_text(sample_ids, i);

        simplugin_write_text(&writer, id.data, id.size);
    }
    at = writer.data;
    if (!writer.failed && simplugin_read(&at, writer.data + writer.size, &value))
        code = sp_filter_decode(&value, filter, &wrong);
    simplugin_writer_clear(&writer);
    if (code == SIMPLUGIN_OUT_OF_MEMORY)
        return sp_error_no_memory(error);
    if (code) {
        sp_error_set(error, code, "filter", "sample_ids: %s", wrong.message);
        sp_error_add_detail(error, "argument", "sample_ids");
    }
    return code;
}

int32_t sp_filter_split(sp_index *index, const sp_filter *filter, sp_filter **pushed,
                        sp_filter_bound **rest, simplugin_error **error)
{
    int exact = 0;
    int32_t code;

    *rest = NULL;
    code = sp_filter_relax(filter, &sp_connection_describe(index->connection)->filters, NULL, NULL,
                           pushed, &exact);
    /* the constant true says nothing: no need to send it */
    if (!code && (*pushed)->nodes[0].kind == SP_FILTER_CONST && (*pushed)->nodes[0].truth) {
        sp_filter_free(*pushed);
        *pushed = NULL;
    }
    if (!code && !exact)
        code = sp_filter_bind(filter, rest);
    return code ? sp_error_no_memory(error) : SIMPLUGIN_OK;
}

typedef struct lookup {
    sp_index *index;
    const sp_points *points;
    sp_column *columns; /* one a field of the filter */
    simplugin_error **error;
    int failed;
} lookup;

static const sp_column *lookup_column(void *context, uint32_t field, sp_text name)
{
    lookup *l = context;
    char text[SP_FILTER_MAX_NAME + 1];
    int found;

    if (name.size > SP_FILTER_MAX_NAME || memchr(name.data, '\0', name.size))
        return NULL;
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    found = sp_points_column(l->index, l->points, text, &l->columns[field], l->error);
    l->failed |= found < 0;
    return found == 1 ? &l->columns[field] : NULL;
}

int32_t sp_filter_rows(sp_index *index, const sp_filter_bound *bound, const sp_points *points,
                       uint8_t *bitmap, simplugin_error **error)
{
    lookup l = {.index = index, .points = points, .error = error};

    l.columns = calloc(SP_FILTER_MAX_FIELDS, sizeof *l.columns);
    if (!l.columns)
        return sp_error_no_memory(error);
    sp_filter_eval_columns(bound, lookup_column, &l, 0, points->count, bitmap);
    free(l.columns);
    return l.failed ? SIMPLUGIN_PROTOCOL : SIMPLUGIN_OK;
}
