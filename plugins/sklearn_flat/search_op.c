/* SPDX-License-Identifier: Apache-2.0 */
/* search and search.radius: from a request to the exact search, and from its result to hits. */
#include "config.h"

#include "gather.h"
#include "instance.h"
#include "mask.h"
#include "search_op.h"

/* What both methods read and hold. */
typedef struct hit_query {
    flat_call *call;
    flat_snapshot *snapshot;
    flat_mask_ref *mask;
    flat_search_request request;
    flat_search_result result;
    plug_names fields;
    int with_vectors;
} hit_query;

int32_t flat_search_prepare(flat_call *call, flat_search_request *request)
{
    static const char *const known[] = {"scan"};
    const flat_schema *schema = flat_store_schema(call->store);
    const char *scan = NULL;
    simplugin_value parameters;
    uint64_t size = 0;
    int found;
    int32_t code = plug_arg_parameters(&call->base, known, 1, &parameters);

    if (code)
        return code;
    memset(request, 0, sizeof *request);
    request->metric = flat_metric_find(schema->metric, strlen(schema->metric));
    if (!request->metric)
        return plug_fail(&call->base, SIMPLUGIN_VERSION_TOO_NEW,
                         "its metric \"%s\" is not known to this version", schema->metric);
    found = simplugin_find_text(&parameters, "scan", &scan, &size);
    if (found > 0 && size == 7 && memcmp(scan, "float32", 7) == 0)
        request->scan = FLAT_SCAN_FLOAT32;
    else if (found && !(found > 0 && size == 4 && memcmp(scan, "auto", 4) == 0))
        return plug_fail_argument(&call->base, "scan", "scan is \"auto\" or \"float32\"");
    request->dimension = schema->dimension;
    request->k = UINT64_MAX;
    request->max_distance = INFINITY;
    request->deadline = call->wait.deadline;
    request->cancel = call->wait.cancel;
    request->cancelled = plug_host->cancelled;
    return SIMPLUGIN_OK;
}

int32_t flat_search_run(flat_call *call, const flat_snapshot *snapshot,
                        const flat_search_request *request, flat_search_result *result)
{
    int32_t code = flat_search(call->instance->searcher, snapshot, request, result);

    if (code == SIMPLUGIN_CANCELLED)
        plug_fail(&call->base, code, "the search was cancelled");
    else if (code == SIMPLUGIN_DEADLINE_EXCEEDED)
        plug_fail(&call->base, code, "the search's timeout ran out");
    else if (code == SIMPLUGIN_OUT_OF_MEMORY)
        plug_no_memory(&call->base);
    else if (code)
        plug_fail(&call->base, code, "the search failed");
    return code;
}

int32_t flat_write_copy(flat_call *call, const char *key, uint32_t dtype, const void *data,
                        uint64_t count)
{
    uint64_t size = simplugin_dtype_size(dtype);
    void *copy = plug_reply_array(&call->base, count + 1, size);

    if (!copy)
        return plug_no_memory(&call->base);
    if (count)
        memcpy(copy, data, (size_t)(count * size));
    plug_write_array(&call->base, key, dtype, copy, count);
    return SIMPLUGIN_OK;
}

void flat_progress(void *context, uint64_t done, uint64_t total)
{
    const flat_call *call = context;

    if (call->base.info->progress)
        plug_host->progress(call->base.info->progress, done, total);
}

static int32_t hits_write(hit_query *query)
{
    flat_call *call = query->call;
    const flat_search_result *result = &query->result;
    uint64_t count = (uint64_t)result->offsets[result->query_count];
    int with_fields = query->fields.all || query->fields.count;
    flat_gather gather;
    int32_t code = flat_gather_init(&gather, call, query->snapshot, &query->fields);

    if (code)
        return code;
    simplugin_write_map(&call->base.out,
                        4 + (uint64_t)(query->with_vectors != 0) + (uint64_t)(with_fields != 0));
    code = flat_write_copy(call, "offsets", SIMPLUGIN_INT64, result->offsets, result->query_count + 1);
    if (!code)
        code = flat_write_copy(call, "distances", SIMPLUGIN_FLOAT32, result->distances, count);
    if (!code)
        code = flat_write_copy(call, "scores", SIMPLUGIN_FLOAT32, result->scores, count);
    if (!code)
        code = flat_gather_ids(&gather, "ids", result->rows, count);
    if (!code && query->with_vectors)
        code = flat_gather_vectors(&gather, result->rows, count);
    if (!code && with_fields)
        code = flat_gather_fields(&gather, result->rows, count);
    return code;
}

/* Everything that search and search.radius have in common, k and distance apart. */
static int32_t query_read(hit_query *query)
{
    flat_call *call = query->call;
    uint64_t dimension = flat_store_schema(call->store)->dimension;
    plug_matrix vectors = {0};
    int32_t code = flat_search_prepare(call, &query->request);

    if (!code)
        code = plug_arg_vectors(&call->base, dimension, &vectors);
    if (!code)
        code = plug_check_finite(&call->base, &vectors, dimension, NULL, vectors.rows);
    if (!code)
        code = plug_arg_bool(&call->base, "with_vectors", &query->with_vectors);
    if (!code)
        code = plug_arg_names(&call->base, &query->fields);
    query->request.queries = vectors.data;
    query->request.query_count = vectors.rows;
    query->request.query_stride = vectors.stride;
    return code;
}

static int32_t query_run(hit_query *query)
{
    flat_call *call = query->call;
    int32_t code = flat_snapshot_new(call->store, &query->snapshot, call->base.error);

    if (!code)
        code = flat_mask_for(call, query->snapshot, &query->mask);
    if (!code) {
        query->request.mask = query->mask ? &query->mask->mask : NULL;
        code = flat_search_run(call, query->snapshot, &query->request, &query->result);
    }
    if (!code)
        code = hits_write(query);
    flat_search_result_clear(&query->result);
    flat_mask_release(query->mask);
    flat_snapshot_free(query->snapshot);
    return code;
}

int32_t flat_serve_search(flat_call *call)
{
    hit_query query = {.call = call};
    int64_t k = 10;
    double max_distance;
    int limited = 0;
    int32_t code = query_read(&query);

    if (!code)
        code = plug_arg_int(&call->base, "k", 1, INT64_MAX, &k);
    if (!code)
        code = plug_arg_bool(&call->base, "reverse", &query.request.reverse);
    if (!code)
        code = plug_arg_double(&call->base, "max_distance", &max_distance, &limited);
    if (code)
        return code;
    query.request.k = (uint64_t)k;
    if (limited)
        query.request.max_distance = max_distance;
    return query_run(&query);
}

int32_t flat_serve_search_radius(flat_call *call)
{
    hit_query query = {.call = call};
    int64_t limit = INT64_MAX;
    double radius;
    int present = 0;
    int32_t code = query_read(&query);

    if (!code)
        code = plug_arg_int(&call->base, "limit", 1, INT64_MAX, &limit);
    if (!code)
        code = plug_arg_double(&call->base, "radius", &radius, &present);
    if (!code && !present)
        code = plug_fail_argument(&call->base, "radius", "radius is needed");
    if (code)
        return code;
    query.request.max_distance = radius;
    if (limit != INT64_MAX)
        query.request.k = (uint64_t)limit;
    return query_run(&query);
}
