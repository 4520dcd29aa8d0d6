/* SPDX-License-Identifier: Apache-2.0 */
/* Points by id: written, read, deleted, counted. */
#include "config.h"

#include "condition.h"
#include "instance.h"
#include "lookup.h"
#include "upsert.h"
#include "view.h"

static int32_t ids_need(qdrant_call *call, sp_column *ids)
{
    int present;
    int32_t code = plug_arg_ids(&call->base, ids, &present);

    if (!code && !present)
        code = plug_fail_argument(&call->base, "ids", "ids are needed");
    return code;
}

/* The numbers of rows that are selected are numbers of rows that there are. */
static int32_t selection_check(qdrant_call *call, const int64_t *select, uint64_t selected, uint64_t count)
{
    for (uint64_t i = 0; i < selected; i++)
        if (select[i] < 0 || (uint64_t)select[i] >= count)
            return plug_fail_argument(&call->base, "rows", "rows: there is no row %lld",
                                      (long long)select[i]);
    return SIMPLUGIN_OK;
}

int32_t qdrant_serve_points_upsert(qdrant_call *call)
{
    plug_matrix vectors = {0};
    plug_columns fields = {0};
    qdrant_rows rows = {.vectors = &vectors, .fields = &fields};
    simplugin_value parameters;
    sp_column ids;
    uint64_t selected = 0;
    int32_t code = plug_arg_parameters(&call->base, NULL, 0, &parameters);

    if (!code)
        code = plug_arg_vectors(&call->base, call->schema->dimension, &vectors);
    if (!code)
        code = ids_need(call, &ids);
    if (code)
        return code;
    if (ids.count != vectors.rows)
        return plug_fail_argument(&call->base, "ids", "ids: there are %llu, for %llu vectors",
                                  (unsigned long long)ids.count, (unsigned long long)vectors.rows);
    code = plug_arg_int64s(&call->base, "rows", &rows.select, &selected);
    if (!code)
        code = selection_check(call, rows.select, selected, ids.count);
    if (!code)
        code = plug_arg_columns(&call->base, ids.count, &fields);
    if (code)
        return code;
    rows.ids = &ids;
    rows.count = rows.select ? selected : ids.count;
    code = plug_check_finite(&call->base, &vectors, call->schema->dimension, rows.select,
                             rows.count);
    if (!code)
        code = qdrant_upsert(call, &rows);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "upserted");
    simplugin_write_uint(&call->base.out, rows.count);
    return code;
}

/* The ids that were found, in the order they were asked for. */
static int32_t found_write(qdrant_call *call, const sp_column *ids, const qdrant_lookup *lookup)
{
    sp_text *texts = plug_scratch(&call->base, lookup->count + 1, sizeof *texts);

    if (!texts)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < lookup->count; i++)
        texts[i] = sp_column_text(ids, (uint64_t)lookup->positions[i]);
    return plug_write_ids(&call->base, texts, lookup->count);
}

int32_t qdrant_serve_points_get(qdrant_call *call)
{
    qdrant_lookup lookup = {0};
    plug_names names;
    sp_column ids;
    int vectors = 1, fields;
    int32_t code = ids_need(call, &ids);

    if (!code)
        code = plug_arg_bool(&call->base, "vectors", &vectors);
    if (!code)
        code = plug_arg_names(&call->base, &names);
    if (code)
        return code;
    fields = names.all || names.count;
    lookup.vectors = vectors;
    lookup.names = &names;
    code = qdrant_lookup_run(call, &ids, &lookup);
    if (!code) {
        simplugin_write_map(&call->base.out, 2 + (uint64_t)(vectors != 0) + (uint64_t)fields);
        plug_write_array(&call->base, "positions", SIMPLUGIN_INT64, lookup.positions, lookup.count);
        code = found_write(call, &ids, &lookup);
    }
    if (!code && vectors)
        code = qdrant_vectors_write(call, lookup.rows, lookup.count);
    if (!code && fields)
        code = qdrant_fields_write(call, lookup.rows, lookup.count, &names);
    qdrant_lookup_clear(&lookup);
    return code;
}

int32_t qdrant_serve_points_delete(qdrant_call *call)
{
    sp_column ids;
    const char *condition;
    int has_ids, all = 0;
    int32_t code = plug_arg_ids(&call->base, &ids, &has_ids);

    if (!code)
        code = qdrant_condition_read(call, &condition);
    if (!code)
        code = plug_arg_bool(&call->base, "all", &all);
    if (code)
        return code;
    if (has_ids + (*condition != 0) + all != 1)
        return plug_fail_argument(&call->base, "ids", "give exactly one of ids, filter and all");
    code = has_ids ? qdrant_delete_ids(call, &ids) : qdrant_delete_matching(call, condition);
    simplugin_write_map(&call->base.out, 0);
    return code;
}

int32_t qdrant_serve_points_count(qdrant_call *call)
{
    const char *condition;
    uint64_t count = 0;
    int32_t code = qdrant_condition_read(call, &condition);

    if (!code)
        code = qdrant_count_in_view(call, condition, &count);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "count");
    simplugin_write_uint(&call->base.out, count);
    return code;
}
