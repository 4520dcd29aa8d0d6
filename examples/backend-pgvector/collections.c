/* SPDX-License-Identifier: Apache-2.0 */
/* The methods on whole collections. */
#include <stdio.h>

#include "collection.h"
#include "hnsw.h"
#include "instance.h"

#define ATTEMPTS 16

/* ---- which there are ------------------------------------------------------------------------ */

int32_t pgv_collection_list(pgv_call *call)
{
    pgv_sql sql = {0};
    PGresult *result = NULL;
    int is_there = 0;
    int32_t code = pgv_is_relation(call, PGV_CATALOGUE, &is_there);

    if (!code && is_there) {
        pgv_words(&sql, "SELECT name FROM ");
        pgv_table(call, &sql, PGV_CATALOGUE);
        pgv_words(&sql, " ORDER BY name");
        code = pgv_run(call, &sql, &result);
    }
    if (code)
        return code;
    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "collections");
    simplugin_write_array(&call->out, result ? (uint64_t)PQntuples(result) : 0);
    for (int i = 0; result && i < PQntuples(result); i++)
        simplugin_write_text(&call->out, PQgetvalue(result, i, 0),
                             (uint64_t)PQgetlength(result, i, 0));
    PQclear(result);
    return SIMPLUGIN_OK;
}

int32_t pgv_collection_exists(pgv_call *call)
{
    int is_there = 0;
    int32_t code = pgv_collection_is_there(call, &is_there);

    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "exists");
    simplugin_write_bool(&call->out, is_there);
    return code;
}

/* ---- making one ----------------------------------------------------------------------------- */

typedef struct creation_plan {
    int64_t dimension;
    int metric;
    int is_vector;
    pgv_hnsw hnsw;
    pgv_field *fields;
    uint64_t field_count;
} creation_plan;

static int32_t metric_read(pgv_call *call, const simplugin_value *parameters, int *metric)
{
    const char *text;
    uint64_t size;
    char *name;
    int found = simplugin_find_text(&call->body, "metric", &text, &size);

    *metric = PGV_COSINE;
    if (!found)
        found = simplugin_find_text(parameters, "metric", &text, &size);
    if (!found)
        return SIMPLUGIN_OK;
    name = found > 0 ? pgv_take_text(call, text, size) : NULL;
    *metric = name && strlen(name) == size ? pgv_metric_find(name) : -1;
    if (*metric < 0)
        return pgv_fail_argument(call, "metric",
                                 "unknown metric \"%.100s\"; known: cosine, dotproduct, euclidean",
                                 name ? name : "");
    return SIMPLUGIN_OK;
}

static int32_t storage_read(pgv_call *call, const simplugin_value *parameters, creation_plan *plan)
{
    simplugin_value storage;
    int32_t code = SIMPLUGIN_OK;
    int found = simplugin_find(parameters, "storage", &storage);

    plan->is_vector = 0;
    if (found && simplugin_value_is(&storage, "array"))
        return SIMPLUGIN_OK;
    if (found && !simplugin_value_is(&storage, "auto") && !simplugin_value_is(&storage, "vector"))
        return pgv_fail_argument(call, "storage", "storage is auto, vector or array");
    if (!call->connection->vector_type) /* it may be newer than the session */
        code = pgv_connection_look(call);
    plan->is_vector = call->connection->vector_type != 0;
    if (!code && found && simplugin_value_is(&storage, "vector") && !plan->is_vector)
        code =
            pgv_fail_argument(call, "storage",
                              "the database has no extension vector: CREATE EXTENSION vector makes "
                              "it, where pgvector is installed");
    return code;
}

static int32_t fields_read(pgv_call *call, creation_plan *plan)
{
    simplugin_value map, key, value;
    simplugin_iter iter;

    plan->field_count = 0;
    if (!simplugin_find(&call->body, "fields", &map))
        return SIMPLUGIN_OK;
    if (map.type != SIMPLUGIN_MAP)
        return pgv_fail_argument(call, "fields", "fields is a map from name to type");
    plan->fields = pgv_take(call, map.size, sizeof *plan->fields);
    if (!plan->fields)
        return pgv_no_memory(call);
    iter = simplugin_iterate(&map);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        pgv_field *field = &plan->fields[plan->field_count++];

        field->name = pgv_take_text(call, key.data, key.size);
        if (!field->name)
            return pgv_no_memory(call);
        field->type = value.type == SIMPLUGIN_TEXT
                          ? pgv_type_of_name((const char *)value.data, value.size)
                          : 0;
        if (!key.size || key.size > 255 || strlen(field->name) != key.size || !field->type)
            return pgv_fail_argument(
                call, "fields",
                "fields: \"%.255s\" needs a name of 1 to 255 bytes and a type: "
                "text, int64, float64, bool or list<...> of one of these",
                field->name);
    }
    return SIMPLUGIN_OK;
}

