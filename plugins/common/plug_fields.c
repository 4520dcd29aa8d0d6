/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_fields.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void plug_fields_init(plug_fields *fields, plug_call *call, const plug_fields_rules *rules)
{
    memset(fields, 0, sizeof *fields);
    fields->call = call;
    fields->rules = rules;
}

static void field_clear(plug_field *field)
{
    sp_buffer_clear(&field->values);
    sp_buffer_clear(&field->offsets);
    sp_buffer_clear(&field->lists);
    sp_buffer_clear(&field->valid);
}

void plug_fields_clear(plug_fields *fields)
{
    for (uint64_t i = 0; i < fields->count; i++)
        field_clear(&fields->fields[i]);
    free(fields->fields);
    free(fields->places);
    memset(fields, 0, sizeof *fields);
}

/* ---- which fields there are --------------------------------------------------------------- */

static int is_wanted(const plug_fields *fields, const char *name)
{
    const plug_fields_rules *rules = fields->rules;
    int is_named = rules->names->all;

    for (uint64_t i = 0; !is_named && i < rules->names->count; i++)
        is_named = strcmp(rules->names->names[i], name) == 0;
    return is_named && (!rules->is_shown || rules->is_shown(rules->context, name));
}

static int has_name(const plug_field *field, const char *name, size_t size)
{
    return field->name_size == size && memcmp(field->name, name, size) == 0;
}

/* Where the search for a name begins: FNV-1a. */
static uint64_t name_place(const plug_fields *fields, const char *name, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3;
    return (hash ^ hash >> 32) & (fields->place_count - 1);
}

static plug_field *field_find(plug_fields *fields, const char *name, size_t size)
{
    uint64_t next = fields->last + 1 < fields->count ? fields->last + 1 : 0;
    uint64_t at;

    if (!fields->count)
        return NULL;
    if (has_name(&fields->fields[next], name, size)) {
        fields->last = next;
        return &fields->fields[next];
    }
    at = name_place(fields, name, size);
    for (; fields->places[at]; at = (at + 1) & (fields->place_count - 1)) {
        plug_field *field = &fields->fields[fields->places[at] - 1];

        if (!has_name(field, name, size))
            continue;
        fields->last = fields->places[at] - 1;
        return field;
    }
    return NULL;
}

static void place_put(plug_fields *fields, uint64_t i)
{
    uint64_t at = name_place(fields, fields->fields[i].name, fields->fields[i].name_size);

    while (fields->places[at])
        at = (at + 1) & (fields->place_count - 1);
    fields->places[at] = i + 1;
}

/* Room for one more, with the places at most half full; 0: no memory. */
static int fields_grow(plug_fields *fields)
{
    uint64_t capacity = fields->capacity ? fields->capacity * 2 : 8;
    plug_field *more;
    uint64_t *places;

    if (fields->count < fields->capacity)
        return 1;
    more = realloc(fields->fields, (size_t)capacity * sizeof *more);
    if (!more)
        return 0;
    fields->fields = more;
    places = calloc((size_t)capacity * 2, sizeof *places);
    if (!places)
        return 0;
    free(fields->places);
    fields->places = places;
    fields->place_count = capacity * 2;
    fields->capacity = capacity;
    for (uint64_t i = 0; i < fields->count; i++)
        place_put(fields, i);
    return 1;
}

plug_field *plug_fields_take(plug_fields *fields, const char *name, size_t size)
{
    plug_field *field = field_find(fields, name, size);
    const char *copy;

    if (field)
        return field;
    copy = sp_arena_text(&fields->call->scratch, name, size);
    if (!copy || !fields_grow(fields))
        return NULL;
    field = &fields->fields[fields->count];
    memset(field, 0, sizeof *field);
    sp_buffer_init(&field->values);
    sp_buffer_init(&field->offsets);
    sp_buffer_init(&field->lists);
    sp_buffer_init(&field->valid);
    field->name = copy;
    field->name_size = size;
    field->is_wanted = is_wanted(fields, copy);
    place_put(fields, fields->count);
    fields->last = fields->count++;
    return field;
}

plug_field *plug_fields_find(plug_fields *fields, const char *name, size_t size)
{
    plug_field *field = field_find(fields, name, size);

    return field && field->is_wanted ? field : NULL;
}

