/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "partitions.h"

#include "ask.h"
#include "describe.h"
#include "instance.h"
#include "load.h"
#include "metric.h"
#include "name.h"
#include "property.h"

/* ---- names ---------------------------------------------------------------------------- */

/* Partitions may begin with a digit, unlike everything else. */
int32_t milvus_partition_check(plug_call *call, const char *given)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

    if (!*given || strlen(given) > 255 || strspn(given, letters) != strlen(given))
        return plug_fail_argument(call, "partition",
                                  "\"%.*s\" is no name of a partition: Milvus takes letters, digits "
                                  "and underscores",
                                  255, given);
    return SIMPLUGIN_OK;
}

int32_t milvus_partitions_read(plug_call *call, const simplugin_value *map,
                               milvus_partitions *partitions)
{
    simplugin_value list, item;
    simplugin_iter iter;
    const char **names;

    memset(partitions, 0, sizeof *partitions);
    if (!simplugin_find(map, "partitions", &list))
        return SIMPLUGIN_OK;
    if (list.type != SIMPLUGIN_ARRAY)
        return plug_fail_argument(call, "partitions", "partitions is an array of names");
    names = plug_scratch(call, list.size + 1, sizeof *names);
    if (!names)
        return plug_no_memory(call);
    iter = simplugin_iterate(&list);
    while (simplugin_next(&iter, &item)) {
        char *name;
        int32_t code;

        if (item.type != SIMPLUGIN_TEXT)
            return plug_fail_argument(call, "partitions", "partitions is an array of names");
        name = sp_arena_text(&call->scratch, (const char *)item.data, item.size);
        if (!name)
            return plug_no_memory(call);
        code = milvus_partition_check(call, name);
        if (code)
            return code;
        names[partitions->count++] = name;
    }
    partitions->names = names;
    return SIMPLUGIN_OK;
}

/* ---- partitions ------------------------------------------------------------------------- */

static int32_t partition_read(milvus_call *call, const char **partition)
{
    int32_t code = plug_arg_string(&call->base, "partition", partition);

    if (!code && !*partition)
        code = plug_fail_argument(&call->base, "partition", "partition is a text, and needed");
    return code ? code : milvus_partition_check(&call->base, *partition);
}

static Milvus__PartitionRequest partition_request(const milvus_call *call, const char *partition)
{
    Milvus__PartitionRequest request = MILVUS__PARTITION_REQUEST__INIT;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    request.partition_name = milvus_text(partition);
    return request;
}

static int32_t partition_exists(milvus_call *call, const char *partition, int *exists)
{
    Milvus__PartitionRequest request = partition_request(call, partition);
    void *message = NULL;
    int32_t code = milvus_ask(call, "HasPartition", &request.base,
                              &milvus__bool_reply__descriptor, &message);

    *exists = !code && ((Milvus__BoolReply *)message)->value;
    milvus_reply_free(message);
    return code;
}

int32_t milvus_serve_partition_create(milvus_call *call)
{
    Milvus__PartitionRequest request;
    const char *partition;
    int exists = 0;
    int32_t code = partition_read(call, &partition);

    if (!code)
        code = partition_exists(call, partition, &exists);
    if (!code && exists)
        code = plug_fail(&call->base, SIMPLUGIN_ALREADY_EXISTS,
                         "there is a partition \"%s\" already", partition);
    if (code)
        return code;
    request = partition_request(call, partition);
    return milvus_tell(call, "CreatePartition", &request.base, 0);
}

int32_t milvus_serve_partition_list(milvus_call *call)
{
    Milvus__CollectionRequest request = MILVUS__COLLECTION_REQUEST__INIT;
    Milvus__NamesReply *reply;
    void *message = NULL;
    int32_t code;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    code = milvus_ask(call, "ShowPartitions", &request.base, &milvus__names_reply__descriptor,
                      &message);
    if (code)
        return code;
    reply = message;
    simplugin_write_map(&call->base.out, 1);
    plug_write_texts(&call->base.out, "partitions", (const char *const *)reply->names,
                     reply->n_names);
    milvus_reply_free(message);
    return code;
}

