/* SPDX-License-Identifier: Apache-2.0 */
/* The methods on whole collections. */
#include "config.h"

#include "plug_args.h"
#include "call.h"
#include "declared.h"
#include "instance.h"
#include "metric.h"
#include "search_op.h"
#include "suggest.h"
#include "view.h"

/* ---- which there are ----------------------------------------------------------------- */

typedef struct listing {
    simplugin_writer *out;
    uint64_t count;
} listing;

static int list_one(void *context, sp_text name)
{
    listing *list = context;

    simplugin_write_text(list->out, name.data, name.size);
    list->count++;
    return 0;
}

int32_t flat_serve_collection_list(flat_call *call)
{
    listing list = {.out = &call->base.out};
    uint64_t begin;
    int32_t code;

    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "collections");
    begin = simplugin_write_array_begin(&call->base.out);
    code = flat_store_list(call->instance->root, list_one, &list, call->base.error);
    simplugin_write_end(&call->base.out, begin, list.count);
    return code;
}

int32_t flat_serve_collection_exists(flat_call *call)
{
    int exists = 0;
    int32_t code = flat_store_exists(call->instance->root, call->base.name, &exists, call->base.error);

    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "exists");
    simplugin_write_bool(&call->base.out, exists);
    return code;
}

/* ---- making and dropping ------------------------------------------------------------- */

/* Says which metrics there are. */
static int32_t metric_unknown(flat_call *call, const char *name)
{
    const char *nearest = sp_suggest_nearest(name, flat_metric_names, flat_metric_count);
    sp_buffer list;

    sp_buffer_init(&list);
    sp_suggest_append_list(&list, flat_metric_names, flat_metric_count);
    sp_buffer_append(&list, "", 1);
    plug_fail_argument(&call->base, "metric", "unknown metric \"%s\"%s%s%s; known: %s", name,
                       nearest ? ", did you mean \"" : "", nearest ? nearest : "",
                       nearest ? "\"?" : "", list.failed ? "..." : (const char *)list.data);
    sp_buffer_clear(&list);
    return SIMPLUGIN_INVALID_ARGUMENT;
}

/* The metric, by its own key or among the parameters. */
static int32_t metric_read(flat_call *call, const char **name)
{
    static const char *const parameters[] = {"metric"};
    const char *text = NULL;
    const char *copy;
    uint64_t size = 0;
    simplugin_value map;
    int found;
    int32_t code = plug_arg_parameters(&call->base, parameters, 1, &map);

    if (code)
        return code;
    found = simplugin_find_text(&call->base.body, "metric", &text, &size);
    if (!found)
        found = simplugin_find_text(&map, "metric", &text, &size);
    if (found < 0)
        return plug_fail_argument(&call->base, "metric", "metric is a text");
    *name = found ? flat_metric_normalise(text, (size_t)size) : flat_metric_names[0];
    if (*name)
        return SIMPLUGIN_OK;
    copy = sp_arena_text(&call->base.scratch, text, size);
    return copy ? metric_unknown(call, copy) : plug_no_memory(&call->base);
}

int32_t flat_serve_collection_create(flat_call *call)
{
    flat_schema schema = {0};
    flat_store *store = NULL;
    simplugin_writer declared;
    int64_t dimension = 0;
    int32_t code;

    simplugin_writer_init(&declared);
    code = plug_arg_int(&call->base, "dimension", 1, (int64_t)FLAT_DIMENSION_MAX, &dimension);
    if (!code && !dimension)
        code = plug_fail_argument(&call->base, "dimension", "dimension is needed");
    if (!code)
        code = metric_read(call, &schema.metric);
    if (!code)
        code = flat_declared_encode(call, &declared);
    if (!code) {
        schema.dimension = (uint64_t)dimension;
        schema.attributes = (const char *)declared.data;
        schema.attributes_size = declared.size;
        code = flat_store_create(call->instance->root, call->base.name, &schema, &call->wait, &store,
                                 call->base.error);
    }
    /* what we may have open under that name was another one, which is gone */
    if (!code)
        flat_collection_forget_name(call->instance, call->base.name);
    flat_store_close(store);
    simplugin_writer_clear(&declared);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "collection");
    simplugin_write_text(&call->base.out, call->base.name.data, call->base.name.size);
    return code;
}

int32_t flat_serve_collection_drop(flat_call *call)
{
    int32_t code;

    flat_collection_forget_name(call->instance, call->base.name);
    code = flat_store_drop(call->instance->root, call->base.name, &call->wait, call->base.error);
    if (!code)
        flat_views_forget(call->instance, call->base.name);
    return code;
}

/* ---- what is in one ------------------------------------------------------------------ */

/*
 * Declared fields and those that have values: name, type. Sample ids are text; a field of
 * that name and another type is somebody's own.
 */
