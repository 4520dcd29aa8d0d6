/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ask.h"
#include "consistency.h"
#include "expr.h"
#include "instance.h"
#include "load.h"
#include "name.h"
#include "native.h"
#include "search.h"
#include "upsert.h"
#include "walk.h"

/* ---- collections of any schema ----------------------------------------------------------- */

/* A field to be made, and the memory behind it. */
typedef struct made_field {
    Milvus__FieldSchema schema;
    Milvus__Pair pairs[3];
    Milvus__Pair *pair_list[3];
    char numbers[3][24];
} made_field;

static void pair_add(made_field *field, const char *key, int64_t number)
{
    size_t i = field->schema.n_type_params++;

    milvus__pair__init(&field->pairs[i]);
    snprintf(field->numbers[i], sizeof field->numbers[i], "%lld", (long long)number);
    field->pairs[i].key = milvus_text(key);
    field->pairs[i].value = field->numbers[i];
    field->pair_list[i] = &field->pairs[i];
}

static int32_t type_read(plug_call *call, const simplugin_value *map, const char *key,
                         int32_t *type)
{
    const char *text;
    uint64_t size;
    char *name;
    int found = simplugin_find_text(map, key, &text, &size);

    *type = 0;
    if (!found)
        return SIMPLUGIN_OK;
    name = found > 0 ? sp_arena_text(&call->scratch, text, size) : NULL;
    *type = name ? milvus_type_of(name) : 0;
    return *type ? SIMPLUGIN_OK
                 : plug_fail_argument(call, "fields",
                                      "fields: %s is one of BOOL, INT8, INT16, INT32, INT64, FLOAT, "
                                      "DOUBLE, VARCHAR, JSON, ARRAY, FLOAT_VECTOR, BINARY_VECTOR",
                                      key);
}

static int32_t number_add(plug_call *call, const simplugin_value *map, const char *key,
                          const char *as, int64_t standard, made_field *field)
{
    int64_t number = standard;

    if (simplugin_find_int(map, key, &number) < 0 || number < 1)
        return plug_fail_argument(call, "fields", "fields: %s is an int of at least 1", key);
    pair_add(field, as, number);
    return SIMPLUGIN_OK;
}

static int32_t flag_read(plug_call *call, const simplugin_value *map, const char *key,
                         protobuf_c_boolean *flag)
{
    int value = 0;

    if (simplugin_find_bool(map, key, &value) < 0)
        return plug_fail_argument(call, "fields", "fields: %s is a bool", key);
    *flag = value;
    return SIMPLUGIN_OK;
}

static int is_text(int32_t type)
{
    return type == MILVUS_VARCHAR || type == MILVUS_STRING;
}

static int32_t field_read(plug_call *call, const simplugin_value *map, made_field *field)
{
    const char *text;
    const char *name;
    uint64_t size;
    int32_t type, element;
    int32_t code;

    milvus__field_schema__init(&field->schema);
    field->schema.type_params = field->pair_list;
    if (map->type != SIMPLUGIN_MAP || simplugin_find_text(map, "name", &text, &size) != 1)
        return plug_fail_argument(call, "fields", "fields: each is a map with a name and a type");
    name = sp_arena_text(&call->scratch, text, size);
    if (!name)
        return plug_no_memory(call);
    code = milvus_name_check(call, "fields", name, "a field", &name);
    if (!code)
        code = type_read(call, map, "type", &type);
    if (!code && !type)
        code = plug_fail_argument(call, "fields", "fields: \"%s\" needs a type", name);
    if (!code)
        code = type_read(call, map, "element_type", &element);
    if (!code)
        code = flag_read(call, map, "primary", &field->schema.is_primary_key);
    if (!code)
        code = flag_read(call, map, "auto_id", &field->schema.auto_id);
    if (!code)
        code = flag_read(call, map, "nullable", &field->schema.nullable);
    if (code)
        return code;
    field->schema.name = milvus_text(name);
    field->schema.data_type = type;
    field->schema.element_type = element;
    if (type == MILVUS_FLOAT_VECTOR || type == MILVUS_BINARY_VECTOR)
        return number_add(call, map, "dimension", "dim", 0, field);
    if (is_text(type) || (type == MILVUS_ARRAY && is_text(element)))
        code = number_add(call, map, "max_length", "max_length", 65535, field);
    if (!code && type == MILVUS_ARRAY)
        code = number_add(call, map, "max_capacity", "max_capacity", 4096, field);
    return code;
}

