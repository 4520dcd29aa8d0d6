/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_fields_json.h"

#include "json_write.h"

/* ---- types -------------------------------------------------------------------------------- */

/* A number that nothing holds stays where it stands, as what it is. */
static int number_read(plug_json *json, plug_json_number *number)
{
    plug_json before = *json;

    if (plug_json_read_number(json, number))
        return 1;
    *json = before;
    return 0;
}

/* Of what is neither array nor object. */
static uint32_t scalar_type(plug_json *json)
{
    plug_json_number number;
    uint32_t type = PLUG_OTHER_VALUE;

    switch (plug_json_peek(json)) {
    case PLUG_JSON_NULL: type = PLUG_NO_VALUE; break;
    case PLUG_JSON_BOOL: type = SP_BOOL; break;
    case PLUG_JSON_TEXT: type = SP_TEXT; break;
    case PLUG_JSON_NUMBER:
        if (number_read(json, &number))
            return number.kind == PLUG_JSON_INT64 ? SP_INT64 : SP_FLOAT64;
        break;
    default: break;
    }
    plug_json_skip(json);
    return type;
}

uint32_t plug_json_type(plug_json *json)
{
    uint32_t type = PLUG_EMPTY_LIST;

    if (plug_json_peek(json) != PLUG_JSON_ARRAY)
        return scalar_type(json);
    plug_json_array_begin(json);
    while (plug_json_next_item(json)) {
        uint32_t item = scalar_type(json), all = type & ~SP_LIST;

        if (type == PLUG_OTHER_VALUE || item == PLUG_OTHER_VALUE || item == PLUG_NO_VALUE)
            type = PLUG_OTHER_VALUE;
        else if (!all || (item ^ all) == (SP_INT64 ^ SP_FLOAT64))
            type = SP_LIST | (all ? SP_FLOAT64 : item);
        else if (item != all)
            type = PLUG_OTHER_VALUE;
    }
    return type;
}

/* ---- text --------------------------------------------------------------------------------- */

static void number_copy(plug_json *json, sp_buffer *out)
{
    plug_json_number number;
    sp_text raw;

    if (!number_read(json, &number)) {
        plug_json_read_raw(json, &raw);
        sp_buffer_append(out, raw.data, raw.size);
    } else if (number.kind == PLUG_JSON_INT64) {
        plug_json_int64(out, number.as.i);
    } else if (number.kind == PLUG_JSON_UINT64) {
        plug_json_uint64(out, number.as.u);
    } else {
        plug_json_double(out, number.as.d);
    }
}

/* Calls itself, at most PLUG_JSON_DEPTH times. */
static void value_copy(plug_json *json, sp_arena **arena, sp_buffer *out)
{
    int is_first = 1;
    sp_text text;

    switch (plug_json_peek(json)) {
    case PLUG_JSON_NUMBER: number_copy(json, out); break;
    case PLUG_JSON_TEXT:
        if (plug_json_read_text(json, arena, &text))
            plug_json_text(out, text.data, text.size);
        break;
    case PLUG_JSON_ARRAY:
        sp_buffer_append(out, "[", 1);
        plug_json_array_begin(json);
        while (plug_json_next_item(json)) {
            plug_json_comma(out, &is_first);
            value_copy(json, arena, out);
        }
        sp_buffer_append(out, "]", 1);
        break;
    case PLUG_JSON_OBJECT:
        sp_buffer_append(out, "{", 1);
        plug_json_object_begin(json);
        while (plug_json_next_key(json, arena, &text)) {
            plug_json_comma(out, &is_first);
            plug_json_text(out, text.data, text.size);
            sp_buffer_append(out, ":", 1);
            value_copy(json, arena, out);
        }
        sp_buffer_append(out, "}", 1);
        break;
    default:
        if (plug_json_read_raw(json, &text))
            sp_buffer_append(out, text.data, text.size);
    }
}

void plug_json_copy(plug_json *json, sp_buffer *out)
{
    sp_arena *arena = NULL;

    value_copy(json, &arena, out);
    sp_arena_free(&arena);
}

/* ---- objects ------------------------------------------------------------------------------ */

/* The next key that is a name, whose value comes next; others are skipped. 0: no more. */
static int name_next(const plug_fields *fields, plug_json *json, sp_arena **arena,
                     plug_key_name key_name, sp_text *name)
{
    sp_text key;

    while (plug_json_next_key(json, arena, &key)) {
        *name = key;
        /* names of fields have no U+0000 */
        if (!memchr(key.data, 0, key.size) &&
            (!key_name || key_name(fields->rules->context, key, name)))
            return 1;
        plug_json_skip(json);
    }
    return 0;
}

