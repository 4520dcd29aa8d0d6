/* SPDX-License-Identifier: Apache-2.0 */
/* Points by id: written, read, deleted, counted. */
#include "config.h"

#include <stdlib.h>

#include "expr.h"
#include "idmap.h"
#include "instance.h"
#include "known.h"
#include "lookup.h"
#include "query.h"
#include "upsert.h"
#include "view.h"

static int32_t ids_need(milvus_call *call, sp_column *ids)
{
    int present;
    int32_t code = plug_arg_ids(&call->base, ids, &present);

    if (!code && !present)
        code = plug_fail_argument(&call->base, "ids", "ids are needed");
    return code;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Rows that exist, each id once: Milvus would store both and count both. */
static int32_t rows_check(milvus_call *call, const milvus_rows *rows, uint64_t count)
{
    sp_idmap seen;

    if (!sp_idmap_init(&seen, rows->ids, &call->base.scratch))
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < rows->count; i++) {
        uint64_t row = rows->select ? (uint64_t)rows->select[i] : i;
        sp_text id;

        if (row >= count)
            return plug_fail_argument(&call->base, "rows", "rows: there is no row %llu",
                                      (unsigned long long)row);
        id = sp_column_text(rows->ids, row);
        if (sp_idmap_add(&seen, row) != SP_IDMAP_NONE)
            return plug_fail_argument(&call->base, "ids", "ids: \"%.*s\" comes twice", (int)id.size,
                                      id.data);
    }
    return SIMPLUGIN_OK;
}

int32_t milvus_serve_points_upsert(milvus_call *call)
{
    static const char *const known[] = {"partition"};
    plug_matrix vectors = {0};
    plug_columns fields = {0};
    milvus_rows rows = {.vectors = &vectors, .fields = &fields};
    simplugin_value parameters;
    sp_column ids;
    uint64_t selected = 0;
    int32_t code = plug_arg_parameters(&call->base, known, 1, &parameters);

    if (!code)
        code = milvus_partition_read(&call->base, &parameters, &rows.partition);
    if (!code)
        code = plug_arg_vectors(&call->base, call->schema->vector->dimension, &vectors);
    if (!code)
        code = ids_need(call, &ids);
    if (code)
        return code;
    if (ids.count != vectors.rows)
        return plug_fail_argument(&call->base, "ids", "ids: there are %llu, for %llu vectors",
                                  (unsigned long long)ids.count, (unsigned long long)vectors.rows);
    code = plug_arg_int64s(&call->base, "rows", &rows.select, &selected);
    if (!code)
        code = plug_arg_columns(&call->base, ids.count, &fields);
    if (code)
        return code;
    rows.ids = &ids;
    rows.count = rows.select ? selected : ids.count;
    code = rows_check(call, &rows, ids.count);
    if (!code)
        code = plug_check_finite(&call->base, &vectors, call->schema->vector->dimension,
                                 rows.select, rows.count);
    if (!code)
        code = milvus_upsert(call, &rows);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "upserted");
    simplugin_write_uint(&call->base.out, rows.count);
    return code;
}

/* ---- reading by id ------------------------------------------------------------------------ */

/* The ids that were found, in the order they were asked for. */
static int32_t found_write(milvus_call *call, const sp_column *ids, const milvus_lookup *lookup)
{
    sp_text *texts = plug_scratch(&call->base, lookup->count + 1, sizeof *texts);

    if (!texts)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < lookup->count; i++)
        texts[i] = sp_column_text(ids, (uint64_t)lookup->positions[i]);
    return plug_write_ids(&call->base, texts, lookup->count);
}

int32_t milvus_serve_points_get(milvus_call *call)
{
    milvus_lookup lookup = {0};
    plug_names names;
    sp_column ids;
    int vectors = 1;
    int32_t code = ids_need(call, &ids);

    if (!code)
        code = plug_arg_bool(&call->base, "vectors", &vectors);
    if (!code && vectors)
        code = milvus_vectors_portable(call);
    if (!code)
        code = plug_arg_names(&call->base, &names);
    if (code)
        return code;
    lookup.vectors = vectors;
    lookup.fields = names.all || names.count;
    code = milvus_lookup_run(call, &ids, &lookup);
    if (!code) {
        simplugin_write_map(&call->base.out,
                            2 + (uint64_t)(vectors != 0) + (uint64_t)(lookup.fields != 0));
        plug_write_array(&call->base, "positions", SIMPLUGIN_INT64, lookup.positions, lookup.count);
        code = found_write(call, &ids, &lookup);
    }
    if (!code && vectors)
        code = milvus_vectors_write(call, lookup.rows, lookup.count);
    if (!code && lookup.fields)
        code = milvus_fields_write(call, lookup.rows, lookup.count, &names);
    milvus_lookup_clear(&lookup);
    return code;
}

/* ---- setting fields ------------------------------------------------------------------------- */