/* ---- types -------------------------------------------------------------------------------- */

void plug_field_join(plug_field *field, uint32_t type)
{
    if (!type || field->is_mixed || type == field->type)
        return;
    if (type == PLUG_OTHER_VALUE)
        field->is_mixed = 1;
    else if (!field->type || field->type == PLUG_EMPTY_LIST)
        field->is_mixed = field->type == PLUG_EMPTY_LIST && !(type & SP_LIST);
    else if (type == PLUG_EMPTY_LIST)
        field->is_mixed = !(field->type & SP_LIST);
    else if ((type ^ field->type) == (SP_INT64 ^ SP_FLOAT64))
        type = SP_FLOAT64 | (type & SP_LIST);
    else
        field->is_mixed = 1;
    if (field->is_mixed)
        field->type = SP_TEXT;
    else if (type != PLUG_EMPTY_LIST || !field->type)
        field->type = type;
}

int32_t plug_fields_note(plug_fields *fields, const char *name, size_t size, uint32_t type)
{
    plug_field *field = plug_fields_take(fields, name, size);

    if (!field)
        return plug_no_memory(fields->call);
    if (field->is_wanted)
        plug_field_join(field, type);
    return SIMPLUGIN_OK;
}

int32_t plug_fields_seen(plug_fields *fields, plug_seen *seen)
{
    memset(seen, 0, sizeof *seen);
    seen->names = plug_scratch(fields->call, fields->count + 1, sizeof *seen->names);
    seen->types = plug_scratch(fields->call, fields->count + 1, sizeof *seen->types);
    if (!seen->names || !seen->types)
        return plug_no_memory(fields->call);
    for (uint64_t i = 0; i < fields->count; i++) {
        const plug_field *field = &fields->fields[i];

        if (!field->is_wanted || !field->type || field->type == PLUG_EMPTY_LIST)
            continue;
        seen->names[seen->count] = field->name;
        seen->types[seen->count++] = field->type;
    }
    return SIMPLUGIN_OK;
}

/* ---- filling ------------------------------------------------------------------------------ */

static void offset_put(sp_buffer *offsets, uint64_t value)
{
    int64_t number = (int64_t)value;

    sp_buffer_append(offsets, &number, sizeof number);
}

/* A column that no value gave a type: the declared one, where its rows can have that. */
static void type_settle(const plug_fields_rules *rules, plug_field *field)
{
    uint32_t declared = rules->declared ? rules->declared(rules->context, field->name) : 0;

    if (!field->type)
        field->type = declared ? declared : SP_TEXT;
    else if (field->type == PLUG_EMPTY_LIST)
        field->type = declared & SP_LIST ? declared : SP_TEXT | SP_LIST;
}

void plug_fields_settle(plug_fields *fields)
{
    for (uint64_t i = 0; i < fields->count; i++) {
        plug_field *field = &fields->fields[i];

        if (!field->is_wanted)
            continue;
        type_settle(fields->rules, field);
        /* offsets begin with a zero */
        if ((field->type & ~SP_LIST) == SP_TEXT)
            offset_put(&field->offsets, 0);
        if (field->type & SP_LIST)
            offset_put(&field->lists, 0);
    }
}

void plug_field_text(plug_field *field, const char *data, size_t size)
{
    assert((field->type & ~SP_LIST) == SP_TEXT);
    if (size)
        sp_buffer_append(&field->values, data, size);
    offset_put(&field->offsets, field->values.size);
    field->items++;
}

void plug_field_int64(plug_field *field, int64_t value)
{
    double number = (double)value;
    uint8_t byte = value != 0;

    switch (field->type & ~SP_LIST) {
    case SP_BOOL: sp_buffer_append(&field->values, &byte, 1); break;
    case SP_FLOAT64: sp_buffer_append(&field->values, &number, sizeof number); break;
    default:
        assert((field->type & ~SP_LIST) == SP_INT64);
        sp_buffer_append(&field->values, &value, sizeof value);
    }
    field->items++;
}

void plug_field_double(plug_field *field, double value)
{
    assert((field->type & ~SP_LIST) == SP_FLOAT64);
    sp_buffer_append(&field->values, &value, sizeof value);
    field->items++;
}

void plug_field_bool(plug_field *field, int value)
{
    plug_field_int64(field, value != 0);
}

