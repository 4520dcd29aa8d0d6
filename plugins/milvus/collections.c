/* SPDX-License-Identifier: Apache-2.0 */
/* The methods on whole collections. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "ask.h"
#include "clock.h"
#include "consistency.h"
#include "describe.h"
#include "index_spec.h"
#include "instance.h"
#include "known.h"
#include "load.h"
#include "metric.h"
#include "partitions.h"
#include "property.h"
#include "query.h"
#include "view.h"

#define DIMENSION_MAX 32768
#define PATCHES_LOOK 16 /* rows */

/* ---- which there are ------------------------------------------------------------------- */

/*
 * The names of all, or that of only (NULL: all) among others; to be freed with milvus_reply_free,
 * which NULL does not mind. Milvus Lite fails where one of them is dropped meanwhile.
 */
static int32_t names_ask(milvus_call *call, const char *only, void **message)
{
    Milvus__ShowCollectionsRequest request = MILVUS__SHOW_COLLECTIONS_REQUEST__INIT;
    char *name = milvus_text(only ? only : "");

    request.db_name = call->instance->settings.db_name;
    request.collection_names = &name;
    request.n_collection_names = only != NULL;
    return milvus_ask(call, "ShowCollections", &request.base, &milvus__names_reply__descriptor,
                      message);
}

int32_t milvus_serve_collection_list(milvus_call *call)
{
    Milvus__NamesReply *reply;
    void *message = NULL;
    int32_t code = names_ask(call, NULL, &message);

    if (code)
        return code;
    reply = message;
    simplugin_write_map(&call->base.out, 1);
    plug_write_texts(&call->base.out, "collections", (const char *const *)reply->names,
                     reply->n_names);
    milvus_reply_free(message);
    return code;
}

static int32_t collection_exists(milvus_call *call, int *exists)
{
    Milvus__CollectionRequest request = MILVUS__COLLECTION_REQUEST__INIT;
    void *message = NULL;
    int32_t code;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    code = milvus_ask(call, "HasCollection", &request.base, &milvus__bool_reply__descriptor,
                      &message);
    *exists = !code && ((Milvus__BoolReply *)message)->value;
    milvus_reply_free(message);
    return code;
}

int32_t milvus_serve_collection_exists(milvus_call *call)
{
    int exists = 0;
    int32_t code = collection_exists(call, &exists);

    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "exists");
    simplugin_write_bool(&call->base.out, exists);
    return code;
}

/* ---- making -------------------------------------------------------------------------- */

/* What collection.create was asked for. */
typedef struct creation {
    int64_t dimension;
    const char *metric; /* ours */
    int level;
    int64_t shards, replicas;
    milvus_index_spec index;
    char *property;
    char token[2 * MILVUS_TOKEN_BYTES + 1]; /* what tells its collection from another call's */
} creation;

static int32_t metric_read(plug_call *call, const simplugin_value *parameters, const char **metric)
{
    const char *text = milvus_metric_names[0];
    uint64_t size = strlen(text);
    char *name;
    int found = simplugin_find_text(&call->body, "metric", &text, &size);

    if (!found)
        found = simplugin_find_text(parameters, "metric", &text, &size);
    if (found < 0)
        return plug_fail_argument(call, "metric", "metric is a text");
    name = sp_arena_text(&call->scratch, text, size);
    if (!name)
        return plug_no_memory(call);
    *metric = name;
    if (milvus_metric_theirs(name) && !milvus_metric_is_binary(name))
        return SIMPLUGIN_OK;
    plug_unknown_name(call, SIMPLUGIN_INVALID_ARGUMENT, "metric", name, milvus_metric_names,
                      MILVUS_METRICS);
    plug_host->error_add_detail(call->error, "argument", 8, "metric", 6);
    return SIMPLUGIN_INVALID_ARGUMENT;
}

static int32_t number_read(plug_call *call, const simplugin_value *map, const char *key,
                           int64_t high, int64_t *number)
{
    int found = simplugin_find_int(map, key, number);

    if (found < 0 || (found && (*number < 1 || *number > high)))
        return plug_fail_argument(call, key, "%s is an int from 1 to %lld", key, (long long)high);
    return SIMPLUGIN_OK;
}

