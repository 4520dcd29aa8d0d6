/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "declared.h"

int32_t flat_declared_encode(flat_call *call, simplugin_writer *out)
{
    simplugin_value map, key, value;
    simplugin_iter iter;

    if (simplugin_find(&call->base.body, "fields", &map) && map.type != SIMPLUGIN_MAP)
        return plug_fail_argument(&call->base, "fields", "fields is a map from name to type");
    iter = simplugin_iterate(&map);
    simplugin_write_map(out, map.type == SIMPLUGIN_MAP ? map.size : 0);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        int size = (int)(key.size < 255 ? key.size : 255);

        if (!key.size || key.size > 255 || memchr(key.data, 0, (size_t)key.size))
            return plug_fail_argument(
                &call->base, "fields", "fields: a field's name has 1 to 255 bytes and no U+0000");
        if (value.type != SIMPLUGIN_TEXT ||
            !sp_column_type((const char *)value.data, (size_t)value.size))
            return plug_fail_argument(&call->base, "fields",
                                      "fields: \"%.*s\" needs a type: text, int64, float64, bool "
                                      "or list<...> of one of these",
                                      size, (const char *)key.data);
        simplugin_write_text(out, (const char *)key.data, key.size);
        simplugin_write_text(out, (const char *)value.data, value.size);
    }
    return out->failed ? plug_no_memory(&call->base) : SIMPLUGIN_OK;
}

simplugin_value flat_declared_map(const flat_store *store)
{
    const flat_schema *schema = flat_store_schema(store);
    simplugin_value map =
        simplugin_body_value((const uint8_t *)schema->attributes, schema->attributes_size);

    return map;
}

uint32_t flat_declared_type(const simplugin_value *map, const char *name)
{
    const char *type;
    uint64_t size;

    if (simplugin_find_text(map, name, &type, &size) != 1)
        return 0;
    return sp_column_type(type, (size_t)size);
}
