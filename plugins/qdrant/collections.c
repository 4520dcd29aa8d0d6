/* SPDX-License-Identifier: Apache-2.0 */
/* The methods on whole collections. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "clock.h"
#include "describe.h"
#include "instance.h"
#include "json_map.h"
#include "metric.h"
#include "view.h"
#include "walk.h"

#define DIMENSION_MAX 65536
/* From here on collections keep what a client says of them. */
#define VERSION_METADATA QDRANT_VERSION_OF(1, 16)
#define CLEANUP_MS 5000
#define SAMPLE_POINTS 64 /* that are looked at for what columns do not hold */

/* ---- which there are ------------------------------------------------------------------- */

int32_t qdrant_serve_collection_list(qdrant_call *call)
{
    json_t *result, *item;
    const char **names;
    uint64_t count = 0;
    size_t i;
    int32_t code = qdrant_ask(call, "GET", "/collections", NULL, 1, &result);

    if (code)
        return code;
    names = plug_scratch(&call->base, json_array_size(json_object_get(result, "collections")) + 1,
                         sizeof *names);
    if (!names)
        code = plug_no_memory(&call->base);
    json_array_foreach(json_object_get(result, "collections"), i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));

        if (names && name)
            names[count++] = name;
    }
    simplugin_write_map(&call->base.out, 1);
    plug_write_texts(&call->base.out, "collections", names, count);
    json_decref(result);
    return code;
}

static int32_t collection_exists(qdrant_call *call, int *exists)
{
    qdrant_http http;
    int32_t code;

    qdrant_http_init(&http, "GET", qdrant_own_path(call, ""));
    code = qdrant_try(&call->instance->link, &call->base, &http);
    *exists = !code && !http.status.code;
    if (!code && http.status.code && http.status.code != SIMPLUGIN_NOT_FOUND)
        code = qdrant_http_fail(&call->instance->link, &call->base, &http);
    qdrant_http_clear(&http);
    return code;
}

int32_t qdrant_serve_collection_exists(qdrant_call *call)
{
    int exists = 0;
    int32_t code = collection_exists(call, &exists);

    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "exists");
    simplugin_write_bool(&call->base.out, exists);
    return code;
}

/* ---- making -------------------------------------------------------------------------- */

static int32_t metric_read(plug_call *call, const char **metric)
{
    const char *text = qdrant_metric_names[0];
    uint64_t size = strlen(text);
    simplugin_value parameters;
    char *name;
    int found = simplugin_find_text(&call->body, "metric", &text, &size);

    if (!found && simplugin_find(&call->body, "parameters", &parameters))
        found = simplugin_find_text(&parameters, "metric", &text, &size);
    if (found < 0)
        return plug_fail_argument(call, "metric", "metric is a text");
    name = sp_arena_text(&call->scratch, text, size);
    if (!name)
        return plug_no_memory(call);
    *metric = name;
    if (qdrant_metric_theirs(name))
        return SIMPLUGIN_OK;
    plug_unknown_name(call, SIMPLUGIN_INVALID_ARGUMENT, "metric", name, qdrant_metric_names,
                      QDRANT_METRICS);
    plug_host->error_add_detail(call->error, "argument", 8, "metric", 6);
    return SIMPLUGIN_INVALID_ARGUMENT;
}

static int declared_add(void *context, const char *name, uint32_t type)
{
    return json_object_set_new(context, name, json_string(sp_column_type_name(type))) == 0;
}

/* The body of the request, and the fields that it declares; to be freed in any case. */
static int32_t creation_make(qdrant_call *call, json_t **body, json_t **fields)
{
    const char *metric = NULL;
    int64_t dimension = 0;
    int patches, failed;
    json_t *ours;
    int32_t code = qdrant_creation_read(&call->base, body);

    *fields = json_object();
    if (!code && !*fields)
        code = plug_no_memory(&call->base);
    if (!code)
        code = plug_arg_int(&call->base, "dimension", 1, DIMENSION_MAX, &dimension);
    if (!code && !dimension)
        code = plug_fail_argument(&call->base, "dimension", "dimension is needed");
    if (!code)
        code = metric_read(&call->base, &metric);
    if (!code)
        code = plug_arg_declared(&call->base, declared_add, *fields);
    if (code)
        return code;
    patches = json_object_get(*fields, QDRANT_SAMPLE_ID) != NULL;
    failed = json_object_set_new(*body, "vectors",
                                 json_pack("{s:I,s:s}", "size", (json_int_t)dimension, "distance",
                                           qdrant_metric_theirs(metric)));
    if (atomic_load(&call->instance->version) >= VERSION_METADATA) {
        ours = json_pack("{s:{s:O,s:b}}", QDRANT_METADATA, "fields", *fields, "patches", patches);
        failed |= json_object_set_new(*body, "metadata", ours);
    }
    return failed ? plug_no_memory(&call->base) : SIMPLUGIN_OK;
}

