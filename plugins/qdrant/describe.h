/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters that the backend declares, and how those of requests are read. */
#ifndef QDRANT_DESCRIBE_H
#define QDRANT_DESCRIBE_H

#include <jansson.h>

#include "plug_call.h"

/* Hits of one query, at most; beyond that the core goes through all points. */
#define QDRANT_MAX_K (INT64_C(1) << 20)

/* Names of what open takes, space-separated, in memory of the call; NULL: no memory. */
const char *qdrant_connection_keys(plug_call *call);

/* Names of what collection.create takes under "parameters". */
extern const char *const qdrant_create_names[];
extern const uint64_t qdrant_create_count;
/* Names of what searches take under "parameters". */
extern const char *const qdrant_search_names[];
extern const uint64_t qdrant_search_count;

/*
 * "parameters" of collection.create, checked: *config is an object with those that the user
 * set and the server takes, as members of the request's body (shard_number, hnsw_config,
 * ...); collection_name and metric are not among them. To be freed by json_decref.
 */
int32_t qdrant_creation_read(plug_call *call, json_t **config);

/* "parameters" of a search. */
typedef struct qdrant_searching {
    int64_t hnsw_ef;         /* 0: not given */
    int exact;               /* -1: not given */
    int indexed_only;        /* -1: not given */
    const char *consistency; /* for the query of the path; NULL: not given */
} qdrant_searching;

int32_t qdrant_searching_read(plug_call *call, qdrant_searching *searching);

#endif
