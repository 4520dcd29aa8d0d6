/* SPDX-License-Identifier: Apache-2.0 */
/* Adding, changing and removing points, with FiftyOne's rules; size and upkeep. */
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "log.h"
#include "points.h"

/* ---- helpers -------------------------------------------------------------------------- */

/*
 * Which positions of ids are there (present 1) or not (0): rows, in memory of the arena.
 */
static int32_t rows_by_presence(sp_index *index, sp_request *request, const sp_column *ids,
                                int present, uint64_t **rows, uint64_t *count,
                                simplugin_error **error)
{
    sp_want want = {0};
    sp_points points = {.reply = SP_REPLY_INIT};
    uint64_t at = 0;
    int32_t code = SIMPLUGIN_OK;

    *count = 0;
    *rows = sp_arena_array(&request->arena, ids->count + 1, sizeof **rows);
    if (!*rows)
        return sp_error_no_memory(error);
    if (atomic_load(&index->dimension) && ids->count)
        code = sp_points_get(index, request->context, ids, &want, &points, error);
    for (uint64_t i = 0; !code && i < ids->count; i++) {
        int there = at < points.count && points.positions[at] == (int64_t)i;

        at += (uint64_t)there;
        if (there == present)
            (*rows)[(*count)++] = i;
    }
    sp_points_clear(&points);
    return code;
}

/* "key": the ids of the rows. */
static int ids_write(simplugin_writer *writer, const char *key, const sp_column *ids,
                     const uint64_t *rows, uint64_t count, simplugin_reply *reply)
{
    sp_column picked;

    if (!sp_column_gather(ids, rows, count, sp_reply_arena(reply), &picked))
        return 0;
    simplugin_write_string(writer, key);
    simplugin_write_column(writer, &picked);
    return 1;
}

static int64_t reply_number(const simplugin_reply *reply, const char *key)
{
    simplugin_value map = simplugin_body_value(reply->body, reply->body_size);
    int64_t number = -1;

    return simplugin_find_int(&map, key, &number) == 1 ? number : -1;
}

/* ---- add ------------------------------------------------------------------------------ */

#define DUPLICATES_FAIL 0
#define DUPLICATES_FIRST 1
#define DUPLICATES_LAST 2

typedef struct addition {
    sp_column ids;
    simplugin_tensor vectors;
    sp_columns fields;
    int overwrite;
    int allow_existing;
    int warn_existing;
    int duplicates;
    json_t *parameters;
    uint64_t *rows; /* which rows to write, in order */
    uint64_t row_count;
    uint64_t written;  /* rows that the backend has acknowledged */
    int64_t replaced;  /* how many of these were there before; -1: it does not know */
    uint64_t left;     /* how many of these were there, so that the backend left them */
    uint64_t *there;   /* rows that were skipped, by it or by us */
    uint64_t there_count;
} addition;

static int32_t duplicates_read(const sp_args *args, addition *a, simplugin_error **error)
{
    static const char *const names[] = {"fail", "first", "last"};
    const char *name;
    int32_t code = sp_arg_string(args, "duplicates", &name, error);

    for (int i = 0; !code && name && i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            a->duplicates = i;
            return SIMPLUGIN_OK;
        }
    return code || !name ? code
                         : sp_arg_error(args, error, "duplicates",
                                        "\"%s\" is none of fail, first, last", name);
}

/* The sample ids of patches become a column like others. */
static int32_t samples_read(sp_index *index, sp_request *request, addition *a,
                            simplugin_error **error)
{
    const sp_args *args = &request->args;
    sp_column samples;
    int present;
    int32_t code = sp_arg_ids(args, "sample_ids", SP_IDS_REPEATED, &samples, &present, error);

    if (code)
        return code;
    for (uint64_t i = 0; i < a->fields.count; i++)
        if (strcmp(a->fields.names[i], SP_SAMPLE_ID) == 0)
            return sp_arg_error(args, error, "fields",
                                "\"" SP_SAMPLE_ID "\" is taken: use sample_ids");
    if (present != index->patches)
        return sp_arg_error(args, error, "sample_ids",
                            present ? "only an index of patches has them: here ids are the samples'"
                                    : "is missing: this is an index of patches");
    if (!present)
        return SIMPLUGIN_OK;
    if (samples.count != a->ids.count)
        return sp_arg_error(args, error, "sample_ids", "%llu for %llu ids",
                            (unsigned long long)samples.count, (unsigned long long)a->ids.count);
    if (!a->fields.names) {
        a->fields.names = sp_arena_array(&request->arena, 1, sizeof *a->fields.names);
        a->fields.columns = sp_arena_array(&request->arena, 1, sizeof *a->fields.columns);
        if (!a->fields.names || !a->fields.columns)
            return sp_error_no_memory(error);
    }
    /* sp_arg_columns leaves room for one more */
    a->fields.names[a->fields.count] = SP_SAMPLE_ID;
    a->fields.columns[a->fields.count++] = samples;
    return SIMPLUGIN_OK;
}

