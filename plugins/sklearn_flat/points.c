/* SPDX-License-Identifier: Apache-2.0 */
/* Points by id: written, read, deleted, counted. */
#include "config.h"

#include <stdio.h>

#include "declared.h"
#include "gather.h"
#include "idmap.h"
#include "instance.h"
#include "mask.h"

/* How many ids are looked up between looks at the clock. */
#define IDS_PER_CHECK 4096

static int32_t ids_need(flat_call *call, sp_column *ids)
{
    int present;
    int32_t code = plug_arg_ids(&call->base, ids, &present);

    if (!code && !present)
        code = plug_fail_argument(&call->base, "ids", "ids are needed");
    return code;
}

static int has_value(const sp_column *column, const flat_rows *rows)
{
    if (!column->valid)
        return rows->count != 0;
    for (uint64_t i = 0; i < rows->count; i++)
        if (sp_column_is_valid(column, rows->select ? (uint64_t)rows->select[i] : i))
            return 1;
    return 0;
}

/* A column of nothing but missing values, in another type. 0: no memory. */
static int column_retype(flat_call *call, sp_column *column, uint32_t type)
{
    sp_column empty = {.type = type, .count = column->count, .valid = column->valid};

    empty.values = plug_scratch(&call->base, column->count + 1, 8);
    if ((type & ~SP_LIST) == SP_TEXT)
        empty.offsets = plug_scratch(&call->base, column->count + 1, sizeof *empty.offsets);
    if (type & SP_LIST)
        empty.list_offsets = plug_scratch(&call->base, column->count + 1, sizeof *empty.list_offsets);
    if (!empty.values || ((type & ~SP_LIST) == SP_TEXT && !empty.offsets) ||
        (type & SP_LIST && !empty.list_offsets))
        return 0;
    *column = empty;
    return 1;
}

