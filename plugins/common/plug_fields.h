/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of points on their way back: values of any type, seen row by row, become the
 * typed columns of a reply. A source goes through its rows twice. First it notes what
 * type each value has, so that columns get the type that holds all of them; then it puts
 * the values. Integers among floats become floats; of anything else that is mixed, and of
 * what no column holds, each value becomes text: a text itself, the JSON of others.
 *
 *     plug_fields_init(&fields, call, &rules);
 *     for each row, each value:  code = plug_fields_note(&fields, name, size, SP_INT64);
 *     code = plug_fields_settle(&fields);
 *     for each row, each value:  field = plug_fields_find(&fields, name, size);
 *                                if (field && plug_field_begin(field, row)) {
 *                                    plug_field_int64(field, value);
 *                                    plug_field_end(field);
 *                                }
 *     code = plug_fields_finish(&fields, rows, &columns);   or plug_fields_write
 *     plug_fields_clear(&fields);
 *
 * Rows in a JSON object: plug_fields_json.h.
 */
#ifndef PLUG_FIELDS_H
#define PLUG_FIELDS_H

#include "buffer.h"
#include "plug_args.h"

#define PLUG_NO_VALUE 0u            /* null: a column, but no type for it */
#define PLUG_EMPTY_LIST SP_LIST     /* of what, another row may tell */
#define PLUG_OTHER_VALUE UINT32_MAX /* none that a column holds */

/* What a plugin decides about names; asked once for each. */
typedef struct plug_fields_rules {
    const void *context;
    const plug_names *names; /* which fields the call wants */
    /* Whether points show a field of that name; NULL: every one. */
    int (*is_shown)(const void *context, const char *name);
    /* The type it was declared with, 0 for none, for columns whose values tell none; or NULL. */
    uint32_t (*declared)(const void *context, const char *name);
} plug_fields_rules;

/* A column while it is found out what is in it, and then filled. */
typedef struct plug_field {
    const char *name;
    size_t name_size;
    int is_wanted;
    uint32_t type; /* 0: no value yet */
    int is_mixed;  /* values of several types: all of them as text */
    uint64_t rows; /* filled so far */
    uint64_t items;
    sp_buffer values, offsets, lists, valid;
    /* what there was before an object of JSON, which may have a name twice: the last counts */
    uint64_t object;
    uint32_t type_before;
    int is_mixed_before;
    size_t values_before, offsets_before, lists_before;
    uint64_t items_before;
} plug_field;

typedef struct plug_fields {
    plug_call *call;
    const plug_fields_rules *rules;
    plug_field *fields; /* the unwanted too, so that they are known the next time */
    uint64_t count, capacity;
    uint64_t *places; /* 1 + where a field is, by its name's hash; a power of two of them */
    uint64_t place_count;
    uint64_t last; /* where the name before was found: the next is often behind it */
    uint64_t object; /* which object of JSON is looked at */
} plug_fields;

/* Names and types. */
typedef struct plug_seen {
    uint64_t count;
    const char **names;
    uint32_t *types;
} plug_seen;

/* rules must outlive the fields. */
void plug_fields_init(plug_fields *fields, plug_call *call, const plug_fields_rules *rules);
void plug_fields_clear(plug_fields *fields);

/* First: a row has a value of that type, SP_... or PLUG_..., under that name. */
int32_t plug_fields_note(plug_fields *fields, const char *name, size_t size, uint32_t type);
/* The types found, without those that are still open; in memory of the call. */
int32_t plug_fields_seen(plug_fields *fields, plug_seen *seen);

/* Then: all is noted. */
void plug_fields_settle(plug_fields *fields);
/* NULL: not noted, or not wanted. */
plug_field *plug_fields_find(plug_fields *fields, const char *name, size_t size);
/* Rows in order. 0: the row has a value already. Where it was not, values and an end follow. */
int plug_field_begin(plug_field *field, uint64_t row);
/* One of these, of a list any number; of a type that was noted, of a mixed field only text. */
void plug_field_text(plug_field *field, const char *data, size_t size);
void plug_field_int64(plug_field *field, int64_t value);
void plug_field_double(plug_field *field, double value);
void plug_field_bool(plug_field *field, int value);
void plug_field_end(plug_field *field);

/* A column for each wanted field, values in memory of the reply, names in the call's. */
int32_t plug_fields_finish(plug_fields *fields, uint64_t rows, plug_columns *columns);
/* Columns under the key "fields" of the reply. */
void plug_columns_write(plug_call *call, const plug_columns *columns);

/* ---- between plug_fields.c and plug_fields_json.c ----------------------------------------- */

/* The field of that name, made if it is new; NULL: no memory. */
plug_field *plug_fields_take(plug_fields *fields, const char *name, size_t size);
void plug_field_join(plug_field *field, uint32_t type);
/* What stands in the place of a missing value. */
void plug_field_filler(plug_field *field);
/* Begins a row that may be taken back, and takes it back. */
void plug_field_try(plug_field *field, uint64_t row);
void plug_field_undo(plug_field *field);

#endif
