/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of one collection: an LMDB environment in a folder of its own.
 *
 * Rows live in blocks of equal size, each a contiguous value that is scanned where it is
 * mapped, with an int8 copy beside it; rows that came in small adds wait in the tail.
 * Readers see one snapshot. Writers take turns, across processes, by a lock of ours that
 * knows deadlines. The store knows nothing of metrics, filters or searches.
 */
#ifndef FLAT_STORE_H
#define FLAT_STORE_H

#include "column.h"
#include "simplugin/plugin.h"

#define FLAT_DIMENSION_MAX UINT64_C(65536)

typedef struct flat_store flat_store;
typedef struct flat_snapshot flat_snapshot;

typedef struct flat_field {
    const char *name;
    uint32_t type; /* SP_TEXT ... */
} flat_field;

/* What a collection is made with; kept in it. */
typedef struct flat_schema {
    uint64_t dimension;
    const char *metric;      /* text, for the operations above; not looked at here */
    const char *attributes;  /* JSON or MessagePack text of the operations above; may be NULL */
    uint64_t attributes_size;
} flat_schema;

/* How long to wait, and when to stop. */
typedef struct flat_wait {
    int64_t deadline; /* CLOCK_MONOTONIC nanoseconds, INT64_MAX: none */
    uint64_t cancel;  /* a token of the host's, 0: none */
} flat_wait;

/* ---- stores -------------------------------------------------------------------------- */

/* root: the absolute folder that holds all collections (made with mode 0700 when absent). */
int32_t flat_store_create(const char *root, sp_text name, const flat_schema *schema,
                          const flat_wait *wait, flat_store **store, simplugin_error **error);
/* NOT_FOUND, CORRUPT, VERSION_TOO_NEW, PERMISSION_DENIED, ... The same folder opened twice
   in a process shares one environment; each success is ended by flat_store_close. */
int32_t flat_store_open(const char *root, sp_text name, flat_store **store,
                        simplugin_error **error);
void flat_store_close(flat_store *store);
int32_t flat_store_exists(const char *root, sp_text name, int *exists, simplugin_error **error);
/* Calls each with every collection's name until it returns non-zero. */
int32_t flat_store_list(const char *root, int (*each)(void *context, sp_text name), void *context,
                        simplugin_error **error);
int32_t flat_store_drop(const char *root, sp_text name, const flat_wait *wait,
                        simplugin_error **error);
const flat_schema *flat_store_schema(const flat_store *store);
/* What tells the collection from every other one whatever the path to it; "": unknown. */
void flat_store_identity(const flat_store *store, char *text, size_t size);

/* ---- writing: durable when it returns OK --------------------------------------------- */

/*
 * All of them wait for their turn, and may have to wait for the snapshots of this process
 * to be freed (when the file outgrows its map, which is rare): BUSY when the deadline, or
 * without one a minute, is over. READ_ONLY, NO_SPACE, NOT_FOUND (dropped meanwhile),
 * CANCELLED, DEADLINE_EXCEEDED, CORRUPT, IO, OUT_OF_MEMORY; then nothing is changed.
 */

/* Rows to write; columns may be NULL with field_count 0. */
typedef struct flat_rows {
    uint64_t count;
    const int64_t *select;      /* count row numbers into the arrays below; NULL: 0..count-1 */
    const sp_column *ids;       /* text, no nulls, checked by the caller, no duplicates */
    const float *vectors;       /* row-major */
    uint64_t vector_stride;     /* floats from row to row */
    uint64_t field_count;
    const char *const *field_names;
    const sp_column *field_columns;
} flat_rows;

/* Inserts, and replaces rows whose id is there (fields too: what is not given is missing
   afterwards). A field's type is fixed by its first value; another type is INVALID_ARGUMENT
   naming the field. All or nothing. *replaced counts rows that were there before. */
int32_t flat_store_upsert(flat_store *store, const flat_rows *rows, const flat_wait *wait,
                          uint64_t *replaced, simplugin_error **error);
/* Inserts the rows whose ids are not there, and nothing at all if all_or_none is set and some
   are. Which are, as numbers into the arrays of rows, goes to `there`, which has room for all
   of them. Nobody can write between the look and the writing. All or nothing. */
int32_t flat_store_insert(flat_store *store, const flat_rows *rows, int all_or_none,
                          const flat_wait *wait, int64_t *there, uint64_t *there_count,
                          simplugin_error **error);
/* Sets the given fields of existing rows and leaves the others; unknown ids are skipped.
   A null value removes the field from that row. */
int32_t flat_store_set_fields(flat_store *store, const flat_rows *rows, const flat_wait *wait,
                              uint64_t *updated, simplugin_error **error);
int32_t flat_store_delete(flat_store *store, const sp_column *ids, const flat_wait *wait,
                          uint64_t *deleted, simplugin_error **error);
/* Deletes by row number, from a snapshot that must still be the newest; otherwise BUSY:
   take a new snapshot and decide again. */
