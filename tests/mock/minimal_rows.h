/* SPDX-License-Identifier: Apache-2.0 */
/* What the minimal backend keeps: rows in memory, in the order in which they first came. */
#ifndef MINIMAL_ROWS_H
#define MINIMAL_ROWS_H

#include "simplugin/envelope.h"

/* One value of one field: the row's items, one unless the type is a list. */
typedef struct minimal_cell {
    uint32_t type;     /* a column type; 0: missing */
    uint64_t count;    /* items */
    int64_t *ends;     /* text: where each item ends in data */
    uint8_t *data;     /* the items, one after the other */
    uint64_t size;     /* bytes of data */
} minimal_cell;

typedef struct minimal_row {
    uint64_t sequence; /* given when the id first came, kept when it is replaced */
    char *id;          /* zero-terminated: ids hold no U+0000 */
    float *vector;
    minimal_cell *cells; /* as many as the collection has fields when it was written */
    uint64_t cell_count;
} minimal_row;

typedef struct minimal_field {
    char *name;
    uint32_t type;
} minimal_field;

typedef struct minimal_collection {
    char *name;
    char *metric;
    uint64_t dimension;
    minimal_field *fields;
    uint64_t field_count;
    minimal_row *rows;
    uint64_t row_count;
    uint64_t row_capacity;
    uint64_t next_sequence;
} minimal_collection;

/* All collections of the process; the lock is held around each call. */
int minimal_lock(void);
void minimal_unlock(void);
uint64_t minimal_count(void);
minimal_collection *minimal_at(uint64_t i);
minimal_collection *minimal_find(const char *name, uint64_t size);
/* NULL when memory is short. */
minimal_collection *minimal_add(const char *name, uint64_t size, const char *metric,
                                uint64_t dimension);
void minimal_drop(minimal_collection *collection);

/* The field's index, made if need be; UINT64_MAX when memory is short. */
uint64_t minimal_field_index(minimal_collection *collection, const char *name, uint64_t size,
                             uint32_t type);
/* The row of that id, UINT64_MAX if there is none. */
uint64_t minimal_row_find(const minimal_collection *collection, const char *id, uint64_t size);
/* A row without cells for that id: the one that is there, emptied, or a new one. */
minimal_row *minimal_row_put(minimal_collection *collection, const char *id, uint64_t size,
                             const float *vector, int *replaced);
void minimal_row_remove(minimal_collection *collection, uint64_t row);
/* Sets a field of a row from row `from` of a column. 0 when memory is short. */
int minimal_cell_set(minimal_row *row, uint64_t field, const simplugin_column *column,
                     uint64_t from);
/* The column of a field for some rows, in memory of the reply. 0 when memory is short. */
int minimal_gather(const simplugin_host *host, simplugin_reply *reply,
                   const minimal_collection *collection, uint64_t field, const uint64_t *rows,
                   uint64_t count, simplugin_column *column, uint64_t *present);
int minimal_gather_ids(const simplugin_host *host, simplugin_reply *reply,
                       const minimal_collection *collection, const uint64_t *rows, uint64_t count,
                       simplugin_column *column);

#endif