static int32_t plan_read(pgv_call *call, creation_plan *plan)
{
    simplugin_value parameters = {0};
    int32_t code;

    memset(plan, 0, sizeof *plan);
    code = pgv_arg_parameters(call, pgv_creation_keys, &parameters);
    if (!code)
        code = pgv_arg_int(call, "dimension", 1, PGV_DIMENSION_MAX, &plan->dimension);
    if (!code && !plan->dimension)
        code = pgv_fail_argument(call, "dimension", "dimension is needed");
    if (!code)
        code = metric_read(call, &parameters, &plan->metric);
    if (!code)
        code = storage_read(call, &parameters, plan);
    if (!code)
        code = pgv_hnsw_read(call, &parameters, 0, &plan->hnsw);
    if (!code)
        code = pgv_hnsw_check(call, &plan->hnsw, plan->is_vector, (uint64_t)plan->dimension);
    return code ? code : fields_read(call, plan);
}

/* A schema that somebody else has made need not let us make another. */
static int32_t schema_make(pgv_call *call)
{
    const char *schema = call->instance->settings.schema;
    pgv_sql sql = {0};
    PGresult *result;
    int is_missing;
    int32_t code;

    pgv_words(&sql, "SELECT to_regnamespace(quote_ident(");
    pgv_bind_string(&sql, schema);
    pgv_words(&sql, ")) IS NULL");
    code = pgv_run(call, &sql, &result);
    if (code)
        return code;
    is_missing = *PQgetvalue(result, 0, 0);
    PQclear(result);
    if (!is_missing)
        return SIMPLUGIN_OK;
    pgv_words(&sql, "CREATE SCHEMA ");
    pgv_name(&sql, schema);
    return pgv_run(call, &sql, NULL);
}

static int32_t catalogue_make(pgv_call *call)
{
    pgv_sql sql = {0};
    int is_there = 0;
    int32_t code = schema_make(call);

    if (!code)
        code = pgv_is_relation(call, PGV_FIELDS, &is_there);
    if (code || is_there)
        return code;
    pgv_words(&sql, "CREATE TABLE ");
    pgv_table(call, &sql, PGV_CATALOGUE);
    pgv_words(&sql,
              " (name text COLLATE \"C\" PRIMARY KEY, id uuid NOT NULL DEFAULT gen_random_uuid(), "
              "table_name text NOT NULL, dimension integer NOT NULL, metric text NOT NULL, "
              "storage text NOT NULL, hnsw_m integer, hnsw_ef_construction integer, "
              "created timestamptz NOT NULL DEFAULT now())");
    code = pgv_run(call, &sql, NULL);
    if (code)
        return code;
    pgv_words(&sql, "CREATE TABLE ");
    pgv_table(call, &sql, PGV_FIELDS);
    pgv_words(&sql, " (collection text COLLATE \"C\" NOT NULL REFERENCES ");
    pgv_table(call, &sql, PGV_CATALOGUE);
    pgv_words(&sql, " ON DELETE CASCADE, field text COLLATE \"C\", column_name text NOT NULL, "
                    "type text NOT NULL, PRIMARY KEY (collection, field))");
    return pgv_run(call, &sql, NULL);
}

/* A name that no table, index or view of the schema has. */
static int32_t table_choose(pgv_call *call, const char **table)
{
    int is_taken = 1;
    int32_t code = SIMPLUGIN_OK;

    for (int attempt = 0; !code && is_taken && attempt < ATTEMPTS; attempt++) {
        *table = pgv_legal_name(call, call->collection, attempt);
        code = *table ? pgv_is_relation(call, *table, &is_taken) : pgv_no_memory(call);
    }
    if (!code && is_taken)
        code = pgv_fail(call, SIMPLUGIN_ALREADY_EXISTS, "other tables have all its names");
    return code;
}

static int32_t catalogue_enter(pgv_call *call, const creation_plan *plan, const char *table)
{
    pgv_sql sql = {0};

    pgv_words(&sql, "INSERT INTO ");
    pgv_table(call, &sql, PGV_CATALOGUE);
    pgv_words(&sql, " (name, table_name, dimension, metric, storage) VALUES (");
    pgv_bind_string(&sql, call->collection);
    pgv_words(&sql, ", ");
    pgv_bind_string(&sql, table);
    pgv_words(&sql, ", ");
    pgv_bind_int64(&sql, plan->dimension);
    pgv_words(&sql, ", ");
    pgv_bind_string(&sql, pgv_metric_names[plan->metric]);
    pgv_words(&sql, ", ");
    pgv_bind_string(&sql, plan->is_vector ? "vector" : "array");
    pgv_words(&sql, ")");
    return pgv_run(call, &sql, NULL);
}

static int32_t table_make(pgv_call *call, const creation_plan *plan, const char *table)
{
    pgv_sql sql = {0};
    char dimension[32];

    pgv_words(&sql, "CREATE TABLE ");
    pgv_table(call, &sql, table);
    pgv_words(&sql, " (id text COLLATE \"C\" PRIMARY KEY, vector ");
    if (plan->is_vector) {
        pgv_name(&sql, call->connection->vector_schema);
        snprintf(dimension, sizeof dimension, ".vector(%lld)", (long long)plan->dimension);
        pgv_words(&sql, dimension);
    } else {
        pgv_words(&sql, "real[]");
    }
    pgv_words(&sql, " NOT NULL)");
    return pgv_run(call, &sql, NULL);
}

