/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "query.h"

#include <inttypes.h>
#include <stdio.h>

#include "instance.h"
#include "load.h"
#include "numbers.h"
#include "pb.h"

static void pair_put(sp_buffer *out, uint32_t number, const char *key, const char *value)
{
    size_t begin = pb_begin(out, number);

    pb_text(out, PAIR_KEY, key);
    pb_text(out, PAIR_VALUE, value);
    pb_end(out, begin);
}

static void output_put(milvus_call *call, const milvus_query *query, sp_buffer *out)
{
    const milvus_schema *schema = call->schema;

    if (query->is_count) {
        pb_text(out, QUERY_OUTPUT, "count(*)");
        return;
    }
    pb_text(out, QUERY_OUTPUT, schema->key->name);
    if (query->vectors)
        pb_text(out, QUERY_OUTPUT, schema->vector->name);
    if (!query->fields)
        return;
    for (uint64_t i = 0; i < schema->field_count; i++)
        if (milvus_field_is_shown(schema, schema->fields[i].name))
            pb_text(out, QUERY_OUTPUT, schema->fields[i].name);
    if (schema->has_dynamic)
        pb_text(out, QUERY_OUTPUT, MILVUS_DYNAMIC);
}

int32_t milvus_query_encode(milvus_call *call, const milvus_query *query,
                            const milvus_freshness *fresh, milvus_rpc *rpc)
{
    sp_buffer out;
    char number[24];

    sp_buffer_init(&out);
    pb_text(&out, QUERY_DB, call->instance->settings.db_name);
    pb_text(&out, QUERY_COLLECTION, call->collection);
    pb_text(&out, QUERY_EXPR, query->expr);
    output_put(call, query, &out);
    for (uint64_t i = 0; i < query->partitions.count; i++)
        pb_text(&out, QUERY_PARTITIONS, query->partitions.names[i]);
    pb_uint(&out, QUERY_TIMESTAMP, fresh->timestamp);
    if (query->limit) {
        snprintf(number, sizeof number, "%" PRIu64, query->limit);
        pair_put(&out, QUERY_PARAMS, "limit", number);
        /* only so are the rows those of the smallest keys, on every server */
        pair_put(&out, QUERY_PARAMS, "iterator", "True");
        pair_put(&out, QUERY_PARAMS, "reduce_stop_for_best", "False");
    }
    pb_uint(&out, QUERY_CONSISTENCY, (uint64_t)fresh->level);
    if (out.failed) {
        sp_buffer_clear(&out);
        return plug_no_memory(&call->base);
    }
    milvus_rpc_take(rpc, out.data, out.size);
    return SIMPLUGIN_OK;
}

static int32_t query_try(milvus_call *call, const milvus_query *query,
                         const milvus_freshness *fresh, milvus_rpc *rpc)
{
    int32_t code;

    milvus_rpc_init(rpc, "Query");
    code = milvus_query_encode(call, query, fresh, rpc);
    if (!code)
        code = query->is_loaded ? milvus_read_loaded(call, rpc, query->is_loaded)
                                : milvus_read_try(call, rpc);
    return code;
}

static int32_t page_take(milvus_call *call, const milvus_freshness *fresh, const milvus_rpc *rpc,
                         milvus_page *page)
{
    if (rpc->status.code)
        return milvus_status_fail(&call->base, rpc->method,
                                  call->instance->settings.address.target, &rpc->status);
    milvus_read_done(call, fresh);
    return milvus_page_read(call, rpc->reply, rpc->reply_size, QUERY_REPLY_FIELDS, page);
}

int32_t milvus_query_run(milvus_call *call, const milvus_query *query, milvus_rpc *rpc,
                         milvus_page *page)
{
    milvus_freshness fresh = milvus_freshness_of(call, query->level);
    int32_t code;

    memset(page, 0, sizeof *page);
    code = query_try(call, query, &fresh, rpc);
    if (!code && query->is_loaded && !*query->is_loaded)
        return SIMPLUGIN_OK;
    return code ? code : page_take(call, &fresh, rpc, page);
}

int32_t milvus_query_fit(milvus_call *call, milvus_query *query, milvus_rpc *rpc,
                         milvus_page *page)
{
    milvus_freshness fresh = milvus_freshness_of(call, query->level);
    int32_t code;

    memset(page, 0, sizeof *page);
    code = query_try(call, query, &fresh, rpc);
    while (!code && query->limit > 1 && milvus_is_reply_too_large(&rpc->status)) {
        query->limit /= 2;
        milvus_rpc_clear(rpc);
        code = query_try(call, query, &fresh, rpc);
    }
    return code ? code : page_take(call, &fresh, rpc, page);
}

static int32_t count_run(milvus_call *call, const milvus_query *query, uint64_t *count)
{
    milvus_page page;
    milvus_rpc rpc;
    int32_t code = milvus_query_run(call, query, &rpc, &page);
    int is_answered = !query->is_loaded || *query->is_loaded;

    if (!code && is_answered && page.total < 0)
        code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "the server did not count");
    *count = code || !is_answered ? 0 : (uint64_t)page.total;
    milvus_page_clear(&page);
    milvus_rpc_clear(&rpc);
    return code;
}

int32_t milvus_count(milvus_call *call, const char *expr, uint64_t *count)
{
    milvus_query query = {.expr = expr, .is_count = 1, .level = -1};

    return count_run(call, &query, count);
}

int32_t milvus_count_loaded(milvus_call *call, uint64_t *count, int *is_loaded)
{
    milvus_query query = {.expr = "", .is_count = 1, .level = -1, .is_loaded = is_loaded};

    *is_loaded = 0;
    return count_run(call, &query, count);
}
