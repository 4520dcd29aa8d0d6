/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <jansson.h>
#include <stdlib.h>

#include "ask.h"
#include "instance.h"
#include "metric.h"
#include "property.h"

/* Far more than Milvus takes, and nothing that is counted with it overflows. */
#define DIMENSION_MAX (UINT64_C(1) << 24)

/* ---- types -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int32_t type;
    uint32_t column;
} types[] = {
    {"BOOL", MILVUS_BOOL, SP_BOOL},         {"INT8", MILVUS_INT8, SP_INT64},
    {"INT16", MILVUS_INT16, SP_INT64},      {"INT32", MILVUS_INT32, SP_INT64},
    {"INT64", MILVUS_INT64, SP_INT64},      {"FLOAT", MILVUS_FLOAT, SP_FLOAT64},
    {"DOUBLE", MILVUS_DOUBLE, SP_FLOAT64},  {"VARCHAR", MILVUS_VARCHAR, SP_TEXT},
    {"STRING", MILVUS_STRING, SP_TEXT},     {"JSON", MILVUS_JSON, SP_TEXT},
    {"ARRAY", MILVUS_ARRAY, 0},             {"FLOAT_VECTOR", MILVUS_FLOAT_VECTOR, 0},
    {"BINARY_VECTOR", MILVUS_BINARY_VECTOR, 0},
};

static uint32_t column_of(int32_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == type)
            return types[i].column;
    return 0;
}

uint32_t milvus_field_column(const milvus_field *field)
{
    /* Milvus has no lists of JSON */
    uint32_t item = field->element_type == MILVUS_JSON ? 0 : column_of(field->element_type);

    return field->type == MILVUS_ARRAY ? (item ? item | SP_LIST : 0) : column_of(field->type);
}

const char *milvus_type_name(int32_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == type)
            return types[i].name;
    return "?";
}

int32_t milvus_type_of(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(types[i].name, name) == 0)
            return types[i].type;
    return 0;
}

const milvus_field *milvus_schema_field(const milvus_schema *schema, const char *name)
{
    for (uint64_t i = 0; i < schema->field_count; i++)
        if (strcmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    return NULL;
}

/* ---- dynamic fields --------------------------------------------------------------------- */

/* How many dollars stand before "meta"; 0: it is another name. */
static size_t dollars(const char *name, size_t size)
{
    size_t count = 0;

    while (count < size && name[count] == '$')
        count++;
    return size - count == 4 && memcmp(name + count, "meta", 4) == 0 ? count : 0;
}

const char *milvus_dynamic_key(plug_call *call, const char *name, size_t size)
{
    char *key = sp_arena_array(&call->scratch, size + 2, 1);
    size_t more = dollars(name, size) != 0;

    if (!key)
        return NULL;
    key[0] = '$';
    memcpy(key + more, name, size);
    key[size + more] = 0;
    return key;
}

size_t milvus_dynamic_skip(const char *key, size_t size)
{
    return dollars(key, size) > 1;
}

const char *milvus_dynamic_name(const char *key)
{
    return key + milvus_dynamic_skip(key, strlen(key));
}

/* ---- from the server's answers ---------------------------------------------------------- */

static const char *pair_find(Milvus__Pair *const *pairs, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i]->key, key) == 0)
            return pairs[i]->value;
    return NULL;
}

static int field_fill(milvus_schema *schema, milvus_field *field, const Milvus__FieldSchema *from)
{
    const char *dimension = pair_find(from->type_params, from->n_type_params, "dim");
    const char *length = pair_find(from->type_params, from->n_type_params, "max_length");

    field->name = sp_arena_text(&schema->memory, from->name, strlen(from->name));
    field->type = from->data_type;
    field->element_type = from->element_type;
    field->nullable = from->nullable;
    field->dimension = dimension ? strtoull(dimension, NULL, 10) : 0;
    field->max_length = length ? strtoull(length, NULL, 10) : 0;
    if (from->is_primary_key)
        schema->key = field;
    if (!schema->vector &&
        (field->type == MILVUS_FLOAT_VECTOR || field->type == MILVUS_BINARY_VECTOR))
        schema->vector = field;
    schema->auto_id |= from->is_primary_key && from->auto_id;
    return field->name != NULL;
}

/*
 * What collection.create wrote into a property: the fields that were declared, which Milvus
 * itself keeps as dynamic ones. Collections of others have no such property.
 */