/* The type of a field: as declared, or of its first value; 0: it has none yet. */
static uint32_t field_type(const simplugin_value *declared, const flat_snapshot *snapshot,
                           const char *name)
{
    uint64_t count;
    const flat_field *fields = flat_snapshot_fields(snapshot, &count);
    uint32_t type = flat_declared_type(declared, name);

    for (uint64_t i = 0; !type && i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            type = fields[i].type;
    return type;
}

/*
 * A field keeps its type, be it declared or that of its first value (which the store sees
 * to). A column without a single value may come with any: it is left out where no field is
 * taken away by it, or turned into the field's type.
 */
static int32_t columns_settle(flat_call *call, flat_rows *rows, int take_away)
{
    simplugin_value declared = flat_declared_map(call->store);
    const char **names = plug_scratch(&call->base, rows->field_count, sizeof *names);
    sp_column *columns = plug_scratch(&call->base, rows->field_count, sizeof *columns);
    flat_snapshot *snapshot = NULL;
    uint64_t kept = 0;
    int32_t code = names && columns ? flat_snapshot_new(call->store, &snapshot, call->base.error)
                                    : plug_no_memory(&call->base);

    for (uint64_t i = 0; !code && i < rows->field_count; i++) {
        const char *name = rows->field_names[i];
        uint32_t type = field_type(&declared, snapshot, name);

        columns[kept] = rows->field_columns[i];
        names[kept] = name;
        if (!has_value(&columns[kept], rows)) {
            if (!type || !take_away)
                continue;
            if (type != columns[kept].type && !column_retype(call, &columns[kept], type))
                code = plug_no_memory(&call->base);
        } else if (type && type != columns[kept].type) {
            code = plug_fail_argument(&call->base, "fields", "fields: \"%s\" is of type %s, not %s", name,
                                      sp_column_type_name(type),
                                      sp_column_type_name(columns[kept].type));
        }
        kept++;
    }
    flat_snapshot_free(snapshot);
    rows->field_names = names;
    rows->field_columns = columns;
    rows->field_count = kept;
    return code;
}

/* No id twice among the rows to write, and none of these out of range. */
static int32_t rows_check(flat_call *call, const sp_column *ids, const flat_rows *rows)
{
    sp_idmap map;

    if (rows->select)
        for (uint64_t i = 0; i < rows->count; i++)
            if (rows->select[i] < 0 || (uint64_t)rows->select[i] >= ids->count)
                return plug_fail_argument(&call->base, "rows", "rows: number %llu is %lld, of %llu rows",
                                          (unsigned long long)i, (long long)rows->select[i],
                                          (unsigned long long)ids->count);
    if (!sp_idmap_init(&map, ids, &call->base.scratch))
        return plug_no_memory(&call->base);
    /* more rows than ids are one id at least twice, and more than the map has room for */
    for (uint64_t i = 0; i < rows->count; i++) {
        uint64_t row = rows->select ? (uint64_t)rows->select[i] : i;
        sp_text id = sp_column_text(ids, row);
        int32_t code = i % IDS_PER_CHECK ? SIMPLUGIN_OK : plug_check(&call->base);

        if (code)
            return code;
        if (sp_idmap_add(&map, row) != SP_IDMAP_NONE)
            return plug_fail_argument(&call->base, "ids", "ids: \"%.*s\" comes twice", (int)id.size,
                                      id.data);
    }
    return SIMPLUGIN_OK;
}

static int32_t columns_read(flat_call *call, uint64_t count, flat_rows *rows)
{
    plug_columns columns;
    int32_t code = plug_arg_columns(&call->base, count, &columns);

    rows->field_count = columns.count;
    rows->field_names = columns.names;
    rows->field_columns = columns.columns;
    return code;
}

#define EXISTING_OVERWRITE 0
#define EXISTING_SKIP 1
#define EXISTING_FAIL 2
/* How many ids an error names. */
#define IDS_NAMED 10

/* What becomes of rows whose ids are there. */
static int32_t existing_read(flat_call *call, int *existing)
{
    static const char *const names[] = {"overwrite", "skip", "fail"};
    simplugin_value value;

    *existing = EXISTING_OVERWRITE;
    if (!simplugin_find(&call->base.body, "existing", &value))
        return SIMPLUGIN_OK;
    for (int i = 0; i < 3; i++)
        if (simplugin_value_is(&value, names[i])) {
            *existing = i;
            return SIMPLUGIN_OK;
        }
    return plug_fail_argument(&call->base, "existing", "existing is overwrite, skip or fail");
}

static int32_t exist_already(flat_call *call, const sp_column *ids, const int64_t *there,
                             uint64_t count)
{
    sp_text first = sp_column_text(ids, (uint64_t)there[0]);
    char others[40] = " is";

    if (count > 1)
        snprintf(others, sizeof others, " and %llu more are", (unsigned long long)count - 1);
    plug_fail(&call->base, SIMPLUGIN_ALREADY_EXISTS,
              "id \"%.*s\"%s there already: nothing was written", (int)first.size, first.data,
              others);
    for (uint64_t i = 0; i < count && i < IDS_NAMED; i++) {
        sp_text id = sp_column_text(ids, (uint64_t)there[i]);

        plug_host->error_add_detail(call->base.error, "id", 2, id.data, id.size);
    }
    return SIMPLUGIN_ALREADY_EXISTS;
}

/* Rows that are there stay as they are: skipped, or a reason to write none. */
static int32_t rows_insert(flat_call *call, const flat_rows *rows, int existing, int64_t **skipped,
                           uint64_t *count)
{
    int32_t code;

    *skipped = plug_reply_array(&call->base, rows->count + 1, sizeof **skipped);
    if (!*skipped)
        return plug_no_memory(&call->base);
    code = flat_store_insert(call->store, rows, existing == EXISTING_FAIL, &call->wait, *skipped,
                             count, call->base.error);
    if (!code && existing == EXISTING_FAIL && *count)
        code = exist_already(call, rows->ids, *skipped, *count);
    return code;
}

int32_t flat_serve_points_upsert(flat_call *call)
{
    plug_matrix vectors = {0};
    flat_rows rows = {0};
    simplugin_value parameters;
    sp_column ids;
    uint64_t replaced = 0, selected = 0, skipped_count = 0;
    int64_t *skipped = NULL;
    int existing = EXISTING_OVERWRITE;
    int32_t code = plug_arg_parameters(&call->base, NULL, 0, &parameters);

    if (!code)
        code = existing_read(call, &existing);
    if (!code)
        code = plug_arg_vectors(&call->base, flat_store_schema(call->store)->dimension, &vectors);
    if (!code)
        code = ids_need(call, &ids);
    if (code)
        return code;
    if (ids.count != vectors.rows)
        return plug_fail_argument(&call->base, "ids", "ids: there are %llu, for %llu vectors",
                                  (unsigned long long)ids.count, (unsigned long long)vectors.rows);
    code = plug_arg_int64s(&call->base, "rows", &rows.select, &selected);
    if (!code)
        code = columns_read(call, ids.count, &rows);
    if (code)
        return code;
    rows.count = rows.select ? selected : ids.count;
    rows.ids = &ids;
    rows.vectors = vectors.data;
    rows.vector_stride = vectors.stride;
    code = rows_check(call, &ids, &rows);
    if (!code)
        code = plug_check_finite(&call->base, &vectors, flat_store_schema(call->store)->dimension,
                                 rows.select, rows.count);
    if (!code && rows.field_count)
        code = columns_settle(call, &rows, 0);
    if (!code)
        code = plug_check(&call->base);
    if (!code && existing == EXISTING_OVERWRITE)
        code = flat_store_upsert(call->store, &rows, &call->wait, &replaced, call->base.error);
    else if (!code)
        code = rows_insert(call, &rows, existing, &skipped, &skipped_count);
    simplugin_write_map(&call->base.out, 3);
    simplugin_write_string(&call->base.out, "upserted");
    simplugin_write_uint(&call->base.out, rows.count - skipped_count);
    simplugin_write_string(&call->base.out, "replaced");
    simplugin_write_uint(&call->base.out, replaced);
    plug_write_array(&call->base, "skipped", SIMPLUGIN_INT64, skipped, skipped_count);
    return code;
}

/* The ids that are in the snapshot: which rows they are, and their positions among ids. */
static int32_t rows_find(flat_call *call, const flat_snapshot *snapshot, const sp_column *ids,
                         uint64_t *rows, int64_t *positions, uint64_t *count)
{
    int32_t code;

    *count = 0;
    for (uint64_t i = 0; i < ids->count; i++) {
        int found;

        if (i % IDS_PER_CHECK == 0 && (code = plug_check(&call->base)) != SIMPLUGIN_OK)
            return code;
        found = flat_snapshot_find(snapshot, sp_column_text(ids, i), &rows[*count]);
        if (found < 0)
            return plug_fail(&call->base, -found, "looking up an id failed");
        if (found)
            positions[(*count)++] = (int64_t)i;
    }
    return SIMPLUGIN_OK;
}

/*
 * The reply names the ids that were there. The store only counts them, so it is given
 * those that a snapshot has, again if one of them went away in between.
 */
int32_t flat_serve_points_set_fields(flat_call *call)
{
    flat_snapshot *snapshot = NULL;
    flat_rows rows = {0};
    sp_column ids;
    uint64_t *found = NULL;
    int64_t *positions = NULL;
    uint64_t count = 0, updated = 0;
    int32_t code = ids_need(call, &ids);

    if (!code)
        code = columns_read(call, ids.count, &rows);
    if (!code && !rows.field_count)
        code = plug_fail_argument(&call->base, "fields", "fields are needed");
    rows.count = ids.count;
    rows.ids = &ids;
    if (!code)
        code = rows_check(call, &ids, &rows);
    if (!code)
        code = columns_settle(call, &rows, 1);
    if (code)
        return code;
    found = plug_scratch(&call->base, ids.count, sizeof *found);
    positions = plug_reply_array(&call->base, ids.count + 1, sizeof *positions);
    if (!found || !positions)
        return plug_no_memory(&call->base);
    do {
        code = flat_snapshot_new(call->store, &snapshot, call->base.error);
        if (!code)
            code = rows_find(call, snapshot, &ids, found, positions, &count);
        flat_snapshot_free(snapshot);
        snapshot = NULL;
        rows.count = count;
        rows.select = positions;
        updated = rows.field_count ? 0 : count; /* nothing to take away from any */
        if (!code && count && rows.field_count)
            code = flat_store_set_fields(call->store, &rows, &call->wait, &updated, call->base.error);
        if (!code)
            code = plug_check(&call->base);
    } while (!code && updated != count);
    simplugin_write_map(&call->base.out, 2);
    simplugin_write_string(&call->base.out, "updated");
    simplugin_write_uint(&call->base.out, updated);
    plug_write_array(&call->base, "positions", SIMPLUGIN_INT64, positions, count);
    return code;
}

int32_t flat_serve_points_get(flat_call *call)
{
    flat_snapshot *snapshot = NULL;
    flat_gather gather;
    plug_names fields;
    sp_column ids;
    uint64_t *rows = NULL;
    int64_t *positions = NULL;
    uint64_t count = 0;
    int with_vectors = 1;
    int32_t code = ids_need(call, &ids);

    if (!code)
        code = plug_arg_bool(&call->base, "vectors", &with_vectors);
    if (!code)
        code = plug_arg_names(&call->base, &fields);
    if (code)
        return code;
    rows = plug_scratch(&call->base, ids.count, sizeof *rows);
    positions = plug_reply_array(&call->base, ids.count + 1, sizeof *positions);
    code = rows && positions ? flat_snapshot_new(call->store, &snapshot, call->base.error)
                             : plug_no_memory(&call->base);
    if (!code)
        code = rows_find(call, snapshot, &ids, rows, positions, &count);
    if (!code)
        code = flat_gather_init(&gather, call, snapshot, &fields);
    if (code)
        goto out;
    simplugin_write_map(&call->base.out, 3 + (uint64_t)(with_vectors != 0));
    plug_write_array(&call->base, "positions", SIMPLUGIN_INT64, positions, count);
    code = flat_gather_ids(&gather, "ids", rows, count);
    if (!code && with_vectors)
        code = flat_gather_vectors(&gather, rows, count);
    if (!code)
        code = flat_gather_fields(&gather, rows, count);
out:
    flat_snapshot_free(snapshot);
    return code;
}

/* Decides on a snapshot which rows go, and deletes them if that snapshot is the newest still. */
static int32_t delete_try(flat_call *call, uint64_t *deleted)
{
    flat_snapshot *snapshot = NULL;
    flat_mask_ref *mask = NULL;
    uint64_t *rows = NULL;
    uint64_t count = 0;
    int32_t code = flat_snapshot_new(call->store, &snapshot, call->base.error);

    if (!code)
        code = flat_mask_for(call, snapshot, &mask);
    if (!code)
        code = flat_mask_rows(call, snapshot, mask, &rows, &count);
    if (!code && count)
        code = flat_store_delete_rows(call->store, snapshot, rows, count, &call->wait,
                                      call->base.error);
    *deleted = count;
    free(rows);
    flat_mask_release(mask);
    flat_snapshot_free(snapshot);
    return code;
}

/*
 * Again whenever somebody wrote in between. An error that was set cannot be taken back, so
 * these tries are silent; the one that fails for good is repeated for its error.
 */
static int32_t delete_matching(flat_call *call, uint64_t *deleted)
{
    simplugin_error **error = call->base.error;
    int32_t code;

    call->base.error = NULL;
    do {
        code = delete_try(call, deleted);
    } while (code == SIMPLUGIN_BUSY && !plug_stops(&call->base));
    call->base.error = error;
    return code ? delete_try(call, deleted) : SIMPLUGIN_OK;
}

int32_t flat_serve_points_delete(flat_call *call)
{
    simplugin_value filter;
    sp_column ids;
    uint64_t deleted = 0;
    int has_ids = 0, has_filter, all = 0;
    int32_t code = plug_arg_ids(&call->base, &ids, &has_ids);

    if (!code)
        code = plug_arg_bool(&call->base, "all", &all);
    if (code)
        return code;
    has_filter = simplugin_find(&call->base.body, "filter", &filter);
    if (has_ids + has_filter + all != 1)
        return plug_fail_argument(&call->base, "ids", "exactly one of ids, filter and all is needed");
    if (has_ids)
        code = flat_store_delete(call->store, &ids, &call->wait, &deleted, call->base.error);
    else if (has_filter)
        code = delete_matching(call, &deleted);
    else
        code = flat_store_delete_all(call->store, &call->wait, &deleted, call->base.error);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "deleted");
    simplugin_write_uint(&call->base.out, deleted);
    return code;
}

int32_t flat_serve_points_count(flat_call *call)
{
    flat_snapshot *snapshot = NULL;
    flat_mask_ref *mask = NULL;
    uint64_t count = 0;
    int32_t code = flat_snapshot_new(call->store, &snapshot, call->base.error);

    if (!code)
        code = flat_mask_for(call, snapshot, &mask);
    if (!code)
        count = mask ? mask->count : flat_snapshot_count(snapshot);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "count");
    simplugin_write_uint(&call->base.out, count);
    flat_mask_release(mask);
    flat_snapshot_free(snapshot);
    return code;
}
