/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the catalogue says of a collection. A collection is a table of the schema: "id", "vector"
 * and a column for each field. Two tables beside it tell which these are:
 *
 *   simplugin_collections   name, id, table_name, dimension, metric, storage, hnsw_m, ...
 *   simplugin_fields        collection, field, column_name, type
 *
 * Tables and columns bear the names of collections and fields wherever they can. It is asked at
 * the beginning of every call: another program may have changed it.
 */
#ifndef PGV_COLLECTION_H
#define PGV_COLLECTION_H

#include "args.h"
#include "metric.h"

typedef struct pgv_field {
    const char *name;
    const char *column;
    uint32_t type; /* SIMPLUGIN_COLUMN_... */
} pgv_field;

typedef struct pgv_collection {
    const char *table; /* in the schema */
    const char *id;    /* no two collections have the same */
    uint64_t dimension;
    pgv_metric metric;
    uint32_t vector_type; /* 0: the column vector is real[] */
    int64_t hnsw_m;       /* 0: there is no index */
    int64_t hnsw_ef_construction;
    const pgv_field *fields;
    uint64_t field_count;
} pgv_collection;

/* The one that the call names, or NOT_FOUND. */
int32_t pgv_collection_find(pgv_call *call, pgv_collection *collection);
/* Whether the schema has a table, view or index of that name. */
int32_t pgv_is_relation(pgv_call *call, const char *name, int *is_there);
/* Its name does not tell anything: 1 if there is one. */
int32_t pgv_collection_is_there(pgv_call *call, int *is_there);
const pgv_field *pgv_field_find(const pgv_collection *collection, const char *name);

/* "schema"."name" */
void pgv_table(pgv_call *call, pgv_sql *sql, const char *name);
/* The same of a collection, as p. */
void pgv_points_table(pgv_call *call, pgv_sql *sql, const pgv_collection *collection);

/*
 * A legal name made of any: itself, cut where PostgreSQL would, and from the second attempt on (or
 * where it was cut) with a number that follows from all of it.
 */
const char *pgv_legal_name(pgv_call *call, const char *name, int attempt);

/* One at a time makes and changes tables; until the transaction ends. */
int32_t pgv_lock(pgv_call *call);

/* In a transaction: columns for fields that there are none for yet. Finds the collection again. */
int32_t pgv_fields_add(pgv_call *call, pgv_collection *collection, const pgv_field *fields,
                       uint64_t count);

#define PGV_CATALOGUE "simplugin_collections"
#define PGV_FIELDS "simplugin_fields"

#endif