static int32_t addition_read(sp_index *index, sp_request *request, addition *a,
                             simplugin_error **error)
{
    const sp_args *args = &request->args;
    int has_ids, has_vectors;
    int32_t code;

    memset(a, 0, sizeof *a);
    a->overwrite = a->allow_existing = 1;
    code = duplicates_read(args, a, error);
    if (!code)
        code = sp_arg_ids(args, "ids", a->duplicates == DUPLICATES_FAIL ? 0 : SP_IDS_REPEATED,
                          &a->ids, &has_ids, error);
    if (!code && !has_ids)
        code = sp_arg_error(args, error, "ids", "is missing");
    if (!code)
        code = sp_arg_matrix(args, "vectors", atomic_load(&index->dimension), &a->vectors,
                             &has_vectors, error);
    if (!code && !has_vectors)
        code = sp_arg_error(args, error, "vectors", "is missing");
    if (!code && a->vectors.rows != a->ids.count)
        code = sp_arg_error(args, error, "vectors", "%llu rows for %llu ids",
                            (unsigned long long)a->vectors.rows, (unsigned long long)a->ids.count);
    if (!code)
        code = sp_arg_columns(args, "fields", a->ids.count, &a->fields, error);
    if (!code)
        code = samples_read(index, request, a, error);
    if (!code)
        code = sp_arg_bool(args, "overwrite", &a->overwrite, error);
    if (!code)
        code = sp_arg_bool(args, "allow_existing", &a->allow_existing, error);
    if (!code)
        code = sp_arg_bool(args, "warn_existing", &a->warn_existing, error);
    return code ? code : sp_arg_json(args, "parameters", &a->parameters, error);
}

/* One row for each id: all of them, or by the policy for ids that come again. */
static int32_t rows_unique(sp_request *request, addition *a, simplugin_error **error)
{
    sp_idmap seen;
    uint64_t *place; /* where in rows the id's row is */

    a->row_count = 0;
    a->rows = sp_arena_array(&request->arena, a->ids.count + 1, sizeof *a->rows);
    a->there = sp_arena_array(&request->arena, a->ids.count + 1, sizeof *a->there);
    if (!a->rows || !a->there)
        return sp_error_no_memory(error);
    if (a->duplicates == DUPLICATES_FAIL) {
        for (uint64_t i = 0; i < a->ids.count; i++)
            a->rows[i] = i;
        a->row_count = a->ids.count;
        return SIMPLUGIN_OK;
    }
    place = sp_arena_array(&request->arena, a->ids.count + 1, sizeof *place);
    if (!place || !sp_idmap_init(&seen, &a->ids, &request->arena))
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < a->ids.count; i++) {
        uint64_t before = sp_idmap_add(&seen, i);

        if (before == SP_IDMAP_NONE) {
            place[i] = a->row_count;
            a->rows[a->row_count++] = i;
        } else if (a->duplicates == DUPLICATES_LAST) {
            a->rows[place[before]] = i;
        }
    }
    return SIMPLUGIN_OK;
}

/* How many rows from first on make a request that stays below what the backend likes. */
static uint64_t rows_fit(const sp_index *index, const addition *a, uint64_t first)
{
    uint64_t limit = sp_connection_describe(index->connection)->batch_bytes;
    uint64_t count = 0, bytes = 0;

    if (limit == UINT64_MAX)
        return a->row_count - first;
    while (first + count < a->row_count) {
        uint64_t row = a->rows[first + count];

        bytes += a->vectors.cols * sizeof(float) + sp_column_row_bytes(&a->ids, row);
        for (uint64_t i = 0; i < a->fields.count; i++)
            bytes += sp_column_row_bytes(&a->fields.columns[i], row);
        if (count && bytes > limit)
            break;
        count++;
    }
    return count;
}

