/* SPDX-License-Identifier: Apache-2.0 */
/* Writing one block: its rows, their codes, their ids, their fields and its record. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

/* ---- entries ------------------------------------------------------------------------- */

_Static_assert(offsetof(flat_entry, id) == 0, "what they are sorted by");

void flat_entries_sort(flat_entry *entries, uint64_t count)
{
    flat_text_sort(entries, count, sizeof *entries, NULL, NULL);
}

/* ---- values -------------------------------------------------------------------------- */

/*
 * Room for a value, never less than a page: only such values stand at an aligned address.
 * All of it is for the caller to fill.
 */
static int32_t reserve(flat_writer *writer, uint32_t kind, uint32_t field, uint64_t block,
                       uint64_t size, void **data, simplugin_error **error)
{
    uint8_t bytes[FLAT_KEY_SIZE];
    MDB_val key = {sizeof(bytes), bytes}, value;
    int rc;

    flat_key(bytes, kind, field, block);
    value.mv_size = (size_t)(size < writer->env->page_size ? writer->env->page_size : size);
    value.mv_data = NULL;
    rc = mdb_put(writer->txn, writer->env->blocks, &key, &value, MDB_RESERVE);
    if (rc)
        return flat_writer_error(writer, rc, "write", error);
    *data = value.mv_data;
    if (value.mv_size > size)
        memset((uint8_t *)value.mv_data + size, 0, value.mv_size - (size_t)size);
    return SIMPLUGIN_OK;
}

/* ---- encoding ------------------------------------------------------------------------ */

/* Rows that one share of a job takes. */
#define SHARE 64

static uint32_t rows_of(const flat_encoding *encoding, uint64_t block)
{
    uint64_t block_rows = encoding->env->view.shape.block_rows;
    uint64_t left = encoding->count - block * block_rows;

    return (uint32_t)(left < block_rows ? left : block_rows);
}

/* How many rows from there on stand at the same distance from each other. */
static uint64_t run_of(const float *const *vectors, uint64_t count, uint64_t dimension,
                       uint64_t *stride)
{
    uint64_t run = 1;

    *stride = dimension;
    if (count > 1 && (uintptr_t)vectors[1] > (uintptr_t)vectors[0])
        *stride = ((uintptr_t)vectors[1] - (uintptr_t)vectors[0]) / sizeof(float);
    while (run < count &&
           (uintptr_t)vectors[run] == (uintptr_t)vectors[run - 1] + *stride * sizeof(float))
        run++;
    return run;
}

static void encode_share(void *context, uint64_t index)
{
    flat_encoding *encoding = context;
    const flat_shape *shape = &encoding->env->view.shape;
    uint64_t shares = shape->block_rows / SHARE, block = index / shares;
    uint64_t from = index % shares * SHARE, hash = 0, run, stride;
    uint32_t rows = rows_of(encoding, block);
    uint64_t to = from + SHARE < rows ? from + SHARE : rows;
    const float **vectors = encoding->vectors + block * shape->block_rows;
    flat_codes_view codes;

    flat_codes_parts(encoding->codes[block], shape, rows, &codes);
    for (uint64_t row = from; row < to; row += run) {
        run = run_of(vectors + row, to - row, shape->dimension, &stride);
        sp_codes_encode(encoding->env->codes, vectors[row], stride, run,
                        codes.codes + row * shape->code_stride, shape->code_stride,
                        codes.scales + row, codes.errors + row, codes.norms + row);
    }
    for (uint64_t row = from; row < to; row++)
        hash += flat_hash(vectors[row], (size_t)shape->dimension * sizeof(float), row);
    atomic_fetch_add(&encoding->hashes[block], hash);
}