static int declared_add(void *context, const char *name, uint32_t type)
{
    return json_object_set_new(context, name, json_string(sp_column_type_name(type))) == 0;
}

/* What property.h says of it. */
static int32_t property_make(plug_call *call, creation *c)
{
    json_t *fields = json_object();
    json_t *root = json_pack("{s:o}", "fields", fields);
    int32_t code = root ? plug_arg_declared(call, declared_add, fields) : plug_no_memory(call);

    if (!code && !milvus_token_make(c->token))
        code = plug_fail(call, SIMPLUGIN_IO, "the system gives no random numbers");
    if (!code) {
        json_object_set_new(root, "metric", json_string(c->metric));
        json_object_set_new(root, "token", json_string(c->token));
        c->property = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
        code = c->property ? SIMPLUGIN_OK : plug_no_memory(call);
    }
    json_decref(root);
    return code;
}

static int32_t creation_read(plug_call *call, creation *c)
{
    simplugin_value parameters;
    int32_t code = plug_arg_parameters(call, milvus_create_names, milvus_create_count, &parameters);

    memset(c, 0, sizeof *c);
    c->level = MILVUS_SESSION;
    c->shards = c->replicas = 1;
    if (!code)
        code = plug_arg_int(call, "dimension", 1, DIMENSION_MAX, &c->dimension);
    if (!code && !c->dimension)
        code = plug_fail_argument(call, "dimension", "dimension is needed");
    if (!code)
        code = metric_read(call, &parameters, &c->metric);
    if (!code)
        code = milvus_level_read(call, &parameters, &c->level);
    if (!code)
        code = number_read(call, &parameters, "shards", 64, &c->shards);
    if (!code)
        code = number_read(call, &parameters, "replicas", 64, &c->replicas);
    if (!code)
        code = milvus_index_spec_read(call, &parameters, milvus_metric_theirs(c->metric),
                                      &c->index);
    return code ? code : property_make(call, c);
}

static void field_init(Milvus__FieldSchema *field, const char *name, int32_t type,
                       Milvus__Pair *pair, Milvus__Pair **pairs)
{
    milvus__field_schema__init(field);
    field->name = milvus_text(name);
    field->data_type = type;
    *pairs = pair;
    field->type_params = pairs;
    field->n_type_params = 1;
}

/* Laid out as FiftyOne lays out its own, and open for fields of any name. */
static int32_t collection_send(milvus_call *call, const creation *c)
{
    Milvus__CreateCollectionRequest request = MILVUS__CREATE_COLLECTION_REQUEST__INIT;
    Milvus__CollectionSchema schema = MILVUS__COLLECTION_SCHEMA__INIT;
    Milvus__FieldSchema key, vector, sample;
    Milvus__FieldSchema *fields[] = {&key, &vector, &sample};
    Milvus__Pair length = MILVUS__PAIR__INIT, dim = MILVUS__PAIR__INIT;
    Milvus__Pair property = MILVUS__PAIR__INIT;
    Milvus__Pair *pairs[3], *properties[] = {&property};
    char length_text[16], dim_text[16];
    int32_t code;

    snprintf(length_text, sizeof length_text, "%d", MILVUS_TEXT_BYTES);
    snprintf(dim_text, sizeof dim_text, "%d", (int)c->dimension);
    length.key = milvus_text("max_length");
    length.value = length_text;
    dim.key = milvus_text("dim");
    dim.value = dim_text;
    field_init(&key, MILVUS_PK, MILVUS_VARCHAR, &length, &pairs[0]);
    key.is_primary_key = 1;
    field_init(&vector, MILVUS_VECTOR, MILVUS_FLOAT_VECTOR, &dim, &pairs[1]);
    field_init(&sample, MILVUS_SAMPLE_ID, MILVUS_VARCHAR, &length, &pairs[2]);
    schema.name = milvus_text(call->collection);
    schema.fields = fields;
    schema.n_fields = 3;
    schema.enable_dynamic_field = 1;
    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    request.shards_num = (int32_t)c->shards;
    request.consistency_level = c->level;
    property.key = milvus_text(MILVUS_PROPERTY);
    property.value = c->property;
    request.properties = properties;
    request.n_properties = 1;
    request.schema.len = protobuf_c_message_get_packed_size(&schema.base);
    request.schema.data = plug_scratch(&call->base, request.schema.len + 1, 1);
    if (!request.schema.data)
        return plug_no_memory(&call->base);
    protobuf_c_message_pack(&schema.base, request.schema.data);
    code = milvus_tell(call, "CreateCollection", &request.base, 0);
    return code;
}

