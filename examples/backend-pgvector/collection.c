/* SPDX-License-Identifier: Apache-2.0 */
#include "collection.h"

#include <stdio.h>

#include "instance.h"

#define NAME_BYTES 63
/* "simp": which of the database's advisory locks are ours */
#define LOCK_SPACE 0x73696d70

void pgv_table(pgv_call *call, pgv_sql *sql, const char *name)
{
    pgv_name(sql, call->instance->settings.schema);
    pgv_words(sql, ".");
    pgv_name(sql, name);
}

void pgv_points_table(pgv_call *call, pgv_sql *sql, const pgv_collection *collection)
{
    pgv_table(call, sql, collection->table);
    pgv_words(sql, " AS p");
}

const pgv_field *pgv_field_find(const pgv_collection *collection, const char *name)
{
    for (uint64_t i = 0; i < collection->field_count; i++)
        if (strcmp(collection->fields[i].name, name) == 0)
            return &collection->fields[i];
    return NULL;
}

const char *pgv_legal_name(pgv_call *call, const char *name, int attempt)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) + (uint64_t)attempt; /* FNV-1a */
    size_t size = strlen(name);
    char number[20];
    char *legal;

    if (size <= NAME_BYTES && !attempt)
        return name;
    for (const char *at = name; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    snprintf(number, sizeof number, "_%016llx", (unsigned long long)hash);
    if (size > NAME_BYTES - strlen(number))
        for (size = NAME_BYTES - strlen(number); (name[size] & 0xc0) == 0x80; size--)
            ; /* not inside of a character */
    legal = pgv_take(call, size + sizeof number, 1);
    if (legal) {
        memcpy(legal, name, size);
        memcpy(legal + size, number, strlen(number));
    }
    return legal;
}

int32_t pgv_lock(pgv_call *call)
{
    pgv_sql sql = {0};

    pgv_words(&sql, "SELECT pg_advisory_xact_lock(");
    pgv_bind_int64(&sql, LOCK_SPACE);
    pgv_words(&sql, "::int, hashtext(");
    pgv_bind_string(&sql, call->instance->settings.schema);
    pgv_words(&sql, "))");
    return pgv_run(call, &sql, NULL);
}

/* ---- looking it up -------------------------------------------------------------------------- */

static char *text_at(pgv_call *call, const PGresult *result, int row, int column)
{
    return pgv_take_text(call, PQgetvalue(result, row, column),
                         (uint64_t)PQgetlength(result, row, column));
}

static int64_t number_at(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? 0 : pgv_read_int64(PQgetvalue(result, row, column));
}

static int32_t fields_take(pgv_call *call, const PGresult *result, pgv_collection *collection)
{
    int rows = PQntuples(result);
    pgv_field *fields = pgv_take(call, (uint64_t)rows, sizeof *fields);

    if (!fields)
        return pgv_no_memory(call);
    for (int i = 0; i < rows; i++) {
        pgv_field *field = &fields[collection->field_count];

        if (PQgetisnull(result, i, 7))
            continue; /* there is no field at all */
        field->name = text_at(call, result, i, 7);
        field->column = text_at(call, result, i, 8);
        field->type =
            pgv_type_of_name(PQgetvalue(result, i, 9), (uint64_t)PQgetlength(result, i, 9));
        if (!field->name || !field->column)
            return pgv_no_memory(call);
        if (!field->type)
            return pgv_fail(call, SIMPLUGIN_VERSION_TOO_NEW, "its field \"%s\" has an unknown type",
                            field->name);
        collection->field_count++;
    }
    collection->fields = fields;
    return SIMPLUGIN_OK;
}

static int32_t storage_take(pgv_call *call, const char *storage, pgv_collection *collection)
{
    int32_t code = SIMPLUGIN_OK;

    if (strcmp(storage, "vector") != 0)
        return SIMPLUGIN_OK;
    if (!call->connection->vector_type) /* it may be newer than the session */
        code = pgv_connection_look(call);
    if (!code && !call->connection->vector_type)
        code =
            pgv_fail(call, SIMPLUGIN_CORRUPT,
                     "its vectors are of a type that the database has not: where is the extension "
                     "vector?");
    collection->vector_type = call->connection->vector_type;
    return code;
}

