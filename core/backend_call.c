/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backend.call: a method of the backend, as a program asks for it. What the protocol lets
 * programs write as arrays and text reaches the backend as tensors, columns and trees.
 */
#include "points.h"
#include "protocol.h"
#include "wire.h"

#include <string.h>

/* The name as the core or the backend's describe has it, which outlives the call. */
static const char *backend_method(const sp_connection *connection, const char *name)
{
    const json_t *list = json_object_get(sp_connection_describe(connection)->json, "methods");
    size_t i;
    json_t *item;

    for (i = 0; sp_backend_required[i]; i++)
        if (strcmp(sp_backend_required[i], name) == 0)
            return sp_backend_required[i];
    json_array_foreach(list, i, item)
        if (json_is_string(item) && strcmp(json_string_value(item), name) == 0)
            return json_string_value(item);
    return NULL;
}

static int32_t unknown_method(const sp_connection *connection, const char *name,
                              simplugin_error **error)
{
    int known = 0;

    for (size_t i = 0; sp_backend_optional[i]; i++)
        known |= strcmp(sp_backend_optional[i], name) == 0;
    return sp_error_set(error, known ? SIMPLUGIN_UNIMPLEMENTED : SIMPLUGIN_UNKNOWN_METHOD, "core",
                        "backend.call: %s %s \"%s\"", sp_connection_name(connection),
                        known ? "does not offer" : "has no method", name);
}

/* The body's values that are written in one of the forms for programs. */
typedef struct plain_values {
    sp_args args;
    int has_ids, has_vectors;
    sp_column ids;
    simplugin_tensor vectors;
    uint64_t rows; /* of them */
} plain_values;

static int is_array(const simplugin_value *map, const char *key)
{
    simplugin_value value;

    return simplugin_find(map, key, &value) && value.type == SIMPLUGIN_ARRAY;
}

static int32_t plain_read(plain_values *plain, simplugin_error **error)
{
    const simplugin_value *map = &plain->args.map;
    const simplugin_tensor *tensor = NULL;
    simplugin_value ids;
    sp_column column;
    int32_t code = SIMPLUGIN_OK;

    if (is_array(map, "ids"))
        code = sp_arg_ids(&plain->args, "ids", SP_IDS_REPEATED, &plain->ids, &plain->has_ids,
                          error);
    if (!code && is_array(map, "vectors"))
        code = sp_arg_matrix(&plain->args, "vectors", 0, &plain->vectors, &plain->has_vectors,
                             error);
    if (code)
        return code;
    if (plain->has_ids)
        plain->rows = plain->ids.count;
    else if (plain->has_vectors)
        plain->rows = plain->vectors.rows;
    else if (simplugin_find(map, "ids", &ids) &&
             !simplugin_column_read(&ids, plain->args.tensors, plain->args.tensor_count, &column))
        plain->rows = column.count;
    else if (simplugin_find_tensor(map, "vectors", plain->args.tensors, plain->args.tensor_count,
                                   &tensor) == 1)
        plain->rows = tensor->rows;
    return SIMPLUGIN_OK;
}

/* Writes the value of a key, which begins at `from` and ends at `to`. */
static int32_t value_write(plain_values *plain, const simplugin_value *key,
                           const simplugin_value *value, const uint8_t *from, const uint8_t *to,
                           simplugin_writer *writer, simplugin_error **error)
{
    sp_filter *filter = NULL;
    sp_columns columns;
    int32_t code = SIMPLUGIN_OK;

    if (plain->has_ids && simplugin_value_is(key, "ids")) {
        simplugin_write_column(writer, &plain->ids);
    } else if (plain->has_vectors && simplugin_value_is(key, "vectors")) {
        simplugin_write_tensor(writer, &plain->vectors);
    } else if (simplugin_value_is(key, "fields") && value->type == SIMPLUGIN_MAP && plain->rows) {
        code = sp_arg_columns(&plain->args, "fields", plain->rows, &columns, error);
        if (!code)
            sp_write_columns(writer, &columns);
    } else if (simplugin_value_is(key, "filter") && value->type == SIMPLUGIN_TEXT) {
        code = sp_arg_filter(&plain->args, &filter, error);
        if (!code)
            sp_filter_encode(filter, writer);
        sp_filter_free(filter);
    } else {
        simplugin_write_raw(writer, from, (uint64_t)(to - from));
    }
    return code;
}

static int32_t body_write(const sp_args *args, const simplugin_value *body,
                          simplugin_writer *writer, simplugin_error **error)
{
    plain_values plain = {.args = *args};
    simplugin_iter iter;
    simplugin_value key, value;
    int32_t code;

    plain.args.map = *body;
    code = plain_read(&plain, error);
    /* the program's tensors keep their numbers */
    for (uint64_t i = 0; i < args->tensor_count; i++)
        simplugin_write_tensor(writer, &args->tensors[i]);
    writer->size = 0;
    simplugin_write_map(writer, body->size);
    iter = simplugin_iterate(body);
    while (!code && simplugin_next(&iter, &key)) {
        const uint8_t *from = iter.at;

        if (!simplugin_next(&iter, &value))
            break;
        simplugin_write_text(writer, (const char *)key.data, key.size);
        code = value_write(&plain, &key, &value, from, iter.at, writer, error);
    }
    return code;
}

int32_t sp_serve_backend_call(sp_object *target, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    sp_connection *connection = sp_target_connection(target);
    simplugin_value body;
    simplugin_writer writer;
    const char *name, *method = NULL;
    int32_t code = sp_arg_string(args, "method", &name, error);

    simplugin_writer_init(&writer);
    if (!code && !name)
        code = sp_arg_error(args, error, "method", "is missing");
    if (!code && !(method = backend_method(connection, name)))
        code = unknown_method(connection, name, error);
    if (!code && !simplugin_find(&args->map, "body", &body))
        simplugin_write_map(&writer, 0);
    else if (!code && body.type != SIMPLUGIN_MAP)
        code = sp_arg_error(args, error, "body", "is not a map");
    else if (!code)
        code = body_write(args, &body, &writer, error);
    if (!code)
        code = sp_connection_send(connection, request->context, method, &writer, request->reply,
                                  error);
    simplugin_writer_clear(&writer);
    return code;
}