static int declared_read(milvus_schema *schema, const char *property)
{
    json_t *root = property ? json_loads(property, JSON_REJECT_DUPLICATES, NULL) : NULL;
    json_t *fields = json_object_get(root, "fields");
    milvus_field *declared =
        sp_arena_array(&schema->memory, json_object_size(fields) + 1, sizeof *declared);
    const char *name;
    json_t *type;
    const char *metric = json_string_value(json_object_get(root, "metric"));

    schema->is_ours = property != NULL;
    if (property)
        schema->property = sp_arena_text(&schema->memory, property, strlen(property));
    for (int i = 0; metric && i < MILVUS_METRICS; i++)
        if (strcmp(milvus_metric_names[i], metric) == 0)
            schema->kept_metric = milvus_metric_names[i];
    json_object_foreach(fields, name, type) {
        const char *text = json_string_value(type);
        milvus_field *field = declared ? &declared[schema->declared_count] : NULL;

        if (!field || !text || !sp_column_type(text, strlen(text)))
            continue;
        if (strcmp(name, MILVUS_SAMPLE_ID) == 0) {
            schema->is_patches = 1;
            continue;
        }
        field->name = sp_arena_text(&schema->memory, name, strlen(name));
        field->type = (int32_t)sp_column_type(text, strlen(text));
        if (!field->name)
            declared = NULL;
        else
            schema->declared_count++;
    }
    schema->declared = declared;
    json_decref(root);
    return declared && (!property || schema->property);
}

static int describe_fill(milvus_schema *schema, const Milvus__DescribeCollectionReply *reply)
{
    const Milvus__CollectionSchema *from = reply->schema;
    const milvus_field *sample_id;
    milvus_field *fields =
        sp_arena_array(&schema->memory, from->n_fields + 1, sizeof *schema->fields);
    const char **aliases =
        sp_arena_array(&schema->memory, reply->n_aliases + 1, sizeof *schema->aliases);

    if (!fields || !aliases)
        return 0;
    schema->fields = fields;
    for (size_t i = 0; i < from->n_fields; i++) {
        if (from->fields[i]->is_dynamic || strcmp(from->fields[i]->name, MILVUS_DYNAMIC) == 0)
            continue;
        if (!field_fill(schema, &fields[schema->field_count++], from->fields[i]))
            return 0;
    }
    schema->aliases = aliases;
    for (size_t i = 0; i < reply->n_aliases; i++) {
        aliases[i] = sp_arena_text(&schema->memory, reply->aliases[i], strlen(reply->aliases[i]));
        if (!aliases[i])
            return 0;
        schema->alias_count++;
    }
    schema->collection_id = reply->collection_id;
    schema->has_dynamic = from->enable_dynamic_field;
    schema->consistency = reply->consistency_level;
    sample_id = milvus_schema_field(schema, MILVUS_SAMPLE_ID);
    schema->has_sample_id = sample_id && sample_id->type == MILVUS_VARCHAR;
    return declared_read(schema, milvus_property_of(reply));
}

/* The index of the vector field. */
static int index_fill(milvus_schema *schema, const Milvus__DescribeIndexReply *reply)
{
    const Milvus__IndexDescription *from = NULL;
    const char **params;
    const char *type, *metric;

    for (size_t i = 0; i < reply->n_index_descriptions && !from; i++)
        if (strcmp(reply->index_descriptions[i]->field_name, schema->vector->name) == 0)
            from = reply->index_descriptions[i];
    if (!from)
        return 1;
    params = sp_arena_array(&schema->memory, 2 * from->n_params + 1, sizeof *params);
    if (!params)
        return 0;
    schema->index_params = params;
    for (size_t i = 0; i < from->n_params; i++) {
        const Milvus__Pair *pair = from->params[i];

        params[2 * i] = sp_arena_text(&schema->memory, pair->key, strlen(pair->key));
        params[2 * i + 1] = sp_arena_text(&schema->memory, pair->value, strlen(pair->value));
        if (!params[2 * i] || !params[2 * i + 1])
            return 0;
        schema->index_param_count++;
    }
    type = pair_find(from->params, from->n_params, "index_type");
    metric = pair_find(from->params, from->n_params, "metric_type");
    schema->index_type = sp_arena_text(&schema->memory, type ? type : "", type ? strlen(type) : 0);
    schema->index_name = sp_arena_text(&schema->memory, from->index_name, strlen(from->index_name));
    schema->metric = metric ? milvus_metric_ours(metric) : NULL;
    schema->server_metric =
        sp_arena_text(&schema->memory, metric ? metric : "", metric ? strlen(metric) : 0);
    return schema->index_type && schema->index_name && schema->server_metric;
}

static void schema_free(milvus_schema *schema)
{
    if (!schema)
        return;
    sp_arena_free(&schema->memory);
    free(schema);
}

/* ---- asking ----------------------------------------------------------------------------- */

