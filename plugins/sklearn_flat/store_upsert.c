/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding rows. Whole blocks' worth goes to blocks right away, copied once from the
 * caller's memory; what is left over goes to the tail, unless it fills at least half a
 * block. One row always goes to the tail.
 *
 * A large add takes several transactions, so that it needs little memory and what each of
 * them gives back stays short: all but the last write blocks that readers do not look at
 * yet, and ids that lead to them. The last one makes them visible, together with the
 * removal of the rows that they replace.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

/* What one transaction keeps in memory. */
#define STEP_BYTES (UINT64_C(32) << 20)
/* Above so many pages of ids, and of pages given back, steps are made short. */
#define STEP_PAGES 2048

uint64_t flat_step_bytes_forced = UINT64_MAX;
uint64_t flat_step_pages_forced = UINT64_MAX;

typedef struct places {
    uint64_t *items;
    uint64_t count;
    uint64_t capacity;
} places;

typedef struct upsert {
    const flat_rows *rows;
    const flat_shape *shape;
    flat_crew *crew;
    int ids_last;         /* all ids are for the last transaction */
    uint64_t block_count; /* to be written */
    uint64_t direct;      /* rows in them; the others go to the tail */

    /* What is committed. */
    uint64_t first;       /* the number of the first of them */
    uint64_t written;     /* blocks */
    uint64_t old_kept;
    uint64_t later_kept;

    /* Of the transaction at work. */
    uint64_t target;      /* blocks that are written after it */
    uint64_t length;      /* blocks of the one after it */
    flat_encoding *current, *next; /* of those blocks */
    int last;
    places old;           /* where ids of ours led before */
    flat_entry *later;    /* ids that lead elsewhere until the last transaction; caller's text */
    uint64_t later_count;
    uint64_t later_capacity;
    uint64_t replaced;
} upsert;

static uint64_t input_row(const flat_rows *rows, uint64_t i)
{
    return rows->select ? (uint64_t)rows->select[i] : i;
}

static sp_text input_id(const flat_rows *rows, uint64_t i)
{
    return sp_column_text(rows->ids, input_row(rows, i));
}

static const float *input_vector(const flat_rows *rows, uint64_t i)
{
    return rows->vectors + input_row(rows, i) * rows->vector_stride;
}