int32_t flat_store_delete_rows(flat_store *store, const flat_snapshot *snapshot,
                               const uint64_t *rows, uint64_t count, const flat_wait *wait,
                               simplugin_error **error);
int32_t flat_store_delete_all(flat_store *store, const flat_wait *wait, uint64_t *deleted,
                              simplugin_error **error);

/* ---- reading ------------------------------------------------------------------------- */

/* One block of a snapshot. Row r of it has the number first_row + r. */
typedef struct flat_block {
    uint64_t first_row;
    uint32_t rows;          /* slots in use, dead ones included */
    uint32_t dead_count;
    const uint8_t *dead;    /* a bit a slot; NULL when dead_count is 0 */
    const float *vectors;   /* rows at vector_stride, 64-byte aligned, zero-padded */
    const int8_t *codes;    /* rows at code_stride, 64-byte aligned, zero-padded */
    const float *scales;    /* one a row: vector ~ scale * code (in the code's basis) */
    const float *errors;    /* one a row: at least |vector - scale * code| */
    const float *norms;     /* one a row: |vector| */
} flat_block;

/* A row of the tail: not yet in a block. */
typedef struct flat_tail_row {
    uint64_t row;           /* its number; larger than any in a block */
    sp_text id;
    const float *vector;    /* dimension floats, aligned to 4 only */
} flat_tail_row;

int32_t flat_snapshot_new(flat_store *store, flat_snapshot **snapshot, simplugin_error **error);
void flat_snapshot_free(flat_snapshot *snapshot);
uint64_t flat_snapshot_count(const flat_snapshot *snapshot); /* live rows, exact */
uint64_t flat_snapshot_vector_stride(const flat_snapshot *snapshot); /* floats */
uint64_t flat_snapshot_code_stride(const flat_snapshot *snapshot);   /* bytes */
/* The whole table; it and what it points to live as long as the snapshot. */
const flat_block *flat_snapshot_blocks(const flat_snapshot *snapshot, uint64_t *count);
const flat_tail_row *flat_snapshot_tail(const flat_snapshot *snapshot, uint64_t *count);

/* The live row of that id: 1 and *row, 0 if there is none, negative a code negated. */
int flat_snapshot_find(const flat_snapshot *snapshot, sp_text id, uint64_t *row);
/*
 * Equal for two snapshots of one flat_store exactly if nothing was committed between them:
 * then the same numbers stand for the same rows. Not 0; while a store is open a version
 * never comes again, compacting included.
 */
uint64_t flat_snapshot_version(const flat_snapshot *snapshot);
/*
 * What a block is called wherever it is seen again, while a store is open: the same in
 * every snapshot that has this block, with the same ids in its slots, and ascending within
 * one. Which of its rows are dead, and their fields, may differ.
 */
uint64_t flat_snapshot_block_key(const flat_snapshot *snapshot, uint64_t block);
/*
 * Up to max live rows in the bytewise order of their ids, from the first id behind `after`
 * on (data NULL: from the first of all). Their number, in rows; negative a code negated.
 */
int64_t flat_snapshot_rows_by_id(const flat_snapshot *snapshot, sp_text after, uint64_t *rows,
                                 uint64_t max);
/* What a row number stands for. The vector may be in a block or the tail. */
const float *flat_snapshot_vector(const flat_snapshot *snapshot, uint64_t row);
/* Size 0 where the store is damaged. */
sp_text flat_snapshot_id(const flat_snapshot *snapshot, uint64_t row);

/* The names and types of all fields that any row ever had. */
const flat_field *flat_snapshot_fields(const flat_snapshot *snapshot, uint64_t *count);
/* The field's column of block number `block` (rows of the block) or, with block ==
   UINT64_MAX, of the tail (in the order of flat_snapshot_tail). *present 0: no row of it
   has the field. Lives as long as the snapshot; readers of one snapshot may call it from
   several threads. */
int32_t flat_snapshot_column(flat_snapshot *snapshot, uint64_t block, const char *name,
                             sp_column *column, int *present, simplugin_error **error);

/* ---- maintenance: while in use ------------------------------------------------------- */

typedef void (*flat_progress_fn)(void *context, uint64_t done, uint64_t total);

/* Reads everything and compares; CORRUPT with what is damaged. */
int32_t flat_store_check(flat_store *store, const flat_wait *wait, flat_progress_fn progress,
                         void *context, uint64_t *rows, simplugin_error **error);
/* Folds the tail, drops dead rows, gives space back to the file system. */
int32_t flat_store_compact(flat_store *store, const flat_wait *wait, flat_progress_fn progress,
                           void *context, uint64_t *bytes_before, uint64_t *bytes_after,
                           simplugin_error **error);
/* A consistent copy in a new folder `target` (absolute, must not exist) that opens as a
   collection of the same name when put below a root. */
int32_t flat_store_backup(flat_store *store, const char *target, const flat_wait *wait,
                          flat_progress_fn progress, void *context, simplugin_error **error);

#endif