static int32_t collection_drop(milvus_call *call)
{
    Milvus__CollectionRequest request = MILVUS__COLLECTION_REQUEST__INIT;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    return milvus_tell(call, "DropCollection", &request.base, 1);
}

/*
 * What Milvus has on its disk: all that is known of a collection that is not loaded, or has
 * no index and so cannot be.
 */
static int32_t rows_on_disk(milvus_call *call, uint64_t *count)
{
    Milvus__CollectionRequest request = MILVUS__COLLECTION_REQUEST__INIT;
    const Milvus__StatisticsReply *reply;
    void *message = NULL;
    int32_t code;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    code = milvus_ask(call, "GetCollectionStatistics", &request.base,
                      &milvus__statistics_reply__descriptor, &message);
    reply = message;
    for (size_t i = 0; !code && i < reply->n_stats; i++)
        if (strcmp(reply->stats[i]->key, "row_count") == 0)
            *count = strtoull(reply->stats[i]->value, NULL, 10);
    milvus_reply_free(message);
    return code;
}

/* What a query counts without loading anything; *count stays as it is where none can. */
static void loaded_count(milvus_call *call, uint64_t *count)
{
    int is_loaded = 0;
    uint64_t counted = 0;

    milvus_schema_forget(call->instance, call->collection);
    if (!milvus_schema_acquire(call) && !milvus_count_loaded(call, &counted, &is_loaded) &&
        is_loaded)
        *count = counted;
}

/* Whether the collection of that name is the one that this call made. */
static int32_t is_made_here(milvus_call *call, const creation *c, int *is_ours)
{
    Milvus__CollectionRequest request = MILVUS__COLLECTION_REQUEST__INIT;
    void *message = NULL;
    int32_t code;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    code = milvus_ask(call, "DescribeCollection", &request.base,
                      &milvus__describe_collection_reply__descriptor, &message);
    *is_ours = !code && milvus_token_is(milvus_property_of(message), c->token);
    milvus_reply_free(message);
    return code;
}

/*
 * Half of a collection would be in the way of the next try. But nothing is dropped that
 * somebody else made, or has put rows into: what can be counted is, the rest is on disk.
 */
static void drop_quietly(milvus_call *call, const creation *c)
{
    milvus_aside aside;
    uint64_t on_disk = 1, loaded = 0;
    int is_ours = 0;
    int32_t code;

    milvus_aside_begin(call, &aside);
    code = is_made_here(call, c, &is_ours);
    if (!code && is_ours)
        code = rows_on_disk(call, &on_disk);
    if (!code && is_ours && !on_disk)
        loaded_count(call, &loaded);
    if (!code && is_ours && !on_disk && !loaded)
        collection_drop(call);
    milvus_aside_end(call, &aside);
}

int32_t milvus_serve_collection_create(milvus_call *call)
{
    creation c = {0};
    int exists = 0, is_ours = 0;
    int32_t code = creation_read(&call->base, &c);

    if (!code)
        code = collection_exists(call, &exists);
    if (!code && exists)
        code = plug_fail(&call->base, SIMPLUGIN_ALREADY_EXISTS, "there is one of that name");
    if (!code)
        code = collection_send(call, &c);
    /* Milvus 2.3 lets two calls make the same collection, and tells both that it is theirs */
    if (!code) {
        code = is_made_here(call, &c, &is_ours);
        if (!code && !is_ours)
            code = plug_fail(&call->base, SIMPLUGIN_ALREADY_EXISTS,
                             "somebody else made one of that name at the same time");
        if (!code)
            code = milvus_index_send(call, MILVUS_VECTOR, &c.index);
        if (!code)
            code = milvus_load(call, NULL, 0, c.replicas);
        if (code)
            drop_quietly(call, &c);
    }
    free(c.property);
    milvus_schema_forget(call->instance, call->collection);
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "collection");
    simplugin_write_string(&call->base.out, call->collection);
    return code;
}