/* Whether the backend looks itself which rows are there, so that nobody writes in between. */
static int is_conditional(const sp_index *index, const addition *a)
{
    return !a->overwrite && sp_connection_describe(index->connection)->conditional_upsert;
}

/*
 * Without overwrite, rows that are there are left out, or an error: found out here where the
 * backend does not, and where a later batch could fail after an earlier one was written.
 */
static int32_t existing_skip(sp_index *index, sp_request *request, addition *a,
                             simplugin_error **error)
{
    uint64_t *missing;
    uint64_t missing_count, kept = 0, at = 0;
    sp_column unique;
    int32_t code;

    if (a->overwrite || !a->row_count ||
        (is_conditional(index, a) && (a->allow_existing || rows_fit(index, a, 0) == a->row_count)))
        return SIMPLUGIN_OK;
    if (!sp_column_gather(&a->ids, a->rows, a->row_count, &request->arena, &unique))
        return sp_error_no_memory(error);
    code = rows_by_presence(index, request, &unique, 0, &missing, &missing_count, error);
    if (code)
        return code;
    for (uint64_t i = 0; i < a->row_count; i++) {
        if (at < missing_count && missing[at] == i) {
            a->rows[kept++] = a->rows[i];
            at++;
        } else {
            a->there[a->there_count++] = a->rows[i];
        }
    }
    a->row_count = kept;
    return a->there_count && !a->allow_existing
               ? sp_error_ids(error, SIMPLUGIN_ALREADY_EXISTS, "index.add",
                              "in the index already: nothing was added (give overwrite or "
                              "allow_existing)",
                              &a->ids, a->there, a->there_count)
               : SIMPLUGIN_OK;
}

/* Takes down which of the rows sent the backend left: some of them, in the same order. */
static int32_t skipped_read(sp_index *index, const simplugin_reply *reply, addition *a,
                            uint64_t first, uint64_t count, simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(reply->body, reply->body_size);
    const simplugin_tensor *skipped = sp_reply_array(&map, reply, "skipped", SIMPLUGIN_INT64);
    uint64_t i = first;

    if (!skipped)
        return sp_reply_error(index, "points.upsert", "no \"skipped\"", error);
    for (uint64_t s = 0; s < skipped->rows; s++, i++) {
        while (i < first + count && (int64_t)a->rows[i] != ((const int64_t *)skipped->data)[s])
            i++;
        if (i == first + count)
            return sp_reply_error(index, "points.upsert", "skipped rows that were not sent", error);
        a->there[a->there_count++] = a->rows[i];
    }
    a->left += skipped->rows;
    return SIMPLUGIN_OK;
}

/* What the backend's ALREADY_EXISTS means for the call. */
static void exists_explain(const addition *a, simplugin_error **error)
{
    if (a->written)
        sp_error_prefix(error, "index.add: %llu of %llu rows were added before",
                        (unsigned long long)a->written, (unsigned long long)a->row_count);
    else
        sp_error_prefix(error, "index.add: nothing was added (give overwrite or allow_existing)");
}

static int32_t rows_send(sp_index *index, sp_request *request, addition *a, uint64_t count,
                         simplugin_error **error)
{
    uint64_t first = a->written;
    int all = first == 0 && count == a->ids.count && a->duplicates == DUPLICATES_FAIL;
    int conditional = is_conditional(index, a);
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    int64_t number;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 3 + (uint64_t)(a->fields.count != 0) + (uint64_t)!all +
                                     (uint64_t)conditional + (uint64_t)(a->parameters != NULL));
    sp_index_write_collection(index, &writer);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &a->ids);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &a->vectors);
    if (a->fields.count) {
        simplugin_write_string(&writer, "fields");
        sp_write_columns(&writer, &a->fields);
    }
    if (!all) {
        simplugin_write_string(&writer, "rows");
        sp_write_array(&writer, SIMPLUGIN_INT64, a->rows + first, count);
    }
    if (conditional) {
        simplugin_write_string(&writer, "existing");
        simplugin_write_string(&writer, a->allow_existing ? "skip" : "fail");
    }
    if (a->parameters) {
        simplugin_write_string(&writer, "parameters");
        sp_json_write(&writer, a->parameters);
    }
    code = sp_connection_send(index->connection, request->context, "points.upsert", &writer, &reply,
                              error);
    number = reply_number(&reply, "replaced");
    if (!code) {
        a->written += count;
        a->replaced = number < 0 || a->replaced < 0 ? -1 : a->replaced + number;
    }
    if (!code && conditional && a->allow_existing)
        code = skipped_read(index, &reply, a, first, count, error);
    if (code == SIMPLUGIN_ALREADY_EXISTS)
        exists_explain(a, error);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