static int32_t fields_read(plug_call *call, made_field **fields, uint64_t *count)
{
    simplugin_value list, item;
    simplugin_iter iter;
    int32_t code = SIMPLUGIN_OK;

    *count = 0;
    if (!simplugin_find(&call->body, "fields", &list) || list.type != SIMPLUGIN_ARRAY || !list.size)
        return plug_fail_argument(call, "fields", "fields is an array of maps, and needed");
    *fields = plug_scratch(call, list.size, sizeof **fields);
    if (!*fields)
        return plug_no_memory(call);
    iter = simplugin_iterate(&list);
    while (!code && simplugin_next(&iter, &item))
        code = field_read(call, &item, &(*fields)[(*count)++]);
    return code;
}

/* Makes a collection and nothing more: no index, and nothing is loaded. */
int32_t milvus_native_collection_create(milvus_call *call)
{
    Milvus__CreateCollectionRequest request = MILVUS__CREATE_COLLECTION_REQUEST__INIT;
    Milvus__CollectionSchema schema = MILVUS__COLLECTION_SCHEMA__INIT;
    Milvus__FieldSchema **list;
    made_field *fields = NULL;
    const char *description;
    int level = MILVUS_SESSION, dynamic = 1;
    int64_t shards = 1;
    uint64_t count;
    int32_t code = fields_read(&call->base, &fields, &count);

    if (!code)
        code = plug_arg_string(&call->base, "description", &description);
    if (!code)
        code = plug_arg_bool(&call->base, "dynamic", &dynamic);
    if (!code)
        code = plug_arg_int(&call->base, "shards", 1, 64, &shards);
    if (!code)
        code = milvus_level_read(&call->base, &call->base.body, &level);
    if (code)
        return code;
    list = plug_scratch(&call->base, count, sizeof *list);
    if (!list)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < count; i++)
        list[i] = &fields[i].schema;
    schema.name = milvus_text(call->collection);
    schema.description = milvus_text(description ? description : "");
    schema.fields = list;
    schema.n_fields = (size_t)count;
    schema.enable_dynamic_field = dynamic;
    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    request.shards_num = (int32_t)shards;
    request.consistency_level = level;
    request.schema.len = protobuf_c_message_get_packed_size(&schema.base);
    request.schema.data = plug_scratch(&call->base, request.schema.len + 1, 1);
    if (!request.schema.data)
        return plug_no_memory(&call->base);
    protobuf_c_message_pack(&schema.base, request.schema.data);
    code = milvus_tell(call, "CreateCollection", &request.base, 0);
    milvus_schema_forget(call->instance, call->collection);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "collection");
    simplugin_write_string(&call->base.out, call->collection);
    return code;
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* What arrays of numbers came as, if these are bytes; else NULL, as without memory. */
static const simplugin_tensor *bytes_of_floats(plug_call *call, const simplugin_tensor *floats)
{
    simplugin_tensor *made = plug_scratch(call, 1, sizeof *made);
    uint64_t count = floats->rows * floats->cols;
    uint8_t *bytes = plug_scratch(call, count + 1, 1);

    if (!made || !bytes)
        return NULL;
    for (uint64_t i = 0; i < floats->rows; i++)
        for (uint64_t j = 0; j < floats->cols; j++) {
            float number;

            memcpy(&number, (const uint8_t *)floats->data + i * simplugin_tensor_stride(floats) +
                                j * sizeof number, sizeof number);
            if (!(number >= 0 && number <= 255) || number != (float)(uint8_t)number)
                return NULL;
            bytes[i * floats->cols + j] = (uint8_t)number;
        }
    *made = simplugin_tensor_of(SIMPLUGIN_UINT8, bytes, floats->rows, floats->cols);
    return made;
}