/* Whether the call's name is a collection's own, and no alias. */
static int32_t name_look(milvus_call *call, int *is_own)
{
    void *message = NULL;
    int32_t code = names_ask(call, call->collection, &message);
    const Milvus__NamesReply *reply = message;

    *is_own = 0;
    for (size_t i = 0; !code && i < reply->n_names; i++)
        *is_own |= strcmp(reply->names[i], call->collection) == 0;
    milvus_reply_free(message);
    return code;
}

/* Milvus Lite drops the collection that an alias stands for, where Milvus refuses to. */
static int32_t name_is_own(milvus_call *call)
{
    int is_own;
    int32_t code = name_look(call, &is_own);

    if (!code && !is_own)
        code = plug_fail_argument(&call->base, "collection",
                                  "the name is an alias: drop the collection that it stands for, or "
                                  "the alias by native.alias.drop");
    return code;
}

int32_t milvus_serve_collection_drop(milvus_call *call)
{
    int exists = 0;
    int32_t code = collection_exists(call, &exists);

    if (!code && !exists)
        code = plug_fail(&call->base, SIMPLUGIN_NOT_FOUND, "there is none of that name");
    if (!code)
        code = name_is_own(call);
    if (!code)
        code = collection_drop(call);
    milvus_schema_forget(call->instance, call->collection);
    if (!code) {
        plug_views_forget(&call->instance->base, &call->instance->views, call->collection);
        milvus_known_forget(call->instance, call->collection);
    }
    return code;
}

/* ---- what is in one ---------------------------------------------------------------------- */

static const char *field_type_shown(const milvus_field *field)
{
    return sp_column_type_name(milvus_field_column(field));
}

/* Those of the schema, those that were declared, and those that rows were seen to have. */
static void fields_write(milvus_call *call, const plug_seen *seen)
{
    const milvus_schema *schema = call->schema;
    simplugin_writer *out = &call->base.out;
    uint64_t begin, count = 0;

    simplugin_write_string(out, "fields");
    begin = simplugin_write_map_begin(out);
    for (uint64_t i = 0; i < schema->field_count; i++)
        if (milvus_field_is_shown(schema, schema->fields[i].name)) {
            simplugin_write_string(out, schema->fields[i].name);
            simplugin_write_string(out, field_type_shown(&schema->fields[i]));
            count++;
        }
    for (uint64_t i = 0; i < schema->declared_count; i++) {
        simplugin_write_string(out, schema->declared[i].name);
        simplugin_write_string(out, sp_column_type_name((uint32_t)schema->declared[i].type));
        count++;
    }
    for (uint64_t i = 0; i < seen->count; i++)
        if (!milvus_declared_type(schema, seen->names[i])) {
            simplugin_write_string(out, seen->names[i]);
            simplugin_write_string(out, sp_column_type_name(seen->types[i]));
            count++;
        }
    simplugin_write_end(out, begin, count);
}

/* is_own: the name is no alias, and tells what it is where the server has no numbers. */
static void attributes_write(milvus_call *call, int is_own)
{
    const milvus_schema *schema = call->schema;
    simplugin_writer *out = &call->base.out;
    uint64_t begin;

    simplugin_write_string(out, "attributes");
    simplugin_write_map(out, 10);
    /* what is in no schema holds anything */
    simplugin_write_string(out, "field_types");
    simplugin_write_string(out, schema->has_dynamic ? "seen" : "declared");
    simplugin_write_string(out, "id");
    if (schema->collection_id)
        simplugin_write_int(out, schema->collection_id);
    else
        simplugin_write_string(out, is_own ? call->collection : NULL);
    simplugin_write_string(out, "key");
    simplugin_write_string(out, schema->key->name);
    simplugin_write_string(out, "key_type");
    simplugin_write_string(out, milvus_type_name(schema->key->type));
    simplugin_write_string(out, "id_type");
    simplugin_write_string(out, schema->key->type == MILVUS_INT64 ? "int64" : "text");
    simplugin_write_string(out, "auto_id");
    simplugin_write_bool(out, schema->auto_id);
    simplugin_write_string(out, "vector");
    simplugin_write_string(out, schema->vector->name);
    simplugin_write_string(out, "consistency_level");
    simplugin_write_string(out, schema->consistency >= 0 && schema->consistency < MILVUS_LEVELS
                                    ? milvus_level_names[schema->consistency]
                                    : NULL);
    plug_write_texts(out, "aliases", schema->aliases, schema->alias_count);
    simplugin_write_string(out, "index");
    begin = simplugin_write_map_begin(out);
    for (uint64_t i = 0; i < schema->index_param_count; i++) {
        simplugin_write_string(out, schema->index_params[2 * i]);
        simplugin_write_string(out, schema->index_params[2 * i + 1]);
    }
    simplugin_write_end(out, begin, schema->index_param_count);
}