static int32_t collection_take(pgv_call *call, const PGresult *result, pgv_collection *collection)
{
    const char *metric = text_at(call, result, 0, 2);
    const char *storage = text_at(call, result, 0, 3);
    int place = metric ? pgv_metric_find(metric) : -1;
    int32_t code;

    collection->table = text_at(call, result, 0, 0);
    collection->dimension = (uint64_t)number_at(result, 0, 1);
    collection->id = text_at(call, result, 0, 4);
    collection->hnsw_m = number_at(result, 0, 5);
    collection->hnsw_ef_construction = number_at(result, 0, 6);
    if (!metric || !storage || !collection->table || !collection->id)
        return pgv_no_memory(call);
    if (place < 0)
        return pgv_fail(call, SIMPLUGIN_VERSION_TOO_NEW, "its metric \"%s\" is unknown", metric);
    collection->metric = (pgv_metric)place;
    code = fields_take(call, result, collection);
    return code ? code : storage_take(call, storage, collection);
}

int32_t pgv_is_relation(pgv_call *call, const char *name, int *is_there)
{
    pgv_sql sql = {0};
    PGresult *result;
    int32_t code;

    pgv_words(&sql, "SELECT to_regclass(quote_ident(");
    pgv_bind_string(&sql, call->instance->settings.schema);
    pgv_words(&sql, ") || '.' || quote_ident(");
    pgv_bind_string(&sql, name);
    pgv_words(&sql, ")) IS NOT NULL");
    code = pgv_run(call, &sql, &result);
    if (!code) {
        *is_there = *PQgetvalue(result, 0, 0) != 0;
        PQclear(result);
    }
    return code;
}

static int32_t not_found(pgv_call *call)
{
    return pgv_fail(call, SIMPLUGIN_NOT_FOUND, "there is none in the schema \"%s\"",
                    call->instance->settings.schema);
}

static int32_t collection_ask(pgv_call *call, PGresult **result)
{
    pgv_sql sql = {0};

    pgv_words(&sql,
              "SELECT c.table_name, c.dimension::bigint, c.metric, c.storage, c.id::text, "
              "c.hnsw_m::bigint, c.hnsw_ef_construction::bigint, f.field, f.column_name, f.type "
              "FROM ");
    pgv_table(call, &sql, PGV_CATALOGUE);
    pgv_words(&sql, " c LEFT JOIN ");
    pgv_table(call, &sql, PGV_FIELDS);
    pgv_words(&sql, " f ON f.collection = c.name WHERE c.name = ");
    pgv_bind_string(&sql, call->collection);
    pgv_words(&sql, " ORDER BY f.field");
    return pgv_run(call, &sql, result);
}

int32_t pgv_collection_find(pgv_call *call, pgv_collection *collection)
{
    PGresult *result;
    int is_there = 0;
    int32_t code = pgv_is_relation(call, PGV_CATALOGUE, &is_there);

    memset(collection, 0, sizeof *collection);
    if (code)
        return code;
    if (!is_there)
        return not_found(call);
    code = collection_ask(call, &result);
    if (code)
        return code;
    code = PQntuples(result) ? collection_take(call, result, collection) : not_found(call);
    PQclear(result);
    return code;
}

int32_t pgv_collection_is_there(pgv_call *call, int *is_there)
{
    pgv_sql sql = {0};
    PGresult *result;
    int32_t code = pgv_is_relation(call, PGV_CATALOGUE, is_there);

    if (code || !*is_there)
        return code;
    pgv_words(&sql, "SELECT 1 FROM ");
    pgv_table(call, &sql, PGV_CATALOGUE);
    pgv_words(&sql, " WHERE name = ");
    pgv_bind_string(&sql, call->collection);
    code = pgv_run(call, &sql, &result);
    if (code)
        return code;
    *is_there = PQntuples(result) > 0;
    PQclear(result);
    return SIMPLUGIN_OK;
}