flat_encoding *flat_encoding_new(const flat_env *env, flat_crew *crew, uint64_t count)
{
    const flat_shape *shape = &env->view.shape;
    flat_encoding *encoding = calloc(1, sizeof(*encoding));
    int failed = 0;

    if (!encoding)
        return NULL;
    encoding->env = env;
    encoding->crew = crew;
    encoding->count = count;
    encoding->block_count = (count + shape->block_rows - 1) / shape->block_rows;
    encoding->vectors = calloc((size_t)count, sizeof(*encoding->vectors));
    encoding->codes = calloc((size_t)encoding->block_count, sizeof(*encoding->codes));
    encoding->hashes = calloc((size_t)encoding->block_count, sizeof(*encoding->hashes));
    failed = !encoding->vectors || !encoding->codes || !encoding->hashes;
    for (uint64_t i = 0; i < encoding->block_count && !failed; i++) {
        uint32_t rows = rows_of(encoding, i);
        size_t size = (size_t)flat_codes_size(shape, rows);
        flat_codes_view view;

        encoding->codes[i] = malloc(size);
        failed = !encoding->codes[i];
        if (failed)
            continue;
        /* What no row writes. */
        flat_codes_parts(encoding->codes[i], shape, rows, &view);
        memset(encoding->codes[i], 0, FLAT_PAD);
        memset(view.scales, 0, (size_t)(encoding->codes[i] + size - (uint8_t *)view.scales));
    }
    if (failed) {
        flat_encoding_free(encoding);
        return NULL;
    }
    encoding->job.fn = encode_share;
    encoding->job.context = encoding;
    return encoding;
}

void flat_encoding_start(flat_encoding *encoding)
{
    uint64_t last = encoding->block_count - 1;

    encoding->job.count = last * (encoding->env->view.shape.block_rows / SHARE) +
                          (rows_of(encoding, last) + SHARE - 1) / SHARE;
    flat_crew_start(encoding->crew, &encoding->job);
}

void flat_encoding_free(flat_encoding *encoding)
{
    if (!encoding)
        return;
    if (encoding->job.count)
        flat_crew_finish(encoding->crew, &encoding->job);
    for (uint64_t i = 0; encoding->codes && i < encoding->block_count; i++)
        free(encoding->codes[i]);
    free(encoding->codes);
    free(encoding->hashes);
    free(encoding->vectors);
    free(encoding);
}

/* ---- rows ---------------------------------------------------------------------------- */

typedef struct copying {
    const flat_shape *shape;
    const flat_rows_source *source;
    uint8_t *out;
} copying;

static void copy_share(void *context, uint64_t index)
{
    const copying *copy = context;
    size_t used = (size_t)copy->shape->dimension * sizeof(float);
    size_t stride = (size_t)copy->shape->vector_stride * sizeof(float);
    uint64_t from = index * SHARE;
    uint64_t to = from + SHARE < copy->source->count ? from + SHARE : copy->source->count;

    for (uint64_t row = from; row < to; row++) {
        memcpy(copy->out + row * stride, copy->source->vectors[row], used);
        memset(copy->out + row * stride + used, 0, stride - used);
    }
}

static int32_t write_rows(flat_writer *writer, flat_crew *crew, uint64_t block,
                          const flat_rows_source *source, flat_encoding *encoding, uint64_t index,
                          flat_record *record, simplugin_error **error)
{
    const flat_shape *shape = &writer->env->view.shape;
    uint64_t size = flat_codes_size(shape, source->count);
    copying copy = {shape, source, NULL};
    flat_job job = {.fn = copy_share, .context = &copy, .count = (source->count + SHARE - 1) / SHARE};
    void *value = NULL;
    int32_t code;

    flat_crew_finish(crew, &encoding->job);
    record->vectors_hash = atomic_load(&encoding->hashes[index]);
    record->codes_hash = flat_hash(encoding->codes[index] + FLAT_PAD, (size_t)size - FLAT_PAD, 0);
    code = reserve(writer, FLAT_VECTORS, 0, block, flat_vectors_size(shape, source->count), &value,
                   error);
    if (code != SIMPLUGIN_OK)
        return code;
    memset(value, 0, FLAT_PAD);
    copy.out = (uint8_t *)value + FLAT_PAD;
    flat_crew_start(crew, &job);
    flat_crew_finish(crew, &job);
    code = reserve(writer, FLAT_CODES, 0, block, size, &value, error);
    if (code == SIMPLUGIN_OK)
        memcpy(value, encoding->codes[index], (size_t)size);
    return code;
}