int32_t pgv_collection_create(pgv_call *call)
{
    pgv_collection collection;
    const char *table = NULL;
    creation_plan plan;
    int is_there = 0;
    int32_t code = plan_read(call, &plan);

    if (!code)
        code = pgv_command(call, "BEGIN");
    if (!code)
        code = pgv_lock(call);
    if (!code)
        code = catalogue_make(call);
    if (!code)
        code = pgv_collection_is_there(call, &is_there);
    if (!code && is_there)
        code = pgv_fail(call, SIMPLUGIN_ALREADY_EXISTS, "it is there already");
    if (!code)
        code = table_choose(call, &table);
    if (!code)
        code = catalogue_enter(call, &plan, table);
    if (!code)
        code = table_make(call, &plan, table);
    if (!code)
        code = pgv_collection_find(call, &collection);
    if (!code && plan.field_count)
        code = pgv_fields_add(call, &collection, plan.fields, plan.field_count);
    if (!code && plan.hnsw.m)
        code = pgv_hnsw_build(call, &collection, &plan.hnsw);
    if (!code)
        code = pgv_command(call, "COMMIT");
    simplugin_write_map(&call->out, 1);
    simplugin_write_string(&call->out, "collection");
    simplugin_write_string(&call->out, call->collection);
    return code;
}

int32_t pgv_collection_drop(pgv_call *call)
{
    pgv_collection collection;
    pgv_sql sql = {0};
    int32_t code = pgv_command(call, "BEGIN");

    if (!code)
        code = pgv_lock(call);
    if (!code)
        code = pgv_collection_find(call, &collection);
    if (code)
        return code;
    pgv_words(&sql, "DROP TABLE IF EXISTS ");
    pgv_table(call, &sql, collection.table);
    code = pgv_run(call, &sql, NULL);
    if (code)
        return code;
    pgv_words(&sql, "DELETE FROM ");
    pgv_table(call, &sql, PGV_CATALOGUE);
    pgv_words(&sql, " WHERE name = ");
    pgv_bind_string(&sql, call->collection);
    code = pgv_run(call, &sql, NULL);
    if (!code)
        code = pgv_command(call, "COMMIT");
    if (!code)
        pgv_views_forget(&call->instance->views, call->collection);
    return code;
}

/* ---- what one is ---------------------------------------------------------------------------- */

static int32_t points_count(pgv_call *call, const pgv_collection *collection, int64_t *count)
{
    pgv_sql sql = {0};
    PGresult *result;
    int32_t code;

    pgv_words(&sql, "SELECT count(*) FROM ");
    pgv_points_table(call, &sql, collection);
    code = pgv_run(call, &sql, &result);
    if (!code) {
        *count = pgv_read_int64(PQgetvalue(result, 0, 0));
        PQclear(result);
    }
    return code;
}

int32_t pgv_collection_describe(pgv_call *call)
{
    simplugin_writer *out = &call->out;
    pgv_collection collection;
    const pgv_field *sample_id;
    int64_t count = 0;
    int32_t code = pgv_collection_find(call, &collection);

    if (!code)
        code = points_count(call, &collection, &count);
    if (code)
        return code;
    sample_id = pgv_field_find(&collection, "sample_id");
    simplugin_write_map(out, 8);
    simplugin_write_string(out, "collection");
    simplugin_write_string(out, call->collection);
    pgv_write_count(call, "dimension", collection.dimension);
    simplugin_write_string(out, "metric");
    simplugin_write_string(out, pgv_metric_names[collection.metric]);
    pgv_write_count(call, "count", (uint64_t)count);
    simplugin_write_string(out, "id_mode");
    simplugin_write_string(out, "native");
    simplugin_write_string(out, "patches");
    simplugin_write_bool(out, sample_id && sample_id->type == SIMPLUGIN_COLUMN_TEXT);
    simplugin_write_string(out, "fields");
    simplugin_write_map(out, collection.field_count);
    for (uint64_t i = 0; i < collection.field_count; i++) {
        simplugin_write_string(out, collection.fields[i].name);
        simplugin_write_string(out, pgv_type_name(collection.fields[i].type));
    }
    simplugin_write_string(out, "attributes");
    simplugin_write_map(out, 5);
    simplugin_write_string(out, "id");
    simplugin_write_string(out, collection.id);
    simplugin_write_string(out, "schema");
    simplugin_write_string(out, call->instance->settings.schema);
    simplugin_write_string(out, "table");
    simplugin_write_string(out, collection.table);
    simplugin_write_string(out, "storage");
    simplugin_write_string(out, collection.vector_type ? "vector" : "array");
    simplugin_write_string(out, "index_type");
    simplugin_write_string(out, collection.hnsw_m ? "hnsw" : "none");
    return SIMPLUGIN_OK;
}
