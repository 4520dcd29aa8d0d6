/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in a store's file, and how it is read without trusting it. Nothing here
 * knows LMDB: bytes go in, checked views or plain structs come out.
 *
 * The file has four trees:
 *   (main)  "schema", "state" and "fields"
 *   ids     id -> place, for the rows in blocks
 *   tail    id -> row, for the rows that came in small adds
 *   blocks  flat_key -> the values of blocks
 *
 * A place is block number * rows per block + slot. Block numbers grow and are never used
 * twice, so an entry of ids that leads to a block that is gone, retired or not yet visible,
 * or to a dead slot, simply means that there is no such row. A row of the tail goes before
 * an entry of ids; one whose sequence is below the state's floor has moved to a block
 * and waits for its removal.
 */
#ifndef FLAT_STORE_FORMAT_H
#define FLAT_STORE_FORMAT_H

#include "buffer.h"
#include "column.h"
#include "store.h"

#define FLAT_FORMAT_VERSION UINT32_C(1)
#define FLAT_BLOCK_BYTES (UINT64_C(4) << 20)
#define FLAT_BLOCK_ROWS_MIN UINT64_C(64)
/* Keeps what one transaction of maintenance touches among the ids small. */
#define FLAT_BLOCK_ROWS_MAX UINT64_C(4096)
#define FLAT_NAME_MAX 255
#define FLAT_ID_MAX 255
#define FLAT_FIELDS_MAX 4096
/* A large value starts 16 bytes into a page; this brings what follows to a cache line. */
#define FLAT_PAD 48

/* What follows from the schema's numbers. */
typedef struct flat_shape {
    uint64_t dimension;
    uint64_t vector_stride; /* floats */
    uint64_t code_stride;   /* bytes */
    uint64_t block_rows;    /* slots of a full block */
} flat_shape;

void flat_shape_init(flat_shape *shape, uint64_t dimension);

/* ---- keys of the tree of blocks: big-endian, so that one kind lies together ------------ */

#define FLAT_RECORD 1
#define FLAT_VECTORS 2
#define FLAT_CODES 3
#define FLAT_IDS 4
#define FLAT_COLUMN 5

#define FLAT_KEY_SIZE 12
void flat_key(uint8_t key[FLAT_KEY_SIZE], uint32_t kind, uint32_t field, uint64_t block);
/* 0 for something that is no key. */
int flat_key_parse(const void *data, size_t size, uint32_t *kind, uint32_t *field,
                   uint64_t *block);

/* ---- schema ------------------------------------------------------------------------------ */

/* Views into the bytes. */
typedef struct flat_schema_view {
    flat_shape shape;
    sp_text name;
    sp_text metric;
    sp_text attributes;
    int has_attributes;
} flat_schema_view;

void flat_schema_encode(sp_buffer *out, const flat_shape *shape, sp_text name,
                        const flat_schema *schema);
/* NULL, or what is wrong with it. *version is set whenever it could be read. */
const char *flat_schema_decode(const void *data, size_t size, flat_schema_view *view,
                               uint32_t *version);

/* ---- state ------------------------------------------------------------------------------- */

typedef struct flat_state {
    uint64_t next_block;    /* blocks from here on do not exist for readers */
    uint64_t live;          /* rows, all told */
    uint64_t tail_rows;     /* live rows in the tail */
    uint64_t tail_garbage;  /* rows of the tail below the floor */
    uint64_t next_sequence;
    uint64_t floor;
    uint64_t retired;       /* blocks that wait for their removal */
    uint64_t sparse;        /* blocks that are at most half full of live rows */
    uint64_t superseded;    /* the generation that took over; 0: none */
    uint64_t dropped;       /* 1: the collection is gone */
} flat_state;

void flat_state_encode(sp_buffer *out, const flat_state *state);
const char *flat_state_decode(const void *data, size_t size, flat_state *state);

/* ---- fields ------------------------------------------------------------------------------ */

/* Owns its memory: one array, the names behind it. */
typedef struct flat_fields {
    flat_field *items;
    uint64_t count;
} flat_fields;

void flat_fields_encode(sp_buffer *out, const flat_fields *fields);
/* OUT_OF_MEMORY or CORRUPT with *what; *fields is cleared by flat_fields_clear. */
int32_t flat_fields_decode(const void *data, size_t size, flat_fields *fields, const char **what);
void flat_fields_clear(flat_fields *fields);
/* Position of that name, or count. */
uint64_t flat_fields_find(const flat_fields *fields, const char *name);
/* OUT_OF_MEMORY or OK. */
int32_t flat_fields_add(flat_fields *fields, const char *name, uint32_t type);
int flat_type_valid(uint32_t type);

