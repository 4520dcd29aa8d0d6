/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a row that are not in the schema, as the JSON object Milvus keeps. */
#ifndef MILVUS_JSON_ROW_H
#define MILVUS_JSON_ROW_H

#include "buffer.h"
#include "column.h"

/* Appends "name": value of a row; the name and a comma before it are written here. */
void milvus_json_cell(sp_buffer *out, int *is_first, const char *name, const sp_column *column,
                      uint64_t row);

#endif