/* Whether a row of somebody else's has another sample id than its own: then it is a label. */
static int has_labels(const milvus_page *page)
{
    for (uint64_t c = 0; c < page->column_count; c++) {
        const milvus_page_column *column = &page->columns[c];

        if (column->is_dynamic || !column->texts || column->is_list ||
            strcmp(column->name, MILVUS_SAMPLE_ID) != 0)
            continue;
        for (uint64_t i = 0; page->ids && i < page->count && i < column->count; i++)
            if (column->texts[i].size != page->ids[i].size ||
                memcmp(column->texts[i].data, page->ids[i].data, page->ids[i].size) != 0)
                return 1;
    }
    return 0;
}

/* Of a collection laid out as FiftyOne does: what some of its points look like. */
static int32_t patches_look(milvus_call *call, int *patches)
{
    int is_loaded = 0;
    milvus_query query = {.expr = "", .limit = PATCHES_LOOK, .fields = 1, .level = -1,
                          .is_loaded = &is_loaded};
    milvus_page page;
    milvus_rpc rpc;
    int32_t code;

    *patches = call->schema->is_patches;
    if (!call->schema->has_sample_id || call->schema->is_ours || !call->schema->metric)
        return SIMPLUGIN_OK;
    code = milvus_query_run(call, &query, &rpc, &page);
    if (!code && is_loaded)
        *patches = has_labels(&page);
    milvus_page_clear(&page);
    milvus_rpc_clear(&rpc);
    return code;
}

int32_t milvus_serve_collection_describe(milvus_call *call)
{
    const milvus_schema *schema = call->schema;
    simplugin_writer *out = &call->base.out;
    plug_seen seen = {0};
    uint64_t count = 0;
    int patches = 0, is_loaded = 0, is_own = 0;
    int32_t code = SIMPLUGIN_OK;

    if (*schema->index_type)
        code = milvus_count_loaded(call, &count, &is_loaded);
    if (!code && !is_loaded)
        code = rows_on_disk(call, &count);
    if (!code && *schema->index_type)
        code = milvus_known_list(call, &seen);
    if (!code)
        code = patches_look(call, &patches);
    /* Milvus Lite has the number 0 for all of them */
    if (!code && !schema->collection_id)
        code = name_look(call, &is_own);
    if (code)
        return code;
    simplugin_write_map(out, 8);
    simplugin_write_string(out, "collection");
    simplugin_write_string(out, call->collection);
    simplugin_write_string(out, "dimension");
    simplugin_write_uint(out, schema->vector->dimension);
    simplugin_write_string(out, "metric");
    /* an index by another metric than ours is not none */
    simplugin_write_string(out, schema->metric || !*schema->index_type ? schema->metric
                                                                       : schema->server_metric);
    simplugin_write_string(out, "count");
    simplugin_write_uint(out, count);
    simplugin_write_string(out, "id_mode");
    simplugin_write_string(out, "native");
    fields_write(call, &seen);
    simplugin_write_string(out, "patches");
    simplugin_write_bool(out, patches);
    attributes_write(call, is_own);
    return code;
}

/* ---- upkeep ------------------------------------------------------------------------------- */

int32_t milvus_serve_collection_load(milvus_call *call)
{
    milvus_partitions partitions;
    int32_t code = milvus_partitions_read(&call->base, &call->base.body, &partitions);

    return code ? code : milvus_load(call, partitions.names, partitions.count, 0);
}

