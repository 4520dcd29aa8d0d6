/* SPDX-License-Identifier: Apache-2.0 */
/* Scans: an iteration over an index that a program drives, page by page. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "points.h"

typedef struct scan {
    sp_object object;
    sp_index *index; /* held */
    sp_view *view;   /* held, or NULL */
    sp_filter *filter;
    sp_arena *arena; /* the names of fields */
    sp_walk walk;
    int vectors;
    int sample_ids;
    int pending; /* the page could not be handed out: the next call tries again */
    pthread_mutex_t turn; /* one next at a time */
} scan;

static void scan_destroy(sp_object *object)
{
    scan *s = (scan *)object;

    sp_walk_clear(&s->walk);
    sp_filter_free(s->filter);
    if (s->view)
        sp_object_release(&s->view->object);
    sp_object_release(&s->index->object);
    sp_arena_free(&s->arena);
    pthread_mutex_destroy(&s->turn);
    free(s);
}

/* A copy of the names that lives as long as the scan, with the sample ids of patches. */
static int32_t names_keep(scan *s, const sp_names *names, sp_names *kept, simplugin_error **error)
{
    *kept = *names;
    kept->names = sp_arena_array(&s->arena, names->count + 1, sizeof *kept->names);
    if (!kept->names)
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < names->count; i++) {
        kept->names[i] = sp_arena_text(&s->arena, names->names[i], strlen(names->names[i]));
        if (!kept->names[i])
            return sp_error_no_memory(error);
    }
    if (s->sample_ids && !kept->all)
        kept->names[kept->count++] = SP_SAMPLE_ID;
    return SIMPLUGIN_OK;
}

int32_t sp_scan_open(sp_index *index, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    sp_walk_spec spec = {0};
    int64_t max_rows = 0;
    sp_names names;
    simplugin_writer writer;
    scan *s = calloc(1, sizeof *s);
    int32_t code;

    if (!s)
        return sp_error_no_memory(error);
    simplugin_writer_init(&writer);
    sp_object_init(&s->object, SP_SCAN, request->target, scan_destroy);
    pthread_mutex_init(&s->turn, NULL);
    s->index = index;
    sp_object_hold(&index->object);
    s->walk.page.reply.size = sizeof s->walk.page.reply;
    s->vectors = 1;
    s->sample_ids = index->patches;
    code = sp_arg_bool(args, "vectors", &s->vectors, error);
    if (!code)
        code = sp_arg_names(args, "fields", &names, error);
    if (!code)
        code = sp_arg_int(args, "max_rows", 1, INT64_MAX, &max_rows, error);
    if (!code)
        code = sp_arg_filter(args, &s->filter, error);
    if (!code)
        code = sp_arg_view(args, index, &s->view, error);
    if (!code)
        code = names_keep(s, &names, &spec.want.fields, error);
    if (code)
        goto out;
    spec.want.vectors = s->vectors;
    spec.filter = s->filter;
    spec.view = s->view;
    spec.max_rows = (uint64_t)max_rows;
    code = sp_walk_init(&s->walk, index, &spec, error);
    if (!code)
        code = sp_handle_open(&s->object, error);
    if (code)
        goto out;
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "scan");
    simplugin_write_uint(&writer, s->object.handle);
    code = sp_request_finish(request, &writer, error);
    if (code)
        sp_handle_close(s->object.handle, SP_SCAN, NULL);
out:
    simplugin_writer_clear(&writer);
    sp_object_release(&s->object);
    return code;
}