void plug_field_filler(plug_field *field)
{
    if (field->type == SP_TEXT)
        plug_field_text(field, NULL, 0);
    else if (!(field->type & SP_LIST))
        plug_field_int64(field, 0);
}

void plug_field_end(plug_field *field)
{
    field->rows++;
    if (field->type & SP_LIST)
        offset_put(&field->lists, field->items);
    else
        assert(field->items == field->rows);
}

/* Ends rows without a value up to the one before `row`. */
static void rows_pad(plug_field *field, uint64_t row)
{
    while (field->rows < row) {
        plug_field_filler(field);
        plug_field_end(field);
    }
}

int plug_field_begin(plug_field *field, uint64_t row)
{
    if (field->rows > row)
        return 0;
    rows_pad(field, row);
    while (field->valid.size <= row / 8 && !field->valid.failed)
        sp_buffer_append(&field->valid, "", 1);
    if (!field->valid.failed)
        field->valid.data[row / 8] |= (uint8_t)(1 << row % 8);
    return 1;
}

void plug_field_try(plug_field *field, uint64_t row)
{
    rows_pad(field, row);
    field->values_before = field->values.size;
    field->offsets_before = field->offsets.size;
    field->lists_before = field->lists.size;
    field->items_before = field->items;
    plug_field_begin(field, row);
}

void plug_field_undo(plug_field *field)
{
    uint64_t row = --field->rows;

    field->values.size = field->values_before;
    field->offsets.size = field->offsets_before;
    field->lists.size = field->lists_before;
    field->items = field->items_before;
    if (!field->valid.failed)
        field->valid.data[row / 8] &= (uint8_t)~(1 << row % 8);
}

/* ---- the columns -------------------------------------------------------------------------- */

/* Bytes in memory of the reply, zeroes where there are too few. */
static void *reply_copy(plug_call *call, const sp_buffer *from, uint64_t size)
{
    uint8_t *copy = plug_reply_array(call, size + 1, 1);

    if (copy && from->size)
        memcpy(copy, from->data, from->size < size ? from->size : (size_t)size);
    return copy;
}

static int32_t column_finish(plug_call *call, plug_field *field, uint64_t rows, sp_column *column)
{
    int is_text = (field->type & ~SP_LIST) == SP_TEXT, is_list = (field->type & SP_LIST) != 0;

    rows_pad(field, rows);
    memset(column, 0, sizeof *column);
    column->count = rows;
    column->type = field->type;
    if (field->values.failed || field->offsets.failed || field->lists.failed || field->valid.failed)
        return plug_no_memory(call);
    column->values = reply_copy(call, &field->values, field->values.size);
    column->valid = reply_copy(call, &field->valid, rows / 8 + 1);
    if (is_text)
        column->offsets = reply_copy(call, &field->offsets, field->offsets.size);
    if (is_list)
        column->list_offsets = reply_copy(call, &field->lists, field->lists.size);
    return column->values && column->valid && (!is_text || column->offsets) &&
                   (!is_list || column->list_offsets)
               ? SIMPLUGIN_OK
               : plug_no_memory(call);
}

int32_t plug_fields_finish(plug_fields *fields, uint64_t rows, plug_columns *columns)
{
    plug_call *call = fields->call;
    int32_t code = SIMPLUGIN_OK;

    memset(columns, 0, sizeof *columns);
    columns->names = plug_scratch(call, fields->count + 1, sizeof *columns->names);
    columns->columns = plug_scratch(call, fields->count + 1, sizeof *columns->columns);
    if (!columns->names || !columns->columns)
        return plug_no_memory(call);
    for (uint64_t i = 0; !code && i < fields->count; i++) {
        plug_field *field = &fields->fields[i];

        if (!field->is_wanted)
            continue;
        columns->names[columns->count] = field->name;
        code = column_finish(call, field, rows, &columns->columns[columns->count++]);
    }
    return code;
}

void plug_columns_write(plug_call *call, const plug_columns *columns)
{
    simplugin_write_string(&call->out, "fields");
    simplugin_write_map(&call->out, columns->count);
    for (uint64_t i = 0; i < columns->count; i++) {
        simplugin_write_string(&call->out, columns->names[i]);
        simplugin_write_column(&call->out, &columns->columns[i]);
    }
}