/* A payload index, so that filters on a declared field are quick. */
static int32_t field_index_make(qdrant_call *call, const char *name, const char *type)
{
    sp_text text = {name, strlen(name)};
    uint32_t column = sp_column_type(type, strlen(type)) & ~SP_LIST;
    const char *schema = column == SP_TEXT      ? "keyword"
                         : column == SP_INT64   ? "integer"
                         : column == SP_FLOAT64 ? "float"
                                                : "bool";
    sp_buffer path;
    json_t *body = NULL;

    sp_buffer_init(&path);
    qdrant_path_put(&path, text, "");
    if (!path.failed)
        body = json_pack("{s:o,s:s}", "field_name",
                         json_loadb((const char *)path.data, path.size, JSON_DECODE_ANY, NULL),
                         "field_schema", schema);
    sp_buffer_clear(&path);
    if (!body)
        return plug_no_memory(&call->base);
    return qdrant_ask(call, "PUT", qdrant_write_path(call, "/index"), body, 1, NULL);
}

static int32_t collection_drop(qdrant_call *call)
{
    json_t *result;
    int32_t code = qdrant_ask(call, "DELETE", qdrant_own_path(call, ""), NULL, 1, &result);

    /* there was something of that name, and it cannot be dropped */
    if (!code && json_is_false(result))
        code = plug_fail_argument(&call->base, "collection",
                                  "the name is an alias: drop the collection that it stands for, or "
                                  "the alias by native.alias.drop");
    json_decref(result);
    return code;
}

/* Half of a collection would be in the way of the next try. */
static void drop_quietly(qdrant_call *call)
{
    simplugin_error **error = call->base.error;
    simplugin_call_info info = *call->base.info;
    const simplugin_call_info *own = call->base.info;

    info.deadline = sp_clock_deadline(CLEANUP_MS);
    info.cancel = 0;
    call->base.info = &info;
    call->base.error = NULL;
    collection_drop(call);
    call->base.info = own;
    call->base.error = error;
}

int32_t qdrant_serve_collection_create(qdrant_call *call)
{
    json_t *body = NULL, *fields = NULL, *type;
    const char *name, *path = qdrant_own_path(call, "");
    int exists = 0;
    int32_t code = creation_make(call, &body, &fields);

    if (!code)
        code = collection_exists(call, &exists);
    if (!code && exists)
        code = plug_fail(&call->base, SIMPLUGIN_ALREADY_EXISTS, "there is one of that name");
    if (!code && path)
        path = qdrant_path_timed(&call->base, path);
    if (!code) {
        code = qdrant_ask(call, "PUT", path, json_incref(body), 0, NULL);
        if (!code) {
            json_object_foreach(fields, name, type)
                if (!code)
                    code = field_index_make(call, name, json_string_value(type));
            if (code)
                drop_quietly(call);
        }
    }
    json_decref(body);
    json_decref(fields);
    qdrant_schema_forget(call->instance, call->collection);
    plug_known_forget(&call->instance->base, &call->instance->known, call->collection);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "collection");
    simplugin_write_string(&call->base.out, call->collection);
    return code;
}

int32_t qdrant_serve_collection_drop(qdrant_call *call)
{
    int exists = 0;
    int32_t code = collection_exists(call, &exists);

    if (!code && !exists)
        code = plug_fail(&call->base, SIMPLUGIN_NOT_FOUND, "there is none of that name");
    if (!code)
        code = collection_drop(call);
    qdrant_schema_forget(call->instance, call->collection);
    if (!code) {
        plug_views_forget(&call->instance->base, &call->instance->views, call->collection);
        plug_known_forget(&call->instance->base, &call->instance->known, call->collection);
    }
    return code;
}

static int32_t json_write(qdrant_call *call, const json_t *json)
{
    const char *wrong = qdrant_json_write(&call->base.out, json);

    return wrong ? plug_fail(&call->base, SIMPLUGIN_PROTOCOL,
                             "the server's answer cannot be passed on: %s", wrong)
                 : SIMPLUGIN_OK;
}

/* ---- what is in one ---------------------------------------------------------------------- */