/* "vectors": float32, or for binary vectors uint8 with 8 dimensions in each. */
static int32_t bits_read(milvus_call *call, const simplugin_tensor **bits)
{
    const simplugin_request *request = call->base.request;
    uint64_t bytes = call->schema->vector->dimension / 8;

    if (simplugin_find_tensor(&call->base.body, "vectors", request->tensors, request->tensor_count,
                              bits) != 1)
        *bits = NULL;
    else if ((*bits)->dtype == SIMPLUGIN_FLOAT32)
        *bits = bytes_of_floats(&call->base, *bits);
    if (!*bits || (*bits)->dtype != SIMPLUGIN_UINT8)
        return plug_fail_argument(&call->base, "vectors",
                                  "vectors are uint8, or ints from 0 to 255, with 8 dimensions in "
                                  "each: these are binary");
    if ((*bits)->cols != bytes)
        return plug_fail(&call->base, SIMPLUGIN_DIMENSION_MISMATCH,
                         "vectors have %llu dimensions, the collection has %llu",
                         (unsigned long long)(*bits)->cols * 8,
                         (unsigned long long)call->schema->vector->dimension);
    return SIMPLUGIN_OK;
}

static int32_t vectors_read(milvus_call *call, plug_matrix *vectors, const simplugin_tensor **bits)
{
    int32_t code;

    *bits = NULL;
    if (call->schema->vector->type == MILVUS_BINARY_VECTOR) {
        code = bits_read(call, bits);
        if (!code)
            vectors->rows = (*bits)->rows;
        return code;
    }
    code = plug_arg_vectors(&call->base, call->schema->vector->dimension, vectors);
    return code ? code
                : plug_check_finite(&call->base, vectors, call->schema->vector->dimension, NULL,
                                    vectors->rows);
}

int32_t milvus_native_insert(milvus_call *call)
{
    plug_matrix vectors = {0};
    plug_columns fields = {0};
    milvus_rows rows = {.vectors = &vectors, .fields = &fields};
    sp_column ids;
    int has_ids;
    int32_t code = vectors_read(call, &vectors, &rows.bits);

    if (!code)
        code = plug_arg_ids(&call->base, &ids, &has_ids);
    if (!code)
        code = plug_arg_columns(&call->base, vectors.rows, &fields);
    if (!code)
        code = milvus_partition_read(&call->base, &call->base.body, &rows.partition);
    if (!code && has_ids && call->schema->auto_id)
        code = plug_fail_argument(&call->base, "ids", "ids: Milvus makes the keys of this collection");
    if (!code && !has_ids && !call->schema->auto_id)
        code = plug_fail_argument(&call->base, "ids", "ids are needed");
    if (!code && has_ids && ids.count != vectors.rows)
        code = plug_fail_argument(&call->base, "ids", "ids: there are %llu, for %llu vectors",
                                  (unsigned long long)ids.count, (unsigned long long)vectors.rows);
    if (code)
        return code;
    rows.ids = has_ids ? &ids : NULL;
    rows.count = vectors.rows;
    return milvus_insert(call, &rows);
}