static int places_add(places *list, uint64_t place)
{
    if (list->count == list->capacity) {
        uint64_t capacity = list->capacity ? list->capacity * 2 : 256;
        uint64_t *items = realloc(list->items, (size_t)capacity * sizeof(*items));

        if (!items)
            return 0;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = place;
    return 1;
}

static int later_add(upsert *up, flat_entry entry)
{
    if (up->later_count == up->later_capacity) {
        uint64_t capacity = up->later_capacity ? up->later_capacity * 2 : 256;
        flat_entry *items = realloc(up->later, (size_t)capacity * sizeof(*items));

        if (!items)
            return 0;
        up->later = items;
        up->later_capacity = capacity;
    }
    up->later[up->later_count++] = entry;
    return 1;
}

/* ---- fields -------------------------------------------------------------------------- */

static int any_value(const flat_rows *rows, const sp_column *column)
{
    for (uint64_t i = 0; i < rows->count; i++)
        if (sp_column_is_valid(column, input_row(rows, i)))
            return 1;
    return 0;
}

/* The fields that have a value at all: their numbers, and which of the columns they are. */
static int32_t number_fields(flat_writer *writer, const flat_rows *rows, uint32_t *numbers,
                             uint32_t *columns, uint64_t *count, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    *count = 0;
    for (uint64_t i = 0; i < rows->field_count && code == SIMPLUGIN_OK; i++) {
        const sp_column *column = &rows->field_columns[i];
        const char *name = rows->field_names[i];

        if (!flat_type_valid(column->type))
            code = plug_error_argument(error, name, "field \"%s\" has no known type", name);
        else if (!*name || strlen(name) > FLAT_NAME_MAX)
            code = plug_error_argument(error, name, "a field's name has 1 to %d bytes", FLAT_NAME_MAX);
        else if (any_value(rows, column)) {
            code = flat_writer_field(writer, name, column->type, &numbers[*count], error);
            columns[(*count)++] = (uint32_t)i;
        }
    }
    return code;
}

/* ---- blocks -------------------------------------------------------------------------- */

typedef struct input {
    const flat_rows *rows;
    const uint32_t *columns;
    uint64_t from;
} input;

static int32_t input_value(const flat_rows_source *source, uint64_t field, uint32_t row,
                           const sp_column **column, uint64_t *column_row, simplugin_error **error)
{
    const input *in = source->context;

    (void)error;
    *column = &in->rows->field_columns[in->columns[field]];
    *column_row = input_row(in->rows, in->from + row);
    return SIMPLUGIN_OK;
}

static uint64_t rows_before(const upsert *up, uint64_t block)
{
    uint64_t rows = block * up->shape->block_rows;

    return rows < up->direct ? rows : up->direct;
}

/* Begins to encode the blocks that come after those of the transaction at work. */
static int32_t encode_next(const flat_env *env, upsert *up, simplugin_error **error)
{
    uint64_t from = rows_before(up, up->target), to;

    if (up->next || up->target == up->block_count)
        return SIMPLUGIN_OK;
    to = rows_before(up, up->target + up->length);
    up->next = flat_encoding_new(env, up->crew, to - from);
    if (!up->next)
        return plug_error_no_memory(error);
    for (uint64_t i = from; i < to; i++)
        up->next->vectors[i - from] = input_vector(up->rows, i);
    flat_encoding_start(up->next);
    return SIMPLUGIN_OK;
}

static int32_t write_blocks(flat_writer *writer, upsert *up, const uint32_t *numbers,
                            const uint32_t *columns, uint64_t field_count, simplugin_error **error)
{
    input in = {up->rows, columns, 0};
    flat_rows_source source = {.field_count = field_count, .value = input_value,
                               .fields = numbers, .context = &in};
    sp_text *ids = calloc((size_t)up->shape->block_rows, sizeof(*ids));
    int32_t code = SIMPLUGIN_OK;

    if (!ids)
        return plug_error_no_memory(error);
    source.ids = ids;
    for (uint64_t block = up->written; block < up->target && code == SIMPLUGIN_OK; block++) {
        uint64_t index = block - up->written;

        in.from = rows_before(up, block);
        source.count = (uint32_t)(rows_before(up, block + 1) - in.from);
        source.vectors = up->current->vectors + index * up->shape->block_rows;
        for (uint32_t i = 0; i < source.count; i++)
            ids[i] = input_id(up->rows, in.from + i);
        code = flat_wait_check(writer->wait, error);
        if (code == SIMPLUGIN_OK)
            code = flat_block_write(writer, up->crew, up->first + block, &source, up->current, index,
                                    error);
    }
    if (code == SIMPLUGIN_OK)
        code = encode_next(writer->env, up, error);
    free(ids);
    return code;
}

static int32_t given_twice(sp_text id, simplugin_error **error)
{
    return plug_error_argument(error, "ids", "id \"%.*s\" is given twice", (int)id.size, id.data);
}

static int same_as_before(const flat_entry *entries, uint64_t i)
{
    return i && !flat_text_compare(entries[i - 1].id, entries[i].id);
}

/* ids that are in the tree already are pointed to their new place by the last transaction. */
static int32_t write_ids(flat_writer *writer, upsert *up, simplugin_error **error)
{
    uint64_t from = up->ids_last ? 0 : rows_before(up, up->written);
    uint64_t count = up->ids_last && !up->last ? 0 : rows_before(up, up->target) - from;
    flat_entry *entries = NULL;
    MDB_cursor *cursor = NULL;
    int32_t code = SIMPLUGIN_OK;
    int rc = 0;

    if (!count)
        return SIMPLUGIN_OK;
    entries = calloc((size_t)count, sizeof(*entries));
    if (!entries)
        return plug_error_no_memory(error);
    for (uint64_t i = 0; i < count; i++) {
        entries[i].id = input_id(up->rows, from + i);
        entries[i].place = up->first * up->shape->block_rows + from + i;
    }
    flat_entries_sort(entries, count);
    rc = mdb_cursor_open(writer->txn, writer->env->ids, &cursor);
    for (uint64_t i = 0; i < count && !rc && code == SIMPLUGIN_OK; i++) {
        MDB_val key = {entries[i].id.size, (void *)(uintptr_t)entries[i].id.data};
        MDB_val value = {sizeof(entries[i].place), &entries[i].place};
        uint64_t old;

        if (same_as_before(entries, i)) {
            code = given_twice(entries[i].id, error);
            continue;
        }
        rc = mdb_cursor_put(cursor, &key, &value, MDB_NOOVERWRITE);
        if (rc != MDB_KEYEXIST)
            continue;
        rc = 0;
        if (value.mv_size != sizeof(old)) {
            code = flat_corrupt(writer->env, "an id leads to nothing", error);
            continue;
        }
        memcpy(&old, value.mv_data, sizeof(old));
        if (old / up->shape->block_rows >= up->first)
            code = given_twice(entries[i].id, error);
        else if (!places_add(&up->old, old) || !later_add(up, entries[i]))
            code = plug_error_no_memory(error);
    }
    if (cursor)
        mdb_cursor_close(cursor);
    if (rc)
        code = flat_writer_error(writer, rc, "write", error);
    free(entries);
    return code;
}

static int32_t point_later(flat_writer *writer, upsert *up, simplugin_error **error)
{
    MDB_cursor *cursor = NULL;
    int32_t code = SIMPLUGIN_OK;
    int rc = 0;

    if (!up->later_count)
        return SIMPLUGIN_OK;
    flat_entries_sort(up->later, up->later_count);
    rc = mdb_cursor_open(writer->txn, writer->env->ids, &cursor);
    for (uint64_t i = 0; i < up->later_count && !rc && code == SIMPLUGIN_OK; i++) {
        MDB_val key = {up->later[i].id.size, (void *)(uintptr_t)up->later[i].id.data};
        MDB_val value = {sizeof(up->later[i].place), &up->later[i].place};

        if (same_as_before(up->later, i))
            code = given_twice(up->later[i].id, error);
        else
            rc = mdb_cursor_put(cursor, &key, &value, 0);
    }
    if (cursor)
        mdb_cursor_close(cursor);
    return rc ? flat_writer_error(writer, rc, "write", error) : code;
}

/* Rows of the tail whose ids are in the new blocks now. */
static int32_t replace_in_tail(flat_writer *writer, upsert *up, simplugin_error **error)
{
    flat_state *state = &writer->state;
    MDB_cursor *cursor = NULL;
    MDB_val key, value, found;
    int32_t code = SIMPLUGIN_OK;
    int rc = 0;

    if (!up->direct || !(state->tail_rows + state->tail_garbage))
        return SIMPLUGIN_OK;
    rc = mdb_cursor_open(writer->txn, writer->env->tail, &cursor);
    while (!rc && code == SIMPLUGIN_OK &&
           !(rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
        flat_tail_view view;
        uint64_t place = 0;

        rc = mdb_get(writer->txn, writer->env->ids, &key, &found);
        if (!rc && found.mv_size == sizeof(place))
            memcpy(&place, found.mv_data, sizeof(place));
        if (rc == MDB_NOTFOUND || (!rc && place / up->shape->block_rows < up->first)) {
            rc = 0;
            continue;
        }
        if (rc)
            continue;
        if (flat_tail_decode(value.mv_data, value.mv_size, up->shape, &view)) {
            code = flat_corrupt(writer->env, "a row of the tail is cut short", error);
        } else if (view.sequence < state->floor) {
            state->tail_garbage--;
        } else {
            state->tail_rows--;
            up->replaced++;
        }
        rc = mdb_cursor_del(cursor, 0);
    }
    if (cursor)
        mdb_cursor_close(cursor);
    if (code == SIMPLUGIN_OK && rc && rc != MDB_NOTFOUND)
        code = flat_writer_error(writer, rc, "write", error);
    return code;
}

/* ---- the tail ------------------------------------------------------------------------ */

/* Counts the row that stands under that id, in the tail or in a block, as replaced. */
static int32_t replace_one(flat_writer *writer, upsert *up, MDB_val *key, simplugin_error **error)
{
    flat_state *state = &writer->state;
    flat_tail_view view;
    MDB_val value;
    uint64_t place;
    int rc = mdb_get(writer->txn, writer->env->tail, key, &value);

    if (!rc) {
        if (flat_tail_decode(value.mv_data, value.mv_size, up->shape, &view))
            return flat_corrupt(writer->env, "a row of the tail is cut short", error);
        if (view.sequence >= state->floor) {
            up->replaced++;
            return SIMPLUGIN_OK;
        }
        state->tail_garbage--;
    } else if (rc != MDB_NOTFOUND) {
        return flat_writer_error(writer, rc, "read", error);
    }
    state->tail_rows++;
    rc = mdb_get(writer->txn, writer->env->ids, key, &value);
    if (rc == MDB_NOTFOUND)
        return SIMPLUGIN_OK;
    if (rc)
        return flat_writer_error(writer, rc, "read", error);
    if (value.mv_size != sizeof(place))
        return flat_corrupt(writer->env, "an id leads to nothing", error);
    memcpy(&place, value.mv_data, sizeof(place));
    if (place / up->shape->block_rows >= up->first)
        return given_twice((sp_text){key->mv_data, key->mv_size}, error);
    return places_add(&up->old, place) ? SIMPLUGIN_OK : plug_error_no_memory(error);
}

/* The value of one row of the tail. */
static int encode_tail(flat_writer *writer, const upsert *up, uint64_t i, const uint32_t *numbers,
                       const uint32_t *columns, uint64_t field_count, sp_buffer *out)
{
    uint64_t row = input_row(up->rows, i);
    uint32_t present = 0;

    for (uint64_t f = 0; f < field_count; f++)
        present += sp_column_is_valid(&up->rows->field_columns[columns[f]], row) != 0;
    out->size = 0;
    flat_tail_encode(out, up->shape, writer->state.next_sequence, input_vector(up->rows, i), present);
    for (uint64_t f = 0; f < field_count; f++) {
        const sp_column *column = &up->rows->field_columns[columns[f]];
        flat_builder builder;
        sp_buffer bytes;

        if (!sp_column_is_valid(column, row))
            continue;
        flat_builder_init(&builder, column->type);
        sp_buffer_init(&bytes);
        flat_builder_append(&builder, column, row);
        if (!flat_builder_finish(&builder, &bytes))
            out->failed = 1;
        flat_tail_field(out, numbers[f], &bytes);
        flat_builder_clear(&builder);
        sp_buffer_clear(&bytes);
    }
    return !out->failed;
}

static int32_t write_tail(flat_writer *writer, upsert *up, const uint32_t *numbers,
                          const uint32_t *columns, uint64_t field_count, simplugin_error **error)
{
    uint64_t count = up->rows->count - up->direct;
    flat_entry *entries = NULL;
    int32_t code = SIMPLUGIN_OK;
    sp_buffer bytes;

    if (!count)
        return SIMPLUGIN_OK;
    entries = calloc((size_t)count, sizeof(*entries));
    if (!entries)
        return plug_error_no_memory(error);
    sp_buffer_init(&bytes);
    for (uint64_t i = 0; i < count; i++) {
        entries[i].id = input_id(up->rows, up->direct + i);
        entries[i].place = up->direct + i;
    }
    flat_entries_sort(entries, count);
    for (uint64_t i = 0; i < count && code == SIMPLUGIN_OK; i++) {
        MDB_val key = {entries[i].id.size, (void *)(uintptr_t)entries[i].id.data}, value;
        int rc;

        if (same_as_before(entries, i))
            code = given_twice(entries[i].id, error);
        else
            code = replace_one(writer, up, &key, error);
        if (code != SIMPLUGIN_OK)
            continue;
        if (!encode_tail(writer, up, entries[i].place, numbers, columns, field_count, &bytes)) {
            code = plug_error_no_memory(error);
            continue;
        }
        value.mv_size = bytes.size;
        value.mv_data = bytes.data;
        rc = mdb_put(writer->txn, writer->env->tail, &key, &value, 0);
        if (rc)
            code = flat_writer_error(writer, rc, "write", error);
        writer->state.next_sequence++;
    }
    sp_buffer_clear(&bytes);
    free(entries);
    return code;
}

/* ---- transactions -------------------------------------------------------------------- */

static int32_t step(flat_writer *writer, void *context, simplugin_error **error)
{
    upsert *up = context;
    uint64_t fields = up->rows->field_count, count = 0, killed = 0;
    uint32_t *numbers = calloc((size_t)fields + 1, 2 * sizeof(*numbers));
    int32_t code = SIMPLUGIN_OK;

    if (!numbers)
        return plug_error_no_memory(error);
    up->old.count = up->old_kept;
    up->later_count = up->later_kept;
    up->replaced = 0;
    if (up->written == 0)
        up->first = writer->state.next_block;
    code = number_fields(writer, up->rows, numbers, numbers + fields, &count, error);
    if (code == SIMPLUGIN_OK)
        code = write_blocks(writer, up, numbers, numbers + fields, count, error);
    if (code == SIMPLUGIN_OK)
        code = write_ids(writer, up, error);
    if (code != SIMPLUGIN_OK || !up->last)
        goto out;
    code = point_later(writer, up, error);
    if (code == SIMPLUGIN_OK)
        code = replace_in_tail(writer, up, error);
    if (code == SIMPLUGIN_OK)
        code = write_tail(writer, up, numbers, numbers + fields, count, error);
    if (code == SIMPLUGIN_OK)
        code = flat_places_kill(writer, up->old.items, up->old.count, &killed, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    if (up->block_count)
        writer->state.next_block = up->first + up->block_count;
    up->replaced += killed;
    writer->state.live += up->rows->count;
    if (writer->state.live < up->replaced)
        code = flat_corrupt(writer->env, "the number of its rows is not what it says", error);
    else
        writer->state.live -= up->replaced;
out:
    free(numbers);
    return code;
}

static uint64_t block_bytes(const flat_shape *shape)
{
    return flat_vectors_size(shape, (uint32_t)shape->block_rows) +
           flat_codes_size(shape, (uint32_t)shape->block_rows);
}

static void plan(upsert *up)
{
    uint64_t block_rows = up->shape->block_rows, count = up->rows->count;
    uint64_t rest = count % block_rows;

    up->block_count = count / block_rows;
    up->direct = count - rest;
    if (count > 1 && rest * 2 >= block_rows) {
        up->block_count++;
        up->direct = count;
    }
}

/* What one transaction has written is committed. */
static void advance(flat_writer *writer, upsert *up, uint64_t most)
{
    uint64_t rows = rows_before(up, up->target) - rows_before(up, up->written), freed;

    up->written = up->target;
    up->old_kept = up->old.count;
    up->later_kept = up->later_count;
    writer->continues = 1;
    flat_encoding_free(up->current);
    up->current = up->next;
    up->next = NULL;
    if (up->ids_last)
        return;
    freed = flat_env_freed(writer->env);
    up->length = freed ? rows * STEP_PAGES / freed / up->shape->block_rows : most;
    up->length = up->length < 1 ? 1 : up->length > most ? most : up->length;
}

/* All transactions; their length follows from what they give back. */
static int32_t run(flat_writer *writer, upsert *up, simplugin_error **error)
{
    uint64_t bytes = flat_step_bytes_forced < UINT64_MAX ? flat_step_bytes_forced : STEP_BYTES;
    uint64_t pages = flat_step_pages_forced < UINT64_MAX ? flat_step_pages_forced : STEP_PAGES;
    uint64_t most = bytes / block_bytes(up->shape);
    uint64_t row_bytes = block_bytes(up->shape) / up->shape->block_rows + 8192;
    int32_t code = SIMPLUGIN_OK;

    most = most ? most : 1;
    /* A small tree of ids is written best once, a large one in parts. */
    up->ids_last = flat_env_id_pages(writer->env) <= pages;
    up->length = up->ids_last ? most : 1;
    /* The first blocks; from then on each transaction leaves the next one's in `current`. */
    code = encode_next(writer->env, up, error);
    up->current = up->next;
    up->next = NULL;
    while (code == SIMPLUGIN_OK && !up->last) {
        uint64_t rows;

        up->target = up->written + (up->current ? up->current->block_count : 0);
        up->last = up->target == up->block_count;
        rows = rows_before(up, up->target) - rows_before(up, up->written);
        if (up->last)
            rows += up->rows->count - up->direct;
        writer->relaxed = !up->last;
        code = flat_writer_run(writer, step, up, rows * row_bytes, error);
        if (code == SIMPLUGIN_OK && !up->last)
            advance(writer, up, most);
    }
    flat_encoding_free(up->current);
    flat_encoding_free(up->next);
    return code;
}

/* Adds of many rows do not leave all of the folding to the thread. */
static void fold(flat_writer *writer, uint64_t block_rows)
{
    int more = 1;

    while (more && writer->state.tail_rows >= 2 * block_rows &&
           flat_maintain_step(writer->env, writer->wait, &more, NULL) == SIMPLUGIN_OK &&
           flat_state_now(writer->env, writer->wait, &writer->state, NULL) == SIMPLUGIN_OK)
        continue;
}

int32_t flat_upsert_write(flat_writer *writer, const flat_rows *rows, uint64_t *replaced,
                          simplugin_error **error)
{
    upsert up = {.rows = rows, .shape = &writer->env->view.shape};
    int32_t code = SIMPLUGIN_OK;

    *replaced = 0;
    if (rows->count == 0)
        return SIMPLUGIN_OK;
    plan(&up);
    if (up.block_count > 1) {
        up.crew = flat_crew_new();
        writer->writeback = flat_writeback_new(writer->env);
    }
    code = run(writer, &up, error);
    flat_writeback_free(writer->writeback);
    writer->writeback = NULL;
    flat_crew_free(up.crew);
    if (code == SIMPLUGIN_OK)
        *replaced = up.replaced;
    if (code == SIMPLUGIN_OK && rows->count > 1)
        fold(writer, up.shape->block_rows);
    free(up.old.items);
    free(up.later);
    return code;
}

int32_t flat_store_upsert(flat_store *store, const flat_rows *rows, const flat_wait *wait,
                          uint64_t *replaced, simplugin_error **error)
{
    flat_writer writer;
    int32_t code = SIMPLUGIN_OK;

    *replaced = 0;
    if (rows->count == 0)
        return SIMPLUGIN_OK;
    code = flat_writer_begin(store, wait, &writer, error);
    if (code == SIMPLUGIN_OK)
        code = flat_upsert_write(&writer, rows, replaced, error);
    flat_writer_end(&writer);
    return code;
}
