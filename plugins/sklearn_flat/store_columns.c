/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of a snapshot's fields: in the map for blocks, gathered for the tail. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

#define ABSENT 2
#define PRESENT 1

static int32_t block_column(const flat_snapshot *snapshot, uint64_t block, uint32_t field,
                            flat_slot *slot, simplugin_error **error)
{
    const flat_env *env = snapshot->env;
    const flat_table *table = snapshot->table;
    uint64_t number = table->places[block].number;
    uint8_t bytes[FLAT_KEY_SIZE];
    MDB_val key = {sizeof(bytes), bytes}, value;
    const char *what = NULL;
    int rc;

    flat_key(bytes, FLAT_COLUMN, field, number);
    pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&snapshot->lock);
    rc = mdb_get(snapshot->txn, env->blocks, &key, &value);
    pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&snapshot->lock);
    if (rc == MDB_NOTFOUND) {
        slot->state = ABSENT;
        return SIMPLUGIN_OK;
    }
    if (rc)
        return flat_mdb_error(env, rc, "read", error);
    if ((uintptr_t)value.mv_data % 8)
        return flat_corrupt_block(env, number, "a column is misplaced", error);
    what = flat_column_decode(value.mv_data, value.mv_size, table->fields.items[field].type,
                              table->blocks[block].rows, &slot->column);
    if (what)
        return flat_corrupt_block(env, number, what, error);
    slot->state = PRESENT;
    return SIMPLUGIN_OK;
}

/* The field's value of one row of the tail, if it has one; scratch holds its bytes. */
static int32_t tail_value(const flat_snapshot *snapshot, const flat_tail_view *view, uint32_t field,
                          sp_buffer *scratch, sp_column *column, int *present,
                          simplugin_error **error)
{
    const void *bytes = NULL;
    const char *what = NULL;
    size_t position = 0, size = 0;
    uint32_t found = 0;
    int more = 0;

    *present = 0;
    while ((more = flat_tail_next(view, &position, &found, &bytes, &size)) > 0 && found != field)
        continue;
    if (more < 0)
        return flat_corrupt(snapshot->env, "the fields of a row of the tail are cut short", error);
    if (!more)
        return SIMPLUGIN_OK;
    /* Its numbers want to be aligned. */
    scratch->size = 0;
    sp_buffer_append(scratch, bytes, size);
    if (scratch->failed)
        return plug_error_no_memory(error);
    what = flat_column_decode(scratch->data, scratch->size,
                              snapshot->table->fields.items[field].type, 1, column);
    if (what)
        return flat_corrupt(snapshot->env, what, error);
    *present = 1;
    return SIMPLUGIN_OK;
}

static int32_t tail_column(const flat_snapshot *snapshot, uint32_t field, flat_slot *slot,
                           simplugin_error **error)
{
    const flat_table *table = snapshot->table;
    int32_t code = SIMPLUGIN_OK;
    flat_builder *builder = malloc(sizeof(*builder));
    sp_buffer scratch;

    if (!builder)
        return plug_error_no_memory(error);
    sp_buffer_init(&scratch);
    flat_builder_init(builder, table->fields.items[field].type);
    for (uint64_t i = 0; i < table->tail_count && code == SIMPLUGIN_OK; i++) {
        sp_column value;
        int present = 0;

        code = tail_value(snapshot, &table->extras[i].view, field, &scratch, &value, &present, error);
        if (present)
            flat_builder_append(builder, &value, 0);
        else
            flat_builder_append_null(builder);
    }
    if (code == SIMPLUGIN_OK && flat_builder_failed(builder))
        code = plug_error_no_memory(error);
    if (code == SIMPLUGIN_OK && builder->valid_count) {
        flat_builder_column(builder, &slot->column);
        slot->builder = builder;
        slot->state = PRESENT;
        builder = NULL;
    } else if (code == SIMPLUGIN_OK) {
        slot->state = ABSENT;
    }
    if (builder)
        flat_builder_clear(builder);
    free(builder);
    sp_buffer_clear(&scratch);
    return code;
}

int32_t flat_snapshot_column(flat_snapshot *snapshot, uint64_t block, const char *name,
                             sp_column *column, int *present, simplugin_error **error)
{
    flat_table *table = snapshot->table;
    uint64_t field = flat_fields_find(&table->fields, name);
    int32_t code = SIMPLUGIN_OK;
    flat_slot *slot = NULL;

    *present = 0;
    if (block == UINT64_MAX)
        block = table->block_count;
    if (field == table->fields.count || block > table->block_count)
        return SIMPLUGIN_OK;
    pthread_mutex_lock(&table->lock);
    if (!table->columns[field]) {
        table->columns[field] = calloc((size_t)table->block_count + 1, sizeof(flat_slot));
        if (!table->columns[field]) {
            code = plug_error_no_memory(error);
            goto out;
        }
    }
    slot = &table->columns[field][block];
    if (slot->state == 0)
        code = block < table->block_count
                   ? block_column(snapshot, block, (uint32_t)field, slot, error)
                   : tail_column(snapshot, (uint32_t)field, slot, error);
    if (code == SIMPLUGIN_OK && slot->state == PRESENT) {
        *column = slot->column;
        *present = 1;
    }
out:
    pthread_mutex_unlock(&table->lock);
    return code;
}