/* ---- a block's record ---------------------------------------------------------------------- */

typedef struct flat_record {
    uint32_t rows;          /* slots in use */
    uint32_t dead_count;
    uint32_t retired;
    uint32_t cleaned;       /* of a retired block: slots whose ids are out of the tree */
    uint64_t vectors_hash;
    uint64_t codes_hash;
    uint64_t ids_hash;
    const uint8_t *dead;    /* (rows + 7) / 8 bytes; NULL when dead_count is 0 */
} flat_record;

void flat_record_encode(sp_buffer *out, const flat_record *record);
const char *flat_record_decode(const void *data, size_t size, const flat_shape *shape,
                               flat_record *record);
int flat_record_sparse(const flat_record *record, const flat_shape *shape);

/* ---- a block's values -------------------------------------------------------------------- */

uint64_t flat_vectors_size(const flat_shape *shape, uint32_t rows);
uint64_t flat_codes_size(const flat_shape *shape, uint32_t rows);

/* Where the parts of a value of codes stand. */
typedef struct flat_codes_view {
    int8_t *codes;
    float *scales;
    float *errors;
    float *norms;
} flat_codes_view;

void flat_codes_parts(void *value, const flat_shape *shape, uint32_t rows, flat_codes_view *view);

/* ids: rows + 1 offsets of 32 bits, then the bytes. */
uint64_t flat_ids_size(uint32_t rows, uint64_t bytes);
void flat_ids_encode(void *value, const sp_text *ids, uint32_t rows);
/* The id in that slot; size 0 where the value is damaged. */
sp_text flat_ids_get(const void *value, size_t size, uint32_t rows, uint32_t slot);

/* ---- a row of the tail --------------------------------------------------------------------- */

typedef struct flat_tail_view {
    uint64_t sequence;
    uint32_t field_count;
    const uint8_t *vector; /* floats, aligned to nothing */
    const uint8_t *fields; /* field_count times: u32 field, u32 size, a column of one row */
    size_t fields_size;
} flat_tail_view;

/* The value up to its fields; one is put behind it by flat_tail_field. */
void flat_tail_encode(sp_buffer *out, const flat_shape *shape, uint64_t sequence,
                      const float *vector, uint32_t field_count);
void flat_tail_field(sp_buffer *out, uint32_t field, const sp_buffer *column);
const char *flat_tail_decode(const void *data, size_t size, const flat_shape *shape,
                             flat_tail_view *view);
/* Steps through the fields: *position starts as 0. 1: one was read, 0: the end, -1: damaged. */
int flat_tail_next(const flat_tail_view *view, size_t *position, uint32_t *field,
                   const void **column, size_t *size);

/* ---- columns --------------------------------------------------------------------------------- */

/*
 * A view of a column's bytes, which must be aligned to 8, after everything in it was
 * checked. expected_rows: UINT64_MAX for any.
 */
const char *flat_column_decode(const void *data, size_t size, uint32_t expected_type,
                               uint64_t expected_rows, sp_column *column);
/* The hash that was stored with it, and that of the bytes as they are. */
void flat_column_hashes(const void *data, size_t size, uint64_t *stored, uint64_t *actual);

/* Puts columns together row by row. */
typedef struct flat_builder {
    uint32_t type;
    uint64_t rows;
    uint64_t elements;
    uint64_t valid_count;
    sp_buffer valid, list_offsets, offsets, values;
} flat_builder;

void flat_builder_init(flat_builder *builder, uint32_t type);
void flat_builder_clear(flat_builder *builder);
/* column must have the builder's type. */
void flat_builder_append(flat_builder *builder, const sp_column *column, uint64_t row);
void flat_builder_append_null(flat_builder *builder);
int flat_builder_failed(const flat_builder *builder);
/* The bytes that flat_column_decode reads; 0: no memory. */
int flat_builder_finish(flat_builder *builder, sp_buffer *out);
/* As a view of the builder's memory. */
void flat_builder_column(const flat_builder *builder, sp_column *column);

/* ---- hashing ------------------------------------------------------------------------------- */

/*
 * Of pieces, in any order: the hash of a value is the sum over its pieces. Finds damage,
 * not malice.
 */
uint64_t flat_hash(const void *data, size_t size, uint64_t piece);
/* A row is a piece, without its padding. */
uint64_t flat_vectors_hash(const void *value, const flat_shape *shape, uint32_t rows);

#endif
