/* SPDX-License-Identifier: Apache-2.0 */
/* Between MessagePack and jansson's trees, for configurations and records. */
#include <math.h>
#include <string.h>

#include "wire.h"

/* The depth of a body was bounded when it was checked. */
json_t *sp_json_from_value(const simplugin_value *value)
{
    simplugin_iter iter = simplugin_iterate(value);
    simplugin_value key, item;
    json_t *json = NULL;
    json_t *child;

    switch (value->type) {
    case SIMPLUGIN_NIL: return json_null();
    case SIMPLUGIN_BOOL: return json_boolean(value->as.i);
    case SIMPLUGIN_INT: return json_integer(value->as.i);
    case SIMPLUGIN_DOUBLE: return json_real(value->as.d);
    case SIMPLUGIN_TEXT: return json_stringn((const char *)value->data, (size_t)value->size);
    case SIMPLUGIN_ARRAY:
        json = json_array();
        while (json && simplugin_next(&iter, &item)) {
            child = sp_json_from_value(&item);
            if (!child || json_array_append_new(json, child)) {
                json_decref(json);
                return NULL;
            }
        }
        return json;
    case SIMPLUGIN_MAP:
        json = json_object();
        while (json && simplugin_next(&iter, &key) && simplugin_next(&iter, &item)) {
            child = sp_json_from_value(&item);
            if (!child || json_object_setn_new(json, (const char *)key.data, (size_t)key.size, child)) {
                json_decref(json);
                return NULL;
            }
        }
        return json;
    default: return NULL;
    }
}

int sp_json_fits(const simplugin_value *value)
{
    simplugin_iter iter = simplugin_iterate(value);
    simplugin_value item;

    switch (value->type) {
    case SIMPLUGIN_NIL: case SIMPLUGIN_BOOL: case SIMPLUGIN_INT: case SIMPLUGIN_TEXT: return 1;
    case SIMPLUGIN_DOUBLE: return isfinite(value->as.d);
    case SIMPLUGIN_ARRAY: case SIMPLUGIN_MAP:
        while (simplugin_next(&iter, &item))
            if (!sp_json_fits(&item))
                return 0;
        return 1;
    default: return 0;
    }
}

void sp_json_write(simplugin_writer *writer, const json_t *json)
{
    const char *key;
    size_t i, key_size;
    json_t *item;

    switch (json ? json_typeof(json) : JSON_NULL) {
    case JSON_TRUE: simplugin_write_bool(writer, 1); break;
    case JSON_FALSE: simplugin_write_bool(writer, 0); break;
    case JSON_INTEGER: simplugin_write_int(writer, json_integer_value(json)); break;
    case JSON_REAL: simplugin_write_double(writer, json_real_value(json)); break;
    case JSON_STRING:
        simplugin_write_text(writer, json_string_value(json), json_string_length(json));
        break;
    case JSON_ARRAY:
        simplugin_write_array(writer, json_array_size(json));
        json_array_foreach(json, i, item)
            sp_json_write(writer, item);
        break;
    case JSON_OBJECT:
        simplugin_write_map(writer, json_object_size(json));
        json_object_keylen_foreach((json_t *)json, key, key_size, item) {
            simplugin_write_text(writer, key, key_size);
            sp_json_write(writer, item);
        }
        break;
    default: simplugin_write_nil(writer); break;
    }
}