/* Makes the collection where there is none and writes what is to be written. */
static int32_t addition_write(sp_index *index, sp_request *request, addition *a,
                              simplugin_error **error)
{
    int32_t code = rows_unique(request, a, error);

    a->replaced = 0;
    a->left = a->there_count = 0;
    if (!code && a->row_count)
        code = sp_index_make(index, a->vectors.cols, request->context, error);
    if (!code)
        code = existing_skip(index, request, a, error);
    while (!code && a->written < a->row_count) {
        code = rows_send(index, request, a, rows_fit(index, a, a->written), error);
        if (!code)
            sp_context_progress(request->context, a->written, a->row_count);
    }
    if (!code && a->replaced > (int64_t)(a->row_count - a->left))
        code = sp_reply_error(index, "points.upsert", "more rows replaced than sent", error);
    /* none of these rows was there when it was asked */
    if (a->replaced < 0 && !a->overwrite)
        a->replaced = 0;
    if (!code && a->there_count && a->warn_existing)
        sp_log(SIMPLUGIN_LOG_WARNING, "index.add: skipped %llu ids that are in the index",
               (unsigned long long)a->there_count);
    return code;
}

static int32_t addition_reply(sp_request *request, const addition *a, simplugin_error **error)
{
    uint64_t replaced = a->replaced < 0 ? 0 : (uint64_t)a->replaced;
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 4);
    simplugin_write_string(&writer, "added");
    simplugin_write_uint(&writer, a->row_count - a->left - replaced);
    simplugin_write_string(&writer, "updated");
    if (a->replaced < 0)
        simplugin_write_nil(&writer);
    else
        simplugin_write_uint(&writer, replaced);
    simplugin_write_string(&writer, "skipped");
    simplugin_write_uint(&writer, a->there_count);
    if (ids_write(&writer, "existing", &a->ids, a->there, a->there_count, request->reply))
        code = sp_request_finish(request, &writer, error);
    else
        code = sp_error_no_memory(error);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t sp_index_add(sp_index *index, sp_request *request, simplugin_error **error)
{
    addition a;
    int32_t code = addition_read(index, request, &a, error);

    if (!code)
        code = addition_write(index, request, &a, error);
    /* somebody dropped the collection meanwhile; what was written before that stays dropped */
    if (code == SIMPLUGIN_NOT_FOUND && !a.written) {
        code = sp_index_forget(index, request->context, error);
        if (!code)
            code = addition_write(index, request, &a, error);
    }
    if (!code)
        code = addition_reply(request, &a, error);
    json_decref(a.parameters);
    return code;
}

/* ---- set_fields ----------------------------------------------------------------------- */

int32_t sp_index_set_fields(sp_index *index, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    sp_columns fields = {0};
    sp_column ids;
    uint64_t *missing = NULL;
    uint64_t missing_count = 0;
    int present;
    int32_t code;

    simplugin_writer_init(&writer);
    code = sp_arg_ids(args, "ids", 0, &ids, &present, error);
    if (!code && !present)
        code = sp_arg_error(args, error, "ids", "is missing");
    if (!code)
        code = sp_arg_columns(args, "fields", ids.count, &fields, error);
    if (!code && !sp_arg_present(args, "fields"))
        code = sp_arg_error(args, error, "fields", "is missing");
    for (uint64_t i = 0; !code && i < fields.count; i++)
        if (strcmp(fields.names[i], SP_SAMPLE_ID) == 0)
            code = sp_arg_error(args, error, "fields", "\"" SP_SAMPLE_ID "\" cannot be changed");
    if (!code && !sp_connection_serves(index->connection, "points.set_fields"))
        code = sp_error_set(error, SIMPLUGIN_UNIMPLEMENTED, index->backend,
                            "index.set_fields: %s cannot change fields: add the points again",
                            index->backend);
    if (!code)
        code = rows_by_presence(index, request, &ids, 0, &missing, &missing_count, error);
    if (!code && missing_count < ids.count && fields.count) {
        simplugin_write_map(&writer, 3);
        sp_index_write_collection(index, &writer);
        simplugin_write_string(&writer, "ids");
        simplugin_write_column(&writer, &ids);
        simplugin_write_string(&writer, "fields");
        sp_write_columns(&writer, &fields);
        code = sp_connection_send(index->connection, request->context, "points.set_fields", &writer,
                                  &reply, error);
    }
    if (code)
        goto out;
    simplugin_writer_reset(&writer);
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "updated");
    simplugin_write_uint(&writer, ids.count - missing_count);
    if (!ids_write(&writer, "missing", &ids, missing, missing_count, request->reply))
        code = sp_error_no_memory(error);
    else
        code = sp_request_finish(request, &writer, error);