static int32_t write_ids(flat_writer *writer, uint64_t block, const flat_rows_source *source,
                         flat_record *record, simplugin_error **error)
{
    uint64_t bytes = 0, size;
    void *value = NULL;
    int32_t code;

    for (uint32_t i = 0; i < source->count; i++)
        bytes += source->ids[i].size;
    size = flat_ids_size(source->count, bytes);
    code = reserve(writer, FLAT_IDS, 0, block, size, &value, error);
    if (code != SIMPLUGIN_OK)
        return code;
    flat_ids_encode(value, source->ids, source->count);
    record->ids_hash = flat_hash(value, (size_t)size, 0);
    return SIMPLUGIN_OK;
}

int32_t flat_column_write(flat_writer *writer, uint64_t block, uint32_t field,
                          flat_builder *builder, simplugin_error **error)
{
    uint8_t name[FLAT_KEY_SIZE];
    MDB_val key = {sizeof(name), name};
    sp_buffer bytes;
    void *value = NULL;
    int32_t code = SIMPLUGIN_OK;
    int rc;

    if (flat_builder_failed(builder))
        return plug_error_no_memory(error);
    if (!builder->valid_count) {
        flat_key(name, FLAT_COLUMN, field, block);
        rc = mdb_del(writer->txn, writer->env->blocks, &key, NULL);
        return rc && rc != MDB_NOTFOUND ? flat_writer_error(writer, rc, "write", error)
                                        : SIMPLUGIN_OK;
    }
    sp_buffer_init(&bytes);
    if (!flat_builder_finish(builder, &bytes))
        code = plug_error_no_memory(error);
    if (code == SIMPLUGIN_OK)
        code = reserve(writer, FLAT_COLUMN, field, block, bytes.size, &value, error);
    if (code == SIMPLUGIN_OK)
        memcpy(value, bytes.data, bytes.size);
    sp_buffer_clear(&bytes);
    return code;
}

static int32_t write_field(flat_writer *writer, uint64_t block, const flat_rows_source *source,
                           uint64_t field, simplugin_error **error)
{
    uint32_t number = source->fields[field];
    flat_builder builder;
    int32_t code = SIMPLUGIN_OK;

    flat_builder_init(&builder, writer->fields.items[number].type);
    for (uint32_t i = 0; i < source->count && code == SIMPLUGIN_OK; i++) {
        const sp_column *column = NULL;
        uint64_t row = 0;

        code = source->value(source, field, i, &column, &row, error);
        if (code != SIMPLUGIN_OK)
            continue;
        if (column)
            flat_builder_append(&builder, column, row);
        else
            flat_builder_append_null(&builder);
    }
    if (code == SIMPLUGIN_OK)
        code = flat_column_write(writer, block, number, &builder, error);
    flat_builder_clear(&builder);
    return code;
}

int32_t flat_block_write(flat_writer *writer, flat_crew *crew, uint64_t block,
                         const flat_rows_source *source, flat_encoding *encoding, uint64_t index,
                         simplugin_error **error)
{
    flat_encoding *own = NULL;
    flat_record record = {0};
    int32_t code = SIMPLUGIN_OK;

    if (!encoding) {
        own = flat_encoding_new(writer->env, crew, source->count);
        if (!own)
            return plug_error_no_memory(error);
        memcpy(own->vectors, source->vectors, source->count * sizeof(*own->vectors));
        flat_encoding_start(own);
        encoding = own;
    }
    record.rows = source->count;
    code = write_rows(writer, crew, block, source, encoding, index, &record, error);
    if (code == SIMPLUGIN_OK)
        code = write_ids(writer, block, source, &record, error);
    for (uint64_t i = 0; i < source->field_count && code == SIMPLUGIN_OK; i++)
        code = write_field(writer, block, source, i, error);
    if (code == SIMPLUGIN_OK)
        code = flat_record_put(writer, block, NULL, &record, error);
    flat_encoding_free(own);
    return code;
}

/* ---- from a snapshot ----------------------------------------------------------------- */

