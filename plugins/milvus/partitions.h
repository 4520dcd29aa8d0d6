/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions of a collection, and its index. */
#ifndef MILVUS_PARTITIONS_H
#define MILVUS_PARTITIONS_H

#include "index_spec.h"

typedef struct milvus_partitions {
    const char *const *names;
    uint64_t count; /* 0: all */
} milvus_partitions;

/* "partitions" of a map: an array of names; absent: all. In memory of the call. */
int32_t milvus_partitions_read(plug_call *call, const simplugin_value *map,
                               milvus_partitions *partitions);

/* Partitions may begin with a digit, unlike everything else. */
int32_t milvus_partition_check(plug_call *call, const char *given);

/* Makes an index of a field of the call's collection. */
int32_t milvus_index_send(milvus_call *call, const char *field, const milvus_index_spec *spec);

#endif