/* Milvus drops no partition that is loaded. */
int32_t milvus_serve_partition_drop(milvus_call *call)
{
    Milvus__PartitionRequest request;
    Milvus__PartitionsRequest release = MILVUS__PARTITIONS_REQUEST__INIT;
    char *names[1];
    const char *partition;
    int exists = 0;
    int32_t code = partition_read(call, &partition);

    if (!code)
        code = partition_exists(call, partition, &exists);
    if (!code && !exists)
        code = plug_fail(&call->base, SIMPLUGIN_NOT_FOUND, "there is no partition \"%s\"",
                         partition);
    if (!code && strcmp(partition, MILVUS_DEFAULT_PARTITION) == 0)
        code = plug_fail_argument(&call->base, "partition",
                                  "the partition \"_default\" cannot be dropped");
    if (code)
        return code;
    names[0] = milvus_text(partition);
    release.db_name = call->instance->settings.db_name;
    release.collection_name = milvus_text(call->collection);
    release.partition_names = names;
    release.n_partition_names = 1;
    /* Milvus Lite releases none, and needs not */
    if (!call->instance->is_lite)
        code = milvus_tell(call, "ReleasePartitions", &release.base, 1);
    request = partition_request(call, partition);
    return code ? code : milvus_tell(call, "DropPartition", &request.base, 1);
}

/* ---- the index ---------------------------------------------------------------------------- */

int32_t milvus_index_send(milvus_call *call, const char *field, const milvus_index_spec *spec)
{
    Milvus__IndexRequest request = MILVUS__INDEX_REQUEST__INIT;
    Milvus__Pair type = MILVUS__PAIR__INIT, metric = MILVUS__PAIR__INIT,
                 params = MILVUS__PAIR__INIT;
    Milvus__Pair *pairs[] = {&type, &metric, &params};

    type.key = milvus_text("index_type");
    type.value = milvus_text(spec->type);
    metric.key = milvus_text("metric_type");
    metric.value = milvus_text(spec->metric);
    params.key = milvus_text("params");
    params.value = milvus_text(spec->params);
    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    request.field_name = milvus_text(field);
    request.extra_params = pairs;
    request.n_extra_params = 3;
    return milvus_tell(call, "CreateIndex", &request.base, 1);
}

/* Milvus changes no index of a collection that is loaded. */
static int32_t index_remove(milvus_call *call)
{
    Milvus__CollectionRequest release = MILVUS__COLLECTION_REQUEST__INIT;
    Milvus__IndexNameRequest request = MILVUS__INDEX_NAME_REQUEST__INIT;
    int32_t code;

    release.db_name = request.db_name = call->instance->settings.db_name;
    release.collection_name = request.collection_name = milvus_text(call->collection);
    request.field_name = milvus_text(call->schema->vector->name);
    request.index_name = milvus_text(call->schema->index_name);
    code = milvus_tell(call, "ReleaseCollection", &release.base, 1);
    if (!code)
        code = milvus_tell(call, "DropIndex", &request.base, 1);
    milvus_schema_forget(call->instance, call->collection);
    return code;
}

/* Puts the index back that was there, as the server told of it, and has it loaded. */
static void index_restore(milvus_call *call)
{
    const milvus_schema *schema = call->schema;
    Milvus__IndexRequest request = MILVUS__INDEX_REQUEST__INIT;
    uint64_t count = schema->index_param_count;
    Milvus__Pair *pairs = plug_scratch(&call->base, count + 1, sizeof *pairs);
    Milvus__Pair **list = plug_scratch(&call->base, count + 1, sizeof *list);
    milvus_aside aside;

    for (uint64_t i = 0; pairs && list && i < count; i++) {
        milvus__pair__init(&pairs[i]);
        pairs[i].key = milvus_text(schema->index_params[2 * i]);
        pairs[i].value = milvus_text(schema->index_params[2 * i + 1]);
        list[i] = &pairs[i];
    }
    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    request.field_name = milvus_text(schema->vector->name);
    request.index_name = milvus_text(schema->index_name);
    request.extra_params = list;
    request.n_extra_params = (size_t)count;
    milvus_aside_begin(call, &aside);
    if (pairs && list && !milvus_tell(call, "CreateIndex", &request.base, 1))
        milvus_load_start(call);
    milvus_aside_end(call, &aside);
}