static void fields_write(flat_call *call, const flat_snapshot *snapshot, int *patches)
{
    simplugin_value declared = flat_declared_map(call->store);
    simplugin_iter iter = simplugin_iterate(&declared);
    simplugin_value key, value;
    uint64_t count, written = 0;
    const flat_field *fields = flat_snapshot_fields(snapshot, &count);
    uint64_t begin;

    *patches = 0;
    simplugin_write_string(&call->base.out, "fields");
    begin = simplugin_write_map_begin(&call->base.out);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        simplugin_write_text(&call->base.out, (const char *)key.data, key.size);
        simplugin_write_text(&call->base.out, (const char *)value.data, value.size);
        *patches |= simplugin_value_is(&key, "sample_id") && simplugin_value_is(&value, "text");
        written++;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (flat_declared_type(&declared, fields[i].name))
            continue;
        simplugin_write_string(&call->base.out, fields[i].name);
        simplugin_write_string(&call->base.out, sp_column_type_name(fields[i].type));
        *patches |= strcmp(fields[i].name, "sample_id") == 0 && fields[i].type == SP_TEXT;
        written++;
    }
    simplugin_write_end(&call->base.out, begin, written);
}

int32_t flat_serve_collection_describe(flat_call *call)
{
    const flat_schema *schema = flat_store_schema(call->store);
    flat_snapshot *snapshot = NULL;
    const flat_block *blocks;
    uint64_t block_count, tail_count, dead = 0;
    int patches = 0;
    char id[48];
    int32_t code = flat_snapshot_new(call->store, &snapshot, call->base.error);

    if (code)
        goto out;
    blocks = flat_snapshot_blocks(snapshot, &block_count);
    flat_snapshot_tail(snapshot, &tail_count);
    for (uint64_t i = 0; i < block_count; i++)
        dead += blocks[i].dead_count;
    simplugin_write_map(&call->base.out, 8);
    simplugin_write_string(&call->base.out, "collection");
    simplugin_write_text(&call->base.out, call->base.name.data, call->base.name.size);
    simplugin_write_string(&call->base.out, "dimension");
    simplugin_write_uint(&call->base.out, schema->dimension);
    simplugin_write_string(&call->base.out, "metric");
    simplugin_write_string(&call->base.out, schema->metric);
    simplugin_write_string(&call->base.out, "count");
    simplugin_write_uint(&call->base.out, flat_snapshot_count(snapshot));
    simplugin_write_string(&call->base.out, "id_mode");
    simplugin_write_string(&call->base.out, "native");
    fields_write(call, snapshot, &patches);
    simplugin_write_string(&call->base.out, "patches");
    simplugin_write_bool(&call->base.out, patches);
    simplugin_write_string(&call->base.out, "attributes");
    flat_store_identity(call->store, id, sizeof id);
    simplugin_write_map(&call->base.out, 4);
    simplugin_write_string(&call->base.out, "id");
    simplugin_write_string(&call->base.out, id[0] ? id : NULL);
    simplugin_write_string(&call->base.out, "blocks");
    simplugin_write_uint(&call->base.out, block_count);
    simplugin_write_string(&call->base.out, "dead_rows");
    simplugin_write_uint(&call->base.out, dead);
    simplugin_write_string(&call->base.out, "tail_rows");
    simplugin_write_uint(&call->base.out, tail_count);
out:
    flat_snapshot_free(snapshot);
    return code;
}

/* ---- maintenance --------------------------------------------------------------------- */

int32_t flat_serve_collection_compact(flat_call *call)
{
    uint64_t before = 0, after = 0;
    int32_t code = flat_store_compact(call->store, &call->wait, flat_progress, call, &before,
                                      &after, call->base.error);

    simplugin_write_map(&call->base.out, 2);
    simplugin_write_string(&call->base.out, "bytes_before");
    simplugin_write_uint(&call->base.out, before);
    simplugin_write_string(&call->base.out, "bytes_after");
    simplugin_write_uint(&call->base.out, after);
    return code;
}

int32_t flat_serve_collection_check(flat_call *call)
{
    uint64_t rows = 0;
    int32_t code = flat_store_check(call->store, &call->wait, flat_progress, call, &rows,
                                    call->base.error);

    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "rows");
    simplugin_write_uint(&call->base.out, rows);
    return code;
}

int32_t flat_serve_collection_backup(flat_call *call)
{
    const char *text, *path;
    uint64_t size;

    if (simplugin_find_text(&call->base.body, "path", &text, &size) != 1 || !size || text[0] != '/' ||
        memchr(text, 0, (size_t)size))
        return plug_fail_argument(&call->base, "path", "path is an absolute path, and needed");
    path = sp_arena_text(&call->base.scratch, text, size);
    if (!path)
        return plug_no_memory(&call->base);
    return flat_store_backup(call->store, path, &call->wait, flat_progress, call, call->base.error);
}
