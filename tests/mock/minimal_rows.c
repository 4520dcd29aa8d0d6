/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "minimal_rows.h"

#include <pthread.h>

/* Several instances of one process see the same collections, as with a server. */
static struct {
    pthread_mutex_t lock;
    minimal_collection **collections;
    uint64_t count;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A child forked while another thread is in here must not find the lock taken. */
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void fork_lock(void) { pthread_mutex_lock(&all.lock); }
static void fork_unlock(void) { pthread_mutex_unlock(&all.lock); }
static void fork_prepare(void) { pthread_atfork(fork_lock, fork_unlock, fork_unlock); }

int minimal_lock(void)
{
    pthread_once(&fork_once, fork_prepare);
    return pthread_mutex_lock(&all.lock) == 0;
}

void minimal_unlock(void)
{
    pthread_mutex_unlock(&all.lock);
}

uint64_t minimal_count(void)
{
    return all.count;
}

minimal_collection *minimal_at(uint64_t i)
{
    return all.collections[i];
}

minimal_collection *minimal_find(const char *name, uint64_t size)
{
    for (uint64_t i = 0; i < all.count; i++)
        if (strlen(all.collections[i]->name) == size &&
            memcmp(all.collections[i]->name, name, (size_t)size) == 0)
            return all.collections[i];
    return NULL;
}

static void cell_clear(minimal_cell *cell)
{
    free(cell->ends);
    free(cell->data);
    memset(cell, 0, sizeof *cell);
}

static void row_clear_cells(minimal_row *row)
{
    for (uint64_t i = 0; i < row->cell_count; i++)
        cell_clear(&row->cells[i]);
    free(row->cells);
    row->cells = NULL;
    row->cell_count = 0;
}

static void row_clear(minimal_row *row)
{
    row_clear_cells(row);
    free(row->id);
    free(row->vector);
}

static void collection_free(minimal_collection *collection)
{
    if (!collection)
        return;
    for (uint64_t i = 0; i < collection->row_count; i++)
        row_clear(&collection->rows[i]);
    for (uint64_t i = 0; i < collection->field_count; i++)
        free(collection->fields[i].name);
    free(collection->rows);
    free(collection->fields);
    free(collection->metric);
    free(collection->name);
    free(collection);
}

minimal_collection *minimal_add(const char *name, uint64_t size, const char *metric,
                                uint64_t dimension)
{
    minimal_collection **grown =
        realloc(all.collections, (size_t)(all.count + 1) * sizeof *all.collections);
    minimal_collection *collection = calloc(1, sizeof *collection);

    if (grown)
        all.collections = grown;
    if (grown && collection) {
        collection->name = strndup(name, (size_t)size);
        collection->metric = strdup(metric);
        collection->dimension = dimension;
        if (collection->name && collection->metric) {
            all.collections[all.count++] = collection;
            return collection;
        }
    }
    collection_free(collection);
    return NULL;
}

void minimal_drop(minimal_collection *collection)
{
    for (uint64_t i = 0; i < all.count; i++)
        if (all.collections[i] == collection) {
            collection_free(collection);
            all.collections[i] = all.collections[--all.count];
            break;
        }
    if (!all.count) {
        free(all.collections);
        all.collections = NULL;
    }
}

uint64_t minimal_field_index(minimal_collection *collection, const char *name, uint64_t size,
                             uint32_t type)
{
    minimal_field *grown;
    char *copy;

    for (uint64_t i = 0; i < collection->field_count; i++)
        if (strlen(collection->fields[i].name) == size &&
            memcmp(collection->fields[i].name, name, (size_t)size) == 0)
            return i;
    grown = realloc(collection->fields, (size_t)(collection->field_count + 1) * sizeof *grown);
    if (!grown)
        return UINT64_MAX;
    collection->fields = grown;
    copy = strndup(name, (size_t)size);
    if (!copy)
        return UINT64_MAX;
    grown[collection->field_count].name = copy;
    grown[collection->field_count].type = type;
    return collection->field_count++;
}

uint64_t minimal_row_find(const minimal_collection *collection, const char *id, uint64_t size)
{
    for (uint64_t i = 0; i < collection->row_count; i++)
        if (strncmp(collection->rows[i].id, id, (size_t)size) == 0 &&
            collection->rows[i].id[size] == '\0')
            return i;
    return UINT64_MAX;
}

minimal_row *minimal_row_put(minimal_collection *collection, const char *id, uint64_t size,
                             const float *vector, int *replaced)
{
    uint64_t at = minimal_row_find(collection, id, size);
    uint64_t bytes = collection->dimension * sizeof(float);
    uint64_t capacity = collection->row_capacity ? collection->row_capacity * 2 : 64;
    minimal_row *row, *grown;

    *replaced = at != UINT64_MAX;
    if (*replaced) {
        row = &collection->rows[at];
        row_clear_cells(row);
    } else {
        if (collection->row_count == collection->row_capacity) {
            grown = realloc(collection->rows, (size_t)capacity * sizeof *grown);
            if (!grown)
                return NULL;
            collection->rows = grown;
            collection->row_capacity = capacity;
        }
        row = &collection->rows[collection->row_count];
        memset(row, 0, sizeof *row);
        row->id = strndup(id, (size_t)size);
        row->vector = malloc((size_t)bytes);
        if (!row->id || !row->vector) {
            row_clear(row);
            return NULL;
        }
        row->sequence = collection->next_sequence++;
        collection->row_count++;
    }
    memcpy(row->vector, vector, (size_t)bytes);
    return row;
}

void minimal_row_remove(minimal_collection *collection, uint64_t row)
{
    row_clear(&collection->rows[row]);
    memmove(&collection->rows[row], &collection->rows[row + 1],
            (size_t)(collection->row_count - row - 1) * sizeof *collection->rows);
    collection->row_count--;
}

static uint64_t item_size(uint32_t type)
{
    uint32_t item = type & ~SIMPLUGIN_COLUMN_LIST;

    return item == SIMPLUGIN_COLUMN_BOOL ? 1 : 8;
}

int minimal_cell_set(minimal_row *row, uint64_t field, const simplugin_column *column,
                     uint64_t from)
{
    uint64_t first = from, last = from + 1;
    uint64_t begin, end;
    minimal_cell *cells, *cell;

    if (field >= row->cell_count) {
        cells = realloc(row->cells, (size_t)(field + 1) * sizeof *cells);
        if (!cells)
            return 0;
        memset(cells + row->cell_count, 0,
               (size_t)(field + 1 - row->cell_count) * sizeof *cells);
        row->cells = cells;
        row->cell_count = field + 1;
    }
    cell = &row->cells[field];
    cell_clear(cell);
    if (!simplugin_column_is_valid(column, from))
        return 1;
    if (column->type & SIMPLUGIN_COLUMN_LIST) {
        first = (uint64_t)column->list_offsets[from];
        last = (uint64_t)column->list_offsets[from + 1];
    }
    cell->type = column->type;
    cell->count = last - first;
    if (column->offsets) {
        begin = (uint64_t)column->offsets[first];
        end = (uint64_t)column->offsets[last];
        cell->ends = malloc((size_t)(cell->count + 1) * sizeof *cell->ends);
        if (!cell->ends)
            return 0;
        for (uint64_t i = 0; i < cell->count; i++)
            cell->ends[i] = column->offsets[first + i + 1] - column->offsets[first];
    } else {
        begin = first * item_size(column->type);
        end = last * item_size(column->type);
    }
    cell->size = end - begin;
    cell->data = malloc((size_t)cell->size + 1);
    if (!cell->data)
        return 0;
    if (cell->size)
        memcpy(cell->data, (const uint8_t *)column->values + begin, (size_t)cell->size);
    return 1;
}

int minimal_gather(const simplugin_host *host, simplugin_reply *reply,
                   const minimal_collection *collection, uint64_t field, const uint64_t *rows,
                   uint64_t count, simplugin_column *column, uint64_t *present)
{
    uint32_t type = collection->fields[field].type;
    int is_text = (type & ~SIMPLUGIN_COLUMN_LIST) == SIMPLUGIN_COLUMN_TEXT;
    int is_list = (type & SIMPLUGIN_COLUMN_LIST) != 0;
    /* a missing value takes up a place in a column that is no list */
    uint64_t filler = is_list || is_text ? 0 : item_size(type);
    uint64_t bytes = 0, items = 0, at = 0, item = 0;
    int64_t *offsets, *lists;
    uint8_t *valid, *values;

    *present = 0;
    for (uint64_t i = 0; i < count; i++) {
        const minimal_row *row = &collection->rows[rows[i]];
        int has = field < row->cell_count && row->cells[field].type;

        *present += (uint64_t)has;
        items += has ? row->cells[field].count : !is_list;
        bytes += has ? row->cells[field].size : filler;
    }
    valid = host->reply_alloc(reply, count / 8 + 1);
    values = host->reply_alloc(reply, bytes + 1);
    offsets = is_text ? host->reply_alloc(reply, (items + 1) * sizeof *offsets) : NULL;
    lists = is_list ? host->reply_alloc(reply, (count + 1) * sizeof *lists) : NULL;
    if (!valid || !values || (is_text && !offsets) || (is_list && !lists))
        return 0;
    for (uint64_t i = 0; i < count; i++) {
        const minimal_row *row = &collection->rows[rows[i]];
        int has = field < row->cell_count && row->cells[field].type;

        if (has) {
            const minimal_cell *cell = &row->cells[field];

            valid[i / 8] |= (uint8_t)(1 << i % 8);
            for (uint64_t j = 0; is_text && j < cell->count; j++)
                offsets[item + j + 1] = (int64_t)at + cell->ends[j];
            memcpy(values + at, cell->data, (size_t)cell->size);
            at += cell->size;
            item += cell->count;
        } else {
            at += filler;
            item += !is_list;
            if (is_text && !is_list)
                offsets[item] = (int64_t)at;
        }
        if (is_list)
            lists[i + 1] = (int64_t)item;
    }
    memset(column, 0, sizeof *column);
    column->type = type;
    column->count = count;
    column->valid = valid;
    column->values = values;
    column->offsets = offsets;
    column->list_offsets = lists;
    return 1;
}

int minimal_gather_ids(const simplugin_host *host, simplugin_reply *reply,
                       const minimal_collection *collection, const uint64_t *rows, uint64_t count,
                       simplugin_column *column)
{
    uint64_t bytes = 0;
    int64_t *offsets;
    char *values;

    for (uint64_t i = 0; i < count; i++)
        bytes += strlen(collection->rows[rows[i]].id);
    offsets = host->reply_alloc(reply, (count + 1) * sizeof *offsets);
    values = host->reply_alloc(reply, bytes + 1);
    if (!offsets || !values)
        return 0;
    for (uint64_t i = 0; i < count; i++) {
        const char *id = collection->rows[rows[i]].id;

        offsets[i + 1] = offsets[i] + (int64_t)strlen(id);
        memcpy(values + offsets[i], id, strlen(id));
    }
    memset(column, 0, sizeof *column);
    column->type = SIMPLUGIN_COLUMN_TEXT;
    column->count = count;
    column->offsets = offsets;
    column->values = values;
    return 1;
}
