/* SPDX-License-Identifier: Apache-2.0 */
/* Fields in JSON: rows that are objects, whose keys are the names. */
#ifndef PLUG_FIELDS_JSON_H
#define PLUG_FIELDS_JSON_H

#include "json_read.h"
#include "plug_fields.h"

/*
 * The name of the field that a key of an object holds; 0: it holds none. NULL where
 * these functions take one: every key is a name.
 */
typedef int (*plug_key_name)(const void *context, sp_text key, sp_text *name);

/*
 * Notes what an object of JSON has. One that is not JSON, or no object, has nothing: then
 * *is_object is 0, and plug_fields_put_json is not to be called for it.
 */
int32_t plug_fields_note_json(plug_fields *fields, sp_text object, plug_key_name key_name,
                              int *is_object);
/* Puts the values of an object that was noted. */
int32_t plug_fields_put_json(plug_fields *fields, uint64_t row, sp_text object,
                             plug_key_name key_name);

/* The type of the next value, which is read. */
uint32_t plug_json_type(plug_json *json);
/* The next value as compact JSON text, numbers and escapes in the form json_write.h gives them. */
void plug_json_copy(plug_json *json, sp_buffer *out);

#endif
