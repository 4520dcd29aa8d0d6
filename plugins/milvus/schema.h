/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a collection is: its fields, which of them are key and vector, its index. Asked for
 * once and kept by the instance; immutable, shared between calls by counting its users.
 */
#ifndef MILVUS_SCHEMA_H
#define MILVUS_SCHEMA_H

#include <stdatomic.h>

#include "plug_call.h"

/* Types of fields, as Milvus numbers them. */
#define MILVUS_BOOL 1
#define MILVUS_INT8 2
#define MILVUS_INT16 3
#define MILVUS_INT32 4
#define MILVUS_INT64 5
#define MILVUS_FLOAT 10
#define MILVUS_DOUBLE 11
#define MILVUS_STRING 20
#define MILVUS_VARCHAR 21
#define MILVUS_ARRAY 22
#define MILVUS_JSON 23
#define MILVUS_BINARY_VECTOR 100
#define MILVUS_FLOAT_VECTOR 101

#define MILVUS_STRONG 0
#define MILVUS_SESSION 1
#define MILVUS_BOUNDED 2
#define MILVUS_EVENTUALLY 3

/* What collections made here look like; FiftyOne's look the same. */
#define MILVUS_PK "pk"
#define MILVUS_VECTOR "vector"
#define MILVUS_SAMPLE_ID "sample_id"
#define MILVUS_TEXT_BYTES 64000
#define MILVUS_DYNAMIC "$meta"
#define MILVUS_PROPERTY "simplugin" /* of the collection: what was declared */
#define MILVUS_DEFAULT_PARTITION "_default"

typedef struct milvus_field {
    const char *name;
    int32_t type;         /* MILVUS_... */
    int32_t element_type; /* of MILVUS_ARRAY */
    int nullable;
    uint64_t dimension;   /* of vectors; 0 for others */
    uint64_t max_length;  /* of texts, and those in arrays; 0: not said */
} milvus_field;

typedef struct milvus_schema {
    atomic_uint users;
    struct milvus_schema *next; /* the instance's */
    sp_arena *memory;
    const char *name;           /* as it was asked for, possibly an alias */
    int64_t collection_id;
    uint64_t field_count;
    const milvus_field *fields;
    const milvus_field *key;
    const milvus_field *vector;
    int auto_id;
    int has_dynamic;            /* fields that are not in the schema can be stored */
    int has_sample_id;          /* laid out as FiftyOne does */
    int is_ours;                /* made here: what it was made for is known */
    int is_patches;             /* that was patches: sample ids say something */
    uint64_t declared_count;    /* fields that were declared when it was made here */
    const milvus_field *declared; /* .type is a column type, such as SP_TEXT */
    const char *metric;         /* ours: "cosine", ...; NULL: there is no index, or one by a
                                   metric that is none of ours */
    const char *server_metric;  /* that of the index in Milvus' words; "": there is none */
    const char *property;       /* MILVUS_PROPERTY as it is; NULL: there is none */
    const char *kept_metric;    /* what that says the metric was; NULL: nothing */
    const char *index_type;     /* "HNSW", ...; "" : there is no index */
    const char *index_name;
    uint64_t index_param_count; /* pairs of name and value as the server tells them */
    const char *const *index_params;
    int32_t consistency;
    uint64_t alias_count;
    const char *const *aliases;
} milvus_schema;

/* A field of that name; NULL: there is none. */
const milvus_field *milvus_schema_field(const milvus_schema *schema, const char *name);
/* The column type of a field's values, 0 for vectors and what has none. */
uint32_t milvus_field_column(const milvus_field *field);
/*
 * A dynamic field's key in JSON, in memory of the call: the name, but that Milvus keeps
 * "$meta" for itself, so that names that are "meta" behind dollars get one more of these.
 * NULL: no memory.
 */
const char *milvus_dynamic_key(plug_call *call, const char *name, size_t size);
/* The other way round: a part of the key. */
const char *milvus_dynamic_name(const char *key);
/* How many bytes of the key stand in front of that. */
size_t milvus_dynamic_skip(const char *key, size_t size);

/* "VARCHAR", ...; "?" for what is unknown. */
const char *milvus_type_name(int32_t type);
/* The other way round; 0: there is none of that name. */
int32_t milvus_type_of(const char *name);

#endif