/* Whether the server refused the index, where it only took too long it is being made. */
static int is_refused(int32_t code)
{
    return code != SIMPLUGIN_OK && code != SIMPLUGIN_DEADLINE_EXCEEDED &&
           code != SIMPLUGIN_CANCELLED && code != SIMPLUGIN_UNAVAILABLE &&
           code != SIMPLUGIN_OUT_OF_MEMORY;
}

int32_t milvus_serve_index_create(milvus_call *call)
{
    milvus_index_spec spec;
    simplugin_value parameters;
    int is_binary = call->schema->vector->type == MILVUS_BINARY_VECTOR;
    const char *metric = call->schema->metric ? call->schema->metric : call->schema->kept_metric;
    int had_index = *call->schema->index_type != 0;
    milvus_aside aside;
    const char *text = NULL;
    uint64_t size = 0;
    int found;
    int32_t code = plug_arg_parameters(&call->base, milvus_create_names, milvus_create_count,
                                       &parameters);

    if (code)
        return code;
    found = simplugin_find_text(&parameters, "metric", &text, &size);
    if (found > 0)
        metric = sp_arena_text(&call->base.scratch, text, size);
    if (!metric)
        metric = found ? "" : is_binary ? "hamming" : milvus_metric_names[0];
    if (!milvus_metric_theirs(metric) || milvus_metric_is_binary(metric) != is_binary)
        return plug_fail_argument(&call->base, "metric", "metric is %s",
                                  is_binary ? "hamming or jaccard"
                                            : "dotproduct, cosine or euclidean");
    code = milvus_index_spec_read(&call->base, &parameters, milvus_metric_theirs(metric), &spec);
    if (!code && had_index)
        code = index_remove(call);
    if (code)
        return code;
    code = milvus_index_send(call, call->schema->vector->name, &spec);
    if (code && had_index)
        index_restore(call);
    milvus_schema_forget(call->instance, call->collection);
    if (code)
        return code;
    milvus_metric_keep(call, metric);
    code = milvus_load(call, NULL, 0, 0);
    /* an index that no server can load is as good as none */
    if (is_refused(code) && had_index) {
        milvus_aside_begin(call, &aside);
        index_remove(call);
        milvus_aside_end(call, &aside);
        index_restore(call);
        milvus_metric_keep(call, call->schema->metric ? call->schema->metric : metric);
    }
    return code;
}

int32_t milvus_serve_index_drop(milvus_call *call)
{
    if (!*call->schema->index_type)
        return plug_fail(&call->base, SIMPLUGIN_NOT_FOUND, "it has no index");
    return index_remove(call);
}

/* How far the server is with it stands beside its parameters. */
int32_t milvus_serve_index_describe(milvus_call *call)
{
    Milvus__IndexNameRequest request = MILVUS__INDEX_NAME_REQUEST__INIT;
    Milvus__DescribeIndexReply *reply;
    const Milvus__IndexDescription *index = NULL;
    simplugin_writer *out = &call->base.out;
    void *message = NULL;
    int32_t code;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    code = milvus_ask(call, "DescribeIndex", &request.base,
                      &milvus__describe_index_reply__descriptor, &message);
    reply = message;
    for (size_t i = 0; !code && i < reply->n_index_descriptions && !index; i++)
        if (strcmp(reply->index_descriptions[i]->field_name, call->schema->vector->name) == 0)
            index = reply->index_descriptions[i];
    if (!code && !index)
        code = plug_fail(&call->base, SIMPLUGIN_NOT_FOUND, "it has no index");
    if (!code) {
        simplugin_write_map(out, 1);
        simplugin_write_string(out, "parameters");
        simplugin_write_map(out, 3 + index->n_params);
        simplugin_write_string(out, "index_name");
        simplugin_write_string(out, index->index_name);
        simplugin_write_string(out, "indexed_rows");
        simplugin_write_int(out, index->indexed_rows);
        simplugin_write_string(out, "total_rows");
        simplugin_write_int(out, index->total_rows);
        for (size_t i = 0; i < index->n_params; i++) {
            simplugin_write_string(out, index->params[i]->key);
            simplugin_write_string(out, index->params[i]->value);
        }
    }
    milvus_reply_free(message);
    return code;
}