int32_t milvus_serve_collection_release(milvus_call *call)
{
    Milvus__CollectionRequest whole = MILVUS__COLLECTION_REQUEST__INIT;
    Milvus__PartitionsRequest some = MILVUS__PARTITIONS_REQUEST__INIT;
    milvus_partitions partitions;
    int32_t code = milvus_partitions_read(&call->base, &call->base.body, &partitions);

    if (code)
        return code;
    whole.db_name = some.db_name = call->instance->settings.db_name;
    whole.collection_name = some.collection_name = milvus_text(call->collection);
    some.partition_names = (char **)(uintptr_t)partitions.names;
    some.n_partition_names = (size_t)partitions.count;
    return partitions.count ? milvus_tell(call, "ReleasePartitions", &some.base, 1)
                            : milvus_tell(call, "ReleaseCollection", &whole.base, 1);
}

/* Waits until what was written before is on the server's disk. */
static int32_t flush_wait(milvus_call *call, const Milvus__FlushReply *flush)
{
    Milvus__FlushStateRequest request = MILVUS__FLUSH_STATE_REQUEST__INIT;
    int32_t code = SIMPLUGIN_OK;
    int flushed = 0;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    for (size_t i = 0; i < flush->n_segments; i++)
        if (flush->segments[i]->value) {
            request.segment_ids = flush->segments[i]->value->data;
            request.n_segment_ids = flush->segments[i]->value->n_data;
        }
    if (flush->n_flush_timestamps)
        request.flush_ts = flush->flush_timestamps[0]->value;
    while (!code && !flushed) {
        void *message = NULL;

        code = milvus_ask(call, "GetFlushState", &request.base, &milvus__bool_reply__descriptor,
                          &message);
        flushed = !code && ((Milvus__BoolReply *)message)->value;
        milvus_reply_free(message);
        if (!code && !flushed)
            code = milvus_pause(&call->base, 100);
    }
    return code;
}

int32_t milvus_serve_collection_flush(milvus_call *call)
{
    Milvus__FlushRequest request = MILVUS__FLUSH_REQUEST__INIT;
    char *names[] = {milvus_text(call->collection)};
    void *message = NULL;
    int32_t code;

    request.db_name = call->instance->settings.db_name;
    request.collection_names = names;
    request.n_collection_names = 1;
    code = milvus_ask(call, "Flush", &request.base, &milvus__flush_reply__descriptor, &message);
    if (!code)
        code = flush_wait(call, message);
    milvus_reply_free(message);
    return code;
}

/* A compaction is completed, too, when some of its plans came to nothing. */
static int32_t plans_check(milvus_call *call, const Milvus__CompactionStateReply *reply)
{
    if (reply->failed <= 0 && reply->timed_out <= 0)
        return SIMPLUGIN_OK;
    plug_fail(&call->base, SIMPLUGIN_UNAVAILABLE,
              "the server did not compact all of it: of its plans %lld failed, %lld took too long "
              "and %lld were carried out",
              (long long)reply->failed, (long long)reply->timed_out, (long long)reply->completed);
    plug_host->error_set_retryable(call->base.error, 1);
    return SIMPLUGIN_UNAVAILABLE;
}

int32_t milvus_serve_collection_compact(milvus_call *call)
{
    Milvus__CompactionRequest request = MILVUS__COMPACTION_REQUEST__INIT;
    Milvus__CompactionStateRequest state_request = MILVUS__COMPACTION_STATE_REQUEST__INIT;
    const int32_t executing = 1;
    void *message = NULL;
    int32_t state = executing;
    int32_t code;

    request.collection_id = call->schema->collection_id;
    request.collection_name = milvus_text(call->collection);
    request.db_name = call->instance->settings.db_name;
    code = milvus_ask(call, "ManualCompaction", &request.base,
                      &milvus__compaction_reply__descriptor, &message);
    if (!code)
        state_request.compaction_id = ((Milvus__CompactionReply *)message)->compaction_id;
    milvus_reply_free(message);
    while (!code && state == executing) {
        message = NULL;
        code = milvus_ask(call, "GetCompactionState", &state_request.base,
                          &milvus__compaction_state_reply__descriptor, &message);
        state = code ? 0 : ((Milvus__CompactionStateReply *)message)->state;
        if (!code && state != executing)
            code = plans_check(call, message);
        milvus_reply_free(message);
        if (!code && state == executing)
            code = milvus_pause(&call->base, 200);
    }
    /* Milvus does not say how large anything was */
    simplugin_write_map(&call->base.out, 0);
    return code;
}