typedef struct picks {
    flat_snapshot *from;
    const uint64_t *rows;
    sp_column column; /* of the block that was asked last */
    uint64_t block;
    uint64_t field;
    int present;
} picks;

static int32_t picked_value(const flat_rows_source *source, uint64_t field, uint32_t row,
                            const sp_column **column, uint64_t *column_row, simplugin_error **error)
{
    picks *picked = source->context;
    const flat_table *table = picked->from->table;
    uint64_t block_rows = picked->from->env->view.shape.block_rows;
    uint64_t block = picked->rows[row] / block_rows;
    int32_t code = SIMPLUGIN_OK;

    *column_row = picked->rows[row] % block_rows;
    if (block >= table->block_count) {
        *column_row = picked->rows[row] - table->block_count * block_rows;
        block = table->block_count;
    }
    if (picked->block != block || picked->field != field) {
        code = flat_snapshot_column(picked->from, block, table->fields.items[field].name,
                                    &picked->column, &picked->present, error);
        picked->block = block;
        picked->field = field;
    }
    *column = picked->present ? &picked->column : NULL;
    return code;
}

int32_t flat_block_write_picks(flat_writer *writer, flat_crew *crew, uint64_t block,
                               flat_snapshot *from, const uint64_t *rows, uint32_t count,
                               simplugin_error **error)
{
    const flat_fields *fields = &from->table->fields;
    picks picked = {.from = from, .rows = rows, .block = UINT64_MAX, .field = UINT64_MAX};
    flat_rows_source source = {.count = count, .field_count = fields->count,
                               .value = picked_value, .context = &picked};
    const float **vectors = calloc(count, sizeof(*vectors));
    sp_text *ids = calloc(count, sizeof(*ids));
    uint32_t *numbers = calloc((size_t)fields->count + 1, sizeof(*numbers));
    int32_t code = SIMPLUGIN_OK;

    if (!vectors || !ids || !numbers)
        code = plug_error_no_memory(error);
    for (uint64_t i = 0; i < fields->count && code == SIMPLUGIN_OK; i++)
        code = flat_writer_field(writer, fields->items[i].name, fields->items[i].type, &numbers[i],
                                 error);
    for (uint32_t i = 0; i < count && code == SIMPLUGIN_OK; i++) {
        vectors[i] = flat_snapshot_vector(from, rows[i]);
        ids[i] = flat_snapshot_id(from, rows[i]);
        if (ids[i].size == 0)
            code = flat_corrupt(from->env, "the ids of a block are damaged", error);
    }
    source.vectors = vectors;
    source.ids = ids;
    source.fields = numbers;
    if (code == SIMPLUGIN_OK)
        code = flat_block_write(writer, crew, block, &source, NULL, 0, error);
    free(vectors);
    free(ids);
    free(numbers);
    return code;
}

int32_t flat_ids_point(flat_writer *writer, const flat_snapshot *from, const uint64_t *rows,
                       uint32_t count, uint64_t block, simplugin_error **error)
{
    uint64_t first = block * writer->env->view.shape.block_rows;
    flat_entry *entries = calloc(count, sizeof(*entries));
    MDB_cursor *cursor = NULL;
    int32_t code = SIMPLUGIN_OK;
    int rc = 0;

    if (!entries)
        return plug_error_no_memory(error);
    for (uint32_t i = 0; i < count; i++) {
        entries[i].id = flat_snapshot_id(from, rows[i]);
        entries[i].place = first + i;
    }
    flat_entries_sort(entries, count);
    rc = mdb_cursor_open(writer->txn, writer->env->ids, &cursor);
    for (uint32_t i = 0; i < count && !rc; i++) {
        MDB_val key = {entries[i].id.size, (void *)(uintptr_t)entries[i].id.data};
        MDB_val value = {sizeof(entries[i].place), &entries[i].place};

        rc = mdb_cursor_put(cursor, &key, &value, 0);
    }
    if (cursor)
        mdb_cursor_close(cursor);
    if (rc)
        code = flat_writer_error(writer, rc, "write", error);
    free(entries);
    return code;
}
