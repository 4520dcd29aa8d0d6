/* SPDX-License-Identifier: Apache-2.0 */
/* Views: a set of ids, kept here and, where the backend offers it, there too. */
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "points.h"

int32_t sp_view_keep(sp_index *index, const sp_context *context, const sp_column *ids,
                     uint64_t *remote_view, uint64_t *known, simplugin_error **error)
{
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    simplugin_value map;
    int64_t number = 0, there = 0;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2);
    sp_index_write_collection(index, &writer);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, ids);
    code = sp_connection_send(index->connection, context, "view.create", &writer, &reply, error);
    simplugin_writer_clear(&writer);
    map = simplugin_body_value(reply.body, reply.body_size);
    if (!code && (simplugin_find_int(&map, "view", &number) != 1 ||
                  simplugin_find_int(&map, "known", &there) != 1))
        code = sp_reply_error(index, "view.create", "no number of a view", error);
    *remote_view = (uint64_t)number;
    *known = (uint64_t)there;
    simplugin_reply_clear(&reply);
    return code;
}

void sp_view_forget(sp_index *index, uint64_t remote_view)
{
    /* cleaning up is short and must not depend on the deadline of whoever is last */
    sp_context context = {.deadline = sp_clock_deadline(5000)};
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2);
    sp_index_write_collection(index, &writer);
    simplugin_write_string(&writer, "view");
    simplugin_write_uint(&writer, remote_view);
    sp_connection_send(index->connection, &context, "view.drop", &writer, &reply, NULL);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
}

static void view_destroy(sp_object *object)
{
    sp_view *view = (sp_view *)object;

    if (view->remote)
        sp_view_forget(view->index, view->remote_view);
    sp_object_release(&view->index->object);
    sp_arena_free(&view->arena);
    free(view);
}

/* The ids of all points that a filter accepts, copied into the view. */
static int32_t ids_collect(sp_view *view, const sp_filter *filter, const sp_context *context,
                           simplugin_error **error)
{
    sp_walk_spec spec = {.filter = filter};
    sp_buffer bytes, ends;
    sp_walk walk;
    int more = 1;
    int64_t end = 0;
    int32_t code = sp_walk_init(&walk, view->index, &spec, error);

    sp_buffer_init(&bytes);
    sp_buffer_init(&ends);
    sp_buffer_append(&ends, &end, sizeof end);
    while (!code && more) {
        code = sp_walk_next(&walk, context, &more, error);
        for (uint64_t i = 0; !code && i < walk.row_count; i++) {
            sp_text id = sp_column_text(&walk.page.ids, walk.rows[i]);

            sp_buffer_append(&bytes, id.data, id.size);
            end = (int64_t)bytes.size;
            sp_buffer_append(&ends, &end, sizeof end);
        }
    }
    if (!code && (bytes.failed || ends.failed))
        code = sp_error_no_memory(error);
    if (!code) {
        sp_column ids = {.type = SP_TEXT};

        ids.count = ends.size / sizeof end - 1;
        ids.offsets = (const int64_t *)(const void *)ends.data;
        ids.values = bytes.data;
        if (!sp_column_gather(&ids, NULL, ids.count, &view->arena, &view->ids))
            code = sp_error_no_memory(error);
    }
    sp_buffer_clear(&bytes);
    sp_buffer_clear(&ends);
    sp_walk_clear(&walk);
    return code;
}

/* How many of the view's ids are in the index. */
static int32_t known_count(sp_view *view, const sp_context *context, simplugin_error **error)
{
    sp_want want = {0};
    sp_points points;
    int32_t code = SIMPLUGIN_OK;

    if (!view->ids.count || !atomic_load(&view->index->dimension))
        return code;
    code = sp_points_get(view->index, context, &view->ids, &want, &points, error);
    view->known = points.count;
    sp_points_clear(&points);
    return code;
}

int32_t sp_view_create(sp_index *index, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    sp_column ids, samples;
    int has_ids = 0, has_samples = 0;
    sp_filter *filter = NULL;
    sp_view *view = NULL;
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    code = sp_arg_ids(args, "ids", SP_IDS_REPEATED, &ids, &has_ids, error);
    if (!code)
        code = sp_arg_ids(args, "sample_ids", SP_IDS_REPEATED, &samples, &has_samples, error);
    if (!code)
        code = sp_arg_filter(args, &filter, error);
    if (!code && has_ids + has_samples + (filter != NULL) != 1)
        code = sp_arg_error(args, error, "ids", "give exactly one of ids, sample_ids and filter");
    if (!code && has_samples && !index->patches) {
        /* the points of such an index are the samples */
        ids = samples;
        has_ids = 1;
        has_samples = 0;
    }
    if (!code && has_samples)
        code = sp_filter_of_samples(&samples, &filter, error);
    view = code ? NULL : calloc(1, sizeof *view);
    if (!code && !view)
        code = sp_error_no_memory(error);
    if (code)
        goto out;
    sp_object_init(&view->object, SP_VIEW, request->target, view_destroy);
    view->index = index;
    sp_object_hold(&index->object);
    if (has_ids) {
        /* each once, in memory of the view's own */
        sp_idmap seen;
        uint64_t *rows = sp_arena_array(&request->arena, ids.count + 1, sizeof *rows);
        uint64_t count = 0;

        if (!rows || !sp_idmap_init(&seen, &ids, &request->arena)) {
            code = sp_error_no_memory(error);
            goto out;
        }
        for (uint64_t i = 0; i < ids.count; i++)
            if (sp_idmap_add(&seen, i) == SP_IDMAP_NONE)
                rows[count++] = i;
        if (!sp_column_gather(&ids, rows, count, &view->arena, &view->ids))
            code = sp_error_no_memory(error);
    } else {
        code = ids_collect(view, filter, request->context, error);
    }
    if (!code && !sp_idmap_init(&view->map, &view->ids, &view->arena))
        code = sp_error_no_memory(error);
    for (uint64_t i = 0; !code && i < view->ids.count; i++)
        sp_idmap_add(&view->map, i);
    if (!code && atomic_load(&index->dimension) &&
        sp_connection_serves(index->connection, "view.create")) {
        code = sp_view_keep(index, request->context, &view->ids, &view->remote_view, &view->known,
                            error);
        view->remote = !code;
    } else if (!code && has_ids) {
        code = known_count(view, request->context, error);
    } else {
        view->known = view->ids.count;
    }
    if (!code)
        code = sp_handle_open(&view->object, error);
    if (code)
        goto out;
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "view");
    simplugin_write_uint(&writer, view->object.handle);
    simplugin_write_string(&writer, "known");
    simplugin_write_uint(&writer, view->known);
    code = sp_request_finish(request, &writer, error);
    if (code)
        sp_handle_close(view->object.handle, SP_VIEW, NULL);
out:
    if (view)
        sp_object_release(&view->object);
    sp_filter_free(filter);
    simplugin_writer_clear(&writer);
    return code;
}
