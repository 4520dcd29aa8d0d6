/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: batches of rows, cut by their bytes, several of them in flight; deletions. */
#ifndef MILVUS_UPSERT_H
#define MILVUS_UPSERT_H

#include "rows.h"

/* Writes the rows, replacing those that are there. Doing it again changes nothing. */
int32_t milvus_upsert(milvus_call *call, const milvus_rows *rows);
/*
 * The same as plain insertions: rows may come twice, and nothing is sent again where it is
 * not known whether it arrived. Where the server makes the keys they are written as text
 * under "ids".
 */
int32_t milvus_insert(milvus_call *call, const milvus_rows *rows);

/* Ids that are not there are harmless. */
int32_t milvus_delete_ids(milvus_call *call, const sp_column *ids);
/* All that the expression accepts, in that partition (NULL: in all); "": everything. */
int32_t milvus_delete_matching(milvus_call *call, const char *expr, const char *partition);

/* "partition" of a map; absent: NULL. In memory of the call. */
int32_t milvus_partition_read(plug_call *call, const simplugin_value *map, const char **partition);

#endif
