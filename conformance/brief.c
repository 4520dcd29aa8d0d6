/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "brief.h"

#include <stdint.h>

#define ARRAY_LONG 24
#define ARRAY_SHOWN 8
#define TEXT_LONG 600
#define TEXT_SHOWN 40

static json_t *brief_array(const json_t *array)
{
    size_t size = json_array_size(array);
    size_t shown = size > ARRAY_LONG ? ARRAY_SHOWN : size;
    json_t *copy = json_array();

    for (size_t i = 0; i < shown; i++)
        json_array_append_new(copy, brief_json(json_array_get(array, i)));
    if (shown < size)
        json_array_append_new(copy, json_sprintf("... and %zu more", size - shown));
    return copy;
}

static json_t *brief_text(const json_t *text)
{
    size_t size = json_string_length(text), shown = TEXT_SHOWN;
    const char *bytes = json_string_value(text);

    if (size <= TEXT_LONG)
        return json_deep_copy(text);
    /* not in the middle of a character */
    while (shown && ((unsigned char)bytes[shown] & 0xc0) == 0x80)
        shown--;
    return json_sprintf("%.*s... and %zu more bytes", (int)shown, bytes, size - shown);
}

json_t *brief_json(const json_t *value)
{
    const char *key;
    json_t *copy, *part;

    if (json_is_array(value))
        return brief_array(value);
    if (json_is_string(value))
        return brief_text(value);
    if (!json_is_object(value))
        return json_deep_copy(value);
    copy = json_object();
    json_object_foreach((json_t *)(uintptr_t)value, key, part)
        json_object_set_new(copy, key, brief_json(part));
    return copy;
}
