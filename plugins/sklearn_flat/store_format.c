/* SPDX-License-Identifier: Apache-2.0 */
/* The small values of a store: keys, schema, state, the list of fields, records of blocks. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "store_format.h"

static const char magic[8] = {'s', 'p', '-', 'f', 'l', 'a', 't', '\n'};

#define SCHEMA_HEAD 64
#define STATE_WORDS 10
#define RECORD_HEAD 40

void flat_shape_init(flat_shape *shape, uint64_t dimension)
{
    uint64_t rows;

    shape->dimension = dimension;
    shape->vector_stride = (dimension + 15) / 16 * 16;
    shape->code_stride = sp_codes_stride(dimension);
    rows = FLAT_BLOCK_BYTES / (shape->vector_stride * sizeof(float)) / 64 * 64;
    if (rows < FLAT_BLOCK_ROWS_MIN)
        rows = FLAT_BLOCK_ROWS_MIN;
    if (rows > FLAT_BLOCK_ROWS_MAX)
        rows = FLAT_BLOCK_ROWS_MAX;
    shape->block_rows = rows;
}

/* ---- keys ---------------------------------------------------------------------------- */

void flat_key(uint8_t key[FLAT_KEY_SIZE], uint32_t kind, uint32_t field, uint64_t block)
{
    key[0] = (uint8_t)(kind >> 8);
    key[1] = (uint8_t)kind;
    key[2] = (uint8_t)(field >> 8);
    key[3] = (uint8_t)field;
    for (int i = 0; i < 8; i++)
        key[4 + i] = (uint8_t)(block >> (56 - 8 * i));
}

int flat_key_parse(const void *data, size_t size, uint32_t *kind, uint32_t *field, uint64_t *block)
{
    const uint8_t *key = data;

    if (size != FLAT_KEY_SIZE)
        return 0;
    *kind = (uint32_t)key[0] << 8 | key[1];
    *field = (uint32_t)key[2] << 8 | key[3];
    *block = 0;
    for (int i = 0; i < 8; i++)
        *block = *block << 8 | key[4 + i];
    return *kind >= FLAT_RECORD && *kind <= FLAT_COLUMN;
}

/* ---- schema -------------------------------------------------------------------------- */

void flat_schema_encode(sp_buffer *out, const flat_shape *shape, sp_text name,
                        const flat_schema *schema)
{
    uint8_t head[SCHEMA_HEAD] = {0};
    uint32_t words[6] = {FLAT_FORMAT_VERSION, (uint32_t)name.size, 0, 0, 0, 0};
    uint64_t longs[4] = {shape->dimension, shape->block_rows, 0, 0};

    words[2] = schema->metric ? (uint32_t)strlen(schema->metric) : 0;
    words[3] = schema->attributes != NULL;
    longs[2] = schema->attributes ? schema->attributes_size : 0;
    memcpy(head, magic, 8);
    memcpy(head + 8, words, sizeof(words));
    memcpy(head + 32, longs, sizeof(longs));
    sp_buffer_append(out, head, sizeof(head));
    sp_buffer_append(out, name.data, name.size);
    sp_buffer_append(out, schema->metric ? schema->metric : "", words[2]);
    if (schema->attributes)
        sp_buffer_append(out, schema->attributes, schema->attributes_size);
}

const char *flat_schema_decode(const void *data, size_t size, flat_schema_view *view,
                               uint32_t *version)
{
    const uint8_t *bytes = data;
    uint32_t words[6];
    uint64_t longs[4];
    uint64_t rest;

    *version = 0;
    if (size < SCHEMA_HEAD || memcmp(bytes, magic, 8))
        return "the schema is not one";
    memcpy(words, bytes + 8, sizeof(words));
    memcpy(longs, bytes + 32, sizeof(longs));
    *version = words[0];
    if (words[0] != FLAT_FORMAT_VERSION)
        return "the format version is another one";
    rest = size - SCHEMA_HEAD;
    if (words[1] == 0 || words[1] > FLAT_NAME_MAX || words[1] > rest)
        return "the name in the schema has an impossible length";
    rest -= words[1];
    if (words[2] > rest)
        return "the metric in the schema has an impossible length";
    rest -= words[2];
    if (longs[2] != rest)
        return "the attributes in the schema have an impossible length";
    if (longs[0] == 0 || longs[0] > FLAT_DIMENSION_MAX)
        return "the dimension in the schema is impossible";
    flat_shape_init(&view->shape, longs[0]);
    if (longs[1] == 0 || longs[1] % FLAT_BLOCK_ROWS_MIN || longs[1] > FLAT_BLOCK_ROWS_MAX)
        return "the size of blocks in the schema is impossible";
    view->shape.block_rows = longs[1];
    view->name.data = (const char *)bytes + SCHEMA_HEAD;
    view->name.size = words[1];
    view->metric.data = view->name.data + words[1];
    view->metric.size = words[2];
    view->attributes.data = view->metric.data + words[2];
    view->attributes.size = (size_t)longs[2];
    view->has_attributes = words[3] != 0;
    return NULL;
}

/* ---- state --------------------------------------------------------------------------- */

void flat_state_encode(sp_buffer *out, const flat_state *state)
{
    uint64_t words[STATE_WORDS] = {state->next_block,    state->live,       state->tail_rows,
                                   state->tail_garbage,  state->next_sequence, state->floor,
                                   state->retired,       state->sparse,     state->superseded,
                                   state->dropped};

    sp_buffer_append(out, words, sizeof(words));
}