/* The given columns, and of the points' own those that are not among them. */
static int32_t columns_merge(milvus_call *call, const plug_columns *given, const plug_columns *own,
                             plug_columns *merged)
{
    merged->count = 0;
    merged->names = plug_scratch(&call->base, given->count + own->count, sizeof *merged->names);
    merged->columns = plug_scratch(&call->base, given->count + own->count, sizeof *merged->columns);
    if (!merged->names || !merged->columns)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < given->count; i++) {
        merged->names[merged->count] = given->names[i];
        merged->columns[merged->count++] = given->columns[i];
    }
    for (uint64_t i = 0; i < own->count; i++) {
        uint64_t j = 0;

        while (j < given->count && strcmp(given->names[j], own->names[i]) != 0)
            j++;
        if (j < given->count)
            continue;
        merged->names[merged->count] = own->names[i];
        merged->columns[merged->count++] = own->columns[i];
    }
    return SIMPLUGIN_OK;
}

/* All of the ids' places, so that columns that were given and read go by the same numbers. */
static int32_t rows_spread(milvus_call *call, const milvus_lookup *lookup, uint64_t count,
                           milvus_row **rows, plug_matrix *vectors)
{
    uint64_t dimension = call->schema->vector->dimension;
    float *numbers = plug_scratch(&call->base, count + 1, dimension * sizeof *numbers);

    *rows = plug_scratch(&call->base, count + 1, sizeof **rows);
    if (!*rows || !numbers)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < lookup->count; i++) {
        const milvus_row *row = &lookup->rows[i];
        uint64_t at = (uint64_t)lookup->positions[i];

        (*rows)[at] = *row;
        memcpy(numbers + at * dimension, row->page->vectors + row->row * row->page->vector_bytes,
               (size_t)row->page->vector_bytes);
    }
    vectors->data = numbers;
    vectors->rows = count;
    vectors->stride = dimension;
    return SIMPLUGIN_OK;
}

/* Milvus replaces whole rows only: they are read, changed and written. */
int32_t milvus_serve_points_set_fields(milvus_call *call)
{
    static const plug_names all = {.all = 1};
    milvus_lookup lookup = {.vectors = 1, .fields = 1};
    plug_columns given, own, merged;
    plug_matrix vectors = {0};
    milvus_rows rows = {.vectors = &vectors, .fields = &merged};
    milvus_row *spread = NULL;
    int64_t *positions;
    sp_column ids;
    int32_t code = ids_need(call, &ids);

    if (!code)
        code = plug_arg_columns(&call->base, ids.count, &given);
    if (!code && !given.count)
        code = plug_fail_argument(&call->base, "fields", "fields are needed");
    rows.ids = &ids;
    rows.count = ids.count;
    if (!code)
        code = rows_check(call, &rows, ids.count);
    if (!code)
        code = milvus_vectors_portable(call);
    if (!code)
        code = milvus_known_check(call, &given, NULL, ids.count);
    if (code)
        return code;
    code = milvus_lookup_run(call, &ids, &lookup);
    positions = code ? NULL : plug_reply_array(&call->base, lookup.count + 1, sizeof *positions);
    if (!code && !positions)
        code = plug_no_memory(&call->base);
    if (!code)
        memcpy(positions, lookup.positions, (size_t)lookup.count * sizeof *positions);
    if (!code)
        code = rows_spread(call, &lookup, ids.count, &spread, &vectors);
    if (!code)
        code = milvus_fields_read(call, spread, ids.count, &all, &own);
    if (!code)
        code = columns_merge(call, &given, &own, &merged);
    rows.select = positions;
    rows.count = lookup.count;
    if (!code && rows.count)
        code = milvus_upsert(call, &rows);
    if (!code) {
        simplugin_write_map(&call->base.out, 2);
        simplugin_write_string(&call->base.out, "updated");
        simplugin_write_uint(&call->base.out, rows.count);
        plug_write_array(&call->base, "positions", SIMPLUGIN_INT64, positions, rows.count);
    }
    milvus_lookup_clear(&lookup);
    return code;
}

/* ---- deleting and counting -------------------------------------------------------------------- */

int32_t milvus_serve_points_delete(milvus_call *call)
{
    sp_column ids;
    const char *expr;
    int has_ids, all = 0;
    int32_t code = plug_arg_ids(&call->base, &ids, &has_ids);

    if (!code)
        code = milvus_expr_filter(call, &expr);
    if (!code)
        code = plug_arg_bool(&call->base, "all", &all);
    if (code)
        return code;
    if (has_ids + (*expr != 0) + all != 1)
        return plug_fail_argument(&call->base, "ids", "give exactly one of ids, filter and all");
    code = has_ids ? milvus_delete_ids(call, &ids) : milvus_delete_matching(call, expr, NULL);
    simplugin_write_map(&call->base.out, 0);
    return code;
}

int32_t milvus_serve_points_count(milvus_call *call)
{
    const char *expr;
    uint64_t count = 0;
    int32_t code = milvus_expr_filter(call, &expr);

    if (!code)
        code = milvus_count_in_view(call, expr, &count);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "count");
    simplugin_write_uint(&call->base.out, count);
    return code;
}
