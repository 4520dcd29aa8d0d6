/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "json_map.h"

/* A body's own map counts too, and one that the caller may put around it. */
#define DEPTH_MAX (SIMPLUGIN_MAX_DEPTH - 2)

static json_t *map_of(const simplugin_value *value, const char **wrong)
{
    simplugin_iter iter = simplugin_iterate(value);
    simplugin_value key, item;
    json_t *json = json_object();

    while (json && simplugin_next(&iter, &key) && simplugin_next(&iter, &item)) {
        json_t *child = qdrant_json_of(&item, wrong);

        if (child && memchr(key.data, 0, (size_t)key.size)) {
            *wrong = "a key with U+0000";
            json_decref(child);
            child = NULL;
        }
        if (!child || json_object_setn_new(json, (const char *)key.data, (size_t)key.size, child)) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static json_t *array_of(const simplugin_value *value, const char **wrong)
{
    simplugin_iter iter = simplugin_iterate(value);
    simplugin_value item;
    json_t *json = json_array();

    while (json && simplugin_next(&iter, &item)) {
        json_t *child = qdrant_json_of(&item, wrong);

        if (!child || json_array_append_new(json, child)) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

json_t *qdrant_json_of(const simplugin_value *value, const char **wrong)
{
    *wrong = NULL;
    switch (value->type) {
    case SIMPLUGIN_NIL: return json_null();
    case SIMPLUGIN_BOOL: return json_boolean(value->as.i);
    case SIMPLUGIN_INT: return json_integer(value->as.i);
    case SIMPLUGIN_TEXT: return json_stringn((const char *)value->data, (size_t)value->size);
    case SIMPLUGIN_ARRAY: return array_of(value, wrong);
    case SIMPLUGIN_MAP: return map_of(value, wrong);
    case SIMPLUGIN_DOUBLE:
        if (isfinite(value->as.d))
            return json_real(value->as.d);
        *wrong = "a number that is not finite";
        return NULL;
    case SIMPLUGIN_UINT: *wrong = "an integer of more than 63 bits"; return NULL;
    case SIMPLUGIN_TENSOR: *wrong = "a tensor: send an array"; return NULL;
    default: *wrong = "bytes"; return NULL;
    }
}

static const char *write_deep(simplugin_writer *out, const json_t *json, int depth)
{
    const char *wrong = NULL;
    const char *key;
    size_t i, key_size;
    json_t *item;

    if (depth > DEPTH_MAX)
        return "nests deeper than 30";
    switch (json ? json_typeof(json) : JSON_NULL) {
    case JSON_TRUE: simplugin_write_bool(out, 1); break;
    case JSON_FALSE: simplugin_write_bool(out, 0); break;
    case JSON_INTEGER: simplugin_write_int(out, json_integer_value(json)); break;
    case JSON_REAL: simplugin_write_double(out, json_real_value(json)); break;
    case JSON_STRING:
        simplugin_write_text(out, json_string_value(json), json_string_length(json));
        break;
    case JSON_ARRAY:
        simplugin_write_array(out, json_array_size(json));
        json_array_foreach(json, i, item)
            wrong = wrong ? wrong : write_deep(out, item, depth + 1);
        break;
    case JSON_OBJECT:
        simplugin_write_map(out, json_object_size(json));
        json_object_keylen_foreach((json_t *)(uintptr_t)json, key, key_size, item)
        {
            simplugin_write_text(out, key, key_size);
            wrong = wrong ? wrong : write_deep(out, item, depth + 1);
        }
        break;
    default: simplugin_write_nil(out); break;
    }
    return wrong;
}

const char *qdrant_json_write(simplugin_writer *out, const json_t *json)
{
    return write_deep(out, json, 1);
}
