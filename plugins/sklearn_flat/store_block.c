/* SPDX-License-Identifier: Apache-2.0 */
/* Writing one block: its rows, their codes, their ids, their fields and its record. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

/* ---- entries ------------------------------------------------------------------------- */

int flat_text_compare(sp_text a, sp_text b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = memcmp(a.data, b.data, size);

    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int by_id(const void *a, const void *b)
{
    return flat_text_compare(((const flat_entry *)a)->id, ((const flat_entry *)b)->id);
}

void flat_entries_sort(flat_entry *entries, uint64_t count)
{
    uint64_t i = 1;

    while (i < count && by_id(&entries[i - 1], &entries[i]) < 0)
        i++;
    if (i < count)
        qsort(entries, (size_t)count, sizeof(*entries), by_id);
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

typedef struct rows_job {
    const flat_env *env;
    const flat_rows_source *source;
    uint8_t *vectors; /* after the pad */
    flat_codes_view codes;
    _Atomic uint64_t hash;
} rows_job;

/* Sixty-four rows: copied, and encoded and hashed while they are in the cache. */
static void copy_rows(void *context, uint64_t index)
{
    rows_job *job = context;
    const flat_shape *shape = &job->env->view.shape;
    size_t used = (size_t)shape->dimension * sizeof(float);
    size_t stride = (size_t)shape->vector_stride * sizeof(float);
    uint64_t from = index * FLAT_HASH_ROWS;
    uint64_t count = job->source->count - from;
    uint8_t *out = job->vectors + from * stride;

    if (count > FLAT_HASH_ROWS)
        count = FLAT_HASH_ROWS;
    for (uint64_t i = 0; i < count; i++) {
        memcpy(out + i * stride, job->source->vectors[from + i], used);
        memset(out + i * stride + used, 0, stride - used);
    }
    sp_codes_encode(job->env->codes, (const float *)(const void *)out, shape->vector_stride, count,
                    job->codes.codes + from * shape->code_stride, shape->code_stride,
                    job->codes.scales + from, job->codes.errors + from, job->codes.norms + from);
    atomic_fetch_add(&job->hash, flat_hash(out, count * stride, from));
}

static int32_t write_rows(flat_writer *writer, flat_crew *crew, uint64_t block,
                          const flat_rows_source *source, flat_record *record,
                          simplugin_error **error)
{
    const flat_shape *shape = &writer->env->view.shape;
    uint64_t size = flat_codes_size(shape, source->count);
    rows_job job = {.env = writer->env, .source = source};
    uint8_t *codes = NULL;
    void *value = NULL;
    int32_t code = SIMPLUGIN_OK;

    /* LMDB's next put may move what an earlier one reserved: the codes wait outside. */
    codes = malloc((size_t)size);
    if (!codes)
        return flat_error_no_memory(error);
    memset(codes, 0, FLAT_PAD);
    flat_codes_parts(codes, shape, source->count, &job.codes);
    memset(job.codes.scales, 0,
           (size_t)(codes + size - (uint8_t *)job.codes.scales));
    code = reserve(writer, FLAT_VECTORS, 0, block, flat_vectors_size(shape, source->count), &value,
                   error);
    if (code != SIMPLUGIN_OK)
        goto out;
    memset(value, 0, FLAT_PAD);
    job.vectors = (uint8_t *)value + FLAT_PAD;
    flat_crew_run(crew, copy_rows, &job, (source->count + FLAT_HASH_ROWS - 1) / FLAT_HASH_ROWS);
    record->vectors_hash = atomic_load(&job.hash);
    record->codes_hash = flat_hash(codes + FLAT_PAD, (size_t)size - FLAT_PAD, 0);
    code = reserve(writer, FLAT_CODES, 0, block, size, &value, error);
    if (code == SIMPLUGIN_OK)
        memcpy(value, codes, (size_t)size);
out:
    free(codes);
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
        return flat_error_no_memory(error);
    if (!builder->valid_count) {
        flat_key(name, FLAT_COLUMN, field, block);
        rc = mdb_del(writer->txn, writer->env->blocks, &key, NULL);
        return rc && rc != MDB_NOTFOUND ? flat_writer_error(writer, rc, "write", error)
                                        : SIMPLUGIN_OK;
    }
    sp_buffer_init(&bytes);
    if (!flat_builder_finish(builder, &bytes))
        code = flat_error_no_memory(error);
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
                         const flat_rows_source *source, simplugin_error **error)
{
    flat_record record = {0};
    int32_t code;

    record.rows = source->count;
    code = write_rows(writer, crew, block, source, &record, error);
    if (code == SIMPLUGIN_OK)
        code = write_ids(writer, block, source, &record, error);
    for (uint64_t i = 0; i < source->field_count && code == SIMPLUGIN_OK; i++)
        code = write_field(writer, block, source, i, error);
    if (code == SIMPLUGIN_OK)
        code = flat_record_put(writer, block, NULL, &record, error);
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
        code = flat_error_no_memory(error);
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
        code = flat_block_write(writer, crew, block, &source, error);
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
        return flat_error_no_memory(error);
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
