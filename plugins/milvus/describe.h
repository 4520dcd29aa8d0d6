/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters that the backend declares. */
#ifndef MILVUS_DESCRIBE_H
#define MILVUS_DESCRIBE_H

#include "plug_call.h"

/* Names of what open takes, space-separated, in memory of the call; NULL: no memory. */
const char *milvus_connection_keys(plug_call *call);

/* Names of what collection.create takes under "parameters". */
extern const char *const milvus_create_names[];
extern const uint64_t milvus_create_count;
/* Names of what searches take under "parameters". */
extern const char *const milvus_search_names[];
extern const uint64_t milvus_search_count;

#endif
