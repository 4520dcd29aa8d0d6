/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "json_read.h"

#include <assert.h>

#include "json_internal.h"

void plug_json_init(plug_json *json, const void *data, size_t size)
{
    memset(json, 0, sizeof *json);
    json->begin = json->at = size ? data : "";
    json->end = json->begin + size;
}

int plug_json_fail(plug_json *json, const char *problem)
{
    if (json->problem)
        return 0;
    json->problem = problem;
    json->offset = (size_t)(json->at - json->begin);
    return 0;
}

int plug_json_end(plug_json *json)
{
    plug_json_space(json);
    if (!json->problem && json->depth)
        return plug_json_fail(json, "not all of it was read");
    if (!json->problem && json->at < json->end)
        return plug_json_fail(json, "something stands behind the end");
    return !json->problem;
}

plug_json_kind plug_json_peek(plug_json *json)
{
    plug_json_space(json);
    if (json->problem || json->at == json->end)
        return PLUG_JSON_NOTHING;
    switch (*json->at) {
    case 'n': return PLUG_JSON_NULL;
    case 't': case 'f': return PLUG_JSON_BOOL;
    case '"': return PLUG_JSON_TEXT;
    case '[': return PLUG_JSON_ARRAY;
    case '{': return PLUG_JSON_OBJECT;
    case '-': return PLUG_JSON_NUMBER;
    default:
        return *json->at >= '0' && *json->at <= '9' ? PLUG_JSON_NUMBER : PLUG_JSON_NOTHING;
    }
}

/* ---- objects and arrays ------------------------------------------------------------------- */

static int part_open(plug_json *json, int is_object)
{
    if (json->depth == PLUG_JSON_DEPTH)
        return plug_json_fail(json, "objects and arrays lie too deep in each other");
    json->at++;
    json->depth++;
    json->objects = json->objects << 1 | (uint64_t)is_object;
    json->begun <<= 1;
    return 1;
}

static int part_close(plug_json *json)
{
    json->at++;
    json->depth--;
    json->objects >>= 1;
    json->begun >>= 1;
    return 0;
}

int plug_json_object_begin(plug_json *json)
{
    if (plug_json_peek(json) != PLUG_JSON_OBJECT)
        return plug_json_fail(json, "an object was expected");
    return part_open(json, 1);
}

int plug_json_array_begin(plug_json *json)
{
    if (plug_json_peek(json) != PLUG_JSON_ARRAY)
        return plug_json_fail(json, "an array was expected");
    return part_open(json, 0);
}

/* Up to the next part, behind the comma; 0: there is none. */
static int part_next(plug_json *json, char close, const char *problem)
{
    plug_json_space(json);
    if (json->problem)
        return 0;
    if (json->at < json->end && *json->at == close)
        return part_close(json);
    if (json->begun & 1) {
        if (json->at == json->end || *json->at != ',')
            return plug_json_fail(json, problem);
        json->at++;
        plug_json_space(json);
    }
    json->begun |= 1;
    return 1;
}

int plug_json_next_item(plug_json *json)
{
    assert(json->problem || (json->depth && !(json->objects & 1)));
    if (!part_next(json, ']', "a comma or ] was expected"))
        return 0;
    if (json->at == json->end || *json->at == ']')
        return plug_json_fail(json, "a value was expected");
    return 1;
}

static int key_begin(plug_json *json)
{
    assert(json->problem || (json->depth && json->objects & 1));
    if (!part_next(json, '}', "a comma or } was expected"))
        return 0;
    if (json->at == json->end || *json->at != '"')
        return plug_json_fail(json, "a key was expected");
    return 1;
}

static int key_end(plug_json *json)
{
    plug_json_space(json);
    if (json->problem)
        return 0;
    if (json->at == json->end || *json->at != ':')
        return plug_json_fail(json, "a colon was expected");
    json->at++;
    return 1;
}

int plug_json_next_key(plug_json *json, sp_arena **arena, sp_text *key)
{
    key->data = "";
    key->size = 0;
    return key_begin(json) && plug_json_read_text(json, arena, key) && key_end(json);
}

/* ---- values whose text does not matter ---------------------------------------------------- */

static int word_read(plug_json *json, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(json->end - json->at) < size || memcmp(json->at, word, size) != 0)
        return plug_json_fail(json, "a value was expected");
    json->at += size;
    return 1;
}

int plug_json_read_bool(plug_json *json, int *value)
{
    *value = 0;
    if (plug_json_peek(json) != PLUG_JSON_BOOL)
        return plug_json_fail(json, "true or false was expected");
    *value = *json->at == 't';
    return word_read(json, *value ? "true" : "false");
}

int plug_json_read_null(plug_json *json)
{
    if (plug_json_peek(json) != PLUG_JSON_NULL)
        return plug_json_fail(json, "null was expected");
    return word_read(json, "null");
}

/* Reads a value, but of an object or array only its beginning. */
static int value_enter(plug_json *json)
{
    plug_json_kind kind = plug_json_peek(json);
    int ignored;

    switch (kind) {
    case PLUG_JSON_NULL: return plug_json_read_null(json);
    case PLUG_JSON_BOOL: return plug_json_read_bool(json, &ignored);
    case PLUG_JSON_NUMBER: return plug_json_skip_number(json);
    case PLUG_JSON_TEXT: return plug_json_skip_text(json);
    case PLUG_JSON_ARRAY: case PLUG_JSON_OBJECT: return part_open(json, kind == PLUG_JSON_OBJECT);
    default: return plug_json_fail(json, "a value was expected");
    }
}

static int key_skip(plug_json *json)
{
    return key_begin(json) && plug_json_skip_text(json) && key_end(json);
}

int plug_json_skip(plug_json *json)
{
    uint32_t depth = json->depth;

    value_enter(json);
    while (!json->problem && json->depth > depth)
        if (json->objects & 1 ? key_skip(json) : plug_json_next_item(json))
            value_enter(json);
    return !json->problem;
}

int plug_json_read_raw(plug_json *json, sp_text *raw)
{
    plug_json_space(json);
    raw->data = json->at;
    raw->size = 0;
    if (!plug_json_skip(json))
        return 0;
    raw->size = (size_t)(json->at - raw->data);
    return 1;
}