/* Those that were declared, and those that points were seen to have. */
static void fields_write(qdrant_call *call, const plug_seen *seen)
{
    const qdrant_schema *schema = call->schema;
    simplugin_writer *out = &call->base.out;
    uint64_t begin, count = 0;

    simplugin_write_string(out, "fields");
    begin = simplugin_write_map_begin(out);
    for (uint64_t i = 0; i < schema->declared_count; i++) {
        const qdrant_declared *one = &schema->declared[i];
        uint32_t type = one->type;

        if (!qdrant_field_is_shown(schema, (sp_text){one->name, strlen(one->name)}))
            continue;
        for (uint64_t j = 0; one->is_index && j < seen->count; j++)
            if (strcmp(seen->names[j], one->name) == 0 && seen->types[j] == (type | SP_LIST))
                type |= SP_LIST;
        simplugin_write_string(out, one->name);
        simplugin_write_string(out, sp_column_type_name(type));
        count++;
    }
    for (uint64_t i = 0; i < seen->count; i++) {
        sp_text name = {seen->names[i], strlen(seen->names[i])};

        if (qdrant_declared_type(schema, name))
            continue;
        simplugin_write_string(out, name.data);
        simplugin_write_string(out, sp_column_type_name(seen->types[i]));
        count++;
    }
    simplugin_write_end(out, begin, count);
}

/*
 * The collection's own name, whatever alias it was asked for by: an alias is none of a
 * collection's. Unknown (*name NULL) where the server lets nobody see its aliases.
 */
static int32_t real_name(qdrant_call *call, json_t **name)
{
    qdrant_http http;
    json_t *reply = NULL, *list, *item;
    size_t i;
    int32_t code;

    *name = NULL;
    qdrant_http_init(&http, "GET", "/aliases");
    code = qdrant_try(&call->instance->link, &call->base, &http);
    if (!code && !http.status.code)
        reply = json_loadb(http.reply, http.reply_size, 0, NULL);
    list = json_object_get(json_object_get(reply, "result"), "aliases");
    if (json_is_array(list)) {
        *name = json_string(call->collection);
        json_array_foreach(list, i, item) {
            const char *alias = json_string_value(json_object_get(item, "alias_name"));
            json_t *of = json_object_get(item, "collection_name");

            if (alias && json_is_string(of) && strcmp(alias, call->collection) == 0) {
                json_decref(*name);
                *name = json_incref(of);
            }
        }
        if (!*name)
            code = plug_no_memory(&call->base);
    }
    json_decref(reply);
    qdrant_http_clear(&http);
    return code;
}

/* Nothing that a column holds: an object, or a list of lists, objects, nulls or several types. */
static int is_other(const json_t *value)
{
    size_t i;
    json_t *item;
    json_type type = JSON_NULL;

    if (json_is_object(value))
        return 1;
    json_array_foreach(value, i, item) {
        json_type one = json_is_boolean(item) ? JSON_TRUE
                        : json_is_number(item) ? JSON_REAL
                                               : json_typeof(item);

        if (one == JSON_OBJECT || one == JSON_ARRAY || one == JSON_NULL || (i && one != type))
            return 1;
        type = one;
    }
    return 0;
}

static int kind_of(const json_t *value)
{
    return json_is_array(value) ? 1 : json_is_boolean(value) ? 2 : json_is_number(value) ? 3 : 4;
}

/* Adds the names of fields whose values are shown as the JSON text of what they are. */
static int payload_look(const qdrant_call *call, const json_t *payload, json_t *kinds, json_t *names)
{
    const char *name;
    int failed = 0;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)payload, name, value) {
        json_int_t before = json_integer_value(json_object_get(kinds, name));

        if (json_is_null(value) || !qdrant_field_is_shown(call->schema, (sp_text){name, strlen(name)}))
            continue;
        if (is_other(value) || (before && before != kind_of(value)))
            failed |= json_object_set_new(names, name, json_true());
        failed |= json_object_set_new(kinds, name, json_integer(kind_of(value)));
    }
    return !failed;
}

/*
 * What some points tell: numbers among their ids, of which the smallest come first, and
 * fields that hold more than a column does.
 */
static int32_t points_look(qdrant_call *call, json_t *info)
{
    json_t *kinds = json_object(), *names = json_object(), *list = json_array();
    json_t *result = NULL, *point, *value;
    const char *name, *id_type = "text";
    int failed = !kinds || !names || !list;
    size_t i;
    int32_t code =
        qdrant_ask(call, "POST", qdrant_read_path(call, "/points/scroll", NULL),
                   json_pack("{s:i,s:b,s:b}", "limit", SAMPLE_POINTS, "with_payload", 1,
                             "with_vector", 0),
                   1, &result);

    json_array_foreach(json_object_get(result, "points"), i, point) {
        if (!call->schema->is_mapped && i == 0)
            id_type = json_is_integer(json_object_get(point, "id")) ? "uint64" : "uuid";
        failed |= !payload_look(call, json_object_get(point, "payload"), kinds, names);
    }
    json_object_foreach(names, name, value)
        failed |= json_array_append_new(list, json_string(name));
    failed |= json_object_set(info, "json_fields", list);
    failed |= json_object_set_new(info, "id_type", json_string(id_type));
    json_decref(kinds);
    json_decref(names);
    json_decref(list);
    json_decref(result);
    return !code && failed ? plug_no_memory(&call->base) : code;
}