int32_t milvus_native_query(milvus_call *call)
{
    milvus_query query = {.level = -1};
    int64_t limit = 0;
    const char *expr;
    milvus_page page = {0};
    plug_names names;
    milvus_rpc rpc;
    int vectors = 0;
    int32_t code = plug_arg_string(&call->base, "expr", &expr);

    milvus_rpc_init(&rpc, "Query");
    if (!code)
        code = plug_arg_bool(&call->base, "vectors", &vectors);
    if (!code)
        code = plug_arg_names(&call->base, &names);
    if (!code)
        code = plug_arg_int(&call->base, "limit", 1, MILVUS_LIMIT_MAX, &limit);
    if (!code)
        code = milvus_partitions_read(&call->base, &call->base.body, &query.partitions);
    if (!code)
        code = milvus_level_read(&call->base, &call->base.body, &query.level);
    if (!code && !expr && !limit)
        code = plug_fail_argument(&call->base, "expr", "an expr is needed, or a limit");
    if (!code) {
        query.expr = expr ? expr : "";
        query.vectors = vectors;
        query.fields = names.all || names.count;
        query.limit = (uint64_t)limit;
        code = milvus_query_run(call, &query, &rpc, &page);
    }
    if (!code && page.count && !page.ids)
        code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "the server sent rows without keys");
    if (!code)
        code = milvus_page_write(call, &page, vectors, &names, 0);
    milvus_page_clear(&page);
    milvus_rpc_clear(&rpc);
    return code;
}

/* "params": a map of numbers, texts and booleans, as JSON. */
static int32_t params_read(plug_call *call, const char **text)
{
    simplugin_value map, key, value;
    simplugin_iter iter;
    json_t *json;
    char *dump = NULL;
    int32_t code = SIMPLUGIN_OK;

    *text = NULL;
    if (!simplugin_find(&call->body, "params", &map))
        return SIMPLUGIN_OK;
    if (map.type != SIMPLUGIN_MAP)
        return plug_fail_argument(call, "params", "params is a map");
    json = json_object();
    iter = simplugin_iterate(&map);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        json_t *one = value.type == SIMPLUGIN_INT    ? json_integer(value.as.i)
                      : value.type == SIMPLUGIN_BOOL ? json_boolean(value.as.i)
                      : value.type == SIMPLUGIN_TEXT
                          ? json_stringn((const char *)value.data, (size_t)value.size)
                      : value.type == SIMPLUGIN_DOUBLE && isfinite(value.as.d)
                          ? json_real(value.as.d)
                          : NULL;

        if (json_object_setn_new(json, (const char *)key.data, (size_t)key.size, one))
            code = plug_fail_argument(call, "params",
                                      "params is a map of numbers, texts and booleans");
    }
    if (!code)
        dump = json_dumps(json, JSON_COMPACT);
    if (dump)
        *text = sp_arena_text(&call->scratch, dump, strlen(dump));
    free(dump);
    json_decref(json);
    return code || *text ? code : plug_no_memory(call);
}

/* As search, with an expression and parameters in Milvus' own words, and binary vectors. */
int32_t milvus_native_search(milvus_call *call)
{
    milvus_search s = {.call = call, .level = -1};
    int32_t code = milvus_search_read(&s);

    if (!code)
        code = plug_arg_string(&call->base, "expr", &s.expr);
    if (!code)
        code = params_read(&call->base, &s.json);
    if (!code)
        code = vectors_read(call, &s.vectors, &s.bits);
    if (!code)
        code = milvus_partitions_read(&call->base, &call->base.body, &s.partitions);
    if (!code)
        code = milvus_level_read(&call->base, &call->base.body, &s.level);
    if (!code) {
        s.expr = s.expr ? s.expr : "";
        code = milvus_search_run(&s);
    }
    milvus_search_clear(&s);
    return code;
}

int32_t milvus_native_delete(milvus_call *call)
{
    const char *expr, *partition = NULL;
    int32_t code = plug_arg_string(&call->base, "expr", &expr);

    if (!code)
        code = milvus_partition_read(&call->base, &call->base.body, &partition);
    if (!code && (!expr || !*expr))
        code = plug_fail_argument(&call->base, "expr", "expr is a text, and needed");
    if (!code && partition && call->instance->is_lite)
        code = plug_fail(&call->base, SIMPLUGIN_UNIMPLEMENTED,
                         "Milvus Lite does not delete in a partition alone, but in all of them: "
                         "leave partition out, or use Milvus");
    if (!code)
        code = milvus_delete_matching(call, expr, partition);
    simplugin_write_map(&call->base.out, 0);
    return code;
}
