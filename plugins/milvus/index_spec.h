/* SPDX-License-Identifier: Apache-2.0 */
/* Index types and their parameters, checked before a server sees them. */
#ifndef MILVUS_INDEX_SPEC_H
#define MILVUS_INDEX_SPEC_H

#include "call.h"

#define MILVUS_INDEX_PARAMS 4

/* An index to be made. */
typedef struct milvus_index_spec {
    const char *type;   /* as Milvus calls it */
    const char *metric; /* as Milvus calls it */
    char params[160];   /* JSON */
} milvus_index_spec;

/* Of the parameters of a search, those its index takes, as JSON. */
typedef struct milvus_search_params {
    char json[96];
} milvus_search_params;

/*
 * From the map "parameters" of a request: index_type and what this type takes. The values
 * of an unknown type or parameter, or out of range, are errors that say what is known.
 */
int32_t milvus_index_spec_read(plug_call *call, const simplugin_value *parameters,
                               const char *metric, milvus_index_spec *spec);
/*
 * Those of nprobe and ef that the index type takes; ef is never below k, and where it is
 * not given four times k. What another type
 * takes is left out: one set of parameters serves every index.
 */
int32_t milvus_search_params_read(plug_call *call, const simplugin_value *parameters,
                                  const char *index_type, uint64_t k,
                                  milvus_search_params *params);
/* Those with which an index of that type finds the most that it can. */
void milvus_search_params_thorough(const char *index_type, milvus_search_params *params);

#endif