static int32_t schema_describe(milvus_call *call, milvus_schema *schema)
{
    Milvus__CollectionRequest request = MILVUS__COLLECTION_REQUEST__INIT;
    Milvus__DescribeCollectionReply *reply = NULL;
    void *message = NULL;
    int32_t code;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    code = milvus_ask(call, "DescribeCollection", &request.base,
                      &milvus__describe_collection_reply__descriptor, &message);
    reply = message;
    if (!code && (!reply->schema || !describe_fill(schema, reply)))
        code = reply->schema ? plug_no_memory(&call->base)
                             : plug_fail(&call->base, SIMPLUGIN_PROTOCOL,
                                         "DescribeCollection: the reply holds no schema");
    milvus_reply_free(message);
    if (!code && (!schema->key || !schema->vector))
        code = plug_fail(&call->base, SIMPLUGIN_INVALID_ARGUMENT,
                         "it has no %s field: only collections of vectors with a primary key can "
                         "be used",
                         schema->key ? "vector" : "primary key");
    if (!code && (!schema->vector->dimension || schema->vector->dimension > DIMENSION_MAX))
        code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL,
                         "DescribeCollection: its vectors have %llu dimensions",
                         (unsigned long long)schema->vector->dimension);
    return code;
}

static int32_t schema_index(milvus_call *call, milvus_schema *schema)
{
    Milvus__IndexNameRequest request = MILVUS__INDEX_NAME_REQUEST__INIT;
    milvus_rpc rpc;
    void *message = NULL;
    int32_t code;

    schema->index_type = schema->index_name = schema->server_metric = "";
    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    milvus_rpc_init(&rpc, "DescribeIndex");
    code = milvus_pack(&rpc, &request.base) ? milvus_rpc_try(&call->instance->link, &call->base, &rpc)
                                            : plug_no_memory(&call->base);
    /* no index is nothing wrong */
    if (!code && rpc.status.code && rpc.status.code != SIMPLUGIN_NOT_FOUND)
        code = milvus_status_fail(&call->base, rpc.method,
                                  call->instance->settings.address.target, &rpc.status);
    if (!code && !rpc.status.code) {
        message = milvus_unpack(call, &rpc, &milvus__describe_index_reply__descriptor);
        code = !message ? SIMPLUGIN_PROTOCOL
               : index_fill(schema, message) ? SIMPLUGIN_OK
                                             : plug_no_memory(&call->base);
    }
    milvus_reply_free(message);
    milvus_rpc_clear(&rpc);
    return code;
}

/* ---- what the instance keeps -------------------------------------------------------------- */

/* A further user of the schema of that name; NULL: none is known. The lock is held. */
static milvus_schema *schema_find_locked(simplugin_instance *instance, const char *name)
{
    for (milvus_schema *at = instance->schemas; at; at = at->next)
        if (strcmp(at->name, name) == 0) {
            atomic_fetch_add(&at->users, 1);
            return at;
        }
    return NULL;
}

int32_t milvus_schema_acquire(milvus_call *call)
{
    simplugin_instance *instance = call->instance;
    milvus_schema *made, *found;
    uint64_t forgotten;
    int32_t code;

    pthread_mutex_lock(&instance->base.lock);
    forgotten = instance->base.forgotten;
    found = schema_find_locked(instance, call->collection);
    pthread_mutex_unlock(&instance->base.lock);
    if (found) {
        call->schema = found;
        return SIMPLUGIN_OK;
    }
    made = calloc(1, sizeof *made);
    if (!made)
        return plug_no_memory(&call->base);
    made->name = sp_arena_text(&made->memory, call->collection, strlen(call->collection));
    code = made->name ? schema_describe(call, made) : plug_no_memory(&call->base);
    if (!code)
        code = schema_index(call, made);
    if (code) {
        schema_free(made);
        return code;
    }
    call->schema = made;
    atomic_store(&made->users, 1);
    /* one without an index will soon have one, perhaps from somebody else: it is not kept */
    if (!made->metric)
        return SIMPLUGIN_OK;
    pthread_mutex_lock(&instance->base.lock);
    if (instance->base.forgotten == forgotten) {
        atomic_fetch_add(&made->users, 1);
        made->next = instance->schemas;
        instance->schemas = made;
    }
    pthread_mutex_unlock(&instance->base.lock);
    return SIMPLUGIN_OK;
}

void milvus_schema_release(milvus_schema *schema)
{
    if (schema && atomic_fetch_sub(&schema->users, 1) == 1)
        schema_free(schema);
}

void milvus_schema_forget(simplugin_instance *instance, const char *collection)
{
    milvus_schema **at;
    milvus_schema *gone = NULL;

    pthread_mutex_lock(&instance->base.lock);
    instance->base.forgotten++;
    at = &instance->schemas;
    while (*at) {
        milvus_schema *schema = *at;

        if (collection && strcmp(schema->name, collection) != 0) {
            at = &schema->next;
            continue;
        }
        *at = schema->next;
        schema->next = gone;
        gone = schema;
    }
    pthread_mutex_unlock(&instance->base.lock);
    while (gone) {
        milvus_schema *next = gone->next;

        milvus_schema_release(gone);
        gone = next;
    }
}
