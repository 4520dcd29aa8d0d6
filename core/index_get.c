/* SPDX-License-Identifier: Apache-2.0 */
/* index.get: points by id, by sample, or all, with what is missing. */
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "log.h"
#include "points.h"

/* A point found by its sample: where the sample stands in the request, and its id. */
typedef struct found {
    uint64_t position;
    uint64_t order; /* keeps labels of one sample in the index's order */
    sp_text id;
} found;

static int found_compare(const void *a, const void *b)
{
    const found *x = a, *y = b;

    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/*
 * The ids of all points, or of those of some samples in the order of these; missing gets
 * the samples without any.
 */
static int32_t ids_walk(sp_index *index, sp_request *request, const sp_column *samples,
                        sp_column *ids, sp_column *missing, simplugin_error **error)
{
    const char *names[] = {SP_SAMPLE_ID};
    sp_walk_spec spec = {0};
    sp_filter *filter = NULL;
    sp_buffer list;
    sp_idmap map;
    sp_walk walk = {0};
    uint8_t *seen = NULL;
    int more = 1;
    int32_t code = SIMPLUGIN_OK;

    sp_buffer_init(&list);
    walk.page.reply.size = sizeof walk.page.reply;
    if (samples) {
        spec.want.fields.count = 1;
        spec.want.fields.names = names;
        seen = sp_arena_array(&request->arena, samples->count + 1, 1);
        if (!seen || !sp_idmap_init(&map, samples, &request->arena))
            return sp_error_no_memory(error);
        for (uint64_t i = 0; i < samples->count; i++)
            sp_idmap_add(&map, i);
        code = sp_filter_of_samples(samples, &filter, error);
        spec.filter = filter;
    }
    if (!code)
        code = sp_walk_init(&walk, index, &spec, error);
    while (!code && more) {
        sp_column column;
        int has = 0;

        code = sp_walk_next(&walk, request->context, &more, error);
        if (!code && samples && walk.row_count)
            has = sp_points_samples(index, &walk.page, &column, error);
        if (has < 0)
            code = SIMPLUGIN_PROTOCOL;
        for (uint64_t i = 0; !code && i < walk.row_count; i++) {
            sp_text id = sp_column_text(&walk.page.ids, walk.rows[i]);
            found f = {.order = list.size};
            uint64_t at = 0;

            if (samples)
                at = has ? sp_idmap_find(&map, sp_column_text(&column, walk.rows[i]))
                         : SP_IDMAP_NONE;
            if (at == SP_IDMAP_NONE)
                continue;
            if (seen)
                seen[at] = 1;
            f.position = at;
            f.id.size = id.size;
            f.id.data = sp_arena_text(&request->arena, id.data, id.size);
            if (!f.id.data)
                list.failed = 1;
            sp_buffer_append(&list, &f, sizeof f);
        }
    }
    if (!code && list.failed)
        code = sp_error_no_memory(error);
    if (!code) {
        uint64_t count = list.size / sizeof(found), gone = 0;
        found *all = (found *)(void *)list.data;
        sp_text *texts = sp_arena_array(&request->arena, count + 1, sizeof *texts);
        uint64_t *rows = sp_arena_array(&request->arena, (samples ? samples->count : 0) + 1,
                                        sizeof *rows);

        if (count)
            qsort(all, count, sizeof *all, found_compare);
        for (uint64_t i = 0; texts && i < count; i++)
            texts[i] = all[i].id;
        for (uint64_t i = 0; rows && samples && i < samples->count; i++)
            if (!seen[i])
                rows[gone++] = i;
        if (!texts || !rows || !sp_column_of_texts(texts, count, &request->arena, ids) ||
            (samples && !sp_column_gather(samples, rows, gone, &request->arena, missing)))
            code = sp_error_no_memory(error);
    }
    sp_buffer_clear(&list);
    sp_walk_clear(&walk);
    sp_filter_free(filter);
    return code;
}

static void ids_write(simplugin_writer *writer, const char *key, const sp_column *ids)
{
    simplugin_write_string(writer, key);
    if (ids->offsets)
        simplugin_write_column(writer, ids);
    else
        sp_write_no_ids(writer);
}

/* The values of a points.get reply, as they are, in a body of our own. */
static int32_t reply_write(sp_index *index, sp_request *request, sp_points *points,
                           const sp_column *missing, int vectors, const sp_names *fields,
                           simplugin_error **error)
{
    sp_arena **arena = sp_reply_arena(request->reply);
    int patches = index->patches;
    int with_fields = fields->all || fields->count;
    sp_columns columns = {0};
    sp_column samples, gone = {.type = SP_TEXT};
    simplugin_writer writer;
    uint64_t position, written = 0;
    int has_samples = sp_points_samples(index, points, &samples, error);
    int32_t code = has_samples < 0 ? SIMPLUGIN_PROTOCOL : SIMPLUGIN_OK;

    if (!code && points->fields.type)
        code = sp_points_columns(index, points, &request->arena, &columns, error);
    if (code)
        return code;
    /* what the columns point to is the backend's reply: it becomes ours */
    points->reply.body = NULL;
    *request->reply = points->reply;
    memset(&points->reply, 0, sizeof points->reply);
    points->reply.size = sizeof points->reply;
    if ((missing->count && !sp_column_gather(missing, NULL, missing->count, arena, &gone)) ||
        (!has_samples && !sp_column_missing(points->count, arena, &samples)))
        return sp_error_no_memory(error);
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2 + (uint64_t)patches + (uint64_t)vectors + (uint64_t)with_fields);
    ids_write(&writer, "ids", &points->ids);
    ids_write(&writer, "missing", &gone);
    if (vectors) {
        simplugin_tensor none = simplugin_tensor_of(SIMPLUGIN_FLOAT32, NULL, 0,
                                                    atomic_load(&index->dimension));

        simplugin_write_string(&writer, "vectors");
        simplugin_write_tensor(&writer, points->vectors ? points->vectors : &none);
    }
    if (patches)
        ids_write(&writer, "sample_ids", &samples);
    if (with_fields) {
        simplugin_write_string(&writer, "fields");
        position = simplugin_write_map_begin(&writer);
        for (uint64_t i = 0; i < columns.count; i++) {
            if (patches && strcmp(columns.names[i], SP_SAMPLE_ID) == 0)
                continue;
            simplugin_write_string(&writer, columns.names[i]);
            simplugin_write_column(&writer, &columns.columns[i]);
            written++;
        }
        simplugin_write_end(&writer, position, written);
    }
    code = sp_request_finish(request, &writer, error);
    simplugin_writer_clear(&writer);
    return code;
}