const char *flat_state_decode(const void *data, size_t size, flat_state *state)
{
    uint64_t words[STATE_WORDS];

    if (size != sizeof(words))
        return "the state has an impossible size";
    memcpy(words, data, sizeof(words));
    state->next_block = words[0];
    state->live = words[1];
    state->tail_rows = words[2];
    state->tail_garbage = words[3];
    state->next_sequence = words[4];
    state->floor = words[5];
    state->retired = words[6];
    state->sparse = words[7];
    state->superseded = words[8];
    state->dropped = words[9];
    if (state->tail_rows > state->live || state->floor > state->next_sequence ||
        state->next_block > UINT64_MAX / FLAT_BLOCK_ROWS_MAX - 1)
        return "the state contradicts itself";
    return NULL;
}

/* ---- fields -------------------------------------------------------------------------- */

int flat_type_valid(uint32_t type)
{
    uint32_t element = type & ~SP_LIST;

    return element >= SP_TEXT && element <= SP_BOOL;
}

void flat_fields_encode(sp_buffer *out, const flat_fields *fields)
{
    for (uint64_t i = 0; i < fields->count; i++) {
        uint32_t words[2] = {fields->items[i].type, (uint32_t)strlen(fields->items[i].name)};

        sp_buffer_append(out, words, sizeof(words));
        sp_buffer_append(out, fields->items[i].name, words[1]);
    }
}

int32_t flat_fields_decode(const void *data, size_t size, flat_fields *fields, const char **what)
{
    const uint8_t *bytes = data;
    int32_t code = SIMPLUGIN_OK;

    memset(fields, 0, sizeof(*fields));
    while (size && code == SIMPLUGIN_OK) {
        uint32_t words[2];
        char *name = NULL;

        *what = "the list of fields is damaged";
        if (size < sizeof(words) || fields->count >= FLAT_FIELDS_MAX) {
            code = SIMPLUGIN_CORRUPT;
            continue;
        }
        memcpy(words, bytes, sizeof(words));
        bytes += sizeof(words);
        size -= sizeof(words);
        if (words[1] > size || memchr(bytes, 0, words[1]) || !flat_type_valid(words[0])) {
            code = SIMPLUGIN_CORRUPT;
            continue;
        }
        name = malloc((size_t)words[1] + 1);
        if (!name) {
            code = SIMPLUGIN_OUT_OF_MEMORY;
            continue;
        }
        memcpy(name, bytes, words[1]);
        name[words[1]] = 0;
        bytes += words[1];
        size -= words[1];
        if (flat_fields_find(fields, name) < fields->count)
            code = SIMPLUGIN_CORRUPT;
        else
            code = flat_fields_add(fields, name, words[0]);
        free(name);
    }
    if (code != SIMPLUGIN_OK)
        flat_fields_clear(fields);
    return code;
}

void flat_fields_clear(flat_fields *fields)
{
    for (uint64_t i = 0; i < fields->count; i++)
        free((void *)(uintptr_t)fields->items[i].name);
    free(fields->items);
    memset(fields, 0, sizeof(*fields));
}

uint64_t flat_fields_find(const flat_fields *fields, const char *name)
{
    uint64_t i = 0;

    while (i < fields->count && strcmp(fields->items[i].name, name))
        i++;
    return i;
}

int32_t flat_fields_add(flat_fields *fields, const char *name, uint32_t type)
{
    char *copy = strdup(name);
    flat_field *items = NULL;

    if (copy)
        items = realloc(fields->items, (size_t)(fields->count + 1) * sizeof(*items));
    if (!items) {
        free(copy);
        return SIMPLUGIN_OUT_OF_MEMORY;
    }
    fields->items = items;
    items[fields->count].name = copy;
    items[fields->count].type = type;
    fields->count++;
    return SIMPLUGIN_OK;
}

/* ---- records ------------------------------------------------------------------------- */

void flat_record_encode(sp_buffer *out, const flat_record *record)
{
    uint32_t words[4] = {record->rows, record->dead_count, record->retired, record->cleaned};
    uint64_t longs[3] = {record->vectors_hash, record->codes_hash, record->ids_hash};

    sp_buffer_append(out, words, sizeof(words));
    sp_buffer_append(out, longs, sizeof(longs));
    if (record->dead_count)
        sp_buffer_append(out, record->dead, (record->rows + 7) / 8);
}

const char *flat_record_decode(const void *data, size_t size, const flat_shape *shape,
                               flat_record *record)
{
    const uint8_t *bytes = data;
    uint32_t words[4];
    uint64_t longs[3];
    uint64_t bits = 0;

    if (size < RECORD_HEAD)
        return "its record is cut short";
    memcpy(words, bytes, sizeof(words));
    memcpy(longs, bytes + 16, sizeof(longs));
    record->rows = words[0];
    record->dead_count = words[1];
    record->retired = words[2];
    record->cleaned = words[3];
    record->vectors_hash = longs[0];
    record->codes_hash = longs[1];
    record->ids_hash = longs[2];
    record->dead = NULL;
    if (record->rows == 0 || record->rows > shape->block_rows || record->dead_count > record->rows ||
        record->retired > 1 || record->cleaned > record->rows)
        return "its record has impossible counts";
    if (record->dead_count) {
        if (size != RECORD_HEAD + (record->rows + 7) / 8)
            return "the bits of its deleted rows have an impossible size";
        record->dead = bytes + RECORD_HEAD;
        for (uint32_t i = 0; i < record->rows; i++)
            bits += record->dead[i >> 3] >> (i & 7) & 1;
        if (bits != record->dead_count)
            return "the bits of its deleted rows do not agree with their number";
    } else if (size != RECORD_HEAD) {
        return "its record has an impossible size";
    }
    return NULL;
}

int flat_record_sparse(const flat_record *record, const flat_shape *shape)
{
    return !record->retired &&
           (uint64_t)(record->rows - record->dead_count) * 2 <= shape->block_rows;
}
