/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that a collection has not had so far become columns of its table. */
#include "collection.h"

#define ATTEMPTS 16

static int is_taken(const char *column, const pgv_collection *collection, const pgv_field *others,
                    uint64_t count)
{
    static const char *const fixed[] = {"id",   "vector", "tableoid", "xmin",
                                        "cmin", "xmax",   "cmax",     "ctid"};

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (strcmp(fixed[i], column) == 0)
            return 1;
    for (uint64_t i = 0; i < collection->field_count; i++)
        if (strcmp(collection->fields[i].column, column) == 0)
            return 1;
    for (uint64_t i = 0; i < count; i++)
        if (strcmp(others[i].column, column) == 0)
            return 1;
    return 0;
}

/* Those that are new, with names for their columns. */
static int32_t fields_choose(pgv_call *call, const pgv_collection *collection,
                             const pgv_field *wanted, uint64_t count, pgv_field *chosen,
                             uint64_t *chosen_count)
{
    *chosen_count = 0;
    for (uint64_t i = 0; i < count; i++) {
        const pgv_field *there = pgv_field_find(collection, wanted[i].name);
        pgv_field *field = &chosen[*chosen_count];
        int attempt = 0;

        if (there && there->type != wanted[i].type)
            return pgv_fail_argument(call, "fields", "fields: \"%s\" is of type %s, not %s",
                                     there->name, pgv_type_name(there->type),
                                     pgv_type_name(wanted[i].type));
        if (there)
            continue;
        *field = wanted[i];
        do {
            field->column = pgv_legal_name(call, field->name, attempt);
            if (!field->column)
                return pgv_no_memory(call);
        } while (is_taken(field->column, collection, chosen, *chosen_count) &&
                 ++attempt < ATTEMPTS);
        ++*chosen_count;
    }
    return SIMPLUGIN_OK;
}

static int32_t columns_add(pgv_call *call, const pgv_collection *collection,
                           const pgv_field *fields, uint64_t count)
{
    pgv_sql sql = {0};

    pgv_words(&sql, "ALTER TABLE ");
    pgv_table(call, &sql, collection->table);
    for (uint64_t i = 0; i < count; i++) {
        pgv_words(&sql, i ? ", ADD COLUMN " : " ADD COLUMN ");
        pgv_name(&sql, fields[i].column);
        pgv_words(&sql, " ");
        pgv_words(&sql, pgv_type_sql(fields[i].type));
    }
    return pgv_run(call, &sql, NULL);
}

static int32_t catalogue_add(pgv_call *call, const pgv_field *fields, uint64_t count)
{
    pgv_sql sql = {0};

    pgv_words(&sql, "INSERT INTO ");
    pgv_table(call, &sql, PGV_FIELDS);
    pgv_words(&sql, " (collection, field, column_name, type) VALUES ");
    for (uint64_t i = 0; i < count; i++) {
        pgv_words(&sql, i ? ", (" : "(");
        pgv_bind_string(&sql, call->collection);
        pgv_words(&sql, ", ");
        pgv_bind_string(&sql, fields[i].name);
        pgv_words(&sql, ", ");
        pgv_bind_string(&sql, fields[i].column);
        pgv_words(&sql, ", ");
        pgv_bind_string(&sql, pgv_type_name(fields[i].type));
        pgv_words(&sql, ")");
    }
    return pgv_run(call, &sql, NULL);
}

int32_t pgv_fields_add(pgv_call *call, pgv_collection *collection, const pgv_field *wanted,
                       uint64_t count)
{
    pgv_field *chosen = pgv_take(call, count, sizeof *chosen);
    uint64_t chosen_count = 0;
    int32_t code = chosen ? pgv_lock(call) : pgv_no_memory(call);

    if (!code) /* somebody may have added them before we had the lock */
        code = pgv_collection_find(call, collection);
    if (!code)
        code = fields_choose(call, collection, wanted, count, chosen, &chosen_count);
    if (code || !chosen_count)
        return code;
    code = columns_add(call, collection, chosen, chosen_count);
    if (!code)
        code = catalogue_add(call, chosen, chosen_count);
    return code ? code : pgv_collection_find(call, collection);
}