/* The ids that points.get did not give. */
static int32_t missing_collect(sp_request *request, const sp_column *ids,
                               const sp_points *points, sp_column *missing,
                               simplugin_error **error)
{
    uint64_t *rows = sp_arena_array(&request->arena, ids->count + 1, sizeof *rows);
    uint64_t count = 0, at = 0;

    if (!rows)
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < ids->count; i++) {
        int there = at < points->count && points->positions[at] == (int64_t)i;

        at += (uint64_t)there;
        if (!there)
            rows[count++] = i;
    }
    return sp_column_gather(ids, rows, count, &request->arena, missing) ? SIMPLUGIN_OK
                                                                        : sp_error_no_memory(error);
}

int32_t sp_index_get(sp_index *index, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    int has_ids, has_samples, vectors = 1, allow_missing = 1, warn_missing = 0;
    sp_points points = {.reply = SP_REPLY_INIT};
    sp_column ids, samples, missing = {.type = SP_TEXT};
    sp_names fields = {0};
    sp_want want = {0};
    int32_t code;

    code = sp_arg_ids(args, "ids", SP_IDS_REPEATED, &ids, &has_ids, error);
    if (!code)
        code = sp_arg_ids(args, "sample_ids", SP_IDS_REPEATED, &samples, &has_samples, error);
    if (!code && has_ids && has_samples)
        code = sp_arg_error(args, error, "ids", "give ids or sample_ids, not both");
    if (!code)
        code = sp_arg_bool(args, "vectors", &vectors, error);
    if (!code)
        code = sp_arg_names(args, "fields", &fields, error);
    if (!code)
        code = sp_arg_bool(args, "allow_missing", &allow_missing, error);
    if (!code)
        code = sp_arg_bool(args, "warn_missing", &warn_missing, error);
    if (!code && has_samples && !index->patches) {
        ids = samples;
        has_ids = 1;
        has_samples = 0;
    }
    if (!code && !has_ids)
        code = ids_walk(index, request, has_samples ? &samples : NULL, &ids, &missing, error);
    want.vectors = vectors;
    want.fields = fields;
    if (!code && index->patches && !fields.all) {
        want.fields.names = sp_arena_array(&request->arena, fields.count + 1,
                                           sizeof *want.fields.names);
        if (!want.fields.names)
            code = sp_error_no_memory(error);
        for (uint64_t i = 0; !code && i < fields.count; i++)
            want.fields.names[i] = fields.names[i];
        if (!code)
            want.fields.names[want.fields.count++] = SP_SAMPLE_ID;
    }
    if (!code && atomic_load(&index->dimension) && ids.count)
        code = sp_points_get(index, request->context, &ids, &want, &points, error);
    if (!code && has_ids)
        code = missing_collect(request, &ids, &points, &missing, error);
    if (!code && missing.count && !allow_missing)
        code = sp_error_ids(error, SIMPLUGIN_NOT_FOUND, "index.get", "not in the index", &missing,
                            NULL, missing.count);
    if (!code && missing.count && warn_missing)
        sp_log(SIMPLUGIN_LOG_WARNING, "index.get: %llu ids are not in the index",
               (unsigned long long)missing.count);
    if (!code)
        code = reply_write(index, request, &points, &missing, vectors, &fields, error);
    sp_points_clear(&points);
    return code;
}