static int is_object_of_json(sp_text text)
{
    plug_json json;

    plug_json_init(&json, text.data, text.size);
    return plug_json_peek(&json) == PLUG_JSON_OBJECT && plug_json_skip(&json) &&
           plug_json_end(&json);
}

/* What an object has under a name twice is what it has under it last. */
static void type_note(const plug_fields *fields, plug_field *field, uint32_t type)
{
    if (field->object == fields->object) {
        field->type = field->type_before;
        field->is_mixed = field->is_mixed_before;
    }
    field->object = fields->object;
    field->type_before = field->type;
    field->is_mixed_before = field->is_mixed;
    plug_field_join(field, type);
}

int32_t plug_fields_note_json(plug_fields *fields, sp_text object, plug_key_name key_name,
                              int *is_object)
{
    int has_memory = 1;
    sp_arena *arena = NULL;
    plug_json json;
    sp_text name;

    /* all of it first: of one that is broken nothing counts */
    *is_object = is_object_of_json(object);
    if (!*is_object)
        return SIMPLUGIN_OK;
    fields->object++;
    plug_json_init(&json, object.data, object.size);
    plug_json_object_begin(&json);
    while (has_memory && name_next(fields, &json, &arena, key_name, &name)) {
        plug_field *field = plug_fields_take(fields, name.data, name.size);

        has_memory = field != NULL;
        if (field && field->is_wanted)
            type_note(fields, field, plug_json_type(&json));
        else
            plug_json_skip(&json);
    }
    sp_arena_free(&arena);
    return has_memory && !json.no_memory ? SIMPLUGIN_OK : plug_no_memory(fields->call);
}

/* 0: it is of another type, which only what a later value takes the place of can be. */
static int item_put(plug_field *field, plug_json *json, sp_arena **arena)
{
    plug_json_kind kind = plug_json_peek(json);
    uint32_t type = field->type & ~SP_LIST;
    plug_json_number number;
    sp_text text;
    int flag;

    if (kind == PLUG_JSON_TEXT && type == SP_TEXT) {
        plug_json_read_text(json, arena, &text);
        plug_field_text(field, text.data, text.size);
    } else if (kind == PLUG_JSON_BOOL && type == SP_BOOL) {
        plug_json_read_bool(json, &flag);
        plug_field_bool(field, flag);
    } else if (kind == PLUG_JSON_NUMBER && (type == SP_INT64 || type == SP_FLOAT64) &&
               number_read(json, &number)) {
        if (number.kind == PLUG_JSON_INT64)
            plug_field_int64(field, number.as.i);
        else if (type == SP_FLOAT64)
            plug_field_double(field, number.kind == PLUG_JSON_UINT64 ? (double)number.as.u
                                                                     : number.as.d);
        else
            return 0;
    } else {
        plug_json_skip(json);
        return 0;
    }
    return 1;
}

static void value_put(plug_field *field, plug_json *json, sp_arena **arena)
{
    plug_json_kind kind = plug_json_peek(json);

    if (field->is_mixed && kind != PLUG_JSON_TEXT) {
        plug_json_copy(json, &field->values);
        plug_field_text(field, NULL, 0);
    } else if (field->type & SP_LIST && kind == PLUG_JSON_ARRAY) {
        plug_json_array_begin(json);
        while (plug_json_next_item(json))
            item_put(field, json, arena);
    } else if (!item_put(field, json, arena)) {
        plug_field_filler(field);
    }
}

static void field_put(const plug_fields *fields, plug_field *field, uint64_t row, plug_json *json,
                      sp_arena **arena)
{
    int is_again = field->object == fields->object;

    if (is_again)
        plug_field_undo(field);
    if (plug_json_peek(json) == PLUG_JSON_NULL) {
        field->object = 0;
        plug_json_skip(json);
    } else if (field->rows > row) {
        plug_json_skip(json);
    } else {
        field->object = fields->object;
        plug_field_try(field, row);
        value_put(field, json, arena);
        plug_field_end(field);
    }
}

int32_t plug_fields_put_json(plug_fields *fields, uint64_t row, sp_text object,
                             plug_key_name key_name)
{
    sp_arena *arena = NULL;
    plug_json json;
    sp_text name;

    fields->object++;
    plug_json_init(&json, object.data, object.size);
    plug_json_object_begin(&json);
    while (name_next(fields, &json, &arena, key_name, &name)) {
        plug_field *field = plug_fields_find(fields, name.data, name.size);

        if (field)
            field_put(fields, field, row, &json, &arena);
        else
            plug_json_skip(&json);
    }
    sp_arena_free(&arena);
    return json.no_memory ? plug_no_memory(fields->call) : SIMPLUGIN_OK;
}