out:
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

/* ---- remove --------------------------------------------------------------------------- */

/* points.delete by ids, or all. */
static int32_t points_delete(sp_index *index, const sp_context *context, const sp_column *ids,
                             int64_t *deleted, simplugin_error **error)
{
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2);
    sp_index_write_collection(index, &writer);
    simplugin_write_string(&writer, ids ? "ids" : "all");
    if (ids)
        simplugin_write_column(&writer, ids);
    else
        simplugin_write_bool(&writer, 1);
    code = sp_connection_send(index->connection, context, "points.delete", &writer, &reply, error);
    *deleted = reply_number(&reply, "deleted");
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

/* Deletes page by page what a filter accepts; the ids are known before they go. */
static int32_t matching_delete(sp_index *index, sp_request *request, const sp_filter *filter,
                               uint64_t *removed, simplugin_error **error)
{
    sp_walk_spec spec = {.filter = filter};
    sp_walk walk;
    int more = 1;
    int32_t code = sp_walk_init(&walk, index, &spec, error);

    while (!code && more) {
        sp_arena *arena = NULL;
        sp_column ids;
        int64_t deleted;

        code = sp_walk_next(&walk, request->context, &more, error);
        if (!code && walk.row_count) {
            if (!sp_column_gather(&walk.page.ids, walk.rows, walk.row_count, &arena, &ids))
                code = sp_error_no_memory(error);
            else
                code = points_delete(index, request->context, &ids, &deleted, error);
            if (!code)
                *removed += deleted < 0 ? walk.row_count : (uint64_t)deleted;
        }
        sp_arena_free(&arena);
    }
    sp_walk_clear(&walk);
    return code;
}

/* Ids that are not there are an error, a warning, or nothing at all. */
static int32_t missing_tell(const char *what, const sp_column *ids, const uint64_t *missing,
                            uint64_t count, int allow_missing, int warn_missing,
                            simplugin_error **error)
{
    if (count && !allow_missing)
        return sp_error_ids(error, SIMPLUGIN_NOT_FOUND, what,
                            "not in the index: nothing was removed", ids, missing, count);
    if (count && warn_missing)
        sp_log(SIMPLUGIN_LOG_WARNING, "%s: %llu ids are not in the index", what,
               (unsigned long long)count);
    return SIMPLUGIN_OK;
}

/* By ids that are known to be there or not; missing ones are named. */
static int32_t ids_delete(sp_index *index, sp_request *request, const sp_column *ids,
                          int allow_missing, int warn_missing, uint64_t **missing,
                          uint64_t *missing_count, uint64_t *removed, simplugin_error **error)
{
    int64_t deleted = 0;
    int32_t code = rows_by_presence(index, request, ids, 0, missing, missing_count, error);

    if (code)
        return code;
    code = missing_tell("index.remove", ids, *missing, *missing_count, allow_missing, warn_missing,
                        error);
    if (code)
        return code;
    if (*missing_count < ids->count)
        code = points_delete(index, request->context, ids, &deleted, error);
    *removed = ids->count - *missing_count;
    return code;
}

