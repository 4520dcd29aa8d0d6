/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of points: payloads, row by row, become the columns of a reply. */
#ifndef QDRANT_FIELDS_H
#define QDRANT_FIELDS_H

#include "page.h"

/* One row of the reply. */
typedef struct qdrant_row {
    const qdrant_page *page; /* NULL: a row without any values */
    uint64_t row;
} qdrant_row;

/* Keys of a request's body: which payload the reply is to carry for these names. */
void qdrant_payload_put(const qdrant_call *call, sp_buffer *out, const plug_names *names,
                        int vectors);

/* The key "fields" of the reply: a column for each of the names that any of the rows has. */
int32_t qdrant_fields_write(qdrant_call *call, const qdrant_row *rows, uint64_t count,
                            const plug_names *names);
/* The key "vectors". */
int32_t qdrant_vectors_write(qdrant_call *call, const qdrant_row *rows, uint64_t count);

#endif