/* The page's rows that passed, gathered into the reply. */
static int32_t page_write(scan *s, sp_request *request, int done, simplugin_error **error)
{
    sp_walk *walk = &s->walk;
    sp_arena **arena = sp_reply_arena(request->reply);
    const sp_names *asked = &walk->spec.want.fields;
    uint64_t cols = walk->dimension;
    uint64_t keys = 2;
    sp_columns columns = {0};
    simplugin_writer writer;
    simplugin_tensor matrix;
    sp_column column;
    uint64_t position, written = 0;
    int32_t code = SIMPLUGIN_OUT_OF_MEMORY; /* until something else is known */

    simplugin_writer_init(&writer);
    position = simplugin_write_map_begin(&writer);
    if (walk->page.count) {
        if (!sp_column_gather(&walk->page.ids, walk->rows, walk->row_count, arena, &column))
            goto out;
    } else if (!sp_column_of_texts(NULL, 0, arena, &column)) {
        goto out;
    }
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &column);
    simplugin_write_string(&writer, "done");
    simplugin_write_bool(&writer, done);
    if (s->vectors) {
        float *data = sp_arena_array(arena, walk->row_count, cols * sizeof *data);

        if (!data)
            goto out;
        for (uint64_t i = 0; i < walk->row_count; i++)
            memcpy(data + i * cols, sp_points_vector(&walk->page, walk->rows[i]),
                   cols * sizeof *data);
        matrix = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, walk->row_count, cols);
        simplugin_write_string(&writer, "vectors");
        simplugin_write_tensor(&writer, &matrix);
        keys++;
    }
    if (walk->page.fields.type) {
        code = sp_points_columns(s->index, &walk->page, &request->arena, &columns, error);
        if (code)
            goto out;
        code = SIMPLUGIN_OUT_OF_MEMORY;
    }
    if (s->sample_ids) {
        int found = sp_points_samples(s->index, &walk->page, &column, error);
        sp_column samples;

        if (found < 0) {
            code = SIMPLUGIN_PROTOCOL;
            goto out;
        }
        if (found ? !sp_column_gather(&column, walk->rows, walk->row_count, arena, &samples)
                  : !sp_column_missing(walk->row_count, arena, &samples))
            goto out;
        simplugin_write_string(&writer, "sample_ids");
        simplugin_write_column(&writer, &samples);
        keys++;
    }
    if (asked->all || asked->count > (uint64_t)s->sample_ids) {
        uint64_t fields;

        simplugin_write_string(&writer, "fields");
        fields = simplugin_write_map_begin(&writer);
        for (uint64_t i = 0; i < columns.count; i++) {
            int wanted = asked->all;

            for (uint64_t j = 0; j < asked->count && !wanted; j++)
                wanted = strcmp(asked->names[j], columns.names[i]) == 0;
            if (!wanted || (s->sample_ids && strcmp(columns.names[i], SP_SAMPLE_ID) == 0))
                continue;
            if (!sp_column_gather(&columns.columns[i], walk->rows, walk->row_count, arena, &column))
                goto out;
            simplugin_write_string(&writer, columns.names[i]);
            simplugin_write_column(&writer, &column);
            written++;
        }
        simplugin_write_end(&writer, fields, written);
        keys++;
    }
    simplugin_write_end(&writer, position, keys);
    code = sp_request_finish(request, &writer, error);
out:
    simplugin_writer_clear(&writer);
    return code == SIMPLUGIN_OUT_OF_MEMORY ? sp_error_no_memory(error) : code;
}

sp_index *sp_scan_index(sp_object *object)
{
    return ((scan *)object)->index;
}

int32_t sp_scan_next(sp_object *object, sp_request *request, simplugin_error **error)
{
    scan *s = (scan *)object;
    int more = 1;
    int32_t code = SIMPLUGIN_OK;

    if (pthread_mutex_trylock(&s->turn))
        return sp_error_set(error, SIMPLUGIN_BUSY, "core",
                            "scan.next: another thread is in this scan: give each its own");
    /* pages without rows are skipped, so that one without rows is the end */
    while (!code && !s->pending && more) {
        code = sp_walk_next(&s->walk, request->context, &more, error);
        s->pending = !code && (s->walk.row_count || s->walk.done);
    }
    if (!code)
        code = page_write(s, request, !more || s->walk.done, error);
    if (!code)
        s->pending = 0;
    pthread_mutex_unlock(&s->turn);
    return code;
}