/* Which of the sample ids no point has. */
static int32_t samples_missing(sp_index *index, sp_request *request, const sp_column *samples,
                               const sp_filter *filter, uint64_t **missing, uint64_t *count,
                               simplugin_error **error)
{
    const char *names[] = {SP_SAMPLE_ID};
    sp_walk_spec spec = {.want = {.fields = {.count = 1, .names = names}}, .filter = filter};
    uint8_t *seen = sp_arena_array(&request->arena, samples->count + 1, 1);
    sp_idmap map;
    sp_walk walk;
    int more = 1;
    int32_t code;

    *count = 0;
    *missing = sp_arena_array(&request->arena, samples->count + 1, sizeof **missing);
    if (!seen || !*missing || !sp_idmap_init(&map, samples, &request->arena))
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < samples->count; i++)
        sp_idmap_add(&map, i);
    code = sp_walk_init(&walk, index, &spec, error);
    while (!code && more) {
        sp_column column;
        int found = 0;

        code = sp_walk_next(&walk, request->context, &more, error);
        if (!code && walk.row_count)
            found = sp_points_samples(index, &walk.page, &column, error);
        if (found < 0)
            code = SIMPLUGIN_PROTOCOL;
        for (uint64_t i = 0; found == 1 && i < walk.row_count; i++) {
            uint64_t at = sp_idmap_find(&map, sp_column_text(&column, walk.rows[i]));

            if (at != SP_IDMAP_NONE)
                seen[at] = 1;
        }
    }
    sp_walk_clear(&walk);
    for (uint64_t i = 0; !code && i < samples->count; i++)
        if (!seen[i])
            (*missing)[(*count)++] = i;
    return code;
}

int32_t sp_index_remove(sp_index *index, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    int has_ids, has_samples, all = 0, allow_missing = 1, warn_missing = 0;
    sp_column ids, samples;
    const sp_column *named = NULL;
    sp_filter *filter = NULL;
    uint64_t *missing = NULL;
    uint64_t missing_count = 0, removed = 0;
    int64_t deleted = 0;
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    code = sp_arg_ids(args, "ids", 0, &ids, &has_ids, error);
    if (!code)
        code = sp_arg_ids(args, "sample_ids", 0, &samples, &has_samples, error);
    if (!code)
        code = sp_arg_filter(args, &filter, error);
    if (!code)
        code = sp_arg_bool(args, "all", &all, error);
    if (!code)
        code = sp_arg_bool(args, "allow_missing", &allow_missing, error);
    if (!code)
        code = sp_arg_bool(args, "warn_missing", &warn_missing, error);
    if (!code && has_ids + has_samples + (filter != NULL) + all != 1)
        code = sp_arg_error(args, error, "ids",
                            "give exactly one of ids, sample_ids, filter and all");
    if (!code && has_samples && !index->patches) {
        ids = samples;
        has_ids = 1;
        has_samples = 0;
    }
    if (code)
        goto out;
    if (has_ids) {
        named = &ids;
        code = ids_delete(index, request, &ids, allow_missing, warn_missing, &missing,
                          &missing_count, &removed, error);
    } else if (has_samples) {
        named = &samples;
        code = sp_filter_of_samples(&samples, &filter, error);
        if (!code)
            code = samples_missing(index, request, &samples, filter, &missing, &missing_count,
                                   error);
        if (!code)
            code = missing_tell("index.remove: sample_ids", &samples, missing, missing_count,
                                allow_missing, warn_missing, error);
        if (!code)
            code = matching_delete(index, request, filter, &removed, error);
    } else if (filter) {
        code = matching_delete(index, request, filter, &removed, error);
    } else if (atomic_load(&index->dimension)) {
        uint64_t before = 0;

        code = sp_index_count(index, request->context, &before, error);
        if (!code)
            code = points_delete(index, request->context, NULL, &deleted, error);
        removed = deleted < 0 ? before : (uint64_t)deleted;
    }
    if (code)
        goto out;
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "removed");
    simplugin_write_uint(&writer, removed);
    if (named && missing_count) {
        if (!ids_write(&writer, "missing", named, missing, missing_count, request->reply)) {
            code = sp_error_no_memory(error);
            goto out;
        }
    } else {
        simplugin_write_string(&writer, "missing");
        sp_write_no_ids(&writer);
    }
    code = sp_request_finish(request, &writer, error);
out:
    sp_filter_free(filter);
    simplugin_writer_clear(&writer);
    return code;
}

/* ---- size and upkeep ------------------------------------------------------------------ */