/* The vectors that points have beside the one that is theirs here: sparse ones. */
static int other_vectors_add(json_t *info)
{
    json_t *params = json_object_get(json_object_get(info, "config"), "params");
    json_t *list = json_array(), *value;
    const char *name;
    int failed = !list;

    json_object_foreach(json_object_get(params, "sparse_vectors"), name, value)
        failed |= json_array_append_new(list, json_string(name));
    failed |= json_object_set(info, "other_vectors", list);
    json_decref(list);
    return !failed;
}

/* What the server says of the collection, and what copies look at. */
static int32_t attributes_add(qdrant_call *call, json_t *info)
{
    json_t *name = NULL;
    int32_t code = real_name(call, &name);
    const char *vectors = qdrant_is_normalised(call->schema) ? "rounded" : "exact";
    int failed = name && json_object_set_new(info, "id", name);

    failed |= json_object_set_new(info, "vectors", json_string(vectors));
    /* payloads hold anything */
    failed |= json_object_set_new(info, "field_types", json_string("seen"));
    failed |= !other_vectors_add(info);
    if (!code)
        code = points_look(call, info);
    return !code && failed ? plug_no_memory(&call->base) : code;
}

int32_t qdrant_serve_collection_describe(qdrant_call *call)
{
    const qdrant_schema *schema = call->schema;
    plug_known_of known = qdrant_known(call);
    simplugin_writer *out = &call->base.out;
    plug_seen seen = {0};
    json_t *info = NULL;
    uint64_t count = 0;
    int32_t code = qdrant_count(call, "", NULL, &count);

    if (!code)
        code = plug_known_list(&known, &seen);
    if (!code)
        code = qdrant_ask(call, "GET", qdrant_own_path(call, ""), NULL, 1, &info);
    if (!code)
        code = attributes_add(call, info);
    if (code) {
        json_decref(info);
        return code;
    }
    simplugin_write_map(out, 8);
    simplugin_write_string(out, "collection");
    simplugin_write_string(out, call->collection);
    simplugin_write_string(out, "dimension");
    simplugin_write_uint(out, schema->dimension);
    simplugin_write_string(out, "metric");
    simplugin_write_string(out, schema->metric);
    simplugin_write_string(out, "count");
    simplugin_write_uint(out, count);
    fields_write(call, &seen);
    simplugin_write_string(out, "id_mode");
    simplugin_write_string(out, schema->is_mapped ? "mapped" : "native");
    simplugin_write_string(out, "patches");
    simplugin_write_bool(out, schema->is_patches);
    simplugin_write_string(out, "attributes");
    code = json_write(call, info);
    json_decref(info);
    return code;
}

/* ---- the index of the vectors --------------------------------------------------------------- */

/* A collection's configuration as the request that changes one has it. */
static int32_t change_make(qdrant_call *call, json_t *body)
{
    static const char *const fixed[] = {"shard_number", "wal_config"};
    static const char *const inner[] = {"replication_factor", "write_consistency_factor",
                                        "on_disk_payload"};
    json_t *params = json_object();
    int failed = !params;

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (json_object_get(body, fixed[i])) {
            json_decref(params);
            return plug_fail_argument(&call->base, fixed[i],
                                      "%s cannot be changed once a collection is made", fixed[i]);
        }
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
        json_t *value = json_object_get(body, inner[i]);

        if (value)
            failed |= json_object_set(params, inner[i], value) || json_object_del(body, inner[i]);
    }
    if (json_object_size(params))
        failed |= json_object_set(body, "params", params);
    json_decref(params);
    return failed ? plug_no_memory(&call->base) : SIMPLUGIN_OK;
}

/* Changes what of the collection's configuration is given: the server builds anew as it must. */
int32_t qdrant_serve_index_create(qdrant_call *call)
{
    json_t *body = NULL;
    int32_t code = qdrant_creation_read(&call->base, &body);

    if (!code)
        code = change_make(call, body);
    if (!code)
        code = qdrant_ask(call, "PATCH", qdrant_own_path(call, ""), json_incref(body), 1, NULL);
    json_decref(body);
    return code;
}

int32_t qdrant_serve_index_describe(qdrant_call *call)
{
    json_t *info, *config;
    int32_t code = qdrant_ask(call, "GET", qdrant_own_path(call, ""), NULL, 1, &info);

    if (code)
        return code;
    config = json_object_get(info, "config");
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "parameters");
    code = json_write(call, config);
    json_decref(info);
    return code;
}