/* How many points a filter accepts, counted here where the backend cannot. */
static int32_t matching_count(sp_index *index, sp_request *request, const sp_filter *filter,
                              uint64_t *count, simplugin_error **error)
{
    sp_walk_spec spec = {.filter = filter};
    sp_walk walk;
    int more = 1;
    int32_t code = sp_walk_init(&walk, index, &spec, error);

    *count = 0;
    if (!code && !walk.rest && walk.pushed && !walk.done) {
        simplugin_reply reply = SP_REPLY_INIT;
        simplugin_writer writer;

        simplugin_writer_init(&writer);
        simplugin_write_map(&writer, 2);
        sp_index_write_collection(index, &writer);
        simplugin_write_string(&writer, "filter");
        sp_filter_encode(walk.pushed, &writer);
        code = sp_connection_send(index->connection, request->context, "points.count", &writer,
                                  &reply, error);
        if (!code && reply_number(&reply, "count") < 0)
            code = sp_reply_error(index, "points.count", "no \"count\"", error);
        if (!code)
            *count = (uint64_t)reply_number(&reply, "count");
        simplugin_reply_clear(&reply);
        simplugin_writer_clear(&writer);
        more = 0;
    }
    while (!code && more) {
        code = sp_walk_next(&walk, request->context, &more, error);
        if (!code)
            *count += walk.row_count;
    }
    sp_walk_clear(&walk);
    return code;
}

static int32_t number_reply(sp_request *request, const char *key, uint64_t number,
                            simplugin_error **error)
{
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, key);
    simplugin_write_uint(&writer, number);
    code = sp_request_finish(request, &writer, error);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t sp_index_size(sp_index *index, sp_request *request, simplugin_error **error)
{
    sp_filter *filter = NULL;
    uint64_t count = 0;
    int32_t code = sp_arg_filter(&request->args, &filter, error);

    if (!code)
        code = filter ? matching_count(index, request, filter, &count, error)
                      : sp_index_count(index, request->context, &count, error);
    sp_filter_free(filter);
    return code ? code : number_reply(request, "size", count, error);
}

/* Passes a method on that takes nothing but the collection and, perhaps, a path. */
static int32_t upkeep(sp_index *index, sp_request *request, const char *method, const char *path,
                      simplugin_error **error)
{
    simplugin_writer writer;
    int32_t code;

    if (!atomic_load(&index->dimension))
        return sp_error_set(error, SIMPLUGIN_NOT_FOUND, index->backend,
                            "%s: the index has no collection yet: add a point first",
                            request->args.method);
    if (!sp_connection_serves(index->connection, method))
        return sp_error_set(error, SIMPLUGIN_UNIMPLEMENTED, index->backend,
                            "%s: %s does not offer this", request->args.method, index->backend);
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, path ? 2 : 1);
    sp_index_write_collection(index, &writer);
    if (path) {
        simplugin_write_string(&writer, "path");
        simplugin_write_string(&writer, path);
    }
    code = sp_connection_send(index->connection, request->context, method, &writer, request->reply,
                              error);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t sp_index_check(sp_index *index, sp_request *request, simplugin_error **error)
{
    return upkeep(index, request, "collection.check", NULL, error);
}

int32_t sp_index_compact(sp_index *index, sp_request *request, simplugin_error **error)
{
    return upkeep(index, request, "collection.compact", NULL, error);
}

int32_t sp_index_backup(sp_index *index, sp_request *request, simplugin_error **error)
{
    const char *path;
    int32_t code = sp_arg_string(&request->args, "path", &path, error);

    if (!code && (!path || *path != '/'))
        code = sp_arg_error(&request->args, error, "path", "must be an absolute path");
    return code ? code : upkeep(index, request, "collection.backup", path, error);
}

int32_t sp_index_cleanup(sp_index *index, sp_request *request, simplugin_error **error)
{
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    int dropped = 0;
    int32_t code = SIMPLUGIN_OK;

    simplugin_writer_init(&writer);
    if (atomic_load(&index->dimension)) {
        simplugin_write_map(&writer, 1);
        sp_index_write_collection(index, &writer);
        code = sp_connection_send(index->connection, request->context, "collection.drop", &writer,
                                  &reply, error);
        dropped = !code;
        /* gone already is what was asked for */
        if (code == SIMPLUGIN_NOT_FOUND) {
            simplugin_error_free(error);
            code = SIMPLUGIN_OK;
        }
        if (!code)
            atomic_store(&index->dimension, 0);
    }
    if (!code) {
        simplugin_writer_reset(&writer);
        simplugin_write_map(&writer, 1);
        simplugin_write_string(&writer, "dropped");
        simplugin_write_bool(&writer, dropped);
        code = sp_request_finish(request, &writer, error);
    }
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}
